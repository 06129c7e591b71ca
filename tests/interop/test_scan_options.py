"""Options of scanners that the random scans do not try, or try too seldom, against pylance."""

import lance
import numpy as np
import pyarrow as pa
import pytest

import tusk

ROWS = 3000


@pytest.fixture(scope="module")
def uri(tmp_path_factory):
    """A table of several fragments with deleted rows and metadata."""
    rng = np.random.default_rng(3)
    vectors = pa.array(rng.normal(size=ROWS * 4).astype("float32"))
    data = pa.table(
        {
            "id": range(ROWS),
            "s": [f"text {i % 100}" for i in range(ROWS)],
            "n": pa.array([None if i % 7 == 0 else i % 50 for i in range(ROWS)], "int16"),
            "v": pa.FixedSizeListArray.from_arrays(vectors, 4),
            "wide": [rng.bytes(5000) for _ in range(ROWS)],
        }
    ).replace_schema_metadata({"owner": "me"})
    path = str(tmp_path_factory.mktemp("options") / "t")
    lance.write_dataset(data, path, max_rows_per_file=700).delete("id % 10 = 3")
    return path


def both(uri):
    return tusk.dataset(uri), lance.dataset(uri)


def read_bytes(dataset, read):
    before = dataset.io_stats_snapshot().read_bytes
    read()
    return dataset.io_stats_snapshot().read_bytes - before


def same(ours, theirs):
    assert ours.schema.equals(theirs.schema, check_metadata=True)
    assert ours.to_pylist() == theirs.to_pylist()


@pytest.mark.parametrize(
    "columns",
    [
        {"nothing": "null", "id": "id"},
        {"yes": "true", "no": "FALSE", "id": "id"},
        {"next": "id + 1"},
        {"_rowid": "id + 1", "s": "s"},
    ],
)
def test_computed_columns_have_the_schema_of_pylance(columns, uri):
    ours, theirs = both(uri)
    for options in ({}, {"with_row_id": True}, {"limit": 0}):
        found, expected = (d.to_table(columns=columns, **options) for d in (ours, theirs))
        # Values that are never null may be told to be so there.
        assert found.schema.names == expected.schema.names
        assert found.schema.types == expected.schema.types
        assert found.schema.metadata == expected.schema.metadata == {b"owner": b"me"}
        assert found.to_pylist() == expected.to_pylist()


def test_head_of_no_columns_has_no_more_rows_than_there_are(uri):
    scanner = tusk.dataset(uri).scanner(columns=[], filter="id < 3")
    assert (scanner.head(2).num_rows, scanner.head(100).num_rows) == (2, 3)


@pytest.mark.parametrize(
    "options",
    [
        {"batch_size": -1},
        {"batch_size_bytes": -1},
        {"batch_size": 0},
        {"limit": 2**63},
        {"offset": 2**64},
        {"strict_batch_size": True, "batch_size_bytes": 100},
        {"late_materialization": "s"},
        {"late_materialization": [3]},
    ],
)
def test_options_that_make_no_sense_raise_what_pylance_raises(options, uri):
    ours, theirs = both(uri)
    with pytest.raises(Exception) as expected:
        theirs.scanner(**options).to_table()
    with pytest.raises(expected.type):
        ours.scanner(**options).to_table()


def test_columns_are_read_with_the_filter_unless_they_are_to_come_late(uri):
    dataset, reference = both(uri)
    everything = 5000 * dataset.count_rows()
    for columns in (["wide"], ["s", "wide"], None, {"size": "length(s)", "wide": "wide"}):
        for filter in ("id = 42", "n is null and s = 'text 7'", None):
            expected = reference.to_table(columns=columns, filter=filter)
            for late in (True, False, ["wide"], ["s"], []):
                options = {"columns": columns, "filter": filter, "late_materialization": late}
                assert dataset.to_table(**options).to_pylist() == expected.to_pylist()
    for late, least, most in (
        (True, 0, 0.1),
        (["wide"], 0, 0.1),
        (None, 0, 0.1),
        (False, 0.9, 2),
        ([], 0.9, 2),
        (["s"], 0.9, 2),
    ):
        read = read_bytes(
            dataset,
            lambda: dataset.to_table(["wide"], filter="id = 42", late_materialization=late),
        )
        assert least * everything <= read < most * everything
    with pytest.raises(ValueError, match="nothing"):
        dataset.to_table(late_materialization=["nothing"])


def test_counts_read_no_more_than_the_columns_of_the_filter(uri):
    dataset = tusk.dataset(uri)
    dataset.count_rows("id > 5")  # opens the files
    pool = pa.total_allocated_bytes()
    assert read_bytes(dataset, dataset.count_rows) == 0
    assert read_bytes(dataset, lambda: dataset.count_rows("_rowid < 100")) == 0
    assert read_bytes(dataset, lambda: dataset.count_rows("n > 5")) < 3 * ROWS
    assert pa.total_allocated_bytes() == pool
    assert dataset.count_rows("n > 5") == lance.dataset(uri).count_rows("n > 5")


def test_rows_are_ordered_before_wide_columns_are_read(uri):
    dataset, reference = both(uri)
    order = [tusk.ColumnOrdering("n", False, True), "id"]
    arguments = {"columns": ["wide", "id"], "order_by": order, "limit": 5, "offset": 3}
    rows = reference.to_table(columns=["n", "id"]).to_pylist()
    rows.sort(key=lambda row: (row["n"] is not None, -(row["n"] or 0), row["id"]))
    wanted = [row["id"] for row in rows]
    found = [dataset.to_table(**arguments)]  # opens the files
    read = read_bytes(dataset, lambda: found.append(dataset.to_table(**arguments)))
    assert found[0]["id"].to_pylist() == wanted[3:8]
    table = reference.to_table(columns=["id", "wide"])
    values = dict(zip(table["id"].to_pylist(), table["wide"].to_pylist()))
    assert found[0]["wide"].to_pylist() == [values[i] for i in wanted[3:8]]
    assert read < 100_000
    for options in ({"with_row_id": True}, {"columns": {"k": "id * 2", "s": "s"}}, {"limit": 0}):
        table = dataset.to_table(**{**arguments, **options})
        some = [] if "limit" in options else wanted[3:8]
        if "columns" in options:
            assert table["k"].to_pylist() == [2 * i for i in some]
        else:
            assert table["id"].to_pylist() == some
    # With a filter, of some fragments, and all rows in batches.
    some = [i for i in wanted if 700 <= i < 1400 and i % 4 == 1]
    options = {"columns": ["id", "wide"], "filter": "id % 4 = 1", "order_by": order}
    scanner = dataset.scanner(fragments=[1], limit=20, batch_size=7, **options)
    batches = list(scanner.to_batches())
    assert [batch.num_rows for batch in batches] == [7, 7, 6]
    assert pa.Table.from_batches(batches)["id"].to_pylist() == some[:20]


def test_plans_tell_what_comes_before_what(uri):
    dataset = tusk.dataset(uri)
    scanner = dataset.scanner(["wide"], filter="id > 5", order_by=["n"], limit=4, offset=1)
    names = [line.split(":")[0].strip() for line in scanner.explain_plan().splitlines()]
    assert names == ["Take", "Limit", "Sort", "Take", "Filter", "Read", "Table"]
    analyzed = scanner.analyze_plan()
    assert "4 rows in 1 batches" in analyzed.splitlines()[0]
    assert "ms in all" in analyzed.splitlines()[-1]
    assert "5 files found open" in scanner.analyze_plan().splitlines()[-1]
    fresh = tusk.dataset(uri).scanner(["id"])
    assert "5 of 5 data files" in fresh.explain_plan()
    assert "0 files found open" in fresh.analyze_plan()
    # A file that has nothing of the columns is not read.
    dataset = tusk.write_dataset(pa.table({"a": range(10)}), uri + "2", mode="overwrite")
    dataset.add_columns({"b": "a + 1"})
    assert "1 of 2 data files" in dataset.scanner(["b"]).explain_plan()
    assert "2 of 2 data files" in dataset.scanner(["b"], filter="a > 1").explain_plan()
    expressions = dataset.scanner({"c": "b * 2"}, order_by=["a"]).explain_plan()
    assert "\0" not in expressions and "Sort: a ascending" in expressions


def test_the_nearest_rows_have_the_columns_and_numbers_of_pylance(uri):
    dataset, reference = both(uri)
    nearest = {"column": "v", "q": [0.1, 0.2, 0.3, 0.4]}
    for options in (
        {"columns": ["_distance", "id"]},
        {"columns": []},
        {"columns": ["id"], "limit": 25},
        {"columns": ["id"], "limit": 3, "offset": 2},
        {"columns": ["id"], "with_row_id": True},
        {"columns": ["id"], "with_row_address": True, "filter": "id > 1000", "prefilter": True},
        {"columns": ["id", "_rowid"], "filter": "id > 1000"},
    ):
        ours, theirs = (d.to_table(nearest=nearest, **options) for d in (dataset, reference))
        assert ours.schema.equals(theirs.schema, check_metadata=True), options
        distances = [table["_distance"].to_pylist() for table in (ours, theirs)]
        assert np.allclose(*distances, rtol=1e-5)
        assert ours.drop_columns("_distance").equals(theirs.drop_columns("_distance"))
    batches = dataset.to_batches(nearest=nearest, batch_size=4)
    assert [batch.num_rows for batch in batches] == [4, 4, 2]
    for d in (dataset, reference):
        with pytest.raises(TypeError):
            d.to_table(nearest={"column": "id", "q": [1.0]})


@pytest.mark.parametrize("rows", [[-1], [2**63], [5, 10**6], [1.5], ["1"], [None], 3])
def test_takes_of_what_is_no_row_raise_what_pylance_raises(rows, uri):
    ours, theirs = both(uri)
    for name in ("take", "_take_rows", "_take_addresses"):
        with pytest.raises(Exception) as expected:
            getattr(theirs, "_take_rows" if name == "_take_addresses" else name)(rows)
        with pytest.raises(expected.type) as found:
            getattr(ours, name)(rows)
        assert len(str(found.value)) < 300
    with pytest.raises(tusk.errors.RowOutOfRangeError, match=f"has {len(ours)} rows"):
        ours.take([len(ours)])
