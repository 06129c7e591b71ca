"""Large values in Python: what they are made of, files of them, and a table of pictures."""

import datetime
import io
import os
import pickle
import random
import threading

import lance
import numpy as np
import PIL.Image
import pyarrow as pa
import pytest

import tusk
from tusk.blob import BlobType


def table_of(blobs, **thresholds):
    field = tusk.blob_field("b", **thresholds)
    return pa.table([tusk.blob_array(blobs)], schema=pa.schema([field]))


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"data": b"a", "uri": "file:///a"},
        {"uri": ""},
        {"position": 1, "size": 1},
        {"uri": "file:///a", "position": 1},
        {"data": b"a", "position": 1, "size": 1},
        {"uri": "file:///a", "position": 1, "size": 0},
    ],
)
def test_a_blob_is_bytes_or_a_uri(arguments):
    for library in (tusk, lance):
        with pytest.raises(ValueError):
            library.Blob(**arguments)


def test_blobs_are_made_as_pylance_makes_them():
    makers = [
        lambda blob: blob.empty(),
        lambda blob: blob.from_bytes(bytearray(b"abc")),
        lambda blob: blob.from_uri("file:///a"),
        lambda blob: blob.from_uri("file:///a", 3, 4),
    ]
    for make in makers:
        ours, theirs = make(tusk.Blob), make(lance.Blob)
        for name in ("data", "uri", "position", "size"):
            assert getattr(ours, name) == getattr(theirs, name)
    with pytest.raises(ValueError):
        tusk.Blob.from_uri("file:///a", -1, 4)
    values = [b"a", None, "file:///a", tusk.Blob.empty(), memoryview(b"b")]
    assert tusk.blob_array(values).storage == lance.blob_array(
        [b"a", None, "file:///a", lance.Blob.empty(), memoryview(b"b")]
    ).storage
    for wrong in (5, object()):
        for library in (tusk, lance):
            with pytest.raises(TypeError):
                library.blob_array([wrong])
    with pytest.raises(ValueError):
        tusk.blob_array([""])


def test_fields_of_blobs_say_their_sizes():
    sizes = {"inline": 0, "dedicated": 5, "pack_file": 7}
    arguments = {f"{name}_size_threshold": size for name, size in sizes.items()}
    for given in (arguments, {}):
        ours, theirs = (
            library.blob_field("b", nullable=False, **given) for library in (tusk, lance)
        )
        # The two types are of different classes, and Arrow compares those.
        for attribute in ("name", "nullable", "metadata"):
            assert getattr(ours, attribute) == getattr(theirs, attribute)
        for attribute in ("storage_type", "extension_name"):
            assert getattr(ours.type, attribute) == getattr(theirs.type, attribute)
    for name, value in [
        ("inline", -1),
        ("inline", "1"),
        ("inline", True),
        ("inline", 1 << 64),
        ("dedicated", 0),
        ("pack_file", 0),
    ]:
        with pytest.raises(Exception) as theirs:
            lance.blob_field("b", **{f"{name}_size_threshold": value})
        with pytest.raises(theirs.type):
            tusk.blob_field("b", **{f"{name}_size_threshold": value})


def test_the_type_goes_through_pickle_and_ipc():
    assert pickle.loads(pickle.dumps(BlobType())) == BlobType()
    table = table_of([b"a", None])
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    read = pa.ipc.open_stream(sink.getvalue()).read_all()
    assert read["b"].type.extension_name == "lance.blob.v2"
    assert read["b"].chunk(0).storage == table["b"].chunk(0).storage
    with pytest.raises(TypeError, match="lance.blob.v2 is struct"):
        BlobType._of_storage(pa.struct([("data", pa.large_binary())]))
    with pytest.raises(TypeError, match="must be nullable"):
        fields = [pa.field("data", pa.large_binary(), nullable=False), ("uri", pa.utf8())]
        BlobType._of_storage(pa.struct(fields))


def test_columns_of_bytes_are_iterated_as_files():
    for column in (pa.array([b"a", None]), pa.chunked_array([[b"a"], [None]], pa.large_binary())):
        first, second = tusk.BlobColumn(column)
        assert first.read() == b"a"
        assert second.read() == b""  # as of pylance
    for wrong in ([b"a"], pa.array([1])):
        with pytest.raises(ValueError):
            tusk.BlobColumn(wrong)


def test_a_closed_file_cannot_be_read(tmp_path):
    table = tusk.write_dataset(table_of([b"abc"]), tmp_path / "table")
    (file,) = table.take_blobs("b", indices=[0])
    with file as opened:
        assert opened.readable() and opened.seekable() and not opened.writable()
        assert repr(opened) == "<BlobFile size=3>"
        with pytest.raises(TypeError, match="read-only"):
            opened.readinto(b"abc")
        with pytest.raises(io.UnsupportedOperation):
            opened.write(b"a")
    assert file.closed
    for call in (file.read, file.tell, lambda: file.seek(0), lambda: file.read_range(0, 1)):
        with pytest.raises(ValueError):
            call()
    assert file.size() == 3


def test_files_read_ahead_from_front_to_back_only(tmp_path):
    value = random.Random(1).randbytes(3_000_000)
    table = tusk.write_dataset(table_of([value]), tmp_path / "table")
    (file,) = table.take_blobs("b", indices=[0])
    table.io_stats_incremental()
    file.seek(1_000_000)
    assert file.read(4096) == value[1_000_000:1_004_096]
    assert table.io_stats_incremental().read_bytes == 4096
    file.seek(0)
    while file.read(1000):
        pass
    stats = table.io_stats_incremental()
    assert stats.read_iops < 20
    assert stats.read_bytes < 3_010_000


def test_ranges_are_read_by_several_threads_at_once(tmp_path):
    values = [random.Random(row).randbytes(300_000) for row in range(8)]
    table = tusk.write_dataset(table_of(values), tmp_path / "table")
    files = table.take_blobs("b", indices=range(8))
    failures = []

    def read(seed):
        generator = random.Random(seed)
        for _ in range(100):
            row, begin = generator.randrange(8), generator.randrange(299_000)
            ranges = [(begin, 1000), (0, 10)]
            if files[row].read_ranges(ranges) != [
                values[row][begin : begin + 1000],
                values[row][:10],
            ]:
                failures.append((row, begin))

    threads = [threading.Thread(target=read, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_more_files_than_are_kept_open_are_read(tmp_path):
    values = [random.Random(row).randbytes(100) for row in range(400)]
    blobs = table_of(values, inline_size_threshold=0, dedicated_size_threshold=1)
    table = tusk.write_dataset(
        blobs, tmp_path / "table", storage_options={"durable": "false"}
    )
    assert len(list((tmp_path / "table").glob("data/*/*.blob"))) == 400
    rows = list(range(400)) * 2
    assert [value for _, value in table.read_blobs("b", indices=rows)] == values * 2
    files = table.take_blobs("b", indices=range(400))
    before = len(os.listdir("/proc/self/fd"))
    assert [file.read() for file in files] == values
    assert len(os.listdir("/proc/self/fd")) <= before + 130


@pytest.mark.parametrize("library", [tusk, lance])
def test_external_blobs_stay_where_they_are_or_are_copied(tmp_path, library):
    path = tmp_path / "with space.bin"
    path.write_bytes(b"0123456789" * 10_000)
    blobs = [path.as_uri(), tusk.Blob.from_uri(path.as_uri(), 5, 10), b"bytes", None]
    values = [path.read_bytes(), b"5678901234", b"bytes", None]
    outside = {"allow_external_blob_outside_bases": True}
    library.write_dataset(table_of(blobs), tmp_path / "kept", **outside)
    for reader in (tusk, lance):
        kept = reader.dataset(tmp_path / "kept")
        assert [value for _, value in kept.read_blobs("b", indices=range(4))] == values
    library.write_dataset(table_of(blobs), tmp_path / "copied", external_blob_mode="ingest")
    with pytest.raises((OSError, ValueError)):
        library.write_dataset(table_of(blobs), tmp_path / "refused")
    with pytest.raises((OSError, ValueError)):
        library.write_dataset(
            table_of(blobs), tmp_path / "refused", external_blob_mode="ingest", **outside
        )
    with pytest.raises(ValueError):
        library.write_dataset(table_of(blobs), tmp_path / "refused", external_blob_mode="copy")
    path.unlink()
    for reader in (tusk, lance):
        copied = reader.dataset(tmp_path / "copied")
        assert [value for _, value in copied.read_blobs("b", indices=range(4))] == values
    kept = tusk.dataset(tmp_path / "kept")
    with pytest.raises(FileNotFoundError):
        kept.read_blobs("b", indices=[0])


def test_external_blobs_below_a_base_path_are_stored_relative_to_it(tmp_path):
    media = tmp_path / "media"
    media.mkdir()
    (media / "a.bin").write_bytes(b"a" * 100)
    base = lance.DatasetBasePath(str(media), name="media", is_dataset_root=False)
    uri = str(tmp_path / "table")
    lance.write_dataset(table_of([b"first"]), uri, initial_bases=[base])
    uri_of_blob = (media / "a.bin").as_uri()
    blobs = table_of([uri_of_blob, tusk.Blob.from_uri(uri_of_blob, 3, 5)])
    tusk.write_dataset(blobs, uri, mode="append")
    lance.write_dataset(blobs, uri, mode="append")
    table = tusk.dataset(uri)
    stored = table.to_table()["b"].to_pylist()
    assert stored[1:3] == stored[3:5]
    assert stored[1]["blob_uri"] == "a.bin"
    values = [b"first", b"a" * 100, b"a" * 5, b"a" * 100, b"a" * 5]
    for reader in (tusk, lance):
        read = reader.dataset(uri).read_blobs("b", indices=range(5))
        assert [value for _, value in read] == values
    table.optimize.compact_files()
    for reader in (tusk, lance):
        read = reader.dataset(uri).read_blobs("b", indices=range(5))
        assert [value for _, value in read] == values


def test_offsets_beyond_4_gib_are_read(tmp_path):
    path = tmp_path / "sparse.bin"
    size = 5 << 30
    with open(path, "wb") as file:
        for at in ((1 << 31) - 2, (1 << 32) - 2, size - 4):
            file.seek(at)
            file.write(b"mark")
    blobs = [path.as_uri(), tusk.Blob.from_uri(path.as_uri(), (1 << 32) - 2, 1 << 29)]
    table = tusk.write_dataset(
        table_of(blobs), tmp_path / "table", allow_external_blob_outside_bases=True
    )
    whole, part = table.take_blobs("b", indices=[0, 1])
    assert (whole.size(), part.size()) == (size, 1 << 29)
    assert whole.seek(-4, io.SEEK_END) == size - 4
    assert whole.read() == b"mark"
    assert whole.read_ranges([((1 << 31) - 3, 6), ((1 << 32) - 2, 4)]) == [b"\0mark\0", b"mark"]
    assert part.read(5) == b"mark\0"
    requests = [(0, size - 4, 4), (1, 0, 4)]
    assert [value for _, _, value in table.read_blob_ranges("b", requests, selector="indices")] == [
        b"mark",
        b"mark",
    ]


def test_a_table_of_pictures_with_vectors_and_labels(tmp_path):
    """Pictures as blobs beside what is searched and filtered, as a training set has them."""
    generator = np.random.default_rng(0)
    rows = 60

    def png(number):
        out = io.BytesIO()
        pixels = generator.integers(0, 255, (32 + number, 48, 3), np.uint8)
        PIL.Image.fromarray(pixels).save(out, "PNG")
        return out.getvalue()

    pictures = [png(number) for number in range(rows)]
    vectors = generator.normal(size=(rows, 1536)).astype(np.float32)
    now = datetime.datetime(2026, 1, 2, tzinfo=datetime.timezone.utc)
    schema = pa.schema(
        [
            tusk.blob_field("image_bytes"),
            pa.field("embedding", pa.list_(pa.float32(), 1536)),
            pa.field("label", pa.string()),
            pa.field("source_id", pa.string()),
            pa.field("created_at", pa.timestamp("us", "UTC")),
        ]
    )
    data = pa.table(
        [
            tusk.blob_array(pictures),
            pa.FixedSizeListArray.from_arrays(vectors.ravel(), 1536),
            [("cat", "dog", "horse")[row % 3] for row in range(rows)],
            [f"source {row}" for row in range(rows)],
            [now + datetime.timedelta(hours=row) for row in range(rows)],
        ],
        schema=schema,
    )
    table = tusk.write_dataset(data, tmp_path / "pictures", max_rows_per_file=25)
    stored = lance.dataset(tmp_path / "pictures").schema
    assert stored.names == schema.names
    assert stored.types[1:] == schema.types[1:]
    table.io_stats_incremental()
    cats = table.to_table(["source_id"], filter="label = 'cat'", with_row_id=True)
    assert cats.num_rows == 20
    read = table.io_stats_incremental().read_bytes
    # The last 64 KiB of each of the three files, where its description stands.
    assert read < 3 * (64 << 10) + 10_000 < sum(map(len, pictures))
    ids = cats["_rowid"].to_pylist()
    for row, file in zip(range(0, rows, 3), table.take_blobs("image_bytes", ids=ids)):
        assert PIL.Image.open(file).size == (48, 32 + row)
    hits = table.to_table(
        ["source_id"], nearest={"column": "embedding", "q": vectors[31], "k": 3}
    )
    assert hits["source_id"][0].as_py() == "source 31"
    read = table.read_blobs("image_bytes", indices=[31])
    assert read[0][1] == pictures[31]
