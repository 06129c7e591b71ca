"""Lakes: tables of both kinds under one catalog and one history."""

import dataclasses
import datetime
import os

import pyarrow as pa

from tusk import _tusk, sql
from tusk._arrow import serialize_filter
from tusk._source import errors_of, to_stream
from tusk.errors import InvalidArgumentError, TuskError, UnsupportedError
from tusk.iceberg import IcebergTable
from tusk.lance import LanceDataset, query_vector


@dataclasses.dataclass(frozen=True)
class TableInfo:
    """A table as the catalog knows it."""

    name: str
    kind: str  # "lance" or "iceberg"
    location: str
    version: int  # of a Lance table; the snapshot id of an Iceberg table
    uuid: str


@dataclasses.dataclass(frozen=True)
class TableChange:
    """What one joint commit did to one table."""

    name: str
    kind: str
    version: int
    added_rows: int


@dataclasses.dataclass(frozen=True)
class JointVersion:
    """One joint commit."""

    number: int
    parent: int
    time: datetime.datetime
    message: str
    author: str
    properties: dict
    changes: list


class Lake:
    """A lake, at its newest joint version or fixed at one."""

    def __init__(self, lake):
        self._lake = lake

    def __repr__(self):
        fixed = "" if self.fixed_at is None else f" at {self.fixed_at}"
        return f"<tusk.Lake {self.uri!r}{fixed}>"

    @property
    def uri(self):
        return self._lake.uri

    @property
    def catalog_name(self):
        """The name by which other Iceberg clients open the lake's catalog."""
        return self._lake.catalog_name

    @property
    def fixed_at(self):
        """The joint version that the lake was opened at; None if it is the newest one."""
        return self._lake.at

    def at(self, number):
        """The lake as it was at joint version `number`, read-only."""
        return connect(self.uri, at=number)

    def tables(self):
        """All tables, both kinds, ascending by name."""
        return [
            TableInfo(entry.name, entry.kind, entry.location, entry.pointer.version, entry.uuid)
            for entry in self._lake.tables()
        ]

    def table(self, name):
        """Opens a table by name: a LanceDataset or an IcebergTable."""
        for entry in self._lake.tables():
            if entry.name == name and entry.kind == "iceberg":
                return IcebergTable(self._lake.open_iceberg(name))
        # Of the unknown names, too, the library tells best what is wrong.
        return LanceDataset._of(self._lake.open_lance(name))

    def append(self, lance=None, iceberg=None, *, message="", author="", properties=None):
        """Appends to tables of both kinds in ONE joint commit; both have the rows or neither.

        lance, iceberg: data by table name; a table that does not exist is made. The data is
        whatever `write_dataset` takes without a schema. Gives the joint version.
        """
        appends = []
        sources = []
        for kind, tables in (("lance", lance), ("iceberg", iceberg)):
            for name, data in (tables or {}).items():
                stream, batches = to_stream(data)
                sources.append(batches)
                appends.append(_tusk.table_append(name, kind, stream, {}))
        with errors_of(*sources):
            return self._lake.append(appends, message, author, properties or {})

    def ingest(
        self,
        folder,
        name,
        *,
        label_from=None,
        encoder="pixels",
        message="",
        author="",
        progress=None,
    ):
        """Adds the pictures below `folder` that the table does not have yet, in one joint commit.

        The Lance table `name` gets content_id, image and embedding; the Iceberg table `name`_meta
        gets the rest. label_from: "folder" takes the name of the folder that holds the file.
        progress: called with (what, done, total). Gives the report: joint_version (None if there
        was nothing new), files, added, duplicates, added_bytes, skipped (with path and reason).
        """
        return _tusk.ingest(
            self._lake,
            _path_text(folder),
            name,
            label_from,
            encoder=_tusk.make_encoder(encoder),
            message=message,
            author=author,
            progress=progress,
        )

    def search(self, name, query, k=10, *, columns=None, metric="l2", filter=None, column=None):
        """The k rows of a Lance table that are nearest to `query`, nearest first, as a table.

        query: a vector, or a picture (a path, or its bytes), which the table's encoder turns into
        one. columns: what to return besides `_distance`; by default all but vectors and binary.
        filter: SQL text or a pyarrow expression; rows for which it is not true are not searched.
        column: the vector column, if the table has several.
        """
        table = self.table(name)
        if not isinstance(table, LanceDataset):
            raise InvalidArgumentError(
                f"{name} is an Iceberg table: only Lance tables have vectors"
            )
        schema = table.schema
        if column is None:
            column = _only_vector_column(name, schema)
        if columns is None:
            columns = [field.name for field in schema if not _is_bulky(field.type)]
        if isinstance(query, (str, os.PathLike, bytes, bytearray, memoryview)):
            query = _encode_picture(self._encoder_of(name), query)
        hits = _tusk.find_nearest(
            table._table,
            column=column,
            query=query_vector(query),
            k=k,
            metric=metric,
            columns=list(columns),
            filter=serialize_filter(filter),
        )
        return pa.table(hits)

    def _encoder_of(self, name):
        """The encoder that made the vectors of a table, by what its metadata say."""
        meta = f"{name}_meta"
        models = []
        if any(entry.name == meta and entry.kind == "iceberg" for entry in self._lake.tables()):
            rows = self.table(meta).to_table(["embedding_model"], limit=1)
            models = rows["embedding_model"].to_pylist()
        if not models:
            raise InvalidArgumentError(
                f"what made the vectors of {name} is not known: search with a vector"
            )
        # The model of the encoder "pixels" in its first form is "pixels-v1".
        encoder = _tusk.make_encoder(models[0].rpartition("-v")[0])
        if encoder.model != models[0]:
            raise InvalidArgumentError(
                f"the vectors of {name} are of {models[0]}, but this build makes {encoder.model}"
            )
        return encoder

    def sql(self, query, hits=None):
        """Runs one SQL statement over the tables of the lake; gives a DuckDB relation.

        Both kinds of tables have their names (docs/decisions/060-sql-names.md). hits: a table,
        such as `search` gives, that the statement can name `hits`. The relation is computed when
        its rows are asked for (fetchall, to_arrow_table, df, ...); a statement without rows gives
        None. Tables of the lake cannot be changed by SQL.
        """
        return sql.run(self, query, hits)

    def log(self, limit=None):
        """The joint commits, newest first."""
        return [
            JointVersion(
                entry.number,
                entry.parent,
                datetime.datetime.fromtimestamp(entry.timestamp_us / 1e6, datetime.timezone.utc),
                entry.message,
                entry.author,
                entry.properties,
                [
                    TableChange(change.name, change.kind, change.next.version, change.added_rows)
                    for change in entry.changes
                ],
            )
            for entry in self._lake.log(limit)
        ]


def _path_text(path):
    """A path or URI as the library takes them, which is UTF-8."""
    text = os.fsdecode(path)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise UnsupportedError(f"the path {text!r} is not UTF-8: not supported yet") from None
    return text


def _encode_picture(encoder, picture):
    """The vector of a picture: a path, or its bytes."""
    what = "this picture"
    if isinstance(picture, (str, os.PathLike)):
        what = f"{os.fspath(picture)!r}"
        with open(picture, "rb") as file:
            picture = file.read()
    try:
        return encoder.encode_image(bytes(picture))
    except TuskError as error:
        raise type(error)(f"cannot search for {what}: {error}") from error


def _is_vector(type):
    return pa.types.is_fixed_size_list(type) and pa.types.is_floating(type.value_type)


def _is_bulky(type):
    return _is_vector(type) or pa.types.is_binary(type) or pa.types.is_large_binary(type)


def _only_vector_column(name, schema):
    vectors = [field.name for field in schema if _is_vector(field.type)]
    if len(vectors) != 1:
        what = (
            f"several vector columns ({', '.join(vectors)}): name one"
            if vectors
            else "no vector column"
        )
        raise InvalidArgumentError(f"{name} has {what}")
    return vectors[0]


def connect(uri, at=None):
    """Opens the lake at `uri`, newest or at joint version `at`."""
    return Lake(_tusk.open_lake(_path_text(uri), at))


def init(uri):
    """Makes an empty lake and opens it."""
    return Lake(_tusk.init_lake(_path_text(uri)))
