"""SQL about one Lance table, by DuckDB, in the names of pylance."""

import copy


class SqlQueryBuilder:
    """A statement about a table. Each method gives the builder back."""

    def __init__(self, builder):
        """`builder` is (LanceDataset, statement): `LanceDataset.sql` makes one."""
        self._dataset, self._sql = builder
        self._name = "dataset"
        self._options = {}
        self._batch_rows = None

    def _set(self, name, value):
        self._options[name] = value
        return self

    def table_name(self, table_name):
        """What the table is called in the statement."""
        self._name = table_name
        return self

    def with_row_id(self, with_row_id=True):
        """Gives the table a column `_rowid`."""
        return self._set("with_row_id", with_row_id)

    def with_row_addr(self, with_row_addr=True):
        """Gives the table a column `_rowaddr`."""
        return self._set("with_row_address", with_row_addr)

    def blob_handling(self, blob_handling):
        return self._set("blob_handling", blob_handling)

    def batch_size(self, batch_size):
        """The most rows of a batch of the result."""
        self._batch_rows = batch_size
        return self

    def batch_size_bytes(self, batch_size_bytes):
        """The most bytes that are read from the table at once."""
        return self._set("batch_size_bytes", batch_size_bytes)

    def build(self):
        """The SqlQuery. Needs DuckDB (pip install duckdb)."""
        dataset = copy.copy(self._dataset)
        dataset._default_scan_options = (dataset._default_scan_options or {}) | self._options
        return SqlQuery((dataset, self._name, self._sql, self._batch_rows))


class SqlQuery:
    """A statement that runs each time it is asked for its rows."""

    def __init__(self, query):
        self._query = query

    def to_batch_records(self):
        """All record batches of the result, in a list."""
        return list(self.to_stream_reader())

    def to_stream_reader(self):
        """A RecordBatchReader of the result."""
        try:
            import duckdb
        except ImportError:
            raise NotImplementedError(
                "LanceDataset.sql needs DuckDB: pip install duckdb"
            ) from None
        dataset, name, sql, batch_rows = self._query
        connection = duckdb.connect(config={"python_enable_replacements": False})
        connection.register(name, dataset)
        relation = connection.sql(sql)
        return relation.to_arrow_reader(batch_rows or 8192)
