"""Deletions that a lake commits go together with those of writers by path, row by row."""

import lance
import pyarrow as pa
import pytest

import tusk

NAME = "media.rows"


@pytest.fixture
def lake(tmp_path):
    lake = tusk.init(tmp_path / "lake")
    lake.append(lance={NAME: pa.table({"id": range(20), "s": ["old"] * 20})})
    return lake


def _delete(dataset, ids):
    """The transaction of a deletion, with its files written."""
    builder = dataset.merge_insert("id").when_matched_delete()
    return builder.execute_uncommitted(pa.table({"id": ids}))[0]


def _update(dataset, ids):
    builder = dataset.merge_insert("id").when_matched_update_all()
    return builder.execute_uncommitted(pa.table({"id": ids, "s": ["new"] * len(ids)}))[0]


def _ids(dataset):
    return sorted(dataset.to_table()["id"].to_pylist())


@pytest.mark.parametrize("change", [_delete, _update])
@pytest.mark.parametrize("writer", [lance, tusk])
def test_other_rows_of_one_fragment_go_together(change, writer, lake):
    table = lake.table(NAME)
    transaction = change(table, [1, 2])
    writer.dataset(table.uri).delete("id = 5")
    writer.dataset(table.uri).delete("id = 7")
    lake.commit_lance({NAME: transaction})
    gone = {5, 7} | ({1, 2} if change is _delete else set())
    expected = [number for number in range(20) if number not in gone]
    assert _ids(lake.table(NAME)) == _ids(lance.dataset(table.uri)) == expected
    changed = lance.dataset(table.uri).to_table(filter="s = 'new'")["id"].to_pylist()
    assert sorted(changed) == ([] if change is _delete else [1, 2])
    lance.dataset(table.uri).validate()


@pytest.mark.parametrize("change", [_delete, _update])
def test_a_row_that_is_gone_is_a_conflict(change, lake):
    table = lake.table(NAME)
    transaction = change(table, [1, 2])
    lance.dataset(table.uri).delete("id = 2")
    with pytest.raises(tusk.errors.CommitConflictError, match="1 of the same rows"):
        lake.commit_lance({NAME: transaction})
    assert _ids(lance.dataset(table.uri)) == [number for number in range(20) if number != 2]


def test_deletions_of_lakes_go_together_too(lake):
    table = lake.table(NAME)
    first, second, third = (_delete(table, [number]) for number in (1, 2, 3))
    for transaction in (first, second, third):
        lake.commit_lance({NAME: transaction})
    assert _ids(lance.dataset(table.uri)) == [0, *range(4, 20)]
