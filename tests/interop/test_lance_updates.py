"""Rows that tusk updates are as those that pylance updates."""

import random
import threading

import lance
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from changed_rows import check_same, check_same_lineage, make_rows, make_tables

import tusk

VALUES = [
    {"weight": "weight * 2 + 1"},
    {"name": "'x' || name"},
    {"id": "id + 1000", "name": "upper(name)"},
    {"name": "null", "weight": "id"},
    {"name": "id"},
    {"weight": "'2.5'"},
    {"seen": "'2020-02-03'"},
    {"id": "id % 7", "weight": "0.1", "raw": "x'00ff'"},
    {"name": "coalesce(name, 'none')"},
    {"name": "box.label", "id": "box.x"},
    {"id": "cast(weight as bigint)"},
]
WHERE = [
    None,
    "id % 10 = 3",
    "id > 40 and id < 60",
    "name is null",
    "name = 'bee' or weight > 0.5",
    "box.x < 50",
    "id < 0",
    "true",
]


@pytest.mark.parametrize("stable", [False, True])
@pytest.mark.parametrize("seed", range(12))
def test_random_updates_in_turns(stable, seed, tmp_path):
    rng = random.Random(seed)
    data = make_rows(rng, [None if rng.random() < 0.05 else i for i in range(120)])
    ours, theirs = make_tables(
        tmp_path, data, rng, max_rows_per_file=rng.choice([17, 50, 1000]),
        enable_stable_row_ids=stable,
    )  # fmt: skip
    known = set(lance.dataset(theirs).to_table(["_rowid"])["_rowid"].to_pylist())
    for turn in range(5):
        values, where = rng.choice(VALUES), rng.choice(WHERE)
        if "cast" in values.get("id", ""):
            where = "weight = 0.0"
        told = []
        for path, library in ((ours, tusk if turn % 4 != 3 else lance), (theirs, lance)):
            dataset = library.dataset(path)
            try:
                told.append(dataset.update(values, where=where))
            except OSError:
                told.append(None)
        assert told[0] == told[1], (values, where)
        check_same(ours, theirs)
        if stable:
            check_same_lineage(ours, theirs, known)


def test_the_object_moves_and_the_transaction_is_what_pylance_writes(tmp_path):
    data = make_rows(random.Random(1), range(60))
    for stable in (False, True):
        path = tmp_path / f"t{stable}"
        ours, theirs = make_tables(path, data, random.Random(1), max_rows_per_file=20,
                                   enable_stable_row_ids=stable)  # fmt: skip
        dataset = tusk.dataset(ours)
        version = dataset.version
        where = pc.field("id") < 30
        told = dataset.update({"box": "null", "name": "'n'"}, where=where)
        assert told == lance.dataset(theirs).update({"box": "null", "name": "'n'"}, where=where)
        assert dataset.version == version + 1 == tusk.dataset(ours).version
        operations = [
            lance.dataset(p).read_transaction(version + 1).operation for p in (ours, theirs)
        ]
        for name in ("removed_fragment_ids", "fields_modified", "update_mode"):
            assert getattr(operations[0], name) == getattr(operations[1], name)
        preserved = [sorted(o.fields_for_preserving_frag_bitmap) for o in operations]
        assert preserved[0] == preserved[1]
        changed = [[f.id for f in o.updated_fragments] for o in operations]
        assert sorted(changed[0]) == sorted(changed[1])
        check_same(ours, theirs)


def test_values_that_do_not_fit_say_so(tmp_path):
    path = str(tmp_path / "t")
    schema = pa.schema([pa.field("id", pa.int32(), nullable=False), ("name", pa.string()),
                        ("day", pa.date32()), ("f", pa.float32())])  # fmt: skip
    lance.write_dataset(pa.table({"id": [1, 2], "name": ["a", "7"], "day": [None, None],
                                  "f": [1.5, 2.0]}, schema), path)  # fmt: skip
    dataset = tusk.dataset(path)
    for values, words in [
        ({"id": "id + 0.5"}, "column 'id'.*1.5 would become 1"),
        ({"id": "name"}, "column 'id'.*'a'"),
        ({"id": "3000000000"}, "column 'id'"),
        ({"id": "null"}, "column 'id' must not be null"),
        ({"day": "cast('2024-01-01 10:00:00' as timestamp)"}, "column 'day'.*would become"),
        ({"none": "1"}, "no column 'none'"),
        ({"name": "none"}, "none"),
        ({"name": "name +"}, "name"),
        ({}, "at least one column"),
    ]:
        with pytest.raises(ValueError, match=f"(?s){words}") as error:
            dataset.update(values)
        assert isinstance(error.value, OSError)
    with pytest.raises(ValueError):
        dataset.update({"name": "'x'"}, where="none = 1")
    assert dataset.version == lance.dataset(path).version == 1
    assert dataset.update({"id": "f * 2", "f": "0.1"}) == {"num_rows_updated": 2}
    assert tusk.dataset(path).to_table(["id"])["id"].to_pylist() == [3, 4]


def test_writers_at_once_lose_nothing(tmp_path):
    """Three add to a counter of rows of their own and of one row of all."""
    path = str(tmp_path / "t")
    lance.write_dataset(pa.table({"id": range(40), "n": [0] * 40}), path, max_rows_per_file=10)
    failures = []

    def count(part, library):
        try:
            for _ in range(4):
                library.dataset(path).update(
                    {"n": "n + 1"}, where=f"id % 4 = {part} or id = 3", conflict_retries=100
                )
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=count, args=(i, lib))
               for i, lib in enumerate((tusk, tusk, lance))]  # fmt: skip
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    counts = {row["id"]: row["n"] for row in tusk.dataset(path).to_table().to_pylist()}
    assert counts == {i: 12 if i == 3 else 4 if i % 4 < 3 else 0 for i in range(40)}


def test_json_stays_json(tmp_path):
    path = str(tmp_path / "t")
    texts = pa.array(['{"a": 1}', None, "[1, 2]"])
    data = pa.table({"id": [1, 2, 3], "j": pa.ExtensionArray.from_storage(pa.json_(), texts)})
    lance.write_dataset(data, path)
    tusk.dataset(path).update({"id": "id + 10"}, where="id > 1")
    tusk.dataset(path).update({"j": "'{\"b\": 2}'"}, where="id = 12")
    rows = lance.dataset(path).to_table().to_pylist()
    assert {row["id"]: row["j"] and row["j"].replace(" ", "") for row in rows} == {
        1: '{"a":1}', 12: '{"b":2}', 13: "[1,2]"
    }  # fmt: skip
    with pytest.raises(OSError):
        tusk.dataset(path).update({"j": "'{'"})
