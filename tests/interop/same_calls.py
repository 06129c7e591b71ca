"""Calls that give the same with tusk as with pylance: name -> what is called.

Each is called with the package (`lance` or `tusk`), a table of ten rows in three fragments with
three of them deleted, which that package has made, and an empty folder.
"""

import copy
import datetime
import pathlib
import pickle

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as pads

DATA = pa.table(
    {
        "id": pa.array(range(10), pa.int64()),
        "name": pa.array([f"n{i % 4}" if i % 5 else None for i in range(10)]),
        "score": pa.array([i / 4 for i in range(10)], pa.float32()),
        "box": pa.array([{"x": i, "y": str(i)} for i in range(10)]),
        "vector": pa.array([[float(i)] * 4 for i in range(10)], pa.list_(pa.float32(), 4)),
    }
)


def make(lance, uri):
    table = lance.write_dataset(DATA, uri, max_rows_per_file=4)
    table.delete("id in (1, 5, 6)")
    return table


def _appended(lance, ds, data, **options):
    ds.insert(data, **options)
    return ds.to_table()


def _fields(*names):
    return lambda value: {name: getattr(value, name) for name in names}


READS = {
    "to_table": lambda lance, ds, _: ds.to_table(),
    "columns": lambda lance, ds, _: ds.to_table(columns=["score", "id"]),
    "columns of structs": lambda lance, ds, _: ds.to_table(columns=["box.x"]),
    "columns by expression": lambda lance, ds, _: ds.to_table(columns={"next": "id + 1"}),
    "columns as text": lambda lance, ds, _: ds.to_table(columns="id"),
    "no such column": lambda lance, ds, _: ds.to_table(columns=["nothing"]),
    "filter": lambda lance, ds, _: ds.to_table(filter="id > 3 and name = 'n3'"),
    "filter expression": lambda lance, ds, _: ds.to_table(filter=pc.field("id") > 3),
    "filter of nothing": lambda lance, ds, _: ds.to_table(filter="nothing > 3"),
    "filter that is none": lambda lance, ds, _: ds.to_table(filter="id >"),
    "limit and offset": lambda lance, ds, _: ds.to_table(limit=3, offset=2),
    "negative limit": lambda lance, ds, _: ds.to_table(limit=-1),
    "negative offset": lambda lance, ds, _: ds.to_table(offset=-1),
    "row ids": lambda lance, ds, _: ds.to_table(columns=["id"], with_row_id=True),
    "row addresses": lambda lance, ds, _: ds.to_table(columns=["id"], with_row_address=True),
    "deleted rows": lambda lance, ds, _: ds.to_table(
        columns=["id"], with_row_id=True, include_deleted_rows=True
    ),
    "order": lambda lance, ds, _: ds.to_table(
        columns=["id", "score"], order_by=[_ordering(lance)("score", ascending=False)]
    ),
    "batch size": lambda lance, ds, _: [b.num_rows for b in ds.to_batches(batch_size=3)],
    "to_batches": lambda lance, ds, _: pa.Table.from_batches(ds.to_batches(columns=["id"])),
    "to_pandas": lambda lance, ds, _: ds.to_pandas(columns=["id", "name"]),
    "to_pandas by a mode that is none": lambda lance, ds, _: ds.to_pandas(blob_mode="x"),
    "head": lambda lance, ds, _: ds.head(3),
    "head of columns": lambda lance, ds, _: ds.head(2, columns=["id"]),
    "count_rows": lambda lance, ds, _: (len(ds), ds.count_rows(), ds.count_rows("id > 3")),
    "count_rows by expression": lambda lance, ds, _: ds.count_rows(pc.field("id") > 3),
    "take": lambda lance, ds, _: ds.take([5, 0, 0, 3]),
    "take of numpy": lambda lance, ds, _: ds.take(np.array([2, 1]), columns=["id"]),
    "take of Arrow": lambda lance, ds, _: ds.take(pa.array([2, 1]), columns=["id"]),
    "take of expressions": lambda lance, ds, _: ds.take([1], columns={"twice": "id * 2"}),
    "take of a part": lambda lance, ds, _: ds.take([1], columns=["box.x"]),
    "take of nothing": lambda lance, ds, _: ds.take([]),
    "take beyond the end": lambda lance, ds, _: ds.take([7]),
    "_take_rows": lambda lance, ds, _: ds._take_rows([2**32, 3, 0], columns=["id"]),
    "slice": lambda lance, ds, _: ds.slice(2, 5, columns=["id"]),
    "slice backwards": lambda lance, ds, _: ds.slice(5, 2),
    "slice before the begin": lambda lance, ds, _: ds.slice(-1, 2),
    "sample of all": lambda lance, ds, _: ds.sample(7, columns=["id"], randomize_order=False),
    "sample of too many": lambda lance, ds, _: ds.sample(8),
    "schema": lambda lance, ds, _: ds.schema,
    "names of partitions": lambda lance, ds, _: ds.partition_expression,
    "replace_schema": lambda lance, ds, _: ds.replace_schema(pa.schema([])),
    "join": lambda lance, ds, _: ds.join(ds, "id"),
    "unknown parameter": lambda lance, ds, _: ds.scanner(nothing=1),
    "nearest": lambda lance, ds, _: ds.to_table(
        columns=["id", "_distance"], nearest={"column": "vector", "q": [2.2] * 4, "k": 3}
    ),
    "nearest with a filter before": lambda lance, ds, _: ds.to_table(
        columns=["id", "_distance"],
        nearest={"column": "vector", "q": [2.2] * 4, "k": 3},
        filter="id > 3",
        prefilter=True,
    ),
    "polars": lambda lance, ds, _: pl.scan_pyarrow_dataset(ds)
    .filter(pl.col("id") > 3)
    .select("id")
    .collect()
    .to_arrow(),
    "numpy": lambda lance, ds, _: ds.to_table(columns=["id"])["id"].to_numpy().tolist(),
}

SCANNERS = {
    "to_table": lambda lance, ds, _: ds.scanner(columns=["id"]).to_table(),
    "to_reader": lambda lance, ds, _: ds.scanner(columns=["id"]).to_reader().read_all(),
    "count_rows": lambda lance, ds, _: ds.scanner(filter="id > 3").count_rows(),
    "head": lambda lance, ds, _: ds.scanner(columns=["id"]).head(2),
    "projected_schema": lambda lance, ds, _: ds.scanner(columns=["id"]).projected_schema,
    "dataset_schema": lambda lance, ds, _: ds.scanner(columns=["id"]).dataset_schema,
    "take": lambda lance, ds, _: ds.scanner().take([1]),
    "from_dataset": lambda lance, ds, _: lance.LanceScanner.from_dataset(ds),
    "from_fragment": lambda lance, ds, _: lance.LanceScanner.from_fragment(None),
    "from_batches": lambda lance, ds, _: lance.LanceScanner.from_batches([]),
    "is pyarrow's": lambda lance, ds, _: isinstance(ds.scanner(), pads.Scanner),
    "columns that are none": lambda lance, ds, _: ds.scanner(columns=3),
    "blob_handling that is none": lambda lance, ds, _: ds.scanner(blob_handling="x"),
    "batch_readahead of none": lambda lance, ds, _: ds.scanner(batch_readahead=0),
    "fragments": lambda lance, ds, _: ds.scanner(fragments=[ds.get_fragment(1)]).to_table(),
    "builder": lambda lance, ds, _: _builder(lance)(ds)
    .columns(["id"])
    .filter("id > 2")
    .limit(2)
    .offset(1)
    .with_row_id()
    .batch_size(1)
    .use_stats(False)
    .to_scanner()
    .to_table(),
    "builder of defaults": lambda lance, ds, _: _builder(lance)(ds)
    .apply_defaults({"columns": ["id"], "limit": 2})
    .to_scanner()
    .to_table(),
    "builder of unknown defaults": lambda lance, ds, _: _builder(lance)(ds).apply_defaults(
        {"nothing": 1}
    ),
    "builder of a negative limit": lambda lance, ds, _: _builder(lance)(ds).limit(-1),
    "builder of a negative offset": lambda lance, ds, _: _builder(lance)(ds).offset(-1),
    "builder of columns as text": lambda lance, ds, _: _builder(lance)(ds).columns("id"),
    "builder of a search": lambda lance, ds, _: _builder(lance)(ds)
    .columns(["id", "_distance"])
    .nearest("vector", [2.0] * 4, k=2)
    .to_scanner()
    .to_table(),
}

TABLES = {
    "version": lambda lance, ds, _: (ds.version, ds.latest_version),
    "versions": lambda lance, ds, _: [
        (v["version"], type(v["timestamp"]), sorted(v["metadata"])) for v in ds.versions()
    ],
    "get_version": lambda lance, ds, _: ds.get_version()["version"],
    "uri": lambda lance, ds, folder: pathlib.Path(ds.uri).name,
    "data_storage_version": lambda lance, ds, _: ds.data_storage_version,
    "has_stable_row_ids": lambda lance, ds, _: ds.has_stable_row_ids,
    "max_field_id": lambda lance, ds, _: ds.max_field_id,
    "fragment_ids": lambda lance, ds, _: list(ds.fragment_ids()),
    "fragment ids as text": lambda lance, ds, _: repr(ds.fragment_ids()),
    "dataset_stats": lambda lance, ds, _: ds.stats.dataset_stats(),
    "small files": lambda lance, ds, _: ds.stats.dataset_stats(max_rows_per_group=3),
    "ids of data_stats": lambda lance, ds, _: [f.id for f in ds.stats.data_stats().fields],
    "validate": lambda lance, ds, _: ds.validate(),
    "config": lambda lance, ds, _: ds.config(),
    "tags": lambda lance, ds, _: ds.tags.list(),
    "branches": lambda lance, ds, _: ds.branches.list(),
    "storage options": lambda lance, ds, _: (
        ds.initial_storage_options,
        ds.latest_storage_options(),
    ),
    "is pyarrow's": lambda lance, ds, _: isinstance(ds, pads.Dataset),
    "pickle": lambda lance, ds, _: pickle.loads(pickle.dumps(ds)).to_table(),
    "pickle of a version": lambda lance, ds, _: pickle.loads(
        pickle.dumps(ds.checkout_version(1))
    ).version,
    "copy": lambda lance, ds, _: copy.copy(ds).to_table(),
    "copies move apart": lambda lance, ds, _: (
        twin := copy.copy(ds),
        twin.delete("id = 2"),
        (ds.version, twin.version),
    )[-1],
    "equal to itself": lambda lance, ds, _: ds == ds,
    "equal to another": lambda lance, ds, _: ds == lance.dataset(ds.uri),
    "checkout": lambda lance, ds, _: ds.checkout_version(1).count_rows(),
    "checkout of no version": lambda lance, ds, _: ds.checkout_version(9),
    "open a version": lambda lance, ds, _: lance.dataset(ds.uri, version=1).count_rows(),
    "open by position": lambda lance, ds, _: lance.dataset(ds.uri, 1, None, None).version,
    "open no version": lambda lance, ds, _: lance.dataset(ds.uri, version=9),
    "open a path": lambda lance, ds, _: lance.dataset(pathlib.Path(ds.uri)).version,
    "open nothing": lambda lance, ds, folder: lance.dataset(str(folder / "nothing")),
    "open without a uri": lambda lance, ds, _: lance.dataset(),
    "open with a uri and a table id": lambda lance, ds, _: lance.dataset(ds.uri, version=1).version,
    "open as of the far past": lambda lance, ds, _: lance.dataset(
        ds.uri, asof="2001-01-01 00:00:00"
    ),
    "open as of the far future": lambda lance, ds, _: lance.dataset(
        ds.uri, asof=datetime.datetime(2200, 1, 1)
    ).version,
    "open as of a time of pandas": lambda lance, ds, _: lance.dataset(
        ds.uri, asof=pd.Timestamp("2200-01-01")
    ).version,
    "open as of no time": lambda lance, ds, _: lance.dataset(ds.uri, asof=3),
    "default scan options": lambda lance, ds, _: lance.dataset(
        ds.uri, default_scan_options={"columns": ["id"], "with_row_id": True, "limit": 3}
    ).to_table(),
    "schema of default scan options": lambda lance, ds, _: lance.dataset(
        ds.uri, default_scan_options={"with_row_id": True}
    ).schema,
    "default scan options say less than a call": lambda lance, ds, _: lance.dataset(
        ds.uri, default_scan_options={"limit": 3}
    ).to_table(columns=["id"], limit=1),
    "drop": lambda lance, ds, _: (
        lance.LanceDataset.drop(ds.uri),
        pathlib.Path(ds.uri).exists(),
    ),
    "drop of nothing": lambda lance, ds, folder: lance.LanceDataset.drop(str(folder / "none")),
    "drop of nothing, ignored": lambda lance, ds, folder: lance.LanceDataset.drop(
        str(folder / "none"), ignore_not_found=True
    ),
    "truncate_table": lambda lance, ds, _: (ds.truncate_table(), ds.count_rows(), ds.schema),
    "sql": lambda lance, ds, _: pa.Table.from_batches(
        ds.sql("select id from dataset where id > 3 order by id").build().to_batch_records()
    ),
    "sql of another name": lambda lance, ds, _: ds.sql("select max(id) as m from t")
    .table_name("t")
    .build()
    .to_stream_reader()
    .read_all(),
    "sql with row ids": lambda lance, ds, _: ds.sql(
        "select id, _rowid from dataset order by id"
    )
    .with_row_id()
    .build()
    .to_stream_reader()
    .read_all(),
    "delta": lambda lance, ds, _: [
        (t.read_version, type(t.operation).__name__)
        for t in ds.delta(compared_against=1).list_transactions()
    ],
    "delta of nothing": lambda lance, ds, _: ds.delta(),
    "delta of both": lambda lance, ds, _: len(
        ds.delta(1, begin_version=1, end_version=2).list_transactions()
    ),
    "files of a session": lambda lance, ds, _: [
        path.split("/")[0] for path in ds.new_file_session().list("_transactions")
    ],
}

CHANGES = {
    "delete": lambda lance, ds, _: (ds.delete("id < 4"), ds.to_table(columns=["id"])),
    "delete by expression": lambda lance, ds, _: (ds.delete(pc.field("id") < 4), ds.count_rows()),
    "delete nothing": lambda lance, ds, _: ds.delete("id > 99"),
    "delete by what is no filter": lambda lance, ds, _: ds.delete("id <"),
    "update": lambda lance, ds, _: (
        ds.update({"name": "'new'"}, where="id > 6"),
        ds.to_table(columns=["id", "name"]),
    ),
    "update of nothing": lambda lance, ds, _: ds.update({"nothing": "1"}),
    "insert": lambda lance, ds, _: _appended(lance, ds, DATA.slice(0, 2)),
    "insert of another schema": lambda lance, ds, _: _appended(lance, ds, pa.table({"z": [1]})),
    "insert in place of all": lambda lance, ds, _: _appended(
        lance, ds, pa.table({"z": [1]}), mode="overwrite"
    ),
    "add_columns": lambda lance, ds, _: (ds.add_columns({"twice": "id * 2"}), ds.to_table()),
    "add a null column": lambda lance, ds, _: (
        ds.add_columns(pa.field("empty", pa.int8())),
        ds.to_table(columns=["empty"]),
    ),
    "drop_columns": lambda lance, ds, _: (ds.drop_columns(["score"]), ds.schema),
    "drop no column": lambda lance, ds, _: ds.drop_columns(["nothing"]),
    "alter_columns": lambda lance, ds, _: (
        ds.alter_columns({"path": "score", "name": "points", "data_type": pa.float64()}),
        ds.to_table(columns=["points"]),
    ),
    "merge": lambda lance, ds, _: (
        ds.merge(pa.table({"id": [0, 2], "more": ["a", "b"]}), "id"),
        ds.to_table(columns=["id", "more"]),
    ),
    "merge_insert": lambda lance, ds, _: (
        ds.merge_insert("id")
        .when_matched_update_all()
        .when_not_matched_insert_all()
        .execute(DATA.slice(4, 3)),
        sorted(ds.to_table(columns=["id"])["id"].to_pylist()),
    ),
    "merge_insert on nothing": lambda lance, ds, _: ds.merge_insert("nothing"),
    "compact_files": lambda lance, ds, _: (
        _fields("fragments_removed", "fragments_added")(ds.optimize.compact_files()),
        ds.count_rows(),
    ),
    "unknown option of compact_files": lambda lance, ds, _: ds.optimize.compact_files(nothing=1),
    "restore": lambda lance, ds, _: (
        old := ds.checkout_version(1),
        old.restore(),
        (old.version, old.count_rows()),
    )[-1],
    "update_config": lambda lance, ds, _: ds.update_config({"a": "b"}),
    "delete_config_keys": lambda lance, ds, _: (
        ds.update_config({"a": "b"}),
        ds.delete_config_keys(["a"]),
        ds.config(),
    ),
    "update_metadata": lambda lance, ds, _: ds.update_metadata({"a": "b"}),
    "update_schema_metadata": lambda lance, ds, _: ds.update_schema_metadata({"a": "b"}),
    "replace_field_metadata": lambda lance, ds, _: (
        ds.replace_field_metadata("id", {"k": "v"}),
        ds.schema.field("id").metadata,
    ),
    "tag": lambda lance, ds, _: (
        ds.tags.create("one", 1),
        ds.tags.get_version("one"),
        ds.checkout_version("one").count_rows(),
    ),
    "tag twice": lambda lance, ds, _: (ds.tags.create("one", 1), ds.tags.create("one", 1)),
    "branch": lambda lance, ds, _: (
        ds.create_branch("side").count_rows(),
        sorted(ds.branches.list()),
    ),
    "shallow_clone": lambda lance, ds, folder: ds.shallow_clone(
        str(folder / "clone"), ds.version
    ).to_table(),
    "read_transaction": lambda lance, ds, _: type(ds.read_transaction(2).operation).__name__,
    "get_transactions": lambda lance, ds, _: [
        type(t.operation).__name__ for t in ds.get_transactions()
    ],
    "cleanup_old_versions": lambda lance, ds, _: _fields("old_versions", "data_files_removed")(
        ds.cleanup_old_versions(datetime.timedelta(0))
    ),
}


def _ordering(lance):
    return _module(lance, "dataset").ColumnOrdering


def _builder(lance):
    return _module(lance, "dataset").ScannerBuilder


def _module(package, name):
    import importlib
    import sys

    importlib.import_module(f"{package.__name__}.{name}")
    return sys.modules[f"{package.__name__}.{name}"]


def _written(lance, folder, data, **options):
    return lance.write_dataset(data, str(folder / "new"), **options).to_table()


WRITES = {
    "table": lambda lance, _, folder: _written(lance, folder, DATA),
    "batch": lambda lance, _, folder: _written(lance, folder, DATA.to_batches()[0]),
    "reader": lambda lance, _, folder: _written(lance, folder, DATA.to_reader()),
    "dataset": lambda lance, ds, folder: _written(lance, folder, ds),
    "scanner": lambda lance, ds, folder: _written(lance, folder, ds.scanner(columns=["id"])),
    "dataset of pyarrow": lambda lance, _, folder: _written(lance, folder, pads.dataset(DATA)),
    "pandas": lambda lance, _, folder: _written(
        lance, folder, pd.DataFrame({"a": [1, 2], "b": ["x", None]})
    ),
    "polars": lambda lance, _, folder: _written(
        lance, folder, pl.DataFrame({"a": [1, 2], "b": ["x", None]})
    ),
    "dict": lambda lance, _, folder: _written(lance, folder, {"a": [1, 2]}),
    "dicts": lambda lance, _, folder: _written(lance, folder, [{"a": 1}, {"a": 2}]),
    "iterable": lambda lance, _, folder: _written(
        lance, folder, iter(DATA.to_batches()), schema=DATA.schema
    ),
    "iterable that is cast": lambda lance, _, folder: _written(
        lance,
        folder,
        [pa.record_batch({"a": pa.array([1.5], pa.float64())})],
        schema=pa.schema([("a", pa.float32())]),
    ),
    "iterable without a schema": lambda lance, _, folder: _written(
        lance, folder, iter(DATA.to_batches())
    ),
    "what cannot be written": lambda lance, _, folder: _written(lance, folder, 3),
    "to what is no place": lambda lance, _, folder: lance.write_dataset(DATA, 3),
    "to nowhere": lambda lance, _, folder: lance.write_dataset(DATA),
    "to a path": lambda lance, _, folder: lance.write_dataset(DATA, folder / "new").count_rows(),
    "twice": lambda lance, ds, folder: lance.write_dataset(DATA, ds.uri),
    "append": lambda lance, ds, folder: lance.write_dataset(
        DATA, ds.uri, mode="append"
    ).count_rows(),
    "append to nothing": lambda lance, ds, folder: _written(lance, folder, DATA, mode="append"),
    "to a dataset": lambda lance, ds, folder: (
        lance.write_dataset(DATA, ds, mode="overwrite").version,
    ),
    "in a mode that is none": lambda lance, ds, folder: _written(lance, folder, DATA, mode="x"),
    "with a lock that is none": lambda lance, ds, folder: _written(
        lance, folder, DATA, commit_lock=3
    ),
    "of a data version": lambda lance, ds, folder: lance.write_dataset(
        DATA, folder / "new", data_storage_version="2.1"
    ).data_storage_version,
    "of a data version that is none": lambda lance, ds, folder: _written(
        lance, folder, DATA, data_storage_version="9.9"
    ),
    "with a message": lambda lance, ds, folder: lance.write_dataset(
        DATA, folder / "new", commit_message="hello"
    )
    .read_transaction(1)
    .transaction_properties,
    "with stable row ids": lambda lance, ds, folder: lance.write_dataset(
        DATA, folder / "new", enable_stable_row_ids=True
    ).has_stable_row_ids,
    "in files of few rows": lambda lance, ds, folder: [
        f.count_rows()
        for f in lance.write_dataset(DATA, folder / "new", max_rows_per_file=3).get_fragments()
    ],
    "in files of no rows": lambda lance, ds, folder: [
        f.count_rows()
        for f in lance.write_dataset(
            DATA.slice(0, 0), folder / "new", max_rows_per_file=3
        ).get_fragments()
    ],
}

FRAGMENTS = {
    "fragments": lambda lance, ds, _: [f.fragment_id for f in ds.get_fragments()],
    "fragments by a filter": lambda lance, ds, _: ds.get_fragments(filter=pc.field("id") > 3),
    "no fragment": lambda lance, ds, _: ds.get_fragment(9),
    "fragment of no id": lambda lance, ds, _: lance.LanceFragment(ds, None),
    "count_rows": lambda lance, ds, _: ds.get_fragment(1).count_rows(),
    "count_rows of a filter": lambda lance, ds, _: ds.get_fragment(1).count_rows("id > 6"),
    "physical_rows": lambda lance, ds, _: ds.get_fragment(1).physical_rows,
    "num_deletions": lambda lance, ds, _: ds.get_fragment(1).num_deletions,
    "schema": lambda lance, ds, _: ds.get_fragment(1).schema,
    "physical_schema": lambda lance, ds, _: ds.get_fragment(1).physical_schema,
    "partition_expression": lambda lance, ds, _: ds.get_fragment(1).partition_expression,
    "to_table": lambda lance, ds, _: ds.get_fragment(1).to_table(columns=["id"], filter="id > 4"),
    "to_batches": lambda lance, ds, _: pa.Table.from_batches(
        ds.get_fragment(1).to_batches(columns=["id"])
    ),
    "to_pandas": lambda lance, ds, _: ds.get_fragment(1).to_pandas(columns=["id"]),
    "head": lambda lance, ds, _: ds.get_fragment(1).head(1),
    "take": lambda lance, ds, _: ds.get_fragment(1).take([0, 1], columns=["id"]),
    "take beyond the end": lambda lance, ds, _: ds.get_fragment(2).take([5]),
    "session": lambda lance, ds, _: ds.get_fragment(1).open_session(["id"]).take([0, 1]),
    "scanner": lambda lance, ds, _: ds.get_fragment(1).scanner(with_row_id=True).to_table(),
    "no deletion_file": lambda lance, ds, _: ds.get_fragment(2).deletion_file(),
    "deletion_file": lambda lance, ds, _: ds.get_fragment(1).deletion_file().split("/")[0],
    "validate": lambda lance, ds, _: ds.get_fragment(1).validate(),
    "pickle": lambda lance, ds, _: pickle.loads(pickle.dumps(ds.get_fragment(1))).to_table(),
    "is pyarrow's": lambda lance, ds, _: isinstance(ds.get_fragment(0), pads.Fragment),
    "metadata": lambda lance, ds, _: _fields("id", "physical_rows", "num_rows", "num_deletions")(
        ds.get_fragment(1).metadata
    ),
    "metadata as JSON": lambda lance, ds, _: sorted(ds.get_fragment(1).metadata.to_json()),
    "metadata of JSON": lambda lance, ds, _: (
        lance.FragmentMetadata.from_json(_dumps(ds.get_fragment(1).metadata.to_json()))
        == ds.get_fragment(1).metadata
    ),
    "data files": lambda lance, ds, _: [
        (f.fields, f.column_indices, f.file_major_version, f.file_minor_version, f.base_id)
        for f in ds.get_fragment(1).data_files()
    ],
    "pickle of metadata": lambda lance, ds, _: (
        pickle.loads(pickle.dumps(ds.get_fragment(1).metadata)) == ds.get_fragment(1).metadata
    ),
}


def _dumps(value):
    import json

    return json.dumps(value)
