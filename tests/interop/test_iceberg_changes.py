"""Changes of schema and rows of Iceberg tables, against pyiceberg."""

import concurrent.futures
import decimal
import random

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from float_order import keep_rows
from iceberg_data import foreign_catalog, rows_of
from pyiceberg.table import StaticTable
from pyiceberg.types import DecimalType, LongType

import tusk

POINT = pa.struct([("x", pa.int32()), ("y", pa.float32())])
SCHEMA = pa.schema(
    [
        ("id", pa.int32()),
        ("name", pa.string()),
        ("price", pa.decimal128(5, 2)),
        ("ratio", pa.float32()),
        ("point", POINT),
        ("points", pa.list_(POINT)),
        ("by_name", pa.map_(pa.string(), POINT)),
    ]
)


def rows(first, count):
    point = {"x": 1, "y": 0.5}
    return pa.Table.from_pylist(
        [
            {
                "id": i,
                "name": None if i % 3 == 0 else f"n{i}",
                "price": decimal.Decimal(i) / 4,
                "ratio": i / 2,
                "point": point if i % 2 else None,
                "points": [point] * (i % 3),
                "by_name": [(f"k{i}", point)],
            }
            for i in range(first, first + count)
        ],
        schema=SCHEMA,
    )


@pytest.fixture
def lake(tmp_path):
    lake = tusk.init(tmp_path / "lake")
    lake.append(iceberg={"n.t": rows(0, 7)})
    return lake


def foreign(table):
    return StaticTable.from_metadata(table.metadata_location)


def same_for_pyiceberg(lake):
    table = lake.table("n.t")
    ours, theirs = table.to_table(), foreign(table).scan().to_arrow()
    assert ours.column_names == theirs.column_names
    assert rows_of(ours) == rows_of(theirs)
    return ours


def test_every_change_of_a_schema_is_read_by_field_id(lake):
    with lake.table("n.t").update(message="evolve") as change:
        change.add_column("added", pa.timestamp("us", "UTC"), doc="when")
        change.add_column("point.z", pa.int64())
        change.add_column("points.element.z", pa.string())
        change.add_column("by_name.value.w", pa.list_(pa.int32()))
        change.rename_column("name", "label")
        change.rename_column("point.x", "left")
        change.promote_column("id", pa.int64())
        change.promote_column("ratio", pa.float64())
        change.promote_column("price", pa.decimal128(12, 2))
        change.promote_column("points.element.x", pa.int64())
        change.drop_column("by_name.value.y")
        change.move_column("ratio")
        change.move_column("added", before="label")
        change.move_column("point.left", after="y")
        change.set_doc("label", "what it says")
    ours = same_for_pyiceberg(lake)
    assert ours.column_names == [
        "ratio", "id", "added", "label", "price", "point", "points", "by_name"
    ]  # fmt: skip
    assert ours["added"].null_count == ours.num_rows
    assert ours["point"].type.field(0).name == "y"
    assert ours["id"].type == pa.int64() and ours["price"].type == pa.decimal128(12, 2)
    schema = foreign(lake.table("n.t")).schema()
    assert schema.find_field("added").doc == "when"
    assert schema.find_field("label").doc == "what it says"
    # New rows in the new schema, beside the old ones.
    more = ours.slice(2, 3)
    lake.append(iceberg={"n.t": more})
    assert same_for_pyiceberg(lake).num_rows == 10


def test_a_column_that_comes_again_is_another_column(lake):
    with lake.table("n.t").update() as change:
        change.drop_column("name")
    with lake.table("n.t").update() as change:
        change.add_column("name", pa.string())
    assert same_for_pyiceberg(lake)["name"].null_count == 7
    # Ids are never used twice.
    ids = [field.field_id for field in foreign(lake.table("n.t")).schema().fields]
    assert len(set(ids)) == len(ids)


def test_changes_that_cannot_be_are_refused_and_leave_nothing(lake):
    before = lake.table("n.t").metadata_location
    cases = [
        lambda c: c.add_column("id", pa.int64()),
        lambda c: c.add_column("nothing.x", pa.int64()),
        lambda c: c.add_column("new", pa.duration("s")),
        lambda c: c.drop_column("nothing"),
        lambda c: c.drop_column("points.element"),
        lambda c: c.drop_column("by_name.key"),
        lambda c: c.rename_column("id", "name"),
        lambda c: c.rename_column("id", ""),
        lambda c: c.promote_column("id", pa.string()),
        lambda c: c.promote_column("name", pa.int64()),
        lambda c: c.promote_column("price", pa.decimal128(12, 3)),
        lambda c: c.promote_column("price", pa.decimal128(4, 2)),
        lambda c: c.promote_column("point", pa.int64()),
        lambda c: c.move_column("id", after="nothing"),
        lambda c: c.drop_column("point.x").drop_column("point.y"),
        lambda c: [c.drop_column(name) for name in SCHEMA.names],
    ]
    for number, case in enumerate(cases):
        with pytest.raises((ValueError, NotImplementedError)):
            with lake.table("n.t").update() as change:
                case(change)
        assert lake.table("n.t").metadata_location == before, number


def test_a_partition_column_is_not_dropped(lake):
    table = lake.create_iceberg("n.p", pa.schema([("a", pa.int64()), ("b", pa.int64())]),
                                partition_by=["bucket[2](a)"])  # fmt: skip
    lake.append(iceberg={"n.p": pa.table({"a": [1, 2], "b": [3, 4]})})
    with pytest.raises(ValueError, match="partitioned by it"):
        with table.update() as change:
            change.drop_column("a")
    with table.update() as change:
        change.rename_column("a", "c")
    assert lake.table("n.p").count_rows(pc.field("c") == 1) == 1
    with lake.table("n.p").update() as change:
        change.remove_partition_field("a_bucket_2").drop_column("c")
    assert sorted(lake.table("n.p").to_table()["b"].to_pylist()) == [3, 4]
    lake.append(iceberg={"n.p": pa.table({"b": [5]})})
    assert sorted(foreign(lake.table("n.p")).scan().to_arrow()["b"].to_pylist()) == [3, 4, 5]


def test_pyiceberg_goes_on_from_our_schema(lake):
    with lake.table("n.t").update() as change:
        change.promote_column("id", pa.int64()).add_column("added", pa.int32())
    theirs = foreign_catalog(lake).load_table("n.t")
    with theirs.update_schema() as update:
        update.update_column("added", LongType())
        update.update_column("price", DecimalType(9, 2))
        update.rename_column("added", "more")
    assert same_for_pyiceberg(lake).column_names[-1] == "more"


def test_properties_are_set_and_removed(lake):
    with lake.table("n.t").update() as change:
        change.set_properties({"a": "1", "b": "2"})
    with lake.table("n.t").update() as change:
        change.set_properties({"a": None, "b": "3"})
    assert lake.table("n.t").properties == foreign(lake.table("n.t")).properties == {"b": "3"}


def numbers(seed, count=40):
    draw = random.Random(seed)
    return pa.table(
        {
            "a": pa.array(
                [None if draw.random() < 0.2 else draw.randrange(6) for _ in range(count)],
                pa.int64(),
            ),
            "x": [draw.choice([1.0, float("nan"), None, 2.0]) for _ in range(count)],
            "s": [draw.choice(["a", "b", None]) for _ in range(count)],
        }
    )


FILTERS = [
    pc.field("a") == 2,
    pc.field("a") < 3,
    pc.field("a").is_null(),
    ~(pc.field("a") == 2),
    pc.field("x") > 1,
    ~(pc.field("x") > 1),
    (pc.field("a") == 1) | (pc.field("s") == "a"),
    pc.field("s").isin(["a", None]),
    pc.field("a") + 1 == 3,
    pc.field("a") == 99,
    pc.scalar(True),
]


@pytest.mark.parametrize("number", range(len(FILTERS)))
@pytest.mark.parametrize("partition_by", [[], ["a"], ["bucket[2](a)", "s"]])
def test_deleting_leaves_the_rows_that_the_filter_does_not_keep(number, partition_by, tmp_path):
    filter = FILTERS[number]
    lake = tusk.init(tmp_path / "lake")
    parts = [numbers(seed) for seed in range(3)]
    lake.create_iceberg("n.t", parts[0].schema, partition_by=partition_by)
    for part in parts:
        lake.append(iceberg={"n.t": part})
    everything = pa.concat_tables(parts)
    gone = keep_rows(everything, filter)
    before = lake.table("n.t")
    lake.table("n.t").delete(filter)
    table = lake.table("n.t")

    def sorted_rows(table):
        return sorted(map(str, rows_of(table)))

    expected = sorted_rows(everything)
    for row in sorted_rows(gone):
        expected.remove(row)
    assert sorted_rows(table.to_table()) == expected
    theirs = foreign(table)
    assert sorted_rows(theirs.scan().to_arrow()) == expected
    summary = table.snapshots()[-1].summary
    assert summary["total-records"] == str(len(expected))
    assert int(summary["total-data-files"]) == table.metadata_table("files").num_rows
    # The snapshot before is as it was.
    assert sorted_rows(table.to_table(snapshot_id=before.current_snapshot_id)) == sorted_rows(
        everything
    )
    lake.append(iceberg={"n.t": parts[0]})
    assert lake.table("n.t").count_rows() == len(expected) + parts[0].num_rows


def test_files_of_which_all_rows_go_are_not_opened(lake):
    data = pa.table({"a": pa.array([1] * 50 + [2] * 50, pa.int64()), "b": [0, 1] * 50})
    lake.create_iceberg("n.p", data.schema, partition_by=["a"])
    lake.append(iceberg={"n.p": data})
    table = lake.table("n.p")
    for path in table.plan_files().read_all()["file_path"].to_pylist():
        with open(path.removeprefix("file://"), "wb") as file:
            file.write(b"damaged")
    table.delete(pc.field("a") == 1)
    assert lake.table("n.p").count_rows() == 50
    summary = lake.table("n.p").snapshots()[-1].summary
    assert summary["operation"] == "delete" and summary["deleted-data-files"] == "1"
    with pytest.raises(OSError):
        lake.table("n.p").delete(pc.field("b") == 1)
    assert lake.table("n.p").count_rows() == 50


def test_overwriting_replaces_what_the_filter_keeps(lake):
    data = pa.table({"a": pa.array([1, 1, 2], pa.int64()), "b": ["x", "y", "z"]})
    lake.create_iceberg("n.o", data.schema, partition_by=["a"])
    lake.append(iceberg={"n.o": data})
    new = pa.table({"a": pa.array([1, 3], pa.int64()), "b": ["new", "newer"]})
    lake.table("n.o").overwrite(new, pc.field("b") == "x")
    table = lake.table("n.o")
    expected = [(1, "new"), (1, "y"), (2, "z"), (3, "newer")]

    def pairs(rows):
        return sorted((row["a"], row["b"]) for row in rows.to_pylist())

    assert pairs(table.to_table()) == pairs(foreign(table).scan().to_arrow()) == expected
    table.overwrite(new)
    table = lake.table("n.o")
    assert pairs(table.to_table()) == pairs(foreign(table).scan().to_arrow()) == pairs(new)
    table.overwrite()
    assert lake.table("n.o").count_rows() == 0 == foreign(lake.table("n.o")).scan().count()
    with pytest.raises(ValueError):
        lake.table("n.o").overwrite(pa.table({"c": [1]}))
    with pytest.raises(ValueError, match="needs a filter"):
        lake.table("n.o").delete(None)


def test_racing_changes_all_come_true(lake):
    """Each is made again on what the others did."""
    data = pa.table({"a": pa.array(range(8), pa.int64())})
    lake.create_iceberg("n.r", data.schema)
    lake.append(iceberg={"n.r": data})

    def add_column(number):
        with tusk.connect(lake.uri).table("n.r").update() as change:
            change.add_column(f"c{number}", pa.int32())

    def delete(number):
        tusk.connect(lake.uri).table("n.r").delete(pc.field("a") == number)

    def tag(number):
        table = tusk.connect(lake.uri).table("n.r")
        with table.update() as change:
            change.set_tag(f"t{number}", table.snapshots()[0].snapshot_id)

    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        work = [pool.submit(f, n) for n in range(4) for f in (add_column, delete, tag)]
        for done in work:
            done.result()
    table = lake.table("n.r")
    rows = table.to_table()
    assert sorted(rows["a"].to_pylist()) == [4, 5, 6, 7]
    assert sorted(rows.column_names) == ["a", "c0", "c1", "c2", "c3"]
    assert set(table.refs()) == {"main", "t0", "t1", "t2", "t3"}
    assert sorted(foreign(table).scan().to_arrow()["a"].to_pylist()) == [4, 5, 6, 7]
    assert len(lake.log()) == 15


def test_tables_at_an_old_joint_version_are_not_changed(lake):
    number = lake.log(1)[0].number
    lake.append(iceberg={"n.t": rows(7, 1)})
    old = lake.at(number).table("n.t")
    assert old.count_rows() == 7
    with pytest.raises(ValueError, match="read-only"):
        old.delete(pc.field("id") == 1)
    with pytest.raises(ValueError, match="read-only"):
        tusk.iceberg.open_table(old.metadata_location).delete(pc.field("id") == 1)
