"""What the type stubs say is what the running code has."""

import ast
import pathlib
import sys

import pytest

TOOLS = pathlib.Path(__file__).resolve().parents[2] / "tools"
sys.path.insert(0, str(TOOLS))

import make_stubs  # noqa: E402


@pytest.mark.parametrize("path", sorted(make_stubs.stubs()), ids=lambda path: path.name)
def test_stub_is_what_the_runtime_has(path):
    # Made by `python tools/make_stubs.py`.
    text = path.read_text()
    ast.parse(text)
    assert text == make_stubs.stubs()[path]


def test_package_is_marked_as_typed():
    assert (make_stubs.PACKAGE / "py.typed").exists()


def test_a_parameter_without_a_type_is_told():
    def write(unheard_of=None): ...

    with pytest.raises(make_stubs.Missing, match="unheard_of"):
        make_stubs._function("write", "write", write, None, "")
