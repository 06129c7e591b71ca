"""Processes that change one Lance table at the same time, most with tusk, some with pylance.

    python tests/interop/many_writers.py [--processes 16] [--versions 1000] [--seed 0]

Every process has rows of its own and a plain model of them. Afterwards every version is there
once, made by the change that reported it, with as many rows more or fewer as that change says; and
the table has the rows of all models together.
"""

import argparse
import collections
import datetime
import multiprocessing
import pathlib
import random
import tempfile

import lance
import pyarrow as pa

import tusk

_FAST = {"durable": "false"}
_SCHEMA = pa.schema([("id", pa.int64()), ("writer", pa.int32()), ("value", pa.int64())])
# Who loses a race tries again, however slow the machine is. Twice as long is waited for a process,
# which may have died.
_LONG = datetime.timedelta(minutes=5)

# What a process did: the version that it made, the kind of operation that stands there, how many
# rows it added, and the number of the process.
Change = collections.namedtuple("Change", "version operation rows writer")


class Writer:
    """One of the processes."""

    def __init__(self, path, number, versions, seed):
        self.path, self.number, self.versions = path, number, versions
        self.draw = random.Random(f"{seed} {number}")
        # Every fourth is pylance's.
        self.library = lance if number % 4 == 3 else tusk
        self.rows = {}  # value by id
        self.config = None
        self.next_id = number * 1_000_000
        self.changes = []
        self.conflicts = 0

    def run(self):
        while True:
            table = self._open()
            if table.version >= self.versions:
                return
            action = self.draw.choice(self.ACTIONS)
            rows, config = dict(self.rows), self.config
            try:
                action(self, table)
            except OSError as error:
                # It lost too many races. Nothing has changed then.
                if not _is_conflict(error):
                    raise
                self.rows, self.config = rows, config
                self.conflicts += 1
                continue
            if self.draw.random() < 0.1:
                self.check()

    def check(self):
        """Whoever has committed sees it, and nothing that it did not do to its rows."""
        rows = self._open().to_table(["id", "value"], filter=f"writer = {self.number}")
        assert rows.num_rows == len(self.rows)
        assert dict(zip(*rows.to_pydict().values())) == self.rows

    def _open(self):
        if self.library is lance:
            return lance.dataset(self.path)
        return tusk.dataset(self.path, storage_options=_FAST)

    def _made(self, table, operation, rows=0):
        self.changes.append(Change(table.version, operation, rows, self.number))

    def _some(self):
        """A condition for some of the rows of this process, in SQL and in Python."""
        parts = self.draw.randint(1, 5)
        part = self.draw.randint(0, parts - 1)
        text = f"writer = {self.number} AND id % {parts} = {part}"
        return text, lambda number: number % parts == part

    def _to_table(self, rows):
        columns = [list(rows), [self.number] * len(rows), list(rows.values())]
        return pa.table(columns, schema=_SCHEMA)

    def _make_rows(self):
        count = self.draw.randint(1, 8)
        rows = {self.next_id + i: self.draw.randint(0, 99) for i in range(count)}
        self.next_id += count
        return rows

    def append(self, table):
        rows = self._make_rows()
        made = self.library.write_dataset(self._to_table(rows), self.path, mode="append")
        self.rows |= rows
        self._made(made, "Append", len(rows))

    def delete(self, table):
        condition, holds = self._some()
        table.delete(condition, conflict_retries=1000, retry_timeout=_LONG)
        left = {number: value for number, value in self.rows.items() if not holds(number)}
        gone = len(self.rows) - len(left)
        self.rows = left
        self._made(table, "Delete", -gone)

    def update(self, table):
        condition, holds = self._some()
        if not any(holds(number) for number in self.rows):
            return  # pylance makes no version then
        table.update({"value": "value + 1"}, condition, conflict_retries=1000, retry_timeout=_LONG)
        self.rows = {n: value + 1 if holds(n) else value for n, value in self.rows.items()}
        self._made(table, "Update")

    def merge(self, table):
        old = self.draw.sample(sorted(self.rows), min(3, len(self.rows)))
        new = self._make_rows()
        rows = {number: self.draw.randint(100, 199) for number in old} | new
        builder = table.merge_insert("id").when_matched_update_all().when_not_matched_insert_all()
        builder.conflict_retries(1000).retry_timeout(_LONG).execute(self._to_table(rows))
        self.rows |= rows
        self._made(table, "Update", len(new))

    def compact(self, table):
        metrics = table.optimize.compact_files(target_rows_per_fragment=50)
        if metrics.fragments_removed > 0:
            self._made(table, "Rewrite")

    def configure(self, table):
        self.config = str(self.draw.random())
        table.update_config({f"writer{self.number}": self.config})
        self._made(table, "UpdateConfig")

    ACTIONS = (append, append, append, delete, update, merge, compact, configure)


def _is_conflict(error):
    text = str(error)
    return isinstance(error, tusk.errors.CommitConflictError) or "onflict" in text or (
        "Too many concurrent writers" in text
    )


def _write(path, number, versions, seed, queue):
    writer = Writer(path, number, versions, seed)
    try:
        writer.run()
        writer.check()
    except BaseException as error:
        queue.put((number, f"{type(error).__name__}: {error}"))
        raise
    queue.put((number, (writer.rows, writer.config, writer.changes, writer.conflicts)))


def _check_versions(path, changes):
    made = collections.Counter(change.version for change in changes)
    assert not [version for version, times in made.items() if times > 1]
    changes = {change.version: change for change in changes}
    latest = tusk.dataset(path)
    assert latest.version == lance.dataset(path).version
    listed = [entry["version"] for entry in latest.versions()]
    assert listed == list(range(1, latest.version + 1))
    uuids, rows = set(), 0
    for version in listed:
        table = latest.checkout_version(version)
        transaction = table.read_transaction(version)
        uuids.add(transaction.uuid)
        operation = type(transaction.operation).__name__
        change = changes.get(version)
        if change is None:
            # The first one, and what pylance's compactions do before they commit.
            assert operation == ("Overwrite" if version == 1 else "ReserveFragments")
        else:
            assert operation == change.operation, change
        rows += 0 if change is None else change.rows
        assert table.count_rows() == rows, change
        if version % 50 == 0:
            assert lance.dataset(path, version).count_rows() == rows, change
    assert len(uuids) == len(listed)


def _check_cleanup(path):
    """What changes left that lost a race goes, and nothing else."""
    table = tusk.dataset(path)
    table.cleanup_old_versions(retain_versions=1, delete_unverified=True)
    named = set()
    for fragment in lance.dataset(path).get_fragments():
        named |= {file.path for file in fragment.metadata.files}
    assert {file.name for file in pathlib.Path(path, "data").iterdir()} == named


def run(path, processes=16, versions=1000, seed=0):
    """Lets processes write until there are so many versions; gives how many changes gave up."""
    tusk.write_dataset(
        _SCHEMA.empty_table(), path, storage_options=_FAST, enable_stable_row_ids=seed % 2 == 1
    )
    spawn = multiprocessing.get_context("spawn")
    queue = spawn.Queue()
    writers = [
        spawn.Process(target=_write, args=(path, number, versions, seed, queue))
        for number in range(processes)
    ]
    for writer in writers:
        writer.start()
    try:
        results = dict(queue.get(timeout=_LONG.total_seconds() * 2) for _ in writers)
    finally:
        for writer in writers:
            writer.join(timeout=60)
            if writer.is_alive():
                writer.kill()
    failed = {number: result for number, result in results.items() if isinstance(result, str)}
    assert not failed, failed

    rows, config, changes = {}, {}, []
    for number, (own_rows, own_config, own_changes, _) in results.items():
        rows |= {key: (number, value) for key, value in own_rows.items()}
        config |= {} if own_config is None else {f"writer{number}": own_config}
        changes += own_changes
    for table in (tusk.dataset(path), lance.dataset(path)):
        found = table.to_table().to_pydict()
        assert len(found["id"]) == len(rows)
        assert dict(zip(found["id"], zip(found["writer"], found["value"]))) == rows
        found = table.config()
        assert {key: found[key] for key in found if key.startswith("writer")} == config
    _check_versions(path, changes)
    _check_cleanup(path)
    return sum(conflicts for *_, conflicts in results.values())


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--processes", type=int, default=16)
    parser.add_argument("--versions", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        lost = run(f"{folder}/t", arguments.processes, arguments.versions, arguments.seed)
    print(
        f"{arguments.processes} processes made {arguments.versions} versions; {lost} changes "
        "gave up after a conflict"
    )


if __name__ == "__main__":
    main()
