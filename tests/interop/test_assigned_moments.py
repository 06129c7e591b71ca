"""Columns of moments take what pylance lets them take, by the clock of their zone."""

import datetime
import shutil

import lance
import pyarrow as pa
import pytest
from function_cases import function_table

import tusk


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("moments") / "t.lance"
    lance.write_dataset(function_table().drop_columns(["nul", "dict"]), path)
    return path


@pytest.mark.parametrize(
    "column, text",
    [
        ("tsb", "ts"),
        ("tsb", "tss"),
        ("tsb", "tsz"),
        ("tsz", "tsb"),
        ("tsz", "ts"),
        ("tsn", "ts"),
        ("tsb", "'2020-07-01 00:00:00'"),
        ("tsb", "'2020-07-01T00:00:00Z'"),
        ("tsb", "'2020-07-01T00:00:00+05:00'"),
        ("tsb", "timestamp '2020-07-01 00:00:00'"),
        ("tsb", "dstr"),
        ("tsz", "dstr"),
        ("tsb", "concat(s, NULL, '2020-01-01')"),
    ],
)
def test_values_are_those_of_pylance(column, text, path, tmp_path):
    def outcome(module):
        dataset = module.dataset(shutil.copytree(path, tmp_path / module.__name__))
        try:
            dataset.update({column: text})
        except (ValueError, OSError):
            return "error"
        return dataset.to_table(columns=[column])[column].to_pylist()

    assert outcome(tusk) == outcome(lance)


@pytest.mark.parametrize("column", ["ts", "tss", "tsn", "tsz"])
def test_the_time_of_now_has_the_digits_of_the_column(column, path, tmp_path):
    dataset = tusk.dataset(shutil.copytree(path, tmp_path / "t"))
    before = datetime.datetime.now(datetime.timezone.utc)
    dataset.update({column: "now()"})
    moments = dataset.to_table(columns=[column])[column].cast(pa.timestamp("ns", "UTC"))
    (value,) = set(moments.cast(pa.timestamp("us", "UTC"), safe=False).to_pylist())
    assert abs(value - before) < datetime.timedelta(minutes=5)
    assert column != "tss" or value.microsecond == 0


def test_digits_that_a_column_has_no_room_for_are_an_error(path, tmp_path):
    dataset = tusk.dataset(shutil.copytree(path, tmp_path / "t"))
    with pytest.raises(ValueError, match="would become 2020-02-29T01:02:03 as"):
        dataset.update({"tss": "ts"})
    with pytest.raises(ValueError, match="2.500 would become 3 as"):
        dataset.update({"dc38": "dc"})
