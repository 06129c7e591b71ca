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


class BatchUDF:
    def __init__(
        self,
        func: Callable[[pa.RecordBatch], Any],
        output_schema: pa.Schema | None = None,
        checkpoint_file: str | Path | None = None,
    ) -> None: ...
    def __call__(self, batch: pa.RecordBatch) -> pa.RecordBatch: ...

def batch_udf(
    output_schema: pa.Schema | None = None,
    checkpoint_file: str | Path | None = None,
) -> Callable[[Callable[[pa.RecordBatch], Any]], BatchUDF]: ...
