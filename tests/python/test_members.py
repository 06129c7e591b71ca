"""No member that pyarrow's own constructor would have prepared can be reached: it would crash."""

import pyarrow.dataset as pads
import pytest

import tusk
from tusk._arrow import TableDataset, TableScanner
from tusk.fragment import LanceFragment
from tusk.iceberg import IcebergScanner, IcebergTable
from tusk.lance import LanceDataset
from tusk.scanner import LanceScanner, NearestScanner

# Python's own, which touch no state of pyarrow's.
HARMLESS = set(dir(object)) - {"__reduce__"} | {"__pyx_vtable__"}


@pytest.mark.parametrize(
    ("ours", "theirs", "stop"),
    [
        (LanceDataset, pads.Dataset, TableDataset),
        (IcebergTable, pads.Dataset, TableDataset),
        (LanceScanner, pads.Scanner, TableScanner),
        (NearestScanner, pads.Scanner, TableScanner),
        (IcebergScanner, pads.Scanner, TableScanner),
        (LanceFragment, pads.Fragment, LanceFragment),
    ],
)
def test_every_inherited_member_is_overridden(ours, theirs, stop):
    own = {name for base in ours.__mro__[: ours.__mro__.index(theirs)] for name in vars(base)}
    assert stop in ours.__mro__
    assert set(dir(theirs)) - HARMLESS - own == set()


def test_members_that_are_not_supported_say_so(tmp_path):
    import pyarrow as pa

    dataset = tusk.write_dataset(pa.table({"a": [1]}), tmp_path / "t")
    for name in ("filter", "sort_by", "join_asof"):
        with pytest.raises(NotImplementedError, match=name):
            getattr(dataset, name)()
    with pytest.raises(NotImplementedError, match="join"):
        dataset.join(dataset, "a")
    with pytest.raises(NotImplementedError, match="replace_schema"):
        dataset.replace_schema(dataset.schema)
    with pytest.raises(NotImplementedError, match="partition_expression"):
        dataset.partition_expression
    with pytest.raises(NotImplementedError, match="take"):
        dataset.scanner().take([0])
    for name in ("from_batches", "from_dataset", "from_fragment"):
        with pytest.raises(NotImplementedError, match=name):
            getattr(LanceScanner, name)()


def test_pyarrow_cannot_write_from_a_dataset_of_ours(tmp_path):
    import pyarrow as pa

    table = pa.table({"a": [1]})
    lake = tusk.init(tmp_path / "lake")
    lake.append(lance={"n.l": table}, iceberg={"n.i": table})
    for name in ("n.l", "n.i"):
        # pyarrow would hand our scanner to its C++ code, which has nothing to read there.
        with pytest.raises((TypeError, NotImplementedError), match="use_threads"):
            pads.write_dataset(lake.table(name), tmp_path / "out", format="parquet")
        # The rows go there as a stream.
        reader = lake.table(name).scanner().to_reader()
        pads.write_dataset(reader, tmp_path / name, format="parquet")
        assert pads.dataset(tmp_path / name).to_table() == table
