"""Tags, branches, clones, metadata and the other parts of a table's history, both ways."""

import contextlib
import datetime
import os

import lance
import pyarrow as pa
import pytest

import tusk

MODULES = pytest.mark.parametrize("module", [lance, tusk])


def _data(first, count=10):
    return pa.table({"id": range(first, first + count), "s": [f"{i}" for i in range(count)]})


def _ids(dataset):
    return dataset.to_table(columns=["id"])["id"].to_pylist()


@pytest.fixture
def path(tmp_path):
    """A table of four versions, of 10 rows more each but the last one, which has a row less."""
    path = str(tmp_path / "t")
    lance.write_dataset(_data(0), path)
    lance.write_dataset(_data(10), path, mode="append")
    lance.write_dataset(_data(20), path, mode="append")
    lance.dataset(path).delete("id = 5")
    return path


@MODULES
def test_tags(module, path):
    """Made and changed by one, seen by both."""
    other = tusk if module is lance else lance
    dataset = module.dataset(path)
    dataset.tags.create("first", 1)
    dataset.tags.create("now")
    dataset.tags.create("again", "first")
    dataset.tags.update("first", 2)
    dataset.tags.replace_metadata("first", {"who": "me"})
    ours, theirs = tusk.dataset(path).tags, lance.dataset(path).tags
    assert ours.list() == theirs.list()
    assert ours.list_ordered() == theirs.list_ordered()
    assert ours.list_ordered("asc") == theirs.list_ordered("asc")
    assert [ours.get_version(name) for name in ("first", "now", "again")] == [2, 4, 1]
    assert _ids(other.dataset(path, version="first")) == list(range(20))
    assert other.dataset(path).checkout_version("again").version == 1
    other.dataset(path).tags.delete("first")
    assert set(dataset.tags.list()) == {"now", "again"}


def test_tags_that_are_wrong(path):
    tags = tusk.dataset(path).tags
    tags.create("a", 1)
    with pytest.raises(tusk.errors.AlreadyExistsError, match="'a' already"):
        tags.create("a", 2)
    with pytest.raises(tusk.errors.NotFoundError, match="no tag 'b'"):
        tags.get_version("b")
    with pytest.raises(tusk.errors.NotFoundError):
        tags.delete("b")
    with pytest.raises(tusk.errors.NotFoundError, match="version 9"):
        tags.create("c", 9)
    for name in ("", "a/b", "..", ".a", "a.lock", "a b"):
        with pytest.raises(tusk.errors.InvalidArgumentError):
            tags.create(name, 1)
    file = os.path.join(path, "_refs", "tags", "a.json")
    with open(file) as text:
        broken = text.read().replace("-", "x")
    with open(file, "w") as text:
        text.write(broken)
    with pytest.raises(tusk.errors.CorruptError, match="tag 'a': its file has .* where a time"):
        tags.list()
    assert tags.get_version("a") == 1


@MODULES
def test_branches(module, path):
    """A branch of either is read and written by both; the main line does not see it."""
    other = tusk if module is lance else lance
    branch = module.dataset(path).create_branch("exp/one", 2)
    assert (branch.version, _ids(branch)) == (2, list(range(20)))
    module.write_dataset(_data(100), branch.uri, mode="append")
    other.dataset(branch.uri).delete("id < 3 or id = 105")
    expected = [*range(3, 20), *range(100, 105), *range(106, 110)]
    for reader in (tusk, lance):
        dataset = reader.dataset(path).checkout_version(("exp/one", None))
        assert (dataset.version, _ids(dataset)) == (4, expected)
        assert _ids(reader.dataset(path).checkout_version(("exp/one", 3)))[:3] == [0, 1, 2]
        assert _ids(reader.dataset(path)) == [i for i in range(30) if i != 5]
    lance.dataset(branch.uri).validate()
    ours, theirs = tusk.dataset(path).branches, lance.dataset(path).branches
    assert ours.list() == theirs.list()
    # A branch of a branch; its rows are in three places.
    deeper = other.dataset(branch.uri).create_branch("exp/two")
    module.write_dataset(_data(200), deeper.uri, mode="append")
    for reader in (tusk, lance):
        assert _ids(reader.dataset(deeper.uri)) == [*expected, *range(200, 210)]
    assert ours.list() == theirs.list()
    assert ours.list_ordered() == theirs.list_ordered()
    # Tags of the branch are those of the table.
    other.dataset(deeper.uri).tags.create("deep", ("exp/two", 5))
    assert tusk.dataset(path).tags.list() == lance.dataset(path).tags.list()
    assert _ids(tusk.dataset(path, version="deep")) == [*expected, *range(200, 210)]
    with pytest.raises(ValueError, match="exp/two"):
        ours.delete("exp/one")
    with pytest.raises(ValueError, match="'deep'"):
        ours.delete("exp/two")
    tusk.dataset(path).tags.delete("deep")
    ours.delete("exp/two")
    ours.delete("exp/one")
    assert lance.dataset(path).branches.list() == {}
    assert not [file for _, _, files in os.walk(f"{path}/tree") for file in files]
    with pytest.raises(tusk.errors.NotFoundError):
        ours.delete("exp/one")


@MODULES
def test_shallow_clones(module, path, tmp_path):
    other = tusk if module is lance else lance
    target = str(tmp_path / "clone")
    module.dataset(path).tags.create("t", 4)
    clone = module.dataset(path).shallow_clone(target, "t")
    assert clone.version == 4
    other.write_dataset(_data(100), target, mode="append")
    other.dataset(target).delete("id < 12")
    for reader in (tusk, lance):
        assert _ids(reader.dataset(target)) == [*range(12, 30), *range(100, 110)]
        assert _ids(reader.dataset(path)) == [i for i in range(30) if i != 5]
    ours, theirs = tusk.dataset(target).base_paths(), lance.dataset(target).base_paths()
    assert {k: (b.path, b.name, b.is_dataset_root) for k, b in ours.items()} == {
        k: (b.path, b.name, b.is_dataset_root) for k, b in theirs.items()
    }
    lance.dataset(target).validate()
    with pytest.raises((tusk.errors.AlreadyExistsError, OSError, ValueError)):
        module.dataset(path).shallow_clone(target, 1)


@MODULES
def test_deep_clones(module, path, tmp_path):
    """They need nothing of the table that they come from."""
    target = str(tmp_path / "clone")
    # Of a branch too: its files are in two places.
    branch = lance.dataset(path).create_branch("b", 4)
    lance.write_dataset(_data(50), branch.uri, mode="append")
    module.dataset(path).deep_clone(target, ("b", None))
    os.rename(path, path + "-gone")
    for reader in (tusk, lance):
        assert _ids(reader.dataset(target)) == [*[i for i in range(30) if i != 5], *range(50, 60)]
        assert reader.dataset(target).base_paths() == {}
    lance.dataset(target).validate()


@MODULES
def test_metadata(module, path):
    """Every map is changed by one and seen by both."""
    dataset = module.dataset(path)
    assert dataset.update_config({"a": "1", "b": "2"}) == {"a": "1", "b": "2"}
    assert dataset.update_config({"a": None, "c": "3"}) == {"b": "2", "c": "3"}
    dataset.delete_config_keys(["b"])
    assert dataset.update_metadata({"owner": "x"}) == {"owner": "x"}
    assert dataset.update_schema_metadata({"k": "v", "l": "w"}) == {"k": "v", "l": "w"}
    dataset.replace_schema_metadata({"k": "u"})
    dataset.update_field_metadata({"s": {"unit": "m"}})
    for reader in (tusk, lance):
        seen = reader.dataset(path)
        assert seen.config() == {"c": "3"}
        assert seen.metadata == {"owner": "x"}
        assert seen.schema_metadata == {"k": "u"}
        assert seen.schema.field("s").metadata == {b"unit": b"m"}
        assert seen.schema.field("id").metadata is None
    dataset.replace_field_metadata("s", {"other": "1"})
    dataset.update_config({}, replace=True)
    for reader in (tusk, lance):
        seen = reader.dataset(path)
        assert seen.config() == {}
        assert seen.schema.field("s").metadata == {b"other": b"1"}
    # What both have made says the same of the features that it needs.
    assert _ids(lance.dataset(path)) == _ids(tusk.dataset(path))


def test_the_primary_key_is_set_once(path):
    key = "lance-schema:unenforced-primary-key"
    dataset = tusk.dataset(path)
    with pytest.raises(tusk.errors.InvalidArgumentError, match="no valid value"):
        dataset.update_field_metadata({"id": {key: "no"}})
    dataset.update_field_metadata({"id": {key: "true"}})
    assert lance.dataset(path).lance_schema.field("id").is_unenforced_primary_key()
    with pytest.raises(tusk.errors.InvalidArgumentError, match="cannot be changed"):
        dataset.update_field_metadata({"id": {key: None}})


@MODULES
def test_restore_and_checkout(module, path):
    old = module.dataset(path, version=2)
    old.restore()
    for reader in (tusk, lance):
        assert (reader.dataset(path).version, _ids(reader.dataset(path))) == (5, list(range(20)))
    # Fragment ids go on: none is given to other rows.
    module.write_dataset(_data(70), path, mode="append")
    assert [f.fragment_id for f in tusk.dataset(path).get_fragments()] == [0, 1, 3]
    assert _ids(tusk.dataset(path)) == _ids(lance.dataset(path))
    time = tusk.dataset(path).versions()[2]["timestamp"]
    assert tusk.dataset(path, asof=time).version == 3
    before = datetime.datetime(2000, 1, 1)
    with pytest.raises(ValueError):
        tusk.dataset(path, asof=before)


def test_transactions_of_every_version(path):
    dataset = tusk.dataset(path)
    assert [type(t.operation).__name__ for t in dataset.get_transactions()] == [
        "Delete", "Append", "Append", "Overwrite"]  # fmt: skip
    assert [t.uuid for t in dataset.get_transactions(2)] == [
        t.uuid for t in lance.dataset(path).get_transactions(2)
    ]
    with pytest.raises(tusk.errors.NotFoundError):
        dataset.read_transaction(99)


@MODULES
def test_manifests_of_the_old_scheme(module, tmp_path):
    path = str(tmp_path / "old")
    lance.write_dataset(_data(0), path, enable_v2_manifest_paths=False)
    tusk.write_dataset(_data(10), path, mode="append")
    assert sorted(n for n in os.listdir(f"{path}/_versions") if "manifest" in n) == [
        "1.manifest", "2.manifest"]  # fmt: skip
    module.dataset(path).migrate_manifest_paths_v2()
    assert sorted(n for n in os.listdir(f"{path}/_versions") if "manifest" in n) == [
        f"{2**64 - 1 - version}.manifest" for version in (2, 1)]  # fmt: skip
    tusk.write_dataset(_data(20), path, mode="append")
    for reader in (tusk, lance):
        assert (reader.dataset(path).version, _ids(reader.dataset(path))) == (3, list(range(30)))
        assert _ids(reader.dataset(path, version=1)) == list(range(10))


@MODULES
def test_detached_commits(module, path):
    """They are nobody's latest, and are opened by their number."""
    fragments = lance.fragment.write_fragments(_data(40), path)
    made = module.LanceDataset.commit(
        path, lance.LanceOperation.Append(fragments), read_version=4, detached=True
    )
    assert made.version >= 2**63
    for reader in (tusk, lance):
        assert reader.dataset(path).version == 4
        assert len(reader.dataset(path).versions()) == 4
        detached = reader.dataset(path).checkout_version(made.version)
        assert _ids(detached)[-10:] == list(range(40, 50))


class Lock:
    """A commit lock that keeps a diary."""

    def __init__(self, refuse_first=None):
        self.diary = []
        self.refuse_first = refuse_first

    @contextlib.contextmanager
    def __call__(self, version):
        self.diary.append(("take", version))
        if self.refuse_first is not None:
            action, self.refuse_first = self.refuse_first, None
            action()
        try:
            yield
        except Exception as error:
            self.diary.append(("fail", type(error).__name__))
            raise
        finally:
            self.diary.append(("free", version))


@MODULES
def test_commit_locks(module, path):
    fragments = lance.fragment.write_fragments(_data(40), path)
    lock = Lock()
    made = module.LanceDataset.commit(
        path, lance.LanceOperation.Append(fragments), read_version=4, commit_lock=lock
    )
    assert made.version == 5
    assert lock.diary == [("take", 5), ("free", 5)]


def test_a_lock_may_tell_of_a_conflict(path):
    def others_commit():
        lance.write_dataset(_data(60), path, mode="append")
        raise tusk.errors.CommitConflictError("version 5 is taken")

    lock = Lock(others_commit)
    fragments = lance.fragment.write_fragments(_data(40), path)
    operation = lance.LanceOperation.Append(fragments)
    made = tusk.LanceDataset.commit(path, operation, read_version=4, commit_lock=lock)
    assert made.version == 6
    assert lock.diary == [("take", 5), ("take", 6), ("free", 6)]
    assert _ids(lance.dataset(path))[-20:] == [*range(60, 70), *range(40, 50)]


def test_a_lock_is_freed_when_another_writer_has_the_version(path):
    lock = Lock(lambda: lance.write_dataset(_data(60), path, mode="append") and None)
    fragments = lance.fragment.write_fragments(_data(40), path)
    operation = lance.LanceOperation.Append(fragments)
    made = tusk.LanceDataset.commit(path, operation, read_version=4, commit_lock=lock)
    assert made.version == 6
    assert lock.diary == [("take", 5), ("fail", "AlreadyExistsError"), ("free", 5), ("take", 6),
                          ("free", 6)]  # fmt: skip


def test_what_a_lock_raises_ends_the_commit(path):
    def broken(version):
        raise ConnectionError("the lock service is down")

    fragments = lance.fragment.write_fragments(_data(40), path)
    operation = lance.LanceOperation.Append(fragments)
    with pytest.raises(ConnectionError, match="the lock service is down"):
        tusk.LanceDataset.commit(path, operation, read_version=4, commit_lock=broken)
    assert lance.dataset(path).version == 4
    with pytest.raises(TypeError, match="must be a function"):
        tusk.LanceDataset.commit(path, operation, read_version=4, commit_lock=1)


def test_added_bases(path, tmp_path):
    dataset = tusk.dataset(path)
    dataset.add_bases([tusk.DatasetBasePath(str(tmp_path / "more"), name="more")])
    base = lance.dataset(path).base_paths()[1]
    assert (base.path, base.name, base.is_dataset_root) == (str(tmp_path / "more"), "more", False)
    with pytest.raises(tusk.errors.InvalidArgumentError, match="cannot add base path"):
        dataset.add_bases([tusk.DatasetBasePath("/elsewhere", name="more")])


def test_a_lock_of_the_dataset_is_held_by_all_that_it_does(path):
    lock = Lock()
    dataset = tusk.dataset(path, commit_lock=lock)
    dataset.delete("id = 7")
    dataset.insert(_data(80))
    dataset.update_config({"k": "v"})
    dataset.update({"s": "'x'"}, where="id < 3")
    dataset.merge_insert("id").when_not_matched_insert_all().execute(_data(85))
    tusk.write_dataset(_data(90), path, mode="append", commit_lock=lock)
    dataset.add_columns({"double": "id * 2"})
    dataset.add_columns(pa.field("nothing", pa.int64()))
    dataset.add_columns(lambda batch: pa.record_batch({"copy": batch["id"]}), read_columns=["id"])
    dataset.merge(pa.table({"id": [1], "more": [2]}), "id")
    dataset.alter_columns({"path": "double", "name": "twice"})
    dataset.drop_columns(["nothing"])
    dataset.reorder_columns(["more", "id", "s", "twice", "copy"])
    dataset.optimize.compact_files()
    dataset.delete("id = 8")
    rewrites = [
        task.execute(dataset)
        for task in tusk.optimize.Compaction.plan(
            dataset, {"materialize_deletions_threshold": 0.0}
        ).tasks
    ]
    tusk.optimize.Compaction.commit(dataset, rewrites)
    dataset.checkout_version(4)
    assert lock.diary == [(what, version) for version in range(5, 21) for what in ("take", "free")]
    with pytest.raises(TypeError, match="must be a function"):
        tusk.dataset(path, commit_lock=3)


def test_new_tables_of_the_old_scheme(tmp_path):
    path = str(tmp_path / "old")
    tusk.write_dataset(_data(0), path, enable_v2_manifest_paths=False)
    lance.write_dataset(_data(10), path, mode="append")
    tusk.dataset(path).delete("id = 1")
    assert sorted(n for n in os.listdir(f"{path}/_versions") if "manifest" in n) == [
        f"{version}.manifest" for version in (1, 2, 3)]  # fmt: skip


def test_transactions_of_pylance_in_a_joint_commit(tmp_path):
    """A transaction that pylance made for a table of a lake, beside rows for an Iceberg table."""
    lake = tusk.init(tmp_path / "lake")
    lake.append(lance={"m.vectors": _data(0)}, iceberg={"m.facts": _data(0)})
    table = lake.table("m.vectors")
    fragments = lance.fragment.write_fragments(_data(10), table.uri)
    made = lance.Transaction(table.version, lance.LanceOperation.Append(fragments))
    # What is appended in between does not matter.
    lake.append(lance={"m.vectors": _data(100)})
    number = lake.commit_lance({"m.vectors": made}, iceberg={"m.facts": _data(10)})
    assert number == 3
    assert sorted(_ids(lake.table("m.vectors"))) == [*range(20), *range(100, 110)]
    assert lake.table("m.facts").count_rows() == 20
    assert sorted(_ids(lance.dataset(table.uri))) == [*range(20), *range(100, 110)]
    deleted = lance.dataset(table.uri).get_fragment(0).delete("id = 3")
    remove = tusk.LanceOperation.Delete([deleted], [], "id = 3")
    version = lake.table("m.vectors").version
    lake.commit_lance({"m.vectors": tusk.Transaction(version, remove)})
    with pytest.raises(tusk.errors.CommitConflictError, match="1 of the same rows"):
        lake.commit_lance({"m.vectors": tusk.Transaction(version, remove)})
    assert 3 not in _ids(lake.table("m.vectors"))
