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

from tusk.fragment_metadata import FragmentMetadata
from tusk.lance import LanceDataset

class FileSystemFragmentWriteProgress(FragmentWriteProgress):
    def __init__(
        self,
        base_uri: str | Path | LanceDataset,
        metadata: dict[str, str] | None = None,
    ) -> None: ...
    def begin(self, fragment: FragmentMetadata, **kwargs: Any) -> None: ...
    def complete(self, fragment: FragmentMetadata, **kwargs: Any) -> None: ...

class FragmentWriteProgress:
    def begin(self, fragment: FragmentMetadata, **kwargs: Any) -> None: ...
    def complete(self, fragment: FragmentMetadata, **kwargs: Any) -> None: ...

class IndexProgress:
    event: str
    stage: str
    completed: int | None
    total: int | None
    unit: str
    def __init__(
        self,
        event: str,
        stage: str,
        completed: int | None = None,
        total: int | None = None,
        unit: str = '',
    ) -> None: ...
    @property
    def fraction(self) -> float | None: ...

class NoopFragmentWriteProgress(FragmentWriteProgress):
    def begin(self, fragment: FragmentMetadata, **kargs: Any) -> None: ...
    def complete(self, fragment: FragmentMetadata, **kwargs: Any) -> None: ...
