"""Each implementation that writes, in the way its documentation shows.

A writer is made once and kept; each call writes a table to a new place. What it wrote is read back
by the reader of readers.py that it names. Modules are imported when a writer is made, so that a
worker holds the implementation it measures and no other.
"""


class Tusk:
    """tusk.write_dataset that does not wait for the disk: nor does any of the peers."""

    label = "tusk"
    format = "lance"
    modules = ("tusk",)
    reader = "pylance"
    options = {"storage_options": {"durable": "false"}}

    def __init__(self):
        import tusk

        self.write_dataset = tusk.write_dataset

    def write(self, table, path):
        self.write_dataset(table, path, **self.options)


class TuskOwn(Tusk):
    """The same, for what tusk reads of its own files."""

    format = "tusk.lance"


class TuskDurable(Tusk):
    """tusk.write_dataset with its defaults: what it wrote outlives a loss of power."""

    label = "tusk durable"
    options = {}


class Pylance(Tusk):
    """lance.write_dataset with its defaults, of the data version that tusk writes by default."""

    label = "pylance"
    modules = ("lance",)
    options = {"data_storage_version": "2.2"}

    def __init__(self):
        import lance

        self.write_dataset = lance.write_dataset


class Parquet:
    """pyarrow on Parquet with zstd, groups of 100,000 rows."""

    label = "Parquet zstd"
    format = "parquet"
    modules = ("pyarrow",)
    reader = "parquet"

    def __init__(self):
        import pyarrow.parquet

        self.write_table = pyarrow.parquet.write_table

    def write(self, table, path):
        self.write_table(table, path, compression="zstd", row_group_size=100_000)


class TunedParquet(Parquet):
    """pyarrow on Parquet made for random access: groups of 1,000 rows, a page index."""

    label = "Parquet tuned"
    format = "tuned.parquet"
    reader = "tuned-parquet"

    def write(self, table, path):
        self.write_table(
            table,
            path,
            compression="lz4",
            row_group_size=1_000,
            data_page_size=8_192,
            write_page_index=True,
        )


class Feather:
    """pyarrow on an uncompressed Feather file: near what the machine can do."""

    label = "Feather uncompressed"
    format = "feather"
    modules = ("pyarrow",)
    reader = "feather"

    def __init__(self):
        import pyarrow.feather

        self.write_feather = pyarrow.feather.write_feather

    def write(self, table, path):
        # One batch: pyarrow's take joins all chunks of a text column before it looks for the rows.
        self.write_feather(table, path, compression="uncompressed", chunksize=table.num_rows)


class Vortex:
    """vortex.io.write with its defaults."""

    label = "Vortex"
    format = "vortex"
    modules = ("vortex",)
    reader = "vortex"

    def __init__(self):
        import vortex

        self.write_table = vortex.io.write

    def write(self, table, path):
        self.write_table(table, path)


# By the name that the command line knows, in the order of the tables.
WRITERS = {
    "tusk-writer": Tusk,
    "pylance-writer": Pylance,
    "parquet-writer": Parquet,
    "feather-writer": Feather,
    "vortex-writer": Vortex,
    "tusk-durable": TuskDurable,
}
