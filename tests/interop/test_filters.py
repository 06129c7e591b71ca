"""Filters in SQL text: pylance keeps the same rows, at every entry point."""

import lance
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from filter_cases import EXTENSIONS, REFUSED, SHARED, filtered_table

import tusk


@pytest.fixture(scope="module")
def table_path(tmp_path_factory):
    path = tmp_path_factory.mktemp("filters") / "t.lance"
    lance.write_dataset(filtered_table(), path)
    return path


@pytest.fixture(scope="module")
def dataset(table_path):
    return tusk.dataset(table_path)


@pytest.fixture(scope="module")
def peer(table_path):
    return lance.dataset(table_path)


def rows_of(dataset, text):
    return dataset.to_table(columns=["order"], filter=text)["order"].to_pylist()


@pytest.mark.parametrize("text", SHARED)
def test_keeps_the_rows_that_pylance_keeps(text, dataset, peer):
    assert rows_of(dataset, text) == rows_of(peer, text)


@pytest.mark.parametrize("text, rows", EXTENSIONS, ids=[text for text, _ in EXTENSIONS])
def test_keeps_what_sql_keeps_where_pylance_refuses(text, rows, dataset):
    assert rows_of(dataset, text) == rows


@pytest.mark.parametrize("text, message", REFUSED, ids=[text for text, _ in REFUSED])
def test_refuses_with_a_place(text, message, dataset):
    with pytest.raises(ValueError) as raised:
        rows_of(dataset, text)
    assert message in str(raised.value)
    assert "at character" in str(raised.value)


@pytest.mark.parametrize("like", ["LIKE", "ILIKE"])
def test_escapes_stand_at_either_end_of_a_pattern(like, tmp_path):
    texts = ["\\", "a\\", "A\\", "é\\", "\\\\", "a%", "%a", "a_", "ab", "\\%", None]
    dataset = tusk.write_dataset(pa.table({"s": texts}), tmp_path / "t")
    peer = lance.dataset(tmp_path / "t")
    ends = ["%\\\\", "%a\\\\", "_\\\\", "%\\%", "%\\_", "a\\%", "\\\\\\%"]
    for pattern in [*ends, "\\\\%", "%\\\\%", "\\%%"]:
        text = f"s {like} '{pattern}'"
        ours, theirs = (d.to_table(filter=text)["s"].to_pylist() for d in (dataset, peer))
        assert ours == theirs and ours, text
    assert dataset.count_rows(f"s {like} 'A%$%' ESCAPE '$'") == (1 if like == "ILIKE" else 0)


def test_every_entry_point_takes_text(dataset):
    text = "i > 0 AND st.a IS NOT NULL"
    assert dataset.count_rows(text) == 2
    assert dataset.count_rows(filter=text) == 2
    assert dataset.to_table(filter=text)["order"].to_pylist() == [1, 5]
    assert pa.Table.from_batches(dataset.to_batches(filter=text)).num_rows == 2
    assert dataset.scanner(filter=text, limit=1).to_table()["order"].to_pylist() == [1]
    assert dataset.scanner(filter=text, offset=1).count_rows() == 1
    assert dataset.head(1, filter=text)["order"].to_pylist() == [1]
    with pytest.raises(TypeError, match="SQL text"):
        dataset.count_rows(5)


def test_search_takes_text_before_and_behind_it(tmp_path):
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(np.arange(20, dtype="f4")), 2)
    dataset = tusk.write_dataset(pa.table({"id": range(10), "v": vectors}), tmp_path / "t")
    nearest = {"column": "v", "q": [0.0, 1.0], "k": 3}
    before = dataset.to_table(columns=["id"], nearest=nearest, filter="id >= 5", prefilter=True)
    assert before["id"].to_pylist() == [5, 6, 7]
    behind = dataset.to_table(columns=["v"], nearest=nearest, filter="id >= 2", prefilter=False)
    assert behind.column_names == ["v", "_distance"] and behind.num_rows == 1
    near = dataset.to_table(columns=["id"], nearest=nearest, filter="_distance < 9")
    assert near["id"].to_pylist() == [0, 1]


def test_iceberg_tables_take_text(lake):
    table = lake.table("media.pictures_meta")
    expected = table.to_table(filter=pc.field("label") == "1")
    assert 0 < expected.num_rows < table.count_rows()
    assert table.to_table(filter="label = '1'") == expected
    assert table.count_rows("Label = '1'") == expected.num_rows
    assert table.to_table(columns=["split"], filter="label = '1'").num_rows == expected.num_rows
    with pytest.raises(ValueError, match="there is no column 'lable', did you mean 'label'"):
        table.count_rows("lable = '1'")


def test_reads_only_the_fields_that_the_filter_names(tmp_path):
    wide = {"a": 1, "b": "x" * 10_000}
    table = pa.table({"s": [wide] * 500, "id": range(500)})
    dataset = tusk.write_dataset(table, tmp_path / "t")
    dataset.io_stats_incremental()
    assert dataset.to_table(columns=["id"], filter="s.a = 1 AND id < 3").num_rows == 3
    assert dataset.io_stats_incremental().read_bytes < 200_000


def test_names_with_dots_are_columns_in_backticks(tmp_path):
    # pylance makes no such column, but Arrow has them.
    table = pa.table({"id": [1, 2], "a": [{"b": 5}, {"b": 6}]})
    dataset = tusk.write_dataset(table, tmp_path / "t")
    assert rows_of_ids(dataset, "`a`.`b` = 6") == [2]
    with pytest.raises(ValueError, match="there is no column 'a.b'"):
        rows_of_ids(dataset, "`a.b` = 6")


def rows_of_ids(dataset, text):
    return dataset.to_table(columns=["id"], filter=text)["id"].to_pylist()


def test_long_lists_take_linear_time(tmp_path):
    count = 100_000
    dataset = tusk.write_dataset(pa.table({"id": pa.array(range(50_000))}), tmp_path / "t")
    wanted = ", ".join(str(2 * i) for i in range(count))
    assert dataset.count_rows(f"id IN ({wanted})") == 25_000
    assert dataset.count_rows(f"id NOT IN ({wanted})") == 25_000
    texts = ", ".join(f"'{i}'" for i in range(count))
    assert dataset.count_rows(f"CAST(id AS string) IN ({texts})") == 50_000


@pytest.mark.parametrize(
    "text",
    [
        "(" * 100_000 + "id = 1" + ")" * 100_000,
        "NOT " * 100_000 + "true",
        "- " * 100_000 + "id = 1",
        "id" + " + 1" * 100_000 + " = 1",
        "[" * 100_000,
        "CASE WHEN true THEN " * 100_000,
    ],
    ids=["brackets", "not", "minus", "sum", "lists", "case"],
)
def test_deep_nesting_is_an_error(text, tmp_path):
    dataset = tusk.write_dataset(pa.table({"id": [1]}), tmp_path / "t")
    with pytest.raises(ValueError, match="levels deep"):
        dataset.count_rows(text)


def test_long_chains_are_no_nesting(tmp_path):
    dataset = tusk.write_dataset(pa.table({"id": range(5)}), tmp_path / "t")
    assert dataset.count_rows(" OR ".join(f"id = {i}" for i in range(3, 3000))) == 2


def test_rows_that_are_decided_before_raise_nothing(tmp_path):
    table = pa.table({"id": [0, 1, 2, None], "text": ["x", "1", "2", "3"]})
    dataset = tusk.write_dataset(table, tmp_path / "t")
    assert dataset.count_rows("id <> 0 AND 2 / id = 1") == 1
    assert dataset.count_rows("id = 0 OR 2 / id = 2") == 2
    assert dataset.count_rows("text <> 'x' AND CAST(text AS int) > 1") == 2
    assert dataset.count_rows("CASE WHEN id = 0 THEN false ELSE 2 / id = 2 END") == 1
    with pytest.raises(ValueError, match="divide by zero"):
        dataset.count_rows("2 / id = 1")
