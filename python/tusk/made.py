"""Classes of results, which calls make and programs only read."""

import inspect


def made(cls):
    """Decorates a dataclass whose objects the library alone makes, by `cls._of(...)`.

    As with pylance, to call the class is a TypeError, and it shows no parameters.
    """
    fill = cls.__init__

    def __init__(self, *args, **kwargs):
        raise TypeError(f"cannot create {cls.__name__!r} instances: calls that answer one make it")

    def _of(cls, *args, **kwargs):
        self = cls.__new__(cls)
        fill(self, *args, **kwargs)
        return self

    cls.__init__ = __init__
    cls._of = classmethod(_of)
    cls.__signature__ = inspect.Signature()
    return cls
