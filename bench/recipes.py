"""The tables that the workloads read, and their files in each format.

The values follow from a fixed seed. At scale 1 the sizes are those of the table in the README.
"""

import dataclasses
import pathlib
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

import writers

# Part of the folder's name: a change of the values below needs a new number.
_RECIPE_VERSION = 1

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


def _label_numbers(generator, count):
    return generator.choice(len(_LABELS), count, p=[0.3, 0.25, 0.2, 0.1, 0.1, 0.05])


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
    labels = _label_numbers(generator, rows)
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


def _lists(generator, rows, most, make_values):
    """Lists of 0 to `most` values each, one in fifty of them null."""
    lengths = generator.integers(0, most + 1, rows)
    is_null = generator.random(rows) < 0.02
    offsets = np.zeros(rows + 1, np.int32)
    np.cumsum(np.where(is_null, 0, lengths), out=offsets[1:])
    values = make_values(offsets[-1])
    return pa.ListArray.from_arrays(pa.array(offsets), values, mask=pa.array(is_null))


def make_nested(rows):
    """Boxes, a list of 0 to 8 structs of numbers and a text, and samples, one of 0 to 64 floats."""
    generator = np.random.default_rng(4)

    def boxes(count):
        corners = [generator.integers(0, 1920, count).astype(np.float32) for _ in range(4)]
        labels = pa.array(_LABELS).take(pa.array(_label_numbers(generator, count)))
        scores = generator.random(count, dtype=np.float32)
        return pa.StructArray.from_arrays(
            [*map(pa.array, corners), labels, pa.array(scores)],
            names=["x", "y", "width", "height", "label", "score"],
        )

    def samples(count):
        return pa.array(generator.standard_normal(count, dtype=np.float32))

    columns = {
        "boxes": _lists(generator, rows, 8, boxes),
        "samples": _lists(generator, rows, 64, samples),
    }
    return pa.table(columns)


def make_blobs(rows):
    """200,000 random bytes in each row."""
    generator = np.random.default_rng(5)
    size = 200_000
    offsets = pa.array(np.arange(rows + 1) * size)
    values = pa.py_buffer(generator.bytes(rows * size))
    blobs = pa.LargeBinaryArray.from_buffers(
        pa.large_binary(), rows, [None, offsets.buffers()[1], values]
    )
    return pa.table({"blob": blobs})


def make_pictures(rows):
    """50,000 random bytes in each row, as a picture has them, and a label."""
    generator = np.random.default_rng(6)
    size = 50_000
    offsets = pa.array(np.arange(rows + 1, dtype=np.int32) * size)
    values = pa.py_buffer(generator.bytes(rows * size))
    pictures = pa.BinaryArray.from_buffers(
        pa.binary(), rows, [None, offsets.buffers()[1], values]
    )
    return pa.table({"picture": pictures, "label": generator.integers(0, 1000, rows)})


# Name: how it is made, its rows at scale 1, and the fewest that a run has.
TABLES = {
    "wide": (make_wide, 2_000_000, 1000),
    "text": (make_text, 1_000_000, 1000),
    "embeddings": (make_embeddings, 100_000, 1000),
    "nested": (make_nested, 500_000, 1000),
    "blobs": (make_blobs, 2_000, 10),
    "pictures": (make_pictures, 10_000, 300),
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

    def read_all(self, format):
        """Has the page cache hold the table's files of this format, as far as it has room."""
        path = pathlib.Path(self.path(format))
        piece = bytearray(1 << 20)
        for file in path.rglob("*") if path.is_dir() else [path]:
            if file.is_file():
                with file.open("rb", buffering=0) as opened:
                    while opened.readinto(piece):
                        pass

    def data_size(self, format):
        """Bytes of the data files alone: without the manifests and transactions of a dataset."""
        if format != "lance":
            return self.size(format)
        data = pathlib.Path(self.path(format)) / "data"
        return sum(file.stat().st_size for file in data.iterdir())


_WRITERS = {
    writer.format: writer
    for writer in (
        writers.Pylance,
        writers.TuskOwn,
        writers.Parquet,
        writers.TunedParquet,
        writers.Feather,
        writers.Vortex,
    )
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
        make, full_rows, least_rows = TABLES[name]
        rows = max(least_rows, round(full_rows * scale))
        folder = pathlib.Path(root) / f"recipe-{_RECIPE_VERSION}" / f"{name}-{rows}"
        folder.mkdir(parents=True, exist_ok=True)
        files[name] = Files(str(folder.absolute()), rows)
        missing = [f for f in formats if not pathlib.Path(files[name].path(f)).exists()]
        table = make(rows) if missing else None
        for format in missing:
            unfinished = folder / f"unfinished.{format}"
            if unfinished.is_dir():
                shutil.rmtree(unfinished)
            _WRITERS[format]().write(table, str(unfinished))
            unfinished.rename(files[name].path(format))
        if "lance" in formats:
            files[name] = dataclasses.replace(
                files[name], first_data_file=_first_data_file(files[name].path("lance"))
            )
    return files
