#!/usr/bin/env python3
"""Runs the benchmarks; see README.md beside this file."""

import argparse
import json
import pathlib
import re
import statistics
import sys

import filters
import lance_files
import machine
import recipes
import report
import scans
import takes
import writes
from implementations import IMPLEMENTATIONS, is_installed
from worker import Worker, WorkerError, forget

_GROUPS = {
    "Scans": scans.WORKLOADS,
    "Filters": filters.WORKLOADS,
    "Takes": takes.WORKLOADS,
    "Takes of tusk's files": takes.OWN_WORKLOADS,
    "Lance files": lance_files.WORKLOADS,
    "Writes": writes.WORKLOADS,
    # Behind all others, and not between their rounds: their writes would wait for its disk.
    "Durable writes": writes.DURABLE_WORKLOADS,
}
_ROOT = pathlib.Path(__file__).resolve().parent.parent
# Answers are compared with those of this one, which reads the table as it was made.
_REFERENCE = "feather"


def _parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="share of the rows (1)")
    parser.add_argument("--rounds", type=int, default=7, help="rounds of each workload (7)")
    parser.add_argument(
        "--seconds", type=float, default=0.25, help="length of one round of one implementation"
    )
    parser.add_argument("--only", metavar="REGEX", default="", help="workloads to run")
    parser.add_argument(
        "--implementations",
        type=lambda text: text.split(","),
        metavar="NAMES",
        help=f"some of {','.join(IMPLEMENTATIONS)} (all that are installed)",
    )
    parser.add_argument("--no-memory", action="store_true", help="measure no peak memory")
    parser.add_argument("--data", type=pathlib.Path, default=_ROOT / "build" / "bench" / "data")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="keep the numbers here")
    parser.add_argument(
        "--readme",
        type=pathlib.Path,
        nargs="?",
        const=_ROOT / "bench" / "README.md",
        metavar="FILE",
        help="put the tables into this file (bench/README.md)",
    )
    parser.add_argument("--list", action="store_true", help="name the workloads and stop")
    arguments = parser.parse_args()
    unknown = set(arguments.implementations or []) - IMPLEMENTATIONS.keys()
    if unknown:
        known = ", ".join(IMPLEMENTATIONS)
        parser.error(f"unknown implementations {sorted(unknown)}: there are {known}")
    if arguments.rounds < 1 or arguments.scale <= 0:
        parser.error("--rounds and --scale must be positive")
    return arguments


def _tell(text):
    print(text, file=sys.stderr, flush=True)


def _check(workload, workers, reference):
    """Asks every implementation once: an entry for each, and the Arrow bytes of the answer."""
    read = workload if workload.operation != "write" else workload.read_of_what_is_written()
    expected, bytes = reference.ask("check", read, True)
    entries = {}
    for name in workload.implementations:
        if name not in workers:
            continue
        try:
            answer, entry = _ask_once(workload, name, workers[name], reference)
            if answer != expected:
                entry["error"] = _difference(answer, expected)
            entries[name] = entry
        except WorkerError as error:
            entries[name] = {"error": str(error)}
    return entries, bytes


def _ask_once(workload, name, worker, reference):
    """Digest of the implementation's answer, or of what it wrote; and its entry so far."""
    if workload.operation != "write":
        answer, _ = worker.ask("check", workload, False)
        return answer, {}
    try:
        written, size = worker.ask("write", workload)
        answer = reference.ask("read_back", IMPLEMENTATIONS[name].reader, written)
    finally:
        worker.ask("remove_written", workload)
    return answer, {"size": size}


def _difference(answer, expected):
    if answer["rows"] != expected["rows"]:
        return f"wrong answer: {answer['rows']:,} rows instead of {expected['rows']:,}"
    names = answer["columns"].keys() | expected["columns"].keys()
    wrong = [n for n in sorted(names) if answer["columns"].get(n) != expected["columns"].get(n)]
    return f"wrong answer in columns {', '.join(wrong)}"


def _measure(workload, entries, workers, settings):
    """The rounds: each implementation once in each, beginning with another one every time."""
    names = [name for name, entry in entries.items() if "error" not in entry]
    rounds = {name: [] for name in names}
    for number in range(settings.rounds):
        shift = number % max(1, len(names))
        for name in names[shift:] + names[:shift]:
            if "error" in entries[name]:
                continue
            try:
                # Far from the calls of other rounds, and the same for everybody.
                first_call = 1 + number * 1_000_000
                arguments = (workload, first_call, settings.seconds)
                rounds[name].append(workers[name].ask("measure", *arguments))
            except WorkerError as error:
                entries[name]["error"] = str(error)
    for name in names:
        if "error" not in entries[name]:
            entries[name] |= {
                "median": statistics.median(r["median"] for r in rounds[name]),
                "best": min(r["best"] for r in rounds[name]),
                "cpu": statistics.median(r["cpu"] for r in rounds[name]),
                "rounds": rounds[name],
            }


def _measure_memory(workload, entries, files):
    for name, entry in entries.items():
        if "error" in entry:
            continue
        with Worker(name, files) as fresh:
            try:
                entry["memory"] = fresh.ask("measure_memory", workload)
            except WorkerError as error:
                entry["error"] = f"memory: {error}"


def _fill_page_cache(files, formats):
    """Has the page cache hold the table's files as it takes them in when they are read in order.

    What it took in piece by piece, it would also give out more slowly.
    """
    for format in formats:
        forget(files.path(format))
        files.read_all(format)


def _run(workload, workers, reference, files, settings):
    _tell(f"  {workload.name}")
    entries, bytes = _check(workload, workers, reference)
    _measure(workload, entries, workers, settings)
    if not settings.no_memory:
        _measure_memory(workload, entries, files)
    if workload.is_cold:
        _fill_page_cache(files[workload.table], {IMPLEMENTATIONS[name].format for name in entries})
    for name, entry in entries.items():
        if "error" in entry:
            _tell(f"    {name}: {entry['error']}")
    return {
        "name": workload.name,
        "operation": workload.operation,
        "bytes": bytes,
        "goal": workload.goal,
        "goal_memory": workload.goal_memory,
        "goal_megabytes": workload.goal_megabytes,
        "goal_size": workload.goal_size,
        "order": workload.implementations,
        "implementations": entries,
    }


def _choose_implementations(settings):
    if settings.implementations is not None:
        return settings.implementations
    chosen = [name for name in IMPLEMENTATIONS if is_installed(name)]
    for name in IMPLEMENTATIONS.keys() - set(chosen):
        _tell(f"{name} is left out: it is not installed")
    return chosen


def _formats_read(workloads, table, chosen):
    """The formats of the table that the workloads need: what is only written comes from Feather."""
    read = (w for w in workloads if w.table == table and w.operation != "write")
    names = {name for w in read for name in w.implementations if name in chosen}
    return {IMPLEMENTATIONS[name].format for name in [*names, _REFERENCE]}


def main():
    settings = _parse_arguments()
    groups = {
        title: [w for w in workloads if re.search(settings.only, w.name)]
        for title, workloads in _GROUPS.items()
    }
    if settings.list:
        print("\n".join(workload.name for workloads in groups.values() for workload in workloads))
        return 0
    chosen = _choose_implementations(settings)
    groups = {
        title: [w for w in workloads if set(w.implementations) & set(chosen)]
        for title, workloads in groups.items()
    }
    if not any(groups.values()):
        _tell(f"no workload for {', '.join(chosen)} matches {settings.only!r}")
        return 2

    # 256 MiB, less in a short run.
    described = machine.describe(max(1 << 20, int((256 << 20) * min(1.0, 10 * settings.scale))))
    if described["load"] > 0.2 * described["cores"]:
        _tell(f"The machine is busy (load {described['load']:.1f}): do not trust these times.")
    used = [w for workloads in groups.values() for w in workloads]
    used_names = {name for w in used for name in w.implementations if name in chosen}
    chosen = [name for name in chosen if name in used_names]
    tables = [name for name in recipes.TABLES if any(w.table == name for w in used)]
    _tell(f"Tables {', '.join(tables)} at scale {settings.scale:g}")
    formats = {name: _formats_read(used, name, chosen) for name in tables}
    files = {}
    for name in tables:
        files |= recipes.prepare(settings.data, settings.scale, [name], sorted(formats[name]))
        _fill_page_cache(files[name], formats[name])

    workers = {name: Worker(name, files) for name in chosen}
    results = {
        "machine": described,
        "settings": {key: getattr(settings, key) for key in ("scale", "rounds", "seconds")},
        "versions": {},
        "labels": {name: IMPLEMENTATIONS[name].label for name in IMPLEMENTATIONS},
        "groups": {},
        "files": {
            name: {
                "rows": f.rows,
                "bytes": {format: f.size(format) for format in sorted(formats[name])},
            }
            for name, f in files.items()
        },
    }
    with Worker(_REFERENCE, files) as reference:
        for number, (title, workloads) in enumerate(groups.items()):
            _tell(title)
            results["groups"][title] = [
                _run(workload, workers, reference, files, settings) for workload in workloads
            ]
            # Those that no later group needs leave it their memory.
            later = [w for rest in list(groups.values())[number + 1 :] for w in rest]
            needed = {name for w in later for name in w.implementations}
            for name in [name for name in workers if name not in needed]:
                results["versions"] |= workers[name].ask("versions")
                workers.pop(name).close()

    text = report.render(results)
    print(text)
    if settings.json is not None:
        settings.json.write_text(json.dumps(results, indent=1) + "\n")
    if settings.readme is not None:
        report.put_into(settings.readme, text)
    failed = any(
        "error" in entry
        for workloads in results["groups"].values()
        for workload in workloads
        for entry in workload["implementations"].values()
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
