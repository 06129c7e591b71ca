"""Writes of whole tables: out of memory, each into a new dataset or file."""

import recipes
from workload import Workload

_WRITERS = ("tusk-writer", "pylance-writer", "parquet-writer", "feather-writer", "vortex-writer")

# Memory that a write may need beside the table, however large that is.
_GOAL_MEGABYTES = 300


def _write(what, table, columns=None, goal=None, goal_megabytes=None, goal_size=1):
    return Workload(
        f"write: {what}",
        table,
        "write",
        columns,
        goal=goal,
        goal_megabytes=goal_megabytes,
        goal_size=goal_size,
        implementations=_WRITERS,
    )


WORKLOADS = [
    _write("all columns", "wide", goal=1.5, goal_megabytes=_GOAL_MEGABYTES),
    _write(
        "10 scalar columns",
        "wide",
        recipes.SCALARS,
        goal=2.5,
        goal_megabytes=_GOAL_MEGABYTES,
        goal_size=0.95,
    ),
    *(_write(f"{column} alone", "wide", (column,)) for column in recipes.SCALARS),
    _write("text ~80 B", "text", ("text",), goal_megabytes=_GOAL_MEGABYTES),
    _write("768-d vectors", "embeddings", goal_megabytes=_GOAL_MEGABYTES),
    _write("nested lists", "nested", goal_megabytes=_GOAL_MEGABYTES),
    _write("blobs of 200 KB", "blobs", goal=3, goal_megabytes=_GOAL_MEGABYTES),
]


def _durable(what, table, columns=None):
    return Workload(
        f"durable write: {what}", table, "write", columns, implementations=("tusk-durable",)
    )


DURABLE_WORKLOADS = [
    _durable("all columns", "wide"),
    _durable("10 scalar columns", "wide", recipes.SCALARS),
    _durable("id alone", "wide", ("id",)),
    _durable("text ~80 B", "text", ("text",)),
    _durable("768-d vectors", "embeddings"),
    _durable("nested lists", "nested"),
    _durable("blobs of 200 KB", "blobs"),
]
