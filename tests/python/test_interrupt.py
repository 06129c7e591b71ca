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
WRITE_STREAM = """
class Stream:
    def __arrow_c_stream__(self, requested_schema=None):
        return reader.__arrow_c_stream__(requested_schema)
try:
    tusk.write_dataset(Stream(), sys.argv[1])
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""
# Ends a file every few batches, so that whole files are there when the signal comes.
WRITE_MANY_FILES = """
try:
    tusk.write_dataset(reader, sys.argv[1], max_rows_per_file=3)
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""
# The signal comes while the source's own code runs.
WRITE_FROM_SLOW_GENERATOR = """
import time
def slowly():
    for b in reader:
        time.sleep(0.01)
        yield b
try:
    tusk.write_dataset(slowly(), sys.argv[1], schema=batch.schema, max_rows_per_file=3)
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""
WRITE_FILE = """
from tusk.file import LanceFileWriter
try:
    with LanceFileWriter(sys.argv[1] + "/f.lance") as writer:
        writer.write_batch(reader)
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
    "write",
    [
        WRITE,
        WRITE_STREAM,
        WRITE_MANY_FILES,
        WRITE_FROM_GENERATOR,
        WRITE_FROM_SLOW_GENERATOR,
        WRITE_FILE,
        OWN_HANDLER,
    ],
    ids=["reader", "stream", "many files", "generator", "slow generator", "file", "handler"],
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
    assert files_below(tmp_path / "t") == []


def files_below(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, LookupError])
@pytest.mark.parametrize("as_reader", [False, True], ids=["generator", "reader"])
def test_what_a_source_raises_leaves_the_table_as_it_was(error, as_reader, tmp_path):
    import pyarrow as pa

    import tusk

    batch = pa.record_batch({"a": [1, 2, 3]})

    def batches():
        for _ in range(5):
            yield batch
        raise error("enough")

    uri = tmp_path / "t"
    for mode in ("create", "append", "overwrite"):
        data = batches()
        if as_reader:
            data = pa.RecordBatchReader.from_batches(batch.schema, data)
        before = files_below(uri)
        with pytest.raises(error, match="enough"):
            tusk.write_dataset(data, uri, schema=batch.schema, mode=mode, max_rows_per_file=4)
        assert files_below(uri) == before
        tusk.write_dataset(batch, uri, mode="append")
    assert tusk.dataset(uri).version == 3
    assert tusk.dataset(uri).count_rows() == 9


def test_an_error_of_the_write_is_told_though_the_source_could_go_on(tmp_path):
    import pyarrow as pa

    import tusk

    schema = pa.schema([pa.field("a", pa.int64(), nullable=False)])

    def batches():
        for value in (1, None, 3):
            yield pa.record_batch([pa.array([value], pa.int64())], schema=schema)

    with pytest.raises(ValueError, match="'a' must not be null"):
        tusk.write_dataset(batches(), tmp_path / "t", schema=schema)
    assert files_below(tmp_path / "t") == []
