"""All functions of the filter language: pylance's wheel knows them and gives the same values."""

import random

import lance
import pyarrow as pa
import pytest
from function_cases import LEFT_OUT, NAMES, SHARED, function_table, shown
from geometry_cases import GEOMETRIES, SQUARE, geometry_table

import tusk

# Calls in which the two differ, with the reason; docs/guide/filters.md lists them.
DIFFERENT = {
    "array_distance(lf, lf)": "-0.0 of lists of nothing",
    "array_resize(fsl, 3, 1.5)": "a literal takes the type of the list if it is one of its values",
    "range(d, date '2020-03-03', INTERVAL '1 month')": "ends where a step more is behind the end",
    "cardinality(ll)": "counts the values of some of the lists in the list",
    "arrow_try_cast(dstr, 'Date32')": "takes an offset for the day in UTC",
    "cast_to_type(dstr, d)": "takes an offset for the day in UTC",
    "date_bin('1 day', ts)": "nanoseconds",
    "date_bin(interval '1 day', tsb)": "nanoseconds",
    "date_trunc('day', d)": "nanoseconds",
    "greatest(d, ts)": "nanoseconds",
    "coalesce(d, ts)": "nanoseconds",
    "regexp_count(csv, s)": "0 of null",
    "regexp_count(s, 'b', 2)": "0 of null",
    "regexp_count(s, 'B', 1, 'i')": "0 of null",
    "log(i)": "the last digit",
    "log(dc)": "the last digit",
    "power(dc, 2)": "a decimal beyond its precision",
    "concat(s, ls)": "a view",
    "concat(l, l2)": "texts of lists",
    "to_timestamp(f)": "NaN is 1970",
    "json_get(j, 'a')": "JSONB",
    "st_astext(t)": "a text stays as it is written",
    "st_astext(txt)": "a text stays as it is written",
    "st_astext('GEOMETRYCOLLECTION(POINT(1 2), LINESTRING(0 0, 1 1))')": "stays as it is",
    "st_astext('MULTIPOLYGON(((0 0, 4 0, 4 4, 0 0)),((10 10, 11 10, 11 11, 10 10)))')": "the same",
    "st_astext('MULTILINESTRING((0 0, 4 0),(1 1, 2 2))')": "stays as it is",
    "st_geometrytype(mls)": "ST_MultilineString",
    # With a constant on the left it judges the other way round.
    f"st_contains({SQUARE}, mls)": "the other way round",
    f"st_within({SQUARE}, mls)": "the other way round",
    f"st_covers({SQUARE}, mls)": "the other way round",
    f"st_coveredby({SQUARE}, mls)": "the other way round",
}


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("functions") / "t.lance"
    lance.write_dataset(function_table(), path)
    return path


@pytest.fixture(scope="module")
def geometry_path(tmp_path_factory):
    path = tmp_path_factory.mktemp("geometries") / "t.lance"
    lance.write_dataset(geometry_table(), path)
    return path


def outcome(module, path, text):
    """The values of an expression, or that it is an error. pylance takes no constant alone."""
    try:
        columns = {"x": text, "order": "`order`"}
        return shown(module.dataset(path).to_table(columns=columns)["x"])
    except (ValueError, OSError, NotImplementedError, pa.ArrowException):
        return "error"


def test_digests_by_blake3_are_those_of_pylance(tmp_path):
    generator = random.Random(5)
    sizes = [*range(0, 10_000, 500), *(generator.randrange(10_000) for _ in range(60))]
    blobs = [generator.randbytes(size) for size in sizes]
    lance.write_dataset(pa.table({"b": pa.array(blobs, pa.binary())}), tmp_path / "t.lance")
    ours, theirs = (
        module.dataset(tmp_path / "t.lance").to_table(columns={"x": "digest(b, 'blake3')"})["x"]
        for module in (tusk, lance)
    )
    assert ours.to_pylist() == theirs.to_pylist()


@pytest.mark.parametrize("name", NAMES)
def test_names_are_those_of_pylance(name, path):
    # pylance panics where some functions have no arguments, which is no Exception.
    with pytest.raises(BaseException) as raised:  # noqa: B017, PT011
        lance.dataset(path).to_table(columns={"x": f"{name}()"})
    assert "Invalid function" not in str(raised.value)


@pytest.mark.parametrize("name", NAMES)
def test_knows_each_function_of_pylance(name, path):
    known = tusk.dataset(path)
    try:
        known.to_table(columns={"x": f"{name}()"})
    except ValueError as error:
        assert ("there is no function" in str(error)) == (name in LEFT_OUT), error


@pytest.mark.parametrize("text", SHARED)
def test_gives_the_values_of_pylance(text, path):
    ours, theirs = (outcome(module, path, text) for module in (tusk, lance))
    if text in DIFFERENT:
        assert ours != theirs
    else:
        assert ours == theirs


@pytest.mark.parametrize("text", GEOMETRIES)
def test_gives_the_geometries_of_pylance(text, geometry_path):
    ours, theirs = (outcome(module, geometry_path, text) for module in (tusk, lance))
    if text in DIFFERENT:
        assert ours != theirs
    else:
        assert ours == theirs


@pytest.mark.parametrize(
    "text",
    [
        "p",
        "x",
        "x + 1",
        "coalesce(x, y)",
        "st_point(x, y)",
        "st_point(x, y, 4326)",
        "st_centroid(pg)",
        "st_simplify(ls, 0.5)",
        "box2d(pg)",
        "st_astext(p)",
        "with_metadata(x, 'a', 'b')",
        "with_metadata(p, 'a', 'b')",
        "with_metadata(x, 'a', 'b') + 1",
    ],
)
def test_columns_tell_of_themselves_what_they_tell_in_pylance(text, geometry_path):
    def metadata(module):
        columns = {"x": text, "order": "`order`"}
        return module.dataset(geometry_path).to_table(columns=columns).schema.field("x").metadata

    assert metadata(tusk) == metadata(lance)
