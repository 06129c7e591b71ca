"""Writes a folder of small Lance files: every logical type x data version x pattern of nulls.

    python -m generator.corpus FOLDER [--rows 300] [--versions 2.0,2.1,2.2] [--types REGEX]

(from tests/interop, or with it in PYTHONPATH). Beside each VERSION/TYPE/PATTERN.lance lies
PATTERN.arrow, what pylance reads from it, an Arrow IPC file. index.tsv names what was written and
what was not, and why.
"""

import argparse
import dataclasses
import pathlib
import re
import zlib

import numpy as np
import pyarrow as pa

from . import arrays, files, logical_types

RECIPES = {
    "plain": arrays.Recipe(nulls="none"),
    "few": arrays.Recipe(nulls="few"),
    "half_runs": arrays.Recipe(nulls="runs", values="small"),
    "all": arrays.Recipe(nulls="all"),
    "outer": arrays.Recipe(nulls="half", where="outer", garbage=True),
    "inner": arrays.Recipe(nulls="half", where="inner"),
    "constant": arrays.Recipe(nulls="none", values="constant"),
    "constant_few": arrays.Recipe(nulls="few", values="constant"),
    "distinct_few": arrays.Recipe(nulls="few", values="few"),
    "wide": arrays.Recipe(nulls="few", values="wide"),
    "empty_lists": arrays.Recipe(nulls="few", lists="empty"),
    "first": arrays.Recipe(nulls="first"),
    "last": arrays.Recipe(nulls="last", lists="empty_at_ends"),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--rows", type=int, default=300)
    parser.add_argument("--versions", default=",".join(files.VERSIONS))
    parser.add_argument("--types", default="")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    with open(arguments.folder / "index.tsv", "w", encoding="utf-8") as index:
        for version in arguments.versions.split(","):
            for type_name in logical_types.ALL:
                if re.search(arguments.types, type_name):
                    for pattern, recipe in RECIPES.items():
                        status = write_one(arguments, version, type_name, pattern, recipe)
                        print(version, type_name, pattern, status, sep="\t", file=index)


def write_one(arguments, version, type_name, pattern, recipe):
    rng = np.random.default_rng(zlib.crc32(f"{type_name}/{pattern}".encode()))
    field = logical_types.field(type_name)
    recipe = dataclasses.replace(recipe, null_structs=version != "2.0")
    array = arrays.make_array(rng, field.type, arguments.rows, recipe)
    table = pa.table([array], schema=pa.schema([field]))
    folder = arguments.folder / version / re.sub(r"[^\w.<>,+-]", "_", type_name)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{pattern}.lance"
    try:
        files.write(path, table, version)
    except files.Refused as refused:
        path.unlink(missing_ok=True)
        return f"not written: {refused.reason}"
    try:
        expected = files.read_back(path, table)
    except files.Misread as misread:
        path.rename(path.with_suffix(".misread"))
        return f"misread: {misread.difference}"
    with pa.OSFile(str(path.with_suffix(".arrow")), "wb") as sink:
        with pa.ipc.new_file(sink, expected.schema) as writer:
            writer.write_table(expected.combine_chunks())
    return "ok"


if __name__ == "__main__":
    main()
