"""Scans of whole columns through the dataset."""

import recipes
from workload import Workload

WORKLOADS = [
    Workload("scan: all columns", "wide", "scan", goal=3, goal_memory=1.3),
    Workload("scan: all columns, batches", "wide", "batches"),
    Workload("scan: 10 scalar columns", "wide", "scan", recipes.SCALARS, goal=3),
    Workload("scan: one int64 column", "wide", "scan", ("id",), goal=3),
    Workload("scan: one int64 column with nulls", "wide", "scan", ("maybe",), goal=3),
    Workload("scan: one f64 column", "wide", "scan", ("uniform",), goal=3),
    Workload("scan: one string column, ~20 B", "wide", "scan", ("name",), goal=3),
    Workload("scan: one string column, few values", "wide", "scan", ("label",), goal=3),
    Workload("scan: one string column, ~80 B", "text", "scan", ("text",), goal=3),
    Workload("scan: 128-d vectors", "wide", "scan", ("vector",), goal=4),
    Workload("scan: 768-d vectors", "embeddings", "scan", ("vector",), goal=4),
]
