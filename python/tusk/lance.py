"""Lance tables in the names, defaults and exceptions of pylance 14.0.2."""

import datetime
import functools
import numbers
import os
import random
import warnings

import pyarrow as pa

from tusk import _tusk
from tusk._arrow import (
    TableDataset,
    TableScanner,
    check_not_negative,
    check_rows,
    refuse,
    serialize_filter,
)
from tusk._scan import ScanWatch, to_fragment_ids, to_orderings
from tusk._source import errors_of, to_stream
from tusk.columns import TableColumns
from tusk.errors import (
    InvalidArgumentError,
    NotFoundError,
    RowChangeError,
    RowOutOfRangeError,
    SchemaMismatchError,
)
from tusk.fragment import LanceFragment
from tusk.history import TableHistory, checked_lock, resolve
from tusk.maintenance import TableMaintenance
from tusk.optimize import to_cleanup_config
from tusk.merge_insert import MergeInsertBuilder

# The key by which pylance keeps the message of a commit among its transaction's properties.
_COMMIT_MESSAGE = "__lance_commit_message"
# The search here is exact, so that what tunes an index changes nothing.
_INDEX_TUNING = {
    "nprobes",
    "minimum_nprobes",
    "maximum_nprobes",
    "refine_factor",
    "use_index",
    "ef",
    "query_parallelism",
    "approx_mode",
    "search_effort",
}
_METRICS = {"l2": "l2", "euclidean": "l2", "cosine": "cosine", "dot": "dot"}


def _local_time(microseconds):
    """The naive local time that pylance gives for a version."""
    seconds, rest = divmod(microseconds, 1_000_000)
    return datetime.datetime.fromtimestamp(seconds) + datetime.timedelta(microseconds=rest)


def _columns(columns, kinds):
    """The columns to read as the library takes them: by path, and by expression."""
    if columns is None:
        return None, []
    if isinstance(columns, dict):
        return [], list(columns.items())
    if isinstance(columns, kinds):
        return list(columns), []
    raise TypeError(f"columns must be a list or dict[name, expression], got {type(columns)}")


def query_vector(query):
    """The floats of a query vector given as a list, an array, a numpy array or a scalar."""
    if isinstance(query, pa.Scalar):
        query = query.as_py()
    elif isinstance(query, (pa.Array, pa.ChunkedArray)):
        query = query.to_pylist()
    elif hasattr(query, "tolist"):
        query = query.tolist()
    query = list(query)
    if query and not all(isinstance(value, (int, float)) for value in query):
        raise NotImplementedError("several query vectors at once are not supported yet: pass one")
    return query


class LanceDataset(TableColumns, TableHistory, TableMaintenance, TableDataset):
    """One version of a Lance table."""

    _storage_options = None
    _commit_lock = None

    def __init__(
        self, uri, version=None, *, storage_options=None, commit_lock=None, **options
    ):
        refuse("dataset", options)
        self._storage_options = storage_options
        self._commit_lock = checked_lock(commit_lock)
        uri, version, _ = resolve(uri, version)
        super().__init__(_tusk.open_lance(uri, version, storage_options or {}))

    @classmethod
    def _of(cls, table):
        dataset = cls.__new__(cls)
        TableDataset.__init__(dataset, table)
        return dataset

    def __repr__(self):
        return f"<tusk.LanceDataset {self.uri!r} version {self.version}>"

    def __reduce__(self):
        open_again = functools.partial(LanceDataset, storage_options=self._storage_options)
        return open_again, (self.uri, self.version)

    @property
    def uri(self):
        return self._table.uri

    @property
    def version(self):
        return self._table.version

    @property
    def latest_version(self):
        """The newest version of the table now, which may be later than this one."""
        return self._table.latest_version()

    @property
    def data_storage_version(self):
        return self._table.data_storage_version

    @property
    def has_stable_row_ids(self):
        return self._table.has_stable_row_ids

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
        self._table = _tusk.open_lance(self.uri, storage_options=self._storage_options or {})

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
            `_distance`; the filter judges before the search if `prefilter`, else its hits.
        batch_size, batch_size_bytes: the most rows and bytes of a batch.
        with_row_id, with_row_address: append `_rowid`, `_rowaddr`.
        fragments: the LanceFragments to read, or their ids, in this order.
        include_deleted_rows: with deleted rows, whose `_rowid`, which must be asked for, is null.
        order_by: names of columns or ColumnOrderings, not all of which need be among the `columns`.
        use_stats: False reads pages in which by their bounds the filter finds nothing.
        scan_stats_callback: is given a ScanStatistics when the scan has come to its end.

        The filter's columns are read first, and the others of the rows that it keeps. Hints about
        speed (batch_readahead, fragment_readahead, scan_in_order, fast_search, io_buffer_size,
        late_materialization, use_scalar_index, strict_batch_size) are accepted and change nothing.
        What would change the result and is not covered raises NotImplementedError.
        """
        refuse(
            "scanner",
            {
                "index_segments": index_segments,
                "full_text_query": full_text_query,
                "blob_handling": None if blob_handling == "blobs_descriptions" else blob_handling,
                "disable_scoring_autoprojection": disable_scoring_autoprojection or None,
                "row_addr_allowlist": row_addr_allowlist,
                "row_addr_blocklist": row_addr_blocklist,
            },
        )
        paths, expressions = _columns(columns, list)
        check_rows("limit", limit)
        check_rows("offset", offset)
        serialized = serialize_filter(filter)
        if nearest is not None:
            if with_row_id or with_row_address:
                raise NotImplementedError("scanner: row ids of nearest rows are not supported yet")
            if expressions:
                raise NotImplementedError("scanner: nearest takes no dict of columns yet")
            refuse(
                "scanner with nearest",
                {
                    "fragments": fragments,
                    "include_deleted_rows": include_deleted_rows or None,
                    "scan_stats_callback": scan_stats_callback,
                    "order_by": order_by,
                },
            )
            if not isinstance(nearest, dict):
                raise NotImplementedError("scanner: nearest must be a dict with column, q and k")
            search = _nearest_arguments(**nearest)
            return NearestScanner(self, paths, filter, limit, offset, search, bool(prefilter))
        options = _tusk.LanceScanOptions()
        options.columns = paths
        options.expressions = expressions
        options.filter = serialized
        options.limit = limit
        options.offset = offset or 0
        options.with_row_id = bool(with_row_id)
        options.with_row_address = bool(with_row_address)
        options.fragments = to_fragment_ids(fragments)
        options.include_deleted_rows = bool(include_deleted_rows)
        options.use_statistics = use_stats is not False
        options.order_by = to_orderings(order_by)
        if batch_size is not None:
            options.batch_rows = batch_size
        if batch_size_bytes is not None:
            options.batch_bytes = batch_size_bytes
        return LanceScanner(self, options, serialized, scan_stats_callback)

    def take(self, indices, columns=None):
        """Rows by position in scan order, in the order asked, duplicates kept.

        columns: as in `scanner`, but paths in a list give parts of their columns: "s.a" gives
            column `s` with the one child `a`, "points.item.x" lists of structs with the one child
            `x`.
        """
        if hasattr(indices, "to_pylist"):
            indices = indices.to_pylist()
        elif hasattr(indices, "tolist"):
            indices = indices.tolist()
        paths, expressions = _columns(columns, (list, tuple))
        indices = list(indices)
        try:
            return pa.table(self._table.take(indices, paths, expressions))
        except (InvalidArgumentError, TypeError) as error:
            rows = self.count_rows()
            numbers_only = (i for i in indices if isinstance(i, numbers.Integral))
            missing = next((i for i in numbers_only if not 0 <= i < rows), None)
            if missing is None:
                raise
            raise RowOutOfRangeError(
                f"cannot take row {missing} of {self.uri}: version {self.version} has {rows} rows"
            ) from None

    def _take_rows(self, row_ids, columns=None):
        """Rows by row id, in the order asked, duplicates kept; those of deleted rows left out."""
        return self._take_numbers(self._table.take_row_ids, row_ids, columns)

    def _take_addresses(self, addresses, columns=None):
        """The same by row address."""
        return self._take_numbers(self._table.take_addresses, addresses, columns)

    def _take_numbers(self, take, numbers, columns):
        paths, expressions = _columns(columns, (list, tuple))
        if hasattr(numbers, "to_pylist"):
            numbers = numbers.to_pylist()
        return pa.table(take([int(number) for number in numbers], paths, expressions))

    def slice(self, start, end, columns=None):
        """The rows [start, end) in scan order, as far as there are so many."""
        if start < 0:
            raise ValueError(f"start must be non-negative, got {start}")
        if end < start:
            raise ValueError(f"end ({end}) must be >= start ({start})")
        return self.scanner(columns=columns, offset=start, limit=end - start).to_table()

    def sample(self, num_rows, columns=None, randomize_order=True, **kwargs):
        """So many random rows, none of them twice; in scan order unless `randomize_order`."""
        indices = random.sample(range(self.count_rows()), num_rows)
        return self.take(indices if randomize_order else sorted(indices), columns, **kwargs)

    def get_fragments(self, filter=None):
        """The fragments, ascending by id."""
        refuse("get_fragments", {"filter": filter})
        return [LanceFragment(self, number) for number, _, _ in self._table.fragments()]

    def get_fragment(self, fragment_id):
        """The fragment with this id; None if there is none."""
        ids = [number for number, _, _ in self._table.fragments()]
        return LanceFragment(self, fragment_id) if fragment_id in ids else None

    def delete(self, predicate, *, conflict_retries=10, retry_timeout=None):
        """Deletes the rows for which `predicate` (SQL text or a pyarrow expression) is true.

        Makes a new version, to which this object moves, also if there is no such row. Gives
        {"num_deleted_rows": how many}. Where other writers change rows at the same time, the rows
        are looked for again, `conflict_retries` times, but not after the timedelta `retry_timeout`
        (30 seconds).
        """
        filter = serialize_filter(predicate)
        if filter is None:
            raise TypeError("predicate must be SQL text or a pyarrow expression")
        self._table, count = _tusk.delete_lance(
            self.uri,
            filter,
            conflict_retries,
            datetime.timedelta(seconds=30) if retry_timeout is None else retry_timeout,
            self._storage_options or {},
            self._commit_lock,
        )
        return {"num_deleted_rows": count}

    def update(
        self,
        updates,
        where=None,
        conflict_retries=10,
        retry_timeout=datetime.timedelta(seconds=30),
        data_storage_version=None,
    ):
        """Sets columns to values computed from the row as it was: {"a": "a + 1"} in SQL.

        where: SQL text or a pyarrow expression; all rows if None.
        conflict_retries, retry_timeout: how often, and how long, the rows are looked for again
            because other writers changed or moved some.
        data_storage_version: of the files of the changed rows; if not given, as the table is.

        Makes a new version, to which this object moves, also if there is no such row. Gives
        {"num_rows_updated": how many}. The rows stand behind all others afterwards. A value that
        would be another one in the column's type (1.5 in a column of whole numbers) is an error.
        """
        if conflict_retries < 0:
            raise OverflowError(f"conflict_retries must not be negative, got {conflict_retries}")
        filter = serialize_filter(where)
        try:
            self._table, count = _tusk.update_lance(
                self.uri,
                list(updates.items()),
                filter,
                conflict_retries,
                retry_timeout,
                data_storage_version,
                self._storage_options or {},
                self._commit_lock,
            )
        except InvalidArgumentError as error:
            raise RowChangeError(str(error)) from None
        return {"num_rows_updated": count}

    def merge(self, data_obj, left_on, right_on=None, schema=None):
        """Adds the columns of other data, all but its key, as one new version.

        data_obj, schema: as in `write_dataset`; may be larger than memory, but for its keys.
        left_on, right_on: the keys by which rows of this table and of the data are joined; this one
            may be `_rowid` or `_rowaddr`. The same name if `right_on` is None.

        A row without a match gets nulls, one with several matches the last. A null matches a null.
        """
        stream, source = to_stream(data_obj, schema)
        right_on = left_on if right_on is None else right_on
        try:
            with errors_of(source):
                self._table = _tusk.join_columns_lance(
                    stream, self.uri, left_on, right_on, self._storage_options or {}
                )
        except InvalidArgumentError as error:
            raise RowChangeError(str(error)) from None

    def merge_insert(self, on=None):
        """A MergeInsertBuilder, which adds, updates and deletes rows by the rows of other data.

        on: the name of a column, or of several, that make up the key by which rows match, in any
            case; the table's unenforced primary key if None. ValueError if there is none.
        """
        return MergeInsertBuilder(self, on)

    def insert(self, data, *, mode="append", **kwargs):
        """Writes to this table and moves this object to the new version."""
        kwargs.setdefault("commit_lock", self._commit_lock)
        self._table = write_dataset(data, self.uri, mode=mode, **kwargs)._table


def _nearest_arguments(column, q, k=None, metric=None, distance_range=None, **tuning):
    unknown = tuning.keys() - _INDEX_TUNING
    if unknown:
        raise TypeError(f"nearest has no key {sorted(unknown)[0]!r}")
    refuse("nearest", {"distance_range": distance_range})
    metric = "l2" if metric is None else metric.lower()
    if metric == "hamming":
        raise NotImplementedError("nearest: the metric 'hamming' is not supported yet")
    if metric not in _METRICS:
        raise ValueError(f"nearest: metric {metric!r} is not one of l2, cosine, dot")
    return {
        "column": column,
        "query": query_vector(q),
        "k": 10 if k is None else k,
        "metric": _METRICS[metric],
    }


class LanceScanner(TableScanner):
    """A planned scan of a Lance table."""

    def __init__(self, dataset, options, filter, statistics_callback=None):
        super().__init__(dataset, options, filter)
        self._statistics_callback = statistics_callback

    def _watch(self):
        if self._statistics_callback is None:
            return None
        return ScanWatch(self._dataset._table, self._options, self._statistics_callback)

    def to_table(self):
        watch = self._watch()
        table = super().to_table()
        if watch is not None:
            watch.end()
        return table

    def to_batches(self):
        watch = self._watch()
        batches = super().to_batches()
        return batches if watch is None else _until_end(batches, watch)

    def to_reader(self):
        watch = self._watch()
        reader = super().to_reader()
        if watch is None:
            return reader
        return pa.RecordBatchReader.from_batches(reader.schema, _until_end(reader, watch))

    def count_rows(self):
        options = self._options
        if options.fragments is not None or options.include_deleted_rows:
            return super().count_rows()
        rows = self._dataset._table.count_rows(self._filter) - options.offset
        return max(0, rows if options.limit is None else min(rows, options.limit))

    def explain_plan(self, verbose=False):
        """What the scan would read and do, step by step, the last one first."""
        return self._dataset._table.explain_scan(self._options)

    def analyze_plan(self, count_rows=False):
        """Runs the scan and tells what each step did: rows, time, requests and bytes."""
        return self._dataset._table.analyze_scan(self._options)


def _until_end(batches, watch):
    yield from batches
    watch.end()


class NearestScanner(LanceScanner):
    """A planned search for the nearest rows of a Lance table."""

    def __init__(self, dataset, columns, filter, limit, offset, search, prefilter):
        super().__init__(dataset, _tusk.LanceScanOptions(), filter)
        self._columns = None if columns is None else [c for c in columns if c != "_distance"]
        self._limit = limit
        self._offset = offset or 0
        self._search = search
        self._prefilter = prefilter

    def to_table(self):
        columns = self._columns
        filter = serialize_filter(self._filter)
        if filter is None or self._prefilter:
            hits = self._find(columns, filter)
        else:
            wanted = columns
            if columns is not None:
                schema = self._dataset.schema.append(pa.field("_distance", pa.float32()))
                needed = _tusk.filter_columns(filter, schema)
                wanted = columns + [c for c in needed if c not in columns and c != "_distance"]
            hits = pa.table(_tusk.apply_filter(self._find(wanted, None), filter))
            if columns is not None:
                hits = hits.select([*columns, "_distance"])
        return hits.slice(self._offset, self._limit)

    def _find(self, columns, filter):
        table = self._dataset._table
        return pa.table(_tusk.find_nearest(table, columns=columns, filter=filter, **self._search))

    def _read_all(self):
        return self.to_table()

    def _open(self):
        return self.to_table()

    def to_batches(self):
        return iter(self.to_table().to_batches())

    def count_rows(self):
        return self.to_table().num_rows

    def explain_plan(self, verbose=False):
        raise NotImplementedError("explain_plan of a search is not supported yet")

    def analyze_plan(self, count_rows=False):
        raise NotImplementedError("analyze_plan of a search is not supported yet")


def dataset(
    uri=None, version=None, asof=None, *, commit_lock=None, storage_options=None, **options
):
    """Opens a Lance table at its newest version, at `version`, or as it was at the time `asof`.

    version: a number, a tag, or (branch, version), of which either may be None: the main line, the
        latest version.
    commit_lock: called with the number of each version that is about to be published through this
        object; gives a context manager in which that is done. It may raise CommitConflictError if
        another writer has the version: the next one is tried, if the changes go together. What else
        it raises ends the commit. Needed where the store cannot refuse to replace an object.

    storage_options: {"memory_map": "true"} reads local files without a copy, out of maps of them,
        which suits files that stay in memory. Whoever shortens or overwrites a file of an open
        table then ends this process or changes arrays it has read. (Lance never does so.)

    Raises ValueError if there is none.
    """
    if uri is None:
        raise ValueError("a uri must be given")
    refuse("dataset", options)
    found = LanceDataset(uri, version, storage_options=storage_options, commit_lock=commit_lock)
    if version is not None or asof is None:
        return found
    if isinstance(asof, str):
        asof = datetime.datetime.fromisoformat(asof)
    if asof.tzinfo is not None:
        asof = asof.astimezone().replace(tzinfo=None)
    earlier = [entry["version"] for entry in found.versions() if entry["timestamp"] <= asof]
    if not earlier:
        raise ValueError(f"{os.fspath(uri)} has no version as of {asof}")
    return found.checkout_version(max(earlier))


def write_dataset(
    data_obj,
    uri=None,
    schema=None,
    mode="create",
    *,
    max_rows_per_file=1024 * 1024,
    max_rows_per_group=1024,
    max_bytes_per_file=90 * 1024 * 1024 * 1024,
    data_cache_bytes=None,
    max_page_bytes=None,
    commit_lock=None,
    progress=None,
    storage_options=None,
    data_storage_version=None,
    use_legacy_format=None,
    enable_v2_manifest_paths=True,
    enable_stable_row_ids=False,
    auto_cleanup_options=None,
    commit_message=None,
    transaction_properties=None,
    **options,
):
    """Writes data as one new version of a Lance table and opens it.

    data_obj: anything that gives Arrow batches: a table, batch, reader, dataset or scanner of
        pyarrow or of tusk, a DataFrame of pandas or polars, an object with `__arrow_c_stream__` or
        `__arrow_c_array__`, a dict of columns, a list of dicts, a numpy array of vectors [n, dim],
        which becomes the column "vector", or an iterable of record batches (then with `schema`). A
        numpy array [n, dim] among the columns of a dict becomes fixed-size lists of dim values.
        Readers, datasets and iterables are written as they come, however long they are, in memory
        bounded by a few pages per column beside what the source itself reads ahead.
    uri: a path, or a LanceDataset, which then moves to the new version.
    schema: of the columns to write; data with the same column names is cast to it.
    mode: "create" (OSError if there is a table), "append" (OSError if the schemas differ; makes the
        table if there is none) or "overwrite"; in any case.
    max_rows_per_file: a file ends with the row that reaches it.
    max_bytes_per_file: a file ends with the batch after which it has as many bytes or more.
    data_cache_bytes, max_page_bytes: Arrow bytes gathered over all columns (8 MiB for each column
        if not given) and in a page (32 MiB).
    storage_options: {"durable": "false"} writes local files without waiting for the disk: faster,
        but a loss of power may take what was written last, or leave it damaged. What pylance does.
    data_storage_version: "2.1", "2.2" or "stable" (2.2) for the new files. If not given, as the
        table is, or 2.2.

    auto_cleanup_options: {"interval": versions, "older_than_seconds": seconds} has old versions
        cleaned up after every so many commits; where a table is made or overwritten.

    Text and list views are stored as text and lists. A type that cannot be stored raises
    NotImplementedError, naming the column, before anything is written. What the source raises, and
    KeyboardInterrupt, come through as they are; after any error there is no new version and no file
    of it.

    The other parameters are pylance's; those that are not covered raise NotImplementedError when
    they are given. `max_rows_per_group` has no meaning in this data format.
    """
    refuse("write_dataset", {"progress": progress, **options})
    mode = "create" if mode is None else mode.lower()
    if mode not in ("create", "append", "overwrite"):
        raise ValueError(f"Invalid mode {mode}: it must be create, append or overwrite")
    if uri is None:
        raise ValueError("a uri must be given")
    if use_legacy_format is not None:
        warnings.warn(
            "use_legacy_format is deprecated, use data_storage_version instead",
            DeprecationWarning,
            stacklevel=2,
        )
        data_storage_version = "legacy" if use_legacy_format else "stable"
    if isinstance(uri, LanceDataset) and commit_lock is None:
        commit_lock = uri._commit_lock
    target = uri.uri if isinstance(uri, LanceDataset) else os.fspath(uri)
    for name, size in (
        ("max_rows_per_file", max_rows_per_file),
        ("max_rows_per_group", max_rows_per_group),
        ("max_bytes_per_file", max_bytes_per_file),
        ("data_cache_bytes", data_cache_bytes or 0),
        ("max_page_bytes", max_page_bytes or 0),
    ):
        check_not_negative(name, size)
    write_options = _tusk.LanceWriteOptions()
    write_options.max_rows_per_file = max_rows_per_file
    write_options.max_bytes_per_file = max_bytes_per_file
    write_options.pages.data_cache_bytes = data_cache_bytes
    write_options.pages.max_page_bytes = max_page_bytes
    write_options.enable_stable_row_ids = enable_stable_row_ids
    write_options.enable_v2_manifest_paths = enable_v2_manifest_paths
    write_options.data_storage_version = data_storage_version
    properties = dict(transaction_properties or {})
    if commit_message is not None:
        properties[_COMMIT_MESSAGE] = commit_message
    write_options.transaction_properties = properties
    if auto_cleanup_options is not None and mode != "append":
        write_options.config = to_cleanup_config(auto_cleanup_options)

    stream, batches = to_stream(data_obj, schema)
    with errors_of(batches):
        try:
            table = _tusk.write_lance(
                stream,
                target,
                _mode_for(target, mode),
                write_options,
                storage_options=storage_options or {},
                commit_lock=checked_lock(commit_lock),
            )
        except InvalidArgumentError as error:
            if mode == "append":
                raise SchemaMismatchError(str(error)) from None
            raise
    if isinstance(uri, LanceDataset):
        uri._table = table
        return uri
    made = LanceDataset._of(table)
    made._storage_options = storage_options
    made._commit_lock = commit_lock
    return made


def _mode_for(target, mode):
    """As pylance, an append to nothing makes the table."""
    if mode != "append":
        return mode
    try:
        _tusk.open_lance(target)
    except NotFoundError:
        return "create"
    return mode
