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

from tusk.lance import LanceDataset

def ground_truth(
    ds: LanceDataset,
    column: str,
    query: torch.Tensor | np.ndarray,
    metric_type: str = 'L2',
    k: int = 100,
    batch_size: int = 10240,
    device: str | torch.device | None = None,
) -> torch.Tensor: ...

def infer_vector_column(ds: LanceDataset) -> str | None: ...

def recall(expected: np.ndarray, actual: np.ndarray) -> np.ndarray: ...

def sort_tensors(
    source: torch.Tensor,
    other: torch.Tensor,
    k: int,
) -> tuple[torch.Tensor, torch.Tensor]: ...
