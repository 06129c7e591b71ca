"""The tables that the workloads read, and their files in each format.

The values follow from a fixed seed. At scale 1 the sizes are those of the table in the README.
"""

import dataclasses
import pathlib
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

# Part of the folder's name: a change of the values below needs a new number.
_RECIPE_VERSION = 1
_LEAST_ROWS = 1000

SCALARS = (
    "id",
    "ts",
    "name",
    "label",
    "maybe",
    "uniform",
    "score",
    "small",
    "day",
    "flag",
)
_LABELS = ["cat", "dog", "horse", "bicycle", "traffic light", "person"]


def _words(generator, count):
    """`count` different lower-case words of 2 to 10 letters."""
    letters = np.array(list("etaoinshrdlucmfwypvbgkjqxz"))
    share = 1 / np.arange(2, 28)
    words = set()
    while len(words) < count:
        length = generator.integers(2, 11)
        words.add("".join(generator.choice(letters, length, p=share / share.sum())))
    return sorted(words)


def _vectors(generator, rows, dim):
    values = generator.standard_normal(rows * dim, dtype=np.float32)
    return pa.FixedSizeListArray.from_arrays(pa.array(values), dim)


def make_wide(rows):
    """10 scalar and string columns of 78 bytes a row, and a vector of 128 floats."""
    generator = np.random.default_rng(1)
    words = pa.array(_words(generator, 512))
    number = pc.cast(pa.array(generator.integers(10**6, 10**7, rows)), pa.string())
    pick = [words.take(pa.array(generator.integers(0, len(words), rows))) for _ in range(2)]
    steps = generator.integers(1, 2000, rows)
    labels = generator.choice(len(_LABELS), rows, p=[0.3, 0.25, 0.2, 0.1, 0.1, 0.05])
    columns = [
        pa.array(np.arange(rows)),
        pa.array(np.int64(1_700_000_000_000_000) + np.cumsum(steps), pa.timestamp("us")),
        pc.binary_join_element_wise(*pick, number, "-"),
        pa.array(_LABELS).take(pa.array(labels)),
        pa.array(generator.integers(0, 1 << 17, rows), mask=generator.random(rows) < 0.1),
        pa.array(generator.random(rows)),
        pa.array(generator.standard_normal(rows, dtype=np.float32)),
        pa.array(generator.integers(0, 1000, rows, dtype=np.int32)),
        pa.array(generator.integers(18_000, 20_000, rows, dtype=np.int32), pa.date32()),
        pa.array(generator.random(rows) < 0.5),
        _vectors(generator, rows, 128),
    ]
    return pa.table(columns, names=[*SCALARS, "vector"])


def make_text(rows):
    """A number and a text of about 80 bytes: 8 to 18 words, frequent and rare ones."""
    generator = np.random.default_rng(2)
    words = _words(generator, 20_000)
    lengths = generator.integers(8, 19, rows)
    # Zipf's law: the n-th word comes with a share of 1/n.
    share = 1 / np.arange(1, len(words) + 1)
    picks = generator.choice(len(words), lengths.sum(), p=share / share.sum())
    offsets = np.zeros(rows + 1, np.int32)
    np.cumsum(lengths, out=offsets[1:])
    lists = pa.ListArray.from_arrays(pa.array(offsets), pa.array(words).take(pa.array(picks)))
    return pa.table({"id": np.arange(rows), "text": pc.binary_join(lists, " ")})


def make_embeddings(rows):
    """A vector of 768 floats."""
    generator = np.random.default_rng(3)
    return pa.table({"vector": _vectors(generator, rows, 768)})


# Name: how it is made, and its rows at scale 1.
TABLES = {
    "wide": (make_wide, 2_000_000),
    "text": (make_text, 1_000_000),
    "embeddings": (make_embeddings, 100_000),
}


@dataclasses.dataclass(frozen=True)
class Files:
    """One table in every format."""

    folder: str
    rows: int
    first_data_file: str | None = None  # of the dataset of Lance, if that was written

    @property
    def first_file_rows(self):
        """Rows of the dataset's first data file: pylance begins another after so many."""
        return min(self.rows, 1 << 20)

    def path(self, format):
        return f"{self.folder}/table.{format}"

    def size(self, format):
        """Bytes on disk, or None if the format was not written."""
        path = pathlib.Path(self.path(format))
        if path.is_dir():
            return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
        return path.stat().st_size if path.exists() else None


def _write_lance(table, path):
    import lance

    lance.write_dataset(table, path, data_storage_version="2.2")


def _write_parquet(table, path):
    import pyarrow.parquet

    pyarrow.parquet.write_table(table, path, compression="zstd", row_group_size=100_000)


def _write_feather(table, path):
    import pyarrow.feather

    # One batch: pyarrow's take joins all chunks of a text column before it looks for the rows.
    pyarrow.feather.write_feather(
        table, path, compression="uncompressed", chunksize=table.num_rows
    )


def _write_vortex(table, path):
    import vortex

    vortex.io.write(table, path)


_WRITERS = {
    "lance": _write_lance,
    "parquet": _write_parquet,
    "feather": _write_feather,
    "vortex": _write_vortex,
}


def _first_data_file(dataset):
    """The file of the first fragment: by their names the files are in no order."""
    import lance

    (first, *_) = lance.dataset(dataset).get_fragments()
    return f"{dataset}/data/{first.data_files()[0].path}"


def prepare(root, scale, names, formats):
    """Writes what is missing of the tables `names` in `formats` under `root`; gives Files by name.

    A file is moved to its name when it is whole, so that an interrupted run leaves none behind.
    """
    files = {}
    for name in names:
        make, full_rows = TABLES[name]
        rows = max(_LEAST_ROWS, round(full_rows * scale))
        folder = pathlib.Path(root) / f"recipe-{_RECIPE_VERSION}" / f"{name}-{rows}"
        folder.mkdir(parents=True, exist_ok=True)
        files[name] = Files(str(folder.absolute()), rows)
        missing = [f for f in formats if not pathlib.Path(files[name].path(f)).exists()]
        table = make(rows) if missing else None
        for format in missing:
            unfinished = folder / f"unfinished.{format}"
            if unfinished.is_dir():
                shutil.rmtree(unfinished)
            _WRITERS[format](table, str(unfinished))
            unfinished.rename(files[name].path(format))
        if "lance" in formats:
            files[name] = dataclasses.replace(
                files[name], first_data_file=_first_data_file(files[name].path("lance"))
            )
    return files
