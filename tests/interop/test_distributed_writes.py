"""Other processes write the pieces, one process commits them; pylance reads what came of it."""

import json
import multiprocessing
import os
import pickle
import subprocess
import sys

import lance
import pyarrow as pa
import pyarrow.compute as pc
import pytest

import tusk
from tusk.fragment import LanceFragment, write_fragments
from tusk.optimize import Compaction
from tusk.progress import FileSystemFragmentWriteProgress, FragmentWriteProgress


def rows(begin, end):
    return pa.table(
        {
            "id": pa.array(range(begin, end), pa.int64()),
            "text": [f"t{i}" for i in range(begin, end)],
            "value": pa.array([i / 2 for i in range(begin, end)], pa.float64()),
        }
    )


def in_processes(function, tasks):
    """The results of a function in other processes, to and from which everything is pickled."""
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        return pool.starmap(function, tasks)


def stored(uri, **options):
    """The rows as pylance reads them, ascending by id."""
    table = lance.dataset(str(uri))
    table.validate()
    return table.to_table(**options).sort_by("id")


@pytest.fixture
def table(tmp_path):
    """100 rows in four fragments, of which some are deleted."""
    made = tusk.write_dataset(rows(0, 100), tmp_path / "t", max_rows_per_file=25)
    made.delete("id in (3, 4, 30, 99)")
    return made


def write_part(uri, begin, end):
    return write_fragments(rows(begin, end), uri, max_rows_per_file=15)


def make_fragment(uri, begin, end):
    return LanceFragment.create(uri, rows(begin, end))


def test_fragments_of_other_processes_become_a_table(tmp_path):
    uri = str(tmp_path / "t")
    parts = in_processes(write_part, [(uri, 0, 40), (uri, 40, 50)])
    assert [len(part) for part in parts] == [3, 1]
    fragments = [fragment for part in parts for fragment in part]
    made = tusk.LanceDataset.commit(
        uri, tusk.LanceOperation.Overwrite(rows(0, 1).schema, fragments)
    )
    assert made.version == 1
    assert made.to_table() == rows(0, 50)
    assert stored(uri) == rows(0, 50)


def test_fragments_of_other_processes_are_appended(table):
    made = in_processes(make_fragment, [(table.uri, 100, 130), (table.uri, 130, 131)])
    after = tusk.LanceDataset.commit(
        table.uri, tusk.LanceOperation.Append(made), read_version=table.version
    )
    assert stored(table.uri) == after.to_table()
    assert after.count_rows("id >= 100") == 31
    assert len(after.get_fragments()) == 6


def test_a_transaction_of_write_fragments_is_committed_as_it_is(table):
    transaction = write_fragments(rows(100, 110), table.uri, return_transaction=True)
    assert type(transaction.operation) is tusk.LanceOperation.Append
    again = pickle.loads(pickle.dumps(transaction))
    assert tusk.LanceDataset.commit(table.uri, again).count_rows() == 106


def test_pieces_cross_between_the_packages(tmp_path):
    ours, theirs = str(tmp_path / "ours"), str(tmp_path / "theirs")
    schema = rows(0, 1).schema
    made = lance.fragment.write_fragments(rows(0, 20), ours)
    tusk.LanceDataset.commit(ours, tusk.LanceOperation.Overwrite(schema, made))
    # As JSON, which is how processes of different packages can speak.
    texts = [json.dumps(one.to_json()) for one in write_fragments(rows(0, 20), theirs)]
    parsed = [lance.FragmentMetadata.from_json(text) for text in texts]
    lance.LanceDataset.commit(theirs, lance.LanceOperation.Overwrite(schema, parsed))
    assert stored(ours) == stored(theirs) == rows(0, 20)
    assert tusk.dataset(theirs).to_table() == tusk.dataset(ours).to_table() == rows(0, 20)


def add_square(fragment):
    return fragment.merge_columns({"square": "id * id"})


def halve(batch):
    return pa.record_batch({"half": pc.divide(pc.cast(batch["id"], pa.float64()), 2)})


def add_half(fragment):
    return fragment.merge_columns(halve, columns=["id"], batch_size=10)


def commit_merge(table, pieces):
    fragments = [fragment for fragment, _ in pieces]
    return tusk.LanceDataset.commit(
        table.uri,
        tusk.LanceOperation.Merge(fragments, pieces[0][1]),
        read_version=table.version,
    )


def test_columns_are_filled_in_fragment_by_fragment(table):
    tasks = [(fragment,) for fragment in table.get_fragments()]
    after = commit_merge(table, in_processes(add_square, tasks))
    expected = table.to_table()
    squares = pc.multiply(expected["id"], expected["id"])
    assert after.to_table() == expected.append_column("square", squares)
    assert stored(table.uri) == after.to_table()


def test_columns_are_filled_in_by_a_function(table):
    after = commit_merge(table, in_processes(add_half, [(f,) for f in table.get_fragments()]))
    halves = pc.divide(pc.cast(after.to_table()["id"], pa.float64()), 2)
    assert after.to_table()["half"] == halves
    assert stored(table.uri) == after.to_table()


def test_columns_are_filled_in_from_data(table):
    pieces = []
    for fragment in table.get_fragments():
        ids = fragment.to_table(columns=["id"])["id"]
        pieces.append(fragment.merge_columns(pa.table({"copy": ids})))
    after = commit_merge(table, pieces)
    assert after.to_table()["copy"] == after.to_table()["id"]
    assert stored(table.uri) == after.to_table()


def test_columns_are_joined_fragment_by_fragment(table):
    more = pa.table({"key": pa.array([1, 2, 50], pa.int64()), "more": ["a", "b", "c"]})
    pieces = [f.merge(more, left_on="id", right_on="key") for f in table.get_fragments()]
    after = commit_merge(table, pieces)
    assert after.to_table(filter="more is not null", columns=["id", "more"]).to_pylist() == [
        {"id": 1, "more": "a"},
        {"id": 2, "more": "b"},
        {"id": 50, "more": "c"},
    ]
    assert stored(table.uri) == after.to_table()


@pytest.mark.parametrize("package", [tusk, lance])
@pytest.mark.parametrize("left_on", ["id", "_rowid", "_rowaddr"])
@pytest.mark.parametrize("stable", [False, True])
def test_columns_are_updated_fragment_by_fragment(package, left_on, stable, tmp_path):
    uri = str(tmp_path / "t")
    table = package.write_dataset(
        rows(0, 100), uri, max_rows_per_file=25, enable_stable_row_ids=stable
    )
    table.delete("id in (3, 30)")
    live = table.to_table(columns=["id"], with_row_id=True, with_row_address=True)
    key = live.filter(pc.is_in(live["id"], pa.array([2, 24, 50])))[left_on]
    new = pa.table({left_on: key, "value": [-1.0, None, -2.0]})
    changed = [f.update_columns(new, left_on, with_offsets=True) for f in table.get_fragments()]
    assert [fields for _, fields, _ in changed] == [[2]] * 4
    after = package.LanceDataset.commit(
        uri,
        package.LanceOperation.Update(
            updated_fragments=[fragment for fragment, _, _ in changed],
            fields_modified=[2],
            update_mode="rewrite_columns",
            updated_fragment_offsets={f.id: offsets for f, _, offsets in changed},
        ),
        read_version=table.version,
    )
    expected = rows(0, 100).to_pydict()
    expected["value"][2], expected["value"][24], expected["value"][50] = -1.0, None, -2.0
    gone = pc.is_in(pa.array(range(100)), pa.array([3, 30]))
    want = pa.table(expected, schema=rows(0, 1).schema).filter(pc.invert(gone))
    assert after.to_table() == want
    assert stored(uri) == want
    assert tusk.dataset(uri).to_table() == want


def test_updated_offsets_tell_which_rows_have_changed(tmp_path):
    new = pa.table({"id": pa.array([2, 3, 20, 24], pa.int64()), "value": [0.0] * 4})
    lineage = []
    for package in (tusk, lance):
        uri = str(tmp_path / package.__name__)
        table = package.write_dataset(rows(0, 25), uri, enable_stable_row_ids=True)
        table.delete("id = 3")
        changed, fields, offsets = table.get_fragment(0).update_columns(
            new, "id", with_offsets=True
        )
        operation = package.LanceOperation.Update(
            updated_fragments=[changed],
            fields_modified=fields,
            update_mode="rewrite_columns",
            updated_fragment_offsets={0: offsets},
        )
        package.LanceDataset.commit(uri, operation, read_version=2)
        after = lance.dataset(uri).to_table(columns=["id", "_row_last_updated_at_version"])
        lineage.append(after.to_pylist())
    assert lineage[0] == lineage[1]
    changed = [row["id"] for row in lineage[0] if row["_row_last_updated_at_version"] == 3]
    assert changed == [2, 20, 24]


def delete_even(fragment):
    return fragment.fragment_id, fragment.delete("id % 2 = 0 or id >= 75")


def test_rows_are_deleted_fragment_by_fragment(table):
    pieces = in_processes(delete_even, [(fragment,) for fragment in table.get_fragments()])
    assert pieces[3] == (3, None)
    after = tusk.LanceDataset.commit(
        table.uri,
        tusk.LanceOperation.Delete([f for _, f in pieces if f is not None], [3], "even"),
        read_version=table.version,
    )
    kept = [i for i in range(75) if i % 2 == 1 and i != 3]
    assert after.to_table()["id"].to_pylist() == kept
    assert stored(table.uri) == after.to_table()


def test_rows_are_deleted_by_offset(table):
    fragment = table.get_fragment(0)
    # Offsets count deleted rows: 3 and 4 are gone already.
    changed = fragment.delete_rows([0, 24, 3, 0])
    assert changed.num_deletions == 4
    assert fragment.delete_rows(range(25)) is None
    assert fragment.delete_rows([]) == fragment.metadata
    assert fragment.delete("id > 500") == fragment.metadata
    with pytest.raises(ValueError, match="offset 25"):
        fragment.delete_rows([25])
    operation = tusk.LanceOperation.Delete([changed], [], "by offset")
    after = tusk.LanceDataset.commit(table.uri, operation, read_version=table.version)
    assert after.get_fragment(0).to_table()["id"].to_pylist() == [1, 2, *range(5, 24)]
    assert stored(table.uri) == after.to_table()


def compact(uri, task):
    return task.execute(tusk.dataset(uri))


def test_compaction_tasks_run_in_other_processes(table):
    table.insert(rows(100, 125))
    plan = Compaction.plan(table, {"excluded_fragment_ids": [2]})
    assert plan.num_tasks() == 2
    done = in_processes(compact, [(table.uri, task) for task in plan.tasks])
    before = table.to_table().sort_by("id")
    metrics = Compaction.commit(table, done)
    assert (metrics.fragments_removed, metrics.fragments_added) == (4, 2)
    assert table.to_table().sort_by("id") == before
    assert stored(table.uri) == before


def test_a_file_that_is_there_becomes_a_fragment(table):
    (written,) = write_fragments(rows(100, 110), table.uri)
    name = written.files[0].path
    found = LanceFragment.create_from_file(name, table, 7)
    assert found.id == 7
    written.id = 7
    assert found == written
    assert tusk.DataFile.create(table, name) == written.files[0]
    theirs = lance.fragment.DataFile.create(lance.dataset(table.uri), name)
    assert theirs.fields == found.files[0].fields
    assert theirs.column_indices == found.files[0].column_indices


def test_a_file_of_other_columns_is_no_fragment(table, tmp_path):
    other = tusk.write_dataset(pa.table({"z": [1]}), tmp_path / "other")
    name = other.get_fragment(0).metadata.files[0].path
    os.link(f"{other.uri}/data/{name}", f"{table.uri}/data/{name}")
    with pytest.raises(ValueError, match="column 'z'"):
        LanceFragment.create_from_file(name, table, 0)
    with pytest.raises(ValueError):
        LanceFragment.create_from_file("../_versions/x", table, 0)


def files_below(uri):
    return sorted(f"{folder}/{name}" for folder, _, names in os.walk(uri) for name in names)


@pytest.mark.parametrize(
    "change",
    [
        lambda table: write_fragments(pa.table({"z": [1]}), table.uri),
        lambda table: LanceFragment.create(table.uri, rows(0, 0)),
        lambda table: table.get_fragment(0).merge_columns({"x": "nothing + 1"}),
        lambda table: table.get_fragment(0).merge_columns(pa.table({"x": range(22)})),
        lambda table: table.get_fragment(0).merge_columns(pa.table({"x": range(24)})),
        lambda table: table.get_fragment(0).merge_columns({"id": "id + 1"}),
        lambda table: table.get_fragment(0).merge(pa.table({"id": [1], "text": ["x"]}), "id"),
        lambda table: table.get_fragment(0).update_columns(pa.table({"id": [1], "z": [1]}), "id"),
        lambda table: table.get_fragment(0).update_columns(
            pa.table({"id": [1], "value": ["text"]}), "id"
        ),
        lambda table: table.get_fragment(0).update_columns(pa.table({"value": [1.0]}), "id"),
        lambda table: table.get_fragment(0).delete("nothing > 1"),
    ],
)
def test_a_piece_that_fails_leaves_no_file(change, table):
    before = files_below(table.uri)
    with pytest.raises(ValueError):
        change(table)
    assert files_below(table.uri) == before


class Watch(FragmentWriteProgress):
    def __init__(self, fails_at=None):
        self.heard = []
        self.fails_at = fails_at

    def _hear(self, what, fragment):
        self.heard.append((what, fragment.physical_rows, fragment.files[0].path))
        if len(self.heard) == self.fails_at:
            raise RuntimeError("enough")

    def begin(self, fragment, **kwargs):
        self._hear("begin", fragment)

    def complete(self, fragment, **kwargs):
        self._hear("complete", fragment)


def test_who_watches_a_write_is_told_of_each_fragment(tmp_path):
    watch = Watch()
    made = tusk.write_dataset(rows(0, 25), tmp_path / "t", max_rows_per_file=10, progress=watch)
    assert [(what, count) for what, count, _ in watch.heard] == [
        ("begin", 0),
        ("complete", 10),
        ("begin", 0),
        ("complete", 10),
        ("begin", 0),
        ("complete", 5),
    ]
    files = [fragment.metadata.files[0].path for fragment in made.get_fragments()]
    assert [path for what, _, path in watch.heard if what == "begin"] == files


@pytest.mark.parametrize("fails_at", [1, 2, 3, 4])
def test_who_watches_a_write_can_end_it(fails_at, tmp_path):
    with pytest.raises(RuntimeError, match="enough"):
        write_fragments(
            rows(0, 25), tmp_path / "t", max_rows_per_file=10, progress=Watch(fails_at)
        )
    assert files_below(tmp_path / "t") == []


def test_progress_is_kept_in_files(tmp_path):
    folder = tmp_path / "progress"
    progress = FileSystemFragmentWriteProgress(str(folder), {"worker": "7"})
    LanceFragment.create(tmp_path / "t", rows(0, 25), progress=progress)
    assert sorted(path.name for path in folder.iterdir()) == ["fragment_0.json"]
    assert json.loads((folder / "fragment_0.json").read_text())["physical_rows"] == 25


def test_a_forked_child_reads_and_writes(table):
    """Without and with threads of the library in the parent."""
    program = f"""
import multiprocessing, os, sys
import pyarrow as pa
import tusk
uri = {table.uri!r}
def child(number):
    table = tusk.dataset(uri)
    assert table.count_rows("id > 50") == 48
    assert table.to_table().num_rows == 96
    tusk.LanceFragment.create(uri, pa.table({{"id": [number], "text": ["x"], "value": [1.0]}}))
    return number
fork = multiprocessing.get_context("fork")
if sys.argv[1] == "after":
    tusk.dataset(uri).to_table()
with fork.Pool(2) as pool:
    assert pool.map(child, range(4)) == [0, 1, 2, 3]
assert tusk.dataset(uri).to_table().num_rows == 96
"""
    for when in ("before", "after"):
        subprocess.run([sys.executable, "-c", program, when], check=True, timeout=120)
