"""Random histories of a table are those of a plain model; `make test-histories` tries thousands."""

import pytest
from table_model import run


@pytest.mark.parametrize("seed", range(8))
def test_a_history_is_that_of_its_model(tmp_path, seed):
    run(str(tmp_path / "t"), seed)
