"""Takes of random rows again and again: what stays in memory is what the file has."""

import lance
import numpy as np
import pyarrow as pa
import pytest

import tusk

ROWS = 60_000


@pytest.fixture(scope="module")
def table():
    generator = np.random.default_rng(11)
    words = np.array(["", "a", "bc", "é" * 20, "x" * 300])
    is_null = generator.random(ROWS) < 0.1
    return pa.table(
        {
            "n": generator.integers(0, 2**40, ROWS),
            "small": pa.array(generator.integers(-5, 5, ROWS).astype("int8")),
            "maybe": pa.array(generator.random(ROWS), mask=is_null),
            "word": pa.array(generator.choice(words, ROWS).tolist(), pa.string()),
            "text": [f"{i} " + "some text " * (i % 7) for i in range(ROWS)],
            "list": [list(range(i % 5)) for i in range(ROWS)],
            "vector": pa.FixedSizeListArray.from_arrays(
                pa.array(generator.random(ROWS * 8).astype("float32")), 8
            ),
            "pair": pa.array([{"a": i, "b": str(i)} for i in range(ROWS)]),
        }
    )


@pytest.mark.parametrize(
    ("writer", "version"),
    [(lance, "2.0"), (lance, "2.1"), (lance, "2.2"), (tusk, "2.1"), (tusk, "2.2")],
)
def test_rows_are_those_of_the_file_and_come_from_memory_in_the_end(
    table, writer, version, tmp_path
):
    path = tmp_path / "t"
    writer.write_dataset(table, path, max_rows_per_file=ROWS // 2, data_storage_version=version)
    dataset = tusk.dataset(path)
    generator = np.random.default_rng(5)
    read = []
    for _ in range(60):
        rows = generator.integers(0, ROWS, 200)
        dataset.io_stats_incremental()
        assert dataset.take(rows).equals(table.take(rows))
        read.append(dataset.io_stats_incremental().read_bytes)
    if version != "2.0":
        assert sum(read[-5:]) < sum(read[:5]) / 3


def test_a_file_that_was_replaced_gives_its_new_rows(tmp_path):
    session = tusk.file.LanceFileSession(str(tmp_path))
    for shift in (0, 1, 2):
        numbers = pa.array(range(shift, 20_000 + shift))
        with tusk.file.LanceFileWriter(str(tmp_path / "f")) as writer:
            writer.write_batch(pa.table({"n": numbers}))
        for _ in range(4):
            reader = session.open_reader("f")
            taken = reader.take_rows([5, 70, 19_999]).to_table()["n"].to_pylist()
            assert taken == [5 + shift, 70 + shift, 19_999 + shift]
