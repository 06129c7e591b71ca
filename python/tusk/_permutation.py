"""Random orders that are computed, not stored: any part of one, at any time, in no memory."""

import math

import numpy as np

_WORD = (1 << 64) - 1
_STEP = 0x9E3779B97F4A7C15
_FIRST = 0xBF58476D1CE4E5B9
_SECOND = 0x94D049BB133111EB
# On the grid of a small table, which has few places to go to, eight rounds leave some orders twice
# as likely as others.
_SMALL = 4096
_ROUNDS = 8
_ROUNDS_IF_SMALL = 16


def _mix_number(number):
    number &= _WORD
    number = (number ^ number >> 30) * _FIRST & _WORD
    number = (number ^ number >> 27) * _SECOND & _WORD
    return number ^ number >> 31


def mix(numbers):
    """A bijection of 64-bit numbers [n] (uint64) that leaves no pattern: splitmix64's last part.

    Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014.
    """
    numbers = (numbers ^ numbers >> np.uint64(30)) * np.uint64(_FIRST)
    numbers = (numbers ^ numbers >> np.uint64(27)) * np.uint64(_SECOND)
    return numbers ^ numbers >> np.uint64(31)


def keys(count, *numbers):
    """So many 64-bit keys (ints) that follow from whole numbers of any size and sign."""
    state = 0
    for number in numbers:
        length = number.bit_length() // 64 + 1
        for word in range(length):
            state = _mix_number(state + _STEP ^ number >> 64 * word & _WORD)
        state = _mix_number(state + length)
    return [_mix_number(state + (i + 1) * _STEP) for i in range(count)]


class Permutation:
    """A pseudo-random order of the numbers [0, size), the same for the same `numbers`.

    A Feistel network over pairs (row, column) of a grid of about sqrt(size) by sqrt(size): a round
    shifts one of the two by a number that is mixed from the other and a key. What lands in the
    few cells beyond `size` goes through the network again until it does not.

    Source: Black, Rogaway, "Ciphers with arbitrary finite domains", 2002.
    """

    def __init__(self, size, *numbers):
        self._size = size
        # Even, since shifts of an odd number of cells would reach only every second order.
        self._rows = (math.isqrt(max(size - 1, 0)) + 2) // 2 * 2
        self._columns = -(-size // self._rows) or 1
        rounds = _ROUNDS if size >= _SMALL else _ROUNDS_IF_SMALL
        self._keys = [np.uint64(key) for key in keys(rounds, *numbers)]

    def __call__(self, positions):
        """What stands at the positions [n], each below the size; int64 [n]."""
        numbers = self._shuffle(np.asarray(positions, np.uint64))
        while (outside := np.flatnonzero(numbers >= self._size)).size:
            numbers[outside] = self._shuffle(numbers[outside])
        return numbers.astype(np.int64)

    def _shuffle(self, numbers):
        width, other_width = np.uint64(self._rows), np.uint64(self._columns)
        other, half = np.divmod(numbers, width)
        for key in self._keys:
            half = (half + mix(other * np.uint64(_STEP) + key) % width) % width
            half, other, width, other_width = other, half, other_width, width
        # After an even number of rounds, each is in its place again.
        return other * width + half


class BlockPermutation:
    """An order of the numbers [0, size) in which `block` that follow each other stay together.

    Whole blocks in the order of a Permutation, then what is left over. All are moved on by a number
    that is mixed from `numbers`, around the end: blocks of other numbers begin elsewhere.
    """

    def __init__(self, size, block, *numbers):
        self._size = size
        self._block = block
        self._whole = size // block
        self._blocks = Permutation(self._whole, *numbers)
        (shift,) = keys(1, block, *numbers)
        self._shift = shift % max(size, 1)

    def __call__(self, positions):
        """What stands at the positions [n], each below the size; int64 [n]."""
        positions = np.asarray(positions, np.int64)
        blocks, inside = np.divmod(positions, self._block)
        found = positions.copy()
        in_block = blocks < self._whole
        found[in_block] = self._blocks(blocks[in_block]) * self._block + inside[in_block]
        return (found + self._shift) % self._size
