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

from tusk.lance import LanceDataset

DatasetStats = dict[str, int]

class DataStatistics:
    fields: list[FieldStatistics]
    def __init__(self, fields: list[FieldStatistics]) -> None: ...

class FieldStatistics:
    id: int
    bytes_on_disk: int
    def __init__(self, id: int, bytes_on_disk: int) -> None: ...

class LanceStats:
    def __init__(self, dataset: LanceDataset) -> None: ...
    def data_stats(self) -> DataStatistics: ...
    def dataset_stats(self, max_rows_per_group: int = 1024) -> DatasetStats: ...
    def index_stats(self, index_name: str) -> dict[str, Any]: ...
