"""The interop matrix: the page layouts and codecs of files that one wrote and the other read, for
each type and version."""

import collections
import dataclasses
import zlib

import numpy as np
import pyarrow as pa

from . import arrays, comparison, files, logical_types

ROWS = 1100
LAYOUTS = {
    "2.0": ["arrays"],
    "2.1": ["mini-block", "dictionary", "full-zip", "constant", "blob"],
    "2.2": ["mini-block", "dictionary", "full-zip", "constant", "blob"],
}

# Each leads pylance to other pages: (recipe, hints).
VARIANTS = {
    "plain": (arrays.Recipe(nulls="none"), {}),
    "few nulls": (arrays.Recipe(nulls="few"), {}),
    "outer nulls": (arrays.Recipe(nulls="runs", where="outer", garbage=True), {}),
    "all null": (arrays.Recipe(nulls="all"), {}),
    "constant": (arrays.Recipe(nulls="none", values="constant", lists="never_empty"), {}),
    "few distinct": (arrays.Recipe(nulls="few", values="few"), {}),
    "small": (arrays.Recipe(nulls="none", values="small"), {}),
    "runs": (arrays.Recipe(nulls="runs", values="runs"), {}),
    "wide": (arrays.Recipe(nulls="few", values="wide"), {}),
    "full-zip": (
        arrays.Recipe(nulls="few", where="outer"),
        {"structural-encoding": "fullzip", "dict-size-ratio": "0.001"},
    ),
    "zstd": (arrays.Recipe(nulls="none", values="hundreds"), {"compression": "zstd"}),
    "lz4": (
        arrays.Recipe(nulls="none", values="unit"),
        {"compression": "lz4", "bss": "on", "dict-size-ratio": "0.001"},
    ),
    "fsst": (
        arrays.Recipe(nulls="none", values="ascending"),
        {"compression": "fsst", "dict-size-ratio": "0.001"},
    ),
}


@dataclasses.dataclass
class Seen:
    """What a run saw of one type at one version."""

    read: dict = dataclasses.field(default_factory=lambda: collections.defaultdict(set))
    refused: dict = dataclasses.field(default_factory=lambda: collections.defaultdict(set))
    unwritten: set = dataclasses.field(default_factory=set)
    misread: set = dataclasses.field(default_factory=set)
    wrong: list = dataclasses.field(default_factory=list)
    levels: set = dataclasses.field(default_factory=set)


def run(open_reader, folder, describe, write=files.write, versions=files.VERSIONS):
    """Writes every type x version x variant and reads it; {(version, type): Seen}.

    `write(path, table, version)` raises files.Refused for what is not written; what is written must
    be right for pylance, and for the reader. `describe(path)` gives the pages of a file. A reader
    refuses by a NotImplementedError.
    """
    path = folder / "matrix.lance"
    matrix = {}
    for version in versions:
        for type_name in logical_types.ALL:
            seen = matrix[version, type_name] = Seen()
            columns = {name: _column(name, type_name, version) for name in VARIANTS}
            # One file is faster than many; what is not right in it is tried again alone.
            how = (open_reader, path, describe, write, version)
            if not _try(Seen(), *how, columns, seen):
                for name, column in columns.items():
                    _try(seen, *how, {name: column}, seen)
            seen.wrong = [f"{version} {type_name} {wrong}" for wrong in seen.wrong]
    return matrix


def _column(variant, type_name, version):
    recipe, hints = VARIANTS[variant]
    rng = np.random.default_rng(zlib.crc32(f"{type_name}/{variant}".encode()))
    recipe = dataclasses.replace(recipe, null_structs=version != "2.0")
    if type_name in logical_types.PACKED and recipe.nulls != "all":
        recipe.where = "outer"
    field = _hinted(logical_types.field(type_name, variant), hints)
    return field, arrays.make_array(rng, field.type, ROWS, recipe)


def _try(failures, open_reader, path, describe, write, version, columns, successes):
    """Writes and reads the columns. Notes failures in `failures`, else pages in `successes`."""
    schema = pa.schema([field for field, _ in columns.values()])
    table = pa.table([array for _, array in columns.values()], schema=schema)
    try:
        write(path, table, version)
        expected = files.read_back(path, table)
    except files.Refused as refused:
        failures.unwritten.add(refused.reason)
        return False
    except files.Misread as misread:
        failures.misread.add(misread.difference)
        return False
    pages = describe(path)
    try:
        difference = _read(open_reader, path, expected)
    except Exception as error:
        if isinstance(error, NotImplementedError):
            for page in pages:
                failures.refused[page.layout] |= page.codecs
            return False
        difference = f"{', '.join(columns)}: {type(error).__name__}: {error}"
    if difference:
        failures.wrong.append(difference)
        return False
    for page in pages:
        successes.read[page.layout] |= page.codecs
        successes.levels |= page.levels
    return True


def _hinted(field, hints):
    """`field` with the hints, also on its leaves, where pylance looks for them."""
    metadata = {f"lance-encoding:{key}": value for key, value in hints.items()}
    if not metadata:
        return field
    type_ = logical_types.with_leaf_metadata(field.type, metadata)
    return field.with_type(type_).with_metadata((field.metadata or {}) | metadata)


def _read(open_reader, path, expected):
    """The difference of a whole read and of a take; None if there is none."""
    reader = open_reader(str(path))
    whole = reader.read_all(batch_size=500).to_table()
    whole.validate(full=True)
    rows = np.flatnonzero(np.arange(ROWS) * 7 % 41 == 0)
    some = reader.take_rows(rows.tolist()).to_table()
    some.validate(full=True)
    for name in expected.column_names:
        column = comparison.plain(expected[name])
        taken = comparison.gather(column, rows)
        found = comparison.difference(
            comparison.plain(whole[name]), column, f"{name}: read_all"
        ) or comparison.difference(comparison.plain(some[name]), taken, f"{name}: take_rows")
        if found:
            return found
    return None


HEAD = """# Interop matrix

For each logical type, page layout and data version: the codecs of the pages that pylance 14.0.2
wrote and tusk was seen to read equal, then of those that tusk itself wrote and both were seen to read
equal. The tests write every type with {variants} patterns of values, nulls and hints, read it whole
and by rows, and compare. A run of `pytest tests/interop/test_matrix.py --write-matrix` wrote this
page; without the option the same test fails if the page is not what the run gives.

An empty cell: no such page was chosen. **refused**: tusk says by name that it cannot read it.
"not written": the writer refuses the type at that version. "misread": pylance writes it and reads
something else or nothing. "no value": all rows are null, or lists without items.
"""


def render(read, written):
    """The page of what pylance wrote and tusk read, and of what tusk wrote and both read."""
    parts = [HEAD.format(variants=len(VARIANTS))]
    parts += _tables(read, "Version {}")
    parts += _tables(written, "Written by tusk, version {}")
    return "\n".join(parts) + "\n"


def _tables(matrix, title):
    parts = []
    for version in dict.fromkeys(version for version, _ in matrix):
        columns = LAYOUTS[version]
        parts.append(f"\n## {title.format(version)}\n")
        head = ["type", *(columns if len(columns) > 1 else ["encodings"])]
        parts.append("| " + " | ".join(head) + " |")
        parts.append("|" + "---|" * len(head))
        levels = set()
        for type_name in logical_types.ALL:
            seen = matrix[version, type_name]
            levels |= seen.levels
            cells = [_cell(seen, layout) for layout in columns]
            if not any(cells):
                cells[0] = "not written" if seen.unwritten else "misread"
            parts.append("| " + " | ".join([f"`{type_name}`", *cells]) + " |")
        if levels:
            parts.append(
                f"\nRepetition and definition levels: plain words, {', '.join(sorted(levels))}."
            )
    return parts


def _cell(seen, layout):
    parts = []
    if seen.read[layout]:
        parts.append("✓ " + ", ".join(sorted(seen.read[layout])))
    if seen.refused[layout]:
        parts.append("**refused** " + ", ".join(sorted(seen.refused[layout])))
    return "; ".join(parts)
