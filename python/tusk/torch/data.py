"""Datasets of PyTorch over Lance tables, with pylance's names; see tusk.torch.loader to shuffle."""

import json
import os
import warnings

import numpy as np
import pyarrow as pa

import tusk
from tusk._dataset.cache import CachedDataset
from tusk._optional import require
from tusk.blob import is_blob_field
from tusk.sampler import FullScanSampler, ShardedBatchSampler, ShardedFragmentSampler, maybe_sample
from tusk.torch.dist import get_global_rank, get_global_world_size

torch = require("torch", "tusk.torch", "torch")

__all__ = ["LanceDataset", "SafeLanceDataset", "get_safe_loader"]


def _is_number(type_):
    return pa.types.is_integer(type_) or pa.types.is_floating(type_)


def _is_bfloat16(type_):
    return getattr(type_, "extension_name", None) == "lance.bfloat16"


def _from_numpy(array):
    if not array.flags.writeable:
        # Torch would let the program write into Arrow's memory, which others may read.
        array = array.copy()
    return torch.from_numpy(array)


def _bfloat16_tensor(array):
    """Of 2 bytes for each value, which torch knows; nulls become NaN."""
    storage = array.storage
    bits = np.frombuffer(storage.buffers()[1], np.int16, len(storage), 2 * storage.offset)
    tensor = torch.from_numpy(bits.copy()).view(torch.bfloat16)
    if storage.null_count:
        tensor[torch.from_numpy(storage.is_null().to_numpy(zero_copy_only=False))] = float("nan")
    return tensor


def _flat_values(lists):
    """The values of lists of fixed size, those of null lists too, so that there are n * size."""
    size = lists.type.list_size
    return lists.values.slice(lists.offset * size, len(lists) * size)


def _column_tensor(array, uint64_as_int64):
    """The tensor of a column of numbers or of lists of fixed size of them; None for others."""
    if isinstance(array.type, pa.FixedShapeTensorType):
        array = array.storage
    type_ = array.type
    if pa.types.is_fixed_size_list(type_):
        values = _column_tensor(_flat_values(array), uint64_as_int64)
        return None if values is None else values.view(-1, type_.list_size)
    if _is_bfloat16(type_):
        return _bfloat16_tensor(array)
    if not _is_number(type_) and not pa.types.is_boolean(type_):
        return None
    tensor = _from_numpy(array.to_numpy(zero_copy_only=False))
    if uint64_as_int64 and tensor.dtype == torch.uint64:
        tensor = tensor.to(torch.int64)
    return tensor


def _to_tensor(
    batch, *, uint64_as_int64=True, hf_converter=None, use_blob_api=False, **kwargs
):
    """The columns of a record batch, or of a dict of arrays, as tensors: a dict, or the only one.

    Numbers become [n], lists of fixed size and tensors of them [n, size]. Nulls become NaN. uint64,
    with which torch can do little, becomes int64, unless `uint64_as_int64` is False.

    hf_converter: a tusk.hf.HuggingFaceConverter for columns of other types.

    ValueError for a column of another type. NotImplementedError for the BlobFiles of a blob column.
    """
    names = batch.schema.names if isinstance(batch, pa.RecordBatch) else list(batch)
    tensors = {}
    for name in names:
        column = batch[name]
        if use_blob_api and isinstance(column, list):
            raise NotImplementedError(
                f"column {name!r} holds blobs: give a to_tensor_fn that reads and decodes them"
            )
        tensor = _column_tensor(column, uint64_as_int64)
        if tensor is None and hf_converter is not None:
            tensor = hf_converter.to_pytorch(name, column)
        if tensor is None:
            raise ValueError(
                f"column {name!r} of type {column.type} is no tensor: only numbers and lists of "
                "fixed size of them are; choose columns, or give a to_tensor_fn"
            )
        tensors[name] = tensor
    return next(iter(tensors.values())) if len(tensors) == 1 else tensors


class TensorDataset(torch.utils.data.Dataset):
    """Rows of a tensor or numpy array [n, ...] in batches, the last of which may be smaller."""

    def __init__(self, data, batch_size, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._data = torch.from_numpy(data) if isinstance(data, np.ndarray) else data
        self._batch_size = batch_size

    def __repr__(self):
        return f"<tusk.torch.data.TensorDataset of {tuple(self._data.shape)}>"

    def __len__(self):
        return -(-self._data.shape[0] // self._batch_size)

    def __getitem__(self, idx):
        if not 0 <= idx < len(self):
            # Ends a loop over the dataset.
            raise IndexError(f"there are {len(self)} batches, and so no batch {idx}")
        return self._data[idx * self._batch_size : (idx + 1) * self._batch_size]


def _joined(batches, batch_size):
    """Batches of a stream joined as long as they stay within so many rows."""
    held = []
    rows = 0
    for batch in batches:
        if held and rows + batch.num_rows > batch_size:
            yield pa.concat_batches(held)
            held, rows = [], 0
        held.append(batch)
        rows += batch.num_rows
        del batch
    if held:
        yield pa.concat_batches(held)


class LanceDataset(torch.utils.data.IterableDataset):
    """Batches of the rows of a Lance table as tensors, in the order of a sampler.

    dataset: a tusk.LanceDataset, or a path, opened with the dict `dataset_options`.
    batch_size: the most rows of a batch. It is for a DataLoader with `batch_size=None`.
    columns: as in LanceDataset.scanner; all if None. Of blob columns come lists of BlobFile.
    filter: SQL text or a pyarrow expression.
    samples: if not 0 or None, so many random rows (tusk.sampler.maybe_sample) instead of all.
    cache: True or a folder: the first epoch's batches are kept on disk for the later ones, where
        a process of its own iterates again (DataLoader: `persistent_workers`).
    with_row_id: with the column `_rowid`.
    rank, world_size: which of how many parts; deprecated, as a sampler knows that. If not given,
        found out from torch.distributed and from the DataLoader whose worker this is, unless
        `auto_detect_rank` is False.
    shard_granularity: parts are of whole fragments ("fragment", the default) or of batches.
    batch_readahead: for samplers.
    to_tensor_fn: turns a batch, a pyarrow.RecordBatch or a dict of columns if there are blobs, into
        what is handed out; called with the keywords `hf_converter` and `use_blob_api`. None hands
        out the batch.
    sampler: of tusk.sampler, or a function like those.
    """

    def __init__(
        self,
        dataset,
        batch_size,
        *args,
        dataset_options=None,
        columns=None,
        filter=None,
        samples=0,
        cache=None,
        with_row_id=False,
        rank=None,
        world_size=None,
        shard_granularity=None,
        batch_readahead=16,
        to_tensor_fn=_to_tensor,
        sampler=None,
        auto_detect_rank=True,
        **kwargs,
    ):
        super().__init__()
        if isinstance(dataset, (str, os.PathLike)):
            dataset = tusk.dataset(dataset, **(dataset_options or {}))
        if shard_granularity not in (None, "fragment", "batch"):
            raise ValueError(
                f"shard_granularity {shard_granularity!r} is neither 'fragment' nor 'batch'"
            )
        if rank is not None and world_size is not None:
            warnings.warn(
                "rank and world_size are deprecated: give a sampler",
                DeprecationWarning,
                stacklevel=2,
            )
        self.dataset = dataset
        self.batch_size = batch_size
        self.columns = columns
        self.filter = filter
        self.samples = samples
        self.cache = cache
        self.cached_ds = None
        self.rank = rank
        self.world_size = world_size
        self.shard_granularity = shard_granularity
        self.batch_readahead = batch_readahead
        self.sampler = sampler
        self._to_tensor_fn = to_tensor_fn
        self._auto_detect_rank = auto_detect_rank
        self._blobs = self._find_blobs()
        # By which the blobs are found.
        self.with_row_id = with_row_id or bool(self._blobs)
        self._hf_converter = self._find_converter()

    def __repr__(self):
        return f"<tusk.torch.data.LanceDataset of {self.dataset.uri!r}>"

    def _find_blobs(self):
        schema = self.dataset.schema
        columns = self.columns if isinstance(self.columns, list) else schema.names
        found = []
        for name in columns:
            place = schema.get_field_index(name)
            if place >= 0 and is_blob_field(schema.field(place)):
                found.append(name)
        return found

    def _find_converter(self):
        described = (self.dataset.schema.metadata or {}).get(b"huggingface")
        if described is None:
            return None
        from tusk.hf import HuggingFaceConverter

        return HuggingFaceConverter(json.loads(described))

    @property
    def schema(self):
        """The schema of the columns as they are stored."""
        if not self.columns:
            return self.dataset.schema
        stored = self.dataset.schema
        return pa.schema([stored.field(name) for name in self.columns], metadata=stored.metadata)

    def _place(self):
        """(rank, world size); None where nothing says them."""
        rank, world_size = self.rank, self.world_size
        if self._auto_detect_rank:
            rank = get_global_rank() if rank is None else rank
            world_size = get_global_world_size() if world_size is None else world_size
        return rank, world_size

    def _choose_sampler(self):
        if self.sampler is not None:
            return self.sampler
        rank, world_size = self._place()
        if rank is None or world_size is None:
            if self.shard_granularity is not None:
                raise ValueError("shard_granularity needs rank and world_size, or their detection")
            return FullScanSampler()
        if self.shard_granularity == "batch":
            return ShardedBatchSampler(rank, world_size)
        return ShardedFragmentSampler(rank, world_size)

    def _read(self):
        columns = self.columns or self.dataset.schema.names
        if self._blobs and not isinstance(columns, dict):
            columns = [name for name in columns if name not in self._blobs]
        if self.samples:
            batches = maybe_sample(
                self.dataset, self.samples, columns, self.batch_size, filt=self.filter
            )
        else:
            options = {"with_row_id": True} if self.with_row_id else {}
            batches = self._choose_sampler()(
                self.dataset,
                columns=columns,
                filter=self.filter,
                batch_size=self.batch_size,
                batch_readahead=self.batch_readahead,
                **options,
            )
        return _joined(batches, self.batch_size)

    def __iter__(self):
        batches = self.cached_ds
        if batches is None:
            batches = self._read()
            if self.cache:
                batches = self.cached_ds = CachedDataset(batches, self.cache)
        for batch in batches:
            if self._blobs:
                batch = self._with_blobs(batch)
            if self._to_tensor_fn is not None:
                batch = self._to_tensor_fn(
                    batch, hf_converter=self._hf_converter, use_blob_api=bool(self._blobs)
                )
            yield batch
            del batch

    def _with_blobs(self, batch):
        columns = {name: batch[name] for name in batch.schema.names}
        ids = columns["_rowid"].to_pylist()
        for name in self._blobs:
            columns[name] = self.dataset.take_blobs(name, ids=ids)
        return columns


class SafeLanceDataset(torch.utils.data.Dataset):
    """Rows of a Lance table by number, as dicts; each process opens the table for itself.

    uri: a path, opened with the dict `dataset_options`, at the version that is the newest now.
    """

    def __init__(self, uri, *, dataset_options=None, **kwargs):
        super().__init__(**kwargs)
        self.uri = uri
        opened = tusk.dataset(uri, **(dataset_options or {}))
        # Workers that start later see the same rows.
        self.dataset_options = {**(dataset_options or {}), "version": opened.version}
        self.dataset_options.pop("asof", None)
        self._len = opened.count_rows()
        self._ds = None

    def __len__(self):
        return self._len

    def __getitem__(self, idx):
        return self.__getitems__([idx])[0]

    def __getitems__(self, indices):
        """Rows by their numbers, in the order asked; a DataLoader takes a batch by one call."""
        if self._ds is None:
            self._ds = tusk.dataset(self.uri, **self.dataset_options)
        return self._ds.take(indices).to_pylist()

    def __getstate__(self):
        return {**self.__dict__, "_ds": None}


def get_safe_loader(dataset, batch_size=32, num_workers=4, **kwargs):
    """A DataLoader whose workers are spawned, not forked, and live through all epochs.

    Further arguments are the DataLoader's and win over these.
    """
    options = {"batch_size": batch_size, "num_workers": num_workers}
    if num_workers > 0:
        options["persistent_workers"] = True
        options["multiprocessing_context"] = torch.multiprocessing.get_context("spawn")
    return torch.utils.data.DataLoader(dataset, **{**options, **kwargs})
