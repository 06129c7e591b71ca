"""The benchmark harness in bench/ works: what it measures is judged elsewhere, times are not."""

import importlib.util
import json
import pathlib
import subprocess
import sys

import pyarrow as pa
import pyarrow.feather as feather
import pytest

BENCH = pathlib.Path(__file__).parents[2] / "bench"


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
    names = ["tusk", "pylance", "pylance-file"]
    if importlib.util.find_spec("tusk.file") is not None:
        names.append("tusk-file")
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
        kind = ("tusk-file", "pylance-file") if name.startswith("file:") else ("tusk", "pylance")
        assert measured.keys() == set(kind) & set(names), name
        assert all(entry["median"] > 0 for entry in measured.values()), name


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
