"""Random conditions over random tables: DuckDB keeps the same rows, and so does pylance where it
takes them. `make test-filters` tries 20,000 others; one is tried again by its seed."""

import duckdb
import filter_oracles
import lance
import pyarrow as pa
import pytest
from random_filters import random_filters

import tusk

# So many conditions are about one table.
PER_TABLE = 50


def pytest_generate_tests(metafunc):
    if "seed" in metafunc.fixturenames:
        first = metafunc.config.getoption("--seed")
        tables = -(-metafunc.config.getoption("--filters") // PER_TABLE)
        metafunc.parametrize("seed", range(first, first + tables))


def outcome(read):
    """The rows, or that an error came."""
    try:
        return read()
    except (ValueError, OSError, duckdb.Error):
        return "error"


def pylance_differs(text):
    """Whether pylance has a meaning of its own: floats that are no literals are compared by their
    bits there, so that 0.0 is not -0.0 and a NaN with a sign is below all; a slice of a null list
    is a list of null to what adds to it."""
    floats = text.count("f32") + text.count("f64") + text.count("AS double")
    adds = any(name in text for name in ("array_append", "array_prepend", "array_concat"))
    slices = "array_slice" in text or "array_pop" in text
    return floats > 1 or "(f64 " in text or (adds and slices)


def test_keeps_the_rows_that_duckdb_and_pylance_keep(seed, tmp_path):
    table, filters = random_filters(seed, PER_TABLE)
    dataset = tusk.write_dataset(table, tmp_path / "t.lance")
    peer = lance.dataset(tmp_path / "t.lance")
    connection = duckdb.connect()
    filter_oracles.add_to(connection)
    place = table.schema.get_field_index("j")
    texts = pa.chunked_array([chunk.storage for chunk in table["j"].chunks], pa.string())
    connection.register("t", table.set_column(place, "j", texts))
    shared = 0
    errors = 0
    for number, both in enumerate(filters):
        ours = outcome(lambda: dataset.to_table(columns=["id"], filter=both.tusk)["id"].to_pylist())
        query = f"SELECT id FROM t WHERE {both.duck} ORDER BY id"
        theirs = outcome(lambda: [row[0] for row in connection.execute(query).fetchall()])
        assert ours == theirs, f"filter {number} of seed {seed}: {both.tusk}"
        errors += ours == "error"
        if pylance_differs(both.tusk):
            continue
        pylance = outcome(lambda: peer.to_table(columns=["id"], filter=both.tusk)["id"].to_pylist())
        if pylance != "error":
            shared += 1
            assert ours == pylance, f"filter {number} of seed {seed}: {both.tusk}"
    # The test would say nothing if all were refused.
    assert errors < PER_TABLE / 5
    assert shared > PER_TABLE / 10
