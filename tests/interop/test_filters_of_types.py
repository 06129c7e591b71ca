"""Conditions about columns of every type keep the rows that pylance keeps, where it takes them."""

import datetime
import decimal
import random

import lance
import pyarrow as pa
import pytest

import tusk

ROWS = 40
_EPOCH = datetime.datetime(2020, 1, 1)
_TIMESTAMPS = [
    "timestamp '2020-01-01 05:00:00'",
    "timestamp(9) '2020-01-01 05:00:00'",
    "timestamp(0) '2020-01-01 00:00:00'",
]


def _times(type):
    return ["time '05:00:00'", f"arrow_cast('05:00:00', '{type}')"]


def typed_columns(generator):
    """Of each column the type, what makes a value, and constants to compare it with."""
    pick, number = generator.choice, generator.randint

    def moment():
        return _EPOCH + datetime.timedelta(hours=number(-30, 30))

    def time():
        return datetime.time(number(0, 23), pick([0, 30]))

    def duration():
        return datetime.timedelta(seconds=number(-3, 3))

    return {
        "i8": (pa.int8(), lambda: pick([-128, 127, 0, 1]), ["0", "1", "127", "-1"]),
        "u16": (pa.uint16(), lambda: pick([0, 65535, 1]), ["0", "1", "65535"]),
        "i64": (pa.int64(), lambda: pick([-(2**63), 2**63 - 1, 0, 1]), ["0", "-1"]),
        "u64": (pa.uint64(), lambda: pick([0, 2**64 - 1, 1]), ["0", "1"]),
        "dec": (pa.decimal128(5, 2), lambda: decimal.Decimal(number(-300, 300)) / 100,
                ["1", "decimal(5,2) '1.50'"]),
        "wide": (pa.decimal128(38, 10), lambda: decimal.Decimal(number(-3, 3)),
                 ["decimal(38,10) '1'"]),
        "b": (pa.bool_(), lambda: pick([True, False]), ["true", "false"]),
        "d32": (pa.date32(), lambda: moment().date(), ["date '2020-01-01'"]),
        "d64": (pa.date64(), lambda: moment().date(), ["date '2020-01-01'"]),
        "tss": (pa.timestamp("s"), moment, _TIMESTAMPS),
        "tms": (pa.timestamp("ms"), moment, _TIMESTAMPS),
        "tus": (pa.timestamp("us"), moment, _TIMESTAMPS),
        "tns": (pa.timestamp("ns"), moment, _TIMESTAMPS),
        "tsz": (pa.timestamp("us", "UTC"), moment, _TIMESTAMPS),
        "tsy": (pa.timestamp("ms", "America/New_York"), moment, _TIMESTAMPS),
        "t32": (pa.time32("s"), time, _times("Time32(Second)")),
        "t32m": (pa.time32("ms"), time, _times("Time32(Millisecond)")),
        "t64": (pa.time64("us"), time, _times("Time64(Microsecond)")),
        "t64n": (pa.time64("ns"), time, _times("Time64(Nanosecond)")),
        "dus": (pa.duration("s"), duration, ["arrow_cast(1, 'Duration(s)')"]),
        "duu": (pa.duration("us"), duration, ["arrow_cast(1, 'Duration(s)')"]),
        "dic": (pa.dictionary(pa.int8(), pa.string()), lambda: pick(["a", "b", "é", ""]),
                ["'a'", "''", '"é"']),
        "dici": (pa.dictionary(pa.int32(), pa.int64()), lambda: number(0, 3), ["1", "0"]),
        "text": (pa.string(), lambda: pick(["a", "b", "ab", ""]), ["'a'", "''"]),
        "large": (pa.large_string(), lambda: pick(["a", "b", "ab", ""]), ["'a'", "''"]),
        "bin": (pa.binary(), lambda: pick([b"a", b"\xff", b""]), ["X'61'", "X'ff'", "X''"]),
        "lbin": (pa.large_binary(), lambda: pick([b"a", b"\xff", b""]), ["X'61'", "X''"]),
        "fixed": (pa.binary(2), lambda: pick([b"ab", b"\xff\x00"]), ["X'6162'"]),
    }  # fmt: skip


def conditions(name, literals):
    for literal in literals:
        for symbol in ("=", "<>", "<", "<=", ">", ">="):
            yield f"{name} {symbol} {literal}"
        yield f"{literal} < {name}"
        yield f"{name} IN ({literal})"
        yield f"{name} NOT IN ({literal}, {literals[0]})"
        yield f"{name} BETWEEN {literal} AND {literals[-1]}"
        yield f"{name} IS DISTINCT FROM {literal}"
        yield f"NOT ({name} > {literal}) OR {name} IS NULL"
        yield f"coalesce({name}, {literal}) = {literal}"
        yield f"nullif({name}, {literal}) IS NULL"
        yield f"greatest({name}, {literal}) = {literal}"
    yield f"{name} IS NOT NULL AND id > 3"
    yield f"{name} = {name}_2"
    yield f"{name} < {name}_2 OR {name} IS NULL"
    yield f"least({name}, {name}_2) = {name}"


NAMES = list(typed_columns(random.Random(0)))


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    generator = random.Random(11)
    columns = {"id": pa.array(range(ROWS))}
    for name, (type, make, _) in typed_columns(generator).items():
        for side in ("", "_2"):
            values = [None if generator.random() < 0.25 else make() for _ in range(ROWS)]
            columns[name + side] = pa.array(values, type)
    path = tmp_path_factory.mktemp("types") / "t.lance"
    lance.write_dataset(pa.table(columns), path, max_rows_per_file=15)
    return path


@pytest.mark.parametrize("name", NAMES)
def test_keeps_the_rows_that_pylance_keeps(name, path):
    dataset, peer = tusk.dataset(path), lance.dataset(path)
    literals = typed_columns(random.Random(0))[name][2]
    shared = 0
    for text in conditions(name, literals):
        ours = dataset.to_table(columns=["id"], filter=text)["id"].to_pylist()
        assert dataset.count_rows(text) == len(ours), text
        try:
            theirs = peer.to_table(columns=["id"], filter=text)["id"].to_pylist()
        except (ValueError, OSError):
            continue
        shared += 1
        assert ours == theirs, text
    assert shared > 5
