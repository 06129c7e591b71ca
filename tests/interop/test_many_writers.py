"""Processes that write one table at once lose nothing; `make test-writers` lets 16 write."""

import pytest
from many_writers import run


@pytest.mark.parametrize("seed", range(2))
def test_processes_that_write_at_once_lose_and_double_no_version(tmp_path, seed):
    run(str(tmp_path / "t"), processes=4, versions=60, seed=seed)
