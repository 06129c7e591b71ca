"""Sources and keys of every form are merged as pylance merges them."""

import json
import random
import re

import lance
import pyarrow as pa
import pytest

import tusk
import tusk.errors

PLACES = pa.array([
    {"id": 1, "name": "a", "at": {"x": 1, "y": 2}},
    {"id": 2, "name": "b", "at": {"x": 3, "y": 4}},
    {"id": 3, "name": None, "at": None},
    None,
])  # fmt: skip
NESTED = pa.table({"place": PLACES, "v": [1, 2, 3, 4]})


def _rows(path):
    rows = lance.dataset(path).to_table().to_pylist()
    return sorted(json.dumps(row, default=str, sort_keys=True) for row in rows)


def _same(tmp_path, data, source, on, clauses=None, **kwargs):
    """Merges by tusk and pylance into tables that pylance wrote; what both give, which is equal."""
    answers = []
    for library in (tusk, lance):
        path = str(tmp_path / library.__name__)
        lance.write_dataset(data, path, **kwargs)
        builder = library.dataset(path).merge_insert(on)
        if clauses is None:
            builder = builder.when_matched_update_all().when_not_matched_insert_all()
        else:
            builder = clauses(builder)
        answers.append((builder.execute(source() if callable(source) else source), _rows(path)))
    assert answers[0] == answers[1]
    return answers[0]


@pytest.mark.parametrize(
    "values",
    [
        pa.array([{"a": 1, "b": "x"}, {"a": 2, "b": "y"}, {"a": 3, "b": None}, None]),
        pa.array([{"a": {"b": [1, 2]}}, {"a": {"b": [2]}}, {"a": {"b": []}}, {"a": None}]),
        pa.array([[1], [2, None], [], None]),
        pa.array([["a", "bc"], ["ab", "c"], [""], None], pa.large_list(pa.large_string())),
        pa.array([[1, 2], [2, 3], [3, 4], None], pa.list_(pa.int32(), 2)),
    ],
    ids=["struct", "deep struct", "list", "list of texts", "fixed size list"],
)
def test_nested_keys(values, tmp_path):
    data = pa.table({"k": values, "v": [1, 2, 3, 4]})
    source = pa.table({"k": values.take(pa.array([2, 1, 3])), "v": [30, 20, 40]})
    counts, _ = _same(tmp_path, data, source, "k", max_rows_per_file=3)
    assert counts["num_updated_rows"] >= 2
    other = tmp_path / "other"
    other.mkdir()
    counts, _ = _same(
        other, data, source.slice(0, 1), "k", lambda b: b.when_not_matched_by_source_delete()
    )
    assert counts["num_deleted_rows"] == 3


@pytest.mark.parametrize("stable", [False, True])
@pytest.mark.parametrize(
    "places",
    [
        [{"id": 20}, {"id": 40}, {"id": 90}, None],
        [None, {"id": 40}, {"id": 90}, {"id": None}],
        [{"at": {"x": 30}}, {"at": {"x": 9}}, {"at": None}, None],
        [{"name": "B", "id": 20}, {"name": None, "id": 40}, None, {"name": "Z", "id": 90}],
    ],
    ids=["one field", "nulls", "a field below", "two in another order"],
)
def test_some_fields_of_a_struct(places, stable, tmp_path):
    source = pa.table({"v": [2, 4, 9, 10], "place": pa.array(places)})
    _same(tmp_path, NESTED, source, "v", enable_stable_row_ids=stable, max_rows_per_file=3)
    other = tmp_path / "other"
    other.mkdir()
    only = lambda builder: builder.when_matched_update_all("source.v > 2")
    _same(other, NESTED, source, "v", only)


def test_all_fields_of_a_struct_in_another_order(tmp_path):
    places = [{"name": "B", "at": {"y": 40, "x": 30}, "id": 20}, None]
    source = pa.table({"place": pa.array(places), "v": [2, 9]})
    _, rows = _same(tmp_path, NESTED, source, "v")
    assert json.dumps({"place": {"at": {"x": 30, "y": 40}, "id": 20, "name": "B"}, "v": 2}) in rows


def test_what_a_struct_of_the_source_cannot_be(tmp_path):
    path = str(tmp_path / "table")
    tusk.write_dataset(NESTED, path)
    builder = tusk.dataset(path).merge_insert("v").when_matched_update_all()
    for place in ({"id": 1, "none": 2}, {"id": 1.5}, {"at": {"none": 1}}):
        with pytest.raises(tusk.errors.RowChangeError, match="column 'place' should have type"):
            builder.execute(pa.table({"place": pa.array([place]), "v": [2]}))
    required = pa.struct([pa.field("a", pa.int64(), nullable=False), pa.field("b", pa.int64())])
    path = str(tmp_path / "required")
    tusk.write_dataset(pa.table({"s": pa.array([{"a": 1, "b": 2}], required), "v": [1]}), path)
    source = pa.table({"s": pa.array([{"b": 3}]), "v": [1]})
    builder = tusk.dataset(path).merge_insert("v").when_not_matched_insert_all()
    with pytest.raises(tusk.errors.RowChangeError, match=r"no field 's\.a', which must not be null"):
        builder.execute(source)
    tusk.dataset(path).merge_insert("v").when_matched_update_all().execute(source)
    assert tusk.dataset(path).to_table()["s"].to_pylist() == [{"a": 1, "b": 3}]


@pytest.mark.parametrize("on", ["k", "v"])
def test_views(on, tmp_path):
    data = pa.table({"k": ["a", "b", "c"], "v": [1, 2, 3], "bytes": [b"1", b"2", None]})
    source = pa.table({
        "k": pa.array(["b", "a text that is longer than a view holds"], pa.string_view()),
        "v": [2, 26],
        "bytes": pa.array([None, b"bytes that are longer than a view holds"], pa.binary_view()),
    })  # fmt: skip
    _same(tmp_path, data, source, on, max_rows_per_file=2)


def test_the_pages_without_a_key_of_the_source_are_not_read(tmp_path):
    rng = random.Random(1)
    ids = sorted(rng.sample(range(2**60), 400_000))
    data = pa.table({"id": ids, "v": pa.nulls(len(ids), pa.int64())})
    read = {}
    for name, some in {"near": ids[1000:1010], "far": ids[:: len(ids) // 10]}.items():
        path = str(tmp_path / name)
        tusk.write_dataset(data, path, max_rows_per_file=50_000)
        source = pa.table({"id": some, "v": [-1] * len(some)})
        builder = tusk.dataset(path).merge_insert("id").when_matched_update_all()
        plan = builder.analyze_plan(source)
        read[name] = int(re.search(r"Table: .*\[\d+ requests, (\d+) bytes\]", plan)[1])
        assert builder.execute(source)["num_updated_rows"] == len(some)
        changed = tusk.dataset(path).to_table(filter="v = -1")["id"].to_pylist()
        assert sorted(changed) == some
    # Each file has 400,000 bytes of ids.
    assert read["near"] < read["far"] - 6 * 350_000
