"""Whatever is handed to tusk.write_dataset is read by tusk and by pylance as it was meant."""

import warnings

import lance
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset as pads
import pyarrow.parquet as pq
import pytest
from conftest import random_table

import tusk

VERSIONS = ["2.1", "2.2"]

TABLE = random_table(3000, seed=11)
VECTORS = np.arange(24, dtype=np.float32).reshape(6, 4)
FRAME = pd.DataFrame(
    {
        "text": ["a", None, "ccc"],
        "number": np.array([1, 2, 3], dtype=np.int16),
        "half": [0.5, float("nan"), -0.5],
        "moment": pd.to_datetime(["2024-01-01", "1969-12-31", None]),
    }
)
SMALL = pa.table({"a": pa.array([1, None, 3], pa.int64()), "b": ["x", "", None]})
VECTOR_TYPE = pa.list_(pa.float32(), 4)


class Stream:
    """An Arrow stream of nobody's library."""

    def __init__(self, table):
        self._table = table

    def __arrow_c_stream__(self, requested_schema=None):
        return self._table.__arrow_c_stream__(requested_schema)


class Array:
    def __init__(self, table):
        (self._batch,) = table.combine_chunks().to_batches()

    def __arrow_c_array__(self, requested_schema=None):
        return self._batch.__arrow_c_array__(requested_schema)


def of_arrow(make):
    """An input that stands for TABLE."""
    return lambda folder: (make(folder), {}, TABLE)


def parquet(folder):
    for number in range(3):
        pq.write_table(TABLE.slice(number * 1000, 1000), folder / f"{number}.parquet")
    # What Parquet does not store comes back as it was by the schema.
    return pads.dataset(folder, schema=TABLE.schema)


def partitioned(folder):
    data = pa.table({"part": ["a", "a", "b"], "value": [1, 2, 3]})
    pads.write_dataset(data, folder, format="parquet", partitioning=["part"])
    return pads.dataset(folder, partitioning=["part"])


# How to make the input in a folder: the data, what else to pass, and the table that is meant. Add
# nested types here when they can be written.
INPUTS = {
    "table": of_arrow(lambda _: TABLE),
    "table in chunks": of_arrow(
        lambda _: pa.concat_tables([TABLE[:7], TABLE[7:2000], TABLE[2000:]])
    ),
    "slice": lambda _: (TABLE.slice(13, 401), {}, TABLE.slice(13, 401)),
    "batch": of_arrow(lambda _: TABLE.combine_chunks().to_batches()[0]),
    "reader": of_arrow(lambda _: TABLE.to_reader(max_chunksize=70)),
    "dataset": of_arrow(lambda _: pads.dataset(TABLE)),
    "scanner": of_arrow(lambda _: pads.dataset(TABLE).scanner()),
    "parquet": of_arrow(parquet),
    "partitions": lambda folder: (
        partitioned(folder),
        {},
        pa.table({"value": [1, 2, 3], "part": ["a", "a", "b"]}),
    ),
    "filtered": lambda _: (
        pads.dataset(SMALL).filter(pads.field("a") > 1),
        {},
        SMALL.filter(pads.field("a") > 1),
    ),
    "filtered parquet": lambda folder: (
        parquet(folder).filter(pads.field("id") >= 2500),
        {},
        TABLE.slice(2500),
    ),
    "tusk dataset": of_arrow(lambda folder: tusk.write_dataset(TABLE, folder / "from")),
    "tusk scanner": of_arrow(lambda folder: tusk.write_dataset(TABLE, folder / "from").scanner()),
    "lance dataset": of_arrow(lambda folder: lance.write_dataset(TABLE, str(folder / "from"))),
    "stream": of_arrow(lambda _: Stream(TABLE)),
    "array": of_arrow(lambda _: Array(TABLE)),
    "generator": lambda _: (
        (batch for batch in TABLE.to_batches(max_chunksize=99)),
        {"schema": TABLE.schema},
        TABLE,
    ),
    "list of batches": lambda _: (
        TABLE.to_batches(max_chunksize=999),
        {"schema": TABLE.schema},
        TABLE,
    ),
    "no batches": lambda _: ([], {"schema": TABLE.schema}, TABLE.slice(0, 0)),
    "generator to cast": lambda _: (
        iter(SMALL.to_batches()),
        {"schema": pa.schema({"a": pa.float64(), "b": pa.large_string()})},
        SMALL.cast(pa.schema({"a": pa.float64(), "b": pa.large_string()})),
    ),
    "generator to cast to vectors": lambda _: (
        iter([pa.record_batch({"v": VECTORS.tolist()})]),
        {"schema": pa.schema({"v": VECTOR_TYPE})},
        pa.table({"v": pa.array(VECTORS.tolist(), VECTOR_TYPE)}),
    ),
    "pandas": lambda _: (FRAME, {}, pa.Table.from_pandas(FRAME)),
    "pandas with an index": lambda _: (
        FRAME.set_index("number"),
        {},
        pa.Table.from_pandas(FRAME.set_index("number")),
    ),
    "pandas with a schema": lambda _: (
        FRAME[["number"]],
        {"schema": pa.schema({"number": pa.float32()})},
        pa.Table.from_pandas(FRAME[["number"]], schema=pa.schema({"number": pa.float32()})),
    ),
    "polars": lambda _: (
        pl.from_arrow(SMALL),
        {},
        SMALL.set_column(1, "b", SMALL["b"].cast(pa.large_string())),
    ),
    "dict": lambda _: ({"a": [1, None, 3], "b": ["x", "", None]}, {}, SMALL),
    "dict with a schema": lambda _: (
        {"b": ["x", "", None], "a": np.array([1, 2, 3])},
        {"schema": pa.schema({"a": pa.int8(), "b": pa.string()})},
        pa.table({"a": pa.array([1, 2, 3], pa.int8()), "b": ["x", "", None]}),
    ),
    "list of dicts": lambda _: (
        [{"a": 1, "b": "x"}, {"a": None, "b": ""}, {"a": 3}],
        {},
        SMALL,
    ),
    "list of dicts with a schema": lambda _: (
        [{"v": row.tolist()} for row in VECTORS],
        {"schema": pa.schema({"v": VECTOR_TYPE})},
        pa.table({"v": pa.array(VECTORS.tolist(), VECTOR_TYPE)}),
    ),
    "vectors": lambda _: (
        VECTORS,
        {},
        pa.table({"vector": pa.array(VECTORS.tolist(), VECTOR_TYPE)}),
    ),
    "vectors that are not contiguous": lambda _: (
        VECTORS[::2, ::-1],
        {},
        pa.table({"vector": pa.array(VECTORS[::2, ::-1].tolist(), VECTOR_TYPE)}),
    ),
    "vectors with a schema": lambda _: (
        VECTORS,
        {"schema": pa.schema({"v": pa.list_(pa.float64(), 4)})},
        pa.table({"v": pa.array(VECTORS.tolist(), pa.list_(pa.float64(), 4))}),
    ),
    "vectors in a dict": lambda _: (
        {"id": range(6), "v": VECTORS.astype(np.float64), "m": VECTORS.reshape(6, 2, 2)},
        {},
        pa.table(
            {
                "id": range(6),
                "v": pa.array(VECTORS.tolist(), pa.list_(pa.float64(), 4)),
                "m": pa.array(
                    VECTORS.reshape(6, 2, 2).tolist(), pa.list_(pa.list_(pa.float32(), 2), 2)
                ),
            }
        ),
    ),
    "views": lambda _: (
        pa.table(
            {
                "s": pa.array(["a text of more than 12 bytes", None, ""], pa.string_view()),
                "b": pa.array([b"\0\xff", b"", None], pa.binary_view()),
            }
        ),
        {},
        pa.table(
            {
                "s": ["a text of more than 12 bytes", None, ""],
                "b": pa.array([b"\0\xff", b"", None], pa.binary()),
            }
        ),
    ),
}
# What pylance does not take: foreign streams, arrays of several dimensions, and datasets of tusk,
# out of which pyarrow cannot scan.
OURS_ALONE = {k for k in INPUTS if k.split()[0] in ("stream", "array", "vectors", "tusk")}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", INPUTS)
def test_both_libraries_read_what_was_meant(kind, version, tmp_path):
    data, options, expected = INPUTS[kind](tmp_path)
    uri = str(tmp_path / "t")
    written = tusk.write_dataset(data, uri, data_storage_version=version, **options)
    assert written.data_storage_version == version
    for table in (written.to_table(), tusk.dataset(uri).to_table(), lance.dataset(uri).to_table()):
        assert table.equals(expected, check_metadata=True), table.schema
    lance.dataset(uri).validate()


@pytest.mark.parametrize("kind", sorted(INPUTS.keys() - OURS_ALONE))
def test_pylance_writes_the_same_table(kind, tmp_path):
    data, options, expected = INPUTS[kind](tmp_path)
    table = lance.write_dataset(data, str(tmp_path / "t"), **options).to_table()
    assert table.equals(expected, check_metadata=True), table.schema


@pytest.mark.parametrize("kind", ["generator", "dataset", "parquet", "pandas", "vectors", "views"])
def test_every_kind_is_appended_and_overwrites(kind, tmp_path):
    uri = tmp_path / "t"
    rows = None
    for version, mode in enumerate(["append", "append", "overwrite"], start=1):
        folder = tmp_path / mode / str(version)
        folder.mkdir(parents=True)
        data, options, expected = INPUTS[kind](folder)
        written = tusk.write_dataset(data, uri, mode=mode, **options)
        rows = expected if version != 2 else pa.concat_tables([rows, expected])
        assert written.version == version
        assert lance.dataset(str(uri)).to_table().equals(rows)
    assert tusk.dataset(uri, version=2).count_rows() == 2 * len(expected)


def test_a_pandas_frame_comes_back_with_its_types_and_index(tmp_path):
    for number, frame in enumerate([FRAME, FRAME.set_index("number"), FRAME[FRAME["number"] > 1]]):
        written = tusk.write_dataset(frame, tmp_path / str(number))
        pd.testing.assert_frame_equal(written.to_table().to_pandas(), pa.table(frame).to_pandas())


def batches(*sizes):
    schema = pa.schema({"i": pa.int64(), "v": pa.list_(pa.float32(), 64)})
    for size in sizes:
        values = np.random.default_rng(size).random(size * 64, dtype=np.float32)
        vectors = pa.FixedSizeListArray.from_arrays(values, 64)
        yield pa.record_batch([pa.array(range(size), pa.int64()), vectors], schema=schema)


def fragment_rows(writer, uri, sizes, **limits):
    source = list(batches(*sizes))
    writer.write_dataset(iter(source), uri, schema=source[0].schema, **limits)
    return [fragment.count_rows() for fragment in lance.dataset(uri).get_fragments()]


@pytest.mark.parametrize(
    ("sizes", "limits"),
    [
        ([10, 20, 5, 100], {"max_rows_per_file": 7}),
        ([3, 5, 8, 3, 5], {"max_rows_per_file": 10}),
        ([10, 10], {"max_rows_per_file": 10}),
        ([0, 5, 0, 0, 7], {"max_rows_per_file": 6}),
        ([5], {"max_rows_per_file": 1}),
        ([10, 10, 10], {"max_bytes_per_file": 0}),
        # Nothing is written before a page is full, and a batch is never cut.
        ([10, 10, 10], {"max_bytes_per_file": 1}),
        ([1000] * 40, {"max_bytes_per_file": 1_000_000}),
        ([20_000] * 6, {"max_bytes_per_file": 5_000_000}),
        ([5000] * 20, {"max_bytes_per_file": 10_000_000, "max_rows_per_file": 7001}),
        ([1000] * 20, {"max_bytes_per_file": 3_000_000, "data_cache_bytes": 0}),
    ],
)
def test_files_end_where_those_of_pylance_do(sizes, limits, tmp_path):
    ours = fragment_rows(tusk, str(tmp_path / "ours"), sizes, **limits)
    assert ours == fragment_rows(lance, str(tmp_path / "theirs"), sizes, **limits)


@pytest.mark.parametrize("made", ["2.0", "2.1", "2.2"])
@pytest.mark.parametrize("asked", [*VERSIONS, "stable", "Stable"])
def test_files_of_several_data_versions_stand_in_one_table(made, asked, tmp_path):
    minor = {"2.1": 1}.get(asked, 2)
    uri = str(tmp_path / "t")
    lance.write_dataset(TABLE, uri, data_storage_version=made)
    appended = tusk.write_dataset(TABLE, uri, mode="append", data_storage_version=asked)
    assert appended.data_storage_version == made
    theirs = lance.dataset(uri)
    theirs.validate()
    files = [fragment.data_files()[0] for fragment in theirs.get_fragments()]
    assert [f.file_minor_version for f in files] == [int(made[-1]), minor]
    assert theirs.to_table().equals(pa.concat_tables([TABLE, TABLE]))
    lance.write_dataset(TABLE, uri, mode="append")
    assert tusk.dataset(uri).to_table().equals(pa.concat_tables([TABLE] * 3))

    replaced = tusk.write_dataset(TABLE, uri, mode="overwrite", data_storage_version=asked)
    assert replaced.data_storage_version == lance.dataset(uri).data_storage_version == f"2.{minor}"
    assert lance.dataset(uri).to_table().equals(TABLE)


@pytest.mark.parametrize("version", VERSIONS)
def test_new_files_are_of_the_data_version_of_the_table(version, tmp_path):
    uri = str(tmp_path / "t")
    lance.write_dataset(SMALL, uri, data_storage_version=version)
    tusk.write_dataset(SMALL, uri, mode="append")
    files = [fragment.data_files()[0] for fragment in lance.dataset(uri).get_fragments()]
    assert {f"2.{file.file_minor_version}" for file in files} == {version}
    written = tusk.write_dataset(SMALL, uri, mode="overwrite")
    assert written.data_storage_version == version
    assert lance.dataset(uri).to_table().equals(SMALL)


def test_tables_of_other_data_versions_say_what_to_do(tmp_path):
    uri = str(tmp_path / "t")
    lance.write_dataset(SMALL, uri, data_storage_version="2.0")
    with pytest.raises(NotImplementedError, match="'2.0'.*2.2"):
        tusk.write_dataset(SMALL, uri, mode="append")
    assert tusk.write_dataset(SMALL, uri, mode="overwrite").data_storage_version == "2.2"
    assert lance.dataset(uri).to_table().equals(SMALL)


def act(writer, uri, data=SMALL, **options):
    return writer.write_dataset(data, uri, **options)


def made(writer, uri):
    writer.write_dataset(SMALL, uri)
    return uri


# Raised by both libraries.
ERRORS = {
    "no schema": (ValueError, lambda w, u: act(w, u, iter(SMALL.to_batches()))),
    "no data": (TypeError, lambda w, u: act(w, u, None)),
    "a number": (TypeError, lambda w, u: act(w, u, 5)),
    "text": (ValueError, lambda w, u: act(w, u, "text")),
    "an empty list": (ValueError, lambda w, u: act(w, u, [])),
    "ragged columns": (ValueError, lambda w, u: act(w, u, {"a": [1], "b": [1, 2]})),
    "a missing key": (KeyError, lambda w, u: act(w, u, {"a": [1]}, schema=SMALL.schema)),
    "no uri": (ValueError, lambda w, u: act(w, None)),
    "a number as uri": (TypeError, lambda w, u: act(w, 5)),
    "mode": (ValueError, lambda w, u: act(w, u, mode="upsert")),
    "create twice": (OSError, lambda w, u: act(w, made(w, u))),
    "another type": (OSError, lambda w, u: act(w, made(w, u), {"a": ["x"]}, mode="append")),
    "a narrower type": (
        OSError,
        lambda w, u: act(w, made(w, u), {"a": np.array([1], np.int32)}, mode="append"),
    ),
    "an unknown column": (
        OSError,
        lambda w, u: act(w, made(w, u), {"a": [1], "c": [1]}, mode="append"),
    ),
    "nonsense as version": (ValueError, lambda w, u: act(w, u, data_storage_version="nonsense")),
    "a number as version": (TypeError, lambda w, u: act(w, u, data_storage_version=2.2)),
    "max_rows_per_file": (OverflowError, lambda w, u: act(w, u, max_rows_per_file=-1)),
    "max_bytes_per_file": (OverflowError, lambda w, u: act(w, u, max_bytes_per_file=-1)),
    "max_rows_per_group": (OverflowError, lambda w, u: act(w, u, max_rows_per_group=-1)),
    "data_cache_bytes": (OverflowError, lambda w, u: act(w, u, data_cache_bytes=-1)),
    "max_page_bytes": (OverflowError, lambda w, u: act(w, u, max_page_bytes=-1)),
    "a fraction of a row": (TypeError, lambda w, u: act(w, u, max_rows_per_file=2.5)),
}


@pytest.mark.parametrize("writer", [tusk, lance], ids=["tusk", "pylance"])
@pytest.mark.parametrize("mistake", ERRORS)
def test_mistakes_raise_what_they_raise_in_pylance(mistake, writer, tmp_path):
    error, make = ERRORS[mistake]
    with pytest.raises(error):
        make(writer, str(tmp_path / "t"))


@pytest.mark.parametrize("writer", [tusk, lance], ids=["tusk", "pylance"])
def test_modes_make_the_versions_of_pylance(writer, tmp_path):
    for mode in ("create", "CREATE", None, "append", "overwrite", "Overwrite"):
        uri = str(tmp_path / str(mode))
        assert act(writer, uri, mode=mode).version == 1
    for mode, rows in (("append", 6), ("Append", 9), ("overwrite", 3)):
        written = act(writer, uri, mode=mode)
        assert written.count_rows() == rows
    assert written.version == 4
    assert act(writer, uri, SMALL.slice(0, 0), mode="append").count_rows() == 3


def stored_files(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    "type",
    [
        pa.month_day_nano_interval(),
        pa.run_end_encoded(pa.int32(), pa.int64()),
        pa.decimal32(5, 2),
        pa.decimal64(15, 2),
        pa.list_(pa.int64(), 0),
        pa.dictionary(pa.int32(), pa.string_view()),
    ],
    ids=str,
)
def test_types_that_lance_cannot_store_are_refused_by_name(type, tmp_path):
    if pa.types.is_dictionary(type):
        values = pa.array(["x"]).dictionary_encode().cast(type)
    else:
        values = pa.array([None], type)
    data = pa.table({"fine": [1], "odd one": values})
    with pytest.raises((NotImplementedError, ValueError), match="'odd one'"):
        tusk.write_dataset(data, tmp_path / "t")
    with pytest.raises(OSError):
        lance.write_dataset(data, str(tmp_path / "theirs"))
    assert not (tmp_path / "t").exists()


@pytest.mark.parametrize("version", ["0.1", "legacy", "2.0", "0.3", "2.3", "next"])
def test_other_data_versions_are_refused_by_name(version, tmp_path):
    with pytest.raises(NotImplementedError, match=f"'{version}'"):
        tusk.write_dataset(SMALL, tmp_path / "t", data_storage_version=version)
    assert not (tmp_path / "t").exists()


def test_the_old_name_of_the_data_version_is_known(tmp_path):
    with pytest.warns(DeprecationWarning, match="data_storage_version"):
        assert act(tusk, tmp_path / "t", use_legacy_format=False).data_storage_version == "2.2"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(NotImplementedError, match="legacy"):
            act(tusk, tmp_path / "u", use_legacy_format=True)


def test_an_append_refuses_nulls_where_none_may_be(tmp_path):
    schema = pa.schema([pa.field("a", pa.int64(), nullable=False)])
    uri = tmp_path / "t"
    tusk.write_dataset(pa.table([[1, 2]], schema), uri)
    nullable = pa.schema({"a": pa.int64()})
    good = tusk.write_dataset(pa.table([[3]], nullable), uri, mode="append")
    assert good.schema == schema
    before = stored_files(uri)

    def later():
        for value in (4, 5, None):
            yield pa.record_batch([[value]], schema=nullable)

    with pytest.raises(OSError, match="'a' must not be null"):
        tusk.write_dataset(later(), uri, schema=nullable, mode="append", max_rows_per_file=1)
    assert stored_files(uri) == before
    assert lance.dataset(str(uri)).to_table() == pa.table([[1, 2, 3]], schema)
