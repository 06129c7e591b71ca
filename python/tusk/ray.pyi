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

import ray.data

from tusk.lance import LanceDataset

class LanceDatasink(ray.data.Datasink[Any]):
    def __init__(
        self,
        uri: str | Path,
        *,
        mode: str = 'create',
        schema: pa.Schema | None = None,
        **options: Any,
    ) -> None: ...
    def get_name(self) -> str: ...
    def on_write_complete(self, write_result: Any) -> None: ...
    def on_write_start(self, *args: Any, **kwargs: Any) -> None: ...
    def write(self, blocks: Iterable[Any], ctx: Any) -> Any: ...

class LanceDatasource(ray.data.Datasource):
    def __init__(
        self,
        dataset: str | Path | LanceDataset,
        *,
        columns: list[str] | dict[str, str] | None = None,
        filter: str | pc.Expression | None = None,
        batch_size: int | None = None,
    ) -> None: ...
    def estimate_inmemory_data_size(self) -> None: ...
    def get_name(self) -> str: ...
    def get_read_tasks(self, parallelism: int, *args: Any, **kwargs: Any) -> list[Any]: ...

def read_lance(
    dataset: str | Path | LanceDataset,
    *,
    columns: list[str] | dict[str, str] | None = None,
    filter: str | pc.Expression | None = None,
    batch_size: int | None = None,
    **options: Any,
) -> ray.data.Dataset: ...

def write_lance(
    data: ray.data.Dataset,
    uri: str | Path,
    *,
    mode: str = 'create',
    schema: pa.Schema | None = None,
    concurrency: int | None = None,
    **options: Any,
) -> None: ...
