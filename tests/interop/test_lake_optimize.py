"""Files of a lake put together: pyiceberg and pylance read the same rows from fewer files."""

import datetime
import random
import sqlite3

import lance
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from iceberg_data import all_types, foreign_catalog
from test_iceberg_deletes import Deleter, files_of

import tusk

NO_TIME = datetime.timedelta(0)


@pytest.fixture
def lake(tmp_path):
    return tusk.init(tmp_path / "lake")


def rows_of(table):
    """All rows in an order of their own."""
    return sorted(map(repr, table.to_pylist()))


def by_pyiceberg(lake, name):
    return foreign_catalog(lake).load_table(name)


@pytest.mark.parametrize(
    "partition_by", [[], ["int8"], ["bucket[3](string)"], ["month(date32)", "int8"]], ids=str
)
def test_an_iceberg_table_of_all_types_keeps_its_rows(partition_by, lake):
    draw = random.Random(str(partition_by))
    parts = [all_types(draw.choice([1, 7, 40]), seed) for seed in range(12)]
    lake.create_iceberg("n.t", parts[0].schema, partition_by=partition_by)
    for part in parts:
        lake.append(iceberg={"n.t": part})
    table = lake.table("n.t")
    files, expected = len(files_of_any(table)), rows_of(table.to_table())
    report = lake.optimize(clean_up=False)
    assert [each.error for each in report.tables] == [None]
    table, other = lake.table("n.t"), by_pyiceberg(lake, "n.t")
    assert rows_of(table.to_table()) == expected
    assert other.scan().count() == len(expected)
    assert sorted(other.scan().to_arrow()["int64"].to_pylist(), key=repr) == sorted(
        table.to_table()["int64"].to_pylist(), key=repr
    )
    assert report.tables[0].files_removed > report.tables[0].files_added
    assert len(files_of_any(table)) == files - (
        report.tables[0].files_removed - report.tables[0].files_added
    )
    summary = other.current_snapshot().summary
    assert summary.operation.value == "replace"
    assert summary["added-records"] == summary["deleted-records"]
    assert int(summary["total-data-files"]) == len(files_of_any(table))
    assert lake.optimize(clean_up=False).tables[0].version is None


def files_of_any(table):
    return table.plan_files().read_all()["file_path"].to_pylist()


@pytest.mark.parametrize("partition_by", [[], ["p"]])
def test_deleted_rows_go_with_the_files_that_name_them(partition_by, lake):
    draw = random.Random(7)
    rows = pa.table({"id": pa.array(range(400), pa.int64()), "p": [i % 2 for i in range(400)]})
    lake.create_iceberg("n.t", rows.schema, partition_by=partition_by)
    for begin in range(0, 400, 100):
        lake.append(iceberg={"n.t": rows.slice(begin, 100)})
    table = lake.table("n.t")
    gone = {path: draw.sample(range(len(held)), 5) for path, held in files_of(table).items()}
    held = files_of(table)
    expected = sorted(id for path in held for n, id in enumerate(held[path]) if n not in gone[path])
    location = Deleter(table).delete([[item] for item in gone.items()])
    commit_as_another(lake, table.metadata_location, location)
    assert sorted(lake.table("n.t").to_table()["id"].to_pylist()) == expected
    report = lake.optimize(clean_up=False)
    assert report.tables[0].error is None
    assert report.tables[0].files_removed == 2 * len(gone)
    assert sorted(lake.table("n.t").to_table()["id"].to_pylist()) == expected
    other = by_pyiceberg(lake, "n.t")
    assert sorted(other.scan().to_arrow()["id"].to_pylist()) == expected
    assert len(other.inspect.delete_files()) == 0
    assert other.current_snapshot().summary["removed-position-deletes"] == str(5 * len(gone))
    assert lake.drift() == []
    lake.cleanup(older_than=NO_TIME, min_age=NO_TIME)
    assert not lake.examine().findings
    assert sorted(lake.table("n.t").to_table()["id"].to_pylist()) == expected


def test_a_file_with_many_deletes_is_rewritten_and_others_keep_theirs(lake):
    rows = pa.table({"id": pa.array(range(200_000), pa.int64())})
    lake.append(iceberg={"n.t": rows})
    lake.append(iceberg={"n.t": pa.table({"id": pa.array([200_000], pa.int64())})})
    table = lake.table("n.t")
    large = max(files_of(table).items(), key=lambda item: len(item[1]))[0]
    location = Deleter(table).delete([[(large, range(100))]])
    commit_as_another(lake, table.metadata_location, location)
    assert lake.optimize(clean_up=False).tables[0].version is None
    table = lake.table("n.t")
    deleter = Deleter(table)
    deleter.number = 1  # the first delete file keeps its name
    location = deleter.delete([[(large, range(100, 30_000))]])
    commit_as_another(lake, table.metadata_location, location)
    report = lake.optimize(clean_up=False)
    assert (report.tables[0].files_removed, report.tables[0].files_added) == (3, 1)
    values = lake.table("n.t").to_table()["id"]
    assert (len(values), pc.min(values).as_py()) == (170_001, 30_000)
    assert by_pyiceberg(lake, "n.t").scan().count() == 170_001


def commit_as_another(lake, before, after):
    """Moves the table's pointer as pyiceberg's catalog does, past the lake's history."""
    with sqlite3.connect(f"{lake.uri}/catalog.db") as catalog:
        moved = catalog.execute(
            "UPDATE iceberg_tables SET metadata_location = ?, previous_metadata_location = ?"
            " WHERE metadata_location = ?",
            (f"file://{after}", before, before),
        )
        assert moved.rowcount == 1
    catalog.close()


def test_columns_and_partitions_that_changed_meanwhile(lake):
    lake.create_iceberg("n.t", pa.schema([("id", pa.int64()), ("s", pa.string())]))
    table = by_pyiceberg(lake, "n.t")
    for number in range(3):
        lake.append(iceberg={"n.t": pa.table({"id": [number], "s": [str(number)]})})
    table = by_pyiceberg(lake, "n.t")
    with table.update_schema() as update:
        from pyiceberg.types import LongType

        update.rename_column("s", "text")
        update.add_column("more", LongType())
    with by_pyiceberg(lake, "n.t").update_spec() as update:
        update.add_identity("text")
    for number in range(3, 6):
        lake.append(iceberg={"n.t": pa.table({"id": [number], "text": ["a"], "more": [number]})})
    expected = rows_of(lake.table("n.t").to_table())
    assert lake.optimize(clean_up=False).tables[0].error is None
    assert rows_of(lake.table("n.t").to_table()) == expected
    other = by_pyiceberg(lake, "n.t")
    assert rows_of(other.scan().to_arrow()) == expected
    assert len(other.scan(row_filter="text = 'a'").to_arrow()) == 3
    assert len(other.inspect.files()) == 4


def test_pylance_reads_the_fragments(lake):
    for number in range(5):
        rows = pa.table({"id": [number, number + 100], "v": ["x", None]})
        lake.append(lance={"n.l": rows}, iceberg={"n.i": rows})
    dataset = lance.dataset(f"{lake.uri}/tables/n/l.lance")
    dataset.delete("id = 3")
    report = lake.optimize(older_than=NO_TIME, min_age=NO_TIME, author="me")
    assert [(t.name, t.kind, t.files_added, t.error) for t in report.tables] == [
        ("n.i", "iceberg", 1, None),
        ("n.l", "lance", 1, None),
    ]
    assert report.cleanup.removed_files > 10
    dataset = lance.dataset(f"{lake.uri}/tables/n/l.lance")
    assert len(dataset.get_fragments()) == 1
    assert dataset.to_table()["id"].to_pylist() == [0, 100, 1, 101, 2, 102, 103, 4, 104]
    assert lake.drift() == []
    assert not lake.examine().findings


def test_the_config_of_a_table_is_minded(lake):
    for begin in range(0, 40, 10):
        rows = pa.table({"id": pa.array(range(begin, begin + 10), pa.int64())})
        lake.append(lance={"n.one": rows, "n.two": rows, "n.none": rows})
    for name, key, text in [
        ("one", "target_rows_per_fragment", "20"),
        ("two", "max_source_fragments", "1"),
        ("none", "target_rows_per_fragment", "many"),
    ]:
        table = lance.dataset(f"{lake.uri}/tables/n/{name}.lance")
        table.update_config({f"lance.compaction.{key}": text})
    count = lambda name: len(lake.table(name).get_fragments())  # noqa: E731
    none, one, two = lake.optimize(clean_up=False).tables
    assert (one.error, two.error) == (None, None)
    assert "lance.compaction.target_rows_per_fragment" in none.error
    assert (count("n.none"), count("n.one"), count("n.two")) == (4, 2, 4)
    # What the call says goes before it.
    lake.optimize(["n.one"], target_rows_per_fragment=40, clean_up=False)
    assert count("n.one") == 1


def test_the_history_is_read_by_sql(lake):
    rows = pa.table({"id": [1, 2]})
    lake.append(lance={"n.l": rows}, message="first rows", author="ann", properties={"run": "7"})
    lake.append(lance={"n.l": rows}, iceberg={"n.i": rows}, message="more", author="bob")
    lake.tag("good", 1, message="checked")
    one = lake.sql(
        "select version, properties['run'], tags, time <= now() from tusk_log"
        " where message like '%first%' and author = 'ann'"
    )
    assert one.fetchall() == [(1, "7", ["good"], True)]
    assert lake.sql(
        "select table_name, sum(added_rows) from tusk_changes group by all order by all"
    ).fetchall() == [("n.i", 2), ("n.l", 4)]
    assert lake.sql("select name, version, message from tusk_tags").fetchall() == [
        ("good", 1, "checked")
    ]
    assert lake.sql(
        "select table_name, kind, table_version from tusk_tables where kind = 'lance'"
    ).fetchall() == [("n.l", "lance", 2)]
    assert lake.at(1).sql("select count(*) from TUSK_LOG").fetchall() == [(1,)]


def test_sql_of_an_empty_lake(lake):
    for name in ("tusk_log", "tusk_changes", "tusk_tags", "tusk_tables"):
        assert lake.sql(f"from {name}").fetchall() == []
