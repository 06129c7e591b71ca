"""A multimodal lakehouse: Lance and Apache Iceberg tables in one lake, under one history.

import tusk

table = tusk.write_dataset(data, "vectors.lance")     # a Lance table, as pylance has it
lake = tusk.connect("lake")                            # a lake: both kinds of tables
hits = lake.search("media.digits", "digit.png", k=10)
lake.sql("select label, count(*) from media.digits_meta group by all")
"""

import importlib

__version__ = "0.1.0"

# Where the public names live. They are imported when first used: the command line shows its help
# without waiting for Arrow.
_HOMES = {
    "BatchUDF": "tusk.udf",
    "ColumnOrdering": "tusk._scan",
    "DataFile": "tusk.transaction",
    "DatasetBasePath": "tusk.transaction",
    "Embedding": "tusk.encoders",
    "Encoder": "tusk.encoders",
    "FragmentMetadata": "tusk.transaction",
    "IcebergTable": "tusk.iceberg",
    "Index": "tusk.transaction",
    "JointVersion": "tusk.lake",
    "Lake": "tusk.lake",
    "LanceDataset": "tusk.lance",
    "LanceFragment": "tusk.fragment",
    "LanceOperation": "tusk.transaction",
    "LanceScanner": "tusk.lance",
    "LanceSchema": "tusk.transaction",
    "Loader": "tusk.loader",
    "MergeInsertBuilder": "tusk.merge_insert",
    "ScanStatistics": "tusk._scan",
    "TableInfo": "tusk.lake",
    "Tag": "tusk.lake",
    "Transaction": "tusk.transaction",
    "batch_udf": "tusk.udf",
    "connect": "tusk.lake",
    "dataset": "tusk.lance",
    "encoder": "tusk.encoders",
    "init": "tusk.lake",
    "write_dataset": "tusk.lance",
}

_MODULES = ("encoders", "errors", "file", "loader", "optimize")

__all__ = sorted([*_HOMES, *_MODULES, "__version__"])


def __getattr__(name):
    if name in _MODULES:
        return importlib.import_module(f"tusk.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'tusk' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__():
    return sorted({*globals(), *__all__})
