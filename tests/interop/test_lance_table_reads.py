"""Reading of tables that pylance wrote and changed: nested columns, evolved schemas, I/O."""

import lance
import lance.arrow
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

import tusk
import tusk.file

VERSIONS = ["2.0", "2.1", "2.2"]
BLOB = {"lance-encoding:blob": "true"}
POINT = pa.struct([("x", pa.int32()), ("y", pa.string())])


def same(ours, theirs):
    """Schemas with all metadata, and values."""
    assert ours.schema.equals(theirs.schema, check_metadata=True), (
        f"{ours.schema}\n{theirs.schema}"
    )
    ours.validate(full=True)
    assert ours.to_pylist() == theirs.to_pylist()


def same_take(ours, theirs):
    """pylance drops the schema's metadata if rows do not ascend."""
    same(ours, theirs.replace_schema_metadata(ours.schema.metadata))


def is_list(type_):
    lists = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    return any(check(type_) for check in lists)


def paths(schema):
    """Every path of `schema`, and whether it goes through structs only."""
    found = []

    def visit(field, path, is_flat):
        found.append((path, is_flat))
        if pa.types.is_struct(field.type):
            for child in field.type.fields:
                visit(child, f"{path}.{child.name}", is_flat)
        elif is_list(field.type) and pa.types.is_struct(field.type.value_type):
            visit(field.type.value_field, f"{path}.{field.type.value_field.name}", False)

    for field in schema:
        visit(field, field.name, True)
    return found


def same_reads(uri):
    """Holds every kind of read, of all and of each field, to pylance's."""
    ours, theirs = tusk.dataset(uri), lance.dataset(str(uri))
    rows = theirs.count_rows()
    some = [rows - 1, 0, rows // 2, 0]
    assert ours.schema.equals(theirs.schema, check_metadata=True)
    assert ours.count_rows() == rows
    same(ours.to_table(with_row_id=True), theirs.to_table(with_row_id=True))
    same_take(ours.take(some), theirs.take(some))
    same(ours.head(2), theirs.head(2))
    batches = pa.Table.from_batches(ours.to_batches(batch_size=2, limit=5, offset=1))
    same(batches, theirs.to_table(limit=5, offset=1))
    assert ours.count_rows(pc.field("id") >= 2) == theirs.count_rows("id >= 2")
    for path, is_flat in paths(theirs.schema):
        same_take(ours.take(some, [path]), theirs.take(some, [path]))
        if not is_flat:
            with pytest.raises(ValueError, match="goes through structs only"):
                ours.to_table([path])
            continue
        same(ours.to_table([path]), theirs.to_table([path]))
        both = [path, "id"] if path != "id" else [path]
        same(
            ours.to_table(both, filter=pc.field("id") >= 2, with_row_address=True),
            theirs.to_table(both, filter="id >= 2", with_row_address=True),
        )


def nested_table(version):
    """Five rows with nulls and empty lists at every level; data version 2.0 has no null structs."""
    null = None if version != "2.0" else {"a": 3, "b": {"c": "z", "d": 0.5}}
    inner = pa.struct([("c", pa.string()), ("d", pa.float64())])
    rows = [
        {"a": 1, "b": {"c": "x", "d": None}},
        null,
        {"a": None, "b": null and null["b"]},
        {"a": 4, "b": {"c": None, "d": 2.5}},
        null,
    ]
    point = None if version != "2.0" else {"x": 9, "y": None}
    points = [[{"x": 1, "y": "a"}, point], None, [], [{"x": None, "y": "q"}], [point]]
    return pa.table(
        {
            "id": pa.array(range(5), pa.int64()),
            "s": pa.array(rows, pa.struct([("a", pa.int64()), ("b", inner)])),
            "l": pa.array(points, pa.list_(POINT)),
            "Big": pa.array([[1.0, 2.0]] * 5, pa.list_(pa.float32(), 2)),
            "we ird": pa.array([[1], [2, None], None, [], [3]], pa.large_list(pa.int8())),
        }
    )


@pytest.mark.parametrize("version", VERSIONS)
def test_nested_columns_are_read_whole_and_by_path(version, tmp_path):
    table = nested_table(version)
    theirs = lance.write_dataset(
        table, str(tmp_path), data_storage_version=version, max_rows_per_file=3
    )
    same_reads(tmp_path)
    theirs.delete("id = 3")
    same_reads(tmp_path)


LISTED = [
    ["s.a"],
    ["s", "s.a", "s.b.c"],
    ["s.b.d", "id", "s.a"],
    ["s.a", "s"],
    ["S.a", "s.a"],
    ["`Big`", "`we ird`", "we ird", "`s`.`a`", "S.`b`.c"],
    ["_rowid", "id", "_rowoffset", "_rowaddr"],
    [],
    {"x": "s.a", "y": "S.a", "z": "big"},
    {"id": "s", "s": "`id`", "_rowid": "we ird"},
    {"x": "_ROWID", "s.a": "s.a", "p": "l"},
    {},
]


@pytest.mark.parametrize("columns", LISTED, ids=str)
def test_columns_have_the_names_and_places_of_pylance(columns, tmp_path):
    table = nested_table("2.2").replace_schema_metadata({"owner": "us"})
    theirs = lance.write_dataset(table, str(tmp_path), max_rows_per_file=3)
    ours = tusk.dataset(tmp_path)
    same(ours.to_table(columns), theirs.to_table(columns))
    flags = {"with_row_id": True, "with_row_address": True}
    same(ours.to_table(columns, **flags), theirs.to_table(columns, **flags))
    both = (pc.field("id") > 0) & pc.field("s").is_valid()
    kept = ours.to_table(columns, filter=both, **flags)
    same(kept, theirs.to_table(columns, filter="id > 0 and s is not null", **flags))
    assert ours.scanner(columns).projected_schema == theirs.scanner(columns).projected_schema
    # There pylance forgets how many rows there are, and knows no names in another case.
    has_own_case = isinstance(columns, list) and any(path.startswith("S.") for path in columns)
    if columns and not has_own_case:
        same_take(ours.take([4, 0, 0], columns), theirs.take([4, 0, 0], columns))


@pytest.mark.parametrize(
    "columns, error",
    [
        (["nope"], ValueError),
        (["ID"], ValueError),
        (["s.nope"], ValueError),
        (["s.A"], ValueError),
        (["`s.a`"], ValueError),
        (["l.x"], ValueError),
        (["l.item.x"], ValueError),
        (["s.a", "s.a"], ValueError),
        (["s..a"], ValueError),
        ([""], ValueError),
        ({"x": "`big`"}, ValueError),
        ({"x": "nope"}, ValueError),
        ("id", TypeError),
        (("id",), TypeError),
        ([1], TypeError),
    ],
    ids=str,
)
def test_columns_that_are_not_there_raise_what_pylance_raises(columns, error, tmp_path):
    theirs = lance.write_dataset(nested_table("2.2"), str(tmp_path))
    for dataset in (theirs, tusk.dataset(tmp_path)):
        with pytest.raises(error):
            dataset.to_table(columns)


def test_expressions_that_are_none_are_refused_by_name(tmp_path):
    lance.write_dataset(nested_table("2.2"), str(tmp_path))
    for expression in ("sum(id)", "id +", "a.1b", "`we ird`[`no`]", "nothing + 1"):
        with pytest.raises(ValueError, match="column 'x': expression: at character"):
            tusk.dataset(tmp_path).to_table({"x": expression})


def test_filters_read_fields_inside_of_structs(tmp_path):
    table = nested_table("2.2")
    lance.write_dataset(table, str(tmp_path), max_rows_per_file=2)
    ours, theirs = tusk.dataset(tmp_path), lance.dataset(str(tmp_path))
    a, c = pc.field("s", "a"), pc.field("s", "b", "c")
    # pylance takes no Arrow expression with a nested field; its SQL is the same predicate.
    for expression, sql in [
        (a > 1, "s.a > 1"),
        (a.is_null(), "s.a is null"),
        (pc.field("s").is_null(), "s is null"),
        (c == "x", "s.b.c = 'x'"),
        (pc.field("s", "b").is_null() & (pc.field("id") < 4), "s.b is null and id < 4"),
        ((a > 3) | c.is_valid(), "s.a > 3 or s.b.c is not null"),
    ]:
        for columns in (["id"], ["s.a", "l"], ["s.b", "s", "s.b.c"], None):
            same(ours.to_table(columns, filter=expression), theirs.to_table(columns, filter=sql))
        assert ours.count_rows(expression) == theirs.count_rows(sql)
    for unknown in (pc.field("s", "nope") > 1, pc.field("nope", "a") > 1, pc.field("s.a") > 1):
        with pytest.raises(ValueError, match="nope|s.a"):
            ours.to_table(filter=unknown)


def test_children_of_one_struct_lie_in_several_files(tmp_path):
    table = nested_table("2.2").select(["id", "s", "l"])
    theirs = lance.write_dataset(table, str(tmp_path), max_rows_per_file=3)

    def add(name, values, *fields):
        theirs.add_columns(pa.table({name: pa.array(values, *fields)}).to_reader())

    def struct(*fields):
        return pa.struct(fields)

    # Where the files differ in what is null, a struct is there if any file has it.
    add("s", [{"e": 1}, {"e": 2}, None, None, {"e": None}], struct(("e", pa.int16())))
    same_reads(tmp_path)
    more = [{"b": {"f": 1}}, {"b": {"f": 2}}, None, {"b": None}, {"b": {"f": 4}}]
    add("s", more, struct(("b", struct(("f", pa.int16())))))
    same_reads(tmp_path)
    items = [[{"z": 1}, {"z": 2}], None, [], [{"z": None}], [{"z": 3}]]
    add("l", items, pa.list_(struct(("z", pa.int8()))))
    same_reads(tmp_path)
    # Children that no file has.
    absent = struct(("g", pa.int16()), ("h", struct(("i", pa.list_(pa.string())))))
    theirs.add_columns(pa.schema([("s", absent), ("l", pa.list_(struct(("k", pa.date32()))))]))
    same_reads(tmp_path)
    theirs.delete("id = 1")
    theirs.drop_columns(["s.a", "l.item.x"])
    same_reads(tmp_path)
    theirs.drop_columns(["s.b.d", "s.b.c", "s.e"])
    same_reads(tmp_path)


def test_lists_whose_lengths_differ_between_files_are_told(tmp_path):
    table = pa.table({"l": pa.array([[{"x": 1}], []], pa.list_(pa.struct([("x", pa.int8())])))})
    theirs = lance.write_dataset(table, str(tmp_path))
    other = pa.array([[], [{"y": 1}]], pa.list_(pa.struct([("y", pa.int8())])))
    theirs.add_columns(pa.table({"l": other}).to_reader())
    with pytest.raises(OSError, match="list 'l' of row 0 .* 1 items .* and 0 in another"):
        tusk.dataset(tmp_path).to_table()


@pytest.mark.parametrize("version", VERSIONS)
def test_schemas_evolve(version, tmp_path):
    theirs = lance.write_dataset(
        nested_table(version).select(["id", "s", "l"]),
        str(tmp_path),
        data_storage_version=version,
        max_rows_per_file=3,
    )
    theirs.add_columns({"double": "id * 2"})
    nothing = pa.struct([("q", pa.int32()), ("r", pa.list_(pa.int8()))])
    theirs.add_columns(pa.schema([("nothing", nothing)]))
    same_reads(tmp_path)
    theirs.drop_columns(["s.a"])
    theirs.alter_columns({"path": "s.b", "name": "bb"}, {"path": "l", "name": "points"})
    same_reads(tmp_path)
    theirs.alter_columns({"path": "id", "data_type": pa.int32()})
    same_reads(tmp_path)
    if version != "2.0":  # there pylance cannot read what it makes of the next
        theirs.alter_columns({"path": "s.bb.c", "data_type": pa.large_string()})
        theirs.drop_columns(["points.item.x"])
        same_reads(tmp_path)
    lance.write_dataset(
        pa.table({"id": pa.array([9], pa.int32())}), str(tmp_path), mode="append"
    )
    same_reads(tmp_path)


def test_files_of_several_data_versions_make_one_table(tmp_path):
    table = nested_table("2.0").select(["id", "s", "l"])
    for i, version in enumerate(VERSIONS + ["2.0"]):
        mode = "append" if i else "create"
        lance.write_dataset(table, str(tmp_path), mode=mode, data_storage_version=version)
    files = [f.metadata.files[0] for f in lance.dataset(str(tmp_path)).get_fragments()]
    assert [f.file_minor_version for f in files] == [0, 1, 2, 0]
    same_reads(tmp_path)


def test_packed_structs_are_read_in_part(tmp_path):
    """pylance gives other children's bytes here."""
    rows = [{"a": i, "b": 10 + i, "c": 20 + i} for i in range(3)]
    packed = pa.struct([("a", pa.int64()), ("b", pa.int32()), ("c", pa.int32())])
    field = pa.field("s", packed, metadata={"lance-encoding:packed": "true"})
    table = pa.table([pa.array(rows, packed)], pa.schema([field]))
    theirs = lance.write_dataset(table, str(tmp_path))
    assert tusk.dataset(tmp_path).to_table(["s.c", "s.a"]).to_pylist() == [
        {"s.c": row["c"], "s.a": row["a"]} for row in rows
    ]
    theirs.drop_columns(["s.a"])
    theirs.alter_columns({"path": "s.c", "name": "cc"})
    ours = tusk.dataset(tmp_path)
    expected = [{"s": {"b": row["b"], "cc": row["c"]}} for row in rows]
    assert ours.to_table().to_pylist() == expected
    assert ours.take([2, 0], ["s.cc"]).to_pylist() == [{"s": {"cc": 22}}, {"s": {"cc": 20}}]


@pytest.mark.parametrize("version", VERSIONS)
def test_types_of_extensions_are_read_as_pylance_scans_them(version, tmp_path):
    json = pa.array(['{"k": [1, 2.50]}', None, "3"], pa.json_())
    blobs = pa.array([b"abc", None, b""], pa.large_binary())
    with_blob = pa.struct([pa.field("b", pa.large_binary(), metadata=BLOB), ("i", pa.int32())])
    holders = [{"b": b"xy", "i": 1}, {"b": None, "i": 2}, {"b": b"", "i": None}]
    halves = lance.arrow.bfloat16_array([0.5, 1.5, 2.5, 3.5, 4.5, 5.5])
    table = pa.table(
        [
            pa.array(range(3), pa.int64()),
            blobs,
            pa.array(holders, with_blob),
            json,
            pa.StructArray.from_arrays([json], ["j"]),
            pa.ListArray.from_arrays([0, 2, 2, 3], json),
            lance.arrow.bfloat16_array([1.5, None, 2]),
            pa.FixedSizeListArray.from_arrays(halves, 2),
            pa.array(["u", None, "u"]).dictionary_encode(),
            pa.DictionaryArray.from_arrays(pa.array([0, 1, None], pa.int8()), ["v", None]),
        ],
        pa.schema(
            [
                pa.field("id", pa.int64(), nullable=False, metadata={"unit": "1"}),
                pa.field("blob", pa.large_binary(), metadata=BLOB),
                pa.field("holder", with_blob),
                ("json", json.type),
                ("json_struct", pa.struct([("j", json.type)])),
                ("json_list", pa.list_(json.type)),
                ("half", halves.type),
                ("halves", pa.list_(halves.type, 2)),
                ("dictionary", pa.dictionary(pa.int32(), pa.string())),
                ("small_dictionary", pa.dictionary(pa.int8(), pa.string())),
            ],
            metadata={"owner": "us"},
        ),
    )
    theirs = lance.write_dataset(
        table, str(tmp_path), data_storage_version=version, max_rows_per_file=2
    )
    same_reads(tmp_path)
    ours = tusk.dataset(tmp_path)
    is_text = pc.field("json_struct", "j").cast(pa.string()) == "3"
    assert ours.to_table(["id"], filter=is_text)["id"].to_pylist() == [2]
    same(ours.to_table(["holder.b.size"]), theirs.to_table(["holder.b.size"]))


def random_boxes(source, rows, nulls):
    """list<struct<list<struct>>> as of boxes with masks, with nulls and empty lists everywhere."""

    def maybe(make):
        return None if source.random() < nulls else make()

    def many(make):
        return [make() for _ in range(source.integers(0, 4))]

    def mask():
        return maybe(lambda: {"rle": maybe(lambda: many(lambda: maybe(lambda: 7))), "area": 0.5})

    def box():
        label = maybe(lambda: f"label {source.integers(0, 9)}")
        return maybe(lambda: {"label": label, "masks": maybe(lambda: many(mask))})

    return [maybe(lambda: many(box)) for _ in range(rows)]


@pytest.mark.parametrize("version", VERSIONS)
def test_one_table_holds_pictures_vectors_annotations_and_clouds(version, tmp_path):
    source = np.random.default_rng(5)
    rows = 300
    nulls = 0 if version == "2.0" else 0.2  # of structs; the rest of the nulls 2.0 has too
    masks = pa.list_(pa.struct([("rle", pa.list_(pa.int32())), ("area", pa.float32())]))
    boxes = pa.list_(pa.struct([("label", pa.string()), ("masks", masks)]))
    points = [source.random((source.integers(0, 5), 3)).tolist() for _ in range(rows)]
    table = pa.table(
        {
            "id": pa.array(range(rows), pa.int64()),
            "picture": pa.array([source.bytes(5000) for _ in range(rows)], pa.large_binary()),
            "audio": pa.array([source.bytes(90) for _ in range(rows)], pa.binary()),
            "caption": pa.array([f"caption {i % 7}" * (i % 5) for i in range(rows)]),
            "embedding": pa.array(source.random((rows, 64)).tolist(), pa.list_(pa.float32(), 64)),
            "cloud": pa.array(points, pa.list_(pa.list_(pa.float32(), 3))),
            "boxes": pa.array(random_boxes(source, rows, nulls), boxes),
            "taken_at": pa.array(range(rows), pa.timestamp("us", "UTC")),
        }
    )
    lance.write_dataset(table, str(tmp_path), data_storage_version=version, max_rows_per_file=120)
    same_reads(tmp_path)


def pages(path, column):
    """The buffers of all pages of a physical column."""
    metadata = tusk.file.LanceFileReader(path).metadata()
    return [b for page in metadata.columns[column].pages for b in page.buffers]


def read_bytes(dataset, read):
    """Requests and bytes of a read whose metadata are there already."""
    read()
    dataset.io_stats_incremental()
    read()
    return dataset.io_stats_incremental()


def test_a_projection_reads_the_pages_of_its_columns_only(tmp_path):
    source = np.random.default_rng(1)
    columns = {f"c{i}": source.integers(0, 2**62, 20_000) for i in range(50)}
    lance.write_dataset(pa.table(columns), str(tmp_path))
    (path,) = (tmp_path / "data").iterdir()
    ours = tusk.dataset(tmp_path)
    for number in (0, 17, 49):
        io = read_bytes(ours, lambda number=number: ours.to_table([f"c{number}"]))
        expected = sum(buffer.size for buffer in pages(path, number))
        assert 20_000 * 7 < io.read_bytes <= expected


def test_random_access_reads_the_chunks_of_its_rows_only(tmp_path):
    source = np.random.default_rng(2)
    rows = 100_000
    vectors = pa.FixedSizeListArray.from_arrays(
        pa.array(source.random(rows // 10 * 64), pa.float32()), 64
    )
    narrow = pa.table({"number": source.integers(0, 2**62, rows)})
    lance.write_dataset(narrow, str(tmp_path / "narrow"))
    lance.write_dataset(pa.table({"vector": vectors}), str(tmp_path / "wide"))
    ours = tusk.dataset(tmp_path / "narrow")
    # A chunk has no more than 8 KiB of values.
    io = read_bytes(ours, lambda: ours.take([77_777]))
    assert (io.read_iops, io.read_bytes <= 9000) == (1, True)
    io = read_bytes(ours, lambda: ours.take([5, 40_000, 40_001, 99_999]))
    assert io.read_bytes <= 3 * 9000
    # Wide values lie alone: a row is its own bytes.
    ours = tusk.dataset(tmp_path / "wide")
    io = read_bytes(ours, lambda: ours.take([7_777]))
    assert (io.read_iops, io.read_bytes) == (1, 256)


def test_repeated_access_reads_no_metadata(tmp_path):
    table = nested_table("2.2")
    lance.write_dataset(table, str(tmp_path), max_rows_per_file=2)
    ours = tusk.dataset(tmp_path)
    opened = ours.io_stats_snapshot()
    ours.to_table()
    first = ours.io_stats_incremental() - opened
    ours.to_table()
    second = ours.io_stats_incremental()
    buffers = 0
    for path in (tmp_path / "data").iterdir():
        for number in range(len(tusk.file.LanceFileReader(path).metadata().columns)):
            # Each begins at a multiple of 64, and what lies between neighbours is read with them.
            buffers += sum(buffer.size + 63 for buffer in pages(path, number))
    assert first.read_bytes > second.read_bytes
    assert second.read_bytes <= buffers
