"""Makes the seeds of the fuzzer of moved rows: what pylance keeps of compactions.

    python make_moved_rows.py FOLDER
"""

import pathlib
import sys
import tempfile

import lance
import pyarrow as pa

TYPE = b"/lance.table.FragmentReuseIndexDetails"


def take_field(data):
    """The bytes of a field with a length, and what is behind it."""
    length, shift, at = 0, 0, 1
    while True:
        length |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if not data[at - 1] & 0x80:
            return data[at : at + length], data[at + length :]


def content_of(path):
    """What the newest version of a table says of moved rows."""
    manifest = min(pathlib.Path(path, "_versions").glob("*.manifest")).read_bytes()
    details, _ = take_field(manifest[manifest.index(TYPE) + len(TYPE) :])
    return take_field(details)[0]


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as path:
        data = pa.table({"id": pa.array(range(400), pa.int64())})
        lance.write_dataset(data, path, mode="overwrite", max_rows_per_file=50)
        lance.dataset(path).create_scalar_index("id", "BTREE")
        for number, target in enumerate([100, 150, 500]):
            lance.dataset(path).delete(f"id % 13 = {number}")
            lance.dataset(path).optimize.compact_files(
                defer_index_remap=True, target_rows_per_fragment=target
            )
            (folder / f"compactions_{number + 1}").write_bytes(content_of(path))


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
