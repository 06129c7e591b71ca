"""Filters over whole columns, and counts of the rows that they keep."""

from workload import Workload

_BOTH = ("tusk", "pylance", "parquet")
_LABEL = ("label", "==", "bicycle")


def _filter(what, condition, columns, goal=None):
    return Workload(
        f"filter: {what}", "wide", "filter", columns, goal=goal, condition=condition,
        implementations=_BOTH,
    )  # fmt: skip


def _count(what, condition):
    return Workload(
        f"count: {what}", "wide", "count", goal=3, condition=condition, implementations=_BOTH
    )


WORKLOADS = [
    _filter("f64 < 0.1 %, 2 columns", ("uniform", "<", 0.001), ("id", "uniform"), goal=5),
    _filter("f64 < 1 %, 2 columns", ("uniform", "<", 0.01), ("id", "uniform"), goal=5),
    _filter("f64 < 50 %, 2 columns", ("uniform", "<", 0.5), ("id", "uniform")),
    _filter("f64 < 1 %, all columns", ("uniform", "<", 0.01), None),
    _filter("label = x, 2 columns", _LABEL, ("id", "uniform"), goal=8),
    _count("f64 < 0.1 %", ("uniform", "<", 0.001)),
    _count("f64 < 1 %", ("uniform", "<", 0.01)),
    _count("f64 < 50 %", ("uniform", "<", 0.5)),
    _count("label = x", _LABEL),
]
