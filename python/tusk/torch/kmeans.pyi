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

class KMeans:
    def __init__(
        self,
        k: int,
        *,
        metric: str = 'l2',
        init: str = 'random',
        max_iters: int = 50,
        tolerance: float = 0.0001,
        centroids: torch.Tensor | None = None,
        seed: int | None = None,
        device: str | torch.device | None = None,
    ) -> None: ...
    def fit(
        self,
        data: torch.Tensor | np.ndarray | pa.Array | pa.ChunkedArray | Iterable[Any],
        column: str | None = None,
    ) -> None: ...
    def rebuild_index(self) -> None: ...
    def transform(
        self,
        data: torch.Tensor | np.ndarray | pa.Array | pa.ChunkedArray,
    ) -> torch.Tensor: ...
