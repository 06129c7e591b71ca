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

import numpy as np
import torch
import torch.utils.data

import tusk
from tusk.sampler import Sampler

class LanceDataset(torch.utils.data.IterableDataset[Any]):
    def __init__(
        self,
        dataset: tusk.LanceDataset | str | Path,
        batch_size: int,
        *args: Any,
        dataset_options: dict[str, Any] | None = None,
        columns: list[str] | dict[str, str] | None = None,
        filter: str | pc.Expression | None = None,
        samples: int = 0,
        cache: bool | str | Path | None = None,
        with_row_id: bool = False,
        rank: int | None = None,
        world_size: int | None = None,
        shard_granularity: str | None = None,
        batch_readahead: int = 16,
        to_tensor_fn: Callable[..., Any] = ...,
        sampler: Sampler | Callable[..., Iterator[pa.RecordBatch]] | None = None,
        auto_detect_rank: bool = True,
        **kwargs: Any,
    ) -> None: ...
    def __iter__(self) -> Iterator[Any]: ...
    @property
    def schema(self) -> pa.Schema: ...

class SafeLanceDataset(torch.utils.data.Dataset[dict[str, Any]]):
    def __init__(
        self,
        uri: str | Path,
        *,
        dataset_options: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None: ...
    def __getitem__(self, idx: int) -> dict[str, Any]: ...
    def __len__(self) -> int: ...

class TensorDataset(torch.utils.data.Dataset[torch.Tensor]):
    def __init__(
        self,
        data: torch.Tensor | np.ndarray,
        batch_size: int,
        *args: Any,
        **kwargs: Any,
    ) -> None: ...
    def __getitem__(self, idx: int) -> torch.Tensor: ...
    def __len__(self) -> int: ...

def get_safe_loader(
    dataset: torch.utils.data.Dataset[Any],
    batch_size: int = 32,
    num_workers: int = 4,
    **kwargs: Any,
) -> torch.utils.data.DataLoader[Any]: ...
