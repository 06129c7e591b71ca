"""Writes the seeds of image_fuzz: small pictures of every format, by Pillow 13.0.0.

    python tests/corpus/pictures/make_seeds.py
"""

import io
import pathlib

import numpy as np
from PIL import Image

HERE = pathlib.Path(__file__).parent / "seeds"
COLOR = Image.fromarray(np.random.default_rng(7).integers(0, 256, (7, 5, 3), dtype=np.uint8))


def save(name, image, format, **options):
    file = io.BytesIO()
    image.save(file, format, **options)
    (HERE / name).write_bytes(file.getvalue())


def main():
    turned = Image.Exif()
    turned[0x0112] = 6
    palette = COLOR.quantize(7)
    alpha = COLOR.convert("RGBA")
    save("color.png", COLOR, "PNG", exif=turned)
    save("palette.png", palette, "PNG", transparency=2)
    save("color.jpg", COLOR, "JPEG", exif=turned)
    save("gray.jpg", COLOR.convert("L"), "JPEG", progressive=True)
    save("color.webp", COLOR, "WEBP", exif=turned)
    save("alpha.webp", alpha, "WEBP", lossless=True)
    save("palette.gif", palette, "GIF", transparency=2, interlace=1)
    save("animated.gif", palette, "GIF", save_all=True, append_images=[COLOR.rotate(90).quantize(5)])
    save("color.bmp", COLOR, "BMP")
    save("palette.bmp", palette, "BMP")
    save("bit.bmp", COLOR.convert("1"), "BMP")
    save("color.tiff", COLOR, "TIFF", compression="tiff_lzw", exif=turned)
    save("alpha.tiff", alpha, "TIFF", compression="tiff_adobe_deflate")
    save("bit.tiff", COLOR.convert("1"), "TIFF", compression="group4")


if __name__ == "__main__":
    main()
