"""Where an opened table is, whatever becomes of the current folder."""

import os
import pickle

import pyarrow as pa
import pytest

import tusk


@pytest.fixture
def gone(tmp_path, monkeypatch):
    """A current folder that is no longer there."""
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    os.rmdir(tmp_path / "gone")


def test_an_absolute_path_needs_no_current_folder(tmp_path, gone):
    table = tusk.write_dataset(pa.table({"a": [1, 2]}), tmp_path / "t")
    assert tusk.dataset(tmp_path / "t").delete("a = 1")["num_deleted_rows"] == 1
    table.checkout_latest()
    assert table.count_rows() == 1
    with pytest.raises(FileNotFoundError):
        tusk.dataset("t")


def test_a_pickle_is_opened_in_another_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tusk.write_dataset(pa.table({"a": [1, 2]}), "t")
    table = tusk.dataset("t")
    assert table.uri == "t"
    pickled = pickle.dumps((table, table.get_fragments()[0]))
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path / "other")
    again, fragment = pickle.loads(pickled)
    assert again.uri == str(tmp_path / "t")
    assert again.count_rows() == fragment.count_rows() == 2


def test_other_versions_are_shown_by_the_same_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table = tusk.write_dataset(pa.table({"a": [1, 2]}), "t")
    table.insert(pa.table({"a": [3]}))
    assert table.checkout_version(1).uri == "t"
    branch = table.create_branch("b")
    assert branch.uri == str(tmp_path / "t/tree/b")
    monkeypatch.chdir("/")
    branch.insert(pa.table({"a": [4]}))
    assert (branch.count_rows(), table.count_rows()) == (4, 3)
