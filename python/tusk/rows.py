"""Rows of Lance tables that come, go and change, under the names that pylance has."""

import datetime

from tusk import _tusk, write
from tusk._arrow import serialize_filter
from tusk._source import errors_of, to_stream
from tusk.errors import InvalidArgumentError, RowChangeError
from tusk.merge_insert import MergeInsertBuilder

_RETRY_TIMEOUT = datetime.timedelta(seconds=30)


class TableRows:
    """The part of LanceDataset that changes its rows.

    Each method makes one version, to which this object moves.
    """

    def delete(self, predicate, *, conflict_retries=10, retry_timeout=_RETRY_TIMEOUT):
        """Deletes the rows for which `predicate` (SQL text or a pyarrow expression) is true.

        Makes a new version, to which this object moves, also if there is no such row. Gives
        {"num_deleted_rows": how many}. Where other writers change rows at the same time, the rows
        are looked for again, `conflict_retries` times, but not after the timedelta `retry_timeout`.
        """
        filter = serialize_filter(predicate)
        if filter is None:
            raise TypeError("predicate must be SQL text or a pyarrow expression")
        try:
            self._table, count = _tusk.delete_lance(
                self._table.uri,
                filter,
                conflict_retries,
                retry_timeout,
                self._storage_options or {},
                self._commit_lock,
            )
        except InvalidArgumentError as error:
            raise RowChangeError(str(error)) from None
        return {"num_deleted_rows": count}

    def update(
        self,
        updates,
        where=None,
        conflict_retries=10,
        retry_timeout=_RETRY_TIMEOUT,
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
                self._table.uri,
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
                    stream,
                    self._table.uri,
                    left_on,
                    right_on,
                    self._storage_options or {},
                    self._commit_lock,
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
        """Writes to this table. Parameters as in `write_dataset`."""
        write.write_dataset(data, self, mode=mode, **kwargs)

    def truncate_table(self):
        """Deletes every row; the columns stay, and the rows in the versions before."""
        self.delete("true")
