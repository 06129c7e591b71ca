"""How files at base paths are read: base_store_params."""

import pickle

import pyarrow as pa
import pytest

import tusk

ROWS = pa.table({"id": range(1000), "text": [str(i) * 100 for i in range(1000)]})


@pytest.fixture
def base(tmp_path):
    return str(tmp_path / "base")


@pytest.fixture
def uri(tmp_path, base):
    uri = str(tmp_path / "t")
    bases = [tusk.DatasetBasePath(base, "first"), tusk.DatasetBasePath(f"{tmp_path}/b2", "second")]
    how = {"initial_bases": bases, "target_bases": ["first", "second"]}
    tusk.write_dataset(ROWS, uri, max_rows_per_file=500, **how)
    return uri


def is_mapped(folder):
    """Whether a file below the folder is mapped into this process."""
    with open("/proc/self/maps") as maps:
        return any(f" {folder}/" in line for line in maps)


def test_files_are_read_as_the_params_of_their_base_say(uri, base, tmp_path):
    mapped = tusk.dataset(uri, base_store_params={base: {"memory_map": "true"}})
    column = mapped.to_table()["text"]
    assert is_mapped(base)
    assert not is_mapped(tmp_path / "b2")
    assert column.to_pylist() == ROWS["text"].to_pylist()


@pytest.mark.parametrize(
    "again",
    [
        lambda dataset: pickle.loads(pickle.dumps(dataset)),
        lambda dataset: dataset.checkout_version(1),
        lambda dataset: tusk.dataset(
            dataset.uri, base_store_params=dataset._base_store_params, session=tusk.Session()
        ),
        lambda dataset: tusk.Loader(dataset, 10).dataset,
    ],
)
def test_what_comes_of_a_dataset_reads_as_it_does(uri, base, again):
    dataset = again(tusk.dataset(uri, base_store_params={base: {"memory_map": "true"}}))
    table = dataset.to_table()
    assert is_mapped(base)
    assert table.num_rows == 1000


def test_versions_that_a_dataset_makes_are_read_as_it_was(uri, base):
    dataset = tusk.dataset(uri, base_store_params={base: {"memory_map": "true"}})
    dataset.delete("id = 3")
    table = dataset.to_table()
    assert is_mapped(base)
    assert table.num_rows == 999
    dataset.checkout_latest()
    assert dataset.to_table().num_rows == 999


def test_params_name_a_base_by_any_form_of_its_path(uri, base):
    for path in (base + "/", "file://" + base):
        dataset = tusk.dataset(uri, base_store_params={path: {"memory_map": "true"}})
        assert dataset.to_table().num_rows == 1000
        assert is_mapped(base)
        del dataset
        assert not is_mapped(base)


def test_params_of_no_base_are_not_looked_at(uri):
    params = {"s3://elsewhere": {"region": "x"}}
    assert tusk.dataset(uri, base_store_params=params).count_rows() == 1000


def test_params_that_no_store_knows_are_refused(uri, base):
    with pytest.raises(NotImplementedError, match="storage option 'speed' is not supported"):
        tusk.dataset(uri, base_store_params={base: {"speed": "high"}})
    with pytest.raises(TypeError, match="must be a dict"):
        tusk.dataset(uri, base_store_params={base: "fast"})
