"""Takes of random rows through the dataset, warm and cold, and as training asks for them."""

from workload import Workload

_SCALARS = ("id", "uniform", "small")
_ALL = ("tusk", "pylance", "pylance-uring", "parquet", "tuned-parquet", "feather", "vortex")


def _take(rows, what, table, columns, goal=None):
    name = f"take: {rows:,} x {what}"
    return Workload(
        name, table, "take", columns, rows=rows, goal=goal, implementations=_ALL
    )


def _cold(rows, what, table, columns, goal):
    # A mapped file does not leave the page cache, so Feather stays out.
    return Workload(
        f"cold take: {rows:,} x {what}", table, "take", columns, rows=rows, goal=goal,
        implementations=("tusk", "pylance", "pylance-uring"), is_cold=True,
    )  # fmt: skip


WORKLOADS = [
    _take(1, "3 scalars", "wide", _SCALARS),
    _take(100, "3 scalars", "wide", _SCALARS),
    _take(1_000, "3 scalars", "wide", _SCALARS, goal=6),
    _take(10_000, "3 scalars", "wide", _SCALARS),
    _take(1, "string ~80 B", "text", ("text",)),
    _take(100, "string ~80 B", "text", ("text",)),
    _take(1_000, "string ~80 B", "text", ("text",), goal=6),
    _take(10_000, "string ~80 B", "text", ("text",)),
    _take(1, "768-d vector", "embeddings", ("vector",)),
    _take(100, "768-d vector", "embeddings", ("vector",)),
    _take(1_000, "768-d vector", "embeddings", ("vector",), goal=6),
    _take(10_000, "768-d vector", "embeddings", ("vector",)),
    Workload(
        "open and take: 1 x 3 scalars",
        "wide",
        "open_and_take",
        _SCALARS,
        rows=1,
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
