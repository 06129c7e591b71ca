"""Rows that tusk deletes are gone for pylance too, and the other way round."""

import random
import threading

import lance
import pyarrow as pa
import pyarrow.compute as pc
import pytest

import tusk

ROWS = 30_000


def _write(path, rows=ROWS, **options):
    data = pa.table({"id": range(rows), "n": [i % 97 for i in range(rows)],
                     "s": [None if i % 5 == 0 else f"{i}" for i in range(rows)]})  # fmt: skip
    lance.write_dataset(data, path, **{"max_rows_per_file": 10_000, **options})
    return data


def _check(path, expected):
    """Both see these ids, by scan, by take and by count, and the format's own rules hold."""
    ours, theirs = tusk.dataset(path), lance.dataset(path)
    for dataset in (ours, theirs):
        assert dataset.to_table(columns=["id"])["id"].to_pylist() == expected
        assert dataset.count_rows() == len(expected)
        some = random.Random(1).sample(range(len(expected)), min(50, len(expected)))
        taken = dataset.take(some, columns=["id"])["id"].to_pylist()
        assert taken == [expected[i] for i in some]
    theirs.validate()
    assert ours.version == theirs.version


@pytest.mark.parametrize("stable", [False, True])
@pytest.mark.parametrize("seed", range(12))
def test_random_deletes_in_turns(stable, seed, tmp_path):
    rng = random.Random(seed)
    path = str(tmp_path / "t")
    left = _write(path, enable_stable_row_ids=stable)["id"].to_pylist()
    for turn in range(6):
        low = rng.randrange(ROWS)
        condition, gone = rng.choice([
            (f"id >= {low} AND id < {low + 12_000}", lambda i: low <= i < low + 12_000),
            (f"n = {low % 97}", lambda i: i % 97 == low % 97),
            (f"id = {low}", lambda i: i == low),
            ("s IS NULL AND n < 40", lambda i: i % 5 == 0 and i % 97 < 40),
            ("id < 0", lambda i: False),
        ])  # fmt: skip
        dataset = (tusk if rng.random() < 0.7 else lance).dataset(path)
        version = dataset.version
        told = dataset.delete(condition)["num_deleted_rows"]
        assert told == sum(map(gone, left))
        assert dataset.version == version + 1
        left = [i for i in left if not gone(i)]
        _check(path, left)


def test_all_rows_and_none(tmp_path):
    path = str(tmp_path / "t")
    _write(path)
    dataset = tusk.dataset(path)
    assert dataset.delete(pc.field("id") < 10_000) == {"num_deleted_rows": 10_000}
    assert len(dataset.get_fragments()) == 2
    assert dataset.delete("true")["num_deleted_rows"] == 20_000
    _check(path, [])
    assert dataset.delete("true")["num_deleted_rows"] == 0
    assert tusk.dataset(path, version=1).count_rows() == ROWS
    lance.write_dataset(pa.table({"id": [7], "n": [1], "s": ["x"]}), path, mode="append")
    _check(path, [7])


def test_the_transaction_is_what_pylance_writes(tmp_path):
    path = str(tmp_path / "t")
    _write(path)
    tusk.dataset(path).delete("id < 10000 OR n = 3")
    theirs = lance.dataset(path)
    operation = theirs.read_transaction(theirs.version).operation
    assert isinstance(operation, lance.LanceOperation.Delete)
    assert operation.predicate == "id < 10000 OR n = 3"
    assert operation.deleted_fragment_ids == [0]
    assert [fragment.id for fragment in operation.updated_fragments] == [1, 2]
    kinds = {fragment.deletion_file.file_type for fragment in operation.updated_fragments}
    assert kinds == {"array"}
    tusk.dataset(path).delete("id >= 10000 AND id < 17000")
    theirs = lance.dataset(path)
    (changed,) = theirs.read_transaction(theirs.version).operation.updated_fragments
    assert changed.deletion_file.file_type == "bitmap"
    left = [i for i in range(10_000, ROWS) if i % 97 != 3 and i >= 17_000]
    _check(path, left)


def test_what_cannot_be_deleted_says_so(tmp_path):
    path = str(tmp_path / "t")
    _write(path, 100)
    dataset = tusk.dataset(path)
    for predicate in ("zz > 1", "n", "n >", "n = 'x'"):
        with pytest.raises((ValueError, OSError)):
            dataset.delete(predicate)
    with pytest.raises(TypeError):
        dataset.delete(None)
    assert dataset.version == lance.dataset(path).version == 1


def test_writers_at_once_lose_nothing(tmp_path):
    """Two delete, one appends, all through tusk, and one deletes through pylance."""
    path = str(tmp_path / "t")
    _write(path)
    failures = []

    def delete(remainder, library):
        try:
            for part in range(5):
                predicate = f"n = {10 * remainder + part} AND id < {ROWS}"
                library.dataset(path).delete(predicate, conflict_retries=50)
        except Exception as error:
            failures.append(error)

    def append():
        try:
            for part in range(5):
                rows = range(ROWS + part * 10, ROWS + part * 10 + 10)
                data = pa.table({"id": rows, "n": [i % 97 for i in rows], "s": [None] * 10},
                                tusk.dataset(path).schema)  # fmt: skip
                tusk.write_dataset(data, path, mode="append")
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=delete, args=(i, lib)) for i, lib in
               enumerate((tusk, tusk, lance))] + [threading.Thread(target=append)]  # fmt: skip
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    gone = {10 * remainder + part for remainder in range(3) for part in range(5)}
    left = [i for i in range(ROWS) if i % 97 not in gone]
    ids = tusk.dataset(path).to_table(["id"])["id"].to_pylist()
    assert sorted(ids) == left + list(range(ROWS, ROWS + 50))
    assert sorted(lance.dataset(path).to_table(["id"])["id"].to_pylist()) == sorted(ids)


def test_deletions_are_read_whatever_memory_others_have(tmp_path):
    lance.write_dataset(pa.table({"id": range(100)}), tmp_path / "t").delete("id < 50")
    # More than a file of deletions may take.
    kept = pa.array(range(4_000_000))
    assert tusk.dataset(tmp_path / "t").to_table().num_rows == 50
    assert len(kept) == 4_000_000
