"""Large values: what pylance wrote and tusk reads, and the other way round."""

import io
import os
import pathlib
import random
import zipfile

import lance
import numpy as np
import PIL.Image
import pyarrow as pa
import pytest

import tusk

BLOB_V1 = {"lance-encoding:blob": "true"}
EXTERNAL = bytes(range(256)) * 10
BYTES = [
    b"abc",
    None,
    b"",
    random.Random(1).randbytes(100_000),
    random.Random(2).randbytes(5_000_000),
    b"z" * 65536,
    random.Random(3).randbytes(65537),
    random.Random(4).randbytes(70_000),
]


def external_blobs(folder):
    """Blobs of an object that is no table's, and what they are."""
    path = folder / "external.bin"
    path.write_bytes(EXTERNAL)
    blobs = [lance.Blob.from_uri(path.as_uri()), lance.Blob.from_uri(path.as_uri(), 10, 20)]
    return blobs, [EXTERNAL, EXTERNAL[10:30]]


def write_v2(folder, **options):
    """A table of pylance's with a blob of each kind, and the values."""
    blobs, external = external_blobs(folder)
    values = [*BYTES, *external]
    schema = pa.schema([pa.field("id", pa.int64()), lance.blob_field("b")])
    table = pa.table([range(len(values)), lance.blob_array([*BYTES, *blobs])], schema=schema)
    uri = str(folder / "table")
    lance.write_dataset(table, uri, allow_external_blob_outside_bases=True, **options)
    return uri, values


def write_v1(folder, version):
    field = pa.field("b", pa.large_binary(), metadata=BLOB_V1)
    schema = pa.schema([pa.field("id", pa.int64()), field])
    table = pa.table([range(len(BYTES)), pa.array(BYTES, pa.large_binary())], schema=schema)
    uri = str(folder / "table")
    lance.write_dataset(table, uri, data_storage_version=version)
    return uri, BYTES


def check_reads(uri, values, column="b"):
    """That both read the same from the table, by each kind of row numbers."""
    ours, theirs = tusk.dataset(uri), lance.dataset(uri)
    rows = list(range(len(values)))
    random.Random(len(values)).shuffle(rows)
    rows += rows[:3]
    located = theirs.to_table(columns=["id"], with_row_id=True, with_row_address=True)
    ids, addresses = located["_rowid"].to_pylist(), located["_rowaddr"].to_pylist()
    expected = [(addresses[row], values[row]) for row in rows]
    for numbers in (
        {"indices": rows},
        {"ids": [ids[row] for row in rows]},
        {"addresses": pa.array([addresses[row] for row in rows], pa.uint64())},
    ):
        assert ours.read_blobs(column, **numbers) == expected
        assert theirs.read_blobs(column, **numbers) == expected
        files = ours.take_blobs(column, **numbers)
        assert [None if file is None else file.read() for file in files] == [
            values[row] for row in rows
        ]
    requests = []
    for row in rows:
        size = len(values[row] or b"")
        begin = random.Random(row).randrange(size + 1)
        length = 0 if size == 0 else min(4096, size - begin)
        requests.append((row, begin if values[row] is not None else 0, length))
    ranges = ours.read_blob_ranges(column, requests, selector="indices")
    assert ranges == theirs.read_blob_ranges(column, requests, selector="indices")
    for (row, begin, length), (_, _, bytes_read) in zip(requests, ranges):
        value = values[row]
        assert bytes_read == (None if value is None else value[begin : begin + length])


def sidecars(uri):
    """The sizes of the files beside data files, by the number of the blob file."""
    data = pathlib.Path(uri) / "data"
    return sorted(
        [(path.name, path.stat().st_size) for path in folder.glob("*.blob")]
        for folder in data.iterdir()
        if folder.is_dir()
    )


def test_reads_every_kind_of_blob(tmp_path):
    uri, values = write_v2(tmp_path)
    check_reads(uri, values)
    kinds = [0 if v is None else v["kind"] for v in lance.dataset(uri).to_table()["b"].to_pylist()]
    assert set(kinds) == {0, 1, 2, 3}


@pytest.mark.parametrize("version", ["2.0", "2.1"])
def test_reads_blobs_of_version_1(tmp_path, version):
    uri, values = write_v1(tmp_path, version)
    check_reads(uri, values)


def test_scans_give_what_pylance_gives(tmp_path):
    uri, _ = write_v2(tmp_path)
    ours, theirs = tusk.dataset(uri).to_table(), lance.dataset(uri).to_table()
    assert ours.schema.equals(theirs.schema, check_metadata=True)
    assert ours.to_pylist() == theirs.to_pylist()
    assert tusk.dataset(uri).schema == lance.dataset(uri).schema


def test_reads_and_writes_blobs_in_structs(tmp_path):
    values = [b"one", None, b"x" * 100_000, None]
    # A struct's field has no extension type of its own here: the metadata says what it is.
    field = pa.field(
        "blob",
        lance.blob.BlobType().storage_type,
        metadata={"ARROW:extension:name": "lance.blob.v2", "ARROW:extension:metadata": ""},
    )
    schema = pa.schema([pa.field("id", pa.int64()), pa.field("info", pa.struct([field]))])
    is_null = pa.array([False, False, False, True])
    info = pa.StructArray.from_arrays(
        [lance.blob_array(values).storage], fields=[field], mask=is_null
    )
    table = pa.table([range(4), info], schema=schema)
    for writer in (lance, tusk):
        uri = str(tmp_path / writer.__name__)
        writer.write_dataset(table, uri)
        check_reads(uri, values, "info.blob")
    assert sidecars(tmp_path / "tusk") == sidecars(tmp_path / "lance")


def test_reads_with_stable_row_ids_and_deleted_rows(tmp_path):
    uri, values = write_v2(tmp_path, enable_stable_row_ids=True)
    lance.dataset(uri).delete("id in (0, 3)")
    left = [value for row, value in enumerate(values) if row not in (0, 3)]
    check_reads(uri, left)
    table = tusk.dataset(uri)
    with pytest.raises(ValueError, match="row 3 is not in version 2, or is deleted"):
        table.read_blobs("b", ids=[1, 3])
    with pytest.raises(ValueError, match="row 3 is not in version 2, or is deleted"):
        table.take_blobs("b", addresses=[1, 3])


def test_reads_blobs_of_clones_and_branches(tmp_path):
    uri, values = write_v2(tmp_path)
    lance.dataset(uri).shallow_clone(str(tmp_path / "clone"), 1)
    check_reads(str(tmp_path / "clone"), values)
    copy = tusk.dataset(uri).deep_clone(str(tmp_path / "copy"), 1)
    check_reads(copy.uri, values)
    assert sidecars(copy.uri) == sidecars(uri)


def test_files_of_blobs_are_files(tmp_path):
    picture = io.BytesIO()
    pixels = np.random.default_rng(1).integers(0, 255, (64, 48, 3), np.uint8)
    PIL.Image.fromarray(pixels).save(picture, "PNG")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as writer:
        writer.writestr("a.txt", "text" * 50_000)
    values = [picture.getvalue(), archive.getvalue()]
    schema = pa.schema([pa.field("id", pa.int64()), lance.blob_field("b")])
    uri = str(tmp_path / "table")
    lance.write_dataset(pa.table([range(2), lance.blob_array(values)], schema=schema), uri)
    image, archived = tusk.dataset(uri).take_blobs("b", indices=[0, 1])
    assert np.array_equal(np.asarray(PIL.Image.open(image)), pixels)
    assert zipfile.ZipFile(archived).read("a.txt") == b"text" * 50_000
    archived.seek(0)
    assert io.BufferedReader(archived).read(10) == archive.getvalue()[:10]


@pytest.mark.parametrize("buffer_size", [0, 7, 1000, 512 * 1024])
def test_a_file_behaves_as_one_in_memory(tmp_path, buffer_size):
    uri, values = write_v2(tmp_path)
    generator = random.Random(buffer_size)
    for row in (0, 2, 3, 9):
        (file,) = tusk.dataset(uri).take_blobs("b", indices=[row], buffer_size=buffer_size)
        memory = io.BytesIO(values[row])
        assert file.size() == len(values[row])
        for _ in range(300):
            step = generator.randrange(6)
            size = generator.choice([0, 1, 5, 100, 3000, 200_000])
            if step == 0:
                where = generator.randrange(len(values[row]) + 10)
                assert file.seek(where) == memory.seek(where)
            elif step == 1:
                assert file.seek(-min(size, len(values[row])), io.SEEK_END) == memory.seek(
                    -min(size, len(values[row])), io.SEEK_END
                )
            elif step == 2:
                ours, theirs = bytearray(size), bytearray(size)
                assert file.readinto(ours) == memory.readinto(theirs)
                assert ours == theirs
            elif step == 3:
                assert file.read1(size) == memory.read1(size)
            else:
                assert file.read(size) == memory.read(size)
            assert file.tell() == memory.tell()
        file.seek(0)
        assert file.readall() == values[row]


def test_other_columns_are_scanned_without_a_byte_of_blobs(tmp_path):
    values = [random.Random(row).randbytes(200_000) for row in range(50)]
    schema = pa.schema(
        [
            pa.field("id", pa.int64()),
            lance.blob_field("packed"),
            lance.blob_field("inline", inline_size_threshold=1 << 20),
        ]
    )
    blobs = lance.blob_array(values)
    uri = str(tmp_path / "table")
    lance.write_dataset(pa.table([range(50), blobs, blobs], schema=schema), uri)
    table = tusk.dataset(uri)
    table.to_table(columns=["id"], filter="id > 10")
    table.to_table()  # descriptors
    table.take([3, 7])
    # What is read of a file to open it, its last 64 KiB, and descriptors.
    assert table.io_stats_incremental().read_bytes < 80_000
    assert table.read_blobs("packed", indices=[7])[0][1] == values[7]
    assert table.io_stats_incremental().read_bytes < 210_000
    assert table.read_blob_ranges("inline", [(7, 10, 20)], selector="indices")[0][2] == (
        values[7][10:30]
    )
    assert table.io_stats_incremental().read_bytes < 10_000


def test_refuses_what_makes_no_sense_as_pylance_does(tmp_path):
    uri, _ = write_v2(tmp_path)
    calls = [
        lambda table: table.read_blobs("b"),
        lambda table: table.take_blobs("b", ids=[1], indices=[1]),
        lambda table: table.take_blobs("id", ids=[1]),
        lambda table: table.take_blobs("b", indices=[100]),
        lambda table: table.take_blobs("b", addresses=[1 << 33]),
        lambda table: table.take_blobs("b", ids=[1 << 33]),
        lambda table: table.read_blobs("b", indices=[-1]),
        lambda table: table.read_blobs("b", indices=[0], io_buffer_size=0),
        lambda table: table.take_blobs("b", indices=[0], buffer_size=-1),
        lambda table: table.take_blobs("b", indices=[0], buffer_size=True),
        lambda table: table.read_blob_ranges("b", [(0, 0, 1)], selector="rows"),
        lambda table: table.read_blob_ranges("b", [(0, 0, 4)], selector="indices"),
        lambda table: table.read_blob_ranges("b", [(0, 4, 1)], selector="indices"),
        lambda table: table.read_blob_ranges("b", [(0, -1, 1)], selector="indices"),
        lambda table: table.take_blobs("b", indices=[3])[0].read_range(99_999, 2),
        lambda table: table.take_blobs("b", indices=[3])[0].read_range(-1, 2),
        lambda table: table.take_blobs("b", indices=[3])[0].read_ranges([(0, 1), (1 << 40, 2)]),
        lambda table: table.take_blobs("b", indices=[3])[0].seek(-1),
        lambda table: table.take_blobs("b", indices=[3])[0].seek(0, 7),
    ]
    for call in calls:
        with pytest.raises(Exception) as theirs:
            call(lance.dataset(uri))
        with pytest.raises(theirs.type):
            call(tusk.dataset(uri))
    assert tusk.dataset(uri).read_blobs("b", indices=[]) == []
    assert tusk.dataset(uri).read_blob_ranges("b", [], selector="ids") == []


def test_an_external_object_that_is_gone_is_told(tmp_path):
    uri, values = write_v2(tmp_path)
    os.remove(tmp_path / "external.bin")
    with pytest.raises(FileNotFoundError, match="column 'b' in row address 8.*external.bin"):
        tusk.dataset(uri).read_blobs("b", indices=[8])
    assert tusk.dataset(uri).read_blobs("b", indices=[0])[0][1] == values[0]


def test_blobs_that_were_cut_off_are_told(tmp_path):
    uri, values = write_v2(tmp_path)
    table = tusk.dataset(uri)
    for path in pathlib.Path(uri).glob("data/*/*.blob"):
        os.truncate(path, path.stat().st_size - 1)
    # The last ones of their files.
    for row in (4, 7):
        with pytest.raises(OSError, match=f"column 'b' in row address {row}: .* are not all in"):
            table.read_blobs("b", indices=[row])
    assert table.read_blobs("b", indices=[3])[0][1] == values[3]


def test_blobs_that_share_bytes_are_told_before_they_take_memory(tmp_path):
    schema = pa.schema([lance.blob_field("b", inline_size_threshold=0)])
    table = pa.table([lance.blob_array([b"x" * 300, b"y" * 200])], schema=schema)
    uri = str(tmp_path / "table")
    lance.write_dataset(table, uri)
    (path,) = pathlib.Path(uri).glob("data/*.lance")
    damaged = bytearray(path.read_bytes())
    # The second one, 200 bytes at 300, becomes 500 at 0.
    at = damaged.index((300).to_bytes(8, "little") + (200).to_bytes(8, "little"))
    damaged[at : at + 16] = (0).to_bytes(8, "little") + (500).to_bytes(8, "little")
    path.write_bytes(damaged)
    with pytest.raises(OSError, match="blobs of column 'b' claim more bytes of .* than the 500"):
        tusk.dataset(uri).read_blobs("b", indices=[0, 1])
    whole = b"x" * 300 + b"y" * 200
    assert tusk.dataset(uri).read_blobs("b", indices=[1, 1]) == [(1, whole)] * 2


@pytest.mark.parametrize("writer", [tusk, lance])
def test_flipped_bytes_of_descriptors_are_errors_or_values(tmp_path, writer):
    schema = pa.schema([lance.blob_field("b", inline_size_threshold=4)])
    values = [b"abc", None, b"packed bytes", b""]
    table = pa.table([lance.blob_array(values)], schema=schema)
    uri = str(tmp_path / "table")
    writer.write_dataset(table, uri)
    (path,) = pathlib.Path(uri).glob("data/*.lance")
    intact = path.read_bytes()
    generator = random.Random(7)
    refused = 0
    for _ in range(400):
        damaged = bytearray(intact)
        # Descriptors lie at the begin, behind the one inline value.
        at = 64 + generator.randrange(120)
        damaged[at] ^= 1 << generator.randrange(8)
        path.write_bytes(damaged)
        try:
            found = tusk.dataset(uri).read_blobs("b", indices=range(4))
        except (tusk.errors.TuskError, MemoryError):
            refused += 1
            continue
        assert all(value is None or isinstance(value, bytes) for _, value in found)
        assert sum(len(value or b"") for _, value in found) <= 2 * len(intact)
    assert refused > 100
