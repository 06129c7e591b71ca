"""Batches of exactly the rows asked for, whatever the fragments and the filter are."""

import pyarrow as pa
import pytest

import tusk

lance = pytest.importorskip("lance")


@pytest.fixture(scope="module")
def uri(tmp_path_factory):
    path = str(tmp_path_factory.mktemp("exact") / "t")
    tusk.write_dataset(
        pa.table({"a": range(1000), "b": [f"text {i}" for i in range(1000)]}),
        path,
        max_rows_per_file=130,
    )
    return path


def both(uri, **how):
    how["strict_batch_size"] = True
    return [package.dataset(uri).scanner(**how) for package in (lance, tusk)]


@pytest.mark.parametrize(
    "how",
    [
        {"batch_size": 100},
        {"batch_size": 1},
        {"batch_size": 7000},
        {},
        {"batch_size": 64, "filter": "a % 3 = 0"},
        {"batch_size": 100, "limit": 250, "offset": 120},
        {"batch_size": 100, "filter": "a < 0"},
        {"batch_size": 10, "columns": {"next": "a + 1"}},
    ],
)
def test_batches_are_as_long_as_those_of_pylance(uri, how):
    theirs, ours = both(uri, **how)
    expected = [batch.num_rows for batch in theirs.to_batches()]
    assert [batch.num_rows for batch in ours.to_batches()] == expected
    assert [batch.num_rows for batch in ours.to_reader()] == expected
    assert ours.to_reader().read_all() == theirs.to_reader().read_all()


def test_statistics_are_told_too(uri):
    told = []
    scanner = tusk.dataset(uri).scanner(
        batch_size=100, strict_batch_size=True, scan_stats_callback=told.append
    )
    assert sum(batch.num_rows for batch in scanner.to_reader()) == 1000
    assert [one.all_counts["rows_scanned"] for one in told] == [1000]


def test_fragments_give_them_too(uri):
    fragments = [package.dataset(uri).get_fragments()[0] for package in (lance, tusk)]
    rows = [
        [batch.num_rows for batch in fragment.to_batches(batch_size=50, strict_batch_size=True)]
        for fragment in fragments
    ]
    assert rows[1] == rows[0] == [50, 50, 30]
