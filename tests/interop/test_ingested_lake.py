"""What an ingestion writes, read by the reference implementations: both tables, both versions."""

import hashlib

import lance
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.table import StaticTable

from conftest import write_pictures


def by_content(table):
    return table.sort_by("content_id").to_pylist()


def test_pylance_and_pyiceberg_read_an_ingested_lake(lake, tmp_path):
    write_pictures(tmp_path / "more", 7, seed=5)
    lake.ingest(tmp_path / "more", "media.pictures", label_from="folder")
    pictures = lake.table("media.pictures")
    meta = lake.table("media.pictures_meta")

    theirs = lance.dataset(pictures.uri)
    assert theirs.version == pictures.version == 2
    rows = by_content(theirs.to_table())
    assert rows == by_content(pictures.to_table())
    for row in rows:
        assert hashlib.sha256(row["image"]).hexdigest() == row["content_id"]

    catalog = SqlCatalog(lake.catalog_name, uri=f"sqlite:///{lake.uri}/catalog.db")
    by_name = catalog.load_table("media.pictures_meta")
    by_path = StaticTable.from_metadata(meta.metadata_location)
    for table in (by_name, by_path):
        assert by_content(table.scan().to_arrow()) == by_content(meta.to_table())
    assert {row["content_id"] for row in rows} == set(meta.to_table()["content_id"].to_pylist())
    assert [s.snapshot_id for s in by_name.snapshots()] == [s.snapshot_id for s in meta.snapshots()]

    first = lake.at(1)
    assert by_content(lance.dataset(pictures.uri, version=1).to_table()) == by_content(
        first.table("media.pictures").to_table()
    )
    snapshot = first.table("media.pictures_meta").current_snapshot_id
    assert by_content(by_name.scan(snapshot_id=snapshot).to_arrow()) == by_content(
        first.table("media.pictures_meta").to_table()
    )
