"""Large values (docs/format/lance_blobs.md): what is written, and files that read a part of one.

The names and exceptions are those of pylance 14.0.2.
"""

import dataclasses
import io
import operator

import pyarrow as pa

from tusk import _tusk
from tusk.blob_descriptors import BlobDescriptor as BlobDescriptor
from tusk.blob_descriptors import BlobDescriptorArrayBuilder as BlobDescriptorArrayBuilder
from tusk.blob_descriptors import DedicatedBlobWriter as DedicatedBlobWriter
from tusk.blob_descriptors import PackedBlobWriter as PackedBlobWriter

# Bytes that a file reads ahead while it is read from front to back.
DEFAULT_BUFFER_SIZE = 512 * 1024

_EXTENSION = "lance.blob.v2"
_FIELDS = [
    ("data", pa.large_binary()),
    ("uri", pa.utf8()),
    ("position", pa.uint64()),
    ("size", pa.uint64()),
]
_MAX_THRESHOLD = (1 << 64) - 1


@dataclasses.dataclass(frozen=True)
class Blob:
    """A value to write: either bytes, or the object at a URI, of which it may be a range.

    A null value is None, not a Blob.
    """

    data: bytes | None = None
    uri: str | None = None
    position: int | None = None
    size: int | None = None

    def __post_init__(self):
        if (self.data is None) == (self.uri is None):
            raise ValueError("a Blob has either data or a uri; a null value is None")
        if self.uri == "":
            raise ValueError("the uri of a Blob must not be empty")
        if (self.position is None) != (self.size is None):
            raise ValueError("a Blob has both position and size, or neither")
        if self.position is not None and self.uri is None:
            raise ValueError("position and size of a Blob are for one with a uri")
        if self.size == 0:
            raise ValueError("the size of a Blob's range must be positive")

    @staticmethod
    def from_bytes(data):
        return Blob(data=bytes(data))

    @staticmethod
    def from_uri(uri, position=None, size=None):
        """`size` bytes from `position` on, or the whole object."""
        for number in (position, size):
            if number is not None and number < 0:
                raise ValueError("position and size of a Blob must not be negative")
        return Blob(uri=uri, position=position, size=size)

    @staticmethod
    def empty():
        """A value of no bytes, which is not null."""
        return Blob(data=b"")


class BlobType(pa.ExtensionType):
    """Arrow's type of columns of blobs: struct<data, uri, position, size>, or the first two.

    Reads give where the bytes lie instead, unless they are asked for bytes.
    """

    def __init__(self):
        super().__init__(pa.struct(_FIELDS), _EXTENSION)

    @classmethod
    def _of_storage(cls, storage_type):
        fields = list(storage_type) if pa.types.is_struct(storage_type) else []
        names_and_types = [(field.name, field.type) for field in fields]
        if names_and_types not in (_FIELDS, _FIELDS[:2]):
            raise TypeError(
                f"{_EXTENSION} is struct<data: large_binary, uri: string> or the same with "
                f"position: uint64 and size: uint64, not {storage_type}"
            )
        if not all(field.nullable for field in fields[:2]):
            raise TypeError(f"data and uri of {_EXTENSION} must be nullable")
        blob_type = cls.__new__(cls)
        pa.ExtensionType.__init__(blob_type, storage_type, _EXTENSION)
        return blob_type

    def __arrow_ext_serialize__(self):
        return b""

    @classmethod
    def __arrow_ext_deserialize__(cls, storage_type, serialized):
        return cls._of_storage(storage_type)

    def __arrow_ext_class__(self):
        return BlobArray

    def __reduce__(self):
        return BlobType._of_storage, (self.storage_type,)


class BlobArray(pa.ExtensionArray):
    """Blobs to write."""

    @classmethod
    def from_pylist(cls, values):
        """From bytes-like objects, URIs (str), Blobs and None."""
        blobs = [_to_blob(value) for value in values]
        columns = [
            pa.array([getattr(blob, name, None) for blob in blobs], type) for name, type in _FIELDS
        ]
        is_null = pa.array([blob is None for blob in blobs], pa.bool_())
        names = [name for name, _ in _FIELDS]
        storage = pa.StructArray.from_arrays(columns, names=names, mask=is_null)
        return pa.ExtensionArray.from_storage(BlobType(), storage)


def _to_blob(value):
    if value is None or isinstance(value, Blob):
        return value
    if isinstance(value, str):
        return Blob(uri=value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return Blob(data=bytes(value))
    # pylance's own, where both packages are at work.
    if all(hasattr(value, name) for name, _ in _FIELDS):
        return Blob(value.data, value.uri, value.position, value.size)
    raise TypeError(f"a blob is bytes-like, str (a URI), Blob or None, not {type(value).__name__}")


def blob_array(values):
    """An array of blobs, from bytes-like objects, URIs (str), Blobs and None."""
    return BlobArray.from_pylist(values)


def is_blob_field(field):
    """Whether a column of a table has blobs, of either version."""
    marked = (field.metadata or {}).get(b"lance-encoding:blob") == b"true"
    return marked or getattr(field.type, "extension_name", None) == _EXTENSION


def _to_threshold(name, value, least):
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be an int, not {type(value).__name__}")
    if value < least:
        raise ValueError(f"{name} must be at least {least}, but is {value}")
    if value > _MAX_THRESHOLD:
        raise OverflowError(f"{name} must be less than 2^64, but is {value}")
    return str(value)


def blob_field(
    name,
    *,
    nullable=True,
    inline_size_threshold=None,
    dedicated_size_threshold=None,
    pack_file_size_threshold=None,
):
    """A field of a schema for blobs.

    inline_size_threshold: values of at most so many bytes lie in the data file; 64 KiB if None.
    dedicated_size_threshold: larger ones have a file each; 4 MiB if None. It is looked at first.
        Those between share files beside the data file.
    pack_file_size_threshold: such a file ends before it would have more bytes; 1 GiB if None.
    """
    thresholds = [
        ("inline_size_threshold", inline_size_threshold, 0),
        ("dedicated_size_threshold", dedicated_size_threshold, 1),
        ("pack_file_size_threshold", pack_file_size_threshold, 1),
    ]
    metadata = {
        "lance-encoding:blob-" + name.replace("_", "-"): _to_threshold(name, value, least)
        for name, value, least in thresholds
        if value is not None
    }
    return pa.field(name, BlobType(), nullable=nullable, metadata=metadata or None)


class BlobIterator:
    """Values of a binary column as files."""

    def __init__(self, binary_iter):
        self.binary_iter = binary_iter

    def __iter__(self):
        return self

    def __next__(self):
        value = next(self.binary_iter)
        # As pylance, an empty file of a null value.
        return io.BytesIO(value.as_py() or b"")


class BlobColumn:
    """Iterates over a binary column that is in memory as over files."""

    def __init__(self, blob_column):
        if not isinstance(blob_column, (pa.Array, pa.ChunkedArray)):
            raise ValueError(f"expected an array of pyarrow, got {type(blob_column)}")
        if not (pa.types.is_binary(blob_column.type) or pa.types.is_large_binary(blob_column.type)):
            raise ValueError(f"expected a binary array, got {blob_column.type}")
        self.blob_column = blob_column

    def __iter__(self):
        return BlobIterator(iter(self.blob_column))


class BlobFile(io.BufferedIOBase):
    """A blob of a table as a file that can only be read. Get them from `LanceDataset.take_blobs`.

    Nothing is read before it is asked for. While it is read from front to back, up to
    `buffer_size` bytes are read ahead; after a seek just what is asked for is read.
    `read_range` and `read_ranges` do not move the position. Not for several threads at once, but
    for those two.
    """

    def __init__(self, inner, buffer_size=DEFAULT_BUFFER_SIZE):
        super().__init__()
        self._inner = inner
        self._buffer_size = check_buffer_size(buffer_size)
        self._size = inner.size
        self._position = 0
        self._expected = None  # the position at which the next read goes on with the last one
        self._ahead = b""
        self._ahead_begin = 0

    def size(self):
        """How many bytes the blob has."""
        return self._size

    def readable(self):
        return True

    def seekable(self):
        return True

    def tell(self):
        self._check_open()
        return self._position

    def seek(self, offset, whence=io.SEEK_SET):
        self._check_open()
        bases = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}
        if whence not in bases:
            raise ValueError(f"whence must be 0, 1 or 2, not {whence}")
        position = bases[whence] + operator.index(offset)
        if position < 0:
            raise ValueError(f"cannot seek to {position}")
        self._position = position
        return position

    def read(self, size=-1):
        self._check_open()
        left = max(self._size - self._position, 0)
        size = left if size is None or size < 0 else min(size, left)
        if size == 0:
            return b""
        begin = self._position
        data = self._buffered(begin, size)
        if data is None:
            data = self._inner.read(begin, size)
        self._expected = self._position = begin + size
        return data

    def read1(self, size=-1):
        if size is None or size < 0:
            size = io.DEFAULT_BUFFER_SIZE
        return self.read(size)

    def readall(self):
        return self.read()

    def readinto(self, b):
        self._check_open()
        view = memoryview(b).cast("B")
        if view.readonly:
            raise TypeError(f"cannot read into a {type(b).__name__}: it is read-only")
        size = min(len(view), max(self._size - self._position, 0))
        if size == 0:
            return 0
        begin = self._position
        data = self._buffered(begin, size)
        if data is None:
            self._inner.read_into(begin, view[:size])
        else:
            view[:size] = data
        self._expected = self._position = begin + size
        return size

    readinto1 = readinto

    def read_range(self, offset, length):
        """Bytes of the blob, wherever the position is."""
        self._check_open()
        check_range(offset, length)
        return self._inner.read(offset, length)

    def read_ranges(self, ranges):
        """The bytes of each (offset, length), all read at once, wherever the position is."""
        self._check_open()
        ranges = [tuple(range) for range in ranges]
        for offset, length in ranges:
            check_range(offset, length)
        return self._inner.read_ranges(ranges)

    def _buffered(self, begin, size):
        """The bytes from what was or is now read ahead; None if they are better read alone."""
        at = begin - self._ahead_begin
        if 0 <= at and at + size <= len(self._ahead):
            return self._ahead[at : at + size]
        if begin != self._expected or size >= self._buffer_size:
            return None
        length = min(self._buffer_size, self._size - begin)
        self._ahead = self._inner.read(begin, length)
        self._ahead_begin = begin
        return self._ahead[:size]

    def close(self):
        self._ahead = b""
        super().close()

    @property
    def closed(self):
        """Whether it was closed: reads then raise ValueError."""
        return super().closed

    def _check_open(self):
        if self.closed:
            raise ValueError("the file of this blob is closed")

    def __repr__(self):
        return f"<BlobFile size={self._size}>"


def check_range(offset, length):
    if offset < 0 or length < 0:
        raise OverflowError(f"offset {offset} and length {length} must not be negative")


def check_buffer_size(buffer_size):
    if isinstance(buffer_size, bool) or not isinstance(buffer_size, int):
        raise TypeError(f"buffer_size must be an int, not {type(buffer_size).__name__}")
    if buffer_size < 0:
        raise ValueError(f"buffer_size must not be negative, but is {buffer_size}")
    return buffer_size


def _register():
    try:
        pa.register_extension_type(BlobType())
    except pa.ArrowKeyError:
        pass  # pylance was here before


_register()


def _to_rows(ids, addresses, indices):
    """The one of the three that is given, with its name."""
    given = {"ids": ids, "addresses": addresses, "indices": indices}
    given = {name: rows for name, rows in given.items() if rows is not None}
    if len(given) != 1:
        raise ValueError("give exactly one of ids, addresses and indices")
    ((name, rows),) = given.items()
    if hasattr(rows, "to_pylist"):
        rows = rows.to_pylist()
    return name, [_to_row(row) for row in rows]


def _to_row(number):
    number = operator.index(number)
    if number < 0:
        raise OverflowError(f"cannot take the blob of row {number}: it is negative")
    return number


class TableBlobs:
    """Reading the blobs of a Lance table, as a part of LanceDataset."""

    def take_blobs(
        self,
        blob_column,
        ids=None,
        addresses=None,
        indices=None,
        *,
        buffer_size=DEFAULT_BUFFER_SIZE,
    ):
        """Files of the blobs of some rows, in the order asked; None for null values.

        blob_column: the column, or the path of a field inside of structs.
        ids, addresses, indices: the rows, by row id, row address or position; one of the three.
        buffer_size: see BlobFile.

        To read all bytes of the blobs, `read_blobs` is faster.
        """
        check_buffer_size(buffer_size)
        name, rows = _to_rows(ids, addresses, indices)
        blobs = _tusk.take_blobs(self._table, blob_column, name, rows)
        return [None if blob is None else BlobFile(blob, buffer_size) for blob in blobs]

    def read_blobs(
        self,
        blob_column,
        ids=None,
        addresses=None,
        indices=None,
        *,
        io_buffer_size=None,
        preserve_order=None,
    ):
        """Pairs of row address and bytes of the blobs of some rows, in the order asked.

        The bytes are None for null values. Rows as in `take_blobs`. io_buffer_size and
        preserve_order are accepted and change nothing: the order is always kept.
        """
        _check_io_buffer_size(io_buffer_size)
        name, rows = _to_rows(ids, addresses, indices)
        return _tusk.read_blobs(self._table, blob_column, name, rows)

    def _take_with_bytes(self, rows, columns):
        """As `take`, with the bytes of blobs, as large_binary, where `take` has descriptors."""
        from tusk.scanner import to_columns  # which imports this module

        paths, expressions = to_columns(columns, (list, tuple))
        rows = [int(row) for row in rows]
        return pa.table(_tusk.take_blob_bytes(self._table, rows, paths, expressions))

    def read_blob_ranges(
        self, blob_column, requests, *, selector, io_buffer_size=None, preserve_order=None
    ):
        """Reads a range of each of many blobs at once: `requests` are (row, offset, length).

        selector: what the rows are: "ids", "addresses" or "indices". Gives (number of the request,
        row address, bytes) for each, in their order; the bytes are None for null values. What is
        not inside of its blob raises ValueError. Hints as in `read_blobs`.
        """
        if selector not in ("ids", "addresses", "indices"):
            raise ValueError(f"selector must be ids, addresses or indices, not {selector!r}")
        _check_io_buffer_size(io_buffer_size)
        checked = []
        for row, offset, length in requests:
            check_range(offset, length)
            checked.append((_to_row(row), offset, length))
        return _tusk.read_blob_ranges(self._table, blob_column, selector, checked)


def _check_io_buffer_size(io_buffer_size):
    if io_buffer_size is not None and io_buffer_size <= 0:
        raise ValueError(f"io_buffer_size must be positive, but is {io_buffer_size}")


def to_blob_options(external_mode, allow_outside_bases, pack_file_bytes):
    """What write_dataset was told of blobs, as the library takes it."""
    if external_mode not in ("reference", "ingest"):
        raise ValueError(f"external_blob_mode must be reference or ingest, not {external_mode!r}")
    options = _tusk.LanceBlobWriteOptions()
    options.ingest_external = external_mode == "ingest"
    options.allow_external_outside_bases = allow_outside_bases
    options.pack_file_bytes = pack_file_bytes
    return options
