"""Lance tables in TensorFlow: `make test-training` only, which installs it (gigabytes)."""

import os
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest

import tusk

pytestmark = pytest.mark.skipif(
    os.environ.get("TUSK_TEST_TRAINING") != "1", reason="asked for by TUSK_TEST_TRAINING=1"
)
ROWS = 1003


@pytest.fixture(scope="module")
def data():
    import tusk.tf.data

    return tusk.tf.data


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    generator = np.random.default_rng(0)
    vectors = pa.FixedSizeListArray.from_arrays(generator.random(ROWS * 8, dtype=np.float32), 8)
    columns = {
        "id": np.arange(ROWS),
        "flag": np.arange(ROWS) % 2 == 0,
        "text": [f"row {i}" for i in range(ROWS)],
        "bytes": pa.array([b"\x00\xff" * (i % 3) for i in range(ROWS)]),
        "vector": vectors,
        "list": pa.array([list(range(i % 4)) for i in range(ROWS)], pa.list_(pa.int32())),
        "box": pa.array([{"x": i, "y": i / 2} for i in range(ROWS)]),
    }
    path = tmp_path_factory.mktemp("tf") / "t.lance"
    return tusk.write_dataset(pa.table(columns), path, max_rows_per_file=150)


def ids_of(batches):
    return [batch["id"].numpy().tolist() for batch in batches]


def flat(batches):
    return [i for ids in ids_of(batches) for i in ids]


def test_every_column_becomes_tensors(data, table):
    first = 0
    found = data.from_lance(table.uri, batch_size=100)
    for batch in found:
        rows = table.slice(first, first + len(batch["id"])).to_pydict()
        first += len(batch["id"])
        assert list(batch) == table.schema.names
        assert batch["id"].numpy().tolist() == rows["id"]
        assert batch["flag"].numpy().tolist() == rows["flag"]
        assert [text.decode() for text in batch["text"].numpy()] == rows["text"]
        assert batch["bytes"].numpy().tolist() == rows["bytes"]
        assert batch["vector"].shape[1:] == (8,)
        assert batch["vector"].numpy().tolist() == rows["vector"]
        assert batch["list"].to_list() == rows["list"]
        assert batch["box"]["x"].numpy().tolist() == [box["x"] for box in rows["box"]]
        assert batch["box"]["y"].numpy().tolist() == [box["y"] for box in rows["box"]]
    assert first == ROWS
    # Every iteration reads anew.
    assert flat(found) == flat(found)


def test_columns_filters_and_fragments(data, table):
    found = data.from_lance(table, columns=["id"], filter="flag", batch_size=50)
    assert flat(found) == list(range(0, ROWS, 2))
    doubled = data.from_lance(table, columns={"id": "id * 2"}, fragments=[1])
    assert flat(doubled) == list(range(300, 600, 2))
    ids = data.lance_fragments(table)
    assert list(ids.as_numpy_iterator()) == list(range(7))
    read = []
    for shard in range(2):
        chosen = ids.shuffle(7, seed=1, reshuffle_each_iteration=False).shard(2, shard)
        read.append(flat(data.from_lance(table, columns=["id"], fragments=chosen)))
    assert sorted(read[0] + read[1]) == list(range(ROWS)) and read[0] != sorted(read[0])


def test_batches_by_range(data, table):
    ranges = data.from_lance_batches(table, batch_size=100)
    pairs = [pair.tolist() for pair in ranges.as_numpy_iterator()]
    assert pairs == [[i, min(i + 100, ROWS)] for i in range(0, ROWS, 100)]
    assert flat(data.lance_take_batches(table, ranges, columns=["id"])) == list(range(ROWS))
    mixed = data.from_lance_batches(table, shuffle=True, seed=4, batch_size=100)
    mixed = [pair.tolist() for pair in mixed.as_numpy_iterator()]
    assert mixed != pairs and sorted(mixed) == pairs
    rest = data.from_lance_batches(table, shuffle=True, seed=4, batch_size=100, skip=3)
    assert [pair.tolist() for pair in rest.as_numpy_iterator()] == mixed[3:]
    assert ids_of(data.lance_take_batches(table, [(5, 8), (0, 2)])) == [[5, 6, 7], [0, 1]]


def test_loaders_feed_tensorflow(data, table):
    import tensorflow as tf

    expected = tusk.Loader(table, 64, columns=["id"], seed=3)
    expected = [[batch["id"].to_pylist() for batch in expected] for _ in range(2)]
    loader = tusk.Loader(table, 64, columns=["id", "vector"], seed=3)
    batches = data.from_loader(loader)
    assert ids_of(batches.prefetch(2)) == expected[0]
    assert ids_of(batches) == expected[1] and loader.epoch == 2
    sums = tusk.Loader(table, 64, transform=lambda b: b["id"].to_numpy().sum())
    with pytest.raises(ValueError, match="output_signature"):
        data.from_loader(sums)
    signature = tf.TensorSpec((), tf.int64)
    assert sum(data.from_loader(sums, output_signature=signature)) == ROWS * (ROWS - 1) // 2


def test_a_model_learns_from_a_loader(data, tmp_path):
    import tensorflow as tf

    tf.random.set_seed(0)
    points = np.random.default_rng(0).random((1000, 4), dtype=np.float32)
    target = points @ np.array([1, -2, 3, 0.5], np.float32)
    vectors = pa.FixedSizeListArray.from_arrays(points.ravel(), 4)
    made = tusk.write_dataset(pa.table({"x": vectors, "y": target}), tmp_path / "t")
    loader = tusk.Loader(made, 50)
    layer = tf.Variable(tf.zeros((4, 1)))
    losses = []
    for _ in range(15):
        for batch in data.from_loader(loader):
            with tf.GradientTape() as tape:
                error = tf.squeeze(batch["x"] @ layer, 1) - batch["y"]
                loss = tf.reduce_mean(error**2)
            layer.assign_sub(0.5 * tape.gradient(loss, layer))
            losses.append(float(loss))
    assert losses[-1] < 1e-3 < losses[0]


def test_types_and_nulls_without_tensors_are_told(data, tmp_path):
    with pytest.raises(TypeError, match="decimal"):
        data.schema_to_spec(pa.schema({"a": pa.decimal128(5, 2)}))
    made = tusk.write_dataset(pa.table({"a": [1, None]}), tmp_path / "t")
    with pytest.raises(Exception, match="no nulls"):
        list(data.from_lance(made))
    filled = data.from_lance(made, columns={"id": "coalesce(a, 0)"})
    assert flat(filled) == [1, 0]
    tensors = pa.FixedShapeTensorArray.from_numpy_ndarray(np.arange(12.0).reshape(3, 2, 2))
    spec = data.data_type_to_tensor_spec(tensors.type)
    assert spec.shape.as_list() == [None, 2, 2]
    assert data.column_to_tensor(tensors, spec).numpy().tolist() == [
        [[0, 1], [2, 3]], [[4, 5], [6, 7]], [[8, 9], [10, 11]]
    ]  # fmt: skip


BESIDE = """
IMPORTS
import pyarrow as pa
table = pa.table({"a": range(1000), "text": ["x"] * 1000})
made = tusk.write_dataset(table, FOLDER)
made.delete("a < 5")
assert made.take([0, 1])["a"].to_pylist() == [5, 6]
assert tensorflow.reduce_sum(tensorflow.constant([1, 2])).numpy() == 3
assert tensorflow.io.parse_tensor(tensorflow.io.serialize_tensor([7]), tensorflow.int32) == [7]
"""


@pytest.mark.parametrize(
    "imports",
    [
        "import tensorflow, tusk",
        "import tusk, tensorflow",
        "import tusk, pyarrow, tensorflow",
        "import tusk; tusk.LanceDataset; import tensorflow",
        "import tensorflow, pyarrow, tusk.loader",
    ],
)
def test_both_libraries_live_in_one_process(tmp_path, imports):
    """Each brings a protobuf of its own."""
    program = BESIDE.replace("IMPORTS", imports).replace("FOLDER", repr(str(tmp_path / "t")))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
