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


class CleanupCandidateFile:
    path: str
    kind: str
    unverified: bool
    size_bytes: int
    def __init__(self, *args: Any, **kwargs: Any) -> None: ...

class CleanupExplanation:
    read_version: int
    stats: CleanupStats
    candidate_files: list[CleanupCandidateFile]
    candidate_files_truncated: bool
    candidate_file_limit: int
    referenced_branches: list[CleanupReferencedBranch]
    warnings: list[str]
    def __init__(self, *args: Any, **kwargs: Any) -> None: ...

class CleanupReferencedBranch:
    name: str
    referenced_version: int
    cleanup_candidate: bool
    def __init__(self, *args: Any, **kwargs: Any) -> None: ...

class CleanupStats:
    bytes_removed: int
    old_versions: int
    data_files_removed: int
    transaction_files_removed: int
    index_files_removed: int
    deletion_files_removed: int
    failed_deletes: int
    def __init__(self, *args: Any, **kwargs: Any) -> None: ...
