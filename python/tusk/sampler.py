"""Samplers in the names of pylance: which rows of a table a process reads, and in which order.

A sampler is called with a dataset and gives record batches. For training that shuffles all rows and
can be resumed, see tusk.loader.
"""

import abc
import dataclasses
import heapq
import itertools
import os
import random
import typing
import warnings

import numpy as np
import pyarrow as pa

import tusk
from tusk._read_ahead import read_ahead
from tusk._rows import RowList

__all__ = [
    "maybe_sample",
    "Sampler",
    "FragmentSampler",
    "FullScanSampler",
    "ShardedFragmentSampler",
    "ShardedBatchSampler",
]

T = typing.TypeVar("T")
# Batches of a filtered scan that are held to be mixed.
_MIXED_BATCHES = 256
# Threads that read ranges of rows.
_THREADS = 2


@dataclasses.dataclass(order=True)
class PrioritizedItem(typing.Generic[T]):
    """An item that is compared by its priority alone."""

    priority: float
    item: T = dataclasses.field(compare=False)


def reservoir_sampling(stream, k):
    """k items of a stream, each choice of k as likely; all if there are fewer."""
    generator = np.random.default_rng()
    kept = []
    for item in stream:
        entry = PrioritizedItem(generator.random(), item)
        if len(kept) < k:
            heapq.heappush(kept, entry)
        elif k > 0:
            heapq.heappushpop(kept, entry)
    return [entry.item for entry in kept]


def maybe_sample(dataset, n, columns, batch_size=10240, max_takes=2048, filt=None):
    """Random rows, none of them twice, as record batches; all of them if there are no more than n.

    dataset: a LanceDataset or a path.
    columns: as in LanceDataset.take, or the name of one.
    batch_size: the most rows of a batch, as long as not more rows than that stand together.
    max_takes: if n is larger, then so many pieces of rows that stand together are taken, one from
        each of as many equal parts of the table: less random, and read faster.
    filt: SQL text or a pyarrow expression. The rows for which it is true are found by a scan.
    """
    if isinstance(dataset, (str, os.PathLike)):
        dataset = tusk.dataset(dataset)
    if isinstance(columns, str):
        columns = [columns]
    if n >= dataset.count_rows():
        yield from dataset.to_batches(columns=columns, batch_size=batch_size, filter=filt)
        return
    generator = np.random.default_rng()
    if filt is not None:
        found = dataset.scanner(["_rowoffset"], filt).to_batches()
        passing = RowList(batch["_rowoffset"].to_numpy() for batch in found)
        rows = passing[generator.permutation(len(passing))[:n]]
    elif n > max_takes:
        rows = _pieces(dataset.count_rows(), n, max_takes, generator)
    else:
        rows = generator.choice(dataset.count_rows(), n, replace=False)
    for begin in range(0, len(rows), batch_size):
        yield _take(dataset, rows[begin : begin + batch_size], columns)


def _pieces(total, n, count, generator):
    """n of the rows [0, total) in `count` pieces, one from each of as many parts; ascending."""
    part_ends = np.arange(1, count + 1) * total // count
    parts = np.diff(part_ends, prepend=0)
    # Rounded so that no piece is longer than its part, since n < total.
    pieces = np.diff(part_ends * n // total, prepend=0)
    begins = part_ends - parts + generator.integers(0, parts - pieces + 1)
    return np.concatenate([np.arange(b, b + p) for b, p in zip(begins, pieces)])


def _take(dataset, rows, columns):
    (batch,) = dataset.take(rows, columns).combine_chunks().to_batches()
    return batch


def read_ranges(dataset, ranges, columns, batch_readahead):
    """One record batch for each range (first, end) of row numbers, some of them read ahead."""

    def read(bounds):
        first, end = bounds
        scanner = dataset.scanner(columns, offset=first, limit=end - first)
        (batch,) = scanner.to_table().combine_chunks().to_batches()
        return batch

    return read_ahead(read, ranges, _THREADS, batch_readahead or 0)


def _ranges_of(rank, world_size, batch_size, total):
    """Every world_size-th range of batch_size rows, from number `rank` on."""
    begins = range(rank * batch_size, total, world_size * batch_size)
    return [(begin, min(begin + batch_size, total)) for begin in begins]


def _torch_place():
    """(rank, world size) of this process in torch.distributed."""
    from tusk.torch.dist import dist

    return dist.get_rank(), dist.get_world_size()


class Sampler(abc.ABC):
    """Gives record batches of a dataset. A sampler of one's own defines `__call__`."""

    @abc.abstractmethod
    def __call__(
        self,
        ds,
        *args,
        batch_size=128,
        columns=None,
        filter=None,
        batch_readahead=16,
        with_row_id=False,
        **kwargs,
    ):
        """A generator of record batches."""


class FragmentSampler(Sampler):
    """Reads whole fragments. One of one's own defines `iter_fragments`."""

    def __call__(
        self,
        dataset,
        *args,
        batch_size=128,
        columns=None,
        filter=None,
        batch_readahead=16,
        with_row_id=False,
        **kwargs,
    ):
        fragments = list(self.iter_fragments(dataset, *args, **kwargs))
        scanner = dataset.scanner(
            batch_size=batch_size,
            columns=columns,
            filter=filter,
            with_row_id=with_row_id,
            batch_readahead=batch_readahead,
            fragments=fragments,
        )
        yield from scanner.to_batches()

    @abc.abstractmethod
    def iter_fragments(self, ds, *args, **kwargs):
        """The fragments to read, in their order."""


class FullScanSampler(FragmentSampler):
    """Reads all rows in their order."""

    def iter_fragments(self, dataset, **kwargs):
        yield from dataset.get_fragments()


class _Sharded:
    """What samplers know of the process they are for."""

    def __init__(self, rank, world_size, randomize=False, seed=0):
        self._rank = rank
        self._world_size = world_size
        self._randomize = randomize
        self._seed = seed
        self._epoch = 0

    def set_epoch(self, epoch):
        """Chooses the order of an epoch, if the order is random."""
        self._epoch = epoch

    def _mixed(self, items):
        """A list of the items, in the epoch's order: the same in all processes."""
        items = list(items)
        if self._randomize:
            random.Random(self._seed + self._epoch).shuffle(items)
        return items


class ShardedFragmentSampler(_Sharded, FragmentSampler):
    """Reads every world_size-th fragment, from number `rank` on.

    randomize, seed: fragments come in another order in each epoch (`set_epoch`), which is the
        same in all processes.
    """

    @staticmethod
    def from_torch(randomize=False, seed=0):
        """One for this process of torch.distributed."""
        return ShardedFragmentSampler(*_torch_place(), randomize=randomize, seed=seed)

    def iter_fragments(self, dataset, **kwargs):
        fragments = self._mixed(dataset.get_fragments())
        yield from fragments[self._rank :: self._world_size]


class ShardedBatchSampler(_Sharded, Sampler):
    """Reads every world_size-th batch, from number `rank` on.

    randomize, seed: batches come in another order in each epoch (`set_epoch`).

    With a filter each process reads all rows for which it is true and keeps every world_size-th of
    them. If random, batches of them are mixed with the 256 around them.
    """

    def __len__(self):
        """How many batches; ShardedFixedBatchSampler alone knows before it has read."""
        return self._len

    @staticmethod
    def from_torch(randomize=False, seed=0):
        """One for this process of torch.distributed."""
        return ShardedBatchSampler(*_torch_place(), randomize=randomize, seed=seed)

    def __call__(
        self,
        dataset,
        *args,
        batch_size=128,
        columns=None,
        filter=None,
        batch_readahead=16,
        with_row_id=None,
        **kwargs,
    ):
        if filter is not None:
            batches = self._filtered(dataset, batch_size, columns, filter, with_row_id)
            return self._mix_as_they_come(batches) if self._randomize else batches
        if with_row_id:
            warnings.warn(
                "with_row_id is not supported for ShardedBatchSampler", stacklevel=2
            )
        total = dataset.count_rows()
        # Each process mixes its own batches, so that its share is the same in all epochs.
        ranges = self._mixed(_ranges_of(self._rank, self._world_size, batch_size, total))
        return read_ranges(dataset, ranges, columns, batch_readahead)

    def _filtered(self, dataset, batch_size, columns, filter, with_row_id):
        """This process's share of the rows for which the filter is true, in order."""
        scanner = dataset.scanner(columns, filter, with_row_id=with_row_id)
        seen = 0
        kept = []
        kept_rows = 0
        for batch in scanner.to_batches():
            first = (self._rank - seen) % self._world_size
            seen += batch.num_rows
            mine = batch.take(pa.array(range(first, batch.num_rows, self._world_size), pa.int64()))
            while mine.num_rows:
                room = batch_size - kept_rows
                kept.append(mine.slice(0, room))
                kept_rows += kept[-1].num_rows
                mine = mine.slice(room)
                if kept_rows == batch_size:
                    yield pa.concat_batches(kept)
                    kept, kept_rows = [], 0
        if kept:
            yield pa.concat_batches(kept)

    def _mix_as_they_come(self, batches):
        generator = random.Random(self._seed + self._epoch)
        batches = iter(batches)
        held = list(itertools.islice(batches, _MIXED_BATCHES))
        for batch in batches:
            place = generator.randrange(len(held))
            given, held[place] = held[place], batch
            yield given
        generator.shuffle(held)
        yield from held


class ShardedFixedBatchSampler(ShardedBatchSampler):
    """Lists of row numbers: of one of world_size ranges of rows, in batches that stand together.

    For a torch DataLoader over rows by number, as its `batch_sampler`; its length is known. The
    last range and the last batch of a range may be shorter.
    """

    def __init__(
        self, rank, world_size, randomize=False, seed=0, batch_size=0, total_num_rows=0
    ):
        super().__init__(rank, world_size, randomize, seed)
        self._batch_size = batch_size
        self._total_num_rows = total_num_rows
        self._len = len(self._begins()) if batch_size else 0

    @property
    def _share(self):
        """The rows of a range, but for the last."""
        return -(-self._total_num_rows // self._world_size)

    @property
    def _end(self):
        return min((self._rank + 1) * self._share, self._total_num_rows)

    def _begins(self):
        return range(self._rank * self._share, self._end, self._batch_size)

    def __iter__(self):
        for begin in self._mixed(self._begins()):
            yield list(range(begin, min(begin + self._batch_size, self._end)))

    @staticmethod
    def from_torch(batch_size, total_num_rows, randomize=False, seed=0):
        """One for this process of torch.distributed."""
        return ShardedFixedBatchSampler(
            *_torch_place(), randomize, seed, batch_size, total_num_rows
        )
