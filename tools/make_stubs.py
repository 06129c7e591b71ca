#!/usr/bin/env python3
"""Writes the type stubs of the package (python/tusk/*.pyi) from its runtime signatures.

Names, parameters and defaults come from the running code, their types from tools/stub_types.py. The
tests compare what is written with what would be written. Modules over PyTorch and the like are looked at without it.

    python tools/make_stubs.py
"""

import dataclasses
import importlib
import inspect
import pathlib
import sys
import types

import stub_types
import stub_types_training
from stand_ins import stand_ins

PACKAGE = pathlib.Path(__file__).resolve().parent.parent / "python/tusk"
MODULES = {**stub_types.MODULES, **stub_types_training.MODULES}
BASES = {**stub_types.BASES, **stub_types_training.BASES}
PARAMETERS = {**stub_types_training.PARAMETERS, **stub_types.PARAMETERS}
RESULTS = {**stub_types.RESULTS, **stub_types_training.RESULTS}
HEADER = '"""Made by tools/make_stubs.py; do not edit."""\n'
_SPECIAL = ("__copy__", "__iter__", "__len__", "__contains__", "__getitem__", "__call__")


class Missing(Exception):
    """A name without a type in stub_types."""


def _default(value):
    if value is inspect.Parameter.empty:
        return ""
    if value is None or type(value) in (bool, int, float, str):
        return f" = {value!r}"
    return " = ..."


def _parameter(path, parameter):
    own = PARAMETERS.get(f"{path}.{parameter.name}", PARAMETERS.get(parameter.name))
    if own is None:
        raise Missing(f"parameter {parameter.name} of {path}")
    if parameter.default is None and own != "Any" and not own.endswith("| None"):
        own += " | None"
    return f"{parameter.name}: {own}{_default(parameter.default)}"


def _signature(path, function, skip_first):
    parts = []
    star = False
    listed = list(inspect.signature(function).parameters.values())
    first = ["self"] if skip_first == "self" else ["cls"] if skip_first == "cls" else []
    if skip_first == "self":
        listed = listed[1:]
    for parameter in listed:
        if parameter.kind is parameter.VAR_KEYWORD:
            parts.append(f"**{parameter.name}: Any")
        elif parameter.kind is parameter.VAR_POSITIONAL:
            star = True
            parts.append(f"*{parameter.name}: Any")
        else:
            if parameter.kind is parameter.KEYWORD_ONLY and not star:
                star = True
                parts.append("*")
            parts.append(_parameter(path, parameter))
    by_position = sum(parameter.kind is parameter.POSITIONAL_ONLY for parameter in listed)
    if by_position:
        parts.insert(by_position, "/")
    return ", ".join(first + parts)


def _result(path):
    found = RESULTS.get(path)
    if found is None:
        raise Missing(f"result of {path}")
    return found


def _function(path, name, function, kind, indent):
    lines = []
    if kind in ("classmethod", "staticmethod"):
        lines.append(f"{indent}@{kind}")
    skip = {"method": "self", "classmethod": "cls"}.get(kind)
    parameters = _signature(path, function, skip)
    result = "NoReturn" if hasattr(function, "__tusk_instead__") else _result(path)
    line = f"{indent}def {name}({parameters}) -> {result}: ..."
    if len(line) > 100:
        inner = f",\n{indent}    ".join(_split(parameters))
        line = f"{indent}def {name}(\n{indent}    {inner},\n{indent}) -> {result}: ..."
    return [*lines, line]


def _split(parameters):
    """At the commas outside of brackets."""
    parts, depth, begin = [], 0, 0
    for i, char in enumerate(parameters):
        depth += (char in "[(") - (char in "])")
        if char == "," and depth == 0:
            parts.append(parameters[begin:i].strip())
            begin = i + 1
    return [*parts, parameters[begin:].strip()]


def _members(cls, path):
    """Members of a class and of its mixins, which are not told apart in stubs; without those that it
    has from a class that its stub derives from.
    """
    bases = [base for base in cls.__mro__[1:] if base.__name__ in BASES.get(path, [])]
    inherited = {name: value for base in reversed(bases) for name, value in _all_members(base)}
    nothing = object()
    return {
        name: value
        for name, value in _all_members(cls)
        if inherited.get(name, nothing) is not value
    }


def _all_members(cls):
    found = {}
    for base in reversed(cls.__mro__):
        if base.__module__.startswith("tusk"):
            found.update(vars(base))
    return found.items()


def _is_shown(name, value):
    if name.startswith("_") and name not in _SPECIAL:
        return False
    if isinstance(value, (staticmethod, classmethod)):
        value = value.__func__
    if isinstance(value, property):
        value = value.fget
    # What pyarrow has and tusk refuses is not shown.
    return not getattr(value, "__qualname__", "").startswith(("_not_supported", "_static_not"))


def _class(cls, prefix=""):
    path = prefix + cls.__name__
    bases = ", ".join(BASES.get(path, []))
    lines = [f"class {cls.__name__}({bases}):" if bases else f"class {cls.__name__}:"]
    body = []
    fields = dataclasses.fields(cls) if dataclasses.is_dataclass(cls) else []
    for field in fields:
        if not field.name.startswith("_"):
            own = stub_types.FIELDS.get(f"{path}.{field.name}") or stub_types.FIELDS.get(field.name)
            if own is None:
                raise Missing(f"field {field.name} of {path}")
            body.append(f"    {field.name}: {own}")
    members = _members(cls, path)
    init = members.get("__init__")
    if isinstance(init, types.FunctionType):
        signature = _signature(f"{path}", init, "self")
        line = f"    def __init__({signature}) -> None: ..."
        if len(line) > 100:
            inner = ",\n        ".join(_split(signature))
            line = f"    def __init__(\n        {inner},\n    ) -> None: ..."
        body.append(line)
    names = {field.name for field in fields}
    for name, value in sorted(members.items()):
        if name in names or not _is_shown(name, value):
            continue
        own = f"{path}.{name}"
        if isinstance(value, property):
            result = "NoReturn" if hasattr(value.fget, "__tusk_instead__") else _result(own)
            body += ["    @property", f"    def {name}(self) -> {result}: ..."]
        elif isinstance(value, staticmethod):
            body += _function(own, name, value.__func__, "staticmethod", "    ")
        elif isinstance(value, classmethod):
            body += _function(own, name, getattr(cls, name), "classmethod", "    ")
        elif isinstance(value, types.FunctionType):
            body += _function(own, name, value, "method", "    ")
        elif inspect.isclass(value):
            body += ["    " + line for line in _class(value, prefix)]
    return lines + (body or ["    pass"]) + [""]


def module_stub(name):
    """The text of the stub of a module of MODULES."""
    importlib.import_module(f"tusk.{name}")
    module = sys.modules[f"tusk.{name}"]
    names, imports = MODULES[name]
    # Names there are those of other modules, too.
    prefix = f"{name}." if name in stub_types_training.MODULES else ""
    lines = [HEADER, *stub_types.IMPORTS, *imports, ""]
    for own in sorted(names):
        value = getattr(module, own)
        if inspect.isclass(value):
            lines += _class(value, prefix)
        else:
            lines += [*_function(prefix + own, own, value, None, ""), ""]
    return "\n".join(lines).rstrip() + "\n"


def package_stub():
    """The text of the stub of the package, which finds its names when they are asked for."""
    import tusk

    lines = [HEADER]
    for name, home in sorted(tusk._HOMES.items()):
        lines.append(f"from {home} import {name} as {name}")
    lines += [f"from tusk import {name} as {name}" for name in tusk._MODULES]
    return "\n".join([*lines, "", "__version__: str", ""])


def stubs():
    """path -> text of every stub."""
    texts = {PACKAGE / "__init__.pyi": package_stub()}
    with stand_ins():
        for name in MODULES:
            path = "torch/__init__" if name == "torch" else name.replace(".", "/")
            texts[PACKAGE / f"{path}.pyi"] = module_stub(name)
    return texts


if __name__ == "__main__":
    for path, text in stubs().items():
        path.write_text(text)
