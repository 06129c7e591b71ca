"""tf.data datasets over Lance tables, by the names that earlier versions of pylance had.

They are made of generators in this process: batches are read ahead by threads of ours.
"""

import os

import numpy as np
import pyarrow as pa

import tusk
from tusk._optional import require
from tusk.sampler import read_ranges

tf = require("tensorflow", "tusk.tf", "tensorflow")

__all__ = [
    "arrow_data_type_to_tf",
    "column_to_tensor",
    "data_type_to_tensor_spec",
    "from_lance",
    "from_lance_batches",
    "from_loader",
    "lance_fragments",
    "lance_take_batches",
    "schema_to_spec",
]

_NUMBERS = {
    pa.bool_(): tf.bool,
    pa.int8(): tf.int8,
    pa.int16(): tf.int16,
    pa.int32(): tf.int32,
    pa.int64(): tf.int64,
    pa.uint8(): tf.uint8,
    pa.uint16(): tf.uint16,
    pa.uint32(): tf.uint32,
    pa.uint64(): tf.uint64,
    pa.float16(): tf.float16,
    pa.float32(): tf.float32,
    pa.float64(): tf.float64,
}
_TEXTS = (
    pa.types.is_string,
    pa.types.is_large_string,
    pa.types.is_binary,
    pa.types.is_large_binary,
    pa.types.is_fixed_size_binary,
)


def _is_list(type_):
    return pa.types.is_list(type_) or pa.types.is_large_list(type_)


def arrow_data_type_to_tf(dt):
    """TensorFlow's type of the values of an Arrow type; TypeError if it has none."""
    if any(is_text(dt) for is_text in _TEXTS):
        return tf.string
    if dt not in _NUMBERS:
        raise TypeError(f"TensorFlow has no type for values of Arrow's {dt}")
    return _NUMBERS[dt]


def data_type_to_tensor_spec(dt):
    """What batches of a column of an Arrow type become: [n], [n, size], [n, *shape], ragged lists,
    or a dict of the fields of a struct."""
    if pa.types.is_fixed_size_list(dt):
        return tf.TensorSpec((None, dt.list_size), arrow_data_type_to_tf(dt.value_type))
    if isinstance(dt, pa.FixedShapeTensorType):
        return tf.TensorSpec((None, *dt.shape), arrow_data_type_to_tf(dt.value_type))
    if _is_list(dt):
        return tf.RaggedTensorSpec((None, None), arrow_data_type_to_tf(dt.value_type))
    if pa.types.is_struct(dt):
        return {field.name: data_type_to_tensor_spec(field.type) for field in dt}
    return tf.TensorSpec((None,), arrow_data_type_to_tf(dt))


def schema_to_spec(schema):
    """The specs of the columns of a schema, by name."""
    return {field.name: data_type_to_tensor_spec(field.type) for field in schema}


def column_to_tensor(array, tensor_spec):
    """A column of a batch as what `data_type_to_tensor_spec` says of its type.

    ValueError if it has nulls, for which TensorFlow has no place.
    """
    if isinstance(array.type, pa.FixedShapeTensorType):
        return tf.constant(array.to_numpy_ndarray())
    if array.null_count:
        raise ValueError(
            f"TensorFlow has no nulls, and a column of {array.type} has {array.null_count}: "
            "filter them out, or put a value in their place (columns={'a': 'coalesce(a, 0)'})"
        )
    if isinstance(tensor_spec, dict):
        fields = zip(array.type, array.flatten())
        return {field.name: column_to_tensor(a, tensor_spec[field.name]) for field, a in fields}
    if isinstance(tensor_spec, tf.RaggedTensorSpec):
        ends = array.offsets.to_numpy().astype(np.int64)
        values = column_to_tensor(array.flatten(), tf.TensorSpec((None,), tensor_spec.dtype))
        return tf.RaggedTensor.from_row_splits(values, ends - ends[0])
    if pa.types.is_fixed_size_list(array.type):
        values = column_to_tensor(array.flatten(), tf.TensorSpec((None,), tensor_spec.dtype))
        return tf.reshape(values, (len(array), array.type.list_size))
    return tf.constant(array.to_numpy(zero_copy_only=False), dtype=tensor_spec.dtype)


def _to_tensors(batch, spec):
    return {name: column_to_tensor(batch[name], spec[name]) for name in batch.schema.names}


def _from_batches(make_batches, spec):
    """A tf.data.Dataset whose every iteration reads what `make_batches` gives."""

    def generate():
        for batch in make_batches():
            yield _to_tensors(batch, spec)

    return tf.data.Dataset.from_generator(generate, output_signature=spec)


def _opened(dataset):
    return tusk.dataset(dataset) if isinstance(dataset, (str, os.PathLike)) else dataset


def from_lance(
    dataset, *, columns=None, batch_size=256, filter=None, fragments=None, output_signature=None
):
    """Batches of rows in the order of the table, as dicts of tensors.

    dataset: a tusk.LanceDataset or a path.
    columns, filter: as in LanceDataset.scanner.
    fragments: LanceFragments or their ids; or a tf.data.Dataset of ids (`lance_fragments`), which
        may be shuffled and sharded: they are then read one after the other.
    output_signature: by column, if not what `schema_to_spec` makes of the schema.
    """
    dataset = _opened(dataset)
    options = {"columns": columns, "filter": filter, "batch_size": batch_size}
    spec = output_signature or schema_to_spec(dataset.scanner(**options).projected_schema)

    def read():
        if not isinstance(fragments, tf.data.Dataset):
            yield from dataset.scanner(**options, fragments=fragments).to_batches()
            return
        for number in fragments.as_numpy_iterator():
            fragment = dataset.get_fragment(int(number))
            yield from fragment.scanner(**options).to_batches()

    return _from_batches(read, spec)


def lance_fragments(dataset):
    """A tf.data.Dataset of the ids of a table's fragments, to shuffle and shard."""
    ids = [fragment.fragment_id for fragment in _opened(dataset).get_fragments()]
    return tf.data.Dataset.from_tensor_slices(tf.constant(ids, tf.int64))


def from_lance_batches(dataset, *, shuffle=False, seed=None, batch_size=1024, skip=0):
    """A tf.data.Dataset of ranges [first, end] of row numbers, of batch_size rows each.

    shuffle, seed: in a random order. skip: leaves out so many of them, in that order.
    """
    rows = _opened(dataset).count_rows()
    firsts = np.arange(0, rows, batch_size, dtype=np.int64)
    if shuffle:
        np.random.default_rng(seed).shuffle(firsts)
    firsts = firsts[skip:]
    ranges = np.stack([firsts, np.minimum(firsts + batch_size, rows)], axis=1)
    return tf.data.Dataset.from_tensor_slices(ranges)


def lance_take_batches(
    dataset, batch_ranges, *, columns=None, output_signature=None, batch_readahead=10
):
    """A batch for each range of `batch_ranges`, pairs as `from_lance_batches` gives them.

    batch_readahead: batches that are read ahead.
    """
    dataset = _opened(dataset)
    spec = output_signature or schema_to_spec(dataset.scanner(columns=columns).projected_schema)

    def read():
        pairs = batch_ranges
        if isinstance(pairs, tf.data.Dataset):
            pairs = pairs.as_numpy_iterator()
        ranges = ((int(first), int(end)) for first, end in pairs)
        return read_ranges(dataset, ranges, columns, batch_readahead)

    return _from_batches(read, spec)


def from_loader(loader, *, output_signature=None):
    """The batches of a tusk.Loader: each iteration is what is left of its epoch.

    The loader counts the batches that tf.data has taken, which may hold some (`prefetch`).
    """
    if loader.transform is not None and output_signature is None:
        raise ValueError("what the loader's transform makes is known from output_signature only")
    spec = output_signature
    if spec is None:
        spec = schema_to_spec(loader.dataset.scanner(columns=loader.columns).projected_schema)
    if loader.transform is None:
        return _from_batches(lambda: loader, spec)
    return tf.data.Dataset.from_generator(lambda: loader, output_signature=spec)
