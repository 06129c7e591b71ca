"""Large values inside of lists and structs: what tusk writes pylance reads, and the other way."""

import datetime
import pathlib
import random
import re

import lance
import pyarrow as pa
import pytest
from test_lance_blob_writes import SIZES, orphans, random_values
from test_lance_blobs import sidecars

import tusk

ITEM = lance.blob_field("item", **SIZES)
STRUCT = pa.struct([ITEM.with_name("x"), pa.field("y", pa.int64())])


def lists(of, sizes, kind):
    """`of` as the items of lists of these sizes, one null list among them."""
    offsets = [0]
    for size in sizes:
        offsets.append(offsets[-1] + (size or 0))
    offsets = [None if size is None else offset for size, offset in zip([*sizes, 0], offsets)]
    if kind == "list":
        return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), of)
    return pa.LargeListArray.from_arrays(pa.array(offsets, pa.int64()), of)


def blobs(values):
    return lance.blob_array(values)


def structs(values):
    numbers = pa.array(range(len(values)), pa.int64())
    return pa.StructArray.from_arrays([blobs(values), numbers], fields=list(STRUCT))


def make(kind, values, sizes):
    """A column of `values`, cut into rows of these sizes."""
    if kind == "list of structs":
        return pa.field("c", pa.list_(STRUCT)), lists(structs(values), sizes, "list")
    if kind == "struct of lists":
        column = lists(blobs(values), sizes, "list")
        field = pa.field("l", pa.list_(ITEM))
        struct = pa.StructArray.from_arrays([column], fields=[field.with_type(column.type)])
        return pa.field("c", pa.struct([field])), struct
    item = pa.list_(ITEM) if kind == "list" else pa.large_list(ITEM)
    return pa.field("c", item), lists(blobs(values), sizes, kind)


KINDS = ["list", "large_list", "list of structs", "struct of lists"]
ROWS = 40


def make_table(kind, seed=0):
    generator = random.Random(seed)
    sizes = [generator.choice([None, 0, 1, 2, 5]) for _ in range(ROWS)]
    values = random_values(sum(size or 0 for size in sizes), seed=seed)
    field, column = make(kind, values, sizes)
    schema = pa.schema([pa.field("id", pa.int64()), field])
    data = [pa.array(range(ROWS), pa.int64()), column]
    return pa.Table.from_arrays(data, schema=schema)


def expected_rows(table):
    """The rows with the bytes alone in place of blobs."""

    def plain(value):
        if isinstance(value, dict) and value.keys() == {"data", "uri", "position", "size"}:
            return value["data"]
        if isinstance(value, dict):
            return {name: plain(child) for name, child in value.items()}
        return [plain(child) for child in value] if isinstance(value, list) else value

    return {row["id"]: plain(row["c"]) for row in table.to_pylist()}


def rows_of(library, uri):
    table = library.dataset(uri).scanner(blob_handling="all_binary").to_table()
    return {row["id"]: row["c"] for row in table.to_pylist()}


@pytest.mark.parametrize("kind", KINDS)
def test_both_write_the_same_and_read_each_other(tmp_path, kind):
    table = make_table(kind)
    for writer in (tusk, lance):
        uri = str(tmp_path / writer.__name__)
        writer.write_dataset(table, uri, max_rows_per_file=15)
        assert rows_of(tusk, uri) == rows_of(lance, uri) == expected_rows(table)
    ours, theirs = (lance.dataset(tmp_path / name) for name in ("tusk", "lance"))
    assert sidecars(tmp_path / "tusk") == sidecars(tmp_path / "lance")
    assert ours.schema.equals(theirs.schema, check_metadata=True)
    texts = [str(dataset.to_table()["c"].to_pylist()) for dataset in (ours, theirs)]
    kinds = [re.findall("'kind': [0-9]", text) for text in texts]
    assert kinds[0] == kinds[1]
    for uri in (tmp_path / "tusk", tmp_path / "lance"):
        for rows in ([3, 1, 1, 20], []):
            taken = [library.dataset(uri).take(rows).to_pylist() for library in (tusk, lance)]
            assert taken[0] == taken[1]


@pytest.mark.parametrize("kind", KINDS)
def test_slices_and_batches_of_lists_are_written(tmp_path, kind):
    table = make_table(kind, seed=3)
    uri = str(tmp_path / "table")
    tusk.write_dataset(table.slice(5, 30).to_batches(max_chunksize=7), uri, schema=table.schema)
    expected = {row: value for row, value in expected_rows(table).items() if 5 <= row < 35}
    assert rows_of(tusk, uri) == rows_of(lance, uri) == expected


@pytest.mark.parametrize("maker", [tusk, lance])
@pytest.mark.parametrize("kind", KINDS)
def test_rows_with_lists_of_blobs_change(tmp_path, kind, maker):
    """pylance panics where it would write lists of blobs again: it reads what tusk has made."""
    uri = str(tmp_path / "table")
    table = make_table(kind, seed=5)
    expected = expected_rows(table)
    maker.write_dataset(table, uri, max_rows_per_file=15)
    tusk.dataset(uri).delete("id % 5 = 2")
    expected = {row: value for row, value in expected.items() if row % 5 != 2}
    tusk.dataset(uri).update({"id": "id + 100"}, where="id % 4 = 1")
    expected = {row + 100 * (row % 4 == 1): value for row, value in expected.items()}
    assert rows_of(tusk, uri) == rows_of(lance, uri) == expected
    other = make_table(kind, seed=6)
    merge = tusk.dataset(uri).merge_insert("id").when_matched_update_all()
    merge.when_not_matched_insert_all().execute(other)
    expected |= expected_rows(other)
    assert rows_of(tusk, uri) == rows_of(lance, uri) == expected
    with_number = make_table(kind, seed=7)
    wide = tusk.dataset(uri)
    wide.add_columns({"n": "id"})
    merge = tusk.dataset(uri).merge_insert("id").when_matched_update_all()
    merge.write_mode("rewrite_columns").execute(with_number.slice(0, 20))
    expected |= expected_rows(with_number.slice(0, 20))
    assert rows_of(tusk, uri) == rows_of(lance, uri) == expected
    tusk.dataset(uri).optimize.compact_files()
    assert len(tusk.dataset(uri).get_fragments()) == 1
    tusk.dataset(uri).cleanup_old_versions(datetime.timedelta(0), delete_unverified=True)
    assert rows_of(tusk, uri) == rows_of(lance, uri) == expected
    assert orphans(uri) == []
    assert len(list(pathlib.Path(uri, "data").glob("*.lance"))) == 1


def test_bytes_come_in_batches_of_bounded_size(tmp_path):
    uri = str(tmp_path / "table")
    table = make_table("list", seed=8)
    tusk.write_dataset(table, uri)
    scanner = tusk.dataset(uri).scanner(blob_handling="all_binary", batch_size_bytes=2000)
    batches = list(scanner.to_batches())
    assert len(batches) > 5
    rows = {row["id"]: row["c"] for batch in batches for row in batch.to_pylist()}
    assert rows == expected_rows(table)


def test_blobs_in_maps_and_fixed_size_lists_are_refused(tmp_path):
    values = blobs([b"a", b"b"])
    columns = {
        "map": pa.MapArray.from_arrays([0, 1, 2], pa.array(["x", "y"]), values),
        "fixed_size_list": pa.FixedSizeListArray.from_arrays(values, 2),
    }
    for kind, column in columns.items():
        for library in (tusk, lance):
            with pytest.raises((OSError, NotImplementedError)):
                library.write_dataset(pa.table({"c": column}), tmp_path / kind / library.__name__)
        assert [path for path in (tmp_path / kind / "tusk").rglob("*") if path.is_file()] == []
