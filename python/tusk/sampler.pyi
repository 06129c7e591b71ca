"""Made by tools/make_stubs.py; do not edit."""

import datetime
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NoReturn

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as pads

import abc
from typing import TypeVar

from tusk.fragment import LanceFragment
from tusk.lance import LanceDataset

T = TypeVar("T")

class FragmentSampler(Sampler):
    def __call__(
        self,
        dataset: LanceDataset,
        *args: Any,
        batch_size: int = 128,
        columns: list[str] | dict[str, str] | None = None,
        filter: str | pc.Expression | None = None,
        batch_readahead: int = 16,
        with_row_id: bool = False,
        **kwargs: Any,
    ) -> Iterator[pa.RecordBatch]: ...
    def iter_fragments(
        self,
        ds: LanceDataset,
        *args: Any,
        **kwargs: Any,
    ) -> Iterator[LanceFragment]: ...

class FullScanSampler(FragmentSampler):
    def iter_fragments(self, dataset: LanceDataset, **kwargs: Any) -> Iterator[LanceFragment]: ...

class Sampler(abc.ABC):
    def __call__(
        self,
        ds: LanceDataset,
        *args: Any,
        batch_size: int = 128,
        columns: list[str] | dict[str, str] | None = None,
        filter: str | pc.Expression | None = None,
        batch_readahead: int = 16,
        with_row_id: bool = False,
        **kwargs: Any,
    ) -> Iterator[pa.RecordBatch]: ...

class ShardedBatchSampler(Sampler):
    def __init__(
        self,
        rank: int,
        world_size: int,
        randomize: bool = False,
        seed: int = 0,
    ) -> None: ...
    def __call__(
        self,
        dataset: LanceDataset,
        *args: Any,
        batch_size: int = 128,
        columns: list[str] | dict[str, str] | None = None,
        filter: str | pc.Expression | None = None,
        batch_readahead: int = 16,
        with_row_id: bool | None = None,
        **kwargs: Any,
    ) -> Iterator[pa.RecordBatch]: ...
    def __len__(self) -> int: ...
    @staticmethod
    def from_torch(randomize: bool = False, seed: int = 0) -> ShardedBatchSampler: ...
    def set_epoch(self, epoch: int) -> None: ...

class ShardedFixedBatchSampler(ShardedBatchSampler):
    def __init__(
        self,
        rank: int,
        world_size: int,
        randomize: bool = False,
        seed: int = 0,
        batch_size: int = 0,
        total_num_rows: int = 0,
    ) -> None: ...
    def __iter__(self) -> Iterator[Any]: ...
    @staticmethod
    def from_torch(
        batch_size: int,
        total_num_rows: int,
        randomize: bool = False,
        seed: int = 0,
    ) -> ShardedFixedBatchSampler: ...

class ShardedFragmentSampler(FragmentSampler):
    def __init__(
        self,
        rank: int,
        world_size: int,
        randomize: bool = False,
        seed: int = 0,
    ) -> None: ...
    @staticmethod
    def from_torch(randomize: bool = False, seed: int = 0) -> ShardedFragmentSampler: ...
    def iter_fragments(self, dataset: LanceDataset, **kwargs: Any) -> Iterator[LanceFragment]: ...
    def set_epoch(self, epoch: int) -> None: ...

def maybe_sample(
    dataset: LanceDataset | str | Path,
    n: int,
    columns: list[str] | dict[str, str],
    batch_size: int = 10240,
    max_takes: int = 2048,
    filt: str | pc.Expression | None = None,
) -> Iterator[pa.RecordBatch]: ...

def reservoir_sampling(stream: Iterable[T], k: int) -> list[T]: ...
