"""Schemas of tables that pylance wrote, as tusk and pylance give them; json as text."""

import json
import random

import lance
import lance.arrow
import lance.blob
import pyarrow as pa
import pytest

import tusk

POINT = pa.struct([("x", pa.int32()), pa.field("y", pa.string(), nullable=False)])
POINTS = [{"x": 1, "y": "a"}, {"x": None, "y": "b"}]


def bfloat16(rows):
    return lance.arrow.bfloat16_array([float(i) for i in range(rows)])


def columns(version):
    """Two rows of each type that pylance can write at `version`."""
    halves = pa.FixedSizeListArray.from_arrays(bfloat16(4), 2)
    found = {
        "nulls": pa.nulls(2),
        "list": pa.array([[1], None], pa.list_(pa.field("element", pa.int32()))),
        "large_list": pa.array([["a"], []], pa.large_list(pa.string())),
        "points": pa.array([POINTS, []], pa.list_(POINT)),
        "many_points": pa.array([[POINTS], []], pa.large_list(pa.large_list(POINT))),
        "struct": pa.array([{"p": {"q": 1}}] * 2, pa.struct([("p", pa.struct([("q", "i1")]))])),
        "zoned": pa.array([1, 2], pa.timestamp("us", "+08:00")),
        "vectors": pa.array([[[1, 2]]] * 2, pa.list_(pa.list_(pa.float16(), 2), 1)),
        "dictionary": pa.array(["a", "b"]).dictionary_encode(),
        "json": pa.array(['{"a": [1, 2.50]}', None], pa.json_()),
        "json_list": pa.ListArray.from_arrays([0, 1, 2], pa.array(["1", '"x"'], pa.json_())),
        "uuid": pa.array([b"0123456789abcdef"] * 2, pa.uuid()),
        "half": bfloat16(2),
        "halves": halves,
    }
    if version == "2.2":
        found["map"] = pa.array([[("k", 1)], []], pa.map_(pa.string(), pa.int32()))
        found["point_pairs"] = pa.array([POINTS, POINTS], pa.list_(POINT, 2))
        found["blob"] = lance.blob.blob_array([b"bytes", None])
    return found


@pytest.mark.parametrize("version", ["2.0", "2.1", "2.2"])
def test_schemas_are_what_pylance_gives(version, tmp_path):
    for name, array in columns(version).items():
        field = pa.field(name, array.type, metadata={"about": name})
        table = pa.table([array], pa.schema([field], metadata={"owner": "us"}))
        uri = str(tmp_path / name)
        theirs = lance.write_dataset(table, uri, data_storage_version=version)
        ours = tusk.dataset(uri).schema
        assert ours.equals(theirs.schema, check_metadata=True), f"{ours}\n{theirs.schema}"


def random_json(source, depth):
    kind = source.randrange(9 if depth else 6)
    if kind == 0:
        return source.choice([None, True, False])
    if kind == 1:
        return source.randrange(-(2 ** source.randrange(64)), 2 ** source.randrange(65))
    if kind == 2:
        return source.uniform(-1, 1) * 10 ** source.randrange(-30, 30)
    if kind < 6:
        characters = 'a"\\/\n\t\x01\x7f\u00e9\u20ac\U0001f600'
        return "".join(source.choices(characters, k=source.randrange(9)))
    if kind == 6:
        return {f"k{source.randrange(20)}": random_json(source, depth - 1) for _ in range(4)}
    return [random_json(source, depth - 1) for _ in range(source.randrange(5))]


def test_json_is_the_text_that_pylance_gives(tmp_path):
    source = random.Random(17)
    texts = [json.dumps(random_json(source, 4)) for _ in range(2000)]
    texts += ["NaN", "-Infinity", "1e400", "0x1F", "+1.", "", "[1,,2]", "'single'", "-0"]
    texts += [None] * 10
    source.shuffle(texts)
    array = pa.array(texts, pa.json_())
    inner = pa.StructArray.from_arrays([array, pa.array(range(len(texts)))], ["j", "n"])
    lists = pa.ListArray.from_arrays([0] * len(texts) + [len(texts)], inner)
    table = pa.table({"j": array, "s": inner, "l": lists})
    theirs = lance.write_dataset(table, str(tmp_path), max_rows_per_file=700).to_table()
    ours = tusk.dataset(tmp_path)
    assert ours.to_table().equals(theirs)
    rows = [1999, 3, 3, 1201, 699]
    assert ours.take(rows).equals(theirs.take(rows))
    assert ours.schema.equals(theirs.schema)
