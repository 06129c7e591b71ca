"""Models of pydantic as tables, beside pylance, whose module gives the schemas and rows."""

import datetime
import enum

import numpy as np
import pyarrow as pa
import pytest

import tusk

pydantic = pytest.importorskip("pydantic")
lance = pytest.importorskip("lance")


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Rank(enum.IntEnum):
    LOW = 1


class Point(pydantic.BaseModel):
    x: int
    y: float | None = None


def picture_model(vectors):
    """A model annotated with the vectors of a package."""

    class Picture(pydantic.BaseModel):
        id: int
        label: str = "none"
        score: float
        kept: bool
        raw: bytes
        day: datetime.date
        taken: datetime.datetime = pydantic.Field(json_schema_extra={"tz": "UTC"})
        seen: datetime.datetime
        note: str | None = None
        embedding: vectors.Vector(3)
        half: vectors.Vector(2, pa.float16(), nullable=False)
        patches: vectors.MultiVector(2)
        tags: list[str]
        gaps: list[str | None]
        boxes: list[list[int]]
        pair: tuple[int, ...]
        point: Point
        maybe: Point | None = None
        path: list[Point]
        rank: Rank

    return Picture


def picture(model, number):
    time = datetime.datetime(2024, 2, number, 3, 4, 5)
    return model(
        id=number,
        score=number / 2,
        kept=True,
        raw=b"raw",
        day=time.date(),
        taken=time,
        seen=time,
        embedding=[1, 2, number],
        half=np.array([0.5, number]),
        patches=[[1, 2], [3, 4]],
        tags=["a", "b"],
        gaps=["a", None],
        boxes=[[1], []],
        pair=(1, 2),
        point=Point(x=number),
        path=[Point(x=1, y=2.0)],
        rank=Rank.LOW,
    )


def test_models_are_stored_as_pylance_stores_them(tmp_path):
    import lance.pydantic as theirs

    import tusk.pydantic as ours

    tables = []
    for package, vectors in ((lance, theirs), (tusk, ours)):
        model = picture_model(vectors)
        models = [picture(model, number) for number in (1, 2)]
        made = package.LanceDataset.from_pydantic_model(model, models, tmp_path / package.__name__)
        tables.append(made.to_table())
        assert vectors.pydantic_to_schema(model) == made.schema
    assert tables[0].schema == tables[1].schema
    assert tables[0] == tables[1]


def test_a_list_of_models_is_written_and_appended(tmp_path):
    dataset = tusk.write_dataset([Point(x=1), Point(x=2, y=0.5)], tmp_path / "points")
    dataset.insert([Point(x=3)])
    assert dataset.to_table().to_pylist() == [
        {"x": 1, "y": None},
        {"x": 2, "y": 0.5},
        {"x": 3, "y": None},
    ]
    assert dataset.schema == pa.schema(
        [pa.field("x", pa.int64(), nullable=False), pa.field("y", pa.float64())]
    )


def test_enums_are_stored_as_their_values(tmp_path):
    class Car(pydantic.BaseModel):
        color: Color
        others: list[Color]

    cars = [Car(color=Color.RED, others=[Color.BLUE])]
    dataset = tusk.LanceDataset.from_pydantic_model(Car, cars, tmp_path / "cars")
    assert dataset.to_table().to_pylist() == [{"color": "red", "others": ["blue"]}]


def test_without_a_uri_the_folder_is_called_as_the_class(tmp_path, monkeypatch):
    class RedCar(pydantic.BaseModel):
        id: int

    monkeypatch.chdir(tmp_path)
    tusk.LanceDataset.from_pydantic_model(RedCar, [RedCar(id=1)])
    assert [path.name for path in tmp_path.iterdir()] == ["red_car"]


class Sub(Point):
    z: int = 0


@pytest.mark.parametrize(
    ("model", "data", "error", "text"),
    [
        (Point, [], ValueError, "a model at least"),
        (Point, (Point(x=1) for _ in range(1)), TypeError, "as a list, not generator"),
        (Point, [Point(x=1), Sub(x=2)], TypeError, r"data\[1\] must be a Point itself, not Sub"),
        (dict, [{}], TypeError, "must be a pydantic BaseModel class"),
    ],
)
def test_what_is_no_list_of_the_model_is_refused(tmp_path, model, data, error, text):
    with pytest.raises(error, match=text):
        tusk.LanceDataset.from_pydantic_model(model, data, tmp_path / "none")
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("annotation", [list, dict[str, int], int | str, object])
def test_an_annotation_without_an_arrow_type_is_named(annotation):
    import tusk.pydantic

    model = pydantic.create_model("Model", value=(annotation, ...))
    with pytest.raises(TypeError, match="no Arrow type for the annotation"):
        tusk.pydantic.pydantic_to_schema(model)


def test_a_vector_of_another_length_is_refused():
    import tusk.pydantic

    model = pydantic.create_model("Model", vector=(tusk.pydantic.Vector(2), ...))
    assert list(model(vector=np.array([1.0, 2.0])).vector) == [1.0, 2.0]
    with pytest.raises(ValueError, match="at least 2 items"):
        model(vector=[1.0])


def test_to_import_tusk_imports_no_pydantic():
    import subprocess
    import sys

    code = "import sys, tusk; tusk.write_dataset; assert 'pydantic' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
