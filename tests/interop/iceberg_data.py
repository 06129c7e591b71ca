"""Data for tests of Iceberg tables, and how to compare it."""

import datetime
import decimal
import math
import random
import uuid

import pyarrow as pa
from pyiceberg.catalog.sql import SqlCatalog


def all_types(rows, seed=0):
    """A table with a column of every type in docs/decisions/003-types.md, a fifth of it null."""
    draw = random.Random(seed)

    def column(type, make):
        return pa.array([None if draw.random() < 0.2 else make() for _ in range(rows)], type)

    def integer(bits, signed=True):
        low = -(2 ** (bits - 1)) if signed else 0
        return lambda: draw.choice([low, low + 2**bits - 1, low + draw.randrange(2**bits)])

    def text():
        return "".join(draw.choices("aß€😀\U0010ffff", k=draw.randrange(30)))

    def number(digits, scale):
        largest = 10**digits - 1
        return lambda: decimal.Decimal(draw.randint(-largest, largest)).scaleb(
            -scale, decimal.Context(prec=40)
        )

    def double():
        return draw.choice([0.0, -0.0, math.inf, math.nan, draw.uniform(-1e9, 1e9)])

    def items(make, most=4):
        return lambda: [make() for _ in range(draw.randrange(most))]

    def blob():
        return draw.randbytes(draw.randrange(40))

    def time_of_day(units):
        return lambda: draw.randrange(86400 * units)

    seconds, small = integer(32), integer(8)
    point = pa.struct([("x", pa.uint16()), ("inner", pa.struct([("s", pa.string())]))])
    columns = {
        "bool": column(pa.bool_(), lambda: draw.random() < 0.5),
        "int8": column(pa.int8(), small),
        "int16": column(pa.int16(), integer(16)),
        "int32": column(pa.int32(), integer(32)),
        "int64": column(pa.int64(), integer(64)),
        "uint8": column(pa.uint8(), integer(8, False)),
        "uint16": column(pa.uint16(), integer(16, False)),
        "uint32": column(pa.uint32(), integer(32, False)),
        "uint64": column(pa.uint64(), integer(64, False)),
        "half": column(pa.float16(), lambda: draw.choice([0.0, -2.5, math.nan])),
        "float": column(pa.float32(), lambda: draw.choice([0.0, -0.0, math.nan, 1.5])),
        "double": column(pa.float64(), double),
        "decimal5": column(pa.decimal128(5, 2), number(5, 2)),
        "decimal12": column(pa.decimal128(12, 3), number(12, 3)),
        "decimal38": column(pa.decimal128(38, 0), number(38, 0)),
        "date32": column(pa.date32(), lambda: draw.randrange(-30000, 30000)),
        "date64": column(pa.date64(), lambda: draw.randrange(-30000, 30000) * 86_400_000),
        "time_s": column(pa.time32("s"), time_of_day(1)),
        "time_ms": column(pa.time32("ms"), time_of_day(1000)),
        "time_us": column(pa.time64("us"), time_of_day(1_000_000)),
        "moment_s": column(pa.timestamp("s"), seconds),
        "moment_ms": column(pa.timestamp("ms"), lambda: seconds() * 1000 + 1),
        "moment_us": column(pa.timestamp("us"), lambda: seconds() * 1_000_000 + 1),
        "berlin": column(pa.timestamp("ms", "Europe/Berlin"), lambda: seconds() * 1000 + 1),
        "utc": column(pa.timestamp("us", "UTC"), lambda: seconds() * 1_000_000 + 1),
        "string": column(pa.string(), text),
        "large_string": column(pa.large_string(), text),
        "string_view": column(pa.string_view(), text),
        "binary": column(pa.binary(), blob),
        "large_binary": column(pa.large_binary(), lambda: b"\xff" * draw.randrange(30)),
        "binary_view": column(pa.binary_view(), blob),
        "fixed": column(pa.binary(7), lambda: draw.randbytes(7)),
        "uuid": column(pa.uuid(), lambda: draw.randbytes(16)),
        "uuids": column(pa.list_(pa.binary(16)), items(lambda: draw.randbytes(16))).cast(
            pa.list_(pa.uuid())
        ),
        "uuid_in": column(
            pa.struct([("u", pa.binary(16))]), lambda: {"u": draw.choice([None, draw.randbytes(16)])}
        ).cast(pa.struct([("u", pa.uuid())])),
        "dictionary": column(pa.string(), lambda: draw.choice("rgb")).dictionary_encode(),
        "vector": column(pa.list_(pa.float32(), 4), lambda: [draw.random()] * 4),
        "list": column(pa.list_(pa.uint8()), items(lambda: draw.choice([None, 7]))),
        "large_list": column(pa.large_list(pa.large_string()), items(text)),
        "struct": column(point, lambda: {"x": draw.choice([None, 9]), "inner": {"s": text()}}),
        "map": column(pa.map_(pa.string(), pa.int32()), items(lambda: (text(), None))),
    }
    return pa.table(columns)


def plain(value):
    """A value without what the type table changes: widths, decimals of whole numbers, zones."""
    if isinstance(value, float) and math.isnan(value):
        return "NaN"
    if isinstance(value, int) and not isinstance(value, bool):
        return decimal.Decimal(value)
    if isinstance(value, datetime.datetime) and value.tzinfo is not None:
        return value.astimezone(datetime.timezone.utc)
    if isinstance(value, uuid.UUID):
        return value.bytes
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value


def rows_of(table):
    return [plain(row) for row in table.to_pylist()]


def foreign_catalog(lake):
    return SqlCatalog(
        lake.catalog_name, uri=f"sqlite:///{lake.uri}/catalog.db", warehouse=f"file://{lake.uri}"
    )
