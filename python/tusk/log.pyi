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

import logging

def get_log_level() -> str: ...

def get_python_log_level(rust_log_level: str) -> str: ...

def set_logger(
    file_path: str = 'pylance.log',
    name: str = 'pylance',
    level: int = 20,
    format_string: str | None = None,
    log_handler: Any = None,
) -> None: ...
