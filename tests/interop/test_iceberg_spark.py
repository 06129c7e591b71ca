"""Tables that Spark wrote with Iceberg; tests/corpus/iceberg/spark says how they were made."""

import datetime
import decimal
import fcntl
import hashlib
import json
import math
import pathlib
import tarfile

import pyarrow as pa
import pyarrow.compute as pc
import pytest

import tusk

CORPUS = pathlib.Path(__file__).parent.parent / "corpus/iceberg/spark"
# Iceberg tables keep absolute paths: they must lie where Spark made them.
WAREHOUSE = pathlib.Path("/tmp/tusk-tables-of-spark")
EXPECTED = json.loads((CORPUS / "expected.json").read_text())


@pytest.fixture(scope="module", autouse=True)
def warehouse():
    WAREHOUSE.mkdir(exist_ok=True)
    digest = hashlib.sha256((CORPUS / "tables.tar.gz").read_bytes()).hexdigest()
    unpacked = WAREHOUSE / "unpacked"
    with open(WAREHOUSE / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # Another run may be reading them.
        if not unpacked.exists() or unpacked.read_text() != digest:
            with tarfile.open(CORPUS / "tables.tar.gz") as tar:
                tar.extractall(WAREHOUSE, filter="data")
            unpacked.write_text(digest)


def table(name):
    folder = WAREHOUSE / "n" / name / "metadata"
    hint = (folder / "version-hint.text").read_text().strip()
    return tusk.iceberg.open_table(folder / f"v{hint}.metadata.json")


def plain(value):
    """A value as make_spark_tables.py writes it."""
    if isinstance(value, float) and math.isnan(value):
        return "NaN"
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list) and value and isinstance(value[0], tuple):
        return [[plain(key), plain(item)] for key, item in sorted(value)]
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, datetime.datetime):
        return str(value.replace(tzinfo=None))
    if isinstance(value, datetime.date | decimal.Decimal):
        return str(value)
    return value


def rows_of(rows, *keys):
    rows = [plain(row) for row in rows.to_pylist()]
    return sorted(rows, key=lambda row: [str(row[key]).zfill(30) for key in keys])


def expected_rows(rows, *keys):
    def mend(value):
        return "NaN" if isinstance(value, float) and math.isnan(value) else value

    rows = [{key: mend(value) for key, value in row.items()} for row in rows]
    return sorted(rows, key=lambda row: [str(row[key]).zfill(30) for key in keys])


PARTITIONED = sorted(name for name, kept in EXPECTED.items() if "partitions" in kept)


@pytest.mark.parametrize("name", PARTITIONED)
def test_rows_and_partitions_of_every_transform(name, tmp_path):
    theirs = table(name)
    rows = theirs.to_table()
    expected = EXPECTED[name]
    assert rows_of(rows, "id") == expected_rows(expected["rows"], "id")
    # Files found by the value of each row.
    (partition,) = theirs.partitioning
    source = next(
        field.name
        for field in theirs.schema
        if field.metadata[b"PARQUET:field_id"] == str(partition.source_id).encode()
    )
    for value in rows[source].unique():
        is_it = pc.field(source).is_null() if not value.is_valid else pc.field(source) == value
        kept = rows.filter(is_it)
        assert theirs.count_rows(is_it) == kept.num_rows > 0
    # And we put the same rows into the same partitions.
    lake = tusk.init(tmp_path / "lake")
    lake.create_iceberg(
        "n.t", rows.schema, partition_by=[f"{partition.transform}({source}) as {partition.name}"]
    )
    lake.append(iceberg={"n.t": rows})

    def partitions(of):
        files = of.metadata_table("files").to_pylist()
        return {str(plain(file["partition"])): file["record_count"] for file in files}

    assert partitions(lake.table("n.t")) == partitions(theirs)
    by_id = {row["id"]: row["_partition"] for row in expected["partitions"]}
    assert len({str(value) for value in by_id.values()}) == len(partitions(theirs))


def test_types():
    rows = table("types").to_table()
    assert rows_of(rows, "id") == expected_rows(EXPECTED["types"]["rows"], "id")


def test_position_deletes_in_every_snapshot():
    theirs = table("deletes")
    expected = EXPECTED["deletes"]
    assert rows_of(theirs.to_table(), "id", "p") == expected_rows(expected["rows"], "id", "p")
    assert theirs.count_rows() == len(expected["rows"])
    assert len(theirs.snapshots()) == len(expected["history"])
    for snapshot, rows in zip(theirs.snapshots(), expected["history"], strict=True):
        read = theirs.to_table(snapshot_id=snapshot.snapshot_id)
        assert rows_of(read, "id", "p") == expected_rows(rows, "id", "p")
    assert any(file["content"] == 1 for file in theirs.metadata_table("files").to_pylist())


def test_schema_and_spec_evolution():
    theirs = table("evolution")
    rows = theirs.to_table()
    assert rows.column_names == EXPECTED["evolution"]["columns"]
    assert rows_of(rows, "label") == expected_rows(EXPECTED["evolution"]["rows"], "label")
    assert theirs.count_rows(pc.field("id") == pa.scalar(10000000000)) == 1
    assert theirs.count_rows(pc.field("label") == "a") == 1
    assert len(theirs.partition_specs) == 3


def test_refs_and_history():
    theirs = table("refs")
    expected = EXPECTED["refs"]
    assert rows_of(theirs.to_table(), "id") == expected["rows"]
    for ref, rows in expected["refs"].items():
        assert rows_of(theirs.to_table(ref=ref), "id") == rows
    history = theirs.metadata_table("history").drop_columns(["made_current_at"])
    assert history.to_pylist() == expected["history"]
