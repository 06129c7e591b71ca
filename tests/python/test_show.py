"""Lakes at a glance, and search hits as a contact sheet."""

import base64
import html.parser
import io
import json
import pathlib

import lance
import numpy as np
import pytest
from PIL import Image
from test_cli import tusk as program

import tusk
from tusk.sheet import write_sheet


def shown(lake, *arguments):
    return json.loads(program("show", lake.uri, *arguments, "--json")[0])


def test_a_lake_shows_its_tables_as_the_peers_count_them(lake):
    lake.tag("first", 1)
    path = f"{lake.uri}/tables/media/pictures.lance"
    table = lance.dataset(path)
    table.create_scalar_index("content_id", "BTREE", name="by_id")
    lake.adopt()
    found = shown(lake)
    assert found["joint_version"] == 2 and found["tags"] == {"first": 1}
    media, meta = found["tables"]
    assert (media["kind"], media["rows"], media["indices"]) == ("lance", 30, ["by_id"])
    data = list(pathlib.Path(path, "data").glob("*.lance"))
    assert media["bytes"] == sum(file.stat().st_size for file in data) and media["files"] == 1
    parquet = list(pathlib.Path(lake.uri, "tables/media/pictures_meta/data").glob("*.parquet"))
    assert meta["bytes"] == sum(file.stat().st_size for file in parquet)
    assert media["model"] == meta["model"] == "pixels-v2"
    assert media["health"] == meta["health"] == "ok"
    text = program("show", lake.uri)[0]
    assert "tags: first (1)" in text and "media.pictures_meta" in text


def test_a_table_shows_its_columns_and_history(lake, picture_folder):
    found = shown(lake, "media.pictures")
    assert [column["name"] for column in found["columns"]] == ["content_id", "image", "embedding"]
    assert [change["added_rows"] for change in found["changes"]] == [30]
    text = program("show", lake.uri, "media.pictures_meta")[0]
    assert "iceberg table at snapshot" in text and "ingested_at" in text and "+30" in text
    error = program("show", lake.uri, "media.none", code=1)[1]
    assert "no table 'media.none'" in error


def test_health_tells_drift_and_what_cannot_be_opened(lake):
    table = lance.dataset(f"{lake.uri}/tables/media/pictures.lance")
    table.delete("content_id < '8'")
    assert shown(lake)["tables"][0]["health"] == "drifted"
    metadata = lake.table("media.pictures_meta").metadata_location
    with open(metadata, "w") as file:
        file.write("{}")
    assert "format-version" in shown(lake)["tables"][1]["health"]


def test_an_empty_lake_says_so(tmp_path):
    tusk.init(tmp_path / "lake")
    assert "the lake is empty" in program("show", tmp_path / "lake")[0]


class Sheet(html.parser.HTMLParser):
    """The pictures and texts of a sheet; fails on anything that is loaded from elsewhere."""

    def __init__(self, text):
        super().__init__()
        self.pictures, self.texts = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        assert tag not in ("script", "link", "iframe")
        for name, value in attributes:
            if name == "src":
                kind, data = value.split(",", 1)
                assert kind.startswith("data:image/") and kind.endswith(";base64")
                self.pictures.append(base64.b64decode(data))

    def handle_data(self, data):
        self.texts.append(data)


def test_a_contact_sheet_has_the_pictures_of_the_hits(lake, picture_folder, tmp_path):
    picture = next(picture_folder.rglob("0004.png"))
    out, _ = program(
        "search", lake.uri, "media.pictures", "--image", picture, "-k", 5, "--sheet", tmp_path / "s.html"
    )
    assert "Wrote 5 hits" in out
    sheet = Sheet((tmp_path / "s.html").read_text())
    hits = lake.search("media.pictures", picture, k=5, columns=["content_id", "image"])
    assert sheet.pictures == hits["image"].to_pylist()
    text = " ".join(sheet.texts)
    for content_id, distance in zip(*hits.select(["content_id", "_distance"]).to_pydict().values()):
        assert content_id in text and f"{distance:.6g}" in text
    assert "1. 1" in text  # the first hit is the picture itself, labelled 1


def test_a_sheet_of_references_converts_what_browsers_do_not_show(tmp_path):
    lake = tusk.init(tmp_path / "lake")
    pixels = np.random.default_rng(1).integers(0, 256, (8, 9, 3), dtype=np.uint8)
    (tmp_path / "in").mkdir()
    Image.fromarray(pixels).save(tmp_path / "in" / "<b>.tiff")
    Image.fromarray(255 - pixels).save(tmp_path / "in" / "gone.png")
    lake.ingest(tmp_path / "in", "a.b", media="reference")
    (tmp_path / "in" / "gone.png").unlink()
    hits = write_sheet(tmp_path / "s.html", lake, "a.b", tmp_path / "in" / "<b>.tiff", k=2)
    assert hits.schema.names == ["content_id", "_distance"]
    sheet = Sheet((tmp_path / "s.html").read_text())
    (png,) = sheet.pictures
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(png))), pixels)
    assert "no picture" in sheet.texts
    lake.append({"a.c": {"x": [1]}})
    with pytest.raises(tusk.errors.InvalidArgumentError, match="has no pictures"):
        write_sheet(tmp_path / "t.html", lake, "a.c", [1.0])
