"""Random scans and takes give what pylance gives: the same rows, schema and metadata, or an error
of the same class. `make test-scans` tries 20,000 others; one is tried again by its seed."""

import random

import lance
import numpy as np
import pyarrow as pa
import pytest
from lance.dataset import ColumnOrdering
from random_scans import make_tables, random_columns, random_scan

import tusk

# So many are tried in one test.
PER_TEST = 25
# What pylance alone refuses, or fails at.
ONLY_PYLANCE = (
    "Cannot use limit/offset with aggregate",
    "Cannot use order_by with aggregate",
    "Received literal",  # of a dictionary of nulls
    "TakeExec requires the input plan",
    "No field named _row",
    "Column _row",
    "strict_batch_size=true cannot be combined",
    "Scans must request at least one column",
    "Field 's' not found",  # of late_materialization
    "No data files found for schema",  # a take without columns
)


def pytest_generate_tests(metafunc):
    if "seed" in metafunc.fixturenames:
        first = metafunc.config.getoption("--seed")
        tests = -(-metafunc.config.getoption("--scans") // PER_TEST)
        metafunc.parametrize("seed", range(first, first + tests))


@pytest.fixture(scope="module")
def datasets(tmp_path_factory):
    """Each table as pylance and as tusk open it."""
    folder = tmp_path_factory.mktemp("scans")
    return [
        (lance.dataset(f"{folder}/{name}"), tusk.dataset(f"{folder}/{name}"))
        for name in make_tables(folder)
    ]


def outcome(call):
    try:
        return call()
    except Exception as error:
        return error


def is_meant(theirs):
    """Whether the same is asked of us."""
    return not any(text in str(theirs) for text in ONLY_PYLANCE)


def check_error(theirs, ours):
    if isinstance(theirs, pa.ArrowInvalid):  # raised by pyarrow, of which it is a ValueError
        theirs = ValueError(str(theirs))
    if isinstance(ours, Exception):
        assert isinstance(ours, type(theirs)), (theirs, ours)
    else:
        assert not is_meant(theirs), (theirs, ours)


def plain(table):
    """Rows of which two are equal if their texts are: NaN is."""
    return [str(row) for row in table.to_pylist()] if table.num_columns else table.num_rows


def check_tables(theirs, ours, columns, in_order=True):
    if theirs.schema.metadata is not None:  # which pylance's take of unordered rows loses
        assert ours.schema.metadata == theirs.schema.metadata
    assert ours.schema.names == theirs.schema.names
    for found, expected in zip(ours.schema, theirs.schema):
        assert found.type == expected.type
        if isinstance(columns, dict):
            # What is computed may be null here, and has no metadata, whatever it is computed from.
            assert found.nullable or not expected.nullable
        else:
            assert found.equals(expected, check_metadata=True)
    expected, found = plain(theirs), plain(ours)
    if not in_order and theirs.num_columns:
        expected, found = sorted(expected), sorted(found)
    assert found == expected


def scan(dataset, ordering, arguments, how):
    arguments = dict(arguments)
    if "order_by" in arguments:
        arguments["order_by"] = [ordering(*key) for key in arguments["order_by"]]
    if "fragments" in arguments:
        arguments["fragments"] = [dataset.get_fragment(id) for id in arguments["fragments"]]
    scanner = dataset.scanner(**arguments)
    if how == "schema":
        return scanner.projected_schema
    if how == "count":
        return scanner.count_rows()
    if how == "head":
        return scanner.head(5)
    if how == "reader":
        return scanner.to_reader().read_all()
    if how == "batches":
        batches = list(scanner.to_batches())
        if isinstance(dataset, tusk.LanceDataset):  # pylance's may be longer
            most = arguments.get("batch_size") or 2**62
            assert all(batch.num_rows <= most for batch in batches)
        return pa.Table.from_batches(batches, scanner.projected_schema)
    return scanner.to_table()


def test_scans_give_what_pylance_gives(seed, datasets):
    for number in range(PER_TEST):
        rng = random.Random(seed * PER_TEST + number)
        reference, dataset = rng.choice(datasets)
        arguments = random_scan(rng, reference)
        how = rng.choice(["table", "table", "batches", "reader", "count", "schema", "head"])
        print(number, reference.uri, how, arguments)
        theirs = outcome(lambda: scan(reference, ColumnOrdering, arguments, how))
        ours = outcome(lambda: scan(dataset, tusk.ColumnOrdering, arguments, how))
        if isinstance(theirs, Exception):
            # To count rows, we look at no column of the result.
            if how != "count" or isinstance(ours, Exception):
                check_error(theirs, ours)
        elif isinstance(theirs, int):
            # Of some fragments, rows are counted as they are read; pylance looks at no column.
            assert ours == theirs or isinstance(ours, tusk.errors.NotFoundError)
        elif isinstance(theirs, pa.Schema):
            assert not isinstance(ours, Exception), ours
            check_tables(theirs.empty_table(), ours.empty_table(), arguments["columns"])
        else:
            assert not isinstance(ours, Exception), ours
            in_order = arguments.get("scan_in_order") is not False
            check_tables(theirs, ours, arguments["columns"], in_order)


def random_rows(rng, count):
    """Row numbers in one of the forms that callers have; now and then such as no row has."""
    most = count + 3 if rng.random() < 0.05 else max(count, 1)
    numbers = [rng.randrange(most) for _ in range(rng.choice([0, 1, 2, 5, 50, 600]))]
    numbers = numbers if count else numbers[:1]
    if rng.random() < 0.2:
        numbers = sorted(numbers)
    if rng.random() < 0.03:
        numbers.append(rng.choice([-1, 2**63, 1.5, None, "1"]))
        return numbers
    small = [n for n in numbers if n < 128]
    kinds = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")
    kind = rng.choice(kinds)
    fit = small if kind.endswith("t8") else numbers
    return rng.choice(
        [
            numbers,
            tuple(numbers),
            range(min(count, 9) - 1, -1, -1),
            [np.int32(n) for n in numbers],
            np.array(fit, dtype=kind),
            pa.array(fit, type=kind),
            pa.chunked_array([pa.array(fit[:2], kind), pa.array(fit[2:], kind)]),
        ]
    )


def test_takes_give_what_pylance_gives(seed, datasets):
    for number in range(PER_TEST):
        rng = random.Random(-1 - seed * PER_TEST - number)
        reference, dataset = rng.choice(datasets)
        columns = random_columns(rng, reference.schema, with_wrong=False)
        if "_rowoffset" in (columns or ()):  # ours alone
            continue
        rows = random_rows(rng, reference.count_rows())
        print(number, reference.uri, rows, columns)
        if rng.random() < 0.3:
            ids = reference.to_table(columns=[], with_row_id=True)["_rowid"].to_pylist()
            rows = rng.choices(ids, k=rng.choice([0, 1, 40])) if ids else []
            theirs = outcome(lambda: reference._take_rows(rows, columns))
            ours = outcome(lambda: dataset._take_rows(rows, columns))
        else:
            theirs = outcome(lambda: reference.take(rows, columns))
            ours = outcome(lambda: dataset.take(rows, columns))
        if isinstance(theirs, Exception):
            check_error(theirs, ours)
            continue
        if isinstance(ours, tusk.errors.RowOutOfRangeError):
            # pylance gives some rows beyond the end of a table of many fragments.
            assert max(getattr(rows, "to_pylist", lambda: rows)()) >= reference.count_rows()
            continue
        assert not isinstance(ours, Exception), ours
        check_tables(theirs, ours, columns)
