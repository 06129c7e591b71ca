"""Random histories of a Lance table beside a plain model of it, which is a list of dicts.

    python tests/interop/table_model.py [--rounds 1000] [--seed 0]

Each step is one change, made by tusk or, at its turn, by pylance. After it the table has the rows of
the model, read by both; older versions are what they were; and after a cleanup there are no files but
those that the versions name.
"""

import argparse
import pathlib
import random
import tempfile

import lance
import pyarrow as pa

import tusk

_FAST = {"durable": "false"}


class Model:
    """The rows as they should be, and the type of each column."""

    def __init__(self):
        self.types = {"id": pa.int64(), "text": pa.string(), "number": pa.int32()}
        self.rows = []
        self.next_id = 0

    def copy(self):
        other = Model()
        other.types, other.next_id = dict(self.types), self.next_id
        other.rows = [dict(row) for row in self.rows]
        return other

    def make_rows(self, draw, count):
        rows = []
        for _ in range(count):
            row = {name: None for name in self.types}
            row["id"] = self.next_id
            self.next_id += 1
            for name in self.types:
                if name != "id" and draw.random() < 0.8:
                    row[name] = _value(draw, self.types[name])
            rows.append(row)
        return rows

    def to_table(self, rows, names=None):
        names = names or list(self.types)
        schema = pa.schema([pa.field(name, self.types[name]) for name in names])
        return pa.Table.from_pylist([{name: row[name] for name in names} for row in rows], schema)

    def key(self):
        """Something that is equal for equal rows in any order."""
        return sorted(tuple(sorted((k, repr(v)) for k, v in row.items())) for row in self.rows)


def _value(draw, kind):
    number = draw.randint(0, 20)
    return f"t{number}" if pa.types.is_string(kind) else number


def _key(table):
    return sorted(tuple(sorted((k, repr(v)) for k, v in row.items())) for row in table.to_pylist())


class History:
    """One table, its model, and the models of its versions."""

    def __init__(self, path, seed):
        self.path = path
        self.draw = random.Random(seed)
        self.model = Model()
        self.versions = {}
        self.tags = set()  # versions
        self.stable = self.draw.random() < 0.5
        rows = self.model.make_rows(self.draw, self.draw.randint(1, 40))
        self.model.rows = rows
        tusk.write_dataset(
            self.model.to_table(rows), path, max_rows_per_file=self.draw.randint(5, 30),
            enable_stable_row_ids=self.stable, storage_options=_FAST,
        )
        self.log = [f"create of {len(rows)} rows, stable row ids: {self.stable}"]

    def run(self, steps):
        self.check()
        for _ in range(steps):
            writer = tusk if self.draw.random() < 0.75 else lance
            table = tusk.dataset(self.path, storage_options=_FAST) if writer is tusk else (
                lance.dataset(self.path)
            )
            action = self.draw.choice(self.ACTIONS)
            self.log.append(f"{writer.__name__}: {action.__name__}")
            before = table.version
            action(self, table, writer)
            self.check(is_new=lance.dataset(self.path).version != before)

    def check(self, is_new=True):
        ours, theirs = tusk.dataset(self.path), lance.dataset(self.path)
        if is_new:
            # pylance's compaction makes two versions.
            for version in range(max(self.versions, default=0) + 1, theirs.version + 1):
                self.versions[version] = self.model.copy()
        expected = self.model.key()
        assert ours.version == theirs.version
        assert ours.schema.names == theirs.schema.names == list(self.model.types)
        assert _key(theirs.to_table()) == expected
        assert _key(ours.to_table()) == expected
        assert ours.count_rows() == len(expected)
        ids = ours.to_table(["id"], with_row_id=True)
        if ids.num_rows:
            some = self.draw.choices(range(ids.num_rows), k=3)
            rows = ours._take_rows([ids["_rowid"][i].as_py() for i in some], ["id"])
            assert rows["id"].to_pylist() == [ids["id"][i].as_py() for i in some]
        version = self.draw.choice(list(self.versions))
        assert _key(tusk.dataset(self.path, version).to_table()) == self.versions[version].key()

    def _some(self):
        """An SQL condition and the same in Python."""
        number = self.draw.randint(1, 6)
        rest = self.draw.randint(0, number - 1)
        return f"id % {number} = {rest}", lambda row: row["id"] % number == rest

    def append(self, table, writer):
        rows = self.model.make_rows(self.draw, self.draw.randint(1, 30))
        table.insert(self.model.to_table(rows))
        self.model.rows += rows

    def overwrite(self, table, writer):
        self.model.rows = self.model.make_rows(self.draw, self.draw.randint(1, 30))
        writer.write_dataset(self.model.to_table(self.model.rows), self.path, mode="overwrite")

    def delete(self, table, writer):
        condition, holds = self._some()
        table.delete(condition)
        self.model.rows = [row for row in self.model.rows if not holds(row)]

    def update(self, table, writer):
        condition, holds = self._some()
        names = [name for name, kind in self.model.types.items()
                 if name != "id" and not pa.types.is_string(kind)]
        if not names:
            return
        name = self.draw.choice(names)
        table.update({name: f"coalesce({name}, 0) + 1"}, where=condition)
        for row in self.model.rows:
            if holds(row):
                row[name] = (row[name] or 0) + 1

    def merge(self, table, writer):
        old = self.draw.sample(self.model.rows, min(len(self.model.rows), self.draw.randint(0, 8)))
        new = self.model.make_rows(self.draw, self.draw.randint(0, 5))
        changed = []
        for row in old:
            other = dict(row)
            for name, kind in self.model.types.items():
                if name != "id":
                    other[name] = _value(self.draw, kind)
            changed.append(other)
        if not changed and not new:
            return
        source = self.model.to_table(changed + new)
        builder = table.merge_insert("id")
        update, insert = self.draw.random() < 0.8, self.draw.random() < 0.8
        if update:
            builder = builder.when_matched_update_all()
        if insert:
            builder = builder.when_not_matched_insert_all()
        if not update and not insert:
            return
        builder.execute(source)
        by_id = {row["id"]: row for row in changed} if update else {}
        self.model.rows = [by_id.get(row["id"], row) for row in self.model.rows]
        self.model.rows += new if insert else []

    def add_column(self, table, writer):
        name = f"c{table.version}"
        if name in self.model.types or len(self.model.types) > 8:
            return
        if self.draw.random() < 0.5:
            table.add_columns({name: "id * 2"})
            self.model.types[name] = pa.int64()
            for row in self.model.rows:
                row[name] = row["id"] * 2
        else:
            table.add_columns(pa.field(name, pa.string()))
            self.model.types[name] = pa.string()
            for row in self.model.rows:
                row[name] = None

    def drop_column(self, table, writer):
        names = [name for name in self.model.types if name != "id"]
        if len(names) < 2:
            return
        name = self.draw.choice(names)
        table.drop_columns([name])
        del self.model.types[name]
        for row in self.model.rows:
            del row[name]

    def alter_column(self, table, writer):
        names = [name for name in self.model.types if name != "id"]
        name, new_name = self.draw.choice(names), f"r{table.version}"
        if new_name in self.model.types:
            return
        change = {"path": name, "name": new_name}
        kind = self.model.types[name]
        if pa.types.is_integer(kind) and self.draw.random() < 0.5:
            kind = change["data_type"] = pa.int64()
        table.alter_columns(change)
        self.model.types = {
            (new_name if one == name else one): (kind if one == name else other)
            for one, other in self.model.types.items()
        }
        for row in self.model.rows:
            row[new_name] = row.pop(name)

    def compact(self, table, writer):
        table.optimize.compact_files(target_rows_per_fragment=self.draw.choice([10, 50, 1000]))

    def tag(self, table, writer):
        version = self.draw.choice(list(self.versions))
        table.tags.create(f"tag{len(self.log)}", version)
        self.tags.add(version)

    def restore(self, table, writer):
        version = self.draw.choice(list(self.versions))
        if version == table.version:
            return
        old = table.checkout_version(version)
        old.restore()
        next_id = self.model.next_id
        self.model = self.versions[version].copy()
        self.model.next_id = next_id

    def clean_up(self, table, writer):
        keep = self.draw.randint(1, 4)
        table.cleanup_old_versions(
            retain_versions=keep, error_if_tagged_old_versions=False, delete_unverified=True
        )
        last = sorted(self.versions)[-keep:]
        self.versions = {
            version: model for version, model in self.versions.items()
            if version in last or version in self.tags
        }
        assert [one["version"] for one in table.versions()] == sorted(self.versions)
        data = {str(file.name) for file in pathlib.Path(self.path, "data").iterdir()}
        named = set()
        for version in self.versions:
            for fragment in lance.dataset(self.path, version).get_fragments():
                named |= {file.path for file in fragment.metadata.files}
        assert data == named

    ACTIONS = (append, append, overwrite, delete, delete, update, update, merge, merge, add_column,
               drop_column, alter_column, compact, tag, restore, clean_up)


def run(path, seed, steps=25):
    history = History(path, seed)
    try:
        history.run(steps)
    except Exception as error:
        error.add_note(f"seed {seed}:\n  " + "\n  ".join(history.log))
        raise


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    for seed in range(arguments.seed, arguments.seed + arguments.rounds):
        with tempfile.TemporaryDirectory() as folder:
            run(f"{folder}/t", seed)
    print(f"{arguments.rounds} histories are as their models")


if __name__ == "__main__":
    main()
