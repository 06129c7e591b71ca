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

def argmin_l2(x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]: ...

def cosine_distance(
    vectors: torch.Tensor,
    centroids: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor]: ...

def dot_distance(x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]: ...

def l2_distance(
    vectors: torch.Tensor,
    centroids: torch.Tensor,
    y2: torch.Tensor | None = None,
) -> tuple[torch.Tensor, torch.Tensor]: ...

def pairwise_cosine(
    x: torch.Tensor,
    y: torch.Tensor,
    *,
    y2: torch.Tensor | None = None,
) -> torch.Tensor: ...

def pairwise_l2(
    x: torch.Tensor,
    y: torch.Tensor,
    y2: torch.Tensor | None = None,
) -> torch.Tensor: ...
