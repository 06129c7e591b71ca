"""What tables keep in memory, together or each for itself."""

import pyarrow as pa
import pytest

import tusk

ROWS = pa.table({"a": range(50_000), "b": [f"text {i}" for i in range(50_000)]})


@pytest.fixture
def uri(tmp_path):
    tusk.write_dataset(ROWS, tmp_path / "t", max_rows_per_file=10_000)
    return str(tmp_path / "t")


def requests(dataset, rows):
    dataset.io_stats_incremental()
    dataset.take(rows)
    return dataset.io_stats_incremental().read_iops


def test_what_is_kept_is_found_by_another_table_of_the_session(uri):
    session = tusk.Session()
    rows = list(range(0, 50_000, 1000))
    first = tusk.dataset(uri, session=session)
    cold = requests(first, rows)
    requests(first, rows)
    kept = session.size_bytes()
    assert kept > 0
    second = tusk.dataset(uri, session=session)
    assert requests(second, rows) == 0 < cold
    assert session.size_bytes() == kept
    assert requests(tusk.dataset(uri), rows) == cold


def test_values_are_kept_unless_there_is_no_room_for_them(uri):
    rows = list(range(0, 50_000, 500))
    with_values = tusk.dataset(uri, session=tusk.Session())
    without = tusk.dataset(uri, session=tusk.Session(value_cache_size_bytes=0))
    for _ in range(2):
        requests(with_values, rows)
        requests(without, rows)
    assert requests(with_values, rows) == 0
    assert requests(without, rows) > 0
    assert without.session().size_bytes() < with_values.session().size_bytes()


def test_a_table_without_room_keeps_one_file(uri):
    rows = list(range(0, 50_000, 500))
    small = tusk.dataset(uri, metadata_cache_size_bytes=0)
    usual = tusk.dataset(uri)
    for _ in range(2):
        requests(small, rows)
        requests(usual, rows)
    assert small.take(rows) == usual.take(rows)
    assert requests(small, rows) > requests(usual, rows)
    assert small.session().size_bytes() < usual.session().size_bytes() / 2


def test_a_dataset_stays_in_its_session(uri):
    session = tusk.Session()
    dataset = tusk.dataset(uri, session=session)
    assert dataset.session() is session
    dataset.take([1])
    for change in (
        lambda: dataset.delete("a = 1"),
        lambda: dataset.insert(ROWS),
        lambda: dataset.add_columns({"c": "a + 1"}),
        lambda: dataset.optimize.compact_files(),
        lambda: dataset.checkout_latest(),
    ):
        change()
        assert tusk.Session._of(dataset._table).is_same_as(session)
    for other in (dataset.checkout_version(1), dataset.create_branch("side")):
        assert other.session().is_same_as(session)
    assert dataset.count_rows() == 99_999


def test_the_session_of_an_open_table_can_be_joined(uri):
    first = tusk.dataset(uri)
    rows = [1, 2, 3]
    requests(first, rows)
    requests(first, rows)
    second = tusk.dataset(uri, session=first.session())
    assert requests(second, rows) == 0
    assert second.session().is_same_as(first.session())
    assert not tusk.dataset(uri).session().is_same_as(first.session())
    first.delete("a = 1")
    assert tusk.Session._of(first._table).is_same_as(second.session())


def test_a_written_table_is_opened_in_the_session(tmp_path):
    session = tusk.Session()
    dataset = tusk.write_dataset(ROWS, tmp_path / "t", session=session)
    assert dataset.session() is session
    dataset.take([1])
    assert session.size_bytes() > 0


def test_sizes_are_given_in_the_ways_of_pylance():
    for given in (
        {"index_cache_size_bytes": 100, "metadata_cache_size_bytes": 1000},
        {"metadata_cache_backend": "moka://?capacity=1000"},
        {"metadata_cache_backend": {"kind": "moka", "options": {"capacity": "1000"}}},
        {"index_cache_backend": "moka://"},
    ):
        session = tusk.Session(**given)
        assert (session.size_bytes(), session.index_cache_size_bytes()) == (0, 0)


@pytest.mark.parametrize(
    ("given", "error", "text"),
    [
        ({"metadata_cache_size_bytes": -1}, OverflowError, "must not be negative"),
        ({"value_cache_size_bytes": -1}, OverflowError, "must not be negative"),
        ({"metadata_cache_size_bytes": "x"}, TypeError, "integer"),
        ({"index_cache_backend": "disk://"}, ValueError, "unknown kind of cache 'disk'"),
        ({"index_cache_backend": 7}, TypeError, "must be a text or a dict"),
        ({"metadata_cache_backend": "moka://?size=1"}, ValueError, "unknown option 'size'"),
        (
            {"metadata_cache_backend": "moka://", "metadata_cache_size_bytes": 1},
            ValueError,
            "mutually exclusive",
        ),
    ],
)
def test_sizes_that_make_no_sense_are_refused(given, error, text):
    with pytest.raises(error, match=text):
        tusk.Session(**given)


def test_what_is_no_session_is_refused(uri):
    with pytest.raises(TypeError, match="session must be a Session, not int"):
        tusk.dataset(uri, session=3)
    with pytest.raises(OverflowError):
        tusk.dataset(uri, metadata_cache_size_bytes=-1)


def test_storage_options_are_told_by_an_accessor(uri):
    assert tusk.dataset(uri).storage_options_accessor is None
    accessor = tusk.dataset(uri, storage_options={"durable": "false"}).storage_options_accessor
    assert accessor.get_storage_options() == accessor.initial_storage_options()
    assert accessor.get_storage_options() == {"durable": "false"}
    assert not accessor.has_provider()
    same = type(accessor).with_static_options({"durable": "false"})
    other = type(accessor).with_static_options({"durable": "true"})
    assert same.accessor_id() == accessor.accessor_id() != other.accessor_id()
