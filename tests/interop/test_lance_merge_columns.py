"""Merges that write columns anew do what those of pylance do, and leave the other columns alone."""

import pathlib
import random

import lance
import pyarrow as pa
import pytest
from changed_rows import SCHEMA, check_same, check_same_lineage, make_rows, make_tables

import tusk


def _source(rng):
    """Rows of which some match, with the key and some of the other columns.

    There is one at least: of none pylance says that they had all columns.
    """
    ids = rng.sample(range(160), rng.choice([1, 20, 60]))
    others = rng.sample([name for name in SCHEMA.names if name != "id"], rng.randrange(1, 6))
    names = ["id", *others]
    if "weight" not in names:
        names.append("weight")  # which the conditions read
    rng.shuffle(names)
    data = make_rows(rng, ids).select(names)
    if rng.random() < 0.3:
        return pa.RecordBatchReader.from_batches(data.schema, data.to_batches(max_chunksize=7))
    return data


def _merge(module, path, source, condition):
    builder = module.dataset(path).merge_insert("id").when_matched_update_all(condition)
    return builder.write_mode("rewrite_columns").execute(source)


@pytest.mark.parametrize("stable", [False, True])
@pytest.mark.parametrize("seed", range(20))
def test_random_merges_of_columns(stable, seed, tmp_path):
    rng = random.Random(seed)
    data = make_rows(rng, [None if rng.random() < 0.05 else i for i in range(120)])
    ours, theirs = make_tables(
        tmp_path, data, rng, max_rows_per_file=rng.choice([17, 50, 1000]),
        enable_stable_row_ids=stable,
    )  # fmt: skip
    known = set(lance.dataset(theirs).to_table(["_rowid"])["_rowid"].to_pylist())
    for turn in range(3):
        condition = rng.choice([None, "source.weight > 0.3", "target.id < 70"])
        state = rng.getstate()
        counts = []
        library = tusk if turn < 2 else rng.choice([tusk, lance])
        for path, module in ((ours, library), (theirs, lance)):
            rng.setstate(state)
            counts.append(_merge(module, path, _source(rng), condition))
        assert counts[0] == counts[1]
        check_same(ours, theirs)
        # Rows stay where they are.
        places = ["id", "_rowid", "_rowaddr"]
        assert tusk.dataset(ours).scanner(places).to_table() == lance.dataset(theirs).scanner(
            places
        ).to_table()
        mine, other = (
            tusk.dataset(path).read_transaction(tusk.dataset(path).version).operation
            for path in (ours, theirs)
        )
        assert mine.update_mode == other.update_mode == "rewrite_columns"
        assert sorted(mine.fields_modified) == sorted(other.fields_modified)
        # Which rows these are the versions of rows tell.
        assert set(mine.updated_fragment_offsets or ()) == set(other.updated_fragment_offsets or ())
        if stable:
            check_same_lineage(ours, theirs, known)


def _big(path):
    rows = 4000
    return tusk.write_dataset(
        pa.table({
            "id": range(rows),
            "payload": [random.Random(i).randbytes(200) for i in range(rows)],
            "label": [f"l{i}" for i in range(rows)],
        }),
        path, max_rows_per_file=1000,
    )  # fmt: skip


def _sizes(path):
    return {file.name: file.stat().st_size for file in pathlib.Path(path, "data").iterdir()}


def test_other_columns_are_neither_read_nor_written(tmp_path):
    path = str(tmp_path / "t")
    dataset = _big(path)
    before = _sizes(path)
    source = pa.table({"id": [5, 1005, 1006], "label": ["a", "b", "c"]})
    builder = dataset.merge_insert("id").when_matched_update_all().write_mode("rewrite_columns")
    assert builder.execute(source)["num_updated_rows"] == 3
    after = _sizes(path)
    new = {name: size for name, size in after.items() if name not in before}
    assert {name: after[name] for name in before} == before
    assert len(new) == 2  # for the two fragments with matches
    assert sum(new.values()) < sum(before.values()) / 20
    rows = lance.dataset(path).to_table(filter="id in (4, 5, 1005, 1006)")
    assert rows["label"].to_pylist() == ["l4", "a", "b", "c"]
    lance.dataset(path).validate()


def test_a_transaction_is_made_and_committed_apart(tmp_path):
    path = str(tmp_path / "t")
    dataset = _big(path)
    builder = dataset.merge_insert("id").when_matched_update_all().write_mode("rewrite_columns")
    transaction, counts = builder.execute_uncommitted(pa.table({"id": [7], "label": ["x"]}))
    assert counts["num_updated_rows"] == 1
    assert lance.dataset(path).version == 1
    assert transaction.operation.update_mode == "rewrite_columns"
    tusk.LanceDataset.commit(path, transaction)
    assert lance.dataset(path).take([7])["label"].to_pylist() == ["x"]


def test_a_merge_of_columns_is_done_anew_if_others_changed_the_rows(tmp_path):
    path = str(tmp_path / "t")
    dataset = _big(path)

    def rows():
        # Another writer comes while the source is read.
        lance.dataset(path).update({"label": "'other'"}, where="id = 5 OR id = 6")
        yield pa.record_batch({"id": [5], "label": ["mine"]})

    schema = pa.schema([("id", pa.int64()), ("label", pa.string())])
    builder = dataset.merge_insert("id").when_matched_update_all().write_mode("rewrite_columns")
    builder.execute(rows(), schema=schema)
    found = lance.dataset(path).to_table(filter="id in (5, 6)", columns=["id", "label"])
    assert sorted(found.to_pylist(), key=lambda row: row["id"]) == [
        {"id": 5, "label": "mine"},
        {"id": 6, "label": "other"},
    ]


@pytest.mark.parametrize("module", [lance, tusk])
@pytest.mark.parametrize("case", ["insert", "delete", "gone", "all columns", "key alone"])
def test_what_columns_cannot_express_is_refused(module, case, tmp_path):
    path = str(tmp_path / "t")
    _big(path)
    source = pa.table({"id": [5], "label": ["x"]})
    builder = module.dataset(path).merge_insert("id").write_mode("rewrite_columns")
    if case != "delete":
        builder = builder.when_matched_update_all()
    if case == "insert":
        builder = builder.when_not_matched_insert_all()
    elif case == "delete":
        builder = builder.when_matched_delete()
    elif case == "gone":
        builder = builder.when_not_matched_by_source_delete()
    elif case == "all columns":
        source = source.append_column("payload", pa.array([b""]))
    elif case == "key alone":
        source = source.select(["id"])
    with pytest.raises((OSError, ValueError), match=r"(?i)column"):
        builder.execute(source)
    assert lance.dataset(path).version == 1
