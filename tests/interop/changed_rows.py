"""Tables, new rows and what is to become of them, for tests that let tusk and pylance do the same."""

import datetime
import shutil

import lance
import pyarrow as pa

import tusk

SCHEMA = pa.schema(
    [
        ("id", pa.int64()),
        ("name", pa.string()),
        ("weight", pa.float64()),
        ("seen", pa.timestamp("us")),
        ("box", pa.struct([("x", pa.int32()), ("label", pa.string())])),
        ("tags", pa.list_(pa.string())),
        ("vector", pa.list_(pa.float32(), 3)),
        ("raw", pa.binary()),
    ]
)


def _maybe(rng, value, nulls=0.15):
    return None if rng.random() < nulls else value


def make_rows(rng, ids, schema=SCHEMA):
    """A row for each of `ids`, with nulls everywhere."""
    rows = [
        {
            "id": i,
            "name": _maybe(rng, rng.choice(["ant", "bee", "cow", "dög", ""])),
            "weight": _maybe(rng, rng.choice([0.0, -0.0, 1.5, float("nan"), rng.random()])),
            "seen": _maybe(rng, datetime.datetime(2024, 1, 1 + rng.randrange(28))),
            "box": _maybe(
                rng, {"x": _maybe(rng, rng.randrange(100)), "label": _maybe(rng, f"l{i}")}
            ),
            "tags": _maybe(rng, [_maybe(rng, rng.choice("abc")) for _ in range(rng.randrange(4))]),
            "vector": _maybe(rng, [rng.randrange(9), 0.5, -1.0]),
            "raw": _maybe(rng, bytes([rng.randrange(256)]) * rng.randrange(3)),
        }
        for i in ids
    ]
    return pa.Table.from_pylist(rows, SCHEMA).select(schema.names)


def make_tables(tmp_path, data, rng, **options):
    """The same table twice, with rows deleted from some fragments; the paths of both."""
    ours, theirs = str(tmp_path / "ours"), str(tmp_path / "theirs")
    lance.write_dataset(data, theirs, **options)
    if rng.random() < 0.6:
        low = rng.randrange(max(1, data.num_rows))
        lance.dataset(theirs).delete(f"id >= {low} AND id < {low + data.num_rows // 5}")
    shutil.copytree(theirs, ours)
    return ours, theirs


def as_set(table):
    """The rows in an order that only they decide; NaN equals NaN and 0.0 is not -0.0."""
    return sorted(map(repr, table.to_pylist()))


def check_same(ours, theirs):
    """Both tables have the same rows, whoever reads them, and ours is a valid one."""
    expected = as_set(lance.dataset(theirs).to_table())
    assert as_set(tusk.dataset(ours).to_table()) == expected
    assert as_set(lance.dataset(ours).to_table()) == expected
    assert as_set(tusk.dataset(theirs).to_table()) == expected
    lance.dataset(ours).validate()
    assert tusk.dataset(ours).version == lance.dataset(theirs).version


_LINEAGE = ["id", "_rowid", "_row_created_at_version", "_row_last_updated_at_version"]


def check_same_lineage(ours, theirs, known_ids):
    """Stable row ids and versions: of rows that were there the same, of new ones as many."""
    mine, other = (lance.dataset(path).to_table(_LINEAGE).to_pylist() for path in (ours, theirs))
    for rows in (mine, other):
        assert len({row["_rowid"] for row in rows}) == len(rows)
        for row in rows:
            row["_rowid"] = row["_rowid"] if row["_rowid"] in known_ids else None
    assert sorted(map(repr, mine)) == sorted(map(repr, other))
    ids = tusk.dataset(ours).to_table(["_rowid"])["_rowid"].to_pylist()
    assert sorted(ids) == sorted(lance.dataset(ours).to_table(["_rowid"])["_rowid"].to_pylist())
