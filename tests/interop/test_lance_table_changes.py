"""Lance tables that both writers change: each goes on from what the other did."""

import datetime
import multiprocessing

import lance
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from conftest import random_table

import tusk


def agree(uri):
    """Both read the same rows, with the same ids and addresses; gives them."""
    ours = tusk.dataset(uri).to_table(with_row_id=True, with_row_address=True)
    dataset = lance.dataset(uri)
    dataset.validate()
    theirs = dataset.to_table(with_row_id=True, with_row_address=True).select(ours.column_names)
    assert ours.equals(theirs)
    assert tusk.dataset(uri).count_rows() == dataset.count_rows()
    return ours


@pytest.fixture(params=[False, True], ids=["addresses", "stable_row_ids"])
def uri(request, tmp_path):
    """A table of 3,000 rows in 3 files."""
    path = str(tmp_path / "t")
    tusk.write_dataset(
        random_table(3000, seed=1),
        path,
        max_rows_per_file=1100,
        enable_stable_row_ids=request.param,
    )
    return path


def test_rows_that_pylance_deletes_are_gone(uri):
    for condition in ("id % 7 = 0", "id > 2000 and id % 3 = 1", "id < 1100", "id % 2 = 0"):
        lance.dataset(uri).delete(condition)
        agree(uri)
    # Many rows of one fragment become a bitmap instead of a list.
    tusk.write_dataset(random_table(20_000, seed=2), uri, mode="overwrite")
    lance.dataset(uri).delete("id % 3 = 0")
    rows = agree(uri)
    assert rows.num_rows == 13_333
    positions = [13_332, 0, 7000, 7000, 1]
    assert tusk.dataset(uri).take(positions, ["id"]).equals(rows.select(["id"]).take(positions))
    assert tusk.dataset(uri).count_rows(pc.field("id") < 999) == 666


def test_columns_that_pylance_adds_drops_and_renames(uri):
    lance.dataset(uri).add_columns({"twice": "id * 2"})
    agree(uri)
    lance.dataset(uri).drop_columns(["blob", "text"])
    agree(uri)
    lance.dataset(uri).alter_columns({"path": "double", "name": "number"})
    agree(uri)
    lance.dataset(uri).add_columns(pa.field("nothing", pa.int32()))
    assert agree(uri)["nothing"].null_count == 3000


def test_appends_leave_out_nullable_columns(uri):
    tusk.write_dataset(random_table(10, seed=3).select(["vector", "id"]), uri, mode="append")
    assert agree(uri)["text"].slice(3000).null_count == 10


def test_an_index_outlives_our_append_and_not_our_overwrite(uri):
    lance.dataset(uri).create_scalar_index("id", "BTREE")
    tusk.write_dataset(random_table(50, seed=4), uri, mode="append")
    dataset = lance.dataset(uri)
    assert [index.name for index in dataset.describe_indices()] == ["id_idx"]
    # Found through the index and in the rows that it does not cover.
    assert dataset.to_table(filter="id = 7").num_rows == 2
    tusk.write_dataset(random_table(50, seed=4), uri, mode="overwrite")
    assert lance.dataset(uri).describe_indices() == []
    agree(uri)


def test_config_metadata_and_tags_outlive_our_commits(uri):
    lance.dataset(uri).update_config({"owner": "curator"})
    lance.dataset(uri).update_metadata({"about": "a table"})
    lance.dataset(uri).tags.create("first", 1)
    tusk.write_dataset(random_table(5, seed=5), uri, mode="append")
    tusk.write_dataset(random_table(5, seed=6), uri, mode="overwrite")
    dataset = lance.dataset(uri)
    assert dataset.config() == {"owner": "curator"}
    assert dataset.metadata == {"about": "a table"}
    assert lance.dataset(uri, version="first").count_rows() == 3000


def test_clean_up_and_compaction_by_pylance_leave_a_table_to_go_on_with(uri):
    tusk.write_dataset(random_table(5, seed=7), uri, mode="append")
    lance.dataset(uri).optimize.compact_files()
    lance.dataset(uri).cleanup_old_versions(older_than=datetime.timedelta(0))
    assert len(tusk.dataset(uri).versions()) == 1
    tusk.write_dataset(random_table(5, seed=8), uri, mode="append")
    dataset = lance.dataset(uri)
    dataset.validate()
    assert dataset.count_rows() == 3010


def append_with(writer, uri, seeds):
    import lance
    import tusk

    module = {"tusk": tusk, "lance": lance}[writer]
    for seed in seeds:
        module.write_dataset(random_table(10, seed=seed), uri, mode="append")


def test_racing_writers_of_both_kinds_lose_nothing(uri):
    context = multiprocessing.get_context("spawn")
    writers = [
        context.Process(target=append_with, args=(kind, uri, range(8)))
        for kind in ("tusk", "lance") * 3
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0] * 6
    dataset = lance.dataset(uri)
    dataset.validate()
    assert dataset.version == 1 + 6 * 8
    assert dataset.count_rows() == 3000 + 6 * 8 * 10
    ids = dataset.to_table(["id"], with_row_id=True)["_rowid"].to_pylist()
    assert len(set(ids)) == len(ids)
