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
