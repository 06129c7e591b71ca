"""Compactions by pylance and by tusk make the same tasks and keep the same rows."""

import pickle
import random
import shutil
import subprocess
import sys

import lance
import lance.optimize
import pyarrow as pa
import pytest

import tusk
import tusk.optimize


def _rows(draw, begin, end):
    """Rows with nulls and nesting; `id` counts them."""

    def maybe(make):
        return [None if draw.random() < 0.2 else make(i) for i in range(begin, end)]

    pair = pa.struct({"x": pa.float64(), "y": pa.string()})
    vectors = [[float(i), 1.0] for i in range(begin, end)]
    return pa.table(
        {
            "id": pa.array(range(begin, end), pa.int64()),
            "text": pa.array(maybe(lambda i: f"text {i % 7}")),
            "list": pa.array(maybe(lambda i: list(range(i % 4))), pa.list_(pa.int32())),
            "struct": pa.array(maybe(lambda i: {"x": i / 2, "y": None}), pair),
            "vector": pa.array(vectors, pa.list_(pa.float32(), 2)),
        }
    )


def _make(path, seed, **options):
    """A table of many fragments, some with deleted rows, some without a later column."""
    draw = random.Random(seed)
    end = draw.randint(20, 60)
    options["max_rows_per_file"] = draw.randint(5, 40)
    table = lance.write_dataset(_rows(draw, 0, end), path, **options)
    for _ in range(draw.randint(1, 8)):
        action = draw.random()
        if action < 0.5:
            begin, end = end, end + draw.randint(1, 50)
            rows = _rows(draw, begin, end).select(table.schema.names[:5])
            most = draw.randint(5, 40)
            table = lance.write_dataset(rows, path, mode="append", max_rows_per_file=most)
        elif action < 0.8:
            table.delete(f"id % {draw.randint(3, 9)} = 0")
        elif "extra" not in table.schema.names:
            table.add_columns({"extra": "id * 2"})
        table = lance.dataset(path)
    return table


def _options(draw):
    options = {"target_rows_per_fragment": draw.choice([7, 30, 60, 1000])}
    if draw.random() < 0.3:
        options["materialize_deletions"] = False
    if draw.random() < 0.3:
        options["materialize_deletions_threshold"] = draw.random()
    if draw.random() < 0.3:
        options["max_source_fragments"] = draw.randint(1, 9)
    if draw.random() < 0.3:
        options["max_source_rows"] = draw.randint(1, 100)
    if draw.random() < 0.3:
        options["max_source_bytes"] = draw.randint(1, 40_000)
    if draw.random() < 0.3:
        options["excluded_fragment_ids"] = draw.sample(range(12), 3)
    return options


def _tasks(plan):
    return [[fragment.id for fragment in task.fragments] for task in plan.tasks]


def _fragments(path):
    return [fragment.fragment_id for fragment in lance.dataset(path).get_fragments()]


@pytest.mark.parametrize("stable_row_ids", [False, True])
@pytest.mark.parametrize("seed", range(20))
def test_the_same_tasks_and_the_same_rows(tmp_path, seed, stable_row_ids):
    theirs, ours = str(tmp_path / "theirs"), str(tmp_path / "ours")
    _make(theirs, seed, enable_stable_row_ids=stable_row_ids)
    shutil.copytree(theirs, ours)
    options = _options(random.Random(seed))

    expected = lance.optimize.Compaction.plan(lance.dataset(theirs), options)
    plan = tusk.optimize.Compaction.plan(tusk.dataset(ours), options)
    assert _tasks(plan) == _tasks(expected), options

    expected = lance.dataset(theirs).optimize.compact_files(**options)
    table = tusk.dataset(ours)
    metrics = table.optimize.compact_files(**options)
    for name in ("fragments_removed", "fragments_added", "files_removed", "files_added"):
        assert getattr(metrics, name) == getattr(expected, name), name
    scan = {"with_row_id": stable_row_ids}
    rows = lance.dataset(theirs).to_table(**scan)
    assert lance.dataset(ours).to_table(**scan) == rows
    assert tusk.dataset(ours).to_table(**scan) == rows
    assert tusk.dataset(theirs).to_table(**scan) == rows
    # What is beyond the target is cut evenly by pylance, to the same number of fragments.
    assert _fragments(ours) == _fragments(theirs)
    if stable_row_ids:
        columns = ["_row_created_at_version", "_row_last_updated_at_version"]
        assert lance.dataset(ours).to_table(columns) == lance.dataset(theirs).to_table(columns)
    lance.dataset(ours).validate()


def test_tasks_travel_as_text(tmp_path):
    path = str(tmp_path / "t")
    draw = random.Random(1)
    for i in range(6):
        lance.write_dataset(_rows(draw, 10 * i, 10 * i + 10), path, mode="append")
    table = tusk.dataset(path)
    plan = tusk.optimize.Compaction.plan(table, {"target_rows_per_fragment": 25})
    assert plan.num_tasks() == 2
    first, second = tusk.optimize.CompactionPlan.from_json(plan.json()).tasks
    # Somewhere else, later.
    lance.write_dataset(_rows(draw, 60, 70), path, mode="append")
    results = [
        tusk.optimize.CompactionTask.from_json(first.json()).execute(tusk.dataset(path)),
        pickle.loads(pickle.dumps(pickle.loads(pickle.dumps(second)).execute(tusk.dataset(path)))),
    ]
    results[0] = tusk.optimize.RewriteResult.from_json(results[0].json())
    assert [fragment.id for fragment in results[1].original_fragments] == [3, 4, 5]
    assert [fragment.physical_rows for fragment in results[1].new_fragments] == [30]
    metrics = tusk.optimize.Compaction.commit(table, results)
    assert (metrics.fragments_removed, metrics.fragments_added) == (6, 2)
    assert table.version == 8
    assert sorted(lance.dataset(path).to_table()["id"].to_pylist()) == list(range(70))
    assert len(lance.dataset(path).get_fragments()) == 3


def test_a_delete_of_others_is_a_conflict(tmp_path):
    path = str(tmp_path / "t")
    draw = random.Random(1)
    for i in range(3):
        lance.write_dataset(_rows(draw, 10 * i, 10 * i + 10), path, mode="append")
    (task,) = tusk.optimize.Compaction.plan(tusk.dataset(path), {}).tasks
    result = task.execute(tusk.dataset(path))
    lance.dataset(path).delete("id = 5")
    with pytest.raises(OSError, match="version 4"):
        tusk.optimize.Compaction.commit(tusk.dataset(path), [result])
    assert lance.dataset(path).count_rows() == 29


def test_large_values_are_written_whole(tmp_path):
    path = str(tmp_path / "t")
    blob = pa.field("blob", pa.large_binary(), metadata={"lance-encoding:blob": "true"})
    schema = pa.schema([pa.field("id", pa.int64()), blob])
    values = [None if i % 5 == 0 else bytes([i]) * (i * 1000) for i in range(12)]
    for i in range(4):
        part = pa.table([range(3 * i, 3 * i + 3), values[3 * i : 3 * i + 3]], schema=schema)
        lance.write_dataset(part, path, mode="append", data_storage_version="2.1")
    tusk.dataset(path).delete("id = 4")
    assert tusk.dataset(path).optimize.compact_files().fragments_added == 1
    left = [i for i in range(12) if i != 4]
    table = lance.dataset(path)
    assert table.to_table(["id"])["id"].to_pylist() == left
    present = [i for i, number in enumerate(left) if values[number] is not None]
    blobs = table.take_blobs("blob", indices=present)
    assert [one.readall() for one in blobs] == [values[left[i]] for i in present]


def test_fragments_of_an_index_stay_unless_row_ids_are_stable(tmp_path):
    for stable in (False, True):
        path = str(tmp_path / f"t{stable}")
        draw = random.Random(1)
        for i in range(6):
            lance.write_dataset(
                _rows(draw, 10 * i, 10 * i + 10), path, mode="append", enable_stable_row_ids=stable
            )
            if i == 3:
                lance.dataset(path).create_scalar_index("text", "BITMAP")
        metrics = tusk.dataset(path).optimize.compact_files()
        table = lance.dataset(path)
        assert len(table.get_fragments()) == (2 if stable else 5), metrics
        expected = table.to_table(filter="text = 'text 3'", use_scalar_index=False)
        assert expected.num_rows > 0
        assert table.to_table(filter="text = 'text 3'") == expected


def test_options_come_from_the_config(tmp_path):
    path = str(tmp_path / "t")
    draw = random.Random(1)
    for i in range(4):
        lance.write_dataset(_rows(draw, 10 * i, 10 * i + 10), path, mode="append")
    table = tusk.dataset(path)
    table.update_config({"lance.compaction.target_rows_per_fragment": "20"})
    assert tusk.optimize.Compaction.plan(table, {}).num_tasks() == 2
    assert tusk.optimize.Compaction.plan(table, {"target_rows_per_fragment": 100}).num_tasks() == 1
    table.update_config({"lance.compaction.target_rows_per_fragment": "many"})
    with pytest.raises(ValueError, match="target_rows_per_fragment"):
        table.optimize.compact_files()


@pytest.mark.parametrize(
    ("key", "text", "fits"),
    [
        ("materialize_deletions", "FALSE", True),
        ("materialize_deletions", "no", False),
        ("materialize_deletions_threshold", "0.25", True),
        ("materialize_deletions_threshold", "a quarter", False),
        ("compaction_mode", "Try_Binary_Copy", True),
        ("compaction_mode", "copy", False),
        ("max_source_rows", "1000", True),
        ("max_source_rows", "1e3", False),
        ("batch_size", "7", True),
        ("data_storage_version", "2.1", True),
        ("another", "thing", True),
    ],
)
def test_the_config_means_what_pylance_takes_it_for(tmp_path, key, text, fits):
    path = str(tmp_path / "t")
    for begin in (0, 5):
        lance.write_dataset(_rows(random.Random(1), begin, begin + 5), path, mode="append")
    lance.dataset(path).update_config({f"lance.compaction.{key}": text})
    shutil.copytree(path, str(tmp_path / "copy"))
    for dataset in (lance.dataset(str(tmp_path / "copy")), tusk.dataset(path)):
        if fits:
            assert dataset.optimize.compact_files().fragments_removed == 2
        else:
            with pytest.raises(Exception, match=key if dataset.uri == path else None):
                dataset.optimize.compact_files()


_COUNT_THREADS = """
import os, sys
import tusk
table = tusk.dataset(sys.argv[1], storage_options={"durable": "false"})
tasks = lambda: len(os.listdir("/proc/self/task"))
before = tasks()
assert table.optimize.compact_files(num_threads=1).fragments_removed == 200
print(tasks() - before)
"""


def test_num_threads_bounds_threads(tmp_path):
    path = str(tmp_path / "t")
    data = _rows(random.Random(1), 0, 200_000)
    lance.write_dataset(data, path, max_rows_per_file=1000)
    run = [sys.executable, "-c", _COUNT_THREADS, path]
    assert subprocess.run(run, check=True, capture_output=True, text=True).stdout.strip() == "0"
    assert tusk.dataset(path).to_table().equals(data)


@pytest.mark.parametrize(
    ("option", "error"),
    [
        ({"target_rows_per_fragment": 0}, ValueError),
        ({"max_source_rows": 0}, ValueError),
        ({"compaction_mode": "other"}, ValueError),
        ({"num_threads": 0}, ValueError),
        ({"data_storage_version": "9.9"}, ValueError),
        ({"target": 5}, TypeError),
    ],
)
def test_options_out_of_range_are_refused(tmp_path, option, error):
    path = str(tmp_path / "t")
    for _ in range(2):
        lance.write_dataset(_rows(random.Random(1), 0, 5), path, mode="append")
    with pytest.raises(error):
        tusk.dataset(path).optimize.compact_files(**option)
    assert tusk.dataset(path).version == 2


def test_optimize_does_all_and_goes_on_after_an_error(tmp_path):
    path = str(tmp_path / "t")
    draw = random.Random(1)
    for i in range(6):
        lance.write_dataset(_rows(draw, 10 * i, 10 * i + 10), path, mode="append")
    table = tusk.dataset(path)
    report = table.optimize(retain_versions=1)
    assert report.errors == {}
    assert report.compaction.fragments_removed == 6
    assert report.cleanup.old_versions == 6
    assert [version["version"] for version in lance.dataset(path).versions()] == [7]
    assert sorted(lance.dataset(path).to_table()["id"].to_pylist()) == list(range(60))
    # One that is large is not written again for a few rows.
    lance.write_dataset(_rows(draw, 60, 65), path, mode="append")
    assert tusk.dataset(path).optimize().compaction.fragments_removed == 0

    for i in range(2):
        lance.write_dataset(_rows(draw, 0, 10), path, mode="append")
    report = tusk.dataset(path).optimize(retain_versions=1, data_storage_version="9.9")
    assert list(report.errors) == ["compaction"]
    assert report.compaction is None
    assert report.cleanup.old_versions == 3


def test_bytes_that_small_appends_cost_are_bounded(tmp_path):
    path = str(tmp_path / "t")
    draw = random.Random(1)
    written = 0
    for i in range(60):
        table = tusk.write_dataset(
            _rows(draw, 10 * i, 10 * i + 10), path, mode="append" if i else "create"
        )
        known = {str(file) for file in (tmp_path / "t" / "data").iterdir()}
        table.optimize()
        new = [file for file in (tmp_path / "t" / "data").iterdir() if str(file) not in known]
        rows = sum(tusk.file.LanceFileReader(str(file)).num_rows() for file in new)
        written += rows
    # Rows double their fragment each time that they are written again.
    assert written <= 600 * 6
    assert len(lance.dataset(path).get_fragments()) <= 7


def test_old_versions_are_cleaned_up_after_commits(tmp_path):
    path = str(tmp_path / "t")
    draw = random.Random(1)
    options = {"interval": 3, "older_than_seconds": 0}
    tusk.write_dataset(_rows(draw, 0, 10), path, auto_cleanup_options=options)
    for i in range(1, 6):
        tusk.write_dataset(_rows(draw, 10 * i, 10 * i + 10), path, mode="append")
    assert [version["version"] for version in lance.dataset(path).versions()] == [6]
    assert lance.dataset(path).config()["lance.auto_cleanup.interval"] == "3"
    table = tusk.dataset(path)
    table.optimize.disable_auto_cleanup()
    for i in range(6, 9):
        tusk.write_dataset(_rows(draw, 10 * i, 10 * i + 10), path, mode="append")
    assert len(tusk.dataset(path).versions()) == 5
    table = tusk.dataset(path)
    table.optimize.enable_auto_cleanup({"interval": 1, "older_than_seconds": 0})
    assert len(table.versions()) == 1


def test_json_is_written_as_json(tmp_path):
    path = str(tmp_path / "t")
    texts = [f'{{"a":{i}}}' if i % 3 else None for i in range(12)]
    for i in range(4):
        values = pa.ExtensionArray.from_storage(pa.json_(), pa.array(texts[3 * i : 3 * i + 3]))
        lance.write_dataset(pa.table({"j": values}), path, mode="append")
    assert tusk.dataset(path).optimize.compact_files().fragments_added == 1
    assert lance.dataset(path).to_table()["j"].to_pylist() == texts
