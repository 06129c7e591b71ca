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
from tusk.transaction import Transaction

class DatasetDelta:
    def __init__(self, delta: Any) -> None: ...
    def get_deleted_row_ids(self) -> pa.RecordBatchReader: ...
    def get_inserted_rows(self) -> pa.RecordBatchReader: ...
    def get_updated_rows(self) -> pa.RecordBatchReader: ...
    def list_transactions(self) -> list[Transaction | None]: ...
