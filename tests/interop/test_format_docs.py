"""The pages in docs/format are true: their bytes are what pylance writes, and a decoder written
from them alone reads pylance's files."""

import pathlib
import re

import lance
import pyarrow as pa
import pytest
from format_decoder import File, read, union
from lance.file import LanceFileWriter

DOCS = pathlib.Path(__file__).parents[2] / "docs" / "format"


def write(path, array, version, metadata=None):
    field = pa.field("x", array.type, metadata=metadata)
    table = pa.table([array], schema=pa.schema([field]))
    with LanceFileWriter(str(path), table.schema, version=version) as writer:
        writer.write_batch(table)
    return path.read_bytes()


FULL_ZIP = {"lance-encoding:structural-encoding": "fullzip"}
BLOB = {"lance-encoding:blob": "true"}
PACKED = {"lance-encoding:packed": "true"}
PACKED_TEXTS = pa.struct([pa.field("a", pa.int32(), False), pa.field("b", pa.string(), False)])
PACKED_NUMBERS = pa.struct([pa.field("a", pa.int32(), False), pa.field("b", pa.float64(), False)])
INTS = pa.list_(pa.int32())
LISTS = [[1, 2], None, [], [3]]

# What the blocks of bytes in the pages were made of.
EXAMPLES = {
    "lists": (pa.array(LISTS, pa.list_(pa.int64())), None),
    "nested": (
        pa.array([[[1, None], [], None], None, [], [[2]]], pa.list_(pa.list_(pa.int64()))),
        None,
    ),
    "structs": (
        pa.array(
            [{"a": 7, "b": "x"}, None, {"a": None, "b": "yz"}],
            pa.struct([("a", pa.int32()), ("b", pa.string())]),
        ),
        None,
    ),
    "long_lists": (
        pa.array([list(range(3000)), [1], list(range(5000)), [], None, [7]], INTS),
        None,
    ),
    "colors": (pa.array(["red", "green", "blue", None] * 40), None),
    "few_colors": (pa.array(["red", "green", None, "blue"] * 40), None),
    "texts": (pa.array([b"a" * 10, None, b"", b"bcd"]), FULL_ZIP),
    "few_texts": (pa.array(["ab", None, "", "cde"]), None),
    "text_lists": (pa.array([[b"abab", None], [], None, [b"cde"]]), FULL_ZIP),
    "same": (pa.array(["same", None, "same"]), None),
    "no_values": (pa.array([None, [], None], INTS), None),
    "vectors": (pa.array([[1, 2], None, [None, 4]], pa.list_(pa.float32(), 2)), None),
    "packed": (pa.array([i % 8 for i in range(1024)], pa.uint32()), None),
    "runs": (pa.array([5, 9, 2] + [1] * 10, pa.uint8()), None),
    "long_text": (pa.array(["z" * 40000 + str(i) for i in range(3)]), None),
    "packed_texts": (
        pa.array([{"a": 1, "b": "xy"}, {"a": 5, "b": ""}, {"a": 3, "b": "z"}], PACKED_TEXTS),
        PACKED,
    ),
    "empty_lists": (pa.array([[1], *[[]] * 3000, [2, 3]], INTS), None),
    "blobs": (pa.array([b"abc", None, b"", b"x" * 70], pa.large_binary()), BLOB),
}


def table_file(folder, name):
    """The data file of a table, for types that the writer of files does not take."""
    if name == "json":
        texts = ['{"a": [1, null], "b": "x"}', "3.5", None]
        table = pa.table({"x": pa.array(texts, pa.json_())})
    else:
        blobs = lance.blob_array([b"abc", None, b"", b"q" * 100_000])
        table = pa.table([blobs], schema=pa.schema([lance.blob_field("x")]))
    lance.write_dataset(table, str(folder / name))
    (path,) = (folder / name / "data").glob("*.lance")
    return path.read_bytes()


BLOCK = re.compile(
    r"^```bytes (\w+) (\S+) (\w+)(?: column (\d+))?(?: first (\d+))?\n(.*?)^```", re.M | re.S
)


def blocks():
    for page in sorted(DOCS.glob("lance_*.md")):
        for name, version, buffer, column, first, text in BLOCK.findall(page.read_text()):
            where = f"{page.name}: {name} {version} {buffer}"
            yield pytest.param(name, version, buffer, column, first, text, id=where)


@pytest.mark.parametrize(("name", "version", "buffer", "column", "first", "text"), list(blocks()))
def test_bytes_in_the_pages_are_those_of_pylance(
    tmp_path, name, version, buffer, column, first, text
):
    shown = b""
    for line in text.splitlines():
        shown += bytes.fromhex(line.split("  ")[0])
    if name in EXAMPLES:
        array, metadata = EXAMPLES[name]
        data = write(tmp_path / "x.lance", array, version, metadata)
    else:
        data = table_file(tmp_path, name)
    if buffer == "footer":
        written = data[-40:]
    else:
        ((_, buffers, _, _),) = File(data).pages(int(column or 0))
        written = buffers[int(buffer)]
    if first:
        assert len(shown) == int(first) < len(written)
        written = written[: int(first)]
    assert shown == written


def test_the_pages_have_blocks_of_bytes():
    assert len(list(blocks())) >= 30


WIDE = [b"w" * 300, None, b"", b"v" * 1000] * 20
COLUMNS = {
    "flat": pa.array([(i * 0x9E3779B97F4A7C15) % 2**63 for i in range(3000)], pa.int64()),
    "bitpacked": pa.array(range(5000), pa.int64()),
    "bitpacked8": pa.array([i % 5 * (i // 3 % 4) for i in range(3000)], pa.uint8()),
    "bitpacked16": pa.array([i * 7 % 500 for i in range(3000)], pa.uint16()),
    "nulls": pa.array([None if i % 7 == 0 else i * 3 for i in range(4000)], pa.int64()),
    "all null": pa.array([None] * 10, pa.int64()),
    "constant": pa.array([42] * 3000, pa.int64()),
    "constant or null": pa.array([42, None] * 1500, pa.int64()),
    "bool": pa.array([i % 3 == 0 for i in range(3000)]),
    "bool or null": pa.array([None, True, False] * 1000),
    "runs": pa.array([i // 300 for i in range(6000)], pa.int32()),
    "fsst": pa.array([f"hello wonderful world {i}" for i in range(2000)]),
    "dictionary": pa.array(["red", "green", None, "blue"] * 500),
    "dictionary of numbers": pa.array([1, 2**60, -5] * 500, pa.int64()),
    "arrow dictionary": pa.array(["a", "b", None] * 100).dictionary_encode(),
    "narrow dictionary": pa.DictionaryArray.from_arrays(
        pa.array([0, 1, None], pa.int8()), ["a", "b"]
    ),
    "variable": pa.array(["a", None, "", "äö"] * 20),
    "large variable": pa.array([b"ab", None, b""], pa.large_binary()),
    "full-zip": pa.array(WIDE),
    "full-zip fsst": pa.array(["hello wonderful world " * 15 + str(i) for i in range(300)]),
    "full-zip zstd": pa.array(["z" * 40000 + str(i) for i in range(3)]),
    "lists": pa.array(LISTS * 1000, pa.list_(pa.int64())),
    "long lists": EXAMPLES["long_lists"][0],
    "empty lists": EXAMPLES["empty_lists"][0],
    "no values": EXAMPLES["no_values"][0],
    "constant lists": pa.array([["x"], None, ["x", "x"], []]),
    "lists of lists": pa.array([[[1, None], [], None], None, [], [[2]]] * 300, pa.list_(INTS)),
    "lists of texts, full-zip": pa.array([WIDE[:3], None, [], [b"x"]] * 5),
    "structs": pa.array([{"a": 7, "b": "x"}, None, {"a": None, "b": "yz"}] * 50),
    "structs above lists": pa.array(
        [{"l": [1, None]}, None, {"l": None}, {"l": []}, {"l": [2]}], pa.struct([("l", INTS)])
    ),
    "lists of structs": pa.array([[{"a": 1, "b": [2]}, None], None, [], [{"a": None, "b": None}]]),
    "vectors": pa.array([[1.5, 2], None, [None, 4]] * 50, pa.list_(pa.float32(), 2)),
    "vectors, full-zip": pa.array(
        [[1.5] * 64, None, [None] + [4] * 63], pa.list_(pa.float32(), 64)
    ),
    "vectors of nulls": pa.array([[None] * 64, None, [None] * 64], pa.list_(pa.float32(), 64)),
    "lists of vectors": pa.array(
        [[[1.5, 2], None], None, [], [[3, 4]]], pa.list_(pa.list_(pa.float32(), 2))
    ),
    "vectors of bools": pa.array([[True, False, None], None] * 9, pa.list_(pa.bool_(), 3)),
    "vectors of vectors": pa.array(
        [[[1, 2], None], None, [[None, 3], [4, 5]]], pa.list_(pa.list_(pa.float32(), 2), 2)
    ),
}
HINTED = {
    "zstd": (
        pa.array([i % 97 * 3 for i in range(3000)], pa.int64()),
        {"lance-encoding:compression": "zstd"},
    ),
    "lz4 streams": (
        pa.array([i % 97 * 1.5 for i in range(3000)], pa.float32()),
        {"lance-encoding:compression": "lz4", "lance-encoding:bss": "on"},
    ),
    "bool, full-zip": (pa.array([True, False, None] * 7), FULL_ZIP),
    "vectors of bools, full-zip": (
        pa.array([[True, False] * 8, [True] * 16] * 3, pa.list_(pa.bool_(), 16)),
        FULL_ZIP,
    ),
    "vectors of vectors, full-zip": (COLUMNS["vectors of vectors"], FULL_ZIP),
    "packed structs": (
        pa.array([{"a": 1, "b": 2.5}, None, {"a": 5, "b": 4}], PACKED_NUMBERS),
        PACKED,
    ),
    "blobs": EXAMPLES["blobs"],
}
ONLY_22 = {
    "packed texts": (
        pa.array([{"a": 1, "b": "xy"}, None, {"a": 3, "b": ""}], PACKED_TEXTS),
        PACKED,
    ),
    "fixed-size lists of structs": (
        pa.array(
            [[{"a": 1}, {"a": None}], None, [None, {"a": 4}]],
            pa.list_(pa.struct([("a", pa.int32())]), 2),
        ),
        None,
    ),
}
CASES = [
    pytest.param(array, metadata, version, id=f"{name} {version}")
    for version in ("2.1", "2.2")
    for name, (array, metadata) in {
        **{name: (array, None) for name, array in COLUMNS.items()},
        **HINTED,
        **(ONLY_22 if version == "2.2" else {}),
    }.items()
]


@pytest.mark.parametrize(("array", "metadata", "version"), CASES)
def test_a_decoder_made_from_the_pages_reads_what_pylance_writes(
    tmp_path, array, metadata, version
):
    data = write(tmp_path / "x.lance", array, version, metadata)
    assert read(data) == {"x": array.to_pylist()}


def test_every_layout_and_encoding_of_the_pages_was_read(tmp_path):
    """Else a page could lie about one that pylance did not choose."""
    layouts, encodings = set(), set()

    def note(text):
        kind, message = union(text)
        encodings.add(kind)
        inner = {2: [1], 4: [3], 6: [2], 8: [1, 2], 9: [1], 10: [3], 11: [2], 12: [2]}
        for number in inner.get(kind, []):
            note(message.get(number))

    for case in CASES:
        array, metadata, version = case.values
        file = File(write(tmp_path / "x.lance", array, version, metadata))
        for column in range(len(file.columns)):
            for _, _, _, text in file.pages(column):
                kind, message = union(text)
                layouts.add(kind)
                for number in {1: (1, 2, 3, 4), 3: (7,)}.get(kind, ()):
                    if number in message:
                        note(message.get(number))
    assert layouts == {1, 2, 3, 4}
    assert encodings == set(range(1, 14)) - {7}  # 7: pylance describes dictionaries otherwise
