"""Arrow batches out of whatever a user hands over to be written."""

import contextlib

import numpy as np
import pyarrow as pa
import pyarrow.dataset as pads

from tusk.errors import SchemaMismatchError

# The name that pylance's vec_to_table gives to bare vectors.
_VECTOR_COLUMN = "vector"


class Batches:
    """Passes batches of one schema on and keeps what their source raised: an Arrow stream carries
    text alone.
    """

    def __init__(self, batches, schema):
        self._batches = batches
        self._schema = schema
        self.error = None

    def __iter__(self):
        try:
            # pyarrow takes a batch's buffers for those of the stream's schema without a look.
            for number, batch in enumerate(self._batches):
                yield self._fit(batch, number)
        except GeneratorExit:  # the stream was let go
            raise
        except BaseException as error:
            self.error = error
            raise

    def _fit(self, batch, number):
        if not isinstance(batch, pa.RecordBatch):
            raise TypeError(f"batch {number} is of type {type(batch).__name__}, not a RecordBatch")
        if batch.schema.names != self._schema.names:
            raise SchemaMismatchError(
                f"batch {number} has the columns {batch.schema.names}, but the schema to write "
                f"has {self._schema.names}"
            )
        if batch.schema.equals(self._schema):
            return batch
        try:
            return batch.cast(self._schema)
        except pa.ArrowException as error:
            raise SchemaMismatchError(f"batch {number} does not fit the schema: {error}") from error

    def to_stream(self):
        return pa.RecordBatchReader.from_batches(self._schema, iter(self))


@contextlib.contextmanager
def errors_of(*sources):
    """Raises what one of these Batches raised, in place of what the library made of its text."""
    try:
        yield
    except Exception:
        for source in sources:
            if source is not None and source.error is not None:
                raise source.error from None
        raise


def _library(value):
    return type(value).__module__.partition(".")[0]


def _is_model(value):
    """Whether it is a pydantic model. Imports nothing."""
    return any(cls.__module__ == "pydantic.main" for cls in type(value).__mro__)


def vectors(array):
    """The rows of a numpy array of two or more dimensions as fixed-size lists: [n, dim] becomes n
    lists of dim values of the array's type, [n, a, b] lists of lists.
    """
    values = pa.array(np.ascontiguousarray(array).reshape(-1))
    for size in reversed(array.shape[1:]):
        values = pa.FixedSizeListArray.from_arrays(values, size)
    return values


def _column(values):
    return vectors(values) if isinstance(values, np.ndarray) and values.ndim > 1 else values


def _from_columns(columns, schema):
    columns = {name: _column(values) for name, values in columns.items()}
    if schema is not None:
        # An array is not cast by pa.table, what is no array yet is made with its type.
        columns = {
            name: values.cast(schema.field(name).type)
            if isinstance(values, pa.Array) and name in schema.names
            else values
            for name, values in columns.items()
        }
    return pa.table(columns, schema=schema)


def _to_table(data, schema):
    """What is in memory as a table, by `schema` if that is given; None for every other kind."""
    if isinstance(data, dict):
        return _from_columns(data, schema)
    if isinstance(data, list) and data and isinstance(data[0], dict):
        return pa.Table.from_pylist(data, schema=schema)
    if isinstance(data, list) and data and _is_model(data[0]):
        from tusk import pydantic  # an optional dependency, which the program has

        return pydantic.to_table(data, schema)
    if isinstance(data, np.ndarray) and data.ndim > 1:
        return _from_columns({_VECTOR_COLUMN if schema is None else schema.names[0]: data}, schema)
    if _library(data) == "pandas" and hasattr(data, "dtypes") and hasattr(data, "columns"):
        return pa.Table.from_pandas(data, schema=schema)
    return None


def _file_by_file(dataset):
    """The batches of a dataset without a filter. Its own scanner reads up to 1 GiB ahead, whatever
    it is told; file by file, the memory is that of some row groups of one file.
    """
    for fragment in dataset.get_fragments():
        yield from fragment.to_batches(schema=dataset.schema)


def _to_arrow(data):
    """A table or reader of what knows its own schema; None for every other kind."""
    if isinstance(data, pads.FileSystemDataset) and not getattr(data, "_scan_options", True):
        return pa.RecordBatchReader.from_batches(data.schema, _file_by_file(data))
    if isinstance(data, pads.Dataset):
        return data.scanner().to_reader()
    if isinstance(data, pads.Scanner):
        return data.to_reader()
    if isinstance(data, pa.RecordBatch):
        return pa.Table.from_batches([data])
    # Polars' own stream has views for texts; pylance writes the large texts of to_arrow.
    if _library(data) == "polars" and hasattr(data, "to_arrow") and hasattr(data, "columns"):
        return data.to_arrow()
    if hasattr(data, "__arrow_c_stream__"):
        return data
    if hasattr(data, "__arrow_c_array__"):
        return pa.Table.from_batches([pa.record_batch(data)])
    return None


def to_stream(data, schema=None):
    """An object with `__arrow_c_stream__` over `data`, and the Batches it reads from, if any.

    schema: of what is written. Python values are read by it, and Arrow data with the same column
        names is cast to it. An iterable of record batches needs it.

    TypeError for data of another kind, ValueError if a schema is missing.
    """
    table = _to_table(data, schema)
    if table is not None:
        return table, None
    arrow = _to_arrow(data)
    if arrow is not None:
        if schema is not None:
            # A reader of pyarrow's that passes a C stream would lose what its source raises.
            is_reader = isinstance(arrow, pa.RecordBatchReader)
            reader = arrow if is_reader else pa.RecordBatchReader.from_stream(arrow)
            arrow = reader if reader.schema.equals(schema) else reader.cast(schema)
        if not isinstance(arrow, pa.RecordBatchReader):
            return arrow, None
        batches = Batches(arrow, arrow.schema)
        return batches.to_stream(), batches
    if not hasattr(data, "__iter__"):
        raise TypeError(f"cannot write data of type {type(data).__name__}")
    if schema is None:
        raise ValueError("a schema must be given to write an iterable of record batches")
    batches = Batches(data, schema)
    return batches.to_stream(), batches
