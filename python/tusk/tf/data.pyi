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

import tensorflow as tf

from tusk.fragment import LanceFragment
from tusk.lance import LanceDataset
from tusk.loader import Loader

def arrow_data_type_to_tf(dt: pa.DataType) -> tf.DType: ...

def column_to_tensor(array: pa.Array, tensor_spec: Any) -> Any: ...

def data_type_to_tensor_spec(dt: pa.DataType) -> Any: ...

def from_lance(
    dataset: str | Path | LanceDataset,
    *,
    columns: list[str] | dict[str, str] | None = None,
    batch_size: int = 256,
    filter: str | pc.Expression | None = None,
    fragments: Iterable[int | LanceFragment] | tf.data.Dataset | None = None,
    output_signature: dict[str, Any] | None = None,
) -> tf.data.Dataset: ...

def from_lance_batches(
    dataset: str | Path | LanceDataset,
    *,
    shuffle: bool = False,
    seed: int | None = None,
    batch_size: int = 1024,
    skip: int = 0,
) -> tf.data.Dataset: ...

def from_loader(loader: Loader, *, output_signature: Any = None) -> tf.data.Dataset: ...

def lance_fragments(dataset: str | Path | LanceDataset) -> tf.data.Dataset: ...

def lance_take_batches(
    dataset: str | Path | LanceDataset,
    batch_ranges: Iterable[tuple[int, int]] | tf.data.Dataset,
    *,
    columns: list[str] | dict[str, str] | None = None,
    output_signature: dict[str, Any] | None = None,
    batch_readahead: int = 10,
) -> tf.data.Dataset: ...

def schema_to_spec(schema: pa.Schema) -> dict[str, Any]: ...
