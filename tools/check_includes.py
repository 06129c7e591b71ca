#!/usr/bin/env python3
"""Fails on an include that points to the right in the order of the rooms (docs/architecture.md).

    check_includes.py [ROOT]

A file's room is its folder below src/tusk/ or include/tusk/; the public headers of lance/ are the
table's, but for those of files. Edges (python/, sql/, server/) include public headers only, and a heavy dependency is
included in its own files only.
"""

import pathlib
import re
import sys

# What each room may include, itself among it.
BASE = ["base"]
IO = [*BASE, "io"]
EXPR = [*IO, "expr"]
ENCODINGS = [*EXPR, "lance/encodings"]
FILE = [*ENCODINGS, "lance/file"]
INDEX = [*FILE, "lance/index"]
TABLE = [*INDEX, "lance/table"]
ROOMS = {
    "base": BASE,
    "io": IO,
    "expr": EXPR,
    "lance/encodings": ENCODINGS,
    "lance/file": FILE,
    "lance/index": INDEX,
    "lance/table": TABLE,
    "iceberg": [*FILE, "iceberg"],
    "catalog": [*IO, "catalog"],
    "lake": [*TABLE, "iceberg", "catalog", "lake"],
}

# A heavy dependency, and the files that may include it.
HEAVY = {
    r"nlohmann/": r"^src/tusk/\w.*json\w*\.(cc|h)$",
    r"sqlite3\.h": r"^src/tusk/(catalog|testing)/\w*sql\w*\.(cc|h)$",
    r"nanobind/": r"^python/src/",
    r"(png|turbojpeg)\.h|webp/": r"^src/tusk/lake/(image\w*|\w+_test)\.cc$",
    r"openssl/": r"^src/tusk/base/(digest|sha256_test)\.cc$",
    r"parquet/": r"^src/tusk/iceberg/",
    r"google/protobuf/|.*\.pb\.h": r"^src/tusk/lance/\w+/(\w+/)?\w+\.(cc|h)$",
}

INCLUDE = re.compile(r'^\s*#\s*include\s+["<]([^">]+)[">]', re.M)
SKIPPED = ("build/", "dist/", ".venv/")


def room_of(path: str) -> str | None:
    """The room of a path below include/tusk/ or src/tusk/; None for what has no place in the order."""
    parts = path.split("/")
    if parts[0] == "lance" and len(parts) == 2:
        return "lance/file" if parts[1].startswith(("file", "output_file")) else "lance/table"
    if parts[0] == "lance":
        return "/".join(parts[:2])
    return parts[0] if parts[0] in ROOMS else None


def violations_of(file: str, names: list[str], public: set[str]):
    for name in names:
        for pattern, allowed in HEAVY.items():
            if re.match(pattern, name) and not re.search(allowed, file):
                yield f"includes {name}, which only files like {allowed} may"
    is_edge = file.startswith(("python/", "sql/", "server/"))
    is_test = re.search(r"_(test|benchmark|fuzz|laws)\.(cc|h)$", file) or file.startswith(
        ("src/tusk/testing/", "tests/"))
    inside = re.match(r"(?:src|include)/tusk/(.*)", file)
    room = room_of(inside.group(1)) if inside else None
    for name in names:
        if not name.startswith("tusk/"):
            continue
        if is_edge and name not in public:
            yield f"is an edge and includes {name}, which is not a public header"
        if file.startswith("include/") and name not in public:
            yield f"is public and includes {name}, which is private"
        if name.startswith("tusk/testing/") and not is_test:
            yield f"includes {name}, which is for tests only"
        target = room_of(name.removeprefix("tusk/"))
        if room and target and target not in ROOMS[room]:
            yield f"is in {room} and includes {name} of {target}, to its right"


def main() -> int:
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    public = {p.relative_to(root / "include").as_posix() for p in root.glob("include/tusk/**/*.h")}
    public.add("tusk/export.h")
    failed = False
    for path in sorted(root.glob("**/*")):
        file = path.relative_to(root).as_posix()
        if path.suffix in (".h", ".cc") and not file.startswith(SKIPPED):
            for violation in violations_of(file, INCLUDE.findall(path.read_text()), public):
                print(f"{file}: {violation}")
                failed = True
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
