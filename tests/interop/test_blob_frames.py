"""Blobs inside of structs in DataFrames: files in their places, as pylance puts them there."""

import lance
import pyarrow as pa
import pytest

import tusk

INNER = pa.struct([pa.field("x", pa.int32()), lance.blob_field("b")])
OUTER = pa.struct([pa.field("in", INNER), pa.field("n", pa.int8())])


@pytest.fixture
def uri(tmp_path):
    numbers = [pa.array([1, 2, 3], kind) for kind in (pa.int32(), pa.int8())]
    inner = pa.StructArray.from_arrays(
        [numbers[0], lance.blob_array([b"q", None, b"zz"])],
        fields=list(INNER),
        mask=pa.array([False, False, True]),
    )
    outer = pa.StructArray.from_arrays([inner, numbers[1]], fields=list(OUTER))
    schema = pa.schema([("id", pa.int64()), ("st", INNER), ("o", OUTER), lance.blob_field("top")])
    columns = [range(3), inner, outer, lance.blob_array([b"t", None, b"u"])]
    uri = str(tmp_path / "t")
    tusk.write_dataset(pa.table(columns, schema=schema), uri)
    return uri


def plain(value):
    if hasattr(value, "readall"):
        return type(value).__name__, value.readall()
    if isinstance(value, dict):
        return {name: plain(child) for name, child in value.items()}
    return value


def rows_of(library, uri, **options):
    frame = library.dataset(uri).to_pandas(**options)
    return {name: [plain(value) for value in frame[name]] for name in frame.columns}


@pytest.mark.parametrize(
    "columns",
    [
        ["id", "st", "o", "top"],
        ["o", "id"],
        {"a": "st", "b": "o"},
        {"q": "st.b"},
        {"q": "o.in", "id": "id"},
    ],
)
def test_files_lie_where_pylance_puts_them(uri, columns):
    ours = rows_of(tusk, uri, columns=columns)
    assert ours == rows_of(lance, uri, columns=columns)
    assert "BlobFile" in str(ours)


def test_rows_of_a_filter(uri):
    for library in (tusk, lance):
        found = rows_of(library, uri, columns=["st"], filter="id = 0")
        assert found == {"st": [{"x": 1, "b": ("BlobFile", b"q")}]}


def test_a_column_that_is_a_path(uri):
    # pylance takes its name for that of a column, and finds none.
    found = rows_of(tusk, uri, columns=["o.in"], filter="id = 0")
    assert found == {"o.in": [{"x": 1, "b": ("BlobFile", b"q")}]}
