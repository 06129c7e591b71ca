"""The interop matrix in docs/format/matrix.md is what a run gives: `--write-matrix` writes it."""

import pathlib

from generator import layouts, matrix
from lance.file import LanceFileReader

PAGE = pathlib.Path(__file__).parents[2] / "docs" / "format" / "matrix.md"


def describe(path):
    return layouts.describe_file(LanceFileReader(str(path)).metadata())


def test_matrix_page_is_what_a_run_gives(open_reader, request, tmp_path):
    seen = matrix.run(open_reader, tmp_path, describe)
    wrong = [line for one in seen.values() for line in one.wrong]
    assert not wrong, "\n".join(wrong[:40])
    if request.config.getoption("--reader") == "pylance":
        return
    page = matrix.render(seen)
    if request.config.getoption("--write-matrix"):
        PAGE.write_text(page, encoding="utf-8")
    assert page == PAGE.read_text(encoding="utf-8"), "the page is of another run: --write-matrix"
