"""Time travel, branches, tags, rollback and metadata tables of Iceberg tables, with pyiceberg."""

import datetime
import re
import time

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from iceberg_data import foreign_catalog
from pyiceberg.table import StaticTable

import tusk

UTC = datetime.timezone.utc


@pytest.fixture
def lake(tmp_path):
    """A lake with the table n.t, whose three snapshots add the ids 0, 1 and 2."""
    lake = tusk.init(tmp_path / "lake")
    for number in range(3):
        lake.append(iceberg={"n.t": pa.table({"id": [number]})})
        time.sleep(0.002)
    return lake


def ids(table, **choice):
    return sorted(table.to_table(**choice)["id"].to_pylist())


def foreign(table):
    return StaticTable.from_metadata(table.metadata_location)


def test_snapshots_are_read_by_id_and_by_time(lake):
    table = lake.table("n.t")
    for number, snapshot in enumerate(table.snapshots()):
        expected = list(range(number + 1))
        assert ids(table, snapshot_id=snapshot.snapshot_id) == expected
        assert ids(table, as_of=snapshot.timestamp) == expected
        assert table.count_rows(as_of=snapshot.timestamp) == number + 1
        # A moment before, the one before it was current.
        before = snapshot.timestamp - datetime.timedelta(milliseconds=1)
        if number > 0:
            assert ids(table, as_of=before) == expected[:-1]
            assert foreign(table).snapshot_as_of_timestamp(
                int(before.timestamp() * 1000)
            ).snapshot_id == table.snapshots()[number - 1].snapshot_id
        else:
            with pytest.raises(tusk.errors.NotFoundError, match="had no snapshot"):
                ids(table, as_of=before)
    assert ids(table, as_of=datetime.datetime(2100, 1, 1)) == [0, 1, 2]  # without a zone: UTC
    with pytest.raises(tusk.errors.NotFoundError, match="no snapshot 7"):
        ids(table, snapshot_id=7)
    with pytest.raises(ValueError, match="one of them only"):
        ids(table, snapshot_id=7, ref="main")


def test_time_travel_reads_by_the_schema_of_then(lake):
    first = lake.table("n.t").snapshots()[0]
    with lake.table("n.t").update() as change:
        change.rename_column("id", "number")
    table = lake.table("n.t")
    assert table.to_table().column_names == ["number"]
    assert table.to_table(snapshot_id=first.snapshot_id).column_names == ["id"]
    assert table.to_table(as_of=first.timestamp).column_names == ["id"]
    assert table.to_table(ref="main").column_names == ["number"]


def test_branches_and_tags_name_snapshots(lake):
    first, second, third = lake.table("n.t").snapshots()
    with lake.table("n.t").update(message="refs") as change:
        change.set_tag("v1", first.snapshot_id, max_ref_age_ms=10**12)
        change.set_branch("audit", second.snapshot_id, min_snapshots_to_keep=2)
    assert change.joint_version == lake.log(1)[0].number
    table = lake.table("n.t")
    assert ids(table, ref="v1") == [0]
    assert ids(table, ref="audit") == [0, 1]
    assert ids(table, ref="main") == ids(table) == [0, 1, 2]
    refs = table.refs()
    assert refs["v1"].is_tag and refs["v1"].max_ref_age_ms == 10**12
    assert refs["audit"].min_snapshots_to_keep == 2 and not refs["audit"].is_tag
    theirs = foreign(table).refs()
    assert {name: ref.snapshot_id for name, ref in theirs.items()} == {
        name: ref.snapshot_id for name, ref in refs.items()
    }
    with pytest.raises(tusk.errors.NotFoundError, match="audit, main, v1"):
        ids(table, ref="v2")
    with pytest.raises(ValueError, match="tag"):
        with table.update() as change:
            change.set_branch("v1", third.snapshot_id)
    with pytest.raises(tusk.errors.NotFoundError):
        with table.update() as change:
            change.set_tag("v2", 7)
    with table.update() as change:
        change.remove_ref("v1")
    assert set(lake.table("n.t").refs()) == {"audit", "main"}


def test_branches_are_written_to(lake):
    table = lake.table("n.t")
    with table.update() as change:
        change.set_branch("audit", table.snapshots()[0].snapshot_id)
    lake.table("n.t").append(pa.table({"id": [10]}), branch="audit")
    lake.table("n.t").append(pa.table({"id": [11]}), branch="audit")
    lake.table("n.t").delete(pc.field("id") == 0, branch="audit")
    table = lake.table("n.t")
    assert ids(table, ref="audit") == [10, 11]
    assert ids(table) == [0, 1, 2]
    theirs = foreign(table)
    assert sorted(
        theirs.scan(snapshot_id=theirs.refs()["audit"].snapshot_id).to_arrow()["id"].to_pylist()
    ) == [10, 11]
    # What was current at a time is told by the log of main alone.
    assert ids(table, as_of=datetime.datetime.now(UTC)) == [0, 1, 2]
    with table.update() as change:
        change.set_branch("main", table.refs()["audit"].snapshot_id)
    assert ids(lake.table("n.t")) == [10, 11]


def test_rollback_makes_an_earlier_snapshot_current(lake):
    table = lake.table("n.t")
    first = table.snapshots()[0]
    with table.update() as change:
        change.rollback_to(first.snapshot_id)
    table = lake.table("n.t")
    assert table.current_snapshot_id == first.snapshot_id
    assert ids(table) == [0]
    theirs = foreign(table)
    assert theirs.current_snapshot().snapshot_id == first.snapshot_id
    lake.append(iceberg={"n.t": pa.table({"id": [5]})})
    table = lake.table("n.t")
    assert ids(table) == [0, 5]
    assert table.snapshots()[-1].parent_snapshot_id == first.snapshot_id
    # The later ones are still there, and no ancestors.
    assert len(table.snapshots()) == 4
    history = table.metadata_table("history").to_pylist()
    assert [row["is_current_ancestor"] for row in history] == [True, False, False, True, True]
    assert history == foreign(table).inspect.history().to_pylist()
    # And pyiceberg goes on from there.
    theirs = foreign_catalog(lake).load_table("n.t")
    theirs.append(pa.table({"id": [6]}))
    assert ids(lake.table("n.t")) == [0, 5, 6]


def test_refs_and_rollbacks_of_pyiceberg_are_followed(lake):
    theirs = foreign_catalog(lake).load_table("n.t")
    first, second, _ = theirs.snapshots()
    theirs.manage_snapshots().create_tag(first.snapshot_id, "v1").create_branch(
        second.snapshot_id, "b"
    ).commit()
    theirs.append(pa.table({"id": [7]}), branch="b")
    table = lake.table("n.t")
    assert ids(table, ref="v1") == [0]
    assert ids(table, ref="b") == [0, 1, 7]
    assert ids(table) == [0, 1, 2]


def plain_rows(table, names):
    return table.select(names).to_pylist()


def test_metadata_tables_are_those_of_pyiceberg(lake):
    rows = pa.table(
        {
            "id": pa.array([1, 2, None], pa.int64()),
            "s": ["a", None, "ccccccccccccccccccccc"],
            "x": [1.5, float("nan"), None],
            "day": pa.array([0, 1, -1], pa.date32()),
        }
    )
    table = lake.create_iceberg(
        "n.p", rows.schema, partition_by=["bucket[2](id)", "month(day)", "truncate[2](s) as st"]
    )
    lake.append(iceberg={"n.p": rows})
    lake.append(iceberg={"n.p": rows.slice(1)})
    with lake.table("n.p").update() as change:
        change.set_tag("v", lake.table("n.p").snapshots()[0].snapshot_id, max_ref_age_ms=5)
        change.set_branch("b", lake.table("n.p").snapshots()[0].snapshot_id)
    table = lake.table("n.p")
    inspect = foreign(table).inspect
    snapshots = table.metadata_table("snapshots")
    theirs = inspect.snapshots()
    assert snapshots.schema.equals(theirs.schema)
    columns = ["committed_at", "snapshot_id", "parent_id", "manifest_list", "operation"]
    # pyiceberg prints its own name of the operation.
    assert [row["operation"] for row in plain_rows(snapshots, columns)] == ["append"] * 2
    assert plain_rows(snapshots, columns[:4]) == plain_rows(theirs, columns[:4])
    assert [sorted(row) for row in snapshots["summary"].to_pylist()] == [
        sorted(row) for row in theirs["summary"].to_pylist()
    ]
    assert table.metadata_table("history").equals(inspect.history())
    refs, their_refs = table.metadata_table("refs"), inspect.refs()
    assert refs.column_names == their_refs.column_names
    assert sorted(map(str, refs.to_pylist())) == sorted(map(str, their_refs.to_pylist()))
    files, their_files = table.metadata_table("files"), inspect.files()
    assert [*files.column_names, "readable_metrics"] == their_files.column_names
    assert files.to_pylist() == their_files.drop_columns(["readable_metrics"]).to_pylist()
    first = table.snapshots()[0].snapshot_id
    assert files.num_rows == 5
    assert table.metadata_table("files", snapshot_id=first).num_rows == 3
    manifests, their_manifests = table.metadata_table("manifests"), inspect.manifests()
    assert manifests.column_names == their_manifests.column_names
    assert manifests.to_pylist() == their_manifests.to_pylist()
    with pytest.raises(ValueError, match="wishes"):
        table.metadata_table("wishes")


def test_metadata_tables_of_an_empty_table(lake):
    table = lake.create_iceberg("n.e", pa.schema([("a", pa.int64())]))
    for name in ("snapshots", "history", "refs", "files", "manifests"):
        assert table.metadata_table(name).num_rows == 0
    assert table.to_table(ref="main").num_rows == 0
    assert table.plan_files().read_all().num_rows == 0


def test_a_snapshot_of_no_date_is_named(lake):
    table = lake.table("n.t")
    with open(table.metadata_location) as file:
        text = file.read()
    with open(table.metadata_location, "w") as file:
        file.write(re.sub(r'"timestamp-ms":[ 0-9]+', f'"timestamp-ms":{2**62}', text))
    first = table.snapshots()[0].snapshot_id
    damaged = tusk.connect(lake.uri).table("n.t")
    assert damaged.to_table().num_rows == 3
    with pytest.raises(tusk.errors.CorruptError, match=f"snapshot {first} was made {2**62} ms"):
        damaged.snapshots()
