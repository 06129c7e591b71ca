"""The module path `lance.commit` of pylance."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from tusk.errors import CommitConflictError

__all__ = ["CommitConflictError", "CommitLock"]

# Called with the number of a version; the version is published inside of what it gives.
CommitLock = Callable[[int], AbstractContextManager[None]]
