"""Tables on which readers of Lance files are known to fail, by name, and how they are written."""

import dataclasses

import numpy as np
import pyarrow as pa

from . import arrays, cases

SINCE_20 = ("2.0", "2.1", "2.2")
SINCE_21 = ("2.1", "2.2")
SINCE_22 = ("2.2",)

NAMED = {}


@dataclasses.dataclass
class Named:
    """`make(rng)` gives the columns; the rest is how they are written."""

    make: callable
    versions: tuple
    batch_rows: int | None = None
    options: dict = dataclasses.field(default_factory=dict)
    columns: list = dataclasses.field(default_factory=list)  # projections that must be read
    effort: int = 3
    beyond_pylance: bool = False  # pylance reads it whole, but not in parts

    def case(self, version):
        fields, columns = [], []
        for name, column in self.make(np.random.default_rng(7)).items():
            field, array = column if isinstance(column, tuple) else (None, column)
            fields.append(field.with_name(name) if field else pa.field(name, array.type))
            columns.append(array)
        table = pa.table(columns, schema=pa.schema(fields))
        return cases.Case(table, version, self.batch_rows, dict(self.options))


def named(versions=SINCE_20, **how):
    def add(make):
        NAMED[make.__name__] = Named(make, versions, **how)
        return make

    return add


def hinted(array, **hints):
    """The array with a field that carries the hints, `_` for `-` in their names."""
    metadata = {f"lance-encoding:{key.replace('_', '-')}": value for key, value in hints.items()}
    return pa.field("", array.type, metadata=metadata), array


def some(rng, type_, rows, nulls="few", values="any", **recipe):
    return arrays.make_array(rng, type_, rows, arrays.Recipe(values, nulls, **recipe))


def lists(lengths, items, type_=None, is_null=None):
    """A list array of the `lengths`; items run on under null lists too."""
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    large = type_ is not None and pa.types.is_large_list(type_)
    kind = pa.LargeListArray if large else pa.ListArray
    offsets = pa.array(offsets, pa.int64() if large else pa.int32())
    return kind.from_arrays(
        offsets, items, type_, mask=None if is_null is None else pa.array(is_null)
    )


POINT = pa.struct({"x": pa.int32(), "s": pa.string()})


# --- lists -------------------------------------------------------------------------------------


@named(SINCE_21, columns=["narrow.item.x", "narrow.item.s", "deep.item.l"])
def null_structs_in_lists(rng):
    deep = pa.list_(pa.struct({"l": pa.list_(POINT), "i": pa.int8()}))
    return {
        "narrow": some(rng, pa.list_(POINT), 2000, "half"),
        "all_null": some(rng, pa.list_(POINT), 500 * 4, "all", where="inner").slice(0, 2000),
        "deep": some(rng, deep, 2000, "runs", garbage=True),
    }


@named(SINCE_20, batch_rows=100, options={"data_cache_bytes": 1})
def empty_lists_at_page_borders(rng):
    lengths = np.where(np.arange(2000) % 100 % 97 < 3, 0, 4)
    numbers = pa.array(np.arange(lengths.sum()), pa.int64())
    texts = some(rng, pa.string(), int(lengths.sum()))
    return {
        "numbers": lists(lengths, numbers),
        "texts": lists(lengths, texts, is_null=np.arange(2000) % 100 == 99),
        "large": lists(lengths, numbers, pa.large_list(pa.int64())),
    }


@named(SINCE_21, batch_rows=100, options={"data_cache_bytes": 1})
def null_and_empty_lists_of_structs_at_page_borders(rng):
    lengths = np.where(np.arange(1000) % 100 % 98 < 2, 0, 3)
    items = some(rng, POINT, int(lengths.sum()), "half")
    return {"c": lists(lengths, items, is_null=np.arange(1000) % 100 == 0)}


@named(SINCE_20, batch_rows=100, options={"data_cache_bytes": 1})
def all_null_pages_after_a_split(rng):
    is_null = np.arange(1000) // 100 % 3 > 0
    return {
        "numbers": pa.array(rng.integers(-9, 9, 1000), pa.int32(), mask=is_null),
        "texts": pa.array([str(i) for i in range(1000)], pa.string(), mask=is_null),
        "vectors": pa.FixedSizeListArray.from_arrays(
            pa.array(rng.random(4000), pa.float32()), 4, mask=pa.array(is_null)
        ),
        "lists": lists(np.full(1000, 2), pa.array(range(2000), pa.int16()), is_null=is_null),
        "dictionary": pa.DictionaryArray.from_arrays(
            pa.array(rng.integers(0, 3, 1000), pa.int8(), mask=is_null), ["a", "b", "c"]
        ),
    }


@named(
    SINCE_21,
    batch_rows=100,
    options={"data_cache_bytes": 1},
    columns=["s.x", "s.v"],
    beyond_pylance=True,
)
def all_null_struct_pages_after_a_split(rng):
    is_null = pa.array(np.arange(1000) // 100 % 3 > 0)
    struct = pa.struct({"x": pa.int32(), "v": pa.list_(pa.float32(), 2), "l": pa.list_(pa.int8())})
    inside = some(rng, struct, 1000)
    children = [inside.field(i) for i in range(3)]
    return {"s": pa.StructArray.from_arrays(children, fields=list(struct), mask=is_null)}


@named()
def lists_of_empty_strings(rng):
    lengths = rng.integers(0, 4, 3000)
    empty = pa.array([""] * int(lengths.sum()))
    mixed = pa.array(["", None, ""] * int(lengths.sum()))[: int(lengths.sum())]
    return {
        "empty": lists(lengths, empty),
        "with_nulls": lists(lengths, mixed, is_null=rng.random(3000) < 0.1),
        "bytes": lists(lengths, empty.cast(pa.large_binary()), pa.large_list(pa.large_binary())),
        "plain": pa.array([""] * 3000),
        "one": pa.array([""] * 2999 + ["x"]),
    }


@named()
def only_empty_and_null_lists(rng):
    is_null = rng.random(2000) < 0.5
    return {
        "empty": lists(np.zeros(2000, int), pa.array([], pa.int64())),
        "null": lists(np.zeros(2000, int), pa.array([], pa.int64()), is_null=np.ones(2000, bool)),
        "mixed": lists(np.zeros(2000, int), pa.array([], pa.string()), is_null=is_null),
        "nested": lists(
            rng.integers(0, 3, 2000),
            lists(np.zeros(6000, int), pa.array([], pa.string()), is_null=np.arange(6000) % 5 == 0),
            is_null=is_null,
        ),
    }


@named()
def null_lists_over_garbage(rng):
    """Items under null lists, which the writer drops and no reader may see."""
    is_null = np.arange(2000) % 3 == 1
    numbers = pa.array(rng.integers(0, 1 << 40, 8000), pa.int64())
    return {
        "numbers": lists(np.full(2000, 4), numbers, is_null=is_null),
        "texts": lists(np.full(2000, 2), some(rng, pa.string(), 4000), is_null=is_null),
        "lists": lists(
            np.full(2000, 2),
            lists(np.full(4000, 2), numbers, is_null=np.arange(4000) % 7 < 2),
            is_null=is_null,
        ),
    }


@named(batch_rows=1000)
def list_rows_longer_than_a_chunk(rng):
    """Rows that begin in one chunk and end in a later one, with short and empty ones beside."""
    lengths = rng.integers(0, 3, 1000)
    lengths[[0, 17, 500, 501, 999]] = [9000, 20_000, 4096, 4097, 12_345]
    total = int(lengths.sum())
    is_null = rng.random(1000) < 0.1
    is_null[[0, 17, 500, 501, 999]] = False
    return {
        "numbers": lists(lengths, some(rng, pa.int64(), total), is_null=is_null),
        "small": lists(lengths, some(rng, pa.uint8(), total, "none", "small")),
        "texts": lists(lengths, some(rng, pa.string(), total, "half"), is_null=is_null),
        "vectors": lists(lengths, some(rng, pa.list_(pa.float32(), 3), total)),
        "bools": lists(lengths, some(rng, pa.bool_(), total)),
    }


@named(SINCE_21)
def nested_list_rows_longer_than_a_chunk(rng):
    outer = np.array([1, 0, 3000, 0, 2, 0, 0, 5000, 1])
    inner = rng.integers(0, 6, int(outer.sum()))
    inner[3500] = 30_000
    items = some(rng, pa.int16(), int(inner.sum()))
    structs = some(rng, POINT, int(inner.sum()), "few", "few")
    is_null = rng.random(len(inner)) < 0.05
    return {
        "lists": lists(outer, lists(inner, items, is_null=is_null), is_null=outer == 1),
        "structs": lists(outer, lists(inner, structs, is_null=is_null)),
    }


@named()
def a_list_row_over_the_level_budget(rng):
    lengths = np.array([3, 0, 200_000, 1, 70_000, 0, 65_536])
    total = int(lengths.sum())
    return {
        "bytes": lists(lengths, pa.array(rng.integers(0, 50, total), pa.uint8())),
        "with_nulls": lists(lengths, some(rng, pa.int32(), total, "few", "any")),
    }


@named(SINCE_20)
def more_than_65535_levels_before_a_value(rng):
    """Runs of empty and null lists that are longer than a chunk's 16-bit number of levels."""
    lengths = np.zeros(200_000, int)
    lengths[[0, 70_000, 70_001, 199_999]] = 2
    is_null = rng.random(200_000) < 0.3
    is_null[lengths > 0] = False
    return {
        "c": lists(lengths, pa.array(range(8), pa.int32()), is_null=is_null),
        "texts": lists(lengths, pa.array(list("abcdefgh"))),
    }


@named(SINCE_20)
def levels_of_no_bits(rng):
    """A page of lists that are never empty in a column where others are: all its levels are 0."""
    lengths = np.where(np.arange(300) < 100, 0, 3000)
    total = int(lengths.sum())
    return {
        "bytes": lists(lengths, pa.array(rng.integers(0, 50, total), pa.uint8())),
        "texts": lists(lengths // 30, some(rng, pa.string(), total // 30, "none")),
    }


# --- structs and maps --------------------------------------------------------------------------


@named(SINCE_21, columns=["s.x", "s.in.y", "s.in", "s.l", "s.d", "s.n"])
def a_struct_read_through_one_child(rng):
    struct = pa.struct(
        {
            "x": pa.int32(),
            "in": pa.struct({"y": pa.string(), "z": pa.bool_()}),
            "l": pa.list_(pa.int8()),
            "d": pa.dictionary(pa.int8(), pa.string()),
            "n": pa.null(),
        }
    )
    return {"s": some(rng, struct, 3000, "half"), "other": some(rng, pa.int8(), 3000)}


@named(SINCE_20)
def empty_structs(rng):
    """Without nulls, which pylance refuses, and alone: of columns beside it loses the values."""
    return {"c": pa.array([{}] * 1500, pa.struct([]))}


@named(SINCE_22, columns=["m"])
def maps_with_null_and_empty_rows(rng):
    deep = pa.map_(pa.string(), pa.map_(pa.int32(), pa.list_(POINT)))
    return {
        "m": some(rng, pa.map_(pa.string(), pa.int64()), 2000, "half"),
        "deep": some(rng, deep, 2000, "few"),
        "empty": some(rng, pa.map_(pa.string(), pa.int64()), 2000, "runs", lists="empty"),
    }


@named(SINCE_22)
def packed_structs_with_nulls(rng):
    fixed = pa.struct({"a": pa.int32(), "v": pa.list_(pa.float32(), 3), "c": pa.uint8()})
    variable = pa.struct({"a": pa.int32(), "s": pa.string(), "b": pa.large_binary()})
    return {
        "fixed": hinted(some(rng, fixed, 2000, "half", where="outer"), packed="true"),
        "variable": hinted(some(rng, variable, 2000, "half", where="outer"), packed="true"),
        "whole": hinted(some(rng, variable, 2000, "none"), packed="true"),
        "null": hinted(some(rng, fixed, 2000, "all", where="outer"), packed="true"),
    }


@named(SINCE_20)
def packed_structs_without_nulls(rng):
    fixed = pa.struct({"a": pa.int32(), "b": pa.float64(), "c": pa.uint8(), "d": pa.int16()})
    return {"fixed": hinted(some(rng, fixed, 3000, "none"), packed="true")}


@named(SINCE_22)
def fixed_size_list_of_structs(rng):
    struct = pa.struct({"x": pa.int32(), "s": pa.string(), "v": pa.list_(pa.float32(), 2)})
    return {"c": some(rng, pa.list_(struct, 3), 1500, "few")}


@named(SINCE_22)
def a_struct_around_a_fixed_size_list_of_structs(rng):
    struct = pa.struct({"only": pa.list_(pa.struct({"x": pa.int32(), "s": pa.string()}), 3)})
    return {"c": some(rng, struct, 1200, "few", lists="never_empty")}


# --- dictionaries ------------------------------------------------------------------------------


@named()
def dictionaries_with_null_values(rng):
    indices = pa.array(rng.integers(0, 4, 3000), pa.int16(), mask=rng.random(3000) < 0.1)
    return {
        "texts": pa.DictionaryArray.from_arrays(indices, pa.array(["a", None, "bc", ""])),
        "all_null": pa.DictionaryArray.from_arrays(indices, pa.nulls(4, pa.string())),
        "one_null": pa.DictionaryArray.from_arrays(
            pa.array(np.zeros(3000), pa.int8()), pa.nulls(1, pa.string())
        ),
        "unused": pa.DictionaryArray.from_arrays(
            pa.array(np.zeros(3000), pa.uint32()), pa.array(["a", "b", None])
        ),
    }


@named(batch_rows=500, options={"data_cache_bytes": 1})
def dictionaries_that_change_between_pages(rng):
    """Pages with dictionaries of their own, and texts that pylance makes dictionaries of."""
    words = [f"{i // 500}-{i % 17}" for i in range(5000)]
    return {"texts": pa.array(words), "long": pa.array([word * 40 for word in words])}


@named(SINCE_22)
def dictionaries_of_64_bit_values(rng):
    few = rng.integers(-(2**62), 2**62, 60)
    numbers = few[rng.integers(0, 60, 6000)]
    is_null = rng.random(6000) < 0.2
    return {
        "longs": pa.array(numbers, pa.int64()),
        "with_nulls": pa.array(numbers, pa.int64(), mask=is_null),
        "doubles": pa.array(numbers.view(np.float64), pa.float64(), mask=is_null),
        "times": pa.array(numbers, pa.timestamp("ns", "UTC")),
        "decimals": pa.array(numbers % 10**9, pa.int64()).cast(pa.decimal128(30, 2)),
    }


@named(("2.0",))
def string_dictionary_pages_of_the_first_encodings(rng):
    words = [f"word {i}" for i in range(50)]
    chosen = [words[i] for i in rng.integers(0, 50, 4000)]
    is_null = rng.random(4000) < 0.2
    return {
        "plain": pa.array(chosen),
        "with_nulls": pa.array(chosen, mask=is_null),
        "large": pa.array(chosen, pa.large_string(), mask=is_null),
        "all_empty": pa.array([""] * 4000),
        "in_lists": lists(
            np.full(1000, 4), pa.array(chosen), is_null=np.arange(1000) % 9 == 0
        ).take(pa.array(np.arange(4000) % 1000)),
    }


# --- fixed width -------------------------------------------------------------------------------


@named(SINCE_21)
def bools_in_full_zip(rng):
    zipped = {"structural_encoding": "fullzip"}
    return {
        "plain": hinted(some(rng, pa.bool_(), 3000, "none"), **zipped),
        "with_nulls": hinted(some(rng, pa.bool_(), 3000, "half"), **zipped),
        "in_lists": hinted(some(rng, pa.list_(pa.bool_()), 3000, "few"), **zipped),
    }


@named(SINCE_20)
def fixed_size_lists_with_null_items(rng):
    """Narrow and wide ones, whose item bitmaps lie in chunks and in rows, and constant ones."""
    few = pa.list_(pa.int32(), 3)
    wide = pa.list_(pa.float32(), 80)
    return {
        "narrow": some(rng, few, 2500, "half"),
        "wide": some(rng, wide, 2500, "half"),
        "nested": some(rng, pa.list_(pa.list_(pa.int16(), 2), 3), 2500, "few"),
        "nested_wide": some(rng, pa.list_(pa.list_(pa.int16(), 50), 3), 2500, "few"),
        "only_items": some(rng, wide, 2500, "all", where="outer"),
        "constant": pa.array([[1, None, 3]] * 2500, few),
        "constant_wide": pa.array([[1.0] * 79 + [None]] * 2500, wide),
        "all_items_null": pa.FixedSizeListArray.from_arrays(pa.nulls(7500, pa.int32()), 3),
        "bools": some(rng, pa.list_(pa.bool_(), 5), 2500, "half"),
    }


@named(SINCE_20)
def fixed_size_lists_of_null_fixed_size_lists(rng):
    """Pages in which all inner lists, or all their items, are null: pylance stores no values."""
    type_ = pa.list_(pa.list_(pa.int16(), 2), 3)
    inner = pa.nulls(4500, type_.value_type)
    items = pa.FixedSizeListArray.from_arrays(pa.nulls(9000, pa.int16()), 2)
    some_null = pa.array(rng.random(1500) < 0.3)
    return {
        "lists": pa.FixedSizeListArray.from_arrays(inner, type=type_),
        "lists_some_null": pa.FixedSizeListArray.from_arrays(inner, type=type_, mask=some_null),
        "items": pa.FixedSizeListArray.from_arrays(items, type=type_),
        "items_some_null": pa.FixedSizeListArray.from_arrays(items, type=type_, mask=some_null),
    }


@named(SINCE_20)
def decimals_of_256_bits(rng):
    type_ = pa.decimal256(60, 5)
    return {
        "any": some(rng, type_, 3000),
        "small": some(rng, type_, 3000, "few", "small"),
        "constant": some(rng, type_, 3000, "few", "constant"),
        "runs": some(rng, type_, 3000, "runs", "runs"),
        "lists": some(rng, pa.list_(type_), 3000, "few"),
    }


@named(SINCE_20)
def numbers_at_every_width(rng):
    """Integers that need 0 to 64 bits, one more in the next column, unsigned and with signs."""
    columns = {}
    for bits in range(0, 65, 4):
        numbers = rng.integers(0, 2**bits, 3000, dtype=np.uint64, endpoint=False)
        columns[f"u{bits}"] = pa.array(numbers, pa.uint64())
        if bits <= 32:
            columns[f"w{bits}"] = pa.array(numbers.astype(np.uint32), pa.uint32())
        if bits <= 8:
            columns[f"b{bits}"] = pa.array(numbers.astype(np.uint8).view(np.int8), pa.int8())
    return columns


@named(SINCE_20, batch_rows=300_000, effort=1)
def a_page_border_after_8_mib(rng):
    rows = 1_300_000  # 10 MiB of int64
    return {
        "packed": pa.array(np.arange(rows), pa.int64()),
        "with_nulls": pa.array(rng.integers(-9, 9, rows), pa.int8(), mask=rng.random(rows) < 0.1),
    }


# --- texts -------------------------------------------------------------------------------------


@named(SINCE_20)
def texts_longer_than_32_kib(rng):
    return {
        "texts": some(rng, pa.string(), 60, "few", "long"),
        "bytes": pa.array([rng.bytes(33_000 + i) for i in range(60)], pa.binary()),
        "one": pa.array(["x" * 300_000] + [""] * 58 + [None]),
        "lists": some(rng, pa.list_(pa.string()), 60, "few", "long"),
    }


@named(SINCE_20)
def texts_around_a_chunk(rng):
    """Lengths at which 4 KiB chunks, 256-byte rows and 32 KiB pages begin and end."""
    lengths = [0, 1, 254, 255, 256, 257, 4080, 4091, 4092, 4096, 32_766, 32_768, 32_769]
    texts = [f"{i:04}{chr(97 + i % 26) * lengths[i % len(lengths)]}" for i in range(200)]
    short = [text[:255] for text in texts]
    return {
        "short": pa.array(short),
        "all": pa.array(texts, pa.large_string()),
        "fsst": hinted(pa.array([f"prefix/{text[:40]}" for text in texts]), compression="fsst"),
    }


@named(SINCE_22)
def chunks_larger_than_64_kib(rng):
    """Long texts that a hint forces into mini-blocks, whose lengths need 32 bits."""
    lengths = [0, 10, 5000, 40_000, 32_768]
    texts = [f"{i:04}{chr(97 + i % 26) * lengths[i % 5]}" for i in range(200)]
    mini = {"structural_encoding": "miniblock"}
    return {
        "texts": hinted(pa.array(texts), **mini),
        "bytes": hinted(pa.array([rng.bytes(len(t)) for t in texts], pa.binary()), **mini),
        "zstd": hinted(pa.array(texts), compression="zstd", **mini),
        "lists": hinted(
            some(rng, pa.list_(pa.string()), 60, "few", "long").take(pa.array(np.arange(200) % 60)),
            **mini,
        ),
    }


# --- blobs -------------------------------------------------------------------------------------


@named(SINCE_20)
def blobs_null_and_empty(rng):
    values = [None, b"", b"x", rng.bytes(100_000), b""] * 20
    return {
        "c": hinted(pa.array(values, pa.large_binary()), blob="true"),
        "null": hinted(pa.nulls(100, pa.large_binary()), blob="true"),
        "full": hinted(
            pa.array([rng.bytes(i) for i in range(100)], pa.large_binary()), blob="true"
        ),
    }
