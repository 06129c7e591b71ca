"""Measures reading and writing of blobs beside pylance: the same calls on the same table, in turn.

    python bench/blobs.py [--rows 2000] [--bytes 200000] [--rounds 15] [--folder FOLDER]
        [--only WORD]

FOLDER (default: a temporary one) holds the tables. What is read is in the page cache, nobody waits
for the disk, every round reads other rows, and each pair of answers is compared. Every number is
the best of its rounds, taken in turn; short calls are done often in a round.
"""

import argparse
import pathlib
import shutil
import tempfile
import time

import lance
import numpy as np
import pyarrow as pa

import tusk

TRAINING_ROWS = 64
OPEN = {"tusk": tusk.dataset, "pylance": lance.dataset}


def make_table(rows, size):
    random = np.random.default_rng(0)
    values = [random.bytes(size) for _ in range(rows)]
    schema = pa.schema([pa.field("id", pa.int64()), lance.blob_field("blob")])
    return pa.table([range(rows), lance.blob_array(values)], schema=schema)


def some_ranges(count):
    def pick(generator, rows, size):
        picked = generator.choice(rows, count, replace=False).tolist()
        begins = generator.integers(0, size - 4096, count).tolist()
        return [(row, begin, 4096) for row, begin in zip(picked, begins)]

    return pick


def some_rows(count):
    return lambda generator, rows, size: generator.choice(rows, count, replace=False).tolist()


def read_ranges(table, requests):
    return table.read_blob_ranges("blob", requests, selector="indices")


def seek_and_read(table, requests):
    found = []
    files = table.take_blobs("blob", indices=[row for row, _, _ in requests])
    for file, (_, begin, length) in zip(files, requests):
        file.seek(begin)
        found.append(file.read(length))
    return found


def read_whole(table, rows):
    return table.read_blobs("blob", indices=rows)


def scan(table, batch_size):
    scanner = table.scanner(["blob"], blob_handling="all_binary", batch_size=batch_size)
    return sum(batch.num_rows for batch in scanner.to_batches())


# What is done with what, how often in a round, and so many times as fast as pylance it shall be.
READS = {
    "range of 4 KB": (read_ranges, some_ranges(1), 100, 10),
    "100 ranges of 4 KB": (read_ranges, some_ranges(100), 10, 3),
    "take_blobs, 100 x seek and read 4 KB": (seek_and_read, some_ranges(100), 5, 3),
    "whole blob": (read_whole, some_rows(1), 100, 1.5),
    "100 whole blobs": (read_whole, some_rows(100), 5, 1.5),
    "scan with bytes": (scan, lambda *_: 64, 1, None),
}


def show(name, times, goal):
    ours, theirs = (1000 * min(times[library]) for library in OPEN)
    met = "" if goal is None else f"{goal}x: {'yes' if theirs / ours >= goal else 'no'}"
    print(f"| {name} | {theirs:,.3f} | {ours:,.3f} | {theirs / ours:.1f}x | {met} |", flush=True)


def measure_read(name, path, arguments):
    read, pick, calls, goal = READS[name]
    times = {library: [] for library in OPEN}
    tables = {library: open_table(str(path)) for library, open_table in OPEN.items()}
    for number in range(arguments.rounds + 1):
        answers = []
        for library, table in tables.items():
            random = np.random.default_rng(number)
            given = [pick(random, arguments.rows, arguments.bytes) for _ in range(calls)]
            begin = time.perf_counter()
            answer = [read(table, each) for each in given]
            took = (time.perf_counter() - begin) / calls
            if number > 0:  # the first call starts threads and warms caches
                times[library].append(took)
            answers.append(answer)
        if answers[0] != answers[1]:
            raise SystemExit(f"{name}: the answers differ")
    show(name, times, goal)


def epoch_of_tusk(path, size):
    loader = tusk.Loader(path, TRAINING_ROWS, columns=["id", "blob"], blobs="bytes")
    return sum(value.as_buffer().size == size for batch in loader for value in batch["blob"])


def epoch_of_pylance(path, size):
    """What a training with pylance does: rows in random order, and the blobs of each batch."""
    table = lance.dataset(path)
    order = np.random.default_rng(0).permutation(table.count_rows())
    count = 0
    for begin in range(0, len(order), TRAINING_ROWS):
        rows = order[begin : begin + TRAINING_ROWS].tolist()
        table.take(rows, columns=["id"])
        blobs = table.read_blobs("blob", indices=rows)
        count += sum(len(value) == size for _, value in blobs)
    return count


def measure_training(path, arguments):
    epochs = {"tusk": epoch_of_tusk, "pylance": epoch_of_pylance}
    times = {library: [] for library in OPEN}
    for _ in range(max(2, arguments.rounds // 5)):
        for library, epoch in epochs.items():
            begin = time.perf_counter()
            if epoch(str(path), arguments.bytes) != arguments.rows:
                raise SystemExit("training: an epoch does not have all rows")
            times[library].append(time.perf_counter() - begin)
    show(f"training: an epoch of batches of {TRAINING_ROWS}, shuffled", times, None)


def measure_write(name, data, folder, rounds):
    times = {library: [] for library in OPEN}
    for _ in range(rounds):
        for library in OPEN:
            path = folder / f"written by {library}"
            begin = time.perf_counter()
            if library == "tusk":
                tusk.write_dataset(data, path, storage_options={"durable": "false"})
            else:
                lance.write_dataset(data, str(path))
            times[library].append(time.perf_counter() - begin)
            shutil.rmtree(path)
    show(name, times, None)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--bytes", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--folder", type=pathlib.Path)
    parser.add_argument("--only", default="", help="what has this in its name")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = pathlib.Path(name)
        data = make_table(arguments.rows, arguments.bytes)
        lance.write_dataset(data, str(folder / "base"))
        title = f"{arguments.rows:,} blobs of {arguments.bytes:,} bytes"
        print(f"| {title} | pylance ms | tusk ms | | goal |\n|---|---|---|---|---|")
        for name in READS:
            if arguments.only in name:
                measure_read(name, folder / "base", arguments)
        if arguments.only in "training":
            measure_training(folder / "base", arguments)
        if arguments.only in "write":
            measure_write("write", data, folder, max(1, arguments.rounds // 5))


if __name__ == "__main__":
    main()
