"""Random files: schema, nulls, sizes, hints and version of each follow from its seed."""

import dataclasses
import pathlib
import sys

import numpy as np
import pyarrow as pa
from lance.arrow import BFloat16Type

from . import arrays, files, logical_types

ROWS = [0, 1, 2, 3, 63, 100, 257, 1023, 1024, 1025, 2000, 4095, 4096, 4097]
MOST_ITEMS = 40_000  # of one column, counted at its leaves

HINTS = {
    "compression": ["none", "lz4", "zstd", "fsst"],
    "compression-level": ["1", "5"],
    "rle-threshold": ["0.0", "0.5", "1.0"],
    "bss": ["off", "on", "auto"],
    "structural-encoding": ["miniblock", "fullzip"],
    "dict-divisor": ["1", "2", "100000"],
    "dict-size-ratio": ["0.1", "1.0"],
    "dict-max-size": ["100", "1000000"],
    "dict-values-compression": ["none", "lz4", "zstd"],
    "dict-values-compression-level": ["3"],
    "minichunk-size": ["128", "1024", "16384"],
}

# Sets of hints that lead to codecs which single ones rarely reach.
HINTS_TOGETHER = [
    {"compression": "lz4", "bss": "on", "dict-size-ratio": "0.001"},
    {"compression": "zstd", "bss": "on", "dict-divisor": "100000"},
    {"compression": "zstd", "bss": "off", "rle-threshold": "0.0"},
    {"compression": "fsst", "dict-size-ratio": "0.001"},
    {"structural-encoding": "fullzip", "dict-size-ratio": "0.001"},
    {"structural-encoding": "fullzip", "dict-size-ratio": "0.001", "compression": "fsst"},
    {"structural-encoding": "fullzip", "dict-size-ratio": "0.001", "compression": "zstd"},
]
NULLS_SHARES = {"none": 0.2, "few": 0.2, "half": 0.15, "runs": 0.15, "all": 0.05}


@dataclasses.dataclass
class Case:
    """A table to write, and how. Equal seeds give equal cases."""

    table: pa.Table
    version: str
    batch_rows: int | None = None
    options: dict = dataclasses.field(default_factory=dict)
    recipes: list = dataclasses.field(default_factory=list)

    def write(self, path):
        files.write(path, self.table, self.version, batch_rows=self.batch_rows, **self.options)

    def __str__(self):
        fields = "; ".join(
            f"{field.name}: {field.type} {_hints(field)} {recipe}"
            for field, recipe in zip(self.table.schema, self.recipes)
        )
        return (
            f"{self.table.num_rows} rows at {self.version}, batches of {self.batch_rows},"
            f" {self.options}: {fields}"
        )


def _hints(field):
    return {k.decode(): v.decode() for k, v in (field.metadata or {}).items()} or ""


def random_case(seed, version=None):
    """The case of `seed`, of a random data version if none is given."""
    rng = np.random.default_rng([seed, 20_260_101])
    version = version or str(rng.choice(files.VERSIONS, p=[0.2, 0.3, 0.5]))
    fields, recipes = [], []
    for number in range(rng.integers(1, 4)):
        recipes.append(_recipe(rng, version))
        fields.append(_field(rng, f"c{number}", version, recipes[-1]))
    if version == "2.2" and rng.random() < 0.1:
        fields, recipes = [pa.field("c0", _list_of_structs(rng))], recipes[:1]
    rows = int(rng.choice(ROWS))
    rows = min(rows, *(_most_rows(field.type, recipe) for field, recipe in zip(fields, recipes)))
    columns = [
        arrays.make_array(rng, field.type, rows, recipe, nullable=field.nullable)
        for field, recipe in zip(fields, recipes)
    ]
    options = {}
    if rng.random() < 0.4:
        options["data_cache_bytes"] = int(rng.choice([1, 4096, 65_536, 400_000]))
    if rng.random() < 0.4:
        options["max_page_bytes"] = int(rng.choice([1000, 20_000, 200_000]))
    batch_rows = int(rng.choice([1 << 20, max(1, rows // 3), max(1, rows - 1), 500, 1024]))
    batch_rows = max(batch_rows, 1 + rows // 50)
    table = pa.table(columns, schema=pa.schema(fields))
    return Case(table, version, batch_rows, options, recipes)


def _recipe(rng, version):
    values = str(rng.choice([name for name in arrays.VALUES if name != "long"]))
    if rng.random() < 0.04:
        values = "long"
    lists = str(rng.choice([name for name in arrays.LISTS if name != "one_long"]))
    if rng.random() < 0.1:
        lists = "one_long"
    rest = (1 - sum(NULLS_SHARES.values())) / (len(arrays.NULLS) - len(NULLS_SHARES))
    shares = [NULLS_SHARES.get(name, rest) for name in arrays.NULLS]
    return arrays.Recipe(
        values=values,
        nulls=str(rng.choice(list(arrays.NULLS), p=shares)),
        lists=lists,
        where=str(rng.choice(["all", "outer", "inner"], p=[0.6, 0.2, 0.2])),
        garbage=bool(rng.random() < 0.3),
        null_structs=version != "2.0",
    )


def _most_rows(type_, recipe):
    """How many rows keep a column small."""
    most = MOST_ITEMS // _items(type_, recipe)
    if recipe.values == "long" and _has_texts(type_):
        most = min(most, 40 // _items(type_, dataclasses.replace(recipe, lists="mixed")))
    if recipe.lists == "one_long" and pa.types.is_nested(type_):
        most = min(most, 4097)
    return max(most, 1)


def _items(type_, recipe):
    if isinstance(type_, pa.BaseExtensionType) or not pa.types.is_nested(type_):
        return 8 if _has_texts(type_) and recipe.values == "wide" else 1
    below = sum(_items(type_.field(i).type, recipe) for i in range(type_.num_fields))
    if pa.types.is_struct(type_):
        return max(1, below)
    if pa.types.is_fixed_size_list(type_):
        return type_.list_size * below
    return below * {"empty": 1, "mostly_empty": 1}.get(recipe.lists, 2)


def _has_texts(type_):
    if isinstance(type_, pa.BaseExtensionType):
        return False
    if pa.types.is_nested(type_):
        return any(_has_texts(type_.field(i).type) for i in range(type_.num_fields))
    return "string" in str(type_) or (pa.types.is_binary(type_) or pa.types.is_large_binary(type_))


def _field(rng, name, version, recipe):
    hints = {key: str(rng.choice(choices)) for key, choices in HINTS.items() if rng.random() < 0.12}
    if rng.random() < 0.35:
        hints = HINTS_TOGETHER[rng.integers(len(HINTS_TOGETHER))]
    metadata = {f"lance-encoding:{key}": value for key, value in hints.items()}
    if rng.random() < 0.06:
        kind = str(rng.choice(["blob", "packed<fixed>", "packed<fixed_size_list>"]))
        if version == "2.2" and kind != "blob" and rng.random() < 0.5:
            kind = "packed<variable>"
        if kind != "blob":  # children of packed structs cannot be null
            recipe.where = "outer"
        metadata |= logical_types.FIELD_METADATA[kind]
        return _nullable_or_not(rng, name, logical_types.ALL[kind], metadata)
    type_ = random_type(rng, version, depth=int(rng.choice(5, p=[0.35, 0.2, 0.15, 0.15, 0.15])))
    if metadata and pa.types.is_nested(type_) and rng.random() < 0.7:
        type_ = logical_types.with_leaf_metadata(type_, metadata)
    return _nullable_or_not(rng, name, type_, metadata)


def _nullable_or_not(rng, name, type_, metadata=None):
    return pa.field(name, type_, pa.types.is_null(type_) or rng.random() < 0.85, metadata or None)


# What pylance refuses to write everywhere, or reads back wrong, is a named case, not a random one.
_LEAVES = [
    type_
    for name, type_ in (logical_types.PRIMITIVE | logical_types.DICTIONARY).items()
    if name not in ("binary_view", "dict:decimal:128:30:2:int16:false")
]
_TEXTS = [pa.string(), pa.large_string(), pa.binary(), pa.large_binary()]
_ITEMS = [
    type_
    for name, type_ in logical_types.PRIMITIVE.items()
    if name not in ("null", "json", "bfloat16") and not arrays.is_text(type_)
]


def random_type(rng, version, depth):
    """A type with at most `depth` levels above its leaves."""
    if depth == 0 or rng.random() < 0.1:
        if rng.random() < 0.2:
            return _fixed_size_list(rng)
        if rng.random() < 0.2:
            return _TEXTS[rng.integers(len(_TEXTS))]
        return _LEAVES[rng.integers(len(_LEAVES))]
    kinds = ["list", "large_list", "struct", "struct", "list"]
    if version == "2.2":
        kinds += ["map"]
    kind = str(rng.choice(kinds))
    if kind == "struct":
        return _struct(rng, version, depth)
    if kind == "map":
        keys = [pa.string(), pa.int32(), pa.binary(5), pa.date32(), pa.large_string()]
        items = random_type(rng, version, depth - 1)
        return pa.map_(keys[rng.integers(len(keys))], items)
    make = pa.list_ if kind == "list" else pa.large_list
    child = random_type(rng, version, depth - 1)
    name = str(rng.choice(["item", "element"]))
    return make(_nullable_or_not(rng, name, child))


def _struct(rng, version, depth):
    count = int(rng.integers(1, 4))
    return pa.struct(
        [_nullable_or_not(rng, f"f{i}", random_type(rng, version, depth - 1)) for i in range(count)]
    )


def _fixed_size_list(rng):
    item = _ITEMS[rng.integers(len(_ITEMS))]
    if rng.random() < 0.1:
        item = BFloat16Type()
    size = int(rng.choice([1, 2, 3, 7, 8, 9, 40, 96]))
    if rng.random() < 0.3:
        return pa.list_(pa.list_(item, int(rng.integers(1, 5))), min(size, 9))
    return pa.list_(_nullable_or_not(rng, "item", item), size)


def _list_of_structs(rng):
    """A fixed-size list of structs. pylance reads it only without lists around it or inside, and
    without columns or struct fields beside it."""
    leaves = [_LEAVES[i] for i in rng.integers(0, len(_LEAVES), rng.integers(1, 4))]
    if rng.random() < 0.3:
        leaves.append(_fixed_size_list(rng))
    if rng.random() < 0.3:
        leaves.append(pa.struct([_nullable_or_not(rng, "x", leaves[0])]))
    struct = pa.struct([_nullable_or_not(rng, f"f{i}", leaf) for i, leaf in enumerate(leaves)])
    made = pa.list_(_nullable_or_not(rng, "item", struct), int(rng.choice([1, 2, 3])))
    return pa.struct({"only": made}) if rng.random() < 0.3 else made


def main():
    """Writes into FOLDER the files of COUNT seeds from FIRST on, but for those refused."""
    folder, first, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    for seed in range(first, first + count):
        path = pathlib.Path(folder) / f"{seed}.lance"
        try:
            random_case(seed).write(path)
        except files.Refused:
            path.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
