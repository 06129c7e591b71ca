"""Training loaders that read large values."""

import gc
import pickle

import numpy as np
import pyarrow as pa
import pytest

import tusk

ROWS = 200


def value_of(row):
    """Of every tenth row nothing; of the others bytes that lie in and beside the data file."""
    return None if row % 10 == 3 else bytes([row]) * (row * 37 % 3000)


@pytest.fixture
def table(tmp_path):
    sizes = {"inline_size_threshold": 500, "dedicated_size_threshold": 2000}
    item = tusk.blob_field("x")
    struct = pa.StructArray.from_arrays(
        [tusk.blob_array([b"%d" % row for row in range(ROWS)])], fields=[item]
    )
    schema = pa.schema(
        [
            pa.field("id", pa.int64()),
            tusk.blob_field("image", **sizes),
            pa.field("s", struct.type),
        ]
    )
    images = tusk.blob_array([value_of(row) for row in range(ROWS)])
    data = pa.Table.from_arrays([pa.array(range(ROWS), pa.int64()), images, struct], schema=schema)
    return tusk.write_dataset(data, tmp_path / "t", max_rows_per_file=70)


def check(batch, column="image"):
    assert batch[column].type == pa.large_binary()
    assert batch[column].to_pylist() == [value_of(row) for row in batch["id"].to_pylist()]


@pytest.mark.parametrize("read_ahead", [0, 4])
def test_batches_have_the_bytes_when_asked(table, read_ahead):
    loader = tusk.Loader(table, 32, blobs="bytes", seed=3, read_ahead=read_ahead)
    rows = []
    for batch in loader:
        check(batch)
        ids = batch["id"].to_pylist()
        assert [s["x"] for s in batch["s"].to_pylist()] == [b"%d" % row for row in ids]
        rows += ids
    assert sorted(rows) == list(range(ROWS))
    # The order is the same whatever is read of the rows.
    without = [batch["id"].to_pylist() for batch in tusk.Loader(table, 32, columns=["id"], seed=3)]
    assert rows == sum(without, [])


def test_columns_are_chosen_as_without_bytes(table):
    for columns in (["image", "id"], ["id", "image", "_rowid"], ["s.x", "image", "id"]):
        batch = next(iter(tusk.Loader(table, 50, columns=columns, blobs="bytes")))
        plain = next(iter(tusk.Loader(table, 50, columns=columns)))
        assert batch.schema.names == plain.schema.names
        check(batch)
    batch = next(iter(tusk.Loader(table, 50, columns=["s.x", "id"], blobs="bytes")))
    assert [s["x"] for s in batch["s"].to_pylist()] == [b"%d" % i for i in batch["id"].to_pylist()]
    columns = {"picture": "image", "id": "id", "twice": "id * 2"}
    batch = next(iter(tusk.Loader(table, 50, columns=columns, blobs="bytes")))
    assert batch.schema.names == list(columns)
    check(batch, "picture")
    assert batch["twice"].to_pylist() == [2 * row for row in batch["id"].to_pylist()]
    # Without a column of blobs there is nothing to read.
    ids = next(iter(tusk.Loader(table, 50, columns=["id"], blobs="bytes", shuffle=False)))
    assert ids["id"].to_pylist() == list(range(50))


def test_rows_that_are_drawn_twice_have_their_bytes_twice(table):
    loader = tusk.Loader(table, 64, blobs="bytes", weights=np.eye(1, ROWS, 7)[0])
    batch = next(iter(loader))
    assert batch["id"].to_pylist() == [7] * 64
    check(batch)


def test_a_loader_goes_on_in_another_process_with_its_option(table):
    loader = tusk.Loader(table, 30, blobs="bytes", filter="id >= 100", seed=1)
    first = next(iter(loader))
    check(first)
    other = pickle.loads(pickle.dumps(loader))
    seen = first["id"].to_pylist()
    for batch in other:
        check(batch)
        seen += batch["id"].to_pylist()
    assert sorted(seen) == list(range(100, ROWS))


def test_a_transform_decodes_what_was_read(table):
    def decode(batch):
        return [0 if image is None else len(image) for image in batch["image"].to_pylist()]

    loader = tusk.Loader(table, 50, blobs="bytes", shuffle=False, transform=decode)
    sizes = sum(loader, [])
    assert sizes == [len(value_of(row) or b"") for row in range(ROWS)]


def test_memory_holds_a_few_batches(tmp_path):
    size, rows = 1_000_000, 60
    data = pa.table(
        [range(rows), tusk.blob_array([bytes([row]) * size for row in range(rows)])],
        schema=pa.schema([pa.field("id", pa.int64()), tusk.blob_field("image")]),
    )
    table = tusk.write_dataset(data, tmp_path / "t")
    del data
    gc.collect()
    before, most = pa.total_allocated_bytes(), 0
    for batch in tusk.Loader(table, 4, blobs="bytes", read_ahead=2):
        assert batch["image"][0].as_py() == bytes([batch["id"][0].as_py()]) * size
        most = max(most, pa.total_allocated_bytes() - before)
        del batch
    assert most < 5 * 4 * size


def test_what_is_wrong_is_told(table, tmp_path):
    with pytest.raises(ValueError, match="blobs must be descriptors or bytes, not 'files'"):
        tusk.Loader(table, 10, blobs="files")
    for path in (tmp_path / "t" / "data").rglob("*.blob"):
        path.unlink()
    with pytest.raises(FileNotFoundError, match="version 1: blob of column 'image' in row address"):
        list(tusk.Loader(table, 50, blobs="bytes"))
