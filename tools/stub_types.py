"""The types of parameters, results and fields for the stubs (tools/make_stubs.py).

A parameter is looked up as "Class.method.name" or "function.name", then by its name alone; one that
is None by default may also be None.
"""

IMPORTS = [
    "import datetime",
    "from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence",
    "from contextlib import AbstractContextManager",
    "from pathlib import Path",
    "from typing import Any, NoReturn",
    "",
    "import pandas as pd",
    "import pyarrow as pa",
    "import pyarrow.compute as pc",
    "import pyarrow.dataset as pads",
    "",
]

# Module -> (its public names, further imports).
MODULES = {
    "_scan": (["ColumnOrdering", "ScanStatistics"], []),
    "bitmap": (["Bitmap"], ["from collections.abc import MutableSet"]),
    "delta": (
        ["DatasetDelta"],
        ["from tusk.lance import LanceDataset", "from tusk.transaction import Transaction"],
    ),
    "fragment": (
        ["FragmentSession", "LanceFragment"],
        [
            "from tusk._scan import ColumnOrdering",
            "from tusk.fragment_changes import write_fragments as write_fragments",
            "from tusk.lance import LanceDataset",
            "from tusk.progress import FragmentWriteProgress",
            "from tusk.scanner import LanceScanner",
            "from tusk.session import Session",
            "from tusk.row_id_sequence import RowIdSequence as RowIdSequence",
            "from tusk.fragment_metadata import DataFile as DataFile",
            "from tusk.fragment_metadata import DeletionFile as DeletionFile",
            "from tusk.fragment_metadata import FragmentMetadata as FragmentMetadata",
            "from tusk.lance_schema import LanceSchema",
            "from tusk.fragment_metadata import RowDatasetVersionMeta as RowDatasetVersionMeta",
            "from tusk.fragment_metadata import RowIdMeta as RowIdMeta",
            "from tusk.udf import BatchUDF",
        ],
    ),
    "fragment_changes": (
        ["write_fragments"],
        [
            "from tusk.lance import LanceDataset",
            "from tusk.progress import FragmentWriteProgress",
            "from tusk.session import Session",
            "from tusk.fragment_metadata import FragmentMetadata",
            "from tusk.transaction import DatasetBasePath, Transaction",
        ],
    ),
    "fragment_metadata": (
        ["DataFile", "DeletionFile", "FragmentMetadata", "RowDatasetVersionMeta", "RowIdMeta"],
        ["from tusk.lance import LanceDataset"],
    ),
    "history": (
        ["Branches", "Tags"],
        [
            "import builtins",
            "",
            "from tusk.lance import LanceDataset",
            "from tusk.typed import Branch, Tag",
        ],
    ),
    "lance": (
        ["LanceDataset", "dataset"],
        [
            "from tusk._arrow import IOStats",
            "from tusk._scan import ColumnOrdering, ScanStatistics",
            "from tusk.bitmap import Bitmap",
            "from tusk.blob import BlobFile",
            "from tusk.delta import DatasetDelta",
            "from tusk.file import LanceFileSession",
            "from tusk.fragment import LanceFragment",
            "from tusk.history import Branches, Tags",
            "from tusk.maintenance import CleanupExplanation, CleanupStats",
            "from tusk.merge_insert import MergeInsertBuilder",
            "from tusk.optimize import DatasetOptimizer",
            "from tusk.progress import FragmentWriteProgress",
            "from tusk.query import DocumentGranularity",
            "from tusk.scanner import LanceScanner",
            "from tusk.session import Session",
            "from tusk.sql_query import SqlQueryBuilder",
            "from tusk.stats import LanceStats",
            "from tusk.storage_options import StorageOptionsAccessor",
            "from tusk.transaction import DatasetBasePath, LanceOperation",
            "from tusk.lance_schema import LanceSchema",
            "from tusk.transaction import Transaction",
            "from tusk.typed import AlterColumn, BulkCommitResult, DeleteResult, UpdateResult",
            "from tusk.typed import Version, VersionRef",
            "from tusk.udf import BatchUDF",
        ],
    ),
    "lance_schema": (["LanceField", "LanceSchema"], []),
    "log": (["get_log_level", "get_python_log_level", "set_logger"], ["import logging"]),
    "maintenance": (
        ["CleanupCandidateFile", "CleanupExplanation", "CleanupReferencedBranch", "CleanupStats"],
        [],
    ),
    "merge_insert": (
        ["MergeInsertBuilder"],
        [
            "from tusk.lance import LanceDataset",
            "from tusk.transaction import Transaction",
            "from tusk.typed import ExecuteResult",
        ],
    ),
    "optimize": (
        [
            "Compaction",
            "CompactionMetrics",
            "CompactionPlan",
            "CompactionTask",
            "DatasetOptimizer",
            "OptimizeReport",
            "RewriteResult",
        ],
        [
            "from tusk.lance import LanceDataset",
            "from tusk.maintenance import CleanupStats",
            "from tusk.fragment_metadata import FragmentMetadata",
            "from tusk.typed import AutoCleanupConfig",
            "",
            "CompactionOptions = dict[str, Any]",
        ],
    ),
    "process": (["bytes_read_counter", "iops_counter", "simd_info"], []),
    "progress": (
        [
            "FileSystemFragmentWriteProgress",
            "FragmentWriteProgress",
            "IndexProgress",
            "NoopFragmentWriteProgress",
        ],
        [
            "from tusk.fragment_metadata import FragmentMetadata",
            "from tusk.lance import LanceDataset",
        ],
    ),
    "scanner": (
        ["LanceScanner"],
        ["from tusk.lance import LanceDataset"],
    ),
    "scanner_builder": (
        ["ScannerBuilder"],
        [
            "from tusk._scan import ColumnOrdering, ScanStatistics",
            "from tusk.fragment import LanceFragment",
            "from tusk.lance import LanceDataset",
            "from tusk.scanner import LanceScanner",
        ],
    ),
    "schema": (
        ["json_to_schema", "schema_to_json"],
        ["from tusk.lance_schema import LanceSchema as LanceSchema"],
    ),
    "session": (["Session"], []),
    "sql_query": (["SqlQuery", "SqlQueryBuilder"], ["from tusk.lance import LanceDataset"]),
    "stats": (
        ["DataStatistics", "FieldStatistics", "LanceStats"],
        ["from tusk.lance import LanceDataset", "", "DatasetStats = dict[str, int]"],
    ),
    "storage_options": (["StorageOptionsAccessor"], []),
    "transaction": (
        ["DatasetBasePath", "Index", "IndexFile", "LanceOperation", "Transaction"],
        [
            "from tusk.bitmap import Bitmap",
            "from tusk.fragment_metadata import DataFile, FragmentMetadata",
            "from tusk.lance import LanceDataset",
            "from tusk.lance_schema import LanceSchema",
        ],
    ),
    "udf": (["BatchUDF", "batch_udf"], []),
    "row_id_sequence": (
        ["RowIdSequence"],
        ["from tusk.fragment_metadata import RowIdMeta"],
    ),
    "util": (["sanitize_ts", "td_to_micros"], []),
    "write": (
        ["write_dataset"],
        [
            "from tusk.lance import LanceDataset",
            "from tusk.progress import FragmentWriteProgress",
            "from tusk.session import Session",
            "from tusk.transaction import DatasetBasePath",
            "from tusk.typed import AutoCleanupConfig",
        ],
    ),
}

BASES = {
    "Bitmap": ["MutableSet[int]"],
    "FileSystemFragmentWriteProgress": ["FragmentWriteProgress"],
    "LanceDataset": ["pads.Dataset"],
    "LanceFragment": ["pads.Fragment"],
    "LanceScanner": ["pads.Scanner"],
    "NoopFragmentWriteProgress": ["FragmentWriteProgress"],
    "RowDatasetVersionMeta": ["RowIdMeta"],
    **{
        name: ["LanceOperation.BaseOperation"]
        for name in (
            "Append Clone CreateIndex DataReplacement Delete Merge Overwrite Project"
            " ReserveFragments Restore Rewrite Update UpdateBases UpdateConfig"
        ).split()
    },
}

_DATA = "Any"  # whatever write_dataset takes
_COLUMNS = "list[str] | dict[str, str]"
_FILTER = "str | pc.Expression"
_REFERENCE = "int | str | tuple[str | None, int | None]"
_OPTIONS = "dict[str, str]"
_LOCK = "Callable[[int], AbstractContextManager[Any]]"


def _all(kind, names):
    return dict.fromkeys(names.split(), kind)


PARAMETERS = {
    **_all(
        "bool",
        """allow_external_blob_outside_bases ascending coalesce_keys count_rows defer_index_remap
        delete_unverified detached disable disable_scoring_autoprojection durable_write
        enable_stable_row_ids enable_v2_manifest_paths error_if_tagged_old_versions fast_search
        filter_nan flag force ignore_not_found include_deleted_rows include_files include_primary
        is_dataset_root is_shallow materialize_deletions namespace_client_managed_versioning
        nulls_first prefilter preserve_order preserves_nullability randomize_order replace retryable
        return_transaction scan_in_order skip_transpose strict_batch_size target_all_bases train
        unsharded unverified use_index use_legacy_format use_scalar_index use_stats use_threads
        verbose with_offsets with_position with_row_addr with_row_address with_row_id
        cleanup_candidate candidate_files_truncated""",
    ),
    **_all(
        "int",
        """begin base_id batch_readahead batch_readhead batch_size batch_size_bytes begin_version
        binary_copy_read_batch_bytes blob_pack_file_size_threshold block_size bytes_on_disk
        bytes_read bytes_removed candidate_file_limit compared_against completed conflict_retries
        data_cache_bytes data_files_removed dataset_version delete_concurrency delete_rate_limit
        deletion_files_removed ef end end_version failed_deletes file_major_version
        file_minor_version file_size_bytes files_added files_removed fragment_id
        fragment_readahead fragments_added fragments_removed id index_cache_hits
        index_cache_misses index_cache_size index_cache_size_bytes index_comparisons
        index_files_removed index_version indices_loaded io_buffer_size iops k level limit
        max_bytes_per_file max_files max_page_bytes max_retries max_rows_per_file
        max_rows_per_group max_source_bytes max_source_fragments max_source_rows max_transactions
        maximum_nprobes metadata_cache_size metadata_cache_size_bytes min_version minimum_nprobes
        value_cache_size_bytes
        n nbatches new_index_version nfragments nprobes num_buckets num_deleted_rows num_fragments
        num_partitions num_rows num_sub_vectors num_threads offset old_versions parts_loaded
        physical_rows query_parallelism read_version recent_transactions ref_version
        referenced_version refine_factor requests retain_versions shuffle_partition_batches
        shuffle_partition_concurrency size_bytes start target_partition_size
        target_rows_per_fragment total transaction_files_removed backpressure_log_interval_ms
        manifest_scan_batch_size max_memtable_batches max_memtable_rows max_memtable_size
        max_unflushed_memtable_bytes max_wal_buffer_size max_wal_flush_interval_ms
        stats_log_interval_ms streaming_coreset_rate streaming_refine_passes
        streaming_sample_rate""",
    ),
    **_all(
        "str",
        """approx_mode blob_handling blob_mode branch branch_name bucket_column column column_name
        commit_message compaction_mode condition data_storage_version event expr
        external_blob_mode field_name file_type filename format_string identity_column index_name
        index_uuid ivf_centroids_file join_type json json_data kind left_on left_suffix message
        metric mode name new_details_type_url new_id old_id order path predicate
        precomputed_partition_dataset ref_name ref_path right_on right_suffix rust_log_level
        shard_id sql stage table_name tag unit update_mode uuid""",
    ),
    **_all("float", "materialize_deletions_threshold search_effort"),
    **_all("list[int]", "column_indices excluded_fragment_ids fields fields_modified versions"),
    **_all("list[int]", "fragment_ids removed_fragment_ids fields_for_preserving_frag_bitmap"),
    **_all("list[int]", "deleted_fragment_ids covering_fields"),
    **_all("list[str]", "read_columns table_id target_bases maintained_indexes names bases keys"),
    **_all("list[FragmentMetadata]", "fragments updated_fragments new_fragments old_fragments"),
    **_all("list[FragmentMetadata]", "original_fragments"),
    **_all("list[DatasetBasePath]", "initial_bases new_bases"),
    **_all("datetime.timedelta", "commit_timeout older_than retry_timeout td timeout"),
    **_all("pa.Schema", "output_schema reader_schema schema new_schema"),
    **_all(_OPTIONS, "storage_options transaction_properties properties"),
    **_all("dict[str, dict[str, str]]", "base_store_params"),
    **_all("Session", "session"),
    "RowIdSequence.row_ids": "range | pa.Array | pa.ChunkedArray | Iterable[int]",
    "RowIdSequence.from_inline_metadata.metadata": "RowIdMeta",
    "Session.is_same_as.other": "Session",
    **_all("str | dict[str, Any]", "index_cache_backend metadata_cache_backend"),
    **_all("dict[str, str | None]", "values"),
    **_all("Any", """accelerator accelerator addrs allowlist blocklist arrow asof
        builder contents default_opts default_scan_options delta
        dict distance_range full_text_query groups hnsw_params index_details index_type
        ivf_centroids namespace_client nearest overlays pq_codebook progress_callback q query
        rabitq_model read_params replacements rewritten_indices right_dataset right_keys
        row_addr_allowlist row_addr_blocklist segments sstables substrait_aggregate
        log_handler late_materialization format_version index_segments removed_indices new_indices
        options all_counts all_times scanner model_class _options _rewrite filter_ indices
        compaction cleanup snapshot"""),
    **_all(_DATA, "data data_obj transforms value_func"),
    **_all(_COLUMNS, "columns cols"),
    **_all(_FILTER, "filter where"),
    **_all(_REFERENCE, "reference"),
    **_all("LanceDataset", "dataset ds"),
    "_rewrite": "str",
    "aggregate": "bytes",
    "auto_cleanup_config": "AutoCleanupConfig",
    "auto_cleanup_options": "AutoCleanupConfig",
    "base_uri": "str | Path | LanceDataset",
    "dest": "str | Path | LanceDataset",
    "transactions": "Sequence[Transaction]",
    "callback": "Callable[[ScanStatistics], Any]",
    "candidate_files": "list[CleanupCandidateFile]",
    "checkpoint_file": "str | Path",
    "commit_lock": _LOCK,
    "config_updates": "LanceOperation.UpdateMap",
    "created_at": "datetime.datetime",
    "created_at_version_meta": "RowDatasetVersionMeta",
    "dataset_uri": "str | Path | LanceDataset",
    "dest": "str | Path | LanceDataset",
    "deletion_file": "DeletionFile",
    "document_granularity": "DocumentGranularity",
    "errors": "dict[str, Exception]",
    "field_metadata_updates": "dict[int, LanceOperation.UpdateMap]",
    "field_updates": "dict[str, dict[str, str | None]]",
    "file": "DataFile",
    "file_path": "str",
    "files": "list[DataFile]",
    "fragment": "LanceFragment",
    "func": "Callable[[pa.RecordBatch], Any]",
    "last_updated_at_version_meta": "RowDatasetVersionMeta",
    "metadata": _OPTIONS,
    "metrics": "CompactionMetrics",
    "new_details_value": "bytes",
    "new_file": "DataFile",
    "new_metadata": _OPTIONS,
    "num_rows": "int",
    "offsets": "Iterable[int]",
    "on": "str | Iterable[str]",
    "operation": "LanceOperation.BaseOperation | Transaction",
    "order_by": "list[ColumnOrdering | str]",
    "orderings": "list[ColumnOrdering | str]",
    "other": "Iterable[int]",
    "progress": "FragmentWriteProgress",
    "referenced_branches": "list[CleanupReferencedBranch]",
    "rewrites": "list[RewriteResult]",
    "row_id_meta": "RowIdMeta",
    "scan_stats_callback": "Callable[[ScanStatistics], Any]",
    "schema_json": "dict[str, Any]",
    "schema_metadata_updates": "LanceOperation.UpdateMap",
    "serialized_manifest": "bytes",
    "stats": "CleanupStats",
    "table_metadata_updates": "LanceOperation.UpdateMap",
    "target_path": "str | Path",
    "tasks": "list[CompactionTask]",
    "transactions": "Iterable[Transaction]",
    "ts": "datetime.datetime | pd.Timestamp | str",
    "updated_fragment_offsets": "dict[int, bytes]",
    "updates": _OPTIONS,
    "uri": "str | Path",
    "value": "int",
    "version": "int | str | tuple[str | None, int | None]",
    "warnings": "list[str]",
    # Where a name alone does not tell.
    "Bitmap.values": "Iterable[int]",
    "Bitmap.update.values": "Iterable[int]",
    "BatchUDF.__call__.batch": "pa.RecordBatch",
    "Compaction.commit.options": "dict[str, Any]",
    "DataStatistics.fields": "list[FieldStatistics]",
    "DatasetBasePath.path": "str",
    "FileSystemFragmentWriteProgress.begin.fragment": "FragmentMetadata",
    "FileSystemFragmentWriteProgress.complete.fragment": "FragmentMetadata",
    "FragmentWriteProgress.begin.fragment": "FragmentMetadata",
    "FragmentWriteProgress.complete.fragment": "FragmentMetadata",
    "Index.files": "list[IndexFile]",
    "Index.fragment_ids": "Iterable[int] | None",
    "LanceDataset.create_index.column": "str | list[str]",
    "LanceDataset.create_index_uncommitted.column": "str | list[str]",
    "LanceDataset.get_fragments.filter": "pc.Expression",
    "LanceDataset.join.keys": "Any",
    "LanceDataset.scanner.fragments": "Iterable[LanceFragment | int]",
    "LanceDataset.take.indices": "Sequence[int] | Any",
    "LanceDataset.read_blob_ranges.requests": "Iterable[tuple[int, int, int]]",
    "LanceDataset.read_blob_ranges.selector": "str",
    "LanceDataset.read_blob_ranges.blob_column": "str",
    "LanceDataset.read_blobs.blob_column": "str",
    "LanceDataset.take_blobs.blob_column": "str",
    "LanceDataset.remap_row_addrs.addrs": "pa.Array",
    "LanceDataset.read_blobs.addresses": "Sequence[int] | pa.Array",
    "LanceDataset.read_blobs.ids": "Sequence[int] | pa.Array",
    "LanceDataset.read_blobs.indices": "Sequence[int] | pa.Array",
    "LanceDataset.take_blobs.addresses": "Sequence[int] | pa.Array",
    "LanceDataset.take_blobs.buffer_size": "int",
    "LanceDataset.take_blobs.ids": "Sequence[int] | pa.Array",
    "LanceDataset.take_blobs.indices": "Sequence[int] | pa.Array",
    "LanceDataset.to_batches.nearest": "dict[str, Any]",
    "LanceDataset.to_pandas.nearest": "dict[str, Any]",
    "LanceDataset.to_table.nearest": "dict[str, Any]",
    "LanceDataset.update_config.values": "dict[str, str | None]",
    "LanceScanner.count_rows.self": "Any",
    "Merge.schema": "LanceSchema | pa.Schema",
    "NoopFragmentWriteProgress.begin.fragment": "FragmentMetadata",
    "NoopFragmentWriteProgress.complete.fragment": "FragmentMetadata",
    "Overwrite.new_schema": "LanceSchema | pa.Schema",
    "Project.schema": "LanceSchema",
    "ScannerBuilder.filter.filter": "str | pc.Expression | dict[str, Any]",
    "ScannerBuilder.order_by.orderings": "list[ColumnOrdering | str] | None",
    "ScannerBuilder.blob_handling.blob_handling": "str | None",
    "ScannerBuilder.with_fragments.fragments": "Iterable[LanceFragment | int] | None",
    "Transaction.operation": "LanceOperation.BaseOperation",
    "UpdateMap.updates": "dict[str, str | None]",
    "write_dataset.uri": "str | Path | LanceDataset",
    "write_dataset.progress": "FragmentWriteProgress",
    "Restore.version": "int",
    "FragmentSession.session": "Any",
}

FIELDS = {
    **PARAMETERS,
    "created_at": "datetime.datetime | None",
    "created_at_version_meta": "RowDatasetVersionMeta | None",
    "deletion_file": "DeletionFile | None",
    "last_updated_at_version_meta": "RowDatasetVersionMeta | None",
    "row_id_meta": "RowIdMeta | None",
    "base_id": "int | None",
    "file_size_bytes": "int | None",
    "completed": "int | None",
    "total": "int | None",
    "all_counts": "dict[str, int]",
    "all_times": "dict[str, int]",
    "compaction": "CompactionMetrics | None",
    "cleanup": "CleanupStats | None",
    "transaction_properties": "dict[str, str] | None",
    "DatasetBasePath.name": "str | None",
    "Clone.ref_name": "str | None",
    "Clone.branch_name": "str | None",
    "Overwrite.initial_bases": "list[DatasetBasePath] | None",
    "Update.updated_fragment_offsets": "dict[int, bytes] | None",
    "UpdateConfig.config_updates": "LanceOperation.UpdateMap | None",
    "UpdateConfig.table_metadata_updates": "LanceOperation.UpdateMap | None",
    "UpdateConfig.schema_metadata_updates": "LanceOperation.UpdateMap | None",
    "UpdateConfig.field_metadata_updates": "dict[int, LanceOperation.UpdateMap] | None",
    "Index.files": "list[IndexFile] | None",
    "Index.index_version": "int | None",
    "Index.index_details": "tuple[str, bytes] | None",
    "DataStatistics.fields": "list[FieldStatistics]",
}

_TABLE = "pa.Table"


def _of(cls, **results):
    return {f"{cls}.{name}": kind for name, kind in results.items()}


def _these(cls, kind, names):
    return {f"{cls}.{name}": kind for name in names.split()}


RESULTS = {
    "BatchUDF.__call__": "pa.RecordBatch",
    **_these("Bitmap", "None", "add clear discard remove update"),
    **_these("Bitmap", "bool", "__contains__ isdisjoint issubset issuperset"),
    **_these("Bitmap", "Bitmap", "copy difference intersection symmetric_difference union"),
    **_of("Bitmap", __iter__="Iterator[int]", __len__="int", pop="int"),
    **_these("Branches", "None", "delete replace_metadata"),
    **_of("Branches", list="dict[str, Branch]", list_ordered="builtins.list[tuple[str, Branch]]"),
    **_these("Compaction", "CompactionMetrics", "commit execute"),
    "Compaction.plan": "CompactionPlan",
    **_of("CompactionPlan", from_json="CompactionPlan", json="str", num_tasks="int"),
    **_of("CompactionTask", execute="RewriteResult", from_json="CompactionTask", json="str"),
    **_of("DataFile", create="DataFile", field_ids="list[int]", path="str"),
    "DatasetDelta.list_transactions": "list[Transaction | None]",
    **_these(
        "DatasetDelta",
        "pa.RecordBatchReader",
        "get_deleted_row_ids get_inserted_rows get_updated_rows",
    ),
    **_of("DatasetOptimizer", __call__="OptimizeReport", compact_files="CompactionMetrics"),
    **_these("DatasetOptimizer", "None", "disable_auto_cleanup enable_auto_cleanup"),
    "DatasetOptimizer.cleanup_frag_reuse_index": "None",
    "DatasetOptimizer.optimize_indices": "NoReturn",
    "LanceDataset.remap_row_addrs": "pa.Array | None",
    **_of("DeletionFile", asdict="dict[str, Any]", from_json="DeletionFile", json="str"),
    "DeletionFile.path": "str",
    **_these("FileSystemFragmentWriteProgress", "None", "begin complete"),
    **_these("FragmentWriteProgress", "None", "begin complete"),
    **_these("NoopFragmentWriteProgress", "None", "begin complete"),
    **_of("FragmentMetadata", data_files="list[DataFile]", from_json="FragmentMetadata"),
    **_of("FragmentMetadata", num_deletions="int", num_rows="int", to_json="dict[str, Any]"),
    "FragmentSession.take": _TABLE,
    "IndexProgress.fraction": "float | None",
    **_these("LanceDataset", "LanceDataset", "__copy__ add_bases checkout_version commit"),
    **_these("LanceDataset", "LanceDataset", "create_branch deep_clone shallow_clone"),
    **_these("LanceDataset", "int", "__len__ count_rows latest_version max_field_id version"),
    **_these("LanceDataset", "str", "data_storage_version uri"),
    **_these("LanceDataset", "list[BlobFile | None]", "take_blobs"),
    **_these("LanceDataset", "list[tuple[int, bytes | None]]", "read_blobs"),
    **_these("LanceDataset", "list[tuple[int, int, bytes | None]]", "read_blob_ranges"),
    **_these("LanceDataset", _TABLE, "head sample slice take to_table"),
    **_these(
        "LanceDataset",
        "None",
        """add_columns alter_columns checkout_latest delete_config_keys drop drop_columns insert
        merge migrate_manifest_paths_v2 reorder_columns replace_field_metadata
        replace_schema_metadata restore truncate_table update_field_metadata validate""",
    ),
    **_these("LanceDataset", "dict[str, str]", "config metadata schema_metadata update_config"),
    **_these("LanceDataset", "dict[str, str]", "update_metadata update_schema_metadata"),
    **_these("LanceDataset", "dict[str, str] | None", "initial_storage_options"),
    **_these("LanceDataset", "dict[str, str] | None", "latest_storage_options"),
    **_these("LanceDataset", "pa.RecordBatchReader", "all_files tracked_files"),
    **_these("LanceDataset", "IOStats", "io_stats_incremental io_stats_snapshot"),
    **_these("LanceDataset", "NoReturn", "join replace_schema index_statistics"),
    **_these("LanceDataset", "list[Any]", "list_indices describe_indices"),
    **_these("LanceDataset", "bool", "has_index"),
    **_of(
        "LanceDataset",
        base_paths="dict[int, DatasetBasePath]",
        branches="Branches",
        cleanup_old_versions="CleanupStats",
        commit_batch="BulkCommitResult",
        delete="DeleteResult",
        delta="DatasetDelta",
        explain_cleanup_old_versions="CleanupExplanation",
        fragment_ids="Bitmap",
        from_pydantic_model="LanceDataset",
        get_fragment="LanceFragment | None",
        get_fragments="list[LanceFragment]",
        get_transactions="list[Transaction | None]",
        get_version="Version",
        has_stable_row_ids="bool",
        lance_schema="LanceSchema",
        merge_insert="MergeInsertBuilder",
        new_file_session="LanceFileSession",
        optimize="DatasetOptimizer",
        read_transaction="Transaction | None",
        scanner="LanceScanner",
        schema="pa.Schema",
        session="Session",
        sql="SqlQueryBuilder",
        stats="LanceStats",
        storage_options_accessor="StorageOptionsAccessor | None",
        tags="Tags",
        to_batches="Iterator[pa.RecordBatch]",
        to_pandas="pd.DataFrame",
        update="UpdateResult",
        version_refs="list[VersionRef]",
        versions="list[Version]",
    ),
    **_of("LanceField", children="list[LanceField]", id="int", metadata="dict[str, str]"),
    **_of("LanceField", name="str"),
    **_these("LanceField", "bool", "is_unenforced_clustering_key is_unenforced_primary_key"),
    **_these("LanceFragment", "FragmentMetadata", "create create_from_file metadata"),
    **_these("LanceFragment", "FragmentMetadata | None", "delete delete_rows"),
    **_these("LanceFragment", "int", "count_rows fragment_id num_deletions physical_rows"),
    **_these("LanceFragment", _TABLE, "head take to_table"),
    **_these("LanceFragment", "tuple[FragmentMetadata, LanceSchema]", "merge merge_columns"),
    **_of(
        "LanceFragment",
        data_files="list[DataFile]",
        deletion_file="str | None",
        open_session="FragmentSession",
        scanner="LanceScanner",
        schema="pa.Schema",
        to_batches="Iterator[pa.RecordBatch]",
        to_pandas="pd.DataFrame",
        update_columns="tuple[FragmentMetadata, list[int]] | "
        "tuple[FragmentMetadata, list[int], bytes]",
        validate="None",
    ),
    **_these("LanceScanner", "str", "analyze_plan explain_plan"),
    **_these("LanceScanner", "pa.Schema", "dataset_schema projected_schema"),
    **_these("LanceScanner", "NoReturn", "from_batches from_dataset from_fragment take"),
    **_these("LanceScanner", _TABLE, "head to_table"),
    **_of(
        "LanceScanner",
        count_rows="int",
        scan_batches="list[pa.RecordBatch]",
        to_batches="Iterator[pa.RecordBatch]",
        to_pandas="pd.DataFrame",
        to_reader="pa.RecordBatchReader",
    ),
    **_these("LanceSchema", "LanceField | None", "field field_case_insensitive"),
    **_these("LanceSchema", "list[LanceField]", "fields unenforced_clustering_key"),
    **_these("LanceSchema", "list[LanceField]", "unenforced_primary_key"),
    **_of("LanceSchema", from_pyarrow="LanceSchema", to_pyarrow="pa.Schema"),
    **_of("LanceStats", data_stats="DataStatistics", dataset_stats="DatasetStats"),
    "LanceStats.index_stats": "dict[str, Any]",
    **_these(
        "MergeInsertBuilder",
        "MergeInsertBuilder",
        """conflict_retries data_storage_version mark_sstables_as_compacted retry_timeout
        target_all_bases target_bases use_index when_matched_delete when_matched_fail
        when_matched_update_all when_not_matched_by_source_delete when_not_matched_insert_all
        write_mode""",
    ),
    **_of("MergeInsertBuilder", execute="ExecuteResult", explain_plan="str", analyze_plan="str"),
    "MergeInsertBuilder.execute_uncommitted": "tuple[Transaction, ExecuteResult]",
    **_of("RewriteResult", from_json="RewriteResult", json="str"),
    **_of("RowIdMeta", asdict="dict[str, Any]", from_dict="RowIdMeta", from_json="RowIdMeta"),
    "RowIdMeta.json": "str",
    **_of("RowIdSequence", from_inline_metadata="RowIdSequence", to_inline_metadata="RowIdMeta"),
    **_of("RowIdSequence", __iter__="Iterator[int]", __len__="int", to_pyarrow="pa.Array"),
    **_of("RowDatasetVersionMeta", asdict="dict[str, Any]", from_dict="RowDatasetVersionMeta"),
    **_of("RowDatasetVersionMeta", from_json="RowDatasetVersionMeta", json="str"),
    **_these(
        "ScannerBuilder",
        "ScannerBuilder",
        """apply_defaults batch_readahead batch_size batch_size_bytes blob_handling columns
        disable_scoring_autoprojection fast_search filter fragment_readahead include_deleted_rows
        io_buffer_size late_materialization limit nearest offset order_by prefilter
        row_addr_prefilter scan_in_order scan_stats_callback strict_batch_size
        substrait_aggregate use_scalar_index use_stats with_fragments with_row_address
        with_row_id""",
    ),
    "ScannerBuilder.to_scanner": "LanceScanner",
    **_of("Session", index_cache_size_bytes="int", is_same_as="bool", size_bytes="int"),
    **_of("StorageOptionsAccessor", accessor_id="str", has_provider="bool"),
    **_these(
        "StorageOptionsAccessor", _OPTIONS, "get_storage_options initial_storage_options"
    ),
    "StorageOptionsAccessor.refresh_offset_secs": "int",
    "StorageOptionsAccessor.with_static_options": "StorageOptionsAccessor",
    **_of("SqlQuery", to_batch_records="list[pa.RecordBatch]"),
    "SqlQuery.to_stream_reader": "pa.RecordBatchReader",
    **_these(
        "SqlQueryBuilder",
        "SqlQueryBuilder",
        "batch_size batch_size_bytes blob_handling table_name with_row_addr with_row_id",
    ),
    "SqlQueryBuilder.build": "SqlQuery",
    **_these("Tags", "None", "create delete replace_metadata update"),
    **_of("Tags", get_version="int", list="dict[str, Tag]"),
    "Tags.list_ordered": "builtins.list[tuple[str, Tag]]",
    "batch_udf": "Callable[[Callable[[pa.RecordBatch], Any]], BatchUDF]",
    "bytes_read_counter": "int",
    "dataset": "LanceDataset",
    "get_log_level": "str",
    "get_python_log_level": "str",
    "iops_counter": "int",
    "json_to_schema": "pa.Schema",
    "sanitize_ts": "datetime.datetime",
    "schema_to_json": "dict[str, Any]",
    "set_logger": "None",
    "simd_info": "dict[str, Any]",
    "td_to_micros": "int",
    "write_dataset": "LanceDataset",
    "write_fragments": "list[FragmentMetadata] | Transaction",
}
