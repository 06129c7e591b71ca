"""Rows that tusk merges are as those that pylance merges."""

import random
import threading

import lance
import pyarrow as pa
import pytest
from changed_rows import SCHEMA, check_same, check_same_lineage, make_rows, make_tables

import tusk


def _configure(rng):
    """Random clauses, as a function from a builder to a builder, and their names."""
    matched = rng.choice(
        ["update", "update", "update if", "update if both", "keep", "delete", "fail"]
    )
    insert = rng.random() < 0.6
    gone = rng.choice([None, None, None, "delete", "delete if"])
    if matched == "delete" and not insert:
        gone = None  # pylance fails here: "this indicates a logical plan pruning bug"
    conditions = {
        "update if": "source.weight > 0.3",
        "update if both": "source.weight > target.weight or target.id < 70",
    }

    def configure(builder):
        if matched in conditions:
            builder = builder.when_matched_update_all(conditions[matched])
        elif matched == "update":
            builder = builder.when_matched_update_all()
        elif matched == "delete":
            builder = builder.when_matched_delete()
        elif matched == "fail":
            builder = builder.when_matched_fail()
        if insert:
            builder = builder.when_not_matched_insert_all()
        if gone == "delete":
            builder = builder.when_not_matched_by_source_delete()
        elif gone == "delete if":
            builder = builder.when_not_matched_by_source_delete("id % 3 = 0 or name is null")
        return builder

    return configure, (matched, insert, gone)


def _source(rng, on, rows):
    """Rows of which some match, with some or all columns, in any order."""
    ids = rng.sample(range(0, 160), rng.choice([0, 1, 20, 60]))
    if rng.random() < 0.2 and ids:
        ids.append(rng.choice(ids))
    ids = [None if rng.random() < 0.05 else i for i in ids]
    names = list(SCHEMA.names)
    rng.shuffle(names)
    if rng.random() < 0.4:
        extra = [n for n in names if n not in on][: rng.randrange(1, 5)]
        needed = {"weight", "name"}
        names = [n for n in names if n in on or n in extra or n in needed]
    data = make_rows(rng, ids).select(names)
    if len(on) == 2 and rows.num_rows:
        # So that names match too.
        known = {row["id"]: row["name"] for row in rows.select(["id", "name"]).to_pylist()}
        chosen = [known.get(i, "new") for i in data["id"].to_pylist()]
        data = data.set_column(names.index("name"), "name", pa.array(chosen, pa.string()))
    if rng.random() < 0.3:
        return pa.RecordBatchReader.from_batches(data.schema, data.to_batches(max_chunksize=7))
    return data


@pytest.mark.parametrize("stable", [False, True])
@pytest.mark.parametrize("seed", range(40))
def test_random_merges(stable, seed, tmp_path):
    rng = random.Random(seed)
    rows = rng.choice([0, 1, 120, 120, 120])
    data = make_rows(rng, [None if rng.random() < 0.05 else i for i in range(rows)])
    ours, theirs = make_tables(
        tmp_path, data, rng, max_rows_per_file=rng.choice([17, 50, 1000]),
        enable_stable_row_ids=stable,
    )  # fmt: skip
    known = set(lance.dataset(theirs).to_table(["_rowid"])["_rowid"].to_pylist())
    for turn in range(3):
        on = rng.choice([["id"], ["id"], ["id", "name"]])
        configure, clauses = _configure(rng)
        state = rng.getstate()
        told = []
        library = tusk if turn < 2 else rng.choice([tusk, lance])
        for path, lib in ((ours, library), (theirs, lance)):
            rng.setstate(state)
            source = _source(rng, on, data)
            builder = configure(lib.dataset(path).merge_insert(on))
            try:
                told.append(builder.execute(source))
            except OSError:
                told.append(None)
            except ValueError:
                told.append(None)
        assert told[0] == told[1], (clauses, on)
        check_same(ours, theirs)
        if stable:
            check_same_lineage(ours, theirs, known)


KEYS = {
    "int8": pa.array([1, -1, None, 7], pa.int8()),
    "uint64": pa.array([1, 2**64 - 1, None, 7], pa.uint64()),
    "float": pa.array([0.0, -0.0, float("nan"), None], pa.float32()),
    "bool": pa.array([True, False, None], pa.bool_()),
    "large_string": pa.array(["", "a", None, "ä" * 300], pa.large_string()),
    "binary": pa.array([b"", b"\0", None, b"\0\0"], pa.binary()),
    "fixed": pa.array([b"abc", b"abd", None], pa.binary(3)),
    "date": pa.array([1, 2, None], pa.date32()),
    "timestamp": pa.array([1, 2, None], pa.timestamp("ns")),
    "decimal": pa.array([1, 2, None], pa.decimal128(20, 2)),
}


@pytest.mark.parametrize("kind", KEYS)
@pytest.mark.parametrize("second", [False, True])
def test_every_kind_of_key(kind, second, tmp_path):
    values = KEYS[kind]
    data = pa.table({"k": values, "b": pa.array(range(len(values))), "v": ["old"] * len(values)})
    ours, theirs = make_tables(tmp_path, data.append_column("id", data["b"]), random.Random(3))
    source = pa.table({"v": ["new"] * 2, "k": values.take(pa.array([1, 2])),
                       "b": pa.array([1, 2]), "id": pa.array([8, 9])})  # fmt: skip
    on = ["k", "b"] if second else "k"
    told = []
    for path, library in ((ours, tusk), (theirs, lance)):
        builder = library.dataset(path).merge_insert(on)
        builder = builder.when_matched_update_all().when_not_matched_insert_all()
        told.append(builder.execute(source))
    assert told[0] == told[1]
    check_same(ours, theirs)


def test_what_cannot_be_merged_says_so(tmp_path):
    path = str(tmp_path / "t")
    schema = pa.schema([pa.field("id", pa.int64(), nullable=False), ("name", pa.string()),
                        ("m", pa.map_(pa.string(), pa.int8()))])  # fmt: skip
    lance.write_dataset(pa.table({"id": [1, 2], "name": ["a", "b"], "m": [[("k", 1)], None]},
                                 schema), path)  # fmt: skip
    dataset = tusk.dataset(path)
    one = pa.table({"id": [1], "name": ["x"]})
    for on in ("none", [], None, ["id", "none"]):
        with pytest.raises(ValueError):
            dataset.merge_insert(on)
    with pytest.raises(ValueError):
        dataset.merge_insert("id").when_not_matched_by_source_delete("none > 1")
    with pytest.raises(ValueError):
        dataset.merge_insert("id").write_mode("none")
    with pytest.raises(OverflowError):
        dataset.merge_insert("id").conflict_retries(-1)

    def update(condition=None):
        return dataset.merge_insert("ID").when_matched_update_all(condition)

    for builder, data, words in [
        (dataset.merge_insert("id"), one, "would change nothing"),
        (update(), pa.table({"id": [1, 1], "name": ["x", "y"]}), r"only one may \(id = 1\)"),
        (update(), pa.table({"id": ["1"]}), "should have type int64"),
        (update(), pa.table({"id": [1], "other": [1]}), "no column 'other'"),
        (update(), pa.table({"name": ["x"]}), "part of the key"),
        (update(), pa.table({"id": pa.array([None], pa.int64()), "name": ["x"]}), None),
        (update("source.none > 1"), one, "none"),
        (update("source.name"), one, "condition"),
        (dataset.merge_insert("id").when_matched_fail(), one, r"matches one .* \(id = 1\)"),
        (dataset.merge_insert("name").when_not_matched_insert_all(),
         pa.table({"name": ["z"]}), "'id', which must not be null"),
    ]:  # fmt: skip
        if words is None:
            builder.execute(data)
            continue
        with pytest.raises(OSError, match=words) as error:
            builder.execute(data)
        assert isinstance(error.value, ValueError)
    keys = pa.table({"m": pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int8()))})
    with pytest.raises(NotImplementedError, match="'m'"):
        dataset.merge_insert("m").when_matched_delete().execute(keys)
    assert tusk.dataset(path).to_table(["id", "name"]).to_pylist() == [
        {"id": 1, "name": "a"}, {"id": 2, "name": "b"}
    ]  # fmt: skip


def test_the_order_of_the_rows(tmp_path):
    """Rows that stay, then those that were updated, then those that were inserted."""
    path = str(tmp_path / "t")
    lance.write_dataset(pa.table({"id": range(10), "v": [0] * 10}), path, max_rows_per_file=4)
    source = pa.table({"id": [20, 7, 1, 30, 5], "v": [1] * 5})
    dataset = tusk.dataset(path)
    builder = dataset.merge_insert("id").when_matched_update_all().when_not_matched_insert_all()
    assert builder.execute(source) == {
        "num_inserted_rows": 2, "num_updated_rows": 3, "num_deleted_rows": 0
    }  # fmt: skip
    assert dataset.version == 2
    assert dataset.to_table(["id"])["id"].to_pylist() == [0, 2, 3, 4, 6, 8, 9, 1, 5, 7, 20, 30]


def test_a_merge_is_committed_apart(tmp_path):
    path = str(tmp_path / "t")
    lance.write_dataset(pa.table({"id": range(10), "v": [0] * 10}), path, max_rows_per_file=4)
    dataset = tusk.dataset(path)
    builder = dataset.merge_insert("id").when_matched_update_all().when_not_matched_insert_all()
    source = pa.table({"id": [3, 12], "v": [1, 1]})
    transaction, counts = builder.execute_uncommitted(source)
    assert counts == {"num_inserted_rows": 1, "num_updated_rows": 1, "num_deleted_rows": 0}
    assert transaction.read_version == 1
    assert tusk.dataset(path).version == 1 and dataset.count_rows() == 10
    assert tusk.LanceDataset.commit(path, transaction).count_rows() == 11
    again, _ = tusk.dataset(path).merge_insert("id").when_matched_delete().execute_uncommitted(source)
    assert tusk.LanceDataset.commit(path, again).count_rows() == 9
    assert sorted(tusk.dataset(path).to_table(["id"])["id"].to_pylist()) == [0, 1, 2, 4, 5, 6, 7, 8, 9]


def test_the_primary_key_is_the_default(tmp_path):
    path = str(tmp_path / "t")
    key = pa.field("id", pa.int64(), False, {"lance-schema:unenforced-primary-key": "true"})
    schema = pa.schema([("v", pa.int64()), key])
    lance.write_dataset(pa.table({"v": [1, 2], "id": [1, 2]}, schema), path)
    dataset = tusk.dataset(path)
    dataset.merge_insert().when_matched_update_all().execute(
        pa.table({"v": [7], "id": [2]}, schema)
    )
    assert lance.dataset(path).to_table().to_pydict() == {"v": [1, 7], "id": [1, 2]}


def _fields(message):
    """The values of a protobuf message: (number, value), bytes for what has a length."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(message):
        tag = varint()
        if tag & 7 == 0:
            yield tag >> 3, varint()
            continue
        length = {1: 8, 5: 4}.get(tag & 7) or varint()
        yield tag >> 3, message[at : at + length]
        at += length


@pytest.mark.parametrize("names", [["id"], ["name", "id"], ["raw"], ["small"]])
def test_inserted_keys_are_told_as_pylance_tells_them(names, tmp_path):
    """Another merge by the primary key that inserts the same keys then conflicts, whoever wrote it."""
    mark = "lance-schema:unenforced-primary-key:position"
    types = {"id": pa.int64(), "name": pa.string(), "raw": pa.binary(), "small": pa.int16()}
    schema = pa.schema([
        pa.field(n, t, n not in names, {mark: str(names.index(n) + 1)} if n in names else None)
        for n, t in types.items()
    ])  # fmt: skip
    rows = {"id": range(-5, 40), "name": [f"n{i}" for i in range(45)],
            "raw": [bytes([i] * i) for i in range(45)], "small": range(45)}  # fmt: skip
    data = pa.table(rows, schema)
    filters = []
    for library in (tusk, lance):
        path = tmp_path / library.__name__
        dataset = library.write_dataset(data.slice(0, 5), str(path))
        builder = dataset.merge_insert(names).when_not_matched_insert_all()
        builder.execute(data)
        (file,) = path.glob("_transactions/1-*.txn")
        update = dict(_fields(file.read_bytes()))[108]
        filters.append(dict(_fields(update))[8])
    assert filters[0] == filters[1]


def test_writers_at_once_lose_nothing(tmp_path):
    """Each updates rows of its own and inserts others; one of them is pylance."""
    path = str(tmp_path / "t")
    lance.write_dataset(pa.table({"id": range(60), "n": [0] * 60}), path, max_rows_per_file=10)
    failures = []

    def merge(part, library):
        try:
            for turn in range(1, 4):
                ids = [i for i in range(60) if i % 3 == part] + [1000 * turn + part]
                builder = library.dataset(path).merge_insert("id").conflict_retries(100)
                builder = builder.when_matched_update_all().when_not_matched_insert_all()
                told = builder.execute(pa.table({"id": ids, "n": [turn] * len(ids)}))
                assert told["num_updated_rows"] == 20 and told["num_inserted_rows"] == 1
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=merge, args=(i, lib))
               for i, lib in enumerate((tusk, tusk, lance))]  # fmt: skip
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    expected = [(i, 3) for i in range(60)] + [(1000 * t + p, t) for t in (1, 2, 3) for p in (0, 1, 2)]
    rows = tusk.dataset(path).to_table().to_pydict()
    assert sorted(zip(rows["id"], rows["n"])) == sorted(expected)
