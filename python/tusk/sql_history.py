"""What a lake knows of itself, as tables for SQL."""

import operator

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


def _table(schema, objects, **sources):
    """The attributes of objects as columns of the schema.

    sources: functions of an object for the columns that are not attributes of the same name.
    """
    rows = [
        {name: sources.get(name, operator.attrgetter(name))(each) for name in schema.names}
        for each in objects
    ]
    return pa.Table.from_pylist(rows, schema)


def _log(lake):
    return _table(
        _LOG,
        lake.log(),
        version=lambda entry: entry.number,
        properties=lambda entry: list(entry.properties.items()),
    )


def _changes(lake):
    changes = [(entry.number, change) for entry in lake.log() for change in entry.changes]
    return _table(
        _CHANGES,
        changes,
        version=lambda pair: pair[0],
        table_name=lambda pair: pair[1].name,
        kind=lambda pair: pair[1].kind,
        table_version=lambda pair: pair[1].version,
        added_rows=lambda pair: pair[1].added_rows,
    )


def _tags(lake):
    return _table(_TAGS, lake.tags())


def _tables(lake):
    return _table(
        _TABLES,
        lake.tables(),
        table_name=lambda table: table.name,
        table_version=lambda table: table.version,
    )


# By name. Names without a namespace are no table's of a lake.
TABLES = {"tusk_log": _log, "tusk_changes": _changes, "tusk_tags": _tags, "tusk_tables": _tables}
