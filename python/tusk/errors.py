"""The exceptions of tusk.

Each is also the built-in exception that pylance and pyarrow users catch for the same mistake, and
carries the name of the error code in the C++ library as ``code``.
"""

import contextlib


class TuskError(Exception):
    """What every error of the library is."""

    code = None


class InvalidArgumentError(TuskError, ValueError):
    """The caller asked for something that makes no sense; nothing was done."""

    code = "InvalidArgument"


class SchemaMismatchError(InvalidArgumentError, OSError):
    """Rows to append do not have the table's schema."""


class WriteRefusedError(InvalidArgumentError, OSError):
    """What is to be written, or where, does not fit the table."""


class RowChangeError(InvalidArgumentError, OSError):
    """New values or rows do not fit the table whose rows they are to change."""


class RowOutOfRangeError(InvalidArgumentError, IndexError, OSError):
    """A row was asked for that the table does not have."""


class ColumnChangeError(InvalidArgumentError, OSError):
    """Columns cannot be added or changed in this way."""


class TakeRefusedError(InvalidArgumentError, OSError):
    """Columns of a take that the table does not have, or that cannot be computed."""


class NegativeNumberError(InvalidArgumentError, OverflowError):
    """A number was given that must not be negative."""


class NegativeRowError(RowOutOfRangeError, NegativeNumberError):
    """A row was asked for by a negative number."""


class UnknownFilterError(InvalidArgumentError, OSError):
    """Rows cannot be counted by this filter."""


class NotFoundError(TuskError, FileNotFoundError, ValueError):
    """No such object, table, version or column."""

    code = "NotFound"


class AlreadyExistsError(TuskError, FileExistsError):
    """The name is taken."""

    code = "AlreadyExists"


class RefExistsError(AlreadyExistsError, ValueError):
    """The table has a tag of that name."""


class RefNameError(InvalidArgumentError, OSError):
    """No tag or branch can be called so, or there is nothing for it to name."""


class CommitConflictError(TuskError, OSError):
    """Another writer won. `retryable` says whether the same call on the newer version may help."""

    code = "CommitConflict"

    def __init__(self, message="", retryable=True):
        super().__init__(message)
        self.retryable = retryable and "does not go with it" not in message


class CorruptError(TuskError, OSError, ValueError):
    """Stored bytes break their format."""

    code = "Corrupt"


class UnsupportedError(TuskError, NotImplementedError):
    """A feature, type, version or flag that this build does not cover."""

    code = "Unsupported"


class UnsupportedTypeError(UnsupportedError, OSError):
    """A column to write is of a type that no Lance file has."""


class StoreError(TuskError, OSError):
    """The store failed."""

    code = "Io"


class CancelledError(TuskError, RuntimeError):
    """The operation was stopped."""

    code = "Cancelled"


class OutOfBudgetError(TuskError, MemoryError):
    """The memory budget of the operation is used up."""

    code = "OutOfBudget"


_BY_CODE = {
    error.code: error
    for error in (
        InvalidArgumentError,
        NotFoundError,
        AlreadyExistsError,
        CommitConflictError,
        CorruptError,
        UnsupportedError,
        StoreError,
        CancelledError,
        OutOfBudgetError,
    )
}


@contextlib.contextmanager
def invalid_as(kind):
    """Has what the library says of invalid arguments raised as `kind`, an InvalidArgumentError."""
    try:
        yield
    except InvalidArgumentError as error:
        raise kind(str(error)) from None


def make_error(code, message):
    """The exception for an error code of the library. The extension module calls it."""
    return _BY_CODE[code](message)
