"""What tusk writes and changes of tables with large values: pylance reads it, of the same files."""

import datetime
import pathlib
import random
import re
import uuid

import lance
import pyarrow as pa
import pytest
from test_lance_blobs import BLOB_V1, BYTES, check_reads, sidecars

import tusk

SIZES = {
    "inline_size_threshold": 10,
    "dedicated_size_threshold": 1000,
    "pack_file_size_threshold": 2000,
}


def blob_table(values, first=0, **thresholds):
    schema = pa.schema([pa.field("id", pa.int64()), lance.blob_field("b", **thresholds)])
    ids = range(first, first + len(values))
    return pa.table([ids, lance.blob_array(values)], schema=schema)


def random_values(rows, seed=0):
    """Values of all sizes around the thresholds."""
    generator = random.Random(seed)
    sizes = [0, 1, 9, 10, 11, 500, 999, 1000, 1001, 5000]
    return [
        None if generator.random() < 0.2 else generator.randbytes(generator.choice(sizes))
        for _ in range(rows)
    ]


def read_all(dataset):
    """The values by id."""
    ids = dataset.to_table(columns=["id"])["id"].to_pylist()
    blobs = dataset.read_blobs("b", indices=range(len(ids)))
    return dict(zip(ids, (value for _, value in blobs), strict=True))


def read_by_both(uri):
    ours, theirs = read_all(tusk.dataset(uri)), read_all(lance.dataset(uri))
    assert ours == theirs
    return ours


def orphans(uri):
    """Folders of side files whose data file is gone."""
    data = pathlib.Path(uri) / "data"
    return [
        folder
        for folder in data.iterdir()
        if folder.is_dir() and list(folder.iterdir()) and not folder.with_suffix(".lance").exists()
    ]


@pytest.mark.parametrize("thresholds", [{}, SIZES, {"inline_size_threshold": 0}])
def test_pylance_reads_what_tusk_writes_and_the_files_are_the_same(tmp_path, thresholds):
    values = BYTES + random_values(200)
    table = blob_table(values, **thresholds)
    for writer in (tusk, lance):
        writer.write_dataset(table, tmp_path / writer.__name__, max_rows_per_file=70)
    check_reads(str(tmp_path / "tusk"), values)
    assert sidecars(tmp_path / "tusk") == sidecars(tmp_path / "lance")
    ours, theirs = (lance.dataset(tmp_path / name) for name in ("tusk", "lance"))
    assert ours.schema.equals(theirs.schema, check_metadata=True)
    # The order of keys is random in pylance.
    texts = [re.sub(r"metadata: {[^}]*}", "", str(d.lance_schema)) for d in (ours, theirs)]
    assert texts[0] == texts[1]
    kinds = [
        [value and value["kind"] for value in dataset.to_table()["b"].to_pylist()]
        for dataset in (ours, theirs)
    ]
    assert kinds[0] == kinds[1]


def test_arrays_of_both_packages_are_written(tmp_path):
    values = [b"x", None, b"y" * 100]
    field = tusk.blob_field("b")
    table = pa.table([tusk.blob_array(values)], schema=pa.schema([field]))
    assert tusk.write_dataset(table, tmp_path / "a").read_blobs("b", indices=range(3)) == [
        (row, value) for row, value in enumerate(values)
    ]
    lance.write_dataset(table, tmp_path / "b")
    assert sidecars(tmp_path / "a") == sidecars(tmp_path / "b")


def test_slices_and_many_batches_are_written(tmp_path):
    values = random_values(3000, seed=5)
    table = blob_table([b"before", *values, b"behind"], **SIZES).slice(1, len(values))
    uri = str(tmp_path / "table")
    tusk.write_dataset(table.to_batches(max_chunksize=77), uri, schema=table.schema)
    assert list(read_by_both(uri).values()) == values


def test_appends_keep_the_thresholds_of_the_table(tmp_path):
    for writer in (tusk, lance):
        uri = tmp_path / writer.__name__
        writer.write_dataset(blob_table([b"x" * 11, b"y"], **SIZES), uri)
        writer.write_dataset(blob_table([b"x" * 11, None, b"z" * 1001], 2), uri, mode="append")
        minimal = pa.struct([("data", pa.large_binary()), ("uri", pa.utf8())])
        rows = pa.array([{"data": b"m" * 20, "uri": None}, None], minimal)
        extension = {"ARROW:extension:name": "lance.blob.v2"}
        field = pa.field("b", minimal, metadata=extension)
        schema = pa.schema([pa.field("id", pa.int64()), field])
        writer.write_dataset(pa.table([[5, 6], rows], schema=schema), uri, mode="append")
        bytes_field = pa.field("b", pa.large_binary(), metadata=BLOB_V1)
        schema = pa.schema([pa.field("id", pa.int64()), bytes_field])
        rows = pa.array([b"v1" * 10], pa.large_binary())
        writer.write_dataset(pa.table([[7], rows], schema=schema), uri, mode="append")
        values = [b"x" * 11, b"y", b"x" * 11, None, b"z" * 1001, b"m" * 20, None, b"v1" * 10]
        assert list(read_by_both(str(uri)).values()) == values
    assert sidecars(tmp_path / "tusk") == sidecars(tmp_path / "lance")
    with pytest.raises(OSError, match="column 'b' should have type"):
        plain = pa.table([[8], pa.array([b"a"], pa.large_binary())], names=["id", "b"])
        tusk.write_dataset(plain, tmp_path / "tusk", mode="append")


def test_what_is_no_blob_is_refused_before_the_table_changes(tmp_path):
    uri = tmp_path / "table"
    tusk.write_dataset(blob_table([b"x"]), uri)
    storage = lance.blob.BlobType().storage_type
    nothing = {"data": None, "uri": None, "position": None, "size": None}
    for row, message in [
        (nothing, "neither data nor a uri"),
        ({**nothing, "data": b"a", "uri": "file:///a"}, "both data and a uri"),
        ({**nothing, "data": b"a", "position": 1, "size": 1}, "but no uri"),
        ({**nothing, "uri": "file:///a", "position": 1}, "one of position and size only"),
        ({**nothing, "uri": "file:///a", "position": 1, "size": 0}, "a range of no bytes"),
        ({**nothing, "uri": "file:///a"}, "lies below no base path"),
    ]:
        blobs = pa.ExtensionArray.from_storage(lance.blob.BlobType(), pa.array([row], storage))
        table = pa.table([[1], blobs], schema=blob_table([b"x"]).schema)
        with pytest.raises(OSError, match=f"column 'b': the blob in row 0 .*{message}"):
            tusk.write_dataset(table, uri, mode="append")
        with pytest.raises(OSError):
            lance.write_dataset(table, uri, mode="append")
    assert tusk.dataset(uri).version == 1
    assert orphans(uri) == []
    with pytest.raises(NotImplementedError, match="'b': blobs of version 2 need data version 2.2"):
        tusk.write_dataset(blob_table([b"x"]), tmp_path / "old", data_storage_version="2.1")
    # Where blobs lie in one table is no value of another one.
    with pytest.raises(NotImplementedError, match="'b': blobs of version 2 are written as struct"):
        tusk.write_dataset(tusk.dataset(uri).to_table(), tmp_path / "copy")
    with pytest.raises(OSError, match="'b' should have type"):
        tusk.write_dataset(tusk.dataset(uri).to_table(), uri, mode="append")
    for key, value in [("inline", "x"), ("dedicated", "0"), ("pack-file", "-1")]:
        metadata = {f"lance-encoding:blob-{key}-size-threshold": value}
        schema = blob_table([b"x"]).schema
        schema = schema.set(1, schema.field(1).with_metadata(metadata))
        with pytest.raises(ValueError, match="which is no number from"):
            tusk.write_dataset(blob_table([b"x"]).cast(schema), tmp_path / "wrong")


def test_a_source_that_fails_leaves_no_files(tmp_path):
    table = blob_table(random_values(500), **SIZES)

    def batches():
        yield from table.to_batches(max_chunksize=100)
        raise RuntimeError("the source fails")

    with pytest.raises(RuntimeError, match="the source fails"):
        uri = tmp_path / "table"
        tusk.write_dataset(batches(), uri, schema=table.schema, max_rows_per_file=150)
    left = [path for path in (tmp_path / "table").rglob("*") if path.is_file()]
    assert left == []


@pytest.mark.parametrize("maker", [tusk, lance])
@pytest.mark.parametrize("compactor", [tusk, lance])
def test_compaction_keeps_blobs_of_every_kind(tmp_path, maker, compactor):
    uri = str(tmp_path / "table")
    values = random_values(120, seed=3)
    for first in range(0, 120, 40):
        table = blob_table(values[first : first + 40], first, **SIZES)
        maker.write_dataset(table, uri, mode="append" if first else "create")
    maker.dataset(uri).delete("id % 3 = 0")
    dataset = compactor.dataset(uri)
    dataset.optimize.compact_files(target_rows_per_fragment=1000)
    assert len(compactor.dataset(uri).get_fragments()) == 1
    expected = {row: value for row, value in enumerate(values) if row % 3}
    assert read_by_both(uri) == expected
    # The versions before still have their files, until they are cleaned up.
    assert len(read_all(tusk.dataset(uri, version=3))) == 120
    cleaner = tusk.dataset(uri)
    cleaner.cleanup_old_versions(datetime.timedelta(0), delete_unverified=True)
    assert read_by_both(uri) == expected
    assert orphans(uri) == []
    with_sides = [files for files in sidecars(uri) if files]
    assert len(with_sides) == 1


def test_updates_move_blobs_that_they_do_not_change(tmp_path):
    uri = str(tmp_path / "table")
    values = random_values(60, seed=9)
    table = blob_table(values, **SIZES).append_column("n", pa.array([0] * 60))
    tusk.write_dataset(table, uri, max_rows_per_file=25)
    assert tusk.dataset(uri).update({"n": "n + 1"}, where="id % 4 = 1")["num_rows_updated"] == 15
    assert read_by_both(uri) == dict(enumerate(values))
    lance.dataset(uri).update({"n": "n + 1"}, where="id % 4 = 2")
    assert read_by_both(uri) == dict(enumerate(values))
    with pytest.raises(ValueError):
        tusk.dataset(uri).update({"b": "'text'"})


def test_merges_bring_blobs(tmp_path):
    uri = str(tmp_path / "table")
    values = random_values(40, seed=11)
    tusk.write_dataset(blob_table(values, **SIZES), uri)
    brought = random_values(20, seed=12)
    source = blob_table(brought, 30)
    merge = tusk.dataset(uri).merge_insert("id").when_matched_update_all()
    counts = merge.when_not_matched_insert_all().execute(source)
    assert (counts["num_updated_rows"], counts["num_inserted_rows"]) == (10, 10)
    expected = dict(enumerate(values)) | dict(enumerate(brought, 30))
    assert read_by_both(uri) == expected
    # A source without them: the rows keep their blobs, new rows have none.
    uri = str(tmp_path / "wide")
    wide = blob_table(values, **SIZES).append_column("n", pa.array([0] * 40))
    tusk.write_dataset(wide, uri, max_rows_per_file=15)
    expected = dict(enumerate(values))
    for library, ids in ((tusk, [1, 20, 3, 100]), (lance, [2, 20, 101])):
        narrow = pa.table({"id": ids, "n": [5] * len(ids)})
        merge = library.dataset(uri).merge_insert("id").when_matched_update_all()
        merge.when_not_matched_insert_all().execute(narrow)
        expected |= {row: None for row in ids if row >= 100}
        assert read_by_both(uri) == expected


def test_columns_of_blobs_are_added_and_dropped(tmp_path):
    uri = str(tmp_path / "table")
    tusk.write_dataset(pa.table({"id": pa.array(range(50), pa.int64())}), uri, max_rows_per_file=20)
    values = random_values(50, seed=13)
    added = blob_table(values, **SIZES).select(["b"])
    tusk.dataset(uri).add_columns(added.to_reader())
    assert read_by_both(uri) == dict(enumerate(values))
    tusk.dataset(uri).alter_columns({"path": "b", "name": "renamed"})
    check_reads(uri, values, "renamed")
    tusk.dataset(uri).drop_columns(["renamed"])
    assert lance.dataset(uri).schema.names == ["id"]


def test_scans_give_bytes_when_asked(tmp_path):
    uri = str(tmp_path / "table")
    values = random_values(100, seed=15)
    tusk.write_dataset(blob_table(values, **SIZES), uri, max_rows_per_file=30)
    ours, theirs = tusk.dataset(uri), lance.dataset(uri)
    for scan in (
        {},
        {"columns": ["b"]},
        {"columns": {"x": "b", "y": "id + 1"}},
        {"filter": "id > 50", "with_row_id": True, "with_row_address": True},
        {"columns": ["b", "id"], "limit": 7, "offset": 3},
        {"columns": ["_rowaddr", "b"]},
    ):
        bytes_read = ours.scanner(**scan, blob_handling="all_binary").to_table()
        expected = theirs.scanner(**scan, blob_handling="all_binary").to_table()
        assert bytes_read.schema.equals(expected.schema, check_metadata=True)
        assert bytes_read.to_pylist() == expected.to_pylist()
    small = ours.scanner(blob_handling="all_binary", batch_size_bytes=1000).to_batches()
    sizes = [sum(len(value or b"") for value in batch["b"].to_pylist()) for batch in small]
    assert sum(sizes) == sum(len(value or b"") for value in values)
    assert max(sizes) <= 5000
    frame = ours.scanner(blob_handling=None).to_pandas()
    assert [None if file is None else file.read() for file in frame["b"]] == values
    assert list(frame.columns) == ["id", "b"]
    assert list(ours.scanner().to_pandas(blob_mode="bytes")["b"]) == values
    with pytest.raises(ValueError, match="blob_handling must be one of"):
        ours.scanner(blob_handling="all")


def test_random_histories_of_a_table_with_blobs(tmp_path):
    """Both libraries change one table in turn; each step is that of a dictionary."""
    for seed in range(3):
        generator = random.Random(seed)
        uri = str(tmp_path / str(uuid.uuid4()))
        expected = dict(enumerate(random_values(30, seed=seed)))
        first = blob_table(list(expected.values()), **SIZES)
        first = first.append_column("n", pa.array([0] * 30))
        generator.choice([tusk, lance]).write_dataset(first, uri)
        next_id = 30
        for step in range(12):
            library = generator.choice([tusk, lance])
            dataset = library.dataset(uri)
            action = generator.randrange(4)
            if action == 0:
                values = random_values(10, seed=1000 * seed + step)
                rows = blob_table(values, next_id).append_column("n", pa.array([0] * 10))
                library.write_dataset(rows, uri, mode="append")
                expected |= dict(enumerate(values, next_id))
                next_id += 10
            elif action == 1:
                rest = generator.randrange(7)
                dataset.delete(f"id % 7 = {rest}")
                expected = {row: value for row, value in expected.items() if row % 7 != rest}
            elif action == 2:
                dataset.update({"n": "n + 1"}, where=f"id % 5 = {generator.randrange(5)}")
            else:
                dataset.optimize.compact_files(target_rows_per_fragment=50)
            assert read_by_both(uri) == expected
            assert orphans(uri) == []
