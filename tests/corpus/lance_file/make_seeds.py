"""Writes the seeds of the Lance fuzzers: small files by pylance, and parts cut out of them.

    make_seeds.py      into the folders beside this file and beside ../lance_encodings

`file/` has whole files. The folders of pages have files taken apart, in the form of AssembleFile
(src/tusk/lance/file/file_laws.h); those of encodings have chunks and blocks, in the form of
CheckDecoder (src/tusk/lance/encodings/decoder_laws.h). A seed is never changed once it is there:
pylance trains FSST with random samples, so a second run would not write the same bytes.
"""

import pathlib
import struct
import sys
import tempfile

import lance
import pyarrow as pa
from lance.file import LanceFileWriter

HERE = pathlib.Path(__file__).parent
sys.path.append(str(HERE.parents[1] / "interop"))

import old_arrays  # noqa: E402
import seed_tables  # noqa: E402  which uses the generator that lies there

ENCODINGS = HERE.parent / "lance_encodings"


def write(table, version, path, page_rows):
    options = {"data_cache_bytes": 1} if page_rows else {}
    writer = LanceFileWriter(str(path), table.schema, version=version, **options)
    if table.num_rows == 0:
        writer.write_batch(table)
    # In two batches; where there is no null in the second, its pages may be of another layout.
    step = page_rows or 700
    for begin in range(0, table.num_rows, step):
        # A slice of structs in structs would make pylance panic; a copy of it does not.
        writer.write_batch(table.take(list(range(begin, min(begin + step, table.num_rows)))))
    writer.close()
    return path.read_bytes()


def written_files():
    """Name, data version and bytes of each file."""
    scratch = pathlib.Path(tempfile.mkdtemp())
    for version in ("2.0", "2.1", "2.2"):
        for name, table, page_rows in seed_tables.tables(version):
            name = f"{name}_{version.replace('.', '_')}"
            try:
                yield name, version, write(table, version, scratch / "x.lance", page_rows)
            except BaseException as error:  # panics of pylance are no Exception
                if isinstance(error, (KeyboardInterrupt, SystemExit)):
                    raise
                print(f"{name}: pylance writes none: {str(error)[:100]}")
    yield from ((f"{name}_2_0", "2.0", written) for name, written in old_arrays.files())
    blobs = pa.table({"x": lance.blob_array([b"few", None, b"", b"bytes"])})
    dataset = lance.write_dataset(blobs, str(scratch / "blobs"), data_storage_version="2.2")
    (fragment,) = dataset.get_fragments()
    (data_file,) = fragment.data_files()
    yield "blob_v2_2_2", "2.2", (scratch / "blobs" / "data" / data_file.path).read_bytes()


def fields(message):
    """(number, value) of each field of a protobuf message; bytes for those with a length."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(message):
        tag = varint()
        if tag & 7 == 0:
            yield tag >> 3, varint()
        elif tag & 7 == 2:
            size = varint()
            yield tag >> 3, message[at : at + size]
            at += size
        else:
            raise ValueError(f"wire type {tag & 7}")


def get(message, number, default=None):
    found = [value for field, value in fields(message) if field == number]
    return found[-1] if found else default


def numbers(message, number):
    """A repeated field of integers, packed or not."""
    out = []
    for field, value in fields(message):
        if field != number:
            continue
        if isinstance(value, int):
            out.append(value)
            continue
        at = 0
        while at < len(value):
            item = shift = 0
            while True:
                byte = value[at]
                at += 1
                item |= (byte & 127) << shift
                shift += 7
                if byte < 128:
                    break
            out.append(item)
    return out


class Page:
    def __init__(self, file, message):
        offsets, sizes = numbers(message, 1), numbers(message, 2)
        self.buffers = [file[o : o + s] for o, s in zip(offsets, sizes)]
        self.num_rows = get(message, 3, 0)
        self.description = get(get(get(message, 4), 2), 1)
        self.layout = get(self.description, 2, b"")


class File:
    def __init__(self, bytes):
        self.bytes = bytes
        *_, self.column_table, self.buffer_table = struct.unpack_from("<QQQ", bytes, len(bytes) - 40)
        self.num_columns = struct.unpack_from("<I", bytes, len(bytes) - 12)[0]
        at, size = struct.unpack_from("<QQ", bytes, self.buffer_table)
        self.descriptor = bytes[at : at + size]
        self.columns = []
        for i in range(self.num_columns):
            at, size = struct.unpack_from("<QQ", bytes, self.column_table + 16 * i)
            self.columns.append(bytes[at : at + size])

    def pages(self, column):
        return [Page(self.bytes, value) for number, value in fields(self.columns[column]) if number == 2]


def sized(bytes):
    if len(bytes) > 0xFFFF:
        raise ValueError(f"a part of {len(bytes)} bytes")
    return struct.pack("<H", len(bytes)) + bytes


def take_apart(file, version):
    out = bytes([{"2.2": 0, "2.1": 1, "2.0": 2}[version]]) + sized(file.descriptor)
    for column in range(file.num_columns):
        pages = file.pages(column)
        out += bytes([len(pages)])
        for page in pages:
            out += struct.pack("<I", page.num_rows) + sized(page.layout) + bytes([len(page.buffers)])
            out += b"".join(sized(buffer) for buffer in page.buffers)
    return out


# As ValueEncoding::Kind counts them, by the format's numbers.
KINDS = {1: 0, 2: 1, 3: 2, 4: 3, 5: 4, 6: 5, 7: 6, 8: 7, 9: 8, 10: 9, 11: 10, 12: 11, 13: 12}
FLAT, VARIABLE, CONSTANT, OUT_OF_LINE, INLINE, FSST, DICTIONARY, RLE, SPLIT, GENERAL, LIST, PACKED, PACKED_TEXT = range(13)
NAMES = {
    FLAT: "flat",
    VARIABLE: "variable",
    INLINE: "bitpacking",
    FSST: "fsst",
    RLE: "rle",
    SPLIT: "byte_stream_split",
    GENERAL: "general",
    LIST: "fixed_size_list",
}


def number(value):
    return bytes([value]) if value < 255 else b"\xff" + struct.pack("<Q", value)


def encoding(message):
    """A value encoding in the form of ReadEncoding, and its kind."""
    (field, body) = next(iter(fields(message)))
    kind = KINDS[field]
    out = bytes([kind])
    if kind in (FLAT, INLINE):
        out += number(get(body, 1, 0))
        children = []
    elif kind == OUT_OF_LINE:
        out += number(get(body, 1, 0))
        children = [get(body, 3)]
    elif kind == LIST:
        out += number(get(body, 1, 0)) + bytes([get(body, 3, 0)])
        children = [get(body, 2)]
    elif kind == FSST:
        out += sized(get(body, 1))
        children = [get(body, 2)]
    elif kind == GENERAL:
        out += bytes([get(get(body, 1), 1, 0)])
        children = [get(body, 3)]
    elif kind in (VARIABLE, SPLIT):
        children = [get(body, 1)]
    elif kind == RLE:
        children = [get(body, 1), get(body, 2)]
    elif kind == PACKED:
        widths = numbers(body, 1)
        out += bytes([len(widths)]) + b"".join(number(width) for width in widths)
        children = [get(body, 2)]
    elif kind == PACKED_TEXT:
        packed = [value for field, value in fields(body) if field == 1]
        out += bytes([len(packed)])
        for child in packed:
            is_text = get(child, 3) is not None
            out += bytes([is_text]) + number(get(child, 3 if is_text else 2))
        children = [get(child, 1) for child in packed]
    else:
        children = []
    return out + b"".join(encoding(child)[0] for child in children), kind


def type_code(message):
    """The number of a type in ReadType that values of this encoding can become; None if none can."""
    (field, body) = next(iter(fields(message)))
    kind = KINDS[field]
    if kind in (FLAT, INLINE):
        return {8: 0, 16: 1, 32: 2, 64: 3, 1: 4, 128: 7, 24: 12, 2048: 13}.get(get(body, 1, 0))
    if kind in (VARIABLE, FSST):
        return 5
    if kind in (SPLIT, RLE):
        return type_code(get(body, 1))
    if kind == GENERAL:
        return type_code(get(body, 3))
    if kind == LIST:
        child = type_code(get(body, 2))
        return {(2, 1): 8, (3, 4): 9}.get((get(body, 1), child))
    return None


def chunks(page, layout):
    """The value buffers of each chunk, its number of values, its levels and how many there are."""
    is_large = get(layout, 10, 0) == 1
    width, code = (4, "<I") if is_large else (2, "<H")
    num_items = get(layout, 9, 0)
    at = 0
    for i in range(0, len(page.buffers[0]), width):
        (word,) = struct.unpack_from(code, page.buffers[0], i)
        count = num_items if word & 15 == 0 else 1 << (word & 15)
        num_items -= count
        size = ((word >> 4) + 1) * 8
        chunk = page.buffers[1][at : at + size]
        at += size
        cursor = 2
        levels = []
        for present in (get(layout, 1), get(layout, 2)):
            if present is not None:
                levels.append(struct.unpack_from("<H", chunk, cursor)[0])
                cursor += 2
        num_buffers = get(layout, 7, 0)
        sizes = struct.unpack_from(f"<{num_buffers}{code[1]}", chunk, cursor)
        cursor = (cursor + num_buffers * width + 7) // 8 * 8
        buffers = []
        for size in [*levels, *sizes]:
            buffers.append(chunk[cursor : cursor + size])
            cursor = (cursor + size + 7) // 8 * 8
        yield buffers[len(levels) :], count, buffers[: len(levels)], struct.unpack_from("<H", chunk)[0]


def decoder_seed(code, form, buffers, count):
    """The chunk, with a range and single rows in the middle."""
    head = bytes([code]) + form + struct.pack("<HHHBB", count - 1, count // 3, count // 3, 1, 2)
    return head + b"".join(sized(buffer) for buffer in buffers[:-1]) + buffers[-1]


def save(folder, name, bytes):
    """Unless there is a seed of that name, or the same under another one."""
    folder.mkdir(parents=True, exist_ok=True)
    others = (path for path in folder.iterdir() if path.stat().st_size == len(bytes))
    if not (folder / name).exists() and all(path.read_bytes() != bytes for path in others):
        (folder / name).write_bytes(bytes)


def save_split(message, label, buffers, count):
    """What stands below general compression, if it is split bytes."""
    general = next(iter(fields(message)))[1]
    inner = get(general, 3)
    form, kind = encoding(inner)
    if kind != SPLIT:
        return
    if get(get(general, 1), 1) == 1:
        size, codec, at = struct.unpack_from("<I", buffers[0])[0], "lz4_raw", 4
    else:
        size, codec, at = struct.unpack_from("<Q", buffers[0])[0], "zstd", 8
    plain = pa.decompress(buffers[0][at:], size, codec=codec, asbytes=True)
    save(ENCODINGS / "byte_stream_split", label, decoder_seed(type_code(inner), form, [plain], count))


def save_value(label, page, layout):
    """The first row's value of a full-zip page with values of any length."""
    bits = get(layout, 1, 0) + get(layout, 2, 0)
    at = 0 if bits == 0 else 1 if bits <= 8 else 2 if bits <= 16 else 4
    width = get(layout, 4) // 8
    size = int.from_bytes(page.buffers[0][at : at + width], "little")
    value = page.buffers[0][at + width : at + width + size]
    form, kind = encoding(get(layout, 7))
    if kind == PACKED_TEXT:
        seed = b"\1" + form + bytes([len(value)]) + value
        save(ENCODINGS / "packed_struct", label, seed)
    if kind in (FSST, GENERAL):
        save(ENCODINGS / "single_value_decoder", label, form + value)


def save_pages(name, file, version):
    """The file taken apart, as a seed of its first page's layout."""
    first = next((page for column in range(file.num_columns) for page in file.pages(column)), None)
    if version == "2.0":
        folder = "array_page"
    elif first is None:
        return
    else:
        tag = next(iter(fields(first.layout)))[0]
        folder = {1: "mini_block_page", 2: "constant_page", 3: "full_zip_page", 4: "blob_page"}[tag]
    save(HERE / folder, name, take_apart(file, version))


def save_parts(name, file, version):
    for column in range(file.num_columns):
        save(HERE / "column_metadata", f"{name}_{column}", struct.pack("<I", len(file.bytes)) + file.columns[column])
        if version == "2.0":
            continue
        for p, page in enumerate(file.pages(column)):
            (field, layout) = next(iter(fields(page.layout)))
            if field == 3 and get(layout, 4) is not None:
                save_value(f"{name}_{column}_{p}", page, layout)
            if field != 1:
                continue
            _, _, levels, num_levels = next(chunks(page, layout))
            level_messages = [m for m in (get(layout, 1), get(layout, 2)) if m is not None]
            for i, (message, level_bytes) in enumerate(zip(level_messages, levels)):
                head = encoding(message)[0] + struct.pack("<HQ", num_levels, 2 * num_levels)
                save(ENCODINGS / "levels", f"{name}_{column}_{p}_{i}", head + level_bytes)
            value_message = get(layout, 3)
            form, kind = encoding(value_message)
            if kind == PACKED:
                buffers, count, *_ = next(chunks(page, layout))
                seed = b"\0" + form + struct.pack("<H", count - 1) + buffers[0]
                save(ENCODINGS / "packed_struct", f"{name}_{column}_{p}", seed)
            code = type_code(value_message)
            label = f"{name}_{column}_{p}"
            if get(layout, 4) is not None:
                items_form, _ = encoding(get(layout, 4))
                num_items = get(layout, 5, 0)
                items = page.buffers[2]
                save(ENCODINGS / "block", label, items_form + struct.pack("<I", num_items) + items)
                for buffers, count, *_ in chunks(page, layout):
                    if len(buffers) > 1 or count > 4096:
                        continue
                    items_type = type_code(get(layout, 4))
                    if items_type is None:
                        continue
                    head = bytes([items_type]) + form + items_form + struct.pack("<I", num_items)
                    rows = struct.pack("<HHHB", count - 1, count // 3, count // 3, 2)
                    save(ENCODINGS / "dictionary", label, head + rows + sized(items) + buffers[0])
                    break
            if code is None or kind not in NAMES:
                continue
            for buffers, count, *_ in chunks(page, layout):
                seed = decoder_seed(code, form, buffers, count)
                prefix = b"\4" if kind == INLINE else b""
                save(ENCODINGS / NAMES[kind], label, prefix + seed)
                if kind == GENERAL:
                    scheme = get(get(next(iter(fields(value_message)))[1], 1), 1)
                    save(ENCODINGS / "compression", label, bytes([scheme - 1]) + struct.pack("<I", 1 << 20) + buffers[0])
                    save_split(value_message, label, buffers, count)
                break


def main():
    for first, to_first in ((0, 0), (3, 3), (1, 6), (64, 5), (7, 130)):
        seed = struct.pack("<HH", first, to_first) + bytes(range(0, 250, 9))
        save(ENCODINGS / "bits", f"from_{first}_to_{to_first}", seed)
    for name, version, written in written_files():
        file = File(written)
        save(HERE / "file", name + ".lance", written)
        print(f"{name}: {len(written)} bytes")
        if name.startswith(("int64_flat", "struct_2", "no_rows")):
            save(HERE / "footer", name, struct.pack("<Q", 2 * len(written)) + written[file.column_table :])
        if version == "2.2":
            save(HERE / "schema", name, file.descriptor)
        # What differs between types is their names in the schema.
        if not name.startswith("type_"):
            save_pages(name, file, version)
            save_parts(name, file, version)


if __name__ == "__main__":
    main()
