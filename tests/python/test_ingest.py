"""Ingestion through the Python API and the command line: encoders, labels, references, Ctrl-C."""

import collections
import csv
import hashlib
import json
import os
import signal
import subprocess
import time

import numpy as np
import pyarrow as pa
import pytest
from conftest import write_pictures
from test_cli import PROGRAM, rows, tusk as program

import tusk
from tusk import encoders


def mean_color(pictures):
    assert all(picture.dtype == np.uint8 and picture.shape[2] == 3 for picture in pictures)
    return [picture.reshape(-1, 3).mean(0) for picture in pictures]


@pytest.fixture
def new_lake(tmp_path):
    return tusk.init(tmp_path / "lake")


def test_any_function_is_an_encoder(new_lake, picture_folder):
    sizes = []

    def counted(pictures):
        sizes.append(len(pictures))
        return mean_color(pictures)

    own = tusk.encoder(counted, model="mean-v1", dimension=3, batch=8)
    report = new_lake.ingest(picture_folder, "media.pictures", encoder=own)
    assert report.added == 30 and max(sizes) == 8 and sum(sizes) == 30
    table = new_lake.table("media.pictures")
    assert table.config()["tusk.embedding_model"] == "mean-v1"
    meta = new_lake.table("media.pictures_meta").to_table()
    assert set(meta["embedding_model"].to_pylist()) == {"mean-v1"}
    from PIL import Image

    expected = {
        hashlib.sha256(path.read_bytes()).hexdigest(): np.asarray(
            Image.open(path).convert("RGB"), np.float64
        ).reshape(-1, 3).mean(0)
        for path in picture_folder.rglob("*.png")
    }  # fmt: skip
    stored = table.to_table(["content_id", "embedding"]).to_pydict()
    for content_id, vector in zip(*stored.values()):
        np.testing.assert_allclose(vector, expected[content_id], rtol=1e-6)
    picture = next(picture_folder.rglob("0004.png"))
    hits = new_lake.search("media.pictures", picture, k=1, encoder=own)
    assert hits["content_id"][0].as_py() == hashlib.sha256(picture.read_bytes()).hexdigest()
    assert new_lake.search("media.pictures", own.encode(picture), k=1) == hits


def test_vectors_of_another_model_are_refused(new_lake, picture_folder):
    own = tusk.encoder(mean_color, model="mean-v1", dimension=3)
    new_lake.ingest(picture_folder, "media.pictures", encoder=own)
    other = tusk.encoder(mean_color, model="mean-v2", dimension=3)
    picture = next(picture_folder.rglob("*.png"))
    refused = pytest.raises(tusk.errors.InvalidArgumentError, match="mean-v1.*mean-v2")
    with refused:
        new_lake.search("media.pictures", other.encode(picture))
    with refused:
        new_lake.search("media.pictures", picture, encoder=other)
    with refused:
        new_lake.search("media.pictures", [1.0, 2.0, 3.0], model="mean-v2")
    with pytest.raises(tusk.errors.InvalidArgumentError, match="does not make: pass its encoder"):
        new_lake.search("media.pictures", picture)
    with pytest.raises(tusk.errors.InvalidArgumentError, match="holds vectors of encoder 'mean-v1'"):
        new_lake.ingest(picture_folder, "media.pictures", encoder=other)
    assert new_lake.search("media.pictures", [1.0, 2.0, 3.0], k=3).num_rows == 3


def test_mixed_models_are_noticed_by_a_search(lake, picture_folder):
    meta = lake.table("media.pictures_meta").to_table()
    position = meta.schema.get_field_index("embedding_model")
    mixed = meta.slice(0, 1).set_column(position, meta.schema.field(position), pa.array(["other"]))
    lake.append(iceberg={"media.pictures_meta": mixed})
    with pytest.raises(tusk.errors.InvalidArgumentError, match="1 rows .* say another model"):
        lake.search("media.pictures", next(picture_folder.rglob("*.png")))


def test_what_an_encoder_raises_comes_out_and_nothing_is_committed(new_lake, picture_folder):
    def broken(pictures):
        raise LookupError("no such layer")

    with pytest.raises(LookupError, match="no such layer"):
        new_lake.ingest(
            picture_folder, "a.b", encoder=tusk.encoder(broken, model="m", dimension=2)
        )
    wrong = tusk.encoder(lambda pictures: np.zeros((1, 2)), model="m", dimension=3)
    with pytest.raises(ValueError, match=r"shape \(1, 2\)"):
        new_lake.ingest(picture_folder, "a.b", encoder=wrong)
    assert new_lake.tables() == [] and new_lake.log() == []


def trigrams(text):
    """The encoder of docs/format/trigrams_encoder.md, slowly."""
    normal = "".join(c.lower() if c.isascii() and c.isalnum() else " " for c in text)
    words = f" {' '.join(normal.split())} ".encode()
    counts = np.zeros(256)
    for start in range(len(words) - 2):
        value = 2166136261
        for byte in words[start : start + 3]:
            value = (value ^ byte) * 16777619 % 2**32
        counts[value % 256] += 1
    roots = np.sqrt(counts)
    return roots / np.linalg.norm(roots)


def test_texts_get_vectors_of_trigrams(new_lake, tmp_path):
    texts = ["The quick brown fox.", "  the QUICK\nbrown dog", "Lorem ipsum, dolor sit amet!"]
    (tmp_path / "texts").mkdir()
    for number, text in enumerate(texts):
        (tmp_path / "texts" / f"{number}.txt").write_text(text)
    new_lake.ingest(tmp_path / "texts", "docs.texts", encoder="trigrams")
    stored = new_lake.table("docs.texts").to_table().to_pydict()
    for media, vector in zip(stored["media"], stored["embedding"]):
        np.testing.assert_allclose(vector, trigrams(media.decode()), rtol=1e-5)
    hits = new_lake.search("docs.texts", b"a quick brown cat", k=3, columns=["media"])
    assert hits["media"][2].as_py().startswith(b"Lorem")


def test_an_onnx_model_is_an_encoder(new_lake, picture_folder, tmp_path):
    pytest.importorskip("onnxruntime")
    onnx = pytest.importorskip("onnx")
    # The mean of each channel of an 8 x 8 picture.
    float_type = onnx.TensorProto.FLOAT
    graph = onnx.helper.make_graph(
        [
            onnx.helper.make_node("GlobalAveragePool", ["pixels"], ["means"]),
            onnx.helper.make_node("Flatten", ["means"], ["vectors"]),
        ],
        "means",
        [onnx.helper.make_tensor_value_info("pixels", float_type, ["n", 3, 8, 8])],
        [onnx.helper.make_tensor_value_info("vectors", float_type, ["n", 3])],
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.save(model, tmp_path / "means.onnx")
    found = encoders.find(f"onnx:{tmp_path / 'means.onnx'}")
    assert found.dimension == 3 and found.model.startswith("onnx:means.onnx:")
    new_lake.ingest(picture_folder, "media.pictures", encoder=found)
    picture = next(picture_folder.rglob("0003.png"))
    from PIL import Image

    pixels = np.asarray(Image.open(picture).convert("RGB"), np.float64).reshape(-1, 3) / 255
    expected = (pixels.mean(0) - encoders.CLIP_MEAN) / encoders.CLIP_STD
    np.testing.assert_allclose(found.encode(picture), expected, rtol=1e-4)
    hits = new_lake.search("media.pictures", found.encode(picture), k=1)
    assert hits["_distance"][0].as_py() == pytest.approx(0, abs=1e-6)


def test_labels_come_from_files(new_lake, picture_folder, tmp_path):
    paths = sorted(path.relative_to(picture_folder) for path in picture_folder.rglob("*.png"))
    labels = {str(path): f"label {number % 4}" for number, path in enumerate(paths[:-2])}
    with open(tmp_path / "labels.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["extra", "label", "path"])
        writer.writerows(("x,y", label, path) for path, label in labels.items())
    with open(tmp_path / "labels.jsonl", "w") as file:
        for path, label in labels.items():
            file.write(json.dumps({"file_name": path, "label": label}) + "\n")
    counted = collections.Counter([*labels.values(), None, None])
    for ending in ("csv", "jsonl"):
        report = new_lake.ingest(
            picture_folder, f"media.{ending}", label_from=tmp_path / f"labels.{ending}"
        )
        assert (report.added, report.unlabelled) == (30, 2)
        meta = new_lake.table(f"media.{ending}_meta").to_table(["label"])
        assert collections.Counter(meta["label"].to_pylist()) == counted
    (tmp_path / "wrong.csv").write_text("path,label\nnot/here.png,x\n")
    with pytest.raises(tusk.errors.InvalidArgumentError, match="none of the 1 paths"):
        new_lake.ingest(picture_folder, "media.other", label_from=tmp_path / "wrong.csv")


def test_references_keep_paths(new_lake, picture_folder):
    new_lake.ingest(picture_folder, "media.pictures", media="reference")
    table = new_lake.table("media.pictures").to_table()
    assert table.schema.names == ["content_id", "image_uri", "embedding"]
    for content_id, uri in zip(table["content_id"].to_pylist(), table["image_uri"].to_pylist()):
        with open(uri, "rb") as file:
            assert hashlib.sha256(file.read()).hexdigest() == content_id


def test_commits_have_the_stated_size(new_lake, picture_folder):
    report = new_lake.ingest(picture_folder, "media.pictures", commit_rows=7)
    assert (report.commits, report.joint_version, report.added) == (5, 5, 30)
    assert [entry.changes[0].added_rows for entry in new_lake.log()] == [2, 7, 7, 7, 7]
    with pytest.raises(tusk.errors.InvalidArgumentError, match="commits of 0 rows"):
        new_lake.ingest(picture_folder, "media.other", commit_rows=0)


def test_ctrl_c_leaves_whole_commits_and_the_same_command_finishes(tmp_path):
    write_pictures(tmp_path / "in", 600)
    program("init", "LAKE", cwd=tmp_path)
    (tmp_path / "slow.py").write_text(
        "import time, tusk\n"
        "def vectors(pictures):\n"
        "    time.sleep(0.05)\n"
        "    return [picture.reshape(-1, 3).mean(0) for picture in pictures]\n"
        "encoder = tusk.encoder(vectors, model='slow-v1', dimension=3, batch=20)\n"
    )
    command = [
        PROGRAM, "ingest", "LAKE", "in", "--name", "a.b", "--encoder", "slow:encoder",
        "--commit-rows", "60",
    ]  # fmt: skip


    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    running = subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE)
    lake = tusk.connect(tmp_path / "LAKE")
    deadline = time.monotonic() + 60
    while len(lake.log()) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    running.send_signal(signal.SIGINT)
    assert running.wait(timeout=30) == 130, running.stderr.read()
    running.stderr.close()
    committed = lake.table("a.b").count_rows()
    assert 120 <= committed < 600 and committed % 60 == 0
    assert lake.table("a.b_meta").count_rows() == committed
    subprocess.run(command, cwd=tmp_path, env=environment, check=True, timeout=120)
    ids = lake.table("a.b").to_table(["content_id"])["content_id"].to_pylist()
    assert len(ids) == len(set(ids)) == 600
    assert lake.table("a.b_meta").count_rows() == 600


def test_files_of_every_kind_by_the_command_line(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").write_text("some words")
    (tmp_path / "in" / "b.wav").write_bytes(b"RIFF\x04\0\0\0WAVE")
    program("init", "LAKE", cwd=tmp_path)
    out, _ = program(
        "ingest", "LAKE", "in", "--name", "a.files", "--encoder", "none", "--media", "reference",
        "--property", "source=tests", cwd=tmp_path,
    )  # fmt: skip
    assert "added 2 of 2 files" in out
    found = rows("sql", "LAKE", "select media_type from a.files_meta order by 1", cwd=tmp_path)
    assert [row["media_type"] for row in found] == ["audio/wav", "text/plain"]
    assert "source=tests" in program("log", "LAKE", cwd=tmp_path)[0]
    program("ingest", "LAKE", "in", "--name", "a.t", "--encoder", "trigrams", cwd=tmp_path)
    hits = rows("search", "LAKE", "a.t", "--file", "in/a.txt", "-k", 1, cwd=tmp_path)
    assert hits[0]["distance"] == 0
    error = program("search", "LAKE", "a.files", "--file", "in/a.txt", cwd=tmp_path, code=1)[1]
    assert "no vector column" in error
    error = program(
        "ingest", "LAKE", "in", "--name", "a.b", "--encoder", "no:such", cwd=tmp_path, code=1
    )[1]
    assert "there is no encoder no:such" in error
