"""tusk has the names of pylance, and the page of compatibility says where it has not."""

import os
import pathlib
import subprocess
import sys

import pytest

TOOLS = pathlib.Path(__file__).resolve().parents[2] / "tools"
sys.path.insert(0, str(TOOLS))

import pylance_api  # noqa: E402


@pytest.fixture(scope="module")
def walk():
    return pylance_api.Walk().run()


def test_every_difference_has_a_reason(walk):
    bare = [found for found in walk.differences if pylance_api.reason_of(found) is None]
    assert bare == []


def test_every_reason_is_used(walk):
    assert pylance_api.unused_reasons(walk.differences) == []


def test_the_page_is_up_to_date(walk):
    # Made by `python tools/pylance_api.py`.
    assert pylance_api.PAGE.read_text() == pylance_api.page(walk)


def test_the_walk_tells_a_parameter_that_is_missing_later_or_otherwise():
    def theirs(a, b, c=3, *, d=4): ...
    def ours(a, c=5, b=0, *, e): ...

    how = pylance_api.compare_parameters(
        pylance_api.parameters(theirs, True), pylance_api.parameters(ours, True)
    )
    assert how == "`c=5` in place of `3`; no `d`; also `e`, which must be given"
    swapped = pylance_api.parameters(lambda b, a, c=3, *, d=4: 0, True)
    assert "order" in pylance_api.compare_parameters(
        pylance_api.parameters(theirs, True), swapped
    )


# Programs that say one of these with `lance` run when it says `tusk`.
IMPORTS = [
    "import tusk as lance; lance.dataset; lance.write_dataset; lance.LanceOperation.Append",
    "import tusk.dataset; assert callable(tusk.dataset)",
    "from tusk.dataset import LanceDataset, LanceOperation, MergeInsertBuilder, Transaction",
    "import tusk; tusk.LanceDataset; import tusk.dataset; assert callable(tusk.dataset)",
    "from tusk.fragment import FragmentMetadata, DataFile, LanceFragment, write_fragments",
    "from tusk.fragment import DeletionFile, RowIdMeta, RowDatasetVersionMeta",
    "from tusk.lance import LanceSchema, CompactionTask, RewriteResult, Bitmap, DatasetBasePath",
    "import tusk.file; tusk.file.LanceFileReader; tusk.file.LanceFileWriter",
    "from tusk.optimize import Compaction, CompactionOptions, CompactionTask, RewriteResult",
    "from tusk.arrow import BFloat16, BFloat16Array, ImageURIArray, bfloat16_array, cast",
    "from tusk.commit import CommitConflictError, CommitLock",
    "from tusk.progress import FragmentWriteProgress, FileSystemFragmentWriteProgress",
    "from tusk.schema import LanceSchema, json_to_schema, schema_to_json",
    "from tusk.types import ReaderLike",
    "from tusk.udf import BatchUDF, batch_udf",
    "from tusk.util import sanitize_ts, td_to_micros",
    "from tusk.bitmap import Bitmap",
    "from tusk.debug import format_fragment, format_manifest, format_schema, list_transactions",
    "from tusk.log import set_logger, get_log_level",
    "import tusk.io",
]


@pytest.mark.parametrize("statement", IMPORTS)
def test_module_paths_of_pylance_are_there(statement):
    # In a process of its own: what is imported first must not matter.
    environment = {**os.environ, "PYTHONWARNINGS": "error::SyntaxWarning"}
    subprocess.run([sys.executable, "-c", statement], check=True, env=environment)
