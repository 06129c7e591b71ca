"""Columns that tusk joins to a table are as those that pylance joins."""

import random

import lance
import pyarrow as pa
import pytest
from changed_rows import check_same, check_same_lineage, make_rows, make_tables

import tusk


@pytest.mark.parametrize("stable", [False, True])
@pytest.mark.parametrize("seed", range(8))
def test_random_joins(stable, seed, tmp_path):
    rng = random.Random(seed)
    data = make_rows(rng, [None if rng.random() < 0.05 else i for i in range(100)])
    ours, theirs = make_tables(
        tmp_path, data, rng, max_rows_per_file=rng.choice([17, 50, 1000]),
        enable_stable_row_ids=stable,
    )  # fmt: skip
    known = set(lance.dataset(theirs).to_table(["_rowid"])["_rowid"].to_pylist())
    for turn, left in enumerate(["id", "name", "_rowid"]):
        if left == "name":
            keys = pa.array(["ant", None, "none", "ant"], pa.string())
        else:
            ids = [rng.randrange(130) for _ in range(rng.choice([1, 30, 90]))]
            keys = pa.array(ids, pa.int64() if left == "id" else pa.uint64())
        rows = make_rows(rng, range(len(keys)))
        source = pa.table(
            {f"{n}_{turn}": rows[n] for n in ("box", "tags", "vector", "weight")} | {"k": keys}
        )
        for path, library in ((ours, tusk), (theirs, lance)):
            library.dataset(path).merge(source, left, "k")
        check_same(ours, theirs)
        if stable:
            check_same_lineage(ours, theirs, known)
        assert tusk.dataset(ours).schema == tusk.dataset(theirs).schema
        version = lance.dataset(ours).version
        operations = [lance.dataset(p).read_transaction(version).operation for p in (ours, theirs)]
        fields = [[[f.fields for f in x.files] for x in o.fragments] for o in operations]
        assert fields[0] == fields[1]
        assert operations[0].preserves_nullability == operations[1].preserves_nullability
    tusk.dataset(ours).update({"weight": "weight_0"}, where="id % 2 = 0")
    lance.dataset(theirs).update({"weight": "weight_0"}, where="id % 2 = 0")
    check_same(ours, theirs)


def test_what_cannot_be_joined_says_so(tmp_path):
    path = str(tmp_path / "t")
    dataset = tusk.write_dataset(pa.table({"id": [1, 2], "v": ["a", "b"]}), path)
    for data, left, right, words in [
        (pa.table({"id": [1], "v": ["x"]}), "id", None, "has a column 'v' already"),
        (pa.table({"id": pa.array([1], pa.int8()), "w": [1]}), "id", None, "type int64"),
        (pa.table({"id": [1]}), "id", None, "no column beside"),
        (pa.table({"k": [1], "w": [1]}), "id", None, "0 columns 'id'"),
        (pa.table({"k": [1], "w": [1]}), "none", "k", "no column 'none'"),
        (pa.table({"id": [1], "_rowid": [1]}), "id", None, "the name '_rowid'"),
        (pa.table({"id": pa.array([], pa.int64()), "w": []}), "id", None, "no rows"),
        (pa.table({"id": [1], "w": ["x"]}, pa.schema([("id", pa.int64()), pa.field("w", pa.string(), False)])),
         "id", None, "'w' must not be null"),
    ]:  # fmt: skip
        with pytest.raises(OSError, match=words) as error:
            dataset.merge(data, left, right)
        assert isinstance(error.value, ValueError)
    assert dataset.version == lance.dataset(path).version == 1
    dataset.merge(pa.table({"id": [2, 2], "w": [5, 6]}), "id")
    assert dataset.version == 2
    assert lance.dataset(path).to_table().to_pydict() == {
        "id": [1, 2], "v": ["a", "b"], "w": [None, 6]
    }  # fmt: skip


def test_a_joined_column_gets_an_id_that_no_file_has(tmp_path):
    path = str(tmp_path / "t")
    lance.write_dataset(pa.table({"id": [1, 2, 3], "old": [7, 8, 9]}), path)
    tusk.dataset(path).drop_columns(["old"])
    tusk.dataset(path).merge(pa.table({"id": [3, 2, 1], "new": [30, 20, 10]}), "id")
    for module in (lance, tusk):
        rows = module.dataset(path).to_table()
        assert rows.to_pydict() == {"id": [1, 2, 3], "new": [10, 20, 30]}
