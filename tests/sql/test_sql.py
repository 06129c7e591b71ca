"""SQL over tables of both kinds, checked against plain pyarrow."""

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from conftest import random_table

import tusk

# What SQL hands down in one form or another; each is checked against DuckDB over plain Arrow.
PREDICATES = [
    "small > 0",
    "small between -1000000000 and 1000000000",
    "big is null",
    "big is not null and double < 0",
    "text = ''",
    "text >= 'm'",
    "text in ('', 'a', 'b', 'c')",
    "text like 'a%'",
    "flag",
    "not flag",
    "flag or small < 0",
    "single > 1.5",
    "double <> 0",
    "moment < timestamp '2035-01-01'",
    "instant >= timestamptz '2030-01-01 00:00:00+02'",
    "blob > '\\x80'::blob",
    "id = 17 or id = 3",
    "id % 7 = 3 and id > 100",
    "small > 5 and text is null and flag",
    "vector[1] > 0.5",
]


@pytest.fixture(scope="module")
def table():
    # Iceberg keeps no fixed-size lists apart from lists, so that both sides are compared without.
    return random_table(3000, seed=5)


@pytest.fixture(scope="module")
def both(table, tmp_path_factory):
    lake = tusk.init(tmp_path_factory.mktemp("sql") / "lake")
    facts = table.drop_columns(["maybe_vector"])
    lake.append({"a.vectors": table}, {"a.facts": facts})
    lake.append({"a.vectors": table.slice(0, 10)}, {"a.facts": facts.slice(0, 10)})
    return lake


@pytest.mark.parametrize("name", ["a.vectors", "a.facts"])
@pytest.mark.parametrize("predicate", PREDICATES)
def test_filters_are_applied_completely(name, predicate, both, table):
    plain = duckdb.connect()
    plain.execute("set timezone = 'UTC'")
    plain.register("t", pa.concat_tables([table, table.slice(0, 10)]).to_reader().read_all())
    expected = plain.sql(f"select id, text from t where {predicate} order by id").fetchall()
    assert (
        both.sql(f"select id, text from {name} where {predicate} order by id").fetchall()
        == expected
    )


@pytest.mark.parametrize("name", ["a.vectors", "a.facts"])
def test_filters_and_columns_are_handed_down(name, both):
    plan = both.sql(f"explain select text from {name} where id > 2990").fetchall()[0][1]
    assert "PYTHON_ARROW_SCAN" in plan.upper() and '"id" > 2990' in plan.replace(
        "id>2990", '"id" > 2990'
    )
    assert "FILTER" not in [line.strip("│ ") for line in plan.split("\n")]


class Watched:
    """A lake that remembers the tables that SQL opened."""

    def __init__(self, lake):
        self._lake = lake
        self.opened = {}

    def tables(self):
        return self._lake.tables()

    def table(self, name):
        return self.opened.setdefault(name, self._lake.table(name))


def bytes_read(lake, query):
    watched = Watched(lake)
    tusk.sql.open_session(watched, query).sql(query).fetchall()
    return {name: table.io_stats_snapshot().read_bytes for name, table in watched.opened.items()}


@pytest.mark.parametrize("name", ["a.vectors", "a.facts"])
def test_columns_that_are_not_needed_are_not_read(name, both):
    narrow = bytes_read(both, f"select sum(id) from {name}")[name]
    wide = bytes_read(both, f"select * from {name}")[name]
    assert 0 < narrow < wide / 3


def test_only_tables_that_the_statement_names_are_opened(both):
    assert set(bytes_read(both, "select count(*) from a.facts")) == {"a.facts"}
    assert set(bytes_read(both, "select 1")) == set()


def test_counts(both):
    assert both.sql("select count(*) from a.vectors").fetchall() == [(3010,)]
    assert both.sql("select count(*) from a.facts").fetchall() == [(3010,)]


def test_joins_both_kinds(both, table):
    found = both.sql(
        "select count(*), count(v.text) from a.vectors v join a.facts f using (id)"
        " where f.small > 0"
    ).fetchall()
    positive = pc.field("small") > 0
    twice = table.slice(0, 10).filter(positive)
    once = table.slice(10).filter(positive)
    expected = once.num_rows + 4 * twice.num_rows
    texts = sum(t["text"].length() - t["text"].null_count for t in (once,)) + 4 * (
        twice["text"].length() - twice["text"].null_count
    )
    assert found == [(expected, texts)]


def test_types(both):
    types = {row[0]: row[1] for row in both.sql("describe a.vectors").fetchall()}
    assert types["vector"] == "FLOAT[8]"
    assert types["blob"] == "BLOB"
    assert types["instant"] == "TIMESTAMP WITH TIME ZONE"


def test_hits_join_in_the_same_statement(lake):
    query = lake.table("media.pictures").to_table(["embedding"], limit=1)["embedding"][0]
    hits = lake.search("media.pictures", query, k=7)
    joined = lake.sql(
        "select m.label, count(*) n, min(_distance)"
        " from hits join media.pictures_meta m using (content_id)"
        " group by all order by all",
        hits=hits,
    ).fetchall()
    assert sum(row[1] for row in joined) == 7
    labels = lake.table("media.pictures_meta").to_table(
        ["label"], filter=pc.field("content_id").isin(hits["content_id"].combine_chunks())
    )
    counted = {row["values"]: row["counts"] for row in labels["label"].value_counts().to_pylist()}
    assert {row[0]: row[1] for row in joined} == counted


def test_the_lake_as_it_was(both):
    assert both.at(1).sql("select count(*) from a.facts").fetchall() == [(3000,)]
    assert both.at(1).sql("select count(*) from a.vectors").fetchall() == [(3000,)]


@pytest.mark.parametrize(
    ("name", "in_sql"),
    [
        ("one.t", "one.t"),
        ("one.two.t", '"one.two".t'),
        ("One.T", "one.t"),
        ("my-space.my-table", '"my-space"."my-table"'),
        ("main.t", "main.t"),
        ("select.from", '"select"."from"'),
        ("temp.t", "memory.temp.t"),
        ("memory.t", "memory.memory.t"),
    ],
)
def test_names(name, in_sql, tmp_path):
    lake = tusk.init(tmp_path / "lake")
    lake.append({name: pa.table({"a": [7]})})
    assert lake.sql(f"select a from {in_sql}").fetchall() == [(7,)]


def test_names_that_sql_cannot_reach_are_refused(tmp_path):
    lake = tusk.init(tmp_path / "lake")
    lake.append({"pg_catalog.t": pa.table({"a": [7]})})
    with pytest.raises(NotImplementedError, match="pg_catalog.t"):
        lake.sql("select * from pg_catalog.t")


def test_tables_are_listed(both):
    names = both.sql(
        "select table_schema, table_name from information_schema.tables order by all"
    ).fetchall()
    assert ("a", "facts") in names and ("a", "vectors") in names


def test_python_variables_stay_out_of_reach(both):
    secret = pa.table({"a": [1]})  # noqa: F841
    with pytest.raises(duckdb.CatalogException):
        both.sql("select * from secret")


def test_errors_of_a_read_surface(both):
    with pytest.raises(duckdb.Error):
        both.sql("select nothing from a.facts").fetchall()


def test_arrow_results_keep_vectors(both, table):
    found = both.sql(
        "select id, vector from a.vectors where id in (3, 20) order by id"
    ).to_arrow_table()
    expected = np.array([table["vector"][i].as_py() for i in (3, 3, 20)], dtype=np.float32)
    np.testing.assert_array_equal(np.array(found["vector"].to_pylist(), dtype=np.float32), expected)
