"""Changes of tables with large values of each kind, beside the same changes by pylance."""

import datetime
import pathlib
import random

import lance
import pyarrow as pa
import pytest
from test_lance_blob_writes import SIZES, blob_table, orphans, random_values, read_by_both
from test_lance_blobs import BLOB_V1

import tusk

ROWS = 60


def bytes_table(values, first=0):
    """The same as blob_table, as blobs of version 1."""
    field = pa.field("b", pa.large_binary(), metadata=BLOB_V1)
    schema = pa.schema([pa.field("id", pa.int64()), field])
    ids = range(first, first + len(values))
    return pa.table([ids, pa.array(values, pa.large_binary())], schema=schema)


def thresholds_table(values, first=0):
    return blob_table(values, first, **SIZES)


# How tables are made: of 2.2 with small thresholds and with those that there are by default, of
# what pylance makes of blobs of version 1 in 2.2 (struct<data, uri>), and of version 1 itself.
KINDS = {
    "sizes": (thresholds_table, {}),
    "v2": (blob_table, {}),
    "minimal": (bytes_table, {"data_storage_version": "2.2"}),
    "v1": (bytes_table, {"data_storage_version": "2.1"}),
}


def with_number(table, number=0):
    return table.append_column("n", pa.array([number] * len(table), pa.int64()))


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


class Tables:
    """Two tables with the same rows, one for each library to change, and what is in them."""

    def __init__(self, folder, kind):
        self.make, options = KINDS[kind]
        self.uris = {library: str(folder / library.__name__) for library in (tusk, lance)}
        self.values = dict(enumerate(random_values(ROWS, seed=21)))
        table = with_number(self.make(list(self.values.values())))
        for uri in self.uris.values():
            lance.write_dataset(table, uri, max_rows_per_file=25, **options)
            lance.dataset(uri).delete("id % 7 = 3")
        self.values = {row: value for row, value in self.values.items() if row % 7 != 3}

    def change(self, change, theirs=True):
        """Does the same with both, unless pylance does not do it."""
        for library, uri in self.uris.items():
            if library is tusk or theirs:
                change(library, library.dataset(uri))

    def check(self, theirs=True):
        for library, uri in self.uris.items():
            if library is tusk or theirs:
                assert read_by_both(uri) == self.values
        check_cleanup(self.uris[tusk], self.values)


def check_cleanup(uri, values):
    """That every version can be read until it is cleaned up, and nothing else goes then."""
    for version in tusk.dataset(uri).versions():
        dataset = tusk.dataset(uri, version=version["version"])
        dataset.read_blobs("b", indices=range(dataset.count_rows()))
    tusk.dataset(uri).cleanup_old_versions(datetime.timedelta(0), delete_unverified=True)
    assert read_by_both(uri) == values
    assert orphans(uri) == []
    named = {
        file.path
        for fragment in tusk.dataset(uri).get_fragments()
        for file in fragment.metadata.files
    }
    assert named == {path.name for path in pathlib.Path(uri, "data").glob("*.lance")}


def update_fragment(library, dataset, number, data, on="id"):
    fragment, fields = dataset.get_fragment(number).update_columns(data, on)
    operation = library.LanceOperation.Update(
        updated_fragments=[fragment], fields_modified=fields, update_mode="rewrite_columns"
    )
    library.LanceDataset.commit(dataset.uri, operation, read_version=dataset.version)


def test_columns_of_a_fragment_get_new_blobs_where_rows_match(tmp_path, kind):
    tables = Tables(tmp_path, kind)
    brought = random_values(20, seed=22)
    # pylance cannot do this with struct<data, uri>.
    theirs = kind != "minimal"
    for number, first in enumerate([10, 20]):
        data = tables.make(brought, first)
        tables.change(lambda lib, d: update_fragment(lib, d, number, data), theirs)
        # Rows of other fragments stay as they are.
        rows = [row for row in range(first, first + 20) if 25 * number <= row < 25 * number + 25]
        tables.values |= {row: brought[row - first] for row in rows if row in tables.values}
        for uri in [uri for library, uri in tables.uris.items() if library is tusk or theirs]:
            assert read_by_both(uri) == tables.values
    tables.check(theirs)


def test_other_columns_are_updated_beside_blobs(tmp_path, kind):
    tables = Tables(tmp_path, kind)
    tables.change(lambda _, d: d.update({"n": "n + 1"}, where="id % 4 = 1"))
    data = pa.table({"id": [0, 1, 2], "n": [5, 6, 7]})
    tables.change(lambda lib, d: update_fragment(lib, d, 0, data))
    tables.check()


def test_blobs_are_set_to_null_and_to_themselves_by_updates(tmp_path, kind):
    tables = Tables(tmp_path, kind)
    theirs = kind == "v1"  # pylance refuses blobs of version 2
    tables.change(lambda _, d: d.update({"b": "NULL"}, where="id % 4 = 1"), theirs)
    tables.values |= {row: None for row in tables.values if row % 4 == 1}
    tables.change(lambda _, d: d.update({"b": "b"}, where="id % 3 = 1"), theirs)
    tables.check(theirs)


@pytest.mark.parametrize("columns", [["id", "b", "n"], ["id", "b"], ["id", "n"], ["b", "id"]])
@pytest.mark.parametrize("inserts", [False, True])
def test_merges_take_blobs_from_where_they_are(tmp_path, kind, columns, inserts):
    tables = Tables(tmp_path, kind)
    brought = random_values(30, seed=23)
    source = with_number(tables.make(brought, 45), 9).select(columns)

    def merge(_, dataset):
        builder = dataset.merge_insert("id").when_matched_update_all()
        if inserts:
            builder = builder.when_not_matched_insert_all()
        counts = builder.execute(source)
        known = len([row for row in tables.values if row >= 45])
        assert counts["num_updated_rows"] == known
        assert counts["num_inserted_rows"] == (30 - known if inserts else 0)

    tables.change(merge)
    new = {row: brought[row - 45] for row in range(45, 75)}
    if "b" not in columns:
        new = {row: tables.values.get(row) for row in new}
    known = tables.values.keys()
    tables.values |= {row: value for row, value in new.items() if inserts or row in known}
    tables.check()


@pytest.mark.parametrize("columns", [["id", "b"], ["id", "n"]])
def test_merges_write_columns_anew_in_place(tmp_path, kind, columns):
    tables = Tables(tmp_path, kind)
    brought = random_values(30, seed=24)
    source = with_number(tables.make(brought, 20), 9).select(columns)
    before = len(tusk.dataset(tables.uris[tusk]).get_fragments())

    def merge(_, dataset):
        builder = dataset.merge_insert("id").when_matched_update_all()
        builder.write_mode("rewrite_columns").execute(source)

    tables.change(merge, theirs=False)
    if "b" in columns:
        rows = [row for row in tables.values if 20 <= row < 50]
        tables.values |= {row: brought[row - 20] for row in rows}
    fragments = tusk.dataset(tables.uris[tusk]).get_fragments()
    assert len(fragments) == before
    tables.check(theirs=False)


def test_columns_are_added_beside_blobs_and_blobs_beside_columns(tmp_path, kind):
    tables = Tables(tmp_path, kind)
    tables.change(lambda _, d: d.add_columns({"x": "n + 1"}))
    tables.change(lambda _, d: d.merge(pa.table({"id": [0, 1, 50], "y": [5, 6, 7]}), "id"))
    ids = list(tables.values)
    more = dict(zip(ids, random_values(len(ids), seed=26)))
    table = tables.make(list(more.values())).rename_columns(["id", "c"])
    table = table.set_column(0, "id", pa.array(ids, pa.int64()))
    theirs = kind != "minimal"
    tables.change(lambda _, d: d.merge(table, "id"), theirs)
    for uri in [uri for library, uri in tables.uris.items() if library is tusk or theirs]:
        for library in (tusk, lance):
            blobs = library.dataset(uri).read_blobs("c", indices=range(len(ids)))
            assert [value for _, value in blobs] == list(more.values())
    tables.check(theirs)
    # A blob may lie in another file than one of another column of its row.
    with pytest.raises(NotImplementedError, match="cannot be set to those of 'c'"):
        tusk.dataset(tables.uris[tusk]).update({"b": "c"})


def test_compaction_moves_blobs(tmp_path, kind):
    tables = Tables(tmp_path, kind)
    tables.change(lambda _, d: d.optimize.compact_files())
    assert len(tusk.dataset(tables.uris[tusk]).get_fragments()) == 1
    tables.check()


def test_a_fragment_whose_blobs_are_written_again_keeps_few_bytes_of_deleted_rows(tmp_path):
    uri = str(tmp_path / "table")
    values = [bytes([row]) * 1_000_000 for row in range(10)]
    tusk.write_dataset(with_number(blob_table(values)), uri)
    tusk.dataset(uri).delete("id >= 3")
    data = blob_table([b"small"], 1)
    update_fragment(tusk, tusk.dataset(uri), 0, data)
    assert read_by_both(uri) == {0: values[0], 1: b"small", 2: values[2]}
    # The file of the other columns is the fragment's still, and what lies beside it stays, too.
    sizes = [path.stat().st_size for path in pathlib.Path(uri).rglob("*.blob")]
    assert sorted(sizes) == [2_000_000, 10_000_000]
    tusk.dataset(uri).optimize.compact_files()
    tusk.dataset(uri).cleanup_old_versions(datetime.timedelta(0), delete_unverified=True)
    sizes = [path.stat().st_size for path in pathlib.Path(uri).rglob("*.blob")]
    assert sizes == [2_000_000]


def test_what_is_no_value_of_the_column_is_refused(tmp_path):
    uri = str(tmp_path / "table")
    tusk.write_dataset(thresholds_table([b"a", b"b"]), uri)
    dataset = tusk.dataset(uri)
    plain = pa.table({"id": [0], "b": pa.array([b"x"], pa.large_binary())})
    with pytest.raises(ValueError, match="column 'b'.*has type struct<data.*large_binary"):
        dataset.get_fragment(0).update_columns(plain, "id")
    with pytest.raises(ValueError, match="keeps blobs apart from other sizes"):
        other = blob_table([b"x"], inline_size_threshold=11)
        dataset.get_fragment(0).update_columns(other, "id")
    with pytest.raises(OSError, match="column 'b': the blob in row 0 .* lies below no base path"):
        outside = blob_table(["file:///x"], 0, **SIZES)
        dataset.get_fragment(0).update_columns(outside, "id")
    assert orphans(uri) == []
    assert len(list(pathlib.Path(uri, "data").glob("*.lance"))) == 1


def test_random_changes_by_both_libraries(tmp_path, kind):
    make, options = KINDS[kind]
    for seed in range(2):
        generator = random.Random(100 + seed)
        uri = str(tmp_path / str(seed))
        expected = dict(enumerate(random_values(30, seed=seed)))
        lance.write_dataset(with_number(make(list(expected.values()))), uri, **options)
        for step in range(10):
            library = generator.choice([tusk, lance])
            dataset = library.dataset(uri)
            action = generator.randrange(4)
            first = generator.randrange(60)
            values = random_values(12, seed=1000 * seed + step)
            brought = dict(enumerate(values, first))
            if action == 0:
                merge = dataset.merge_insert("id").when_matched_update_all()
                merge.when_not_matched_insert_all().execute(with_number(make(values, first)))
                expected |= brought
            elif action == 1:
                builder = tusk.dataset(uri).merge_insert("id").when_matched_update_all()
                builder.write_mode("rewrite_columns").execute(make(values, first))
                expected |= {row: value for row, value in brought.items() if row in expected}
            elif action == 2:
                dataset.delete(f"id % 11 = {step}")
                expected = {row: value for row, value in expected.items() if row % 11 != step}
            else:
                dataset.optimize.compact_files(target_rows_per_fragment=50)
            assert read_by_both(uri) == expected
        check_cleanup(uri, expected)
