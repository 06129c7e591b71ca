"""Columns of blobs in SQL, DuckDB and Polars: what both packages give."""

import duckdb
import lance
import polars
import pyarrow as pa
import pytest

import tusk

VALUES = [b"abc", None, b"y" * 100_000]
QUERIES = [
    ("select * from dataset", None),
    ("select * from dataset", "all_binary"),
    ("select * from dataset", "all_descriptions"),
    ("select * from dataset", "blobs_descriptions"),
    ("select id, b from dataset where id > 1", "all_binary"),
    ("select id, b from dataset where id > 1", None),
    ("select count(*) c from dataset where b is null", None),
    ("select id from dataset where b is not null order by id desc", None),
]


@pytest.fixture(params=["v1", "v2"])
def uri(request, tmp_path):
    uri = str(tmp_path / "t")
    if request.param == "v1":
        field = pa.field("b", pa.large_binary(), metadata={"lance-encoding:blob": "true"})
        rows = pa.table([[1, 2, 3], pa.array(VALUES, field.type)], schema=schema_of(field))
        lance.write_dataset(rows, uri, data_storage_version="2.1")
    else:
        rows = pa.table(
            [[1, 2, 3], lance.blob_array(VALUES)], schema=schema_of(lance.blob_field("b"))
        )
        lance.write_dataset(rows, uri)
    return uri


def schema_of(field):
    return pa.schema([pa.field("id", pa.int64()), field])


def rows_of(library, uri, sql, blob_handling):
    builder = library.dataset(uri).sql(sql)
    if blob_handling is not None:
        builder = builder.blob_handling(blob_handling)
    return pa.Table.from_batches(builder.build().to_batch_records()).to_pylist()


@pytest.mark.parametrize(("sql", "blob_handling"), QUERIES)
def test_statements_give_the_same(uri, sql, blob_handling):
    ours, theirs = (rows_of(library, uri, sql, blob_handling) for library in (tusk, lance))
    assert ours == theirs


def test_places_are_fields_in_statements(tmp_path):
    rows = pa.table([[1, 2, 3], lance.blob_array(VALUES)], schema=schema_of(lance.blob_field("b")))
    lance.write_dataset(rows, tmp_path / "t")
    for sql in ("select b.size s from dataset", "select id from dataset where b['size'] > 10"):
        assert rows_of(tusk, tmp_path / "t", sql, None) == rows_of(lance, tmp_path / "t", sql, None)


def test_other_columns_are_scanned_by_engines(uri):
    for library in (tusk, lance):
        dataset = library.dataset(uri)
        assert duckdb.sql("select id from dataset where id > 1").fetchall() == [(2,), (3,)]
        assert duckdb.sql("select count(*) from dataset").fetchall() == [(3,)]
        frame = polars.scan_pyarrow_dataset(dataset).filter(polars.col("id") > 1).select("id")
        assert frame.collect().to_dicts() == [{"id": 2}, {"id": 3}]


def test_engines_get_bytes_of_a_table_that_is_opened_so(uri):
    # Scans give another type than the table has, which DuckDB and Polars do not take, unless the
    # table is opened with what it shall give.
    by_sql = "select b from dataset where id = 3 or b is null"
    for library in (tusk, lance):
        dataset = library.dataset(uri)
        with pytest.raises(duckdb.InvalidInputException, match="answered with column 'b'"):
            duckdb.sql("select b from dataset").fetchall()
    for handling, wanted in (("all_binary", VALUES[2]), ("all_descriptions", None)):
        dataset = tusk.dataset(uri, default_scan_options={"blob_handling": handling})
        (null,), (value,) = duckdb.sql(by_sql + " order by id").fetchall()
        assert null is None
        assert value == wanted if wanted else value["size"] == len(VALUES[2])
        frame = polars.scan_pyarrow_dataset(dataset).filter(polars.col("id") > 1).collect()
        assert frame["b"][0] is None
        assert frame["b"][1] == wanted if wanted else frame["b"][1]["size"] == len(VALUES[2])
