"""What each operation makes of stable row ids, versions of rows and indices: tusk's next version is
pylance's."""

import dataclasses
import json
import shutil

import lance
import pyarrow as pa
import pytest
import test_lance_conflicts as pairs

import tusk

pytestmark = pytest.mark.parametrize("stable", [False, True])

LINEAGE = ["_rowid", "_row_created_at_version", "_row_last_updated_at_version"]


class Base(pairs.Base):
    """The table of the other tests with an index of column a, and one of column b."""

    def __init__(self, path, stable):
        self.stable = stable
        super().__init__(path, enable_stable_row_ids=stable)
        self.dataset.create_scalar_index("a", "BTREE")
        self.dataset.create_scalar_index("b", "BITMAP")
        version = lance.dataset(self.path).version
        reserve = tusk.LanceOperation.ReserveFragments(2)  # 4 and 5
        tusk.LanceDataset.commit(self.path, reserve, read_version=version)
        self.dataset = lance.dataset(self.path)
        self.version = self.dataset.version

    def moved(self, fragments, source):
        """New fragments under the row ids of the rows that they are made of."""
        if not self.stable:
            return fragments
        # A range of ids, as the format has it.
        ids = bytes([10, 6, 10, 4, 8, source[0], 16, source[1]])
        meta = lance.fragment.RowIdMeta.from_json(json.dumps({"Inline": list(ids)}))
        kept = dataclasses.replace(fragments[0], row_id_meta=meta)
        old = self.fragment(source[0] // pairs.ROWS)
        if source[1] - source[0] == pairs.ROWS:
            kept = dataclasses.replace(
                kept,
                created_at_version_meta=old.created_at_version_meta,
                last_updated_at_version_meta=old.last_updated_at_version_meta,
            )
        return [kept]


def _update_rows(base, field):
    return {
        "updated_fragments": [base.less(0, "a = 2")],
        "new_fragments": base.moved(base.new(2, 1), (2, 3)),
        "fields_for_preserving_frag_bitmap": [field],
        "update_mode": "rewrite_rows",
    }


def _reserved(fragments):
    return [dataclasses.replace(fragments[0], id=5)]


OPERATIONS = {
    "append": lambda op, base, schema: op.Append(base.new(900)),
    "delete": lambda op, base, schema: op.Delete([base.less(0, "a = 1")], [2], "a = 1"),
    "delete all": lambda op, base, schema: op.Delete([], [0, 1, 2, 3], "true"),
    "overwrite": lambda op, base, schema: op.Overwrite(schema, base.new(800)),
    "update b": lambda op, base, schema: op.Update(**_update_rows(base, 1)),
    "update a": lambda op, base, schema: op.Update(**_update_rows(base, 0)),
    "update columns": lambda op, base, schema: op.Update(**pairs._update_columns(base, 0)),
    "merge": lambda op, base, schema: op.Merge(
        [base.fragment(i) for i in range(4)] + base.new(500), schema, True
    ),
    "rewrite": lambda op, base, schema: op.Rewrite(
        [op.RewriteGroup([base.fragment(1)], _reserved(base.moved(base.new(100), (10, 20))))], []
    ),
    "restore": lambda op, base, schema: op.Restore(1),
    "index": lambda op, base, schema: op.CreateIndex([pairs._index("j", [0])], []),
    "replace": lambda op, base, schema: op.DataReplacement(
        [op.DataReplacementGroup(2, base.file(2))]
    ),
    "config": lambda op, base, schema: op.UpdateConfig(op.UpdateMap({"first": None})),
}


@pytest.fixture(scope="module")
def bases(tmp_path_factory):
    return {s: Base(tmp_path_factory.mktemp("operations") / "base", s) for s in (False, True)}


def _look(path, stable):
    dataset = lance.dataset(path)
    dataset.validate()
    columns = ["a", "b"] + (LINEAGE if stable else ["_rowaddr"])
    rows = dataset.scanner(columns=columns).to_table()
    indices = sorted(
        (index.name, segment.uuid, sorted(segment.fragment_ids))
        for index in dataset.describe_indices()
        for segment in index.segments
    )
    return rows.to_pylist(), indices, [f.fragment_id for f in dataset.get_fragments()]


@pytest.mark.parametrize("name", OPERATIONS)
def test_makes_the_version_that_pylance_makes(name, stable, bases, tmp_path):
    base = bases[stable]
    operation = OPERATIONS[name](lance.LanceOperation, base, base.dataset.lance_schema)
    ours = pairs._as_ours(operation, tusk.dataset(base.path).lance_schema)
    looks = []
    for module, made in ((lance, operation), (tusk, ours)):
        path = str(tmp_path / module.__name__)
        shutil.copytree(base.path, path)
        module.LanceDataset.commit(path, made, read_version=base.version)
        looks.append(_look(path, stable))
        # The next version goes on from there: row ids and fragment ids are not given twice.
        lance.write_dataset(pairs._rows(3000), path, mode="append")
        looks.append(_look(path, stable))
    assert looks[2] == looks[0]
    assert looks[3] == looks[1]


def test_inserted_rows_behind_moved_ones(stable, bases, tmp_path):
    """They get new ids, and no index covers them: only the moved ones are in there. (pylance lets
    its index cover them, and then does not find them.)"""
    base = bases[stable]
    rows = pa.table({"a": [2, 1000, 1001], "b": [14, 777, 778]})
    added = lance.fragment.write_fragments(rows, base.path)
    operation = lance.LanceOperation.Update(
        **{**_update_rows(base, 0), "new_fragments": base.moved(added, (2, 3))}
    )
    looks = []
    for module in (lance, tusk):
        path = str(tmp_path / module.__name__)
        shutil.copytree(base.path, path)
        module.LanceDataset.commit(path, operation, read_version=base.version)
        looks.append(_look(path, stable))
    assert looks[0][0] == looks[1][0]
    for condition in ("b = 777", "a = 1001 or a = 2"):
        found = lance.dataset(path).scanner(filter=condition)
        plain = lance.dataset(path).scanner(filter=condition, use_scalar_index=False)
        assert found.to_table().sort_by("a") == plain.to_table().sort_by("a")
        assert found.to_table().num_rows > 0
