"""Columns of Lance tables that come, go and change, under the names that pylance has."""

import pyarrow as pa

from tusk import _tusk
from tusk._source import errors_of, to_stream
from tusk.errors import ColumnChangeError, invalid_as
from tusk.udf import Application, BatchUDF

_ALTERATION = {"path", "name", "nullable", "data_type"}


class TableColumns:
    """The part of LanceDataset that changes its columns.

    Each method makes one version, to which this object moves. Data files that are there stay as
    they are; a new column is a new file of each fragment.
    """

    def add_columns(self, transforms, read_columns=None, reader_schema=None, batch_size=None):
        """Adds columns. `transforms` says which, with what values:

        - a dict of SQL expressions over the other columns, by name
        - a pyarrow Field, a list of them or a Schema: all null, without a data file
        - a BatchUDF or a function: gets each batch of `read_columns` (all of them if None;
          "_rowid" and "_rowaddr" may be named), of at most `batch_size` rows, and gives a batch of
          the new columns
        - a table, reader, dataset, or iterator of batches of `reader_schema`: as many rows as the
          table has, in the order of a scan

        A struct that the table has gets the children that it lacks.
        """
        options = _tusk.LanceChangeColumnsOptions()
        if batch_size is not None:
            options.batch_rows = batch_size
        if isinstance(transforms, pa.Field):
            transforms = [transforms]
        if isinstance(transforms, dict):
            self._add_expressions(transforms, options)
        elif isinstance(transforms, pa.Schema) or _are_fields(transforms):
            with invalid_as(ColumnChangeError):
                self._table = _tusk.add_lance_null_columns(
                    self._table.uri,
                    pa.schema(transforms),
                    options,
                    self._storage_options or {},
                    self._commit_lock,
                )
        elif isinstance(transforms, BatchUDF) or callable(transforms):
            application = Application(self, transforms, read_columns, batch_size)
            self._add_from(application.batches(), application.schema, options)
            application.finish()
        else:
            self._add_from(transforms, reader_schema, options)

    def _add_expressions(self, expressions, options):
        for name, expression in expressions.items():
            for text in (name, expression):
                if not isinstance(text, str):
                    raise TypeError(f"names and expressions must be str, not {type(text)}")
        with invalid_as(ColumnChangeError):
            self._table = _tusk.add_lance_columns(
                self._table.uri,
                list(expressions.items()),
                options,
                self._storage_options or {},
                self._commit_lock,
            )

    def _add_from(self, data, schema, options):
        stream, source = to_stream(data, schema)
        with errors_of(source), invalid_as(ColumnChangeError):
            self._table = _tusk.add_lance_columns_from(
                self._table, stream, options, self._commit_lock
            )

    def drop_columns(self, columns):
        """Drops columns, or fields of structs ("s.a"). No data is read or written."""
        if isinstance(columns, str):
            raise TypeError(f"columns must be a list of names, not the text {columns!r}")
        self._table = _tusk.drop_lance_columns(
            self._table.uri,
            list(columns),
            _tusk.LanceChangeColumnsOptions(),
            self._storage_options or {},
            self._commit_lock,
        )

    def alter_columns(self, *alterations):
        """Renames columns, lets them be null or not, and changes their types.

        Each alteration is a dict with the `path` of a column or field ("s.a") and what is to
        change: `name`, `nullable`, `data_type`. Another type must be of the same kind and hold
        every value; the column alone is written anew.
        """
        changes, types = [], []
        for number, alteration in enumerate(alterations):
            unknown = alteration.keys() - _ALTERATION
            if unknown or "path" not in alteration:
                raise ValueError(f"an alteration has a path and any of {sorted(_ALTERATION)}")
            if all(value is None for key, value in alteration.items() if key != "path"):
                raise ValueError(f"the alteration of {alteration['path']!r} changes nothing")
            changes.append(
                _tusk.LanceColumnAlteration(
                    alteration["path"], alteration.get("name"), alteration.get("nullable")
                )
            )
            if alteration.get("data_type") is not None:
                types.append(pa.field(str(number), alteration["data_type"]))
        with invalid_as(ColumnChangeError):
            self._table = _tusk.alter_lance_columns(
                self._table.uri,
                changes,
                pa.schema(types),
                _tusk.LanceChangeColumnsOptions(),
                self._storage_options or {},
                self._commit_lock,
            )

    def reorder_columns(self, names):
        """Puts the columns into this order, which names each of them once."""
        self._table = _tusk.reorder_lance_columns(
            self._table.uri,
            list(names),
            _tusk.LanceChangeColumnsOptions(),
            self._storage_options or {},
            self._commit_lock,
        )


def _are_fields(transforms):
    return isinstance(transforms, list) and all(isinstance(one, pa.Field) for one in transforms)
