"""All implementations, those that read and those that write."""

import importlib.util

from readers import READERS
from writers import WRITERS

# By the name that the command line knows, in the order of the tables.
IMPLEMENTATIONS = READERS | WRITERS


def is_installed(name):
    """Whether the implementation can be imported here."""
    if name == "tusk-file":
        return importlib.util.find_spec("tusk.file") is not None
    modules = IMPLEMENTATIONS[name].modules
    return all(importlib.util.find_spec(module) is not None for module in modules)
