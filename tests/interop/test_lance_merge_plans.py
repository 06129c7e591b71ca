"""What a merge would do, and what it did without being committed, in words."""

import pathlib

import pyarrow as pa
import pytest

import tusk


@pytest.fixture
def dataset(tmp_path):
    data = pa.table({"id": range(100), "a": range(100), "b": ["x"] * 100})
    return tusk.write_dataset(data, tmp_path / "t", max_rows_per_file=30)


def _files(dataset):
    return sorted(pathlib.Path(dataset.uri).rglob("*"))


def test_a_plan_names_what_is_read_and_written(dataset):
    files = _files(dataset)
    builder = (
        dataset.merge_insert("ID")
        .when_matched_update_all("source.a > target.a")
        .when_not_matched_insert_all()
        .when_not_matched_by_source_delete("id < 5")
    )
    plan = builder.explain_plan(pa.schema([("a", pa.int64()), ("id", pa.int64())]))
    steps = [line.strip() for line in plan.splitlines()]
    assert steps[0].startswith("Merge: on id; rows that match are updated if ")
    assert steps[0].endswith("others of the source inserted, others of the table deleted if id < 5")
    assert steps[1] == "Write rows: id, a, b, with b of the rows that match"
    assert steps[3].startswith("Source: id, a, in files if it has more than ")
    assert steps[4].endswith("t version 1, id of 4 fragments, 100 rows")
    # The schema of the dataset is taken where none is given.
    assert "Source: id, a, b" in builder.explain_plan()
    with pytest.raises(ValueError, match="no column 'id'"):
        builder.explain_plan(pa.schema([("a", pa.int64())]))
    with pytest.raises(ValueError, match="no column 'c'"):
        builder.explain_plan(pa.schema([("id", pa.int64()), ("c", pa.int64())]))
    assert _files(dataset) == files


@pytest.mark.parametrize("mode", ["rewrite_rows", "rewrite_columns"])
def test_an_analysis_counts_what_the_merge_does_and_leaves_nothing(mode, dataset):
    dataset.delete("id = 3")
    files = _files(dataset)
    rows = dataset.to_table()
    source = pa.table({"id": [1, 2, 40, 200], "b": ["y"] * 4})
    builder = dataset.merge_insert("id").when_matched_update_all().write_mode(mode)
    if mode == "rewrite_rows":
        builder.when_not_matched_insert_all()
    analysis = builder.analyze_plan(source)
    inserted = 1 if mode == "rewrite_rows" else 0
    steps = [line.strip() for line in analysis.splitlines()]
    assert steps[0].endswith(f"[{inserted} inserted, 3 updated, 0 deleted]")
    # One file of rows and two of deletions, or one of columns for each fragment.
    assert f"[{3 if mode == 'rewrite_rows' else 2} files, " in steps[1]
    assert "bytes]" in steps[1] and "bytes]" in steps[4]
    assert _files(dataset) == files
    assert tusk.dataset(dataset.uri).version == 2
    assert tusk.dataset(dataset.uri).to_table() == rows
    # The source was not used up: the same merge can be done.
    counts = builder.execute(source)
    assert (counts["num_inserted_rows"], counts["num_updated_rows"]) == (inserted, 3)
