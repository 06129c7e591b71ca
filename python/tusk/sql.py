"""SQL over the tables of a lake, by DuckDB.

Each table is a view over a pyarrow-shaped dataset, so that DuckDB hands down the columns and the
filters of a statement and we apply them. How names of tables become names in SQL is written down in
docs/decisions/060-sql-names.md.
"""

import re

from tusk import sql_history
from tusk._optional import require
from tusk.errors import InvalidArgumentError, UnsupportedError

# Statements that ask about tables without naming one.
_ASKS_FOR_TABLES = re.compile(
    r"\b(show|describe|summarize|information_schema|pg_catalog|duckdb_\w+)\b", re.I
)
# Schemas of DuckDB's own, where no view can be made.
_TAKEN_SCHEMAS = {"information_schema", "pg_catalog"}


# Statements whose effect would be gone with the session that they run in.
_CHANGES = {"ALTER", "CREATE", "DELETE", "DROP", "INSERT", "MERGE_INTO", "UPDATE"}


def _duckdb():
    return require("duckdb", "SQL over a lake", "duckdb")


def _quoted(identifier):
    return '"' + identifier.replace('"', '""') + '"'


def _mentioned(names, query):
    """The tables that the statement can refer to.

    The characters of a table's name need no escape, quoted or not, so that a statement which refers
    to it has its name in its text; one that has it there by chance costs only the opening.
    """
    text = query.lower()
    found = [name for name in names if name.rpartition(".")[2].lower() in text]
    return found if found or not _ASKS_FOR_TABLES.search(query) else list(names)


def open_session(lake, query, hits=None):
    """A DuckDB connection in which `query` finds the tables of `lake`, and `hits` if given.

    It reaches nothing else: no variables of Python, no extension from elsewhere.
    """
    connection = _duckdb().connect(
        config={
            "python_enable_replacements": False,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
    )
    connection.execute("set timezone = 'UTC'")
    for number, name in enumerate(_mentioned([entry.name for entry in lake.tables()], query)):
        namespace, _, table = name.rpartition(".")
        if namespace in _TAKEN_SCHEMAS:
            raise NotImplementedError(
                f"SQL cannot reach {name!r}: DuckDB has a schema of its own {namespace!r}"
            )
        source = f"tusk_table_{number}"
        connection.register(source, lake.table(name))
        # With the catalog in front: a namespace may have the name of one of DuckDB's catalogs.
        connection.execute(f"create schema if not exists memory.{_quoted(namespace)}")
        connection.execute(
            f"create view memory.{_quoted(namespace)}.{_quoted(table)} as from temp.main.{source}"
        )
    for name, table in sql_history.TABLES.items():
        if name in query.lower():
            connection.register(name, table(lake))
    if hits is not None:
        connection.register("hits", hits)
    return connection


def run(lake, query, hits=None):
    """The relation that `query` gives over the tables of `lake`; None if it has no rows."""
    duckdb = _duckdb()
    statements = duckdb.extract_statements(query)
    if not statements:
        raise InvalidArgumentError("there is no SQL statement to run")
    kind = statements[-1].type.name
    if kind in _CHANGES:
        raise UnsupportedError(
            f"SQL that changes a lake ({kind.replace('_', ' ')}) is not supported yet:"
            " add rows by an ingestion or with append"
        )
    try:
        return open_session(lake, query, hits).sql(query)
    except duckdb.CatalogException as error:
        names = ", ".join(entry.name for entry in lake.tables()) or "none"
        raise duckdb.CatalogException(f"{error}\nTables of the lake: {names}") from None
