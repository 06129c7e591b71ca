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

from tusk._arrow import IOStats
from tusk._scan import ColumnOrdering, ScanStatistics
from tusk.bitmap import Bitmap
from tusk.blob import BlobFile
from tusk.delta import DatasetDelta
from tusk.file import LanceFileSession
from tusk.fragment import LanceFragment
from tusk.history import Branches, Tags
from tusk.maintenance import CleanupExplanation, CleanupStats
from tusk.merge_insert import MergeInsertBuilder
from tusk.optimize import DatasetOptimizer
from tusk.progress import FragmentWriteProgress
from tusk.query import DocumentGranularity
from tusk.scanner import LanceScanner
from tusk.session import Session
from tusk.sql_query import SqlQueryBuilder
from tusk.stats import LanceStats
from tusk.storage_options import StorageOptionsAccessor
from tusk.transaction import DatasetBasePath, LanceOperation
from tusk.lance_schema import LanceSchema
from tusk.transaction import Transaction
from tusk.typed import AlterColumn, BulkCommitResult, DeleteResult, UpdateResult
from tusk.typed import Version, VersionRef
from tusk.udf import BatchUDF

class LanceDataset(pads.Dataset):
    def __init__(
        self,
        uri: str | Path,
        version: int | str | tuple[str | None, int | None] | None = None,
        block_size: int | None = None,
        index_cache_size: int | None = None,
        metadata_cache_size: int | None = None,
        commit_lock: Callable[[int], AbstractContextManager[Any]] | None = None,
        storage_options: dict[str, str] | None = None,
        serialized_manifest: bytes | None = None,
        default_scan_options: Any = None,
        metadata_cache_size_bytes: int | None = None,
        index_cache_size_bytes: int | None = None,
        read_params: Any = None,
        session: Session | None = None,
        namespace_client: Any = None,
        table_id: list[str] | None = None,
        namespace_client_managed_versioning: bool = False,
        base_store_params: dict[str, dict[str, str]] | None = None,
    ) -> None: ...
    def __copy__(self) -> LanceDataset: ...
    def __len__(self) -> int: ...
    def add_bases(
        self,
        new_bases: list[DatasetBasePath],
        transaction_properties: dict[str, str] | None = None,
    ) -> LanceDataset: ...
    def add_columns(
        self,
        transforms: Any,
        read_columns: list[str] | None = None,
        reader_schema: pa.Schema | None = None,
        batch_size: int | None = None,
    ) -> None: ...
    def all_files(self) -> pa.RecordBatchReader: ...
    def alter_columns(self, *alterations: Any) -> None: ...
    def base_paths(self) -> dict[int, DatasetBasePath]: ...
    @property
    def branches(self) -> Branches: ...
    def centroids(
        self,
        *,
        index_name: str | None = None,
        column: str | None = None,
    ) -> NoReturn: ...
    def checkout_latest(self) -> None: ...
    def checkout_version(
        self,
        version: int | str | tuple[str | None, int | None],
    ) -> LanceDataset: ...
    def cleanup_old_versions(
        self,
        older_than: datetime.timedelta | None = None,
        retain_versions: int | None = None,
        *,
        delete_unverified: bool = False,
        error_if_tagged_old_versions: bool = True,
        delete_rate_limit: int | None = None,
        versions: list[int] | None = None,
        delete_concurrency: int | None = None,
    ) -> CleanupStats: ...
    @classmethod
    def commit(
        cls,
        base_uri: str | Path | LanceDataset,
        operation: LanceOperation.BaseOperation | Transaction,
        read_version: int | None = None,
        commit_lock: Callable[[int], AbstractContextManager[Any]] | None = None,
        storage_options: dict[str, str] | None = None,
        enable_v2_manifest_paths: bool | None = None,
        detached: bool = False,
        max_retries: int = 20,
        *,
        commit_message: str | None = None,
        enable_stable_row_ids: bool | None = None,
        namespace_client: Any = None,
        table_id: list[str] | None = None,
        namespace_client_managed_versioning: bool = False,
        base_store_params: dict[str, dict[str, str]] | None = None,
        commit_timeout: datetime.timedelta = ...,
    ) -> LanceDataset: ...
    @classmethod
    def commit_batch(
        cls,
        dest: str | Path | LanceDataset,
        transactions: Iterable[Transaction],
        commit_lock: Callable[[int], AbstractContextManager[Any]] | None = None,
        storage_options: dict[str, str] | None = None,
        enable_v2_manifest_paths: bool | None = None,
        detached: bool = False,
        max_retries: int = 20,
        base_store_params: dict[str, dict[str, str]] | None = None,
        commit_timeout: datetime.timedelta = ...,
    ) -> BulkCommitResult: ...
    def commit_existing_index_segments(
        self,
        index_name: str,
        column: str,
        segments: Any,
    ) -> NoReturn: ...
    def config(self) -> dict[str, str]: ...
    def count_rows(self, filter: str | pc.Expression | None = None, **kwargs: Any) -> int: ...
    def create_branch(
        self,
        branch: str,
        reference: int | str | tuple[str | None, int | None] | None = None,
        storage_options: dict[str, str] | None = None,
    ) -> LanceDataset: ...
    def create_index(
        self,
        column: str | list[str],
        index_type: Any,
        name: str | None = None,
        metric: str = 'L2',
        replace: bool = False,
        num_partitions: int | None = None,
        ivf_centroids: Any = None,
        pq_codebook: Any = None,
        num_sub_vectors: int | None = None,
        accelerator: Any = None,
        index_cache_size: int | None = None,
        shuffle_partition_batches: int | None = None,
        shuffle_partition_concurrency: int | None = None,
        ivf_centroids_file: str | None = None,
        precomputed_partition_dataset: str | None = None,
        storage_options: dict[str, str] | None = None,
        filter_nan: bool = True,
        train: bool = True,
        fragment_ids: list[int] | None = None,
        index_uuid: str | None = None,
        *,
        target_partition_size: int | None = None,
        streaming_sample_rate: int | None = None,
        streaming_coreset_rate: int | None = None,
        streaming_refine_passes: int | None = None,
        skip_transpose: bool = False,
        progress_callback: Any = None,
        **kwargs: Any,
    ) -> NoReturn: ...
    def create_index_uncommitted(
        self,
        column: str | list[str],
        index_type: Any,
        name: str | None = None,
        metric: str = 'L2',
        replace: bool = False,
        num_partitions: int | None = None,
        ivf_centroids: Any = None,
        pq_codebook: Any = None,
        num_sub_vectors: int | None = None,
        accelerator: Any = None,
        index_cache_size: int | None = None,
        shuffle_partition_batches: int | None = None,
        shuffle_partition_concurrency: int | None = None,
        ivf_centroids_file: str | None = None,
        precomputed_partition_dataset: str | None = None,
        storage_options: dict[str, str] | None = None,
        filter_nan: bool = True,
        train: bool = True,
        fragment_ids: list[int] | None = None,
        index_uuid: str | None = None,
        *,
        target_partition_size: int | None = None,
        streaming_sample_rate: int | None = None,
        streaming_coreset_rate: int | None = None,
        streaming_refine_passes: int | None = None,
        skip_transpose: bool = False,
        rabitq_model: Any = None,
        **kwargs: Any,
    ) -> NoReturn: ...
    def create_scalar_index(
        self,
        column: str,
        index_type: Any,
        name: str | None = None,
        *,
        replace: bool = True,
        train: bool = True,
        fragment_ids: list[int] | None = None,
        index_uuid: str | None = None,
        progress_callback: Any = None,
        format_version: Any = None,
        document_granularity: DocumentGranularity = ...,
        **kwargs: Any,
    ) -> NoReturn: ...
    @property
    def data_storage_version(self) -> str: ...
    def deep_clone(
        self,
        target_path: str | Path,
        reference: int | str | tuple[str | None, int | None],
        storage_options: dict[str, str] | None = None,
        **kwargs: Any,
    ) -> LanceDataset: ...
    def delete(
        self,
        predicate: str,
        *,
        conflict_retries: int = 10,
        retry_timeout: datetime.timedelta = ...,
    ) -> DeleteResult: ...
    def delete_config_keys(self, keys: list[str]) -> None: ...
    def delta(
        self,
        compared_against: int | None = None,
        *,
        begin_version: int | None = None,
        end_version: int | None = None,
    ) -> DatasetDelta: ...
    def describe_indices(self) -> list[Any]: ...
    @staticmethod
    def drop(
        base_uri: str | Path | LanceDataset,
        storage_options: dict[str, str] | None = None,
        ignore_not_found: bool | None = None,
    ) -> None: ...
    def drop_columns(self, columns: list[str] | dict[str, str]) -> None: ...
    def drop_index(self, name: str) -> NoReturn: ...
    def explain_cleanup_old_versions(
        self,
        older_than: datetime.timedelta | None = None,
        retain_versions: int | None = None,
        *,
        delete_unverified: bool = False,
        error_if_tagged_old_versions: bool = True,
        delete_rate_limit: int | None = None,
        versions: list[int] | None = None,
        include_files: bool = False,
        max_files: int = 1000,
    ) -> CleanupExplanation: ...
    def fragment_ids(self) -> Bitmap: ...
    @classmethod
    def from_pydantic_model(
        cls,
        model_class: Any,
        data: Any,
        uri: str | Path | None = None,
        mode: str = 'create',
        **kwargs: Any,
    ) -> LanceDataset: ...
    def get_fragment(self, fragment_id: int) -> LanceFragment | None: ...
    def get_fragments(self, filter: pc.Expression | None = None) -> list[LanceFragment]: ...
    def get_ivf_model(self, index_name: str) -> NoReturn: ...
    def get_transactions(self, recent_transactions: int = 10) -> list[Transaction | None]: ...
    def get_version(self) -> Version: ...
    @property
    def has_index(self) -> bool: ...
    @property
    def has_stable_row_ids(self) -> bool: ...
    def head(self, num_rows: int, **kwargs: Any) -> pa.Table: ...
    def index_statistics(self, index_name: str) -> NoReturn: ...
    @property
    def initial_storage_options(self) -> dict[str, str] | None: ...
    def initialize_mem_wal(
        self,
        *,
        maintained_indexes: list[str] | None = None,
        bucket_column: str | None = None,
        num_buckets: int | None = None,
        identity_column: str | None = None,
        unsharded: bool = False,
        durable_write: bool | None = None,
        max_wal_buffer_size: int | None = None,
        max_wal_flush_interval_ms: int | None = None,
        max_memtable_size: int | None = None,
        max_memtable_rows: int | None = None,
        max_memtable_batches: int | None = None,
        max_unflushed_memtable_bytes: int | None = None,
        manifest_scan_batch_size: int | None = None,
        backpressure_log_interval_ms: int | None = None,
        stats_log_interval_ms: int | None = None,
        hnsw_params: Any = None,
    ) -> NoReturn: ...
    def insert(self, data: Any, *, mode: str = 'append', **kwargs: Any) -> None: ...
    def io_stats_incremental(self) -> IOStats: ...
    def io_stats_snapshot(self) -> IOStats: ...
    def join(
        self,
        right_dataset: Any,
        keys: Any,
        right_keys: Any = None,
        join_type: str = 'left outer',
        left_suffix: str | None = None,
        right_suffix: str | None = None,
        coalesce_keys: bool = True,
        use_threads: bool = True,
    ) -> NoReturn: ...
    @property
    def lance_schema(self) -> LanceSchema: ...
    def latest_storage_options(self) -> dict[str, str] | None: ...
    @property
    def latest_version(self) -> int: ...
    def list_indices(self) -> list[Any]: ...
    @property
    def max_field_id(self) -> int: ...
    def mem_wal_index_details(self) -> NoReturn: ...
    def mem_wal_writer(
        self,
        shard_id: str,
        *,
        durable_write: bool | None = None,
        max_wal_buffer_size: int | None = None,
        max_wal_flush_interval_ms: int | None = None,
        max_memtable_size: int | None = None,
        max_memtable_rows: int | None = None,
        max_memtable_batches: int | None = None,
        max_unflushed_memtable_bytes: int | None = None,
        manifest_scan_batch_size: int | None = None,
        backpressure_log_interval_ms: int | None = None,
        stats_log_interval_ms: int | None = None,
        hnsw_params: Any = None,
    ) -> NoReturn: ...
    def merge(
        self,
        data_obj: Any,
        left_on: str,
        right_on: str | None = None,
        schema: pa.Schema | None = None,
    ) -> None: ...
    def merge_existing_index_segments(self, segments: Any) -> NoReturn: ...
    def merge_index_metadata(
        self,
        index_uuid: str,
        index_type: Any,
        batch_readhead: int | None = None,
        progress_callback: Any = None,
    ) -> NoReturn: ...
    def merge_insert(self, on: str | Iterable[str] | None = None) -> MergeInsertBuilder: ...
    @property
    def metadata(self) -> dict[str, str]: ...
    def migrate_manifest_paths_v2(self) -> None: ...
    def new_file_session(self) -> LanceFileSession: ...
    @property
    def optimize(self) -> DatasetOptimizer: ...
    def prewarm_index(
        self,
        name: str,
        *,
        with_position: bool = False,
        index_segments: Any = None,
    ) -> NoReturn: ...
    def read_blob_ranges(
        self,
        blob_column: str,
        requests: Iterable[tuple[int, int, int]],
        *,
        selector: str,
        io_buffer_size: int | None = None,
        preserve_order: bool | None = None,
    ) -> list[tuple[int, int, bytes | None]]: ...
    def read_blobs(
        self,
        blob_column: str,
        ids: Sequence[int] | pa.Array | None = None,
        addresses: Sequence[int] | pa.Array | None = None,
        indices: Sequence[int] | pa.Array | None = None,
        *,
        io_buffer_size: int | None = None,
        preserve_order: bool | None = None,
    ) -> list[tuple[int, bytes | None]]: ...
    def read_transaction(
        self,
        version: int | str | tuple[str | None, int | None],
    ) -> Transaction | None: ...
    def remap_row_addrs(self, addrs: pa.Array) -> pa.Array | None: ...
    def reorder_columns(self, names: list[str]) -> None: ...
    def replace_field_metadata(self, field_name: str, new_metadata: dict[str, str]) -> None: ...
    def replace_schema(self, schema: pa.Schema) -> NoReturn: ...
    def replace_schema_metadata(self, new_metadata: dict[str, str]) -> None: ...
    def restore(self) -> None: ...
    def sample(
        self,
        num_rows: int,
        columns: list[str] | dict[str, str] | None = None,
        randomize_order: bool = True,
        **kwargs: Any,
    ) -> pa.Table: ...
    def scanner(
        self,
        columns: list[str] | dict[str, str] | None = None,
        filter: str | pc.Expression | None = None,
        limit: int | None = None,
        offset: int | None = None,
        nearest: Any = None,
        batch_size: int | None = None,
        batch_size_bytes: int | None = None,
        batch_readahead: int | None = None,
        fragment_readahead: int | None = None,
        scan_in_order: bool | None = None,
        fragments: Iterable[LanceFragment | int] | None = None,
        index_segments: Any = None,
        full_text_query: Any = None,
        *,
        prefilter: bool | None = None,
        with_row_id: bool | None = None,
        with_row_address: bool | None = None,
        use_stats: bool | None = None,
        fast_search: bool | None = None,
        io_buffer_size: int | None = None,
        late_materialization: Any = None,
        blob_handling: str | None = None,
        use_scalar_index: bool | None = None,
        include_deleted_rows: bool | None = None,
        scan_stats_callback: Callable[[ScanStatistics], Any] | None = None,
        strict_batch_size: bool | None = None,
        order_by: list[ColumnOrdering | str] | None = None,
        disable_scoring_autoprojection: bool | None = None,
        row_addr_allowlist: Any = None,
        row_addr_blocklist: Any = None,
    ) -> LanceScanner: ...
    @property
    def schema(self) -> pa.Schema: ...
    @property
    def schema_metadata(self) -> dict[str, str]: ...
    def session(self) -> Session: ...
    def shallow_clone(
        self,
        target_path: str | Path,
        reference: int | str | tuple[str | None, int | None],
        storage_options: dict[str, str] | None = None,
        **kwargs: Any,
    ) -> LanceDataset: ...
    def slice(
        self,
        start: int,
        end: int,
        columns: list[str] | dict[str, str] | None = None,
    ) -> pa.Table: ...
    def sql(self, sql: str) -> SqlQueryBuilder: ...
    @property
    def stats(self) -> LanceStats: ...
    @property
    def storage_options_accessor(self) -> StorageOptionsAccessor | None: ...
    @property
    def tags(self) -> Tags: ...
    def take(
        self,
        indices: Sequence[int] | Any,
        columns: list[str] | dict[str, str] | None = None,
    ) -> pa.Table: ...
    def take_blobs(
        self,
        blob_column: str,
        ids: Sequence[int] | pa.Array | None = None,
        addresses: Sequence[int] | pa.Array | None = None,
        indices: Sequence[int] | pa.Array | None = None,
        *,
        buffer_size: int = 524288,
    ) -> list[BlobFile | None]: ...
    def to_batches(
        self,
        columns: list[str] | dict[str, str] | None = None,
        filter: str | pc.Expression | None = None,
        limit: int | None = None,
        offset: int | None = None,
        nearest: dict[str, Any] | None = None,
        batch_size: int | None = None,
        batch_size_bytes: int | None = None,
        batch_readahead: int | None = None,
        fragment_readahead: int | None = None,
        scan_in_order: bool | None = None,
        *,
        prefilter: bool | None = None,
        with_row_id: bool | None = None,
        with_row_address: bool | None = None,
        use_stats: bool | None = None,
        full_text_query: Any = None,
        io_buffer_size: int | None = None,
        late_materialization: Any = None,
        blob_handling: str | None = None,
        use_scalar_index: bool | None = None,
        strict_batch_size: bool | None = None,
        order_by: list[ColumnOrdering | str] | None = None,
        disable_scoring_autoprojection: bool | None = None,
        **kwargs: Any,
    ) -> Iterator[pa.RecordBatch]: ...
    def to_pandas(
        self,
        columns: list[str] | dict[str, str] | None = None,
        filter: str | pc.Expression | None = None,
        limit: int | None = None,
        offset: int | None = None,
        nearest: dict[str, Any] | None = None,
        batch_size: int | None = None,
        batch_readahead: int | None = None,
        fragment_readahead: int | None = None,
        scan_in_order: bool | None = None,
        *,
        prefilter: bool | None = None,
        with_row_id: bool | None = None,
        with_row_address: bool | None = None,
        use_stats: bool | None = None,
        fast_search: bool | None = None,
        full_text_query: Any = None,
        io_buffer_size: int | None = None,
        late_materialization: Any = None,
        blob_mode: str = 'lazy',
        use_scalar_index: bool | None = None,
        include_deleted_rows: bool | None = None,
        order_by: list[ColumnOrdering | str] | None = None,
        disable_scoring_autoprojection: bool | None = None,
        **kwargs: Any,
    ) -> pd.DataFrame: ...
    def to_table(
        self,
        columns: list[str] | dict[str, str] | None = None,
        filter: str | pc.Expression | None = None,
        limit: int | None = None,
        offset: int | None = None,
        nearest: dict[str, Any] | None = None,
        batch_size: int | None = None,
        batch_size_bytes: int | None = None,
        batch_readahead: int | None = None,
        fragment_readahead: int | None = None,
        scan_in_order: bool | None = None,
        *,
        prefilter: bool | None = None,
        with_row_id: bool | None = None,
        with_row_address: bool | None = None,
        use_stats: bool | None = None,
        fast_search: bool | None = None,
        full_text_query: Any = None,
        io_buffer_size: int | None = None,
        late_materialization: Any = None,
        blob_handling: str | None = None,
        use_scalar_index: bool | None = None,
        include_deleted_rows: bool | None = None,
        order_by: list[ColumnOrdering | str] | None = None,
        disable_scoring_autoprojection: bool | None = None,
        **kwargs: Any,
    ) -> pa.Table: ...
    def tracked_files(
        self,
        *,
        min_version: int | None = None,
        progress: FragmentWriteProgress | None = None,
    ) -> pa.RecordBatchReader: ...
    def truncate_table(self) -> None: ...
    def update(
        self,
        updates: dict[str, str],
        where: str | pc.Expression | None = None,
        conflict_retries: int = 10,
        retry_timeout: datetime.timedelta = ...,
        data_storage_version: str | None = None,
    ) -> UpdateResult: ...
    def update_config(
        self,
        values: dict[str, str | None],
        *,
        replace: bool = False,
    ) -> dict[str, str]: ...
    def update_field_metadata(
        self,
        field_updates: dict[str, dict[str, str | None]],
        *,
        replace: bool = False,
    ) -> None: ...
    def update_metadata(
        self,
        values: dict[str, str | None],
        *,
        replace: bool = False,
    ) -> dict[str, str]: ...
    def update_schema_metadata(
        self,
        values: dict[str, str | None],
        *,
        replace: bool = False,
    ) -> dict[str, str]: ...
    @property
    def uri(self) -> str: ...
    def validate(self) -> None: ...
    @property
    def version(self) -> int: ...
    def version_refs(self) -> list[VersionRef]: ...
    def versions(self) -> list[Version]: ...

def dataset(
    uri: str | Path | None = None,
    version: int | str | tuple[str | None, int | None] | None = None,
    asof: Any = None,
    block_size: int | None = None,
    commit_lock: Callable[[int], AbstractContextManager[Any]] | None = None,
    index_cache_size: int | None = None,
    storage_options: dict[str, str] | None = None,
    default_scan_options: Any = None,
    metadata_cache_size_bytes: int | None = None,
    index_cache_size_bytes: int | None = None,
    read_params: Any = None,
    session: Session | None = None,
    namespace_client: Any = None,
    table_id: list[str] | None = None,
    base_store_params: dict[str, dict[str, str]] | None = None,
) -> LanceDataset: ...
