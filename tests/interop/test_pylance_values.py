"""Small things of pylance beside tables: schemas as JSON, sets of numbers, pictures, bfloat16."""

import datetime
import json
import math
import pickle
import struct
import subprocess
import sys

import lance
import lance.arrow
import lance.bitmap
import lance.util
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import tusk
import tusk.arrow
import tusk.bitmap
import tusk.util

TYPES = [
    pa.null(),
    pa.bool_(),
    *(pa.int8(), pa.uint8(), pa.int16(), pa.uint16()),
    *(pa.int32(), pa.uint32(), pa.int64(), pa.uint64()),
    *(pa.float16(), pa.float32(), pa.float64()),
    *(pa.string(), pa.large_string(), pa.binary(), pa.large_binary(), pa.binary(4)),
    *(pa.date32(), pa.date64(), pa.time32("s"), pa.time32("ms"), pa.time64("us"), pa.time64("ns")),
    *(pa.timestamp("us"), pa.timestamp("ns", tz="UTC"), pa.timestamp("s", tz="+02:00")),
    *(pa.duration("ms"), pa.decimal128(10, 2), pa.decimal256(40, 3)),
    *(pa.list_(pa.int32()), pa.large_list(pa.string()), pa.list_(pa.float32(), 4)),
    pa.list_(pa.list_(pa.float16(), 2), 3),
    pa.struct([pa.field("a", pa.int32(), nullable=False), pa.field("b", pa.list_(pa.string()))]),
    pa.dictionary(pa.int8(), pa.string()),
]


@pytest.mark.parametrize("kind", TYPES, ids=str)
def test_schema_as_json(kind):
    schema = pa.schema(
        [pa.field("x", kind, nullable=kind == pa.null(), metadata={"k": "v"})],
        metadata={"m": "n"},
    )
    contents = tusk.schema_to_json(schema)
    assert contents == lance.schema_to_json(schema)
    assert tusk.json_to_schema(contents).equals(lance.json_to_schema(contents), True)
    assert tusk.json_to_schema(contents).equals(schema, check_metadata=True)


@pytest.mark.parametrize(
    "contents",
    [
        {},
        {"fields": [{"name": "x"}]},
        {"fields": [{"name": "x", "type": {"type": "foo"}, "nullable": True}]},
        {"fields": [{"name": "x", "type": {"type": "int8"}}]},
        {"fields": [{"name": "x", "type": {"type": "list"}, "nullable": True}]},
    ],
)
def test_json_that_is_no_schema(contents):
    for package in (lance, tusk):
        with pytest.raises(ValueError):
            package.json_to_schema(contents)


def test_type_without_json():
    for package in (lance, tusk):
        with pytest.raises(ValueError):
            package.schema_to_json(pa.schema([("x", pa.map_(pa.string(), pa.int8()))]))


BITMAPS = [
    lambda Bitmap: (list(Bitmap([5, 1, 5])), len(Bitmap([5, 1, 5])), repr(Bitmap([5, 1]))),
    lambda Bitmap: repr(Bitmap(range(100))),
    lambda Bitmap: (3 in Bitmap([3]), 4 in Bitmap([3])),
    lambda Bitmap: (Bitmap([1]) == Bitmap([1]), Bitmap([1]) == Bitmap([2])),
    lambda Bitmap: sorted(Bitmap([1, 2]) | Bitmap([3])),
    lambda Bitmap: sorted(Bitmap([1, 2]) & Bitmap([2, 3])),
    lambda Bitmap: sorted(Bitmap([1, 2]) - Bitmap([2, 3])),
    lambda Bitmap: sorted(Bitmap([1, 2]) ^ Bitmap([2, 3])),
    lambda Bitmap: sorted(Bitmap([1, 2]).union([7])),
    lambda Bitmap: (Bitmap([1]).issubset({1, 2}), Bitmap([1]).isdisjoint({1})),
    lambda Bitmap: list(pickle.loads(pickle.dumps(Bitmap([9, 1])))),
    lambda Bitmap: Bitmap([4]).remove(5),
    lambda Bitmap: Bitmap([]).pop(),
    lambda Bitmap: Bitmap([-1]),
    lambda Bitmap: Bitmap([2**32]),
    lambda Bitmap: Bitmap(["a"]),
    lambda Bitmap: hash(Bitmap([1])),
]


@pytest.mark.parametrize("call", BITMAPS)
def test_bitmap(call):
    def outcome(package):
        try:
            return call(package.bitmap.Bitmap)
        except Exception as error:
            return type(error)

    assert outcome(tusk) == outcome(lance)


@pytest.mark.parametrize(
    "time",
    ["2024-05-06 07:08:09", datetime.datetime(2024, 5, 6), pd.Timestamp("2024-05-06")],
)
def test_sanitize_ts(time):
    assert tusk.sanitize_ts(time) == lance.sanitize_ts(time)


def test_pandas_reads_what_is_written_in_other_ways():
    assert tusk.sanitize_ts("May 6 2024") == datetime.datetime(2024, 5, 6)


def test_sanitize_ts_of_no_time():
    for package in (lance, tusk):
        with pytest.raises(TypeError):
            package.sanitize_ts(3)


def test_td_to_micros():
    span = datetime.timedelta(days=1, microseconds=7)
    assert tusk.util.td_to_micros(span) == lance.util.td_to_micros(span) == 86_400_000_007


NUMBERS = [0.0, -0.0, 1.0, 1.00390625, 1.01171875, -3.14159, 3.4e38, 1e-40, math.inf, -math.inf]


def test_bfloat16_is_the_nearest():
    theirs = lance.arrow.bfloat16_array(NUMBERS)
    ours = tusk.arrow.bfloat16_array(NUMBERS)
    assert ours.storage == theirs.storage
    assert [value.as_py().as_float() for value in ours] == [
        value.as_py().as_float() for value in theirs
    ]
    nan = tusk.arrow.bfloat16_array([math.nan, None])
    assert math.isnan(nan[0].as_py().as_float()) and nan[1].as_py() is None


def test_bfloat16_of_bytes():
    raw = struct.pack("<f", 1.5)[2:]
    assert tusk.arrow.BFloat16.from_bytes(raw) == tusk.arrow.BFloat16(1.5)
    assert tusk.arrow.BFloat16.from_bytes(raw).as_float() == 1.5
    assert str(tusk.arrow.BFloat16(1.5)) == str(lance.arrow.BFloat16(1.5))
    assert tusk.arrow.BFloat16(1) < tusk.arrow.BFloat16(2)
    with pytest.raises(ValueError):
        tusk.arrow.BFloat16.from_bytes(b"x")


def test_bfloat16_is_cast():
    floats = pa.array([0.5, 1.5, -2.0], pa.float32())
    numbers = tusk.arrow.cast(floats, "bf16")
    assert isinstance(numbers, tusk.arrow.BFloat16Array)
    assert tusk.arrow.cast(numbers, pa.float32()) == floats
    assert tusk.arrow.cast(numbers[1:], pa.float64()).to_pylist() == [1.5, -2.0]
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(np.arange(6.0)), 2)
    small = tusk.arrow.cast(vectors[1:], pa.list_(tusk.arrow.BFloat16Type(), 2))
    assert len(small) == 2
    assert tusk.arrow.cast(small, pa.list_(pa.float64(), 2)).to_pylist() == [[2, 3], [4, 5]]
    assert tusk.arrow.cast(pa.array([1]), pa.int8()).type == pa.int8()
    with pytest.raises(ValueError):
        tusk.arrow.cast(numbers, pa.int8())
    with pytest.raises(ValueError):
        tusk.arrow.cast(vectors, pa.list_(pa.float32(), 3))


def test_bfloat16_goes_through_tables_of_both_packages(tmp_path):
    # In a process without pylance, which would have registered its own type first.
    program = f"""
import pyarrow as pa, tusk, tusk.arrow
numbers = tusk.arrow.bfloat16_array([1.5, None, 2.0])
table = tusk.write_dataset(pa.table({{"b": numbers}}), {str(tmp_path / "t")!r})
read = table.to_table()["b"].combine_chunks()
assert isinstance(read, tusk.arrow.BFloat16Array), read.type
assert read.to_pylist() == numbers.to_pylist()
assert table.to_table().to_pandas()["b"].isna().tolist() == [False, True, False]
"""
    subprocess.run([sys.executable, "-c", program], check=True)
    read = lance.dataset(str(tmp_path / "t")).to_table()["b"].combine_chunks()
    assert [None if v is None else v.as_float() for v in read.to_pylist()] == [1.5, None, 2.0]


PICTURES = """
import io, pathlib, sys
import numpy as np, pyarrow as pa
from PIL import Image
package = __import__(sys.argv[1] + ".arrow")
arrow = sys.modules[sys.argv[1] + ".arrow"]
folder = pathlib.Path(sys.argv[2])
pixels = np.arange(48, dtype=np.uint8).reshape(2, 2, 4, 3)
paths = []
for i, picture in enumerate(pixels):
    paths.append(folder / f"{sys.argv[1]}{i}.png")
    Image.fromarray(picture).save(paths[-1])
uris = arrow.ImageURIArray.from_uris(paths)
files = uris.read_uris()
tensors = files.to_tensor()
again = tensors.to_encoded().to_tensor()
found = [
    type(uris).__name__, type(files).__name__, type(tensors).__name__,
    str(uris.storage.type), str(files.storage.type), str(tensors.storage.type),
    files[0].as_py() == paths[0].read_bytes(),
    (tensors.to_numpy() == pixels).all().item(), again.to_numpy().tolist(),
    list(tensors.type.shape),
    type(arrow.ImageArray.from_array(pa.array(["a"]))).__name__,
    type(arrow.ImageArray.from_array(pa.array([b"a"]))).__name__,
    type(arrow.ImageArray.from_array(["a"])).__name__,
    uris.type.extension_name, files.type.extension_name, tensors.type.extension_name,
]
for wrong in (lambda: arrow.ImageURIType(pa.int8()), lambda: arrow.EncodedImageType(pa.string())):
    try:
        wrong()
        found.append("nothing")
    except Exception as error:
        found.append(type(error).__name__)
import json
print(json.dumps(found))
"""


def test_pictures_are_addresses_files_and_pixels(tmp_path):
    def run(package):
        done = subprocess.run(
            [sys.executable, "-c", PICTURES, package, str(tmp_path)],
            check=True,
            capture_output=True,
            text=True,
        )
        return json.loads(done.stdout)

    assert run("tusk") == run("lance")


def test_data_stats_count_the_bytes_of_each_field(tmp_path):
    data = pa.table({"i": pa.array(range(5000)), "b": [bytes(100)] * 4999 + [b"x"]})
    sizes = []
    for package in (tusk, lance):
        table = package.write_dataset(data, str(tmp_path / package.__name__))
        sizes.append([field.bytes_on_disk for field in table.stats.data_stats().fields])
    # The encodings need not be the same: the order of magnitude is.
    assert all(0 < ours < 3 * theirs + 4096 for ours, theirs in zip(*sizes, strict=True))
    total = sum(sizes[0])
    (file,) = tusk.dataset(tmp_path / "tusk").get_fragment(0).metadata.files
    assert 0.5 * file.file_size_bytes < total <= file.file_size_bytes


def test_counters_of_the_process_grow(tmp_path):
    table = tusk.write_dataset(pa.table({"i": range(1000)}), tmp_path / "t")
    before = tusk.bytes_read_counter(), tusk.iops_counter()
    tusk.dataset(table.uri).to_table()
    read, requests = tusk.bytes_read_counter() - before[0], tusk.iops_counter() - before[1]
    assert read > 1000 and requests > 0
    # What a handle has read still counts when it is gone.
    assert tusk.bytes_read_counter() >= before[0] + read


def test_simd_info_names_what_pylance_names():
    ours, theirs = tusk.simd_info(), lance.simd_info()
    assert ours["target_arch"] == theirs["target_arch"]
    assert set(theirs["host_features"]) <= set(ours["host_features"])


def test_set_logger_writes_where_it_is_told(tmp_path):
    path = tmp_path / "log.txt"
    tusk.set_logger(str(path), name="of-a-test", level=20)
    import logging

    logging.getLogger("of-a-test").info("heard")
    logging.getLogger("of-a-test").debug("not heard")
    assert "heard" in path.read_text() and "not heard" not in path.read_text()
