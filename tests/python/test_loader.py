"""Batches for training: every row once, whoever shares them; stopped and resumed anywhere."""

import gc
import itertools
import json
import multiprocessing
import pickle
import subprocess
import sys
import threading

import numpy as np
import pyarrow as pa
import pytest

import tusk
from tusk.loader import Loader, to_numpy

ROWS = 1003


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """ids 0 to 1,002 in files of 300 rows, after some before and between them were deleted."""
    ids = np.arange(-50, ROWS + 50)
    data = pa.table({"id": ids, "even": ids % 2 == 0, "weight": np.where(ids < 10, 1.0 + ids, 0.0)})
    path = tmp_path_factory.mktemp("loader") / "t.lance"
    made = tusk.write_dataset(data, path, max_rows_per_file=300)
    made.delete(f"id < 0 OR id >= {ROWS}")
    return made


def ids_of(batches):
    return [batch["id"].to_pylist() for batch in batches]


def epoch_of(loader):
    return list(itertools.chain(*ids_of(loader)))


def test_epochs_have_every_row_once_in_other_orders(table):
    loader = Loader(table, 100, columns=["id"], seed=1)
    epochs = [ids_of(loader) for _ in range(3)]
    for batches in epochs:
        assert [len(batch) for batch in batches] == [100] * 10 + [3]
        assert sorted(itertools.chain(*batches)) == list(range(ROWS))
    assert epochs[0] != epochs[1] != epochs[2]
    assert loader.epoch == 3 and len(loader) == 11
    other = Loader(table, 100, columns=["id"], seed=2)
    assert ids_of(other) != epochs[0]
    loader.set_epoch(1)
    assert ids_of(loader) == epochs[1]


def test_without_shuffle_rows_come_in_order(table):
    assert epoch_of(Loader(table, 64, columns=["id"], shuffle=False)) == list(range(ROWS))


def test_rows_are_those_of_take(table):
    whole = table.to_table()
    for batch in Loader(table, 200):
        assert isinstance(batch, pa.RecordBatch) and batch.schema == whole.schema
        assert pa.table(batch).equals(whole.take(batch["id"]))


@pytest.mark.parametrize("remainder", ["keep", "drop", "pad"])
@pytest.mark.parametrize("world_size", [1, 2, 3, 7])
@pytest.mark.parametrize("batch_size", [1, 10, 143, 400])
def test_ranks_share_an_epoch(table, world_size, batch_size, remainder):
    loaders = [
        Loader(
            table, batch_size, columns=["id"], rank=r, world_size=world_size, remainder=remainder,
            read_ahead=0,
        )
        for r in range(world_size)
    ]  # fmt: skip
    batches = [ids_of(loader) for loader in loaders]
    assert [len(loader) for loader in loaders] == [len(b) for b in batches]
    read = sorted(itertools.chain(*itertools.chain(*batches)))
    whole, left = divmod(ROWS, batch_size * world_size)
    sizes = [[len(batch) for batch in b] for b in batches]
    assert all(b[:whole] == [batch_size] * whole for b in sizes)
    last = [sum(b[whole:]) for b in sizes]
    if remainder == "keep":
        assert read == list(range(ROWS))
        assert sum(last) == left and max(last) - min(last) <= 1
    elif remainder == "drop":
        assert last == [0] * world_size
        assert len(read) == len(set(read)) == ROWS - left
    else:
        assert set(read) == set(range(ROWS))
        assert last == [-(-left // world_size)] * world_size
        # What is there twice is the beginning of the epoch.
        order = epoch_of(Loader(table, 100, columns=["id"]))
        assert read == sorted(range(ROWS)) or sorted(order + order[: len(read) - ROWS]) == read


@pytest.mark.parametrize("remainder", ["keep", "drop", "pad"])
def test_an_epoch_goes_on_in_another_world(table, remainder):
    """Stopped after every number of steps, resumed by more and fewer ranks of other batch sizes."""
    order = epoch_of(Loader(table, 100, columns=["id"], seed=5))

    def world(size, batch_size, state=None):
        loaders = [
            Loader(
                table, batch_size, columns=["id"], seed=5, rank=r, world_size=size,
                remainder=remainder, read_ahead=0,
            )
            for r in range(size)
        ]  # fmt: skip
        for loader in loaders if state else []:
            loader.load_state_dict(state)
        return loaders

    for steps in range(6):
        read = []
        states = []
        for loader in world(3, 64):
            read += itertools.chain(*ids_of(itertools.islice(loader, steps)))
            states.append(json.loads(json.dumps(loader.state_dict())))
        position = steps * 3 * 64
        assert sorted(read) == sorted(order[:position])
        assert all(state == states[0] for state in states) and states[0]["position"] == position
        for size, batch_size in ((1, 50), (2, 70), (5, 10)):
            others = world(size, batch_size, states[0])
            rest = itertools.chain(*(epoch_of(loader) for loader in others))
            last = (ROWS - position) % (size * batch_size)
            expected = order[position:]
            if remainder == "drop":
                expected = expected[: len(expected) - last]
            elif remainder == "pad":
                expected = expected + order[: -last % size]
            assert sorted(rest) == sorted(expected)


def test_a_state_counts_batches_handed_out_not_those_read_ahead(table):
    loader = Loader(table, 10, columns=["id"], read_ahead=8)
    whole = ids_of(Loader(table, 10, columns=["id"]))
    batches = iter(loader)
    assert loader.state_dict()["position"] == 0
    assert ids_of(itertools.islice(batches, 3)) == whole[:3]
    assert loader.state_dict()["position"] == 30
    other = Loader(table, 10, columns=["id"], read_ahead=0)
    other.load_state_dict(loader.state_dict())
    assert ids_of(other) == whole[3:] == ids_of(batches)
    assert loader.state_dict() == other.state_dict()
    assert (loader.epoch, loader.position) == (1, 0)


def test_iterating_goes_on_where_it_was_left(table):
    whole = ids_of(Loader(table, 100, columns=["id"]))
    loader = Loader(table, 100, columns=["id"])
    for number, batch in enumerate(loader):
        assert batch["id"].to_pylist() == whole[number]
        if number == 4:
            break
    assert ids_of(loader) == whole[5:]


def test_an_older_iteration_ends_when_another_begins(table):
    loader = Loader(table, 100, columns=["id"])
    first = iter(loader)
    next(first)
    second = iter(loader)
    next(second)
    with pytest.raises(RuntimeError, match="another has begun"):
        next(first)
    loader.set_epoch(0)
    with pytest.raises(RuntimeError, match="set_epoch"):
        next(second)


def test_the_version_is_pinned(tmp_path):
    made = tusk.write_dataset(pa.table({"id": range(100)}), tmp_path / "t")
    loader = Loader(made, 10, seed=3)
    expected = epoch_of(Loader(tmp_path / "t", 10, seed=3))
    batches = iter(loader)
    read = next(batches)["id"].to_pylist()
    made.delete("id < 50")
    made.insert(pa.table({"id": range(500, 600)}))
    assert read + list(itertools.chain(*ids_of(batches))) == expected
    # Who opens the table anew has the newest version, until a state says which one it was.
    later = Loader(tmp_path / "t", 10, seed=3)
    assert later.version == 3 and later.num_rows == 150
    later.load_state_dict({**loader.state_dict(), "epoch": 0})
    assert later.version == 1 and epoch_of(later) == expected


def test_filters_and_rows_choose(table):
    even = Loader(table, 50, columns=["id"], filter="even")
    assert sorted(epoch_of(even)) == list(range(0, ROWS, 2))
    assert even.num_rows == 502
    some = Loader(table, 50, columns=["id"], rows=[5, 3, 3, 1000, 0])
    assert sorted(epoch_of(some)) == [0, 3, 5, 1000] != epoch_of(some)
    thirds = Loader(table, 50, columns=["id"], filter="even", rows=np.arange(0, ROWS, 3))
    assert sorted(epoch_of(thirds)) == list(range(0, ROWS, 6))
    ordered = Loader(table, 50, columns=["id"], filter="even", shuffle=False)
    assert epoch_of(ordered) == list(range(0, ROWS, 2))
    all_of_them = Loader(table, 50, columns=["id"], filter="id >= 0")
    assert epoch_of(all_of_them) == epoch_of(Loader(table, 50, columns=["id"]))
    none = Loader(table, 50, filter="id < 0")
    assert list(none) == [] and len(none) == 0 and none.epoch == 1


def test_filtered_rows_are_resumed(table):
    whole = epoch_of(Loader(table, 50, columns=["id"], filter="even"))
    loader = Loader(table, 50, columns=["id"], filter="even")
    read = ids_of(itertools.islice(loader, 4))
    other = Loader(table, 7, columns=["id"], filter="id % 2 = 0")
    other.load_state_dict(loader.state_dict())
    assert list(itertools.chain(*read)) + epoch_of(other) == whole


def test_weights_draw_in_proportion(table):
    """Rows 0 to 9 weigh 1 to 10, the others nothing."""
    loader = Loader(table, 100, columns=["id"], weights="weight")
    drawn = list(itertools.chain(*(epoch_of(loader) for _ in range(40))))
    assert len(drawn) == 40 * ROWS
    counts = np.bincount(drawn, minlength=10)
    expected = len(drawn) * np.arange(1, 11) / 55
    statistic = ((counts - expected) ** 2 / expected).sum()
    assert statistic < 9 + 5 * 18**0.5
    given = Loader(table, 100, columns=["id"], weights=table.to_table()["weight"])
    assert epoch_of(given) == drawn[:ROWS]
    heavy = Loader(table, 100, columns=["id"], filter="id IN (3, 900)", weights=[0, 2])
    assert epoch_of(heavy) == [900, 900]


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"batch_size": 0}, ValueError, "batch_size"),
        ({"rank": 2, "world_size": 2}, ValueError, "rank"),
        ({"remainder": "some"}, ValueError, "keep, drop, pad"),
        ({"read_ahead": -1}, ValueError, "read_ahead"),
        ({"threads": 0}, ValueError, "threads"),
        ({"rows": [ROWS]}, IndexError, "no row 1003"),
        ({"rows": [-1]}, IndexError, "no row -1"),
        ({"rows": [0.5]}, TypeError, "whole numbers"),
        ({"dataset": 5}, TypeError, "LanceDataset"),
    ],
)
def test_wrong_parameters_are_told(table, options, error, message):
    with pytest.raises(error, match=message):
        Loader(**{"dataset": table, "batch_size": 10, **options})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"weights": [1.0]}, "1 weights for 1003 rows"),
        ({"weights": np.zeros(ROWS)}, "all weights are 0"),
        ({"weights": np.full(ROWS, -1.0)}, "not negative"),
        ({"weights": np.full(ROWS, np.nan)}, "finite"),
        ({"filter": "nothing > 1"}, "nothing"),
    ],
)
def test_wrong_weights_and_filters_are_told_when_rows_are_found(table, options, message):
    with pytest.raises(Exception, match=message):
        next(iter(Loader(table, 10, **options)))


def test_states_of_other_loaders_are_refused(table):
    state = Loader(table, 10, columns=["id"], seed=4).state_dict()
    for options in ({"seed": 5}, {"seed": 4, "shuffle": False}, {"seed": 4, "filter": "even"}):
        other = Loader(table, 10, **options)
        with pytest.raises(ValueError, match="the state is of a loader with"):
            other.load_state_dict(state)
    half = Loader(table, 10, seed=4, filter="even").state_dict()
    with pytest.raises(ValueError, match="checksum|num_rows"):
        Loader(table, 10, seed=4, filter="NOT even OR id = 0").load_state_dict(half)
    for name in state:
        with pytest.raises(ValueError, match=name):
            Loader(table, 10, seed=4).load_state_dict({**state, name: None})
    with pytest.raises(ValueError, match="position"):
        Loader(table, 10, seed=4).load_state_dict({**state, "position": -1})
    with pytest.raises(OSError, match="99"):
        Loader(table, 10, seed=4).load_state_dict({**state, "version": 99})


def test_transform_runs_in_the_threads_and_its_error_arrives_in_order(table):
    threads = set()

    def double(batch):
        threads.add(threading.current_thread().name)
        return batch["id"].to_numpy() * 2

    loader = Loader(table, 100, columns=["id"], transform=double)
    assert sorted(np.concatenate(list(loader))) == list(range(0, 2 * ROWS, 2))
    assert threads and all(name.startswith("tusk-read-ahead") for name in threads)

    def fail(batch):
        if 0 in batch["id"].to_pylist():
            raise KeyError("the picture of row 0")
        return batch

    whole = ids_of(Loader(table, 10, columns=["id"]))
    at = next(number for number, ids in enumerate(whole) if 0 in ids)
    loader = Loader(table, 10, columns=["id"], transform=fail)
    batches = iter(loader)
    assert ids_of(itertools.islice(batches, at)) == whole[:at]
    with pytest.raises(KeyError, match="row 0"):
        next(batches)
    assert loader.position == at * 10


@pytest.mark.parametrize("ahead", [1, 3])
def test_no_more_is_read_ahead_than_asked_and_nothing_after_the_end(table, ahead):
    begun = []
    loader = Loader(
        table, 10, columns=["id"], read_ahead=ahead, threads=1, transform=begun.append
    )
    batches = iter(loader)
    for handed in range(1, 6):
        next(batches)
        assert len(begun) <= handed + ahead
    batches.close()
    assert not [t for t in threading.enumerate() if t.name.startswith("tusk-read-ahead")]
    so_far = len(begun)
    assert so_far <= 5 + ahead
    # Left, not closed.
    for _ in loader:
        break
    gc.collect()
    assert not [t for t in threading.enumerate() if t.name.startswith("tusk-read-ahead")]


def test_to_numpy_gives_arrays(tmp_path):
    vectors = np.arange(12, dtype=np.float32).reshape(4, 3)
    tensors = np.arange(16, dtype=np.int32).reshape(4, 2, 2)
    batch = pa.record_batch(
        {
            "n": pa.array([1, 2, 3, 4]),
            "maybe": pa.array([1, None, 3, 4]),
            "flag": pa.array([True, False, True, True]),
            "text": pa.array(["a", "b", None, "d"]),
            "bytes": pa.array([b"a", b"b", b"c", b"d"]),
            "vector": pa.FixedSizeListArray.from_arrays(vectors.ravel(), 3),
            "tensor": pa.FixedShapeTensorArray.from_numpy_ndarray(tensors),
        }
    ).slice(1)
    found = to_numpy(batch)
    assert list(found) == batch.schema.names
    assert found["n"].dtype == np.int64 and found["n"].tolist() == [2, 3, 4]
    assert np.isnan(found["maybe"][0]) and found["maybe"].tolist()[1:] == [3.0, 4.0]
    assert found["flag"].tolist() == [False, True, True]
    assert found["text"].tolist() == ["b", None, "d"]
    assert found["bytes"].tolist() == [b"b", b"c", b"d"]
    assert np.array_equal(found["vector"], vectors[1:])
    assert np.array_equal(found["tensor"], tensors[1:])


def _read_in_child(loader, queue):
    queue.put((loader.epoch, epoch_of(loader)))


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_processes_use_a_loader_that_was_used_here(table, method):
    loader = Loader(table, 100, columns=["id"], filter="even", seed=9)
    first = ids_of(itertools.islice(loader, 2))
    context = multiprocessing.get_context(method)
    queue = context.Queue()
    child = context.Process(target=_read_in_child, args=(loader, queue))
    child.start()
    epoch, rest = queue.get(timeout=60)
    child.join()
    assert child.exitcode == 0 and epoch == 0
    assert list(itertools.chain(*first)) + rest == list(itertools.chain(*first)) + epoch_of(loader)
    copy = pickle.loads(pickle.dumps(loader))
    assert epoch_of(copy) == epoch_of(loader)


INTERRUPTED = """
import os, signal, sys, threading, time
import tusk

loader = tusk.Loader(sys.argv[1], 10, transform=lambda batch: time.sleep(0.05) or batch)
threading.Timer(1, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    while True:
        for batch in loader:
            pass
except KeyboardInterrupt:
    assert not [t for t in threading.enumerate() if t.name.startswith("tusk-read-ahead")]
    print("stopped")
"""


def test_ctrl_c_stops_a_loader(table):
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, table.uri],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.stdout == "stopped\n", done.stderr
