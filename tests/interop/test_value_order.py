"""Lists, structs and maps are compared and ordered by their parts, as pylance does it."""

import math
import random

import lance
import pyarrow as pa
import pytest
from lance.dataset import ColumnOrdering as PeerOrdering

import tusk

ROWS = 60


def _some(generator, make):
    return None if generator.random() < 0.2 else make()


def _list_of(generator, make, most=3):
    return [_some(generator, make) for _ in range(generator.randrange(most + 1))]


def nested_columns(generator):
    """Pairs of columns of each type with parts, of few values, so that many are equal."""
    number = lambda: generator.randint(0, 2)  # noqa: E731
    text = lambda: generator.choice(["", "a", "ab", "B", "é"])  # noqa: E731
    pair = lambda: {"n": _some(generator, number), "t": _some(generator, text)}  # noqa: E731
    pairs = pa.struct([("n", pa.int16()), ("t", pa.string())])
    return {
        "numbers": (pa.list_(pa.int64()), lambda: _list_of(generator, number)),
        "large": (pa.large_list(pa.uint8()), lambda: _list_of(generator, number)),
        "fixed": (pa.list_(pa.int32(), 2), lambda: [_some(generator, number) for _ in range(2)]),
        "texts": (pa.list_(pa.string()), lambda: _list_of(generator, text)),
        "decimals": (pa.list_(pa.decimal128(9, 2)), lambda: _list_of(generator, number)),
        "moments": (pa.list_(pa.timestamp("ms", "UTC")), lambda: _list_of(generator, number)),
        "truths": (pa.list_(pa.bool_()), lambda: _list_of(generator, lambda: number() > 0)),
        "pairs": (pairs, pair),
        "listed": (pa.list_(pairs), lambda: _list_of(generator, pair, 2)),
        "deep": (
            pa.list_(pa.list_(pa.int64())),
            lambda: _list_of(generator, lambda: _list_of(generator, number, 2), 2),
        ),
        "held": (
            pa.struct([("l", pa.list_(pa.int64())), ("s", pairs)]),
            lambda: {
                "l": _some(generator, lambda: _list_of(generator, number, 2)),
                "s": _some(generator, pair),
            },
        ),
    }


NAMES = list(nested_columns(random.Random(0)))


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    generator = random.Random(7)
    columns = {"id": pa.array(range(ROWS))}
    for name, (type, make) in nested_columns(generator).items():
        for side in ("", "_2"):
            values = [_some(generator, make) for _ in range(ROWS)]
            columns[name + side] = pa.array(values, type)
    path = tmp_path_factory.mktemp("order") / "t.lance"
    # Several fragments and pieces, so that arrays are slices of others.
    lance.write_dataset(pa.table(columns), path, max_rows_per_file=25)
    return path


@pytest.mark.parametrize("symbol", ["=", "<>", "<", "<=", ">", ">="])
@pytest.mark.parametrize("name", NAMES)
def test_conditions_keep_the_rows_of_pylance(path, name, symbol):
    for condition in (f"{name} {symbol} {name}_2", f"NOT ({name}_2 {symbol} {name})"):
        ours, theirs = (
            module.dataset(path).to_table(columns=["id"], filter=condition, batch_size=7)
            for module in (tusk, lance)
        )
        assert ours["id"].to_pylist() == theirs["id"].to_pylist()
        assert tusk.dataset(path).count_rows(condition) == theirs.num_rows


@pytest.mark.parametrize(
    "call", ["greatest({0}, {0}_2)", "least({0}, {0}_2)", "nullif({0}, {0}_2)",
             "array_sort([{0}, {0}_2])", "array_sort([{0}, {0}_2], 'DESC', 'NULLS LAST')"]
)  # fmt: skip
@pytest.mark.parametrize("name", NAMES)
def test_values_are_those_of_pylance(path, name, call):
    columns = {"x": call.replace("[", "make_array(").replace("]", ")").format(name), "id": "id"}
    ours, theirs = (module.dataset(path).to_table(columns=columns) for module in (tusk, lance))
    assert ours["x"].to_pylist() == theirs["x"].to_pylist()


@pytest.mark.parametrize("nulls_first", [False, True])
@pytest.mark.parametrize("ascending", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_rows_are_ordered_as_pylance_orders_them(path, name, ascending, nulls_first):
    def read(module, ordering):
        by = [ordering(name, ascending=ascending, nulls_first=nulls_first), ordering("id")]
        scanner = module.dataset(path).scanner(columns=["id", name], order_by=by)
        return scanner.to_table()["id"].to_pylist()

    assert read(tusk, tusk.ColumnOrdering) == read(lance, PeerOrdering)


def _plain_key(value):
    """What Python orders as values are: null below all, then numbers, NaN above them."""
    if value is None:
        return (0, 0)
    if isinstance(value, list):
        return (1, [_plain_key(part) for part in value])
    return (2, 0) if math.isnan(value) else (1, value)


def test_floats_in_lists_have_nan_above_all_and_one_zero(tmp_path):
    # pylance goes by the bits here, so that -0.0 is below 0.0.
    generator = random.Random(3)
    real = lambda: generator.choice([0.0, -0.0, 1.5, math.inf, -math.inf, math.nan])  # noqa: E731
    columns = [
        [_some(generator, lambda: _list_of(generator, real, 2)) for _ in range(200)]
        for _ in range(2)
    ]
    type = pa.list_(pa.float32())
    table = pa.table({"a": pa.array(columns[0], type), "b": pa.array(columns[1], type)})
    dataset = tusk.write_dataset(table, tmp_path / "t.lance")
    for symbol, holds in {
        "<": lambda a, b: a < b,
        "<=": lambda a, b: a <= b,
        "=": lambda a, b: a == b,
    }.items():
        given = dataset.to_table(columns={"x": f"a {symbol} b"})["x"].to_pylist()
        wanted = [
            None if a is None or b is None else holds(_plain_key(a), _plain_key(b))
            for a, b in zip(*columns, strict=True)
        ]
        assert given == wanted


def test_says_what_has_no_order(path):
    dataset = tusk.dataset(path)
    with pytest.raises(ValueError, match="cannot be compared with a struct"):
        dataset.count_rows("numbers < pairs")
    with pytest.raises(ValueError, match="intervals are not compared"):
        dataset.count_rows("interval '1 month' < interval '30 days'")
