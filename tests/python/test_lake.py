"""Lakes through the Python API."""

import datetime
import hashlib

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from conftest import write_pictures

import tusk


def test_ingestion_makes_a_table_of_each_kind(lake, picture_folder):
    assert [(entry.name, entry.kind) for entry in lake.tables()] == [
        ("media.pictures", "lance"),
        ("media.pictures_meta", "iceberg"),
    ]
    pictures = lake.table("media.pictures")
    meta = lake.table("media.pictures_meta")
    assert isinstance(pictures, tusk.LanceDataset) and isinstance(meta, tusk.IcebergTable)
    assert pictures.count_rows() == meta.count_rows() == 30

    files = {
        hashlib.sha256(path.read_bytes()).hexdigest(): path
        for path in picture_folder.rglob("*.png")
    }
    stored = pictures.to_table(["content_id", "image"])
    for content_id, image in zip(*stored.to_pydict().values()):
        assert files[content_id].read_bytes() == image
    labels = dict(zip(*meta.to_table(["content_id", "label"]).to_pydict().values()))
    assert labels == {content_id: path.parent.name for content_id, path in files.items()}


def test_a_second_batch_skips_duplicates_and_adds_a_joint_version(lake, picture_folder, tmp_path):
    write_pictures(tmp_path / "more", 35, label=lambda number: "x")  # the first 30 are the same
    report = lake.ingest(tmp_path / "more", "media.pictures", label_from="folder", message="more")
    assert (report.joint_version, report.files, report.added, report.duplicates) == (2, 35, 5, 30)
    assert lake.table("media.pictures").count_rows() == 35
    assert lake.table("media.pictures_meta").count_rows(pc.field("label") == "x") == 5
    assert lake.ingest(picture_folder, "media.pictures").joint_version is None

    log = lake.log()
    assert [(entry.number, entry.parent, entry.message) for entry in log][0] == (2, 1, "more")
    assert [(change.name, change.kind, change.added_rows) for change in log[0].changes] == [
        ("media.pictures", "lance", 5),
        ("media.pictures_meta", "iceberg", 5),
    ]
    assert log[0].time.tzinfo is datetime.timezone.utc
    assert [entry.number for entry in lake.log(limit=1)] == [2]


def test_a_lake_at_a_joint_version_stays_there(lake, tmp_path):
    write_pictures(tmp_path / "more", 5, seed=1)
    lake.ingest(tmp_path / "more", "media.pictures")
    for first in (lake.at(1), tusk.connect(lake.uri, at=1)):
        assert first.fixed_at == 1
        assert first.table("media.pictures").count_rows() == 30
        assert first.table("media.pictures_meta").count_rows() == 30
        with pytest.raises(tusk.errors.TuskError):
            first.append({"media.pictures": lake.table("media.pictures")})
    assert lake.table("media.pictures").count_rows() == 35


def test_unreadable_files_are_listed(lake, tmp_path):
    write_pictures(tmp_path / "more", 2, seed=1)
    (tmp_path / "more" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    report = lake.ingest(tmp_path / "more", "media.pictures")
    assert report.added == 2
    assert [entry.path.endswith("broken.png") for entry in report.skipped] == [True]
    assert report.skipped[0].reason


def test_progress_is_heard_and_its_errors_stop(lake, tmp_path):
    write_pictures(tmp_path / "more", 20, seed=1)
    heard = []
    lake.ingest(tmp_path / "more", "media.pictures", progress=lambda *report: heard.append(report))
    assert heard and all(len(report) == 3 for report in heard)

    def refuse(what, done, total):
        raise LookupError("enough")

    write_pictures(tmp_path / "third", 20, seed=2)
    with pytest.raises(LookupError, match="enough"):
        lake.ingest(tmp_path / "third", "media.pictures", progress=refuse)
    assert len(lake.log()) == 2


def test_search_by_picture_equals_search_by_its_vector(lake, picture_folder):
    picture = next(picture_folder.rglob("0004.png"))
    hits = lake.search("media.pictures", picture, k=5)
    assert hits.schema.names == ["content_id", "_distance"]
    assert hits["content_id"][0].as_py() == hashlib.sha256(picture.read_bytes()).hexdigest()
    assert hits["_distance"][0].as_py() == 0

    stored = lake.table("media.pictures").to_table(["content_id", "embedding"])
    vectors = np.array(stored["embedding"].to_pylist(), dtype=np.float32)
    own = stored["content_id"].to_pylist().index(hits["content_id"][0].as_py())
    distances = ((vectors - vectors[own]) ** 2).sum(1)
    np.testing.assert_allclose(
        hits["_distance"].to_numpy(), np.sort(distances)[:5], rtol=1e-4, atol=1e-6
    )
    assert lake.search("media.pictures", vectors[own], k=5) == hits
    assert lake.search("media.pictures", picture.read_bytes(), k=5) == hits

    others = pc.field("content_id") != hits["content_id"][0].as_py()
    filtered = lake.search("media.pictures", picture, k=4, filter=others, columns=["content_id"])
    assert filtered["content_id"] == hits["content_id"][1:]


def test_append_commits_both_kinds_or_neither(tmp_path):
    lake = tusk.init(tmp_path / "lake")
    data = pa.table({"id": [1, 2, 3], "text": ["a", None, "c"]})
    assert lake.append({"a.vectors": data}, {"a.facts": data}, message="first") == 1

    def broken():
        yield data.to_batches()[0]
        raise LookupError

    failing = pa.RecordBatchReader.from_batches(data.schema, broken())
    with pytest.raises(LookupError):
        lake.append({"a.vectors": data}, {"a.facts": failing})
    assert lake.table("a.vectors").to_table() == data
    assert lake.table("a.facts").to_table().to_pydict() == data.to_pydict()
    assert len(lake.log()) == 1


def test_iceberg_tables_filter_project_and_travel(tmp_path):
    lake = tusk.init(tmp_path / "lake")
    data = pa.table(
        {"id": list(range(100)), "text": [str(i) if i % 3 else None for i in range(100)]}
    )
    lake.append(iceberg={"a.facts": data})
    lake.append(iceberg={"a.facts": data})
    table = lake.table("a.facts")
    assert table.to_table(["text"], pc.field("id") > 97)["text"].to_pylist() == ["98", None] * 2
    assert table.count_rows(pc.field("text").is_null()) == 68
    first, second = table.snapshots()
    assert table.current_snapshot_id == second.snapshot_id
    assert table.to_table(snapshot_id=first.snapshot_id).to_pydict() == data.to_pydict()
    assert table.count_rows(snapshot_id=first.snapshot_id) == 100
    assert table.head(5, columns=["id"])["id"].to_pylist() == [0, 1, 2, 3, 4]
    assert sum(batch.num_rows for batch in table.to_batches(batch_size=30)) == 200
    with pytest.raises(NotImplementedError, match="order_by"):
        table.scanner(order_by="id")


def test_errors(lake, tmp_path):
    with pytest.raises(FileNotFoundError, match="none"):
        tusk.connect(tmp_path / "none")
    with pytest.raises(FileExistsError):
        tusk.init(lake.uri)
    with pytest.raises(tusk.errors.NotFoundError, match="media.none"):
        lake.table("media.none")
    with pytest.raises(tusk.errors.InvalidArgumentError, match="Iceberg"):
        lake.search("media.pictures_meta", [1.0])
    with pytest.raises(tusk.errors.InvalidArgumentError):
        lake.search("media.pictures", [1.0])
    for call in (tusk.connect, tusk.init, lambda path: lake.ingest(path, "media.pictures")):
        with pytest.raises(NotImplementedError, match="UTF-8"):
            call(str(tmp_path) + "/\udcff")
    with pytest.raises(tusk.errors.NotFoundError, match="no-such"):
        lake.ingest(tmp_path / "pictures", "media.pictures", encoder="no-such")
