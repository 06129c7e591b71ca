"""What the tests of all folders share: random tables and small lakes."""

import datetime
import pathlib
import random

import numpy as np
import pyarrow as pa
import pytest


def pytest_addoption(parser):
    group = parser.getgroup("generated Lance files")
    group.addoption("--cases", type=int, default=300, help="how many random files to read")
    group.addoption("--seed", type=int, default=0, help="the seed of the first random file")
    group.addoption("--filters", type=int, default=400, help="how many random filters to try")
    group.addoption("--scans", type=int, default=300, help="how many random scans to try")
    group.addoption(
        "--reader",
        choices=["tusk", "pylance"],
        default="tusk",
        help="who reads; pylance checks the tests themselves",
    )
    group.addoption(
        "--write-matrix", action="store_true", help="write docs/format/matrix.md from the run"
    )


# Around the sizes where batches, chunks of pages and morsels end.
BOUNDARY_SIZES = (0, 1, 2, 63, 1023, 1024, 1025, 4097)


def random_table(rows, seed=0, null_share=0.2):
    """A table of every type that is covered, with nulls in each column but `id` and `exact`."""
    generator = random.Random(seed)

    def values(make):
        return [None if generator.random() < null_share else make() for _ in range(rows)]

    def text():
        return "".join(generator.choices("abcdefghijklmnop äß", k=generator.randrange(12)))

    def moment():
        return datetime.datetime(2020, 1, 1) + datetime.timedelta(
            microseconds=generator.randrange(10**15)
        )

    vectors = [[generator.uniform(-1, 1) for _ in range(8)] for _ in range(rows)]
    return pa.table(
        {
            "id": pa.array(range(rows), pa.int64()),
            "small": pa.array(values(lambda: generator.randrange(-(2**31), 2**31)), pa.int32()),
            "big": pa.array(values(lambda: generator.randrange(-(2**63), 2**63)), pa.int64()),
            "single": pa.array(values(lambda: np.float32(generator.gauss(0, 10))), pa.float32()),
            "double": pa.array(values(lambda: generator.gauss(0, 1e9)), pa.float64()),
            "flag": pa.array(values(lambda: generator.random() < 0.5), pa.bool_()),
            "text": pa.array(values(text), pa.string()),
            "blob": pa.array(
                values(lambda: generator.randbytes(generator.randrange(20))), pa.binary()
            ),
            "moment": pa.array(values(moment), pa.timestamp("us")),
            "instant": pa.array(values(moment), pa.timestamp("us", tz="UTC")),
            "vector": pa.array(vectors, pa.list_(pa.float32(), 8)),
            "maybe_vector": pa.array(
                [None if generator.random() < null_share else v for v in vectors],
                pa.list_(pa.float32(), 8),
            ),
        }
    )


def write_pictures(folder, count, seed=0, label=lambda number: str(number % 3)):
    """Random grey PNG files `label`/`number`.png in `folder`; gives their paths."""
    from PIL import Image

    pixels = np.random.default_rng(seed)
    paths = []
    for number in range(count):
        path = pathlib.Path(folder) / label(number) / f"{number:04}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels.integers(0, 256, (8, 8), dtype=np.uint8)).save(path)
        paths.append(path)
    return paths


@pytest.fixture
def picture_folder(tmp_path):
    folder = tmp_path / "pictures"
    write_pictures(folder, 30)
    return folder


@pytest.fixture
def lake(tmp_path, picture_folder):
    """A lake with 30 pictures in media.pictures, made by one ingestion."""
    import tusk

    made = tusk.init(tmp_path / "lake")
    made.ingest(picture_folder, "media.pictures", label_from="folder")
    return made


@pytest.fixture(scope="session")
def open_reader(request):
    """Opens the file of a path, `columns` of it if given, as pylance's LanceFileReader does."""
    if request.config.getoption("--reader") == "pylance":
        import lance.file

        return lance.file.LanceFileReader
    import tusk.file

    return tusk.file.LanceFileReader


@pytest.fixture(scope="session")
def open_table(request):
    """Opens a table by path, as an object like pylance's LanceDataset."""
    if request.config.getoption("--reader") == "pylance":
        import lance

        return lance.dataset
    import tusk

    return tusk.dataset
