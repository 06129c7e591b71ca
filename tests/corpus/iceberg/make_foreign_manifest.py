"""Writes foreign_manifest_<codec>.avro beside this file, with fastavro.

It is a manifest with its fields in another order than ours, unions turned round, and members that
no version of the format has: a reader must find what it knows by field id and pass over the rest.
"""

import pathlib

import fastavro


def key_value_map(key_id, value_id, value_type):
    fields = [
        {"name": "key", "type": "int", "field-id": key_id},
        {"name": "value", "type": value_type, "field-id": value_id},
    ]
    items = {"type": "record", "name": f"k{key_id}_v{value_id}", "fields": fields}
    return ["null", {"type": "array", "logicalType": "map", "items": items}]


NOVELTY = {
    "type": "record",
    "name": "novelty",
    "fields": [
        {"name": "e", "type": {"type": "enum", "name": "letter", "symbols": ["A", "B"]}},
        {"name": "f", "type": {"type": "fixed", "name": "three", "size": 3}},
        {"name": "m", "type": {"type": "map", "values": "double"}},
        {"name": "a", "type": {"type": "array", "items": ["null", "string"]}},
        {"name": "b", "type": "boolean"},
        {"name": "g", "type": "float"},
    ],
}

DATA_FILE = {
    "type": "record",
    "name": "r2",
    "fields": [
        {"name": "record_count", "type": "long", "field-id": 103},
        {"name": "file_path", "type": "string", "field-id": 100},
        {"name": "again", "type": ["null", "novelty"], "field-id": 9001},
        {"name": "file_format", "type": "string", "field-id": 101},
        {
            "name": "partition",
            "type": {"type": "record", "name": "r102", "fields": []},
            "field-id": 102,
        },
        {"name": "file_size_in_bytes", "type": "long", "field-id": 104},
        {"name": "value_counts", "type": key_value_map(119, 120, "long"), "field-id": 109},
        {"name": "lower_bounds", "type": key_value_map(126, 127, "bytes"), "field-id": 125},
        {
            "name": "split_offsets",
            "type": ["null", {"type": "array", "items": "long", "element-id": 133}],
            "field-id": 132,
        },
    ],
}

SCHEMA = {
    "type": "record",
    "name": "manifest_entry",
    "fields": [
        {"name": "novelty", "type": NOVELTY, "field-id": 9000},
        {"name": "data_file", "type": DATA_FILE, "field-id": 2},
        {"name": "snapshot_id", "type": ["long", "null"], "field-id": 1},
        {"name": "status", "type": "int", "field-id": 0},
    ],
}

SOMETHING = {"e": "B", "f": b"xyz", "m": {"p": 1.5, "q": 2.5}, "a": [None, "w"], "b": True, "g": 0.5}

ENTRIES = [
    {
        "novelty": SOMETHING,
        "data_file": {
            "record_count": 7,
            "file_path": "/t/data/a.parquet",
            "again": SOMETHING,
            "file_format": "parquet",
            "partition": {},
            "file_size_in_bytes": 1234,
            "value_counts": [{"key": 1, "value": 7}, {"key": 2, "value": 300}],
            "lower_bounds": [{"key": 1, "value": b"\x01\x00\x00\x00"}],
            "split_offsets": [4, 1000],
        },
        "snapshot_id": -5,
        "status": 1,
    },
    {
        "novelty": SOMETHING,
        "data_file": {
            "record_count": 0,
            "file_path": "/t/data/b.parquet",
            "again": None,
            "file_format": "PARQUET",
            "partition": {},
            "file_size_in_bytes": 1,
            "value_counts": None,
            "lower_bounds": [],
            "split_offsets": None,
        },
        "snapshot_id": None,
        "status": 2,
    },
]

if __name__ == "__main__":
    for codec in ("null", "deflate"):
        path = pathlib.Path(__file__).with_name(f"foreign_manifest_{codec}.avro")
        with path.open("wb") as out:
            fastavro.writer(out, SCHEMA, ENTRIES, codec=codec, sync_marker=b"0123456789abcdef")
