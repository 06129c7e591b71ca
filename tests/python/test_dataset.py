"""Lance tables through the Python API, in pylance's names and with its exceptions."""

import datetime
import pickle

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as pads
import pytest
from conftest import BOUNDARY_SIZES, random_table

import tusk


@pytest.fixture
def table():
    return random_table(500, seed=1)


@pytest.fixture
def dataset(table, tmp_path):
    return tusk.write_dataset(table, tmp_path / "t.lance")


@pytest.mark.parametrize("rows", BOUNDARY_SIZES)
def test_gives_back_what_was_written(rows, tmp_path):
    table = random_table(rows, seed=rows)
    dataset = tusk.write_dataset(table, tmp_path / "t")
    assert dataset.to_table() == table
    assert dataset.schema == table.schema
    assert dataset.count_rows() == len(dataset) == rows
    assert tusk.dataset(tmp_path / "t").to_table() == table


@pytest.mark.parametrize(
    "make",
    [
        lambda table: table,
        lambda table: table.to_reader(max_chunksize=70),
        lambda table: pads.dataset(table),
        lambda table: pads.dataset(table).scanner(),
        lambda table: table.combine_chunks().to_batches()[0],
    ],
    ids=["table", "reader", "dataset", "scanner", "batch"],
)
def test_takes_every_kind_of_arrow_data(make, table, tmp_path):
    assert tusk.write_dataset(make(table), tmp_path / "t").to_table() == table


def test_takes_slices(table, tmp_path):
    part = table.slice(13, 401)
    assert tusk.write_dataset(part, tmp_path / "t").to_table() == part


def test_takes_batches_with_a_schema_only(table, tmp_path):
    batches = table.to_batches(max_chunksize=99)
    with pytest.raises(ValueError, match="schema"):
        tusk.write_dataset(batches, tmp_path / "t")
    written = tusk.write_dataset(iter(batches), tmp_path / "t", schema=table.schema)
    assert written.to_table() == table


def test_batches_that_differ_from_the_schema_are_cast_or_refused(tmp_path):
    schema = pa.schema({"i": pa.int64(), "s": pa.string()})
    numbers = pa.array([1, 2, None], pa.int32())
    texts = pa.array(["a", None, "c"], pa.large_string())
    narrow = pa.record_batch({"i": numbers, "s": texts})
    written = tusk.write_dataset(iter([narrow]), tmp_path / "t", schema=schema)
    assert written.to_table() == pa.Table.from_batches([narrow]).cast(schema)
    for wrong in (
        pa.record_batch({"j": [1], "s": ["x"]}),
        pa.record_batch({"s": ["x"], "i": [1]}),
        pa.record_batch({"i": [1]}),
        pa.record_batch({"i": ["word"], "s": ["x"]}),
    ):
        with pytest.raises(ValueError):
            tusk.write_dataset(iter([narrow, wrong]), tmp_path / "wrong", schema=schema)
    with pytest.raises(TypeError, match="batch 1 is of type int"):
        tusk.write_dataset(iter([narrow, 5]), tmp_path / "wrong", schema=schema)
    with pytest.raises(ValueError):
        tusk.dataset(tmp_path / "wrong")


def test_takes_python_values_and_pandas(tmp_path):
    pd = pytest.importorskip("pandas")
    expected = {"a": [1, 2], "b": ["x", None]}
    for number, data in enumerate(
        [
            expected,
            [{"a": 1, "b": "x"}, {"a": 2, "b": None}],
            pd.DataFrame(expected),
        ]
    ):
        written = tusk.write_dataset(data, tmp_path / str(number))
        assert written.to_table().to_pydict() == expected
    with pytest.raises(TypeError, match="int"):
        tusk.write_dataset(3, tmp_path / "t")


def test_an_error_of_the_source_comes_through_as_it_is(tmp_path):
    def batches():
        yield pa.record_batch({"a": [1]})
        raise LookupError("no more")

    with pytest.raises(LookupError, match="no more"):
        tusk.write_dataset(batches(), tmp_path / "t", schema=pa.schema({"a": pa.int64()}))
    with pytest.raises(ValueError, match="t"):
        tusk.dataset(tmp_path / "t")


def test_projects_in_the_order_asked(dataset, table):
    assert dataset.to_table(["text", "id"]) == table.select(["text", "id"])
    assert dataset.scanner(columns=["text", "id"]).projected_schema.names == ["text", "id"]
    assert dataset.to_table(columns=[]).num_columns == 0


def test_filters_completely(dataset, table):
    for expression in (
        pc.field("small") > 0,
        (pc.field("double") < 0) & pc.field("flag"),
        pc.field("text").isin(["", "a", "b"]) | pc.field("big").is_null(),
        ~(pc.field("flag")),
        pc.scalar(True),
        pc.scalar(False),
    ):
        expected = table.filter(expression)
        assert dataset.to_table(filter=expression) == expected
        assert dataset.to_table(["id"], expression) == expected.select(["id"])
        assert dataset.count_rows(expression) == expected.num_rows
        assert dataset.scanner(filter=expression).count_rows() == expected.num_rows


def test_limits_after_the_filter(dataset, table):
    expression = pc.field("small") > 0
    expected = table.filter(expression).slice(7, 20)
    assert dataset.to_table(filter=expression, offset=7, limit=20) == expected
    assert dataset.scanner(filter=expression, offset=7, limit=20).count_rows() == 20
    assert dataset.head(3) == table.slice(0, 3)
    for rows in (0, 1, 7, 500, 501):
        assert dataset.scanner(batch_size=7).head(rows) == table.slice(0, rows)
    with pytest.raises(ValueError, match="num_rows"):
        dataset.scanner().head(-1)
    assert dataset.to_table(limit=0).num_rows == 0
    assert dataset.to_table(offset=498).num_rows == dataset.scanner(offset=498).count_rows() == 2


def test_streams_batches_of_the_size_asked(dataset, table):
    batches = list(dataset.to_batches(batch_size=64))
    assert max(batch.num_rows for batch in batches) <= 64
    assert pa.Table.from_batches(batches) == table
    assert dataset.scanner().to_reader().read_all() == table


def test_a_head_reads_little(tmp_path):
    big = pa.table({"a": pa.array(range(1_000_000))})
    dataset = tusk.write_dataset(big, tmp_path / "t", max_rows_per_file=10_000)
    dataset.io_stats_incremental()
    assert dataset.scanner().head(5) == big.slice(0, 5)
    read = dataset.io_stats_incremental().read_bytes
    assert dataset.to_table() == big
    assert read < dataset.io_stats_incremental().read_bytes / 10


def test_takes_rows_in_the_order_asked(dataset, table):
    rows = [3, 499, 3, 0]
    for indices in (rows, tuple(rows), np.array(rows), pa.array(rows)):
        assert dataset.take(indices) == table.take(rows)
    assert dataset.take(rows, ["text"]) == table.select(["text"]).take(rows)
    assert dataset.take([]).num_rows == 0
    assert dataset.take(rows, []).num_rows == len(rows)
    with pytest.raises(IndexError, match="18446744073709551616"):
        dataset.take([0, 2**64])
    with pytest.raises(IndexError, match="row 500: "):
        dataset.take([np.int64(0), np.int64(500)])
    assert dataset.take(rows, ["text", "text"]) == table.select(["text"]).take(rows)
    with pytest.raises(ValueError, match="no column 'words'") as caught:
        dataset.take([0], ["words"])
    assert not isinstance(caught.value, IndexError)


def test_row_ids_are_columns_on_request(dataset):
    ids = dataset.to_table(columns=["id"], with_row_id=True, with_row_address=True)
    assert ids.schema.names == ["id", "_rowid", "_rowaddr"]
    assert ids["_rowid"].to_pylist() == ids["id"].to_pylist() == ids["_rowaddr"].to_pylist()


def test_versions(dataset, table, tmp_path):
    before = datetime.datetime.now()
    assert (dataset.version, dataset.latest_version) == (1, 1)
    appended = tusk.write_dataset(table, tmp_path / "t.lance", mode="append", commit_message="more")
    assert (appended.version, appended.count_rows(), dataset.count_rows()) == (2, 1000, 500)
    assert dataset.latest_version == 2
    replaced = tusk.write_dataset(pa.table({"x": [1]}), tmp_path / "t.lance", mode="overwrite")
    assert (replaced.version, replaced.schema.names) == (3, ["x"])

    versions = replaced.versions()
    assert [entry["version"] for entry in versions] == [1, 2, 3]
    assert all(isinstance(entry["timestamp"], datetime.datetime) for entry in versions)
    assert tusk.dataset(tmp_path / "t.lance", version=2).to_table() == pa.concat_tables(
        [table, table]
    )
    assert replaced.checkout_version(1).to_table() == table
    assert tusk.dataset(tmp_path / "t.lance", asof=before).version == 1
    dataset.checkout_latest()
    assert dataset.version == 3


def test_append_through_a_dataset_moves_it(dataset, table):
    assert tusk.write_dataset(table, dataset, mode="append") is dataset
    assert (dataset.version, dataset.count_rows()) == (2, 1000)
    dataset.insert(table)
    assert (dataset.version, dataset.count_rows()) == (3, 1500)


def test_append_to_nothing_makes_the_table(table, tmp_path):
    assert tusk.write_dataset(table, tmp_path / "new", mode="append").version == 1


def test_can_be_pickled(dataset, table):
    assert pickle.loads(pickle.dumps(dataset)).to_table() == table


def test_properties(dataset, tmp_path):
    assert dataset.uri == str(tmp_path / "t.lance")
    assert dataset.data_storage_version == "2.2"
    assert dataset.has_stable_row_ids is False
    stable = tusk.write_dataset(pa.table({"a": [1]}), tmp_path / "s", enable_stable_row_ids=True)
    assert stable.has_stable_row_ids is True


def test_nearest_equals_numpy(dataset, table):
    vectors = np.array(table["vector"].to_pylist(), dtype=np.float32)
    query = vectors[17]
    expected = {
        "l2": ((vectors - query) ** 2).sum(1),
        "cosine": 1 - vectors @ query / np.linalg.norm(vectors, axis=1) / np.linalg.norm(query),
        "dot": 1 - vectors @ query,
    }
    for metric, distances in expected.items():
        hits = dataset.to_table(
            ["id"], nearest={"column": "vector", "q": query, "k": 9, "metric": metric}
        )
        assert hits.schema.names == ["id", "_distance"]
        order = np.argsort(distances, kind="stable")[:9]
        assert hits["id"].to_pylist() == order.tolist()
        np.testing.assert_allclose(
            hits["_distance"].to_numpy(), distances[order], rtol=1e-4, atol=1e-5
        )


def test_nearest_skips_null_vectors_and_filters(dataset, table):
    query = [0.1] * 8
    nearest = {"column": "maybe_vector", "q": query, "k": 500}
    expected = table.filter(pc.field("maybe_vector").is_valid())
    assert dataset.to_table(["id"], nearest=nearest).num_rows == expected.num_rows

    flag = pc.field("flag")
    nearest["k"] = 20
    everything = dataset.to_table(["id", "flag"], nearest={**nearest, "k": 500})
    # After the search: those of the 20 that pass. Before it: the 20 nearest of those that pass.
    after = dataset.to_table(["id"], filter=flag, nearest=nearest)
    assert after["id"].to_pylist() == everything.slice(0, 20).filter(flag)["id"].to_pylist()
    before = dataset.to_table(["id"], filter=flag, nearest=nearest, prefilter=True)
    assert before["id"].to_pylist() == everything.filter(flag)["id"].to_pylist()[:20]


@pytest.mark.parametrize(
    ("error", "code", "act"),
    [
        (ValueError, "NotFound", lambda d, p: tusk.dataset(p / "none")),
        (FileNotFoundError, "NotFound", lambda d, p: tusk.dataset(p / "none")),
        (ValueError, "NotFound", lambda d, p: tusk.dataset(p / "t.lance", version=99)),
        (OSError, "NotFound", lambda d, p: d.checkout_version(99)),
        (OSError, "AlreadyExists", lambda d, p: tusk.write_dataset(d, p / "t.lance")),
        (FileExistsError, "AlreadyExists", lambda d, p: tusk.write_dataset(d, p / "t.lance")),
        (ValueError, None, lambda d, p: tusk.write_dataset(d, p / "x", mode="upsert")),
        (
            OSError,
            "InvalidArgument",
            lambda d, p: tusk.write_dataset({"q": [1]}, p / "t.lance", mode="append"),
        ),
        (ValueError, ("NotFound", "InvalidArgument"), lambda d, p: d.to_table(columns=["none"])),
        (ValueError, "InvalidArgument", lambda d, p: d.to_table(columns=["id", "id"])),
        (ValueError, "InvalidArgument", lambda d, p: d.to_table(filter=pc.field("none") > 1)),
        (ValueError, "InvalidArgument", lambda d, p: d.to_table(filter=pc.field("text") > 1)),
        (ValueError, "InvalidArgument", lambda d, p: d.to_table(filter=pc.field("small"))),
        (OSError, "InvalidArgument", lambda d, p: d.take([500])),
        (IndexError, "InvalidArgument", lambda d, p: d.take([-1])),
        (ValueError, None, lambda d, p: d.to_table(limit=-1)),
        (
            ValueError,
            "InvalidArgument",
            lambda d, p: d.to_table(nearest={"column": "vector", "q": [1.0, 2.0], "k": 2}),
        ),
        (
            ValueError,
            "InvalidArgument",
            lambda d, p: d.to_table(nearest={"column": "vector", "q": [1.0] * 8, "k": 0}),
        ),
        (
            ValueError,
            None,
            lambda d, p: d.to_table(
                nearest={"column": "vector", "q": [1.0] * 8, "metric": "manhattan"}
            ),
        ),
        (
            TypeError,
            None,
            lambda d, p: d.to_table(nearest={"column": "vector", "q": [1.0] * 8, "depth": 2}),
        ),
        (ValueError, "InvalidArgument", lambda d, p: d.to_table(filter="idd > 3")),
        (ValueError, "NotFound", lambda d, p: d.to_table(order_by=["none"])),
        (ValueError, "NotFound", lambda d, p: d.to_table(fragments=[9])),
        (ValueError, "NotFound", lambda d, p: d.checkout_version("tag")),
        (OSError, "NotFound", lambda d, p: d.checkout_version("tag")),
        (ValueError, "NotFound", lambda d, p: tusk.dataset(p / "t.lance", version="tag")),
        (ValueError, "NotFound", lambda d, p: d.tags.delete("tag")),
        (ValueError, "NotFound", lambda d, p: d.tags.create("tag", 9)),
        (ValueError, "AlreadyExists", lambda d, p: [d.tags.create("tag") for _ in range(2)]),
        (ValueError, "NotFound", lambda d, p: d.branches.delete("branch")),
        (OSError, "AlreadyExists", lambda d, p: [d.create_branch("b") for _ in range(2)]),
        (
            OSError,
            "InvalidArgument",
            lambda d, p: tusk.write_dataset(d, p / "x", target_bases=["b"]),
        ),
        (
            NotImplementedError,
            None,
            lambda d, p: tusk.write_dataset(d, p / "x", storage_options={"a": "b"}),
        ),
    ],
)
def test_raises_what_pylance_users_catch(error, code, act, dataset, tmp_path):
    with pytest.raises(error) as raised:
        act(dataset, tmp_path)
    if code is not None:
        assert isinstance(raised.value, tusk.errors.TuskError)
        assert raised.value.code in ((code,) if isinstance(code, str) else code)


def test_reads_mapped_files(table, dataset):
    mapped = tusk.dataset(dataset.uri, storage_options={"memory_map": "true"})
    rows = [3, 499, 3, 0]
    tusk.write_dataset(table, dataset.uri, mode="append")
    for opened in (mapped, mapped.checkout_version(1), pickle.loads(pickle.dumps(mapped))):
        assert opened.version == 1
        assert opened.to_table() == table
        assert opened.take(rows) == table.take(rows)
    mapped.checkout_latest()
    assert mapped.count_rows() == 1000


def test_copies_nothing_of_mapped_vectors(tmp_path):
    vectors = pa.FixedSizeListArray.from_arrays(np.arange(768_000, dtype="float32"), 768)
    uri = tusk.write_dataset(pa.table({"v": vectors}), tmp_path / "t").uri
    mapped = tusk.dataset(uri, storage_options={"memory_map": "true"})
    mapped.to_table()
    before = pa.total_allocated_bytes()
    result = mapped.to_table()
    assert pa.total_allocated_bytes() - before < 100_000 < result.nbytes
    assert result["v"].combine_chunks() == vectors


def test_names_the_storage_option_it_does_not_know(tmp_path):
    with pytest.raises(NotImplementedError, match="'region'"):
        tusk.dataset(tmp_path / "t", storage_options={"region": "x"})
    with pytest.raises(ValueError, match="memory_map"):
        tusk.dataset(tmp_path / "t", storage_options={"memory_map": "maybe"})


def test_counts_what_it_reads(tmp_path):
    random = np.random.default_rng(1)
    wide = pa.table({"id": range(2000), "blob": [random.bytes(1000) for _ in range(2000)]})
    written = tusk.write_dataset(wide, tmp_path / "t").io_stats_snapshot()
    assert written.written_bytes > 2_000_000
    dataset = tusk.dataset(tmp_path / "t")
    dataset.to_table(["id"])
    narrow = dataset.io_stats_incremental().read_bytes
    dataset.to_table()
    assert 0 < narrow < 200_000 < 2_000_000 < dataset.io_stats_incremental().read_bytes


def test_polars_hands_filters_down(dataset, table):
    import polars

    positive = polars.col("small") > 0
    found = polars.scan_pyarrow_dataset(dataset).filter(positive).select("id").collect()
    expected = table.filter(pc.field("small") > 0)
    assert found["id"].to_list() == expected["id"].to_pylist()


def test_duckdb_finds_a_dataset_by_its_variable(dataset, table):
    import duckdb

    expected = table.filter(pc.field("small") > 0).num_rows
    assert duckdb.sql("select count(*) from dataset where small > 0").fetchall() == [(expected,)]


def test_an_error_in_a_stream_keeps_its_text(dataset, tmp_path):
    """A reader that is given away tells what is wrong, in pyarrow's class."""
    (data_file,) = (tmp_path / "t.lance" / "data").iterdir()
    data_file.write_bytes(data_file.read_bytes()[:-100])
    fresh = tusk.dataset(tmp_path / "t.lance")
    with pytest.raises(OSError, match=data_file.name) as raised:
        fresh.to_table()
    assert raised.value.code == "Corrupt"
    with pytest.raises(Exception, match=data_file.name):
        fresh.scanner().to_reader().read_all()
