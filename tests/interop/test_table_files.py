"""The files of a table: all that lie there, and those that its versions need."""

import datetime
import os
import pathlib

import pyarrow as pa
import pytest

import tusk

lance = pytest.importorskip("lance")

ROWS = pa.table({"a": range(6)})


@pytest.fixture
def dataset(tmp_path):
    bases = [
        tusk.DatasetBasePath(f"{tmp_path}/one", "first"),
        tusk.DatasetBasePath(f"file://{tmp_path}/two", "second", is_dataset_root=True),
    ]
    made = tusk.write_dataset(
        ROWS,
        f"{tmp_path}/table",
        max_rows_per_file=2,
        initial_bases=bases,
        target_all_bases=True,
    )
    made.delete("a = 0")
    return made


def rows(reader):
    return sorted(tuple(row.values()) for row in reader.read_all().to_pylist())


def test_all_files_are_those_that_lie_there(dataset):
    dataset.tags.create("one", 1)
    (pathlib.Path(dataset.uri) / "stray.txt").write_text("stray")
    ours = dataset.all_files()
    theirs = lance.dataset(dataset.uri).all_files()
    assert ours.schema == theirs.schema
    found = rows(ours)
    assert [row[:3] for row in found] == [row[:3] for row in rows(theirs)]
    for base, path, size, modified in found:
        place = os.stat(os.path.join(base, path))
        assert size == place.st_size
        told = datetime.datetime.fromtimestamp(place.st_mtime, datetime.UTC)
        assert abs(modified - told) < datetime.timedelta(milliseconds=2)


def test_tracked_files_are_those_that_pylance_tells(dataset):
    lance.dataset(dataset.uri).create_scalar_index("a", "BTREE")
    dataset.checkout_latest()
    for opened in (
        dataset,
        dataset.shallow_clone(f"{dataset.uri}-clone", 2),
        dataset.create_branch("side", 2),
    ):
        ours = opened.tracked_files()
        theirs = lance.dataset(opened.uri).tracked_files()
        assert ours.schema == theirs.schema
        assert rows(ours) == rows(theirs)


def test_every_tracked_file_is_there(dataset):
    for _, base, path, _ in rows(dataset.tracked_files()):
        assert os.path.exists(os.path.join(base.removeprefix("file://"), path))


def test_files_of_blobs_are_tracked(tmp_path):
    dataset = tusk.write_dataset(
        pa.table({"b": tusk.blob_array([b"x", b"y" * 200_000, b"z" * 5_000_000])}),
        tmp_path / "t",
        data_storage_version="2.2",
    )
    tracked = {path for _, _, path, kind in rows(dataset.tracked_files()) if kind == "data file"}
    there = {path for _, path, *_ in rows(dataset.all_files()) if path.startswith("data/")}
    assert tracked == there
    assert sum(path.endswith(".blob") for path in there) == 2


def test_versions_can_be_left_out_and_progress_is_told(dataset):
    told = []
    found = dataset.tracked_files(min_version=2, progress=lambda *numbers: told.append(numbers))
    assert told == []
    assert {version for version, *_ in rows(found)} == {2}
    assert told == [(1, 1)]
    assert rows(dataset.tracked_files(min_version=99)) == []
    with pytest.raises(OverflowError):
        dataset.tracked_files(min_version=-1)


def test_what_progress_raises_ends_the_read(dataset):
    def fail(done, total):
        raise KeyError("enough")

    with pytest.raises(KeyError, match="enough"):
        dataset.tracked_files(progress=fail).read_all()


def test_versions_that_are_cleaned_up_meanwhile_are_left_out(dataset):
    reader = dataset.tracked_files()
    dataset.cleanup_old_versions(datetime.timedelta(0))
    assert {version for version, *_ in rows(reader)} == {2}
