"""Columns by SQL expression: the values and types that pylance gives, in scans and takes."""

import lance
import pyarrow as pa
import pytest
from filter_cases import filtered_table

import tusk

# pylance and tusk give the same type and values.
SHARED = [
    "i + i8",
    "i8 + u8",
    "u64 + i8",
    "u8 - 1",
    "f + 1",
    "f32 + f32",
    "f32 + 1",
    "f32 + 1.5",
    "f16 + 1",
    "f16 + 1.5",
    "i / 2",
    "i % 3",
    "dc + 1",
    "dc + dc",
    "dc % 2",
    "f / 0",
    "d - d",
    "ts - ts",
    "t32",
    "dur + dur",
    "ts + dur",
    "-i8",
    "s || NULL",
    "st.in.z",
    "st",
    "l[1]",
    "lst[1].q",
    "fsl[2]",
    "cast(i as boolean)",
    "cast(i as smallint)",
    "cast(f as float)",
    "cast(i as double)",
    "cast(i as decimal(10,2))",
    "cast(i as string)",
    "cast(f as string)",
    "cast(b as string)",
    "cast(d as string)",
    "cast(ts as string)",
    "cast(tsz as string)",
    "cast(dc as string)",
    "cast(s as binary)",
    "cast(b as int)",
    "cast(d as timestamp)",
    "cast(ts as date)",
    "cast(i as timestamp)",
    "cast(ts as bigint)",
    "cast(d as int)",
    "cast(i as date)",
    "cast(d as bigint)",
    "cast(i as timestamp(3))",
    "cast(i as datetime)",
    "cast(dc as int)",
    "try_cast(s as double)",
    "i::string",
    "lower(s)",
    "upper(s)",
    "length(s)",
    "char_length(s)",
    "character_length(s)",
    "octet_length(s)",
    "bit_length(s)",
    "concat(s, 'x')",
    "concat(s, i)",
    "concat_ws('-', s, 'x')",
    "replace(s, 'b', 'Z')",
    "strpos(s, 'c')",
    "instr(s, 'c')",
    "lpad(s, 5, 'x')",
    "rpad(s, 5)",
    "ltrim(s)",
    "rtrim(s)",
    "btrim(s, 'a')",
    "reverse(s)",
    "repeat(s, 2)",
    "split_part(s, 'b', 1)",
    "initcap(s)",
    "ascii(s)",
    "to_hex(i)",
    "starts_with(s, 'a')",
    "ends_with(s, 'c')",
    "contains(s, 'b')",
    "regexp_instr(s, 'b')",
    "regexp_instr(s, '[a-c]+')",
    "regexp_instr(s, 'B', 1, 1, 'i')",
    "regexp_instr(s, '[abc]', 2)",
    "regexp_instr(s, '[abc]', 1, 3)",
    "regexp_instr(s, '^b', 2)",
    "regexp_instr(s, '^[a-c]', 1, 2)",
    "regexp_instr(s, '\\b[a-c]', 1, 2)",
    "regexp_instr(s, '(a)(b)', 1, 1, '', 2)",
    "regexp_instr(s, '(a)(b)?', 1, 1, '', 2)",
    "regexp_instr(s, '[^(](b|_)', 1, 1, '', 1)",
    "regexp_instr(s, 'é')",
    "regexp_instr(s, 'c', 99)",
    "regexp_instr(s, NULL)",
    "regexp_like(s, 'a')",
    "regexp_replace(s, 'b', 'X')",
    "regexp_replace(s, '[a-z]', 'X', 'g')",
    "translate(s, 'ab', 'xy')",
    "levenshtein(s, 'abc')",
    "sha256(s)",
    "sha224(s)",
    "digest(s, 'md5')",
    "encode(bin, 'hex')",
    "abs(i)",
    "abs(f)",
    "abs(i8)",
    "signum(f)",
    "round(f)",
    "round(f, 1)",
    "round(i)",
    "round(i, -1)",
    "sqrt(i)",
    "pow(i, 2)",
    "power(i, 2)",
    "power(f, 2)",
    "exp(i)",
    "ln(f)",
    "log(2, f)",
    "log2(f)",
    "log10(f)",
    "sin(f)",
    "cos(f)",
    "tan(f)",
    "atan2(f, 1)",
    "radians(f)",
    "degrees(f)",
    "gcd(i, 2)",
    "lcm(i, 2)",
    "isnan(f)",
    "iszero(f)",
    "nanvl(f, 0)",
    "coalesce(i, 0)",
    "coalesce(i, 1.5)",
    "nullif(i, 1)",
    "nvl(i, 0)",
    "nvl2(i, 1, 2)",
    "ifnull(i, 0)",
    "greatest(i, 2)",
    "greatest(i, NULL)",
    "least(i, 2)",
    "greatest(i8, i)",
    "greatest(s, 'b')",
    "date_part('year', d)",
    "date_part('epoch', ts)",
    "date_part('dow', d)",
    "date_part('doy', d)",
    "date_part('week', d)",
    "date_part('quarter', d)",
    "date_part('second', ts)",
    "date_part('millisecond', ts)",
    "date_part('microsecond', ts)",
    "date_part('isodow', d)",
    "date_part('hour', tsb)",
    "date_part('day', ts)",
    "datepart('day', ts)",
    "date_trunc('month', ts)",
    "date_trunc('day', tsz)",
    "date_trunc('hour', tsb)",
    "datetrunc('hour', ts)",
    "to_timestamp(i)",
    "to_timestamp_millis(i)",
    "to_timestamp_seconds(i)",
    "to_timestamp_micros(i)",
    "to_timestamp_nanos(i)",
    "date_bin(interval '15 minutes', ts)",
    "date_bin(interval '15 minutes', ts, timestamp '2001-01-01T00:02:30')",
    "date_bin(interval '1 day', ts, timestamp '2001-01-01T06:00:00')",
    "date_bin(interval '1 month', ts)",
    "date_bin(interval '1 month', ts, timestamp '2001-01-31')",
    "date_bin(interval '2 years', ts, timestamp '2000-02-29')",
    "date_bin(interval '-15 minutes', ts)",
    "date_bin(interval '7 days', d, date '2000-01-01')",
    "date_bin(interval '1 month', d)",
    "to_char(d, '%Y')",
    "to_unixtime(ts)",
    "from_unixtime(i)",
    "array_length(l)",
    "cardinality(l)",
    "list_length(l)",
    "array_has(l, 1)",
    "array_has(l, i)",
    "list_has(l, 1)",
    "array_contains(lstr, 'a')",
    "list_contains(lstr, s)",
    "array_has_any(l, [1])",
    "list_has_any(l, [1])",
    "array_has_all(l, [1])",
    "array_position(l, 2)",
    "array_element(l, 1)",
    "list_element(l, 1)",
    "array_sort(l)",
    "array_concat(l, l)",
    "array_append(l, 1)",
    "array_prepend(1, l)",
    "array_min(l)",
    "array_max(l)",
    "array_reverse(l)",
    "array_empty(l)",
    "array_distinct(l)",
    "array_distinct(lstr)",
    "list_distinct(fsl)",
    "array_slice(l, 1, 2)",
    "array_slice(l, 2, 99)",
    "array_slice(l, -2, -1)",
    "array_slice(l, -99, 1)",
    "array_slice(l, 0, 1)",
    "array_slice(l, 1, -99)",
    "array_slice(l, 99, 1, -1)",
    "array_slice(l, -1, 1, -1)",
    "array_slice(l, -1, -99, -1)",
    "array_slice(l, 1, 3, 2)",
    "array_slice(l, i, 3)",
    "array_slice(fsl, 1, 2)",
    "list_slice(lstr, 2, 2)",
    "array_remove(l, 2)",
    "array_remove(l, i)",
    "array_remove(lstr, 'a')",
    "array_remove_all(l, 2)",
    "list_remove(lstr, s)",
    "array_to_string(l, ',')",
    "array_to_string(l, ',', 'none')",
    "array_to_string(lstr, '-')",
    "array_to_string(l, s)",
    "array_to_string(make_array(f, f32), ', ')",
    "array_to_string(make_array(d), ', ')",
    "array_join(make_array(ts), ', ')",
    "list_to_string(make_array(dc), ', ')",
    "empty(l)",
    "named_struct('a', i)",
    "get_field(st, 'a')",
    "arrow_cast(i, 'Int8')",
    "arrow_cast(i, 'Float32')",
    "arrow_cast(ts, 'Timestamp(Second, None)')",
    "arrow_cast(ts, 'Date32')",
    "arrow_cast(s, 'LargeUtf8')",
    "contains_tokens(s, 'abc')",
    "i IS NULL",
    "i = 1",
    "i > 1 AND b",
    "_rowid",
    "_rowaddr",
    "_rowoffset",
    "CUBE",
    "cube",
    "`s`",
    "dict",
    "dict || 'x'",
    "f = f",
    "f > 'NaN'::double",
    "cast('NaN' as float) = f",
    "b > false",
    "isnan(i)",
    "st.in.z + 1",
]

# What pylance refuses, with the values that SQL gives.
EXTENSIONS = [
    ("i / 2.0", pa.array([0.5, 1.0, None, -2.0, 2.5])),
    ("dc + 1.5", pa.array(["2.500", "4.000", None, "0.375", "100001.499"])),
    ("CASE WHEN i > 1 THEN s WHEN b THEN 'b' END", pa.array(["b", "Abc", None, "b", "a%c_é"])),
    ("CASE i WHEN 1 THEN 'one' ELSE 'other' END", pa.array(["one"] + ["other"] * 4)),
    ("EXTRACT(dow FROM d)", pa.array([5, 6, None, 3, 4], pa.int32())),
    ("SUBSTRING(s FROM 2 FOR 1)", pa.array(["b", "b", None, "", "%"])),
    ("TRIM(BOTH 'ac' FROM s)", pa.array(["b", "Ab", None, "", "%c_é"])),
    ("POSITION('c' IN s)", pa.array([3, 3, None, 0, 3], pa.int32())),
    ("FLOOR(f32)", pa.array([1.0, float("nan"), None, 0.0, -3.0], pa.float32())),
    ("CAST(d - INTERVAL '1 month' AS string)",
     pa.array(["2020-12-01", "2020-01-29", None, "1969-11-30", "2022-04-05"])),
    ("_rowid + 1", pa.array([1, 2, 3, 4, 5], pa.uint64())),
    ("l[1] * st.a", pa.array([1, None, None, 9, 25], pa.int64())),
    ("i8 = 127 OR i8 + 1 > 2", pa.array([False, True, None, False, True])),
]  # fmt: skip

TYPES = """boolean;tinyint;smallint;int;bigint;tinyint unsigned;smallint unsigned;int unsigned;
bigint unsigned;float;double;decimal(10,2);decimal(38,0);string;binary;date;timestamp;timestamp(0);
timestamp(9)""".replace("\n", "").split(";")
COLUMNS = "i i8 u8 u64 f f32 b s ls bin d d64 ts tss tsn tsz t32 t64 dc dc38 dict l st".split()
# Casts that pylance does and we do not: bytes as they lie in memory, the text of a list, decimals
# as units since 1970, "" as zero.
REFUSED = {(column, "binary") for column in ("i", "i8", "u8", "u64")} | {
    (column, type)
    for column in ("dc", "dc38")
    for type in ("timestamp", "timestamp(0)", "timestamp(9)")
} | {("l", "string"), ("s", "decimal(10,2)"), ("ls", "decimal(10,2)"), ("s", "decimal(38,0)"),
     ("ls", "decimal(38,0)")}  # fmt: skip


@pytest.fixture(scope="module")
def table_path(tmp_path_factory):
    path = tmp_path_factory.mktemp("computed") / "t.lance"
    lance.write_dataset(filtered_table(), path)
    return path


@pytest.fixture(scope="module")
def dataset(table_path):
    return tusk.dataset(table_path)


@pytest.fixture(scope="module")
def peer(table_path):
    return lance.dataset(table_path)


def shown(column):
    # As text, since NaN is unequal to itself.
    return f"{column.type} {column.to_pylist()}"


@pytest.mark.parametrize("text", SHARED)
def test_gives_the_values_that_pylance_gives(text, dataset, peer):
    ours = dataset.to_table(columns={"x": text})["x"]
    assert shown(ours) == shown(peer.to_table(columns={"x": text})["x"])


@pytest.mark.parametrize("text, values", EXTENSIONS, ids=[text for text, _ in EXTENSIONS])
def test_gives_what_sql_gives_where_pylance_refuses(text, values, dataset):
    column = dataset.to_table(columns={"x": text})["x"]
    if pa.types.is_decimal(column.type):
        values = values.cast(column.type)
    assert shown(column) == shown(pa.chunked_array([values]))


@pytest.mark.parametrize("column", COLUMNS)
def test_casts_as_pylance_does(column, dataset, peer):
    def outcome(table, type, row):
        try:
            columns = {"x": f"cast({column} as {type})"}
            return shown(table.to_table(columns=columns, filter=row)["x"])
        except (ValueError, OSError, NotImplementedError):
            return "error"

    for type in TYPES:
        for row in ("order = 1", "order = 2", "order = 4"):
            theirs = outcome(peer, type, row)
            ours = outcome(dataset, type, row)
            if theirs == "error" or (column, type) == ("d64", "string"):
                continue
            assert ours == ("error" if (column, type) in REFUSED and ours == "error" else theirs), (
                f"cast({column} as {type}), {row}"
            )


def test_expressions_go_with_filters_limits_and_takes(dataset):
    columns = {"next": "i + 1", "x": "st.a", "row": "_rowid", "s": "s"}
    table = dataset.to_table(columns=columns, filter="i > 1", limit=1, offset=1)
    assert table.to_pylist() == [{"next": 6, "x": 5, "row": 4, "s": "a%c_é"}]
    taken = dataset.take([4, 0, 4], columns=columns)
    assert taken["next"].to_pylist() == [6, 2, 6]
    assert taken["row"].to_pylist() == [4, 0, 4]
    with_id = dataset.to_table(columns={"n": "i + 1"}, with_row_id=True)
    assert with_id.column_names == ["n", "_rowid"]
    batches = list(dataset.to_batches(columns={"n": "i + 1"}, batch_size=2))
    assert [value for batch in batches for value in batch["n"].to_pylist()] == [2, 3, None, -3, 6]
    assert dataset.scanner(columns={"n": "i + 1"}).projected_schema == pa.schema({"n": pa.int64()})
    constant = dataset.to_table(columns={"c": "1", "t": "'x'"}, filter="i > 0")
    assert constant.to_pylist() == [{"c": 1, "t": "x"}] * 3


def test_columns_that_are_not_computed_keep_their_types(dataset):
    table = dataset.to_table(columns={"plain": "dict", "n": "i + 1"})
    assert table.schema.field("plain").type == dataset.schema.field("dict").type


def test_errors_name_the_column_and_the_place(dataset):
    with pytest.raises(ValueError, match="column 'x': expression: at character 5, 'nope'"):
        dataset.to_table(columns={"x": "i + nope"})
    with pytest.raises(ValueError, match="column 'x': .*at character 1, 'i8 . 1': overflow"):
        dataset.to_table(columns={"x": "i8 + 1"})
    with pytest.raises(ValueError, match="at character 4, the end of"):
        dataset.take([0], columns={"x": "i +"})


def test_reads_only_what_the_expressions_name(tmp_path):
    table = pa.table({"s": [{"a": 1, "b": "x" * 10_000}] * 500, "id": range(500)})
    dataset = tusk.write_dataset(table, tmp_path / "t")
    dataset.io_stats_incremental()
    assert dataset.to_table(columns={"n": "s.a + id"})["n"].to_pylist()[:2] == [1, 2]
    assert dataset.io_stats_incremental().read_bytes < 200_000
