"""What tusk writes at the borders of pages, chunks and numbers is read by tusk and pylance."""

import lance.file
import numpy as np
import pyarrow as pa
import pytest
from generator import arrays, comparison, failure_classes, files, logical_types, writing

import tusk.file

READERS = (tusk.file.LanceFileReader, lance.file.LanceFileReader)
SIZES = [0, 1, 2, 1023, 1024, 1025, 4095, 4096, 4097]


def expect_equal(folder, table, version="2.2", batch_rows=None, **options):
    """Both read it whole, a part and some rows; gives the number of pages of each column."""
    path = folder / "file.lance"
    writing.write(path, files.batches(table, batch_rows), table.schema, version, **options)
    rows = table.num_rows
    some = sorted({0, rows // 3, rows // 2, rows - 1} - {-1}) if rows else []
    for open_reader in READERS:
        reader = open_reader(str(path))
        assert reader.num_rows() == rows
        parts = [(reader.read_all(batch_size=1 << 20).to_table(), slice(None))]
        if rows:
            begin, count = rows // 3, max(1, rows // 5)
            part = reader.read_range(begin, count, batch_size=1 << 20).to_table()
            parts.append((part, slice(begin, begin + count)))
            taken = reader.take_rows(some, batch_size=1 << 20).to_table()
        for name in table.column_names:
            column = comparison.plain(table[name])
            for read, where in parts:
                read.validate(full=True)
                plain = comparison.plain(read[name])
                assert comparison.difference(plain, column[where], open_reader.__module__) is None
            if rows:
                plain, wanted = comparison.plain(taken[name]), comparison.gather(column, some)
                assert comparison.difference(plain, wanted, open_reader.__module__) is None
    return [len(column.pages) for column in lance.file.LanceFileReader(str(path)).metadata().columns]


POINT = pa.struct({"x": pa.int32(), "s": pa.string()})
TYPES = {
    "long": pa.int64(),
    "bool": pa.bool_(),
    "text": pa.string(),
    "vector": pa.list_(pa.float32(), 3),
    "list": pa.list_(pa.int16()),
    "texts": pa.list_(pa.string()),
    "struct": POINT,
    "structs": pa.list_(POINT),
    "dictionary": pa.dictionary(pa.int32(), pa.string()),
    "null": pa.null(),
    "nested": pa.list_(pa.struct({"l": pa.list_(pa.int8())})),
}


@pytest.mark.parametrize("version", writing.VERSIONS)
@pytest.mark.parametrize("rows", SIZES)
@pytest.mark.parametrize("nulls", ["none", "few"])
def test_tables_of_every_size(rows, nulls, version, tmp_path):
    rng = np.random.default_rng(rows)
    table = pa.table(
        {
            name: arrays.make_array(rng, type_, rows, arrays.Recipe("hundreds", nulls))
            for name, type_ in TYPES.items()
        }
    )
    expect_equal(tmp_path, table, version)


@pytest.mark.parametrize("version", writing.VERSIONS)
@pytest.mark.parametrize("page_bytes", [1, 100, 4096, 40_000])
def test_pages_of_every_size(page_bytes, version, tmp_path):
    rng = np.random.default_rng(3)
    rows = 60 if page_bytes == 1 else 2500
    for name, type_ in TYPES.items():
        array = arrays.make_array(rng, type_, rows, arrays.Recipe("any", "few", garbage=True))
        pages = expect_equal(
            tmp_path, pa.table({name: array}), version, batch_rows=777, max_page_bytes=page_bytes
        )
        assert name == "null" or page_bytes > 100 or min(pages) > 1


@pytest.mark.parametrize("version", writing.VERSIONS)
def test_all_null_pages_between_others(version, tmp_path):
    """Pages of 100 rows each, of which every second has nothing but nulls or empty lists."""
    rows = 1000
    is_null = np.arange(rows) // 100 % 2 == 1
    lengths = np.where(is_null, 0, 2)
    numbers = pa.array(range(int(lengths.sum())), pa.int64())
    struct = pa.StructArray.from_arrays(
        [pa.array(range(rows), pa.int64()), pa.array([str(i) for i in range(rows)])],
        ["i", "s"],
        mask=pa.array(is_null),
    )
    columns = {
        "long": pa.array(range(rows), pa.int64(), mask=is_null),
        "text": pa.array([f"{i:07}" for i in range(rows)], pa.string(), mask=is_null),
        "null_lists": failure_classes.lists(lengths, numbers, is_null=is_null),
        "empty_lists": failure_classes.lists(lengths, numbers),
        "struct": struct,
        "vector": pa.FixedSizeListArray.from_arrays(
            pa.array(np.arange(2 * rows), pa.int32()), 2, mask=pa.array(is_null)
        ),
    }
    for name, array in columns.items():
        table = pa.table({name: array})
        for page_bytes in (800, 1):
            pages = expect_equal(tmp_path, table, version, batch_rows=100, max_page_bytes=page_bytes)
            assert min(pages) > 5


@pytest.mark.parametrize("version", writing.VERSIONS)
def test_pages_with_only_empty_lists(version, tmp_path):
    rows = 3000
    some = pa.array([[1], []] * (rows // 2), pa.list_(pa.int32()))
    none = pa.array([[]] * rows, pa.list_(pa.int32()))
    nested = pa.array([[[], []], [], [[]]] * (rows // 3), pa.list_(pa.list_(pa.string())))
    for array in (none, nested, pa.concat_arrays([none, some, none])):
        for page_bytes in (100, 1 << 20):
            expect_equal(tmp_path, pa.table({"c": array}), version, max_page_bytes=page_bytes)


@pytest.mark.parametrize("version", writing.VERSIONS)
@pytest.mark.parametrize("item", [pa.int32(), pa.uint8(), pa.bool_(), pa.string(), POINT], ids=str)
def test_one_row_of_100_000_items(item, version, tmp_path):
    rng = np.random.default_rng(5)
    lengths = np.array([2, 0, 100_000, 1])
    for nulls in ("none", "few"):
        recipe = arrays.Recipe("any", nulls)
        items = arrays.make_array(rng, item, int(lengths.sum()), recipe)
        table = pa.table({"c": failure_classes.lists(lengths, items)})
        expect_equal(tmp_path, table, version)
        expect_equal(tmp_path, table.slice(2, 1), version, max_page_bytes=1000)


@pytest.mark.parametrize("version", writing.VERSIONS)
def test_more_levels_before_a_value_than_a_chunk_counts(version, tmp_path):
    for empty in (65_533, 65_534, 65_535, 65_536, 140_000):
        lengths = np.concatenate([[2], np.zeros(empty, int), [1, 3]])
        table = pa.table(
            {
                "numbers": failure_classes.lists(lengths, pa.array(range(6), pa.int32())),
                "texts": failure_classes.lists(lengths, pa.array(list("abcdef"))),
                "few": failure_classes.lists(
                    lengths, pa.DictionaryArray.from_arrays(pa.array([0] * 6, pa.int8()), ["x"])
                ),
            }
        )
        expect_equal(tmp_path, table.select(["numbers", "texts"]), version)
        try:
            expect_equal(tmp_path, table.select(["few"]), version)
        except NotImplementedError as error:
            assert "lists" in str(error)


LENGTHS = [0, 255, 256, 257, 32_767, 32_768, 32_769, 1_000_000]


@pytest.mark.parametrize("version", writing.VERSIONS)
@pytest.mark.parametrize("length", LENGTHS)
def test_texts_of_every_length(length, version, tmp_path):
    rng = np.random.default_rng(length)
    count = 5 if length > 100_000 else 200
    same = [chr(97 + i % 26) * length for i in range(count)]
    random = [rng.bytes(length) for _ in range(count)]
    mixed = [b"x" * length if i % 2 else b"y" for i in range(count)]
    table = pa.table(
        {
            "same": pa.array(same),
            "one": pa.array([same[0]] * count),
            "random": pa.array(random, pa.binary()),
            "large": pa.array(random, pa.large_binary(), mask=np.arange(count) % 3 == 0),
            "mixed": pa.array(mixed, pa.binary()),
            "lists": pa.array([[b, None] for b in mixed], pa.list_(pa.binary())),
        }
    )
    expect_equal(tmp_path, table, version)


@pytest.mark.parametrize("version", writing.VERSIONS)
@pytest.mark.parametrize("type_name", logical_types.ALL)
def test_no_rows_of_every_type(type_name, version, tmp_path):
    field = logical_types.field(type_name)
    schema = pa.schema([field])
    if type_name in writing.NOT_WRITTEN[version]:
        with pytest.raises(NotImplementedError, match="field '(c|item)'"):
            writing.write(tmp_path / "file.lance", [], schema, version)
        return
    none = arrays.make_array(np.random.default_rng(0), field.type, 0, arrays.Recipe())
    if files.changes_shape(field.type):
        writing.write(tmp_path / "file.lance", [pa.table([none], schema=schema)], schema, version)
        for reader in READERS:
            assert reader(str(tmp_path / "file.lance")).read_all().to_table().num_rows == 0
        return
    expect_equal(tmp_path, pa.table([none], schema=schema), version)


@pytest.mark.parametrize("version", writing.VERSIONS)
def test_no_columns(version, tmp_path):
    path = tmp_path / "file.lance"
    writing.write(path, [], pa.schema([]), version)
    assert tusk.file.LanceFileReader(path).num_rows() == 0
    assert lance.file.LanceFileReader(str(path)).metadata().schema == pa.schema([])
