"""The module path `lance.dataset` of pylance. (`tusk.dataset` is the function: see the package.)"""

from tusk._scan import ColumnOrdering, ScanStatistics
from tusk.delta import DatasetDelta
from tusk.history import Branches, Tags
from tusk.lance import LanceDataset, dataset
from tusk.lance_schema import LanceSchema
from tusk.merge_insert import MergeInsertBuilder
from tusk.optimize import DatasetOptimizer
from tusk.row_mask import serialize_row_addrs
from tusk.scanner import LanceScanner
from tusk.scanner_builder import ScannerBuilder
from tusk.sql_query import SqlQuery, SqlQueryBuilder
from tusk.stats import DatasetStats, DataStatistics, FieldStatistics, LanceStats
from tusk.transaction import DatasetBasePath, Index, IndexFile, LanceOperation, Transaction
from tusk.typed import (
    AlterColumn,
    AutoCleanupConfig,
    Branch,
    BulkCommitResult,
    DeleteResult,
    ExecuteResult,
    IndexInformation,
    Tag,
    UpdateResult,
    Version,
    VersionRef,
)
from tusk.udf import BatchUDF, batch_udf
from tusk.write import write_dataset

__all__ = [
    "AlterColumn",
    "AutoCleanupConfig",
    "BatchUDF",
    "Branch",
    "Branches",
    "BulkCommitResult",
    "ColumnOrdering",
    "DataStatistics",
    "DatasetBasePath",
    "DatasetDelta",
    "DatasetOptimizer",
    "DatasetStats",
    "DeleteResult",
    "ExecuteResult",
    "FieldStatistics",
    "Index",
    "IndexFile",
    "IndexInformation",
    "LanceDataset",
    "LanceOperation",
    "LanceScanner",
    "LanceSchema",
    "LanceStats",
    "MergeInsertBuilder",
    "ScanStatistics",
    "ScannerBuilder",
    "SqlQuery",
    "SqlQueryBuilder",
    "Tag",
    "Tags",
    "Transaction",
    "UpdateResult",
    "Version",
    "VersionRef",
    "batch_udf",
    "dataset",
    "serialize_row_addrs",
    "write_dataset",
]
