"""Reads stop when nobody wants them any more, read no further ahead than they may, and go on in
forked processes; files that went away are errors that name them."""

import gc
import glob
import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pyarrow as pa
import pytest

import tusk

ROWS = 40_000
VALUE = 4000


@pytest.fixture(scope="module")
def uri(tmp_path_factory):
    """A table of four fragments, 160 MB together."""

    def batches():
        values = [np.random.default_rng(i).bytes(VALUE) for i in range(1000)]
        for first in range(0, ROWS, 1000):
            numbers = pa.array(range(first, first + 1000))
            yield pa.record_batch({"id": numbers, "b": pa.array(values)})

    path = str(tmp_path_factory.mktemp("limits") / "t")
    schema = pa.schema({"id": pa.int64(), "b": pa.binary()})
    tusk.write_dataset(batches(), path, schema=schema, max_rows_per_file=ROWS // 4)
    return path


# Reads the wide column.
WIDE = "b > X'01'"
READS = {
    "scan": f"table.to_table(filter={WIDE!r})",
    "batches": "sum(batch.num_rows for batch in table.to_batches(batch_size=10))",
    "count": f"table.count_rows({WIDE!r})",
    "take": "table.take(np.random.default_rng(0).integers(0, table.count_rows(), 100_000), ['id'])",
    "order": "numbers.to_table(order_by=['text', 'id'])",
    "nearest": "numbers.to_table(nearest={'column': 'v', 'q': [0.0] * 4})",
    "analyze": f"table.scanner(filter={WIDE!r}).analyze_plan()",
}
PROGRAM = """
import sys, time
import numpy as np
import tusk
table, numbers = tusk.dataset(sys.argv[1]), tusk.dataset(sys.argv[2])
print("ready", flush=True)
try:
    while True:
        READ
except KeyboardInterrupt:
    print("interrupted", time.time(), flush=True)
print(numbers.count_rows(), numbers.take([7], ["id"])["id"].to_pylist(), flush=True)
"""


@pytest.fixture(scope="module")
def numbers(tmp_path_factory):
    """A table that takes more than a second to be ordered by its texts in one go."""
    rows = 1_500_000
    rng = np.random.default_rng(1)
    texts = pa.array(rng.integers(0, 10**12, rows)).cast(pa.string())
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(rng.random(rows * 4, np.float32)), 4)
    path = str(tmp_path_factory.mktemp("limits") / "n")
    tusk.write_dataset(pa.table({"id": range(rows), "text": texts, "v": vectors}), path)
    return path


@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize("delay", [0.05, 0.4])
def test_control_c_stops_a_read_within_a_second(read, delay, uri, numbers):
    program = [sys.executable, "-c", PROGRAM.replace("READ", READS[read]), uri, numbers]
    with subprocess.Popen(
        program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "ready\n"
        time.sleep(delay)
        sent = time.time()
        process.send_signal(signal.SIGINT)
        try:
            out, err = process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    lines = out.splitlines()
    assert lines and lines[0].startswith("interrupted"), err
    assert float(lines[0].split()[1]) - sent < 1
    assert lines[1] == "1500000 [7]"


def bytes_read():
    """By this process, from files and their cache."""
    with open("/proc/self/io") as file:
        return int(file.readline().split()[1])


def settled():
    """What was read so far, once nothing more is."""
    before = bytes_read()
    for _ in range(100):
        time.sleep(0.1)
        now = bytes_read()
        if now - before < 100_000:
            return now
        before = now
    raise AssertionError("the reading does not end")


@pytest.mark.parametrize("how", ["batches", "reader"])
def test_a_dropped_scan_reads_no_further(how, uri):
    scanner = tusk.dataset(uri).scanner(batch_size=10)
    source = scanner.to_reader() if how == "reader" else iter(scanner.to_batches())
    next(source)
    begin = time.time()
    del source, scanner
    gc.collect()
    assert time.time() - begin < 1
    held = pa.total_allocated_bytes()
    read = bytes_read()
    time.sleep(0.5)
    assert bytes_read() - read < 100_000
    assert pa.total_allocated_bytes() <= held


def test_a_slow_reader_is_not_run_ahead_of(uri):
    base = pa.total_allocated_bytes()
    batches = tusk.dataset(uri).to_batches(batch_size=10)
    first = settled()
    next(batches)
    # A step begins at one batch.
    assert settled() - first < 40_000_000
    most = 0
    for number, batch in enumerate(batches):
        most = max(most, pa.total_allocated_bytes() - base)
        if number % 500 == 0:
            time.sleep(0.05)
    del batch, batches
    assert most < 300 << 20


def test_reads_go_on_in_forked_processes(uri):
    dataset = tusk.dataset(uri)
    dataset.count_rows("id > 5")
    batches = dataset.to_batches(columns=["id"], batch_size=10)
    next(batches)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            assert dataset.count_rows("id > 5") == ROWS - 6
            assert dataset.take([7, 5], ["id"])["id"].to_pylist() == [7, 5]
            assert dataset.to_table(["id"]).num_rows == ROWS
            with pytest.raises(ValueError, match="forked"):
                next(tusk.dataset(uri).to_batches()) and list(batches)
            status = 0
        finally:
            os._exit(status)
    for _ in range(600):
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            break
        time.sleep(0.05)
    else:
        os.kill(child, signal.SIGKILL)
        raise AssertionError("the child hangs")
    assert status == 0
    assert sum(batch.num_rows for batch in batches) == ROWS - 10


def test_threads_share_a_table_and_a_reader(uri):
    dataset = tusk.dataset(uri)
    errors = []

    def work(seed):
        rng = np.random.default_rng(seed)
        try:
            for _ in range(15):
                some = int(rng.integers(0, ROWS))
                assert dataset.count_rows(f"id < {some}") == some
                assert dataset.take([some], ["id"])["id"].to_pylist() == [some]
                assert next(dataset.to_batches(columns=["id"], batch_size=9)).num_rows == 9
                found = dataset.to_table(["id"], filter=f"id >= {some}", order_by=["id"], limit=1)
                assert found["id"].to_pylist() == [some]
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


@pytest.mark.parametrize("during", [False, True])
@pytest.mark.parametrize("size", [None, 0, 1_000_000])
def test_files_that_went_away_or_were_cut_short_are_told(size, during, uri, tmp_path):
    copy = str(tmp_path / "t")
    subprocess.run(["cp", "-r", uri, copy], check=True)
    dataset = tusk.dataset(copy)
    batches = dataset.to_batches(batch_size=10)
    if during:
        next(batches)
    last = max(glob.glob(f"{copy}/data/*"), key=os.path.getmtime)
    os.truncate(last, size) if size is not None else os.remove(last)
    with pytest.raises(OSError, match="version 1, fragment .*data/") as raised:
        list(batches)
    assert isinstance(raised.value, FileNotFoundError if size is None else ValueError)
    # The others are there.
    assert dataset.scanner(fragments=[0], columns=["id"]).to_table().num_rows <= ROWS // 4
