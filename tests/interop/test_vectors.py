"""Tables of vectors, as pylance makes them."""

import pathlib
import sys

import numpy as np
import pyarrow as pa
import pytest

from tusk.vector import train_ivf_centroids_on_accelerator, vec_to_table

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "tools"))

from stand_ins import stand_ins  # noqa: E402


@pytest.fixture(scope="module")
def theirs():
    # The module wants tqdm, this function not.
    with stand_ins():
        from lance.vector import vec_to_table as theirs
    return theirs


@pytest.mark.parametrize(
    "data, options",
    [
        ({"a": [1.0, 2.0], "b": [3.0, 4.5]}, {}),
        ({7: [1.0, 2.0], 9: [3.0, 4.5]}, {"names": ["key", "place"]}),
        ([[1, 2, 3], [4, 5, 6]], {}),
        ([np.arange(3), np.arange(3)], {"names": "v"}),
        (np.arange(12, dtype=np.float64).reshape(4, 3), {"names": ["v"], "ndim": 3}),
        (np.arange(12).reshape(4, 3), {"ndim": 2, "check_ndim": False}),
    ],
)
def test_vectors_become_the_table_that_pylance_makes(theirs, data, options):
    found = vec_to_table(data, **options)
    assert found.equals(theirs(data, **options))
    assert pa.types.is_fixed_size_list(found.schema.field(found.num_columns - 1).type)


def test_vectors_that_differ_are_refused(theirs):
    for make in (vec_to_table, theirs):
        with pytest.raises(ValueError):
            make([[1.0], [1.0, 2.0]])
        with pytest.raises(ValueError):
            make({"a": [1.0]}, names="v")
        with pytest.raises(NotImplementedError):
            make("text")
    with pytest.raises(ValueError, match="3 values are no vectors of 2 dimensions"):
        vec_to_table([[1.0], [1.0, 2.0]], ndim=2, check_ndim=False)
    with pytest.raises(ValueError, match="give ndim"):
        vec_to_table([])
    assert vec_to_table([], ndim=2).num_rows == 0


def test_what_builds_indices_says_what_works_today():
    with pytest.raises(NotImplementedError, match="KMeans"):
        train_ivf_centroids_on_accelerator(None, "v", 8, "l2", "cuda")


def test_stand_ins_leave_nothing_behind():
    import tusk.torch

    before = set(sys.modules)
    with stand_ins():
        import lance.torch.data
        import tusk.tf.data
        import tusk.torch.data as ours

        assert ours.torch.__name__ == "torch"
    assert not {"torch", "lance.torch.data", "tusk.tf.data", "tusk.torch.data"} & (set(sys.modules) - before)
    assert sys.modules["tusk.torch"] is tusk.torch and not hasattr(tusk.torch, "data")
