"""What a loader reads and holds: little more than its batches, however large the table is."""

import json
import os
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest

import tusk

PICTURE_BYTES = 20_000


def pictures(rows, seed):
    data = np.random.default_rng(seed).bytes(rows * PICTURE_BYTES)
    offsets = pa.array(np.arange(rows + 1) * PICTURE_BYTES, pa.int32())
    column = pa.BinaryArray.from_buffers(
        pa.binary(), rows, [None, offsets.buffers()[1], pa.py_buffer(data)]
    )
    labels = np.random.default_rng(seed).integers(0, 1000, rows)
    return pa.record_batch({"picture": column, "label": labels, "unused": column})


def write_pictures(path, rows):
    schema = pictures(0, 0).schema
    batches = (pictures(min(500, rows - begin), begin) for begin in range(0, rows, 500))
    return tusk.write_dataset(batches, path, schema, max_rows_per_file=2000)


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """Paths of a table of 40 MB and of one of 320 MB."""
    folder = tmp_path_factory.mktemp("limits")
    return [write_pictures(folder / f"{rows}", rows).uri for rows in (1000, 8000)]


def test_a_random_batch_reads_little_more_than_its_rows(tables):
    """S1-01: less than 4 times the bytes of a row for each; other columns are not read."""
    loader = tusk.Loader(tables[1], 256, columns=["picture", "label"], read_ahead=0)
    batches = iter(loader)
    # What the first one reads of every file: 4 footers and what they point to.
    before = loader.dataset.io_stats_snapshot()
    next(batches)
    opened = loader.dataset.io_stats_snapshot()
    for _ in range(5):
        next(batches)
    read = loader.dataset.io_stats_snapshot()
    row_bytes = PICTURE_BYTES + 8
    assert (opened.read_bytes - before.read_bytes) / 256 < 4 * row_bytes
    assert (read.read_bytes - opened.read_bytes) / (5 * 256) < 1.5 * row_bytes
    # Ranges that stand near each other are one request.
    assert (read.read_iops - opened.read_iops) / (5 * 256) <= 2


MEASURE = """
import json, sys
import pyarrow as pa
import tusk

def forget_peak():
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")

def resident(name):
    with open("/proc/self/status") as file:
        return int(next(line for line in file if line.startswith(name)).split()[1]) / 1024

path, options = sys.argv[1], json.loads(sys.argv[2])
# What any reading needs.
next(iter(tusk.Loader(path, 4)))
forget_peak()
before = resident("VmRSS")
loader = tusk.Loader(path, 64, columns=["picture", "label"], seed=1, **options)
rows = 0
for epoch in range(3):
    for batch in loader:
        rows += batch.num_rows
assert rows == 3 * loader.num_rows
allocated = pa.default_memory_pool().max_memory() / (1 << 20)
print(json.dumps([allocated, resident("VmHWM") - before]))
"""


def peaks_of(path, options):
    """MiB allocated at the most by a process that read three epochs, and by which it grew."""
    # Arrow's own allocator keeps pages that threads have freed, up to some 100 MB here.
    environment = {**os.environ, "ARROW_DEFAULT_MEMORY_POOL": "system"}
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, path, json.dumps(options)],
        capture_output=True, text=True, check=False, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("options", [{}, {"filter": "label < 900"}, {"weights": "label"}])
def test_memory_does_not_depend_on_the_size_of_the_table(tables, options):
    """S1-02, S1-03: batches of 1.3 MB, of which six are held, out of 40 MB and out of 320 MB."""
    small, large = (peaks_of(path, options) for path in tables)
    # An open table keeps up to 64 MiB of what takes read twice.
    assert small[0] < 96 and large[0] < 96, (small, large)
    # glibc keeps some of what it was given back, more or less of it.
    assert small[1] < 220 and large[1] < 220, (small, large)


def test_orders_of_huge_tables_take_no_memory():
    """The order of 10 billion rows: the first batch of a rank comes at once."""
    from tusk._permutation import Permutation

    found = Permutation(10**10, 3, 0)(np.arange(10**9, 10**9 + 256))
    assert len(np.unique(found)) == 256 and found.max() > 2**32


def test_many_rows_by_number_are_read_in_few_requests(tmp_path):
    """S1-04: requests grow with the bytes, not with the rows."""
    rows = 200_000
    data = pa.table({"id": np.arange(rows), "x": np.random.default_rng(0).random(rows)})
    made = tusk.write_dataset(data, tmp_path / "t")
    wanted = np.random.default_rng(1).permutation(rows)[: rows // 2]
    made.take([0])
    before = made.io_stats_snapshot()
    found = made.take(wanted)
    read = made.io_stats_snapshot() - before
    assert np.array_equal(found["id"].to_numpy(), wanted)
    assert read.read_iops < 200
    assert read.read_bytes < 1.1 * data.nbytes
