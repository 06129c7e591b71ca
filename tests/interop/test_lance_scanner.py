"""What a scanner is asked for, against pylance and a plain slow version."""

import math
import random

import lance
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from lance.dataset import ColumnOrdering

import tusk

ROWS = 3000


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """The uri of a table of several fragments with deleted rows."""
    rng = random.Random(5)
    path = str(tmp_path_factory.mktemp("scanner") / "t")
    floats = [rng.choice([None, math.nan, -0.0, 0.0, rng.gauss(0, 1)]) for _ in range(ROWS)]
    data = pa.table(
        {
            "id": range(ROWS),
            "n": pa.array([rng.choice([None, rng.randrange(20)]) for _ in range(ROWS)], "int16"),
            "f": pa.array(floats, "float64"),
            "s": [rng.choice([None, "", "a", "b" * rng.randrange(9)]) for _ in range(ROWS)],
            "p": [{"x": rng.randrange(50), "y": str(i % 7)} for i in range(ROWS)],
        }
    )
    lance.write_dataset(data, path, max_rows_per_file=700)
    lance.dataset(path).delete("n = 3 OR (id >= 700 AND id < 900)")
    return path


def _plain(rows, order):
    """`rows` in order by sorting once for each column, the last one first."""
    for by in reversed(order):
        top, _, name = by.column_name.partition(".")
        value = (lambda r: r[top][name]) if name else (lambda r: r[top])

        def key(row, value=value):
            v = value(row)
            # NaN above all numbers, and -0 below 0.
            is_float = isinstance(v, float)
            return (math.isnan(v), math.copysign(1, v) if v == 0 else 0) if is_float else None, v

        def full(row, key=key):
            (special, v) = key(row)
            if special is None:
                return v
            return (special[0], 0.0 if special[0] else v, special[1])

        nulls = [row for row in rows if value(row) is None]
        others = [row for row in rows if value(row) is not None]
        others = sorted(others, key=full) if by.ascending else _descending(others, full)
        rows = nulls + others if by.nulls_first else others + nulls
    return rows


def _descending(rows, key):
    """Stable: equal rows keep their order."""
    return list(reversed(sorted(reversed(rows), key=key)))


@pytest.mark.parametrize("seed", range(40))
def test_rows_come_in_the_order_asked_for(seed, table):
    rng = random.Random(seed)
    dataset = tusk.dataset(table)
    columns = rng.sample(["id", "n", "f", "s", "p.x"], rng.randrange(1, 4))
    order = [
        tusk.ColumnOrdering(name, rng.random() < 0.5, rng.random() < 0.5)
        for name in rng.sample(["n", "f", "s", "p.x", "id"], rng.randrange(1, 4))
    ]
    limit, offset = rng.choice([(None, None), (5, None), (0, 3), (100, 50), (None, 7), (9999, 1)])
    filter = rng.choice([None, pc.field("id") > 1000])
    rows = dataset.to_table(["id", "n", "f", "s", "p"], filter=filter).to_pylist()
    expected = _plain(rows, order)[offset or 0 :]
    expected = expected if limit is None else expected[:limit]
    found = dataset.to_table(columns, filter=filter, order_by=order, limit=limit, offset=offset)
    assert found.column_names == columns
    ids = dataset.to_table(["id"], filter=filter, order_by=order, limit=limit, offset=offset)
    assert ids["id"].to_pylist() == [row["id"] for row in expected]
    if "id" in columns:
        assert found["id"].to_pylist() == ids["id"].to_pylist()
    batches = list(dataset.to_batches(columns, filter=filter, order_by=order, limit=limit,
                                      offset=offset, batch_size=37))  # fmt: skip
    assert sum(batch.num_rows for batch in batches) == found.num_rows
    assert all(0 < batch.num_rows <= 37 for batch in batches)


@pytest.mark.parametrize("name", ["n", "s", "f", "id"])
@pytest.mark.parametrize("ascending", [True, False])
@pytest.mark.parametrize("nulls_first", [True, False])
def test_order_is_that_of_pylance(name, ascending, nulls_first, table):
    order = [ColumnOrdering(name, ascending, nulls_first)]
    ours = tusk.dataset(table).to_table([name], order_by=order)
    theirs = lance.dataset(table).to_table([name], order_by=order)
    assert str(ours[name].to_pylist()) == str(theirs[name].to_pylist())


def test_order_of_expressions_names_columns_of_the_table(table):
    dataset, reference = tusk.dataset(table), lance.dataset(table)
    arguments = {"columns": {"m": "n", "k": "id"}, "order_by": ["n", "id"]}
    assert dataset.to_table(**arguments).equals(reference.to_table(**arguments))
    for wrong in ("zz", "m"):
        with pytest.raises(ValueError, match=wrong):
            dataset.to_table(columns={"m": "n"}, order_by=[wrong])
    with pytest.raises(TypeError, match="list"):
        dataset.scanner(order_by="n")


def test_order_of_a_table_without_rows(tmp_path):
    tusk.write_dataset(pa.table({"n": pa.array([], "float32")}), tmp_path / "t")
    assert tusk.dataset(tmp_path / "t").to_table(order_by=["n"]).num_rows == 0


def test_the_first_rows_of_a_long_table_need_little_memory(tmp_path):
    rows = 3_000_000
    values = np.random.default_rng(1).permutation(rows)
    tusk.write_dataset(pa.table({"n": values, "m": values}), tmp_path / "t")
    before = pa.total_allocated_bytes()
    found = tusk.dataset(tmp_path / "t").to_table(order_by=["n"], limit=10)
    assert found["n"].to_pylist() == list(range(10))
    assert pa.total_allocated_bytes() - before < 1 << 20


def test_fragments_are_read_in_the_order_asked_for(table):
    dataset, reference = tusk.dataset(table), lance.dataset(table)
    theirs = {f.fragment_id: f for f in reference.get_fragments()}
    ours = {f.fragment_id: f for f in dataset.get_fragments()}
    assert ours.keys() == theirs.keys()
    for ids in ([3, 1], [2], [], [0, 0], list(ours)):
        for arguments in ({}, {"filter": pc.field("n") > 5}, {"limit": 300, "offset": 100}):
            columns = ["id", "s", "_rowoffset", "_rowid"]
            found = dataset.to_table(columns, fragments=[ours[i] for i in ids], **arguments)
            if ids == [0, 0] and "filter" in arguments:
                # pylance reads a fragment that is named twice once, if it filters.
                expected = pa.concat_tables(
                    [dataset.to_table(columns, fragments=[0], **arguments)] * 2
                )
            else:
                expected = reference.scanner(
                    columns, fragments=[theirs[i] for i in ids], **arguments
                ).to_table()
            assert found.to_pydict() == expected.to_pydict(), (ids, arguments)
            assert dataset.scanner(columns, fragments=ids, **arguments).count_rows() == len(found)
    with pytest.raises(ValueError, match="no fragment 17"):
        dataset.to_table(fragments=[17])


def test_a_fragment_is_a_small_table(table):
    dataset, reference = tusk.dataset(table), lance.dataset(table)
    for ours, theirs in zip(dataset.get_fragments(), reference.get_fragments()):
        assert ours.count_rows() == theirs.count_rows()
        assert (ours.physical_rows, ours.num_deletions) == (
            theirs.physical_rows, theirs.num_deletions,
        )  # fmt: skip
        assert ours.count_rows(pc.field("n") < 4) == theirs.count_rows("n < 4")
        assert ours.to_table(["id"]).equals(theirs.to_table(["id"]))
        assert ours.head(3).to_pydict().keys() == theirs.head(3).to_pydict().keys()
        assert ours.head(3)["id"].equals(theirs.head(3)["id"])
        assert ours.take([0, 5], ["id"]).equals(theirs.take([0, 5], ["id"]))
        assert ours.take([5, 0, 5], ["id"])["id"].to_pylist() == [
            ours.to_table(["id"])["id"][i].as_py() for i in (5, 0, 5)
        ]
        with pytest.raises(IndexError):
            ours.take([ours.count_rows()])
    assert dataset.get_fragment(99) is None


def test_deleted_rows_come_if_asked_for(table):
    dataset, reference = tusk.dataset(table), lance.dataset(table)
    for arguments in ({}, {"with_row_address": True}, {"limit": 500, "offset": 650}):
        options = {"with_row_id": True, "include_deleted_rows": True, **arguments}
        ours = dataset.to_table(["id", "s"], **options)
        theirs = reference.scanner(["id", "s"], **options).to_table()
        assert ours.to_pydict() == theirs.to_pydict()
    assert ours["_rowid"].null_count > 0
    everything = dataset.to_table(["id", "n"], with_row_id=True, include_deleted_rows=True)
    some = dataset.to_table(
        ["id"], filter=pc.field("n") == 3, with_row_id=True, include_deleted_rows=True
    )
    assert some["id"].equals(everything.filter(pc.field("n") == 3)["id"])
    assert some["_rowid"].null_count == len(some) > 0
    scanner = dataset.scanner(["id"], with_row_id=True, include_deleted_rows=True)
    assert scanner.count_rows() == len(everything) == ROWS
    with pytest.raises(ValueError, match="_rowid"):
        dataset.to_table(["id"], include_deleted_rows=True)


@pytest.mark.parametrize("stable", [False, True])
def test_rows_are_taken_by_id_and_address(stable, tmp_path):
    path = str(tmp_path / "t")
    data = pa.table({"id": range(1000), "s": [f"{i}" for i in range(1000)]})
    lance.write_dataset(data, path, max_rows_per_file=300, enable_stable_row_ids=stable)
    lance.dataset(path).delete("id % 7 = 0")
    if stable:
        lance.dataset(path).optimize.compact_files()
    dataset, reference = tusk.dataset(path), lance.dataset(path)
    rows = dataset.to_table(with_row_id=True, with_row_address=True)
    order = random.Random(1).choices(range(len(rows)), k=200)
    expected = rows.take(order)
    ids, addresses = expected["_rowid"].to_pylist(), expected["_rowaddr"].to_pylist()
    wanted = expected.select(["id", "s"]).to_pydict()
    assert dataset._take_rows(ids).to_pydict() == wanted
    assert dataset._take_addresses(addresses).to_pydict() == wanted
    assert reference._take_rows(ids).to_pydict() == wanted
    assert dataset._take_rows(expected["_rowid"], ["s"]).to_pydict() == {"s": wanted["s"]}
    assert dataset._take_rows([]).num_rows == 0
    if stable:
        # 14 is no id any more.
        assert dataset._take_rows([14, ids[0], 10**15]).num_rows == 1
    else:
        assert dataset._take_rows([0, ids[0], 7]).num_rows == 1
        for wrong in (300, 99 << 32):
            with pytest.raises(ValueError, match="has no row"):
                dataset._take_rows([wrong])


def test_slices_and_samples(table):
    dataset, reference = tusk.dataset(table), lance.dataset(table)
    rows = dataset.count_rows()
    for start, end in ((0, 0), (3, 10), (650, 950), (rows - 2, rows + 9), (rows + 1, rows + 3)):
        ours, theirs = dataset.slice(start, end, ["id"]), reference.slice(start, end, ["id"])
        assert ours.to_pydict() == theirs.to_pydict()
    for start, end in ((-1, 3), (5, 4)):
        with pytest.raises(ValueError):
            dataset.slice(start, end)
    everything = set(dataset.to_table(["id"])["id"].to_pylist())
    some = dataset.sample(100, ["id"])["id"].to_pylist()
    assert len(set(some)) == 100 and set(some) <= everything
    ordered = dataset.sample(100, ["id"], randomize_order=False)["id"].to_pylist()
    assert ordered == sorted(ordered) and len(set(ordered)) == 100
    with pytest.raises(ValueError):
        dataset.sample(rows + 1)


def test_statistics_tell_what_a_scan_did(tmp_path):
    path = tmp_path / "t"
    tusk.write_dataset(pa.table({"n": range(40_000), "m": range(40_000)}), path,
                       max_rows_per_file=10_000)  # fmt: skip
    dataset, told = tusk.dataset(path), []
    filter = pc.field("n") < 100
    arguments = {"columns": ["m"], "filter": filter, "scan_stats_callback": told.append}
    dataset.to_table(**arguments)
    assert dataset.scanner(**arguments).to_reader().read_all().num_rows == 100
    for batch in dataset.to_batches(**arguments):
        assert len(told) == 2
    for statistics in told:
        counts = statistics.all_counts
        assert counts["fragments_scanned"] == 4 and counts["rows_kept"] == 100
        assert counts["rows_scanned"] + counts["rows_ruled_out"] == 40_000
        assert counts["rows_ruled_out"] >= 30_000
    assert told[0].bytes_read > 0 and told[0].iops == told[0].requests > 0
    # Rows that are read for their size alone do not count.
    texts = pa.table({"n": range(40_000), "t": ["text"] * 40_000})
    tusk.write_dataset(texts, tmp_path / "texts")
    for _ in tusk.dataset(tmp_path / "texts").to_batches(scan_stats_callback=told.append):
        pass
    counts = told.pop().all_counts
    assert counts["rows_scanned"] == counts["rows_kept"] == 40_000
    assert counts["fragments_scanned"] == 1
    dataset.to_table(**arguments, use_stats=False)
    assert told[3].all_counts["rows_ruled_out"] == 0
    assert told[3].all_counts["rows_scanned"] == 40_000


def test_plans_tell_what_is_read(table):
    dataset = tusk.dataset(table)
    scanner = dataset.scanner(
        ["id", "s"], filter=pc.field("n") > 5, order_by=["f"], limit=3, offset=1
    )
    lines = scanner.explain_plan().splitlines()
    assert [line.split(":")[0].strip() for line in lines] == [
        "Take", "Limit", "Sort", "Take", "Filter", "Read", "Table",
    ]  # fmt: skip
    assert lines[2].strip() == "Sort: f ascending"
    assert "5 of 5 fragments" in lines[-1]
    analyzed = scanner.analyze_plan().splitlines()
    assert len(analyzed) == len(lines)
    assert "3 rows in 1 batches" in analyzed[0]
    kept = dataset.count_rows(pc.field("n") > 5)
    assert f"{kept} rows of {dataset.count_rows()} kept" in analyzed[4]
    assert "bytes" in analyzed[-1]
    assert dataset.scanner(["id"]).explain_plan().startswith("Read: id\n")


def test_two_phases_read_few_bytes_of_wide_columns(tmp_path):
    """One row of a hundred costs less than 2 % of the bytes of the pictures (S4-11)."""
    rows, size = 4000, 20_000
    pictures = [np.random.default_rng(i).bytes(size) for i in range(rows)]
    tusk.write_dataset(pa.table({"n": range(rows), "picture": pictures}), tmp_path / "t")
    dataset = tusk.dataset(tmp_path / "t")
    wanted = list(range(7, rows, 100))
    before = dataset.io_stats_snapshot().read_bytes
    found = dataset.to_table(["picture"], filter=pc.field("n").isin(wanted))
    read = dataset.io_stats_snapshot().read_bytes - before
    assert found["picture"].to_pylist() == [pictures[i] for i in wanted]
    assert read < 0.02 * rows * size
