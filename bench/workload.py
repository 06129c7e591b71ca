"""What a workload is."""

import dataclasses
import zlib

import numpy as np


@dataclasses.dataclass(frozen=True)
class Workload:
    """One read or write, done by each of `implementations`: tusk, pylance, and the other peers."""

    name: str
    table: str  # of recipes.TABLES
    operation: str  # of the readers: scan, batches, filter, count, take, open_and_take; or write
    columns: tuple | None = None  # all if None
    rows: int | None = None  # how many a take wants
    condition: tuple | None = None  # column, "<" or "==", value: of a filter or count
    goal: float | None = None  # tusk shall be so many times as fast as pylance
    goal_memory: float | None = None  # tusk's peak memory shall be at most so many times the result
    goal_megabytes: float | None = None  # tusk's peak memory shall stay below so much
    goal_size: float | None = None  # tusk's files shall have at most so many times pylance's bytes
    implementations: tuple = ("tusk", "pylance", "parquet", "feather", "vortex")
    first_file: bool = False  # reads the first data file, not the whole dataset
    is_cold: bool = False  # before each call the page cache forgets the files

    def table_rows(self, files):
        return files.first_file_rows if self.first_file else files.rows

    def read_of_what_is_written(self):
        """The scan of the same columns, whose answer a write shall leave."""
        return dataclasses.replace(self, operation="scan")

    def arguments(self, files, call):
        """The arguments of call number `call`: each takes other rows, the same for everybody."""
        columns = None if self.columns is None else list(self.columns)
        if self.condition is not None:
            return columns, self.condition
        if self.rows is None:
            return (columns,)
        generator = np.random.default_rng([zlib.crc32(self.name.encode()), call])
        most = self.table_rows(files)
        rows = generator.choice(most, min(self.rows, most), replace=False, shuffle=False)
        return columns, np.sort(rows).tolist()
