"""The older way to share the batches of a table among processes; tusk.sampler is the newer one."""

import os
import warnings

import tusk
from tusk.sampler import _ranges_of, _torch_place, read_ranges

__all__ = ["ShardedBatchIterator"]


class ShardedBatchIterator:
    """Record batches of one of `world_size` parts of a table.

    data: a LanceDataset or a path.
    columns, batch_size, with_row_id: as in LanceDataset.scanner.
    granularity: "fragment", every world_size-th fragment from number `rank` on, or "batch", every
        world_size-th batch, then without row ids.
    """

    def __init__(
        self,
        data,
        rank,
        world_size,
        *,
        columns=None,
        batch_size=1024 * 10,
        granularity="fragment",
        batch_readahead=8,
        with_row_id=False,
    ):
        warnings.warn(
            "ShardedBatchIterator is deprecated, use tusk.sampler instead", stacklevel=2
        )
        if granularity not in ("fragment", "batch"):
            raise ValueError(f"granularity {granularity!r} is neither 'fragment' nor 'batch'")
        self._dataset = tusk.dataset(data) if isinstance(data, (str, os.PathLike)) else data
        self._rank = rank
        self._world_size = world_size
        self._columns = columns
        self._batch_size = batch_size
        self._granularity = granularity
        self._batch_readahead = batch_readahead
        self._with_row_id = with_row_id

    @staticmethod
    def from_torch(
        data,
        *,
        columns=None,
        batch_size=1024 * 10,
        granularity="fragment",
        batch_readahead=8,
        with_row_id=False,
    ):
        """One for this process of torch.distributed."""
        return ShardedBatchIterator(
            data,
            *_torch_place(),
            columns=columns,
            batch_size=batch_size,
            granularity=granularity,
            batch_readahead=batch_readahead,
            with_row_id=with_row_id,
        )

    def __iter__(self):
        if self._granularity == "fragment":
            return self._read_fragments()
        if self._with_row_id:
            raise NotImplementedError("with_row_id goes with the granularity 'fragment' only")
        total = self._dataset.count_rows()
        ranges = _ranges_of(self._rank, self._world_size, self._batch_size, total)
        return read_ranges(self._dataset, ranges, self._columns, self._batch_readahead)

    def _read_fragments(self):
        for fragment in self._dataset.get_fragments()[self._rank :: self._world_size]:
            yield from fragment.to_batches(
                columns=self._columns, batch_size=self._batch_size, with_row_id=self._with_row_id
            )
