"""Data files with blobs that are written by hand: tusk's writers and builders beside pylance's."""

import importlib
import pathlib

import lance
import lance.blob
import lance.file
import lance.fragment
import pyarrow as pa
import pytest

import tusk
import tusk.blob
import tusk.file
import tusk.fragment

LIBRARIES = [tusk, lance]


def session(library, folder):
    return importlib.import_module(library.__name__ + ".file").LanceFileSession(str(folder))


def in_both(folder, call):
    """What `call`, of a session, gives in both libraries, or the type of what it raises."""
    answers = []
    for library in LIBRARIES:
        try:
            answers.append(call(session(library, folder / library.__name__)))
        except (ValueError, TypeError, OverflowError) as error:
            kinds = (ValueError, TypeError, OverflowError)
            answers.append(next(kind for kind in kinds if isinstance(error, kind)))
    assert answers[0] == answers[1]
    return answers[0]


def files_of(folder):
    folder = pathlib.Path(folder)
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


PAYLOADS = [
    pa.array([b"ab", b"", b"cde"]),
    pa.array([b"ab", None, b"c"], pa.large_binary()),
    pa.array([b"xx", b"before", b"y"], pa.large_binary()).slice(1),
    pa.array([b"view", None], pa.binary_view()),
    pa.array([b"12", b"34"], pa.binary(2)),
    pa.chunked_array([[b"q"], [], [b"rr", None]], pa.binary()),
    pa.array([], pa.binary()),
]


def test_files_of_many_blobs_are_the_same(tmp_path):
    def write(opened):
        writer = opened.open_packed_blob_writer("data/x.lance", 3)
        for data in (b"hello", bytearray(b"array"), memoryview(b"view"), b""):
            writer.write_blob(data)
        for payload in PAYLOADS:
            writer.write_blobs(payload)
        assert writer.blob_id == 3
        assert writer.path.endswith("/data/x/11000000000000000000000000000000.blob")
        return [repr(descriptor) for descriptor in writer.finish()]

    described = in_both(tmp_path, write)
    assert described[:2] == [
        "Packed { blob_id: 3, offset: 0, size: 5 }",
        "Packed { blob_id: 3, offset: 5, size: 5 }",
    ]
    assert "Null" in described
    assert files_of(tmp_path / "tusk") == files_of(tmp_path / "lance") != {}


def test_files_of_one_blob_are_the_same(tmp_path):
    def write(opened):
        writer = opened.open_dedicated_blob_writer("data/x.lance", 4)
        writer.write(b"abc")
        writer.write(bytearray(b"defg"))
        assert writer.path.endswith("/data/x/00100000000000000000000000000000.blob")
        descriptor = writer.finish()
        with pytest.raises(ValueError, match="finished"):
            writer.write(b"more")
        return repr(descriptor)

    assert in_both(tmp_path, write) == "Dedicated { blob_id: 4, size: 7 }"
    assert files_of(tmp_path / "tusk") == files_of(tmp_path / "lance")
    assert list(files_of(tmp_path / "tusk").values()) == [b"abcdefg"]


def test_arrays_of_a_writer_are_the_same(tmp_path):
    def write(opened):
        writer = opened.open_packed_blob_writer("x.lance", 1)
        with pytest.raises(ValueError, match="after finish_array"):
            _ = writer.field
        writer.write_blobs(pa.array([b"a", None, b"bb"]))
        array = writer.finish_array("blob")
        return array.type, array.to_pylist(), writer.field, writer.field.metadata

    type, rows, field, metadata = in_both(tmp_path, write)
    assert [row and row["position"] for row in rows] == [0, None, 1]
    assert metadata == {b"ARROW:extension:name": b"lance.blob.v2"}


@pytest.mark.parametrize(
    "wrong",
    [
        lambda s: s.open_packed_blob_writer("x.lance", 0),
        lambda s: s.open_packed_blob_writer("x.lance", -1),
        lambda s: s.open_dedicated_blob_writer("x.lance", 2**32),
        lambda s: s.open_dedicated_blob_writer("x", 1),
        lambda s: s.open_packed_blob_writer("x.lance", 1).write_blob("text"),
        lambda s: s.open_packed_blob_writer("x.lance", 1).write_blob(None),
        lambda s: s.open_packed_blob_writer("x.lance", 1).write_blobs([b"x"]),
        lambda s: s.open_packed_blob_writer("x.lance", 1).write_blobs(pa.array([1])),
        lambda s: s.open_packed_blob_writer("x.lance", 1).write_blobs(pa.array(["x"])),
        lambda s: s.open_dedicated_blob_writer("x.lance", 1).write("text"),
    ],
)
def test_both_refuse_the_same(tmp_path, wrong):
    assert in_both(tmp_path, wrong) in (ValueError, TypeError, OverflowError)
    assert files_of(tmp_path / "tusk") == {}


def test_a_writer_that_is_let_go_leaves_nothing(tmp_path):
    opened = session(tusk, tmp_path)
    writer = opened.open_packed_blob_writer("x.lance", 1)
    writer.write_blob(b"x" * 100_000)
    del writer
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    with pytest.raises(ValueError, match="outside|leave|below"):
        opened.open_packed_blob_writer("../x.lance", 1)


def build(library, opened):
    """An array of everything that a builder takes."""
    packed = opened.open_packed_blob_writer("x.lance", 1)
    packed.write_blobs(pa.array([b"abc", None, b""]))
    dedicated = opened.open_dedicated_blob_writer("x.lance", 2)
    dedicated.write(b"12345")
    builder = library.blob.BlobDescriptorArrayBuilder("col")
    builder.extend(packed.finish())
    builder.append(dedicated.finish())
    builder.append_null()
    builder.append_inline(b"inline")
    builder.append_inline(bytearray(b""))
    builder.append_dedicated(7, 100)
    builder.extend_packed(9, [0, 10], [10, 5])
    builder.extend_packed(9, pa.array([20]), pa.array([1]))
    builder.append_managed("folder/object", 1, 5)
    builder.append_managed("object", 0, 0, base_id=3)
    field = builder.field
    array = builder.finish()
    with pytest.raises(ValueError, match="finished"):
        builder.append_null()
    return field, field.metadata, array.type, array.to_pylist()


def test_builders_build_the_same(tmp_path):
    ours, theirs = (build(lib, session(lib, tmp_path / lib.__name__)) for lib in LIBRARIES)
    assert ours == theirs


@pytest.mark.parametrize(
    "wrong",
    [
        lambda b: b.append(None),
        lambda b: b.extend([None]),
        lambda b: b.append_inline(None),
        lambda b: b.append_inline("text"),
        lambda b: b.append_dedicated(0, 1),
        lambda b: b.append_dedicated(1, -1),
        lambda b: b.append_dedicated(2**32, 1),
        lambda b: b.extend_packed(1, [0, 1], [1]),
        lambda b: b.extend_packed(0, [0], [1]),
        lambda b: b.extend_packed(1, [2**64 - 1], [2]),
        lambda b: b.append_managed("", 0, 1),
        lambda b: b.append_managed("file:///x", 0, 1),
        lambda b: b.append_managed("../x", 0, 1),
        lambda b: b.append_managed("x", 2**64 - 1, 2),
    ],
)
def test_builders_refuse_the_same(wrong):
    raised = []
    for library in LIBRARIES:
        builder = library.blob.BlobDescriptorArrayBuilder("col")
        with pytest.raises((ValueError, TypeError, OverflowError)) as error:
            wrong(builder)
        raised.append(error.type)
        assert len(builder.finish()) == 0
    assert raised[0] == raised[1]


def test_nobody_but_writers_makes_descriptors():
    for library in LIBRARIES:
        for name in ("BlobDescriptor", "PackedBlobWriter", "DedicatedBlobWriter"):
            with pytest.raises(TypeError):
                getattr(library.blob, name)()


@pytest.mark.parametrize("writer", LIBRARIES)
def test_a_data_file_written_by_hand_is_a_fragment_of_a_table(tmp_path, writer):
    uri = str(tmp_path / "table")
    schema = pa.schema([pa.field("id", pa.int64()), tusk.blob_field("b")])
    first = pa.table([[0], tusk.blob_array([b"first"])], schema=schema)
    writer.write_dataset(first, uri)
    opened = session(writer, uri)
    packed = opened.open_packed_blob_writer("data/mine.lance", 1)
    packed.write_blobs(pa.array([b"aaa", None, b"bb" * 100]))
    dedicated = opened.open_dedicated_blob_writer("data/mine.lance", 2)
    dedicated.write(b"c" * 5000)
    builder = writer.blob.BlobDescriptorArrayBuilder("b")
    builder.extend(packed.finish())
    builder.append(dedicated.finish())
    builder.append_inline(b"in")
    file_schema = pa.schema([pa.field("id", pa.int64()), builder.field])
    rows = pa.RecordBatch.from_arrays(
        [pa.array([1, 2, 3, 4, 5], pa.int64()), builder.finish()], schema=file_schema
    )
    with opened.open_writer("data/mine.lance", schema=file_schema, version="2.2") as file:
        file.write_batch(rows.slice(0, 2))
        file.write_batch(rows.slice(2))
    file = writer.fragment.DataFile("mine.lance", [0, 1], [0, 1], 2, 2)
    fragment = writer.fragment.FragmentMetadata(0, [file], 5)
    append = writer.LanceOperation.Append([fragment])
    writer.LanceDataset.commit(uri, append, read_version=1)
    values = [b"first", b"aaa", None, b"bb" * 100, b"c" * 5000, b"in"]
    for library in LIBRARIES:
        read = library.dataset(uri).read_blobs("b", indices=range(6))
        assert [value for _, value in read] == values
    tusk.dataset(uri).optimize.compact_files()
    for library in LIBRARIES:
        read = library.dataset(uri).read_blobs("b", indices=range(6))
        assert [value for _, value in read] == values


def test_what_no_file_can_have_is_refused(tmp_path):
    def write(array, field, version="2.2"):
        schema = pa.schema([field])
        path = tmp_path / "file.lance"
        with tusk.file.LanceFileWriter(path, schema, version=version) as file:
            file.write_batch(pa.RecordBatch.from_arrays([array], schema=schema))

    builder = tusk.blob.BlobDescriptorArrayBuilder("b")
    builder.append_managed("object", 0, 1)
    with pytest.raises(NotImplementedError, match="column 'b': the blob in row 0: is managed"):
        write(builder.finish(), builder.field)
    storage = tusk.blob.BlobDescriptorArrayBuilder("b").finish().type
    row = {"kind": 1, "data": None, "uri": None, "blob_id": 1, "blob_size": 1, "position": 0}
    for change, message in [
        ({"kind": None}, "has no kind"),
        ({"kind": 6}, "kind"),
        ({"blob_size": None}, "no blob_size"),
        ({"blob_id": 0}, "no blob_id, or 0"),
        ({"data": b"x"}, "has data, but is not inline"),
        ({"kind": 0}, "inline, but has no data"),
        ({"kind": 3}, "external, but has no uri"),
        ({"blob_size": 2**63, "position": 2**63}, "which no file has"),
    ]:
        with pytest.raises(ValueError, match=f"column 'b': the blob in row 0.*{message}"):
            write(pa.array([{**row, **change}], storage), builder.field)
    with pytest.raises(NotImplementedError, match="need data version 2.2"):
        write(pa.array([row], storage), builder.field, version="2.1")
    blob = tusk.blob_array([b"x"])
    with pytest.raises(NotImplementedError, match="'b': the file has no place for blobs"):
        write(blob, tusk.blob_field("b"))
    assert not (tmp_path / "file.lance").exists()


@pytest.mark.parametrize("writer", LIBRARIES)
def test_tables_take_described_blobs_that_are_inline(tmp_path, writer):
    builder = writer.blob.BlobDescriptorArrayBuilder("b")
    builder.append_inline(b"abc")
    builder.append_null()
    table = pa.Table.from_arrays([builder.finish()], schema=pa.schema([builder.field]))
    uri = str(tmp_path / "table")
    writer.write_dataset(table, uri)
    writer.write_dataset(table, uri, mode="append")
    for library in LIBRARIES:
        read = library.dataset(uri).read_blobs("b", indices=range(4))
        assert [value for _, value in read] == [b"abc", None] * 2
    # Where the others lie is known to who writes the data file.
    builder = tusk.blob.BlobDescriptorArrayBuilder("b")
    builder.append_dedicated(1, 5)
    table = pa.Table.from_arrays([builder.finish()], schema=pa.schema([builder.field]))
    with pytest.raises(OSError, match="column 'b': the blob in row 0 .*another data file"):
        tusk.write_dataset(table, uri, mode="append")
    assert tusk.dataset(uri).version == 2
