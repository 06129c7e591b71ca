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
from tusk.maintenance import CleanupStats
from tusk.fragment_metadata import FragmentMetadata
from tusk.typed import AutoCleanupConfig

CompactionOptions = dict[str, Any]

class Compaction:
    @staticmethod
    def commit(
        dataset: LanceDataset,
        rewrites: list[RewriteResult],
        options: dict[str, Any] | None = None,
    ) -> CompactionMetrics: ...
    @staticmethod
    def execute(dataset: LanceDataset, options: Any) -> CompactionMetrics: ...
    @staticmethod
    def plan(dataset: LanceDataset, options: Any) -> CompactionPlan: ...

class CompactionMetrics:
    fragments_removed: int
    fragments_added: int
    files_removed: int
    files_added: int
    def __init__(self, *args: Any, **kwargs: Any) -> None: ...

class CompactionPlan:
    read_version: int
    tasks: list[CompactionTask]
    def __init__(self, *args: Any, **kwargs: Any) -> None: ...
    @classmethod
    def from_json(cls, json: str) -> CompactionPlan: ...
    def json(self) -> str: ...
    def num_tasks(self) -> int: ...

class CompactionTask:
    read_version: int
    fragments: list[FragmentMetadata]
    def __init__(self, *args: Any, **kwargs: Any) -> None: ...
    def execute(self, dataset: LanceDataset) -> RewriteResult: ...
    @classmethod
    def from_json(cls, json: str) -> CompactionTask: ...
    def json(self) -> str: ...

class DatasetOptimizer:
    def __init__(self, dataset: LanceDataset) -> None: ...
    def __call__(
        self,
        *,
        older_than: datetime.timedelta | None = None,
        retain_versions: int | None = None,
        **options: Any,
    ) -> OptimizeReport: ...
    def cleanup_frag_reuse_index(self) -> None: ...
    def compact_files(
        self,
        *,
        target_rows_per_fragment: int | None = None,
        max_rows_per_group: int | None = None,
        max_bytes_per_file: int | None = None,
        materialize_deletions: bool | None = None,
        materialize_deletions_threshold: float | None = None,
        defer_index_remap: bool | None = None,
        num_threads: int | None = None,
        batch_size: int | None = None,
        compaction_mode: str | None = None,
        binary_copy_read_batch_bytes: int | None = None,
        max_source_fragments: int | None = None,
        max_source_rows: int | None = None,
        max_source_bytes: int | None = None,
        excluded_fragment_ids: list[int] | None = None,
        data_storage_version: str | None = None,
        **options: Any,
    ) -> CompactionMetrics: ...
    def disable_auto_cleanup(self, **kwargs: Any) -> None: ...
    def enable_auto_cleanup(
        self,
        auto_cleanup_config: AutoCleanupConfig,
        **kwargs: Any,
    ) -> None: ...
    def optimize_indices(self, **kwargs: Any) -> NoReturn: ...

class OptimizeReport:
    compaction: CompactionMetrics | None
    cleanup: CleanupStats | None
    errors: dict[str, Exception]
    def __init__(self, compaction: Any, cleanup: Any, errors: dict[str, Exception]) -> None: ...

class RewriteResult:
    read_version: int
    metrics: CompactionMetrics
    original_fragments: list[FragmentMetadata]
    new_fragments: list[FragmentMetadata]
    def __init__(self, *args: Any, **kwargs: Any) -> None: ...
    @classmethod
    def from_json(cls, json: str) -> RewriteResult: ...
    def json(self) -> str: ...
