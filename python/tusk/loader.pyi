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
import numpy.typing as npt

from tusk.lance import LanceDataset

class Loader:
    def __init__(
        self,
        dataset: str | Path | LanceDataset,
        batch_size: int,
        *,
        columns: list[str] | dict[str, str] | None = None,
        filter: str | pc.Expression | None = None,
        rows: npt.ArrayLike | None = None,
        weights: str | npt.ArrayLike | pa.Array | pa.ChunkedArray | None = None,
        shuffle: bool = True,
        block_rows: int = 1,
        seed: int = 0,
        rank: int = 0,
        world_size: int = 1,
        remainder: str = 'keep',
        transform: Callable[[pa.RecordBatch], Any] | None = None,
        read_ahead: int = 8,
        threads: int = 4,
        blobs: str = 'descriptors',
    ) -> None: ...
    def __iter__(self) -> Iterator[Any]: ...
    def __len__(self) -> int: ...
    @property
    def dataset(self) -> LanceDataset: ...
    @property
    def epoch(self) -> int: ...
    def find_rows(self) -> None: ...
    def follow(self, steps: Iterable[tuple[int, Any]]) -> Iterator[Any]: ...
    @staticmethod
    def from_torch(
        dataset: str | Path | LanceDataset,
        batch_size: int,
        **options: Any,
    ) -> Loader: ...
    def load_state_dict(self, state: dict[str, Any]) -> None: ...
    @property
    def num_rows(self) -> int: ...
    @property
    def position(self) -> int: ...
    def read_steps(
        self,
        epoch: int,
        position: int,
        worker: int = 0,
        num_workers: int = 1,
        then: Callable[[Any], Any] | None = None,
    ) -> Iterator[tuple[int, Any]]: ...
    def set_epoch(self, epoch: int) -> None: ...
    def state_dict(self) -> dict[str, Any]: ...
    @property
    def version(self) -> int: ...

def to_numpy(batch: pa.RecordBatch) -> dict[str, np.ndarray]: ...
