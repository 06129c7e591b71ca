"""Lance tables that tusk writes and pylance reads, and the other way round."""

import datetime

import lance
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from conftest import BOUNDARY_SIZES, random_table

import tusk


def plain(table):
    """The same columns, which pylance then writes without compression."""
    fields = [field.with_metadata({"lance-encoding:compression": "none"}) for field in table.schema]
    return table.cast(pa.schema(fields))


def without_nulls(rows, seed):
    return plain(random_table(rows, seed=seed, null_share=0))


def same(ours, theirs):
    """Compares values and types; pylance may cut chunks elsewhere."""
    assert ours.schema.equals(theirs.schema)
    assert ours.equals(theirs)


@pytest.mark.parametrize("rows", BOUNDARY_SIZES)
def test_pylance_reads_what_tusk_writes(rows, tmp_path):
    table = random_table(rows, seed=rows)
    tusk.write_dataset(table, tmp_path / "t")
    theirs = lance.dataset(str(tmp_path / "t"))
    theirs.validate()
    same(table, theirs.to_table())
    assert theirs.count_rows() == rows
    assert theirs.data_storage_version == "2.2"


@pytest.mark.parametrize("rows", BOUNDARY_SIZES)
def test_tusk_reads_what_pylance_writes_plainly(rows, tmp_path):
    table = without_nulls(rows, seed=rows)
    lance.write_dataset(table, str(tmp_path / "t"))
    ours = tusk.dataset(tmp_path / "t")
    same(table, ours.to_table())
    assert (ours.count_rows(), ours.version, ours.data_storage_version) == (rows, 1, "2.2")


@pytest.mark.parametrize("null_share", [0, 0.5, 1])
def test_pylance_reads_our_nulls(null_share, tmp_path):
    table = random_table(3000, seed=3, null_share=null_share)
    tusk.write_dataset(table, tmp_path / "ours")
    same(table, lance.dataset(str(tmp_path / "ours")).to_table())


def test_columns_of_nulls_alone_go_both_ways(tmp_path):
    table = plain(random_table(3000, seed=3, null_share=1))
    lance.write_dataset(table, str(tmp_path / "theirs"))
    same(table, tusk.dataset(tmp_path / "theirs").to_table())


def test_columns_of_lists_are_read(tmp_path):
    lists = [None if i % 7 == 0 else [i, i * 7919][: i % 3] for i in range(3000)]
    table = pa.table({"lists": lists})
    lance.write_dataset(table, str(tmp_path / "theirs"))
    assert tusk.dataset(tmp_path / "theirs").to_table() == table


def test_slices_and_many_files_go_both_ways(tmp_path):
    table = without_nulls(5000, seed=4).slice(77, 4200)
    tusk.write_dataset(table, tmp_path / "ours", max_rows_per_file=1000)
    theirs = lance.dataset(str(tmp_path / "ours"))
    assert len(theirs.get_fragments()) == 5
    same(table, theirs.to_table())
    lance.write_dataset(table, str(tmp_path / "theirs"), max_rows_per_file=1000)
    same(table, tusk.dataset(tmp_path / "theirs").to_table())


def test_versions_of_both_writers_make_one_history(tmp_path):
    uri = str(tmp_path / "t")
    tables = [without_nulls(rows, seed=rows) for rows in (100, 200, 300, 400)]
    tusk.write_dataset(tables[0], uri)
    lance.write_dataset(tables[1], uri, mode="append")
    tusk.write_dataset(
        tables[2], uri, mode="append", commit_message="third", transaction_properties={"k": "v"}
    )
    lance.write_dataset(tables[3], uri, mode="append")
    for version in (1, 2, 3, 4):
        expected = pa.concat_tables(tables[:version])
        same(expected, lance.dataset(uri, version=version).to_table())
        same(expected, tusk.dataset(uri, version=version).to_table())
    assert [v["version"] for v in tusk.dataset(uri).versions()] == [1, 2, 3, 4]
    theirs = lance.dataset(uri).versions()
    for ours, other in zip(tusk.dataset(uri).versions(), theirs):
        assert ours["version"] == other["version"]
        # pylance computes the time in floating point, which can miss by a microsecond.
        assert abs(ours["timestamp"] - other["timestamp"]) <= datetime.timedelta(microseconds=1)
    properties = lance.dataset(uri).read_transaction(3).transaction_properties
    assert properties["k"] == "v" and properties["__lance_commit_message"] == "third"

    tusk.write_dataset(pa.table({"x": [1, None]}), uri, mode="overwrite")
    same(pa.table({"x": [1, None]}), lance.dataset(uri).to_table())
    same(tables[0], lance.dataset(uri, version=1).to_table())


def test_take_and_scan_agree(tmp_path):
    table = random_table(2500, seed=8)
    tusk.write_dataset(table, tmp_path / "t", max_rows_per_file=900)
    ours, theirs = tusk.dataset(tmp_path / "t"), lance.dataset(str(tmp_path / "t"))
    rows = [2499, 0, 901, 900, 0, 1800]
    same(ours.take(rows), theirs.take(rows))
    same(ours.take(rows, ["text", "id"]), theirs.take(rows, ["text", "id"]))
    condition = (pc.field("small") > 0) & pc.field("text").is_valid()
    same(
        ours.to_table(["id", "text"], filter=condition, limit=50, offset=7),
        theirs.to_table(["id", "text"], filter=condition, limit=50, offset=7),
    )
    same(
        ours.to_table(["id"], with_row_id=True, with_row_address=True),
        theirs.to_table(["id"], with_row_id=True, with_row_address=True),
    )


@pytest.mark.parametrize("metric", ["l2", "cosine", "dot"])
def test_nearest_agrees(metric, tmp_path):
    table = random_table(2000, seed=9)
    tusk.write_dataset(table, tmp_path / "t")
    query = table["vector"][5].as_py()
    for column in ("vector", "maybe_vector"):
        nearest = {"column": column, "q": query, "k": 20, "metric": metric}
        ours = tusk.dataset(tmp_path / "t").to_table(["id"], nearest=nearest)
        theirs = lance.dataset(str(tmp_path / "t")).to_table(["id"], nearest=nearest)
        assert ours.schema == theirs.schema
        assert ours["id"] == theirs["id"]
        for a, b in zip(ours["_distance"].to_pylist(), theirs["_distance"].to_pylist()):
            assert a == pytest.approx(b, rel=1e-4, abs=1e-5)


def test_stable_row_ids_go_both_ways(tmp_path):
    table = without_nulls(300, seed=2)
    tusk.write_dataset(table, tmp_path / "ours", enable_stable_row_ids=True)
    theirs = lance.dataset(str(tmp_path / "ours"))
    assert theirs.has_stable_row_ids
    lance.write_dataset(table, str(tmp_path / "ours"), mode="append")
    both = tusk.dataset(tmp_path / "ours")
    assert both.has_stable_row_ids
    same(
        both.to_table(["id"], with_row_id=True),
        lance.dataset(str(tmp_path / "ours")).to_table(["id"], with_row_id=True),
    )
