"""Equality by value: nulls at every level exactly, floats by their bits."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def plain(array):
    """`array` without dictionaries, extensions and views, which pyarrow can slice and take."""
    if isinstance(array, pa.ChunkedArray):
        chunks = [plain(chunk) for chunk in array.chunks]
        return pa.concat_arrays(chunks) if chunks else plain(pa.nulls(0, array.type))
    type_ = array.type
    if isinstance(type_, pa.BaseExtensionType):
        return plain(array.storage)
    if pa.types.is_dictionary(type_):
        return plain(array.dictionary_decode())
    if type_ == pa.string_view():
        return array.cast(pa.string())
    if type_ == pa.binary_view():
        return array.cast(pa.binary())
    if not pa.types.is_nested(type_) or not has_special(type_):
        return array
    is_null = array.is_null() if array.null_count else None
    if pa.types.is_struct(type_):
        children = [plain(array.field(i)) for i in range(type_.num_fields)]
        fields = [f.with_type(c.type) for f, c in zip(type_, children)]
        return pa.StructArray.from_arrays(children, fields=fields, mask=is_null)
    if pa.types.is_fixed_size_list(type_):
        items = plain(
            array.values.slice(array.offset * type_.list_size, len(array) * type_.list_size)
        )
        return pa.FixedSizeListArray.from_arrays(
            items,
            type=pa.list_(type_.value_field.with_type(items.type), type_.list_size),
            mask=is_null,
        )
    offsets = array.offsets
    if array.offset:
        offsets = pa.array(offsets.to_numpy())
    if pa.types.is_map(type_):
        keys, items = plain(array.keys), plain(array.items)
        made = pa.map_(type_.key_field.with_type(keys.type), type_.item_field.with_type(items.type))
        return pa.MapArray.from_arrays(offsets, keys, items, made, mask=is_null)
    items = plain(array.values)
    field = type_.value_field.with_type(items.type)
    if pa.types.is_list(type_):
        return pa.ListArray.from_arrays(offsets, items, pa.list_(field), mask=is_null)
    return pa.LargeListArray.from_arrays(offsets, items, pa.large_list(field), mask=is_null)


def has_special(type_):
    if isinstance(type_, pa.BaseExtensionType) or pa.types.is_dictionary(type_):
        return True
    if type_ in (pa.string_view(), pa.binary_view()):
        return True
    return any(has_special(type_.field(i).type) for i in range(type_.num_fields))


def gather(array, rows):
    """The `rows` of a plain array. pyarrow's own take reads foreign memory where a slice of a
    fixed-size list holds fixed-size lists."""
    type_, rows = array.type, np.asarray(rows, np.int64)
    if not pa.types.is_nested(type_):
        return array.take(pa.array(rows, pa.int64()))
    is_null = pa.array(np.asarray(array.is_null())[rows]) if array.null_count else None
    if pa.types.is_struct(type_):
        children = [gather(array.field(i), rows) for i in range(type_.num_fields)]
        if not children:
            return array.take(pa.array(rows, pa.int64()))
        return pa.StructArray.from_arrays(children, fields=list(type_), mask=is_null)
    if pa.types.is_fixed_size_list(type_):
        size = type_.list_size
        items = array.values.slice(array.offset * size, len(array) * size)
        below = (rows[:, None] * size + np.arange(size)).reshape(-1)
        return pa.FixedSizeListArray.from_arrays(gather(items, below), type=type_, mask=is_null)
    offsets = array.offsets.to_numpy()
    lengths = np.diff(offsets)[rows]
    made = np.concatenate([[0], np.cumsum(lengths)])
    below = np.repeat(offsets[rows] - made[:-1], lengths) + np.arange(made[-1])
    made = pa.array(made, array.offsets.type)
    if pa.types.is_map(type_):
        keys, items = gather(array.keys, below), gather(array.items, below)
        return pa.MapArray.from_arrays(made, keys, items, type_, mask=is_null)
    kind = pa.ListArray if pa.types.is_list(type_) else pa.LargeListArray
    return kind.from_arrays(made, gather(array.values, below), type_, mask=is_null)


def difference(ours, expected, path=""):
    """Where two plain arrays differ, as a text; None if nowhere."""
    if len(ours) != len(expected):
        return f"{path}: {len(ours)} values, expected {len(expected)}"
    if not _same_kind(ours.type, expected.type):
        return f"{path}: type {ours.type}, expected {expected.type}"
    valid = np.asarray(ours.is_valid())
    should = np.asarray(expected.is_valid())
    if (at := np.flatnonzero(valid != should)).size:
        return f"{path}[{at[0]}]: {'valid' if valid[at[0]] else 'null'}, expected the contrary"
    if not valid.all():
        rows = np.flatnonzero(should)
        ours, expected = gather(ours, rows), gather(expected, rows)
    type_ = expected.type
    if pa.types.is_struct(type_):
        for i, field in enumerate(type_):
            found = difference(ours.field(i), expected.field(i), f"{path}.{field.name}")
            if found:
                return found
        return None
    if pa.types.is_map(type_) or pa.types.is_list(type_) or pa.types.is_large_list(type_):
        ours, expected = _as_list(ours), _as_list(expected)
        lengths, should = (np.asarray(pc.list_value_length(a)) for a in (ours, expected))
        if (at := np.flatnonzero(lengths != should)).size:
            return f"{path}[valid {at[0]}]: {lengths[at[0]]} items, expected {should[at[0]]}"
        return difference(ours.flatten(), expected.flatten(), f"{path}[]")
    if pa.types.is_fixed_size_list(type_):
        return difference(ours.flatten(), expected.flatten(), f"{path}[]")
    return _difference_of_leaves(ours, expected, path)


def _as_list(array):
    if not pa.types.is_map(array.type):
        return array
    entries = pa.StructArray.from_arrays([array.keys, array.items], ["key", "value"])
    offsets = pa.array(array.offsets.to_numpy()) if array.offset else array.offsets
    return pa.ListArray.from_arrays(offsets, entries)


def _difference_of_leaves(ours, expected, path):
    if pa.types.is_floating(expected.type):
        word = f"u{expected.type.bit_width // 8}"
        left, right = (a.to_numpy(zero_copy_only=False).view(word) for a in (ours, expected))
        at = np.flatnonzero(left != right)
    elif ours.equals(expected):
        return None
    else:
        same = np.array([a == b for a, b in zip(ours.to_pylist(), expected.to_pylist())], bool)
        at = np.flatnonzero(~same)
    if not at.size:
        return None
    where = int(at[0])
    return f"{path}[valid {where}]: {_short(ours[where])}, expected {_short(expected[where])}"


def _short(scalar):
    text = repr(scalar.as_py())
    return text if len(text) < 80 else f"{text[:77]}..."


def _same_kind(left, right):
    """Whether the types are the same but for names of items and nullability."""
    if left.id != right.id or left.num_fields != right.num_fields:
        return False
    if left.num_fields == 0:
        return left == right
    if pa.types.is_fixed_size_list(left) and left.list_size != right.list_size:
        return False
    if pa.types.is_struct(left) and [f.name for f in left] != [f.name for f in right]:
        return False
    return all(_same_kind(left.field(i).type, right.field(i).type) for i in range(left.num_fields))
