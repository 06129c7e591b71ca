"""A decoder of Lance files of data versions 2.1 and 2.2, written from the pages in docs/format.

It reads whole columns, slowly, as Python values. test_format_docs.py compares with pylance.
"""

import itertools
import struct

import pyarrow as pa

# --- Protobuf: field numbers are those of src/tusk/lance/file/*.proto, which the pages refer to.


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if data[at - 1] < 0x80:
            return value, at


class Message:
    def __init__(self, data):
        self.fields, at = {}, 0
        while at < len(data):
            tag, at = varint(data, at)
            if tag & 7 == 0:
                value, at = varint(data, at)
            else:
                assert tag & 7 == 2
                size, at = varint(data, at)
                value, at = data[at : at + size], at + size
            self.fields.setdefault(tag >> 3, []).append(value)

    def __contains__(self, number):
        return number in self.fields

    def get(self, number, default=0):
        return self.fields.get(number, [default])[-1]

    def message(self, number):
        return Message(self.get(number, b""))

    def numbers(self, number):
        out = []
        for value in self.fields.get(number, []):
            at = 0
            if isinstance(value, int):
                out.append(value)
            else:
                while at < len(value):
                    item, at = varint(value, at)
                    out.append(item)
        return out


def union(data):
    """The number and the content of the one member that a oneof has."""
    ((number, values),) = Message(data).fields.items()
    return number, Message(values[0])


# --- lance_file.md


class File:
    def __init__(self, data):
        self.data = data
        footer = data[-40:]
        _, column_table, buffer_table = struct.unpack_from("<3Q", footer)
        _, num_columns, *self.version = struct.unpack_from("<2I2H", footer, 24)
        assert footer[36:] == b"LANC"
        descriptor = Message(self.entry(buffer_table))
        self.num_rows = descriptor.get(2)
        self.fields = []
        by_id = {}
        for text in descriptor.message(1).fields[1]:
            message = Message(text)
            keys = [Message(entry).get(1, b"").decode() for entry in message.fields.get(10, [])]
            field = {
                "name": message.get(2).decode(),
                "type": message.get(5).decode(),
                "children": [],
                "packed": "lance-encoding:packed" in keys,
            }
            by_id[message.get(3)] = field
            parent = by_id.get(message.get(4))
            (parent["children"] if parent else self.fields).append(field)
        self.columns = [Message(self.entry(column_table + 16 * i)) for i in range(num_columns)]

    def entry(self, at):
        position, size = struct.unpack_from("<2Q", self.data, at)
        return self.data[position : position + size]

    def pages(self, column):
        for text in self.columns[column].fields.get(2, []):
            page = Message(text)
            buffers = [
                self.data[at : at + size] for at, size in zip(page.numbers(1), page.numbers(2))
            ]
            wrapped = Message(page.message(4).message(2).get(1))
            yield page.get(3), buffers, wrapped.get(1), wrapped.get(2)


# --- lance_encodings.md. A value is bytes, for fixed-size lists a list, and None for a null item.


def words(data, bits):
    width = bits // 8
    return [data[i : i + width] for i in range(0, len(data), width)]


def numbers(data, bits):
    return [int.from_bytes(word, "little") for word in words(data, bits)]


def bits_of(data, count):
    return [data[i // 8] >> i % 8 & 1 for i in range(count)]


def unpack(data, bits, width):
    """One packed block, as the numbers it holds."""
    lanes = 1024 // bits
    packed = numbers(data[: 128 * width], bits)
    values = [0] * 1024
    for lane in range(lanes):
        all_bits = sum(packed[k * lanes + lane] << (bits * k) for k in range(width))
        for row in range(bits):
            at = (0, 4, 2, 6, 1, 5, 3, 7)[row // 8] * 16 + row % 8 * 128 + lane
            values[at] = all_bits >> row * width & ((1 << width) - 1)
    return values


def inline_bitpacking(data, bits, count):
    width = int.from_bytes(data[: bits // 8], "little")
    values = unpack(data[bits // 8 :], bits, width)[:count]
    return [value.to_bytes(bits // 8, "little") for value in values]


def runs(values, lengths, bits):
    return [word for word, length in zip(words(values, bits), lengths) for _ in range(length)]


def decompress(data, scheme):
    if not data:
        return b""
    if scheme == 1:
        return pa.decompress(
            data[4:], int.from_bytes(data[:4], "little"), codec="lz4_raw", asbytes=True
        )
    return pa.decompress(data[8:], int.from_bytes(data[:8], "little"), codec="zstd", asbytes=True)


def fsst(codes, table):
    header = int.from_bytes(table[:8], "little")
    count = header & 0xFF
    assert header >> 32 == 0x46535354
    if not header >> 24 & 1:
        return codes
    out = b""
    at = 0
    while at < len(codes):
        code = codes[at]
        if code == 255:
            out += codes[at + 1 : at + 2]
            at += 2
            continue
        out += table[8 + 8 * code :][: table[8 + 8 * count + code]]
        at += 1
    return out


def nest(items, size):
    return [items[i : i + size] for i in range(0, len(items), size)]


def chunk_values(encoding, buffers, count):
    kind, message = union(encoding)
    inner = message.get(2) if kind in (6, 11) else message.get(3 if kind == 10 else 1)
    if kind == 1:  # flat
        bits = message.get(1)
        if bits == 1:
            return [bytes([bit]) for bit in bits_of(buffers[0], count)]
        return words(buffers[0], bits)[:count]
    if kind == 2:  # variable
        bits = union(inner)[1].get(1)
        ends = numbers(buffers[0][: (count + 1) * bits // 8], bits)
        return [buffers[0][a:b] for a, b in itertools.pairwise(ends)]
    if kind == 5:  # inline_bitpacking
        return inline_bitpacking(buffers[0], message.get(1), count)
    if kind == 6:  # fsst
        return [fsst(c, message.get(1)) for c in chunk_values(inner, buffers, count)]
    if kind == 8:  # rle
        values = runs(buffers[0], buffers[1], union(inner)[1].get(1))
        assert len(values) == count
        return values
    if kind == 9:  # byte_stream_split
        streams = nest(buffers[0], count)
        return [bytes(value) for value in zip(*streams)]
    if kind == 10:  # general
        plain = decompress(buffers[0], message.message(1).get(1))
        return chunk_values(inner, [plain, *buffers[1:]], count)
    if kind == 11:  # fixed_size_list
        size = message.get(1)
        bitmap = buffers.pop(0) if message.get(3) else None
        items = chunk_values(inner, buffers, count * size)
        if bitmap is not None:
            valid = bits_of(bitmap, count * size)
            items = [item if bit else None for item, bit in zip(items, valid)]
        return nest(items, size)
    assert kind == 12  # packed_struct
    return [
        packed_fields(message.numbers(1), row)
        for row in chunk_values(message.get(2), buffers, count)
    ]


def packed_fields(bits, row):
    out, at = [], 0
    for field in bits:
        out.append(row[at : at + field // 8])
        at += field // 8
    return out


def row_value(encoding, data):
    """One value of a full-zip page."""
    kind, message = union(encoding)
    if kind in (1, 2):
        return data
    if kind == 6:
        return fsst(row_value(message.get(2), data), message.get(1))
    if kind == 10:
        return row_value(message.get(3), decompress(data, message.message(1).get(1)))
    if kind == 11:
        return row_lists(encoding, data)
    if kind == 12:
        return packed_fields(message.numbers(1), data)
    assert kind == 13  # variable_packed_struct
    out, at = [], 0
    for text in message.fields[1]:
        child = Message(text)
        size = child.get(2) // 8
        if 3 in child:
            width = child.get(3) // 8
            size = int.from_bytes(data[at : at + width], "little")
            at += width
        out.append(row_value(child.get(1), data[at : at + size]))
        at += size
    return out


def row_lists(encoding, data):
    """Fixed-size lists in a full-zip row: bitmaps of all layers, then the items."""
    sizes, bitmaps = [], []
    kind, message = union(encoding)
    count, at = 1, 0
    while kind == 11:
        count *= message.get(1)
        bitmap = None
        if message.get(3):
            size = (count + 7) // 8
            bitmap = bits_of(data[at : at + size], count)
            at += size
        sizes.append(message.get(1))
        bitmaps.append(bitmap)
        kind, message = union(message.get(2))
    assert kind in (1, 3)
    bits = message.get(1)
    if kind == 3:  # constant: there are only null items
        items = [None] * count
    elif bits == 1:
        items = [bytes([bit]) for bit in bits_of(data[at:], count)]
    else:
        items = words(data[at:], bits)
    for size, bitmap in zip(reversed(sizes), reversed(bitmaps)):
        if bitmap is not None:
            items = [item if bit else None for item, bit in zip(items, bitmap)]
        items = nest(items, size)
    return items[0]


def block_values(encoding, data, count):
    kind, message = union(encoding)
    if kind == 1:
        return words(data, message.get(1))[:count]
    if kind == 2:
        width = union(message.get(1))[1].get(1)
        bits, begin, *ends = numbers(data[: (count + 3) * width // 8], width)
        assert bits == width
        return [data[begin + a : begin + b] for a, b in itertools.pairwise(ends)]
    if kind == 4:  # out_of_line_bitpacking
        bits, width = message.get(1), union(message.get(3))[1].get(1)
        whole, rest = divmod(count, 1024)
        values = [v for i in range(whole) for v in unpack(data[128 * width * i :], bits, width)]
        tail = data[128 * width * whole :]
        if len(tail) == rest * bits // 8:
            values += numbers(tail, bits)
        else:
            values += unpack(tail, bits, width)[:rest]
        return [value.to_bytes(bits // 8, "little") for value in values]
    if kind == 5:
        return inline_bitpacking(data, message.get(1), count)
    if kind == 8:
        size = int.from_bytes(data[:8], "little")
        return runs(data[8 : 8 + size], data[8 + size :], union(message.get(1))[1].get(1))
    assert kind == 10
    return block_values(message.get(3), decompress(data, message.message(1).get(1)), count)


# --- lance_levels.md and lance_pages.md. An entry is (repetition level, definition level, value).


class Layers:
    LISTS = (2, 4, 5, 6)

    def __init__(self, kinds):
        self.kinds = kinds
        self.stops = [(-1, False)]  # by definition level: the layer, and whether a list is empty
        self.max_visible = None
        for i, kind in enumerate(kinds):
            if kind in self.LISTS and self.max_visible is None:
                self.max_visible = len(self.stops) - 1
            if kind in (3, 4, 6):
                self.stops.append((i, False))
            if kind in (5, 6):
                self.stops.append((i, True))
        if self.max_visible is None:
            self.max_visible = len(self.stops) - 1

    def entries(self, repetition, definition, slots):
        slots = iter(slots)
        out = []
        for r, d in zip(repetition, definition):
            out.append((r, d, next(slots) if d <= self.max_visible else None))
        assert not list(slots)
        return out


def level_numbers(encoding, data, count):
    return [int.from_bytes(v, "little") for v in block_values(encoding, data, count)]


def mini_block_entries(message, buffers):
    layers = Layers(message.numbers(6))
    table, chunks = buffers[:2]
    is_large = message.get(10)
    has_dictionary = 4 in message
    if has_dictionary:
        items = block_values(message.get(4), buffers[2], message.get(5))
    entries, at, left = [], 0, message.get(9)
    chunk_words = numbers(table, 32 if is_large else 16)
    row_ends = []
    for number, word in enumerate(chunk_words):
        count = 1 << (word & 15) if word & 15 else left
        assert word & 15 or number + 1 == len(chunk_words)
        chunk = chunks[at : at + ((word >> 4) + 1) * 8]
        at += len(chunk)
        left -= count
        (num_levels,), head = struct.unpack_from("<H", chunk), 2
        sizes = []
        for width in [2] * ((1 in message) + (2 in message)) + [4 if is_large else 2] * message.get(
            7
        ):
            sizes.append(int.from_bytes(chunk[head : head + width], "little"))
            head += width
        parts = []
        for size in sizes:
            head = (head + 7) // 8 * 8
            parts.append(chunk[head : head + size])
            head += size
        levels = {}
        for which in (1, 2):
            if which in message:
                levels[which] = level_numbers(message.get(which), parts.pop(0), num_levels)
        n = max((len(values) for values in levels.values()), default=count)
        assert n % 65536 == num_levels or not levels
        values = chunk_values(message.get(3), parts, count)
        if has_dictionary:
            values = [items[int.from_bytes(index, "little")] for index in values]
        zeros = [0] * n
        new = layers.entries(levels.get(1, zeros), levels.get(2, zeros), values)
        row_ends.append(new)
        entries += new
    assert (at, left) == (len(chunks), 0)
    if message.get(8):
        check_repetition_index(layers, row_ends, numbers(buffers[-1], 64))
    return layers, entries


def check_repetition_index(layers, chunks, index):
    max_repetition = sum(kind in Layers.LISTS for kind in layers.kinds)
    within = False
    for entries, (ends, left_over) in zip(chunks, nest(index, 2), strict=True):
        begins = sum(r == max_repetition for r, _, _ in entries)
        assert begins == ends + (left_over != 0) - within
        within = left_over != 0
    assert not within


def full_zip_entries(message, buffers, num_rows):
    layers = Layers(message.numbers(8))
    bits_rep, bits_def = message.get(1), message.get(2)
    bits = bits_rep + bits_def
    control = 0 if bits == 0 else 1 if bits <= 8 else 2 if bits <= 16 else 4
    data, at = buffers[0], 0
    entries, begins = [], []
    max_repetition = sum(kind in Layers.LISTS for kind in layers.kinds)
    while at < len(data):
        begin = at
        word = int.from_bytes(data[at : at + control], "little")
        r, d = word >> bits_def, word & ((1 << bits_def) - 1)
        at += control
        if r == max_repetition:
            begins.append(begin)
        value = None
        if d <= layers.max_visible:
            size = message.get(3) // 8
            if 4 in message and d == 0:
                width = message.get(4) // 8
                size = int.from_bytes(data[at : at + width], "little")
                at += width
            if d == 0:
                value = row_value(message.get(7), data[at : at + size])
            at += size
        entries.append((r, d, value))
    assert (at, len(entries)) == (len(data), message.get(5))
    if len(buffers) > 1:
        width = len(buffers[1]) // (num_rows + 1)
        assert numbers(buffers[1], 8 * width) == [*begins, len(data)]
    return layers, entries


def constant_entries(message, buffers, num_rows):
    layers = Layers(message.numbers(5))
    value = None
    if 6 in message:
        value = message.get(6)
    elif len(buffers) % 2 == 1:
        (count, *lengths) = numbers(buffers[0][:4], 32) + numbers(buffers[0][4:12], 32)
        parts, at = [], 4 + 4 * count
        for length in lengths[:count]:
            parts.append(buffers[0][at : at + length])
            at += length
        value = parts[0]
        if count == 2:
            begin, end = numbers(parts[0], 4 * len(parts[0]))
            value = parts[1][begin:end]
    is_null = value is None
    levels = [[], []]
    for i, data in enumerate(buffers[len(buffers) % 2 :]):
        if 7 + i in message:
            levels[i] = level_numbers(message.get(7 + i), data, message.get(9 + i))
        else:
            levels[i] = numbers(data, 16)
    repetition, definition = levels
    n = max(len(repetition), len(definition)) or num_rows
    if not definition:
        definition = [1 if is_null and not repetition else 0] * n
    if not repetition:
        repetition = [0] * n
    slots = [value] * sum(d <= layers.max_visible for d in definition)
    return layers, layers.entries(repetition, definition, slots)


def page_entries(kind, message, buffers, num_rows):
    if kind == 1:
        return mini_block_entries(message, buffers)
    if kind == 2:
        return constant_entries(message, buffers, num_rows)
    if kind == 3:
        return full_zip_entries(message, buffers, num_rows)
    layers = Layers(message.numbers(2))
    _, inner = page_entries(*union(message.get(1)), buffers, num_rows)
    entries = []
    for _, _, (position, size) in inner:
        position, size = int.from_bytes(position, "little"), int.from_bytes(size, "little")
        level = position if size == 0 else 0
        entries.append((level & 0xFFFF, level >> 16, (position, size)))
    return layers, entries


# --- From entries to rows


def leaf_value(type_name, value):
    if value is None:
        return None
    if type_name.startswith("fixed_size_list:"):
        item = type_name[len("fixed_size_list:") : type_name.rindex(":")]
        return [leaf_value(item, v) for v in value]
    formats = {"int64": "q", "int32": "i", "uint8": "B", "uint16": "H", "uint32": "I"}
    formats |= {"uint64": "Q", "float": "f", "double": "d", "bool": "?"}
    if type_name in formats:
        return struct.unpack("<" + formats[type_name], value)[0]
    if type_name.startswith("dict:"):
        return leaf_value(type_name.split(":")[1], value)
    return value.decode() if type_name in ("string", "large_string") else value


class Column:
    """The rows of one leaf, each nested as the path of fields above it says."""

    def __init__(self, path):
        self.path = path  # outer-most first; the last is the leaf
        self.scale = 1
        for field in path[:-1]:
            if field["type"].startswith("fixed_size_list:struct:"):
                self.scale *= int(field["type"].split(":")[2])

    def rows(self, file, number):
        out = []
        for length, buffers, type_url, layout in file.pages(number):
            assert type_url == b"/lance.encodings21.PageLayout"
            kind, message = union(layout)
            layers, entries = page_entries(kind, message, buffers, length)
            self.file = file
            is_list = [kind in Layers.LISTS for kind in layers.kinds]
            assert is_list == [self.is_list(field) for field in reversed(self.path)]
            groups = []
            for entry in entries:
                if not groups or entry[0] == sum(is_list):
                    groups.append([])
                groups[-1].append(entry)
            assert len(groups) == length
            groups = [sum(part, []) for part in nest(groups, self.scale)]
            out += [self.build(layers, len(self.path) - 1, group) for group in groups]
        return out

    @staticmethod
    def is_list(field):
        return field["type"].split(".")[0] in ("list", "large_list", "map")

    def build(self, layers, layer, entries):
        """What `entries` make of a layer: one value of it."""
        field = self.path[len(self.path) - 1 - layer]
        stop, is_empty = layers.stops[entries[0][1]]
        if stop == layer:
            return [] if is_empty else None
        if layer == 0:
            (entry,) = entries
            return self.leaf(field, entry[2])
        if self.is_list(field):
            below = sum(kind in Layers.LISTS for kind in layers.kinds[:layer])
            items = []
            for entry in entries:
                if not items or entry[0] >= below:
                    items.append([])
                items[-1].append(entry)
            return [self.build(layers, layer - 1, item) for item in items]
        if field["type"].startswith("fixed_size_list:"):
            size = int(field["type"].split(":")[2])
            items = nest(entries, len(entries) // size)
            return [self.build(layers, layer - 1, item) for item in items]
        child = self.path[len(self.path) - layer]
        return {child["name"]: self.build(layers, layer - 1, entries)}

    def leaf(self, field, value):
        if field["type"] == "large_binary" and isinstance(value, tuple):
            return self.file.data[value[0] : value[0] + value[1]]
        if field["packed"]:
            return {
                child["name"]: leaf_value(child["type"], part)
                for child, part in zip(field["children"], value, strict=True)
            }
        return leaf_value(field["type"], value)


def leaves(field, path=()):
    path = (*path, field)
    if not field["children"] or field["packed"]:
        return [Column(path)]
    return [column for child in field["children"] for column in leaves(child, path)]


def merge(a, b):
    """The same rows of two leaves as one."""
    if isinstance(a, dict):
        return {
            key: merge(a[key], b[key]) if key in a and key in b else (a | b)[key] for key in a | b
        }
    if isinstance(a, list) and any(isinstance(item, (dict, list, type(None))) for item in a):
        return [merge(x, y) for x, y in zip(a, b, strict=True)]
    assert a == b
    return a


def read(data):
    file = File(data)
    number, table = 0, {}
    for field in file.fields:
        rows = None
        for column in leaves(field):
            more = column.rows(file, number)
            assert len(more) == file.num_rows
            rows = more if rows is None else [merge(a, b) for a, b in zip(rows, more)]
            number += 1
        table[field["name"]] = rows
    assert number == len(file.columns)
    return table
