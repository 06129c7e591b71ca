"""Encodings that pylance chooses by itself, one table for each, read by tusk."""

from decimal import Decimal

import lance
import numpy as np
import pyarrow as pa
import pytest

import tusk

ROWS = 5000
THREE = pa.list_(pa.int32(), 3)
EIGHTY = pa.list_(pa.float32(), 80)
random = np.random.default_rng(11)


def some_null(values, type_):
    """Every third row null, or runs of nulls, so that levels are packed or run-length encoded."""
    scattered = pa.array(values, type_, mask=np.arange(ROWS) % 3 == 0)
    in_runs = pa.array(values, type_, mask=np.arange(ROWS) // 500 % 2 == 0)
    return {"scattered": scattered, "in_runs": in_runs}


COLUMNS = {
    # Small numbers: inline bitpacking, at several widths; floats and times are packed too.
    "packed": {
        "bytes": pa.array(random.integers(0, 20, ROWS), pa.uint8()),
        "shorts": pa.array(random.integers(0, 500, ROWS), pa.int16()),
        "ints": pa.array(np.arange(ROWS), pa.int32()),
        "longs": pa.array(random.integers(0, 2**33, ROWS), pa.int64()),
        "halves": pa.array(random.random(ROWS).astype(np.float16), pa.float16()),
        "floats": pa.array(random.random(ROWS), pa.float32()),
        "times": pa.array(
            1_700_000_000_000_000 + np.arange(ROWS) * 1000, pa.timestamp("us", "UTC")
        ),
    },
    # One value, in the description of the page and in a buffer of it, with nulls and without.
    "constant": {
        "number": pa.array(np.full(ROWS, 7), pa.int64()),
        "flag": pa.array(np.full(ROWS, True), pa.bool_()),
        "text": pa.array(["same"] * ROWS, pa.string()),
        "wide": pa.array([b"x" * 40] * ROWS, pa.binary(40)),
        **{f"n_{k}": v for k, v in some_null(np.full(ROWS, 7), pa.int64()).items()},
        **{f"t_{k}": v for k, v in some_null(["same"] * ROWS, pa.string()).items()},
    },
    # Runs of equal values.
    "runs": {
        "ints": pa.array(np.repeat(random.integers(-(2**30), 2**30, ROWS // 50), 50), pa.int32()),
        "shorts": pa.array(np.repeat(random.integers(-300, 300, ROWS // 500), 500), pa.int16()),
        "floats": pa.array(np.repeat(random.normal(size=ROWS // 100), 100), pa.float32()),
    },
    # Plain values with levels of every kind.
    "levels": {
        **some_null(random.integers(-(2**60), 2**60, ROWS), pa.int64()),
        **{f"t_{k}": v for k, v in some_null([f"{i}" for i in range(ROWS)], pa.binary()).items()},
    },
    # Lists with null items, narrow and wide.
    "lists": {
        "narrow": pa.array([None if i % 5 == 0 else [i, None, 2] for i in range(ROWS)], THREE),
        "wide": pa.array([[None, 1.5] * 40 if i % 3 else None for i in range(ROWS)], EIGHTY),
    },
    # Wide values.
    "zipped": {
        "vectors": pa.FixedSizeListArray.from_arrays(
            pa.array(random.random(ROWS * 64), pa.float32()), 64
        ),
        "blobs": pa.array([random.bytes(200 + i % 300) for i in range(ROWS)], pa.binary()),
        **some_null([random.bytes(200 + i % 300) for i in range(ROWS)], pa.binary()),
    },
}


SIZES = [1, 100, 1023, 1024, 1025, 4096, 100_000]
HINTS = [
    {},
    {"compression": "none"},
    {"compression": "lz4"},
    {"compression": "zstd", "compression-level": "3"},
    {"compression": "fsst"},
    {"compression": "lz4", "bss": "on"},
    {"dict-values-compression": "zstd"},
    {"dict-values-compression": "none"},
    {"structural-encoding": "miniblock", "compression": "zstd"},
    {"structural-encoding": "fullzip"},
    {"structural-encoding": "fullzip", "compression": "zstd"},
]


def texts_and_numbers(rows, null_share):
    """Few and many different values, short and long, that lead to dictionaries, FSST and streams."""
    words = ["".join(random.choice(list("abcdefgh "), 7)) for _ in range(300)]

    def pick(values):
        return [values[i] for i in random.integers(0, len(values), rows)]

    urls = [f"https://example.org/{word}/{i}" for i, word in enumerate(pick(words))]
    long = [f"{word} {i}" * 40 for i, word in enumerate(pick(words))] if rows < 10_000 else urls
    longs = random.integers(-(2**62), 2**62, 60)
    columns = {
        "few": (pick(words[:50]), pa.string()),
        "few_large": (pick(words[:50]), pa.large_string()),
        "few_bytes": ([word.encode() for word in pick(words[:150])], pa.binary()),
        "urls": (urls, pa.string()),
        "urls_large": (urls, pa.large_string()),
        "long": (long, pa.string()),
        "long_bytes": ([text.encode() for text in long], pa.binary()),
        "longs": (pick(longs), pa.int64()),
        "many_longs": (pick(np.arange(3000) * 1_048_577), pa.int64()),
        "decimals": (pick([Decimal(int(x)) / 100 for x in longs]), pa.decimal128(30, 2)),
        "doubles": (pick(random.normal(size=60)), pa.float64()),
        "walk": (np.cumsum(random.normal(size=rows)), pa.float64()),
        "floats": (random.normal(100, 1, rows), pa.float32()),
    }
    is_null = random.random(rows) < null_share
    return {
        name: pa.array([None if null else v for v, null in zip(values, is_null)], type_)
        for name, (values, type_) in columns.items()
    }


@pytest.mark.parametrize("hint", HINTS, ids=lambda hint: "-".join(hint.values()) or "default")
@pytest.mark.parametrize("rows", SIZES)
def test_reads_texts_and_numbers_under_every_hint(rows, hint, tmp_path):
    if rows == max(SIZES) and hint not in HINTS[:1]:
        pytest.skip("the largest size is read once")
    for null_share in [0, 0.1, 0.9]:
        columns = texts_and_numbers(rows, null_share)
        metadata = {f"lance-encoding:{key}": value for key, value in hint.items()}
        fields = [pa.field(name, a.type, metadata=metadata) for name, a in columns.items()]
        table = pa.table(list(columns.values()), pa.schema(fields))
        path = tmp_path / str(null_share)
        lance.write_dataset(table, str(path), data_storage_version="2.2")
        ours = tusk.dataset(path)
        assert ours.to_table().to_pydict() == table.to_pydict()
        some = random.integers(0, rows, 50).tolist()
        assert ours.take(some).to_pydict() == table.take(some).to_pydict()


@pytest.mark.parametrize("kind", COLUMNS)
def test_reads_what_pylance_chooses(kind, tmp_path):
    table = pa.table(COLUMNS[kind])
    lance.write_dataset(table, str(tmp_path / "t"))
    ours = tusk.dataset(tmp_path / "t")
    assert ours.to_table() == table
    rows = random.integers(0, ROWS, 50).tolist()
    assert ours.take(rows) == table.take(rows)
