"""Blobs of a data file that is written by hand: their files, and arrays that say where they lie.

Who writes data files himself (LanceFileWriter) opens writers of the files of blobs beside them with
LanceFileSession, and writes what describes the blobs in place of their bytes. The names and
exceptions are those of pylance 14.0.2.
"""

import dataclasses
import operator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_TYPE = pa.struct(
    [
        ("kind", pa.uint8()),
        ("data", pa.large_binary()),
        ("uri", pa.utf8()),
        ("blob_id", pa.uint32()),
        ("blob_size", pa.uint64()),
        ("position", pa.uint64()),
    ]
)
_EXTENSION = {b"ARROW:extension:name": b"lance.blob.v2"}
_INLINE, _PACKED, _DEDICATED = range(3)
_MANAGED, _MANAGED_WITH_BASE = 4, 5


class BlobDescriptor:
    """Where a blob lies that was written to a file beside a data file. Writers make them."""

    __slots__ = ("_row",)

    def __init__(self):
        raise TypeError("writers of blobs make BlobDescriptors: nobody else does")

    @classmethod
    def _of(cls, **row):
        made = cls.__new__(cls)
        made._row = row or None
        return made

    def __eq__(self, other):
        return isinstance(other, BlobDescriptor) and self._row == other._row

    def __hash__(self):
        return hash(None if self._row is None else tuple(self._row.items()))

    def __repr__(self):
        if self._row is None:
            return "Null"
        row = self._row
        if row["kind"] == _DEDICATED:
            return f"Dedicated {{ blob_id: {row['blob_id']}, size: {row['blob_size']} }}"
        return (
            f"Packed {{ blob_id: {row['blob_id']}, offset: {row['position']}, "
            f"size: {row['blob_size']} }}"
        )


def _field(name):
    return pa.field(name, _TYPE, metadata=_EXTENSION)


def _to_number(name, value, most):
    number = operator.index(value)
    if not 0 <= number <= most:
        raise OverflowError(f"{name} must be from 0 to {most}, but is {number}")
    return number


def _to_blob_id(value):
    number = _to_number("blob_id", value, 2**32 - 1)
    if number == 0:
        raise ValueError("blob id 0 is no number of a file: they begin with 1")
    return number


def _to_range(offset, size):
    offset = _to_number("offset", offset, 2**64 - 1)
    size = _to_number("size", size, 2**64 - 1)
    if offset + size >= 2**64:
        raise ValueError(f"{size} bytes at {offset}: no file has so many")
    return offset, size


def _to_bytes(data):
    if isinstance(data, str):
        raise TypeError("data must be bytes, not a str")
    return memoryview(data).cast("B")


class BlobDescriptorArrayBuilder:
    """Builds the column of blobs of a data file, value by value.

    The array goes to a LanceFileWriter, in a batch whose field is `field`. What it says of files
    beside the data file is not looked at before a blob is read.
    """

    def __init__(self, column):
        self._rows = []
        self._field = _field(column)
        self._finished = False

    @property
    def field(self):
        """The field of the column."""
        return self._field

    def append(self, value):
        """A BlobDescriptor."""
        self._check_open()
        if not isinstance(value, BlobDescriptor):
            raise TypeError(f"value must be a BlobDescriptor, not {type(value).__name__}")
        self._rows.append(value._row)

    def extend(self, values):
        """Several BlobDescriptors; all of them or, if one is none, no value at all."""
        values = list(values)
        for value in values:
            if not isinstance(value, BlobDescriptor):
                raise TypeError(f"values must be BlobDescriptors, not {type(value).__name__}")
        for value in values:
            self.append(value)

    def append_null(self):
        self._check_open()
        self._rows.append(None)

    def append_inline(self, data):
        """Bytes that the data file shall have."""
        self._check_open()
        self._rows.append({"kind": _INLINE, "data": bytes(_to_bytes(data))})

    def append_dedicated(self, blob_id, size):
        """All `size` bytes of the file `blob_id`."""
        self._check_open()
        size = _to_number("size", size, 2**64 - 1)
        row = {"kind": _DEDICATED, "blob_id": _to_blob_id(blob_id), "blob_size": size}
        self._rows.append(row)

    def extend_packed(self, blob_id, offsets, sizes):
        """A blob for each offset and size in the file `blob_id`."""
        self._check_open()
        blob_id = _to_blob_id(blob_id)
        offsets, sizes = _to_list(offsets), _to_list(sizes)
        if len(offsets) != len(sizes):
            raise ValueError(f"there are {len(offsets)} offsets, but {len(sizes)} sizes")
        ranges = [_to_range(offset, size) for offset, size in zip(offsets, sizes)]
        self._rows.extend(
            {"kind": _PACKED, "blob_id": blob_id, "blob_size": size, "position": offset}
            for offset, size in ranges
        )

    def append_managed(self, uri, offset, size, *, base_id=None):
        """Bytes of an object that the table keeps account of. No file can be written with it yet:
        LanceFileWriter raises NotImplementedError.
        """
        self._check_open()
        parts = uri.split("/")
        if ":" in parts[0] or any(part in ("", ".", "..") for part in parts):
            raise ValueError(f"uri must be the path of an object below a folder, not {uri!r}")
        offset, size = _to_range(offset, size)
        row = {"uri": uri, "blob_size": size, "position": offset}
        if base_id is None:
            row |= {"kind": _MANAGED}
        else:
            row |= {
                "kind": _MANAGED_WITH_BASE,
                "blob_id": _to_number("base_id", base_id, 2**32 - 1),
            }
        self._rows.append(row)

    def finish(self):
        """The array. The builder is of no further use."""
        self._check_open()
        self._finished = True
        return pa.array(self._rows, _TYPE)

    def _check_open(self):
        if self._finished:
            raise ValueError("this BlobDescriptorArrayBuilder is finished already")


def _to_list(values):
    return values.to_pylist() if hasattr(values, "to_pylist") else list(values)


class _BlobWriter:
    """A file of blobs while it is written."""

    def __init__(self, inner, blob_id):
        self._inner = inner
        self._blob_id = blob_id

    @classmethod
    def _of(cls, inner, blob_id):
        made = cls.__new__(cls)
        _BlobWriter.__init__(made, inner, blob_id)
        return made

    def _open(self):
        if self._inner is None:
            raise ValueError(f"this {type(self).__name__} is finished already")
        return self._inner

    @property
    def blob_id(self):
        """The number of the file."""
        self._open()
        return self._blob_id

    @property
    def path(self):
        """Where the file is in its store."""
        return self._open().path.lstrip("/")

    def _finish(self):
        size = self._open().bytes_written
        self._inner.finish()
        self._inner = None
        return size


class PackedBlobWriter(_BlobWriter):
    """Writes a file of many blobs. Get one from `LanceFileSession.open_packed_blob_writer`.

    The file appears when it is finished; a writer that is let go before leaves nothing.
    """

    _sizes = None
    _field = None

    def __init__(self):
        raise TypeError("LanceFileSession.open_packed_blob_writer makes PackedBlobWriters")

    @property
    def field(self):
        """The field of the column that `finish_array` gave."""
        if self._field is None:
            self._open()
            raise ValueError("the field is known after finish_array")
        return self._field

    def write_blob(self, data):
        """One more blob."""
        data = _to_bytes(data)
        self._open().append(data)
        self._add([data.nbytes])

    def write_blobs(self, payloads):
        """A blob for each value of a binary array of pyarrow's, of any width, or chunked; null
        values are blobs that are null.
        """
        if not isinstance(payloads, (pa.Array, pa.ChunkedArray)):
            raise ValueError(f"payloads must be a binary array, not {type(payloads).__name__}")
        if isinstance(payloads, pa.ChunkedArray):
            for chunk in payloads.chunks:
                self.write_blobs(chunk)
            return
        kind = payloads.type
        is_plain = pa.types.is_binary(kind) or pa.types.is_large_binary(kind)
        if not is_plain and not (
            pa.types.is_binary_view(kind) or pa.types.is_fixed_size_binary(kind)
        ):
            raise ValueError(f"payloads must be a binary array, not one of {kind}")
        writer = self._open()
        if is_plain and len(payloads) > 0 and payloads.null_count == 0:
            # One behind the other, as the file shall have them.
            width = np.int32 if pa.types.is_binary(kind) else np.int64
            _, offsets, data = payloads.buffers()
            first, count = payloads.offset, len(payloads)
            ends = np.frombuffer(offsets, width)[first : first + count + 1]
            if ends[-1] > ends[0]:
                writer.append(memoryview(data)[int(ends[0]) : int(ends[-1])])
            self._add(pc.binary_length(payloads).to_pylist())
            return
        for value in payloads:
            data = None if not value.is_valid else value.as_py()
            if data is not None:
                writer.append(data)
            self._add([None if data is None else len(data)])

    def _add(self, sizes):
        if self._sizes is None:
            self._sizes = []
        self._sizes.extend(sizes)

    def finish(self):
        """The BlobDescriptors of all blobs, in order."""
        return [BlobDescriptor._of(**row) for row in self._finish_rows()]

    def finish_array(self, field_name):
        """The same as an array, a column `field_name` of a LanceFileWriter; see `field`."""
        rows = [row or None for row in self._finish_rows()]
        self._field = _field(field_name)
        return pa.array(rows, _TYPE)

    def _finish_rows(self):
        blob_id, rows, offset = self.blob_id, [], 0
        self._finish()
        for size in self._sizes or []:
            if size is None:
                rows.append({})
                continue
            rows.append(
                {"kind": _PACKED, "blob_id": blob_id, "blob_size": size, "position": offset}
            )
            offset += size
        return rows


class DedicatedBlobWriter(_BlobWriter):
    """Writes a file of one blob, piece by piece. Get one from
    `LanceFileSession.open_dedicated_blob_writer`.

    The file appears when it is finished; a writer that is let go before leaves nothing.
    """

    def __init__(self):
        raise TypeError("LanceFileSession.open_dedicated_blob_writer makes DedicatedBlobWriters")

    def write(self, data):
        """More bytes of the blob."""
        data = _to_bytes(data)
        self._open().append(data)

    def finish(self):
        """The BlobDescriptor of the blob."""
        blob_id = self.blob_id
        return BlobDescriptor._of(kind=_DEDICATED, blob_id=blob_id, blob_size=self._finish())


def open_blob_writer(kind, place, blob_id):
    """A writer of this class for the file `blob_id` beside the data file at `place`."""
    from tusk import _tusk

    return kind._of(_tusk.write_lance_blob_file(place, _to_blob_id(blob_id)), blob_id)


def _is_described(field):
    return field.type == _TYPE and (field.metadata or {}).get(b"ARROW:extension:name") == (
        b"lance.blob.v2"
    )


def _to_library(field):
    metadata = dict(field.metadata)
    del metadata[b"ARROW:extension:name"]
    metadata[b"lance-encoding:blob"] = b"true"
    return field.with_metadata(metadata)


def schema_to_library(schema):
    """`schema` without the extension that Arrow knows with another type: where blobs are
    described.
    """
    if not isinstance(schema, pa.Schema) or not any(map(_is_described, schema)):
        return schema
    fields = [_to_library(field) if _is_described(field) else field for field in schema]
    return pa.schema(fields, schema.metadata)


def to_library(data):
    """Arrow data in memory, or a reader, with the schema of `schema_to_library`."""
    if not isinstance(data, (pa.RecordBatch, pa.Table, pa.RecordBatchReader)):
        return data
    schema = schema_to_library(data.schema)
    if schema is data.schema or schema.equals(data.schema, check_metadata=True):
        return data
    if isinstance(data, pa.RecordBatchReader):
        batches = (pa.RecordBatch.from_arrays(batch.columns, schema=schema) for batch in data)
        return pa.RecordBatchReader.from_batches(schema, batches)
    return type(data).from_arrays(data.columns, schema=schema)
