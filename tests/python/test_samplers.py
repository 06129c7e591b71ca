"""Samplers with pylance's names read what pylance's read; caches give back what they were given."""

import collections
import itertools
import pickle
import subprocess
import sys
import warnings

import lance
import lance.sampler
import numpy as np
import pyarrow as pa
import pytest
from lance._dataset.sharded_batch_iterator import ShardedBatchIterator as PylanceIterator

import tusk
from tusk import sampler
from tusk._dataset.cache import CachedDataset
from tusk._dataset.sharded_batch_iterator import ShardedBatchIterator

ROWS = 1030


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    data = pa.table({"id": range(ROWS), "half": [i % 2 == 0 for i in range(ROWS)]})
    path = str(tmp_path_factory.mktemp("sampler") / "t.lance")
    tusk.write_dataset(data, path, max_rows_per_file=100)
    return path


@pytest.fixture(scope="module")
def ours(paths):
    return tusk.dataset(paths)


@pytest.fixture(scope="module")
def theirs(paths):
    return lance.dataset(paths)


def ids_of(batches):
    return [batch["id"].to_pylist() for batch in batches]


def flat(batches):
    return list(itertools.chain(*ids_of(batches)))


def test_every_name_of_pylance_is_there():
    for name in [*lance.sampler.__all__, "ShardedFixedBatchSampler", "reservoir_sampling"]:
        assert hasattr(sampler, name), name
    assert sampler.__all__ == lance.sampler.__all__


@pytest.mark.parametrize("options", [{}, {"filter": "half"}, {"with_row_id": True}])
def test_a_full_scan_reads_all(ours, theirs, options):
    batches = list(sampler.FullScanSampler()(ours, batch_size=64, columns=["id"], **options))
    expected = lance.sampler.FullScanSampler()(
        theirs, batch_size=64, columns=["id"], **options
    )
    assert pa.Table.from_batches(batches).equals(pa.Table.from_batches(expected))
    assert max(batch.num_rows for batch in batches) <= 64


@pytest.mark.parametrize("randomize", [False, True])
@pytest.mark.parametrize("filter", [None, "half"])
def test_fragments_are_shared(ours, theirs, randomize, filter):
    read = []
    for rank in range(3):
        arguments = (rank, 3, randomize, 7)
        mine = flat(sampler.ShardedFragmentSampler(*arguments)(ours, filter=filter))
        theirs_read = flat(lance.sampler.ShardedFragmentSampler(*arguments)(theirs, filter=filter))
        assert mine == theirs_read
        read += mine
    assert sorted(read) == list(range(0, ROWS, 2 if filter else 1))


@pytest.mark.parametrize("randomize", [False, True])
def test_batches_are_shared(ours, theirs, randomize):
    read = []
    for rank in range(3):
        arguments = (rank, 3, randomize, 7)
        mine = ids_of(sampler.ShardedBatchSampler(*arguments)(ours, batch_size=64))
        assert mine == ids_of(
            lance.sampler.ShardedBatchSampler(*arguments)(theirs, batch_size=64)
        )
        read += itertools.chain(*mine)
    assert sorted(read) == list(range(ROWS))


@pytest.mark.parametrize("batch_size", [1, 64, 2000])
@pytest.mark.parametrize("randomize", [False, True])
def test_filtered_batches_are_shared(ours, batch_size, randomize):
    read = []
    for rank in range(4):
        one = sampler.ShardedBatchSampler(rank, 4, randomize, 7)
        mine = ids_of(one(ours, batch_size=batch_size, filter="half"))
        assert sum(len(batch) != batch_size for batch in mine) <= 1
        in_order = list(range(0, ROWS, 2))[rank::4]
        assert sorted(itertools.chain(*mine)) == in_order
        assert randomize or list(itertools.chain(*mine)) == in_order
        read += itertools.chain(*mine)
    assert sorted(read) == list(range(0, ROWS, 2))
    nothing = sampler.ShardedBatchSampler(0, 4, randomize)
    assert list(nothing(ours, filter="id < 0")) == []


@pytest.mark.parametrize(
    "make", [sampler.ShardedFragmentSampler, sampler.ShardedBatchSampler], ids=lambda c: c.__name__
)
@pytest.mark.parametrize("filter", [None, "half"])
def test_epochs_differ_and_ranks_agree(ours, make, filter):
    def read(epoch):
        found = []
        for rank in range(2):
            one = make(rank, 2, randomize=True, seed=3)
            one.set_epoch(epoch)
            found.append(flat(one(ours, batch_size=16, filter=filter)))
        assert sorted(found[0] + found[1]) == list(range(0, ROWS, 2 if filter else 1))
        return found

    assert read(0) == read(0) != read(1)


@pytest.mark.parametrize("randomize", [False, True])
@pytest.mark.parametrize(("total", "world", "size"), [(1000, 4, 100), (1003, 3, 50), (7, 4, 2)])
def test_fixed_batches_are_those_of_pylance(total, world, size, randomize):
    for rank in range(world):
        arguments = (rank, world, randomize, 5, size, total)
        mine = sampler.ShardedFixedBatchSampler(*arguments)
        other = lance.sampler.ShardedFixedBatchSampler(*arguments)
        for epoch in range(2):
            mine.set_epoch(epoch)
            other.set_epoch(epoch)
            assert list(mine) == list(other) and len(mine) == len(list(mine))


def test_the_state_of_python_s_random_numbers_is_left_alone(ours):
    import random

    random.seed(1)
    before = random.getstate()
    list(sampler.ShardedBatchSampler(0, 2, randomize=True)(ours))
    list(sampler.ShardedFragmentSampler(0, 2, randomize=True)(ours))
    assert random.getstate() == before


@pytest.mark.parametrize(("n", "max_takes"), [(0, 10), (1, 10), (300, 2048), (300, 20), (1029, 7)])
def test_samples_are_random_and_not_doubled(ours, n, max_takes):
    batches = list(sampler.maybe_sample(ours, n, "id", batch_size=100, max_takes=max_takes))
    ids = flat(batches)
    assert len(ids) == len(set(ids)) == n
    assert all(batch.num_rows == 100 for batch in batches[:-1])
    if 1 < n < ROWS - 1:
        assert ids != flat(sampler.maybe_sample(ours, n, ["id"], max_takes=max_takes))


def test_samples_of_filtered_rows_and_of_all(ours, paths):
    ids = flat(sampler.maybe_sample(paths, 100, "id", filt="half"))
    assert len(set(ids)) == 100 and all(i % 2 == 0 for i in ids)
    few = flat(sampler.maybe_sample(ours, 1000, "id", filt="id < 30"))
    assert sorted(few) == list(range(30))
    assert flat(sampler.maybe_sample(ours, ROWS, "id")) == list(range(ROWS))
    assert sorted(flat(sampler.maybe_sample(ours, 5000, "id", filt="half"))) == list(
        range(0, ROWS, 2)
    )


def test_each_row_is_sampled_as_often():
    counts = collections.Counter()
    for _ in range(2000):
        counts.update(sampler.reservoir_sampling(iter(range(20)), 5))
    assert sum(counts.values()) == 10_000
    statistic = sum((counts[i] - 500) ** 2 / 500 for i in range(20))
    assert statistic < 19 + 6 * 38**0.5
    assert sorted(sampler.reservoir_sampling([1, 2], 5)) == [1, 2]
    assert sampler.reservoir_sampling([1, 2], 0) == []


def test_pieces_come_from_all_parts(ours):
    for _ in range(20):
        rows = sampler._pieces(10_000, 999, 100, np.random.default_rng())
        assert len(np.unique(rows)) == 999 and rows.min() >= 0 and rows.max() < 10_000
        assert (np.bincount(rows // 100, minlength=100) >= 9).all()


@pytest.mark.parametrize("granularity", ["fragment", "batch"])
def test_sharded_batch_iterators_read_what_pylance_s_read(ours, theirs, granularity):
    for rank in range(3):
        options = {"batch_size": 64, "granularity": granularity, "columns": ["id"]}
        with pytest.warns(UserWarning, match="sampler"):
            mine = ShardedBatchIterator(ours, rank, 3, **options)
        with warnings.catch_warnings(action="ignore"):
            other = PylanceIterator(theirs, rank, 3, **options)
        assert ids_of(mine) == ids_of(other)
        assert ids_of(pickle.loads(pickle.dumps(mine))) == ids_of(mine)


def test_cached_batches_are_read_once(tmp_path):
    batches = [pa.record_batch({"a": [i]}) for i in range(5)]
    read = []
    stream = (read.append(batch) or batch for batch in batches)
    with CachedDataset(stream, tmp_path) as cached:
        first = iter(cached)
        next(first)
        with pytest.raises(RuntimeError, match="not come to its end"):
            iter(cached)
        assert [next(first) for _ in range(4)] == batches[1:]
        assert list(first) == []
        assert list(cached) == batches and list(cached) == batches and len(read) == 5
        assert len(list(tmp_path.iterdir())) == 1
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ValueError, match="closed"):
        iter(cached)
    with pytest.raises(ValueError, match="folder"):
        CachedDataset([], False)
    empty = CachedDataset([], True)
    assert list(empty) == [] and list(empty) == []
    empty.close()


WITHOUT_TORCH = """
import sys
sys.modules["torch"] = None
import tusk.hf, tusk.sampler, tusk.torch
for module in ("data", "dist", "loader", "async_dataset"):
    try:
        __import__(f"tusk.torch.{module}")
    except ModuleNotFoundError as error:
        assert "needs torch: pip install torch" in str(error), error
        assert error.name == "torch"
    else:
        raise AssertionError(module)
"""


def test_without_torch_what_needs_it_says_so():
    subprocess.run([sys.executable, "-c", WITHOUT_TORCH], check=True)
