#!/usr/bin/env python3
"""Compares the names of tusk with those of pylance and writes docs/guide/pylance-compatibility.md.

Both packages are imported and walked: modules, classes, members, functions, their parameters with
order, kind and default. tools/pylance_reasons.py has the reason for every difference.

    python tools/pylance_api.py           # writes the page
    python tools/pylance_api.py --check   # tells differences without a reason; 1 if there are any
"""

import argparse
import builtins
import dataclasses
import functools
import importlib
import inspect
import pathlib
import pkgutil
import re
import sys
import warnings

import pylance_reasons
from stand_ins import stand_ins

PAGE = pathlib.Path(__file__).resolve().parent.parent / "docs/guide/pylance-compatibility.md"
# Members with two underscores that programs rely on.
PROTOCOLS = {
    "__call__",
    "__contains__",
    "__copy__",
    "__enter__",
    "__eq__",
    "__exit__",
    "__getitem__",
    "__getstate__",
    "__iter__",
    "__len__",
    "__next__",
    "__reduce__",
    "__repr__",
    "__setstate__",
}


@dataclasses.dataclass(frozen=True)
class Difference:
    """`kind` is missing, later (raises NotImplementedError), other (signature or kind) or added."""

    path: str
    kind: str
    what: str


# Not walked: pylance's test set-up.
_LEFT_OUT = ("lance.conftest",)


def module_names():
    """The modules of pylance that can be imported."""
    import lance

    found = pkgutil.walk_packages(lance.__path__, "lance.")
    return ["lance", *(one.name for one in found if not one.name.startswith(_LEFT_OUT))]


def load(name):
    # A function of the package may hide a module of the same name.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        importlib.import_module(name)
    return sys.modules[name]


_OF_PYTHON = {value for value in vars(builtins).values() if isinstance(value, type)}


def is_public(name):
    return not name.startswith("_")


def _defined_in(module):
    """Public classes and functions that a module defines, or says are its own."""
    listed = set(getattr(module, "__all__", ()))
    for name, value in sorted(vars(module).items()):
        if not is_public(name) or inspect.ismodule(value):
            continue
        if not (inspect.isclass(value) or inspect.isroutine(value)):
            continue
        if getattr(value, "__module__", None) == module.__name__ or name in listed:
            yield name, value


def members(cls, package):
    """Public members of a class and of its bases in the same package: name -> class that has it."""
    found = {}
    for base in cls.__mro__:
        # Classes of the extension may say that they are builtins.
        if str(base.__module__).split(".")[0] not in (package, "builtins"):
            continue
        if base.__module__ == "builtins" and base in _OF_PYTHON:
            continue
        for name in vars(base):
            if is_public(name) or name in PROTOCOLS:
                found.setdefault(name, base)
    for name in filter(is_public, getattr(cls, "__dataclass_fields__", {})):
        found.setdefault(name, cls)
    return found


def kind_of(cls, name):
    value = inspect.getattr_static(cls, name, None)
    if inspect.isclass(value):
        return "class"
    if isinstance(value, (staticmethod, classmethod)):
        return "function of the class"
    if type(value).__name__ in ("builtin_function_or_method", "classmethod_descriptor"):
        return "function of the class"
    if inspect.isroutine(value):
        return "method"
    return "attribute"


def parameters(value, bound):
    """[(name, kind, default)] of a callable; None if it does not tell."""
    try:
        signature = inspect.signature(value)
    except (ValueError, TypeError):
        return None
    listed = list(signature.parameters.values())
    if not bound and listed and listed[0].name in ("self", "cls"):
        listed = listed[1:]
    return [(one.name, one.kind, _default_text(one.default)) for one in listed]


def _default_text(value):
    if value is inspect.Parameter.empty:
        return None
    if inspect.isfunction(value):
        return value.__name__
    return re.sub(r"\b(pylance|lance|tusk)\b", "", repr(value))


_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def compare_parameters(theirs, ours):
    """What a call that pylance takes would find otherwise; empty if nothing."""
    if theirs is None or ours is None:
        return ""
    text = []
    names = {name: (kind, default) for name, kind, default in ours}
    for name, kind, default in theirs:
        if kind in (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL):
            if not any(other[1] == kind for other in ours):
                stars = "*" if kind == inspect.Parameter.VAR_POSITIONAL else "**"
                text.append(f"no `{stars}{name}`")
            continue
        if name not in names:
            text.append(f"no `{name}`")
            continue
        if default not in (None, names[name][1], "Ellipsis"):
            text.append(f"`{name}={names[name][1]}` in place of `{default}`")
        if (kind in _POSITIONAL) and names[name][0] not in _POSITIONAL:
            text.append(f"`{name}` by keyword only")
    by_place = [name for name, kind, _ in theirs if kind in _POSITIONAL and name in names]
    our_places = [name for name, kind, _ in ours if kind in _POSITIONAL]
    if our_places[: len(by_place)] != by_place and not text:
        text.append(f"order ({', '.join(our_places)}) in place of ({', '.join(by_place)})")
    known = {name for name, _, _ in theirs}
    for name, kind, default in ours:
        variable = kind in (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
        if name not in known and not variable:
            text.append(f"also `{name}`" + ("" if default is not None else ", which must be given"))
    return "; ".join(text)


class Walk:
    """The differences of two packages, module by module."""

    def __init__(self):
        self.differences = []
        self.same = {}  # path of a module or class -> names that are the same
        self._met = set()

    def _add(self, path, kind, what=""):
        self.differences.append(Difference(path, kind, what))

    def run(self):
        with stand_ins():
            for name in module_names():
                self._module(load(name), name.replace("lance", "", 1))
        return self

    def _module(self, theirs, tail):
        path = f"lance{tail}"
        elsewhere = _named_elsewhere() if path == "lance.lance" else ()
        try:
            ours = load(f"tusk{tail}")
        except ImportError:
            self._add(path, "missing", "the module")
            return
        same = self.same.setdefault(path, [])
        for name, value in _defined_in(theirs):
            if name in elsewhere and hasattr(ours, name):
                same.append(name)
            elif not hasattr(ours, name):
                self._add(f"{path}.{name}", "missing", _noun(value))
            elif not self._is_home(value, theirs):
                same.append(name)  # walked where it is defined
            elif inspect.isclass(value):
                self._class(value, getattr(ours, name), f"{path}.{name}", same)
            else:
                self._callable(value, getattr(ours, name), f"{path}.{name}", name, same)

    def _is_home(self, value, module):
        """Whether a name is compared here: where it is defined, or, of what the extension module
        defines, where it is first met.
        """
        if value.__module__ in sys.modules and value.__module__ not in ("builtins", "lance.lance"):
            return value.__module__ == module.__name__
        is_first = id(value) not in self._met
        self._met.add(id(value))
        return is_first

    def _class(self, theirs, ours, path, siblings):
        if not inspect.isclass(ours):
            self._add(path, "other", "no class")
            return
        siblings.append(theirs.__name__)
        same = self.same.setdefault(path, [])
        if getattr(ours, "__tusk_instead__", None) is not None:
            self._add(path, "later", ours.__tusk_instead__)
            return
        how = compare_parameters(parameters(theirs, True), parameters(ours, True))
        if how and "__init__" in vars(theirs) | {"__init__": 0}:
            self._add(f"{path}()", "other", how)
        our_members = members(ours, "tusk")
        for name in sorted(members(theirs, "lance")):
            self._member(theirs, ours, name, f"{path}.{name}", our_members, same)
        fields = getattr(theirs, "__dataclass_fields__", {})
        for name in sorted(our_members):
            if is_public(name) and not hasattr(theirs, name) and name not in fields:
                self._add(f"{path}.{name}", "added")

    def _member(self, theirs, ours, name, path, our_members, same):
        if name not in our_members:
            if name in PROTOCOLS and (hasattr(ours, name) or name == "__eq__"):
                return
            self._add(path, "missing", kind_of(theirs, name))
            return
        kinds = kind_of(theirs, name), kind_of(ours, name)
        if name in theirs.__dict__.get("__dataclass_fields__", {}):
            kinds = "attribute", "attribute"
        if kinds[0] != kinds[1]:
            self._add(path, "other", f"{kinds[1]} in place of {kinds[0]}")
            return
        if kinds[0] == "attribute" or name in PROTOCOLS:
            self._later_or_same(inspect.getattr_static(ours, name, None), path, name, same)
        elif kinds[0] == "class":
            self._class(getattr(theirs, name), getattr(ours, name), path, [])
            same.append(name)
        else:
            self._callable(getattr(theirs, name), getattr(ours, name), path, name, same)

    def _callable(self, theirs, ours, path, name, same):
        bound = inspect.ismethod(theirs) or isinstance(theirs, type)
        how = compare_parameters(
            parameters(theirs, bound), parameters(ours, inspect.ismethod(ours))
        )
        if how:
            self._add(path, "other", how)
        self._later_or_same(ours, path, name, same, how)

    def _later_or_same(self, ours, path, name, same, how=""):
        instead = getattr(ours, "__tusk_instead__", None)
        if instead is None and isinstance(ours, property):
            instead = getattr(ours.fget, "__tusk_instead__", None)
        if instead is not None:
            self._add(path, "later", instead)
        elif not how and name not in PROTOCOLS:
            same.append(name)


@functools.cache
def _named_elsewhere():
    """Names of the extension module that a Python module has too, where they are compared."""
    others = [load(name) for name in module_names() if name != "lance.lance"]
    return {name for module in others for name in vars(module)}


def _noun(value):
    return "class" if inspect.isclass(value) else "function"


def reason_of(difference):
    """The reason that the table gives, None if it has none."""
    if difference.kind == "later":
        return difference.what
    for pattern, reason in pylance_reasons.REASONS.items():
        if re.fullmatch(pattern, difference.path):
            return reason
    return None


def unused_reasons(differences):
    paths = [difference.path for difference in differences if difference.kind != "later"]
    used = set()
    for path in paths:
        for pattern in pylance_reasons.REASONS:
            if re.fullmatch(pattern, path):
                used.add(pattern)
                break
    return [pattern for pattern in pylance_reasons.REASONS if pattern not in used]


_TITLES = {
    "other": "Differs",
    "later": "There, but raises NotImplementedError",
    "missing": "Missing",
    "added": "Only in tusk",
}


def page(walk):
    """The text of the page."""
    total = sum(len(names) for names in walk.same.values())
    counts = {kind: sum(d.kind == kind for d in walk.differences) for kind in _TITLES}
    lines = [
        "# tusk beside pylance",
        "",
        "Made by `tools/pylance_api.py`, which walks pylance 14.0.2 and tusk side by side; do not",
        "edit it. Names, parameters, their order and defaults are compared; what calls do is",
        "compared in `tests/interop`.",
        "",
        f"**{total} names are the same.** {counts['other']} differ, {counts['later']} are there "
        f"and raise NotImplementedError, {counts['missing']} are missing (a module or class counts as "
        f"one), {counts['added']} are only in tusk.",
        "",
        "## What calls do otherwise",
        "",
        *[f"- {text}" for text in pylance_reasons.BEHAVIOUR],
        "",
    ]
    for module in module_names():
        lines += _module_lines(walk, module)
    return "\n".join(lines).rstrip() + "\n"


def _owner(path, owners):
    """The longest module or class that a path lies in."""
    while path not in owners and "." in path:
        path = path.rpartition(".")[0]
    return path


def _module_lines(walk, module):
    modules = set(module_names())
    classes = [
        owner for owner in walk.same if owner not in modules and _owner(owner, modules) == module
    ]
    owners = {module, *classes}
    found = {}
    for difference in walk.differences:
        base = difference.path.removesuffix("()")
        if _owner(base, modules) != module:
            continue
        inside = base.rpartition(".")[0] if base not in owners else base
        found.setdefault(_owner(inside, owners), []).append(difference)
    if not found and not any(walk.same.get(owner) for owner in owners):
        return []
    lines = [f"## {module}", ""]
    for owner in [module, *sorted(classes)]:
        lines += _owner_lines(walk, owner, found.get(owner, []), owner == module)
    return lines


def _owner_lines(walk, owner, differences, is_module):
    same = walk.same.get(owner, [])
    if not same and not differences:
        return []
    lines = [] if is_module else [f"### {owner}", ""]
    if same:
        lines += [f"The same: {', '.join(f'`{name}`' for name in sorted(same))}.", ""]
    for kind, title in _TITLES.items():
        of_kind = [difference for difference in differences if difference.kind == kind]
        if not of_kind:
            continue
        lines += [f"{title}:", ""]
        for difference in of_kind:
            name = difference.path.removeprefix(owner).removeprefix(".") or difference.path
            what = "" if kind in ("later", "added") else f" ({difference.what})"
            lines.append(f"- `{name}`{what}: {reason_of(difference) or 'NO REASON'}")
        lines.append("")
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="only tell what has no reason")
    check = parser.parse_args().check
    walk = Walk().run()
    bare = [difference for difference in walk.differences if reason_of(difference) is None]
    for difference in bare:
        print(f"no reason: {difference.kind:8} {difference.path}  {difference.what}")
    for pattern in unused_reasons(walk.differences):
        print(f"unused reason: {pattern}")
    if not check:
        PAGE.write_text(page(walk))
    return 1 if bare else 0


if __name__ == "__main__":
    sys.exit(main())
