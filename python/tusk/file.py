"""Lance files on their own, in the names, defaults and exceptions of pylance 14.0.2."""

import copy
import dataclasses
import os

import pyarrow as pa

from tusk import _tusk
from tusk._arrow import IOStats, check_not_negative, refuse
from tusk.blob_descriptors import (
    DedicatedBlobWriter,
    PackedBlobWriter,
    open_blob_writer,
    schema_to_library,
    to_library,
)
from tusk.made import made

# pylance gives batches of exactly the rows asked for, however wide they are.
_ANY_SIZE = 2**62
# Bytes of a chunk of a table.
_PIECE_BYTES = 8 << 20


@made
@dataclasses.dataclass(frozen=True)
class LanceBufferDescriptor:
    """Where a buffer is in its file."""

    position: int
    size: int


@made
@dataclasses.dataclass(frozen=True)
class LancePageMetadata:
    """A page of a column; `encoding` is text for people, in words of our own."""

    buffers: list
    encoding: str


@made
@dataclasses.dataclass(frozen=True)
class LanceColumnMetadata:
    """A physical column: a leaf of the schema, as a rule."""

    column_buffers: list
    pages: list


@made
@dataclasses.dataclass(frozen=True)
class LanceFileMetadata:
    """What a file says of itself. `global_buffers` begin with the file's descriptor."""

    schema: pa.Schema
    num_rows: int
    num_data_bytes: int
    num_column_metadata_bytes: int
    num_global_buffer_bytes: int
    global_buffers: list
    columns: list
    major_version: int
    minor_version: int


@dataclasses.dataclass(frozen=True)
class LanceColumnStatistics:
    """Pages of a physical column, and the bytes of their buffers."""

    num_pages: int
    size_bytes: int


@made
@dataclasses.dataclass(frozen=True)
class LanceFileStatistics:
    """One LanceColumnStatistics for each physical column."""

    columns: list


def _page(page):
    return LancePageMetadata._of(_buffers(page.buffers), page.encoding)


def _buffers(pairs):
    return [LanceBufferDescriptor._of(position, size) for position, size in pairs]


def stable_version():
    """The data version that is written unless another is asked for."""
    return "2.2"


@dataclasses.dataclass
class ListResult:
    """The folders and files right below a folder, as paths below the session's."""

    common_prefixes: list
    objects: list


class ReaderResults:
    """The rows of a read, not yet read."""

    def __init__(self, reader):
        self._stream = None
        self._reader = reader

    @classmethod
    def _of(cls, read, options, rows):
        """The rows that `read` gives by `options`. For a table of more than a batch it reads pieces
        that are larger than batches.
        """
        results = cls(None)
        results._stream = read(options)
        if rows <= options.batch_rows:
            results._read_pieces = lambda: results._stream
            return results
        options = copy.copy(options)
        options.batch_rows = _ANY_SIZE
        options.batch_bytes = _PIECE_BYTES
        results._read_pieces = lambda: read(options)
        return results

    @property
    def reader(self):
        if self._reader is None:
            self._reader = pa.RecordBatchReader.from_stream(self._stream)
            self._stream = None
        return self._reader

    def to_batches(self):
        """A pyarrow.RecordBatchReader that reads as it goes."""
        return self.reader

    def to_table(self):
        """All rows as a pyarrow.Table."""
        if self._stream is None:
            return self.reader.read_all()
        # Read without the C stream, which carries the text of an error alone.
        table = pa.table(self._read_pieces().read_all())
        self._stream = None
        self._reader = pa.RecordBatchReader.from_batches(table.schema, [])
        return table


class LanceFileReader:
    """An open Lance file.

    storage_options: {"memory_map": "true"} reads without a copy, out of a map of the file; see
        `tusk.dataset`.
    columns: names of the columns to read, all if None. They are the columns of every read, but
        metadata() and file_statistics() tell of the whole file.
    """

    def __init__(
        self,
        path,
        storage_options=None,
        columns=None,
        *,
        namespace_client=None,
        table_id=None,
        _inner_reader=None,
    ):
        refuse(
            "LanceFileReader",
            {
                "namespace_client": namespace_client,
                "table_id": table_id,
            },
        )
        self._io_seen = IOStats(0, 0, 0, 0)
        self._file = _inner_reader or _tusk.open_lance_file(os.fspath(path), storage_options or {})
        if isinstance(columns, str):
            raise TypeError("columns must be a list of names, not a str")
        # pylance reads a column once, however often it is named.
        self._columns = None if columns is None else list(dict.fromkeys(columns))
        # A column that is not there is told here and not at the first read.
        self._file.projected_schema(self._options(1, 1, None))

    def _options(self, batch_size, batch_readahead, batch_size_bytes):
        check_not_negative("batch_size", batch_size)
        check_not_negative("batch_readahead", batch_readahead)
        if self._columns == []:
            raise ValueError("no columns to read: name one at least, or none to read all")
        if batch_readahead == 0:
            raise ValueError("batch_readahead must be positive")
        options = _tusk.LanceFileReadOptions()
        options.columns = self._columns
        options.batch_rows = batch_size
        options.batch_bytes = _ANY_SIZE if batch_size_bytes is None else batch_size_bytes
        return options

    def read_all(self, *, batch_size=1024, batch_readahead=16, batch_size_bytes=None):
        """All rows. Parameters as in `read_range`."""
        return self.read_range(
            0,
            self._file.num_rows,
            batch_size=batch_size,
            batch_readahead=batch_readahead,
            batch_size_bytes=batch_size_bytes,
        )

    def read_range(
        self, start, num_rows, *, batch_size=1024, batch_readahead=16, batch_size_bytes=None
    ):
        """The rows from `start` on. ValueError if the file does not have them all.

        batch_size: rows of each batch but the last.
        batch_readahead: a hint that changes nothing; reading goes ahead within a budget of bytes.
        batch_size_bytes: batches are cut shorter to stay near so many bytes.
        """
        check_not_negative("start", start)
        check_not_negative("num_rows", num_rows)
        options = self._options(batch_size, batch_readahead, batch_size_bytes)
        return ReaderResults._of(lambda by: self._file.read(start, num_rows, by), options, num_rows)

    def take_rows(self, indices, *, batch_size=1024, batch_readahead=16, batch_size_bytes=None):
        """The rows with these numbers, ascending and each once.

        Further parameters as in `read_range`.
        """
        if isinstance(indices, (pa.Array, pa.ChunkedArray)):
            indices = indices.to_pylist()
        elif hasattr(indices, "tolist"):
            indices = indices.tolist()
        indices = list(indices)
        for before, index in zip(indices, indices[1:]):
            if before >= index:
                raise ValueError(f"rows of a file are taken in ascending order: {before}, {index}")
        if indices:
            check_not_negative("a row number", indices[0])
        options = self._options(batch_size, batch_readahead, batch_size_bytes)
        return ReaderResults._of(lambda by: self._file.take(indices, by), options, len(indices))

    def metadata(self):
        """A LanceFileMetadata of the whole file."""
        file = self._file.describe()
        columns = [
            LanceColumnMetadata._of(
                _buffers(column.buffers),
                [_page(page) for page in column.pages],
            )
            for column in file.columns
        ]
        return LanceFileMetadata._of(
            pa.schema(file.schema),
            file.num_rows,
            file.num_data_bytes,
            file.num_column_metadata_bytes,
            file.num_global_buffer_bytes,
            _buffers(file.global_buffers),
            columns,
            file.footer_major,
            file.footer_minor,
        )

    def file_statistics(self):
        """A LanceFileStatistics of the whole file."""
        columns = self._file.describe().columns
        return LanceFileStatistics._of(
            [
                LanceColumnStatistics(len(c.pages), sum(p.num_bytes for p in c.pages))
                for c in columns
            ]
        )

    def read_global_buffer(self, index):
        """The bytes of a global buffer; number 0 is the file's descriptor."""
        check_not_negative("index", index)
        return self._file.read_global_buffer(index)

    def num_rows(self):
        return self._file.num_rows

    def io_stats_snapshot(self):
        """What was read through this object so far, its opening included."""
        return IOStats.of(self._file.io)

    def io_stats_incremental(self):
        """What was read through this object since the last call."""
        now = self.io_stats_snapshot()
        seen, self._io_seen = self._io_seen, now
        return now - seen


class LanceFileSession:
    """Opens Lance files below a folder and keeps what it knows of them within a budget.

    A file that is opened again needs no more metadata from the store. Paths are below `base_path`;
    ValueError for one that would leave it. `storage_options` are as in `LanceFileReader`.
    """

    def __init__(self, base_path, storage_options=None, namespace_client=None, table_id=None):
        refuse(
            "LanceFileSession",
            {
                "namespace_client": namespace_client,
                "table_id": table_id,
            },
        )
        self._base = _tusk.resolve(os.fspath(base_path), storage_options or {})
        self._session = _tusk.LanceFileSession(self._base)

    def open_reader(self, path, columns=None):
        """A LanceFileReader of the file `path`."""
        return LanceFileReader(None, columns=columns, _inner_reader=self._session.open(path))

    def open_writer(
        self,
        path,
        *,
        schema=None,
        data_cache_bytes=None,
        version=None,
        keep_original_array=None,
        max_page_bytes=None,
    ):
        """A LanceFileWriter of the file `path`, with its parameters."""
        options = _writer_options(data_cache_bytes, version, max_page_bytes)
        place = self._base.below(path)
        writer = _tusk.write_lance_file(place, schema_to_library(schema), options)
        return LanceFileWriter(None, _inner_writer=writer)

    def open_packed_blob_writer(self, path, blob_id):
        """A PackedBlobWriter of the file of blobs `blob_id` beside the data file `path`."""
        return open_blob_writer(PackedBlobWriter, self._base.below(path), blob_id)

    def open_dedicated_blob_writer(self, path, blob_id):
        """A DedicatedBlobWriter of the file of blobs `blob_id` beside the data file `path`."""
        return open_blob_writer(DedicatedBlobWriter, self._base.below(path), blob_id)

    def contains(self, path):
        """Whether there is a file `path`."""
        try:
            self._base.below(path).size()
        except FileNotFoundError:
            return False
        return True

    def _folder(self, path):
        return self._base if path is None or not path.strip("/") else self._base.below(path)

    def _below_base(self, paths):
        return [path.removeprefix(self._base.path).lstrip("/") for path in paths]

    def list(self, path=None):
        """All files below the folder `path`, at any depth, ascending; none if it is not there."""
        return self._below_base(self._folder(path).list())

    def list_with_delimiter(self, path=None):
        """The folders that hold a file and the files right below the folder `path`."""
        folder = self._folder(path)
        inside = len(folder.path.rstrip("/")) + 1
        folders = {}
        files = []
        for found in folder.list():
            name, slash, _ = found[inside:].partition("/")
            if slash:
                folders[found[:inside] + name] = None
            else:
                files.append(found)
        return ListResult(self._below_base(folders), self._below_base(files))

    def read_range(self, path, offset, length):
        """Bytes of the file `path`. OSError if there is none or it does not have them all."""
        check_not_negative("offset", offset)
        check_not_negative("length", length)
        return self._base.below(path).read(offset, length)

    def delete_file(self, path):
        """Deletes the file `path`. OSError if there is none."""
        file = self._base.below(path)
        file.size()
        file.delete()

    def upload_file(self, local_path, remote_path):
        """Copies a file of this machine to `remote_path`."""
        _tusk.resolve(os.fspath(local_path)).copy_to(self._base.below(remote_path))

    def download_file(self, remote_path, local_path):
        """Copies the file `remote_path` to one of this machine."""
        self._base.below(remote_path).copy_to(_tusk.resolve(os.fspath(local_path)))


def _writer_options(data_cache_bytes, version, max_page_bytes):
    options = _tusk.LanceOutputFileOptions()
    check_not_negative("data_cache_bytes", data_cache_bytes or 0)
    check_not_negative("max_page_bytes", max_page_bytes or 0)
    options.pages.data_cache_bytes = data_cache_bytes
    options.pages.max_page_bytes = max_page_bytes
    if version is not None:
        options.data_storage_version = version
    return options


class LanceFileWriter:
    """Writes one Lance file, batch by batch; `size_bytes` is its size once it is closed.

    The file appears when it is closed, and replaces one that was there. A writer that is let go
    before, or whose `with` block ends in an exception, leaves nothing. (pylance ends a file with
    what it has then.)

    schema: a pyarrow.Schema; that of the first batch if None.
    data_cache_bytes: Arrow bytes to gather over all columns; 8 MiB for each column if None.
    version: "2.2" or "stable", which is 2.2. NotImplementedError for others that there are,
        ValueError for what is no version.
    storage_options: as in `LanceFileReader`.
    max_page_bytes: Arrow bytes of a page; 32 MiB if None. A column's rows become a page when they
        reach that or the column's share of data_cache_bytes, at least 64 KiB.
    keep_original_array: changes nothing here.

    NotImplementedError, naming the column, for a type that cannot be stored, before anything is
    written.
    """

    def __init__(
        self,
        path,
        schema=None,
        *,
        data_cache_bytes=None,
        version=None,
        storage_options=None,
        namespace_client=None,
        table_id=None,
        max_page_bytes=None,
        _inner_writer=None,
        **kwargs,
    ):
        unknown = kwargs.keys() - {"keep_original_array"}
        if unknown:
            raise TypeError(f"LanceFileWriter has no parameter {sorted(unknown)[0]!r}")
        refuse("LanceFileWriter", {"namespace_client": namespace_client, "table_id": table_id})
        self.closed = False
        self.size_bytes = None
        self._writer = _inner_writer
        if _inner_writer is None:
            options = _writer_options(data_cache_bytes, version, max_page_bytes)
            place = _tusk.resolve(os.fspath(path), storage_options or {})
            self._writer = _tusk.write_lance_file(place, schema_to_library(schema), options)

    def write_batch(self, batch):
        """Writes the rows of a RecordBatch, a Table or another Arrow stream.

        Columns go by name, in any order; those that the file does not have are left out, and text
        and list views are stored as text and lists. ValueError, naming the column, for one that is
        missing, has another type, or has nulls and must not; such a batch is not written at all.
        TypeError for what is no Arrow data. A column of blobs is one that describes them
        (`tusk.blob.BlobDescriptorArrayBuilder`, `open_packed_blob_writer`).
        """
        self._writer.write(to_library(batch))

    def close(self):
        """Ends the file and gives its number of rows; None if that was done before.

        ValueError if there was neither a schema nor a batch.
        """
        if self.closed:
            return None
        self.closed = True
        self._writer.finish()
        self.size_bytes = self._writer.size_bytes
        return self._writer.num_rows

    def add_schema_metadata(self, key, value):
        """Sets a key of the schema's metadata, both of them str; the last value stays."""
        self._writer.add_schema_metadata(key, value)

    def add_global_buffer(self, data):
        """Puts bytes into the file; gives their number for `LanceFileReader.read_global_buffer`,
        which is 1 at first and grows by one.
        """
        if isinstance(data, str):
            raise TypeError("data must be bytes, not a str")
        return self._writer.add_global_buffer(bytes(data))

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        if kind is None:
            self.close()
        elif not self.closed:
            self.closed = True
            self._writer.abandon()


__all__ = [
    "LanceFileReader",
    "LanceFileWriter",
    "LanceFileMetadata",
    "LanceColumnMetadata",
    "LancePageMetadata",
    "LanceBufferDescriptor",
    "LanceFileStatistics",
    "stable_version",
]
