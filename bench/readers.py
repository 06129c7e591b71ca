"""Each implementation behind the same few methods, in the way its documentation shows.

A reader is opened once per table and kept. Columns are a list of names or None for all; rows are
ascending and without duplicates. Modules are imported where they are used, so that a worker holds
the implementation it measures and no other.
"""

import operator

import numpy as np


def _expression(condition):
    import pyarrow.compute as pc

    column, comparison, value = condition
    return {"<": operator.lt, "==": operator.eq}[comparison](pc.field(column), value)


def _count(rows):
    import pyarrow as pa

    return pa.table({"rows": [rows]})


class Tusk:
    """tusk.dataset on the dataset that pylance wrote."""

    label = "tusk"
    format = "lance"
    modules = ("tusk",)

    def __init__(self, files):
        self.path = files.path(self.format)
        self.dataset = self._open()

    def _open(self):
        import tusk

        return tusk.dataset(self.path)

    def scan(self, columns):
        return self.dataset.to_table(columns=columns)

    def batches(self, columns):
        return self.dataset.to_batches(columns=columns)

    def filter(self, columns, condition):
        return self.dataset.to_table(columns=columns, filter=_expression(condition))

    def count(self, columns, condition):
        return _count(self.dataset.count_rows(_expression(condition)))

    def take(self, columns, rows):
        return self.dataset.take(rows, columns=columns)

    def open_and_take(self, columns, rows):
        # Kept, so that io() tells what this one has read.
        self.dataset = self._open()
        return self.take(columns, rows)

    def io(self):
        """Requests and bytes read since the last call."""
        stats = self.dataset.io_stats_incremental()
        return stats.read_iops, stats.read_bytes


class Pylance(Tusk):
    """lance.dataset with its defaults."""

    label = "pylance"
    modules = ("lance",)

    def _open(self):
        import lance

        return lance.dataset(self.path)


class PylanceUring(Pylance):
    """lance.dataset that reads through io_uring."""

    label = "pylance io_uring"

    def _open(self):
        import lance

        return lance.dataset(f"file+uring://{self.path}")


class TuskOnOwn(Tusk):
    """tusk.dataset on the dataset that tusk wrote."""

    format = "tusk.lance"


class PylanceOnTusks(Pylance):
    """lance.dataset on the dataset that tusk wrote."""

    format = "tusk.lance"


class Parquet:
    """pyarrow on Parquet with zstd, groups of 100,000 rows."""

    label = "Parquet zstd"
    format = "parquet"
    modules = ("pyarrow",)

    def __init__(self, files):
        self.path = files.path(self.format)
        self.file = self._open()
        self.group_begins = self._group_begins(self.file)

    def _open(self):
        import pyarrow.parquet

        return pyarrow.parquet.ParquetFile(self.path)

    @staticmethod
    def _group_begins(file):
        metadata = file.metadata
        lengths = [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)]
        return np.cumsum([0, *lengths])

    def scan(self, columns):
        return self.file.read(columns=columns)

    def batches(self, columns):
        return self.file.iter_batches(columns=columns)

    def filter(self, columns, condition):
        import pyarrow.parquet

        return pyarrow.parquet.read_table(
            self.path, columns=columns, filters=_expression(condition)
        )

    def count(self, columns, condition):
        import pyarrow.dataset

        return _count(pyarrow.dataset.dataset(self.path).count_rows(filter=_expression(condition)))

    def take(self, columns, rows):
        """Reads the groups that hold the rows, and these alone."""
        return self._take(self.file, self.group_begins, columns, rows)

    def open_and_take(self, columns, rows):
        file = self._open()
        return self._take(file, self._group_begins(file), columns, rows)

    @staticmethod
    def _take(file, begins, columns, rows):
        rows = np.asarray(rows)
        owner = np.searchsorted(begins, rows, side="right") - 1
        groups = np.unique(owner)
        # Where a group begins in what is read, less where it begins in the file.
        lengths = np.diff(begins)[groups]
        shift = np.cumsum(lengths) - lengths - begins[groups]
        table = file.read_row_groups(groups.tolist(), columns=columns)
        return table.take(rows + shift[np.searchsorted(groups, owner)])


class TunedParquet(Parquet):
    """pyarrow on Parquet made for random access: groups of 1,000 rows, a page index."""

    label = "Parquet tuned"
    format = "tuned.parquet"


def _touch(table):
    """Looks at one byte of each memory page, so that the mapped file is really read."""
    for column in table.columns:
        for chunk in column.chunks:
            for buffer in chunk.buffers():
                if buffer is not None:
                    np.frombuffer(buffer, np.uint8)[::4096].sum()
    return table


class Feather:
    """pyarrow on an uncompressed Feather file mapped into memory: near what the machine can do."""

    label = "Feather mmap"
    format = "feather"
    modules = ("pyarrow",)

    def __init__(self, files):
        self.path = files.path("feather")
        self.table = self._open()

    def _open(self):
        import pyarrow.feather

        return pyarrow.feather.read_table(self.path, memory_map=True)

    def scan(self, columns):
        table = self._open()
        return _touch(table if columns is None else table.select(columns))

    def batches(self, columns):
        return self.scan(columns).to_batches()

    def filter(self, columns, condition):
        kept = self._open().filter(_expression(condition))
        return kept if columns is None else kept.select(columns)

    def count(self, columns, condition):
        return _count(self._open().filter(_expression(condition)).num_rows)

    def take(self, columns, rows):
        return self._take(self.table, columns, rows)

    def open_and_take(self, columns, rows):
        return self._take(self._open(), columns, rows)

    @staticmethod
    def _take(table, columns, rows):
        return (table if columns is None else table.select(columns)).take(rows)


class Vortex:
    """vortex.open with its defaults. Text comes as Arrow's string view."""

    label = "Vortex"
    format = "vortex"
    modules = ("vortex",)

    def __init__(self, files):
        self.path = files.path("vortex")
        self.file = self._open()

    def _open(self):
        import vortex

        return vortex.open(self.path)

    def scan(self, columns):
        return self.file.to_arrow(columns).read_all()

    def batches(self, columns):
        return self.file.to_arrow(columns)

    def take(self, columns, rows):
        return self._take(self.file, columns, rows)

    def open_and_take(self, columns, rows):
        return self._take(self._open(), columns, rows)

    @staticmethod
    def _take(file, columns, rows):
        import pyarrow as pa
        import vortex

        indices = vortex.array(pa.array(rows, pa.uint64()))
        return file.to_arrow(columns, indices=indices).read_all()


class TuskFile:
    """tusk.file.LanceFileReader on the first data file of the dataset that pylance wrote."""

    label = "tusk.file"
    format = "lance"
    modules = ("tusk",)
    batch_rows = 8192

    def __init__(self, files):
        self.path = files.first_data_file
        self.readers = {}
        self.make = self._class()

    @staticmethod
    def _class():
        import tusk.file

        return tusk.file.LanceFileReader

    def _open(self, columns):
        return self.make(self.path, columns=columns)

    def _reader(self, columns):
        key = None if columns is None else tuple(columns)
        if key not in self.readers:
            self.readers[key] = self._open(columns)
        return self.readers[key]

    def scan(self, columns):
        return self._reader(columns).read_all(batch_size=self.batch_rows).to_table()

    def batches(self, columns):
        return self._reader(columns).read_all(batch_size=self.batch_rows).to_batches()

    def take(self, columns, rows):
        return self._reader(columns).take_rows(rows, batch_size=self.batch_rows).to_table()

    def open_and_take(self, columns, rows):
        return self._open(columns).take_rows(rows, batch_size=self.batch_rows).to_table()


class PylanceFile(TuskFile):
    """lance.file.LanceFileReader on the same file."""

    label = "lance.file"
    modules = ("lance",)

    @staticmethod
    def _class():
        import lance.file

        return lance.file.LanceFileReader


# By the name that the command line knows, in the order of the tables.
READERS = {
    "tusk": Tusk,
    "pylance": Pylance,
    "pylance-uring": PylanceUring,
    "parquet": Parquet,
    "tuned-parquet": TunedParquet,
    "feather": Feather,
    "vortex": Vortex,
    "tusk-on-own": TuskOnOwn,
    "pylance-on-tusks": PylanceOnTusks,
    "tusk-file": TuskFile,
    "pylance-file": PylanceFile,
}
