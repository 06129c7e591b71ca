"""Reads of one Lance file through the file readers, without a dataset around it."""

import recipes
from workload import Workload

_FILE_READERS = ("tusk-file", "pylance-file")
_SCALARS = ("id", "uniform", "small")


def _file(name, table, operation, columns=None, rows=None, goal=None):
    return Workload(
        f"file: {name}",
        table,
        operation,
        columns,
        rows=rows,
        goal=goal,
        implementations=_FILE_READERS,
        first_file=True,
    )


# The first file of the wide table holds about half of its rows.
WORKLOADS = [
    _file("scan all columns", "wide", "scan"),
    _file("scan 10 scalar columns", "wide", "scan", recipes.SCALARS),
    _file("scan strings ~80 B", "text", "scan", ("text",)),
    _file("take 1 x 3 scalars", "wide", "take", _SCALARS, 1),
    _file("take 1,000 x 3 scalars", "wide", "take", _SCALARS, 1_000),
    _file("take 1,000 x string ~80 B", "text", "take", ("text",), 1_000),
    _file("take 1,000 x 768-d vector", "embeddings", "take", ("vector",), 1_000),
    _file("open and take 1 x 3 scalars", "wide", "open_and_take", _SCALARS, 1),
]
