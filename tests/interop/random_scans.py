"""Random scans and takes of tables that have gone through changes."""

import datetime
import decimal
import math
import random

import lance
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def rows(rng, count, first=0):
    """`count` rows of many types, with nulls; `id` counts from `first`."""
    ids = range(first, first + count)

    def some(make, nulls=0.2):
        return [None if rng.random() < nulls else make(i) for i in ids]

    def second(i):
        return datetime.datetime(2020, 1, 1) + datetime.timedelta(seconds=rng.randrange(500))

    def struct(i):
        inner = rng.choice([None, {"z": i, "w w": rng.random()}])
        return {"x": rng.choice([None, rng.randrange(50)]), "y": str(i % 7), "q": inner}

    inner = pa.struct([("z", pa.int64()), ("w w", pa.float64())])
    pairs = pa.list_(pa.struct([("a", pa.int64()), ("b", pa.string())]))
    vectors = pa.array(np.array([rng.gauss(0, 1) for _ in range(count * 4)], np.float32))
    floats = (math.nan, 0.0, -0.0, math.inf)
    texts = ("", "a", "B", "é", "bbb")
    return pa.table(
        {
            "id": pa.array(ids, pa.int64()),
            "i16": pa.array(some(lambda i: rng.randrange(-20, 20)), pa.int16()),
            "u8": pa.array(some(lambda i: rng.randrange(7)), pa.uint8()),
            "f": pa.array(some(lambda i: rng.choice([*floats, rng.gauss(0, 1)])), pa.float64()),
            "s": pa.array(some(lambda i: rng.choice([*texts, f"x{i}"])), pa.string()),
            "ls": pa.array(some(lambda i: f"k{i % 13}"), pa.large_string()),
            "bin": pa.array(some(lambda i: rng.randbytes(rng.randrange(6))), pa.binary()),
            "b": pa.array(some(lambda i: rng.random() < 0.5), pa.bool_()),
            "d": pa.array(some(lambda i: second(i).date()), pa.date32()),
            "ts": pa.array(some(second), pa.timestamp("us")),
            "tz": pa.array(some(second), pa.timestamp("ms", "UTC")),
            "dec": pa.array(
                some(lambda i: decimal.Decimal(rng.randrange(-999, 999)).scaleb(-2)),
                pa.decimal128(10, 2),
            ),
            "p": pa.array(
                some(struct, 0.1), pa.struct([("x", pa.int32()), ("y", pa.string()), ("q", inner)])
            ),
            "l": pa.array(
                some(lambda i: [rng.choice([None, rng.randrange(9)]) for _ in range(i % 4)]),
                pa.list_(pa.int32()),
            ),
            "lp": pa.array(some(lambda i: [{"a": i, "b": str(j)} for j in range(i % 3)]), pairs),
            "v": pa.FixedSizeListArray.from_arrays(vectors, 4),
            "Cap": pa.array([i % 5 for i in ids], pa.int32()),
            "a b": pa.array([i % 3 for i in ids], pa.int32()),
            "dict": pa.array([f"w{i % 4}" for i in ids]).dictionary_encode(),
        }
    ).replace_schema_metadata({"k": "v", "owner": "me"})


def _changed(rng, path, **options):
    first = rows(rng, 400)
    field = first.schema.field(0).with_metadata({"of": "id"})
    first = first.cast(first.schema.set(0, field))
    dataset = lance.write_dataset(first, path, max_rows_per_file=90, **options)
    dataset.delete("id % 11 = 0 OR (id >= 90 AND id < 150)")
    dataset.update({"s": "'up'"}, where="id % 7 = 1")
    return dataset


def make_tables(folder):
    """Tables that pylance has made below the folder: their names."""
    rng = random.Random(5)
    for version in ("2.0", "2.1", "2.2"):
        data = rows(rng, 300)
        if version == "2.0":  # keeps no nulls of structs
            data = data.drop_columns(["p", "lp"])
        lance.write_dataset(
            data, f"{folder}/plain{version}", max_rows_per_file=80, data_storage_version=version
        )
    dataset = _changed(rng, f"{folder}/changed")
    dataset.add_columns({"added": "id * 2"})
    dataset.drop_columns(["tz"])
    more = rows(rng, 60, 1000).drop_columns(["tz"])
    lance.write_dataset(more, dataset.uri, mode="append").delete("id % 13 = 5")
    dataset = _changed(rng, f"{folder}/stable", enable_stable_row_ids=True)
    dataset = lance.write_dataset(rows(rng, 60, 1000), dataset.uri, mode="append")
    dataset.optimize.compact_files(target_rows_per_fragment=150)
    dataset.delete("id % 13 = 5")
    many = lance.write_dataset(rows(rng, 200), f"{folder}/many", max_rows_per_file=5)
    many.delete("id % 6 = 2 OR id < 10")
    lance.write_dataset(rows(rng, 0), f"{folder}/empty")
    lance.write_dataset(rows(rng, 20), f"{folder}/gone").delete("true")
    renamed = lance.write_dataset(rows(rng, 100), f"{folder}/renamed", max_rows_per_file=30)
    renamed.alter_columns(
        {"path": "i16", "name": "short", "data_type": pa.int32()}, {"path": "Cap", "name": "cap2"}
    )
    renamed.drop_columns(["p", "s", "l", "lp"])
    renamed.add_columns({"s": "cast(id as string)"})
    return [
        "plain2.0", "plain2.1", "plain2.2", "changed", "stable", "many", "empty", "gone", "renamed",
    ]  # fmt: skip


COLUMNS = (
    "id i16 u8 f s ls bin b d ts tz dec p l lp v Cap dict added short cap2 p.x p.y p.q p.q.z"
).split() + ["p.q.`w w`", "a b"]
SYSTEM = ["_rowid", "_rowaddr", "_rowoffset"]
EXPRESSIONS = [
    "id + 1", "id", "p.x", "upper(s)", "length(s)", "i16 * 2", "f / 2", "s || 'x'", "null",
    "_rowid", "_rowaddr", "b", "not b", "`a b`", "p", "l[1]", "p['x']", "p.q.z + 1",
    "cast(id as string)", "CAP", "dec + 1", "ts", "v", "dict", "lp", "abs(i16)", "id % 3 = 0",
]  # fmt: skip
FILTERS = [
    "id > 50", "id < 0", "true", "false", "i16 > 3", "i16 is null", "s = 'a'", "s like 'b%'",
    "p.x > 10", "p is null", "p.q.z < 100", "_rowid < 40", "_rowaddr > 4294967296",
    "u8 in (1, 2, 3)", "not b", "b", "f > 0", "isnan(f)", "dict = 'w1'",
    "d > date '2020-01-01'", "ts < timestamp '2020-01-01 00:03:00'", "id % 3 = 0 and s is not null",
    "Cap = 2 or i16 < 0", "cap = 2", "`a b` = 1", "array_length(l) > 1", "l is null",
    "array_has(l, 3)", "added > 100", "short > 0", "ls = 'k3'", "_rowid in (1, 2, 3, 4294967297)",
    "_row_created_at_version = 1", "id >= 95 and id < 185", "nothing > 1", "id >", "id",
    pc.field("id") > 50, pc.field("s").isin(["a", "up"]), pc.field("i16").is_null(),
    ~pc.field("b"),
]  # fmt: skip
KEYS = ["i16", "u8", "f", "s", "ls", "bin", "b", "d", "ts", "dec", "Cap"]


def random_columns(rng, schema, with_wrong=True):
    """None, names or a dict of expressions; some that are not there `with_wrong`."""
    kind = rng.random()
    if kind < 0.15:
        return None
    if kind < 0.22:
        return []
    have = set(schema.names)
    there = [name for name in COLUMNS if name.split(".")[0] in have]
    if kind < 0.7:
        names = rng.sample(there, rng.randrange(1, 5))
        if rng.random() < 0.3:
            names.insert(rng.randrange(len(names) + 1), rng.choice(SYSTEM))
        if with_wrong and rng.random() < 0.05:
            names.append(rng.choice(["nothing", "p.nothing", "", "s.x", names[0]]))
        return names
    # An expression that reads nothing alone is refused by pylance.
    chosen = {rng.choice(["a", "_rowid", "A b"]): rng.choice(EXPRESSIONS) for _ in range(2)}
    return {**chosen, "name": rng.choice(there)}


def random_scan(rng, dataset):
    """The arguments of a scanner, order_by and fragments as plain values."""
    arguments = {"columns": random_columns(rng, dataset.schema)}

    def sometimes(share, name, *values):
        if rng.random() < share:
            arguments[name] = rng.choice(values)

    sometimes(0.6, "filter", *FILTERS)
    sometimes(0.4, "limit", 0, 1, 2, 17, 100, 10**9, 2**63 - 1, None, -1)
    sometimes(0.3, "offset", 0, 1, 5, 50, 150, 10**9, 2**63 - 1, None, -1)
    sometimes(0.3, "batch_size", 1, 2, 7, 64, 100_000)
    sometimes(0.02, "batch_size", 0, -1)
    sometimes(0.15, "batch_size_bytes", 1, 100, 5000, 10**12, -1)
    sometimes(0.2, "with_row_id", True, False)
    sometimes(0.2, "with_row_address", True, False)
    sometimes(0.1, "scan_in_order", True, False)
    sometimes(0.2, "late_materialization", True, False, ["s"], [])
    sometimes(0.1, "use_stats", True, False)
    sometimes(0.1, "strict_batch_size", True, False)
    sometimes(0.1, "fast_search", True)
    sometimes(0.1, "prefilter", True, False)
    sometimes(0.1, "use_scalar_index", True, False)
    sometimes(0.1, "batch_readahead", 0, 1, 4)
    sometimes(0.1, "fragment_readahead", 0, 1, 4)
    sometimes(0.1, "io_buffer_size", 1, 1000, 10**9)
    ids = [fragment.fragment_id for fragment in dataset.get_fragments()]
    if ids and rng.random() < 0.15:
        arguments["fragments"] = rng.sample(ids, rng.randrange(min(len(ids), 3) + 1))
    if rng.random() < 0.25 and arguments.get("limit") != 0:
        there = [name for name in KEYS if name in dataset.schema.names]
        keys = rng.sample(there, rng.randrange(1, 3)) + ["id"]  # no two rows are equal
        arguments["order_by"] = [(key, rng.random() < 0.5, rng.random() < 0.5) for key in keys]
    return arguments
