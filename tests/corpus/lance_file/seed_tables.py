"""The tables of which make_seeds.py writes files: one column `x`, and what pylance makes of it.

Most files have less than 2 KiB, so that every byte of them can be changed in a test. With FSST they
have 2.3 KiB for the symbols alone, and pylance trains symbols only for 32 KiB of text.
"""

import random
import re
import zlib

import pyarrow as pa
from generator import arrays, logical_types

FULL_ZIP = {"structural_encoding": "fullzip"}
NO_DICTIONARY = {"dict_size_ratio": "0.001"}
POINT = pa.struct([("a", pa.int32()), ("b", pa.utf8())])


def hinted(name, type, nullable=True, **hints):
    metadata = {"lance-encoding:" + key.replace("_", "-"): value for key, value in hints.items()}
    return pa.field(name, type, nullable, metadata or None)


def words(count, length=12):
    return [f"{i * 7919 % 1000:03}-" + "abcdefgh"[i % 8] * (length - 4) for i in range(count)]


def column(field, values):
    array = values if isinstance(values, pa.Array) else pa.array(values, field.type)
    return pa.table([array], schema=pa.schema([field]))


def sparse(values, every=5):
    return [None if i % every == 2 else value for i, value in enumerate(values)]


def plain_tables():
    """Columns that every version has."""
    yield "int64_flat", column(hinted("x", pa.int64()), [(-1) ** i * 3**i for i in range(40)])
    yield "int32_nulls", column(hinted("x", pa.int32()), sparse([-i * i for i in range(50)]))
    yield "int32_packed", column(hinted("x", pa.int32(), False), [i % 100 for i in range(1100)])
    yield "int16_packed_nulls", column(hinted("x", pa.int16()), sparse([i % 7 for i in range(300)]))
    yield "int8_runs", column(hinted("x", pa.int8()), [i // 60 for i in range(600)])
    yield "uint64_runs_nulls", column(hinted("x", pa.uint64()), sparse([i // 90 for i in range(400)], 97))
    yield "bool_nulls", column(hinted("x", pa.bool_()), sparse([i % 3 == 0 for i in range(70)]))
    yield "double_split", column(
        hinted("x", pa.float64(), compression="lz4", bss="on"), [i / 7 for i in range(600)]
    )
    yield "float_split_zstd", column(
        hinted("x", pa.float32(), compression="zstd", bss="on"), [1 + i / 9 for i in range(1100)]
    )
    yield "int32_lz4", column(
        hinted("x", pa.int32(), compression="lz4"), [(i // 3 * 7919) % 5000 - 2500 for i in range(1500)]
    )
    yield "text", column(hinted("x", pa.utf8()), sparse(words(30, 6)))
    yield "large_text", column(hinted("x", pa.large_utf8(), False), words(20, 9))
    yield "binary", column(hinted("x", pa.binary()), sparse([bytes(range(i)) for i in range(25)]))
    yield "text_fsst", column(hinted("x", pa.utf8(), compression="fsst"), sparse(words(90, 16)))
    yield "text_dictionary", column(hinted("x", pa.utf8()), sparse([words(4, 20)[i % 4] for i in range(200)]))
    yield "text_dictionary_plain", column(
        hinted("x", pa.utf8(), dict_values_compression="none"),
        [words(5, 20)[i * i % 5] for i in range(150)],
    )
    yield "text_lz4", column(hinted("x", pa.utf8(), compression="lz4"), words(400, 14))
    yield "text_wide", column(hinted("x", pa.utf8()), sparse([w * 30 for w in words(5)], 3))
    yield "text_wide_fsst", column(
        hinted("x", pa.utf8(), compression="fsst"), [w * 25 for w in words(6)]
    )
    yield "binary_wide_zstd", column(
        hinted("x", pa.binary(), False, compression="zstd"), [b"abc" * (200 + i) for i in range(4)]
    )
    yield "decimal", column(hinted("x", pa.decimal128(20, 3)), sparse(list(range(-20, 20))))
    yield "decimal256", column(hinted("x", pa.decimal256(50, 3)), sparse(list(range(-9, 9))))
    yield "timestamp", column(hinted("x", pa.timestamp("us", "+08:00")), sparse(list(range(60))))
    yield "vectors", column(
        hinted("x", pa.list_(pa.float32(), 4)), sparse([[i, i + 1, -i, 0.5] for i in range(20)])
    )
    yield "vectors_wide", column(
        hinted("x", pa.list_(pa.float32(), 64)), sparse([[i + j / 8 for j in range(64)] for i in range(6)], 3)
    )
    yield "vectors_null_items", column(
        hinted("x", pa.list_(pa.int16(), 3)), sparse([[i, None, i] for i in range(15)])
    )
    yield "vectors_bool", column(
        hinted("x", pa.list_(pa.bool_(), 3)), sparse([[True, i % 2 == 0, False] for i in range(15)])
    )
    yield "vectors_wide_null_items", column(
        hinted("x", pa.list_(pa.int16(), 150)), [[i, None] * 75 for i in range(3)]
    )
    yield "constant", column(hinted("x", pa.int32(), False), [7] * 50)
    yield "constant_nulls", column(hinted("x", pa.int64()), sparse([70000] * 30))
    yield "constant_text", column(hinted("x", pa.utf8()), sparse(["constant"] * 20))
    yield "all_null", column(hinted("x", pa.float64()), [None] * 30)
    yield "no_rows", column(hinted("x", pa.utf8()), [])
    dictionary = pa.DictionaryArray.from_arrays(
        pa.array(sparse([i % 3 for i in range(150)]), pa.int8()), pa.array(["one", "two", "three"])
    )
    yield "arrow_dictionary", pa.table({"x": dictionary})


def nested_tables():
    lists = pa.list_(pa.int32())
    texts = pa.list_(pa.utf8())
    point = pa.struct([("a", pa.int32()), ("b", pa.utf8())])
    rows = [[1, 2, None], [], None, [4], [5, 6, 7, 8]]
    yield "list", column(hinted("x", lists), rows * 12)
    yield "list_no_nulls", column(hinted("x", lists, False), [[i, -i] for i in range(30)])
    yield "list_long", column(hinted("x", lists), [list(range(2500)), [], [3]])
    yield "list_text", column(hinted("x", texts), [["", "abc"], None, [], [None]] * 9)
    yield "list_text_wide", column(hinted("x", texts), [["abc" * 100, None], None, [], ["xyz" * 90]])
    yield "list_of_list", column(
        hinted("x", pa.list_(lists)), [[[1], [], None], None, [], [[2, None, 3]]] * 8
    )
    yield "list_of_nothing", column(hinted("x", lists), [[], None, []] * 7)
    yield "list_constant", column(hinted("x", lists), [[5, 5], [], None, [5, None]] * 6)
    yield "large_list", column(hinted("x", pa.large_list(pa.int64())), [[1, 2], None, [3]] * 7)
    yield "list_vectors_wide", column(
        hinted("x", pa.list_(pa.list_(pa.float32(), 64))), [[[i / 8] * 64] * (i % 3) for i in range(5)]
    )
    yield "list_dictionary", column(
        hinted("x", texts), [[words(3, 20)[j % 3] for j in range(i % 5)] for i in range(120)]
    )
    structs = [{"a": 1, "b": "x"}, {"a": None, "b": "y"}, {"a": 3, "b": None}]
    yield "struct", column(hinted("x", point), structs * 9)
    yield "list_struct", column(
        hinted("x", pa.list_(point)), [[structs[0], structs[2]], [], None, [structs[1]]] * 6
    )
    yield "packed", column(
        hinted("x", pa.struct([("a", pa.int32()), ("b", pa.int16())]), packed="true"),
        [{"a": i, "b": -i} for i in range(25)],
    )
    blob = pa.field("x", pa.large_binary(), metadata={"lance-encoding:blob": "true"})
    yield "blob", column(blob, [b"first" * 20, b"", None, b"second" * 10])


def newer_tables():
    """Columns that 2.2 has and older versions refuse."""
    point = pa.struct([("a", pa.int32()), ("b", pa.utf8())])
    rows = [{"a": 1, "b": "x"}, None, {"a": None, "b": "y"}, {"a": 3, "b": None}]
    yield "struct_nulls", column(hinted("x", point), rows * 7)
    yield "list_struct_nulls", column(
        hinted("x", pa.list_(point)), [rows[:3], [], None, [None], rows[3:]] * 6
    )
    yield "map", column(hinted("x", pa.map_(pa.utf8(), pa.int32())), [[("a", 1)], None, [], [("b", None), ("c", 3)]] * 6)
    yield "vectors_struct", column(
        hinted("x", pa.list_(pa.struct([("a", pa.int32())]), 2)), [[{"a": i}, {"a": None}] for i in range(9)] + [None]
    )
    required = pa.struct([pa.field("a", pa.int32(), False), pa.field("b", pa.utf8(), False)])
    yield "packed_text", column(
        hinted("x", required, packed="true"), [{"a": i, "b": "xyz" * (i % 4)} for i in range(15)]
    )
    yield "int64_dictionary", column(
        hinted("x", pa.int64()), sparse([(i * i % 3 - 1) << 50 for i in range(500)], 11)
    )


def spread(count, distinct):
    """Numbers below 2^62 of which so many differ, in turn."""
    return [(i % distinct + 1) * 0x1234567890ABCDE % (1 << 62) for i in range(count)]


def dictionary(indices, items, index_type):
    return pa.DictionaryArray.from_arrays(pa.array(indices, index_type), items)


def sized_tables():
    """Columns whose codecs or sizes differ at every version."""
    prefixed = [f"{i % 7:03}-" + "abcdefgh"[i % 8] * 20 for i in range(200)]
    yield "uint32_packed", column(hinted("x", pa.uint32(), False), [i * 7 % 100 for i in range(400)])
    yield "large_binary_zstd", column(
        hinted("x", pa.large_binary(), compression="zstd", **NO_DICTIONARY),
        sparse([text.encode() for text in prefixed[:180]], 29),
    )
    yield "text_zip_zstd", column(
        hinted("x", pa.utf8(), compression="zstd", **FULL_ZIP), ["ab" * 18000, None, "", "cd" * 9000]
    )
    yield "binary_zip_lz4", column(
        hinted("x", pa.large_binary(), False, compression="lz4", **FULL_ZIP),
        [b"ab" * 18000, b"", b"cd" * 9000],
    )
    yield "text_fsst_symbols", column(
        hinted("x", pa.utf8(), compression="fsst", **NO_DICTIONARY),
        sparse([f"{i:03}" + "abcdefgh" * 30 for i in range(140)], 31),
    )
    yield "text_dictionary_runs", column(hinted("x", pa.utf8()), [words(3, 20)[i // 50] for i in range(150)])
    yield "dictionary_int64", column(
        hinted("x", pa.dictionary(pa.int32(), pa.int64())),
        dictionary([i % 30 for i in range(150)], pa.array(range(30), pa.int64()), pa.int32()),
    )
    yield "dictionary_double", column(
        hinted("x", pa.dictionary(pa.uint8(), pa.float64())),
        dictionary(sparse([i % 3 for i in range(150)], 11), pa.array([0.5, 1.5, -1.0]), pa.uint8()),
    )
    yield "vectors_no_nulls", column(
        hinted("x", pa.list_(pa.float32(), 4), False), [[i, i / 2, -i, 0.5] for i in range(12)]
    )
    yield "vectors_of_vectors", column(
        hinted("x", pa.list_(pa.list_(pa.int16(), 2), 2)),
        sparse([[[i, None], None if i % 3 else [i, i]] for i in range(12)]),
    )
    yield "vectors_of_vectors_wide", column(
        hinted("x", pa.list_(pa.list_(pa.int16(), 50), 3)),
        sparse([[[i] * 50, None if i % 3 else [None] * 50, [2] * 50] for i in range(4)], 4),
    )
    yield "bool_zip", column(hinted("x", pa.bool_(), **FULL_ZIP), sparse([i % 3 == 0 for i in range(40)]))
    yield "int16_zip", column(hinted("x", pa.int16(), False, **FULL_ZIP), [i * i for i in range(40)])
    yield "large_text_zip", column(hinted("x", pa.large_utf8(), **FULL_ZIP), sparse(words(12, 9)))
    yield "text_chunks", column(hinted("x", pa.utf8(), minichunk_size="64"), sparse(words(40, 6)))

    item = pa.field("item", pa.utf8(), metadata={"lance-encoding:minichunk-size": "64"})
    yield "list_text_chunks", column(
        hinted("x", pa.list_(item), minichunk_size="64"),
        [words(12, 6), [], words(25, 6), None, words(2), words(3, 9)],
    )
    yield "list_bool_chunks", column(
        hinted("x", pa.list_(pa.bool_()), False), [[i % 3 == 0 for i in range(4200)], [True], [False] * 7]
    )
    yield "list_int_zip", column(
        hinted("x", pa.list_(pa.int16()), **FULL_ZIP), [[1, None], [], None, [3] * 4, [None]]
    )
    yield "list_all_null", column(hinted("x", pa.list_(pa.int32())), [[None, None], [], None, [None]])
    yield "list_of_list_struct", column(
        hinted("x", pa.list_(pa.list_(POINT))),
        [[[{"a": 1, "b": "x"}], [], None], None, [], [[{"a": 2, "b": None}, {"a": None, "b": "yz"}]]] * 3,
    )
    yield "struct_empty", column(hinted("x", pa.struct([])), [{}] * 9)
    yield "struct_vectors", column(
        hinted("x", pa.struct([("in", POINT), ("v", pa.list_(pa.float32(), 2))])),
        [{"in": {"a": i, "b": "x" * i}, "v": [i, -i]} for i in range(9)],
    )


def mini_block_tables():
    """Columns that from 2.1 on have codecs of their own, and at 2.0 would be flat."""
    yield "uint64_packed", column(hinted("x", pa.uint64()), sparse(list(range(300)), 13))
    yield "uint8_packed", column(hinted("x", pa.uint8(), False), [i * 5 % 7 for i in range(1024)])
    yield "int32_split_zstd", column(
        hinted("x", pa.int32(), compression="zstd", bss="on"),
        [(-1) ** i * (i % 4) * 70001 for i in range(1100)],
    )
    plain = {"bss": "off", **NO_DICTIONARY}
    yield "int64_zstd", column(
        hinted("x", pa.int64(), compression="zstd", **plain), [-value for value in spread(560, 7)]
    )
    yield "uint64_packed_lz4", column(
        hinted("x", pa.uint64(), compression="lz4", **plain), [value >> 22 for value in spread(1030, 7)]
    )
    yield "int64_runs_zstd", column(
        hinted("x", pa.int64(), compression="zstd", **plain), [v for v in spread(600, 3) for _ in range(3)]
    )
    yield "decimal_lz4", column(
        hinted("x", pa.decimal128(20, 3), compression="lz4", **NO_DICTIONARY), [i % 5 for i in range(600)]
    )
    few = [f"{i % 7:03}-" + "abcdefgh"[i % 8] * 20 for i in range(200)]
    for codec in ("lz4", "zstd"):
        yield f"text_few_{codec}", column(
            hinted("x", pa.utf8(), compression=codec, **NO_DICTIONARY), few
        )
        yield f"text_dictionary_split_{codec}", column(
            hinted("x", pa.utf8(), compression=codec), [words(3)[i * i % 97 % 3] for i in range(1100)]
        )
    yield "text_dictionary_zstd", column(
        hinted("x", pa.utf8(), bss="off", dict_values_compression="zstd"),
        [words(3)[i % 3] for i in range(300)],
    )
    yield "dictionary_split_zstd", column(
        hinted("x", pa.dictionary(pa.int32(), pa.utf8()), compression="zstd", bss="on"),
        dictionary([i % 3 for i in range(1100)], pa.array(words(3)), pa.int32()),
    )
    yield "dictionary_packed", column(
        hinted("x", pa.dictionary(pa.int16(), pa.uint64()), dict_values_compression="none"),
        dictionary([i % 140 for i in range(280)], pa.array(range(140), pa.uint64()), pa.int16()),
    )
    yield "binary_dictionary_runs", column(
        hinted("x", pa.binary()), [words(3, 20)[i // 50].encode() for i in range(150)]
    )
    yield "decimal_dictionary", column(
        hinted("x", pa.decimal128(30, 2)), sparse([i % 3 for i in range(150)], 11)
    )
    yield "text_zip_fsst_symbols", column(
        hinted("x", pa.utf8(), compression="fsst", **FULL_ZIP),
        [f"{i:03}" + "abcdefgh" * 400 for i in range(11)],
    )
    chosen = random.Random(1)
    yield "bool_nulls_any", column(
        hinted("x", pa.bool_()), [chosen.choice([None, True, False]) for _ in range(1100)]
    )

    def inside(value, depth):
        for _ in range(depth):
            value = [value]
        return value

    deep = pa.int8()
    for _ in range(8):
        deep = pa.list_(deep)
    ends = [inside(value, depth) for depth in range(8) for value in ([], None)]
    yield "list_deep_zip", column(
        hinted("x", deep, **FULL_ZIP), [inside(1, 8), *ends, inside([None, inside(3, 2)], 5)]
    )


def newest_tables():
    """More columns that 2.2 has and older versions refuse."""
    points = [{"a": 1, "b": "x"}, {"a": None, "b": "y"}, {"a": 3, "b": None}]
    yield "bool_constant", column(hinted("x", pa.bool_()), [True, None] * 5)
    yield "text_long_constant", column(hinted("x", pa.utf8()), ["constant" * 6] * 20)
    yield "list_text_constant", column(
        hinted("x", pa.list_(pa.utf8())), [["abc", "abc"], [], None, ["abc"]] * 6
    )
    yield "vectors_struct_text", column(
        hinted("x", pa.list_(POINT, 2)), [points[:2], [points[2], None], None] * 3
    )
    yield "struct_vectors_struct", column(
        hinted("x", pa.struct([("v", pa.list_(POINT, 2))])),
        [{"v": points[:2]}, None, {"v": None}, {"v": points[1:]}] * 3,
    )
    any_width = pa.struct([("a", pa.large_binary()), ("b", pa.int16()), ("c", pa.utf8())])
    yield "packed_nulls", column(
        hinted("x", any_width, packed="true"),
        [{"a": b"x" * i, "b": i, "c": "y"} if i % 3 else None for i in range(12)],
    )
    packed_fsst = pa.struct(
        [pa.field("a", pa.int16(), False), hinted("b", pa.utf8(), False, compression="fsst")]
    )
    yield "packed_fsst", column(
        hinted("x", packed_fsst, packed="true"), [{"a": i, "b": "xyz" * i} for i in range(12)]
    )


def paged_tables():
    """Columns to be written in pages of 6 rows."""
    yield "pages_int32", column(
        hinted("x", pa.int32()), [i * i for i in range(6)] + [None] * 6 + sparse(list(range(6)))
    )
    yield "pages_text", column(
        hinted("x", pa.utf8()), words(6, 6) + [None] * 6 + ["", None, "x", "yz", "", "a"]
    )
    yield "pages_list", column(
        hinted("x", pa.list_(pa.int32())),
        [[1, 2], [], None, [4], [5], []] + [[], None] * 3 + [[7, 8, 9]] * 6,
    )
    yield "pages_list_text", column(
        hinted("x", pa.list_(pa.utf8())), [["a", "b"], [], None, ["cd"], [None], []] * 3
    )
    yield "pages_struct", column(hinted("x", POINT), [{"a": i, "b": "x" * i} for i in range(18)])


# Stored as another type is, or as one of another unit.
LIKE_OTHERS = re.compile(r"\w+_view|timestamp:(s|ms):.*|duration:(s|ms|ns)|time32:ms|time64:us|blob.*")


def typed_tables(version):
    """A column of each type, of few rows with random values."""
    for name, type_ in logical_types.ALL.items():
        if LIKE_OTHERS.fullmatch(name):
            continue
        field = logical_types.field(name, "x")
        recipe = arrays.Recipe("short", "half", null_structs=version != "2.0")
        if name in logical_types.PACKED:
            recipe.where = "outer"
        rows = 2 if re.search(r"128|:40|96|300|:21", name) else 8
        array = arrays.make_array(_random(name), type_, rows, recipe)
        stem = re.sub(r"\W+", "_", name.replace("<>", "_empty")).strip("_")
        yield f"type_{stem}", column(field, array)


def _random(name):
    return arrays.np.random.default_rng(zlib.crc32(name.encode()))


def tables(version):
    """Each table's name, the table, and how many rows of it a page has; None for a page of all."""
    found = [*plain_tables(), *nested_tables(), *sized_tables()]
    if version != "2.0":
        found += mini_block_tables()
    if version == "2.2":
        found += [*newer_tables(), *newest_tables()]
    yield from ((*one, None) for one in found)
    yield from ((*one, 6) for one in paged_tables())
    yield from ((*one, None) for one in typed_tables(version))
