"""Schemas out of transactions as those of Arrow, and clones that open as they are asked to."""

import datetime
import json

import pyarrow as pa
import pytest

import tusk

lance = pytest.importorskip("lance")

SCHEMA = pa.schema(
    [
        pa.field("id", pa.int64(), nullable=False, metadata={"unit": "m"}),
        pa.field("name", pa.string()),
        pa.field("box", pa.struct([("x", pa.int32()), ("labels", pa.list_(pa.string()))])),
        pa.field("vector", pa.list_(pa.float32(), 4)),
        pa.field("day", pa.date32()),
        pa.field("at", pa.timestamp("us", "UTC")),
        pa.field("price", pa.decimal128(8, 3)),
        pa.field("kind", pa.dictionary(pa.int8(), pa.string())),
    ],
    metadata={"about": "everything"},
)


def test_the_schema_of_an_overwrite_is_the_one_that_was_written(tmp_path):
    for package in (lance, tusk):
        uri = f"{tmp_path}/{package.__name__}"
        package.write_dataset(SCHEMA.empty_table(), uri)
        for reader in (lance, tusk):
            operation = reader.dataset(uri).read_transaction(1).operation
            assert operation.new_schema.to_pyarrow() == reader.dataset(uri).schema
    ours = tusk.dataset(f"{tmp_path}/tusk")
    theirs = lance.dataset(f"{tmp_path}/tusk")
    assert (
        ours.read_transaction(1).operation.new_schema.to_pyarrow()
        == theirs.read_transaction(1).operation.new_schema.to_pyarrow()
    )


def test_a_merge_of_a_fragment_has_its_schema(tmp_path):
    dataset = tusk.write_dataset(pa.table({"a": [1, 2]}), tmp_path / "t")
    _, schema = dataset.get_fragments()[0].merge_columns({"b": "cast(a as string)"})
    assert schema.to_pyarrow() == pa.schema([("a", pa.int64()), ("b", pa.string())])


def test_a_broken_schema_is_refused():
    from tusk import _tusk

    for text in ("", "[]", "{}", '{"fields": [{"name": "a"}]}', '{"fields": 3}'):
        with pytest.raises(ValueError, match="schema"):
            _tusk.read_lance_schema(text)
    unknown = '{"fields": [{"name": "a", "id": 0, "logical_type": "colour"}]}'
    with pytest.raises((ValueError, NotImplementedError), match="colour"):
        _tusk.read_lance_schema(unknown)


def test_a_schema_that_no_reader_would_take_is_not_committed(tmp_path):
    uri = str(tmp_path / "t")
    dataset = tusk.write_dataset(pa.table({"a": [1], "b": ["x"]}), uri)
    schema = dataset.read_transaction(1).operation.new_schema
    schema._contents["fields"][1]["id"] = 0
    fragments = [fragment.metadata for fragment in dataset.get_fragments()]
    for operation in (
        tusk.LanceOperation.Project(schema),
        tusk.LanceOperation.Overwrite(schema, fragments),
        tusk.LanceOperation.Merge(fragments, schema),
    ):
        with pytest.raises(ValueError, match="'b' has id 0, which another field has"):
            tusk.LanceDataset.commit(uri, operation, read_version=1)
    assert tusk.dataset(uri).version == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"physical_rows": 2**33}, "rows do not fit 32 bits"),
        ({"physical_rows": 1.5}, "1.5 is no whole number"),
        ({"id": 2**32}, "id does not fit 32 bits"),
        ({"files": [{"fields": [2**32]}]}, "4294967296 is no whole number from -2147483648"),
        ({"files": [{"path": "../x.lance"}]}, "x.lance"),
        ({"files": [{"column_indices": [0, 1]}]}, "column for each field"),
    ],
)
def test_a_fragment_that_no_reader_would_take_is_not_committed(tmp_path, change, message):
    uri = str(tmp_path / "t")
    dataset = tusk.write_dataset(pa.table({"a": [1]}), uri)
    fragment = dataset.get_fragments()[0].metadata.to_json()
    for file, changed in zip(fragment["files"], change.pop("files", [])):
        file.update(changed)
    fragment.update(change)
    fragment = tusk.FragmentMetadata.from_json(json.dumps(fragment))
    for operation in (
        tusk.LanceOperation.Append([fragment]),
        tusk.LanceOperation.Overwrite(pa.schema([("a", pa.int64())]), [fragment]),
        tusk.LanceOperation.Delete([fragment], [], "true"),
    ):
        with pytest.raises(ValueError, match=message):
            tusk.LanceDataset.commit(uri, operation, read_version=1)
    assert tusk.dataset(uri).version == 1


def test_clones_are_opened_as_they_are_asked_to_be(tmp_path):
    dataset = tusk.write_dataset(pa.table({"a": range(5)}), tmp_path / "t")
    held = []

    class Lock:
        def __init__(self, version):
            held.append(version)

        def __enter__(self):
            pass

        def __exit__(self, *args):
            pass

    session = tusk.Session()
    clone = dataset.shallow_clone(
        f"{tmp_path}/clone", 1, {"durable": "false"}, commit_lock=Lock, session=session
    )
    assert clone.initial_storage_options == {"durable": "false"}
    assert clone.session() is session
    clone.delete("a = 1")
    assert held == [2]
    assert clone.cleanup_old_versions(datetime.timedelta(0)).old_versions == 1
