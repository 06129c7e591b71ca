"""Whatever takes a condition keeps the rows that a scan keeps, which are those of pylance."""

import shutil

import pyarrow as pa
import pytest
from filter_cases import SHARED, filtered_table

import tusk

ROWS = filtered_table().num_rows
VECTORS = pa.array([[float(i), 1.0] for i in range(ROWS)], pa.list_(pa.float32(), 2))


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    table = filtered_table().append_column("id", pa.array(range(ROWS), pa.int64()))
    path = tmp_path_factory.mktemp("entries") / "t.lance"
    tusk.write_dataset(table.append_column("vector", VECTORS), path, max_rows_per_file=2)
    return path


@pytest.fixture
def copied(path, tmp_path):
    """Makes tables that may be changed."""
    count = iter(range(100))

    def copy():
        return tusk.dataset(shutil.copytree(path, tmp_path / f"{next(count)}.lance"))

    return copy


def ids(table):
    return sorted(table["id"].to_pylist())


def all_ids(dataset):
    return ids(dataset.to_table(columns=["id"]))


@pytest.mark.parametrize("text", SHARED)
def test_readers_keep_the_rows_of_a_scan(text, path):
    dataset = tusk.dataset(path)
    kept = ids(dataset.to_table(columns=["id"], filter=text))
    assert dataset.count_rows(text) == len(kept)
    assert ids(dataset.scanner(columns=["id"], filter=text).to_table()) == kept
    fragments = [fragment.count_rows(text) for fragment in dataset.get_fragments()]
    assert sum(fragments) == len(kept)
    search = {"column": "vector", "q": [0.0, 1.0], "k": ROWS}
    for prefilter in (True, False):
        found = dataset.to_table(columns=["id"], filter=text, nearest=search, prefilter=prefilter)
        assert ids(found) == kept
    found = dataset.to_table(filter=text, nearest=search, prefilter=False)
    assert found.column_names == [*dataset.schema.names, "_distance"]
    truths = dataset.to_table(columns={"id": "id", "truth": text})
    assert [row["id"] for row in truths.to_pylist() if row["truth"]] == kept


@pytest.mark.parametrize("text", SHARED)
def test_writers_change_the_rows_of_a_scan(text, path, copied):
    kept = ids(tusk.dataset(path).to_table(columns=["id"], filter=text))
    others = [i for i in range(ROWS) if i not in kept]

    deleted = copied()
    deleted.delete(text)
    assert all_ids(deleted) == others

    updated = copied()
    assert updated.update({"id": "id + 100"}, where=text)["num_rows_updated"] == len(kept)
    assert all_ids(updated) == others + [i + 100 for i in kept]

    # As in pylance, merges and new values know no system columns.
    has_system_column = text.lower().startswith("_row")
    if not has_system_column:
        merged = copied()
        source = merged.to_table(filter="id = 0")
        merged.merge_insert("id").when_not_matched_by_source_delete(text).execute(source)
        assert all_ids(merged) == sorted({0, *others})

    added = copied()
    added.add_columns({"truth": text})
    assert [row["id"] for row in added.to_table().to_pylist() if row["truth"]] == kept

    # As a value a match is a list.
    if not has_system_column and not text.startswith("regexp_match"):
        valued = copied()
        valued.update({"b": text})
        assert ids(valued.to_table(columns=["id"], filter="b")) == kept


@pytest.mark.parametrize(
    "condition, updated",
    [
        ("source.i > target.i", [0, 3]),
        ("source.i > target.i AND target.s LIKE 'a%'", [0]),
        ("CASE WHEN target.id = 3 THEN true ELSE source.st.a > target.l[1] END", [3]),
        ("source.l >= target.l", [0, 3]),
    ],
)
def test_conditions_of_merges_see_both_sides(condition, updated, tmp_path):
    target = pa.table({"id": [0, 1, 3], "i": [1, 5, 1], "s": ["ab", "ab", "b"],
                       "l": [[1], [7], [1]], "st": [{"a": 1}] * 3})  # fmt: skip
    source = target.set_column(1, "i", pa.array([2, 4, 2]))
    source = source.set_column(3, "l", pa.array([[1, 0], [6], [2]]))
    dataset = tusk.write_dataset(target, tmp_path / "t.lance")
    dataset.merge_insert("id").when_matched_update_all(condition).execute(source)
    rows = {row["id"]: row["i"] for row in dataset.to_table().to_pylist()}
    assert sorted(i for i, value in rows.items() if value in (2, 4)) == updated
