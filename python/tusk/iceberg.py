"""Iceberg tables of a lake."""

import dataclasses
import datetime

import pyarrow as pa

from tusk import _tusk
from tusk._arrow import TableDataset, TableScanner, check_rows, refuse, serialize_filter
from tusk._source import errors_of, to_stream
from tusk.errors import CorruptError, InvalidArgumentError

_UTC = datetime.timezone.utc


@dataclasses.dataclass(frozen=True)
class Snapshot:
    """One snapshot of an Iceberg table."""

    snapshot_id: int
    parent_snapshot_id: int | None
    sequence_number: int
    timestamp: datetime.datetime
    summary: dict


@dataclasses.dataclass(frozen=True)
class SnapshotRef:
    """A name for a snapshot: a branch, which commits move, or a tag, which stays."""

    name: str
    is_tag: bool
    snapshot_id: int
    max_ref_age_ms: int | None
    max_snapshot_age_ms: int | None
    min_snapshots_to_keep: int | None


@dataclasses.dataclass(frozen=True)
class PartitionField:
    """One part of a partition's key."""

    source_id: int
    field_id: int
    name: str
    transform: str


class IcebergTable(TableDataset):
    """One state of an Iceberg table.

    What changes the table commits to the lake and gives the joint version; this object stays as it
    is. Ask the lake for the table again to see the change.
    """

    def __init__(self, table, lake=None, name=None):
        super().__init__(table)
        self._lake = lake
        self._name = name

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

    @property
    def partitioning(self):
        """The partition fields for what is written now."""
        return _partition_fields(self._table.partition_spec)

    @property
    def partition_specs(self):
        """The partition fields of every spec, by its id; files of earlier ones stay as they are."""
        return {
            spec_id: _partition_fields(spec)
            for spec_id, spec in self._table.partition_specs.items()
        }

    def refs(self):
        """The branches and tags, by name."""
        fields = [field.name for field in dataclasses.fields(SnapshotRef)]
        return {
            name: SnapshotRef(*(getattr(ref, field) for field in fields))
            for name, ref in self._table.refs.items()
        }

    def snapshots(self):
        """All snapshots, ascending by sequence number."""
        return [
            Snapshot(
                info.snapshot_id,
                info.parent_snapshot_id,
                info.sequence_number,
                self._time_of(info),
                info.summary,
            )
            for info in self._table.snapshots
        ]

    def _time_of(self, info):
        try:
            return datetime.datetime.fromtimestamp(info.timestamp_ms / 1000, _UTC)
        except (OverflowError, ValueError):
            raise CorruptError(
                f"{self.metadata_location}: snapshot {info.snapshot_id} was made "
                f"{info.timestamp_ms} ms after 1970, which is no date"
            ) from None

    def scanner(
        self,
        columns=None,
        filter=None,
        *,
        snapshot_id=None,
        as_of=None,
        ref=None,
        limit=None,
        batch_size=None,
        **options,
    ):
        """Plans a read.

        columns: names of top-level columns; all if None. filter: SQL text or a pyarrow expression.
        snapshot_id, as_of, ref: the snapshot of that id, the one that was current at that time (a
        datetime, without a zone in UTC), or the one that the branch or tag names; the current one
        if none is given. limit: rows after the filter. batch_size: the most rows of a batch.
        """
        # What pyarrow's scanners take to be fast changes nothing here. Not so `use_threads`: by it
        # pyarrow's own write_dataset asks for a scanner to hand to C++, which would crash.
        for hint in ("batch_readahead", "fragment_readahead", "cache_metadata"):
            options.pop(hint, None)
        refuse("scanner", options)
        check_rows("limit", limit)
        scan = _scan_options(filter, snapshot_id, as_of, ref)
        scan.columns = None if columns is None else list(columns)
        scan.limit = limit
        if batch_size is not None:
            scan.batch_rows = batch_size
        return IcebergScanner(self, scan, serialize_filter(filter))

    def count_rows(self, filter=None, *, snapshot_id=None, as_of=None, ref=None):
        """Counts the rows, or those for which `filter` is true. All as in `scanner`."""
        snapshot = _snapshot(snapshot_id, as_of, ref)
        return self._table.count_rows(serialize_filter(filter), snapshot)

    def plan_files(self, filter=None, *, snapshot_id=None, as_of=None, ref=None):
        """Streams, as a RecordBatchReader, the data files that a scan would open.

        Columns: file_path, file_format, spec_id, record_count, file_size_in_bytes, delete_files.
        """
        options = _scan_options(filter, snapshot_id, as_of, ref)
        return pa.RecordBatchReader.from_stream(self._table.plan_files(options))

    def metadata_table(self, name, *, snapshot_id=None, as_of=None, ref=None):
        """A table about the table: "snapshots", "history", "refs", or the "files" or "manifests" of
        a snapshot.
        """
        which = getattr(_tusk.IcebergMetadataTable, name, None)
        if which is None:
            raise InvalidArgumentError(
                f"there is no metadata table {name!r}: there are snapshots, history, files, "
                "manifests and refs"
            )
        snapshot = _snapshot(snapshot_id, as_of, ref)
        return pa.table(self._table.read_metadata(which, snapshot))

    def update(self, *, message="", author=""):
        """Changes of schema, partitioning, properties, branches and tags, made in one commit when
        the `with` block ends. See TableUpdate.
        """
        return TableUpdate(self._owner(), self._name, message, author)

    def append(self, data, *, branch="main", message="", author=""):
        """Appends rows, to a branch if one is named."""
        stream, batches = to_stream(data)
        append = _tusk.table_append(self._name, "iceberg", stream, {}, branch=branch)
        with errors_of(batches):
            return self._owner().append([append], message, author, {})

    def overwrite(self, data=None, filter=None, *, branch="main", message="", author=""):
        """Replaces the rows for which `filter` is true, all rows if it is None, by `data`.

        filter: SQL text or a pyarrow expression. Files of which all rows go are dropped unopened
        where their partition or bounds tell; of the others, the rows that stay are written anew.
        """
        stream, batches = (None, None) if data is None else to_stream(data)
        change = _tusk.iceberg_overwrite(serialize_filter(filter), stream, branch)
        with errors_of(batches):
            return self._owner().overwrite_iceberg(self._name, change, message, author)

    def delete(self, filter, *, branch="main", message="", author=""):
        """Deletes the rows for which `filter`, SQL text or a pyarrow expression, is true."""
        if filter is None:
            raise InvalidArgumentError("delete needs a filter; overwrite() takes all rows away")
        return self.overwrite(None, filter, branch=branch, message=message, author=author)

    def _owner(self):
        if self._lake is None:
            raise InvalidArgumentError("this table was not opened through a lake: it is read-only")
        return self._lake


def open_table(metadata_location):
    """The state of a table that a metadata file has, to be read. Takes an absolute path or a
    file:// URI.
    """
    return IcebergTable(_tusk.open_iceberg(str(metadata_location)))


class TableUpdate:
    """Collects changes of a table's metadata. Columns are named with dots into structs, and through
    "element", "key" and "value" of lists and maps.
    """

    def __init__(self, lake, name, message, author):
        self._lake = lake
        self._name = name
        self._info = (message, author)
        self._schema = []
        self._fields_to_add = []
        self._fields_to_remove = []
        self._properties = {}
        self._refs_to_set = []
        self._refs_to_remove = []
        self.joint_version = None

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if kind is None:
            self.commit()

    def commit(self):
        """Makes the changes true, and gives the joint version."""
        update = _tusk.IcebergTableUpdate()
        update.schema = self._schema
        update.add_partition_fields = self._fields_to_add
        update.remove_partition_fields = self._fields_to_remove
        update.properties = self._properties
        update.set_refs = self._refs_to_set
        update.remove_refs = self._refs_to_remove
        self.joint_version = self._lake.update_iceberg(self._name, update, *self._info)
        return self.joint_version

    def _change(self, kind, column, **arguments):
        kind = getattr(_tusk.IcebergSchemaChangeKind, kind)
        self._schema.append(_tusk.IcebergSchemaChange(kind, column, **arguments))
        return self

    def add_column(self, name, type, *, doc=""):
        """Adds an optional column of a pyarrow type, at the end of its struct."""
        return self._change("ADD", name, type=pa.schema([("x", type)]), doc=doc)

    def drop_column(self, name):
        return self._change("DROP", name)

    def rename_column(self, name, new_name):
        """new_name: without the names of the structs around it."""
        return self._change("RENAME", name, new_name=new_name)

    def move_column(self, name, *, before=None, after=None):
        """Moves a column beside a sibling, or to the front if none is named."""
        place = _tusk.IcebergColumnPlace
        if before is not None:
            return self._change("MOVE", name, place=place.BEFORE, anchor=before)
        if after is not None:
            return self._change("MOVE", name, place=place.AFTER, anchor=after)
        return self._change("MOVE", name, place=place.FIRST)

    def promote_column(self, name, type):
        """int32 to int64, float32 to float64, or a decimal to one of more digits."""
        return self._change("PROMOTE", name, type=pa.schema([("x", type)]))

    def make_optional(self, name):
        return self._change("MAKE_OPTIONAL", name)

    def set_doc(self, name, doc):
        return self._change("SET_DOC", name, doc=doc)

    def add_partition_field(self, term):
        """term: as in Lake.create_iceberg. Files that are there stay as they are."""
        self._fields_to_add.append(term)
        return self

    def remove_partition_field(self, name):
        self._fields_to_remove.append(name)
        return self

    def set_properties(self, properties):
        """Sets properties of the table, and removes those whose value is None."""
        self._properties.update(properties)
        return self

    def set_branch(
        self,
        name,
        snapshot_id,
        *,
        max_ref_age_ms=None,
        max_snapshot_age_ms=None,
        min_snapshots_to_keep=None,
    ):
        """Makes a branch at a snapshot, or moves it there."""
        self._refs_to_set.append(
            _tusk.iceberg_ref(
                name,
                False,
                snapshot_id,
                max_ref_age_ms,
                max_snapshot_age_ms,
                min_snapshots_to_keep,
            )
        )
        return self

    def set_tag(self, name, snapshot_id, *, max_ref_age_ms=None):
        """Makes a tag at a snapshot, or moves it there."""
        self._refs_to_set.append(_tusk.iceberg_ref(name, True, snapshot_id, max_ref_age_ms))
        return self

    def remove_ref(self, name):
        """Removes a branch or tag."""
        self._refs_to_remove.append(name)
        return self

    def rollback_to(self, snapshot_id):
        """Makes an earlier snapshot the current one again."""
        return self.set_branch("main", snapshot_id)


class IcebergScanner(TableScanner):
    """A planned scan of an Iceberg table."""

    def count_rows(self):
        rows = self._dataset._table.count_rows(self._filter, self._options.snapshot)
        return rows if self._options.limit is None else min(rows, self._options.limit)


def _partition_fields(spec):
    return [
        PartitionField(field.source_id, field.field_id, field.name, field.transform)
        for field in spec.fields
    ]


def _snapshot(snapshot_id, as_of, ref):
    as_of_ms = None
    if as_of is not None:
        moment = as_of if as_of.tzinfo is not None else as_of.replace(tzinfo=_UTC)
        as_of_ms = (moment - datetime.datetime.fromtimestamp(0, _UTC)) // datetime.timedelta(
            milliseconds=1
        )
    return _tusk.IcebergSnapshotChoice(snapshot_id, as_of_ms, ref)


def _scan_options(filter, snapshot_id, as_of, ref):
    scan = _tusk.IcebergScanOptions()
    scan.filter = serialize_filter(filter)
    scan.snapshot = _snapshot(snapshot_id, as_of, ref)
    return scan
