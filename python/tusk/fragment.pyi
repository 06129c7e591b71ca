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

from tusk._scan import ColumnOrdering
from tusk.fragment_changes import write_fragments as write_fragments
from tusk.lance import LanceDataset
from tusk.progress import FragmentWriteProgress
from tusk.scanner import LanceScanner
from tusk.session import Session
from tusk.row_id_sequence import RowIdSequence as RowIdSequence
from tusk.fragment_metadata import DataFile as DataFile
from tusk.fragment_metadata import DeletionFile as DeletionFile
from tusk.fragment_metadata import FragmentMetadata as FragmentMetadata
from tusk.lance_schema import LanceSchema
from tusk.fragment_metadata import RowDatasetVersionMeta as RowDatasetVersionMeta
from tusk.fragment_metadata import RowIdMeta as RowIdMeta
from tusk.udf import BatchUDF

class FragmentSession:
    def __init__(self, session: Any) -> None: ...
    def take(self, indices: Any) -> pa.Table: ...

class LanceFragment(pads.Fragment):
    def __init__(
        self,
        dataset: LanceDataset,
        fragment_id: int,
        *,
        fragment: LanceFragment | None = None,
    ) -> None: ...
    def count_rows(self, filter: str | pc.Expression | None = None) -> int: ...
    @staticmethod
    def create(
        dataset_uri: str | Path | LanceDataset,
        data: Any,
        fragment_id: int | None = None,
        schema: pa.Schema | None = None,
        max_rows_per_group: int = 1024,
        progress: FragmentWriteProgress | None = None,
        mode: str = 'append',
        *,
        data_storage_version: str | None = None,
        use_legacy_format: bool | None = None,
        storage_options: dict[str, str] | None = None,
        namespace_client: Any = None,
        table_id: list[str] | None = None,
        session: Session | None = None,
    ) -> FragmentMetadata: ...
    @staticmethod
    def create_from_file(
        filename: str,
        dataset: LanceDataset,
        fragment_id: int,
    ) -> FragmentMetadata: ...
    def data_files(self) -> list[DataFile]: ...
    def delete(self, predicate: str) -> FragmentMetadata | None: ...
    def delete_rows(self, offsets: Iterable[int]) -> FragmentMetadata | None: ...
    def deletion_file(self) -> str | None: ...
    @property
    def fragment_id(self) -> int: ...
    def head(self, num_rows: int) -> pa.Table: ...
    def merge(
        self,
        data_obj: Any,
        left_on: str,
        right_on: str | None = None,
        schema: pa.Schema | None = None,
    ) -> tuple[FragmentMetadata, LanceSchema]: ...
    def merge_columns(
        self,
        value_func: Any,
        columns: list[str] | dict[str, str] | None = None,
        batch_size: int | None = None,
        reader_schema: pa.Schema | None = None,
    ) -> tuple[FragmentMetadata, LanceSchema]: ...
    @property
    def metadata(self) -> FragmentMetadata: ...
    @property
    def num_deletions(self) -> int: ...
    def open_session(
        self,
        columns: list[str] | dict[str, str] | None = None,
        with_row_address: bool | None = None,
    ) -> FragmentSession: ...
    @property
    def physical_rows(self) -> int: ...
    def scanner(
        self,
        *,
        columns: list[str] | dict[str, str] | None = None,
        batch_size: int | None = None,
        filter: str | pc.Expression | None = None,
        limit: int | None = None,
        offset: int | None = None,
        with_row_id: bool = False,
        with_row_address: bool = False,
        batch_readahead: int = 16,
        blob_handling: str | None = None,
        order_by: list[ColumnOrdering | str] | None = None,
        use_scalar_index: bool | None = None,
        io_buffer_size: int | None = None,
        late_materialization: Any = None,
        include_deleted_rows: bool | None = None,
        batch_size_bytes: int | None = None,
        strict_batch_size: bool | None = None,
    ) -> LanceScanner: ...
    @property
    def schema(self) -> pa.Schema: ...
    def take(self, indices: Any, columns: list[str] | dict[str, str] | None = None) -> pa.Table: ...
    def to_batches(
        self,
        *,
        columns: list[str] | dict[str, str] | None = None,
        batch_size: int | None = None,
        filter: str | pc.Expression | None = None,
        limit: int | None = None,
        offset: int | None = None,
        with_row_id: bool = False,
        with_row_address: bool = False,
        batch_readahead: int = 16,
        blob_handling: str | None = None,
        order_by: list[ColumnOrdering | str] | None = None,
        use_scalar_index: bool | None = None,
        io_buffer_size: int | None = None,
        late_materialization: Any = None,
        include_deleted_rows: bool | None = None,
        batch_size_bytes: int | None = None,
        strict_batch_size: bool | None = None,
    ) -> Iterator[pa.RecordBatch]: ...
    def to_pandas(
        self,
        columns: list[str] | dict[str, str] | None = None,
        filter: str | pc.Expression | None = None,
        limit: int | None = None,
        offset: int | None = None,
        batch_size: int | None = None,
        with_row_id: bool = False,
        with_row_address: bool = False,
        blob_mode: str = 'lazy',
        order_by: list[ColumnOrdering | str] | None = None,
        **kwargs: Any,
    ) -> pd.DataFrame: ...
    def to_table(
        self,
        columns: list[str] | dict[str, str] | None = None,
        filter: str | pc.Expression | None = None,
        limit: int | None = None,
        offset: int | None = None,
        with_row_id: bool = False,
        with_row_address: bool = False,
        blob_handling: str | None = None,
        order_by: list[ColumnOrdering | str] | None = None,
        use_scalar_index: bool | None = None,
        io_buffer_size: int | None = None,
        late_materialization: Any = None,
        include_deleted_rows: bool | None = None,
        batch_size_bytes: int | None = None,
        strict_batch_size: bool | None = None,
    ) -> pa.Table: ...
    def update_columns(
        self,
        data_obj: Any,
        left_on: str = '_rowid',
        right_on: str | None = None,
        schema: pa.Schema | None = None,
        *,
        with_offsets: bool = False,
    ) -> tuple[FragmentMetadata, list[int]] | tuple[FragmentMetadata, list[int], bytes]: ...
    def validate(self) -> None: ...
