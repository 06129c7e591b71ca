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


class Session:
    def __init__(
        self,
        index_cache_size_bytes: int | None = None,
        metadata_cache_size_bytes: int | None = None,
        index_cache_backend: str | dict[str, Any] | None = None,
        metadata_cache_backend: str | dict[str, Any] | None = None,
        *,
        value_cache_size_bytes: int | None = None,
    ) -> None: ...
    def index_cache_size_bytes(self) -> int: ...
    def is_same_as(self, other: Session) -> bool: ...
    def size_bytes(self) -> int: ...
