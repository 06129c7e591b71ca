"""Compaction of Lance tables, under the names of lance.optimize."""

import dataclasses
import json as json_module
from typing import TypedDict

from tusk import _tusk
from tusk.errors import TuskError, UnsupportedError
from tusk.fragment_metadata import FragmentMetadata, fragments_of
from tusk.made import made

# Accepted because pylance has them; without a meaning here: files have no groups of rows, and a
# reader's memory is bounded by its batches.
_IGNORED = ("max_rows_per_group", "io_buffer_size")
_OPTIONS = (
    "target_rows_per_fragment",
    "max_bytes_per_file",
    "materialize_deletions",
    "materialize_deletions_threshold",
    "keep_large",
    "num_threads",
    "batch_size",
    "binary_copy_read_batch_bytes",
    "defer_index_remap",
    "max_source_fragments",
    "max_source_rows",
    "max_source_bytes",
    "excluded_fragment_ids",
    "data_storage_version",
    "transaction_properties",
)


class CompactionOptions(TypedDict, total=False):
    """The options of a compaction: see DatasetOptimizer.compact_files."""

    target_rows_per_fragment: int | None
    max_rows_per_group: int | None
    max_bytes_per_file: int | None
    materialize_deletions: bool | None
    materialize_deletions_threshold: float | None
    num_threads: int | None
    batch_size: int | None
    io_buffer_size: int | None
    compaction_mode: str | None
    binary_copy_read_batch_bytes: int | None
    defer_index_remap: bool | None
    max_source_fragments: int | None
    max_source_rows: int | None
    max_source_bytes: int | None
    excluded_fragment_ids: list | None
    data_storage_version: str | None


@made
@dataclasses.dataclass(frozen=True)
class CompactionMetrics:
    """What a compaction has put in the place of what: numbers of fragments and files."""

    fragments_removed: int = 0
    fragments_added: int = 0
    files_removed: int = 0
    files_added: int = 0


@made
@dataclasses.dataclass(frozen=True)
class RewriteResult:
    """What a task has written, to be committed. Its text (json) can be sent to another process."""

    read_version: int
    metrics: CompactionMetrics
    original_fragments: list
    new_fragments: list
    _rewrite: str = dataclasses.field(repr=False)

    @classmethod
    def _parse(cls, read_version, metrics, rewrite):
        (group,) = json_module.loads(rewrite)["operation"]["groups"]
        before, after = (
            [FragmentMetadata.from_json(json_module.dumps(fragment)) for fragment in group[side]]
            for side in ("old_fragments", "new_fragments")
        )
        return cls._of(read_version, metrics, before, after, rewrite)

    def json(self):
        return json_module.dumps(
            {
                "read_version": self.read_version,
                "metrics": dataclasses.asdict(self.metrics),
                "rewrite": self._rewrite,
            }
        )

    @classmethod
    def from_json(cls, json):
        contents = json_module.loads(json)
        return cls._parse(
            contents["read_version"],
            CompactionMetrics._of(**contents["metrics"]),
            contents["rewrite"],
        )

    def __reduce__(self):
        return RewriteResult.from_json, (self.json(),)


@made
@dataclasses.dataclass(frozen=True)
class CompactionTask:
    """Fragments to write together, of one version."""

    read_version: int
    fragments: list
    _options: dict = dataclasses.field(default_factory=dict, repr=False)

    def execute(self, dataset):
        """Writes the rows of the fragments to new files; gives a RewriteResult.

        `dataset` is the table, at any version that is not older.
        """
        if dataset.version != self.read_version:
            dataset = dataset.checkout_version(self.read_version)
        done = _tusk.execute_lance_compaction(
            dataset._table,
            self.read_version,
            [fragment.id for fragment in self.fragments],
            _to_options(dataset, self._options),
        )
        return RewriteResult._parse(self.read_version, _metrics(done.metrics), done.rewrite)

    def json(self):
        return json_module.dumps(
            {
                "read_version": self.read_version,
                "fragments": [json_module.dumps(fragment.to_json()) for fragment in self.fragments],
                "options": self._options,
            }
        )

    @classmethod
    def from_json(cls, json):
        contents = json_module.loads(json)
        fragments = [FragmentMetadata.from_json(one) for one in contents["fragments"]]
        return cls._of(contents["read_version"], fragments, contents["options"])

    def __reduce__(self):
        return CompactionTask.from_json, (self.json(),)


@made
@dataclasses.dataclass(frozen=True)
class CompactionPlan:
    """The tasks of a compaction, which can be done one by one, anywhere."""

    read_version: int
    tasks: list

    def num_tasks(self):
        return len(self.tasks)

    def json(self):
        return json_module.dumps(
            {"read_version": self.read_version, "tasks": [task.json() for task in self.tasks]}
        )

    @classmethod
    def from_json(cls, json):
        contents = json_module.loads(json)
        tasks = [CompactionTask.from_json(task) for task in contents["tasks"]]
        return cls._of(contents["read_version"], tasks)

    def __reduce__(self):
        return CompactionPlan.from_json, (self.json(),)


class Compaction:
    """A compaction in one step or in three: plan, CompactionTask.execute, commit.

    `options` is a dict of the parameters of DatasetOptimizer.compact_files.
    """

    @staticmethod
    def execute(dataset, options):
        """Compacts the newest version, to which `dataset` moves. Gives CompactionMetrics."""
        dataset._table, metrics = _tusk.compact_lance(
            dataset._table.uri,
            _to_options(dataset, options),
            dataset._storage_options or {},
            dataset._commit_lock,
        )
        return _metrics(metrics)

    @staticmethod
    def plan(dataset, options):
        """The CompactionPlan of this version."""
        fragments = {fragment.id: fragment for fragment in fragments_of(dataset._table)}
        tasks = _tusk.plan_lance_compaction(dataset._table, _to_options(dataset, options))
        return CompactionPlan._of(
            dataset.version,
            [
                CompactionTask._of(dataset.version, [fragments[number] for number in task], options)
                for task in tasks
            ],
        )

    @staticmethod
    def commit(dataset, rewrites, options=None):
        """Puts what tasks have written in its place, as one version, to which `dataset` moves."""
        done = [
            _tusk.LanceCompactedFragments(
                result.read_version,
                _tusk.LanceCompactionMetrics(*dataclasses.astuple(result.metrics)),
                result._rewrite,
            )
            for result in rewrites
        ]
        dataset._table, metrics = _tusk.commit_lance_compaction(
            dataset._table.uri,
            done,
            _to_options(dataset, options or {}),
            dataset._storage_options or {},
            dataset._commit_lock,
        )
        return _metrics(metrics)


@dataclasses.dataclass(frozen=True)
class OptimizeReport:
    """What an optimization has done; None for a step that failed, whose error is in `errors`."""

    compaction: CompactionMetrics | None
    cleanup: object | None
    errors: dict


class DatasetOptimizer:
    """What keeps a table fast, as LanceDataset.optimize."""

    def __init__(self, dataset):
        self._dataset = dataset

    def __call__(self, *, older_than=None, retain_versions=None, **options):
        """Does all that keeps the table fast: compacts its files, then removes old versions.

        Each step is done even if one before it fails; what came of it is in the OptimizeReport.
        `options` are those of compact_files, with keep_large=True unless it is given, so that it
        can be called after every append. `older_than` (a timedelta; two weeks) and
        `retain_versions` say which versions go; tagged ones stay.
        """
        steps = {
            "compaction": lambda: self.compact_files(**{"keep_large": True, **options}),
            "cleanup": lambda: self._dataset.cleanup_old_versions(
                older_than, retain_versions, error_if_tagged_old_versions=False
            ),
        }
        results, errors = {}, {}
        for name, step in steps.items():
            try:
                results[name] = step()
            except (TuskError, TypeError) as error:
                errors[name] = error
        return OptimizeReport(results.get("compaction"), results.get("cleanup"), errors)

    def compact_files(
        self,
        *,
        target_rows_per_fragment=None,
        max_rows_per_group=None,
        max_bytes_per_file=None,
        materialize_deletions=None,
        materialize_deletions_threshold=None,
        defer_index_remap=None,
        num_threads=None,
        batch_size=None,
        compaction_mode=None,
        binary_copy_read_batch_bytes=None,
        max_source_fragments=None,
        max_source_rows=None,
        max_source_bytes=None,
        excluded_fragment_ids=None,
        data_storage_version=None,
        **options,
    ):
        """Puts small neighbouring fragments together, and drops rows that are deleted.

        Makes one version, to which the dataset moves, or none if there is nothing to do. Gives
        CompactionMetrics. The old files stay until cleanup_old_versions. Options, of which each may
        also be in the table's config under ``lance.compaction.``:

        - target_rows_per_fragment: fragments with fewer rows are put together (1,048,576)
        - max_bytes_per_file: as in write_dataset
        - materialize_deletions, materialize_deletions_threshold: whether a fragment is rewritten
          on its own account, and from what share of deleted rows on (True, 0.1)
        - keep_large: leaves out a fragment that has more rows than all it would be put together
          with, so that many small appends and compactions in turns stay cheap (False)
        - batch_size: rows that are read at a time
        - max_source_fragments, max_source_rows, max_source_bytes: of one compaction
        - excluded_fragment_ids: these stay, and their neighbours on both sides stay apart
        - data_storage_version: of the new files
        - transaction_properties: of the commit
        - compaction_mode: "reencode" (the default) writes rows anew, in pages of full size.
          "try_binary_copy" copies pages as they lie in the files, which needs little CPU but leaves
          small pages small, and does as "reencode" where they cannot stand in one file: with blobs,
          deleted rows, columns that not every fragment has, and other data versions.
          "force_binary_copy" raises UnsupportedError, with the reason, there
        - binary_copy_read_batch_bytes: of copied pages, read at a time (16 MiB)
        - defer_index_remap: whether fragments are written again that an index covers (False). The
          index stays as it is, and the table keeps account of where its rows went, by which
          queries of pylance find them, as remap_row_addrs does; see cleanup_frag_reuse_index. Not
          for tables with stable row ids, whose indices mostly need no such account
        - num_threads: that work at the same time (as many as there are cores)
        - max_rows_per_group, io_buffer_size: accepted without a meaning: files have no groups of
          rows, and what is read ahead is bounded by batch_size
        """
        given = locals()
        del given["self"], given["options"]
        return Compaction.execute(self._dataset, given | options)

    def cleanup_frag_reuse_index(self):
        """Drops the account of compactions with defer_index_remap that no index needs any more.

        An index needs it that was built before the compaction and covers fragments which it moved.
        Makes one version, to which the dataset moves, or none if there is nothing to drop. The
        name is that of the function in Lance's Rust library; pylance has none.
        """
        dataset = self._dataset
        dataset._table = _tusk.clean_up_lance_moved_rows(
            dataset._table.uri, dataset._storage_options or {}, dataset._commit_lock
        )

    def optimize_indices(self, **kwargs):
        raise UnsupportedError("indices are not built yet, so there is none to optimize")

    def enable_auto_cleanup(self, auto_cleanup_config, **kwargs):
        """Has old versions cleaned up after every so many commits.

        `auto_cleanup_config` is a dict with "interval", in versions, and "older_than_seconds".
        """
        self._dataset.update_config(to_cleanup_config(auto_cleanup_config))

    def disable_auto_cleanup(self, **kwargs):
        """Takes back enable_auto_cleanup."""
        self._dataset.delete_config_keys(
            ["lance.auto_cleanup.interval", "lance.auto_cleanup.older_than"]
        )


def to_cleanup_config(options):
    """Keys of a table's config that have old versions cleaned up after every so many commits."""
    return {
        "lance.auto_cleanup.interval": str(options["interval"]),
        "lance.auto_cleanup.older_than": f"{options['older_than_seconds']}s",
    }


def _metrics(metrics):
    return CompactionMetrics._of(
        metrics.fragments_removed,
        metrics.fragments_added,
        metrics.files_removed,
        metrics.files_added,
    )


def _to_options(dataset, options):
    """What the config of the table says, and in front of it `options`."""
    converted = _tusk.lance_compaction_options(dataset._table)
    for key, value in options.items():
        if value is None:
            continue
        if key == "compaction_mode":
            converted.set_mode(value)
        elif key in _OPTIONS:
            setattr(converted, key, value)
        elif key not in _IGNORED:
            raise TypeError(f"compaction has no option {key!r}")
    return converted
