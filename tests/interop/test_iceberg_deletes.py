"""Position deletes that others wrote, made by hand here: no Python library writes them."""

import json
import pathlib
import random

import fastavro
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from iceberg_data import foreign_catalog
from pyiceberg.table import StaticTable

import tusk

PATH_ID, POS_ID = 2147483546, 2147483545


def field(name, type, id):
    return pa.field(name, type, False, metadata={"PARQUET:field_id": str(id)})


DELETE_SCHEMA = pa.schema(
    [field("file_path", pa.string(), PATH_ID), field("pos", pa.int64(), POS_ID)]
)


class Deleter:
    """Adds a snapshot with position deletes to a table, behind its catalog's back."""

    def __init__(self, table):
        self.path = pathlib.Path(table.metadata_location.removeprefix("file://"))
        self.document = json.loads(self.path.read_text())
        self.folder = self.path.parent
        self.number = 0

    def snapshot(self):
        current = self.document["current-snapshot-id"]
        return next(s for s in self.document["snapshots"] if s["snapshot-id"] == current)

    def delete(self, files, *, bounds=True, sequence_number=None):
        """files: a list of (path, positions) for each delete file. Gives the new metadata file."""
        self.number += 1
        snapshot = dict(self.snapshot())
        id = snapshot["snapshot-id"] + 1
        sequence = self.document["last-sequence-number"] + 1
        with open(snapshot["manifest-list"].removeprefix("file://"), "rb") as file:
            reader = fastavro.reader(file)
            lists, list_schema, list_metadata = list(reader), reader.writer_schema, reader.metadata
        data_manifest = next(m for m in lists if m["content"] == 0)
        with open(data_manifest["manifest_path"].removeprefix("file://"), "rb") as file:
            reader = fastavro.reader(file)
            example, schema, metadata = next(reader), reader.writer_schema, dict(reader.metadata)
        entries = [
            self._entry(example, number, rows, id, bounds, sequence_number)
            for number, rows in enumerate(files)
        ]
        manifest = self.folder / f"deletes-{self.number}.avro"
        metadata = {k: v for k, v in metadata.items() if not k.startswith("avro.")}
        with open(manifest, "wb") as file:
            fastavro.writer(file, schema, entries, metadata={**metadata, "content": "deletes"})
        listed = {
            **data_manifest,
            "manifest_path": str(manifest),
            "manifest_length": manifest.stat().st_size,
            "content": 1,
            "sequence_number": sequence,
            "min_sequence_number": sequence if sequence_number is None else sequence_number,
            "added_snapshot_id": id,
            "added_files_count": len(entries),
            "existing_files_count": 0,
        }
        manifest_list = self.folder / f"list-{self.number}.avro"
        list_metadata = {k: v for k, v in list_metadata.items() if not k.startswith("avro.")}
        with open(manifest_list, "wb") as file:
            fastavro.writer(file, list_schema, [*lists, listed], metadata=list_metadata)
        snapshot.update(
            {
                "parent-snapshot-id": snapshot["snapshot-id"],
                "snapshot-id": id,
                "sequence-number": sequence,
                "manifest-list": str(manifest_list),
                "timestamp-ms": self.document["last-updated-ms"] + 1,
                "summary": {"operation": "delete"},
            }
        )
        self.document["snapshots"].append(snapshot)
        self.document["current-snapshot-id"] = id
        self.document["refs"]["main"]["snapshot-id"] = id
        self.document["last-sequence-number"] = sequence
        self.document["last-updated-ms"] += 1
        path = self.folder / f"9000{self.number}-d.metadata.json"
        path.write_text(json.dumps(self.document))
        return str(path)

    def _entry(self, example, number, rows, id, bounds, sequence_number):
        path = self.folder.parent / "data" / f"deletes-{self.number}-{number}.parquet"
        pairs = sorted((str(p), position) for p, positions in rows for position in positions)
        table = pa.table(
            [[p for p, _ in pairs], [position for _, position in pairs]], schema=DELETE_SCHEMA
        )
        pq.write_table(table, path)
        paths = [p.encode() for p, _ in pairs]
        bound = lambda value: [{"key": PATH_ID, "value": value}] if bounds else None  # noqa: E731
        return {
            **example,
            "status": 1,
            "snapshot_id": id,
            "sequence_number": sequence_number,
            "data_file": {
                **example["data_file"],
                "content": 1,
                "file_path": str(path),
                "record_count": len(pairs),
                "file_size_in_bytes": path.stat().st_size,
                "lower_bounds": bound(min(paths)),
                "upper_bounds": bound(max(paths)),
                "split_offsets": None,
            },
        }


@pytest.fixture
def lake(tmp_path):
    return tusk.init(tmp_path / "lake")


def ids(table, **options):
    return sorted(table.to_table(**options)["id"].to_pylist())


def files_of(table):
    """Paths of the data files, and the ids in each, by position."""
    paths = table.plan_files().read_all()["file_path"].to_pylist()
    return {p: pq.read_table(p.removeprefix("file://"))["id"].to_pylist() for p in paths}


@pytest.mark.parametrize("bounds", [True, False])
@pytest.mark.parametrize("partition_by", [[], ["p"]])
def test_deleted_rows_are_gone_and_others_are_not(bounds, partition_by, lake):
    draw = random.Random(4)
    rows = pa.table({"id": pa.array(range(500), pa.int64()), "p": [i % 2 for i in range(500)]})
    lake.create_iceberg("n.t", rows.schema, partition_by=partition_by)
    lake.append(iceberg={"n.t": rows.slice(0, 300)})
    lake.append(iceberg={"n.t": rows.slice(300)})
    files = files_of(lake.table("n.t"))
    gone = {path: draw.sample(range(len(held)), 30) for path, held in files.items()}
    one_each = [[(path, positions)] for path, positions in gone.items()]
    twice = one_each[0][0][1][:5]
    everything_else = [[*gone.items()], [(next(iter(gone)), twice)]]
    expected = sorted(
        id for path, held in files.items() for n, id in enumerate(held) if n not in gone[path]
    )
    for delete_files in (one_each, everything_else):
        location = Deleter(lake.table("n.t")).delete(delete_files, bounds=bounds)
        table = tusk.iceberg.open_table(location)
        assert ids(table) == expected
        assert table.count_rows() == len(expected)
        assert ids(table, filter=pc.field("id") < 100) == [i for i in expected if i < 100]
        assert ids(table, columns=["id"], batch_size=7) == expected
        theirs = StaticTable.from_metadata(location)
        assert sorted(theirs.scan().to_arrow()["id"].to_pylist()) == expected
        planned = table.plan_files().read_all().to_pylist()
        assert all(file["delete_files"] for file in planned)
    # The files of the snapshot before are whole.
    assert ids(lake.table("n.t")) == list(range(500))


def test_deletes_hold_for_files_that_were_there_before_them(lake):
    rows = pa.table({"id": pa.array(range(10), pa.int64())})
    lake.append(iceberg={"n.t": rows})
    (path,) = files_of(lake.table("n.t"))
    deleter = Deleter(lake.table("n.t"))
    assert ids(tusk.iceberg.open_table(deleter.delete([[(path, [3])]]))) == [
        0, 1, 2, 4, 5, 6, 7, 8, 9
    ]  # fmt: skip
    # Deletes on top of deletes.
    assert ids(tusk.iceberg.open_table(deleter.delete([[(path, [0, 3])]]))) == [
        1, 2, 4, 5, 6, 7, 8, 9
    ]  # fmt: skip
    # Of an earlier sequence number than the file.
    older = Deleter(lake.table("n.t")).delete([[(path, [3])]], sequence_number=0)
    assert ids(tusk.iceberg.open_table(older)) == list(range(10))
    assert tusk.iceberg.open_table(older).count_rows() == 10


def test_tables_with_deletes_are_appended_to_and_overwritten(lake):
    rows = pa.table({"id": pa.array(range(10), pa.int64())})
    lake.append(iceberg={"n.t": rows})
    (path,) = files_of(lake.table("n.t"))
    location = Deleter(lake.table("n.t")).delete([[(path, [3, 4])]])
    catalog = foreign_catalog(lake)
    catalog.drop_table("n.t")
    catalog.register_table("n.t", location)
    lake.append(iceberg={"n.t": pa.table({"id": [3]})})
    assert ids(lake.table("n.t")) == [0, 1, 2, 3, 5, 6, 7, 8, 9]
    lake.table("n.t").delete(pc.field("id") > 7)
    table = lake.table("n.t")
    assert ids(table) == [0, 1, 2, 3, 5, 6, 7]
    theirs = StaticTable.from_metadata(table.metadata_location)
    assert sorted(theirs.scan().to_arrow()["id"].to_pylist()) == ids(table)


def test_damaged_deletes_are_reported(lake):
    rows = pa.table({"id": pa.array(range(10), pa.int64())})
    lake.append(iceberg={"n.t": rows})
    (path,) = files_of(lake.table("n.t"))
    beyond = Deleter(lake.table("n.t")).delete([[(path, [3, 10])]])
    with pytest.raises(OSError, match="names? row 10"):
        tusk.iceberg.open_table(beyond).to_table()
    deleter = Deleter(lake.table("n.t"))
    location = deleter.delete([[(path, [3])]])
    damaged = deleter.folder.parent / "data" / "deletes-1-0.parquet"
    damaged.write_bytes(damaged.read_bytes()[:-5])
    with pytest.raises(OSError, match="deletes-1-0.parquet"):
        tusk.iceberg.open_table(location).to_table()
