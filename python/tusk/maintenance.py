"""Maintenance of Lance tables, under the names that pylance has."""

import dataclasses
import datetime

from tusk import _tusk
from tusk.errors import InvalidArgumentError
from tusk.made import made
from tusk.optimize import DatasetOptimizer


@made
@dataclasses.dataclass(frozen=True)
class CleanupStats:
    """What a cleanup has removed: files by kind; each old version is one manifest."""

    bytes_removed: int = 0
    old_versions: int = 0
    data_files_removed: int = 0
    transaction_files_removed: int = 0
    index_files_removed: int = 0
    deletion_files_removed: int = 0
    failed_deletes: int = 0


@made
@dataclasses.dataclass(frozen=True)
class CleanupCandidateFile:
    """A file that a cleanup would remove; `path` is relative to the table."""

    path: str
    kind: str
    unverified: bool
    size_bytes: int


@made
@dataclasses.dataclass(frozen=True)
class CleanupReferencedBranch:
    """A branch that needs files of a version which would go."""

    name: str
    referenced_version: int
    cleanup_candidate: bool


@made
@dataclasses.dataclass(frozen=True)
class CleanupExplanation:
    """What a cleanup of the table, as it is now, would remove."""

    read_version: int
    stats: CleanupStats
    candidate_files: list
    candidate_files_truncated: bool
    candidate_file_limit: int
    referenced_branches: list
    warnings: list


class TableMaintenance:
    """The part of LanceDataset that keeps a table small and fast."""

    @property
    def optimize(self):
        """Compaction and what else keeps the table fast: a DatasetOptimizer."""
        return DatasetOptimizer(self)

    def cleanup_old_versions(
        self,
        older_than=None,
        retain_versions=None,
        *,
        delete_unverified=False,
        error_if_tagged_old_versions=True,
        delete_rate_limit=None,
        versions=None,
        delete_concurrency=None,
    ):
        """Removes old versions and the files that only they name; gives CleanupStats.

        Of the versions before this one, those go that all of these name: older than the timedelta
        `older_than`, not among the newest `retain_versions`, in the list `versions`. Without any
        of them, what is older than two weeks. Tagged versions stay; where one would go that is an
        error, unless `error_if_tagged_old_versions` is False. Files that no version names stay for
        a week, in case a writer is about to commit them, or go with `delete_unverified`. At most
        `delete_rate_limit` files go in a second. `delete_concurrency` is accepted and has no
        meaning.
        """
        if delete_concurrency is not None and delete_concurrency < 1:
            raise InvalidArgumentError("delete_concurrency must be at least 1")
        options = _cleanup_options(
            older_than,
            retain_versions,
            versions,
            delete_unverified,
            error_if_tagged_old_versions,
        )
        options.deletes_per_second = delete_rate_limit
        return _stats(_tusk.clean_up_lance(self._table, options))

    def explain_cleanup_old_versions(
        self,
        older_than=None,
        retain_versions=None,
        *,
        delete_unverified=False,
        error_if_tagged_old_versions=True,
        delete_rate_limit=None,
        versions=None,
        include_files=False,
        max_files=1000,
    ):
        """What cleanup_old_versions would remove, as CleanupExplanation; removes nothing.

        With `include_files` it names the first `max_files` of them.
        """
        options = _cleanup_options(
            older_than,
            retain_versions,
            versions,
            delete_unverified,
            error_if_tagged_old_versions,
        )
        options.dry_run = True
        report = _tusk.clean_up_lance(self._table, options)
        files = report.files[:max_files] if include_files else []
        is_cut = include_files and len(report.files) > max_files
        return CleanupExplanation._of(
            read_version=self.version,
            stats=_stats(report),
            candidate_files=[
                CleanupCandidateFile._of(file.path, file.kind, file.is_unverified, file.size_bytes)
                for file in files
            ],
            candidate_files_truncated=is_cut,
            candidate_file_limit=max_files,
            referenced_branches=[],
            warnings=[f"candidate_files truncated to {max_files} entries"] if is_cut else [],
        )


def _cleanup_options(older_than, keep_last, versions, delete_unverified, error_if_tagged):
    options = _tusk.LanceCleanupOptions()
    if older_than is not None:
        options.older_than_ms = older_than // datetime.timedelta(milliseconds=1)
    elif keep_last is not None or versions is not None:
        options.older_than_ms = None
    options.keep_last = keep_last
    options.versions = versions
    options.delete_unverified = delete_unverified
    options.error_if_tagged = error_if_tagged
    return options


def _stats(report):
    counts = {}
    for file in report.files:
        counts[file.kind] = counts.get(file.kind, 0) + 1
    return CleanupStats._of(
        bytes_removed=sum(file.size_bytes for file in report.files),
        old_versions=counts.get("manifest", 0),
        data_files_removed=counts.get("data", 0),
        transaction_files_removed=counts.get("transaction", 0),
        index_files_removed=counts.get("index", 0),
        deletion_files_removed=counts.get("deletion", 0),
        failed_deletes=report.failed_deletes,
    )
