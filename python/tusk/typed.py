"""The dicts that calls of LanceDataset take and give, for those who check types."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    import pyarrow as pa

    from tusk.bitmap import Bitmap
    from tusk.lance import LanceDataset
    from tusk.transaction import Transaction


class AlterColumn(TypedDict, total=False):
    path: str
    name: str | None
    nullable: bool | None
    data_type: pa.DataType | None


class AutoCleanupConfig(TypedDict):
    interval: int
    older_than_seconds: int


class Branch(TypedDict):
    parent_branch: str | None
    branch_identifier: list[tuple[int, str]]
    parent_version: int
    create_at: int
    manifest_size: int
    metadata: dict[str, str]


class BulkCommitResult(TypedDict):
    dataset: LanceDataset
    merged: Transaction


class DeleteResult(TypedDict):
    num_deleted_rows: int


class ExecuteResult(TypedDict):
    num_inserted_rows: int
    num_updated_rows: int
    num_deleted_rows: int


class IndexInformation(TypedDict):
    name: str
    type: str
    uuid: str
    fields: list[str]
    version: int
    fragment_ids: Bitmap
    base_id: int | None


class Tag(TypedDict):
    branch: str | None
    version: int
    created_at: datetime.datetime | None
    updated_at: datetime.datetime | None
    manifest_size: int
    metadata: dict[str, str]


class UpdateResult(TypedDict):
    num_rows_updated: int


class Version(TypedDict):
    version: int
    timestamp: datetime.datetime
    metadata: dict[str, str]


class VersionRef(TypedDict):
    version: int
