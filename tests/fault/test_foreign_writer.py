"""Writers that do not know of the lake: pylance by path, pyiceberg on the catalog's file."""

import contextlib
import pathlib

import lance
import pyarrow as pa
import pytest
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.exceptions import TableAlreadyExistsError

import tusk


def rows(first, count):
    ids = range(first, first + count)
    # Every text is another one and some are null, on both sides.
    text = [None if number % 3 == 0 else f"text {number}" for number in ids]
    return pa.table({"id": pa.array(ids, pa.int64()), "text": pa.array(text, pa.string())})


def ids(table):
    values = table.to_pydict()
    for number, text in zip(values["id"], values["text"]):
        assert text == (None if number % 3 == 0 else f"text {number}")
    return sorted(values["id"])


class TwoTables:
    """A lake that gets the same rows in a Lance and an Iceberg table."""

    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.lake = tusk.init(root)

    @property
    def lance_path(self):
        return self.root / "tables/items/things.lance"

    def append(self, data):
        return self.lake.append({"items.things": data}, {"items.things_meta": data})

    def lance_ids(self, at=None):
        lake = tusk.connect(self.root, at=at)
        return ids(lake.table("items.things").to_table())

    def iceberg_ids(self, at=None):
        lake = tusk.connect(self.root, at=at)
        return ids(lake.table("items.things_meta").to_table())

    def pylance_ids(self):
        return ids(lance.dataset(self.lance_path).to_table())

    def pylance_append(self, data, mode="append"):
        lance.write_dataset(data, self.lance_path, mode=mode)

    def iceberg_catalog(self):
        return SqlCatalog(self.lake.catalog_name, uri=f"sqlite:///{self.root}/catalog.db")

    @contextlib.contextmanager
    def not_publishing(self):
        """Joint commits become true but get no final manifest name: a folder is in its place."""
        version = lance.dataset(self.lance_path).version + 1
        final = self.lance_path / "_versions" / f"{2**64 - 1 - version}.manifest"
        final.mkdir()
        yield
        final.rmdir()


@pytest.fixture
def tables(tmp_path):
    made = TwoTables(tmp_path / "lake")
    made.append(rows(0, 6))
    return made


def test_pylance_and_pyiceberg_read_what_the_lake_writes(tables):
    tables.append(rows(6, 5))
    assert tables.pylance_ids() == list(range(11))
    catalog = tables.iceberg_catalog()
    assert catalog.list_namespaces() == [("items",)]
    assert catalog.list_tables("items") == [("items", "things_meta")]
    table = catalog.load_table("items.things_meta")
    assert ids(table.scan().to_arrow()) == list(range(11))
    first, second = table.snapshots()
    assert ids(table.scan(snapshot_id=first.snapshot_id).to_arrow()) == list(range(6))
    assert second.parent_snapshot_id == first.snapshot_id


def test_a_pylance_commit_before_publication_loses_nothing(tables):
    with tables.not_publishing():
        assert tables.append(rows(6, 5)) == 2
        # Through the lake the commit is there, by path it is not yet.
        assert tables.lance_ids(at=2) == tables.iceberg_ids(at=2) == list(range(11))
    assert tables.pylance_ids() == list(range(6))
    tables.pylance_append(rows(100, 4))

    both = [*range(11), *range(100, 104)]
    assert tables.lance_ids() == both  # opening the lake publishes
    assert tables.pylance_ids() == both
    assert tables.iceberg_ids() == list(range(11))
    change = tables.lake.log()[0].changes[0]
    assert (change.name, change.version) == ("items.things", 3)
    assert lance.dataset(tables.lance_path, version=2).count_rows() == 10
    lance.dataset(tables.lance_path).validate()


def test_an_overwrite_by_pylance_before_publication_is_never_overwritten(tables):
    with tables.not_publishing():
        tables.append(rows(6, 5))
    tables.pylance_append(rows(100, 4), mode="overwrite")
    assert tables.lance_ids() == list(range(11))
    assert tables.pylance_ids() == list(range(100, 104))
    conflict = "items.things.*version 2 .*was committed in between"
    with pytest.raises(tusk.errors.CommitConflictError, match=conflict):
        tables.append(rows(11, 1))
    assert tables.iceberg_ids() == list(range(11))


def test_pylance_commits_after_publication_are_in_the_next_append(tables):
    tables.pylance_append(rows(100, 4))
    assert tables.lance_ids() == list(range(6))  # one joint version: what the pointer names
    tables.append(rows(6, 5))
    both = [*range(11), *range(100, 104)]
    assert tables.lance_ids() == tables.pylance_ids() == both


def test_a_pyiceberg_commit_is_seen_and_the_next_append_goes_on_top(tables):
    table = tables.iceberg_catalog().load_table("items.things_meta")
    table.append(rows(100, 4))
    both = [*range(6), *range(100, 104)]
    assert tables.iceberg_ids() == both
    assert tables.iceberg_ids(at=1) == list(range(6))
    tables.append(rows(6, 5))
    both = [*range(11), *range(100, 104)]
    assert tables.iceberg_ids() == both
    table.refresh()
    assert ids(table.scan().to_arrow()) == both
    assert table.current_snapshot().summary["total-records"] == "15"


def test_pyiceberg_cannot_take_the_name_of_a_lance_table(tables):
    catalog = tables.iceberg_catalog()
    with pytest.raises(TableAlreadyExistsError):
        catalog.create_table("items.things", rows(0, 1).schema, location=f"{tables.root}/elsewhere")
    assert [table.kind for table in tables.lake.tables()] == ["lance", "iceberg"]
