"""A multimodal lakehouse: Lance and Apache Iceberg tables in one lake, under one history.

import tusk

table = tusk.write_dataset(data, "vectors.lance")     # a Lance table, as pylance has it
lake = tusk.connect("lake")                            # a lake: both kinds of tables
hits = lake.search("media.digits", "digit.png", k=10)
lake.sql("select label, count(*) from media.digits_meta group by all")
"""

import importlib
import os
import sys
import types

__version__ = "0.1.0"

# Where the public names live. They are imported when first used: the command line shows its help
# without waiting for Arrow.
_HOMES = {
    "BatchUDF": "tusk.udf",
    "CleanupCandidateFile": "tusk.maintenance",
    "CleanupExplanation": "tusk.maintenance",
    "CleanupReferencedBranch": "tusk.maintenance",
    "CleanupStats": "tusk.maintenance",
    "Blob": "tusk.blob",
    "BlobArray": "tusk.blob",
    "BlobColumn": "tusk.blob",
    "BlobDescriptor": "tusk.blob",
    "BlobDescriptorArrayBuilder": "tusk.blob",
    "BlobFile": "tusk.blob",
    "ColumnOrdering": "tusk._scan",
    "DataFile": "tusk.fragment_metadata",
    "DataStatistics": "tusk.stats",
    "DatasetBasePath": "tusk.transaction",
    "DedicatedBlobWriter": "tusk.blob",
    "Embedding": "tusk.encoders",
    "Encoder": "tusk.encoders",
    "FieldStatistics": "tusk.stats",
    "FragmentMetadata": "tusk.fragment_metadata",
    "IcebergTable": "tusk.iceberg",
    "Index": "tusk.transaction",
    "IndexFile": "tusk.transaction",
    "IndexProgress": "tusk.progress",
    "JointVersion": "tusk.lake",
    "Lake": "tusk.lake",
    "LanceDataset": "tusk.lance",
    "LanceFragment": "tusk.fragment",
    "LanceOperation": "tusk.transaction",
    "LanceScanner": "tusk.scanner",
    "LanceSchema": "tusk.lance_schema",
    "Loader": "tusk.loader",
    "MergeInsertBuilder": "tusk.merge_insert",
    "PackedBlobWriter": "tusk.blob",
    "ScanStatistics": "tusk._scan",
    "Session": "tusk.session",
    "TableInfo": "tusk.lake",
    "Tag": "tusk.lake",
    "Transaction": "tusk.transaction",
    "batch_udf": "tusk.udf",
    "bytes_read_counter": "tusk.process",
    "blob_array": "tusk.blob",
    "blob_field": "tusk.blob",
    "connect": "tusk.lake",
    "dataset": "tusk.lance",
    "encoder": "tusk.encoders",
    "init": "tusk.lake",
    "iops_counter": "tusk.process",
    "json_to_schema": "tusk.schema",
    "sanitize_ts": "tusk.util",
    "schema_to_json": "tusk.schema",
    "set_logger": "tusk.log",
    "simd_info": "tusk.process",
    "write_dataset": "tusk.write",
}

_MODULES = ("blob", "encoders", "errors", "file", "io", "loader", "optimize")

__all__ = sorted([*_HOMES, *_MODULES, "__version__"])


class _Package(types.ModuleType):
    """As in pylance, `tusk.dataset` is the function, whoever imports the module of that name."""

    def __setattr__(self, name, value):
        if name == "dataset" and isinstance(value, types.ModuleType):
            value = value.dataset
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def _load_library():
    """The extension module, when it is first imported.

    TensorFlow offers its own protobuf to every library that is loaded after it, which ends the
    process in one that was made for another: then ours looks into its own libraries first.
    """
    if "tensorflow" not in sys.modules:
        return importlib.import_module("tusk._tusk")
    importlib.import_module("pyarrow")
    flags = sys.getdlopenflags()
    sys.setdlopenflags(flags | getattr(os, "RTLD_DEEPBIND", 0))
    try:
        return importlib.import_module("tusk._tusk")
    finally:
        sys.setdlopenflags(flags)


def __getattr__(name):
    if name == "_tusk":
        return _load_library()
    if name in _MODULES:
        return importlib.import_module(f"tusk.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'tusk' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__():
    return sorted({*globals(), *__all__})
