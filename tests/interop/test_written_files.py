"""Random files and known failure classes, written by tusk, read by pylance and tusk.

A case that fails prints its seed: `--seed 1234 --cases 1 -k random_written_file` runs it alone.
`make test-generated` writes thousands.
"""

import collections
import pathlib

import lance
import lance.file
import numpy as np
import pyarrow as pa
import pytest
from generator import arrays, cases, comparison, failure_classes, files, writing

import tusk
import tusk.file


def pytest_generate_tests(metafunc):
    if "seed" in metafunc.fixturenames:
        first, count = (metafunc.config.getoption(name) for name in ("--seed", "--cases"))
        # Each is written and read by two, the cases of readers by one.
        metafunc.parametrize("seed", range(first, first + max(1, count * 2 // 3)))


def random_case(seed):
    return cases.random_case(seed, "2.1" if seed % 5 < 2 else "2.2")


def test_a_random_written_file_is_read(seed, tmp_path):
    case = random_case(seed)
    print(f"--seed {seed}: {case}")  # shown for a case that fails
    outcome = writing.check(tmp_path, case, seed)
    if outcome in ("refused", "not read"):
        pytest.skip(outcome)


def test_nearly_every_case_is_read_by_both(tmp_path):
    outcomes = collections.Counter()
    for seed in range(500_000, 500_040):
        outcomes[writing.check(tmp_path, random_case(seed), seed, effort=0)] += 1
    assert outcomes["both"] >= 34, outcomes


NAMED = [
    (name, version)
    for name, named in failure_classes.NAMED.items()
    for version in named.versions
    if version in writing.VERSIONS
]


@pytest.mark.parametrize("name, version", NAMED, ids=lambda value: value)
def test_a_known_failure_class_is_written(name, version, tmp_path):
    named = failure_classes.NAMED[name]
    case = named.case(version)
    other = writing.FORMS[1 + len(name) % (len(writing.FORMS) - 1)]
    forms = [writing.as_batches, other] if case.table.num_rows <= 5000 else [writing.as_batches]
    for form in forms:
        outcome = writing.check(tmp_path, case, 0, form=form, columns=named.columns)
        if outcome == "refused":
            pytest.skip(outcome)
        assert outcome == "both" or named.beyond_pylance


@pytest.mark.parametrize("version", writing.VERSIONS)
def test_random_tables_are_read(version, tmp_path):
    """The same through tables of several fragments, where JSON is text again."""
    read_tables = 0
    for seed in range(2_000_000, 2_000_015):
        case = cases.random_case(seed, version)
        if not case.table.num_rows:
            continue
        print(f"seed {seed}: {case}")
        ours, theirs = str(tmp_path / f"ours-{seed}"), str(tmp_path / f"theirs-{seed}")
        options = {"data_storage_version": version, "max_rows_per_file": 700}
        try:
            lance.write_dataset(case.table, theirs, **options)
            expected = lance.dataset(theirs).to_table()
        except (OSError, ValueError, RuntimeError, NotImplementedError):
            continue
        try:
            tusk.write_dataset(case.table, ours, **options)
        except NotImplementedError as error:
            assert writing.is_beyond_tusk(error)
            continue
        for open_table in (tusk.dataset, lance.dataset):
            read = open_table(ours).to_table()
            read.validate(full=True)
            for name in expected.column_names:
                left, right = comparison.plain(read[name]), comparison.plain(expected[name])
                assert comparison.difference(left, right, name) is None
        read_tables += 1
    assert read_tables > 8


# --- defects that were found ---------------------------------------------------------------------


def expect_read_by_both(folder, table, version="2.2", batch_rows=None, **options):
    path = folder / "file.lance"
    writing.write(path, files.batches(table, batch_rows), table.schema, version, **options)
    for reader in (tusk.file.LanceFileReader, lance.file.LanceFileReader):
        read = reader(str(path)).read_all(batch_size=1 << 20).to_table()
        read.validate(full=True)
        for name in table.column_names:
            left, right = comparison.plain(read[name]), comparison.plain(table[name])
            assert comparison.difference(left, right, f"{reader.__module__}: {name}") is None
    return path


@pytest.mark.parametrize("version", writing.VERSIONS)
def test_structs_around_lists_may_be_null_in_some_pages_only(version, tmp_path):
    """pylance cannot read its own files of this kind."""
    struct = pa.struct({"l": pa.list_(pa.int32())})
    deep = pa.list_(pa.struct({"l": pa.list_(pa.list_(pa.int32()))}))
    table = pa.table(
        {
            "struct": pa.array([{"l": [1, 2]}, {"l": [3]}] * 3 + [None] * 3, struct),
            "deep": pa.array([None] * 3 + [[{"l": [[1], [2]]}], [None, {"l": [[3]]}]] * 3, deep),
        }
    )
    for page_bytes in (1, 40, 1 << 20):
        expect_read_by_both(tmp_path, table, version, max_page_bytes=page_bytes)


def test_fixed_size_lists_of_structs_may_be_null_in_some_pages_only(tmp_path):
    type_ = pa.struct({"only": pa.list_(pa.struct({"x": pa.int32()}), 2)})
    rows = [{"only": [{"x": 1}, None]}] * 50 + [{"only": None}] * 50 + [None] * 50
    for page_bytes in (100, 1 << 20):
        table = pa.table({"c": pa.array(rows, type_)})
        expect_read_by_both(tmp_path, table, max_page_bytes=page_bytes)


@pytest.mark.parametrize("version", writing.VERSIONS)
def test_structs_without_fields_have_no_nulls(version, tmp_path):
    """As in pylance, which reads all as valid, and fields behind as null."""
    empty = pa.struct([])
    beside = pa.struct({"i": pa.int8(), "e": empty})
    alone = pa.table({"c": pa.array([{}] * 5, empty)})
    expect_read_by_both(tmp_path, alone, version)
    for rows in ([{"i": 1, "e": {}}] * 5, [None] * 5):
        expect_read_by_both(tmp_path, pa.table({"c": pa.array(rows, beside)}), version)
    for values in (
        pa.array([{}, None], empty),
        pa.array([None, None], empty),
        pa.array([{"i": 1, "e": {}}, None], beside),
        pa.array([{"i": 1, "e": None}] * 3, beside),
        pa.array([None, {"i": 1, "e": None}], beside),
        pa.array([[{}]], pa.list_(empty)),
        pa.array([[None], []], pa.list_(empty)),
    ):
        with pytest.raises(NotImplementedError, match="'(c|e|item)': structs without fields"):
            expect_read_by_both(tmp_path, pa.table({"c": values}), version)


@pytest.mark.parametrize("version", writing.VERSIONS)
def test_pages_without_null_items_of_lists_that_have_some_in_others(version, tmp_path):
    rows = [[[1, None], [2, 3]]] * 40 + [[[1, 2], None]] * 40 + [[[1, 2], [3, 4]]] * 40
    type_ = pa.list_(pa.list_(pa.int32(), 2), 2)
    for hints in ({"structural_encoding": "fullzip"}, {"structural_encoding": "miniblock"}):
        field, array = failure_classes.hinted(pa.array(rows, type_), **hints)
        table = pa.table([array], schema=pa.schema([field.with_name("c")]))
        expect_read_by_both(tmp_path, table, version, max_page_bytes=200)


@pytest.mark.parametrize(
    "size, version",
    [(8, "2.1"), (3000, "2.1"), (40_000, "2.1"), (3000, "2.2"), (40_000, "2.2"), (400_000, "2.2")],
)
def test_wide_lists_of_booleans_with_null_items(size, version, tmp_path):
    """pylance stops at full-zip pages of these, its own too; chunks of 2.1 hold no wider ones."""
    rows = min(300, 800_000 // size)
    rng = np.random.default_rng(1)
    for nulls in ("none", "few"):
        array = arrays.make_array(rng, pa.list_(pa.bool_(), size), rows, arrays.Recipe("any", nulls))
        expect_read_by_both(tmp_path, pa.table({"c": array}), version)
        field, array = failure_classes.hinted(array, structural_encoding="fullzip")
        table = pa.table([array], schema=pa.schema([field.with_name("c")]))
        expect_read_by_both(tmp_path, table, version)


def test_views_beside_lists_of_nulls(tmp_path):
    """Arrow's cast of the whole gives offsets outside of the items."""
    type_ = pa.struct({"v": pa.string_view(), "l": pa.list_(pa.struct({"n": pa.null()}))})
    rows = [{"v": "a", "l": [{"n": None}] * 3}, {"v": "b", "l": []}, {"v": "c", "l": [None]}]
    table = pa.table({"c": pa.array(rows, type_)})
    for begin in range(3):
        batch = table.slice(begin, 1).to_batches()[0]
        path = tmp_path / "file.lance"
        writing.write(path, [batch], table.schema, "2.2")
        for reader in (tusk.file.LanceFileReader, lance.file.LanceFileReader):
            read = reader(str(path)).read_all().to_table()
            assert read["c"].to_pylist() == rows[begin : begin + 1]
