"""Functions that make new columns out of batches of rows, under the names of lance.udf."""

import contextlib
import os
import sqlite3

import pyarrow as pa

from tusk.errors import ColumnChangeError


class BatchUDF:
    """A function of a RecordBatch that gives one with the new columns of the same rows.

    With `checkpoint_file` each result is kept there until the columns are committed: a call that
    was interrupted goes on after the last of them when it is repeated.
    """

    def __init__(self, func, output_schema=None, checkpoint_file=None):
        self.func = func
        self.output_schema = output_schema
        self.checkpoint_file = checkpoint_file

    def __call__(self, batch):
        return self.func(batch)


def batch_udf(output_schema=None, checkpoint_file=None):
    """Decorates a function as a BatchUDF."""

    def inner(func):
        return BatchUDF(func, output_schema, checkpoint_file)

    return inner


def _to_batch(result):
    if isinstance(result, pa.RecordBatch):
        return result
    if isinstance(result, pa.Table):
        (batch,) = result.combine_chunks().to_batches() or [None]
        return batch if batch is not None else pa.RecordBatch.from_pylist([], result.schema)
    if hasattr(result, "columns") and hasattr(result, "index"):  # pandas, which need not be there
        return pa.RecordBatch.from_pandas(result)
    raise TypeError(f"a function for new columns must give a RecordBatch, not {type(result)}")


class Checkpoint:
    """Results of a function by fragment and number of the batch, in an SQLite file."""

    def __init__(self, path, version, batch_size):
        self._path = path
        with self._connect() as connection:
            connection.execute(
                "CREATE TABLE IF NOT EXISTS results (fragment INT, batch INT, result BLOB,"
                " PRIMARY KEY (fragment, batch))"
            )
            connection.execute("CREATE TABLE IF NOT EXISTS source (version INT, batch_size INT)")
            if connection.execute("SELECT count(*) FROM source").fetchone()[0] == 0:
                connection.execute("INSERT INTO source VALUES (?, ?)", (version, batch_size))
            made_of = connection.execute("SELECT version, batch_size FROM source").fetchone()
        if made_of != (version, batch_size):
            raise ColumnChangeError(
                f"{path} holds results for version {made_of[0]} in batches of {made_of[1]} rows,"
                f" not for version {version} in batches of {batch_size}: remove the file, or go on"
                " with what it was made for"
            )

    @contextlib.contextmanager
    def _connect(self):
        with contextlib.closing(sqlite3.connect(self._path)) as connection, connection:
            yield connection

    def get(self, fragment, batch):
        with self._connect() as connection:
            row = connection.execute(
                "SELECT result FROM results WHERE fragment = ? AND batch = ?", (fragment, batch)
            ).fetchone()
        if row is None:
            return None
        with pa.ipc.open_stream(row[0]) as reader:
            return reader.read_next_batch()

    def put(self, fragment, batch, result):
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, result.schema) as writer:
            writer.write_batch(result)
        with self._connect() as connection:
            connection.execute(
                "INSERT INTO results VALUES (?, ?, ?)",
                (fragment, batch, sink.getvalue().to_pybytes()),
            )

    def remove(self):
        os.remove(self._path)


class Application:
    """A function applied to all rows of a table, or of some fragments of it: its results as batches
    in the order of a scan.
    """

    def __init__(self, dataset, udf, read_columns, batch_size, fragments=None):
        self._dataset = dataset
        self._fragments = dataset.get_fragments() if fragments is None else fragments
        self._udf = udf if isinstance(udf, BatchUDF) else BatchUDF(udf)
        self._batch_size = batch_size or 8192
        columns = read_columns
        system = {"_rowid": "with_row_id", "_rowaddr": "with_row_address"}
        self._scan = {flag: name in (columns or ()) for name, flag in system.items()}
        self._scan["columns"] = (
            None if columns is None else [name for name in columns if name not in system]
        )
        self._checkpoint = None
        if self._udf.checkpoint_file is not None:
            self._checkpoint = Checkpoint(
                self._udf.checkpoint_file, dataset.version, self._batch_size
            )
        self.schema = self._udf.output_schema or self._find_schema()

    def _find_schema(self):
        rows = self._dataset.scanner(limit=1, **self._scan).to_table()
        batches = rows.to_batches() or [pa.RecordBatch.from_pylist([], rows.schema)]
        return _to_batch(self._udf(batches[0])).schema

    def batches(self):
        for fragment in self._fragments:
            number = fragment.fragment_id
            for index, begin in enumerate(range(0, fragment.count_rows(), self._batch_size)):
                yield self._result(fragment, number, index, begin)

    def _result(self, fragment, number, index, begin):
        if self._checkpoint is not None:
            kept = self._checkpoint.get(number, index)
            if kept is not None:
                return kept
        rows = fragment.scanner(offset=begin, limit=self._batch_size, **self._scan).to_table()
        (batch,) = rows.combine_chunks().to_batches()
        result = _to_batch(self._udf(batch))
        if result.schema != self.schema:
            raise ColumnChangeError(
                f"the function gave columns of {result.schema}, not of {self.schema}"
            )
        if result.num_rows != batch.num_rows:
            raise ColumnChangeError(
                f"the function gave {result.num_rows} rows for {batch.num_rows}"
            )
        if self._checkpoint is not None:
            self._checkpoint.put(number, index, result)
        return result

    def finish(self):
        """The results are in the table."""
        if self._checkpoint is not None:
            self._checkpoint.remove()
