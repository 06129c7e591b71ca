"""Filters on columns whose pages are dictionaries or one value: the rows that pylance keeps."""

import random

import lance
import pyarrow as pa
import pyarrow.compute as pc
import pytest

import tusk

ROWS = 60_000
WORDS = ["bicycle", "car", "", "traffic light", "Äpfel", "dog"]
CONDITIONS = [
    "word = 'car'",
    "word <> 'car'",
    "word = 'no such word'",
    "word IN ('dog', 'Äpfel', 'unheard of')",
    "word NOT IN ('dog', '')",
    "word LIKE '%c%'",
    "length(word) > 3",
    "word IS NULL",
    "word IS NOT NULL AND word < 'car'",
    "with_nulls = 'car'",
    "with_nulls <> 'car'",
    "NOT with_nulls = 'car'",
    "with_nulls IS NULL",
    "with_nulls IS NULL OR with_nulls = 'dog'",
    "coalesce(with_nulls, 'none') = 'none'",
    "large = 'car' AND word <> 'dog'",
    "code = 40000000",
    "code > 20000000",
    "code IN (0, 70000000)",
    "half = 'left'",
    "one = 'always'",
    "one <> 'always'",
    "one_number + 1 > 7",
    "nothing IS NULL",
    "nothing = 'x'",
    "word = 'car' AND position < 1000",
    "word = 'car' OR position < 1000",
    "with_nulls = word",
]


def _table():
    draw = random.Random(5)
    words = [draw.choice(WORDS) for _ in range(ROWS)]
    return pa.table(
        {
            "position": pa.array(range(ROWS)),
            "word": words,
            "with_nulls": [draw.choice([*WORDS, None]) for _ in range(ROWS)],
            "large": pa.array([draw.choice(WORDS) for _ in range(ROWS)], pa.large_string()),
            "code": pa.array([draw.randrange(8) * 10_000_000 for _ in range(ROWS)], pa.int64()),
            # Pages with one value and pages with several of them.
            "half": ["left"] * (ROWS // 2) + words[ROWS // 2 :],
            "one": ["always"] * ROWS,
            "one_number": pa.array([7] * ROWS, pa.int32()),
            "nothing": pa.nulls(ROWS, pa.string()),
        }
    )


@pytest.fixture(scope="module", params=["2.1", "2.2"])
def path(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("codes") / "t.lance"
    lance.write_dataset(
        _table(), path, data_storage_version=request.param, max_rows_per_file=ROWS // 2 + 17
    )
    return path


@pytest.mark.parametrize("condition", CONDITIONS)
def test_keeps_the_rows_that_pylance_keeps(path, condition):
    ours, theirs = tusk.dataset(path), lance.dataset(path)
    assert ours.count_rows(condition) == theirs.count_rows(condition)
    for columns in (["position"], ["position", "word", "with_nulls", "one", "nothing", "code"]):
        assert ours.to_table(columns=columns, filter=condition).equals(
            theirs.to_table(columns=columns, filter=condition)
        )


def test_arrow_expressions_keep_the_same_rows(path):
    field = pc.field
    dataset, table = tusk.dataset(path), lance.dataset(path).to_table()
    for expression in (
        field("word") == "car",
        ~field("with_nulls").isin(["car", "dog"]),
        field("with_nulls").is_null() | (field("one") != "always"),
        pc.match_substring(field("half"), "ef") & (field("position") % 3 == 0)
        if hasattr(field("position"), "__mod__")
        else pc.match_substring(field("half"), "ef"),
    ):
        assert dataset.to_table(filter=expression).equals(table.filter(expression))


def test_rows_that_are_deleted_stay_out(path, tmp_path):
    import shutil

    copy = tmp_path / "t.lance"
    shutil.copytree(path, copy)
    lance.dataset(copy).delete("position % 3 = 1")
    ours, theirs = tusk.dataset(copy), lance.dataset(copy)
    for condition in CONDITIONS:
        assert ours.to_table(["position", "word"], filter=condition).equals(
            theirs.to_table(["position", "word"], filter=condition)
        )
