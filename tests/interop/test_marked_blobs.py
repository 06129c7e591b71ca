"""Bytes that are marked as large values (lance-encoding:blob): what tables are made of them."""

import re

import lance
import pyarrow as pa
import pytest

import tusk

MARK = {"lance-encoding:blob": "true", "mine": "kept"}
VALUES = [b"abc", None, b"", b"x" * 100_000]


def marked(kind=pa.large_binary(), name="b"):
    return pa.field(name, kind, metadata=MARK)


def nested(wrap):
    return pa.field("b", wrap(marked(name="item")))


# Fields, and rows of values for them.
NESTED = {
    "struct": (
        nested(lambda item: pa.struct([("x", pa.int32()), item])),
        [{"x": 1, "item": b"abc"}, None, {"x": 2, "item": None}, {"x": 3, "item": b""}],
    ),
    "list": (nested(pa.list_), [[b"abc", None, b""], None, [], [b"x" * 100_000]]),
    "large list": (nested(pa.large_list), [[b"abc", None, b""], None, [], [b"x" * 70]]),
    "list of structs": (
        nested(lambda item: pa.list_(pa.struct([("x", pa.int32()), item]))),
        [[{"x": 1, "item": b"abc"}, None], None, [], [{"x": 3, "item": b"q" * 70}]],
    ),
}
PLAIN = {str(kind): (marked(kind), VALUES) for kind in (pa.binary(), pa.large_binary())}


def table_of(field, values):
    schema = pa.schema([pa.field("id", pa.int64()), field])
    return pa.table([range(len(values)), pa.array(values, field.type)], schema=schema)


def bytes_by_both(uri):
    found = [
        library.dataset(uri).to_table(blob_handling="all_binary")["b"].to_pylist()
        for library in (tusk, lance)
    ]
    assert found[0] == found[1]
    return found[0]


@pytest.mark.parametrize("case", [*PLAIN, *NESTED])
@pytest.mark.parametrize("version", ["2.2", None])
def test_they_become_blobs_of_version_2_as_in_pylance(tmp_path, case, version):
    field, values = (PLAIN | NESTED)[case]
    for library in (tusk, lance):
        uri = str(tmp_path / library.__name__)
        library.write_dataset(table_of(field, values), uri, data_storage_version=version)
        assert bytes_by_both(uri) == values
    ours, theirs = (lance.dataset(tmp_path / name) for name in ("tusk", "lance"))
    assert ours.schema.equals(theirs.schema, check_metadata=True)
    # pylance calls lists as they were before; the order of keys is random in it.
    texts = [re.sub(r"metadata: {[^}]*}", "", str(d.lance_schema)) for d in (ours, theirs)]
    texts = [text.replace("list.struct", "list") for text in texts]
    assert texts[0] == texts[1]
    assert ours.to_table().schema.equals(theirs.to_table().schema, check_metadata=True)


def test_of_2_1_they_stay_of_version_1(tmp_path):
    for library in (tusk, lance):
        uri = str(tmp_path / library.__name__)
        library.write_dataset(table_of(marked(), VALUES), uri, data_storage_version="2.1")
        for mode in ("append", "overwrite"):
            library.write_dataset(table_of(marked(), VALUES), uri, mode=mode)
            # A table stays of the data version that it was made with.
            assert tusk.dataset(uri).schema.field("b").type == pa.large_binary()
    assert bytes_by_both(str(tmp_path / "tusk")) == VALUES


@pytest.mark.parametrize("case", ["list", "large list", "list of structs"])
def test_lists_of_version_1_are_refused(tmp_path, case):
    # pylance writes a file that it cannot read.
    with pytest.raises(NotImplementedError, match="field 'item': blobs in lists cannot be stored"):
        tusk.write_dataset(table_of(*NESTED[case]), tmp_path / "t", data_storage_version="2.1")
    assert not (tmp_path / "t").exists()


def test_places_where_no_blob_can_be_are_refused(tmp_path):
    # Both refuse them.
    item = marked(name="value")
    for kind, values in (
        (pa.map_(pa.string(), item), [[("a", b"x")]]),
        (pa.list_(item.with_name("item"), 2), [[b"a", b"b"]]),
    ):
        with pytest.raises(NotImplementedError, match="blobs in .* cannot be written"):
            tusk.write_dataset(table_of(pa.field("b", kind), values), tmp_path / "t")


def test_rows_are_appended_if_they_are_marked_too(tmp_path):
    uri = str(tmp_path / "t")
    tusk.write_dataset(table_of(marked(), VALUES), uri)
    for kind in (pa.large_binary(), pa.binary()):
        tusk.write_dataset(table_of(marked(kind), VALUES), uri, mode="append")
    for library in (tusk, lance):
        rows = table_of(pa.field("b", pa.large_binary()), VALUES)
        with pytest.raises(OSError):
            library.write_dataset(rows, uri, mode="append")
    assert bytes_by_both(uri) == VALUES * 3


def test_a_committer_gives_the_schema_of_the_rows(tmp_path):
    rows = table_of(marked(), VALUES)
    for name, write in (
        ("many", tusk.fragment.write_fragments),
        ("one", lambda rows, uri: [tusk.LanceFragment.create(uri, rows)]),
    ):
        uri = str(tmp_path / name)
        operation = tusk.LanceOperation.Overwrite(rows.schema, write(rows, uri))
        made = tusk.LanceDataset.commit(uri, operation)
        assert made.schema.field("b").type.extension_name == "lance.blob.v2"
        assert bytes_by_both(uri) == VALUES


def test_no_rows_at_all(tmp_path):
    for library in (tusk, lance):
        made = library.write_dataset([], tmp_path / library.__name__, pa.schema([marked()]))
        assert made.schema.field("b").type.extension_name == "lance.blob.v2"
