"""Takes of vectors, which are read right to their places, give what pylance gives."""

import os

import lance
import numpy as np
import pyarrow as pa
import pytest

import tusk

ROWS = 500
TYPES = [
    pa.list_(pa.float32(), 256), pa.list_(pa.float32(), 768), pa.list_(pa.float64(), 1536),
    pa.list_(pa.float16(), 600), pa.list_(pa.int8(), 3000), pa.list_(pa.bool_(), 8192),
    pa.list_(pa.list_(pa.float32(), 64), 8), pa.binary(2000),
]  # fmt: skip
# Where nulls are: in no value, in some, in some items, in both, and in whole pages.
NULLS = ["none", "values", "items", "both", "all"]
CASES = [
    (type_, nulls)
    for type_ in TYPES
    for nulls in NULLS
    if nulls not in ("items", "both") or pa.types.is_fixed_size_list(type_)
]


def _items(type_, count, generator, nulls):
    """Flat items of fixed-size lists, of which some are null at each level."""
    if pa.types.is_fixed_size_list(type_):
        inner = _items(type_.value_type, count * type_.list_size, generator, nulls)
        mask = generator.random(count) < 0.1 if nulls else None
        return pa.FixedSizeListArray.from_arrays(
            inner, type=type_, mask=None if mask is None else pa.array(mask)
        )
    if pa.types.is_floating(type_):
        values = generator.random(count).astype(type_.to_pandas_dtype())
    elif pa.types.is_boolean(type_):
        values = generator.random(count) < 0.5
    else:
        values = generator.integers(-100, 100, count).astype("int8")
    return pa.array(values, type_, mask=generator.random(count) < 0.3 if nulls else None)


def vectors(type_, nulls, generator):
    is_null = np.full(ROWS, nulls == "all")
    if nulls in ("values", "both"):
        is_null = generator.random(ROWS) < 0.2
    if pa.types.is_fixed_size_binary(type_):
        values = [generator.bytes(type_.byte_width) for _ in range(ROWS)]
        return pa.array([None if n else v for v, n in zip(values, is_null)], type_)
    items = _items(type_.value_type, ROWS * type_.list_size, generator, nulls in ("items", "both"))
    mask = pa.array(is_null) if is_null.any() else None
    return pa.FixedSizeListArray.from_arrays(items, type=type_, mask=mask)


def wanted_rows(generator, rows):
    yield generator.permutation(rows)
    yield np.sort(generator.choice(rows, rows // 3, replace=False))
    yield generator.integers(0, rows, 2 * rows)
    yield np.arange(rows)[::-1]
    yield [7, 7, 3, 7, rows - 1, 0, 3]
    yield [rows - 1]


@pytest.mark.parametrize(("writer", "version"), [(lance, "2.1"), (lance, "2.2"), (tusk, "2.1")])
@pytest.mark.parametrize(("type_", "nulls"), CASES, ids=str)
def test_rows_come_in_the_order_asked(tmp_path, type_, nulls, writer, version):
    generator = np.random.default_rng(2)
    table = pa.table({"id": range(ROWS), "v": vectors(type_, nulls, generator)})
    path = tmp_path / "t"
    writer.write_dataset(table, path, data_storage_version=version)
    ours, theirs = tusk.dataset(path), lance.dataset(str(path))
    for wanted in wanted_rows(generator, ROWS):
        found = ours.take(wanted)
        found.validate(full=True)
        expected = theirs.take(list(wanted))
        assert expected.equals(table.take(wanted)) and found.equals(expected)
        assert ours.take(wanted, columns=["v"]).equals(found.select(["v"]))
        mapped = tusk.dataset(path, storage_options={"memory_map": "true"})
        assert mapped.take(wanted).equals(found)


@pytest.mark.parametrize("rows_per_file", [1, 150, ROWS])
def test_deleted_rows_are_left_out_and_fragments_joined(tmp_path, rows_per_file):
    generator = np.random.default_rng(3)
    rows = ROWS if rows_per_file > 1 else 90
    whole = pa.table({"id": range(ROWS), "v": vectors(TYPES[1], "values", generator)})
    table = whole.slice(0, rows)
    lance.write_dataset(table, str(tmp_path / "t"), max_rows_per_file=rows_per_file)
    ours = tusk.dataset(tmp_path / "t")
    ours.delete("id % 5 = 2")
    left = table.filter(np.arange(rows) % 5 != 2)
    theirs = lance.dataset(str(tmp_path / "t"))
    for wanted in wanted_rows(generator, len(left)):
        found = ours.take(wanted)
        assert found.equals(left.take(wanted)) and found.equals(theirs.take(list(wanted)))
    # Row ids of this table are addresses, and those of deleted rows give nothing.
    addresses = [int(row) for row in theirs.to_table(columns=["_rowaddr"])["_rowaddr"].to_pylist()]
    some = addresses[::-7]
    assert ours._take_addresses(some).equals(left.take(np.arange(len(left))[::-7]))


def test_a_row_that_is_asked_for_twice_is_read_once(tmp_path):
    generator = np.random.default_rng(4)
    table = pa.table({"v": vectors(TYPES[1], "none", generator)})
    tusk.write_dataset(table, tmp_path / "t")
    dataset = tusk.dataset(tmp_path / "t")
    dataset.take([0])
    for wanted, rows in (([5, 200, 400], 3), ([200, 5, 5, 200, 5, 400], 3), ([10, 11, 12], 3)):
        dataset.io_stats_incremental()
        dataset.take(wanted)
        assert dataset.io_stats_incremental().read_bytes == rows * 768 * 4


@pytest.mark.parametrize("wanted", [[499], [3, 499], list(range(0, 500, 2)) + [499]])
def test_a_file_that_was_shortened_is_an_error(tmp_path, wanted):
    table = pa.table({"v": vectors(TYPES[1], "values", np.random.default_rng(5))})
    lance.write_dataset(table, str(tmp_path / "t"))
    dataset = tusk.dataset(tmp_path / "t")
    dataset.take([0])
    (file,) = (tmp_path / "t" / "data").iterdir()
    os.truncate(file, 1_000_000)
    assert dataset.take([0]).num_rows == 1
    with pytest.raises(OSError, match=f"{file.name}' ended at byte [0-9]+ while it was read"):
        dataset.take(wanted)
