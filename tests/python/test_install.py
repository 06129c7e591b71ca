"""`make install`: a C++ program outside of the tree opens, fills and searches a lake without Python."""

import hashlib
import os
import pathlib
import shutil
import subprocess

import pytest
from conftest import write_pictures

import tusk

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build/release"
VENV = (ROOT / ".venv").resolve()


def run(*command, **options):
    result = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, timeout=300, **options
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def without_venv():
    """What to run a command with so that the virtual environment is not there for it."""
    hide = ["unshare", "--mount", "sh", "-c", f'mount -t tmpfs none "{VENV}" && exec "$@"', "sh"]
    try:
        hidden = subprocess.run([*hide, "ls", VENV], capture_output=True, text=True)
    except FileNotFoundError:
        return []
    return hide if hidden.returncode == 0 and hidden.stdout == "" else []


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    if not (BUILD / "cmake_install.cmake").exists():
        pytest.skip("there is no build of the preset release")
    prefix = tmp_path_factory.mktemp("prefix")
    run("cmake", "--install", BUILD, "--component", "cpp", "--prefix", prefix)
    return prefix


def test_a_program_outside_of_the_tree_uses_the_installed_library(prefix, tmp_path):
    hidden = without_venv()
    source = shutil.copytree(ROOT / "examples/search", tmp_path / "source")
    build = tmp_path / "build"
    write_pictures(tmp_path / "pictures", 20)
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    run(
        *hidden, "cmake", "-S", source, "-B", build, f"-DCMAKE_PREFIX_PATH={prefix}",
        "-DCMAKE_BUILD_TYPE=Release", env=environment,
    )  # fmt: skip
    run(*hidden, "cmake", "--build", build, env=environment)
    picture = next((tmp_path / "pictures").rglob("0003.png"))
    program = [build / "search", tmp_path / "lake", tmp_path / "pictures", picture]
    out = run(*hidden, *program, env=environment)
    lines = out.splitlines()
    content_id = hashlib.sha256(picture.read_bytes()).hexdigest()
    assert lines[:2] == ["added 20 of 20 files", f"0  {content_id}"] and len(lines) == 6

    # All that is loaded comes from the prefix or the system.
    loaded = run("ldd", build / "search", env=environment)
    assert str(prefix / "lib") in loaded.replace("/x86_64-linux-gnu", "") and "not found" not in loaded
    assert str(VENV) not in loaded and "site-packages" not in loaded

    # Python reads the lake that the program made, and finds the same.
    lake = tusk.connect(tmp_path / "lake")
    hits = lake.search("media.pictures", picture, k=5)
    assert [line.split()[1] for line in lines[1:]] == hits["content_id"].to_pylist()
