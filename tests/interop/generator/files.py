"""Lance files written by pylance, and what it reads back from them."""

import dataclasses
import re

import pyarrow as pa
from lance.file import LanceFileReader, LanceFileWriter

from . import comparison

VERSIONS = ("2.0", "2.1", "2.2")


@dataclasses.dataclass
class Refused(Exception):
    """pylance does not write such a table at this version, for this reason."""

    reason: str


@dataclasses.dataclass
class Misread(Exception):
    """pylance itself reads something else than what was written, or stops with an error."""

    difference: str
    stops: bool = False


def write(path, table, version, *, batch_rows=None, **options):
    """Writes `table` as a Lance file in batches of `batch_rows`; Refused if pylance refuses."""
    try:
        with LanceFileWriter(str(path), table.schema, version=version, **options) as writer:
            for batch in batches(table, batch_rows):
                writer.write_batch(batch)
    except BaseException as error:  # panics of pylance are no Exception
        if isinstance(error, (KeyboardInterrupt, SystemExit)):
            raise
        raise Refused(first_line(error)) from error


def batches(table, batch_rows):
    """Batches whose arrays begin at 0: pylance's writer panics on slices of structs in structs."""
    with pa.BufferOutputStream() as sink:
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table, max_chunksize=batch_rows)
        return list(pa.ipc.open_stream(sink.getvalue()))


def first_line(error):
    """The reason without the place in pylance's source that follows it."""
    return re.sub(r",? /[^ ]*\.rs:\d+(:\d+)?", "", str(error).split("\n")[0])[:200]


def read_back(path, table):
    """What pylance reads from the file of `table`: the truth that other readers are held to.

    Misread if that is not `table` by value; JSON and blobs of version 2 are read in another shape.
    """
    try:
        read = LanceFileReader(str(path)).read_all(batch_size=1 << 20).to_table()
        read.validate(full=True)
    except BaseException as error:
        if isinstance(error, (KeyboardInterrupt, SystemExit)):
            raise
        raise Misread(first_line(error), stops=True) from error
    for name in table.column_names:
        field = table.schema.field(name)
        if changes_shape(field.type):
            continue
        found = comparison.difference(
            comparison.plain(read[name]), comparison.plain(table[name]), name
        )
        if found:
            raise Misread(found)
    return read


def changes_shape(type_):
    """Whether a file reader gives other values for the type than those written."""
    if isinstance(type_, pa.BaseExtensionType):
        return type_.extension_name in ("arrow.json", "lance.blob.v2")
    return any(changes_shape(type_.field(i).type) for i in range(type_.num_fields))
