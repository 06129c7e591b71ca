"""External large values in fragments that other processes commit, in both libraries."""

import pathlib

import lance
import lance.fragment
import pyarrow as pa
import pytest
from test_lance_blobs import EXTERNAL

import tusk
import tusk.fragment

LIBRARIES = [tusk, lance]


@pytest.fixture(params=LIBRARIES)
def library(request):
    return request.param


def blobs_at(path):
    """A table of blobs at a file, whole and a part of it, and what they are."""
    uri = path.as_uri()
    values = [uri, lance.Blob.from_uri(uri, 10, 20), b"inline", None]
    schema = pa.schema([pa.field("id", pa.int64()), lance.blob_field("b")])
    table = pa.table([range(4), lance.blob_array(values)], schema=schema)
    return table, [EXTERNAL, EXTERNAL[10:30], b"inline", None]


@pytest.fixture
def outside(tmp_path):
    path = tmp_path / "outside" / "external.bin"
    path.parent.mkdir()
    path.write_bytes(EXTERNAL)
    return path


def commit(library, uri, fragments, schema, version=None):
    if version is None:
        operation = library.LanceOperation.Overwrite(schema, fragments)
        return library.LanceDataset.commit(uri, operation)
    operation = library.LanceOperation.Append(fragments)
    return library.LanceDataset.commit(uri, operation, read_version=version)


def check(uri, values):
    for library in LIBRARIES:
        dataset = library.dataset(uri)
        read = dataset.read_blobs("b", indices=range(len(values)))
        assert [value for _, value in read] == values


def kinds(uri):
    rows = tusk.dataset(uri).to_table(columns=["b"])["b"].to_pylist()
    return [row and row["kind"] for row in rows]


def test_references_stay_where_they_are_if_that_is_allowed(tmp_path, outside, library):
    table, values = blobs_at(outside)
    uri = str(tmp_path / "table")
    with pytest.raises(OSError):
        library.fragment.write_fragments(table, uri)
    assert [path for path in pathlib.Path(uri).rglob("*") if path.is_file()] == []
    allowed = {"allow_external_blob_outside_bases": True}
    fragments = library.fragment.write_fragments(table, uri, **allowed)
    commit(library, uri, fragments, table.schema)
    more = library.fragment.write_fragments(table, uri, mode="append", **allowed)
    commit(library, uri, more, table.schema, 1)
    check(uri, values * 2)
    assert kinds(uri) == [3, 3, 0, None] * 2


def test_bytes_are_taken_in_if_that_is_asked(tmp_path, outside, library):
    table, values = blobs_at(outside)
    uri = str(tmp_path / "table")
    fragments = library.fragment.write_fragments(table, uri, external_blob_mode="ingest")
    commit(library, uri, fragments, table.schema)
    assert kinds(uri) == [0, 0, 0, None]
    outside.unlink()
    check(uri, values)


def test_both_at_once_is_refused(tmp_path, outside, library):
    table, _ = blobs_at(outside)
    both = {"external_blob_mode": "ingest", "allow_external_blob_outside_bases": True}
    with pytest.raises((OSError, ValueError)):
        library.fragment.write_fragments(table, str(tmp_path / "table"), **both)
    with pytest.raises(ValueError):
        library.fragment.write_fragments(table, str(tmp_path / "table"), external_blob_mode="copy")


def test_what_lies_below_a_base_path_is_named_by_it(tmp_path, outside, library):
    table, values = blobs_at(outside)
    uri = str(tmp_path / "table")
    base = library.DatasetBasePath(str(outside.parent), "outside", False, 5)
    library.write_dataset(table, uri, initial_bases=[base])
    fragments = library.fragment.write_fragments(table, uri, mode="append")
    commit(library, uri, fragments, table.schema, 1)
    check(uri, values * 2)
    for reader in LIBRARIES:
        rows = reader.dataset(uri).to_table(columns=["b"])["b"].to_pylist()
        names = [(row["blob_id"], row["blob_uri"]) for row in rows if row and row["kind"] == 3]
        assert names == [(5, "external.bin")] * 4
    # Rows that are written again keep their references.
    tusk.dataset(uri).optimize.compact_files()
    tusk.dataset(uri).update({"id": "id + 10"}, where="id < 2")
    assert sorted(kinds(uri), key=str) == sorted([3, 3, 0, None] * 2, key=str)


def test_transactions_of_new_tables_have_their_bases(tmp_path, outside, library):
    table, values = blobs_at(outside)
    uri = str(tmp_path / "table")
    base = library.DatasetBasePath(str(outside.parent), "outside", False, 3)
    transaction = library.fragment.write_fragments(
        table, uri, mode="create", return_transaction=True, initial_bases=[base]
    )
    library.LanceDataset.commit(uri, transaction)
    check(uri, values)
