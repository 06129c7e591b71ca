"""More calls that give the same with tusk as with pylance, as in same_calls.py."""

import contextlib
import os
import warnings

import pandas as pd
import pyarrow as pa


@contextlib.contextmanager
def inside(folder):
    """With the folder as the current one."""
    before = os.getcwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def moved(lance, folder, change, write=False):
    """What `change` gives of a table by a relative path, in another folder than it was opened in."""
    rows = pa.table({"id": range(10)})
    (folder / "other").mkdir()
    with inside(folder):
        table = lance.write_dataset(rows, "t.lance")
        if not write:
            table = lance.dataset("t.lance")
        with inside("other"):
            found = change(table, rows)
            assert os.listdir() == []
        return found, table.uri, lance.dataset("t.lance").count_rows()


def warned(call):
    """What `call` gives, and the categories of its warnings."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        try:
            result = call()
        except Exception as error:
            result = type(error).__mro__[-4:]
    return result, sorted(warning.category.__name__ for warning in found)


def altered(ds, *alterations):
    ds.alter_columns(*alterations)
    return ds.schema


def with_merge(lance, ds):
    pieces = [fragment.merge_columns({"twice": "id * 2"}) for fragment in ds.get_fragments()]
    schema = pa.schema([*ds.schema, pa.field("twice", pa.int64())])
    lance.LanceOperation.Merge([fragment for fragment, _ in pieces], schema)


MOVED = {
    "delete": lambda ds, _: (ds.delete("id = 1"), ds.count_rows())[1],
    "versions": lambda ds, _: (
        ds.latest_version,
        ds.checkout_latest(),
        ds.checkout_version(1).version,
    ),
    "insert": lambda ds, rows: (ds.insert(rows), ds.count_rows())[1],
    "update": lambda ds, _: (ds.update({"id": "id + 1"}), ds.to_table())[1],
    "merge": lambda ds, rows: ds.merge_insert("id").when_not_matched_insert_all().execute(rows),
    "columns": lambda ds, _: (
        ds.add_columns({"q": "id"}),
        ds.alter_columns({"path": "q", "name": "z"}),
        ds.drop_columns(["z"]),
    ),
    "tags": lambda ds, _: (ds.tags.create("a", 1), ds.update_config({"a": "b"}))[1],
    "history": lambda ds, _: len(ds.get_transactions()),
    "validate": lambda ds, _: ds.validate(),
}

CALLS = {
    "a negative row": lambda lance, ds, _: ds.take([-1]),
    "count of an unknown column": lambda lance, ds, _: ds.count_rows("nothing > 3"),
    "negative batches": lambda lance, ds, _: list(ds.to_batches(batch_size=-1)),
    "a column twice": lambda lance, ds, _: ds.add_columns({"score": "1"}),
    "a null column without nulls": lambda lance, ds, _: ds.add_columns(
        pa.field("n", pa.int32(), nullable=False)
    ),
    "too few new rows": lambda lance, ds, _: ds.add_columns(pa.table({"z": [1]}).to_reader()),
    "a function that gives too few rows": lambda lance, ds, _: ds.add_columns(
        lambda batch: pa.record_batch([batch["id"].slice(1)], ["n"])
    ),
    "columns to drop as text": lambda lance, ds, _: ds.drop_columns("score"),
    "nulls forbidden where some are": lambda lance, ds, _: altered(
        ds, {"path": "name", "nullable": False}
    ),
    "no such cast": lambda lance, ds, _: altered(
        ds, {"path": "name", "data_type": pa.list_(pa.int8())}
    ),
    "no alteration": lambda lance, ds, _: altered(ds, {"path": "name"}),
    "no name for a tag": lambda lance, ds, _: ds.tags.create("a b/../", 1),
    "a fragment of no rows": lambda lance, ds, folder: lance.LanceFragment.create(
        str(folder / "n"), pa.table({"id": pa.array([], pa.int64())})
    ),
    "no fragments": lambda lance, ds, _: lance.LanceDataset.commit(
        ds.uri, lance.LanceOperation.Append([5]), read_version=ds.version
    ),
    "no transactions": lambda lance, ds, _: lance.LanceDataset.commit_batch(ds.uri, []),
    "a null as a file": lambda lance, ds, _: [
        file.read() for file in lance.BlobColumn(pa.array([b"a", None], pa.large_binary()))
    ],
    "a type that no file has": lambda lance, ds, folder: lance.write_dataset(
        pa.table({"c": pa.array([(1, 2, 3)], pa.month_day_nano_interval())}), folder / "n"
    ),
    "a negative version": lambda lance, ds, _: ds.checkout_version(-1),
    "no indices": lambda lance, ds, _: (ds.has_index, ds.describe_indices()),
    "warning of list_indices": lambda lance, ds, _: warned(ds.list_indices),
    "warning of index_statistics": lambda lance, ds, _: warned(lambda: ds.index_statistics("x")),
    "no statistics of an index": lambda lance, ds, _: ds.stats.index_stats("x"),
    "warning of schema metadata": lambda lance, ds, _: warned(
        lambda: ds.replace_schema_metadata({"a": "b"})
    )[1],
    "warning of field metadata": lambda lance, ds, _: warned(
        lambda: ds.replace_field_metadata("id", {"a": "b"})
    )[1],
    "warning of the cache's size": lambda lance, ds, _: warned(
        lambda: lance.dataset(ds.uri, index_cache_size=5).count_rows()
    ),
    "warning of a Merge": lambda lance, ds, _: warned(lambda: with_merge(lance, ds)),
    "the path of a written table": lambda lance, ds, folder: lance.write_dataset(
        pd.DataFrame({"a": [1]}), f"file://{folder}/w"
    ).uri.removeprefix(f"file://{folder}"),
    **{
        f"moved: {name}": lambda lance, ds, folder, change=change: moved(lance, folder, change)
        for name, change in MOVED.items()
    },
    **{
        f"moved, written: {name}": lambda lance, ds, folder, change=change: moved(
            lance, folder, change, write=True
        )
        for name, change in MOVED.items()
    },
}
