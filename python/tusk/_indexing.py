"""Indices and the write-ahead log of pylance, which tusk does not have yet."""

import warnings

from tusk.later import later
from tusk.query import DocumentGranularity

_NO_BUILD = (
    "filters and nearest run without an index; a table indexed by pylance is read all the same"
)
_NO_INDEX = "no index is built or read yet; LanceOperation.CreateIndex can commit what others built"
_NO_WAL = "rows are appended with write_dataset(mode='append') or merge_insert"


class TableIndices:
    """The part of LanceDataset about indices and MemWAL. Those that would need an index, or make
    one, raise NotImplementedError.

    A search (`nearest`) and a filter give the same rows with and without an index.
    """

    @property
    def has_index(self):
        """Whether the table has an index. NotImplementedError if it may have one."""
        self._expect_no_index("has_index")
        return False

    def _expect_no_index(self, member):
        if self._about["has_indices"]:
            raise NotImplementedError(f"{member} of a table with indices: {_NO_INDEX}")

    @later(_NO_BUILD)
    def create_index(
        self,
        column,
        index_type,
        name=None,
        metric="L2",
        replace=False,
        num_partitions=None,
        ivf_centroids=None,
        pq_codebook=None,
        num_sub_vectors=None,
        accelerator=None,
        index_cache_size=None,
        shuffle_partition_batches=None,
        shuffle_partition_concurrency=None,
        ivf_centroids_file=None,
        precomputed_partition_dataset=None,
        storage_options=None,
        filter_nan=True,
        train=True,
        fragment_ids=None,
        index_uuid=None,
        *,
        target_partition_size=None,
        streaming_sample_rate=None,
        streaming_coreset_rate=None,
        streaming_refine_passes=None,
        skip_transpose=False,
        progress_callback=None,
        **kwargs,
    ):
        pass

    @later(_NO_BUILD)
    def create_index_uncommitted(
        self,
        column,
        index_type,
        name=None,
        metric="L2",
        replace=False,
        num_partitions=None,
        ivf_centroids=None,
        pq_codebook=None,
        num_sub_vectors=None,
        accelerator=None,
        index_cache_size=None,
        shuffle_partition_batches=None,
        shuffle_partition_concurrency=None,
        ivf_centroids_file=None,
        precomputed_partition_dataset=None,
        storage_options=None,
        filter_nan=True,
        train=True,
        fragment_ids=None,
        index_uuid=None,
        *,
        target_partition_size=None,
        streaming_sample_rate=None,
        streaming_coreset_rate=None,
        streaming_refine_passes=None,
        skip_transpose=False,
        rabitq_model=None,
        **kwargs,
    ):
        pass

    @later(_NO_BUILD)
    def create_scalar_index(
        self,
        column,
        index_type,
        name=None,
        *,
        replace=True,
        train=True,
        fragment_ids=None,
        index_uuid=None,
        progress_callback=None,
        format_version=None,
        document_granularity=DocumentGranularity.ROW,
        **kwargs,
    ):
        pass

    def list_indices(self):
        """The indices, of a table that has none."""
        warnings.warn(
            "list_indices is deprecated, use describe_indices", DeprecationWarning, stacklevel=2
        )
        return self.describe_indices()

    def describe_indices(self):
        """The indices, of a table that has none. NotImplementedError of one that may have some."""
        self._expect_no_index("describe_indices")
        return []

    @later(_NO_INDEX)
    def drop_index(self, name):
        pass

    def index_statistics(self, index_name):
        """KeyError of a table that has no index. NotImplementedError of one that may have some."""
        warnings.warn(
            "index_statistics is deprecated, use stats.index_stats",
            DeprecationWarning,
            stacklevel=2,
        )
        return self._statistics_of(index_name)

    def _statistics_of(self, index_name):
        self._expect_no_index("index_statistics")
        raise KeyError(f'Index "{index_name}" not found')

    @later(_NO_INDEX)
    def get_ivf_model(self, index_name):
        pass

    @later(_NO_INDEX)
    def centroids(self, *, index_name=None, column=None):
        pass

    @later(_NO_INDEX)
    def prewarm_index(self, name, *, with_position=False, index_segments=None):
        pass

    @later(_NO_INDEX)
    def commit_existing_index_segments(self, index_name, column, segments):
        pass

    @later(_NO_INDEX)
    def merge_existing_index_segments(self, segments):
        pass

    @later(_NO_INDEX)
    def merge_index_metadata(
        self,
        index_uuid,
        index_type,
        batch_readhead=None,
        progress_callback=None,
    ):
        pass

    @later(_NO_WAL)
    def initialize_mem_wal(
        self,
        *,
        maintained_indexes=None,
        bucket_column=None,
        num_buckets=None,
        identity_column=None,
        unsharded=False,
        durable_write=None,
        max_wal_buffer_size=None,
        max_wal_flush_interval_ms=None,
        max_memtable_size=None,
        max_memtable_rows=None,
        max_memtable_batches=None,
        max_unflushed_memtable_bytes=None,
        manifest_scan_batch_size=None,
        backpressure_log_interval_ms=None,
        stats_log_interval_ms=None,
        hnsw_params=None,
    ):
        pass

    @later(_NO_WAL)
    def mem_wal_index_details(self):
        pass

    @later(_NO_WAL)
    def mem_wal_writer(
        self,
        shard_id,
        *,
        durable_write=None,
        max_wal_buffer_size=None,
        max_wal_flush_interval_ms=None,
        max_memtable_size=None,
        max_memtable_rows=None,
        max_memtable_batches=None,
        max_unflushed_memtable_bytes=None,
        manifest_scan_batch_size=None,
        backpressure_log_interval_ms=None,
        stats_log_interval_ms=None,
        hnsw_params=None,
    ):
        pass
