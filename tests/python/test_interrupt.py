"""Ctrl-C stops an operation that is inside the library, and leaves nothing behind."""

import signal
import subprocess
import sys
import time

import pytest

# An endless source in C alone: no Python code runs that could notice the signal.
ENDLESS_READER = """
import itertools, sys
import pyarrow as pa
import tusk
batch = pa.record_batch({"a": [1]})
reader = pa.RecordBatchReader.from_batches(batch.schema, itertools.repeat(batch))
print("ready", flush=True)
"""
WRITE = """
try:
    tusk.write_dataset(reader, sys.argv[1])
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""
WRITE_FROM_GENERATOR = """
try:
    tusk.write_dataset((b for b in reader), sys.argv[1], schema=batch.schema)
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""
# A handler of the program's own is the program's business: it runs, and nothing is stopped by us.
OWN_HANDLER = """
import signal
class Enough(Exception): pass
def handler(*_): raise Enough
signal.signal(signal.SIGINT, handler)
try:
    tusk.write_dataset((b for b in reader), sys.argv[1], schema=batch.schema)
except Enough:
    print("interrupted", flush=True)
"""
AFTERWARDS = """
assert tusk.write_dataset({"a": [1, 2]}, sys.argv[1] + "2").count_rows() == 2
print("goes on", flush=True)
"""


@pytest.mark.parametrize(
    "write", [WRITE, WRITE_FROM_GENERATOR, OWN_HANDLER], ids=["native", "generator", "handler"]
)
def test_control_c_stops_a_write(write, tmp_path):
    import tusk

    program = [sys.executable, "-c", ENDLESS_READER + write + AFTERWARDS, str(tmp_path / "t")]
    with subprocess.Popen(
        program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        try:
            out, err = process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    assert out.split("\n")[:2] == ["interrupted", "goes on"], err
    with pytest.raises(tusk.errors.NotFoundError):
        tusk.dataset(tmp_path / "t")
