"""Measures appends, opening, new columns and compaction beside pylance: the same on copies of one table.

    python bench/maintenance.py [--rounds 5] [--fragments 1000] [--rows 1000000] [--only WORD]

Nobody waits for the disk, as in bench/writes.py, but where a row says so: pylance never does. Both
libraries' tables have the same rows afterwards; what is on disk after many small appends is
compared too.
"""

import argparse
import pathlib
import shutil
import statistics
import tempfile
import time

import lance
import numpy as np
import pyarrow as pa

import tusk

_FAST = {"durable": "false"}


def _open_tusk(path):
    return tusk.dataset(path, storage_options=_FAST)


def _append_tusk(data, path):
    mode = "append" if pathlib.Path(path).exists() else "create"
    tusk.write_dataset(data, path, mode=mode, storage_options=_FAST)


def _append_durably(data, path, functions):
    if functions is LIBRARIES["tusk"]:
        tusk.write_dataset(data, path, mode="append")
    else:
        functions[1](data, path)


def _append_pylance(data, path):
    lance.write_dataset(data, path, mode="append" if pathlib.Path(path).exists() else "create")


LIBRARIES = {"tusk": (_open_tusk, _append_tusk), "pylance": (lance.dataset, _append_pylance)}


def make_table(rows):
    generator = np.random.default_rng(0)
    return pa.table(
        {
            "id": np.arange(rows),
            "part": generator.integers(0, 50, rows),
            "score": generator.random(rows),
            "name": [f"name of the row {i}" for i in range(rows)],
            "vector": pa.FixedSizeListArray.from_arrays(
                generator.random(rows * 16, dtype=np.float32), 16
            ),
        }
    )


def compare(name, rounds, prepare, run, check=None):
    """`prepare` makes a state for a library, `run` is timed; both get the library's functions."""
    times = {library: [] for library in LIBRARIES}
    for number in range(rounds + 1):
        for library, functions in LIBRARIES.items():
            state = prepare(library, functions)
            begin = time.perf_counter()
            run(state, functions)
            took = time.perf_counter() - begin
            if number > 0:
                times[library].append(took)
            if check is not None and number == 0:
                check(state)
    ours, theirs = (1000 * statistics.median(times[library]) for library in LIBRARIES)
    print(f"| {name} | {theirs:.2f} | {ours:.2f} | {theirs / ours:.1f}x |", flush=True)


def _fresh_copy(base, folder):
    def prepare(library, _):
        path = folder / f"copy_{library}"
        shutil.rmtree(path, ignore_errors=True)
        shutil.copytree(base, path)
        return str(path)

    return prepare


def _one_copy(base, folder):
    """The same copy every time, for changes that leave it about as large.

    ext4 takes most of a millisecond to make a file where many were removed a moment ago.
    """
    copies = {}

    def prepare(library, _):
        if library not in copies:
            copies[library] = folder / f"one_copy_{library}"
            shutil.rmtree(copies[library], ignore_errors=True)
            shutil.copytree(base, copies[library])
        return str(copies[library])

    return prepare


def measure(arguments, folder):
    wanted = lambda name: arguments.only in name
    small = make_table(100 * arguments.fragments)
    many = folder / "many"
    pieces = [small.slice(100 * i, 100) for i in range(arguments.fragments)]
    for piece in pieces:
        lance.write_dataset(piece, str(many), mode="append")
    print(f"| {arguments.fragments} versions of 100 rows, {arguments.rows:,} rows "
          "| pylance ms | tusk ms | |\n|---|---|---|---|")

    if wanted("appends"):
        sizes = {}
        for library, (_, append) in LIBRARIES.items():
            path = folder / f"appends_{library}"
            begin = time.perf_counter()
            for piece in pieces:
                append(piece, str(path))
            took = time.perf_counter() - begin
            size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
            sizes[library] = (took, size)
        (ours, our_size), (theirs, their_size) = sizes["tusk"], sizes["pylance"]
        print(f"| all appends, one by one | {1000 * theirs:.0f} | {1000 * ours:.0f} "
              f"| {theirs / ours:.1f}x |")
        print(f"| bytes on disk after them | {their_size:,} | {our_size:,} "
              f"| {our_size / their_size:.3f} |")
    if wanted("one append of 100 rows"):
        compare("one append of 100 rows", 4 * arguments.rounds, _one_copy(many, folder),
                lambda path, functions: functions[1](pieces[0], path))
    if wanted("one append of 100 rows, synced by tusk alone"):
        compare("one append of 100 rows, synced by tusk alone", 4 * arguments.rounds,
                _one_copy(many, folder),
                lambda path, functions: _append_durably(pieces[0], path, functions))
    if wanted("open the latest of all versions"):
        compare("open the latest of all versions", 10 * arguments.rounds,
                lambda *_: str(many), lambda path, functions: functions[0](path))
    if wanted("compact all fragments"):
        compare("compact all fragments", arguments.rounds, _fresh_copy(many, folder),
                lambda path, functions: functions[0](path).optimize.compact_files(),
                lambda path: _expect(lance.dataset(path), small.num_rows, 1))
    if wanted("compact all fragments, pages copied"):
        compare("compact all fragments, pages copied", arguments.rounds, _fresh_copy(many, folder),
                lambda path, functions: functions[0](path).optimize.compact_files(
                    compaction_mode="force_binary_copy"),
                lambda path: _expect(lance.dataset(path), small.num_rows, 1))
    large = folder / "large"
    lance.write_dataset(make_table(arguments.rows), str(large))
    if wanted("add a column by SQL"):
        compare("add a column by SQL", arguments.rounds, _fresh_copy(large, folder),
                lambda path, functions: functions[0](path).add_columns(
                    {"double": "score * 2", "short": "id % 100"}),
                lambda path: _expect(lance.dataset(path), arguments.rows, 1))
    if wanted("drop a column"):
        compare("drop a column", arguments.rounds, _fresh_copy(large, folder),
                lambda path, functions: functions[0](path).drop_columns(["part"]))
    if wanted("change a column's type"):
        compare("change a column's type", arguments.rounds, _fresh_copy(large, folder),
                lambda path, functions: functions[0](path).alter_columns(
                    {"path": "part", "data_type": pa.int32()}))
    if wanted("clean up all but the latest version"):
        compare("clean up all but the latest version", min(3, arguments.rounds),
                _fresh_copy(many, folder),
                lambda path, functions: functions[0](path).cleanup_old_versions(retain_versions=1))


def _expect(table, rows, fragments):
    if (table.count_rows(), len(table.get_fragments())) != (rows, fragments):
        raise SystemExit(f"{table.uri} does not have the rows and fragments that it should")


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--fragments", type=int, default=1000)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--folder", type=pathlib.Path)
    parser.add_argument("--only", default="", help="what has this in its name")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        measure(arguments, pathlib.Path(name))


if __name__ == "__main__":
    main()
