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

from tusk.fragment_metadata import RowIdMeta

class RowIdSequence:
    def __init__(self, row_ids: range | pa.Array | pa.ChunkedArray | Iterable[int]) -> None: ...
    def __iter__(self) -> Iterator[int]: ...
    def __len__(self) -> int: ...
    @staticmethod
    def from_inline_metadata(metadata: RowIdMeta) -> RowIdSequence: ...
    def to_inline_metadata(self) -> RowIdMeta: ...
    def to_pyarrow(self) -> pa.Array: ...
