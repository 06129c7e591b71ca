"""Sets of numbers of fragments, under the name that pylance has."""

from collections.abc import MutableSet

__all__ = ["Bitmap"]

# As many are shown.
_SHOWN = 20


class Bitmap(MutableSet):
    """A set of whole numbers from 0 to 2^32 - 1, which it gives ascending."""

    __slots__ = ("_numbers",)

    def __init__(self, values=None):
        self._numbers = {_checked(value) for value in values or ()}

    def __contains__(self, value):
        return value in self._numbers

    def __iter__(self):
        return iter(sorted(self._numbers))

    def __len__(self):
        return len(self._numbers)

    def __repr__(self):
        shown = ", ".join(str(number) for number in list(self)[:_SHOWN])
        if len(self) <= _SHOWN:
            return f"Bitmap({{{shown}}})"
        return f"Bitmap({{{shown}, ...}}, len={len(self)})"

    def __eq__(self, other):
        return set(self) == set(other) if isinstance(other, (Bitmap, set, frozenset)) else False

    __hash__ = None

    def __reduce__(self):
        return Bitmap, (list(self),)

    def add(self, value):
        self._numbers.add(_checked(value))

    def discard(self, value):
        self._numbers.discard(value)

    def remove(self, value):
        self._numbers.remove(value)

    def pop(self):
        """Takes the least number out; KeyError if there is none."""
        if not self._numbers:
            raise KeyError("pop from an empty Bitmap")
        least = min(self._numbers)
        self._numbers.remove(least)
        return least

    def clear(self):
        self._numbers.clear()

    def copy(self):
        return Bitmap(self)

    def update(self, values):
        self._numbers.update(_checked(value) for value in values)

    def union(self, other):
        return Bitmap(self._numbers.union(other))

    def intersection(self, other):
        return Bitmap(self._numbers.intersection(other))

    def difference(self, other):
        return Bitmap(self._numbers.difference(other))

    def symmetric_difference(self, other):
        return Bitmap(self._numbers.symmetric_difference(other))

    def isdisjoint(self, other):
        return self._numbers.isdisjoint(other)

    def issubset(self, other):
        return self._numbers.issubset(other)

    def issuperset(self, other):
        return self._numbers.issuperset(other)


def _checked(value):
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"a Bitmap holds whole numbers, not {type(value).__name__}")
    if not 0 <= value < 2**32:
        raise ValueError(f"a Bitmap holds numbers from 0 to 2^32 - 1, not {value}")
    return value
