"""Joint versions through the Python API and the command line: tags, differences, restores, cleanup."""

import datetime
import getpass
import pathlib

import lance
import pyarrow as pa
import pytest
from conftest import write_pictures
from pyiceberg.catalog.sql import SqlCatalog
from test_cli import rows, tusk as program

import tusk

NO_TIME = datetime.timedelta(0)


@pytest.fixture
def history(lake, tmp_path):
    """Three joint versions: 30, 35 and 37 pictures, the last two labelled "new"."""
    write_pictures(tmp_path / "second", 5, seed=1, label=lambda number: "0")
    lake.ingest(tmp_path / "second", "media.pictures", label_from="folder", message="second")
    write_pictures(tmp_path / "third", 2, seed=2, label=lambda number: "new")
    lake.ingest(
        tmp_path / "third", "media.pictures", label_from="folder", properties={"run": "7"}
    )
    return lake


def ids(table):
    return sorted(table.to_table(["content_id"])["content_id"].to_pylist())


def by_path(lake):
    """pylance's view of the Lance table."""
    return lance.dataset(f"{lake.uri}/tables/media/pictures.lance")


def by_pyiceberg(lake):
    catalog = SqlCatalog(lake.catalog_name, uri=f"sqlite:///{lake.uri}/catalog.db")
    return catalog.load_table("media.pictures_meta")


def test_a_version_is_found_by_number_tag_and_time(history):
    assert history.tag("first", 1, message="for the paper") == 1
    assert history.tag("newest") == 3
    log = history.log()
    assert [entry.tags for entry in log] == [["newest"], [], ["first"]]
    assert log[0].properties["run"] == "7"
    for version in (1, "1", "first", log[2].time):
        assert history.at(version).table("media.pictures").count_rows() == 30
        assert tusk.connect(history.uri, at=version).fixed_at == 1
    with pytest.raises(tusk.errors.NotFoundError, match="first, newest"):
        history.at("second")
    with pytest.raises(tusk.errors.AlreadyExistsError):
        history.tag("first", 2)
    history.tag("first", 2, move=True)
    assert [(tag.name, tag.version) for tag in history.tags()] == [("first", 2), ("newest", 3)]
    history.untag("first")
    assert [tag.name for tag in history.tags()] == ["newest"]


def test_a_diff_equals_sets_of_ids(history):
    media, meta = history.diff(1, 3)
    before = set(ids(history.at(1).table("media.pictures")))
    after = set(ids(history.table("media.pictures")))
    for table in (media, meta):
        assert (table.rows_before, table.rows_after) == (30, 37)
        assert set(table.added_ids) == after - before and table.added == 7
        assert (table.removed, table.changed, table.schema_changed) == (0, 0, False)
    counts = {count.label: (count.before, count.after) for count in meta.labels}
    assert counts == {"0": (10, 15), "1": (10, 10), "2": (10, 10), "new": (0, 2)}
    back = history.diff(3, 1, tables=["media.pictures"])
    assert [set(table.removed_ids) for table in back] == [after - before]


def test_a_restored_lake_is_what_the_peers_read(history):
    assert history.restore(1, message="undo") == 4
    first = ids(history.at(1).table("media.pictures"))
    assert ids(history.table("media.pictures")) == first
    assert ids(history.table("media.pictures_meta")) == first
    assert sorted(by_path(history).to_table(["content_id"])["content_id"].to_pylist()) == first
    scanned = by_pyiceberg(history).scan(selected_fields=("content_id",)).to_arrow()
    assert sorted(scanned["content_id"].to_pylist()) == first
    # What the peers write afterwards, tusk reads.
    lance.write_dataset(by_path(history).to_table(limit=2), by_path(history).uri, mode="append")
    by_pyiceberg(history).append(by_pyiceberg(history).scan(limit=3).to_arrow())
    drift = {entry.name: entry.foreign_rows - entry.known_rows for entry in history.drift()}
    assert drift == {"media.pictures": 2, "media.pictures_meta": 3}
    assert history.adopt() == 5 and history.drift() == []
    assert history.table("media.pictures").count_rows() == 32
    assert history.table("media.pictures_meta").count_rows() == 33
    assert history.at(4).table("media.pictures_meta").count_rows() == 30


def test_pylance_knows_what_a_restore_was(history):
    history.restore(2)
    table = by_path(history)
    made = table.read_transaction(table.version)
    assert isinstance(made.operation, lance.LanceOperation.Restore)
    assert made.operation.version == history.at(2)._lake.tables()[0].pointer.version
    assert table.validate() is None


def test_a_tagged_set_is_the_same_after_a_hundred_commits_compactions_and_cleanups(history):
    def everything(lake):
        columns = ["content_id", "image", "embedding"]
        meta = lake.table("media.pictures_meta").to_table()
        return lake.table("media.pictures").to_table(columns), meta

    history.tag("paper", 2)
    before = everything(history.at("paper"))
    row = history.table("media.pictures").to_table(limit=1)
    meta = history.table("media.pictures_meta").to_table(limit=1)
    for number in range(100):
        content_id = pa.array([f"{number:064x}"])
        history.append(
            {"media.pictures": row.set_column(0, row.schema.field(0), content_id)},
            {"media.pictures_meta": meta.set_column(0, meta.schema.field(0), content_id)},
        )
        if number % 33 == 32:
            by_path(history).optimize.compact_files()
            history.adopt()
            history.cleanup(older_than=NO_TIME, min_age=NO_TIME)
    assert by_path(history).count_rows() == 137
    after = everything(history.at("paper"))
    # The same rows in the same order with the same bytes.
    assert after[0].equals(before[0]) and after[1].equals(before[1])
    assert len([entry for entry in history.log() if not entry.given_up]) < 40


def test_cleanup_leaves_tables_that_the_peers_read(history):
    history.tag("kept", 1)
    by_path(history).tags.create("lance-tag", 2)
    report = history.cleanup(older_than=NO_TIME, min_age=NO_TIME)
    assert report.given_up == [2] and report.skipped == []
    assert history.at("kept").table("media.pictures_meta").count_rows() == 30
    with pytest.raises(tusk.errors.NotFoundError, match="given up"):
        history.at(2)
    assert [entry.given_up for entry in history.log()][-2:] == [True, False]
    opened = by_path(history)
    assert opened.count_rows() == 37 and len(opened.validate() or []) == 0
    assert lance.dataset(opened.uri, version="lance-tag").count_rows() == 35
    table = by_pyiceberg(history)
    assert table.scan().to_arrow().num_rows == 37
    # The snapshot of version 2 is gone, those of 1 and 3 are there and whole.
    assert len(table.metadata.snapshots) == 2
    for snapshot in table.metadata.snapshots:
        assert table.scan(snapshot_id=snapshot.snapshot_id).to_arrow().num_rows in (30, 37)
    found = history.examine(min_age=NO_TIME)
    assert [(f.kind, f.path) for f in found.findings] == []


def test_what_pylance_leaves_is_not_needed_after_its_cleanup(history):
    """pylance and the doctor agree about which files a table needs."""
    table = by_path(history)
    table.delete("content_id < '8'")
    table.create_scalar_index("content_id", "BTREE")
    table.optimize.compact_files()
    history.adopt()
    assert history.examine(min_age=NO_TIME).findings == []
    for number in (1, 2, 3):
        assert history.at(number).table("media.pictures").count_rows() == (30, 35, 37)[number - 1]
    history.cleanup(older_than=NO_TIME, min_age=NO_TIME)
    table = by_path(history)
    kept = table.count_rows()
    assert kept == table.to_table().num_rows == history.table("media.pictures").count_rows()
    one = table.to_table(limit=1)["content_id"][0].as_py()
    assert table.to_table(filter=f"content_id = '{one}'").num_rows == 1  # by the index
    removed = table.cleanup_old_versions(NO_TIME, delete_unverified=True)
    assert (removed.old_versions, removed.bytes_removed) == (0, 0)


def test_the_commands_tell_the_same(history, tmp_path):
    home = tmp_path
    lake = history.uri
    assert "Joint version 1 is v1" in program("tag", lake, "v1", "1", cwd=home)[0]
    assert rows("tags", lake, cwd=home)[0]["joint version"] == 1
    out, _ = program("diff", lake, "v1", "3", "--ids", "1", cwd=home)
    assert "30 -> 37 rows" in out and "7 added, 0 removed, 0 changed" in out
    assert "new  0 -> 2  (+2)" in out and out.count("\n    + ") == 2
    assert rows("diff", lake, "v1", cwd=home)[0]["added"] == 7
    assert "Joint version 4" in program("restore", lake, "v1", "-m", "back", cwd=home)[0]
    assert "Nothing to do" in program("restore", lake, "4", cwd=home)[0]
    assert rows("sql", lake, "--at", "v1", "select count(*) n from media.pictures", cwd=home) == [
        {"n": 30}
    ]
    log = program("log", lake, cwd=home)[0]
    assert "[v1]" in log and "run=7" in log and "-7 rows" in log
    assert "All is well" in program("doctor", lake, "--older-than", "0s", cwd=home)[0]
    assert "No table has drifted" in program("adopt", lake, cwd=home)[0]
    dry = program("cleanup", lake, "--older-than", "0s", "--dry-run", cwd=home)[0]
    assert "would go: 2, 3" in dry
    assert "given up: 2, 3" in program("cleanup", lake, "--older-than", "0s", cwd=home)[0]
    assert "not set: 14 days" in program("retention", lake, cwd=home)[0]
    assert "1 day" in program("retention", lake, "--older-than", "1d", cwd=home)[0]
    shown = program("retention", lake, "--keep-last", "2", cwd=home)[0]
    assert "1 day" in shown and "keep last:  2" in shown
    program("retention", lake, "--keep-last", "2", "--clear", cwd=home, code=2)
    program("tag", lake, "v1", "--delete", cwd=home)
    assert "no joint version or tag" in program("diff", lake, "v1", cwd=home, code=1)[1]
    program("cleanup", lake, "--older-than", "soon", cwd=home, code=2)


def test_cleanup_goes_by_the_rules_of_the_lake(history):
    assert history.retention() == tusk.lake.Retention(None, None)
    assert history.cleanup(dry_run=True).given_up == []
    history.set_retention(older_than=NO_TIME, keep_last=2)
    assert history.retention() == tusk.lake.Retention(NO_TIME, 2)
    newest = history.log(1)[0].number
    again = tusk.connect(history.uri)
    assert max(again.cleanup(dry_run=True).given_up) == newest - 2
    assert again.cleanup(older_than=datetime.timedelta(days=1), dry_run=True).given_up == []
    with pytest.raises(ValueError, match="at least"):
        history.set_retention(keep_last=0)
    history.set_retention()
    assert again.retention() == tusk.lake.Retention(None, None)


def test_the_doctor_names_damage_and_exits_with_one(history, tmp_path):
    data = tmp_path / "lake/tables/media/pictures.lance/data"
    (data / "left.lance").write_bytes(b"left by a crash")
    out, _ = program("doctor", history.uri, "--clean", "--older-than", "0s", cwd=tmp_path)
    assert "leftover (removed)" in out and "1 removed (15 bytes)" in out
    next(data.glob("*.lance")).unlink()
    out, _ = program("doctor", history.uri, cwd=tmp_path, code=1)
    assert "missing" in out and "rows are lost" in out


def test_a_table_of_another_client_is_adopted(lake):
    catalog = SqlCatalog(lake.catalog_name, uri=f"sqlite:///{lake.uri}/catalog.db")
    table = catalog.create_table(
        "media.foreign",
        pa.schema([("x", pa.int64())]),
        location=f"{lake.uri}/tables/media/foreign",
    )
    table.append(pa.table({"x": [1, 2]}))
    assert [(entry.name, entry.foreign_rows) for entry in lake.drift()] == [("media.foreign", 2)]
    assert lake.adopt() == 2
    assert lake.at(2).table("media.foreign").count_rows() == 2
    assert lake.examine(min_age=NO_TIME).findings == []


def test_one_command_optimizes_both_kinds_and_one_that_fails_holds_up_nothing(lake):
    rows = pa.table({"id": [1, 2, 3]})
    for _ in range(3):
        lake.append(lance={"n.l": rows}, iceberg={"n.i": rows})
    out, _ = program("optimize", lake.uri, "--no-cleanup", "--author", "me", "--table", "n.i")
    assert out == "n.i: 3 files became 1 (joint version 5).\n"
    broken = next(pathlib.Path(lake.uri, "tables/n/l.lance/data").iterdir())
    content = broken.read_bytes()
    broken.write_bytes(content[:10])
    out, err = program("optimize", lake.uri, code=1)
    assert "n.i: nothing to do." in out and "Joint versions given up: none." in out
    assert err.startswith("failed: optimizing table 'n.l': ") and broken.name in err
    broken.write_bytes(content)
    out, _ = program("optimize", lake.uri)
    assert "n.l: 3 files became 1 (joint version 6)." in out
    assert [entry.author for entry in lake.log()[:2]] == [getpass.getuser(), "me"]
    _, err = program("optimize", lake.uri, "--table", "n.none", code=1)
    assert "n.none" in err
