"""Lance tables in Ray Data: fragments are read and written by its tasks, and committed by one."""

import os

import pyarrow as pa

import tusk
from tusk._optional import require
from tusk.errors import InvalidArgumentError

ray_data = require("ray.data", "tusk.ray", "'ray[data]'")

__all__ = ["LanceDatasink", "LanceDatasource", "read_lance", "write_lance"]


class LanceDatasource(ray_data.Datasource):
    """Reads one version of a Lance table, each task some of its fragments.

    dataset: a LanceDataset, or a path, whose newest version it then is.
    columns, filter, batch_size: as in LanceDataset.scanner.
    """

    def __init__(self, dataset, *, columns=None, filter=None, batch_size=None):
        if isinstance(dataset, (str, os.PathLike)):
            dataset = tusk.dataset(os.fspath(dataset))
        self._dataset = dataset
        self._options = {"columns": columns, "filter": filter, "batch_size": batch_size}

    def get_name(self):
        return "Lance"

    def estimate_inmemory_data_size(self):
        """Not known before the columns are read."""
        return None

    def get_read_tasks(self, parallelism, *args, **kwargs):
        """At most `parallelism` tasks, of fragments that stand together."""
        fragments = [
            (fragment.fragment_id, fragment.count_rows())
            for fragment in self._dataset.get_fragments()
        ]
        count = max(1, min(parallelism, len(fragments)))
        ends = [i * len(fragments) // count for i in range(count + 1)]
        return [self._task(fragments[a:b]) for a, b in zip(ends, ends[1:])]

    def _task(self, fragments):
        dataset, options = self._dataset, self._options
        ids = [number for number, _ in fragments]

        def read():
            scanner = dataset.scanner(**options, fragments=ids)
            is_empty = True
            for batch in scanner.to_batches():
                is_empty = False
                yield pa.Table.from_batches([batch])
            if is_empty:
                yield scanner.projected_schema.empty_table()

        from ray.data.block import BlockMetadata

        rows = None if options["filter"] is not None else sum(rows for _, rows in fragments)
        metadata = BlockMetadata(
            num_rows=rows, size_bytes=None, input_files=[dataset.uri], exec_stats=None
        )
        return ray_data.ReadTask(read, metadata)


def read_lance(dataset, *, columns=None, filter=None, batch_size=None, **options):
    """A Ray Dataset of the rows of a Lance table. Further options are ray.data.read_datasource's.

    Parameters as of LanceDatasource.
    """
    source = LanceDatasource(dataset, columns=columns, filter=filter, batch_size=batch_size)
    return ray_data.read_datasource(source, **options)


class LanceDatasink(ray_data.Datasink):
    """Writes fragments by the tasks and commits them together, as one new version, at the end.

    uri: a path that the tasks reach.
    mode: "create" (OSError if there is a table), "append" or "overwrite".
    schema: of the table; if not given, that of the first block with rows.
    options: of `tusk.fragment_changes.write_fragments`, such as max_rows_per_file.

    A failed job leaves no version, but files of tasks that had come to their end, which
    `cleanup_old_versions` removes.
    """

    def __init__(self, uri, *, mode="create", schema=None, **options):
        if mode not in ("create", "append", "overwrite"):
            raise ValueError(f"mode {mode!r} is not create, append or overwrite")
        self._uri = os.fspath(uri)
        self._mode = mode
        self._schema = schema
        self._options = options
        self._read_version = 0

    def get_name(self):
        return "Lance"

    def on_write_start(self, *args, **kwargs):
        """Finds the version to which the rows are added."""
        try:
            table = tusk.dataset(self._uri)
        except FileNotFoundError:
            if self._mode == "append":
                self._mode = "create"
            return
        if self._mode == "create":
            raise FileExistsError(f"{self._uri}: there is a table already; append or overwrite it")
        self._read_version = table.version
        if self._mode == "append":
            self._schema = table.schema

    def write(self, blocks, ctx):
        """(schema, fragments) of the blocks of one task; None if they have no rows."""
        from tusk.fragment_changes import write_fragments

        from ray.data.block import BlockAccessor

        tables = [BlockAccessor.for_block(block).to_arrow() for block in blocks]
        tables = [table for table in tables if table.num_rows]
        if not tables:
            return None
        schema = self._schema or tables[0].schema
        batches = (batch for table in tables for batch in table.to_batches())
        mode = "append" if self._mode == "append" else "overwrite"
        return schema, write_fragments(
            pa.RecordBatchReader.from_batches(schema, (_cast(b, schema) for b in batches)),
            self._uri,
            mode=mode,
            **self._options,
        )

    def on_write_complete(self, write_result):
        """Commits the fragments of all tasks."""
        written = [done for done in write_result.write_returns if done is not None]
        schema = self._schema or (written[0][0] if written else None)
        if schema is None:
            raise ValueError(f"cannot write {self._uri}: no rows, and no schema was given")
        for other, _ in written:
            if not other.equals(schema):
                raise InvalidArgumentError(
                    f"cannot write {self._uri}: the tasks have rows of different schemas: "
                    f"{schema} and {other}; give one as `schema`"
                )
        fragments = [fragment for _, made in written for fragment in made]
        if self._mode == "append":
            operation = tusk.LanceOperation.Append(fragments)
        else:
            operation = tusk.LanceOperation.Overwrite(schema, fragments)
        tusk.LanceDataset.commit(self._uri, operation, read_version=self._read_version)


def _cast(batch, schema):
    """The batch's columns by their names, as the schema has them."""
    if sorted(batch.schema.names) != sorted(schema.names):
        raise InvalidArgumentError(
            f"rows to write have the columns {', '.join(batch.schema.names)}, and not those of the "
            f"table: {', '.join(schema.names)}"
        )
    table = pa.Table.from_batches([batch]).select(schema.names).cast(schema)
    return table.combine_chunks().to_batches()[0]


def write_lance(data, uri, *, mode="create", schema=None, concurrency=None, **options):
    """Writes a Ray Dataset to a Lance table. Parameters as of LanceDatasink.

    concurrency: tasks that write at the same time.
    """
    data.write_datasink(
        LanceDatasink(uri, mode=mode, schema=schema, **options), concurrency=concurrency
    )
