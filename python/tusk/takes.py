"""Rows of a Lance table by number, in the names of pylance."""

import numbers
import random

import pyarrow as pa

from tusk._scan import to_columns
from tusk.errors import InvalidArgumentError, NegativeRowError, RowOutOfRangeError


class TableTakes:
    """The part of LanceDataset that reads single rows."""

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
        paths, expressions = to_columns(columns, (list, tuple))
        indices = list(indices)
        try:
            return pa.table(self._table.take(indices, paths, expressions))
        except (InvalidArgumentError, TypeError) as error:
            rows = self.count_rows()
            numbers_only = (i for i in indices if isinstance(i, numbers.Integral))
            missing = next((i for i in numbers_only if not 0 <= i < rows), None)
            if missing is None:
                raise
            kind = NegativeRowError if missing < 0 else RowOutOfRangeError
            raise kind(
                f"cannot take row {missing} of {self.uri}: version {self.version} has {rows} rows"
            ) from None

    def _take_rows(self, row_ids, columns=None):
        """Rows by row id, in the order asked, duplicates kept; those of deleted rows left out."""
        return self._take_numbers(self._table.take_row_ids, row_ids, columns)

    def _take_addresses(self, addresses, columns=None):
        """The same by row address."""
        return self._take_numbers(self._table.take_addresses, addresses, columns)

    def _take_numbers(self, take, numbers, columns):
        paths, expressions = to_columns(columns, (list, tuple))
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
