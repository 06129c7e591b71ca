"""Data files at base paths beside the root of a table: where they go, and that both packages read
them. What pylance does with the same calls is the expectation.
"""

import datetime
import os

import pyarrow as pa
import pytest

import tusk

lance = pytest.importorskip("lance")

ROWS = pa.table({"a": range(10)})


def write(package, uri, *args, **kwargs):
    return package.write_dataset(ROWS, uri, *args, max_rows_per_file=3, **kwargs)


def bases_of(package, folder):
    return [
        package.DatasetBasePath(f"{folder}/one", name="first"),
        package.DatasetBasePath(f"{folder}/two", name="second", is_dataset_root=True),
    ]


def layout(dataset):
    """What a version says of its bases and of where its files are."""
    bases = dataset.base_paths()
    return (
        sorted((b.id, b.name, os.path.basename(b.path), b.is_dataset_root) for b in bases.values()),
        [[file.base_id for file in fragment.data_files()] for fragment in dataset.get_fragments()],
    )


def files_below(folder):
    """Folders with their numbers of data files."""
    counts = {}
    for place, _, names in os.walk(folder):
        found = sum(name.endswith(".lance") for name in names)
        if found:
            counts[os.path.relpath(place, folder)] = found
    return counts


@pytest.mark.parametrize(
    "targets",
    [
        {},
        {"target_bases": []},
        {"target_bases": ["first"]},
        {"target_bases": ["second", "first"]},
        {"target_bases": ["first", "first"]},
        {"target_bases": ["{root}/table", "{root}/two"]},
        {"target_all_bases": True},
        {"target_all_bases": False},
    ],
)
@pytest.mark.parametrize("mode", ["create", "append", "overwrite"])
def test_files_go_where_pylance_puts_them(tmp_path, targets, mode):
    made = []
    for package in (lance, tusk):
        folder = tmp_path / package.__name__
        uri = f"{folder}/table"
        given = {
            key: [one.format(root=folder) for one in value] if isinstance(value, list) else value
            for key, value in targets.items()
        }
        if mode == "create":
            dataset = write(package, uri, initial_bases=bases_of(package, folder), **given)
        else:
            write(package, uri, initial_bases=bases_of(package, folder))
            dataset = write(package, uri, mode=mode, **given)
        made.append((layout(dataset), files_below(folder)))
        for reader in (lance, tusk):
            found = reader.dataset(uri)
            assert layout(found) == layout(dataset)
            assert found.to_table()["a"].to_pylist() == [*range(10)] * (1 + (mode == "append"))
    assert made[1] == made[0]


def test_ids_are_given_as_pylance_gives_them(tmp_path):
    found = []
    for package in (lance, tusk):
        base = package.DatasetBasePath
        dataset = write(
            package,
            f"{tmp_path}/{package.__name__}",
            initial_bases=[base(f"{tmp_path}/x", id=4), base(f"{tmp_path}/y", "y", False, 0)],
            target_bases=["y", f"{tmp_path}/x"],
        )
        dataset.add_bases([base(f"{tmp_path}/z", "z")])
        found.append(layout(dataset))
    assert found[1] == found[0]
    assert [base[0] for base in found[1][0]] == [1, 2, 4]


@pytest.mark.parametrize(
    ("how", "text"),
    [
        ({"target_bases": ["third"]}, "cannot write to base 'third'.*'first', 'second'"),
        ({"target_bases": ["first"], "target_all_bases": True}, "choose one"),
        ({"mode": "append", "initial_bases": "some"}, "add them to the table first"),
        ({"mode": "overwrite", "initial_bases": "some"}, "add them to the table first"),
    ],
)
def test_what_pylance_refuses_is_refused_with_nothing_written(tmp_path, how, text):
    for package in (lance, tusk):
        folder = tmp_path / package.__name__
        dataset = write(package, f"{folder}/table", initial_bases=bases_of(package, folder))
        given = {"mode": "append"} | how
        if "initial_bases" in given:
            given["initial_bases"] = [package.DatasetBasePath(f"{folder}/three", "third")]
        before = files_below(folder)
        with pytest.raises(OSError, match=text if package is tusk else None):
            write(package, dataset.uri, **given)
        assert package.dataset(dataset.uri).version == 1
        assert files_below(folder) == before


def test_bases_without_a_choice_are_refused(tmp_path):
    for package in (lance, tusk):
        with pytest.raises(OSError, match="it has none" if package is tusk else None):
            write(package, tmp_path / package.__name__, target_all_bases=False)
    # Several of one name or path: pylance takes one of them.
    base = tusk.DatasetBasePath
    for pair in ((base("/x", "n"), base("/y", "n")), (base("/x", "n"), base("/x/", "m"))):
        with pytest.raises(ValueError, match="has its path, name or id"):
            write(tusk, tmp_path / "none", initial_bases=pair)
    with pytest.raises(TypeError, match="must be a list"):
        write(tusk, tmp_path / "none", target_bases="first")
    with pytest.raises(TypeError, match="must be a dict of dicts"):
        write(tusk, tmp_path / "none", base_store_params=["x"])


def test_a_relative_path_and_a_uri_name_a_base(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    base = tusk.DatasetBasePath
    bases = [base("one", "first"), base(f"file://{tmp_path}/two", "second")]
    dataset = write(tusk, "table", initial_bases=bases, target_bases=["one", f"{tmp_path}/two/"])
    assert {b.path for b in dataset.base_paths().values()} == {
        f"{tmp_path}/one",
        f"file://{tmp_path}/two",
    }
    monkeypatch.chdir("/")
    for package in (lance, tusk):
        assert package.dataset(f"{tmp_path}/table").to_table() == ROWS
    assert files_below(tmp_path) == {"one": 2, "two": 2}


def test_store_params_say_how_a_base_is_written(tmp_path):
    bases = [tusk.DatasetBasePath(f"{tmp_path}/one", "first")]
    params = {f"{tmp_path}/one": {"durable": "false"}, "s3://elsewhere": {"region": "x"}}
    write(
        tusk,
        tmp_path / "table",
        initial_bases=bases,
        target_bases=["first"],
        base_store_params=params,
    )
    with pytest.raises(NotImplementedError, match="storage option 'speed' is not supported"):
        write(
            tusk,
            tmp_path / "table",
            mode="append",
            target_bases=["first"],
            base_store_params={f"{tmp_path}/one": {"speed": "high"}},
        )
    assert tusk.dataset(tmp_path / "table").version == 1


def test_fragments_of_workers_go_to_bases(tmp_path):
    found = []
    for package in (lance, tusk):
        folder = tmp_path / package.__name__
        uri = f"{folder}/table"
        bases = [package.DatasetBasePath(f"{folder}/one", "first", id=3)]
        how = {"initial_bases": bases, "target_bases": ["first"], "max_rows_per_file": 4}
        fragments = package.fragment.write_fragments(ROWS, uri, **how)
        operation = package.LanceOperation.Overwrite(ROWS.schema, fragments, initial_bases=bases)
        dataset = package.LanceDataset.commit(uri, operation)
        more = package.fragment.write_fragments(ROWS, dataset, target_all_bases=True)
        append = package.LanceOperation.Append(more)
        dataset = package.LanceDataset.commit(dataset, append, read_version=1)
        whole = package.fragment.write_fragments(
            ROWS, dataset, mode="append", target_bases=["first"], return_transaction=True
        )
        dataset = package.LanceDataset.commit(dataset, whole)
        found.append(layout(dataset))
        assert lance.dataset(uri).count_rows() == tusk.dataset(uri).count_rows() == 30
    assert found[1] == found[0]


def test_a_transaction_brings_the_bases_of_a_new_table(tmp_path):
    made = tusk.fragment.write_fragments(
        ROWS,
        f"{tmp_path}/table",
        initial_bases=bases_of(tusk, tmp_path),
        target_bases=["second"],
        return_transaction=True,
    )
    dataset = tusk.LanceDataset.commit(f"{tmp_path}/table", made)
    assert layout(dataset) == layout(lance.dataset(dataset.uri))
    assert lance.dataset(dataset.uri).to_table() == ROWS


def test_a_fragment_at_an_unknown_base_is_not_committed(tmp_path):
    dataset = write(
        tusk, f"{tmp_path}/t", initial_bases=bases_of(tusk, tmp_path), target_bases=["first"]
    )
    fragment = dataset.get_fragments()[0].metadata
    fragment.files[0].base_id = 9
    with pytest.raises(ValueError, match="base path 9, which is not registered"):
        tusk.LanceDataset.commit(dataset, tusk.LanceOperation.Append([fragment]), read_version=1)


@pytest.mark.parametrize(
    "choose",
    [
        lambda builder: builder.target_bases(["second"]),
        lambda builder: builder.target_all_bases(False),
        lambda builder: builder.target_all_bases(),
    ],
)
def test_merges_put_new_fragments_at_bases(tmp_path, choose):
    found = []
    for package in (lance, tusk):
        folder = tmp_path / package.__name__
        dataset = write(package, f"{folder}/table", initial_bases=bases_of(package, folder))
        builder = dataset.merge_insert("a").when_matched_update_all().when_not_matched_insert_all()
        choose(builder).execute(pa.table({"a": [1, 100]}))
        found.append(layout(dataset))
        for reader in (lance, tusk):
            rows = reader.dataset(dataset.uri).to_table()["a"].to_pylist()
            assert sorted(rows) == [*range(10), 100]
    assert found[1] == found[0]


def test_merges_refuse_what_pylance_refuses(tmp_path):
    for package in (lance, tusk):
        folder = tmp_path / package.__name__
        dataset = write(package, f"{folder}/table", initial_bases=bases_of(package, folder))
        with pytest.raises(ValueError):
            builder = dataset.merge_insert("a").when_not_matched_insert_all()
            builder.target_bases(["first"]).target_all_bases().execute(ROWS)
        for bases in ([], ["third"]):
            with pytest.raises(OSError):
                builder = dataset.merge_insert("a").when_not_matched_insert_all()
                builder.target_bases(bases).execute(ROWS)
        assert package.dataset(dataset.uri).version == 1


def test_a_merge_that_is_only_analyzed_leaves_nothing_at_bases(tmp_path):
    dataset = write(tusk, f"{tmp_path}/table", initial_bases=bases_of(tusk, tmp_path))
    before = files_below(tmp_path)
    merge = dataset.merge_insert("a").when_not_matched_insert_all().target_all_bases(False)
    assert "1 files" in merge.analyze_plan(pa.table({"a": [100]}))
    assert files_below(tmp_path) == before


def test_changes_of_a_table_with_bases_keep_what_is_there(tmp_path):
    """Each change beside pylance, which reads the table after it."""
    dataset = write(
        tusk,
        f"{tmp_path}/table",
        initial_bases=bases_of(tusk, tmp_path),
        target_all_bases=True,
    )
    expected = ROWS.to_pandas()
    steps = [
        (lambda: dataset.delete("a < 4"), lambda rows: rows[rows.a >= 4]),
        (lambda: dataset.add_columns({"b": "a + 1"}), lambda rows: rows.assign(b=rows.a + 1)),
        (
            lambda: dataset.update({"b": "7"}, where="a = 5"),
            lambda rows: rows.assign(b=rows.b.where(rows.a != 5, 7)),
        ),
        (
            lambda: dataset.alter_columns({"path": "b", "data_type": pa.int32()}),
            lambda rows: rows.astype({"b": "int32"}),
        ),
        (lambda: dataset.optimize.compact_files(), lambda rows: rows),
    ]
    for change, model in steps:
        change()
        expected = model(expected).sort_values("a").reset_index(drop=True)
        for reader in (lance, tusk):
            rows = reader.dataset(dataset.uri).to_table().to_pandas()
            assert rows.sort_values("a").reset_index(drop=True).equals(expected)
    assert len(dataset.base_paths()) == 2


def test_cleanups_leave_bases_alone(tmp_path):
    dataset = write(
        tusk,
        f"{tmp_path}/table",
        initial_bases=bases_of(tusk, tmp_path),
        target_all_bases=True,
    )
    before = files_below(tmp_path)
    write(tusk, dataset, mode="overwrite", target_bases=["first"])
    stats = dataset.cleanup_old_versions(datetime.timedelta(0), delete_unverified=True)
    assert (stats.old_versions, stats.data_files_removed) == (1, before["table/data"])
    assert files_below(tmp_path) == {"one": before["one"] + 4, "two/data": before["two/data"]}
    assert lance.dataset(dataset.uri).to_table() == ROWS


def test_clones_and_branches_find_files_at_bases(tmp_path):
    dataset = write(
        tusk,
        f"{tmp_path}/table",
        initial_bases=bases_of(tusk, tmp_path),
        target_all_bases=True,
    )
    dataset.delete("a = 0")
    shallow = dataset.shallow_clone(f"{tmp_path}/shallow", 2)
    deep = dataset.deep_clone(f"{tmp_path}/deep", 2)
    branch = dataset.create_branch("side")
    for clone in (shallow, deep, branch):
        for reader in (lance, tusk):
            rows = reader.dataset(clone.uri).to_table()["a"].to_pylist()
            assert rows == [*range(1, 10)]
    assert files_below(f"{tmp_path}/deep") == {"data": 4}
    # What a clone no longer needs is still the table's.
    write(tusk, shallow, mode="overwrite", target_bases=["first"])
    shallow.cleanup_old_versions(datetime.timedelta(0), delete_unverified=True)
    assert lance.dataset(dataset.uri).count_rows() == 9


def test_blobs_lie_beside_their_files_at_bases(tmp_path):
    from lance import blob_array

    values = [b"x" * 100, b"y" * 200_000, b"z" * 5_000_000]
    found = []
    for package, make in ((lance, blob_array), (tusk, tusk.blob_array)):
        folder = tmp_path / package.__name__
        dataset = package.write_dataset(
            pa.table({"b": make(values)}),
            f"{folder}/table",
            initial_bases=bases_of(package, folder),
            target_bases=["first", "second"],
            data_storage_version="2.2",
            max_rows_per_file=2,
        )
        for reader in (lance, tusk):
            blobs = reader.dataset(dataset.uri).take_blobs("b", indices=[0, 1, 2])
            assert [blob.readall() for blob in blobs] == values
        folders = {
            os.path.relpath(place, folder).split(os.sep)[0]
            for place, _, names in os.walk(folder)
            if any(name.endswith(".blob") for name in names)
        }
        found.append((layout(dataset), folders))
    assert found[1] == found[0]
    assert found[1][1] == {"one", "two"}


def test_a_write_that_fails_leaves_nothing_at_bases(tmp_path):
    def batches():
        yield from ROWS.to_batches(max_chunksize=3)
        raise RuntimeError("the source broke")

    with pytest.raises(RuntimeError, match="the source broke"):
        tusk.write_dataset(
            batches(),
            f"{tmp_path}/table",
            schema=ROWS.schema,
            initial_bases=bases_of(tusk, tmp_path),
            target_all_bases=True,
            max_rows_per_file=3,
        )
    assert files_below(tmp_path) == {}


def test_a_dataset_remembers_the_params_of_its_bases(tmp_path):
    import pickle

    params = {f"{tmp_path}/one": {"durable": "false"}}
    write(tusk, f"{tmp_path}/t", initial_bases=bases_of(tusk, tmp_path))
    dataset = tusk.dataset(f"{tmp_path}/t", base_store_params=params)
    for again in (dataset, pickle.loads(pickle.dumps(dataset)), dataset.checkout_version(1)):
        assert again._base_store_params == params
    dataset.insert(ROWS, target_bases=["first"])
    assert files_below(tmp_path)["one"] == 1


def test_a_deep_clone_finds_external_blobs(tmp_path):
    (tmp_path / "media").mkdir()
    (tmp_path / "media" / "one.bin").write_bytes(b"outside")
    dataset = tusk.write_dataset(
        pa.table({"b": tusk.blob_array([f"file://{tmp_path}/media/one.bin"])}),
        tmp_path / "t",
        initial_bases=[tusk.DatasetBasePath(f"{tmp_path}/media", "media")],
        data_storage_version="2.2",
    )
    for found in (dataset, dataset.deep_clone(f"{tmp_path}/deep", 1)):
        (blob,) = tusk.dataset(found.uri).take_blobs("b", indices=[0])
        assert blob.readall() == b"outside"


def test_a_data_file_at_a_base_is_described(tmp_path):
    for package in (lance, tusk):
        folder = tmp_path / package.__name__
        dataset = package.write_dataset(
            ROWS, f"{folder}/t", initial_bases=bases_of(package, folder), target_bases=["second"]
        )
        (file,) = dataset.get_fragments()[0].data_files()
        found = package.fragment.DataFile.create(dataset, str(file.path), base_id=2)
        assert (str(found.path), found.base_id, found.fields) == (str(file.path), 2, file.fields)
        with pytest.raises((ValueError, OSError)):
            package.fragment.DataFile.create(dataset, str(file.path), base_id=7)
