"""Lance tables in Ray Data: `make test-training` only, which installs it."""

import os

import pyarrow as pa
import pytest

import tusk

pytestmark = pytest.mark.skipif(
    os.environ.get("TUSK_TEST_TRAINING") != "1", reason="asked for by TUSK_TEST_TRAINING=1"
)
ROWS = 1000


@pytest.fixture(scope="module")
def ray():
    import ray

    # The workers find the packages as this process does.
    ray.init(
        num_cpus=2, include_dashboard=False, log_to_driver=False,
        runtime_env={"env_vars": {"PYTHONPATH": os.environ.get("PYTHONPATH", "")}},
    )  # fmt: skip
    yield ray
    ray.shutdown()


@pytest.fixture
def table(tmp_path):
    data = pa.table({"id": range(ROWS), "text": [f"row {i}" for i in range(ROWS)]})
    made = tusk.write_dataset(data, tmp_path / "t", max_rows_per_file=150)
    made.delete("id = 7")
    return made


def test_tables_are_read_and_written_by_tasks(ray, table, tmp_path):
    import tusk.ray

    found = tusk.ray.read_lance(table.uri)
    assert found.count() == ROWS - 1
    ids = sorted(row["id"] for row in found.take_all())
    assert ids == [i for i in range(ROWS) if i != 7]
    some = tusk.ray.read_lance(table, columns=["id"], filter="id >= 990", override_num_blocks=3)
    assert sorted(row["id"] for row in some.take_all()) == list(range(990, ROWS))
    assert some.schema().names == ["id"]
    # The version is the one that was opened.
    before = tusk.ray.read_lance(tusk.dataset(table.uri, version=1))
    assert before.count() == ROWS

    target = tmp_path / "out"
    doubled = found.map_batches(
        lambda batch: batch.set_column(0, "id", pa.compute.multiply(batch["id"], 2)),
        batch_format="pyarrow",
    )
    tusk.ray.write_lance(doubled, target)
    written = tusk.dataset(target)
    assert written.version == 1
    assert sorted(written.to_table()["id"].to_pylist()) == [2 * i for i in ids]
    with pytest.raises(Exception, match="there is a table already"):
        tusk.ray.write_lance(doubled, target)
    tusk.ray.write_lance(some.add_column("text", lambda b: ["new"] * len(b)), target, mode="append")
    written = tusk.dataset(target)
    assert written.version == 2 and written.count_rows() == ROWS - 1 + 10
    assert written.count_rows("text = 'new'") == 10
    tusk.ray.write_lance(some, target, mode="overwrite", max_rows_per_file=4)
    written = tusk.dataset(target)
    assert written.version == 3 and written.schema.names == ["id"]
    assert sorted(written.to_table()["id"].to_pylist()) == list(range(990, ROWS))


def test_what_cannot_be_written_is_told(ray, table, tmp_path):
    import tusk.ray

    none = tusk.ray.read_lance(table, filter="id < 0")
    with pytest.raises(Exception, match="no rows, and no schema"):
        tusk.ray.write_lance(none, tmp_path / "none")
    tusk.ray.write_lance(none, tmp_path / "none", schema=table.schema)
    assert tusk.dataset(tmp_path / "none").count_rows() == 0
    with pytest.raises(ValueError, match="mode"):
        tusk.ray.write_lance(none, tmp_path / "none", mode="merge")
    with pytest.raises(Exception, match="rows to write have the columns other, and not"):
        tusk.ray.write_lance(
            ray.data.from_items([{"other": 1}]), tmp_path / "none", mode="append"
        )
    assert tusk.dataset(tmp_path / "none").version == 1
