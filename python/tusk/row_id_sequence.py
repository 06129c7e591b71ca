"""Stable row ids of a fragment that is put together by hand, in the names of pylance."""

import numpy as np
import pyarrow as pa

from tusk import _tusk
from tusk.errors import InvalidArgumentError, NegativeNumberError
from tusk.fragment_metadata import RowIdMeta

_SHOWN = 10


def _to_numpy(row_ids):
    """The ids of an array or an iterable. TypeError for what are no whole numbers."""
    if isinstance(row_ids, (pa.Array, pa.ChunkedArray)):
        if not pa.types.is_integer(row_ids.type):
            raise TypeError(f"row ids are whole numbers, not {row_ids.type}")
        if row_ids.null_count:
            raise ValueError(f"row ids must not be null, but {row_ids.null_count} are")
        numbers = row_ids.to_numpy()
        if len(numbers) and numbers.min() < 0:
            raise NegativeNumberError("row ids must not be negative")
        return numbers.astype(np.uint64)
    try:
        numbers = [number.__index__() for number in row_ids]
    except (AttributeError, TypeError):
        raise TypeError(
            f"row ids are an iterable or an Arrow array of whole numbers, not {type(row_ids)}"
        ) from None
    if any(number < 0 for number in numbers):
        raise NegativeNumberError("row ids must not be negative")
    return np.array(numbers, np.uint64)


class RowIdSequence:
    """The stable row ids of a fragment's rows, in order, for a transaction that is made by hand: of
    rows that are written again, which keep who they are.

        fragment.row_id_meta = RowIdSequence([7, 12]).to_inline_metadata()

    It may be shorter than the fragment: rows behind it get new ids when the fragment is committed.
    The ids must be of rows that the same transaction removes elsewhere; no commit looks after that.
    """

    def __init__(self, row_ids):
        """`row_ids`: a range, an Arrow array or an iterable of whole numbers; ValueError if one
        comes twice. A range of step 1 takes no memory."""
        if isinstance(row_ids, range) and row_ids.step == 1:
            if row_ids.start < 0 and len(row_ids):
                raise NegativeNumberError("row ids must not be negative")
            self._bytes = _tusk.encode_row_id_range(max(row_ids.start, 0), len(row_ids))
            return
        ids = _to_numpy(row_ids)
        distinct, counts = np.unique(ids, return_counts=True)
        if len(distinct) < len(ids):
            raise InvalidArgumentError(f"row id {distinct[counts > 1][0]} comes more than once")
        self._bytes = _tusk.encode_row_ids(ids.tolist())

    @staticmethod
    def from_inline_metadata(metadata):
        """The sequence that the `row_id_meta` of a fragment holds. ValueError if it holds none, as
        when the ids are elsewhere."""
        if not hasattr(metadata, "asdict"):
            raise TypeError(f"metadata must be a RowIdMeta, not {type(metadata).__name__}")
        contents = metadata.asdict()
        if not isinstance(contents, dict) or "Inline" not in contents:
            raise InvalidArgumentError("the row ids of the fragment are not in its metadata")
        self = RowIdSequence.__new__(RowIdSequence)
        self._bytes = bytes(contents["Inline"])
        _tusk.count_row_ids(self._bytes)
        return self

    def to_inline_metadata(self):
        """The RowIdMeta for the `row_id_meta` of a FragmentMetadata."""
        return RowIdMeta._of({"Inline": list(self._bytes)})

    def to_pyarrow(self):
        """The ids as an array."""
        return pa.array(_tusk.decode_row_ids(self._bytes), pa.uint64())

    def __len__(self):
        return _tusk.count_row_ids(self._bytes)

    def __iter__(self):
        return iter(_tusk.decode_row_ids(self._bytes))

    def __eq__(self, other):
        if not isinstance(other, RowIdSequence):
            return NotImplemented
        if self._bytes == other._bytes:
            return True
        return len(self) == len(other) and self.to_pyarrow() == other.to_pyarrow()

    __hash__ = None

    def __repr__(self):
        if len(self) <= _SHOWN:
            return f"RowIdSequence({list(self)})"
        return f"<tusk.RowIdSequence of {len(self)} ids>"
