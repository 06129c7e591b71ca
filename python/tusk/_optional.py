"""Packages that parts of tusk need and tusk itself does not."""

import importlib


def require(module, wanted_by, install):
    """Imports a module of such a package; if it is not there, says who needs it and the remedy."""
    package = module.partition(".")[0]
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        # Not another package that this one misses.
        if error.name.partition(".")[0] != package:
            raise
        raise ModuleNotFoundError(
            f"{wanted_by} needs {package}: pip install {install}", name=package
        ) from None
