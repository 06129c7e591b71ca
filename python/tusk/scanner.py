"""How Lance tables are scanned, in the names of pylance: LanceScanner."""

import pyarrow as pa

from tusk import _tusk
from tusk._arrow import TableScanner, check_not_negative, check_rows, refuse, serialize_filter
from tusk._nearest import check_vector_column, nearest_arguments
from tusk._scan import (
    ScanWatch,
    exact_batches,
    to_columns,
    to_fragment_ids,
    to_late_columns,
    to_orderings,
    until_end,
)
from tusk.row_mask import masked
from tusk.scanner_blobs import ScannerBlobs

_BLOB_HANDLING = ("all_binary", "all_descriptions", "blobs_descriptions")
NO_TEXT_SEARCH = (
    "there is no full text index; a filter on the text finds rows too, like"
    " filter=\"contains(text, 'word')\""
)


def check_blob_handling(blob_handling):
    """ValueError unless it is one of the ways in which pylance gives blobs."""
    if blob_handling is not None and blob_handling not in _BLOB_HANDLING:
        raise ValueError(
            f"blob_handling must be one of {', '.join(_BLOB_HANDLING)}, not {blob_handling!r}"
        )


def check_readahead(name, count, least):
    """ValueError for fewer than `least` batches or fragments to read ahead; None is the default."""
    if count is not None and int(count) < least:
        raise ValueError(f"{name} must be {least} at least, not {count}")


def stated(arguments):
    """The arguments of a method of a table or fragment, of its locals(), that are not None."""
    return {
        name: value
        for name, value in arguments.items()
        if value is not None and name not in ("self", "kwargs")
    }


def make_scanner(
    dataset,
    columns=None,
    filter=None,
    limit=None,
    offset=None,
    nearest=None,
    batch_size=None,
    batch_size_bytes=None,
    batch_readahead=None,
    fragment_readahead=None,
    fragments=None,
    index_segments=None,
    full_text_query=None,
    prefilter=None,
    with_row_id=None,
    with_row_address=None,
    use_stats=None,
    blob_handling=None,
    include_deleted_rows=None,
    scan_stats_callback=None,
    order_by=None,
    disable_scoring_autoprojection=None,
    row_addr_allowlist=None,
    row_addr_blocklist=None,
    substrait_aggregate=None,
    strict_batch_size=None,
    late_materialization=None,
    # Hints about speed.
    scan_in_order=None,
    fast_search=None,
    io_buffer_size=None,
    use_scalar_index=None,
):
    """The LanceScanner of what LanceDataset.scanner and ScannerBuilder were told."""
    check_blob_handling(blob_handling)
    if full_text_query is not None:
        raise NotImplementedError(f"scanner: no full_text_query yet: {NO_TEXT_SEARCH}")
    refuse(
        "scanner",
        {
            "index_segments": index_segments,
            "disable_scoring_autoprojection": disable_scoring_autoprojection or None,
        },
    )
    paths, expressions = to_columns(columns, list)
    check_rows("limit", limit)
    check_rows("offset", offset)
    check_not_negative("batch_size", batch_size or 0)
    check_not_negative("batch_size_bytes", batch_size_bytes or 0)
    if strict_batch_size and batch_size_bytes is not None:
        raise ValueError("strict_batch_size does not go with batch_size_bytes: leave one out")
    check_readahead("batch_readahead", batch_readahead, 1)
    check_readahead("fragment_readahead", fragment_readahead, 0)
    late_columns = to_late_columns(late_materialization)
    has_mask = row_addr_allowlist is not None or row_addr_blocklist is not None
    if has_mask and nearest is not None and filter is not None and not prefilter:
        raise NotImplementedError(
            "scanner: nearest with a mask of rows takes a filter only with prefilter=True"
        )
    filter = masked(filter, row_addr_allowlist, row_addr_blocklist)
    prefilter = prefilter or has_mask
    serialized = serialize_filter(filter)
    options = _tusk.LanceScanOptions()
    options.columns = paths
    options.limit = limit
    options.offset = offset or 0
    options.with_row_id = bool(with_row_id)
    options.with_row_address = bool(with_row_address)
    if batch_size is not None:
        options.batch_rows = batch_size
    if batch_size_bytes is not None:
        options.batch_bytes = batch_size_bytes
    if nearest is not None:
        if expressions:
            raise NotImplementedError(
                "scanner: nearest takes no dict of columns yet: name columns in a list"
            )
        refuse(
            "scanner with nearest",
            {
                "fragments": fragments,
                "include_deleted_rows": include_deleted_rows or None,
                "scan_stats_callback": scan_stats_callback,
                "order_by": order_by,
                "substrait_aggregate": substrait_aggregate,
            },
        )
        if not isinstance(nearest, dict):
            raise NotImplementedError("scanner: nearest must be a dict with column, q and k")
        k = nearest.get("k")
        search = nearest_arguments(**{**nearest, "k": limit if k is None else k})
        check_vector_column(dataset.schema, search["column"])
        return NearestScanner(dataset, options, filter, search, bool(prefilter))
    options.expressions = expressions
    options.filter = serialized
    options.fragments = to_fragment_ids(fragments)
    options.include_deleted_rows = bool(include_deleted_rows)
    options.use_statistics = use_stats is not False
    options.order_by = to_orderings(order_by)
    options.late_columns = late_columns
    kind = BytesScanner if blob_handling == "all_binary" else LanceScanner
    if substrait_aggregate is not None:
        from tusk.aggregate_scanner import AggregateScanner as kind  # which imports this module
    snapshot = {
        "filter": serialized,
        "scan_stats_callback": scan_stats_callback,
        "columns": dict(expressions),
        "exact_rows": options.batch_rows if strict_batch_size else None,
        "substrait_aggregate": substrait_aggregate,
    }
    return kind(options, dataset, snapshot)


class LanceScanner(ScannerBlobs, TableScanner):
    """A planned scan of a Lance table."""

    def __init__(self, scanner, dataset, snapshot=None):
        """Made by LanceDataset.scanner: `scanner` and `snapshot` are what it was told."""
        self._snapshot = snapshot
        told = snapshot or {}
        super().__init__(dataset, scanner, told.get("filter"))
        self._statistics_callback = told.get("scan_stats_callback")
        self._expressions = told.get("columns", {})  # by name, of those that were asked for so
        self._exact_rows = told.get("exact_rows")  # of every batch but the last

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
        if self._exact_rows is not None:
            batches = exact_batches(batches, self._exact_rows)
        return batches if watch is None else until_end(batches, watch)

    def to_reader(self):
        if self._statistics_callback is None and self._exact_rows is None:
            return super().to_reader()
        return pa.RecordBatchReader.from_batches(self.projected_schema, self.to_batches())

    def scan_batches(self):
        """All record batches, in a list."""
        return list(self.to_batches())

    def take(self, indices):
        raise NotImplementedError("LanceScanner.take: a LanceDataset takes rows")

    def to_pandas(self, *, blob_mode="lazy", **kwargs):
        """Reads into a pandas DataFrame; `kwargs` are those of pyarrow.Table.to_pandas.

        blob_mode: what of blobs: "lazy" gives BlobFiles, "bytes" their bytes, "descriptions" where
            they lie, as do those inside of lists that are not wanted as bytes.
        """
        check_blob_mode(blob_mode)
        return self._to_frame(blob_mode, kwargs)

    def count_rows(self):
        options = self._options
        is_part = options.fragments is not None or options.include_deleted_rows
        if is_part or self._snapshot is None:
            return super().count_rows()
        rows = self._dataset._table.count_rows(self._filter) - options.offset
        return max(0, rows if options.limit is None else min(rows, options.limit))

    def explain_plan(self, verbose=False):
        """What the scan would read and do, step by step, the last one first."""
        return self._dataset._table.explain_scan(self._options)

    def analyze_plan(self, count_rows=False):
        """Runs the scan and tells what each step did: rows, time, requests and bytes."""
        return self._dataset._table.analyze_scan(self._options)


class BytesScanner(LanceScanner):
    """A planned scan that gives the bytes of blobs."""

    def _open(self):
        return _tusk.scan_blob_bytes(self._dataset._table, self._options)

    def _read_all(self):
        return self._open().read_all()


def check_blob_mode(blob_mode):
    """ValueError unless it is one of the ways in which pylance gives blobs to pandas."""
    if blob_mode not in ("lazy", "bytes", "descriptions"):
        raise ValueError(f"blob_mode must be lazy, bytes or descriptions, not {blob_mode!r}")


# What hits have besides the columns of the table.
_FOUND_COLUMNS = {
    "_distance": pa.float32(),
    "_rowid": pa.uint64(),
    "_rowaddr": pa.uint64(),
    "_rowoffset": pa.uint64(),
}


class NearestScanner(LanceScanner):
    """A planned search for the nearest rows of a Lance table."""

    def __init__(self, dataset, options, filter, search, prefilter):
        """`options` says the columns, the limit and the offset of the hits, and their batches."""
        super().__init__(options, dataset, {"filter": filter})
        self._search = search
        self._prefilter = prefilter
        columns = options.columns
        columns = list(dataset.schema.names if columns is None else columns)
        if "_distance" not in columns:
            columns.append("_distance")
        for name, is_wanted in (
            ("_rowid", options.with_row_id),
            ("_rowaddr", options.with_row_address),
        ):
            if is_wanted:
                columns = [column for column in columns if column != name] + [name]
        self._columns = columns

    def to_table(self):
        columns = self._columns
        filter = serialize_filter(self._filter)
        if filter is None or self._prefilter:
            hits = self._find(columns, filter)
        else:
            schema = self._dataset.schema
            for name, type in _FOUND_COLUMNS.items():
                if name not in schema.names:
                    schema = schema.append(pa.field(name, type))
            needed = _tusk.filter_columns(filter, schema)
            read = columns + [name for name in needed if name not in columns]
            hits = pa.table(_tusk.apply_filter(self._find(read, None), filter)).select(columns)
        return hits.slice(self._options.offset, self._options.limit)

    def _to_frame(self, blob_mode, kwargs):
        return self.to_table().to_pandas(**kwargs)

    def _find(self, columns, filter):
        table = self._dataset._table
        return pa.table(_tusk.find_nearest(table, columns=columns, filter=filter, **self._search))

    def _read_all(self):
        return self.to_table()

    def _open(self):
        return self.to_table()

    def to_batches(self):
        return iter(self.to_table().to_batches(self._options.batch_rows))

    def count_rows(self):
        return self.to_table().num_rows

    def explain_plan(self, verbose=False):
        raise NotImplementedError(
            "explain_plan of a search is not supported yet: every vector that the filter keeps is"
            " compared"
        )

    def analyze_plan(self, count_rows=False):
        raise NotImplementedError(
            "analyze_plan of a search is not supported yet: io_stats_incremental of the table tells"
            " what was read"
        )
