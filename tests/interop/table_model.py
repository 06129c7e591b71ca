"""Random histories of a Lance table beside a plain model of it, which is a list of dicts.

    python tests/interop/table_model.py [--rounds 1000] [--seed 0]

Each step is one change of the main line or of a branch, made by tusk or, at its turn, by pylance;
or two changes, made one after the other by two who had opened the same version. After it the table
has the rows of the model, read by both; stable row ids are where they were; older versions are what
they were; and there are no files but those that the versions name.
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


def _files_of(table):
    """The data and deletion files that a version names, and whether they lie in its own folder."""
    files = set()
    for fragment in table.get_fragments():
        files |= {(f"data/{file.path}", file.base_id is None) for file in fragment.metadata.files}
        deletions = fragment.metadata.deletion_file
        if deletions is not None:
            path = deletions.path(fragment.fragment_id)
            files.add((path, deletions.base_id is None))
    return files


def _key(table):
    return sorted(tuple(sorted((k, repr(v)) for k, v in row.items())) for row in table.to_pylist())


class Line:
    """The main line or a branch: its model, and the models of its versions."""

    def __init__(self, branch, parent, model):
        self.branch, self.parent, self.model = branch, parent, model
        self.versions = {}
        self.tags = set()  # versions
        self.last = 0  # version that is recorded
        # pylance's files stay when it loses a race, or does a part of its work anew.
        self.has_leftovers = False
        self.next_ids = {}  # of the model, by version
        self.row_ids = {}  # of rows by their id


class History:
    """One table, with its branches."""

    def __init__(self, path, seed):
        self.path = path
        self.draw = random.Random(seed)
        self.line = Line(None, None, Model())
        self.lines = [self.line]
        self.files = {}  # that a version names, by branch and version
        self.first_id = None  # of rows that a change must not touch
        self.stable = self.draw.random() < 0.5
        rows = self.model.make_rows(self.draw, self.draw.randint(1, 40))
        self.model.rows = rows
        tusk.write_dataset(
            self.model.to_table(rows), path, max_rows_per_file=self.draw.randint(5, 30),
            enable_stable_row_ids=self.stable, storage_options=_FAST,
        )
        self.log = [f"create of {len(rows)} rows, stable row ids: {self.stable}"]

    @property
    def model(self):
        return self.line.model

    @model.setter
    def model(self, model):
        self.line.model = model

    @property
    def versions(self):
        return self.line.versions

    def run(self, steps):
        self.check()
        for _ in range(steps):
            self.line = self.draw.choice(self.lines)
            if self.draw.random() < 0.2:
                self.race()
            else:
                writer, table = self._draw_writer()
                action = self.draw.choice(self.ACTIONS)
                self._log(writer, action)
                action(self, table, writer)
            self.check()

    def race(self):
        """Two open the same version, and change it one after the other."""
        first, second = self._draw_writer(), self._draw_writer()
        action = self.draw.choice(self.RACING)
        self._log(first[0], action, "first: ")
        action(self, first[1], first[0])
        self.record()
        writer, table = second
        model = self.model.copy()
        action = self.draw.choice(self.RACING)
        self._log(writer, action, "second: ")
        # What the first has added the second does not know.
        self.first_id, next_id = self.line.next_ids[table.version], model.next_id
        try:
            action(self, table, writer)
        except OSError as error:
            if "onflict" not in str(error):
                raise
            self.log.append("  which did not go together")
            self.model = model
            self.model.next_id = next_id + 100
        finally:
            self.first_id = None
        self.line.has_leftovers |= writer is lance

    def _draw_writer(self):
        writer = tusk if self.draw.random() < 0.75 else lance
        return writer, self._open(writer, **({"storage_options": _FAST} if writer is tusk else {}))

    def _open(self, module, version=None, **options):
        if self.line.branch is None:
            return module.dataset(self.path, version, **options)
        return module.dataset(self.path, **options).checkout_version((self.line.branch, version))

    def _log(self, writer, action, when=""):
        where = "" if self.line.branch is None else f" of {self.line.branch}"
        self.log.append(f"{when}{writer.__name__}: {action.__name__}{where}")

    def record(self):
        """Keeps the model as that of the versions that are new. pylance's compaction makes two."""
        theirs = self._open(lance)
        for version in range(self.line.last + 1, theirs.version + 1):
            self.versions[version] = self.model.copy()
            self.line.next_ids[version] = self.model.next_id
            table = theirs if version == theirs.version else theirs.checkout_version(
                (self.line.branch, version)
            )
            self.files[self.line.branch, version] = _files_of(table)
        self.line.last = theirs.version

    def check_files(self):
        """There are no files but those that versions name."""
        for line in self.lines:
            if line.has_leftovers:
                continue
            folder = pathlib.Path(self.path, *(["tree", line.branch] if line.branch else []))
            there = {
                f"{kind}/{file.name}"
                for kind in ("data", "_deletions")
                if (folder / kind).is_dir()
                for file in (folder / kind).iterdir()
            }
            named = set()
            for (branch, _), files in self.files.items():
                named |= {
                    name for name, is_own in files if is_own == (branch == line.branch)
                }
            assert there - named == set()
            assert {
                name
                for version in line.versions
                for name, is_own in self.files[line.branch, version]
                if is_own
            } <= there

    def check(self):
        self.record()
        self.check_files()
        ours, theirs = self._open(tusk), self._open(lance)
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
            self._check_row_ids(dict(zip(ids["id"].to_pylist(), ids["_rowid"].to_pylist())))
        version = self.draw.choice(list(self.versions))
        assert _key(self._open(tusk, version).to_table()) == self.versions[version].key()

    def _check_row_ids(self, row_ids):
        """A row keeps its stable id as long as it lives."""
        assert len(set(row_ids.values())) == len(row_ids)
        if self.stable:
            for number in row_ids.keys() & self.line.row_ids.keys():
                assert row_ids[number] == self.line.row_ids[number]
        self.line.row_ids = row_ids

    def _some(self):
        """An SQL condition and the same in Python."""
        number = self.draw.randint(1, 6)
        rest = self.draw.randint(0, number - 1)
        limit = self.model.next_id if self.first_id is None else self.first_id
        return (
            f"id % {number} = {rest} AND id < {limit}",
            lambda row: row["id"] % number == rest and row["id"] < limit,
        )

    def append(self, table, writer):
        rows = self.model.make_rows(self.draw, self.draw.randint(1, 30))
        table.insert(self.model.to_table(rows))
        self.model.rows += rows

    def overwrite(self, table, writer):
        self.model.rows = self.model.make_rows(self.draw, self.draw.randint(1, 30))
        writer.write_dataset(self.model.to_table(self.model.rows), table, mode="overwrite")

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
        limit = self.model.next_id if self.first_id is None else self.first_id
        known = [row for row in self.model.rows if row["id"] < limit]
        old = self.draw.sample(known, min(len(known), self.draw.randint(0, 8)))
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

    def join(self, table, writer):
        """pylance leaves the ids of its new columns to be given twice if one was dropped before."""
        name = f"j{table.version}"
        if writer is lance or name in self.model.types or len(self.model.types) > 8:
            return
        known = [row["id"] for row in self.model.rows]
        keys = self.draw.sample(known, min(len(known), 5)) + [-1]
        table.merge(pa.table({"id": keys, name: pa.array(keys, pa.int32())}), "id")
        self.model.types[name] = pa.int32()
        for row in self.model.rows:
            row[name] = row["id"] if row["id"] in keys else None

    def configure(self, table, writer):
        value = str(self.draw.randint(0, 99))
        table.update_config({"key": value})
        for module in (tusk, lance):
            assert self._open(module).config()["key"] == value

    def branch(self, table, writer):
        if len(self.lines) > 2:
            return
        version = self.draw.choice(list(self.versions))
        name = f"b{len(self.lines)}-{self.draw.randint(0, 99)}"
        table.create_branch(name, (self.line.branch, version))
        model = self.versions[version].copy()
        # The same id is never given to two rows, so that a restore on one line is none of another.
        model.next_id = self.model.next_id + 10_000 * len(self.lines)
        line = Line(name, (self.line.branch, version), model)
        line.last = version - 1
        self.lines.append(line)
        self.line = line

    def tag(self, table, writer):
        version = self.draw.choice(list(self.versions))
        table.tags.create(f"tag{len(self.log)}", (self.line.branch, version))
        self.line.tags.add(version)

    def restore(self, table, writer):
        version = self.draw.choice(list(self.versions))
        if version == table.version:
            return
        old = self._open(writer, version)
        old.restore()
        next_id = self.model.next_id
        self.model = self.versions[version].copy()
        self.model.next_id = next_id

    def clean_up(self, table, writer):
        keep = self.draw.randint(1, 4)
        table.cleanup_old_versions(
            retain_versions=keep, error_if_tagged_old_versions=False, delete_unverified=True
        )
        kept = set(sorted(self.versions)[-keep:]) | self.line.tags
        begun = {line.parent[1] for line in self.lines[1:] if line.parent[0] == self.line.branch}
        left = {one["version"] for one in table.versions()}
        # pylance lets some go at which branches of branches begin, whose files are not there.
        if writer is tusk or not begun:
            kept |= begun
            assert left == kept & set(self.versions)
        else:
            assert kept & set(self.versions) <= left <= (kept | begun) & set(self.versions)
        self.line.versions = {version: self.versions[version] for version in left}
        self.files = {
            (branch, version): files
            for (branch, version), files in self.files.items()
            if branch != self.line.branch or version in self.versions
        }
        # Where there are branches, pylance leaves some files that nobody names.
        self.line.has_leftovers &= writer is lance and len(self.lines) > 1
        self.check_files()

    ACTIONS = (append, append, overwrite, delete, delete, update, update, merge, merge, add_column,
               drop_column, alter_column, compact, join, configure, tag, branch, restore, clean_up)
    RACING = (append, overwrite, delete, delete, update, update, merge, merge, compact, configure)


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
