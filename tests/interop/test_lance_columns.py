"""Columns that are added, dropped and altered by tusk and by pylance are the same."""

import random
import shutil

import lance
import pyarrow as pa
import pytest

import tusk


def _rows(draw, begin, end):
    def maybe(make):
        return [None if draw.random() < 0.2 else make(i) for i in range(begin, end)]

    struct = pa.struct({"x": pa.float64(), "y": pa.int32()})
    return pa.table(
        {
            "id": pa.array(range(begin, end), pa.int64()),
            "text": pa.array(maybe(lambda i: f"text {i % 7}")),
            "small": pa.array(maybe(lambda i: i % 100), pa.int16()),
            "struct": pa.array(maybe(lambda i: {"x": i / 2, "y": i}), struct),
            "list": pa.array(maybe(lambda i: list(range(i % 4))), pa.list_(pa.int32())),
        }
    )


def _make(path, seed, **options):
    draw = random.Random(seed)
    options.setdefault("max_rows_per_file", draw.randint(5, 60))
    lance.write_dataset(_rows(draw, 0, 100), path, **options)
    if draw.random() < 0.7:
        lance.dataset(path).delete(f"id % {draw.randint(2, 5)} = 0 or id < {draw.randint(0, 20)}")
    if draw.random() < 0.5:
        lance.write_dataset(_rows(draw, 100, 120), path, mode="append")
    return lance.dataset(path)


def _both(tmp_path, seed, change, stable_row_ids=False):
    """Changes two copies of a table, one by each library; gives the versions afterwards."""
    theirs, ours = str(tmp_path / "theirs"), str(tmp_path / "ours")
    _make(theirs, seed, enable_stable_row_ids=stable_row_ids)
    shutil.copytree(theirs, ours)
    change(lance.dataset(theirs))
    table = tusk.dataset(ours)
    change(table)
    expected = lance.dataset(theirs)
    changed = lance.dataset(ours)
    assert table.version == changed.version == expected.version
    assert changed.schema == expected.schema
    assert _ids(changed) == _ids(expected)
    rows = expected.to_table()
    assert changed.to_table() == rows
    assert table.to_table().cast(rows.schema) == rows
    assert tusk.dataset(theirs).to_table().cast(rows.schema) == rows
    changed.validate()
    return changed, expected


def _ids(table):
    """Names and ids of all fields."""

    def walk(fields):
        return [(field.name(), field.id(), walk(field.children())) for field in fields]

    return walk(table.lance_schema.fields())


def _double(batch):
    doubles = [2 * i for i in batch["id"].to_pylist()]
    return pa.record_batch({"double": pa.array(doubles, pa.int64())})


CHANGES = {
    "expressions": lambda t: t.add_columns({"a": "id * 2", "b": "upper(text)", "c": "small + 1"}),
    "a nested value": lambda t: t.add_columns({"a": "struct.x"}),
    "a function": lambda t: t.add_columns(_double, read_columns=["id"]),
    "a function in batches": lambda t: t.add_columns(_double, ["id"], batch_size=7),
    "nulls of a field": lambda t: t.add_columns(pa.field("a", pa.list_(pa.string()))),
    "nulls of fields": lambda t: t.add_columns(
        [pa.field("a", pa.int8()), pa.field("b", pa.bool_())]
    ),
    "nulls of a schema": lambda t: t.add_columns(
        pa.schema([pa.field("a", pa.struct({"p": pa.int8(), "q": pa.string()}))])
    ),
    "a table": lambda t: t.add_columns(
        pa.table({"a": pa.array([i if i % 3 else None for i in range(t.count_rows())])})
    ),
    "batches": lambda t: t.add_columns(
        iter(pa.table({"a": [i / 2 for i in range(t.count_rows())]}).to_batches(max_chunksize=9)),
        reader_schema=pa.schema({"a": pa.float64()}),
    ),
    "a required column": lambda t: t.add_columns(
        pa.table(
            [pa.array(range(t.count_rows()))],
            schema=pa.schema([pa.field("a", pa.int64(), nullable=False)]),
        )
    ),
    "dropped": lambda t: t.drop_columns(["text", "list"]),
    "a dropped child": lambda t: t.drop_columns(["struct.x"]),
    "renamed": lambda t: t.alter_columns(
        {"path": "text", "name": "words"}, {"path": "struct.x", "name": "z"}
    ),
    "required": lambda t: t.alter_columns({"path": "id", "nullable": False}),
    "wider": lambda t: t.alter_columns({"path": "small", "data_type": pa.int64()}),
    "narrower": lambda t: t.alter_columns(
        {"path": "id", "data_type": pa.int16(), "name": "number"}
    ),
    "large texts": lambda t: t.alter_columns({"path": "text", "data_type": pa.large_string()}),
    "a list of others": lambda t: t.alter_columns(
        {"path": "list", "data_type": pa.large_list(pa.int64())}
    ),
    "two types": lambda t: t.alter_columns(
        {"path": "small", "data_type": pa.uint32()}, {"path": "id", "data_type": pa.int32()}
    ),
    "a child's type": lambda t: t.alter_columns({"path": "struct.y", "data_type": pa.int64()}),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
@pytest.mark.parametrize("seed", range(4))
def test_a_change_of_columns_is_the_same(tmp_path, seed, change):
    _both(tmp_path, seed, change)


@pytest.mark.parametrize("name", ["expressions", "a table", "nulls of a field", "wider", "dropped"])
def test_rows_are_told_to_be_changed(tmp_path, name):
    changed, expected = _both(tmp_path, 1, CHANGES[name], stable_row_ids=True)
    columns = ["_rowid", "_row_created_at_version", "_row_last_updated_at_version"]
    assert changed.to_table(columns) == expected.to_table(columns)


def _random_change(draw, table):
    names = table.schema.names
    action = draw.random()
    number = table.version
    if action < 0.4:
        return lambda t: t.add_columns({f"n{number}": f"id + {number}"})
    if action < 0.5:
        return lambda t: t.add_columns(pa.field(f"n{number}", pa.string()))
    if action < 0.6 and len(names) > 2:
        name = draw.choice([name for name in names if name != "id"])
        return lambda t: t.drop_columns([name])
    if action < 0.7:
        name = draw.choice([name for name in names if name != "id"] or ["id"])
        new_name = f"r{number}" if name != "id" else "id"
        return lambda t: t.alter_columns({"path": name, "name": new_name})
    if action < 0.8:
        kind = draw.choice([pa.int64(), pa.int32()])
        return lambda t: t.alter_columns({"path": "id", "data_type": kind})
    if action < 0.9:
        modulo = draw.randint(5, 30)
        return lambda t: t.delete(f"id % {modulo} = 1")
    rows = pa.table({"id": pa.array(range(1000, 1010), table.schema.field("id").type)})
    return lambda t: t.insert(rows)


@pytest.mark.parametrize("seed", range(8))
def test_many_changes_in_a_row(tmp_path, seed):
    theirs, ours = str(tmp_path / "theirs"), str(tmp_path / "ours")
    _make(theirs, seed)
    shutil.copytree(theirs, ours)
    draw = random.Random(seed)
    for step in range(12):
        expected, table = lance.dataset(theirs), tusk.dataset(ours)
        # pylance takes turns at our table.
        turn = lance.dataset(ours) if draw.random() < 0.3 else table
        change = _random_change(draw, expected)
        change(expected)
        change(turn)
        rows = lance.dataset(theirs).to_table()
        assert lance.dataset(ours).to_table() == rows, step
        assert tusk.dataset(ours).to_table() == rows, step


def test_children_are_added_to_structs(tmp_path):
    path = str(tmp_path / "t")
    table = _make(path, 3)
    values = [{"z": None if i % 4 == 0 else f"z{i}"} for i in range(table.count_rows())]
    more = pa.table({"struct": pa.array(values, pa.struct({"z": pa.string()}))})
    before = table.to_table()["struct"].to_pylist()
    tusk.dataset(path).add_columns(more)
    after = tusk.dataset(path).to_table()["struct"].to_pylist()
    assert lance.dataset(path).to_table()["struct"].to_pylist() == after
    for old, new, added in zip(before, after, values, strict=True):
        if old is not None:
            assert new == {**old, **added}


def test_no_byte_that_is_there_is_touched(tmp_path):
    path = tmp_path / "t"
    _make(str(path), 1, max_rows_per_file=25)
    before = {file: file.read_bytes() for file in (path / "data").iterdir()}
    table = tusk.dataset(str(path))
    table.add_columns({"a": "id * 2"})
    table.alter_columns({"path": "small", "data_type": pa.int64()})
    table.drop_columns(["text"])
    for file, contents in before.items():
        assert file.read_bytes() == contents
    added = [file for file in (path / "data").iterdir() if file not in before]
    assert len(added) == 2 * len(table.get_fragments())
    assert sum(file.stat().st_size for file in added) < 4000 * len(added)


def test_a_function_goes_on_where_it_was_interrupted(tmp_path):
    path, checkpoint = str(tmp_path / "t"), tmp_path / "checkpoint"
    _make(path, 2, max_rows_per_file=40)
    calls = []

    @tusk.batch_udf(output_schema=pa.schema({"double": pa.int64()}), checkpoint_file=checkpoint)
    def double(batch):
        calls.append(batch["id"].to_pylist())
        if len(calls) == 4:
            raise RuntimeError("interrupted")
        return _double(batch)

    table = tusk.dataset(path)
    data = set((tmp_path / "t" / "data").iterdir())
    with pytest.raises(RuntimeError, match="interrupted"):
        table.add_columns(double, read_columns=["id"], batch_size=9)
    assert set((tmp_path / "t" / "data").iterdir()) == data
    table.add_columns(double, read_columns=["id"], batch_size=9)
    rows = lance.dataset(path).to_table()
    assert rows["double"].to_pylist() == [2 * i for i in rows["id"].to_pylist()]
    # The fourth batch came twice, all others once.
    ids = [number for call in calls for number in call]
    assert sorted(ids) == sorted(rows["id"].to_pylist() + calls[3])
    assert not checkpoint.exists()


def test_a_checkpoint_of_another_version_is_refused(tmp_path):
    path, checkpoint = str(tmp_path / "t"), tmp_path / "checkpoint"
    _make(path, 2)

    @tusk.batch_udf(output_schema=pa.schema({"double": pa.int64()}), checkpoint_file=checkpoint)
    def fail(batch):
        raise RuntimeError("interrupted")

    with pytest.raises(RuntimeError):
        tusk.dataset(path).add_columns(fail)
    lance.dataset(path).delete("id = 50")
    with pytest.raises(ValueError, match="version"):
        tusk.dataset(path).add_columns(fail)


def test_columns_are_reordered(tmp_path):
    path = str(tmp_path / "t")
    expected = _make(path, 1).to_table()
    names = ["list", "id", "struct", "text", "small"]
    tusk.dataset(path).reorder_columns(names)
    assert lance.dataset(path).to_table() == expected.select(names)
    with pytest.raises(ValueError):
        tusk.dataset(path).reorder_columns(names[1:])


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.add_columns({"id": "small + 1"}),
        lambda t: t.add_columns({"a": "none + 1"}),
        lambda t: t.add_columns(pa.field("a", pa.int64(), nullable=False)),
        lambda t: t.add_columns(pa.table({"a": range(3)})),
        lambda t: t.add_columns(pa.table({"a": range(10_000)})),
        lambda t: t.drop_columns(["none"]),
        lambda t: t.drop_columns(t.schema.names),
        lambda t: t.alter_columns({"path": "none", "name": "a"}),
        lambda t: t.alter_columns({"path": "id", "name": "text"}),
        lambda t: t.alter_columns({"path": "text", "nullable": False}),
        lambda t: t.alter_columns({"path": "text", "data_type": pa.int64()}),
        lambda t: t.alter_columns({"path": "big", "data_type": pa.int8()}),
        lambda t: t.alter_columns({"path": "id", "color": "red"}),
    ],
)
def test_what_cannot_be_is_refused(tmp_path, change):
    path = tmp_path / "t"
    table = _make(str(path), 1, max_rows_per_file=1000)
    table.add_columns({"big": "id * 1000"})
    files = set((path / "data").iterdir())
    with pytest.raises((ValueError, OSError, RuntimeError)):
        change(lance.dataset(str(path)))
    with pytest.raises(ValueError):
        change(tusk.dataset(str(path)))
    assert tusk.dataset(str(path)).version == table.version
    assert set((path / "data").iterdir()) >= files


def test_a_column_of_an_index_keeps_its_type(tmp_path):
    path = str(tmp_path / "t")
    _make(path, 1).create_scalar_index("small", "BTREE")
    for module in (lance, tusk):
        with pytest.raises((ValueError, OSError), match="index"):
            module.dataset(path).alter_columns({"path": "small", "data_type": pa.int64()})
    tusk.dataset(path).drop_columns(["small"])
    assert lance.dataset(path).list_indices() == []


def test_a_thousand_columns_open_fast(tmp_path):
    path = str(tmp_path / "t")
    tusk.write_dataset(pa.table({"id": range(10)}), path)
    for i in range(100):
        tusk.dataset(path).add_columns({f"c{i}_{j}": f"id + {j}" for j in range(10)})
    table = tusk.dataset(path)
    assert len(table.schema) == 1001
    assert table.take([3], ["c99_9"])["c99_9"].to_pylist() == [12]
    assert lance.dataset(path).take([3], ["c99_9"])["c99_9"].to_pylist() == [12]
