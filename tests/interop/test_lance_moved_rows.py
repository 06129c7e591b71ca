"""Compactions that leave indices as they are: the account of moved rows, by tusk and by pylance.

Indices are pylance's, and so are the queries that use them. What must come out is known from the
rows themselves, which are kept in a plain list.
"""

import pathlib
import random

import lance
import pyarrow as pa
import pytest

import tusk
import tusk.errors
import tusk.optimize

ROWS = 400
WORDS = ["red fox", "blue whale", "green frog", "grey wolf", "black cat"]


def rows_of(ids):
    return pa.table(
        {
            "id": pa.array(ids, pa.int64()),
            "kind": pa.array([f"k{i % 7}" for i in ids]),
            "text": pa.array([WORDS[i % 5] for i in ids]),
            "vector": pa.array([[float(i), 1.0] for i in ids], pa.list_(pa.float32(), 2)),
        }
    )


def make(path, files=4, index=("id", "BTREE")):
    """A table of so many files, with an index by pylance over all of them."""
    each = ROWS // files
    for number in range(files):
        data = rows_of(range(number * each, (number + 1) * each))
        lance.write_dataset(data, path, mode="append" if number else "create")
    if index:
        lance.dataset(path).create_scalar_index(*index)
    return path


def compact(writer, path, **options):
    if writer == "tusk":
        return tusk.dataset(path).optimize.compact_files(defer_index_remap=True, **options)
    return lance.dataset(path).optimize.compact_files(defer_index_remap=True, **options)


def check_by_index(path, ids, column="id", name="id_idx"):
    """pylance finds these rows, and no others, by its index."""
    dataset = lance.dataset(path)
    dataset.validate()
    kept = set(ids)
    for wanted in random.Random(1).sample(range(ROWS + 20), 60):
        scan = dataset.scanner(filter=f"id = {wanted}", columns=["id", "text"])
        assert scan.to_table().to_pylist() == (
            [{"id": wanted, "text": WORDS[wanted % 5]}] if wanted in kept else []
        )
    assert f"@{name}" in dataset.scanner(filter="id = 7").explain_plan()
    assert sorted(dataset.to_table()["id"].to_pylist()) == sorted(ids)
    assert sorted(tusk.dataset(path).to_table()["id"].to_pylist()) == sorted(ids)


def account(path):
    """The number of compactions that are kept account of; None if none is kept."""
    indices = {each["name"] for each in lance.dataset(path).list_indices()}
    if "__lance_frag_reuse" not in indices:
        return None
    return lance.dataset(path).stats.index_stats("__lance_frag_reuse")["num_versions"]


def addresses(dataset):
    table = dataset.scanner(columns=["id"], with_row_address=True).to_table()
    return dict(zip(table["id"].to_pylist(), table["_rowaddr"].to_pylist(), strict=True))


@pytest.mark.parametrize("deleted", [False, True])
@pytest.mark.parametrize("writer", ["tusk", "pylance"])
def test_queries_find_rows_that_moved(writer, deleted, tmp_path):
    path = make(str(tmp_path / "t"))
    ids = list(range(ROWS))
    before = addresses(lance.dataset(path))
    if deleted:
        lance.dataset(path).delete("id % 9 = 4")
        ids = [i for i in ids if i % 9 != 4]
    metrics = compact(writer, path)
    assert (metrics.fragments_removed, metrics.fragments_added) == (4, 1)
    assert account(path) == 1
    check_by_index(path, ids)
    stats = lance.dataset(path).stats.index_stats("id_idx")
    assert (stats["num_indexed_rows"], stats["num_unindexed_rows"]) == (len(ids), 0)
    # Where each row is now, and that of those which are gone nothing is known.
    now = addresses(tusk.dataset(path))
    old = pa.array(list(before.values()), pa.uint64())
    expected = [now.get(i) for i in before]
    assert tusk.dataset(path).remap_row_addrs(old).to_pylist() == expected
    assert lance.dataset(path).remap_row_addrs(old).to_pylist() == expected


@pytest.mark.parametrize(
    "kind",
    ["BTREE", "BITMAP", "ZONEMAP", "BLOOMFILTER", "INVERTED", "NGRAM", "IVF_FLAT", "IVF_PQ"],
)
def test_indices_of_every_kind_give_the_rows_of_a_scan(kind, tmp_path):
    path = make(str(tmp_path / "t"), index=None)
    dataset = lance.dataset(path)
    if kind.startswith("IVF"):
        more = {"num_sub_vectors": 1} if kind == "IVF_PQ" else {}
        dataset.create_index("vector", kind, num_partitions=2, **more)
    else:
        dataset.create_scalar_index("text" if kind in ("INVERTED", "NGRAM") else "id", kind)

    def ask():
        dataset = lance.dataset(path)
        if kind.startswith("IVF"):
            query = {"column": "vector", "q": [111.0, 1.0], "k": 12, "nprobes": 2}
            if kind == "IVF_PQ":
                query["refine_factor"] = 40
            return sorted(dataset.to_table(nearest=query)["id"].to_pylist())
        if kind == "INVERTED":
            found = dataset.to_table(full_text_query="whale", columns=["id"])
        elif kind == "NGRAM":
            found = dataset.to_table(filter="contains(text, 'whale')", columns=["id"])
        else:
            found = dataset.to_table(filter="id in (5, 77, 203, 399) or id = 120", columns=["id"])
        return sorted(found["id"].to_pylist())

    dataset.delete("id % 10 = 3")
    expected = ask()
    assert len(expected) > 3
    assert compact("tusk", path).fragments_removed == 4
    assert ask() == expected
    assert account(path) == 1
    lance.dataset(path).validate()


@pytest.mark.parametrize("first", ["tusk", "pylance"])
def test_compactions_of_both_follow_each_other(first, tmp_path):
    """A chain: rows move, and what they became moves again, with appends and deletes between."""
    path = make(str(tmp_path / "t"), files=8)
    ids = list(range(ROWS))
    before = addresses(lance.dataset(path))
    writers = ["tusk", "pylance"] if first == "tusk" else ["pylance", "tusk"]
    for number, writer in enumerate(writers * 2):
        tusk.dataset(path).delete(f"id % 13 = {number}")
        ids = [i for i in ids if i % 13 != number]
        compact(writer, path, target_rows_per_fragment=[100, 150, 250, 500][number])
        check_by_index(path, ids)
    assert account(path) >= 3
    now = addresses(tusk.dataset(path))
    old = pa.array(list(before.values()), pa.uint64())
    expected = [now.get(i) for i in before]
    assert tusk.dataset(path).remap_row_addrs(old).to_pylist() == expected
    assert lance.dataset(path).remap_row_addrs(old).to_pylist() == expected


@pytest.mark.parametrize("writer", ["tusk", "pylance"])
def test_changes_behind_it_keep_the_index_right(writer, tmp_path):
    """What an index no longer knows is scanned, though its bitmap names fragments of before."""
    path = make(str(tmp_path / "t"))
    compact(writer, path, target_rows_per_fragment=200)
    dataset = tusk.dataset(path)
    assert len(dataset.get_fragments()) == 2
    # Written anew in the place where it is: the index of this column is wrong for the fragment.
    (
        dataset.merge_insert("id")
        .when_not_matched_insert_all()
        .execute(rows_of([9000]))
    )
    dataset.update({"id": "id + 1000"}, where="id < 20")
    dataset.delete("id = 300")
    dataset.add_columns({"double": "id * 2"})
    other = lance.dataset(path)
    other.validate()
    for wanted, count in [(5, 0), (1005, 1), (9000, 1), (300, 0), (301, 1), (50, 1), (350, 1)]:
        assert other.count_rows(filter=f"id = {wanted}") == count, wanted
    assert "@id_idx" in other.scanner(filter="id = 7").explain_plan()


def test_a_column_that_is_written_anew_leaves_the_index(tmp_path):
    path = make(str(tmp_path / "t"), index=("kind", "BITMAP"))
    compact("pylance", path, target_rows_per_fragment=200)
    (
        tusk.dataset(path)
        .merge_insert("id")
        .when_matched_update_all()
        .write_mode("rewrite_columns")
        .execute(pa.table({"id": pa.array([3, 17], pa.int64()), "kind": ["new", "new"]}))
    )
    other = lance.dataset(path)
    other.validate()
    assert sorted(other.to_table(filter="kind = 'new'")["id"].to_pylist()) == [3, 17]
    assert 3 not in other.to_table(filter="kind = 'k3'")["id"].to_pylist()
    expected = [i for i in range(ROWS) if i % 7 == 3 and i not in (3, 17)]
    assert sorted(other.to_table(filter="kind = 'k3'")["id"].to_pylist()) == expected


@pytest.mark.parametrize("writer", ["tusk", "pylance"])
def test_the_account_goes_when_the_index_was_made_anew(writer, tmp_path):
    path = make(str(tmp_path / "t"))
    compact(writer, path)
    dataset = tusk.dataset(path)
    version = dataset.version
    dataset.optimize.cleanup_frag_reuse_index()
    assert dataset.version == version and account(path) == 1
    lance.dataset(path).create_scalar_index("id", "BTREE", replace=True)
    dataset = tusk.dataset(path)
    dataset.optimize.cleanup_frag_reuse_index()
    assert account(path) == 0
    assert dataset.version == version + 2
    check_by_index(path, range(ROWS))
    # And begins anew.
    tusk.write_dataset(rows_of([ROWS]), path, mode="append")
    tusk.dataset(path).delete("id = 8")
    assert compact("tusk", path, materialize_deletions_threshold=0.0).fragments_removed == 1
    assert account(path) == 1
    check_by_index(path, [i for i in range(ROWS + 1) if i != 8])


def test_a_long_account_is_a_file_of_its_own(tmp_path):
    """Random deletions of many rows: what pylance keeps in a file too."""
    path = str(tmp_path / "t")
    rows = 600_000
    data = pa.table({"id": pa.array(range(rows), pa.int64())})
    lance.write_dataset(data, path, max_rows_per_file=rows // 2)
    lance.dataset(path).create_scalar_index("id", "BTREE")
    gone = set(random.Random(3).sample(range(rows), rows // 3))
    listed = pa.table({"id": pa.array(sorted(gone), pa.int64())})
    tusk.dataset(path).merge_insert("id").when_matched_delete().execute(listed)
    compact("tusk", path)
    details = list(pathlib.Path(path, "_indices").glob("*/details.binpb"))
    assert len(details) == 1 and details[0].stat().st_size > 200 << 10
    dataset = tusk.dataset(path)
    dataset.cleanup_old_versions(retain_versions=1, delete_unverified=True)
    other = lance.dataset(path)
    other.validate()
    for wanted in range(0, rows, rows // 50):
        assert other.count_rows(filter=f"id = {wanted}") == (0 if wanted in gone else 1)
    old = pa.array([i // (rows // 2) << 32 | i % (rows // 2) for i in range(rows)], pa.uint64())
    moved = dataset.remap_row_addrs(old)
    assert moved.equals(other.remap_row_addrs(old))
    assert moved.null_count == len(gone)
    # The next one goes on from it.
    dataset.delete(f"id >= {rows - 1000}")
    compact("tusk", path, materialize_deletions_threshold=0.0)
    assert account(path) == 2
    assert lance.dataset(path).remap_row_addrs(old).equals(tusk.dataset(path).remap_row_addrs(old))


def test_a_distributed_compaction_keeps_account(tmp_path):
    path = make(str(tmp_path / "t"))
    tusk.dataset(path).delete("id = 150")
    dataset = tusk.dataset(path)
    options = {"defer_index_remap": True, "target_rows_per_fragment": 199}
    plan = tusk.optimize.Compaction.plan(dataset, options)
    assert plan.num_tasks() == 2
    done = [
        tusk.optimize.RewriteResult.from_json(task.execute(dataset).json()) for task in plan.tasks
    ]
    with pytest.raises(tusk.errors.InvalidArgumentError, match="index 'id_idx' has its rows"):
        tusk.optimize.Compaction.commit(dataset, done)
    tusk.optimize.Compaction.commit(dataset, done, options)
    assert account(path) == 1
    check_by_index(path, [i for i in range(ROWS) if i != 150])


def test_nothing_is_kept_where_no_index_has_the_rows(tmp_path):
    path = make(str(tmp_path / "t"), index=None)
    for data in (rows_of(range(ROWS, ROWS + 10)),):
        tusk.write_dataset(data, path, mode="append")
    assert compact("tusk", path).fragments_removed == 5
    assert account(path) is None
    assert tusk.dataset(path).remap_row_addrs(pa.array([0], pa.uint64())) is None


def test_without_it_indexed_fragments_stay(tmp_path):
    path = make(str(tmp_path / "t"))
    assert tusk.dataset(path).optimize.compact_files().fragments_removed == 0
    compact("tusk", path, target_rows_per_fragment=200)
    for number in range(2):
        tusk.write_dataset(rows_of([ROWS + number]), path, mode="append")
    # Fragments that no index covers are put together, and the account stays as it is.
    metrics = tusk.dataset(path).optimize.compact_files()
    assert (metrics.fragments_removed, metrics.fragments_added) == (2, 1)
    assert account(path) == 1
    check_by_index(path, range(ROWS + 2))


def test_the_config_of_a_table_may_ask_for_it(tmp_path):
    path = make(str(tmp_path / "t"))
    tusk.dataset(path).update_config({"lance.compaction.defer_index_remap": "true"})
    assert tusk.dataset(path).optimize.compact_files().fragments_removed == 4
    assert account(path) == 1


def test_stable_row_ids_need_none(tmp_path):
    path = str(tmp_path / "t")
    for begin in (0, 50):
        mode = "append" if begin else "create"
        lance.write_dataset(
            rows_of(range(begin, begin + 50)), path, mode=mode, enable_stable_row_ids=True
        )
    with pytest.raises(tusk.errors.UnsupportedError, match="row ids are stable"):
        compact("tusk", path)
    with pytest.raises(Exception, match="stable row IDs"):
        compact("pylance", path)


def test_addresses_are_uint64(tmp_path):
    path = make(str(tmp_path / "t"))
    compact("tusk", path)
    dataset = tusk.dataset(path)
    with pytest.raises(tusk.errors.InvalidArgumentError, match="uint64"):
        dataset.remap_row_addrs(pa.array([1], pa.int64()))
    some = pa.array([0, None, 5 << 32], pa.uint64())
    assert dataset.remap_row_addrs(some).equals(lance.dataset(path).remap_row_addrs(some))


@pytest.mark.parametrize("writer", ["tusk", "pylance"])
def test_versions_are_cleaned_up_and_cloned_with_their_account(writer, tmp_path):
    path = make(str(tmp_path / "t"))
    compact(writer, path)
    tusk.dataset(path).cleanup_old_versions(retain_versions=1, delete_unverified=True)
    check_by_index(path, range(ROWS))
    clone = str(tmp_path / "clone")
    tusk.dataset(path).deep_clone(clone, tusk.dataset(path).version)
    check_by_index(clone, range(ROWS))
