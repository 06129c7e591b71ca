"""Commits that do more, or less, than one operation after another, both ways."""

import contextlib

import lance
import pyarrow as pa
import pytest

import tusk

MODULES = pytest.mark.parametrize("module", [lance, tusk])


def _data(first, count=10):
    return pa.table({"id": range(first, first + count)})


def _ids(dataset):
    return dataset.to_table()["id"].to_pylist()


def _append(module, path, first, read_version):
    fragments = lance.fragment.write_fragments(_data(first), path)
    return module.Transaction(read_version, module.LanceOperation.Append(fragments))


def _overwrite(module, read_version, path):
    fragments = lance.fragment.write_fragments(_data(90), path)
    schema = lance.dataset(path).lance_schema if module is lance else _data(0).schema
    return module.Transaction(read_version, module.LanceOperation.Overwrite(schema, fragments))


@pytest.fixture
def path(tmp_path):
    path = str(tmp_path / "t")
    for first in (0, 10, 20):
        lance.write_dataset(_data(first), path, mode="append")
    return path


@MODULES
def test_appends_are_committed_together(module, path):
    lance.dataset(path).delete("id = 5")
    transactions = [_append(module, path, 30, 4), _append(module, path, 40, 2)]
    result = module.LanceDataset.commit_batch(path, transactions)
    assert set(result) == {"dataset", "merged"}
    assert result["dataset"].version == 5
    expected = [*range(5), *range(6, 50)]
    assert _ids(lance.dataset(path)) == _ids(tusk.dataset(path)) == expected
    merged = result["merged"]
    assert merged.read_version == 2
    assert type(merged.operation).__name__ == "Append"
    assert len(merged.operation.fragments) == 2
    assert merged.uuid == tusk.dataset(path).read_transaction(5).uuid
    assert merged.uuid not in {transaction.uuid for transaction in transactions}


@MODULES
def test_a_batch_may_be_detached(module, path):
    dataset = module.dataset(path)
    result = module.LanceDataset.commit_batch(
        dataset, [_append(module, path, 30, 3)], detached=True
    )
    assert result["dataset"].version >= 1 << 63
    assert _ids(result["dataset"]) == list(range(40))
    assert tusk.dataset(path).version == lance.dataset(path).version == 3


@MODULES
def test_only_appends_are_committed_together(module, path):
    with pytest.raises((OSError, ValueError), match="No transactions"):
        module.LanceDataset.commit_batch(path, [])
    with pytest.raises((OSError, NotImplementedError), match="append"):
        module.LanceDataset.commit_batch(path, [_overwrite(module, 3, path)])
    assert lance.dataset(path).version == 3


@MODULES
def test_version_refs_are_all_versions(module, path):
    dataset = module.dataset(path, version=2)
    assert dataset.version_refs() == [{"version": 1}, {"version": 2}, {"version": 3}]
    branch = module.dataset(path).create_branch("side")
    branch.insert(_data(50))
    assert branch.version_refs() == [{"version": 3}, {"version": 4}]


@MODULES
@pytest.mark.parametrize("read_version", [0, 2])
def test_an_overwrite_without_retries_replaces_nothing_that_it_has_not_read(
    module, path, read_version
):
    stale = _overwrite(module, read_version, path)
    with pytest.raises(Exception, match=r"(?i)conflict|version|not found"):
        module.LanceDataset.commit(path, stale, max_retries=0)
    assert lance.dataset(path).version == 3
    assert module.LanceDataset.commit(path, stale, max_retries=1).version == 4
    assert module.LanceDataset.commit(path, _overwrite(module, 4, path), max_retries=0).version == 5
    assert _ids(lance.dataset(path)) == list(range(90, 100))


def test_a_strict_overwrite_that_is_too_late_says_so(path):
    with pytest.raises(tusk.errors.CommitConflictError, match="follow version 2, but .* version 3"):
        tusk.LanceDataset.commit(path, _overwrite(tusk, 2, path), max_retries=0)


def test_a_table_can_ask_its_writers_for_a_lock(path):
    """Writers who agreed on a lock write it down; who has none is told."""
    held = []

    @contextlib.contextmanager
    def lock(version):
        held.append(version)
        yield

    locked = tusk.dataset(path, commit_lock=lock)
    locked.update_config({"tusk.commit_lock": "redis at lock.example"})
    without = tusk.dataset(path)
    writes = [
        lambda: without.insert(_data(30)),
        lambda: without.delete("id = 1"),
        lambda: without.update({"id": "id + 1"}),
        lambda: without.add_columns({"b": "id"}),
        lambda: without.drop_columns(["id"]) if len(without.schema) > 1 else without.restore(),
        lambda: without.optimize.compact_files(),
        lambda: without.update_config({"tusk.commit_lock": None}),
        lambda: without.merge_insert("id").when_not_matched_insert_all().execute(_data(35)),
        lambda: tusk.write_dataset(_data(0), path, mode="overwrite"),
        lambda: tusk.LanceDataset.commit(path, _append(tusk, path, 40, 3)),
    ]
    for write in writes:
        with pytest.raises(ValueError, match="commit lock .*redis at lock.example"):
            write()
    assert lance.dataset(path).version == 4
    locked = tusk.dataset(path, commit_lock=lock)
    locked.insert(_data(30))
    locked.delete_config_keys(["tusk.commit_lock"])
    tusk.dataset(path).insert(_data(40))
    assert held == [4, 5, 6]
    assert _ids(lance.dataset(path)) == list(range(50))
