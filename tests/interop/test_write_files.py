"""tusk.file.LanceFileWriter takes what pylance's takes, raises what it raises, and both read it."""

import lance.file
import pyarrow as pa
import pytest
from conftest import random_table

import tusk.file

TABLE = random_table(5000, seed=21)
BATCH = pa.record_batch({"a": pa.array([1, 2], pa.int64())})
PAIR = pa.schema({"a": pa.int64(), "b": pa.int64()})
STRICT = pa.schema([pa.field("a", pa.int64(), nullable=False)])


@pytest.fixture(params=[tusk.file, lance.file], ids=["tusk", "pylance"])
def module(request):
    """Where LanceFileWriter comes from."""
    return request.param


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "f.lance")


def read(path):
    """The table in a file, which is the same to both readers."""
    ours, theirs = (
        reader.LanceFileReader(path).read_all().to_table() for reader in (tusk.file, lance.file)
    )
    assert ours.equals(theirs, check_metadata=True)
    return ours


def write(module, path, *batches, **options):
    writer = module.LanceFileWriter(path, **options)
    for batch in batches:
        writer.write_batch(batch)
    return writer.close(), writer.size_bytes


@pytest.mark.parametrize("schema", [None, TABLE.schema], ids=["first batch", "schema"])
def test_writes_batches_and_tables(schema, path, tmp_path):
    batches = TABLE.to_batches(max_chunksize=700)
    rows, size = write(tusk.file, path, *batches[:3], TABLE.slice(2100), schema=schema)
    assert (rows, size) == (5000, (tmp_path / "f.lance").stat().st_size)
    assert read(path).equals(TABLE)
    metadata = lance.file.LanceFileReader(path).metadata()
    assert (metadata.major_version, metadata.minor_version) == (2, 2)


@pytest.mark.parametrize(
    "options",
    [
        {"data_cache_bytes": 0},
        {"data_cache_bytes": 1 << 20},
        {"max_page_bytes": 10_000},
        {"keep_original_array": True},
        {"version": "2.2"},
        {"version": "Stable"},
        {"storage_options": {}},
        {"namespace_client": None, "table_id": None},
    ],
    ids=str,
)
def test_takes_the_options_of_pylance(options, module, path):
    write(module, path, *TABLE.to_batches(), **options)
    assert read(path).equals(TABLE)


def test_pages_have_the_size_that_was_asked_for(path):
    table = pa.table({"a": pa.array(range(100_000), pa.int64()), "b": ["x" * 9] * 100_000})
    for options, most in (
        ({"max_page_bytes": 100_000}, 100_000),
        ({"data_cache_bytes": 400_000}, 200_000),
        ({"data_cache_bytes": 1 << 30, "max_page_bytes": 100_000}, 100_000),
        ({"data_cache_bytes": 0}, 1 << 16),
    ):
        write(tusk.file, path, table, **options)
        assert read(path).equals(table)
        for column in tusk.file.LanceFileReader(path).metadata().columns:
            rows_of_a_page = 100_000 / len(column.pages)
            assert most * 0.8 < rows_of_a_page * (8 + 4 * len(column.pages[0].buffers)) * 2
            assert len(column.pages) >= 800_000 / most


def test_keeps_buffers_and_metadata_given_at_any_time(module, path):
    writer = module.LanceFileWriter(path)
    numbers = [writer.add_global_buffer(b"one")]
    writer.add_schema_metadata("early", "1")
    writer.add_schema_metadata("both", "1")
    writer.write_batch(BATCH)
    numbers.append(writer.add_global_buffer(b""))
    writer.add_schema_metadata("both", "2")
    numbers.append(writer.add_global_buffer(bytearray(b"x" * 100)))
    assert (numbers, writer.close()) == ([1, 2, 3], 2)
    for reader in (tusk.file, lance.file):
        opened = reader.LanceFileReader(path)
        assert [opened.read_global_buffer(n) for n in numbers] == [b"one", b"", b"x" * 100]
        assert opened.metadata().schema.metadata == {b"early": b"1", b"both": b"2"}
    assert read(path).to_pydict() == BATCH.to_pydict()


def test_keeps_the_metadata_of_the_schema(module, path):
    write(module, path, schema=BATCH.schema.with_metadata({"a": "b"}))
    assert read(path).schema.metadata == {b"a": b"b"}


def test_columns_go_by_name(module, path):
    mixed = pa.record_batch({"c": ["x"], "b": [1], "a": [2]})
    assert write(module, path, mixed, schema=PAIR)[0] == 1
    assert read(path).to_pydict() == {"a": [2], "b": [1]}


def test_stores_views_as_texts(module, path):
    texts = ["a text of more than 12 bytes", None]
    write(module, path, pa.record_batch({"s": pa.array(texts, pa.string_view())}))
    assert read(path) == pa.table({"s": texts})


def test_a_file_without_rows_has_columns(module, path):
    assert write(module, path, BATCH.slice(0, 0))[0] == 0
    assert read(path).schema == BATCH.schema


def test_writes_over_a_file_and_into_new_folders(module, tmp_path):
    path = str(tmp_path / "new" / "er" / "f.lance")
    write(module, path, BATCH)
    write(module, path, BATCH, BATCH)
    assert read(path).num_rows == 4


def test_closes_once(module, path):
    with module.LanceFileWriter(path) as writer:
        assert (writer.closed, writer.size_bytes) == (False, None)
        writer.write_batch(BATCH)
        assert writer.close() == 2
    assert writer.closed
    assert writer.close() is None
    assert writer.size_bytes > 0
    assert read(path).num_rows == 2


def opened(make):
    """What `make` does to a writer of BATCH."""
    return lambda module, path: make(module.LanceFileWriter(path, BATCH.schema))


ERRORS = {
    "nothing to write": (ValueError, lambda m, p: write(m, p)),
    "nonsense as version": (ValueError, lambda m, p: write(m, p, BATCH, version="nonsense")),
    "no version": (ValueError, lambda m, p: write(m, p, BATCH, version="2")),
    "legacy": (NotImplementedError, lambda m, p: write(m, p, BATCH, version="legacy")),
    "a number as version": (TypeError, lambda m, p: write(m, p, BATCH, version=2)),
    "data_cache_bytes": (OverflowError, lambda m, p: write(m, p, BATCH, data_cache_bytes=-1)),
    "max_page_bytes": (OverflowError, lambda m, p: write(m, p, BATCH, max_page_bytes=-1)),
    "no bytes in a page": (ValueError, lambda m, p: write(m, p, BATCH, max_page_bytes=0)),
    "an unknown option": (TypeError, lambda m, p: write(m, p, BATCH, colour="red")),
    "a number as schema": (TypeError, lambda m, p: write(m, p, schema=5)),
    "a dict as schema": (TypeError, lambda m, p: write(m, p, schema={"a": pa.int64()})),
    "another type": (ValueError, opened(lambda w: w.write_batch(pa.record_batch({"a": ["x"]})))),
    "a narrower type": (
        ValueError,
        opened(lambda w: w.write_batch(pa.record_batch({"a": pa.array([1], pa.int32())}))),
    ),
    "another column": (ValueError, opened(lambda w: w.write_batch(pa.record_batch({"b": [1]})))),
    "a missing column": (ValueError, lambda m, p: write(m, p, BATCH, schema=PAIR)),
    "nulls": (
        ValueError,
        lambda m, p: write(m, p, pa.record_batch({"a": [1, None]}), schema=STRICT),
    ),
    "a number": (TypeError, opened(lambda w: w.write_batch(5))),
    "a dict": (TypeError, opened(lambda w: w.write_batch({"a": [1]}))),
    "None": (TypeError, opened(lambda w: w.write_batch(None))),
    "text as a buffer": (TypeError, opened(lambda w: w.add_global_buffer("text"))),
    "bytes as metadata": (TypeError, opened(lambda w: w.add_schema_metadata(b"a", b"b"))),
    "a type that cannot be stored": (
        RuntimeError,
        lambda m, p: write(m, p, schema=pa.schema({"a": pa.month_day_nano_interval()})),
    ),
}


@pytest.mark.parametrize("mistake", ERRORS)
def test_mistakes_raise_what_they_raise_in_pylance(mistake, module, path):
    error, make = ERRORS[mistake]
    with pytest.raises(error):
        make(module, path)


def test_a_closed_file_takes_nothing_more(path):
    writer = tusk.file.LanceFileWriter(path)
    writer.write_batch(BATCH)
    writer.close()
    for act in (
        lambda: writer.write_batch(BATCH),
        lambda: writer.add_global_buffer(b"x"),
        lambda: writer.add_schema_metadata("a", "b"),
    ):
        with pytest.raises(ValueError, match="is finished"):
            act()
    assert read(path).num_rows == 2


def test_goes_on_after_a_batch_that_does_not_fit(module, path):
    writer = module.LanceFileWriter(path, BATCH.schema)
    writer.write_batch(BATCH)
    with pytest.raises(ValueError, match="a"):
        writer.write_batch(pa.record_batch({"a": ["x"]}))
    writer.write_batch(BATCH)
    assert writer.close() == 4
    assert read(path).num_rows == 4


@pytest.mark.parametrize("error", [LookupError, KeyboardInterrupt])
def test_an_exception_leaves_no_file(error, path, tmp_path):
    with pytest.raises(error), tusk.file.LanceFileWriter(path) as writer:
        for batch in TABLE.to_batches(max_chunksize=100):
            writer.write_batch(batch)
        raise error
    assert writer.closed
    writer = tusk.file.LanceFileWriter(path)
    writer.write_batch(BATCH)
    del writer
    assert list(tmp_path.iterdir()) == []


def test_the_source_of_a_table_may_break(path, tmp_path):
    def batches():
        yield BATCH
        raise LookupError("no more")

    reader = pa.RecordBatchReader.from_batches(BATCH.schema, batches())
    with pytest.raises(ValueError, match="no more"), tusk.file.LanceFileWriter(path) as writer:
        writer.write_batch(reader)
    assert list(tmp_path.iterdir()) == []


def test_a_session_writes_below_its_folder(module, tmp_path):
    session = module.LanceFileSession(str(tmp_path))
    with session.open_writer("below/f.lance", schema=BATCH.schema, data_cache_bytes=100) as writer:
        writer.write_batch(BATCH)
    assert session.list() == ["below/f.lance"]
    assert session.open_reader("below/f.lance").num_rows() == 2
    assert read(str(tmp_path / "below/f.lance")).num_rows == 2
    with pytest.raises(ValueError):
        tusk.file.LanceFileSession(str(tmp_path)).open_writer("../f.lance")


def test_names_the_storage_option_it_does_not_know(path):
    with pytest.raises(NotImplementedError, match="'colour'"):
        tusk.file.LanceFileWriter(path, storage_options={"colour": "red"})
    with pytest.raises(NotImplementedError, match="'table_id'"):
        tusk.file.LanceFileWriter(path, table_id=["a"])
