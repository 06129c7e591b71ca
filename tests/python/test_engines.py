"""DuckDB and Polars hand columns and filters down to a table, which reads no more than these."""

import threading
import time

import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pytest

import tusk

ROWS = 20_000


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """A narrow column, which ascends, and a wide one of 4 MB that does not compress."""
    noise = np.random.default_rng(0).bytes(ROWS * 200)
    wide = [noise[i * 200 : (i + 1) * 200] for i in range(ROWS)]
    data = pa.table({"id": range(ROWS), "group": [i % 7 for i in range(ROWS)], "wide": wide})
    return tusk.write_dataset(data, tmp_path_factory.mktemp("engines") / "t")


def bytes_of(table, ask):
    """What `ask` gives, and the bytes that it has read from the table's files."""
    fresh = tusk.dataset(table.uri)
    result = ask(fresh)
    return result, fresh.io_stats_snapshot().read_bytes


def duck(sql):
    def ask(things):
        connection = duckdb.connect()
        connection.register("things", things)
        return connection.execute(sql).fetchall()

    return ask


def test_duckdb_hands_columns_and_filters_down(table):
    connection = duckdb.connect()
    connection.register("things", table)
    sql = "SELECT sum(id) FROM things WHERE \"group\" = 3 AND id > 100"
    plan = connection.execute("EXPLAIN " + sql).fetchall()[0][1]
    scan = plan[plan.index("ARROW_SCAN") :] if "ARROW_SCAN" in plan else plan
    assert "Filters" in scan and "Projections" in scan, plan
    # No operator above the scan filters again.
    assert "│           FILTER" not in plan, plan
    wanted = sum(i for i in range(101, ROWS) if i % 7 == 3)
    rows, read = bytes_of(table, duck(sql))
    assert rows == [(wanted,)]
    assert read < 500_000


@pytest.mark.parametrize(
    ("sql", "most"),
    [
        ("SELECT count(*) FROM things", 100_000),
        ("SELECT id FROM things WHERE id IN (5, 7)", 400_000),
        ("SELECT octet_length(wide) FROM things WHERE id = 12345", 400_000),
        ("SELECT id FROM things WHERE id BETWEEN 5 AND 7 OR id = 100", 400_000),
    ],
)
def test_duckdb_reads_what_it_needs(table, sql, most):
    rows, read = bytes_of(table, duck(sql))
    in_memory = duckdb.connect()
    in_memory.register("things", table.to_table())
    assert rows == in_memory.execute(sql).fetchall()
    assert read < most
    assert bytes_of(table, lambda things: things.to_table())[1] > 4_000_000


def test_polars_hands_columns_and_filters_down(table):
    def ask(things):
        frame = pl.scan_pyarrow_dataset(things)
        chosen = frame.filter((pl.col("group") == 3) & (pl.col("id") > 100)).select("id")
        assert "FILTER" not in chosen.explain().split("PYTHON SCAN")[0]
        return chosen.collect()["id"].to_list()

    ids, read = bytes_of(table, ask)
    assert ids == [i for i in range(101, ROWS) if i % 7 == 3]
    assert read < 500_000


def test_polars_reads_a_wide_value_of_few_rows(table):
    def ask(things):
        frame = pl.scan_pyarrow_dataset(things).filter(pl.col("id") == 12345)
        return frame.select("wide").collect()["wide"].to_list()

    (value,), read = bytes_of(table, ask)
    assert value == table.take([12345])["wide"][0].as_py()
    assert read < 400_000


def test_pyarrow_expressions_are_applied_completely(table):
    found = table.to_table(
        columns=["id"], filter=(pc.field("group") == 3) & (pc.field("id") < 20)
    )
    assert found["id"].to_pylist() == [3, 10, 17]


def test_frames_and_arrays_go_out_and_in(table, tmp_path):
    few = table.to_table(columns=["id", "group"], limit=5)
    for form in (few.to_pandas(), pl.from_arrow(few), few.to_pydict(), few.to_pylist(), few):
        again = tusk.write_dataset(form, tmp_path / "again", mode="overwrite")
        assert again.to_table().to_pydict() == few.to_pydict()
    assert few["id"].to_numpy().tolist() == list(range(5))
    vectors = np.arange(12, dtype=np.float32).reshape(3, 4)
    back = tusk.write_dataset({"v": vectors}, tmp_path / "v").to_table()["v"]
    assert (back.combine_chunks().flatten().to_numpy().reshape(3, 4) == vectors).all()


def test_tensors_go_out_and_in(table, tmp_path):
    torch = pytest.importorskip("torch")
    ids = torch.from_numpy(table.to_table(columns=["id"])["id"].to_numpy())
    assert ids.sum().item() == ROWS * (ROWS - 1) // 2
    made = tusk.write_dataset({"id": ids.numpy()}, tmp_path / "t")
    assert made.count_rows() == ROWS


def test_data_sets_of_hugging_face_go_out_and_in(table, tmp_path):
    datasets = pytest.importorskip("datasets")
    few = table.to_table(columns=["id"], limit=5)
    made = tusk.write_dataset(datasets.Dataset(few), tmp_path / "t")
    assert made.to_table() == few


@pytest.mark.parametrize(
    "work",
    [
        lambda table: table.to_table(),
        lambda table: list(table.to_batches(batch_size=100)),
        lambda table: table.count_rows("`group` = 3"),
        lambda table: table.take(list(range(0, ROWS, 3))),
        lambda table: tusk.LanceFragment.create(table.uri, table.to_table()),
        lambda table: table.get_fragment(0).merge_columns({"next": "id + 1"}),
    ],
    ids=["to_table", "to_batches", "count_rows", "take", "create", "merge_columns"],
)
def test_other_threads_of_python_run_meanwhile(table, work):
    """The lock of Python is not held while the library works."""
    stop = threading.Event()
    pauses = []

    def watch():
        last = time.perf_counter()
        while not stop.is_set():
            time.sleep(0.001)
            now = time.perf_counter()
            pauses.append(now - last)
            last = now

    table = tusk.dataset(table.uri)
    watcher = threading.Thread(target=watch)
    watcher.start()
    begin = time.perf_counter()
    while time.perf_counter() - begin < 0.3:
        work(table)
    seconds = time.perf_counter() - begin
    stop.set()
    watcher.join()
    # With the lock held the watcher would wake a few times only, after each call.
    assert len(pauses) > seconds * 20
