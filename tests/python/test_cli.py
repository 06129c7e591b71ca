"""The command line, run as a user runs it."""

import json
import os
import pathlib
import subprocess
import sys

import pytest
from conftest import write_pictures

PROGRAM = pathlib.Path(sys.executable).parent / "tusk"


def tusk(*arguments, cwd=None, code=0, env=None):
    """Runs `tusk`, checks the exit code and gives standard output and error."""
    result = subprocess.run(
        [PROGRAM, *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=120,
        env=env,
    )
    assert result.returncode == code, result.stderr
    return result.stdout, result.stderr


def rows(*arguments, **options):
    return [json.loads(line) for line in tusk(*arguments, "--json", **options)[0].splitlines()]


@pytest.fixture
def home(tmp_path):
    """A folder with pictures and, in LAKE, a lake that has them."""
    write_pictures(tmp_path / "pictures", 12)
    tusk("init", "LAKE", cwd=tmp_path)
    tusk(
        "ingest",
        "LAKE",
        "pictures",
        "--name",
        "media.pictures",
        "--label-from",
        "folder",
        cwd=tmp_path,
    )
    return tmp_path


def test_help_has_an_example_for_every_command():
    out, _ = tusk("--help")
    assert "Exit codes" in out
    for command in ("init", "ingest", "search", "sql", "log", "tables"):
        assert f"tusk {command} LAKE" in tusk(command, "--help")[0]
    assert "tusk inspect " in tusk("inspect", "--help")[0]
    assert tusk("--version")[0].startswith("tusk, version ")


def test_the_session_of_a_newcomer(home):
    found = rows(
        "search", "LAKE", "media.pictures", "--image", "pictures/1/0004.png", "-k", 3, cwd=home
    )
    assert list(found[0]) == ["label", "distance", "content_id"]
    assert (found[0]["label"], found[0]["distance"], len(found)) == ("1", 0, 3)

    counted = rows(
        "sql",
        "LAKE",
        "select label, count(*) n from media.pictures_meta group by all order by all",
        cwd=home,
    )
    assert counted == [{"label": str(label), "n": 4} for label in range(3)]

    joined = rows(
        "search", "LAKE", "media.pictures", "--image", "pictures/1/0004.png", "-k", 12, "--sql",
        "select m.label, count(*) n from hits join media.pictures_meta m using (content_id)"
        " group by all order by all",
        cwd=home,
    )  # fmt: skip
    assert joined == counted

    write_pictures(home / "more", 15)
    out, _ = tusk(
        "ingest", "LAKE", "more", "--name", "media.pictures", "-m", "more of it", cwd=home
    )
    assert "Joint version 2: added 3 of 15 files" in out and "12 duplicates" in out
    assert "Nothing new" in tusk("ingest", "LAKE", "more", "--name", "media.pictures", cwd=home)[0]

    out, _ = tusk("log", "LAKE", cwd=home)
    assert out.index("joint version 2") < out.index("more of it") < out.index("joint version 1")
    assert [entry["number"] for entry in rows("log", "LAKE", cwd=home)] == [2, 1]

    count = "select count(*) n from media.pictures_meta"
    assert rows("sql", "LAKE", count, cwd=home) == [{"n": 15}]
    assert rows("sql", "LAKE", "--at", 1, count, cwd=home) == [{"n": 12}]
    assert (
        len(
            rows(
                "search",
                "LAKE",
                "media.pictures",
                "--image",
                "more/0/0012.png",
                "-k",
                99,
                "--at",
                1,
                cwd=home,
            )
        )
        == 12
    )
    assert [
        (row["name"], row["kind"], row["rows"]) for row in rows("tables", "LAKE", cwd=home)
    ] == [
        ("media.pictures", "lance", 15),
        ("media.pictures_meta", "iceberg", 15),
    ]


def test_text_is_aligned(home):
    out, _ = tusk(
        "sql",
        "LAKE",
        "select 'a' as letter, 1 as number union all select null, 100 order by 2",
        cwd=home,
    )
    assert out == "letter  number\n------  ------\na            1\nNULL       100\n"


def test_skipped_files_are_listed_and_the_exit_code_says_so(home):
    write_pictures(home / "more", 2, seed=9)
    (home / "more" / "notes.png").write_text("no picture")
    out, err = tusk("ingest", "LAKE", "more", "--name", "media.pictures", cwd=home, code=3)
    assert "added 2 of 3 files" in out and "1 skipped" in out
    assert "skipped " in err and "notes.png: " in err


def test_names_of_files_can_be_anything(home):
    folder = home / "odd"
    folder.mkdir()
    for name in (b"\xff.png", b"new\nline.png", b"\x1b[31mred.png"):
        (pathlib.Path(folder) / os.fsdecode(name)).write_text("no picture")
    _, err = tusk("ingest", "LAKE", "odd", "--name", "media.pictures", cwd=home, code=3)
    lines = err.splitlines()
    assert len(lines) == 3 and all(line.startswith("skipped ") for line in lines)
    assert "\x1b" not in err and "new\\nline.png" in err and "\\udcff.png" in err


def test_an_empty_log_says_so(tmp_path):
    tusk("init", "LAKE", cwd=tmp_path)
    out, err = tusk("log", "LAKE", cwd=tmp_path)
    assert out == "" and "no joint versions yet" in err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["sql", "NONE", "select 1"], 1, "NONE"),
        (["sql", "LAKE", "selec"], 1, "syntax error"),
        (["sql", "LAKE", "select * from media.none"], 1, "Tables of the lake: media.pictures, "),
        (["sql", "LAKE", " "], 1, "no SQL statement"),
        (["sql", "LAKE", "create table t as select 1"], 1, "not supported yet"),
        (["sql", "LAKE", "insert into media.pictures_meta values (1)"], 1, "not supported yet"),
        (["search", "LAKE", "media.pictures", "--image", "LAKE/catalog.db"], 1, "LAKE/catalog.db"),
        (
            ["search", "LAKE", "media.pictures", "--image", "LAKE/catalog.db", "-k", "9" * 20],
            2,
            "-k",
        ),
        (["init", "LAKE"], 1, "LAKE"),
        (["search", "LAKE", "media.none", "--image", "pictures/1/0004.png"], 1, "media.none"),
        (["sql", "LAKE", "--at", "77", "select count(*) from media.pictures"], 1, "77"),
        (["search", "LAKE", "media.pictures"], 2, "--image"),
        (["ingest", "LAKE", "none", "--name", "media.pictures"], 2, "none"),
        (["no-such-command"], 2, "no-such-command"),
    ],
)
def test_errors_are_one_message(arguments, code, message, home):
    out, err = tusk(*arguments, cwd=home, code=code)
    assert out == "" and message in err and "Traceback" not in err


def test_debug_shows_the_traceback(home):
    assert "Traceback" in tusk("--debug", "sql", "NONE", "select 1", cwd=home, code=1)[1]
    assert (
        "Traceback" in tusk("sql", "NONE", "select 1", cwd=home, code=1, env={"TUSK_DEBUG": "1"})[1]
    )


def test_help_does_not_wait_for_arrow():
    heavy = ("pyarrow", "duckdb", "rich", "tusk._tusk")
    code = f"import sys, tusk.cli; sys.exit(any(name in sys.modules for name in {heavy}))"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.fixture
def stored(tmp_path):
    """A file of pylance's and a table of two fragments."""
    import lance
    import pyarrow as pa
    from lance.file import LanceFileWriter

    data = pa.table(
        {
            "id": pa.array(range(4000), pa.int64()),
            "point": [{"x": i, "name": f"point {i}"} for i in range(4000)],
            "none": pa.nulls(4000, pa.int32()),
            "tags": [[str(i)] * (i % 3) for i in range(4000)],
        }
    )
    with LanceFileWriter(str(tmp_path / "f.lance"), data.schema) as writer:
        writer.write_batch(data)
        writer.add_global_buffer(b"12345")
    lance.write_dataset(data, tmp_path / "t.lance")
    lance.write_dataset(data.slice(0, 100), tmp_path / "t.lance", mode="append")
    return tmp_path


def test_inspect_shows_a_file(stored):
    from lance.file import LanceFileReader

    (shown,) = rows("inspect", "f.lance", cwd=stored)
    reference = LanceFileReader(str(stored / "f.lance"))
    assert (shown["kind"], shown["data_version"], shown["rows"]) == ("file", "2.2", 4000)
    assert shown["bytes"] == (stored / "f.lance").stat().st_size
    assert [buffer["size"] for buffer in shown["global_buffers"]][1:] == [5]
    assert [column["field"] for column in shown["columns"]] == [
        "id", "point.x", "point.name", "none", "tags.item",
    ]  # fmt: skip
    assert [column["type"] for column in shown["columns"]][:4] == [
        "int64", "int64", "string", "int32",
    ]  # fmt: skip
    statistics = reference.file_statistics().columns
    assert [(c["pages"], c["bytes"]) for c in shown["columns"]] == [
        (c.num_pages, c.size_bytes) for c in statistics
    ]
    ids, _, _, none, tags = shown["columns"]
    assert ids["encodings"] == {"mini_block inline_bitpacking": 1}
    assert none["encodings"] == {"all_null": 1} and none["bytes"] == 0
    assert ids["bytes_per_value"] == ids["bytes"] / 4000
    assert tags["values"] == sum(i % 3 for i in range(4000))

    out, _ = tusk("inspect", "f.lance", cwd=stored)
    lines = out.splitlines()
    assert lines[0].startswith("Lance file of data version 2.2: 4,000 rows in 5 physical columns, ")
    assert lines[1].endswith("in 2 global buffers")
    assert lines[3].split() == [
        "field", "type", "content", "pages", "values", "bytes", "bytes/value", "encodings",
    ]  # fmt: skip
    assert lines[5].split()[:5] == ["id", "int64", "values", "1", "4000"]
    assert lines[5].endswith("mini_block inline_bitpacking") and len(lines) == 10


def test_inspect_shows_each_page(stored):
    (shown,) = rows("inspect", "--pages", "f.lance", cwd=stored)
    page = shown["columns"][0]["page_list"][0]
    assert (page["first_row"], page["rows"], page["layout"]) == (0, 4000, "mini_block")
    assert page["bytes"] == sum(buffer["size"] for buffer in page["buffers"])
    assert page["encoding"].startswith("MiniBlockLayout(")
    lines = tusk("inspect", "--pages", "f.lance", cwd=stored)[0].splitlines()
    assert lines[3].split() == [
        "field", "page", "first_row", "rows", "values", "bytes", "bytes/value", "layout", "codecs",
    ]  # fmt: skip
    assert len(lines) == 10


def test_inspect_shows_a_table_over_its_files(stored):
    (shown,) = rows("inspect", "t.lance", cwd=stored)
    assert (shown["kind"], shown["version"], shown["rows"]) == ("table", 2, 4100)
    assert (shown["fragments"], shown["files"]) == (2, 2)
    files = list((stored / "t.lance" / "data").iterdir())
    assert shown["bytes"] == sum(file.stat().st_size for file in files)
    each = [rows("inspect", file, cwd=stored)[0]["columns"] for file in files]
    for column, first, second in zip(shown["columns"], *each):
        assert column["field"] == first["field"] and column["files"] == 2
        for name in ("pages", "values", "bytes"):
            assert column[name] == first[name] + second[name]
    assert len(shown["columns"]) == 5
    out, _ = tusk("inspect", "t.lance", cwd=stored)
    assert out.startswith("Lance table at version 2, data version 2.2: 4,100 rows in 2 fragments, ")


@pytest.mark.parametrize("version", ["2.0", "2.1"])
def test_inspect_shows_files_of_earlier_versions(version, stored):
    import pyarrow as pa
    from lance.file import LanceFileReader, LanceFileWriter

    data = pa.table({"n": range(100), "l": [["a", None]] * 100})
    with LanceFileWriter(str(stored / "old"), data.schema, version=version) as writer:
        writer.write_batch(data)
    (shown,) = rows("inspect", "old", cwd=stored)
    assert shown["data_version"] == version
    statistics = LanceFileReader(str(stored / "old")).file_statistics().columns
    assert [c["bytes"] for c in shown["columns"]] == [c.size_bytes for c in statistics]
    if version == "2.0":
        assert [(c["field"], c["content"]) for c in shown["columns"]] == [
            ("n", "values"), ("l", "list offsets"), ("l.item", "values"),
        ]  # fmt: skip
        assert all(name.startswith("array ") for c in shown["columns"] for name in c["encodings"])


def test_inspect_says_what_is_wrong(stored):
    (stored / "text").write_text("no Lance file")
    (stored / "folder").mkdir()
    for arguments, code, message in (
        (["none"], 1, "none"),
        (["text"], 1, "text"),
        (["folder"], 1, "folder"),
        (["--pages", "t.lance"], 2, "--pages is for a file"),
    ):
        out, err = tusk("inspect", *arguments, cwd=stored, code=code)
        assert out == "" and message in err and "Traceback" not in err


@pytest.fixture
def written(tmp_path):
    """A table and a file of tusk's own."""
    import pyarrow as pa

    import tusk

    data = pa.table({"n": range(4000), "s": [f"text {i}" for i in range(4000)]})
    tusk.write_dataset(data, tmp_path / "t.lance", max_rows_per_file=1000)
    with tusk.file.LanceFileWriter(str(tmp_path / "f.lance"), data.schema) as writer:
        writer.write_batch(data)
    return tmp_path


def test_inspect_verifies_checksums(written):
    out, _ = tusk("inspect", "--verify", "f.lance", cwd=written)
    size = (written / "f.lance").stat().st_size
    assert out == f"read {size:,} bytes in 1 files, 1 of them with checksums\n"
    (found,) = rows("inspect", "--verify", "t.lance", cwd=written)
    assert (found["files"], found["files_with_checksums"], found["damages"]) == (4, 4, [])

    content = bytearray((written / "f.lance").read_bytes())
    content[1000] ^= 1
    (written / "f.lance").write_bytes(content)
    out, err = tusk("inspect", "--verify", "f.lance", cwd=written, code=1)
    assert out.startswith("page 0 of column ") and "1 damaged" in err

    files = sorted((written / "t.lance" / "data").iterdir())
    files[0].write_bytes(files[0].read_bytes()[:-1])
    files[2].unlink()
    out, err = tusk("inspect", "--verify", "t.lance", cwd=written, code=1)
    assert files[0].name in out and f"'{files[2].name}': it is not there" in out
    assert "2 damaged" in err and "Traceback" not in err


def test_inspect_decodes_what_has_no_checksums(stored):
    (found,) = rows("inspect", "--verify", "t.lance", cwd=stored)
    assert (found["files"], found["files_with_checksums"], found["damages"]) == (2, 0, [])
    out, _ = tusk("inspect", "--verify", "f.lance", cwd=stored)
    assert out.endswith("0 of them with checksums; 1 without were decoded\n")
