"""Random Arrow arrays of any type: how values are distributed, and where nulls stand."""

import dataclasses
import json

import numpy as np
import pyarrow as pa
from lance.arrow import BFloat16Type
from lance.blob import BlobType

DAY_SECONDS = 86_400
LONG_TEXT = 40_000  # above 32 KiB, where pylance compresses each value by itself


@dataclasses.dataclass
class Recipe:
    """How to fill an array: `values`, `nulls` and `lists` name an entry of VALUES, NULLS, LISTS.

    `where` says which levels have nulls: all, or the outermost or innermost alone.
    With `garbage`, null lists and structs have values below them, which no reader may see.
    """

    values: str = "any"
    nulls: str = "few"
    lists: str = "mixed"
    where: str = "all"
    garbage: bool = False
    null_structs: bool = True  # data version 2.0 cannot store them


def _runs(rng, count, draw, longest=300):
    """`count` values of `draw(n)` in runs of random lengths."""
    if count == 0:
        return draw(0)
    lengths = rng.integers(1, longest, count)
    starts = np.cumsum(lengths)
    return draw(count)[np.searchsorted(starts, np.arange(count), side="right")]


def _bits(rng, count):
    return rng.integers(0, 2**64, count, dtype=np.uint64)


# What integers are drawn from, as 64 random bits that a type cuts to its width.
VALUES = {
    "any": _bits,
    "constant": lambda rng, count: np.full(count, _bits(rng, 1)[0]),
    "zero": lambda rng, count: np.zeros(count, np.uint64),
    "small": lambda rng, count: _bits(rng, count) % np.uint64(1 << int(rng.integers(1, 12))),
    "ascending": lambda rng, count: np.arange(count, dtype=np.uint64),
    "negative": lambda rng, count: (-(_bits(rng, count) % 1000).astype(np.int64)).astype(np.uint64),
    "few": lambda rng, count: _bits(rng, 20)[rng.integers(0, 20, count)],
    "hundreds": lambda rng, count: _bits(rng, 300)[rng.integers(0, 300, count)],
    "runs": lambda rng, count: _runs(rng, count, lambda n: _bits(rng, n)),
    "unit": lambda rng, count: _bits(rng, count) % np.uint64(1 << 53),
    "short": lambda rng, count: _bits(rng, count),
    "wide": lambda rng, count: _bits(rng, count),
    "long": lambda rng, count: _bits(rng, count),
}


def _some(share):
    return lambda rng, count: rng.random(count) < share


def _one(place):
    def mask(rng, count):
        is_null = np.zeros(count, bool)
        if count:
            is_null[place] = True
        return is_null

    return mask


NULLS = {
    "none": lambda rng, count: np.zeros(count, bool),
    "all": lambda rng, count: np.ones(count, bool),
    "few": _some(0.05),
    "half": _some(0.5),
    "many": _some(0.95),
    "runs": lambda rng, count: _runs(rng, count, lambda n: rng.random(n) < 0.5),
    "first": _one(0),
    "last": _one(-1),
    "all_but_last": lambda rng, count: ~_one(-1)(rng, count),
}


def _one_long(rng, count):
    lengths = rng.integers(0, 3, count)
    if count:
        lengths[rng.integers(count)] = 6000
    return lengths


LISTS = {
    "mixed": lambda rng, count: rng.integers(0, 5, count) * (rng.random(count) < 0.8),
    "empty": lambda rng, count: np.zeros(count, np.int64),
    "never_empty": lambda rng, count: rng.integers(1, 4, count),
    "mostly_empty": lambda rng, count: rng.integers(1, 30, count) * (rng.random(count) < 0.02),
    "empty_at_ends": lambda rng, count: np.where(
        np.minimum(np.arange(count), count - 1 - np.arange(count)) < count // 4, 0, 3
    ),
    "one_long": _one_long,
}


def make_array(rng, type_, count, recipe, *, nullable=True, depth=0):
    """`count` random values of `type_`; no nulls at the top if not `nullable`."""
    if isinstance(type_, pa.BaseExtensionType):
        return _extension(rng, type_, count, recipe, nullable, depth)
    is_null = _mask(rng, type_, count, recipe, nullable, depth)
    if pa.types.is_null(type_):
        return pa.nulls(count)
    if pa.types.is_dictionary(type_):
        return _dictionary(rng, type_, count, recipe, is_null, nullable)
    if pa.types.is_struct(type_):
        return _struct(rng, type_, count, recipe, is_null, depth)
    if pa.types.is_map(type_):
        offsets = _offsets(rng, count, recipe, is_null, np.int32)
        keys = make_array(rng, type_.key_type, offsets[-1], recipe, nullable=False, depth=depth + 1)
        items = _child(rng, type_.item_field, offsets[-1], recipe, depth)
        return pa.MapArray.from_arrays(pa.array(offsets), keys, items, type_, mask=_null(is_null))
    if pa.types.is_fixed_size_list(type_):
        items = _child(rng, type_.value_field, count * type_.list_size, recipe, depth)
        return pa.FixedSizeListArray.from_arrays(items, type=type_, mask=_null(is_null))
    if pa.types.is_list(type_) or pa.types.is_large_list(type_):
        kind, word = (
            (pa.ListArray, np.int32) if pa.types.is_list(type_) else (pa.LargeListArray, np.int64)
        )
        offsets = _offsets(rng, count, recipe, is_null, word)
        items = _child(rng, type_.value_field, offsets[-1], recipe, depth)
        return kind.from_arrays(pa.array(offsets), items, type_, mask=_null(is_null))
    if is_text(type_):
        return pa.array(_texts(rng, type_, count, recipe), type_, mask=is_null)
    return _fixed_width(rng, type_, count, recipe, is_null)


def is_text(type_):
    return type_ in (
        *(pa.string(), pa.large_string(), pa.string_view()),
        *(pa.binary(), pa.large_binary(), pa.binary_view()),
    )


def _mask(rng, type_, count, recipe, nullable, depth):
    is_leaf = not pa.types.is_nested(type_) or pa.types.is_fixed_size_list(type_)
    wanted = (
        recipe.where == "all"
        or (recipe.where == "outer" and depth == 0)
        or (recipe.where == "inner" and is_leaf)
    )
    if pa.types.is_struct(type_) and not recipe.null_structs:
        wanted = False
    return NULLS[recipe.nulls if nullable and wanted else "none"](rng, count)


def _null(is_null):
    return pa.array(is_null) if is_null.any() else None


def _child(rng, field, count, recipe, depth):
    return make_array(rng, field.type, int(count), recipe, nullable=field.nullable, depth=depth + 1)


def _offsets(rng, count, recipe, is_null, word):
    lengths = LISTS[recipe.lists](rng, count)
    if not recipe.garbage:
        lengths = np.where(is_null, 0, lengths)
    return np.concatenate([[0], np.cumsum(lengths)]).astype(word)


def _struct(rng, type_, count, recipe, is_null, depth):
    children = [_child(rng, field, count, recipe, depth) for field in type_]
    if not children:
        bitmap = pa.array(~is_null).buffers()[1] if is_null.any() else None
        return pa.Array.from_buffers(type_, count, [bitmap])
    return pa.StructArray.from_arrays(children, fields=list(type_), mask=_null(is_null))


def _dictionary(rng, type_, count, recipe, is_null, nullable):
    plain = dataclasses.replace(recipe, values="short", nulls="none", garbage=False)
    limit = {"constant": 1, "zero": 1, "any": 100, "hundreds": 120}.get(recipe.values, 17)
    items = make_array(rng, type_.value_type, limit, plain, nullable=False)
    items = items.unique()
    if recipe.garbage and nullable and len(items) > 1:
        # A null among the items: rows that point there are null as well.
        items = pa.concat_arrays([items, pa.nulls(1, type_.value_type)])
    indices = (
        VALUES["runs" if recipe.values == "runs" else "any"](rng, count) % len(items)
    ).astype(type_.index_type.to_pandas_dtype())
    return pa.DictionaryArray.from_arrays(pa.array(indices, type_.index_type, mask=is_null), items)


def _texts(rng, type_, count, recipe):
    """A list of str or bytes."""
    bits = VALUES[recipe.values](rng, count)
    as_text = "string" in str(type_)
    if recipe.values in ("constant", "few", "hundreds", "runs", "small", "zero"):
        values = [f"{number % 1_000_003:x} äß"[: 1 + number % 13] for number in bits.tolist()]
    elif recipe.values == "long":
        values = [chr(97 + number % 26) * (LONG_TEXT + number % 999) for number in bits.tolist()]
    elif recipe.values == "wide":
        values = [f"{number:016x}" * (17 + number % 20) for number in bits.tolist()]
    elif recipe.values == "ascending":
        values = [f"https://example.org/ä/{number}" for number in bits.tolist()]
    elif as_text:
        values = [f"{number:016x}"[: number % 17] for number in bits.tolist()]
    else:
        return [rng.bytes(number % 24) for number in bits.tolist()]
    return values if as_text else [value.encode() for value in values]


def _fixed_width(rng, type_, count, recipe, is_null):
    bits = VALUES[recipe.values](rng, count)
    if pa.types.is_boolean(type_):
        return pa.array((bits & 1).astype(bool), type_, mask=is_null)
    if pa.types.is_floating(type_):
        word = type_.to_pandas_dtype()
        if recipe.values == "any":  # every bit pattern, NaN with payloads too
            values = bits.astype(f"u{np.dtype(word).itemsize}").view(word)
        elif recipe.values in ("unit", "short", "wide", "long"):
            values = rng.random(count).astype(word)
        else:
            values = (bits % 60_000).astype(word) / word(8)
        return pa.array(values, type_, mask=is_null)
    if pa.types.is_fixed_size_binary(type_) or pa.types.is_decimal(type_):
        return _wide(type_, bits, count, is_null)
    if pa.types.is_integer(type_):
        values = bits.astype(f"u{type_.bit_width // 8}").view(type_.to_pandas_dtype())
        return pa.array(values, type_, mask=is_null)
    return _times(type_, bits, is_null)


def _wide(type_, bits, count, is_null):
    """Values of any number of bytes; decimals are 64-bit numbers with their sign."""
    width = type_.bit_width // 8
    data = np.zeros((count, width), np.uint8)
    words = bits.view(np.uint8).reshape(count, 8)
    if pa.types.is_decimal(type_):
        data[:] = np.where(bits >> np.uint64(63), 255, 0)[:, None]
        data[:, :8] = words
    else:
        for start in range(0, width, 8):
            end = min(start + 8, width)
            data[:, start:end] = words[:, : end - start] + np.uint8(start % 7)
    bitmap = pa.array(~is_null).buffers()[1] if is_null.any() else None
    return pa.Array.from_buffers(type_, count, [bitmap, pa.py_buffer(data.tobytes())])


def _times(type_, bits, is_null):
    if pa.types.is_time(type_):
        per_second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[type_.unit]
        values = bits % np.uint64(DAY_SECONDS * per_second)
    elif pa.types.is_date64(type_):
        values = (bits.view(np.int64) % 40_000) * (DAY_SECONDS * 1000)
    elif pa.types.is_date32(type_):
        values = bits.view(np.int64) % 40_000
    else:
        values = bits.view(np.int64)
    word = np.int32 if type_.bit_width == 32 else np.int64
    return pa.array(values.astype(word), mask=is_null).view(type_)


def _extension(rng, type_, count, recipe, nullable, depth):
    if isinstance(type_, BFloat16Type):
        storage = make_array(rng, type_.storage_type, count, recipe, nullable=nullable, depth=depth)
    elif isinstance(type_, pa.JsonType):
        is_null = _mask(rng, pa.string(), count, recipe, nullable, depth)
        storage = pa.array(_documents(rng, count, recipe), pa.string(), mask=is_null)
    elif isinstance(type_, BlobType):
        is_null = _mask(rng, type_, count, recipe, nullable, depth)
        data = pa.array(_texts(rng, pa.large_binary(), count, recipe), pa.large_binary())
        empty = [pa.nulls(count, field.type) for field in list(type_.storage_type)[1:]]
        storage = pa.StructArray.from_arrays(
            [data, *empty], fields=list(type_.storage_type), mask=_null(is_null)
        )
    else:
        raise TypeError(f"no values for {type_}")
    return pa.ExtensionArray.from_storage(type_, storage)


def _documents(rng, count, recipe):
    makes = [
        lambda n: {"id": n, "tags": ["a", str(n)], "deep": {"x": n / 8, "none": None}},
        lambda n: [n, -n, n % 2 == 0, 'ä\n"' + str(n)],
        lambda n: n,
        lambda n: str(n),
        lambda n: n % 2 == 0,
        lambda n: None,
        lambda n: {},
    ]
    numbers = VALUES[recipe.values](rng, count) % np.uint64(1 << 50)
    return [
        json.dumps(makes[n % len(makes)](n), separators=(",", ":"), ensure_ascii=False)
        for n in numbers.tolist()
    ]
