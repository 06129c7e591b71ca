"""Iceberg tables of a lake."""

import dataclasses
import datetime

from tusk import _tusk
from tusk._arrow import TableDataset, TableScanner, check_rows, refuse, serialize_filter


@dataclasses.dataclass(frozen=True)
class Snapshot:
    """One snapshot of an Iceberg table."""

    snapshot_id: int
    parent_snapshot_id: int | None
    sequence_number: int
    timestamp: datetime.datetime
    summary: dict


class IcebergTable(TableDataset):
    """One state of an Iceberg table."""

    def __repr__(self):
        return f"<tusk.IcebergTable {self.metadata_location!r}>"

    @property
    def metadata_location(self):
        return self._table.metadata_location

    @property
    def uuid(self):
        return self._table.uuid

    @property
    def location(self):
        return self._table.location

    @property
    def properties(self):
        return self._table.properties

    @property
    def current_snapshot_id(self):
        return self._table.current_snapshot_id

    def snapshots(self):
        """All snapshots, ascending by sequence number."""
        return [
            Snapshot(
                info.snapshot_id,
                info.parent_snapshot_id,
                info.sequence_number,
                datetime.datetime.fromtimestamp(info.timestamp_ms / 1000, datetime.timezone.utc),
                info.summary,
            )
            for info in self._table.snapshots
        ]

    def scanner(
        self, columns=None, filter=None, *, snapshot_id=None, limit=None, batch_size=None, **options
    ):
        """Plans a read.

        columns: names of top-level columns; all if None. filter: SQL text or a pyarrow expression.
        snapshot_id: the current one if None. limit: rows after the filter. batch_size: the most
        rows of a batch.
        """
        # What pyarrow's scanners take to be fast changes nothing here. Not so `use_threads`: by it
        # pyarrow's own write_dataset asks for a scanner to hand to C++, which would crash.
        for hint in ("batch_readahead", "fragment_readahead", "cache_metadata"):
            options.pop(hint, None)
        refuse("scanner", options)
        check_rows("limit", limit)
        serialized = serialize_filter(filter)
        scan = _tusk.IcebergScanOptions()
        scan.columns = None if columns is None else list(columns)
        scan.filter = serialized
        scan.snapshot_id = snapshot_id
        scan.limit = limit
        if batch_size is not None:
            scan.batch_rows = batch_size
        return IcebergScanner(self, scan, serialized)

    def count_rows(self, filter=None, *, snapshot_id=None):
        """Counts the rows, or those for which `filter` (SQL text or a pyarrow expression) is true."""
        return self._table.count_rows(serialize_filter(filter), snapshot_id)


class IcebergScanner(TableScanner):
    """A planned scan of an Iceberg table."""

    def count_rows(self):
        rows = self._dataset._table.count_rows(self._filter, self._options.snapshot_id)
        return rows if self._options.limit is None else min(rows, self._options.limit)
