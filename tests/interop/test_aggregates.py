"""Aggregates of Substrait plans: what both packages answer, and what only pylance computes."""

import importlib
import math
import random

import lance
import numpy as np
import pyarrow as pa
import pytest
from substrait_plans import column, literal, measure, message, plan

import tusk

ROWS = 3000
NAMES = ["k", "s", "x", "f", "d", "b", "t", "u", "wide"]
SUMMED = ["k", "x", "f", "u"]


def random_table(seed, rows=ROWS):
    numbers = np.random.default_rng(seed)

    def with_nulls(values, kind):
        return pa.array(values, kind, mask=numbers.random(rows) < 0.2)

    letters = [["a", "b", "", "c"][i] for i in numbers.integers(0, 4, rows)]
    return pa.table(
        {
            "k": with_nulls(numbers.integers(0, 5, rows), pa.int32()),
            "s": with_nulls(letters, pa.string()),
            "x": with_nulls(numbers.integers(-100, 100, rows), pa.int64()),
            "f": with_nulls(numbers.random(rows), pa.float32()),
            "d": with_nulls(numbers.integers(0, 999, rows), pa.int32()).cast(pa.decimal128(12, 2)),
            "b": with_nulls(numbers.random(rows) < 0.5, pa.bool_()),
            "t": with_nulls(numbers.integers(0, 10**9, rows), pa.timestamp("us", "UTC")),
            "u": with_nulls(numbers.integers(0, 100, rows), pa.uint8()),
            "wide": with_nulls(numbers.integers(0, rows, rows), pa.int64()),
        }
    )


@pytest.fixture(scope="module")
def uri(tmp_path_factory):
    uri = str(tmp_path_factory.mktemp("aggregates") / "t")
    lance.write_dataset(random_table(3), uri, max_rows_per_file=1000)
    lance.dataset(uri).delete("x = 7")
    return uri


def number_of(name):
    return column(NAMES.index(name))


def builder(library, uri, aggregate):
    module = importlib.import_module(f"{library.__name__}.dataset")
    return module.ScannerBuilder(library.dataset(uri)).substrait_aggregate(aggregate)


def rows_of(table):
    rows = [tuple(row.values()) for row in table.to_pylist()]
    return sorted(rows, key=lambda row: [(value is not None, str(value)) for value in row])


def assert_same(uri, aggregate, filter=None):
    found = []
    for library in (tusk, lance):
        scan = builder(library, uri, aggregate)
        if filter is not None:
            scan.filter(filter)
        found.append(scan.to_scanner().to_table())
    ours, theirs = found
    assert ours.schema.names == theirs.schema.names
    assert ours.schema.types == theirs.schema.types
    assert [f.nullable for f in ours.schema] == [f.nullable for f in theirs.schema]
    for mine, other in zip(rows_of(ours), rows_of(theirs), strict=True):
        for one, two in zip(mine, other, strict=True):
            if isinstance(one, float):
                assert math.isclose(one, two, rel_tol=1e-9), (mine, other)
            else:
                assert one == two, (mine, other)
    return ours


def test_random_aggregates_are_those_of_pylance(uri):
    choose = random.Random(5)
    for _ in range(60):
        groups = choose.sample(NAMES, choose.randrange(4))
        measures = []
        for _ in range(choose.randrange(1, 5)):
            function = choose.choice(["count", "sum", "min", "max", "avg"])
            names = NAMES if function in ("count", "min", "max") else SUMMED
            argument = number_of(choose.choice(names))
            if function == "count" and choose.random() < 0.5:
                argument = choose.choice([None, literal(1)])
            one = measure(function, argument)
            if one not in measures:  # pylance has no name for the second
                measures.append(one)
        # pylance gives no name to one of two columns that are called the same.
        names = [f"c{i}" for i in range(choose.choice([0, len(groups) + len(measures)]))]
        how = {"shared_groups": bool(groups) and choose.random() < 0.5}
        how["suffix"] = choose.choice(["", ":any"])
        filter = choose.choice([None, "x > 50", "s = 'a' or k < 2", "x > 5000"])
        counts_twice = {measure("count"), measure("count", literal(1))} <= set(measures)
        if not counts_twice:
            groups = [number_of(name) for name in groups]
            assert_same(uri, plan(groups, measures, names, **how), filter)


def test_there_are_as_many_groups_as_values(uri):
    found = assert_same(uri, plan([number_of("wide"), number_of("x")], [measure("count")]))
    assert found.num_rows > 2000


def test_groups_alone_and_plans_without_a_root(uri):
    assert_same(uri, plan([number_of("s")], []))
    assert_same(uri, plan([number_of("s")], [measure("sum", number_of("u"))], has_root=False))
    assert_same(uri, plan([number_of("s")], [measure("sum", number_of("u"))], ["only one name"]))


def test_columns_that_are_asked_for_change_no_number(uri):
    aggregate = plan([number_of("s")], [measure("sum", number_of("x"))])
    theirs = builder(lance, uri, aggregate).columns(["k"]).to_scanner().to_table()
    ours = builder(tusk, uri, aggregate).columns(["k"]).to_scanner()
    assert rows_of(ours.to_table()) == rows_of(theirs)
    assert ours.count_rows() == theirs.num_rows
    assert ours.to_reader().read_all().equals(ours.to_table())
    assert ours.projected_schema == theirs.schema
    assert len(ours.to_pandas()) == theirs.num_rows


def test_a_field_of_a_struct_is_a_column(tmp_path):
    rows = pa.table({"s": pa.array([{"a.b": 1}, None, {"a.b": 5}, {"a.b": 1}])})
    tusk.write_dataset(rows, tmp_path / "t")
    aggregate = plan([column(0, 0)], [measure("count"), measure("sum", column(0, 0))])
    found = builder(tusk, tmp_path / "t", aggregate).to_scanner().to_table()
    assert found.column_names == ["s.a.b", "count(Int64(1))", "sum(s.a.b)"]
    assert rows_of(found) == [(None, 1, None), (1, 2, 2), (5, 1, 5)]


@pytest.mark.parametrize(
    "aggregate",
    [
        b"",
        b"\xff\xff\xff",
        message((3, b"")),
        message((3, message((1, message((1, b"")))))),  # a read relation
        plan([], []),
        plan([], [measure("sum", number_of("s"))]),
        plan([], [measure("avg", number_of("t"))]),
        plan([], [measure("sum", number_of("b"))]),
    ],
)
def test_both_refuse_what_is_no_aggregate(uri, aggregate):
    for library in (tusk, lance):
        with pytest.raises(ValueError):
            builder(library, uri, aggregate).to_scanner().to_table()


def test_every_truncation_is_refused_or_another_plan(uri):
    whole = plan([number_of("s")], [measure("sum", number_of("x"))], ["a", "b"])
    for length in range(len(whole)):
        with pytest.raises((ValueError, NotImplementedError)):
            builder(tusk, uri, whole[:length]).to_scanner()


def test_no_part_of_the_rows_is_aggregated(uri):
    for library in (tusk, lance):
        for part in ("limit", "offset"):
            scan = builder(library, uri, plan([], [measure("count")]))
            getattr(scan, part)(10)
            with pytest.raises(ValueError):
                scan.to_scanner().to_table()


@pytest.mark.parametrize(
    ("aggregate", "text"),
    [
        (plan([], [measure("stddev", number_of("x"))]), "stddev"),
        (plan([], [measure("count", number_of("x"), distinct=True)]), "distinct"),
        (plan([], [measure("count", filter=literal(1))]), "filter"),
        (plan([literal(1)], [measure("count")]), "a literal"),
        (plan([], [measure("avg", number_of("d"))]), "decimal"),
    ],
)
def test_what_is_not_computed_is_named(uri, aggregate, text):
    with pytest.raises(NotImplementedError, match=text):
        builder(tusk, uri, aggregate).to_scanner()


def test_a_field_that_is_not_there_is_told(uri):
    # pylance ends the thread.
    with pytest.raises(ValueError, match="field 99 of a scan, which has 9"):
        builder(tusk, uri, plan([], [measure("max", column(99))])).to_scanner()


def test_groups_of_many_batches_are_put_together(tmp_path):
    # More of them than wait in memory at once.
    rows = 200_000
    numbers = np.random.default_rng(1)
    table = pa.table(
        {"k": numbers.integers(0, 90_000, rows), "x": numbers.integers(-9, 9, rows).astype("int32")}
    )
    uri = str(tmp_path / "t")
    lance.write_dataset(table, uri)
    measures = [measure(function, column(1)) for function in ("count", "sum", "min", "max", "avg")]
    found = assert_same(uri, plan([column(0)], measures))
    assert found.num_rows > 65_536
    assert_same(uri, plan([], [measure("count"), *measures]))
