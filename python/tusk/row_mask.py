"""Sets of row ids in the bytes that pylance's scans take them in, and what a scan makes of them.

The bytes, little-endian: the number of entries (4 bytes), then for each its upper 32 bits (4), the
size of a Roaring bitmap of lower 32 bits (4; 0 stands for all of them) and that bitmap, in the
portable format of github.com/RoaringBitmap/RoaringFormatSpec.
"""

import struct

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tusk import _tusk
from tusk._arrow import serialize_filter
from tusk.errors import InvalidArgumentError, NegativeNumberError

_NO_RUNS = 12346
_WITH_RUNS = 12347
# A container of more values than these is a bitmap of 2**16 bits.
_MOST_IN_ARRAY = 4096
_BITMAP_BYTES = 8192
# From so many containers on a bitmap with runs says where each begins.
_MOST_WITHOUT_OFFSETS = 3


def serialize_row_addrs(addrs):
    """The bytes of a set of row ids, for `row_addr_allowlist` and `row_addr_blocklist`."""
    addrs = list(addrs)
    if any(address < 0 for address in addrs):
        raise NegativeNumberError("row ids must not be negative")
    ids = np.unique(np.array(addrs, np.uint64))
    uppers, begins = np.unique(ids >> np.uint64(32), return_index=True)
    ends = np.append(begins, len(ids))[1:]
    parts = [struct.pack("<I", len(uppers))]
    for upper, begin, end in zip(uppers, begins, ends, strict=True):
        bitmap = _to_bitmap((ids[begin:end] & np.uint64(0xFFFFFFFF)).astype(np.uint32))
        parts += [struct.pack("<II", upper, len(bitmap)), bitmap]
    return b"".join(parts)


def _to_bitmap(values):
    """The Roaring bitmap of ascending values."""
    keys, begins = np.unique(values >> np.uint32(16), return_index=True)
    lows = (values & np.uint32(0xFFFF)).astype("<u2")
    containers = [
        _to_container(lows[begin:end])
        for begin, end in zip(begins, np.append(begins, len(lows))[1:], strict=True)
    ]
    sizes = np.diff([*begins, len(lows)])
    header = b"".join(
        struct.pack("<HH", key, size - 1) for key, size in zip(keys, sizes, strict=True)
    )
    first = 8 + len(header) + 4 * len(keys)
    offsets = first + np.cumsum([0, *map(len, containers)][:-1])
    return b"".join(
        [
            struct.pack("<II", _NO_RUNS, len(keys)),
            header,
            offsets.astype("<u4").tobytes(),
            *containers,
        ]
    )


def _to_container(lows):
    if len(lows) <= _MOST_IN_ARRAY:
        return lows.tobytes()
    bits = np.zeros(1 << 16, np.uint8)
    bits[lows] = 1
    return np.packbits(bits, bitorder="little").tobytes()


class _Bytes:
    """Bytes that are read from front to back. InvalidArgumentError if they end too early."""

    def __init__(self, name, data):
        self._name = name
        self._data = memoryview(data)

    def take(self, size):
        if size > len(self._data):
            raise InvalidArgumentError(
                f"{self._name} is no serialized set of row ids: {len(self._data)} bytes are left"
                f" where {size} are needed; serialize_row_addrs makes one"
            )
        taken, self._data = self._data[:size], self._data[size:]
        return taken

    def check(self, holds, what):
        if not holds:
            raise InvalidArgumentError(f"{self._name} is no serialized set of row ids: {what}")

    def numbers(self, count, kind):
        return np.frombuffer(self.take(count * np.dtype(kind).itemsize), kind)


def _read_container(data, size, has_runs):
    if has_runs:
        (count,) = data.numbers(1, "<u2")
        runs = data.numbers(2 * int(count), "<u2").astype(np.uint32).reshape(-1, 2)
        data.check(bool((runs[1:, 0] > runs[:-1].sum(axis=1)).all()), "its runs do not ascend")
        data.check(bool((runs.sum(axis=1) < 1 << 16).all()), "a run leaves its container")
        pieces = [np.arange(begin, begin + more + 1, dtype=np.uint32) for begin, more in runs]
        return np.concatenate(pieces) if pieces else np.empty(0, np.uint32)
    if size <= _MOST_IN_ARRAY:
        return data.numbers(size, "<u2").astype(np.uint32)
    bits = np.unpackbits(data.numbers(_BITMAP_BYTES, np.uint8), bitorder="little")
    return np.flatnonzero(bits).astype(np.uint32)


def _read_bitmap(data, name):
    (cookie,) = data.numbers(1, "<u4")
    has_runs = None
    if cookie == _NO_RUNS:
        (count,) = data.numbers(1, "<u4")
    elif cookie & 0xFFFF == _WITH_RUNS:
        count = (cookie >> 16) + 1
        flags = data.numbers((int(count) + 7) // 8, np.uint8)
        has_runs = np.unpackbits(flags, bitorder="little")
    else:
        data.check(False, f"{cookie} is no number that a bitmap begins with")
    headers = data.numbers(2 * int(count), "<u2").astype(np.int64).reshape(-1, 2)
    data.check(bool((np.diff(headers[:, 0]) > 0).all()), "its containers do not ascend")
    if has_runs is None or count > _MOST_WITHOUT_OFFSETS:
        data.take(4 * int(count))  # where the containers begin: one behind the other
    values = [
        (np.uint32(key) << np.uint32(16))
        + _read_container(data, more + 1, has_runs is not None and has_runs[number])
        for number, (key, more) in enumerate(headers)
    ]
    return np.concatenate(values) if values else np.empty(0, np.uint32)


def _read(name, serialized):
    """[(upper 32 bits, ids, or None for all with these)]"""
    if not isinstance(serialized, (bytes, bytearray, memoryview)):
        raise TypeError(f"{name} must be bytes, not {type(serialized).__name__}")
    data = _Bytes(name, serialized)
    entries = []
    for _ in range(data.numbers(1, "<u4")[0]):
        upper, size = (int(number) for number in data.numbers(2, "<u4"))
        if size == 0:
            entries.append((upper, None))
            continue
        lowers = _read_bitmap(_Bytes(name, data.take(size)), name)
        entries.append((upper, lowers.astype(np.uint64) + np.uint64(upper << 32)))
    return entries


def _condition(name, serialized, as_text):
    """True for rows of the set, as SQL text or as an expression of pyarrow; None for no set."""
    conditions = []
    singles = []
    for upper, ids in _read(name, serialized):
        if ids is not None:
            singles.append(ids)
            continue
        first, last = upper << 32, (upper << 32) + 0xFFFFFFFF
        if as_text:
            conditions.append(f"(_rowid >= {first} AND _rowid <= {last})")
        else:
            field = pc.field("_rowid")
            first, last = (pa.scalar(number, pa.uint64()) for number in (first, last))
            conditions.append((field >= first) & (field <= last))
    ids = np.concatenate(singles) if singles else np.empty(0, np.uint64)
    if as_text:
        if len(ids):
            conditions.append("_rowid IN (" + ",".join(map(str, ids.tolist())) + ")")
        return "(" + (" OR ".join(conditions) or "false") + ")"
    found = pc.field("_rowid").isin(pa.array(ids, pa.uint64()))
    for condition in conditions:
        found = found | condition
    return found


def masked(filter, allowlist, blocklist):
    """`filter` (SQL text, an expression of pyarrow, or None) of the rows whose ids are in
    `allowlist`, unless that is None, and not in `blocklist`."""
    if allowlist is None and blocklist is None:
        return filter
    as_text = filter is None or isinstance(filter, str)
    if filter is not None and as_text:
        _tusk.LanceScanOptions().filter = serialize_filter(filter)  # which must stand alone
        filter = f"({filter.rstrip().rstrip(';')}\n)"
    parts = [] if filter is None else [filter]
    if allowlist is not None:
        parts.append(_condition("row_addr_allowlist", allowlist, as_text))
    if blocklist is not None:
        blocked = _condition("row_addr_blocklist", blocklist, as_text)
        parts.append(f"NOT {blocked}" if as_text else ~blocked)
    if as_text:
        return " AND ".join(parts)
    found, *others = parts
    for part in others:
        found = found & part
    return found
