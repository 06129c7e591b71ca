"""The same call on tusk and on pylance has the same result, or raises the same exception."""

import lance
import more_same_calls
import pandas as pd
import pyarrow as pa
import pytest
import same_calls

import tusk


def _plain(value):
    """What can be compared whichever package it is from."""
    if isinstance(value, pd.DataFrame):
        return value.to_dict("list")
    if isinstance(value, pa.Table):
        return value.schema.remove_metadata(), value.to_pylist()
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    return value


def _outcome(call, package, folder):
    folder.mkdir()
    table = same_calls.make(package, str(folder / "t"))
    try:
        return _plain(call(package, table, folder))
    except Exception as error:
        return error


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(call, id=f"{group}: {name}")
        for group in ("READS", "SCANNERS", "TABLES", "CHANGES", "WRITES", "FRAGMENTS")
        for name, call in getattr(same_calls, group).items()
    ]
    + [pytest.param(call, id=name) for name, call in more_same_calls.CALLS.items()],
)
def test_same_call_same_outcome(call, tmp_path):
    theirs = _outcome(call, lance, tmp_path / "lance")
    ours = _outcome(call, tusk, tmp_path / "tusk")
    if isinstance(theirs, Exception):
        # A class of tusk.errors is also the built-in one that pylance raises.
        assert isinstance(ours, type(theirs)), (theirs, ours)
    else:
        assert not isinstance(ours, Exception), (theirs, ours)
        assert ours == theirs
