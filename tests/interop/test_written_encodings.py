"""The `lance-encoding:*` keys of fields: what tusk writes for each value, and which are errors."""

import lance.file
import numpy as np
import pyarrow as pa
import pytest
from generator import arrays, comparison, failure_classes, files, layouts, writing

import tusk.file

ROWS = 5000


def make(type_, values, seed=1):
    recipe = arrays.Recipe(values, "none")
    return arrays.make_array(np.random.default_rng(seed), type_, ROWS, recipe)


# Each leads to what is asked for alone if the key is honoured.
COLUMNS = {
    "texts": make(pa.string(), "ascending"),
    "random": make(pa.binary(), "any"),
    "few": make(pa.string(), "few"),
    "runs": make(pa.int32(), "runs"),
    "small": make(pa.int32(), "small"),
    "floats": make(pa.float32(), "unit"),
    "few_longs": make(pa.int64(), "few"),
    "any_longs": make(pa.int64(), "any"),
    "long": pa.array([chr(97 + i % 26) * 100_000 for i in range(20)]),
}


def written(folder, column, hints, version="2.2"):
    """The pages of a file of `column`, once both readers have read it right."""
    field, array = failure_classes.hinted(COLUMNS[column], **hints)
    table = pa.table([array], schema=pa.schema([field.with_name("c")]))
    path = folder / "file.lance"
    writing.write(path, [table], table.schema, version)
    for reader in (tusk.file.LanceFileReader, lance.file.LanceFileReader):
        read = reader(str(path)).read_all(batch_size=1 << 20).to_table()
        assert comparison.difference(comparison.plain(read["c"]), comparison.plain(array)) is None
    return layouts.describe_file(lance.file.LanceFileReader(str(path)).metadata())


NO_DICTIONARY = {"dict_divisor": "100000"}

# (column, hints, layout, what is among the codecs, what is not)
HONOURED = [
    ("small", {"structural_encoding": "miniblock"}, "mini-block", None, None),
    ("small", {"structural_encoding": "fullzip"}, "full-zip", None, None),
    ("long", {"structural_encoding": "miniblock"}, "mini-block", None, None),
    ("long", {"structural_encoding": "MiniBlock"}, "mini-block", None, None),
    ("texts", {"compression": "none"}, "mini-block", "variable", "fsst"),
    ("texts", {"compression": "fsst"}, "mini-block", "fsst", None),
    ("texts", {"compression": "lz4"}, "mini-block", "lz4", None),
    ("texts", {"compression": "zstd"}, "mini-block", "zstd", None),
    ("texts", {"compression": "ZSTD"}, "mini-block", "zstd", None),
    ("texts", {"compression": "zstd", "compression_level": "9"}, "mini-block", "zstd", None),
    ("small", {"compression": "none"}, "mini-block", "flat", "inline bitpacking"),
    ("runs", {}, "mini-block", "rle", None),
    ("runs", {"rle_threshold": "1.0"}, "mini-block", "rle", None),
    ("runs", {"rle_threshold": "0.0"}, "mini-block", None, "rle"),
    ("floats", {"compression": "lz4", "bss": "on"}, "mini-block", "byte stream split", None),
    ("floats", {"compression": "lz4", "bss": "off"}, "mini-block", None, "byte stream split"),
    ("few", {}, "dictionary", "lz4", None),
    ("few", {"dict_divisor": "100000"}, "mini-block", None, None),
    ("few", {"dict_size_ratio": "0.0001"}, "mini-block", None, None),
    ("few", {"dict_max_size": "10"}, "mini-block", None, None),
    ("few_longs", {}, "dictionary", None, None),
    ("few_longs", {"dict_size_ratio": "0.0001"}, "mini-block", None, None),
    ("any_longs", {"dict_divisor": "1", "dict_size_ratio": "1.0"}, "mini-block", None, None),
]


@pytest.mark.parametrize("version", writing.VERSIONS)
@pytest.mark.parametrize("column, hints, layout, among, missing", HONOURED)
def test_a_key_is_honoured(column, hints, layout, among, missing, version, tmp_path):
    if version == "2.1" and layout == "dictionary":
        # Dictionaries of 64-bit values, and compressed ones, came with 2.2.
        layout, among = ("mini-block" if column == "few_longs" else layout), None
    pages = written(tmp_path, column, hints, version)
    codecs = set().union(*(page.codecs for page in pages))
    assert {page.layout for page in pages} == {layout}
    assert among is None or among in codecs, codecs
    assert missing is None or missing not in codecs, codecs


@pytest.mark.parametrize("scheme, codec", [("none", None), ("lz4", "lz4"), ("zstd", "zstd")])
def test_values_of_dictionaries_are_compressed_as_asked(scheme, codec, tmp_path):
    (page,) = written(tmp_path, "few", {"dict_values_compression": scheme})
    assert page.layout == "dictionary"
    assert page.codecs & {"lz4", "zstd"} == ({codec} if codec else set())
    hints = {"dict_values_compression": scheme, "dict_values_compression_level": "3"}
    assert written(tmp_path, "few", hints) == {page}


@pytest.mark.parametrize("version", writing.VERSIONS)
def test_smaller_chunks_of_texts_are_more(version, tmp_path):
    sizes = {}
    for chunk in ("128", "1024", "16384"):
        hints = {"minichunk_size": chunk, "compression": "none", **NO_DICTIONARY}
        written(tmp_path, "texts", hints, version)
        metadata = lance.file.LanceFileReader(str(tmp_path / "file.lance")).metadata()
        # The first buffer of a mini-block page has a word for each chunk.
        sizes[chunk] = metadata.columns[0].pages[0].buffers[0].size
    assert sizes["128"] > 4 * sizes["1024"] > 16 * sizes["16384"]


BAD = {
    "compression": ["", "gzip", "lz5", "zstd:3"],
    "compression-level": ["", "high", "1.5", "23", "3 "],
    "rle-threshold": ["", "-0.1", "1.5", "nan", "half"],
    "bss": ["", "yes", "1"],
    "structural-encoding": ["", "zip", "full-zip"],
    "dict-divisor": ["", "0", "-2", "1.5", "two"],
    "dict-size-ratio": ["", "0", "0.0", "1.1", "-1", "nan"],
    "dict-max-size": ["", "-1", "8MiB"],
    "dict-values-compression": ["", "fsst", "gzip"],
    "dict-values-compression-level": ["", "best"],
    "minichunk-size": ["", "0", "-128", "4k"],
    "no-such-key": ["1"],
}


@pytest.mark.parametrize("key, value", [(key, value) for key in BAD for value in BAD[key]])
def test_a_bad_value_is_an_error_that_names_the_key(key, value, tmp_path):
    metadata = {f"lance-encoding:{key}": value}
    array = COLUMNS["texts"]
    for field, values in (
        (pa.field("c", array.type, metadata=metadata), array),
        (
            pa.field("s", pa.struct([pa.field("c", array.type, metadata=metadata)])),
            pa.StructArray.from_arrays([array], ["c"]),
        ),
    ):
        path = tmp_path / "file.lance"
        with pytest.raises(ValueError, match=f"field 'c'.*lance-encoding:{key}"):
            writing.write(path, [], pa.schema([field]), "2.2")
        assert not path.exists()


def test_the_sparse_layout_is_refused_by_name(tmp_path):
    metadata = {"lance-encoding:structural-encoding": "sparse"}
    schema = pa.schema([pa.field("c", pa.int32(), metadata=metadata)])
    with pytest.raises(NotImplementedError, match="sparse"):
        writing.write(tmp_path / "file.lance", [], schema, "2.2")


def test_every_key_of_pylance_is_known(tmp_path):
    """The keys of lance-encoding's constants.rs, and those of blobs and packed structs."""
    good = {
        "compression": "zstd",
        "compression-level": "3",
        "rle-threshold": "0.5",
        "minichunk-size": "1024",
        "dict-divisor": "2",
        "dict-size-ratio": "0.8",
        "dict-max-size": "1000000",
        "dict-values-compression": "zstd",
        "dict-values-compression-level": "3",
        "structural-encoding": "miniblock",
        "bss": "auto",
        "packed": "false",
    }
    for key, value in good.items():
        field = pa.field("c", pa.string(), metadata={f"lance-encoding:{key}": value})
        table = pa.table([COLUMNS["texts"]], schema=pa.schema([field]))
        writing.write(tmp_path / "file.lance", files.batches(table, None), table.schema, "2.2")
        assert tusk.file.LanceFileReader(tmp_path / "file.lance").num_rows() == ROWS


@pytest.mark.parametrize("value", ["true", "false"])
def test_blobs_are_large_binary_alone(value, tmp_path):
    """As in pylance, for which the key counts and not its value."""
    blob = {"lance-encoding:blob": value}
    for type_ in (
        *(pa.string(), pa.large_string(), pa.binary(), pa.int32(), pa.null(), pa.json_()),
        *(pa.list_(pa.large_binary()), pa.list_(pa.int8(), 2), pa.struct({"x": pa.int8()})),
    ):
        schema = pa.schema([pa.field("c", type_, metadata=blob)])
        with pytest.raises((ValueError, NotImplementedError), match="'c'.*blob"):
            writing.write(tmp_path / "file.lance", [], schema, "2.2")
    rows = [b"a" * 100, b"", None]
    table = pa.table([pa.array(rows, pa.large_binary())], schema=pa.schema([
        pa.field("c", pa.large_binary(), metadata=blob)
    ]))
    writing.write(tmp_path / "file.lance", [table], table.schema, "2.2")
    for reader in (tusk.file.LanceFileReader, lance.file.LanceFileReader):
        read = reader(str(tmp_path / "file.lance")).read_all().to_table()
        assert read.column("c").to_pylist() == rows
    metadata = lance.file.LanceFileReader(str(tmp_path / "file.lance")).metadata()
    assert {page.layout for page in layouts.describe_file(metadata)} == {"blob"}
