"""What a lake knows of itself, as tables for SQL."""

import pyarrow as pa

_TIME = pa.timestamp("us", "UTC")
_LOG = pa.schema(
    [
        ("version", pa.int64()),
        ("parent", pa.int64()),
        ("time", _TIME),
        ("message", pa.string()),
        ("author", pa.string()),
        ("properties", pa.map_(pa.string(), pa.string())),
        ("tags", pa.list_(pa.string())),
        ("given_up", pa.bool_()),
    ]
)
_CHANGES = pa.schema(
    [
        ("version", pa.int64()),
        ("table_name", pa.string()),
        ("kind", pa.string()),
        ("table_version", pa.int64()),
        ("added_rows", pa.int64()),
    ]
)
_TAGS = pa.schema(
    [
        ("name", pa.string()),
        ("version", pa.int64()),
        ("time", _TIME),
        ("message", pa.string()),
        ("author", pa.string()),
    ]
)
_TABLES = pa.schema(
    [
        ("table_name", pa.string()),
        ("kind", pa.string()),
        ("table_version", pa.int64()),
        ("uuid", pa.string()),
        ("location", pa.string()),
    ]
)


def _log(lake):
    rows = [
        {
            "version": entry.number,
            "parent": entry.parent,
            "time": entry.time,
            "message": entry.message,
            "author": entry.author,
            "properties": list(entry.properties.items()),
            "tags": entry.tags,
            "given_up": entry.given_up,
        }
        for entry in lake.log()
    ]
    return pa.Table.from_pylist(rows, _LOG)


def _changes(lake):
    rows = [
        {
            "version": entry.number,
            "table_name": change.name,
            "kind": change.kind,
            "table_version": change.version,
            "added_rows": change.added_rows,
        }
        for entry in lake.log()
        for change in entry.changes
    ]
    return pa.Table.from_pylist(rows, _CHANGES)


def _tags(lake):
    rows = [
        {
            "name": tag.name,
            "version": tag.version,
            "time": tag.time,
            "message": tag.message,
            "author": tag.author,
        }
        for tag in lake.tags()
    ]
    return pa.Table.from_pylist(rows, _TAGS)


def _tables(lake):
    rows = [
        {
            "table_name": table.name,
            "kind": table.kind,
            "table_version": table.version,
            "uuid": table.uuid,
            "location": table.location,
        }
        for table in lake.tables()
    ]
    return pa.Table.from_pylist(rows, _TABLES)


# By name. Names without a namespace are no table's of a lake.
TABLES = {"tusk_log": _log, "tusk_changes": _changes, "tusk_tags": _tags, "tusk_tables": _tables}
