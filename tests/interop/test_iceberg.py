"""Iceberg tables that tusk writes and pyiceberg reads, and the other way round."""

import decimal

import fastavro
import pyarrow as pa
import pyarrow.compute as pc
import pyiceberg.expressions as ice
import pytest
from iceberg_data import all_types, foreign_catalog, rows_of
from pyiceberg.table import StaticTable
from pyiceberg.types import DoubleType, LongType, StringType

import tusk

SIZES = (0, 1, 2, 100, 1025)


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
    if rows > 0:  # pyarrow makes no empty array of lists of uuids
        assert rows_of(theirs.scan().to_arrow()) == rows_of(table)
    assert ours.count_rows() == theirs.scan().count() == rows
    assert theirs.properties["tusk.timezone.24"] == "Europe/Berlin"
    assert theirs.properties["tusk.fixed-size-list.37"] == "4"


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
    names = [*narrow, "moment_us", "utc", "string", "binary", "fixed", "uuid", "uuids", "map"]
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
