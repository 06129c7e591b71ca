"""Picture formats, decoded as Pillow decodes them."""

import io

import numpy as np
import pytest
from PIL import Image, ImageOps

import tusk
from tusk import _tusk

PIXELS = np.random.default_rng(7)
COLOR = Image.fromarray(PIXELS.integers(0, 256, (13, 10, 3), dtype=np.uint8))
SMOOTH = Image.linear_gradient("L").resize((40, 24)).convert("RGB")
GRAY = COLOR.convert("L")
ALPHA = Image.fromarray(PIXELS.integers(0, 256, (13, 10, 4), dtype=np.uint8), "RGBA")
PALETTE = COLOR.quantize(17)
BIT = GRAY.convert("1")


def saved(image, format, **options):
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def on_white(image):
    """The pixels as Pillow has them, upright and over white."""
    image = ImageOps.exif_transpose(image)
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    return np.asarray(image.convert("RGB"))


def decoded(data):
    image = _tusk.decode_image(data)
    return np.frombuffer(image.rgb, np.uint8).reshape(image.height, image.width, 3)


def exif(orientation):
    made = Image.Exif()
    made[0x0112] = orientation
    return made


FILES = {
    "gif": (saved(PALETTE, "GIF"), "image/gif"),
    "gif gray": (saved(GRAY, "GIF"), "image/gif"),
    "gif interlaced": (saved(PALETTE, "GIF", interlace=1), "image/gif"),
    "gif transparent": (saved(PALETTE, "GIF", transparency=3), "image/gif"),
    "gif animated": (
        saved(PALETTE, "GIF", save_all=True, append_images=[COLOR.rotate(90).quantize(9)]),
        "image/gif",
    ),
    "bmp": (saved(COLOR, "BMP"), "image/bmp"),
    "bmp gray": (saved(GRAY, "BMP"), "image/bmp"),
    "bmp palette": (saved(PALETTE, "BMP"), "image/bmp"),
    "bmp bit": (saved(BIT, "BMP"), "image/bmp"),
    "tiff": (saved(COLOR, "TIFF"), "image/tiff"),
    "tiff lzw": (saved(COLOR, "TIFF", compression="tiff_lzw"), "image/tiff"),
    "tiff deflate": (saved(COLOR, "TIFF", compression="tiff_adobe_deflate"), "image/tiff"),
    "tiff gray": (saved(GRAY, "TIFF"), "image/tiff"),
    "tiff palette": (saved(PALETTE, "TIFF"), "image/tiff"),
    "tiff bit": (saved(BIT, "TIFF", compression="group4"), "image/tiff"),
    "tiff alpha": (saved(ALPHA, "TIFF"), "image/tiff"),
}


@pytest.mark.parametrize("name", FILES)
def test_pixels_are_those_of_pillow(name):
    data, media_type = FILES[name]
    assert _tusk.decode_image(data).media_type == media_type
    expected = on_white(Image.open(io.BytesIO(data)))
    # Alpha is multiplied in and taken out again on the way: one step of rounding.
    np.testing.assert_allclose(
        decoded(data).astype(int), expected.astype(int), atol=2 if "alpha" in name else 0
    )


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_turned_as_their_orientation_says(format, orientation):
    options = {"quality": 95} if format == "JPEG" else {"lossless": True} if format == "WEBP" else {}
    image = SMOOTH if format == "JPEG" else COLOR
    data = saved(image, format, exif=exif(orientation), **options)
    expected = on_white(Image.open(io.BytesIO(data)))
    assert decoded(data).shape == expected.shape
    np.testing.assert_allclose(
        decoded(data).astype(int), expected.astype(int), atol=3 if format == "JPEG" else 0
    )


# Variants that Pillow reads but does not write.
def bmp(width, height, bits, compression, pixels, palette=b"", masks=b""):
    info = np.array([40, width, height, 1 | bits << 16, compression, len(pixels), 0, 0,
                     len(palette) // 4, 0], "<i4").tobytes() + masks + palette  # fmt: skip
    return b"BM" + np.array([14 + len(info) + len(pixels), 0, 14 + len(info)], "<i4").tobytes() + (
        info + pixels
    )


FOUR_COLORS = bytes([0, 0, 0, 0, 255, 0, 0, 0, 0, 255, 0, 0, 0, 0, 255, 0])


def test_rarer_kinds_of_bmp():
    runs8 = bytes([3, 1, 0, 0, 0, 3, 2, 3, 1, 0, 0, 1])  # a run, end of row, three values, end
    runs4 = bytes([3, 0x12, 0, 0, 0, 3, 0x23, 0x10, 0, 1])
    for data in (
        bmp(3, 2, 8, 1, runs8, FOUR_COLORS),
        bmp(3, 2, 4, 2, runs4, FOUR_COLORS),
        bmp(2, 2, 16, 0, bytes([0x1F, 0, 0xE0, 3, 0, 0x7C, 0xFF, 0x7F])),
        bmp(2, 1, 16, 3, bytes([0x1F, 0, 0xE0, 7]),
            masks=np.array([0xF800, 0x07E0, 0x001F], "<u4").tobytes()),
        bmp(2, -2, 24, 0, bytes(range(16))),
        bmp(2, 1, 32, 0, bytes(range(8))),
    ):  # fmt: skip
        expected = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
        # Five bits become eight by rounding here, by shifting there.
        np.testing.assert_allclose(decoded(data).astype(int), expected.astype(int), atol=8)


@pytest.mark.parametrize("name", FILES)
def test_no_cut_file_is_taken_for_a_picture(name):
    data, _ = FILES[name]
    whole = decoded(data)
    for length in range(len(data) - 1):
        try:
            cut = decoded(data[:length])
        except tusk.errors.TuskError:
            continue
        # What stands behind the pixels of these formats says nothing of them.
        assert name.startswith(("tiff", "bmp")) and np.array_equal(cut, whole), length


@pytest.mark.parametrize("name", FILES)
def test_damaged_bytes_are_an_error_or_pixels(name):
    data, _ = FILES[name]
    for offset in range(len(data)):
        for value in (0, 255, data[offset] ^ 1):
            damaged = data[:offset] + bytes([value]) + data[offset + 1 :]
            try:
                image = _tusk.decode_image(damaged)
            except (tusk.errors.TuskError, MemoryError):
                continue
            assert len(image.rgb) == image.width * image.height * 3
