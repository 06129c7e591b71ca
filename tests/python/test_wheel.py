"""The wheel: what it holds and needs, and a program that runs with it, pyarrow and numpy alone."""

import os
import pathlib
import re
import subprocess
import sys
import sysconfig
import zipfile

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build/release"
GUIDE = ROOT / "docs/guide/installing.md"
# Issue of size: what is downloaded and kept by every installation.
MOST_BYTES = 30_000_000

PROGRAM = """
import sys
import pyarrow as pa
import tusk as lance

data = pa.table({"id": range(1000), "text": [f"row {i}" for i in range(1000)]})
table = lance.write_dataset(data, "t.lance", max_rows_per_file=300)
assert table.to_table().equals(data)
found = table.to_table(columns=["id"], filter="text like 'row 99%'")
assert found["id"].to_pylist() == [99, *range(990, 1000)]
assert table.take([999, 5, 999], columns=["id"])["id"].to_pylist() == [999, 5, 999]
table.delete("id >= 10")
lance.write_dataset(data.slice(0, 2), table, mode="append")
assert lance.dataset("t.lance").count_rows() == 12
assert lance.dataset("t.lance", version=1).count_rows() == 1000

lake = lance.init("lake")
lake.create_iceberg("media.numbers", data.schema)
assert lake.append({"media.rows": data}, {"media.numbers": data.slice(5)}) == 2
lake = lance.connect("lake")
assert lake.table("media.rows").count_rows() == 1000
assert lake.table("media.numbers").to_table()["id"].to_pylist() == list(range(5, 1000))
try:
    lake.sql("select 1")
except ImportError as error:
    assert "duckdb" in str(error), error
else:
    raise AssertionError("duckdb is not there")

with open("/proc/self/maps") as maps:
    print("\\n".join(sorted({line.split()[-1] for line in maps if ".so" in line})))
print(lance.__file__, file=sys.stderr)
"""


def run(*command, **options):
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, timeout=300, **options
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel of the folder TUSK_WHEEL, or one made of build/release."""
    folder = os.environ.get("TUSK_WHEEL")
    if folder is None:
        if not list(BUILD.glob("python/_tusk*.so")):
            pytest.skip("there is no build of the preset release")
        folder = tmp_path_factory.mktemp("wheel")
        run(ROOT / "tools/build_wheel.sh", folder)
    (found,) = pathlib.Path(ROOT, folder).glob("*.whl")
    return found


@pytest.fixture(scope="module")
def libraries(wheel, tmp_path_factory):
    """{name of a library of the wheel: what `readelf -d` tells of it}."""
    folder = tmp_path_factory.mktemp("libraries")
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if ".so" in name]
        archive.extractall(folder, names)
    return {
        name.rpartition("/")[2]: run("readelf", "--dynamic", "--wide", folder / name).stdout
        for name in names
    }


def test_it_is_small_and_says_for_what_it_is(wheel):
    assert wheel.stat().st_size < MOST_BYTES
    python = f"cp{sys.version_info[0]}{sys.version_info[1]}"
    # manylinux would promise that it runs without the libraries of the system.
    machine = sysconfig.get_platform().replace("-", "_")
    assert wheel.stem.split("-")[2:] == [python, python, machine]


def test_it_holds_the_package_and_nothing_beside(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    package = ROOT / "python/tusk"
    ours = {
        f"tusk/{file.relative_to(package)}"
        for file in package.rglob("*")
        if file.is_file() and file.suffix in (".py", ".pyi", ".typed")
    }
    ours.add("tusk/py.typed")
    extra = {name for name in names - ours if ".dist-info/" not in name}
    assert ours <= names and len(extra) == 2
    assert all(re.fullmatch(r"tusk/(_tusk\.cpython.*\.so|libtusk\.so\.[\d.]+)", n) for n in extra)


def test_its_libraries_are_those_of_pyarrow_and_of_packages_that_the_guide_names(libraries):
    guide = GUIDE.read_text()
    needed = set()
    for told in libraries.values():
        needed |= set(re.findall(r"\(NEEDED\)\s+Shared library: \[(.*?)\]", told))
        (path,) = re.findall(r"\(RUNPATH\)\s+Library runpath: \[(.*?)\]", told)
        assert path == "$ORIGIN:$ORIGIN/../pyarrow"
    assert {"libarrow.so.2600", "libparquet.so.2600"} <= needed
    unnamed = {name for name in needed - set(libraries) if f"`{name}`" not in guide}
    assert not unnamed, f"name them in {GUIDE}"


def test_a_program_runs_with_it_and_pyarrow_and_numpy_alone(wheel, tmp_path):
    run(sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv")
    python = tmp_path / "venv/bin/python"
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index"]
    run(*pip, wheel)
    (packages,) = (tmp_path / "venv/lib").glob("python*/site-packages")
    # Without a network: the very files that an installation would put there.
    for package in ("pyarrow", "numpy", "numpy.libs"):
        (packages / package).symlink_to(pathlib.Path(sysconfig.get_path("purelib")) / package)
    outside = tmp_path / "outside"
    outside.mkdir()
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    done = run(python, "-c", PROGRAM, cwd=outside, env=environment)
    assert pathlib.Path(done.stderr.strip()) == packages / "tusk/__init__.py"
    loaded = done.stdout.split()
    assert str(packages / "tusk/libtusk.so.0.1") in loaded
    # One Arrow, and nothing of this checkout.
    assert len([path for path in loaded if "/libarrow.so" in path]) == 1
    assert not [path for path in loaded if path.startswith(str(ROOT / "build"))]
