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

import torch
import torch.utils.data

class AsyncDataset(torch.utils.data.IterableDataset[Any]):
    def __init__(
        self,
        dataset_creator: Callable[[], Iterable[Any]],
        *,
        queue_size: int = 4,
    ) -> None: ...
    def __iter__(self) -> Iterator[Any]: ...
    def close(self) -> None: ...
    @property
    def started(self) -> bool: ...

def async_dataset(
    dataset_creator: Callable[[], Iterable[Any]],
    *,
    queue_size: int = 4,
) -> AbstractContextManager[AsyncDataset]: ...
