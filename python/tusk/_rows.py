"""Many row numbers in little memory."""

import zlib

import numpy as np

_BLOCK = 1 << 16


class RowList:
    """Ascending row numbers, found by their place. Holds 2 bytes for each, and 8 for each 65,536
    rows up to the last.

    Of each number the lower half is kept; the upper one follows from the place, since `_ends` says
    how many numbers there are up to the end of each block of rows with the same upper half.
    """

    def __init__(self, batches):
        """batches: arrays of numbers, ascending in each and from one to the next."""
        lower = []
        counts = np.zeros(0, np.int64)
        for numbers in batches:
            numbers = np.asarray(numbers, np.int64)
            lower.append(numbers.astype(np.uint16))
            if len(numbers):
                first = int(numbers[0]) // _BLOCK
                found = np.bincount(numbers // _BLOCK - first)
                more = first + len(found) - len(counts)
                if more > 0:
                    counts = np.append(counts, np.zeros(max(more, len(counts)), np.int64))
                counts[first : first + len(found)] += found
        self._lower = np.concatenate(lower) if lower else np.zeros(0, np.uint16)
        blocks = int(np.flatnonzero(counts)[-1]) + 1 if counts.any() else 0
        self._ends = np.cumsum(counts[:blocks])

    def __len__(self):
        return len(self._lower)

    def __getitem__(self, places):
        """The numbers at the places [n], each below the length; int64 [n]."""
        blocks = np.searchsorted(self._ends, places, side="right")
        return blocks * _BLOCK + self._lower[places]

    @property
    def nbytes(self):
        return self._lower.nbytes + self._ends.nbytes

    @property
    def checksum(self):
        """A number that other lists hardly have."""
        return zlib.crc32(self._lower, zlib.crc32(self._ends))
