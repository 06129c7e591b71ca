"""Datasets and scanners of pyarrow's kind over tables of ours, for both kinds of tables.

DuckDB and Polars know pyarrow's classes and hand projections and filters to them, which the
subclass then applies completely. pyarrow's own constructors are never called, so that no inherited
member may be used: each is overridden, and what is not supported raises NotImplementedError.
"""

import dataclasses

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as pads

from tusk.errors import NegativeNumberError, UnknownFilterError, invalid_as


def serialize_filter(filter):
    """A filter as it crosses into the library: SQL text, or the bytes of a pyarrow expression."""
    if filter is None or isinstance(filter, str):
        return filter
    if not isinstance(filter, pc.Expression):
        raise TypeError(
            f"filter must be SQL text or a pyarrow expression, not {type(filter).__name__}"
        )
    _, (buffer,) = filter.__reduce__()
    return bytes(buffer)


# What to do without a parameter that is refused.
_INSTEAD = {
    "allow_external_blob_outside_bases": "write_dataset takes it",
    "disable_scoring_autoprojection": "name the columns to read: `_distance` comes behind them",
    "distance_range": "a filter of the search may compare `_distance`",
    "external_blob_mode": "write_dataset takes it",
    "fragments": "filter by `_rowaddr`, whose upper 32 bits are the fragment's id",
    "include_deleted_rows": "search a version that has the rows",
    "index_segments": "there are no indices; `fragments` reads a part of the table",
    "namespace_client": "give the uri, or open a lake (tusk.connect), which has tables by name",
    "order_by": "hits come by distance; sort the table that they make",
    "scan_stats_callback": "io_stats_incremental of the table tells what was read",
    "substrait_aggregate": "aggregate what to_table() gives",
    "table_id": "give the uri, or open a lake (tusk.connect), which has tables by name",
}


def refuse(operation, given):
    """Raises NotImplementedError for the first parameter of `given` that is not None."""
    for name, value in given.items():
        if value is not None:
            instead = f": {_INSTEAD[name]}" if name in _INSTEAD else ""
            raise NotImplementedError(
                f"{operation}: the parameter {name!r} is not supported yet{instead}"
            )


def check_not_negative(name, value):
    """Raises NegativeNumberError, which is an OverflowError, for a number below 0."""
    if value < 0:
        raise NegativeNumberError(f"{name} must not be negative, but is {value}")


def check_rows(name, value):
    if value is None:
        return
    if value < 0:
        raise ValueError(f"{name} must be non-negative, not {value}")
    if value >= 1 << 63:
        raise OverflowError(f"{name} must be below 2**63, not {value}")


def _not_supported(name):
    def member(self, *args, **kwargs):
        raise NotImplementedError(f"{type(self).__name__}.{name} is not supported yet")

    member.__name__ = name
    return member


def _static_not_supported(name):
    def member(*args, **kwargs):
        raise NotImplementedError(f"{name} is not supported: ask the table for a scanner")

    member.__name__ = name
    return staticmethod(member)


@dataclasses.dataclass(frozen=True)
class IOStats:
    """What was asked of the store."""

    read_iops: int
    read_bytes: int
    write_iops: int
    written_bytes: int

    @classmethod
    def of(cls, io):
        return cls(io.read_requests, io.read_bytes, io.write_requests, io.write_bytes)

    def __sub__(self, other):
        fields = (field.name for field in dataclasses.fields(self))
        return IOStats(*(getattr(self, name) - getattr(other, name) for name in fields))


class TableDataset(pads.Dataset):
    """What both kinds of tables share. A subclass has `_table`, a handle, and a `scanner`."""

    def __init__(self, table):
        self._table = table
        self._io_seen = IOStats(0, 0, 0, 0)

    @property
    def schema(self):
        return pa.schema(self._table.schema)

    def scanner(self, *args, **kwargs):
        raise NotImplementedError

    def to_table(self, *args, **kwargs):
        """Reads into a table. Parameters as in `scanner`."""
        return self.scanner(*args, **kwargs).to_table()

    def to_batches(self, *args, **kwargs):
        """Streams record batches. Parameters as in `scanner`."""
        return self.scanner(*args, **kwargs).to_batches()

    def to_pandas(self, *args, **kwargs):
        """Reads into a pandas DataFrame. Parameters as in `scanner`."""
        return self.to_table(*args, **kwargs).to_pandas()

    def head(self, num_rows, **kwargs):
        """The first rows. Further parameters as in `scanner`."""
        return self.scanner(limit=num_rows, **kwargs).to_table()

    def count_rows(self, filter=None):
        """Counts the rows, or those for which `filter` (SQL text or a pyarrow expression) is true."""
        with invalid_as(UnknownFilterError):
            return self._table.count_rows(serialize_filter(filter))

    def __len__(self):
        return self.count_rows()

    def io_stats_snapshot(self):
        """What was read and written through this object so far."""
        return IOStats.of(self._table.io)

    def io_stats_incremental(self):
        """What was read and written through this object since the last call."""
        now = self.io_stats_snapshot()
        seen, self._io_seen = self._io_seen, now
        return now - seen

    partition_expression = property(_not_supported("partition_expression"))
    filter = _not_supported("filter")
    get_fragments = _not_supported("get_fragments")
    join = _not_supported("join")
    join_asof = _not_supported("join_asof")
    replace_schema = _not_supported("replace_schema")
    sort_by = _not_supported("sort_by")
    take = _not_supported("take")
    _get_fragments = _not_supported("_get_fragments")
    _scan_options = _not_supported("_scan_options")
    _scanner_options = _not_supported("_scanner_options")
    __reduce__ = _not_supported("__reduce__")
    __setstate__ = _not_supported("__setstate__")


class TableScanner(pads.Scanner):
    """One planned read. Nothing is read before it is asked for, and each call reads anew."""

    def __init__(self, dataset, options, filter):
        self._dataset = dataset
        self._options = options
        self._filter = filter

    def _read_all(self):
        """The Arrow stream of a table that is in memory."""
        return self._dataset._table.to_table(self._options)

    def _open(self):
        """The Arrow stream that reads as it goes."""
        return self._dataset._table.scan(self._options)

    @property
    def dataset_schema(self):
        return self._dataset.schema

    @property
    def projected_schema(self):
        return pa.RecordBatchReader.from_stream(self._open()).schema

    def to_table(self):
        return pa.table(self._read_all())

    def to_reader(self):
        return pa.RecordBatchReader.from_stream(self._open())

    def to_batches(self):
        # Opened now, so that a wrong column is told here and not at the first batch.
        return map(pa.record_batch, self._open())

    def to_pandas(self, **kwargs):
        return self.to_table().to_pandas(**kwargs)

    def head(self, num_rows):
        """The first rows; no more batches are read than hold them."""
        check_rows("num_rows", num_rows)
        reader = self.to_reader()
        batches = []
        rows = 0
        while rows < num_rows:
            try:
                batches.append(reader.read_next_batch())
            except StopIteration:
                break
            rows += batches[-1].num_rows
        return pa.Table.from_batches(batches, reader.schema).slice(0, min(num_rows, rows))

    def count_rows(self):
        return sum(batch.num_rows for batch in self.to_batches())

    scan_batches = _not_supported("scan_batches")
    take = _not_supported("take")
    from_batches = _static_not_supported("from_batches")
    from_dataset = _static_not_supported("from_dataset")
    from_fragment = _static_not_supported("from_fragment")
    __reduce__ = _not_supported("__reduce__")
    __setstate__ = _not_supported("__setstate__")
