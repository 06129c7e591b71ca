"""Modules in the place of torch and the like, so that what is over them can be looked at.

Any name of theirs is an empty class: something to inherit from and to write annotations with, with
which nothing can be computed.
"""

import contextlib
import importlib.machinery
import sys
import types

_STOOD_IN = {
    "ray": ("data",),
    "tensorflow": (),
    "torch": ("distributed", "multiprocessing", "utils", "utils.data"),
    "tqdm": ("auto",),
}
# What is imported over them, and must be forgotten with them.
_OVER_THEM = ("lance.torch", "lance.vector", "tusk.ray", "tusk.tf", "tusk.torch")


class _StandIn(types.ModuleType):
    __version__ = "0"

    def __init__(self, name):
        super().__init__(name)
        self.__spec__ = importlib.machinery.ModuleSpec(name, None, is_package=True)
        self.__path__ = []

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        made = type(name, (), {"__module__": self.__name__})
        setattr(self, name, made)
        return made


def _compile(function):
    """Of torch: a decorator that changes no signature."""
    return function


def _make():
    made = {}
    for package, submodules in _STOOD_IN.items():
        made[package] = _StandIn(package)
        for name in submodules:
            module = made[f"{package}.{name}"] = _StandIn(f"{package}.{name}")
            parent, _, last = module.__name__.rpartition(".")
            setattr(made[parent], last, module)
    made["torch"].compile = _compile
    return made


def _is_over(name):
    return any(name == one or name.startswith(one + ".") for one in (*_STOOD_IN, *_OVER_THEM))


def _forget():
    """Takes away what is over the stand-ins or the real packages, and gives it: name -> module."""
    taken = {name: sys.modules.pop(name) for name in list(sys.modules) if _is_over(name)}
    for name in taken:
        parent, _, last = name.rpartition(".")
        if parent in sys.modules:
            vars(sys.modules[parent]).pop(last, None)
    return taken


@contextlib.contextmanager
def stand_ins():
    """Within it, `import torch` and the like give stand-ins; afterwards all is as before."""
    import lance.dependencies

    kept = _forget()
    torch_of_lance = lance.dependencies.torch
    sys.modules.update(_make())
    lance.dependencies.torch = sys.modules["torch"]
    try:
        yield
    finally:
        lance.dependencies.torch = torch_of_lance
        _forget()
        sys.modules.update(kept)
        for name, module in kept.items():
            parent, _, last = name.rpartition(".")
            if parent in sys.modules:
                setattr(sys.modules[parent], last, module)
