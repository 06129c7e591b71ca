"""What every reader of a Lance file must give, whole and in parts."""

import numpy as np
import pyarrow as pa

from . import comparison, projection

MOST_BATCHES = 200  # of one read, so that batches of one row stay cheap


class Wrong(AssertionError):
    """A reader gave something else than the file holds."""


def check(open_reader, path, expected, rng, *, effort=3, refusals=True, schema=None):
    """Reads `path` in every way and compares with the table `expected`; Wrong where it differs.

    `open_reader(path, columns=None)` gives an object like pylance's LanceFileReader. `effort` is
    the number of random ranges, takes and projections; `refusals` asks for errors too. The schema
    must be `schema`, or that of `expected`.
    """
    columns = {name: comparison.plain(expected[name]) for name in expected.column_names}
    rows = expected.num_rows
    reader = open_reader(str(path))
    _expect(reader.num_rows() == rows, f"num_rows() is {reader.num_rows()}, expected {rows}")
    whole = _table("read_all()", reader.read_all(), columns, rows, 1024)
    _expect_schema(whole.schema, schema or expected.schema)
    for _ in range(effort):
        _check_batches(reader, columns, rows, rng)
        _check_range(reader, columns, rows, rng)
        _check_take(reader, columns, rows, rng)
        _check_projection(open_reader, path, expected.schema, columns, rows, rng)
    for what, read in refusals * [
        ("read_range beyond the end", lambda: reader.read_range(rows, 1).to_table()),
        ("take_rows beyond the end", lambda: reader.take_rows([rows]).to_table()),
        ("take_rows of a repeated row", lambda: reader.take_rows([0, 0]).to_table()),
        ("take_rows of descending rows", lambda: reader.take_rows([1, 0]).to_table()),
    ]:
        _expect_refusal(what, read)


def check_columns(open_reader, path, table, wanted):
    """Reads the projection `wanted` whole and by rows, and compares with `table`."""
    columns = {name: comparison.plain(table[name]) for name in table.column_names}
    part = projection.project(columns, wanted)
    reader = open_reader(str(path), columns=wanted)
    _table(f"columns={wanted}", reader.read_all(), part, table.num_rows, 1024)
    rows = list(range(1, table.num_rows, 3))
    some = {name: comparison.gather(array, rows) for name, array in part.items()}
    _table(f"columns={wanted} take_rows", reader.take_rows(rows), some, len(rows), 1024)


def _check_batches(reader, columns, rows, rng):
    smallest = max(1, -(-rows // MOST_BATCHES))
    size = int(rng.choice([smallest, smallest + 1, 7, 100, 1024, 5000]))
    size = max(size, smallest)
    _table(f"read_all(batch_size={size})", reader.read_all(batch_size=size), columns, rows, size)


def _check_range(reader, columns, rows, rng):
    start = int(rng.integers(0, rows + 1))
    count = int(rng.choice([rng.integers(0, rows - start + 1), min(1, rows - start), rows - start]))
    size = int(rng.choice([max(1, -(-count // MOST_BATCHES)), 100, 1024]))
    size = max(size, -(-count // MOST_BATCHES))
    part = {name: array.slice(start, count) for name, array in columns.items()}
    read = reader.read_range(start, count, batch_size=size)
    _table(f"read_range({start}, {count}, batch_size={size})", read, part, count, size)


def _check_take(reader, columns, rows, rng):
    wanted = _some_rows(rows, rng)
    part = {name: comparison.gather(array, wanted) for name, array in columns.items()}
    size = int(rng.choice([max(1, -(-len(wanted) // MOST_BATCHES)), 10, 1024]))
    size = max(size, -(-len(wanted) // MOST_BATCHES))
    shown = wanted if len(wanted) < 20 else f"{wanted[:20]} and {len(wanted) - 20} more"
    read = reader.take_rows(wanted, batch_size=size)
    _table(f"take_rows({shown}, batch_size={size})", read, part, len(wanted), size)


def _some_rows(rows, rng):
    """Ascending rows: a few, most of them, ends, or neighbours."""
    kind = rng.integers(5)
    if rows == 0:
        return []
    if kind == 0:
        chosen = rng.integers(0, rows, rng.integers(1, 8))
    elif kind == 1:
        chosen = np.flatnonzero(rng.random(rows) < rng.random())
    elif kind == 2:
        chosen = np.array([0, rows // 2, rows - 1])
    elif kind == 3:
        start = rng.integers(rows)
        chosen = np.arange(start, min(rows, start + rng.integers(1, 40)))
    else:
        border = int(rng.choice([1024, 4096, max(1, rows // 3)]))
        chosen = np.concatenate([np.arange(b - 1, b + 2) for b in range(0, rows, border)])
    return sorted({int(row) for row in chosen if 0 <= row < rows})


def _check_projection(open_reader, path, schema, columns, rows, rng):
    every = [path for field in schema for path in projection.paths(field)]
    wanted = [every[i] for i in rng.permutation(len(every))[: rng.integers(1, 4)]]
    wanted = _without_rivals(wanted, schema)
    part = projection.project(columns, wanted)
    reader = open_reader(str(path), columns=wanted)
    _table(f"columns={wanted}", reader.read_all(batch_size=1 << 20), part, rows, 1 << 20)
    start = int(rng.integers(0, rows + 1))
    count = int(rng.integers(0, min(rows - start, 50) + 1))
    some = {name: array.slice(start, count) for name, array in part.items()}
    read = reader.read_range(start, count)
    _table(f"columns={wanted} read_range({start}, {count})", read, some, count, 1024)
    taken = _some_rows(rows, rng)
    some = {name: comparison.gather(array, taken) for name, array in part.items()}
    read = reader.take_rows(taken, batch_size=1 << 20)
    _table(f"columns={wanted} take_rows({taken[:20]})", read, some, len(taken), 1 << 20)


def _without_rivals(wanted, schema):
    """pylance forgets the second of two paths below one fixed-size list: the first is kept."""
    rivals = {
        path
        for field in schema
        for path in projection.paths(field)
        if pa.types.is_fixed_size_list(_type_at(schema, path))
    }
    kept, taken = [], set()
    for path in wanted:
        above = {rival for rival in rivals if path == rival or path.startswith(f"{rival}.")}
        inside = {rival for rival in rivals if rival.startswith(f"{path}.")}
        if not (above | inside) & taken:
            kept.append(path)
            taken |= above | inside
    return kept


def _type_at(schema, path):
    names = path.split(".")
    field = schema.field(names[0])
    for name in names[1:]:
        type_ = field.type
        field = type_.field(name) if pa.types.is_struct(type_) else type_.value_field
    return field.type


def _table(what, results, columns, rows, batch_size):
    """The table of `results`: valid batches of `batch_size` rows that are equal to `columns`."""
    stream = results.to_batches()
    batches = list(stream)
    for batch in batches:
        batch.validate(full=True)
    lengths = [batch.num_rows for batch in batches]
    full, rest = divmod(rows, batch_size)
    _expect(
        lengths == [batch_size] * full + [rest] * (rest > 0),
        f"{what}: batches of {lengths[:20]} rows, expected {rows} rows by {batch_size}",
    )
    table = pa.Table.from_batches(batches, stream.schema)
    names, should = table.column_names, list(columns)
    _expect(names == should, f"{what}: columns {names}, expected {should}")
    for name, array in columns.items():
        found = comparison.difference(comparison.plain(table[name]), array, name)
        _expect(found is None, f"{what}: {found}")
    return table


def _expect_schema(ours, expected):
    _expect(ours.names == expected.names, f"columns {ours.names}, expected {expected.names}")
    for left, right in zip(ours, expected):
        _expect(left.equals(right), f"field {left}, expected {right}")


def _expect_refusal(what, read):
    try:
        read()
    except ValueError:
        return
    raise Wrong(f"{what} gave a table")


def _expect(holds, message):
    if not holds:
        raise Wrong(message)
