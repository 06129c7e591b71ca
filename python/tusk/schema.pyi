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

from tusk.lance_schema import LanceSchema as LanceSchema

def json_to_schema(schema_json: dict[str, Any]) -> pa.Schema: ...

def schema_to_json(schema: pa.Schema) -> dict[str, Any]: ...
