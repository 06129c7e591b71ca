"""Lakes: tables of both kinds under one catalog and one history."""

import dataclasses
import datetime
import os

import pyarrow as pa

from tusk import _tusk, encoders, sql
from tusk._arrow import serialize_filter
from tusk._nearest import query_vector
from tusk._source import errors_of, to_stream
from tusk.errors import InvalidArgumentError, NotFoundError, TuskError, UnsupportedError
from tusk.iceberg import IcebergTable
from tusk.lance import LanceDataset
from tusk.transaction import transaction_to_json


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
    tags: list  # its names
    given_up: bool  # a cleanup let it go: it cannot be opened any more


@dataclasses.dataclass(frozen=True)
class Retention:
    """What is written down in a lake about how long it keeps joint versions; None: nothing."""

    older_than: datetime.timedelta | None
    keep_last: int | None


@dataclasses.dataclass(frozen=True)
class Tag:
    """A name for a joint version, which keeps it from cleanup."""

    name: str
    version: int
    time: datetime.datetime
    message: str
    author: str


def _to_appends(lance, iceberg):
    appends = []
    sources = []
    for kind, tables in (("lance", lance), ("iceberg", iceberg)):
        for name, data in (tables or {}).items():
            stream, batches = to_stream(data)
            sources.append(batches)
            appends.append(_tusk.table_append(name, kind, stream, {}))
    return appends, sources


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

    def at(self, version):
        """The lake as it was, read-only: at a joint version, a tag or a moment (see `version_of`)."""
        return connect(self.uri, at=version)

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
                return IcebergTable(self._lake.open_iceberg(name), self._lake, name)
        # Of the unknown names, too, the library tells best what is wrong.
        return LanceDataset._of(self._lake.open_lance(name))

    def append(self, lance=None, iceberg=None, *, message="", author="", properties=None):
        """Appends to tables of both kinds in ONE joint commit; both have the rows or neither.

        lance, iceberg: data by table name; a table that does not exist is made. The data is
        whatever `write_dataset` takes without a schema. Gives the joint version.
        """
        appends, sources = _to_appends(lance, iceberg)
        with errors_of(*sources):
            return self._lake.append(appends, message, author, properties or {})

    def commit_lance(
        self, transactions, *, lance=None, iceberg=None, message="", author="", properties=None
    ):
        """Commits transactions to Lance tables, and appends to others, in ONE joint commit.

        transactions: by table name a tusk.Transaction, whose files lie below the table already; its
            read version may be older than the table, as long as what was committed since goes with
            it. lance, iceberg: rows to append to other tables, as in `append`. Gives the joint
            version. Raises CommitConflictError, which names the other transaction, if they do not
            go together.
        """
        changes = [(name, *transaction_to_json(change)) for name, change in transactions.items()]
        appends, sources = _to_appends(lance, iceberg)
        with errors_of(*sources):
            return self._lake.commit_lance(changes, appends, message, author, properties or {})

    def create_iceberg(
        self, name, schema, *, partition_by=(), properties=None, message="", author=""
    ):
        """Makes an empty Iceberg table and gives it.

        schema: a pyarrow schema. partition_by: terms, each "column", "day(column)",
        "bucket[16](column)" or the like, by the transforms of the Iceberg specification, with
        " as name" behind it or not. properties: of the table.
        """
        no_rows = pa.RecordBatchReader.from_batches(schema, [])
        append = _tusk.table_append(
            name, "iceberg", no_rows, properties or {}, list(partition_by), True
        )
        self._lake.append([append], message, author, {})
        return self.table(name)

    def ingest(
        self,
        folder,
        name,
        *,
        label_from=None,
        encoder="pixels",
        media="inline",
        message="",
        author="",
        properties=None,
        commit_rows=None,
        commit_bytes=None,
        commit_seconds=None,
        batch_files=None,
        batch_bytes=None,
        progress=None,
    ):
        """Adds the files below `folder` that the table does not have yet.

        The Lance table `name` gets content_id, the media (column image, or media where files of any
        kind are taken) and embedding; the Iceberg table `name`_meta gets the rest. Commits jointly
        whenever commit_rows (100,000), commit_bytes (4 GiB) or commit_seconds (300) are reached; after
        an interruption the same call adds the rest. At most batch_files (256) and about batch_bytes
        (64 MiB) of files are in memory at once.
        label_from: "folder" takes the name of the folder that holds the file; a path is a CSV or JSON
        Lines file with path and label, paths relative to `folder` or absolute.
        encoder: what `tusk.encoders.find` takes, an Encoder, or None: then there are no vectors and
        files of every kind are taken. media: "inline" keeps the bytes in the table, "reference" their
        path. progress: called with (what, done, total).
        Gives the report: joint_version (the last; None if there was nothing new), commits, files, added,
        duplicates, added_bytes, unlabelled, skipped (with path and reason), seconds (reading, decoding,
        encoding, writing, total).
        """
        found = encoders.find(encoder)
        options = _tusk.IngestOptions(
            name,
            label_from if label_from in (None, "folder") else os.path.abspath(_path_text(label_from)),
            None if found is None else found._native,
            media,
        )
        options.message = message
        options.author = author
        options.properties = properties or {}
        limits = {
            "commit_rows": commit_rows,
            "commit_bytes": commit_bytes,
            "commit_seconds": commit_seconds,
            "batch_files": batch_files,
            "batch_bytes": batch_bytes,
        }
        for limit, value in limits.items():
            if value is not None:
                setattr(options, limit, value)
        return _tusk.ingest(self._lake, _path_text(folder), options, progress=progress)

    def search(
        self,
        name,
        query,
        k=10,
        *,
        columns=None,
        metric="l2",
        filter=None,
        column=None,
        encoder=None,
        model=None,
    ):
        """The k rows of a Lance table that are nearest to `query`, nearest first, as a table.

        query: a vector, an Embedding, or a file (a path, or its bytes), which the table's encoder
        turns into a vector. encoder: that encoder, if it is not built in. model: what made the
        vector `query`; a model other than the table's is an error, as is that of an Embedding.
        columns: what to return besides `_distance`; by default all but vectors and binary.
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
        query = self._vector_for(name, query, encoder, model)
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

    def _vector_for(self, name, query, encoder, model):
        """The query's vector, after a check that it and those of the table are of one model."""
        is_file = isinstance(query, (str, os.PathLike, bytes, bytearray, memoryview))
        encoder = encoders.find(encoder)
        if is_file:
            if encoder is None:
                encoder = self._encoder_of(name)
            query = _encode_file(encoder, query)
        elif encoder is not None:
            model = model or encoder.model
        if isinstance(query, encoders.Embedding):
            query, model = query.vector, query.model
        if model is not None:
            own = _tusk.embedding_model(self._lake, name)
            if model != own:
                raise InvalidArgumentError(
                    f"the vectors of {name} are of {own}, the query is of {model}: their distances mean"
                    " nothing"
                )
        return query

    def _encoder_of(self, name):
        """The encoder that made the vectors of a table, by what it and its metadata say."""
        try:
            model = _tusk.embedding_model(self._lake, name)
        except NotFoundError:
            raise InvalidArgumentError(
                f"what made the vectors of {name} is not known: search with a vector"
            ) from None
        return encoders.of_model(model)

    def sql(self, query, hits=None):
        """Runs one SQL statement over the tables of the lake; gives a DuckDB relation.

        Both kinds of tables have their names (docs/decisions/060-sql-names.md), and `tusk_log`,
        `tusk_changes`, `tusk_tags` and `tusk_tables` tell of the lake itself. hits: a table, such
        as `search` gives, that the statement can name `hits`. The relation is computed when
        its rows are asked for (fetchall, to_arrow_table, df, ...); a statement without rows gives
        None. Tables of the lake cannot be changed by SQL.
        """
        return sql.run(self, query, hits)

    def version_of(self, version):
        """The number of a joint version: a number, the name of a tag, or a datetime, which means the
        newest version at that moment (local time if it has no zone)."""
        if isinstance(version, datetime.datetime):
            return self._lake.find_version_at(round(version.timestamp() * 1e6))
        return self._lake.find_version(str(version))

    def tags(self):
        """The tags, ascending by name."""
        return [
            Tag(tag.name, tag.number, _moment(tag.timestamp_us), tag.message, tag.author)
            for tag in self._lake.tags()
        ]

    def tag(self, name, version=None, *, message="", author="", move=False):
        """Names a joint version (the newest one if None), which every cleanup then keeps.

        move: takes the name from the version that has it. Gives the number of the version.
        """
        number = self._newest() if version is None else self.version_of(version)
        self._lake.set_tag(name, number, message, author, move)
        return number

    def untag(self, name):
        """Takes a tag away; the version may then be given up by a cleanup."""
        self._lake.delete_tag(name)

    def retention(self):
        """How long joint versions are kept, as far as it is written down in the lake."""
        rules = _tusk.retention(self._lake)
        age = rules.older_than_ms
        return Retention(
            None if age is None else datetime.timedelta(milliseconds=age), rules.keep_last
        )

    def set_retention(self, older_than=None, keep_last=None):
        """Writes down how long joint versions are kept; what is None is left to each cleanup.

        older_than (timedelta): a version may go when it has not been the newest for longer;
        keep_last: the newest so many stay. Tags pin versions whatever the rules say.
        """
        _tusk.set_retention(
            self._lake, None if older_than is None else _milliseconds(older_than), keep_last
        )

    def _newest(self):
        if self.fixed_at is not None:
            return self.fixed_at
        log = self._lake.log(1)
        if not log:
            raise InvalidArgumentError("the lake is empty: there is no joint version to tag")
        return log[0].number

    def diff(
        self,
        before,
        after=None,
        *,
        tables=(),
        id_column="content_id",
        label_column="label",
        compare_binary=False,
        max_listed=1000,
        progress=None,
    ):
        """How the tables differ between two joint versions; `after` is the newest one if None.

        Gives one entry per table that differs: name, kind, rows_before, rows_after, schema_changed,
        added, removed, changed (numbers of ids), added_ids, removed_ids, changed_ids (at most
        max_listed), labels (label, before, after), and has_ids: without the id column only rows are
        counted. An id has changed if another column of it has; binary columns count with
        compare_binary only. Costs a reading of both versions of each table, without its binary columns.
        """
        after = self._newest() if after is None else self.version_of(after)
        return _tusk.diff(
            self._lake,
            self.version_of(before),
            after,
            tables=list(tables),
            id_column=id_column,
            label_column=label_column,
            compare_binary=compare_binary,
            max_listed=max_listed,
            progress=progress,
        )

    def restore(self, version, *, message="", author="", properties=None):
        """Makes a joint version in which every table that there was at `version` is as it was then.

        Tables made later stay as they are. Gives the new joint version, None if nothing differs.
        """
        number = self.version_of(version)
        return self._lake.restore(number, message, author, properties or {})

    def drift(self):
        """Tables that another client changed alone: name, kind, known_version and foreign_version
        (versions or snapshot ids), known_rows and foreign_rows."""
        return self._lake.drift()

    def adopt(self, *, message="", author="", properties=None):
        """Takes what other clients committed to tables alone into the history, in one joint version.

        Gives that version, None if no table has drifted.
        """
        return self._lake.adopt(message, author, properties or {})

    def examine(self, *, clean=False, min_age=datetime.timedelta(days=1), progress=None):
        """Compares every file of the lake with what its versions need.

        Gives the report: findings (kind, table, path, size_bytes, detail, is_young, removed),
        leftover_files, leftover_bytes, removed_files, removed_bytes, is_damaged. clean: removes
        leftovers that are older than min_age, which must be longer than any commit takes.
        """
        return _tusk.examine(
            self._lake, clean=clean, min_age_ms=_milliseconds(min_age), progress=progress
        )

    def cleanup(
        self,
        *,
        older_than=None,
        keep_last=None,
        dry_run=False,
        min_age=datetime.timedelta(days=1),
        author="",
        progress=None,
    ):
        """Gives up old joint versions and removes what only they needed, on both sides.

        A version goes if it has not been the newest for longer than older_than, is not among the
        keep_last newest, and has no tag; None: as written down in the lake (set_retention), or 14
        days and 1. What other clients committed within older_than and what tags and branches of the
        formats' own name stays too. dry_run: only says which versions would go. Gives the report:
        older_than_ms and keep_last (what it went by), given_up, lance_versions, iceberg_snapshots, removed_files,
        removed_bytes, skipped (tables that could not be judged, and why).
        """
        return _tusk.clean_up(
            self._lake,
            older_than_ms=None if older_than is None else _milliseconds(older_than),
            keep_last=keep_last,
            dry_run=dry_run,
            min_age_ms=_milliseconds(min_age),
            author=author,
            progress=progress,
        )

    def optimize(
        self,
        tables=None,
        *,
        target_rows_per_fragment=None,
        target_file_bytes=512 << 20,
        clean_up=True,
        older_than=None,
        keep_last=None,
        min_age=datetime.timedelta(days=1),
        author="",
        progress=None,
    ):
        """Keeps the lake fast: puts small files together, drops deleted rows, then cleans up.

        Each of `tables` (names; None: all) of either kind gets a joint version, if there is
        something to do. Fragments of Lance tables grow up to target_rows_per_fragment rows (None: as
        the table's config says under lance.compaction, whose other options are minded too, or
        1,048,576), data files of Iceberg tables up to target_file_bytes. What fails at one table is reported and
        keeps nothing else from being done. older_than, keep_last and min_age are those of cleanup,
        which clean_up=False leaves out. May be called after every append. Gives the report: tables
        (name, kind, version, files_removed, files_added, error), cleanup, cleanup_error.
        """
        return _tusk.optimize(
            self._lake,
            [] if tables is None else list(tables),
            target_rows_per_fragment=target_rows_per_fragment,
            target_file_bytes=target_file_bytes,
            clean_up=clean_up,
            older_than_ms=None if older_than is None else _milliseconds(older_than),
            keep_last=keep_last,
            min_age_ms=_milliseconds(min_age),
            author=author,
            progress=progress,
        )

    def log(self, limit=None):
        """The joint commits, newest first."""
        return [
            JointVersion(
                entry.number,
                entry.parent,
                _moment(entry.timestamp_us),
                entry.message,
                entry.author,
                entry.properties,
                [
                    TableChange(change.name, change.kind, change.next.version, change.added_rows)
                    for change in entry.changes
                ],
                entry.tags,
                entry.given_up,
            )
            for entry in self._lake.log(limit)
        ]


def _moment(timestamp_us):
    return datetime.datetime.fromtimestamp(timestamp_us / 1e6, datetime.timezone.utc)


def _milliseconds(duration):
    return round(duration / datetime.timedelta(milliseconds=1))


def _path_text(path):
    """A path or URI as the library takes them, which is UTF-8."""
    text = os.fsdecode(path)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise UnsupportedError(f"the path {text!r} is not UTF-8: not supported yet") from None
    return text


def _encode_file(encoder, file):
    """The Embedding of a file: a path, or its bytes."""
    what = f"{os.fspath(file)!r}" if isinstance(file, (str, os.PathLike)) else "this file"
    try:
        return encoder.encode(file)
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


def connect(uri, at=None, *, storage_options=None):
    """Opens the lake at `uri`: the newest joint version, or read-only at one: a number, the name of
    a tag, or a datetime.

    storage_options: of the lake's files, as `tusk.dataset` takes them. {"durable": "false"} does not
    wait for the disk before a commit: faster, but a loss of power may take what was committed last, on
    one side alone.
    """
    if at is not None and not isinstance(at, int):
        at = connect(uri).version_of(at)
    return Lake(_tusk.open_lake(_path_text(uri), at, storage_options or {}))


def init(uri):
    """Makes an empty lake and opens it."""
    return Lake(_tusk.init_lake(_path_text(uri)))
