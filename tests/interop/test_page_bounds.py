"""Filters leave out what the bounds of pages rule out, and nothing else."""

import datetime
import decimal
import operator
import random

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from float_order import keep_rows

import tusk

ROWS = 60_000


def _texts(rng):
    words = ["", "a", "ab", "é", "\U0010ffff", "z" * 70, "zz" + "é" * 60]
    return [rng.choice(words) + str(rng.randrange(100)) for _ in range(ROWS)]


def _columns(rng, generator):
    """Sorted and unsorted values of every type that has bounds."""
    integers = np.sort(generator.integers(-1000, 1000, ROWS))
    floats = np.sort(generator.standard_normal(ROWS))
    with_nan = floats.copy()
    with_nan[::7001] = np.nan
    day = datetime.date(2020, 1, 1)
    return {
        "sorted": pa.array(integers),
        "small": pa.array((integers // 10).astype("int8")),
        "unsigned": pa.array(np.sort(generator.integers(0, 2**64, ROWS, dtype="uint64"))),
        "random": pa.array(generator.integers(0, 2**40, ROWS)),
        "float": pa.array(floats),
        "half": pa.array(floats.astype("float32")),
        "nan": pa.array(with_nan),
        "flag": pa.array(integers > 500),
        "day": pa.array([day + datetime.timedelta(int(i)) for i in integers]),
        "time": pa.array(integers * 10**6, pa.timestamp("us", "UTC")),
        "price": pa.array([decimal.Decimal(int(i)) / 100 for i in integers], pa.decimal128(12, 2)),
        "text": pa.array(sorted(_texts(rng))),
        "bytes": pa.array(sorted(t.encode() for t in _texts(rng)), pa.large_binary()),
        "words": pa.array(_texts(rng)),
    }


def _with_nulls(rng, column):
    """Nulls here and there, and none but nulls for a while."""
    valid = np.array([rng.random() < 0.9 for _ in range(ROWS)])
    begin = rng.randrange(ROWS)
    valid[begin : begin + ROWS // 4] = False
    return pc.if_else(pa.array(valid), column, pa.scalar(None, column.type))


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    rng, generator = random.Random(3), np.random.default_rng(3)
    columns = _columns(rng, generator)
    columns |= {name + "_null": _with_nulls(rng, column) for name, column in columns.items()}
    data = pa.table(columns)
    path = tmp_path_factory.mktemp("bounds") / "t.lance"
    tusk.write_dataset(data, path, max_rows_per_file=ROWS // 8)
    return data, tusk.dataset(path)


_OPERATORS = [operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne]


def _condition(rng, data):
    name = rng.choice(data.column_names)
    field = pc.field(name)
    kind = rng.random()
    if kind < 0.1:
        return field.is_null() if rng.random() < 0.5 else field.is_valid()
    values = [data[name][rng.randrange(ROWS)] for _ in range(3)]
    if kind < 0.2:
        return field.isin([v for v in values if v.is_valid] or [data[name].drop_null()[0]])
    if values[0].as_py() is None or (rng.random() < 0.1 and pa.types.is_floating(values[0].type)):
        return field > 0 if pa.types.is_floating(values[0].type) else field.is_null()
    return rng.choice(_OPERATORS)(field, values[0])


def _filter(rng, data, depth=2):
    if depth == 0 or rng.random() < 0.3:
        return _condition(rng, data)
    first, second = _filter(rng, data, depth - 1), _filter(rng, data, depth - 1)
    return rng.choice([lambda: first & second, lambda: first | second, lambda: ~first])()


@pytest.mark.parametrize("seed", range(200))
def test_random_filter_keeps_the_rows_that_arrow_keeps(seed, table):
    data, dataset = table
    rng = random.Random(seed)
    filter = _filter(rng, data)
    expected = keep_rows(data, filter)
    assert dataset.count_rows(filter) == expected.num_rows, filter
    columns = rng.sample([n for n in data.column_names if not n.startswith("nan")], 2)  # NaN != NaN
    assert dataset.to_table(columns, filter=filter).equals(expected.select(columns)), filter


def test_what_bounds_rule_out_is_not_read(tmp_path):
    rows = 2_000_000
    data = pa.table({"n": range(rows), "s": [f"{i:08}" for i in range(rows)]})
    tusk.write_dataset(data, tmp_path / "t", max_rows_per_file=rows // 4)
    for name, value in (("n", 17), ("s", "00000017")):
        dataset = tusk.dataset(tmp_path / "t")
        for row in (0, 1):
            assert dataset.count_rows(pc.field(name) == value) == 1
            read = dataset.io_stats_incremental().read_bytes
        # Of four files the first is read, and nothing but the end of the others.
        whole = dataset.to_table([name]) and dataset.io_stats_incremental().read_bytes
        assert read < whole / 3
        assert dataset.count_rows(pc.field(name) == ("x" if name == "s" else -1)) == 0
        # A few rows are read sooner than asked about.
        assert dataset.io_stats_incremental().read_bytes < whole / 100


@pytest.mark.parametrize("type", [pa.int32(), pa.int64(), pa.uint16(), pa.timestamp("us")])
def test_widths_of_packed_numbers_rule_out_rows_of_files_without_bounds(type, tmp_path):
    """A chunk of pylance's, of 1,024 numbers, has as many bits for each as its largest needs."""
    import lance

    rows = 400_000
    numbers = np.random.default_rng(5).integers(0, 4_000, rows)
    numbers[300_000:301_000] += 20_000
    data = pa.table({"n": pa.array(numbers).cast(type), "id": range(rows)})
    lance.write_dataset(data, tmp_path / "t")
    dataset = tusk.dataset(tmp_path / "t")

    def literal(number):
        is_time = pa.types.is_timestamp(type)
        return f"timestamp '1970-01-01 00:00:00.{number:06}'" if is_time else str(number)

    for condition in ("n >= {}", "n = {}", "n > {} and id > 0", "n < {}", "n is null"):
        for number in (0, 3_999, 4_095, 4_096, 20_000, 23_999, 60_000):
            filter = condition.format(literal(number))
            n = pc.cast(data["n"], pa.int64())
            kept = {
                "n >= {}": pc.greater_equal(n, number),
                "n = {}": pc.equal(n, number),
                "n > {} and id > 0": pc.and_(pc.greater(n, number), pc.greater(data["id"], 0)),
                "n < {}": pc.less(n, number),
                "n is null": pc.is_null(n),
            }[condition]
            expected = data["id"].filter(kept).to_pylist()
            assert dataset.to_table(["id"], filter=filter)["id"].to_pylist() == expected, filter
    dataset.io_stats_incremental()
    assert dataset.to_table(["n"]).num_rows == rows
    whole = dataset.io_stats_incremental().read_bytes
    assert dataset.count_rows(f"n >= {literal(4_096)}") == 1_000
    assert dataset.io_stats_incremental().read_bytes < whole / 2


def test_deleted_rows_do_not_shift_pages(tmp_path):
    """pylance deletes rows of a table of ours; what is left lies in the pages where it was."""
    import lance

    rows = 40_000
    path = str(tmp_path / "t")
    tusk.write_dataset(pa.table({"n": range(rows)}), path, max_rows_per_file=rows // 2)
    lance.dataset(path).delete("n < 15000 or (n > 25000 and n % 3 = 0)")
    left = [n for n in range(15000, rows) if not (n > 25000 and n % 3 == 0)]
    dataset = tusk.dataset(path)
    for low, high in ((0, 15_000), (14_990, 15_010), (19_000, 21_000), (25_000, 39_999), (0, rows)):
        between = (pc.field("n") >= low) & (pc.field("n") < high)
        found = dataset.to_table(filter=between)["n"].to_pylist()
        assert found == [n for n in left if low <= n < high]


def test_pylance_passes_over_the_annex(tmp_path):
    from lance.file import LanceFileReader

    data = pa.table({"n": range(1000)})
    with tusk.file.LanceFileWriter(str(tmp_path / "f"), data.schema) as writer:
        writer.write_batch(data)
        assert writer.add_global_buffer(b"mine") == 1
    reader = LanceFileReader(str(tmp_path / "f"))
    assert reader.read_all().to_table().equals(data)
    assert reader.read_global_buffer(1) == b"mine"
    assert reader.metadata().schema.metadata is None
