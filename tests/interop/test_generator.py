"""The tests of generated files can fail: wrong values, nulls, lengths and batches are seen."""

import lance.file
import numpy as np
import pyarrow as pa
import pytest
from generator import arrays, cases, comparison, files, logical_types, projection, reading

STRUCT = pa.struct({"x": pa.int32(), "l": pa.list_(pa.string())})
NAN = np.array([0x7FF8000000000001], np.uint64).view(np.float64)


@pytest.mark.parametrize(
    "ours, expected, where",
    [
        (pa.array([1, 2]), pa.array([1, 3]), "[valid 1]: 2, expected 3"),
        (pa.array([1, None]), pa.array([1, 0]), "[1]: null"),
        (pa.array([1]), pa.array([1, 2]), "1 values, expected 2"),
        (pa.array([1], pa.int32()), pa.array([1]), "type int32"),
        (pa.array([0.0]), pa.array([-0.0]), "0.0, expected -0.0"),
        (pa.array(NAN), pa.array([np.nan]), "nan, expected nan"),
        (pa.array([[], None]), pa.array([None, []], pa.list_(pa.null())), "[0]: valid"),
        (pa.array([[1], [2, 3]]), pa.array([[1, 2], [3]]), "1 items, expected 2"),
        (pa.array([[1, None]]), pa.array([[1, 2]]), "[][1]: null"),
        (
            pa.array([{"x": 1, "l": [""]}], STRUCT),
            pa.array([{"x": 1, "l": [None]}], STRUCT),
            ".l[][0]: valid",
        ),
        (
            pa.array([None], STRUCT),
            pa.array([{"x": None, "l": None}], STRUCT),
            "[0]: null, expected the contrary",
        ),
        (
            pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int8())),
            pa.array([[("a", 2)]], pa.map_(pa.string(), pa.int8())),
            "[].value[valid 0]: 1, expected 2",
        ),
        (
            pa.array([[1, 2], None, [3, 4]], pa.list_(pa.int8(), 2)),
            pa.array([[1, 2], None, [3, 5]], pa.list_(pa.int8(), 2)),
            "[][valid 3]: 4, expected 5",
        ),
    ],
)
def test_a_difference_is_found_where_it_is(ours, expected, where):
    found = comparison.difference(ours, expected)
    assert found is not None and where in found
    assert comparison.difference(expected, expected) is None


@pytest.mark.parametrize("type_name", logical_types.ALL)
def test_plain_rows_are_those_of_the_array(type_name):
    """Slices and rows of the plain form are what Python objects of the array say."""
    field = logical_types.field(type_name)
    recipe = arrays.Recipe(nulls="half", values="small", garbage=True)
    array = arrays.make_array(np.random.default_rng(3), field.type, 60, recipe)
    array.validate(full=True)
    plain = comparison.plain(array.slice(7, 40))
    plain.validate(full=True)
    rows = [0, 3, 3, 39]
    gathered = comparison.gather(plain, rows)
    gathered.validate(full=True)
    values = plain.to_pylist()
    assert repr(gathered.to_pylist()) == repr([values[row] for row in rows])
    if not comparison.has_special(field.type):
        assert repr(values) == repr(array.to_pylist()[7:47])


def test_a_seed_gives_the_same_case_again():
    for seed in range(20):
        first, second = cases.random_case(seed), cases.random_case(seed)
        assert str(first) == str(second)
        assert first.table.schema.equals(second.table.schema, check_metadata=True)
        for left, right in zip(first.table.columns, second.table.columns):
            assert comparison.difference(comparison.plain(left), comparison.plain(right)) is None


def test_projections_keep_what_is_named_in_the_order_of_naming():
    table = pa.table({"s": pa.array([{"x": 1, "l": ["a"]}, None], STRUCT), "i": [1, 2]})
    columns = {name: comparison.plain(table[name]) for name in table.column_names}
    left = projection.project(columns, ["s.l", "i", "s.x"])
    assert list(left) == ["s", "i"]
    assert left["s"].to_pylist() == [{"l": ["a"], "x": 1}, None]
    assert [f.name for f in left["s"].type] == ["l", "x"]
    assert projection.project(columns, ["s.x"])["s"].to_pylist() == [{"x": 1}, None]
    assert projection.paths(table.schema.field("s")) == ["s", "s.x", "s.l", "s.l.item"]


class Results:
    def __init__(self, table, batch_size):
        self._table, self._batch_size = table, batch_size

    def to_batches(self):
        return self._table.to_reader(max_chunksize=self._batch_size)

    def to_table(self):
        return self._table


class WrongReader:
    """pylance's reader with one fault."""

    fault = "none"

    def __init__(self, path, columns=None):
        self._reader = lance.file.LanceFileReader(path, columns=columns)
        self._columns = columns

    def num_rows(self):
        return self._reader.num_rows() + (self.fault == "rows")

    def read_all(self, batch_size=1024):
        table = self._reader.read_all(batch_size=batch_size).to_table()
        return Results(self._spoil(table), 17 if self.fault == "batches" else batch_size)

    def read_range(self, start, count, batch_size=1024):
        table = self._reader.read_range(start, count, batch_size=batch_size).to_table()
        if self.fault == "range" and start and count:
            table = self._reader.read_range(start - 1, count).to_table()
        return Results(table, batch_size)

    def take_rows(self, rows, batch_size=1024):
        rows = list(rows)
        if self.fault == "take" and len(rows) > 1 and rows[0]:
            rows = [rows[0] - 1, *rows[1:]]
        return Results(self._reader.take_rows(rows).to_table(), batch_size)

    def _spoil(self, table):
        if self.fault == "projection" and self._columns:
            index = table.num_columns - 1
            table = table.set_column(
                index,
                table.field(index),
                table.column(index)
                .slice(0)
                .take(pa.array(range(table.num_rows)[::-1], pa.int64())),
            )
        if self.fault == "value" and table.num_rows:
            column = table.column(0).to_pylist()
            column[-1] = None if column[-1] is not None else 3
            table = table.set_column(0, table.field(0), pa.array(column, table.field(0).type))
        return table


@pytest.mark.parametrize(
    "fault", ["none", "rows", "value", "batches", "range", "take", "projection"]
)
def test_a_faulty_reader_is_caught(fault, tmp_path):
    rng = np.random.default_rng(1)
    table = pa.table(
        {
            "i": arrays.make_array(rng, pa.int64(), 500, arrays.Recipe(nulls="half")),
            "j": arrays.make_array(rng, pa.int64(), 500, arrays.Recipe(nulls="few")),
        }
    )
    path = tmp_path / "file.lance"
    files.write(path, table, "2.2")
    expected = files.read_back(path, table)

    class Faulty(WrongReader):
        pass

    Faulty.fault = fault
    check = lambda: reading.check(Faulty, path, expected, rng, effort=8, refusals=False)  # noqa: E731
    if fault == "none":
        check()
    else:
        with pytest.raises(reading.Wrong):
            check()


def test_a_file_that_is_not_the_table_is_misread(tmp_path):
    files.write(tmp_path / "a.lance", pa.table({"c": [1, None, 3]}), "2.2")
    with pytest.raises(files.Misread, match="c.1.: null"):
        files.read_back(tmp_path / "a.lance", pa.table({"c": [1, 2, 3]}))
