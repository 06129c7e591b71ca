"""The results of a run as text: tables in Markdown, the same on the terminal and in the README."""

import re

_BEGIN = "<!-- results -->"
_END = "<!-- end of results -->"


def _three_digits(value):
    """At least three digits, and no more behind the point than that needs."""
    return f"{value:,.{max(0, 3 - len(str(int(value))))}f}"


def _time(seconds):
    if seconds < 1e-3:
        return f"{_three_digits(seconds * 1e6)} us"
    return f"{_three_digits(seconds * 1e3)} ms"


def _megabytes(count):
    return _three_digits(count / 1e6)


def _times(ratio):
    return f"{ratio:.2f}x" if ratio < 1 else f"{_three_digits(ratio)}x"


def _markdown(header, rows):
    """A table whose columns stand in line in plain text too."""
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]

    def line(cells):
        return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths)) + " |"

    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([line(header), rule, *map(line, rows)])


def _goal(workload):
    """What is asked of tusk beside pylance, and whether this run has it."""
    if workload["goal"] is None:
        return ""
    ours, pylance = (
        workload["implementations"].get(workload["order"][i], {}).get("median") for i in (0, 1)
    )
    if ours is None or pylance is None:
        return f"{workload['goal']:g}x"
    return f"{workload['goal']:g}x: {'yes' if pylance / ours >= workload['goal'] else 'no'}"


def _time_cell(entry, baseline):
    if entry is None:
        return ""
    if "error" in entry:
        return "failed"
    cell = f"{_time(entry['median'])} ({_time(entry['best'])})"
    if baseline is not None and entry is not baseline and "median" in baseline:
        cell += f" **{_times(entry['median'] / baseline['median'])}**"
    return cell


def _cpu_cell(entry, _):
    return _time(entry["cpu"]) if entry and "cpu" in entry else ""


def _memory_cell(entry, bytes):
    if not entry or "memory" not in entry:
        return ""
    added = entry["memory"]["added"]
    cell = f"{_megabytes(added)} MB"
    # Beside the fixed needs of a process a small result tells nothing.
    if bytes >= 10e6:
        cell += f" **{_times(added / bytes)}**"
    if entry["memory"]["requests"] is not None:
        requests, read = entry["memory"]["requests"]
        cell += f", {requests:,} reads, {_megabytes(read)} MB"
    return cell


def _columns(workloads, labels):
    """The implementations of these workloads, in the order of `labels`."""
    return [name for name in labels if any(name in w["implementations"] for w in workloads)]


def _times_title(title, workloads):
    if all(len(workload["order"]) == 1 for workload in workloads):
        return f"### {title}: median (best)"
    return f"### {title}: median (best) **time of the peer / time of tusk**"


def _are_writes(workloads):
    return any(workload["operation"] == "write" for workload in workloads)


def _subject(workloads):
    """What the Arrow bytes of the workloads are."""
    return "table" if _are_writes(workloads) else "result"


def _times_table(workloads, labels):
    names = _columns(workloads, labels)
    header = ["workload", f"{_subject(workloads)} MB", "goal", *(labels[name] for name in names)]
    rows = []
    for workload in workloads:
        entries = workload["implementations"]
        baseline = entries.get(workload["order"][0])
        cells = [_time_cell(entries.get(name), baseline) for name in names]
        rows.append([workload["name"], _megabytes(workload["bytes"]), _goal(workload), *cells])
    return _markdown(header, rows)


def _entries_table(workloads, labels, cell):
    names = _columns(workloads, labels)
    rows = [
        [w["name"], *(cell(w["implementations"].get(name), w["bytes"]) for name in names)]
        for w in workloads
    ]
    return _markdown(["workload", *(labels[name] for name in names)], rows)


def _memory_goals(workloads):
    for workload in workloads:
        entry = workload["implementations"].get(workload["order"][0], {})
        if "memory" not in entry:
            continue
        added = entry["memory"]["added"]
        if workload["goal_memory"] is not None:
            ratio = added / workload["bytes"]
            goal = workload["goal_memory"]
            yield (
                f"Goal of {workload['name']}: at most {goal:g} times the result, measured "
                f"{ratio:.2f}: {'yes' if ratio <= goal else 'no'}."
            )
        if workload["goal_megabytes"] is not None:
            goal = workload["goal_megabytes"]
            yield (
                f"Goal of {workload['name']}: below {goal:g} MB beside the table, measured "
                f"{_megabytes(added)}: {'yes' if added < goal * 1e6 else 'no'}."
            )


def _size_goal(workload):
    """The bytes of tusk's files over those of pylance's, and whether they are few enough."""
    goal = workload["goal_size"]
    ours, pylance = (
        workload["implementations"].get(workload["order"][i], {}).get("size") for i in (0, 1)
    )
    if ours is None or not pylance:
        return "", f"{goal:g}"
    ratio = ours / pylance
    return f"**{ratio:.4f}** ({ours - pylance:+,} B)", f"{goal:g}: {'yes' if ratio <= goal else 'no'}"


def _sizes_table(workloads, labels):
    # Feather's are those of the table.
    names = [name for name in _columns(workloads, labels) if name != "feather-writer"]
    header = ["workload", "table MB", *(labels[name] for name in names), "tusk / pylance", "goal"]
    rows = []
    for workload in workloads:
        sizes = [workload["implementations"].get(name, {}).get("size") for name in names]
        cells = ["" if size is None else _megabytes(size) for size in sizes]
        rows.append(
            [workload["name"], _megabytes(workload["bytes"]), *cells, *_size_goal(workload)]
        )
    return _markdown(header, rows)


def _file_cell(size):
    return "" if size is None else _megabytes(size)


def _files_table(files):
    formats = list(dict.fromkeys(format for sizes in files.values() for format in sizes["bytes"]))
    rows = [
        [name, f"{sizes['rows']:,}", *(_file_cell(sizes["bytes"].get(f)) for f in formats)]
        for name, sizes in files.items()
    ]
    return _markdown(["MB of file", "rows", *formats], rows)


def _conditions(results):
    machine, settings = results["machine"], results["settings"]
    versions = ", ".join(f"{name} {version}" for name, version in results["versions"].items())
    return (
        f"{machine['date']}; {machine['cores']} cores of {machine['cpu']}, "
        f"{machine['memory'] / 2**30:.0f} GiB, Linux {machine['kernel']}, load at the start "
        f"{machine['load']:.2f}; memcpy of {machine['copy_bytes'] >> 20} MiB "
        f"{machine['memcpy'] / 1e9:.1f} GB/s on one core, "
        f"{machine['memcpy_all_cores'] / 1e9:.1f} on all. tusk at {machine['revision']}; "
        f"{versions}, Python {machine['python']}. Scale {settings['scale']:g}, "
        f"{settings['rounds']} rounds of {settings['seconds']:g} s."
    )


def _errors(workloads, labels):
    for workload in workloads:
        for name, entry in workload["implementations"].items():
            if "error" in entry:
                yield f"- {workload['name']}, {labels[name]}: {entry['error']}"


def render(results):
    """Everything as Markdown."""
    labels = results["labels"]
    sections = [_conditions(results)]
    for title, workloads in results["groups"].items():
        if not workloads:
            continue
        sections.append(_times_title(title, workloads))
        sections.append(_times_table(workloads, labels))
        sections.append(f"### {title}: CPU time of a call, all threads")
        sections.append(_entries_table(workloads, labels, _cpu_cell))
        if any("memory" in e for w in workloads for e in w["implementations"].values()):
            sections.append(
                f"### {title}: memory added at the peak "
                f"**and as a multiple of the {_subject(workloads)}**"
                + ("" if _are_writes(workloads) else ", reads of the first call")
            )
            sections.append(_entries_table(workloads, labels, _memory_cell))
            sections.extend(_memory_goals(workloads))
        if any(workload["goal_size"] is not None for workload in workloads):
            sections.append(f"### {title}: MB of the data files")
            sections.append(_sizes_table(workloads, labels))
        failures = list(_errors(workloads, labels))
        if failures:
            sections.append("Failed:\n\n" + "\n".join(failures))
    sections.append("### Files")
    sections.append(_files_table(results["files"]))
    return "\n\n".join(sections) + "\n"


def put_into(path, text):
    """Replaces what stands between the marks of the file `path`."""
    old = path.read_text()
    pattern = re.compile(f"{re.escape(_BEGIN)}.*?{re.escape(_END)}", re.DOTALL)
    new, count = pattern.subn(lambda _: f"{_BEGIN}\n{text}{_END}", old)
    if count != 1:
        raise ValueError(f"{path} has {count} places for results between {_BEGIN} and {_END}")
    path.write_text(new)
