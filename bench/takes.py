"""Takes of random rows through the dataset, warm and cold, and as training asks for them.

Of files that pylance wrote, which every implementation has in its format; and of tusk's own files,
by tusk and by pylance.
"""

from workload import Workload

_SCALARS = ("id", "uniform", "small")
_ALL = ("tusk", "pylance", "pylance-uring", "parquet", "tuned-parquet", "feather", "vortex")


_ON_TUSKS = ("tusk-on-own", "pylance-on-tusks")


def _take(rows, what, table, columns, goal=None, implementations=_ALL, name="take"):
    return Workload(
        f"{name}: {rows:,} x {what}",
        table,
        "take",
        columns,
        rows=rows,
        goal=goal,
        implementations=implementations,
    )


def _own(rows, what, table, columns, goal=None):
    return _take(rows, what, table, columns, goal, _ON_TUSKS, "own take")


def _cold(rows, what, table, columns, goal):
    # A mapped file does not leave the page cache, so Feather stays out.
    return Workload(
        f"cold take: {rows:,} x {what}", table, "take", columns, rows=rows, goal=goal,
        implementations=("tusk", "pylance", "pylance-uring"), is_cold=True,
    )  # fmt: skip


WORKLOADS = [
    _take(1, "3 scalars", "wide", _SCALARS, goal=8),
    _take(100, "3 scalars", "wide", _SCALARS, goal=10),
    _take(1_000, "3 scalars", "wide", _SCALARS, goal=10),
    _take(10_000, "3 scalars", "wide", _SCALARS),
    _take(1, "string ~80 B", "text", ("text",), goal=8),
    _take(100, "string ~80 B", "text", ("text",), goal=10),
    _take(1_000, "string ~80 B", "text", ("text",), goal=10),
    _take(10_000, "string ~80 B", "text", ("text",)),
    _take(1, "768-d vector", "embeddings", ("vector",), goal=8),
    _take(100, "768-d vector", "embeddings", ("vector",)),
    _take(1_000, "768-d vector", "embeddings", ("vector",), goal=8),
    _take(10_000, "768-d vector", "embeddings", ("vector",)),
    Workload(
        "open and take: 1 x 3 scalars",
        "wide",
        "open_and_take",
        _SCALARS,
        rows=1,
        goal=3,
        implementations=_ALL,
    ),
    # 256 samples, as a training step wants them.
    Workload(
        "train: 256 x 50 KB and label",
        "pictures",
        "take",
        ("picture", "label"),
        rows=256,
        goal=2.5,
        implementations=_ALL,
    ),
    _cold(1, "3 scalars", "wide", _SCALARS, goal=3),
    _cold(1_000, "3 scalars", "wide", _SCALARS, goal=1.4),
    _cold(1, "768-d vector", "embeddings", ("vector",), goal=3),
    _cold(1_000, "768-d vector", "embeddings", ("vector",), goal=1.4),
]

# What tusk writes is made for takes, by whoever reads it.
OWN_WORKLOADS = [
    _own(1, "3 scalars", "wide", _SCALARS, goal=8),
    _own(100, "3 scalars", "wide", _SCALARS, goal=12),
    _own(1_000, "3 scalars", "wide", _SCALARS, goal=12),
    _own(1, "string ~80 B", "text", ("text",), goal=8),
    _own(100, "string ~80 B", "text", ("text",), goal=12),
    _own(1_000, "string ~80 B", "text", ("text",), goal=12),
    _own(1_000, "768-d vector", "embeddings", ("vector",), goal=8),
    _own(256, "50 KB and label", "pictures", ("picture", "label"), goal=2.5),
]
