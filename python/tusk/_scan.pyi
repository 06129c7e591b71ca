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


class ColumnOrdering:
    column_name: str
    ascending: bool
    nulls_first: bool
    def __init__(
        self,
        column_name: str,
        ascending: bool = True,
        nulls_first: bool = False,
    ) -> None: ...

class ScanStatistics:
    iops: int
    requests: int
    bytes_read: int
    all_counts: dict[str, int]
    all_times: dict[str, int]
    indices_loaded: int
    parts_loaded: int
    index_comparisons: int
    index_cache_hits: int
    index_cache_misses: int
    def __init__(self, *args: Any, **kwargs: Any) -> None: ...
