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


def get_dist_rank() -> int: ...

def get_dist_world_size() -> int: ...

def get_global_rank() -> int: ...

def get_global_world_size() -> int: ...

def get_mp_rank() -> int: ...

def get_mp_world_size() -> int: ...
