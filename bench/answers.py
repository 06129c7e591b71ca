"""Digests by which the answers of two implementations are compared."""

import zlib

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def _is_list(type):
    return any(
        is_one(type)
        for is_one in (
            pa.types.is_list,
            pa.types.is_large_list,
            pa.types.is_list_view,
            pa.types.is_large_list_view,
        )
    )


def _plain(type):
    """The type without the liberties that formats take in laying out texts, bytes and lists."""
    if pa.types.is_string_view(type) or pa.types.is_large_string(type):
        return pa.string()
    if pa.types.is_binary_view(type) or pa.types.is_large_binary(type):
        return pa.binary()
    if _is_list(type):
        return pa.list_(_plain(type.value_type))
    if pa.types.is_struct(type):
        return pa.struct([(field.name, _plain(field.type)) for field in type])
    if pa.types.is_fixed_size_list(type):
        return pa.list_(_plain(type.value_type), type.list_size)
    return type


def _text_parts(array):
    """Lengths and bytes of a string or binary array without nulls."""
    offsets = np.frombuffer(array.buffers()[1], np.int32)
    offsets = offsets[array.offset : array.offset + len(array) + 1]
    yield np.diff(offsets)
    if array.buffers()[2] is not None:
        yield np.frombuffer(array.buffers()[2], np.uint8)[offsets[0] : offsets[-1]]


def _parts(array):
    """Numpy arrays that hold the values; those of each place join over the chunks of a column."""
    yield array.is_valid().to_numpy(zero_copy_only=False)
    if pa.types.is_fixed_size_list(array.type):
        yield from _parts(array.flatten())
        return
    if pa.types.is_list(array.type):
        yield pc.list_value_length(array).fill_null(0).to_numpy(zero_copy_only=False)
        yield from _parts(array.flatten())
        return
    if pa.types.is_struct(array.type):
        for child in array.flatten():
            yield from _parts(child)
        return
    is_text = pa.types.is_string(array.type) or pa.types.is_binary(array.type)
    if array.null_count > 0:
        # What lies under a null is of no account.
        array = array.fill_null("" if is_text else 0)
    if is_text:
        yield from _text_parts(array)
    else:
        yield array.to_numpy(zero_copy_only=False)


def _column_digest(column):
    plain = _plain(column.type)
    sums = {}
    for chunk in column.chunks:
        if len(chunk) == 0:
            continue
        if chunk.type != plain:
            chunk = chunk.cast(plain)
        for place, part in enumerate(_parts(chunk)):
            sums[place] = zlib.crc32(np.ascontiguousarray(part).view(np.uint8), sums.get(place, 0))
    return str(plain), [sums[place] for place in sorted(sums)]


def digest(table):
    """Equal for tables of the same rows, values and types, however they are chunked."""
    columns = {name: _column_digest(table[name]) for name in table.column_names}
    return {"rows": table.num_rows, "columns": columns}
