"""Opened Lance tables, in the names, defaults and exceptions of pylance 14.0.2."""

import datetime
import functools
import importlib
import os
import shutil
import warnings

import pyarrow as pa

from tusk import _tusk
from tusk._arrow import TableDataset
from tusk._indexing import TableIndices
from tusk.bases import checked_store_params
from tusk.bitmap import Bitmap
from tusk.blob import TableBlobs
from tusk.columns import TableColumns
from tusk.delta import make_delta
from tusk.errors import InvalidArgumentError
from tusk.file import LanceFileSession
from tusk.files import TableFiles
from tusk.fragment import LanceFragment
from tusk.history import TableHistory, checked_lock, resolve
from tusk.maintenance import TableMaintenance
from tusk.rows import TableRows
from tusk.scanner import make_scanner, stated
from tusk.scanner_builder import ScannerBuilder
from tusk.session import TableSession, to_session
from tusk.sql_query import SqlQueryBuilder
from tusk.stats import LanceStats, validate
from tusk.storage_options import StorageOptionsAccessor
from tusk.takes import TableTakes
from tusk.util import sanitize_ts
from tusk.write import refuse_namespace, to_absolute, to_uri


# The config key of tables that a lake keeps.
_LAKE_KEY = "tusk.lake"


def _local_time(microseconds):
    """The naive local time that pylance gives for a version."""
    seconds, rest = divmod(microseconds, 1_000_000)
    return datetime.datetime.fromtimestamp(seconds) + datetime.timedelta(microseconds=rest)


class LanceDataset(
    TableBlobs,
    TableColumns,
    TableFiles,
    TableHistory,
    TableIndices,
    TableMaintenance,
    TableRows,
    TableSession,
    TableTakes,
    TableDataset,
):
    """One version of a Lance table.

    Made by `dataset` and `write_dataset`. What changes the table moves this object to the version
    that it makes; other objects stay at theirs. Threads may share one that is only read.
    """

    _storage_options = None
    _commit_lock = None
    _default_scan_options = None
    _given_uri = None  # may be relative to a folder that is no longer the current one

    def __init__(
        self,
        uri,
        version=None,
        block_size=None,
        index_cache_size=None,
        metadata_cache_size=None,
        commit_lock=None,
        storage_options=None,
        serialized_manifest=None,
        default_scan_options=None,
        metadata_cache_size_bytes=None,
        index_cache_size_bytes=None,
        read_params=None,
        session=None,
        namespace_client=None,
        table_id=None,
        namespace_client_managed_versioning=False,
        base_store_params=None,
    ):
        """Parameters as in `dataset`. A `serialized_manifest` is not looked at: the version is."""
        refuse_namespace("dataset", uri, namespace_client, table_id)
        if index_cache_size is not None:
            warnings.warn(
                "index_cache_size is deprecated, use index_cache_size_bytes",
                DeprecationWarning,
                stacklevel=2,
            )
        self._base_store_params = checked_store_params(base_store_params)
        self._storage_options = storage_options
        self._commit_lock = checked_lock(commit_lock)
        self._default_scan_options = default_scan_options
        self._session = to_session(session, metadata_cache_size_bytes)
        uri, version, _ = resolve(uri, version)
        super().__init__(_tusk.open_lance(to_absolute(uri), version, storage_options or {}))
        self._given_uri = uri

    @classmethod
    def _of(cls, table, session=None, base_store_params=None):
        dataset = cls.__new__(cls)
        dataset._session = session
        dataset._base_store_params = base_store_params
        TableDataset.__init__(dataset, table)
        return dataset

    def _at(self, table):
        """Another version of this table, opened in the same way."""
        dataset = self._of(table, self._session, self._base_store_params)
        if table.uri == self._table.uri:
            dataset._given_uri = self._given_uri
        dataset._storage_options = self._storage_options
        dataset._commit_lock = self._commit_lock
        dataset._default_scan_options = self._default_scan_options
        return dataset

    def __repr__(self):
        return f"<tusk.LanceDataset {self.uri!r} version {self.version}>"

    def __reduce__(self):
        open_again = functools.partial(
            LanceDataset,
            storage_options=self._storage_options,
            base_store_params=self._base_store_params,
            default_scan_options=self._default_scan_options,
        )
        return open_again, (self._table.uri, self.version)

    def __copy__(self):
        """Another object at the same version, which moves by itself."""
        return self._at(self._table)

    @property
    def uri(self):
        """The path or URI by which it was opened or written."""
        return self._table.uri if self._given_uri is None else self._given_uri

    @property
    def version(self):
        return self._table.version

    @property
    def latest_version(self):
        """The newest version of the table now, which may be later than this one."""
        return self._table.latest_version()

    @property
    def schema(self):
        if self._default_scan_options is None:
            return super().schema
        return self.scanner().projected_schema

    @property
    def max_field_id(self):
        """The greatest id that a field of the table has or had."""
        fields = list(self.lance_schema.fields())
        ids = [-1]
        while fields:
            field = fields.pop()
            ids.append(field.id())
            fields += field.children()
        for fragment in self.get_fragments():
            ids += [number for file in fragment.metadata.files for number in file.fields]
        return max(ids)

    @property
    def data_storage_version(self):
        return self._table.data_storage_version

    @property
    def has_stable_row_ids(self):
        return self._table.has_stable_row_ids

    @property
    def initial_storage_options(self):
        """The storage options that it was opened with; None without any."""
        return self._storage_options

    def latest_storage_options(self):
        """The storage options in use, which never change here."""
        return self._storage_options

    @property
    def stats(self):
        return LanceStats(self)

    def config(self):
        return self._table.config

    def versions(self):
        """All versions, ascending: dicts with version, timestamp (local time) and metadata."""
        return [
            {"version": version, "timestamp": _local_time(timestamp), "metadata": metadata}
            for version, timestamp, metadata in self._table.versions()
        ]

    def get_version(self):
        return next(entry for entry in self.versions() if entry["version"] == self.version)

    def checkout_latest(self):
        """Moves this object to the newest version."""
        self._table = _tusk.open_lance(
            self._table.uri, storage_options=self._storage_options or {}
        )

    def validate(self):
        """Looks at every file of this version. OSError if one is missing or does not fit it."""
        for fragment in self.get_fragments():
            validate(self, fragment.metadata)

    @staticmethod
    def drop(base_uri, storage_options=None, ignore_not_found=None):
        """Removes a table with all its files. OSError if there is none, unless that is ignored."""
        uri = to_uri(base_uri)
        try:
            config = _tusk.open_lance(uri, None, storage_options or {}).config
        except FileNotFoundError:
            if ignore_not_found:
                return
            raise
        if _LAKE_KEY in config:
            raise InvalidArgumentError(
                f"{uri} belongs to the lake {config[_LAKE_KEY]}: drop it there"
            )
        place = _tusk.resolve(uri, storage_options or {})
        # The versions first: what is left by an interruption is no table.
        for path in sorted(place.list(), key=lambda path: "/_versions/" not in path):
            place.below(path.removeprefix(place.path).lstrip("/")).delete()
        if os.path.isdir(place.path) and ("://" not in uri or uri.startswith("file://")):
            shutil.rmtree(place.path)  # the folders, which are empty

    def scanner(
        self,
        columns=None,
        filter=None,
        limit=None,
        offset=None,
        nearest=None,
        batch_size=None,
        batch_size_bytes=None,
        batch_readahead=None,
        fragment_readahead=None,
        scan_in_order=None,
        fragments=None,
        index_segments=None,
        full_text_query=None,
        *,
        prefilter=None,
        with_row_id=None,
        with_row_address=None,
        use_stats=None,
        fast_search=None,
        io_buffer_size=None,
        late_materialization=None,
        blob_handling=None,
        use_scalar_index=None,
        include_deleted_rows=None,
        scan_stats_callback=None,
        strict_batch_size=None,
        order_by=None,
        disable_scoring_autoprojection=None,
        row_addr_allowlist=None,
        row_addr_blocklist=None,
    ):
        """Plans a read.

        columns: names of columns, paths of fields inside of structs ("s.a"), `_rowid`, `_rowaddr`
            and `_rowoffset`; all columns if None. Or a dict from names to expressions of SQL
            (docs/guide/filters.md): {"next": "id + 1", "x": "box.x"}.
        filter: SQL text (docs/guide/filters.md) or a pyarrow expression. limit, offset: rows after
            the filter.
        nearest: {"column", "q", "k", "metric"}, the k rows nearest to the vector q with their
            `_distance`, the limit or 10 without a k; the filter judges before the search if
            `prefilter`, else its hits.
        batch_size, batch_size_bytes: the most rows and bytes of a batch.
        with_row_id, with_row_address: append `_rowid`, `_rowaddr`.
        fragments: the LanceFragments to read, or their ids, in this order.
        include_deleted_rows: with deleted rows, whose `_rowid`, which must be asked for, is null.
        order_by: names of columns or ColumnOrderings, not all of which need be among the `columns`.
        strict_batch_size: every batch of a stream but the last has `batch_size` rows, which may cost
            a copy.
        use_stats: False reads pages in which by their bounds the filter finds nothing.
        scan_stats_callback: is given a ScanStatistics when the scan has come to its end.
        row_addr_allowlist, row_addr_blocklist: sets of row ids (see `serialize_row_addrs`): the read,
            and what a search ranks, are limited to rows of the one that are not in the other.

        The filter's columns are read first, and the others of the rows that it keeps. Hints about
        speed (batch_readahead, fragment_readahead, scan_in_order, fast_search, io_buffer_size,
        late_materialization, use_scalar_index) are accepted and change nothing.
        What would change the result and is not covered raises NotImplementedError.
        """
        given = stated(locals())
        if self._default_scan_options is not None:
            defaults = ScannerBuilder(self).apply_defaults(self._default_scan_options)
            given = defaults._given | given
        return make_scanner(self, **given)

    def to_table(
        self,
        columns=None,
        filter=None,
        limit=None,
        offset=None,
        nearest=None,
        batch_size=None,
        batch_size_bytes=None,
        batch_readahead=None,
        fragment_readahead=None,
        scan_in_order=None,
        *,
        prefilter=None,
        with_row_id=None,
        with_row_address=None,
        use_stats=None,
        fast_search=None,
        full_text_query=None,
        io_buffer_size=None,
        late_materialization=None,
        blob_handling=None,
        use_scalar_index=None,
        include_deleted_rows=None,
        order_by=None,
        disable_scoring_autoprojection=None,
        **kwargs,
    ):
        """Reads into a pyarrow Table. Parameters as in `scanner`, all of which may be given."""
        given = stated(locals())
        return self.scanner(**given, **kwargs).to_table()

    def to_batches(
        self,
        columns=None,
        filter=None,
        limit=None,
        offset=None,
        nearest=None,
        batch_size=None,
        batch_size_bytes=None,
        batch_readahead=None,
        fragment_readahead=None,
        scan_in_order=None,
        *,
        prefilter=None,
        with_row_id=None,
        with_row_address=None,
        use_stats=None,
        full_text_query=None,
        io_buffer_size=None,
        late_materialization=None,
        blob_handling=None,
        use_scalar_index=None,
        strict_batch_size=None,
        order_by=None,
        disable_scoring_autoprojection=None,
        **kwargs,
    ):
        """An iterator of record batches, read as it goes. Parameters as in `scanner`."""
        given = stated(locals())
        return self.scanner(**given, **kwargs).to_batches()

    def to_pandas(
        self,
        columns=None,
        filter=None,
        limit=None,
        offset=None,
        nearest=None,
        batch_size=None,
        batch_readahead=None,
        fragment_readahead=None,
        scan_in_order=None,
        *,
        prefilter=None,
        with_row_id=None,
        with_row_address=None,
        use_stats=None,
        fast_search=None,
        full_text_query=None,
        io_buffer_size=None,
        late_materialization=None,
        blob_mode="lazy",
        use_scalar_index=None,
        include_deleted_rows=None,
        order_by=None,
        disable_scoring_autoprojection=None,
        **kwargs,
    ):
        """Reads into a pandas DataFrame. Parameters as in `scanner`; `kwargs` are those of
        pyarrow.Table.to_pandas.
        """
        given = stated(locals())
        del given["blob_mode"]
        return self.scanner(**given).to_pandas(blob_mode=blob_mode, **kwargs)

    def count_rows(self, filter=None, **kwargs):
        """Counts the rows, or those for which `filter` (SQL text or a pyarrow expression) is true."""
        return super().count_rows(filter)

    def get_fragments(self, filter=None):
        """The fragments, ascending by id."""
        if filter is not None:
            raise ValueError("get_fragments takes no filter: give the filter to their scanner")
        return [LanceFragment(self, number) for number, _, _ in self._table.fragments()]

    def get_fragment(self, fragment_id):
        """The fragment with this id; None if there is none."""
        ids = [number for number, _, _ in self._table.fragments()]
        return LanceFragment(self, fragment_id) if fragment_id in ids else None

    def fragment_ids(self):
        """The ids of the fragments, as a Bitmap."""
        return Bitmap(number for number, _, _ in self._table.fragments())

    def new_file_session(self):
        """A LanceFileSession of the table's folder."""
        return LanceFileSession(self._table.uri, self._storage_options)

    def sql(self, sql):
        """A SqlQueryBuilder of a statement for DuckDB, in which this table is called "dataset"."""
        return SqlQueryBuilder((self, sql))

    def delta(self, compared_against=None, *, begin_version=None, end_version=None):
        """What changed since the version `compared_against`, or between two: a DatasetDelta."""
        return make_delta(self, compared_against, begin_version, end_version)

    def join(
        self,
        right_dataset,
        keys,
        right_keys=None,
        join_type="left outer",
        left_suffix=None,
        right_suffix=None,
        coalesce_keys=True,
        use_threads=True,
    ):
        raise NotImplementedError("LanceDataset.join: tables join, see to_table and merge")

    def replace_schema(self, schema):
        raise NotImplementedError(
            "LanceDataset.replace_schema: see alter_columns and replace_schema_metadata"
        )

    def remap_row_addrs(self, addrs):
        """Where the rows at `addrs`, an array of uint64, are after compactions with
        defer_index_remap of which the table still keeps account: null for those that were dropped,
        the address itself for others that did not move. None if it keeps no account.
        """
        rows = pa.table({"address": addrs})
        moved = _tusk.remap_lance_row_addresses(self._table, rows)
        return None if moved is None else pa.record_batch(moved).column(0)

    @property
    def storage_options_accessor(self):
        """The storage options as a StorageOptionsAccessor; None without any."""
        if not self._storage_options:
            return None
        return StorageOptionsAccessor.with_static_options(self._storage_options)

    @classmethod
    def from_pydantic_model(cls, model_class, data, uri=None, mode="create", **kwargs):
        """Writes a list of pydantic models as a table with a column for each field of their class
        (see tusk.pydantic). Parameters as in `write_dataset`; without a uri, a folder called as the
        class, in snake case.
        """
        from tusk.pydantic import write_models  # an optional dependency

        return write_models(model_class, data, uri, mode, kwargs)


def dataset(
    uri=None,
    version=None,
    asof=None,
    block_size=None,
    commit_lock=None,
    index_cache_size=None,
    storage_options=None,
    default_scan_options=None,
    metadata_cache_size_bytes=None,
    index_cache_size_bytes=None,
    read_params=None,
    session=None,
    namespace_client=None,
    table_id=None,
    base_store_params=None,
):
    """Opens a Lance table at its newest version, at `version`, or as it was at the time `asof`.

    version: a number, a tag, or (branch, version), of which either may be None: the main line, the
        latest version.
    asof: a datetime, of pandas too, or text; local time unless it has a zone.
    commit_lock: called with the number of each version that is about to be published through this
        object; gives a context manager in which that is done. It may raise CommitConflictError if
        another writer has the version: the next one is tried, if the changes go together. What else
        it raises ends the commit. Needed where the store cannot refuse to replace an object.
    storage_options: {"memory_map": "true"} reads local files without a copy, out of maps of them,
        which suits files that stay in memory. Whoever shortens or overwrites a file of an open
        table then ends this process or changes arrays it has read. (Lance never does so.)
    default_scan_options: parameters of `scanner` that hold where a scan does not say otherwise.
        With some, `schema` is that of such a scan, row ids included.

    session: a Session, whose memory holds what is kept of the table's files.
    metadata_cache_size_bytes: without a session, the most that is kept of them (see Session): 256
        MiB of metadata and 64 MiB of values if not given; with 0 only one open file is kept.
    base_store_params: storage_options of base paths, by their paths.

    Hints about memory and speed (block_size, index_cache_size, index_cache_size_bytes, read_params)
    are accepted and change nothing.

    Raises ValueError if there is none.
    """
    found = LanceDataset(
        uri,
        version,
        index_cache_size=index_cache_size,
        commit_lock=commit_lock,
        storage_options=storage_options,
        default_scan_options=default_scan_options,
        metadata_cache_size_bytes=metadata_cache_size_bytes,
        session=session,
        namespace_client=namespace_client,
        table_id=table_id,
        base_store_params=base_store_params,
    )
    if version is not None or asof is None:
        return found
    asof = sanitize_ts(asof)
    if asof.tzinfo is not None:
        asof = asof.astimezone().replace(tzinfo=None)
    earlier = [entry["version"] for entry in found.versions() if entry["timestamp"] <= asof]
    if not earlier:
        raise ValueError(f"{found.uri} has no version as of {asof}")
    return found.checkout_version(max(earlier))


# The names of pylance's extension module, which programs now and then import from there.
_NATIVE = {
    "BFloat16": "tusk.bfloat16",
    "Bitmap": "tusk.bitmap",
    "CleanupCandidateFile": "tusk.maintenance",
    "CleanupExplanation": "tusk.maintenance",
    "CleanupReferencedBranch": "tusk.maintenance",
    "CleanupStats": "tusk.maintenance",
    "Compaction": "tusk.optimize",
    "CompactionMetrics": "tusk.optimize",
    "CompactionPlan": "tusk.optimize",
    "CompactionTask": "tusk.optimize",
    "DatasetBasePath": "tusk.transaction",
    "DeletionFile": "tusk.fragment_metadata",
    "IOStats": "tusk._arrow",
    "LanceBufferDescriptor": "tusk.file",
    "LanceColumnMetadata": "tusk.file",
    "LanceFileMetadata": "tusk.file",
    "LanceFileStatistics": "tusk.file",
    "LancePageMetadata": "tusk.file",
    "LanceSchema": "tusk.lance_schema",
    "RewriteResult": "tusk.optimize",
    "RowDatasetVersionMeta": "tusk.fragment_metadata",
    "RowIdMeta": "tusk.fragment_metadata",
    "RowIdSequence": "tusk.row_id_sequence",
    "ScanStatistics": "tusk._scan",
    "StorageOptionsAccessor": "tusk.storage_options",
    "bfloat16_array": "tusk.bfloat16",
    "bytes_read_counter": "tusk.process",
    "format_fragment": "tusk.debug",
    "format_manifest": "tusk.debug",
    "format_schema": "tusk.debug",
    "iops_counter": "tusk.process",
    "list_transactions": "tusk.debug",
    "simd_info": "tusk.process",
    "stable_version": "tusk.file",
}


def __getattr__(name):
    if name not in _NATIVE:
        raise AttributeError(f"module 'tusk.lance' has no attribute {name!r}")
    return getattr(importlib.import_module(_NATIVE[name]), name)
