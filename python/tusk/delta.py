"""What changed between two versions of a Lance table, in the names of pylance."""

import numpy as np
import pyarrow as pa

from tusk._arrow import check_not_negative
from tusk.errors import InvalidArgumentError
from tusk.fragment_metadata import fragments_of
from tusk.scanner import make_scanner

_CREATED = "_row_created_at_version"
_UPDATED = "_row_last_updated_at_version"
_BATCH_ROWS = 64 * 1024


class DatasetDelta:
    """The versions after one, up to and with another. `LanceDataset.delta` makes one.

    Rows are told apart by when they were made and last changed, which tables with stable row ids
    (`enable_stable_row_ids`) keep; in others each row counts as made in version 1.
    """

    def __init__(self, delta):
        """`delta` is (LanceDataset, version before the first, last version)."""
        self._dataset, self._begin, self._end = delta

    def list_transactions(self):
        """The transactions that made the versions, ascending. ValueError if one is gone."""
        return [
            self._dataset.read_transaction(version)
            for version in range(self._begin + 1, self._end + 1)
        ]

    def get_inserted_rows(self):
        """The rows that were made in these versions and are in the dataset's own version, as it has
        them, as a RecordBatchReader: its columns, `_rowid`, `_row_created_at_version` and
        `_row_last_updated_at_version`.
        """
        return self._rows_where(f"{_CREATED} > {self._begin} AND {_CREATED} <= {self._end}")

    def get_updated_rows(self):
        """The same of rows that were there before, and were last changed in these versions."""
        return self._rows_where(
            f"{_CREATED} <= {self._begin} AND {_UPDATED} > {self._begin}"
            f" AND {_UPDATED} <= {self._end}"
        )

    def get_deleted_row_ids(self):
        """The ids of rows that the version before the first has and the last does not, ascending,
        as a RecordBatchReader with the column `_rowid`. Needs stable row ids: ValueError without.

        Fragments that both versions have unchanged are not looked at; of the others all ids are
        held in memory, 8 bytes each.
        """
        if self._begin > self._end:
            raise InvalidArgumentError(
                f"version {self._begin}, where the delta begins, is newer than version {self._end},"
                " where it ends"
            )
        gone = self._find_deleted() if self._begin > 0 else np.empty(0, np.uint64)
        schema = pa.schema([pa.field("_rowid", pa.uint64())])
        batches = (
            pa.record_batch([pa.array(gone[begin : begin + _BATCH_ROWS])], schema=schema)
            for begin in range(0, len(gone), _BATCH_ROWS)
        )
        return pa.RecordBatchReader.from_batches(schema, batches)

    def _find_deleted(self):
        before = self._at(self._begin)
        after = self._at(self._end)
        old, new = _fragments_by_rows(before), _fragments_by_rows(after)
        return np.setdiff1d(
            _row_ids(before, [old[rows] for rows in old.keys() - new.keys()]),
            _row_ids(after, [new[rows] for rows in new.keys() - old.keys()]),
        )

    def _at(self, version):
        found = self._dataset
        if version != found.version:
            found = found.checkout_version(version)
        if not found.has_stable_row_ids:
            raise InvalidArgumentError(
                f"deleted rows can be told only of tables with stable row ids, which {found.uri}"
                f" does not have in version {version}: make it with enable_stable_row_ids=True"
            )
        return found

    def _rows_where(self, filter):
        names = pa.schema(self._dataset._table.schema).names
        columns = {name: "`" + name.replace("`", "``") + "`" for name in names}
        columns |= {name: name for name in ("_rowid", _CREATED, _UPDATED)}
        return make_scanner(self._dataset, columns=columns, filter=filter).to_reader()


def make_delta(dataset, compared_against, begin, end):
    """ValueError unless the versions are named in one of the two ways; the first counts."""
    if compared_against is not None:
        check_not_negative("compared_against", compared_against)
        return DatasetDelta((dataset, *sorted((compared_against, dataset.version))))
    if begin is None or end is None:
        raise ValueError("a delta needs compared_against, or begin_version and end_version")
    check_not_negative("begin_version", begin)
    check_not_negative("end_version", end)
    return DatasetDelta((dataset, begin, end))


def _fragments_by_rows(dataset):
    """The ids of the fragments, by what says which rows they have: an id is given only once, but
    rows may be deleted."""
    found = {}
    for fragment in fragments_of(dataset._table):
        deletion = fragment.deletion_file
        gone = None if deletion is None else (deletion.read_version, deletion.id)
        found[fragment.id, gone] = fragment.id
    return found


def _row_ids(dataset, fragments):
    if not fragments:
        return np.empty(0, np.uint64)
    scanner = dataset.scanner(columns=["_rowid"], fragments=fragments)
    batches = [batch["_rowid"].to_numpy() for batch in scanner.to_batches()]
    return np.concatenate(batches) if batches else np.empty(0, np.uint64)
