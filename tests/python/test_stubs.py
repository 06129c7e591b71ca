"""What the type stubs say is what the running code has."""

import ast
import builtins
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


def _bound(body):
    """Names that statements define."""
    for node in body:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from ((alias.asname or alias.name).partition(".")[0] for alias in node.names)
        elif isinstance(node, (ast.ClassDef, ast.FunctionDef)):
            yield node.name
        elif isinstance(node, ast.Assign):
            yield from (target.id for target in node.targets)


def _unknown(node, known):
    """Names that a class or a module uses and nobody defines, or a method of the class hides."""
    for child in node.body:
        if isinstance(child, ast.ClassDef):
            methods = {one for one in _bound(child.body) if one in dir(builtins)}
            yield from _unknown(child, (known - methods) | set(_bound(child.body)) - methods)
        else:
            for one in ast.walk(child):
                if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load):
                    yield from {one.id} - known


@pytest.mark.parametrize("path", sorted(make_stubs.stubs()), ids=lambda path: path.name)
def test_every_name_of_a_stub_is_defined_there(path):
    module = ast.parse(path.read_text())
    assert sorted(set(_unknown(module, set(dir(builtins)) | set(_bound(module.body))))) == []


def test_package_is_marked_as_typed():
    assert (make_stubs.PACKAGE / "py.typed").exists()


def test_a_parameter_without_a_type_is_told():
    def write(unheard_of=None): ...

    with pytest.raises(make_stubs.Missing, match="unheard_of"):
        make_stubs._function("write", "write", write, None, "")
