"""Scans limited to sets of row ids: the bytes are pylance's, and so are the rows."""

import struct

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

import tusk
from tusk.row_mask import serialize_row_addrs

lance = pytest.importorskip("lance")

ALL_OF_FRAGMENT_1 = struct.pack("<III", 1, 1, 0)


@pytest.mark.parametrize("count", [0, 1, 4096, 4097, 70000])
@pytest.mark.parametrize("most", [1 << 16, 1 << 20, 1 << 40])
def test_sets_are_serialized_as_by_pylance(count, most):
    from lance.dataset import serialize_row_addrs as theirs

    ids = np.random.default_rng(count).integers(0, most, count).tolist()
    assert serialize_row_addrs(ids) == theirs(ids)


@pytest.fixture(params=[False, True], ids=["addresses", "stable"])
def uri(request, tmp_path):
    vectors = pa.array([[i, i] for i in range(10)], pa.list_(pa.float32(), 2))
    table = pa.table({"a": range(10), "v": vectors})
    path = str(tmp_path / "t")
    tusk.write_dataset(table, path, max_rows_per_file=4, enable_stable_row_ids=request.param)
    return path


@pytest.mark.parametrize("filter", [None, "a < 6", pc.field("a") < 6])
@pytest.mark.parametrize(
    ("allowed", "blocked"),
    [
        ([0, 2, 5, (1 << 32) + 1], None),
        (None, [0, 2, 5, (1 << 32) + 1]),
        ([0, 1, 2], [1]),
        ([], None),
        (None, []),
        (ALL_OF_FRAGMENT_1, None),
        (None, ALL_OF_FRAGMENT_1),
    ],
)
def test_a_scan_gives_the_rows_that_pylance_gives(uri, filter, allowed, blocked):
    masks = {
        name: ids if ids is None or isinstance(ids, bytes) else serialize_row_addrs(ids)
        for name, ids in (("row_addr_allowlist", allowed), ("row_addr_blocklist", blocked))
    }
    scans = [
        package.dataset(uri).scanner(["a"], filter, with_row_id=True, **masks)
        for package in (lance, tusk)
    ]
    assert scans[1].to_table() == scans[0].to_table()
    assert scans[1].count_rows() == scans[0].count_rows()


def test_a_search_ranks_only_rows_of_the_set(uri):
    nearest = {"column": "v", "q": [0, 0], "k": 2}
    mask = serialize_row_addrs([0, 2])
    found = [
        package.dataset(uri).scanner(["a"], nearest=nearest, row_addr_blocklist=mask).to_table()
        for package in (lance, tusk)
    ]
    assert found[1]["a"].to_pylist() == found[0]["a"].to_pylist()
    assert 0 not in found[1]["a"].to_pylist()


def test_runs_of_a_bitmap_are_understood(uri):
    # Values 1 to 2 and 6 to 8 as one container of two runs.
    runs = struct.pack("<I", 12347) + b"\1" + struct.pack("<HH5H", 0, 4, 2, 1, 1, 6, 2)
    mask = struct.pack("<III", 1, 0, len(runs)) + runs
    rows = tusk.dataset(uri).scanner(["a"], row_addr_allowlist=mask).to_table()
    assert rows == lance.dataset(uri).scanner(["a"], row_addr_allowlist=mask).to_table()


VALID = serialize_row_addrs([0, 2, 70000, 1 << 40])


@pytest.mark.parametrize("length", range(len(VALID)))
def test_bytes_that_end_early_are_refused(uri, length):
    with pytest.raises(ValueError, match="row_addr_allowlist is no serialized set of row ids"):
        tusk.dataset(uri).scanner(row_addr_allowlist=VALID[:length])


@pytest.mark.parametrize(
    "bitmap",
    [
        struct.pack("<II", 7, 0),
        struct.pack("<II4H2I2H", 12346, 2, 1, 0, 0, 0, 24, 26, 5, 6),  # keys descend
        struct.pack("<I", 12347) + b"\1" + struct.pack("<HH3H", 0, 4, 1, 65535, 5),  # past the end
        struct.pack("<I", 12347) + b"\1" + struct.pack("<HH5H", 0, 4, 2, 1, 9, 5, 1),  # overlap
    ],
)
def test_a_bitmap_that_breaks_its_format_is_refused(uri, bitmap):
    mask = struct.pack("<III", 1, 0, len(bitmap)) + bitmap
    with pytest.raises(ValueError, match="row_addr_blocklist is no serialized set of row ids"):
        tusk.dataset(uri).scanner(row_addr_blocklist=mask)


def test_what_is_no_set_is_refused(uri):
    with pytest.raises(OverflowError, match="must not be negative"):
        serialize_row_addrs([-1])
    with pytest.raises(TypeError, match="must be bytes, not str"):
        tusk.dataset(uri).scanner(row_addr_allowlist="x")


@pytest.mark.parametrize("filter", ["a > 1;", "a > 1 -- and no more", "a > 1"])
def test_a_filter_stands_for_itself_beside_a_mask(filter, tmp_path):
    table = tusk.write_dataset(pa.table({"a": range(5)}), tmp_path / "t.lance")
    mask = serialize_row_addrs([1, 2, 3])
    assert table.scanner(filter=filter, row_addr_allowlist=mask).to_table()["a"].to_pylist() == [
        2,
        3,
    ]
    for wrong in ("a = 1) OR (true", "a = 1 /* "):
        with pytest.raises(ValueError):
            table.scanner(filter=wrong, row_addr_allowlist=mask)
