"""Writes the seeds of the fuzzer of manifests: manifest messages of tables that pylance 14.0.2 made.

    make_seeds.py      into the folder manifest/ beside this file

A seed is never changed once it is there: names of files are random.
"""

import pathlib
import struct
import tempfile

import lance
import pyarrow as pa

HERE = pathlib.Path(__file__).parent


def message_of(folder):
    """The manifest message of the latest version: docs/format/lance_table.md, "Manifest"."""
    file = min(pathlib.Path(folder, "_versions").glob("*.manifest")).read_bytes()
    (position,) = struct.unpack("<Q", file[-16:-8])
    (length,) = struct.unpack("<I", file[position : position + 4])
    return file[position + 4 : position + 4 + length]


def rows(begin, count):
    return pa.table({"id": range(begin, begin + count), "name": ["x"] * count})


def plain(path):
    lance.write_dataset(rows(0, 10), path)


def many_fragments(path):
    for i in range(40):
        lance.write_dataset(rows(10 * i, 10), path, mode="append")


def deletions(path):
    table = lance.write_dataset(rows(0, 100), path, max_rows_per_file=20)
    table.delete("id % 7 = 0")
    table.delete("id < 40 and id % 2 = 0")


def stable_row_ids(path):
    lance.write_dataset(rows(0, 100), path, max_rows_per_file=20, enable_stable_row_ids=True)
    table = lance.write_dataset(rows(100, 10), path, mode="append")
    table.update({"name": "'y'"}, where="id % 9 = 0")


def several_files(path):
    table = lance.write_dataset(rows(0, 60), path, max_rows_per_file=20)
    table.add_columns({"double": "id * 2"})
    table.alter_columns({"path": "id", "data_type": pa.int32()})
    table.drop_columns(["name"])


def config(path):
    table = lance.write_dataset(rows(0, 5), path)
    table.update_config({"owner": "curator"})
    table.update_metadata({"about": "a table"})
    table.replace_field_metadata("id", {"unit": "m"})


def shallow_clone(path):
    with tempfile.TemporaryDirectory() as other:
        source = lance.write_dataset(rows(0, 30), other + "/t", max_rows_per_file=10)
        source.tags.create("first", 1)
        source.shallow_clone(path, "first")


def main():
    (HERE / "manifest").mkdir(exist_ok=True)
    makers = (plain, many_fragments, deletions, stable_row_ids, several_files, config)
    for make in (*makers, shallow_clone):
        with tempfile.TemporaryDirectory() as folder:
            make(folder + "/t")
            (HERE / "manifest" / make.__name__).write_bytes(message_of(folder + "/t"))


if __name__ == "__main__":
    main()
