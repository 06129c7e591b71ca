"""Iceberg tables that tusk writes and pyiceberg reads, and the other way round."""

import datetime
import decimal
import math
import random

import fastavro
import pyarrow as pa
import pyarrow.compute as pc
import pyiceberg.expressions as ice
import pytest
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.table import StaticTable
from pyiceberg.transforms import IdentityTransform
from pyiceberg.types import DoubleType, LongType, NestedField, StringType, UUIDType

import tusk

SIZES = (0, 1, 2, 100, 1025)


def all_types(rows, seed=0):
    """A table with a column of every type in docs/decisions/003-types.md, a fifth of it null."""
    draw = random.Random(seed)

    def column(type, make):
        return pa.array([None if draw.random() < 0.2 else make() for _ in range(rows)], type)

    def integer(bits, signed=True):
        low = -(2 ** (bits - 1)) if signed else 0
        return lambda: draw.choice([low, low + 2**bits - 1, low + draw.randrange(2**bits)])

    def text():
        return "".join(draw.choices("aß€😀\U0010ffff", k=draw.randrange(30)))

    def number(digits, scale):
        largest = 10**digits - 1
        return lambda: decimal.Decimal(draw.randint(-largest, largest)).scaleb(
            -scale, decimal.Context(prec=40)
        )

    def double():
        return draw.choice([0.0, -0.0, math.inf, math.nan, draw.uniform(-1e9, 1e9)])

    def items(make, most=4):
        return lambda: [make() for _ in range(draw.randrange(most))]

    def blob():
        return draw.randbytes(draw.randrange(40))

    def time_of_day(units):
        return lambda: draw.randrange(86400 * units)

    seconds, small = integer(32), integer(8)
    point = pa.struct([("x", pa.uint16()), ("inner", pa.struct([("s", pa.string())]))])
    columns = {
        "bool": column(pa.bool_(), lambda: draw.random() < 0.5),
        "int8": column(pa.int8(), small),
        "int16": column(pa.int16(), integer(16)),
        "int32": column(pa.int32(), integer(32)),
        "int64": column(pa.int64(), integer(64)),
        "uint8": column(pa.uint8(), integer(8, False)),
        "uint16": column(pa.uint16(), integer(16, False)),
        "uint32": column(pa.uint32(), integer(32, False)),
        "uint64": column(pa.uint64(), integer(64, False)),
        "half": column(pa.float16(), lambda: draw.choice([0.0, -2.5, math.nan])),
        "float": column(pa.float32(), lambda: draw.choice([0.0, -0.0, math.nan, 1.5])),
        "double": column(pa.float64(), double),
        "decimal5": column(pa.decimal128(5, 2), number(5, 2)),
        "decimal12": column(pa.decimal128(12, 3), number(12, 3)),
        "decimal38": column(pa.decimal128(38, 0), number(38, 0)),
        "date32": column(pa.date32(), lambda: draw.randrange(-30000, 30000)),
        "date64": column(pa.date64(), lambda: draw.randrange(-30000, 30000) * 86_400_000),
        "time_s": column(pa.time32("s"), time_of_day(1)),
        "time_ms": column(pa.time32("ms"), time_of_day(1000)),
        "time_us": column(pa.time64("us"), time_of_day(1_000_000)),
        "moment_s": column(pa.timestamp("s"), seconds),
        "moment_ms": column(pa.timestamp("ms"), lambda: seconds() * 1000 + 1),
        "moment_us": column(pa.timestamp("us"), lambda: seconds() * 1_000_000 + 1),
        "berlin": column(pa.timestamp("ms", "Europe/Berlin"), lambda: seconds() * 1000 + 1),
        "utc": column(pa.timestamp("us", "UTC"), lambda: seconds() * 1_000_000 + 1),
        "string": column(pa.string(), text),
        "large_string": column(pa.large_string(), text),
        "string_view": column(pa.string_view(), text),
        "binary": column(pa.binary(), blob),
        "large_binary": column(pa.large_binary(), lambda: b"\xff" * draw.randrange(30)),
        "binary_view": column(pa.binary_view(), blob),
        "fixed": column(pa.binary(7), lambda: draw.randbytes(7)),
        "dictionary": column(pa.string(), lambda: draw.choice("rgb")).dictionary_encode(),
        "vector": column(pa.list_(pa.float32(), 4), lambda: [draw.random()] * 4),
        "list": column(pa.list_(pa.uint8()), items(lambda: draw.choice([None, 7]))),
        "large_list": column(pa.large_list(pa.large_string()), items(text)),
        "struct": column(point, lambda: {"x": draw.choice([None, 9]), "inner": {"s": text()}}),
        "map": column(pa.map_(pa.string(), pa.int32()), items(lambda: (text(), None))),
    }
    return pa.table(columns)


def plain(value):
    """A value without what the type table changes: widths, decimals of whole numbers, zones."""
    if isinstance(value, float) and math.isnan(value):
        return "NaN"
    if isinstance(value, int) and not isinstance(value, bool):
        return decimal.Decimal(value)
    if isinstance(value, datetime.datetime) and value.tzinfo is not None:
        return value.astimezone(datetime.timezone.utc)
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value


def rows_of(table):
    return [plain(row) for row in table.to_pylist()]


def foreign_catalog(lake):
    return SqlCatalog(
        lake.catalog_name, uri=f"sqlite:///{lake.uri}/catalog.db", warehouse=f"file://{lake.uri}"
    )


@pytest.fixture
def lake(tmp_path):
    return tusk.init(tmp_path / "lake")


@pytest.mark.parametrize("rows", SIZES)
def test_pyiceberg_reads_every_type_that_tusk_writes(rows, lake):
    table = all_types(rows, seed=rows)
    lake.append(iceberg={"media.t": table})
    ours = lake.table("media.t")
    theirs = StaticTable.from_metadata(ours.metadata_location)
    assert rows_of(ours.to_table()) == rows_of(table)
    assert rows_of(theirs.scan().to_arrow()) == rows_of(table)
    assert ours.count_rows() == theirs.scan().count() == rows
    assert theirs.properties["tusk.timezone.24"] == "Europe/Berlin"
    assert theirs.properties["tusk.fixed-size-list.34"] == "4"


def test_slices_are_written_as_what_they_show(lake):
    table = all_types(300, seed=1).slice(57, 101)
    lake.append(iceberg={"media.t": table})
    assert rows_of(lake.table("media.t").to_table()) == rows_of(table)
    theirs = foreign_catalog(lake).load_table("media.t")
    assert rows_of(theirs.scan().to_arrow()) == rows_of(table)


def test_every_snapshot_stays_readable(lake):
    parts = [all_types(rows, seed=rows) for rows in (10, 0, 1, 70)]
    for part in parts:
        lake.append(iceberg={"media.t": part})
    ours = lake.table("media.t")
    theirs = StaticTable.from_metadata(ours.metadata_location)
    # A new table with rows has a snapshot from the start, and an append of none has one too.
    assert [s.sequence_number for s in ours.snapshots()] == [1, 2, 3, 4]
    assert [s.summary["total-records"] for s in ours.snapshots()] == ["10", "10", "11", "81"]
    for count, snapshot in enumerate(ours.snapshots(), start=1):
        # Newer manifests come first.
        expected = rows_of(pa.concat_tables(reversed(parts[:count])))
        assert rows_of(ours.scanner(snapshot_id=snapshot.snapshot_id).to_table()) == expected
        read = theirs.scan(snapshot_id=snapshot.snapshot_id).to_arrow()
        assert rows_of(read) == expected


def test_pyiceberg_filters_by_our_bounds(lake):
    parts = [all_types(40, seed=seed) for seed in range(5)]
    for part in parts:
        lake.append(iceberg={"media.t": part})
    theirs = foreign_catalog(lake).load_table("media.t")
    everything = pa.concat_tables(parts)
    values = {
        "int8": 100,
        "int64": 2**62,
        "double": 5e8,
        "string": "😀",
        "decimal12": decimal.Decimal("900000000.000"),
    }
    for column, value in values.items():
        # pyiceberg leaves NaN out of comparisons, as Python does.
        known = [v for v in everything[column].to_pylist() if v is not None]
        assert theirs.scan(ice.GreaterThan(column, value)).count() == sum(v > value for v in known)
        assert theirs.scan(ice.LessThan(column, value)).count() == sum(v < value for v in known)


def test_our_manifests_are_plain_avro(lake):
    lake.append(iceberg={"media.t": all_types(20)})
    lake.append(iceberg={"media.t": all_types(30, seed=2)})
    table = StaticTable.from_metadata(lake.table("media.t").metadata_location)
    with open(table.current_snapshot().manifest_list, "rb") as file:
        manifests = list(fastavro.reader(file))
    assert [m["sequence_number"] for m in manifests] == [2, 1]
    assert [m["added_rows_count"] for m in manifests] == [30, 20]
    for manifest in manifests:
        with open(manifest["manifest_path"], "rb") as file:
            reader = fastavro.reader(file)
            (entry,) = reader
        assert reader.metadata["format-version"] == "2"
        assert entry["status"] == 1 and entry["sequence_number"] is None
        assert entry["data_file"]["record_count"] == manifest["added_rows_count"]


@pytest.fixture
def foreign(lake):
    """A table that pyiceberg made in the lake's catalog, with two snapshots."""
    catalog = foreign_catalog(lake)
    catalog.create_namespace("other")
    narrow = ["bool", "int32", "int64", "float", "double", "decimal12", "date32", "time_us"]
    names = [*narrow, "moment_us", "utc", "string", "binary", "fixed", "map"]
    parts = [all_types(rows, seed=rows).select(names) for rows in (200, 55)]
    table = catalog.create_table("other.t", schema=parts[0].schema)
    for part in parts:
        table.append(part)
    return table, pa.concat_tables(reversed(parts))


def test_tusk_reads_what_pyiceberg_writes(lake, foreign):
    theirs, expected = foreign
    ours = lake.table("other.t")
    assert rows_of(ours.to_table()) == rows_of(expected) == rows_of(theirs.scan().to_arrow())
    assert [s.snapshot_id for s in ours.snapshots()] == [s.snapshot_id for s in theirs.snapshots()]
    columns = ["string", "int64"]
    kept = ours.to_table(columns=columns, filter=pc.field("int32") > 0)
    assert rows_of(kept) == rows_of(expected.filter(pc.field("int32") > 0).select(columns))
    assert ours.count_rows(pc.field("string").is_null()) == expected["string"].null_count


def test_tusk_appends_to_what_pyiceberg_made(lake, foreign):
    theirs, before = foreign
    more = before.slice(3, 10)
    lake.append(iceberg={"other.t": more})
    theirs.refresh()
    expected = rows_of(pa.concat_tables([more, before]))
    assert rows_of(lake.table("other.t").to_table()) == expected
    assert rows_of(theirs.scan().to_arrow()) == expected
    theirs.append(more)
    assert lake.table("other.t").count_rows() == before.num_rows + 20


def test_schema_changes_of_pyiceberg_are_followed(lake, foreign):
    theirs, _ = foreign
    with theirs.update_schema() as update:
        update.update_column("int32", LongType())
        update.update_column("float", DoubleType())
        update.add_column("added", StringType())
        update.rename_column("string", "renamed")
        update.delete_column("bool")
    ours = lake.table("other.t").to_table()
    assert rows_of(ours) == rows_of(theirs.scan().to_arrow())
    assert ours.schema.field("int32").type == pa.int64()
    assert ours["added"].null_count == ours.num_rows


def test_partitioned_tables_are_read_and_not_written(lake):
    catalog = foreign_catalog(lake)
    catalog.create_namespace("other")
    schema = Schema(
        NestedField(1, "a", LongType()),
        NestedField(2, "p", StringType()),
        NestedField(3, "u", UUIDType()),
    )
    spec = PartitionSpec(PartitionField(2, 1000, IdentityTransform(), "p"))
    theirs = catalog.create_table("other.p", schema=schema, partition_spec=spec)
    data = pa.table({"a": [1, 2, 3], "p": ["x", "y", None], "u": pa.array([None, b"u" * 16, None])})
    theirs.append(data.cast(theirs.schema().as_arrow()))
    ours = lake.table("other.p").to_table().sort_by("a")
    assert ours.to_pydict() == data.to_pydict()
    with pytest.raises(NotImplementedError, match="partitioned"):
        lake.append(iceberg={"other.p": data})


@pytest.mark.parametrize("version", ["1", "2"])
def test_rows_that_pyiceberg_deleted_are_gone(version, lake):
    catalog = foreign_catalog(lake)
    catalog.create_namespace("other")
    data = pa.table({"a": [1, 2, 3]})
    theirs = catalog.create_table(
        "other.d", schema=data.schema, properties={"format-version": version}
    )
    theirs.append(data)
    theirs.append(data)
    theirs.delete("a = 2")  # rewrites the files
    assert sorted(lake.table("other.d").to_table()["a"].to_pylist()) == [1, 1, 3, 3]


def test_what_cannot_be_kept_is_refused_by_name(lake):
    for type in (pa.timestamp("ns"), pa.null(), pa.duration("s"), pa.decimal256(50, 2)):
        with pytest.raises(NotImplementedError, match="'bad'"):
            lake.append(iceberg={"media.t": pa.table({"bad": pa.nulls(1, type)})})
    assert lake.tables() == []
