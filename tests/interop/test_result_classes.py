"""Classes of results, which neither package lets programs make."""

import copy
import importlib
import pickle

import pyarrow as pa
import pytest

import tusk
import tusk.optimize

pytest.importorskip("lance")

NAMES = [
    "lance.CleanupCandidateFile",
    "lance.CleanupExplanation",
    "lance.CleanupReferencedBranch",
    "lance.CleanupStats",
    "lance.ScanStatistics",
    "file.LanceBufferDescriptor",
    "file.LanceColumnMetadata",
    "file.LanceFileMetadata",
    "file.LanceFileStatistics",
    "file.LancePageMetadata",
    "fragment.RowDatasetVersionMeta",
    "fragment.RowIdMeta",
    "optimize.CompactionMetrics",
    "optimize.CompactionPlan",
    "optimize.CompactionTask",
    "optimize.RewriteResult",
    "schema.LanceSchema",
]


def class_of(package, name):
    module, name = name.split(".")
    place = package if module == "lance" else f"{package}.{module}"
    return getattr(importlib.import_module(place), name)


@pytest.mark.parametrize("name", NAMES)
def test_it_cannot_be_called(name):
    for package in ("lance", "tusk"):
        with pytest.raises(TypeError, match="cannot create"):
            class_of(package, name)()


def test_results_can_be_pickled_and_copied(tmp_path):
    dataset = tusk.write_dataset(
        pa.table({"x": range(8)}), tmp_path / "t", max_rows_per_file=2, enable_stable_row_ids=True
    )
    plan = tusk.optimize.Compaction.plan(dataset, {"target_rows_per_fragment": 4})
    done = plan.tasks[0].execute(dataset)
    fragment = dataset.get_fragments()[0].metadata
    explained = dataset.explain_cleanup_old_versions()
    for result in (
        plan,
        done,
        fragment.row_id_meta,
        fragment.created_at_version_meta,
        explained.stats,
        dataset.lance_schema,
    ):
        for again in (pickle.loads(pickle.dumps(result)), copy.copy(result)):
            assert type(again) is type(result)
            assert again == result
