"""Encoders of large packages, with random weights: `make test-models` only (gigabytes to install)."""

import os
import wave

import numpy as np
import pytest
from conftest import write_pictures

import tusk
from tusk import encoders

pytestmark = pytest.mark.skipif(
    os.environ.get("TUSK_TEST_MODELS") != "1", reason="asked for by TUSK_TEST_MODELS=1"
)


def test_open_clip_encodes_pictures(tmp_path):
    found = encoders.open_clip("RN50", None, device="cpu", batch=4)
    assert found.model == "open_clip:RN50/random" and found.input == "pictures"
    write_pictures(tmp_path / "in", 6)
    lake = tusk.init(tmp_path / "lake")
    lake.ingest(tmp_path / "in", "media.pictures", encoder=found)
    vectors = np.array(lake.table("media.pictures").to_table()["embedding"].to_pylist())
    assert vectors.shape == (6, found.dimension)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-4)
    picture = next((tmp_path / "in").rglob("0002.png"))
    hits = lake.search("media.pictures", picture, k=1, encoder=found)
    assert hits["_distance"][0].as_py() == pytest.approx(0, abs=1e-5)


def test_whisper_encodes_sound(tmp_path):
    import torch
    import whisper

    dims = whisper.ModelDimensions(
        n_mels=80, n_audio_ctx=1500, n_audio_state=64, n_audio_head=2, n_audio_layer=1,
        n_vocab=100, n_text_ctx=16, n_text_state=64, n_text_head=2, n_text_layer=1,
    )  # fmt: skip
    network = whisper.model.Whisper(dims).eval()
    found = encoders._whisper_encoder(network, "whisper:random", torch, whisper)
    (tmp_path / "in").mkdir()
    for tone in (220, 440):
        with wave.open(str(tmp_path / "in" / f"{tone}.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(16_000)
            sound = np.sin(np.arange(16_000) * 2 * np.pi * tone / 16_000) * 20_000
            file.writeframes(sound.astype("<i2").tobytes())
    lake = tusk.init(tmp_path / "lake")
    assert lake.ingest(tmp_path / "in", "media.sounds", encoder=found).added == 2
    hits = lake.search("media.sounds", tmp_path / "in" / "440.wav", k=2, encoder=found)
    distances = hits["_distance"].to_pylist()
    assert distances[0] == pytest.approx(0, abs=1e-5) and distances[1] > 0
