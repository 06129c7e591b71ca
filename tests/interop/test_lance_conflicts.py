"""Every ordered pair of operations on one table: tusk takes or refuses a commit as pylance does, on
top of what either has committed, and makes the same table."""

import shutil
import uuid

import lance
import pyarrow as pa
import pytest
from lance.commit import CommitConflictError
from lance.file import LanceFileWriter

import tusk
from tusk.transaction import operation_to_json

ROWS = 10  # of each fragment


def _rows(first, count=ROWS):
    return pa.table({"a": range(first, first + count), "b": [7 * i for i in range(count)]})


class Base:
    """A table with four fragments and the files of operations that are not committed yet."""

    def __init__(self, path, **options):
        self.path = str(path)
        data = pa.concat_tables(_rows(100 * i) for i in range(4))
        lance.write_dataset(data, self.path, max_rows_per_file=ROWS, **options)
        lance.dataset(self.path).update_config({"first": "1"})
        self.dataset = lance.dataset(self.path)
        self.version = self.dataset.version

    def fragment(self, number):
        return self.dataset.get_fragment(number).metadata

    def new(self, first, count=ROWS):
        return lance.fragment.write_fragments(_rows(first, count), self.path)

    def less(self, number, condition):
        return self.dataset.get_fragment(number).delete(condition)

    def file(self, number):
        """A file of new values of column b in a fragment."""
        name = f"{uuid.uuid4()}.lance"
        schema = pa.schema([pa.field("b", pa.int64())])
        with LanceFileWriter(f"{self.path}/data/{name}", schema) as writer:
            writer.write_batch(pa.table({"b": [number] * ROWS}))
        return lance.fragment.DataFile(name, [1], [0], 2, 2)


def _index(name, fragments):
    return lance.Index(
        uuid=str(uuid.uuid4()),
        name=name,
        fields=[0],
        dataset_version=1,
        fragment_ids=lance.bitmap.Bitmap(fragments),
        index_version=0,
        index_details=("/lance.table.BTreeIndexDetails", b""),
    )


def _update_columns(base, number):
    data = pa.table({"a": range(100 * number, 100 * number + 3), "b": [1, 2, 3]})
    fragment, fields = base.dataset.get_fragment(number).update_columns(data, "a", "a")
    return {"updated_fragments": [fragment], "fields_modified": fields,
            "update_mode": "rewrite_columns"}  # fmt: skip


def _update_rows(base, number):
    return {
        "updated_fragments": [base.less(number, f"a = {100 * number + 2}")],
        "new_fragments": base.new(100 * number + 2, 1),
        "fields_for_preserving_frag_bitmap": [1],
        "update_mode": "rewrite_rows",
    }


# Name: what makes the operation, of a module that has LanceOperation, on a base with a schema.
OPERATIONS = {
    "append": lambda op, base, schema: op.Append(base.new(900)),
    "delete 0": lambda op, base, schema: op.Delete([base.less(0, "a = 1")], [], "a = 1"),
    "delete 1": lambda op, base, schema: op.Delete([base.less(1, "a = 101")], [], "a = 101"),
    "remove 0": lambda op, base, schema: op.Delete([], [0], "a < 100"),
    "overwrite": lambda op, base, schema: op.Overwrite(schema, base.new(800)),
    "update 0": lambda op, base, schema: op.Update(**_update_rows(base, 0)),
    "update columns 0": lambda op, base, schema: op.Update(**_update_columns(base, 0)),
    "merge": lambda op, base, schema: op.Merge([base.fragment(i) for i in range(4)], schema, True),
    "merge, nulls": lambda op, base, schema: op.Merge(
        [base.fragment(i) for i in range(4)], schema, False
    ),
    "project": lambda op, base, schema: op.Project(schema, True),
    "project, nulls": lambda op, base, schema: op.Project(schema, False),
    "rewrite 0": lambda op, base, schema: op.Rewrite(
        [op.RewriteGroup([base.fragment(0)], base.new(0))], []
    ),
    "rewrite 2, 3": lambda op, base, schema: op.Rewrite(
        [op.RewriteGroup([base.fragment(2), base.fragment(3)], base.new(200, 20))], []
    ),
    "restore": lambda op, base, schema: op.Restore(1),
    "index i of 0": lambda op, base, schema: op.CreateIndex([_index("i", [0])], []),
    "index i of 2": lambda op, base, schema: op.CreateIndex([_index("i", [2])], []),
    "index j of 2": lambda op, base, schema: op.CreateIndex([_index("j", [2])], []),
    "replace 0": lambda op, base, schema: op.DataReplacement(
        [op.DataReplacementGroup(0, base.file(0))]
    ),
    "replace 1": lambda op, base, schema: op.DataReplacement(
        [op.DataReplacementGroup(1, base.file(1))]
    ),
    "config k": lambda op, base, schema: op.UpdateConfig(op.UpdateMap({"k": "1"})),
    "config, no k": lambda op, base, schema: op.UpdateConfig(op.UpdateMap({"k": None})),
    "table metadata": lambda op, base, schema: op.UpdateConfig(None, op.UpdateMap({"k": "1"})),
    "schema metadata": lambda op, base, schema: op.UpdateConfig(
        schema_metadata_updates=op.UpdateMap({"k": "1"})
    ),
    "field metadata": lambda op, base, schema: op.UpdateConfig(
        field_metadata_updates={1: op.UpdateMap({"k": "1"})}
    ),
}


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    base = Base(tmp_path_factory.mktemp("conflicts") / "base")
    # The same files for both, so that the tables can be compared.
    base.theirs, base.ours = {}, {}
    ours = tusk.dataset(base.path).lance_schema
    for name, make in OPERATIONS.items():
        operation = make(lance.LanceOperation, base, base.dataset.lance_schema)
        base.theirs[name] = operation
        base.ours[name] = _as_ours(operation, ours)
    return base


def _as_ours(operation, schema):
    """An operation of pylance with our schema, which shows its field ids."""
    for name in ("schema", "new_schema"):
        if hasattr(operation, name):
            values = {k: v for k, v in vars(operation).items() if k != name}
            own = getattr(tusk.LanceOperation, type(operation).__name__)
            return own(**{name: schema}, **values)
    return operation


def _commit(module, path, operation, version):
    """The dataset, or what kind of conflict there was."""
    try:
        return module.LanceDataset.commit(path, operation, read_version=version)
    except (CommitConflictError, tusk.errors.CommitConflictError) as error:
        return "retryable" if error.retryable else "incompatible"


def _look(path):
    dataset = lance.dataset(path)
    dataset.validate()
    fragments = [
        (f.fragment_id, [d.path for d in f.data_files()], f.num_deletions)
        for f in dataset.get_fragments()
    ]
    return dataset.to_table().sort_by("a"), fragments, dataset.config(), dataset.metadata


@pytest.mark.parametrize("theirs", OPERATIONS)
def test_pairs(theirs, base, tmp_path):
    after_lance, after_tusk, ours = (str(tmp_path / name) for name in ("l", "t", "o"))
    shutil.copytree(base.path, after_lance)
    shutil.copytree(base.path, after_tusk)
    lance.LanceDataset.commit(after_lance, base.theirs[theirs], read_version=base.version)
    tusk.LanceDataset.commit(after_tusk, base.ours[theirs], read_version=base.version)
    assert _look(after_tusk) == _look(after_lance)
    wrong = []
    for name in OPERATIONS:
        outcomes = []
        for module, operations, start in (
            (lance, base.theirs, after_lance),
            (tusk, base.ours, after_lance),
            (lance, base.theirs, after_tusk),
        ):
            path = f"{ours}-{len(outcomes)}-{name}"
            shutil.copytree(start, path)
            outcome = _commit(module, path, operations[name], base.version)
            outcomes.append(outcome if isinstance(outcome, str) else _look(path))
        if any(outcome != outcomes[0] for outcome in outcomes):
            wrong.append((name, [o if isinstance(o, str) else "ok" for o in outcomes]))
    assert not wrong


def _plain(value):
    """Without what is not said or not there, in an order of its own."""
    if isinstance(value, dict):
        parts = {key: _plain(part) for key, part in value.items() if key != "overlays"}
        return {key: part for key, part in parts.items() if part not in (None, [], {}, "")}
    return [_plain(part) for part in value] if isinstance(value, list) else value


@pytest.mark.parametrize("kind", OPERATIONS)
def test_transactions_are_read_as_they_were_made(kind, base, tmp_path):
    path = str(tmp_path / "t")
    for module, operations in ((lance, base.theirs), (tusk, base.ours)):
        shutil.copytree(base.path, path)
        committed = module.LanceDataset.commit(
            path, operations[kind], read_version=base.version, commit_message="hello"
        )
        read = tusk.dataset(path).read_transaction(committed.version)
        assert read.read_version == base.version
        assert read.transaction_properties == {"__lance_commit_message": "hello"}
        made, told = (_plain(operation_to_json(o)[0]) for o in (base.ours[kind], read.operation))
        assert {key: told[key] for key in made} == made
        known = lance.dataset(path).read_transaction(committed.version)
        assert type(known.operation).__name__ == type(read.operation).__name__
        assert known.uuid == read.uuid
        shutil.rmtree(path)


def test_a_conflict_names_the_other_transaction(base, tmp_path):
    path = str(tmp_path / "t")
    shutil.copytree(base.path, path)
    lance.LanceDataset.commit(path, base.theirs["delete 0"], read_version=base.version)
    other = lance.dataset(path).read_transaction(base.version + 1)
    with pytest.raises(tusk.errors.CommitConflictError) as raised:
        tusk.LanceDataset.commit(path, base.ours["update 0"], read_version=base.version)
    assert f"version {base.version + 1} (delete, transaction {other.uuid})" in str(raised.value)
    assert raised.value.retryable
