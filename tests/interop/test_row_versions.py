"""In which versions rows were made and changed: columns of scans, and deltas between versions.

pylance, which reads the same tables, gives the expected rows.
"""

import pyarrow as pa
import pytest

import tusk

lance = pytest.importorskip("lance")

CREATED = "_row_created_at_version"
UPDATED = "_row_last_updated_at_version"


def change(package, uri, stable):
    """A table with seven versions: rows are added, updated, deleted, merged and moved."""
    rows = pa.table({"a": range(6), "b": list("abcdef")})
    dataset = package.write_dataset(
        rows, uri, enable_stable_row_ids=stable, max_rows_per_file=3
    )
    dataset.insert(pa.table({"a": [10, 11], "b": ["x", "y"]}))
    dataset.update({"b": "'updated'"}, where="a in (1, 10)")
    dataset.delete("a in (2, 11)")
    merge = dataset.merge_insert("a").when_matched_update_all().when_not_matched_insert_all()
    merge.execute(pa.table({"a": [0, 20], "b": ["merged", "new"]}))
    dataset.optimize.compact_files()
    return dataset


@pytest.fixture(scope="module", params=["pylance", "tusk"])
def uri(request, tmp_path_factory):
    path = str(tmp_path_factory.mktemp("versions") / "stable")
    change({"pylance": lance, "tusk": tusk}[request.param], path, True)
    return path


@pytest.fixture(scope="module", params=[False, True], ids=["addresses", "stable"])
def any_uri(request, tmp_path_factory):
    path = str(tmp_path_factory.mktemp("any") / "t")
    change(tusk, path, request.param)
    return path


def both(uri, **how):
    return [package.dataset(uri, **how) for package in (lance, tusk)]


@pytest.mark.parametrize("version", range(1, 7))
@pytest.mark.parametrize("columns", [["a", CREATED, UPDATED], [UPDATED, "_rowid"], [CREATED]])
def test_scans_give_the_versions_that_pylance_gives(any_uri, version, columns):
    theirs, ours = both(any_uri, version=version)
    assert ours.to_table(columns=columns) == theirs.to_table(columns=columns)
    assert ours.take([0, 3], columns) == theirs.take([0, 3], columns)
    fragments = [dataset.get_fragments()[-1] for dataset in (theirs, ours)]
    assert fragments[1].to_table(columns) == fragments[0].to_table(columns)


@pytest.mark.parametrize("version", [3, 4, 5])
def test_deleted_rows_have_their_versions(any_uri, version):
    tables = [
        dataset.to_table([CREATED, UPDATED], with_row_id=True, include_deleted_rows=True)
        for dataset in both(any_uri, version=version)
    ]
    assert tables[1] == tables[0]


@pytest.mark.parametrize("filter", [f"{CREATED} > 1", f"{UPDATED} = 3 and a < 5", f"{UPDATED} > 9"])
def test_filters_take_versions(any_uri, filter):
    for version in (3, 5, 6):
        theirs, ours = both(any_uri, version=version)
        assert ours.to_table(filter=filter) == theirs.to_table(filter=filter)
        assert ours.count_rows(filter) == theirs.count_rows(filter)


def test_expressions_and_orders_take_versions(any_uri):
    dataset = tusk.dataset(any_uri)
    table = dataset.to_table({"age": f"6 - {CREATED}", "a": "a"}, order_by=["a"])
    versions = dataset.to_table(["a", CREATED]).sort_by("a")
    assert table["age"].to_pylist() == [6 - version for version in versions[CREATED].to_pylist()]


def test_rows_are_deleted_and_updated_by_version(tmp_path):
    dataset = change(tusk, tmp_path / "t", True)
    made_later = dataset.to_table(filter=f"{CREATED} > 1")["a"].to_pylist()
    dataset.update({"b": "'late'"}, where=f"{CREATED} = 5")
    assert lance.dataset(dataset.uri).to_table(filter="b = 'late'")["a"].to_pylist() == [20]
    dataset.delete(f"{CREATED} > 1")
    left = lance.dataset(dataset.uri).to_table()["a"].to_pylist()
    assert not set(made_later) & set(left)
    assert len(left) == 5


def outcome(read):
    """The rows that a call gives, or that it refuses."""
    try:
        table = read().read_all()
    except Exception as error:
        return {kind for kind in (ValueError, OSError, RuntimeError) if isinstance(error, kind)}
    return table.schema, table.to_pylist()


def agree(theirs, ours):
    """Equal rows; or ours is an error that a program for pylance catches."""
    return theirs <= ours if isinstance(theirs, set) else theirs == ours


@pytest.mark.parametrize(
    ("begin", "end"),
    [(0, 7), (1, 2), (1, 3), (2, 3), (3, 4), (4, 5), (1, 5), (1, 6), (5, 6), (3, 3), (5, 2)],
)
def test_deltas_are_those_of_pylance(uri, begin, end):
    theirs, ours = (
        dataset.delta(begin_version=begin, end_version=end) for dataset in both(uri)
    )
    for call in ("get_inserted_rows", "get_updated_rows", "get_deleted_row_ids"):
        if end == 7 and call == "get_deleted_row_ids":
            continue  # version 7 is one of pylance's own
        found = [outcome(getattr(delta, call)) for delta in (theirs, ours)]
        assert agree(*found), (call, found)


def test_deltas_compare_with_a_version(uri):
    for version in (3, 5):
        theirs, ours = both(uri, version=version)
        for other in (1, 4, 5):
            for call in ("get_inserted_rows", "get_updated_rows", "get_deleted_row_ids"):
                found = [outcome(getattr(d.delta(other), call)) for d in (theirs, ours)]
                assert found[1] == found[0], (version, other, call)


def test_the_first_way_to_name_versions_counts(uri):
    delta = tusk.dataset(uri).delta(4, begin_version=1, end_version=2)
    theirs = lance.dataset(uri).delta(4, begin_version=1, end_version=2)
    assert delta.get_inserted_rows().read_all() == theirs.get_inserted_rows().read_all()
    for given in ({}, {"begin_version": 1}, {"end_version": 1}):
        with pytest.raises(ValueError, match="a delta needs"):
            tusk.dataset(uri).delta(**given)
    with pytest.raises(OverflowError):
        tusk.dataset(uri).delta(-1)


def test_deleted_rows_need_stable_row_ids(tmp_path):
    dataset = change(tusk, tmp_path / "t", False)
    for found in both(dataset.uri):
        with pytest.raises(ValueError, match="stable row ids"):
            found.delta(1).get_deleted_row_ids()


def test_many_deleted_rows_come_in_batches(tmp_path):
    dataset = tusk.write_dataset(
        pa.table({"a": range(200_000)}),
        tmp_path / "t",
        enable_stable_row_ids=True,
        max_rows_per_file=50_000,
    )
    dataset.delete("a % 2 = 0 and a < 180000")
    batches = list(dataset.delta(1).get_deleted_row_ids())
    assert max(batch.num_rows for batch in batches) <= 65536
    ids = pa.Table.from_batches(batches)["_rowid"].to_pylist()
    assert ids == list(range(0, 180_000, 2))
    theirs = lance.dataset(dataset.uri).delta(1).get_deleted_row_ids().read_all()
    assert sorted(theirs["_rowid"].to_pylist()) == ids
