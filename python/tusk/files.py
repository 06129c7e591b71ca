"""The files of a Lance table, in the names of pylance."""

import pyarrow as pa

from tusk import _tusk
from tusk._arrow import check_not_negative
from tusk.errors import NotFoundError

_BASE = pa.dictionary(pa.int32(), pa.string())
_TRACKED = pa.schema(
    [
        pa.field("version", pa.int64(), nullable=False),
        pa.field("base_uri", _BASE, nullable=False),
        pa.field("path", pa.string(), nullable=False),
        pa.field("type", pa.dictionary(pa.int8(), pa.string()), nullable=False),
    ]
)


class TableFiles:
    """The part of LanceDataset that tells its files."""

    def all_files(self):
        """Every file at the root of the table, whatever it is, as a RecordBatchReader: base_uri
        (the root), path (relative to it), size_bytes and last_modified (UTC). What lies at base
        paths is not among them.
        """
        batch = pa.record_batch(_tusk.list_lance_files(self._table))
        return pa.RecordBatchReader.from_batches(batch.schema, [batch])

    def tracked_files(self, *, min_version=None, progress=None):
        """The files that the versions of the table need, as a RecordBatchReader, which reads one
        manifest for each of its batches: version, base_uri (the root, or a base path), path
        (relative to that) and type ("manifest", "data file", "deletion file", "transaction file",
        "index file"; files of blobs are data files). A file stands there once for each version.

        min_version: leaves out the versions before it.
        progress: called with (versions done, all versions) after each. What it raises ends the
            read.
        """
        if min_version is not None:
            check_not_negative("min_version", min_version)
        numbers = [
            number
            for number in _tusk.list_lance_versions(self._table)
            if number >= (min_version or 0)
        ]
        batches = _tracked(self._table, numbers, self.latest_version, progress)
        return pa.RecordBatchReader.from_batches(_TRACKED, batches)


def _tracked(table, numbers, latest, progress):
    for done, number in enumerate(numbers, 1):
        batch = None
        try:
            batch = pa.record_batch(_tusk.list_lance_version_files(table, number))
        except NotFoundError:
            if number >= latest:
                raise  # else a cleanup has removed it meanwhile
        if progress is not None:
            progress(done, len(numbers))
        if batch is not None:
            yield batch
