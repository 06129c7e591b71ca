"""Writes the seeds of the fuzzer of blobs into the folder blob/ beside this file.

A seed is what CheckBlobDescriptor (src/tusk/lance/table/blob_laws.cc) takes apart: flags (1: of
version 2, 2: null, 4: an address follows), kind, position, size, blob_id, the sizes of the data
file and of the file beside it, the address if there is one, and the URI.
"""

import pathlib
import struct

SEEDS = {
    "inline": (1, 0, 64, 30, 0, 100, 0, b""),
    "packed": (1, 1, 10, 20, 1, 0, 50, b""),
    "dedicated": (1, 2, 0, 50, 1, 0, 50, b""),
    "external": (1, 3, 5, 5, 7, 0, 0, b"folder/object"),
    "managed": (1, 4, 0, 1, 0, 0, 0, b"object"),
    "null": (3, 0, 0, 0, 0, 10, 10, b""),
    "version_1": (0, 0, 64, 30, 0, 100, 0, b""),
    "version_1_null": (0, 0, 1 << 16, 0, 0, 100, 0, b""),
    "other_row": (5, 0, 0, 1, 0, 10, 10, struct.pack("<Q", 1 << 32)),
    "too_long": (1, 1, 40, 20, 1, 0, 50, b""),
    "wraps": (1, 1, 2**64 - 1, 2, 1, 0, 50, b""),
    "traversal": (1, 3, 0, 0, 7, 0, 0, b"../object"),
}


def main():
    folder = pathlib.Path(__file__).parent / "blob"
    folder.mkdir(exist_ok=True)
    for name, (*numbers, rest) in SEEDS.items():
        (folder / name).write_bytes(struct.pack("<BBQQIHH", *numbers) + rest)


if __name__ == "__main__":
    main()
