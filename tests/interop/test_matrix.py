"""The interop matrix in docs/format/matrix.md is what a run gives: `--write-matrix` writes it."""

import pathlib
import re

import pytest
from generator import files, layouts, logical_types, matrix, writing
from lance.file import LanceFileReader

ROOT = pathlib.Path(__file__).parents[2]
PAGE = ROOT / "docs" / "format" / "matrix.md"
SMALL_FILES = ROOT / "tests" / "corpus" / "lance_file" / "file"
SMALL = 2048
# Symbol tables have 2.3 KiB, and pylance makes symbols for 32 KiB of text and more.
SMALL_WITH_SYMBOLS = 8500


def describe(path):
    return layouts.describe_file(LanceFileReader(str(path)).metadata())


def write(path, table, version):
    try:
        writing.write(path, [table], table.schema, version)
    except NotImplementedError as error:
        raise files.Refused(str(error)) from error


def test_matrix_page_is_what_a_run_gives(open_reader, request, tmp_path):
    read = matrix.run(open_reader, tmp_path, describe)
    if request.config.getoption("--reader") == "pylance":
        assert not [line for one in read.values() for line in one.wrong]
        return
    written = matrix.run(open_reader, tmp_path, describe, write, writing.VERSIONS)
    wrong = [line for one in [*read.values(), *written.values()] for line in one.wrong]
    for (version, type_name), seen in written.items():
        is_written = bool(seen.read)
        if is_written == (type_name in writing.NOT_WRITTEN[version]):
            wrong.append(f"{version} {type_name} not written: {seen.unwritten}")
        if seen.misread and not read[version, type_name].misread:
            wrong.append(f"{version} {type_name} misread by pylance: {seen.misread}")
    assert not wrong, "\n".join(wrong[:40])
    page = matrix.render(read, written)
    if request.config.getoption("--write-matrix"):
        PAGE.write_text(page, encoding="utf-8")
    assert page == PAGE.read_text(encoding="utf-8"), "the page is of another run: --write-matrix"


def cells(version):
    """Logical type, layout and codec of each entry of the page."""
    section = PAGE.read_text(encoding="utf-8").split(f"## Version {version}\n")[1].split("\n## ")[0]
    for type_name, row in re.findall(r"^\| `(.*?)` \|(.*)\|$", section, re.MULTILINE):
        for layout, cell in zip(matrix.LAYOUTS[version], row.split("|"), strict=False):
            for codec in cell.strip().removeprefix("✓ ").split(";")[0].split(", "):
                if "✓" in cell:
                    yield type_name, layout, codec


@pytest.mark.parametrize("version", files.VERSIONS)
def test_a_small_file_of_every_layout_and_codec_is_damaged_in_every_byte(version):
    """By hostile_file_test.cc, which takes the files of this folder."""
    found = set()
    for path in SMALL_FILES.glob(f"*{version.replace('.', '_')}.lance"):
        size = path.stat().st_size
        pages = [(page.layout, codec) for page in describe(path) for codec in page.codecs]
        found |= {page for page in pages if size <= (SMALL_WITH_SYMBOLS if "fsst" in page else SMALL)}
    expected = {(layout, codec) for _, layout, codec in cells(version)}
    assert len(expected) > 10
    assert expected <= found, expected - found


@pytest.mark.parametrize("version", files.VERSIONS)
def test_a_small_file_of_every_type_is_damaged_in_every_byte(version):
    stored = set()
    for path in SMALL_FILES.glob(f"*{version.replace('.', '_')}.lance"):
        if path.stat().st_size <= SMALL:
            stored |= {str(type_) for type_ in LanceFileReader(str(path)).metadata().schema.types}
    # These differ from others by a word of the schema alone.
    like_others = re.compile("time|duration|.*_view|.*json|blob")
    types = {name for name, _, codec in cells(version) if codec != "no value"}
    types = {name for name in types if not like_others.match(name)}
    assert len(types) > 60
    missing = {name for name in types if str(logical_types.ALL[name]) not in stored}
    assert not missing
