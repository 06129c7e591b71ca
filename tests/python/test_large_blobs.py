"""Values of gigabytes, in little memory: `make test-large`."""

import datetime
import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(
    "TUSK_TEST_LARGE" not in os.environ, reason="needs 10 GB of disk: make test-large"
)

SIZE = 3 << 30

# Each step is a process of its own, so that its peak is its own.
PREAMBLE = """
import resource, sys
import pyarrow as pa
import tusk

folder, size = sys.argv[1], int(sys.argv[2])
uri = folder + "/table"

def blobs(*values):
    return pa.table([tusk.blob_array(list(values))], schema=pa.schema([tusk.blob_field("b")]))

def check():
    table = tusk.dataset(uri)
    file, small = table.take_blobs("b", indices=[0, 1])
    assert (file.size(), small.read()) == (size, b"small")
    places = [0, (1 << 31) - 2, (1 << 32) - 2 if size > 1 << 32 else size - 4]
    assert file.read_ranges([(place, 4) for place in places]) == [b"mark"] * 3
    assert sum(len(part) for part in iter(lambda: file.read(8 << 20), b"")) == size

def step():
{step}

step()
check()
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
assert peak < 400_000, f"{{peak}} KiB"
"""


def run(folder, step):
    lines = "\n".join("    " + line for line in step.strip().splitlines())
    program = PREAMBLE.format(step=lines)
    subprocess.run([sys.executable, "-c", program, str(folder), str(SIZE)], check=True)


def test_a_value_of_gigabytes_is_copied_in_little_memory(tmp_path):
    source = tmp_path / "source.bin"
    with open(source, "wb") as file:
        for at in (0, (1 << 31) - 2, SIZE - 4):
            file.seek(at)
            file.write(b"mark")
    run(
        tmp_path,
        """
rows = blobs("file://" + folder + "/source.bin", b"small")
tusk.write_dataset(rows, uri, external_blob_mode="ingest", storage_options={"durable": "false"})
""",
    )
    source.unlink()
    run(tmp_path, 'tusk.write_dataset(blobs(b"next"), uri, mode="append")')
    run(tmp_path, "assert tusk.dataset(uri).optimize.compact_files().fragments_removed == 2")
    import tusk

    table = tusk.dataset(tmp_path / "table")
    table.cleanup_old_versions(datetime.timedelta(0), delete_unverified=True)
    large = [path for path in (tmp_path / "table").glob("data/*/*.blob")]
    assert [path.stat().st_size for path in large] == [SIZE]
    run(tmp_path, "pass")
