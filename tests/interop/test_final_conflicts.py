"""Conflicts that can never go away are errors at once, and name the transaction that won."""

import contextlib

import lance
import pyarrow as pa
import pytest

import tusk
import tusk.errors

ROWS = pa.table({"id": pa.array(range(20), pa.int64())})


class Intruder:
    """A commit lock under which another writer replaces the table, the first time it is held."""

    def __init__(self, path):
        self.path = path
        self.versions = []

    @contextlib.contextmanager
    def __call__(self, version):
        self.versions.append(version)
        if len(self.versions) == 1:
            lance.write_dataset(ROWS.slice(0, 3), self.path, mode="overwrite")
        yield


CHANGES = {
    "compact_files": lambda table: table.optimize.compact_files(),
    "add_columns": lambda table: table.add_columns({"twice": "id * 2"}),
    "add_null_columns": lambda table: table.add_columns(pa.field("new", pa.int32())),
    "drop_columns": lambda table: table.drop_columns(["more"]),
    "alter_columns": lambda table: table.alter_columns({"path": "id", "data_type": pa.int32()}),
    "delete": lambda table: table.delete("id = 3"),
    "update": lambda table: table.update({"more": "1"}),
    "merge": lambda table: table.merge(
        pa.table({"id": pa.array([1], pa.int64()), "x": [1]}), left_on="id"
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_table_that_was_replaced_ends_the_change(name, tmp_path):
    path = str(tmp_path / "t")
    for begin in (0, 10):
        rows = ROWS.slice(begin, 10).append_column("more", pa.array([0] * 10))
        lance.write_dataset(rows, path, mode="append")
    intruder = Intruder(path)
    winner = "overwrite, transaction [0-9a-f-]{36}"
    with pytest.raises(tusk.errors.CommitConflictError, match=winner):
        CHANGES[name](tusk.dataset(path, commit_lock=intruder))
    assert intruder.versions == [3]
    table = lance.dataset(path)
    assert (table.version, table.to_table()) == (3, ROWS.slice(0, 3))
