"""Measures deletes, updates and merges beside pylance: the same change of the same table, in turn.

    python bench/changes.py [--rows 1000000] [--rounds 7] [--folder FOLDER] [--only WORD]

FOLDER (default: a temporary one) holds a copy of the table for every call; what a call makes is
removed after the clock has stopped. Nobody waits for the disk, as in bench/writes.py. Each pair of
results is compared: the same counts, and the same sums over the rows afterwards. Every number is
the best of its rounds, taken in turn.
"""

import argparse
import pathlib
import shutil
import tempfile
import time

import lance
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

import tusk

LIBRARIES = {
    "tusk": lambda path: tusk.dataset(path, storage_options={"durable": "false"}),
    "pylance": lance.dataset,
}


def make_table(rows):
    """id, ascending; key, the ids in random order; three columns and a vector of 16 floats."""
    generator = np.random.default_rng(0)
    values = generator.random(rows * 16, dtype=np.float32)
    return pa.table(
        {
            "id": np.arange(rows),
            "key": generator.permutation(rows),
            "part": generator.integers(0, 50, rows),
            "score": generator.random(rows),
            "name": [f"name of the row {i}" for i in range(rows)],
            "vector": pa.FixedSizeListArray.from_arrays(values, 16),
        }
    )


def upsert(dataset, source, key):
    builder = dataset.merge_insert(key).when_matched_update_all().when_not_matched_insert_all()
    return builder.execute(source)


def changes(data):
    """What is done, by name; each function gets an open table and gives the counts."""
    rows = data.num_rows
    generator = np.random.default_rng(1)
    ids = ", ".join(map(str, sorted(generator.choice(rows, rows // 100, replace=False))))
    some = data.take(pa.array(generator.choice(rows, rows // 100, replace=False)))
    old, new = some.slice(0, rows // 200), some.slice(rows // 200)
    new = new.set_column(0, "id", pc.add(new["id"], pa.scalar(rows)))
    source = pa.concat_tables([old, new])
    narrow = source.select(["id", "score"])
    half = data.take(pa.array(generator.choice(rows, rows // 2, replace=False)))
    return {
        "delete 2 % by a predicate": lambda t: t.delete("part = 7"),
        "delete 1 % by id": lambda t: t.delete(f"id in ({ids})"),
        "update of 2 %": lambda t: t.update({"score": "score + 1"}, where="part = 7"),
        "update of 2 % in one range": lambda t: t.update(
            {"score": "score + 1"}, where=f"id >= {rows // 2} and id < {rows // 2 + rows // 50}"
        ),
        "update of every row": lambda t: t.update({"score": "score * 2"}),
        "merge 1 %, half of it new": lambda t: upsert(t, source, "id"),
        "merge 1 %, two columns": lambda t: upsert(t, narrow, "id"),
        "merge 1 % by two keys": lambda t: upsert(t, source, ["id", "name"]),
        "merge 1 %, insert if new": lambda t: t.merge_insert("id")
        .when_not_matched_insert_all()
        .execute(source),
        "merge 50 %": lambda t: upsert(t, half, "key"),
        "delete what 50 % does not have": lambda t: t.merge_insert("key")
        .when_not_matched_by_source_delete()
        .execute(half.select(["key"])),
    }


def summary(path):
    """What tells tables with other rows apart."""
    table = lance.dataset(path).to_table(columns=["id", "key", "score"])
    sums = [pc.sum(table[name]).as_py() for name in ("id", "key", "score")]
    return table.num_rows, sums[0], sums[1], round(sums[2] or 0, 3)


def measure(name, change, base, folder, rounds):
    times = {library: [] for library in LIBRARIES}
    for number in range(rounds + 1):
        answers = []
        for library, open_table in LIBRARIES.items():
            path = folder / library
            shutil.copytree(base, path)
            table = open_table(str(path))
            begin = time.perf_counter()
            counts = change(table)
            took = time.perf_counter() - begin
            if number > 0:  # the first call starts threads and warms caches
                times[library].append(took)
            answers.append((sorted(counts.items()), summary(path) if number == 0 else None))
            shutil.rmtree(path)
        if answers[0] != answers[1]:
            raise SystemExit(f"{name}: the results differ: {answers}")
    ours, theirs = (1000 * min(times[library]) for library in LIBRARIES)
    print(f"| {name} | {theirs:.1f} | {ours:.1f} | {theirs / ours:.1f}x |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--folder", type=pathlib.Path)
    parser.add_argument("--only", default="", help="changes whose name has this in it")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = pathlib.Path(name)
        data = make_table(arguments.rows)
        base = folder / "base"
        lance.write_dataset(data, str(base))
        print(f"| {arguments.rows:,} rows | pylance ms | tusk ms | |\n|---|---|---|---|")
        for name, change in changes(data).items():
            if arguments.only in name:
                measure(name, change, base, folder, arguments.rounds)


if __name__ == "__main__":
    main()
