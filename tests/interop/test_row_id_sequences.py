"""Row ids that a transaction made by hand gives to rows which it writes again."""

import pickle

import pyarrow as pa
import pytest

import tusk
import tusk.fragment

lance = pytest.importorskip("lance")


def module_of(package):
    import importlib

    return importlib.import_module(f"{package}.fragment")


@pytest.mark.parametrize(
    "ids",
    [
        [],
        [7],
        [5, 1, 9],
        range(100),
        range(10, 4),
        range(0, 10, 2),
        range(5, 0, -1),
        pa.array([3, 4], pa.int32()),
        pa.chunked_array([[1], [2, 8]]),
        list(range(0, 100_000, 3)),
        [0, 2**64 - 2],
    ],
)
def test_both_packages_read_the_ids_of_the_other(ids):
    sequences = [module_of(package).RowIdSequence(ids) for package in ("lance", "tusk")]
    theirs, ours = sequences
    assert list(ours) == list(theirs)
    assert ours.to_pyarrow() == theirs.to_pyarrow()
    assert len(ours) == len(theirs)
    meta = tusk.fragment.RowIdMeta.from_json(theirs.to_inline_metadata().json())
    assert tusk.fragment.RowIdSequence.from_inline_metadata(meta) == ours
    meta = lance.fragment.RowIdMeta.from_json(ours.to_inline_metadata().json())
    # pylance compares how the ids are written, too.
    assert list(lance.fragment.RowIdSequence.from_inline_metadata(meta)) == list(theirs)
    assert pickle.loads(pickle.dumps(ours)) == ours


@pytest.mark.parametrize(
    "ids", [[1, 1], [-1], ["x"], 3, [2**64], pa.array([1, None]), pa.array([1.5]), range(-3, 2)]
)
def test_what_pylance_refuses_is_refused(ids):
    with pytest.raises(Exception) as theirs:
        lance.fragment.RowIdSequence(ids)
    with pytest.raises(theirs.type):
        tusk.fragment.RowIdSequence(ids)


def test_a_range_takes_no_memory():
    sequence = tusk.fragment.RowIdSequence(range(10**12))
    assert len(sequence) == 10**12
    with pytest.raises(ValueError, match="longer than the rows of a fragment"):
        sequence.to_pyarrow()


def test_metadata_that_is_none_is_refused():
    for contents, error in (({"External": {}}, ValueError), ({"Inline": [9, 9]}, ValueError)):
        meta = tusk.fragment.RowIdMeta.from_dict(contents)
        with pytest.raises(error):
            tusk.fragment.RowIdSequence.from_inline_metadata(meta)
    with pytest.raises(TypeError):
        tusk.fragment.RowIdSequence.from_inline_metadata(3)


def test_rows_keep_their_ids_in_an_update_by_hand(tmp_path):
    found = []
    for name in ("lance", "tusk"):
        package, fragments = {"lance": lance, "tusk": tusk}[name], module_of(name)
        rows = pa.table({"a": range(6)})
        uri = f"{tmp_path}/{name}"
        dataset = package.write_dataset(rows, uri, enable_stable_row_ids=True, max_rows_per_file=3)
        # The rows 4 and 5 are written again, in the other order, and one is new.
        (fragment,) = fragments.write_fragments(pa.table({"a": [50, 40, 60]}), uri)
        fragment.row_id_meta = fragments.RowIdSequence([5, 4]).to_inline_metadata()
        updated = dataset.get_fragments()[1].delete("a in (4, 5)")
        operation = package.LanceOperation.Update(
            updated_fragments=[updated], new_fragments=[fragment], removed_fragment_ids=[]
        )
        dataset = package.LanceDataset.commit(dataset, operation, read_version=1)
        for reader in (lance, tusk):
            found.append(reader.dataset(uri).to_table(with_row_id=True).to_pydict())
    assert all(one == found[0] for one in found)
    assert found[0] == {"a": [0, 1, 2, 3, 50, 40, 60], "_rowid": [0, 1, 2, 3, 5, 4, 6]}
