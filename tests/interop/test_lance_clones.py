"""Deep clones by tusk have files of their own, which pylance finds."""

import shutil

import lance
import pyarrow as pa
import pytest

import tusk


@pytest.mark.parametrize("stable_row_ids", [False, True])
def test_a_clone_with_indices_and_deletions_is_whole(tmp_path, stable_row_ids):
    source, copy = str(tmp_path / "source"), str(tmp_path / "copy")
    for i in range(3):
        rows = pa.table({"id": range(100 * i, 100 * i + 100), "text": [f"text {i}"] * 100})
        lance.write_dataset(rows, source, mode="append", enable_stable_row_ids=stable_row_ids)
    table = lance.dataset(source)
    table.create_scalar_index("id", "BTREE")
    table.delete("id % 7 = 3")
    table.add_columns({"double": "id * 2"})
    expected = lance.dataset(source).to_table()
    version = lance.dataset(source).version

    cloned = tusk.dataset(source).deep_clone(copy, version)
    assert cloned.to_table() == expected
    names = [{file.name for file in (tmp_path / at / "data").iterdir()} for at in ("source", "copy")]
    assert len(names[1]) == 6
    assert not names[0] & names[1]
    shutil.rmtree(source)

    theirs = lance.dataset(copy)
    assert theirs.version == version
    assert theirs.to_table() == expected
    scanner = theirs.scanner(filter="id = 250")
    assert "ScalarIndexQuery" in scanner.explain_plan()
    assert scanner.to_table()["double"].to_pylist() == [500]
    assert theirs.count_rows("id = 3") == 0
    theirs.validate()
    theirs.delete("id = 250")
    assert tusk.dataset(copy).count_rows() == expected.num_rows - 1
