"""Names of pylance that are there, but whose work tusk does not do yet."""

import functools
import inspect


def later(instead):
    """Decorates a function that pylance has: it raises NotImplementedError.

    `instead` is what works today, a sentence for the error and for the page of compatibility.
    """

    def wrap(function):
        @functools.wraps(function)
        def member(*args, **kwargs):
            raise NotImplementedError(f"{function.__qualname__} is not supported yet: {instead}")

        member.__tusk_instead__ = instead
        return member

    return wrap


def later_class(instead):
    """Decorates a class that pylance has: to make an object of it raises NotImplementedError."""

    def wrap(cls):
        signature = inspect.signature(cls.__init__)

        def __init__(self, *args, **kwargs):
            raise NotImplementedError(f"{cls.__name__} is not supported yet: {instead}")

        __init__.__signature__ = signature
        cls.__init__ = __init__
        cls.__tusk_instead__ = instead
        return cls

    return wrap
