"""The benchmark harness in bench/ works: what it measures is judged elsewhere, times are not."""

import importlib.util
import json
import pathlib
import re
import subprocess
import sys

import pyarrow as pa
import pyarrow.feather as feather
import pytest

BENCH = pathlib.Path(__file__).parents[2] / "bench"


READS = ("tusk", "pylance")
# By what their workloads' names begin with.
KINDS = {
    "own take": ("tusk-on-own", "pylance-on-tusks"),
    "file": ("tusk-file", "pylance-file"),
    "write": ("tusk-writer", "pylance-writer"),
    "durable write": ("tusk-durable",),
}


def run(*arguments):
    return subprocess.run(
        [sys.executable, str(BENCH / "run.py"), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return tmp_path_factory.mktemp("bench_data")


def implementations():
    names = [*READS, *(name for kind in KINDS.values() for name in kind)]
    if importlib.util.find_spec("tusk.file") is None:
        names.remove("tusk-file")
    return names


def test_every_workload_runs_and_tusk_and_pylance_give_the_same_answers(data, tmp_path):
    names = implementations()
    numbers = tmp_path / "numbers.json"
    # The exit status tells of wrong answers, errors and crashes.
    ran = run(
        *("--scale", 0.0001, "--rounds", 1, "--seconds", 0, "--no-memory"),
        *("--implementations", ",".join(names), "--data", data, "--json", numbers),
    )
    assert ran.returncode == 0, ran.stderr
    groups = json.loads(numbers.read_text())["groups"]
    found = {w["name"]: w["implementations"] for g in groups.values() for w in g}
    assert list(found) == run("--list").stdout.splitlines()
    for name, measured in found.items():
        assert measured.keys() == set(KINDS.get(name.split(":")[0], READS)) & set(names), name
        assert all(entry["median"] > 0 for entry in measured.values()), name
    assert not list(data.rglob("written-*"))


def test_memory_is_measured_and_the_readme_is_filled(data, tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text("before\n<!-- results -->\nold\n<!-- end of results -->\nafter\n")
    ran = run(
        *("--scale", 0.0001, "--rounds", 1, "--seconds", 0, "--only", "one f64 column"),
        *("--implementations", "tusk,pylance", "--data", data, "--readme", readme),
    )
    assert ran.returncode == 0, ran.stderr
    text = readme.read_text()
    assert text.startswith("before\n<!-- results -->\n")
    assert text.endswith("<!-- end of results -->\nafter\n")
    assert "old" not in text
    assert ran.stdout.strip() in text
    assert "memory added at the peak" in text


def test_sizes_and_memory_of_writes_are_reported(data):
    ran = run(
        *("--scale", 0.0001, "--rounds", 1, "--seconds", 0, "--only", "write: blobs"),
        *("--implementations", "tusk-writer,tusk-durable,pylance-writer", "--data", data),
    )
    assert ran.returncode == 0, ran.stderr
    assert "MB of the data files" in ran.stdout
    # 10 blobs of 200,000 bytes that nothing makes smaller.
    (sizes,) = re.findall(r"\| write: blobs of 200 KB \| (2\.00) +\| (\S+) +\| (\S+)", ran.stdout)
    assert sizes == ("2.00", "2.00", "2.00")
    assert "below 300 MB beside the table" in ran.stdout


def test_a_wrong_answer_fails_the_run(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(BENCH))
    import recipes
    import tusk

    table = recipes.prepare(tmp_path, 0.0001, ["wide"], ["feather"])["wide"]
    # The dataset differs from the table that was made in one value.
    other = feather.read_table(table.path("feather"))
    values = other["uniform"].to_numpy().copy()
    values[-1] += 1e-9
    column = other.column_names.index("uniform")
    other = other.set_column(column, other.field(column), pa.array(values))
    tusk.write_dataset(other, table.path("lance"))
    ran = run(
        *("--scale", 0.0001, "--rounds", 1, "--seconds", 0, "--only", "one f64", "--no-memory"),
        *("--implementations", "tusk,pylance", "--data", tmp_path),
    )
    assert ran.returncode == 1
    assert ran.stderr.count("wrong answer in columns uniform") == 2


def test_a_table_that_was_written_wrong_is_noticed(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(BENCH))
    import recipes
    import run as runner
    import worker
    import writers
    import writes

    class Here:
        """Asks in this process, where the writer is another."""

        def __init__(self, name, files):
            self.server = worker._Server(name, files)

        def ask(self, command, *arguments):
            return getattr(self.server, command)(*arguments)

    def write_without_last_row(self, table, path):
        feather.write_feather(table.slice(0, len(table) - 1), path)

    def write_with_other_box(self, table, path):
        boxes = table["boxes"].to_pylist()
        next(boxes for boxes in reversed(boxes) if boxes)[-1]["label"] = "cart"
        changed = pa.array(boxes, table["boxes"].type)
        feather.write_feather(table.set_column(0, table.field(0), changed), path)

    files = recipes.prepare(tmp_path, 0.0001, ["nested"], ["feather"])
    (workload,) = [w for w in writes.WORKLOADS if w.table == "nested"]
    reference = Here("feather", files)

    def check():
        entries, _ = runner._check(
            workload, {"feather-writer": Here("feather-writer", files)}, reference
        )
        return entries["feather-writer"].get("error")

    assert check() is None
    monkeypatch.setattr(writers.Feather, "write", write_without_last_row)
    assert check() == "wrong answer: 999 rows instead of 1,000"
    monkeypatch.setattr(writers.Feather, "write", write_with_other_box)
    assert check() == "wrong answer in columns boxes"


def test_digests_are_those_of_the_values_however_they_are_laid_out(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCH))
    from answers import digest

    box = pa.struct([("label", pa.string()), ("score", pa.float32())])
    rows = [
        {"blob": b"ab", "boxes": [{"label": "cat", "score": 1}, {"label": "dog", "score": 2}]},
        {"blob": None, "boxes": None},
        {"blob": b"c", "boxes": []},
        {"blob": b"", "boxes": [{"label": "ox", "score": None}, None]},
    ]
    table = pa.Table.from_pylist(
        rows, pa.schema([("blob", pa.binary()), ("boxes", pa.list_(box))])
    )
    view_box = pa.struct([("label", pa.string_view()), ("score", pa.float32())])
    for blob_type, boxes_type in [
        (pa.large_binary(), pa.large_list(box)),
        (pa.binary_view(), pa.list_(view_box)),
    ]:
        schema = pa.schema([("blob", blob_type), ("boxes", boxes_type)])
        other = pa.Table.from_pylist([rows[0]] + rows, schema).slice(1)
        parts = pa.concat_tables([other.slice(0, 1), other.slice(1)])
        assert digest(parts) == digest(table)
    for row, column, value in [
        (1, "blob", b""),
        (2, "blob", b"d"),
        (1, "boxes", []),
        (2, "boxes", [None]),
        (3, "boxes", [None, {"label": "ox", "score": None}]),
    ]:
        changed = [dict(r) for r in rows]
        changed[row][column] = value
        assert digest(pa.Table.from_pylist(changed, table.schema)) != digest(table)
