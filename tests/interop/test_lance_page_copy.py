"""Compactions that copy pages: both libraries read what they have read before."""

import shutil

import lance
import numpy as np
import pyarrow as pa
import pytest
from generator import cases, comparison, files

import tusk
from tusk import describe

FORCED = {"compaction_mode": "force_binary_copy"}
WRITERS = {"pylance": lance, "tusk": tusk}


def pytest_generate_tests(metafunc):
    if "seed" in metafunc.fixturenames:
        metafunc.parametrize("seed", range(60))


def _make(library, path, table, rng, version):
    """The rows in fragments of random sizes, some of them in several pages."""
    cuts = np.sort(rng.integers(0, table.num_rows + 1, rng.integers(1, 5))).tolist()
    for begin, end in zip([0, *cuts], [*cuts, table.num_rows]):
        if begin < end:
            batches = files.batches(table.slice(begin, end - begin), None)
            rows = pa.Table.from_batches(batches, table.schema)
            library.write_dataset(rows, path, mode="append", data_storage_version=version)


def _rows(library, path, **options):
    """The rows, or the reason why they cannot be read."""
    try:
        return library.dataset(path).scanner(**options).to_table()
    except BaseException as error:  # noqa: BLE001: pylance panics at some of its own files
        return f"{type(error).__name__}: {error}"[:60]


def _check_same(after, before):
    assert type(after) is type(before), (after, before)
    if isinstance(before, str):
        return
    assert after.schema == before.schema
    for name in before.schema.names:
        arrays = [comparison.plain(table[name]) for table in (after, before)]
        assert comparison.difference(*arrays) is None, name


@pytest.mark.parametrize("writer", list(WRITERS))
def test_rows_stay_the_same(tmp_path, seed, writer):
    rng = np.random.default_rng(seed)
    version = ["2.1", "2.2"][seed % 2]
    table = cases.random_case(seed, version).table
    if table.num_rows == 0:
        pytest.skip("no rows, no fragments")
    path = str(tmp_path / "t")
    try:
        _make(WRITERS[writer], path, table, rng, version)
    except BaseException as error:  # noqa: BLE001: the case is one that the library does not write
        pytest.skip(f"{writer} does not write it: {error}"[:200])
    before = {name: _rows(library, path) for name, library in WRITERS.items()}
    fragments = len(lance.dataset(path).get_fragments())
    try:
        metrics = tusk.dataset(path).optimize.compact_files(**FORCED)
    except tusk.errors.UnsupportedError as error:
        reasons = ("has blobs", "at other levels than others")
        assert any(reason in str(error) for reason in reasons), error
        pytest.skip(str(error)[:200])
    if fragments > 1:
        assert (metrics.fragments_removed, metrics.fragments_added) == (fragments, 1)
    for name, library in WRITERS.items():
        _check_same(_rows(library, path), before[name])
    verified = describe.verify(path)
    assert verified["damages"] == []
    assert verified["files_with_checksums"] == verified["files"] or fragments == 1


def _refuses(library, path):
    try:
        library.dataset(path).optimize.compact_files(**FORCED)
    except (OSError, NotImplementedError) as error:
        return "ot supported" in str(error) or "cannot compact" in str(error)
    return False


def _three(path, **options):
    for i in range(3):
        table = pa.table({"id": range(10 * i, 10 * i + 10), "text": [str(i)] * 10})
        lance.write_dataset(table, path, mode="append", **options)


def _with_deletions(path):
    _three(path)
    lance.dataset(path).delete("id = 5")


def _with_mixed_versions(path):
    _three(path, data_storage_version="2.1")
    table = lance.dataset(path)
    table.optimize.compact_files(data_storage_version="2.2")
    _three(path, data_storage_version="2.1")


def _with_blobs(path):
    blob = pa.field("b", pa.large_binary(), metadata={"lance-encoding:blob": "true"})
    for _ in range(2):
        table = pa.table([pa.array([b"x", b"y"], pa.large_binary())], schema=pa.schema([blob]))
        lance.write_dataset(table, path, mode="append", data_storage_version="2.1")


def _with_missing_columns(path):
    _three(path)
    lance.dataset(path).add_columns({"more": "id + 1"})
    lance.write_dataset(pa.table({"id": [1], "text": ["x"]}), path, mode="append")


@pytest.mark.parametrize(
    "make", [_three, _with_deletions, _with_mixed_versions, _with_blobs, _with_missing_columns]
)
@pytest.mark.parametrize("mode", ["try_binary_copy", "TRY_BINARY_COPY"])
def test_pages_are_copied_where_pylance_copies_them(tmp_path, make, mode):
    theirs, ours = str(tmp_path / "theirs"), str(tmp_path / "ours")
    make(theirs)
    shutil.copytree(theirs, ours)
    whole = {"blob_handling": "all_binary"}
    before = _rows(lance, theirs, **whole)
    assert _refuses(tusk, ours) == _refuses(lance, theirs) == (make is not _three)
    tusk.dataset(ours).optimize.compact_files(compaction_mode=mode)
    _check_same(_rows(lance, ours, **whole), before)
    _check_same(_rows(tusk, ours, **whole), before)


def test_a_mode_in_the_config_is_used(tmp_path):
    path = str(tmp_path / "t")
    _with_deletions(path)
    table = tusk.dataset(path)
    table.update_config({"lance.compaction.compaction_mode": "force_binary_copy"})
    with pytest.raises(NotImplementedError, match="fragment 0 has deleted rows"):
        table.optimize.compact_files()
    assert table.optimize.compact_files(compaction_mode="reencode").fragments_removed == 3
    _three(path)
    assert table.optimize.compact_files().fragments_removed == 4


def test_stable_row_ids_stay(tmp_path):
    path = str(tmp_path / "t")
    _three(path, enable_stable_row_ids=True)
    before = lance.dataset(path).to_table(with_row_id=True)
    tusk.dataset(path).optimize.compact_files(**FORCED)
    assert len(lance.dataset(path).get_fragments()) == 1
    assert lance.dataset(path).to_table(with_row_id=True) == before
    assert tusk.dataset(path).to_table(with_row_id=True) == before
