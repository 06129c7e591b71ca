"""Lance files on their own, beside pylance's reader of the same files."""

import inspect
import os
import pathlib
import random

import lance.file as theirs
import numpy as np
import pyarrow as pa
import pytest
from conftest import BOUNDARY_SIZES, random_table

import tusk
import tusk.file as ours
from tusk import errors

VERSIONS = ("2.0", "2.1", "2.2")


def nested_table(rows, seed=0, null_structs=True):
    """Flat and nested columns with nulls and empty lists."""
    generator = random.Random(seed)

    def maybe(make):
        return [None if generator.random() < 0.2 else make() for _ in range(rows)]

    def point():
        x = None if generator.random() < 0.2 else generator.randrange(1000)
        return {"x": x, "y": str(x) * generator.randrange(3)}

    points = maybe(point) if null_structs else [point() for _ in range(rows)]
    columns = {
        "id": pa.array(range(rows), pa.int64()),
        "text": pa.array(maybe(lambda: "ab" * generator.randrange(9)), pa.string()),
        "point": pa.array(points, pa.struct({"x": pa.int32(), "y": pa.string()})),
        "tags": pa.array(
            maybe(lambda: [str(i) for i in range(generator.randrange(4))]), pa.list_(pa.string())
        ),
        "vector": pa.array([[i, -i, 0.5] for i in range(rows)], pa.list_(pa.float32(), 3)),
    }
    return pa.table(columns).replace_schema_metadata({"made by": "a test"})


def write(path, table, version="2.2", buffers=()):
    with theirs.LanceFileWriter(str(path), table.schema, version=version) as writer:
        writer.write_batch(table)
        for buffer in buffers:
            writer.add_global_buffer(buffer)
    return str(path)


@pytest.fixture(params=VERSIONS)
def path(request, tmp_path):
    buffers = (b"first", b"x" * 70_000)
    # Version 2.0 cannot store null structs.
    table = nested_table(5000, seed=1, null_structs=request.param != "2.0")
    return write(tmp_path / "f.lance", table, request.param, buffers)


@pytest.fixture
def both(path):
    return ours.LanceFileReader(path), theirs.LanceFileReader(path)


def assert_same(mine, reference):
    assert mine.equals(reference)
    assert mine.schema.equals(reference.schema, check_metadata=True)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("rows", BOUNDARY_SIZES)
def test_reads_what_pylance_wrote(rows, version, tmp_path):
    table = random_table(rows, seed=rows)
    path = write(tmp_path / "f", table, version)
    reader = ours.LanceFileReader(path)
    assert reader.num_rows() == rows
    assert reader.read_all().to_table() == table


def test_reads_ranges_as_pylance(both):
    mine, reference = both
    for start, rows in ((0, 0), (0, 1), (17, 2500), (4999, 1), (5000, 0), (0, 5000)):
        assert_same(
            mine.read_range(start, rows).to_table(), reference.read_range(start, rows).to_table()
        )


def test_takes_rows_as_pylance(both):
    mine, reference = both
    some = sorted(random.Random(3).sample(range(5000), 700))
    for rows in ([], [0], [4999], some, list(range(5000))):
        assert_same(mine.take_rows(rows).to_table(), reference.take_rows(rows).to_table())
    for rows in (np.array([3, 5]), pa.array([3, 5]), (3, 5)):
        assert mine.take_rows(rows).to_table()["id"].to_pylist() == [3, 5]
    for reader in both:
        with pytest.raises(ValueError):
            reader.take_rows([7, 7, 8]).to_table()


def test_gives_batches_of_the_size_asked_for(both):
    mine, reference = both
    for size in (1, 700, 1024, 1500, 5000, 10_000):
        batches = list(mine.read_all(batch_size=size).to_batches())
        expected = [b.num_rows for b in reference.read_all(batch_size=size).to_batches()]
        assert [b.num_rows for b in batches] == expected
        assert pa.Table.from_batches(batches) == reference.read_all().to_table()
    rows = list(range(0, 3000, 2))
    batches = [b.num_rows for b in mine.take_rows(rows, batch_size=400).to_batches()]
    assert batches == [400, 400, 400, 300]
    assert [b.num_rows for b in mine.read_all().to_batches()] == [1024] * 4 + [904]


def test_cuts_batches_by_bytes(both):
    batches = list(both[0].read_all(batch_size_bytes=20_000).to_batches())
    assert all(batch.nbytes < 40_000 for batch in batches)
    assert pa.Table.from_batches(batches) == both[1].read_all().to_table()


@pytest.mark.parametrize(
    "columns",
    [
        ["text", "id"],
        ["point.y", "id", "point.x"],
        ["point.x"],
        ["text", "text"],
        ["point.x", "point"],
        ["tags"],
        ["vector"],
    ],
)
def test_projects_as_pylance(columns, path):
    mine = ours.LanceFileReader(path, columns=columns)
    reference = theirs.LanceFileReader(path, columns=columns)
    assert_same(mine.read_all().to_table(), reference.read_all().to_table())
    assert_same(mine.take_rows([3, 99]).to_table(), reference.take_rows([3, 99]).to_table())
    # What a file says of itself is not projected.
    assert mine.metadata().schema == reference.metadata().schema


def test_results_are_read_once(both):
    results = both[0].read_all()
    assert isinstance(results.to_batches(), pa.RecordBatchReader)
    assert results.to_batches() is results.reader
    assert results.to_table().num_rows == 5000
    for results in (both[0].read_all(), both[1].read_all()):
        assert results.to_table().num_rows == 5000
        assert results.to_table().num_rows == 0


def test_metadata_is_that_of_pylance(both):
    mine, reference = (reader.metadata() for reader in both)
    assert mine.schema.equals(reference.schema, check_metadata=True)
    for name in (
        "num_rows",
        "num_data_bytes",
        "num_column_metadata_bytes",
        "num_global_buffer_bytes",
        "major_version",
        "minor_version",
    ):
        assert getattr(mine, name) == getattr(reference, name), name

    def places(buffers):
        return [(buffer.position, buffer.size) for buffer in buffers]

    assert places(mine.global_buffers) == places(reference.global_buffers)
    assert len(mine.columns) == len(reference.columns) >= 6
    for column, expected in zip(mine.columns, reference.columns):
        assert places(column.column_buffers) == places(expected.column_buffers)
        assert [places(page.buffers) for page in column.pages] == [
            places(page.buffers) for page in expected.pages
        ]
        assert all(isinstance(page.encoding, str) for page in column.pages)
    statistics = [reader.file_statistics().columns for reader in both]
    assert [(c.num_pages, c.size_bytes) for c in statistics[0]] == [
        (c.num_pages, c.size_bytes) for c in statistics[1]
    ]


def test_encodings_have_the_names_of_the_format(tmp_path):
    table = pa.table({"n": range(3000), "s": [f"number {i % 1000}" * 3 for i in range(3000)]})
    columns = ours.LanceFileReader(write(tmp_path / "f", table)).metadata().columns
    assert columns[0].pages[0].encoding.startswith("MiniBlockLayout(")
    assert "InlineBitpacking(uncompressed_bits_per_value=64)" in columns[0].pages[0].encoding
    # Every message that pylance's text names is in ours.
    reference = theirs.LanceFileReader(str(tmp_path / "f")).metadata().columns
    for mine, expected in zip(columns, reference):
        for name in ("MiniBlockLayout", "InlineBitpacking", "Fsst", "Variable", "Flat", "General"):
            assert (name in mine.pages[0].encoding) == (f"{name} {{" in expected.pages[0].encoding)


def test_global_buffers_are_read(both):
    mine, reference = both
    for index in range(3):
        assert mine.read_global_buffer(index) == reference.read_global_buffer(index)
    for reader in both:
        with pytest.raises(ValueError, match="global buffer"):
            reader.read_global_buffer(3)
        with pytest.raises(OverflowError):
            reader.read_global_buffer(-1)


@pytest.mark.parametrize(
    ("ask", "error"),
    [
        (lambda reader: reader.read_range(4990, 11).to_table(), ValueError),
        (lambda reader: reader.read_range(5001, 0).to_table(), ValueError),
        (lambda reader: reader.read_range(-1, 2).to_table(), OverflowError),
        (lambda reader: reader.read_range(0, -2).to_table(), OverflowError),
        (lambda reader: reader.read_all(batch_size=-1).to_table(), OverflowError),
        (lambda reader: reader.take_rows([5000]).to_table(), ValueError),
        (lambda reader: reader.take_rows([-1]).to_table(), OverflowError),
        (lambda reader: reader.take_rows([2, 1]).to_table(), ValueError),
        (lambda reader: reader.take_rows(["a"]).to_table(), TypeError),
        (lambda reader: reader.read_range("a", 1).to_table(), TypeError),
    ],
)
def test_bad_arguments_raise_as_in_pylance(ask, error, both):
    for reader in both:
        with pytest.raises(error):
            ask(reader)


def test_batches_of_no_rows_are_refused(both):
    with pytest.raises(ValueError, match="batch"):
        both[0].read_all(batch_size=0)
    with pytest.raises(ValueError, match="batch_readahead"):
        both[0].read_all(batch_readahead=0)


@pytest.mark.parametrize("module", [ours, theirs])
def test_what_cannot_be_opened_raises(module, path, tmp_path):
    with pytest.raises(ValueError):
        module.LanceFileReader(str(tmp_path / "none"))
    with pytest.raises(OSError, match="nope"):
        module.LanceFileReader(path, columns=["nope"])
    with pytest.raises(OSError):
        module.LanceFileReader(path, columns=["ID"])
    with pytest.raises(TypeError):
        module.LanceFileReader(path, columns="id")
    with pytest.raises(ValueError, match="column"):
        module.LanceFileReader(path, columns=[]).read_all().to_table()
    (tmp_path / "text").write_bytes(b"no Lance file" * 20)
    with pytest.raises(OSError):
        module.LanceFileReader(str(tmp_path / "text"))
    with pytest.raises(TypeError):
        module.LanceFileReader(3)
    with pytest.raises(TypeError):
        module.LanceFileReader(None)


def test_errors_keep_their_class(path):
    data = pathlib.Path(path).read_bytes()
    values = ours.LanceFileReader(path).metadata().num_data_bytes
    pathlib.Path(path).write_bytes(b"\xff" * values + data[values:])
    results = ours.LanceFileReader(path, columns=["text"]).read_all()
    with pytest.raises(errors.TuskError, match="f.lance"):
        results.to_table()


def test_other_versions_are_refused_by_name(tmp_path):
    data = pathlib.Path(write(tmp_path / "f", pa.table({"a": [1]}))).read_bytes()
    for version, name in ((b"\x02\x00\x03\x00", "2.3"), (b"\x00\x00\x02\x00", "0.1")):
        (tmp_path / "other").write_bytes(data[:-8] + version + b"LANC")
        with pytest.raises(NotImplementedError, match=name):
            ours.LanceFileReader(tmp_path / "other")
    (tmp_path / "empty").write_bytes(b"")
    with pytest.raises(errors.CorruptError, match="empty"):
        ours.LanceFileReader(tmp_path / "empty")


@pytest.mark.parametrize("options", [{"namespace_client": 1}, {"table_id": ["a"]}])
def test_options_that_cannot_be_honoured_are_refused(options, path, tmp_path):
    (name,) = options
    with pytest.raises(NotImplementedError, match=name):
        ours.LanceFileReader(path, **options)
    with pytest.raises(NotImplementedError, match=name):
        ours.LanceFileSession(tmp_path, **options)
    with pytest.raises(NotImplementedError, match="s3"):
        ours.LanceFileReader("s3://bucket/key")


def test_files_are_mapped_if_asked(path):
    mapping = {"memory_map": "true"}
    folder, name = os.path.split(path)
    expected = ours.LanceFileReader(path)
    session = ours.LanceFileSession(folder, storage_options=mapping)
    for mapped in (ours.LanceFileReader(path, mapping), session.open_reader(name)):
        assert mapped.read_all().to_table() == expected.read_all().to_table()
        rows = [0, 7, 4999]
        assert mapped.take_rows(rows).to_table() == expected.take_rows(rows).to_table()


def test_storage_options_are_refused_by_name(path):
    for open_place in (ours.LanceFileReader, ours.LanceFileSession):
        with pytest.raises(NotImplementedError, match="'region'"):
            open_place(path, storage_options={"region": "x"})
        with pytest.raises(ValueError, match="memory_map"):
            open_place(path, storage_options={"memory_map": "maybe"})


def test_places_of_every_kind_are_opened(path, tmp_path):
    for place in (path, pathlib.Path(path), "file://" + path, os.path.relpath(path)):
        assert ours.LanceFileReader(place).num_rows() == 5000


def public_parameters(function):
    return [
        (p.name, p.kind, p.default)
        for p in inspect.signature(function).parameters.values()
        if not p.name.startswith("_")
    ]


@pytest.mark.parametrize("name", ["LanceFileReader", "LanceFileSession", "ReaderResults"])
def test_signatures_are_those_of_pylance(name):
    mine, reference = getattr(ours, name), getattr(theirs, name)
    for member, function in vars(reference).items():
        if not callable(function) or (member.startswith("_") and member != "__init__"):
            continue
        expected = public_parameters(function)
        found = public_parameters(getattr(mine, member))
        if member in ("open_writer",):
            continue
        # Ours may have more, by keyword and with a default.
        extra = [parameter for parameter in found if parameter not in expected]
        assert [parameter for parameter in found if parameter in expected] == expected, member
        assert all(p[1] == inspect.Parameter.KEYWORD_ONLY and p[2] is None for p in extra), member
    assert ours.__all__ == theirs.__all__
    assert ours.stable_version() == theirs.stable_version()


def test_what_was_read_is_counted(path):
    reader = ours.LanceFileReader(path, columns=["id"])
    opened = reader.io_stats_snapshot()
    assert (opened.read_iops, opened.write_iops) == (1, 0)
    assert reader.io_stats_incremental() == opened
    reader.read_all().to_table()
    assert reader.io_stats_incremental() == reader.io_stats_snapshot() - opened
    read = reader.io_stats_snapshot() - opened
    pages = reader.file_statistics().columns[0]
    assert read.read_bytes >= pages.size_bytes
    assert read.read_bytes < os.path.getsize(path) / 2


def test_a_take_reads_the_parts_that_hold_the_rows(tmp_path):
    path = write(tmp_path / "f", pa.table({"v": np.random.default_rng(0).random(1_000_000)}))
    reader = ours.LanceFileReader(path)
    reader.take_rows([5]).to_table()
    before = reader.io_stats_snapshot()
    reader.take_rows([500_000]).to_table()
    taken = reader.io_stats_snapshot() - before
    assert taken.read_iops == 1
    assert taken.read_bytes <= 32 << 10


@pytest.fixture
def folder(tmp_path):
    base = tmp_path / "base"
    (base / "sub" / "deep").mkdir(parents=True)
    table = nested_table(3000)
    for name in ("a.lance", "sub/b.lance"):
        write(base / name, table)
    (base / "sub" / "deep" / "note.txt").write_text("hello")
    (base / ".hidden").write_text("h")
    return base


@pytest.fixture(params=[ours, theirs], ids=["tusk", "pylance"])
def session(request, folder):
    return request.param.LanceFileSession(str(folder))


def test_a_session_lists_as_pylance(session):
    everything = [".hidden", "a.lance", "sub/b.lance", "sub/deep/note.txt"]
    assert sorted(session.list()) == everything
    assert sorted(session.list("sub")) == sorted(session.list("sub/")) == everything[2:]
    assert session.list("none") == session.list("a.lance") == []
    listed = session.list_with_delimiter()
    assert (sorted(listed.common_prefixes), sorted(listed.objects)) == (["sub"], everything[:2])
    listed = session.list_with_delimiter("sub")
    assert (listed.common_prefixes, listed.objects) == (["sub/deep"], ["sub/b.lance"])
    assert session.list_with_delimiter("none").objects == []


def test_a_session_handles_files_as_pylance(session, folder, tmp_path):
    assert session.contains("sub/b.lance")
    assert not session.contains("sub") and not session.contains("none")
    assert session.read_range("sub/deep/note.txt", 1, 3) == b"ell"
    assert session.read_range("sub/deep/note.txt", 5, 0) == b""
    for offset, length in ((0, 6), (6, 1)):
        with pytest.raises(OSError):
            session.read_range("sub/deep/note.txt", offset, length)
    for offset, length in ((-1, 1), (0, -1)):
        with pytest.raises(OverflowError):
            session.read_range("sub/deep/note.txt", offset, length)
    with pytest.raises(OSError):
        session.read_range("none", 0, 1)
    session.upload_file(folder / "a.lance", "new/c.lance")
    assert (folder / "new" / "c.lance").read_bytes() == (folder / "a.lance").read_bytes()
    session.download_file("new/c.lance", tmp_path / "d")
    assert (tmp_path / "d").read_bytes() == (folder / "a.lance").read_bytes()
    session.delete_file("new/c.lance")
    assert not session.contains("new/c.lance")
    for ask in (
        lambda: session.delete_file("new/c.lance"),
        lambda: session.download_file("none", tmp_path / "e"),
        lambda: session.upload_file(tmp_path / "none", "f"),
    ):
        with pytest.raises(OSError):
            ask()
    assert not (tmp_path / "e").exists() and not (folder / "f").exists()


def test_a_session_opens_readers_as_pylance(session, folder):
    assert session.open_reader("sub/b.lance").read_all().to_table() == nested_table(3000)
    assert session.open_reader("a.lance", ["id"]).read_range(1, 2).to_table().to_pydict() == {
        "id": [1, 2]
    }
    for name in ("none", "../base/a.lance"):
        with pytest.raises(ValueError):
            session.open_reader(name)


def test_a_session_stays_below_its_folder(folder):
    session = ours.LanceFileSession(folder / "sub")
    for ask in (
        session.open_reader,
        session.contains,
        session.list,
        session.delete_file,
        lambda path: session.read_range(path, 0, 1),
        lambda path: session.upload_file(folder / "a.lance", path),
        lambda path: session.download_file(path, folder / "x"),
    ):
        with pytest.raises(ValueError, match="below"):
            ask("../a.lance")
    assert (folder / "a.lance").exists() and not (folder / "x").exists()


def test_a_session_needs_metadata_once(folder):
    session = ours.LanceFileSession(folder)
    first = session.open_reader("a.lance")
    first.take_rows([7]).to_table()
    again = session.open_reader("a.lance")
    assert again.io_stats_snapshot().read_iops == 0
    again.take_rows([7]).to_table()
    assert again.io_stats_snapshot().read_bytes < first.io_stats_snapshot().read_bytes / 2


def test_a_session_sees_that_a_file_was_replaced(folder):
    session = ours.LanceFileSession(folder)
    for seed in range(5):
        table = pa.table({"a": [seed]})
        write(folder / "r.lance", table)
        assert session.open_reader("r.lance").read_all().to_table() == table
    os.remove(folder / "r.lance")
    with pytest.raises(ValueError):
        session.open_reader("r.lance")


def test_the_data_files_of_a_table_are_read(tmp_path):
    table = random_table(2000, seed=4)
    tusk.write_dataset(table, tmp_path / "t")
    (path,) = (tmp_path / "t" / "data").iterdir()
    assert ours.LanceFileReader(path).read_all().to_table() == table
