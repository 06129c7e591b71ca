"""Files of data version 2.0 with encodings that older writers used and pylance 14 only reads.

Container and schema are those of a file by pylance; the pages are made here.
"""

import pathlib
import struct
import tempfile

import pyarrow as pa
from lance.file import LanceFileReader, LanceFileWriter

ALIGNMENT = 64


def varint(value):
    out = b""
    while value >= 128:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def message(*fields):
    """The protobuf message of these (number, value); integers of 0 are left out, as on the wire."""
    out = b""
    for number, value in fields:
        if isinstance(value, bytes):
            out += varint(number << 3 | 2) + varint(len(value)) + value
        elif value:
            out += varint(number << 3) + varint(value)
    return out


def buffer(index):
    return message((1, index))


def flat(bits, index):
    return message((1, message((1, bits), (2, buffer(index)))))


def no_nulls(values):
    return message((2, message((1, message((1, values))))))


def some_nulls(validity, values):
    return message((2, message((2, message((1, validity), (2, values))))))


def bitpacked(bits, value_bits, index, is_signed):
    return message((10, message((1, bits), (2, value_bits), (3, buffer(index)), (4, is_signed))))


def bitpacked_for_non_neg(bits, value_bits, index):
    return message((12, message((1, bits), (2, value_bits), (3, buffer(index)))))


def fixed_size_binary(width, bytes_):
    return message((11, message((1, bytes_), (2, width))))


def pack(values, bits):
    """One after the other, lowest bits first."""
    word = sum((value & (1 << bits) - 1) << i * bits for i, value in enumerate(values))
    return word.to_bytes((len(values) * bits + 7) // 8, "little")


def pack_block(values, bits, value_bits):
    """1,024 values in the order of FastLanes, zeros behind the last."""
    values = values + [0] * (1024 - len(values))
    lanes = 1024 // value_bits
    words = []
    for lane in range(lanes):
        rows = [values[(0, 4, 2, 6, 1, 5, 3, 7)[row // 8] * 16 + row % 8 * 128 + lane] for row in range(value_bits)]
        packed = pack(rows, bits)
        width = value_bits // 8
        words.append([packed[i : i + width] for i in range(0, len(packed), width)])
    return b"".join(words[lane][word] for word in range(bits) for lane in range(lanes))


def assemble(descriptor, num_rows, encoding, buffers):
    """The file of one column of one page."""
    file, places = b"", []
    for content in buffers:
        places.append(len(file))
        file += content + b"H" * (-len(content) % ALIGNMENT)
    any_encoding = message((1, b"/lance.encodings.ArrayEncoding"), (2, encoding))
    page = message(
        (1, b"".join(map(varint, places))),
        (2, b"".join(varint(len(content)) for content in buffers)),
        (3, num_rows),
        (4, message((2, message((1, any_encoding))))),
    )
    values = message((1, b"/lance.encodings.ColumnEncoding"), (2, message((1, b""))))
    column = message((1, message((2, message((1, values))))), (2, page))
    descriptor_at, column_at = len(file), len(file) + len(descriptor)
    file += descriptor + column
    tables = len(file)
    file += struct.pack("<QQQQ", column_at, len(column), descriptor_at, len(descriptor))
    return file + struct.pack("<QQQIIHH", column_at, tables, tables + 16, 1, 1, 0, 3) + b"LANC"


def pages():
    """Name, values, encoding and buffers."""
    signed = [i % 13 - 6 for i in range(40)]
    yield "int32_bitpacked", pa.array(signed, pa.int32()), no_nulls(bitpacked(4, 32, 0, True)), [pack(signed, 4)]
    unsigned = [i * i % 1000 for i in range(40)]
    yield "uint64_bitpacked_nulls", pa.array(
        [value if i % 5 else None for i, value in enumerate(unsigned)], pa.uint64()
    ), some_nulls(flat(1, 0), bitpacked(10, 64, 1, False)), [pack([i % 5 > 0 for i in range(40)], 1), pack(unsigned, 10)]
    small = [i % 7 for i in range(1100)]
    yield "uint16_bitpacked_blocks", pa.array(small, pa.uint16()), no_nulls(bitpacked_for_non_neg(3, 16, 0)), [
        pack_block(small[:1024], 3, 16) + pack_block(small[1024:], 3, 16)
    ]
    texts = [f"{i:03}" for i in range(20)]
    yield "text_fixed_size", pa.array(texts), fixed_size_binary(3, flat(8, 0)), ["".join(texts).encode()]


def files():
    """Name and bytes of each file; pylance reads from it what was meant."""
    path = pathlib.Path(tempfile.mkdtemp()) / "x.lance"
    for name, values, encoding, buffers in pages():
        table = pa.table({"x": values})
        with LanceFileWriter(str(path), table.schema, version="2.0") as writer:
            writer.write_batch(table)
        written = path.read_bytes()
        (global_buffers,) = struct.unpack_from("<Q", written, len(written) - 24)
        at, size = struct.unpack_from("<QQ", written, global_buffers)
        file = assemble(written[at : at + size], len(values), encoding, buffers)
        path.write_bytes(file)
        read = LanceFileReader(str(path)).read_all().to_table()
        assert read["x"].combine_chunks().equals(values), (name, read)
        yield name, file
