"""Writes the seeds of the fuzzers of row ids and of deletion files: what pylance 14.0.2 writes.

    make_row_seeds.py      into the folders row_ids/ and deletion_file/ beside this file

A seed of a deletion file begins with what its manifest says (deletion_file_fuzz.cc reads it):
its kind (0: Arrow, 1: bitmap), the rows of the fragment less one, and how many are deleted.
"""

import json
import pathlib
import struct
import tempfile

import lance
import pyarrow as pa

HERE = pathlib.Path(__file__).parent

ROW_IDS = {
    "empty": [],
    "one": [7],
    "range": range(100, 200),
    "holes": [i for i in range(1000) if i % 97 != 5],
    "bitmap": [i for i in range(400) if i % 3 != 0],
    "sparse": list(range(5, 70_000, 1_001)),
    "wide": [0, 2**33, 2**34 + 1],
    "unsorted": [9, 7, 8, 70_000, 3],
    "last": [2**64 - 2],
}

DELETIONS = {
    "few": (100, "id % 7 = 0"),
    "all_but_one": (2000, "id != 5"),
    "array": (20_000, "id % 3 = 0"),
    "bits": (70_000, "id % 2 = 0"),
    "runs": (70_000, "id < 60000 and id % 1000 > 3"),
    "containers": (270_000, "id % 53 = 0"),
}


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if data[at - 1] < 0x80:
            return value, at


def fields_of(message):
    """The numbers and the values of the fields of a message of numbers and bytes."""
    at = 0
    while at < len(message):
        tag, at = varint(message, at)
        value, at = varint(message, at)
        if tag & 7 == 2:
            value, at = message[at : at + value], at + value
        yield tag >> 3, value


def sequences_of(folder):
    """The row ids and versions of the fragments of the latest version of a table."""
    file = min(pathlib.Path(folder, "_versions").glob("*.manifest")).read_bytes()
    (position,) = struct.unpack("<Q", file[-16:-8])
    (length,) = struct.unpack("<I", file[position : position + 4])
    for number, value in fields_of(file[position + 4 : position + 4 + length]):
        if number == 2:
            fragment = dict(fields_of(value))
            yield from (fragment[name] for name in (5, 7, 9) if name in fragment)


def write_row_ids(folder):
    for name, ids in ROW_IDS.items():
        meta = json.loads(lance.fragment.RowIdSequence(ids).to_inline_metadata().json())
        (folder / name).write_bytes(bytes(meta["Inline"]))
    with tempfile.TemporaryDirectory() as path:
        rows = pa.table({"id": range(1000)})
        table = lance.write_dataset(
            rows, path, max_rows_per_file=600, enable_stable_row_ids=True
        )
        table.update({"id": "id + 1"}, where="id % 9 < 2")
        table.delete("id % 7 = 0")
        table.optimize.compact_files()
        for i, sequence in enumerate(sequences_of(path)):
            (folder / f"table_{i}").write_bytes(sequence)


def write_deletions(folder):
    for name, (rows, condition) in DELETIONS.items():
        with tempfile.TemporaryDirectory() as path:
            table = lance.write_dataset(pa.table({"id": range(rows)}), path)
            table.delete(condition)
            (file,) = pathlib.Path(path, "_deletions").iterdir()
            head = struct.pack("<BII", file.suffix == ".bin", rows - 1, rows - table.count_rows())
            (folder / name).write_bytes(head + file.read_bytes())


def main():
    for name, write in (("row_ids", write_row_ids), ("deletion_file", write_deletions)):
        (HERE / name).mkdir(exist_ok=True)
        write(HERE / name)


if __name__ == "__main__":
    main()
