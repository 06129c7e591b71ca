"""Measures training loaders: samples per second of tusk.Loader beside pylance, and rows by id.

    python bench/training.py [--rows 10000] [--batches 30] [--rounds 7] [--data FOLDER]

FOLDER (default: build/bench/data) is on the disk to measure. The table, pictures of 50 KB and a
label, is written by pylance; both read it. Every loader runs in a process of its own; in each round
every one has its turn, and the order rotates. A batch counts when it has been handed out; nothing
else is done with it. Samples per second are the median over the rounds and the best round; CPU is
that of all threads of the process for one batch, the median.
"""

import argparse
import itertools
import multiprocessing
import os
import pathlib
import statistics
import time

import numpy as np
import pyarrow as pa

BATCH_ROWS = 256
COLUMNS = ["picture", "label"]
# As tusk.Loader reads by default.
THREADS, AHEAD = 4, 8
ROOT = pathlib.Path(__file__).resolve().parent.parent


def tusk_loader(path, seed, **options):
    """The loader that reads ahead."""
    import tusk

    return tusk.Loader(path, BATCH_ROWS, columns=COLUMNS, seed=seed, **options)


def tusk_without_read_ahead(path, seed):
    return tusk_loader(path, seed, read_ahead=0)


def tusk_blocks(path, seed):
    """Whole batches mixed, as pylance's sampler does it."""
    return tusk_loader(path, seed, block_rows=BATCH_ROWS)


def pylance_takes(path, seed):
    """What a program does with pylance: a permutation in memory, and a take for each batch.

    The same as its SafeLanceDataset behind a DataLoader with a random sampler, without its detour
    through Python's objects.
    """
    import lance

    dataset = lance.dataset(path)
    order = np.random.default_rng(seed).permutation(dataset.count_rows())
    for begin in range(0, len(order), BATCH_ROWS):
        yield dataset.take(order[begin : begin + BATCH_ROWS], columns=COLUMNS)


def pylance_takes_ahead(path, seed):
    """The same read ahead as tusk's loader does it."""
    import concurrent.futures

    import lance

    dataset = lance.dataset(path)
    order = np.random.default_rng(seed).permutation(dataset.count_rows())
    begins = iter(range(0, len(order), BATCH_ROWS))

    def take(begin):
        return dataset.take(order[begin : begin + BATCH_ROWS], columns=COLUMNS)

    with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        due = [pool.submit(take, begin) for _, begin in zip(range(AHEAD), begins)]
        while due:
            batch = due.pop(0).result()
            due.extend(pool.submit(take, begin) for _, begin in zip(range(1), begins))
            yield batch


def pylance_batches(path, seed):
    """pylance's own loader for torch below its tensors: whole batches mixed, not rows."""
    import lance
    from lance.sampler import ShardedBatchSampler

    sampler = ShardedBatchSampler(0, 1, randomize=True, seed=seed)
    yield from sampler(lance.dataset(path), batch_size=BATCH_ROWS, columns=COLUMNS)


LOADERS = {
    "tusk.Loader": tusk_loader,
    "tusk.Loader, no read-ahead": tusk_without_read_ahead,
    "tusk.Loader, block_rows=256 (mixes batches, not rows)": tusk_blocks,
    "pylance, take by take": pylance_takes,
    "pylance, takes read ahead": pylance_takes_ahead,
    "pylance ShardedBatchSampler (mixes batches, not rows)": pylance_batches,
}


def forget(path):
    """Lets the page cache forget the files of a folder."""
    for folder, _, names in os.walk(path):
        for name in names:
            descriptor = os.open(os.path.join(folder, name), os.O_RDONLY)
            os.fdatasync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(descriptor)


def serve(connection, name, path, count):
    """Does a round for each seed that comes, of `count` batches after the first one.

    Sends rows per second, and seconds of CPU for a batch.
    """
    while (task := connection.recv()) is not None:
        seed, is_cold = task
        batches = iter(LOADERS[name](path, seed))
        # Opening is not what an epoch is made of.
        next(batches)
        if is_cold:
            forget(path)
        rows = done = 0
        cpu = time.process_time()
        begin = time.perf_counter()
        for batch in itertools.islice(batches, count):
            rows += batch.num_rows
            done += 1
        seconds = time.perf_counter() - begin
        cpu = time.process_time() - cpu
        batches.close()
        connection.send((rows / seconds, cpu / done))


def measure(path, count, rounds, is_cold):
    """By name: rows per second, median and best, and seconds of CPU for a batch."""
    context = multiprocessing.get_context("spawn")
    connections = {}
    processes = []
    for name in LOADERS:
        connections[name], other = context.Pipe()
        processes.append(context.Process(target=serve, args=(other, name, path, count)))
        processes[-1].start()
    rounds_of = {name: [] for name in LOADERS}
    names = list(LOADERS)
    # The first round is not counted: the table comes into the page cache, or code into memory.
    for number in range(rounds + 1):
        shift = number % len(names)
        for name in names[shift:] + names[:shift]:
            connections[name].send((number, is_cold))
            found = connections[name].recv()
            if number:
                rounds_of[name].append(found)
    for name, process in zip(LOADERS, processes):
        connections[name].send(None)
        process.join()
    answers = {}
    for name, found in rounds_of.items():
        rates, cpus = zip(*found)
        answers[name] = statistics.median(rates), max(rates), statistics.median(cpus)
    return answers


def rows_by_id(folder, rounds):
    """Seconds of reading a table of 2,000,000 rows, and of a take of a random half of them."""
    import lance
    import tusk

    path = str(folder / "ids.lance")
    rows = 2_000_000
    generator = np.random.default_rng(0)
    table = pa.table({name: generator.random(rows) for name in ("x", "y", "z")})
    lance.write_dataset(table, path, mode="overwrite")
    wanted = generator.permutation(rows)[: rows // 2]
    opened = {"tusk": tusk.dataset(path), "pylance": lance.dataset(path)}
    times = {}
    for number in range(rounds + 1):
        for name, dataset in opened.items():
            for what, read in (
                ("scan of 2,000,000", dataset.to_table),
                ("take of 1,000,000, random order", lambda d=dataset: d.take(wanted)),
                ("take of 1,000,000, ascending", lambda d=dataset: d.take(np.sort(wanted))),
            ):
                begin = time.perf_counter()
                found = read()
                if number:
                    times.setdefault((what, name), []).append(time.perf_counter() - begin)
                assert found.num_rows in (rows, rows // 2)
    return {key: statistics.median(found) for key, found in times.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--batches", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--data", type=pathlib.Path, default=ROOT / "build" / "bench" / "data")
    arguments = parser.parse_args()
    import lance
    from recipes import make_pictures

    path = arguments.data / f"training-{arguments.rows}.lance"
    arguments.data.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        lance.write_dataset(make_pictures(arguments.rows), str(path), max_rows_per_file=4000)
    for is_cold in (False, True):
        found = measure(str(path), arguments.batches, arguments.rounds, is_cold)
        mine, best_of_mine, my_cpu = found["tusk.Loader"]
        title = "cold" if is_cold else "warm"
        print(f"\n| {title} | samples/s | (best) | CPU ms a batch | tusk.Loader: | (best) | CPU |")
        print("|---|---|---|---|---|---|---|")
        for name, (rate, best, cpu) in found.items():
            print(
                f"| {name} | {rate:,.0f} | {best:,.0f} | {cpu * 1e3:.1f} | {mine / rate:.2f}x "
                f"| {best_of_mine / best:.2f}x | {cpu / my_cpu:.2f}x |"
            )
    times = rows_by_id(arguments.data, arguments.rounds)
    print("\n| rows by number | tusk ms | pylance ms | |\n|---|---|---|---|")
    for what in dict.fromkeys(what for what, _ in times):
        mine, theirs = times[what, "tusk"], times[what, "pylance"]
        print(f"| {what} | {mine * 1e3:.0f} | {theirs * 1e3:.0f} | {theirs / mine:.1f}x |")


if __name__ == "__main__":
    main()
