"""Batches of rows for training: shuffled anew in each epoch, shared among processes, resumable."""

import os
import zlib

import numpy as np
import pyarrow as pa

import tusk
from tusk._permutation import BlockPermutation, Permutation, keys, mix
from tusk._read_ahead import read_ahead
from tusk._rows import RowList

_REMAINDERS = ("keep", "drop", "pad")
# What a state has, all of it whole numbers.
_STATE = ("version", "seed", "shuffle", "block_rows", "num_rows", "checksum", "epoch", "position")
# Rows whose numbers are computed at once: a call of numpy costs as much as some hundreds of them.
_ORDER_ROWS = 8192


class Loader:
    """Batches of the rows of one version of a Lance table, an epoch for each iteration.

    loader = tusk.Loader("train.lance", 256, columns=["image", "label"], seed=7)
    for epoch in range(3):
        for batch in loader:  # a pyarrow.RecordBatch
            ...

    dataset: a LanceDataset, or a path, whose newest version it then is. The loader stays with that
        version, whatever is written later.
    batch_size: rows of a batch, of this process.
    columns: as in LanceDataset.take.
    filter: SQL text or a pyarrow expression. The rows for which it is true are found by one scan,
        before the first batch; memory holds 2 bytes for each.
    rows: positions in the table (as LanceDataset.take counts them) to which the loader keeps, in
        any order, each once; with a filter, those of them for which it is true.
    weights: the name of a column, or a number for each row that `filter` and `rows` leave, in the
        order of the table. Rows are then drawn, each in proportion to its weight and with
        replacement, as many in an epoch as there are. Memory holds 8 bytes for each.
    shuffle: each epoch has another order of all rows, computed from the seed and its number and
        not stored. Otherwise, and without weights, rows come in the order of the table.
    block_rows: so many rows that follow each other stay together when they are shuffled. They are
        read in one piece, which disks that seek, object stores and cold caches do sooner; with
        batch_size whole batches are mixed. Blocks begin elsewhere in each epoch.
    seed: any whole number, the same in all processes of a training.
    rank, world_size: this process is number `rank` of so many which share every epoch: each row
        goes to one of them.
    remainder: what becomes of the last rows of an epoch, too few for a whole batch in each process.
        "keep": they are shared evenly, in smaller batches; if there are fewer rows than processes,
            some processes have one batch less.
        "drop": they are left out (others in each epoch, if shuffled).
        "pad": shared evenly too, with rows from the beginning of the epoch once more, so that
            all processes have the same number of batches, all of the same sizes.
    transform: called with each batch in a thread of ours; what it gives is handed out instead.
    read_ahead: batches that are read, or being read, beyond the one handed out; 0 reads in the
        calling thread.
    threads: that read ahead.
    blobs: what columns of blobs have in a batch: "descriptors", which say where their bytes lie, or
        "bytes": then all blobs of a batch are read at once and come as large_binary. Memory holds
        those of read_ahead + 1 batches, and of the one that is in use.

    Iterating goes on where the last iteration was left, and begins the next epoch after the end of
    one; `set_epoch` begins an epoch anew. `state_dict` says where it stands. The order depends on
    neither the batches' size nor the world's, so that others can go on from there.

    May be pickled, and be used in processes that were forked or spawned.
    """

    def __init__(
        self,
        dataset,
        batch_size,
        *,
        columns=None,
        filter=None,
        rows=None,
        weights=None,
        shuffle=True,
        block_rows=1,
        seed=0,
        rank=0,
        world_size=1,
        remainder="keep",
        transform=None,
        read_ahead=8,
        threads=4,
        blobs="descriptors",
    ):
        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, but is {batch_size}")
        if block_rows < 1:
            raise ValueError(f"block_rows must be at least 1, but is {block_rows}")
        if block_rows > 1 and (weights is not None or not shuffle):
            raise ValueError("block_rows is for rows that are shuffled, without weights")
        if not 0 <= rank < world_size:
            raise ValueError(f"rank must be in [0, world_size {world_size}), but is {rank}")
        if remainder not in _REMAINDERS:
            raise ValueError(f"remainder {remainder!r} is not one of {', '.join(_REMAINDERS)}")
        if read_ahead < 0 or threads < 1:
            raise ValueError(
                f"read_ahead must be at least 0 and threads at least 1, "
                f"but they are {read_ahead} and {threads}"
            )
        if blobs not in ("descriptors", "bytes"):
            raise ValueError(f"blobs must be descriptors or bytes, not {blobs!r}")
        self._dataset = _pinned(dataset)
        self._blobs = blobs
        self.batch_size = batch_size
        self.columns = columns
        self._filter = filter
        self._given_rows = _given_rows(self._dataset, rows)
        self._given_weights = weights
        self._shuffle = shuffle
        self._block_rows = block_rows
        self._seed = int(seed)
        self.rank = rank
        self.world_size = world_size
        self._remainder = remainder
        self.transform = transform
        self._read_ahead = read_ahead
        self._threads = threads
        self._epoch = 0
        self._position = 0
        self._iteration = None
        self._found = None

    @staticmethod
    def from_torch(dataset, batch_size, **options):
        """A Loader whose rank and world size are those of torch.distributed."""
        from tusk.torch.dist import get_dist_rank, get_dist_world_size

        place = {"rank": get_dist_rank(), "world_size": get_dist_world_size()}
        return Loader(dataset, batch_size, **{**place, **options})

    def __repr__(self):
        place = f"epoch {self._epoch}, row {self._position}"
        return f"<tusk.Loader of {self._dataset.uri!r} version {self.version}, at {place}>"

    def __getstate__(self):
        return {**self.__dict__, "_iteration": None}

    @property
    def dataset(self):
        """The LanceDataset of the loader's version."""
        return self._dataset

    @property
    def version(self):
        return self._dataset.version

    @property
    def num_rows(self):
        """Rows of an epoch, over all processes."""
        return self._rows.size

    def find_rows(self):
        """Finds the rows of an epoch now, if a filter or weights by column ask for a scan: what is
        pickled or forked from here on knows them.
        """
        if self._found is None:
            self._found = _find_rows(
                self._dataset, self._filter, self._given_rows, self._given_weights
            )

    @property
    def epoch(self):
        return self._epoch

    @property
    def position(self):
        """Rows of this epoch that all processes together have been handed, if all have as many
        batches as this one."""
        return self._position

    def set_epoch(self, epoch):
        """Goes to the beginning of an epoch."""
        if epoch < 0:
            raise ValueError(f"epoch must not be negative, but is {epoch}")
        self._go_to(epoch, 0)

    def __len__(self):
        """The batches of a whole epoch in this process."""
        return self._shares.count(self.num_rows)

    def __iter__(self):
        """The batches of what is left of the epoch. Ends any iteration before it."""
        steps = self.read_steps(self._epoch, self._position)
        try:
            yield from self.follow(steps)
        finally:
            steps.close()

    def follow(self, steps):
        """The batches of `steps`, pairs as `read_steps` gives them, with this loader standing at
        what was handed out. For those who have others read the steps (tusk.torch.loader).
        """
        iteration = self._iteration = object()
        for position, batch in steps:
            if self._iteration is not iteration:
                raise RuntimeError(
                    "this iteration of the loader has ended, because another has begun, or "
                    "set_epoch or load_state_dict were called"
                )
            self._position = position
            yield batch
            del batch
        if self._iteration is iteration:
            self._go_to(self._epoch + 1, 0)

    def read_steps(self, epoch, position, worker=0, num_workers=1, then=None):
        """Pairs of a position and the batch by which it is reached, from a position of an epoch on.

        worker, num_workers: only each num_workers-th batch, beginning with number `worker`.
        then: called with each batch after `transform`, in the threads that read.

        The loader stands where it stood: `follow` moves it.
        """
        tasks = self._rows_of_steps(epoch, position, worker, num_workers)
        made_by = [step for step in (self.transform, then) if step is not None]
        with_bytes = self._blobs == "bytes"
        take = self._dataset._take_with_bytes if with_bytes else self._dataset.take

        def read(step):
            after, rows = step
            batch = _to_batch(take(rows, self.columns))
            for make in made_by:
                batch = make(batch)
            return after, batch

        return read_ahead(read, tasks, self._threads, self._read_ahead)

    def _rows_of_steps(self, epoch, position, worker, num_workers):
        block_rows = self._block_rows if self._shuffle else 0
        order = self._rows.order(block_rows, self._seed, epoch)
        size = self._rows.size
        steps = self._shares.steps(size, position, worker, num_workers)
        at_once = max(1, _ORDER_ROWS // self.batch_size)
        while some := [step for _, step in zip(range(at_once), steps)]:
            positions = [np.arange(begin, end) % size for _, begin, end in some]
            rows = order(np.concatenate(positions))
            ends = np.cumsum([len(p) for p in positions])
            yield from zip((after for after, _, _ in some), np.split(rows, ends[:-1]))

    @property
    def _shares(self):
        return _Shares(self.batch_size, self.rank, self.world_size, self._remainder)

    @property
    def _rows(self):
        self.find_rows()
        return self._found

    def _go_to(self, epoch, position):
        self._iteration = None
        self._epoch = epoch
        self._position = position

    def state_dict(self):
        """Where the loader stands, in numbers and text. It counts batches that were handed out.

        A loader of any rank, world size and batch size goes on from there, so that one rank's is
        enough if all have had as many batches.
        """
        return {
            "version": self.version,
            **self._order_state(),
            "epoch": self._epoch,
            "position": self._position,
        }

    def _order_state(self):
        """What decides about the order, beside the version."""
        return {
            "seed": self._seed,
            "shuffle": self._shuffle,
            "block_rows": self._block_rows,
            "num_rows": self._rows.size,
            "checksum": self._rows.checksum,
        }

    def load_state_dict(self, state):
        """Goes to where the loader stood whose state it is; to its version of the table, too.

        ValueError if this one has another seed, or other rows, so that it could not go on there.
        """
        # States of before there were blocks are of rows on their own.
        state = {"block_rows": 1, **state}
        for name in _STATE:
            if not isinstance(state.get(name), int) or state[name] < 0 and name != "seed":
                raise ValueError(f"not the state of a loader: {name} is {state.get(name)!r}")
        dataset, found = self._dataset, self._found
        if state["version"] != self.version:
            self._dataset = dataset.checkout_version(state["version"])
            self._found = None
        for name, here in self._order_state().items():
            if state[name] != here:
                self._dataset, self._found = dataset, found
                raise ValueError(
                    f"{dataset.uri}, version {state['version']}: the state is of a loader with "
                    f"{name} {state[name]!r}, which is {here!r} here: it must have the same seed, "
                    "filter, rows and weights"
                )
        self._go_to(state["epoch"], state["position"])


def to_numpy(batch):
    """The columns of a batch as a dict of numpy arrays, numbers without nulls without a copy.

    Lists of fixed size become [n, size], tensors [n, *shape], text, bytes and other lists arrays
    of objects. Columns of numbers that have nulls become floats with NaN.
    """
    return dict(zip(batch.schema.names, map(_column_to_numpy, batch.columns)))


def _column_to_numpy(column):
    if isinstance(column.type, pa.FixedShapeTensorType):
        return column.to_numpy_ndarray()
    if isinstance(column, pa.FixedSizeListArray) and column.null_count == 0:
        return _column_to_numpy(column.flatten()).reshape(len(column), -1)
    return column.to_numpy(zero_copy_only=False)


class _Shares:
    """Which of an epoch's positions go to the batches of one process.

    In each step all processes together have the next batch_size * world_size positions, each of
    them batch_size one after the other: so what was consumed by all is one number, whose meaning
    does not depend on their number.
    """

    def __init__(self, batch_size, rank, world_size, remainder):
        self._batch_size = batch_size
        self._rank = rank
        self._world_size = world_size
        self._remainder = remainder

    def steps(self, size, position, worker, num_workers):
        """(position after the step, begin, end) of the steps with a batch, from `position` on.

        With "pad", positions from `size` on are those of the beginning once more.
        """
        whole = self._batch_size * self._world_size
        for begin in range(position + worker * whole, size, num_workers * whole):
            left = size - begin
            if left >= whole:
                first = begin + self._rank * self._batch_size
                yield begin + whole, first, first + self._batch_size
            elif self._remainder != "drop":
                first, end = (begin + part for part in self._part(left))
                if first < end:
                    yield size, first, end

    def _part(self, left):
        """This process's part of the `left` positions of the last step."""
        if self._remainder == "pad":
            share = -(-left // self._world_size)
            return self._rank * share, (self._rank + 1) * share
        return (
            left * self._rank // self._world_size,
            left * (self._rank + 1) // self._world_size,
        )

    def count(self, size):
        """How many steps of a whole epoch have a batch."""
        whole, left = divmod(size, self._batch_size * self._world_size)
        if left == 0 or self._remainder == "drop":
            return whole
        first, end = self._part(left)
        return whole + (first < end)


class _Rows:
    """The rows of an epoch, and the orders in which they can come."""

    def __init__(self, size, places=None, weights=None):
        """places: a RowList if not all of the table; weights: float64 [size] if they are drawn."""
        self.size = size
        self._places = places
        self._weights_below = None if weights is None else np.cumsum(weights)
        self.checksum = 0 if places is None else places.checksum
        if weights is not None:
            self.checksum = zlib.crc32(weights, self.checksum)

    def order(self, block_rows, seed, epoch):
        """A function from positions of an epoch (int64 [n]) to rows of the table (integers [n]).

        block_rows: that stay together when they are shuffled; 0 if they are not.
        """
        if self._weights_below is not None:
            order = self._draw(seed, epoch)
        elif block_rows > 1:
            order = BlockPermutation(self.size, block_rows, seed, epoch)
        elif block_rows == 1:
            order = Permutation(self.size, seed, epoch)
        else:
            order = np.asarray
        if self._places is None:
            return order
        return lambda positions: self._places[order(positions)]

    def _draw(self, seed, epoch):
        key, other_key = (np.uint64(key) for key in keys(2, seed, epoch))
        total = self._weights_below[-1] if self.size else 0.0

        def draw(positions):
            bits = mix(mix(positions.astype(np.uint64) ^ key) + other_key)
            # 53 bits are what a float holds of [0, 1).
            share = (bits >> np.uint64(11)) * 2.0**-53
            return np.searchsorted(self._weights_below, share * total, side="right")

        return draw


def _pinned(dataset):
    """A LanceDataset of its own, which nobody moves to another version."""
    if isinstance(dataset, (str, os.PathLike)):
        return tusk.dataset(dataset)
    if not isinstance(dataset, tusk.LanceDataset):
        raise TypeError(f"dataset must be a path or a LanceDataset, got {type(dataset)}")
    pinned = tusk.LanceDataset._of(dataset._table, dataset._session, dataset._base_store_params)
    pinned._storage_options = dataset._storage_options
    return pinned


def _given_rows(dataset, rows):
    """The `rows` of a Loader, ascending."""
    if rows is None:
        return None
    rows = np.unique(np.asarray(rows))
    if len(rows) and not np.issubdtype(rows.dtype, np.integer):
        raise TypeError(f"rows must be whole numbers, got {rows.dtype}")
    count = dataset.count_rows()
    if len(rows) and not 0 <= rows[0] <= rows[-1] < count:
        outside = int(rows[0] if rows[0] < 0 else rows[-1])
        raise IndexError(
            f"{dataset.uri}: version {dataset.version} has {count} rows, and so no row {outside}"
        )
    return RowList([rows])


def _find_rows(dataset, filter, given, weights):
    """The rows for which the filter is true, of the `given` ones; by one scan at most."""
    by_column = isinstance(weights, str)
    found_weights = []
    wanted = None if given is None else given[np.arange(len(given))]

    def scan():
        columns = ["_rowoffset", *([weights] if by_column else [])]
        for batch in dataset.scanner(columns, filter).to_batches():
            rows = batch["_rowoffset"].to_numpy().astype(np.int64)
            kept = slice(None)
            if wanted is not None and len(rows):
                first, end = np.searchsorted(wanted, (rows[0], rows[-1] + 1))
                kept = np.isin(rows, wanted[first:end], assume_unique=True)
            if by_column:
                found_weights.append(_checked_weights(batch[weights])[kept])
            yield rows[kept]

    if filter is None and not by_column:
        places = given
        size = dataset.count_rows() if given is None else len(given)
    else:
        places = RowList(scan())
        size = len(places)
        if size == dataset.count_rows():
            places = None
    if by_column:
        weights = np.concatenate([np.zeros(0), *found_weights])
    elif weights is not None:
        weights = _checked_weights(weights)
    if weights is not None and len(weights) != size:
        raise ValueError(f"there are {len(weights)} weights for {size} rows of {dataset.uri}")
    if weights is not None and size and not weights.sum() > 0:
        raise ValueError(f"{dataset.uri}: all weights are 0")
    return _Rows(size, places, weights)


def _checked_weights(weights):
    if isinstance(weights, (pa.Array, pa.ChunkedArray)):
        # Nulls become NaN.
        weights = weights.cast(pa.float64()).to_numpy(zero_copy_only=False)
    weights = np.asarray(weights, np.float64)
    wrong = np.flatnonzero(~((weights >= 0) & np.isfinite(weights)))
    if len(wrong):
        raise ValueError(f"weights must be finite and not negative, but one is {weights[wrong[0]]}")
    return weights


def _to_batch(table):
    """The rows of a table as one batch."""
    batches = table.to_batches()
    if len(batches) != 1:
        batches = table.combine_chunks().to_batches()
    if len(batches) > 1:
        wide = [column for column in table.schema.names if table[column].num_chunks > 1]
        raise ValueError(
            f"a batch of {table.num_rows} rows has more than 2 GiB in columns {', '.join(wide)}: "
            "make batches smaller"
        )
    return batches[0] if batches else pa.RecordBatch.from_pylist([], table.schema)
