"""What a writer of Lance files must give: files that pylance and tusk read equal to what was written."""

import lance.file
import numpy as np
import pyarrow as pa

import tusk.file

from . import comparison, files, reading

VERSIONS = ("2.1", "2.2")
# Logical types that tusk refuses to write, by name.
_NEVER_WRITTEN = {
    "blob.v2",
    "dict:decimal:128:30:2:int16:false",
    "fixed_size_list:string:2",
    "list<fixed_size_list:struct:2>",
}
NOT_WRITTEN = {
    "2.1": _NEVER_WRITTEN | {"packed<fixed_size_list>", "packed<variable>"},
    "2.2": _NEVER_WRITTEN,
}
MOST_BATCHES = 300  # of one row

# --- the same rows in other Arrow memory ---------------------------------------------------------


def as_batches(table, case, rng):
    """Batches whose arrays begin at 0."""
    return files.batches(table, case.batch_rows)


def as_single_rows(table, case, rng):
    """Batches of one row, or of a few for large tables."""
    return table.combine_chunks().to_batches(max_chunksize=1 + table.num_rows // MOST_BATCHES)


def as_slices(table, case, rng):
    """Batches that are slices of one array, behind and before rows that are not in the table."""
    front, back = (int(n) for n in rng.integers(0, min(table.num_rows, 70) + 1, 2))
    parts = [table.slice(0, front), table, table.slice(table.num_rows - back)]
    whole = pa.concat_tables(parts).combine_chunks()
    batch_rows = case.batch_rows or 1 << 20
    return whole.slice(front, table.num_rows).to_batches(max_chunksize=batch_rows)


def as_shifted(table, case, rng):
    """A batch whose arrays begin behind others at every level: structs of slices too."""
    columns = [shifted(column, rng) for column in _whole_columns(table)]
    return [pa.RecordBatch.from_arrays(columns, schema=table.schema)]


def as_chunked_table(table, case, rng):
    """A table whose columns are cut at places of their own, empty chunks among them."""
    columns = []
    for array in _whole_columns(table):
        cuts = np.sort(rng.integers(0, len(array) + 1, 6)).tolist()
        pieces = [array.slice(a, b - a) for a, b in zip([0, *cuts], [*cuts, len(array)])]
        columns.append(pa.chunked_array(pieces, array.type))
    return [pa.table(columns, schema=table.schema)]


FORMS = [as_batches, as_single_rows, as_slices, as_shifted, as_chunked_table]


def _whole_columns(table):
    return [
        pa.concat_arrays(column.chunks) if column.num_chunks else pa.nulls(0, column.type)
        for column in table.columns
    ]


def shifted(array, rng):
    """The same values, behind others wherever there are children."""
    type_ = array.type
    if isinstance(type_, pa.BaseExtensionType):
        return pa.ExtensionArray.from_storage(type_, shifted(array.storage, rng))
    if pa.types.is_dictionary(type_):
        return pa.DictionaryArray.from_arrays(
            shifted(array.indices, rng), shifted(array.dictionary, rng), safe=False
        )
    by = int(rng.integers(0, min(len(array), 9) + 1))
    longer = pa.concat_arrays([array.slice(0, by), array])
    if pa.types.is_nested(type_):
        is_struct = pa.types.is_struct(type_)
        children = (
            [longer.field(i) for i in range(type_.num_fields)] if is_struct else [longer.values]
        )
        own_buffers = 1 if is_struct or pa.types.is_fixed_size_list(type_) else 2
        longer = pa.Array.from_buffers(
            type_,
            len(longer),
            longer.buffers()[:own_buffers],
            children=[shifted(child, rng) for child in children],
        )
    return longer.slice(by)


# --- write, read, compare ------------------------------------------------------------------------


def write(path, batches, schema, version, **options):
    """Writes a file with tusk."""
    with tusk.file.LanceFileWriter(str(path), schema, version=version, **options) as writer:
        for batch in batches:
            writer.write_batch(batch)


class Failure(AssertionError):
    """The writer is at fault."""


def check(folder, case, seed, *, form=None, effort=1, columns=()):
    """Writes `case` with tusk in one of FORMS and reads it with tusk and pylance; Failure if it is wrong.

    Gives how far that went: "both" read it; "tusk alone", since pylance cannot read what itself
    writes of the case, or not in parts; "refused" by both writers.
    """
    rng = np.random.default_rng([seed, 5])
    form = form or FORMS[int(rng.integers(len(FORMS)))]
    try:
        truth = _pylance(folder / "theirs.lance", case)
    except (files.Refused, files.Misread) as problem:
        truth = problem
    path = folder / "ours.lance"
    try:
        batches = form(case.table, case, rng)
        write(path, batches, case.table.schema, case.version, **case.options)
    except (NotImplementedError, ValueError) as error:
        if isinstance(truth, Exception) or is_beyond_tusk(error):
            return "refused"
        raise Failure(f"{form.__name__}: pylance writes and reads this, but {error}") from error
    stops = isinstance(truth, Exception)
    if stops and any(files.changes_shape(field.type) for field in case.table.schema):
        return "not read"
    expected = case.table if stops else truth
    _check_reader(tusk.file.LanceFileReader, path, case, expected, seed, effort, form, columns)
    if stops:
        return "tusk alone"
    try:
        _check_reader(lance.file.LanceFileReader, path, case, expected, seed, effort, form, columns)
    except Failure as failure:
        try:
            theirs = folder / "theirs.lance"
            _check_reader(
                lance.file.LanceFileReader, theirs, case, expected, seed, effort, form, columns
            )
        except Failure:
            return "tusk alone"
        raise failure
    return "both"


def is_beyond_tusk(error):
    """What pylance stores and tusk does not, by name."""
    return isinstance(error, NotImplementedError) and any(
        words in str(error)
        for words in (
            "lists around or within fixed-size lists of structs",
            "packed structs with texts or lists need data version 2.2",  # all null in pylance
            "blob",
        )
    )


def _pylance(path, case):
    case.write(path)
    return files.read_back(path, case.table)


def _check_reader(open_reader, path, case, expected, seed, effort, form, columns):
    """Failure, with who read, for whatever is not as it should be."""
    name = open_reader.__module__.split(".")[0]
    is_pylance = name == "lance"
    schema = open_reader(str(path)).metadata().schema if not is_pylance else None
    try:
        reading.check(
            open_reader,
            path,
            expected,
            np.random.default_rng([seed, 6]),
            effort=effort,
            refusals=not is_pylance,
            schema=schema,
        )
        for column in columns:
            reading.check_columns(open_reader, path, expected, [column])
    except BaseException as error:  # panics of pylance are no Exception
        if isinstance(error, (KeyboardInterrupt, SystemExit)):
            raise
        raise Failure(f"{form.__name__}, read by {name}: {files.first_line(error)}") from error
