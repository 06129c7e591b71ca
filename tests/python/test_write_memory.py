"""Data larger than memory is written in little memory beside what its source reads ahead."""

import json
import subprocess
import sys

import pytest

# Writes `data` in a process of its own and tells by how many MB its memory grew at most. The first
# write makes what any write needs.
MEASURE = """
import json, sys
import numpy as np
import pyarrow as pa
import pyarrow.dataset as pads
import pyarrow.parquet as pq
import tusk

DIM = 256
BATCH_ROWS = 4096
BATCHES = 75  # of 4 MiB
SCHEMA = pa.schema({"id": pa.int64(), "v": pa.list_(pa.float32(), DIM)})

def batch(number):
    ids = pa.array(range(number * BATCH_ROWS, (number + 1) * BATCH_ROWS), pa.int64())
    values = np.random.default_rng(number).random(BATCH_ROWS * DIM, dtype=np.float32)
    vectors = pa.FixedSizeListArray.from_arrays(values, DIM)
    return pa.record_batch([ids, vectors], schema=SCHEMA)

def batches(count=BATCHES):
    return (batch(number) for number in range(count))

def forget_peak():
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")

def resident(name):
    with open("/proc/self/status") as file:
        return int(next(line for line in file if line.startswith(name)).split()[1]) // 1024

def parquet(folder):
    for number in range(BATCHES // 3):
        table = pa.Table.from_batches([batch(3 * number + i) for i in range(3)])
        pq.write_table(table, f"{folder}/{number:02}.parquet", row_group_size=BATCH_ROWS)

folder = sys.argv[1]
SOURCE
tusk.write_dataset(batches(2), f"{folder}/first", schema=SCHEMA)
data = make()
forget_peak()
before = resident("VmRSS")
written = WRITE
grown = resident("VmHWM") - before
print(json.dumps({"grown": grown, "rows": written.count_rows()}))
assert written.take([0, BATCHES * BATCH_ROWS - 1], ["id"])["id"].to_pylist() == [
    0, BATCHES * BATCH_ROWS - 1]
"""
SOURCES = {
    "generator": "make = batches",
    "reader": "make = lambda: pa.RecordBatchReader.from_batches(SCHEMA, batches())",
    "parquet": """
import os
os.mkdir(f"{folder}/files")
parquet(f"{folder}/files")
make = lambda: pads.dataset(f"{folder}/files")
""",
}
WRITE = 'tusk.write_dataset(data, f"{folder}/t", schema=SCHEMA, max_rows_per_file=200_000)'


@pytest.mark.parametrize("kind", SOURCES)
def test_300_megabytes_are_written_within_150(kind, tmp_path):
    program = MEASURE.replace("SOURCE", SOURCES[kind]).replace("WRITE", WRITE)
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["rows"] == 75 * 4096
    assert result["grown"] < 150, result
