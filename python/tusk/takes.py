"""Rows of a Lance table by number, in the names of pylance."""

import operator
import random

import pyarrow as pa

from tusk._scan import to_columns
from tusk.errors import (
    InvalidArgumentError,
    NegativeRowError,
    RowOutOfRangeError,
    TakeRefusedError,
)


def _take(take, rows, columns):
    paths, expressions = to_columns(columns, (list, tuple))
    if hasattr(rows, "to_pylist"):
        rows = rows.to_pylist()
    elif hasattr(rows, "tolist"):
        rows = rows.tolist()
    rows = list(rows)
    try:
        return pa.table(take(rows, paths, expressions))
    except TypeError:
        _check_numbers(rows)
        raise
    except InvalidArgumentError as error:
        if str(error).startswith("cannot take row"):
            _check_numbers(rows)
            raise RowOutOfRangeError(str(error)) from None
        raise TakeRefusedError(str(error)) from None


def _check_numbers(rows):
    """Raises what is wrong with the first that cannot be the number of a row."""
    for row in rows:
        try:
            number = operator.index(row)
        except TypeError:
            kind = type(row).__name__
            raise TypeError(f"cannot take row {row!r}: it must be an integer, not {kind}") from None
        if number < 0:
            raise NegativeRowError(f"cannot take row {number}: rows count from 0")
        if number >= 1 << 63:
            raise RowOutOfRangeError(f"cannot take row {number}: no table has so many")


class TableTakes:
    """The part of LanceDataset that reads single rows."""

    def take(self, indices, columns=None):
        """Rows by position in scan order, in the order asked, duplicates kept.

        indices: integers, in a list, a range, or an array of pyarrow or numpy. RowOutOfRangeError
            for one that is no row's.
        columns: as in `scanner`, but paths in a list give parts of their columns: "s.a" gives
            column `s` with the one child `a`, "points.item.x" lists of structs with the one child
            `x`.
        """
        return _take(self._table.take, indices, columns)

    def _take_rows(self, row_ids, columns=None):
        """Rows by row id, in the order asked, duplicates kept; those of deleted rows left out."""
        return _take(self._table.take_row_ids, row_ids, columns)

    def _take_addresses(self, addresses, columns=None):
        """The same by row address."""
        return _take(self._table.take_addresses, addresses, columns)

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
