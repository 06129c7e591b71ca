"""The module path `lance.types` of pylance: what can be written."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Union

import pyarrow as pa
import pyarrow.dataset as pads

# Beside these: a DataFrame of pandas or polars, a dict of columns, a list of dicts, a numpy array
# of vectors, and whatever has `__arrow_c_stream__` or `__arrow_c_array__`.
ReaderLike = Union[
    pa.Table,
    pads.Dataset,
    pads.Scanner,
    pa.RecordBatch,
    Iterable[pa.RecordBatch],
    pa.RecordBatchReader,
    Any,
]
