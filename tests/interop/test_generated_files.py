"""Random files and known failure classes of readers, written by pylance, read in every way.

A case that fails prints its seed: `--seed 1234 --cases 1 -k random_file` runs it alone.
`make test-generated` runs thousands.
"""

import os
import pathlib
import subprocess
import sys

import lance
import lance.file
import numpy as np
import pyarrow as pa
import pytest
from generator import cases, comparison, failure_classes, files, reading

# A share of random cases that pylance cannot write, or reads back wrong, is not asked of a reader.
MOST_SKIPPED = 0.1


def pytest_generate_tests(metafunc):
    if "seed" in metafunc.fixturenames:
        first, count = (metafunc.config.getoption(name) for name in ("--seed", "--cases"))
        metafunc.parametrize("seed", range(first, first + count))


class Reader:
    """Holds a reader to what pylance wrote: `is_pylance` if it is pylance itself."""

    def __init__(self, open_reader, is_pylance):
        self.open, self.is_pylance = open_reader, is_pylance

    def check(self, path, case, seed, effort):
        """Misread where only pylance could say what is in the file, and does not."""
        expected, schema = case.table, None
        try:
            expected = files.read_back(path, case.table)
        except files.Misread as misread:
            # Where pylance stops at its own file, the written table is what must be read.
            shapes = any(files.changes_shape(field.type) for field in case.table.schema)
            if self.is_pylance or shapes or not misread.stops:
                raise
            schema = lance.file.LanceFileReader(str(path)).metadata().schema
        rng = np.random.default_rng(seed)
        # pylance itself does not refuse all that it should.
        reading.check(
            self.open,
            path,
            expected,
            rng,
            effort=effort,
            refusals=not self.is_pylance,
            schema=schema,
        )


@pytest.fixture
def reader(open_reader, request):
    return Reader(open_reader, request.config.getoption("--reader") == "pylance")


def test_reads_a_random_file(seed, reader, tmp_path):
    case = cases.random_case(seed)
    print(f"--seed {seed}: {case}")  # shown for a case that fails
    path = tmp_path / "random.lance"
    try:
        case.write(path)
        reader.check(path, case, seed, 2)
    except files.Refused as refused:
        pytest.skip(f"pylance does not write it: {refused.reason}")
    except files.Misread as misread:
        pytest.skip(f"pylance reads it wrong: {misread.difference}")


def test_pylance_manages_nearly_every_case(tmp_path):
    skipped = []
    for seed in range(40):
        case = cases.random_case(seed)
        try:
            case.write(tmp_path / "random.lance")
            files.read_back(tmp_path / "random.lance", case.table)
        except (files.Refused, files.Misread) as problem:
            skipped.append(f"{seed}: {problem}")
    assert len(skipped) <= 40 * MOST_SKIPPED, skipped


NAMED = [(name, version) for name, n in failure_classes.NAMED.items() for version in n.versions]


@pytest.mark.parametrize("name, version", NAMED, ids=lambda value: value)
def test_reads_a_known_failure_class(name, version, reader, tmp_path):
    named = failure_classes.NAMED[name]
    if named.beyond_pylance and reader.is_pylance:
        pytest.skip("pylance reads it whole, but not in parts")
    case = named.case(version)
    path = tmp_path / "named.lance"
    case.write(path)
    reader.check(path, case, 0, named.effort)
    for column in named.columns:
        reading.check_columns(reader.open, path, case.table, [column])


# What pylance's writer takes from its environment: sizes of chunks, and codecs of dictionaries.
ENVIRONMENTS = [
    {"LANCE_MINIBLOCK_MAX_VALUES": "32768"},
    {"LANCE_MINIBLOCK_MAX_VALUES": "64", "LANCE_BINARY_MINIBLOCK_CHUNK_SIZE": "256"},
    {"LANCE_BINARY_MINIBLOCK_CHUNK_SIZE": "65536"},
    {"LANCE_ENCODING_DICT_VALUES_COMPRESSION": "zstd", "LANCE_FILE_WRITER_MAX_PAGE_BYTES": "3000"},
    {"LANCE_ENCODING_DICT_VALUES_COMPRESSION": "none", "LANCE_ENCODING_DICT_TOO_SMALL": "1"},
    {"LANCE_DICT_ENCODING_THRESHOLD": "5", "LANCE_MINIBLOCK_MAX_VALUES": "1024"},
]
SEEDS_PER_ENVIRONMENT = 12


@pytest.mark.parametrize("number", range(len(ENVIRONMENTS)))
def test_reads_files_of_other_chunk_sizes(number, reader, tmp_path):
    first = 1_000_000 + 1000 * number
    seeds = range(first, first + SEEDS_PER_ENVIRONMENT)
    subprocess.run(
        [sys.executable, "-m", "generator.cases", str(tmp_path), str(first), str(len(seeds))],
        env={**os.environ, **ENVIRONMENTS[number]},
        cwd=pathlib.Path(__file__).parent,
        check=True,
        capture_output=True,
    )
    written = 0
    for seed in seeds:
        path = tmp_path / f"{seed}.lance"
        if not path.exists():
            continue
        case = cases.random_case(seed)
        print(f"seed {seed} under {ENVIRONMENTS[number]}: {case}")
        try:
            reader.check(path, case, seed, 1)
            written += 1
        except files.Misread:
            continue
    assert written >= SEEDS_PER_ENVIRONMENT * (1 - 3 * MOST_SKIPPED)


@pytest.mark.parametrize("version", files.VERSIONS)
def test_reads_random_tables(version, open_table, tmp_path):
    """The same through tables of several fragments with deletions, where JSON is text again."""
    read_tables = 0
    for seed in range(2_000_000, 2_000_012):
        case = cases.random_case(seed, version)
        rows = case.table.num_rows
        if not rows:
            continue
        print(f"seed {seed}: {case}")
        place = tmp_path / str(seed)
        try:
            table = case.table.append_column("row", pa.array(range(rows), pa.int64()))
            theirs = lance.write_dataset(
                table, str(place), data_storage_version=version, max_rows_per_file=700
            )
            theirs.delete("row % 5 = 1")
            expected = theirs.to_table().combine_chunks()
        except (OSError, ValueError, RuntimeError, NotImplementedError):
            continue
        columns = {name: comparison.plain(expected[name]) for name in expected.column_names}
        ours = open_table(place)
        _expect_equal(ours.to_table(), columns)
        left = expected.num_rows
        some = sorted({0, left // 2, left - 1})
        taken = {name: comparison.gather(array, some) for name, array in columns.items()}
        _expect_equal(ours.take(some), taken)
        read_tables += 1
    assert read_tables > 6


def _expect_equal(table, columns):
    table.validate(full=True)
    for name, array in columns.items():
        assert comparison.difference(comparison.plain(table[name]), array, name) is None


def test_reads_blobs_of_version_2_as_descriptors(open_table, tmp_path):
    values = [b"a" * 10, None, b"x" * 100_000, b"", b"y" * 5_000_000]
    table = pa.table({"b": lance.blob_array(values), "i": range(5)})
    theirs = lance.write_dataset(table, str(tmp_path / "t"), data_storage_version="2.2")
    expected = theirs.to_table()
    ours = open_table(tmp_path / "t")
    assert ours.to_table().to_pylist() == expected.to_pylist()
    assert ours.take([0, 1, 4]).to_pylist() == expected.take([0, 1, 4]).to_pylist()


@pytest.mark.parametrize("version", ["2.1", "2.2"])
def test_reads_structs_around_structs_without_fields(version, open_reader, request, tmp_path):
    if request.config.getoption("--reader") == "pylance":
        pytest.skip("pylance gives nulls for the fields beside")
    # Pages of the inner one tell nothing of the outer one, unless all of that is null.
    type_ = pa.struct([("before", pa.int8()), ("empty", pa.struct([])), ("after", pa.string())])
    rows = [{"before": i % 100, "empty": {}, "after": str(i)} for i in range(3000)]
    for name, values in {"valid": rows, "null": [None] * 3000}.items():
        table = pa.table({"c": pa.array(values, type_), "i": range(3000)})
        path = tmp_path / name
        with lance.file.LanceFileWriter(str(path), table.schema, version=version) as writer:
            writer.write_batch(table)
        reader = open_reader(str(path))
        assert reader.read_all().to_table().to_pylist() == table.to_pylist()
        assert reader.take_rows([1, 7, 2999]).to_table() == table.take([1, 7, 2999])


@pytest.mark.parametrize("version", ["2.1", "2.2"])
def test_refuses_more_values_than_dictionary_indices_count(version, open_reader, tmp_path):
    """Each batch has a dictionary of its own; pylance writes the file and refuses to read it."""
    indices = pa.array([i % 100 for i in range(300)], pa.int8())
    batches = [
        pa.table({"c": pa.DictionaryArray.from_arrays(indices, [f"{b}-{i}" for i in range(100)])})
        for b in range(3)
    ]
    path = str(tmp_path / "file")
    with lance.file.LanceFileWriter(path, batches[0].schema, version=version) as writer:
        for batch in batches:
            writer.write_batch(batch)
    with pytest.raises(Exception, match="int8|Int8"):
        open_reader(path).read_all().to_table()
