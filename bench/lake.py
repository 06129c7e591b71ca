"""Measures a lake: ingestion against a plain script, one small joint commit, flat search.

    python bench/lake.py [--files 20000] [--rows 1000000] [--folder FOLDER]

FOLDER (default: a temporary one) is on the disk to measure; commits are measured there and on
/dev/shm, where fsync costs nothing. Every number is the best of its runs, taken in turn.
"""

import argparse
import hashlib
import pathlib
import shutil
import statistics
import tempfile
import time

import numpy as np
import pyarrow as pa

import tusk

DIMENSION = 128
RUNS = 5


def write_files(folder, count, size=2048):
    """Random files; their content does not matter where nothing decodes it."""
    generator = np.random.default_rng(0)
    for number in range(count):
        path = folder / f"{number % 10}" / f"{number:06}.bin"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(generator.bytes(size))


def plain_script(folder, root, batch=10_000):
    """What one would write with pylance and pyiceberg: the same columns, in two commits that may part."""
    import lance
    from pyiceberg.catalog.sql import SqlCatalog

    root.mkdir()
    catalog = SqlCatalog("plain", uri=f"sqlite:///{root}/catalog.db", warehouse=f"file://{root}")
    catalog.create_namespace("media")
    table = None
    known = set()
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    for begin in range(0, len(paths), batch):
        rows = []
        for path in paths[begin : begin + batch]:
            data = path.read_bytes()
            content_id = hashlib.sha256(data).hexdigest()
            if content_id not in known:
                known.add(content_id)
                rows.append((content_id, data, str(path), path.parent.name, len(data)))
        ids, media, sources, labels, sizes = zip(*rows)
        lance.write_dataset(
            pa.table({"content_id": ids, "media": pa.array(media, pa.binary())}),
            f"{root}/files.lance",
            mode="append" if begin else "create",
        )
        meta = pa.table(
            {"content_id": ids, "source_path": sources, "label": labels, "bytes": sizes,
             "split": ["train"] * len(ids), "media_type": ["application/octet-stream"] * len(ids)}
        )  # fmt: skip
        if table is None:
            table = catalog.create_table("media.files_meta", meta.schema)
        table.append(meta)


def measure_ingestion(home, files):
    source = home / "files"
    write_files(source, files)
    plain, ours, reports = [], {"true": [], "false": []}, {}
    for run in range(RUNS):
        begin = time.perf_counter()
        plain_script(source, home / f"plain{run}")
        plain.append(time.perf_counter() - begin)
        # What syncs comes first in every other run: it may wait for what others have left to write.
        for durable, times in sorted(ours.items(), reverse=run % 2 == 0):
            place = home / f"lake{run}{durable}"
            tusk.init(place)
            lake = tusk.connect(place, storage_options={"durable": durable})
            begin = time.perf_counter()
            report = lake.ingest(
                source, "media.files", encoder=None, label_from="folder", commit_rows=10_000
            )
            times.append(time.perf_counter() - begin)
            reports[durable] = report
            assert report.added == files and lake.table("media.files").count_rows() == files
    print(f"ingestion of {files:,} files of 2 KiB, no encoder, commits of 10,000:")
    print(f"  plain script (pylance, pyiceberg; no fsync)  {files / min(plain):9,.0f} files/s")
    for durable, name in (("false", "tusk, files without fsync"), ("true", "tusk, all of it fsynced")):
        best, seconds = min(ours[durable]), reports[durable].seconds
        ratios = sorted(theirs / own for theirs, own in zip(plain, ours[durable]))
        print(f"  {name:43}  {files / best:9,.0f} files/s   {min(plain) / best:.2f}x; run by run"
              f" {ratios[0]:.2f}x to {ratios[-1]:.2f}x; last run: reading {seconds.reading:.2f} s,"
              f" writing {seconds.writing:.2f} s")  # fmt: skip


def measure_commit(place, name, storage_options=None):
    tusk.init(place)
    lake = tusk.connect(place, storage_options=storage_options)
    rows = pa.table({"id": list(range(10)), "text": ["some text"] * 10})
    times = []
    for _ in range(60):
        begin = time.perf_counter()
        lake.append({"a.left": rows}, {"a.right": rows})
        times.append((time.perf_counter() - begin) * 1000)
    late = times[10:]
    print(f"  {name:30}  median {statistics.median(late):6.2f} ms, best {min(late):6.2f} ms")


def measure_search(home, count):
    import lance

    generator = np.random.default_rng(1)
    vectors = generator.random((count, DIMENSION), dtype=np.float32)
    data = pa.table(
        {"id": np.arange(count), "vector": pa.FixedSizeListArray.from_arrays(vectors.ravel(), DIMENSION)}
    )
    path = str(home / "vectors.lance")
    lance.write_dataset(data, path)
    theirs, ours = lance.dataset(path), tusk.dataset(path)
    queries = generator.random((8, DIMENSION), dtype=np.float32)
    times = {"pylance": [], "tusk": []}
    for query in queries:
        for name, table in (("pylance", theirs), ("tusk", ours)):
            begin = time.perf_counter()
            hits = table.to_table(columns=["id"], nearest={"column": "vector", "q": query, "k": 10})
            times[name].append(time.perf_counter() - begin)
            plain = np.argsort(((vectors - query) ** 2).sum(1))[:10] if name == "tusk" else None
            assert plain is None or hits["id"].to_pylist() == plain.tolist()
    best = {name: min(values) * 1000 for name, values in times.items()}
    print(f"flat search over {count:,} x {DIMENSION}, k = 10:")
    print(f"  pylance {best['pylance']:8.1f} ms")
    print(f"  tusk    {best['tusk']:8.1f} ms   {best['pylance'] / best['tusk']:.1f}x")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--folder")
    arguments = parser.parse_args()
    home = pathlib.Path(tempfile.mkdtemp(dir=arguments.folder))
    memory = pathlib.Path(tempfile.mkdtemp(dir="/dev/shm"))
    try:
        measure_ingestion(home, arguments.files)
        print("one joint commit of 10 rows to a Lance and an Iceberg table:")
        measure_commit(home / "commits", "with fsync (disk)")
        measure_commit(home / "commits2", "files without fsync", {"durable": "false"})
        measure_commit(memory / "commits", "in memory: no fsync at all")
        measure_search(home, arguments.rows)
    finally:
        shutil.rmtree(home, ignore_errors=True)
        shutil.rmtree(memory, ignore_errors=True)


if __name__ == "__main__":
    main()
