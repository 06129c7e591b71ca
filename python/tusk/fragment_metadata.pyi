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

class DataFile:
    fields: list[int]
    column_indices: list[int]
    file_major_version: int
    file_minor_version: int
    file_size_bytes: int | None
    base_id: int | None
    def __init__(
        self,
        path: str,
        fields: list[int],
        column_indices: list[int] | None = None,
        file_major_version: int = 0,
        file_minor_version: int = 0,
        file_size_bytes: int | None = None,
        base_id: int | None = None,
    ) -> None: ...
    @classmethod
    def create(
        cls,
        dataset: LanceDataset,
        path: str,
        *,
        base_id: int | None = None,
    ) -> DataFile: ...
    def field_ids(self) -> list[int]: ...
    @property
    def path(self) -> str: ...

class DeletionFile:
    read_version: int
    id: int
    file_type: str
    num_deleted_rows: int
    base_id: int | None
    def __init__(
        self,
        read_version: int,
        id: int,
        file_type: str,
        num_deleted_rows: int,
        base_id: int | None = None,
    ) -> None: ...
    def asdict(self) -> dict[str, Any]: ...
    @classmethod
    def from_json(cls, json: str) -> DeletionFile: ...
    def json(self) -> str: ...
    def path(self, fragment_id: int, base_uri: str | Path | LanceDataset | None = None) -> str: ...

class FragmentMetadata:
    id: int
    files: list[DataFile]
    physical_rows: int
    deletion_file: DeletionFile | None
    row_id_meta: RowIdMeta | None
    created_at_version_meta: RowDatasetVersionMeta | None
    last_updated_at_version_meta: RowDatasetVersionMeta | None
    overlays: Any
    def __init__(
        self,
        id: int,
        files: list[DataFile],
        physical_rows: int,
        deletion_file: DeletionFile | None = None,
        row_id_meta: RowIdMeta | None = None,
        created_at_version_meta: RowDatasetVersionMeta | None = None,
        last_updated_at_version_meta: RowDatasetVersionMeta | None = None,
        overlays: Any = ...,
    ) -> None: ...
    def data_files(self) -> list[DataFile]: ...
    @staticmethod
    def from_json(json_data: str) -> FragmentMetadata: ...
    @property
    def num_deletions(self) -> int: ...
    @property
    def num_rows(self) -> int: ...
    def to_json(self) -> dict[str, Any]: ...

class RowDatasetVersionMeta(RowIdMeta):
    pass

class RowIdMeta:
    def __init__(self, *args: Any, **kwargs: Any) -> None: ...
    def asdict(self) -> dict[str, Any]: ...
    @classmethod
    def from_dict(cls, dict: Any) -> RowIdMeta: ...
    @classmethod
    def from_json(cls, json: str) -> RowIdMeta: ...
    def json(self) -> str: ...
