"""Cleanups of one table by pylance and by tusk leave the same files."""

import datetime
import os
import pathlib
import random
import shutil

import lance
import pyarrow as pa
import pytest

import tusk

ZERO = datetime.timedelta(0)
_OLD = 1_600_000_000  # a time as of a file that has been there for more than a week


def _numbers(begin, end):
    numbers = range(begin, end)
    return pa.table({"id": pa.array(numbers), "text": [f"t{i}" for i in numbers]})


def _make(path, seed):
    """A table with a history of appends, deletes, overwrites and restores, tags and leftovers."""
    draw = random.Random(seed)
    table = lance.write_dataset(_numbers(0, 100), path, max_rows_per_file=30)
    for _ in range(draw.randint(2, 9)):
        action = draw.choice(["append", "delete", "overwrite", "restore", "index"])
        if action in ("append", "overwrite"):
            table = lance.write_dataset(_numbers(0, 40), path, mode=action)
        elif action == "delete":
            table.delete(f"id % 7 = {draw.randint(0, 6)}")
        elif action == "index":
            table.create_scalar_index("id", "BTREE", replace=True)
        else:
            table = lance.dataset(path, version=draw.randint(1, table.version))
            table.restore()
        table = lance.dataset(path)
    for version in draw.sample(range(1, table.version + 1), draw.randint(0, 2)):
        table.tags.create(f"tag{version}", version)
    for name in ("data/old.lance", "data/new.lance", "_transactions/old.txn", "notes.txt"):
        file = pathlib.Path(path, name)
        file.write_bytes(b"x")
        if "old" in name:
            os.utime(file, (_OLD, _OLD))


def _files(path):
    """What of a table a cleanup may change."""
    return sorted(
        str(file.relative_to(path))
        for file in pathlib.Path(path).rglob("*")
        if file.is_file() and "hint" not in file.name
    )


def _rules(draw, last):
    rules = {"error_if_tagged_old_versions": False}
    if draw.random() < 0.4:
        rules["retain_versions"] = draw.randint(1, 4)
    if draw.random() < 0.4:
        rules["versions"] = draw.sample(range(1, last + 1), draw.randint(1, last))
    if draw.random() < 0.2:
        rules["older_than"] = datetime.timedelta(days=1)
    elif len(rules) == 1:
        rules["retain_versions"] = 1
    rules["delete_unverified"] = draw.random() < 0.3
    return rules


@pytest.mark.parametrize("seed", range(20))
def test_the_same_files_go(tmp_path, seed):
    theirs, ours = str(tmp_path / "theirs"), str(tmp_path / "ours")
    _make(theirs, seed)
    shutil.copytree(theirs, ours)
    draw = random.Random(seed)
    rules = _rules(draw, lance.dataset(theirs).version)

    explained = tusk.dataset(ours).explain_cleanup_old_versions(**rules, include_files=True)
    expected = lance.dataset(theirs).cleanup_old_versions(**rules)
    stats = tusk.dataset(ours).cleanup_old_versions(**rules)

    assert _files(ours) == _files(theirs), rules
    for name in stats.__dataclass_fields__:
        assert getattr(stats, name) == getattr(expected, name), (name, rules)
    assert explained.stats == stats
    assert len(explained.candidate_files) >= stats.old_versions
    for version in lance.dataset(ours).versions():
        number = version["version"]
        assert lance.dataset(ours, number).to_table() == lance.dataset(theirs, number).to_table()
        assert tusk.dataset(ours, number).to_table() == lance.dataset(theirs, number).to_table()


def test_a_tagged_version_is_an_error_unless_it_is_left_out(tmp_path):
    path = str(tmp_path / "t")
    for _ in range(3):
        table = lance.write_dataset(_numbers(0, 3), path, mode="overwrite")
    table.tags.create("good", 2)
    for module in (lance, tusk):
        with pytest.raises((OSError, ValueError), match="tag"):
            module.dataset(path).cleanup_old_versions(retain_versions=1)
    assert len(tusk.dataset(path).versions()) == 3
    stats = tusk.dataset(path).cleanup_old_versions(
        retain_versions=1, error_if_tagged_old_versions=False
    )
    assert stats.old_versions == 1
    assert [v["version"] for v in lance.dataset(path).versions()] == [2, 3]


def test_by_default_two_weeks_are_kept(tmp_path):
    path = str(tmp_path / "t")
    for _ in range(3):
        lance.write_dataset(_numbers(0, 3), path, mode="overwrite")
    assert tusk.dataset(path).cleanup_old_versions().old_versions == 0
    assert tusk.dataset(path).cleanup_old_versions(ZERO).old_versions == 2


@pytest.mark.parametrize(
    "rules",
    [
        {"retain_versions": 0},
        {"versions": []},
        {"delete_rate_limit": 0, "retain_versions": 1},
        {"delete_concurrency": 0, "retain_versions": 1},
    ],
)
def test_rules_out_of_range_are_refused(tmp_path, rules):
    path = str(tmp_path / "t")
    lance.write_dataset(_numbers(0, 3), path)
    with pytest.raises(OSError):
        lance.dataset(path).cleanup_old_versions(**rules)
    with pytest.raises(ValueError):
        tusk.dataset(path).cleanup_old_versions(**rules)


def test_an_explanation_names_so_many_files(tmp_path):
    path = str(tmp_path / "t")
    for _ in range(4):
        lance.write_dataset(_numbers(0, 3), path, mode="overwrite")
    rules = {"retain_versions": 1, "include_files": True}
    few = tusk.dataset(path).explain_cleanup_old_versions(**rules, max_files=2)
    assert (len(few.candidate_files), few.candidate_files_truncated) == (2, True)
    assert (few.read_version, few.candidate_file_limit, len(few.warnings)) == (4, 2, 1)
    without = tusk.dataset(path).explain_cleanup_old_versions(retain_versions=1)
    assert (without.candidate_files, without.candidate_files_truncated) == ([], False)
    assert without.stats == few.stats


def test_a_rate_is_kept(tmp_path):
    path = str(tmp_path / "t")
    for _ in range(4):
        lance.write_dataset(_numbers(0, 3), path, mode="overwrite")
    begin = datetime.datetime.now()
    stats = tusk.dataset(path).cleanup_old_versions(retain_versions=1, delete_rate_limit=50)
    assert stats.old_versions == 3
    # Nine files, the first of them at once.
    assert datetime.datetime.now() - begin >= datetime.timedelta(seconds=8 / 50)


@pytest.mark.parametrize("module", [lance, tusk])
def test_a_cleanup_of_a_branch_keeps_its_tags_and_what_other_branches_need(module, tmp_path):
    path = str(tmp_path / "t")
    lance.write_dataset(_numbers(0, 10), path)
    lance.write_dataset(_numbers(10, 20), path, mode="append")
    side = lance.dataset(path).create_branch("side", 1)
    for begin in (20, 30, 40):
        side.insert(_numbers(begin, begin + 10))
    side.tags.create("kept", ("side", 2))
    # A tag of another line says nothing about the version with this number here.
    lance.dataset(path).tags.create("main", 1)
    side.create_branch("deeper", ("side", 3))
    lance.write_dataset(_numbers(50, 60), side, mode="overwrite")

    def at(*reference):
        return lance.dataset(path).checkout_version(*reference)

    def numbers_of(kind):
        return {version["version"] for version in at((kind, None)).versions()}

    module.dataset(path).checkout_version(("side", None)).cleanup_old_versions(
        retain_versions=1, delete_unverified=True, error_if_tagged_old_versions=False
    )
    assert numbers_of("side") == {2, 3, 5}
    assert at("kept").count_rows() == at("kept").to_table().num_rows == 20
    assert at(("deeper", None)).to_table().num_rows == 30
    assert at(("side", 5)).to_table()["id"].to_pylist() == list(range(50, 60))
    # The main line keeps the version at which the branch begins.
    lance.write_dataset(_numbers(60, 70), path, mode="overwrite")
    lance.dataset(path).tags.delete("main")
    module.dataset(path).cleanup_old_versions(
        retain_versions=1, delete_unverified=True, error_if_tagged_old_versions=False
    )
    assert numbers_of("main") == {1, 3}
    assert at("kept").to_table().num_rows == 20
    assert at(("deeper", None)).to_table().num_rows == 30
