"""Rows that a merge writes are made in pieces of bounded bytes, however wide they are."""

import json
import subprocess
import sys

import pytest

# Merges 300 MB of rows of 60 KB, in a process of its own, and tells by how many MB its memory grew.
MEASURE = """
import json, sys
import numpy as np
import pyarrow as pa
import tusk

ROWS, BYTES = 5000, 60_000
SCHEMA = pa.schema({"id": pa.int64(), "wide": pa.large_binary(), "n": pa.int64()})
FAST = {"durable": "false"}

def rows(seed):
    random = np.random.default_rng(seed)
    for first in range(0, ROWS, 100):
        values = [random.bytes(BYTES) for _ in range(100)]
        yield pa.record_batch([range(first, first + 100), values, [seed] * 100], schema=SCHEMA)

def peak(name):
    with open("/proc/self/status") as file:
        return int(next(line for line in file if line.startswith(name)).split()[1]) // 1024

uri = sys.argv[1]
table = tusk.write_dataset(rows(0), uri, schema=SCHEMA, storage_options=FAST)
merge = table.merge_insert("id").when_matched_update_all()
with open("/proc/self/clear_refs", "w") as file:
    file.write("5")
before = peak("VmRSS")
merge.execute(SOURCE)
print(json.dumps({"grown": peak("VmHWM") - before}))
assert tusk.dataset(uri).take([7, 4999], ["id", "n"]).to_pylist() == [
    {"id": 7, "n": 1}, {"id": 4999, "n": 1}]
"""
SOURCES = {
    "wide rows of the source": "pa.RecordBatchReader.from_batches(SCHEMA, rows(1))",
    "wide rows of the target": 'pa.table({"id": range(ROWS), "n": [1] * ROWS})',
}


@pytest.mark.parametrize("source", SOURCES)
def test_memory_is_bounded_by_bytes(tmp_path, source):
    program = MEASURE.replace("SOURCE", SOURCES[source])
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "t")],
        stdout=subprocess.PIPE,
        check=True,
        text=True,
        timeout=120,
    )
    # All rows at once were 500 MB and more.
    assert json.loads(done.stdout)["grown"] < 400
