"""What makes vectors from media: built-in encoders, any Python function, and models of other packages.

An encoder has `model` (its name, stored with every row), `dimension`, `input` ("pictures" or
"files") and `encode(file)`.
"""

import dataclasses
import hashlib
import os
import tempfile

import numpy as np

from tusk import _tusk
from tusk.errors import InvalidArgumentError


@dataclasses.dataclass(frozen=True)
class Embedding:
    """A vector that knows its model: a search refuses it where another model made the vectors."""

    vector: np.ndarray
    model: str

    def __array__(self, dtype=None, copy=None):
        return np.array(self.vector, dtype=dtype, copy=copy)

    def __len__(self):
        return len(self.vector)


class Encoder:
    """Makes vectors; see `encoder` and `find`."""

    def __init__(self, native):
        self._native = native

    def __repr__(self):
        return f"<tusk encoder {self.model!r} of {self.input}, {self.dimension} numbers>"

    @property
    def model(self):
        return self._native.model

    @property
    def dimension(self):
        return self._native.dimension

    @property
    def input(self):
        """ "pictures" or "files": what the encoder works on."""
        return self._native.input

    def encode(self, file):
        """The Embedding of one file: a path, or its bytes."""
        if isinstance(file, (str, os.PathLike)):
            with open(file, "rb") as opened:
                file = opened.read()
        vector = np.array(self._native.encode(bytes(file)), dtype=np.float32)
        return Embedding(vector, self.model)


def encoder(function, *, model, dimension, input="pictures", batch=64):
    """An encoder whose vectors `function` makes.

    function: gets a list of at most `batch` pictures (arrays of height x width x 3 bytes, upright) or,
    with input="files", of the bytes of files, and gives an array of len(list) x dimension numbers. It
    runs on the thread that called the ingestion. model: names the method and its version; vectors of
    different models are never mixed.
    """

    def vectors(items):
        made = np.ascontiguousarray(function(items), dtype=np.float32)
        if made.shape != (len(items), dimension):
            raise ValueError(
                f"encoder {model} gave an array of shape {made.shape} instead of"
                f" {(len(items), dimension)}"
            )
        return made.tobytes()

    return Encoder(_tusk.python_encoder(vectors, model, dimension, input, batch))


def find(name):
    """The encoder that `name` means, or None for "none".

    "pixels" and "trigrams" are built in; "onnx:PATH", "open_clip:MODEL/PRETRAINED" and
    "whisper:MODEL" load models of other packages (extras onnx, clip, whisper);
    "MODULE:NAME" is an Encoder of your own, or a function without arguments that gives one.
    """
    if name is None or isinstance(name, Encoder):
        return name
    if name == "none":
        return None
    kind, colon, rest = name.partition(":")
    if not colon:
        return Encoder(_tusk.make_encoder(name))
    if kind == "onnx":
        return onnx(rest)
    if kind == "open_clip":
        architecture, _, pretrained = rest.partition("/")
        return open_clip(architecture, pretrained or None)
    if kind == "whisper":
        return whisper(rest)
    return _own(kind, rest)


def of_model(model):
    """The built-in encoder of a model ("pixels-v2"). InvalidArgumentError if it is not built in or if
    this build makes another version of it."""
    try:
        found = find(model.rpartition("-v")[0] or model)
    except (InvalidArgumentError, FileNotFoundError):
        found = None
    if found is None or found.model != model:
        raise InvalidArgumentError(
            f"the vectors are of {model}, which this build does not make: pass its encoder, or a vector"
        )
    return found


def _own(module, name):
    import importlib

    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise InvalidArgumentError(f"there is no encoder {module}:{name}: {error}") from error
    if not isinstance(found, Encoder) and callable(found):
        found = found()
    if not isinstance(found, Encoder):
        raise InvalidArgumentError(f"{module}:{name} is no encoder: make one with tusk.encoder")
    return found


def _resized(pictures, width, height):
    """The pictures scaled and cut to one size: n x height x width x 3 floats in 0 to 1."""
    from PIL import Image

    def fit(pixels):
        image = Image.fromarray(pixels)
        scale = max(width / image.width, height / image.height)
        size = (max(width, round(image.width * scale)), max(height, round(image.height * scale)))
        image = image.resize(size, Image.Resampling.BICUBIC)
        left, top = (image.width - width) // 2, (image.height - height) // 2
        return np.asarray(image.crop((left, top, left + width, top + height)))

    return np.stack([fit(pixels) for pixels in pictures]).astype(np.float32) / 255


# What CLIP models and most others were trained with.
CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD = (0.26862954, 0.26130258, 0.27577711)


def onnx(path, *, model=None, mean=CLIP_MEAN, std=CLIP_STD, providers=None, batch=32):
    """An encoder of pictures that runs an ONNX model by onnxruntime (`pip install tusk-lake[onnx]`).

    The model has one input of n x 3 x height x width floats, normalised by mean and std, and its first
    output is n x dimension. model: by default the file's name and the start of its SHA-256.
    """
    import onnxruntime

    path = os.fspath(path)
    session = onnxruntime.InferenceSession(
        path, providers=providers or onnxruntime.get_available_providers()
    )
    taken, given = session.get_inputs(), session.get_outputs()[0]
    if len(taken) != 1 or len(taken[0].shape) != 4 or taken[0].shape[1] != 3:
        raise InvalidArgumentError(
            f"{path}: a model with one input of n x 3 x height x width is needed, not"
            f" {[(one.name, one.shape) for one in taken]}"
        )
    height, width = taken[0].shape[2:]
    if not isinstance(height, int) or not isinstance(width, int):
        raise InvalidArgumentError(f"{path}: the model does not fix the size of its input")
    if len(given.shape) != 2 or not isinstance(given.shape[1], int):
        raise InvalidArgumentError(f"{path}: the first output is {given.shape}, not n x dimension")
    most = taken[0].shape[0] if isinstance(taken[0].shape[0], int) else batch

    def vectors(pictures):
        pixels = (_resized(pictures, width, height) - np.float32(mean)) / np.float32(std)
        pixels = np.ascontiguousarray(pixels.transpose(0, 3, 1, 2), dtype=np.float32)
        return session.run([given.name], {taken[0].name: pixels})[0]

    if model is None:
        with open(path, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        model = f"onnx:{os.path.basename(path)}:{digest[:12]}"
    return encoder(vectors, model=model, dimension=given.shape[1], batch=most)


def open_clip(architecture="ViT-B-32", pretrained=None, *, device=None, batch=64):
    """An encoder of pictures by open_clip (`pip install tusk-lake[clip]`); vectors have length 1.

    pretrained: the name of weights that open_clip knows; None makes random ones, for tests.
    """
    import open_clip as package
    import torch
    from PIL import Image

    device = device or ("cuda" if torch.cuda.is_available() else "cpu")
    network, _, prepare = package.create_model_and_transforms(
        architecture, pretrained=pretrained, device=device
    )
    network.eval()

    @torch.inference_mode()
    def vectors(pictures):
        pixels = torch.stack([prepare(Image.fromarray(picture)) for picture in pictures])
        made = network.encode_image(pixels.to(device)).float()
        return torch.nn.functional.normalize(made, dim=-1).cpu().numpy()

    blank = np.zeros((8, 8, 3), np.uint8)
    dimension = vectors([blank]).shape[1]
    model = f"open_clip:{architecture}/{pretrained or 'random'}"
    return encoder(vectors, model=model, dimension=dimension, batch=batch)


def whisper(name="base", *, device=None):
    """An encoder of sound by openai-whisper (`pip install tusk-lake[whisper]`, and ffmpeg).

    A file becomes the mean of the encoder's states over its first 30 seconds.
    """
    import torch
    import whisper as package

    network = package.load_model(name, device=device)
    return _whisper_encoder(network, f"whisper:{name}", torch, package)


def _load_sound(file, package):
    """Floats at 16 kHz: WAV files of 16 kHz, 16 bits, one channel as they are, others by ffmpeg."""
    import io
    import wave

    try:
        with wave.open(io.BytesIO(file)) as sound:
            shape = (sound.getframerate(), sound.getsampwidth(), sound.getnchannels())
            if shape == (16_000, 2, 1):
                samples = np.frombuffer(sound.readframes(sound.getnframes()), "<i2")
                return samples.astype(np.float32) / 32768
    except (wave.Error, EOFError):
        pass
    with tempfile.NamedTemporaryFile() as copy:
        copy.write(file)
        copy.flush()
        try:
            return package.load_audio(copy.name)
        except FileNotFoundError as error:
            raise InvalidArgumentError("sound other than 16 kHz WAV needs ffmpeg") from error


def _whisper_encoder(network, model, torch, package):
    @torch.inference_mode()
    def vectors(files):
        spectra = []
        for file in files:
            sound = package.pad_or_trim(_load_sound(file, package))
            spectra.append(package.log_mel_spectrogram(sound, n_mels=network.dims.n_mels))
        states = network.embed_audio(torch.stack(spectra).to(network.device))
        return states.mean(dim=1).float().cpu().numpy()

    return encoder(
        vectors, model=model, dimension=network.dims.n_audio_state, input="files", batch=8
    )
