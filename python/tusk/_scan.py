"""How a scan of a Lance table is asked for and told about, in the names of pylance."""

import dataclasses

import pyarrow as pa

from tusk import _tusk
from tusk._arrow import IOStats
from tusk.made import made


@dataclasses.dataclass
class ColumnOrdering:
    """A column by which rows are ordered; numbers by value with NaN above all."""

    column_name: str
    ascending: bool = True
    nulls_first: bool = False


@made
@dataclasses.dataclass(frozen=True)
class ScanStatistics:
    """What a scan did. There are no indices yet, so nothing was done with them.

    all_counts: fragments_scanned, ranges_scanned (runs of rows that were read at once),
        rows_scanned, rows_ruled_out (by the bounds of their pages) and rows_kept (by the filter).
    all_times: nanoseconds over all threads for reading the filter's columns (filter_read), judging
        rows (filter) and reading the columns of the result (read).
    """

    iops: int
    requests: int
    bytes_read: int
    all_counts: dict
    all_times: dict
    indices_loaded: int = 0
    parts_loaded: int = 0
    index_comparisons: int = 0
    index_cache_hits: int = 0
    index_cache_misses: int = 0


def to_columns(columns, kinds):
    """The columns to read as the library takes them: by path, and by expression."""
    if columns is None:
        return None, []
    if isinstance(columns, dict):
        return [], list(columns.items())
    if isinstance(columns, kinds):
        return list(columns), []
    raise TypeError(f"columns must be a list or dict[name, expression], got {type(columns)}")


def to_orderings(order_by):
    """`order_by` of a scanner, names of columns or ColumnOrderings, as the library takes it."""
    if isinstance(order_by, str):
        raise TypeError("order_by must be a list of columns, not a string")
    orderings = []
    for column in order_by or ():
        if isinstance(column, str):
            column = ColumnOrdering(column)
        name, ascending, nulls_first = column.column_name, column.ascending, column.nulls_first
        orderings.append(_tusk.LanceOrdering(name, ascending, nulls_first))
    return orderings


def to_fragment_ids(fragments):
    """`fragments` of a scanner: LanceFragments, or their ids."""
    if fragments is None:
        return None
    return [getattr(fragment, "fragment_id", fragment) for fragment in fragments]


def to_late_columns(late_materialization):
    """The columns to read after the filter as the library takes them; None for all."""
    if late_materialization is None or late_materialization is True:
        return None
    if late_materialization is False:
        return []
    is_list = isinstance(late_materialization, (list, tuple))
    if is_list and all(isinstance(name, str) for name in late_materialization):
        return list(late_materialization)
    raise ValueError(
        "late_materialization must be True, False or a list of columns, not"
        f" {late_materialization!r}"
    )


class ScanWatch:
    """Tells `callback` what a scan did, once it has ended."""

    def __init__(self, table, options, callback):
        self._table = table
        self._callback = callback
        self._counters = options.statistics = _tusk.LanceScanStatistics()
        self._before = IOStats.of(table.io)

    def end(self):
        io = IOStats.of(self._table.io) - self._before
        self._callback(
            ScanStatistics._of(
                iops=io.read_iops,
                requests=io.read_iops,
                bytes_read=io.read_bytes,
                all_counts=self._counters.counts(),
                all_times=self._counters.nanoseconds(),
            )
        )


def until_end(batches, watch):
    """The batches; `watch` is told when they have come to their end."""
    yield from batches
    watch.end()


def exact_batches(batches, rows):
    """The same rows in batches of so many; the last has what is left."""
    waiting = []
    count = 0
    for batch in batches:
        while batch.num_rows:
            piece = batch.slice(0, rows - count)
            batch = batch.slice(piece.num_rows)
            waiting.append(piece)
            count += piece.num_rows
            if count == rows:
                yield _joined(waiting)
                waiting, count = [], 0
    if waiting:
        yield _joined(waiting)


def _joined(batches):
    return batches[0] if len(batches) == 1 else pa.concat_batches(batches)
