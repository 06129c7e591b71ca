"""The main job on real input: the 1,797 handwritten digits of scikit-learn become a lake.

    python tools/demo.py [FOLDER]     default: build/demo, made anew

Writes the digits as PNG files, one folder per label, in two batches, and runs the commands that a
user would type; each is printed before its output. At the end it checks the lake against plain
numpy and fails if they disagree.
"""

import pathlib
import shlex
import shutil
import subprocess
import sys

import numpy
from PIL import Image
from sklearn.datasets import load_digits

FIRST_BATCH = 1500  # images; the rest come second, with some of the first again
REPEATED = 50


def write_png(folder: pathlib.Path, number: int, label: int, pixels: numpy.ndarray) -> None:
    path = folder / str(label) / f"{number:04}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    # The digits have 17 grey levels, 0 to 16.
    Image.fromarray(numpy.round(pixels * 255 / 16).astype(numpy.uint8)).save(path)


def write_digits(root: pathlib.Path) -> None:
    digits = load_digits()
    for number, (pixels, label) in enumerate(zip(digits.images, digits.target)):
        if number < FIRST_BATCH:
            write_png(root / "digits", number, label, pixels)
        if number >= FIRST_BATCH or number < REPEATED:
            write_png(root / "more", number, label, pixels)


def tusk(root: pathlib.Path, *arguments: str) -> None:
    print(f"\n$ tusk {shlex.join(arguments)}", flush=True)
    program = pathlib.Path(sys.executable).parent / "tusk"
    subprocess.run([program, *arguments], cwd=root, check=True)


def check_against_numpy(root: pathlib.Path) -> None:
    """Every digit's nearest other digit, through the lake and through numpy."""
    import tusk

    lake = tusk.connect(root / "LAKE")
    table = lake.table("media.digits").to_table(["content_id", "embedding"])
    ids = table["content_id"].to_numpy()
    vectors = numpy.stack(table["embedding"].combine_chunks().flatten().to_numpy().reshape(len(ids), -1))
    meta = lake.table("media.digits_meta").to_table(["content_id", "label"])
    label_of = dict(zip(meta["content_id"].to_pylist(), meta["label"].to_pylist()))

    agreeing = 0
    for content_id, vector in zip(ids, vectors):
        hits = lake.search("media.digits", vector, k=2, columns=["content_id"])
        nearest = next(hit for hit in hits["content_id"].to_pylist() if hit != content_id)
        agreeing += label_of[nearest] == label_of[content_id]
    agreement = agreeing / len(ids)
    print(f"\nLeave-one-out label agreement of the nearest neighbour over {len(ids)} digits: {agreement:.4f}")

    query = vectors[7]
    hits = lake.search("media.digits", query, k=10, columns=["content_id"])
    plain = numpy.sum((vectors - query) ** 2, axis=1)
    nearest = numpy.argsort(plain, kind="stable")[:10]
    same = numpy.allclose(hits["_distance"].to_numpy(), plain[nearest], rtol=1e-5, atol=1e-5)
    print(f"The 10 distances of one query equal plain numpy's: {'yes' if same else 'NO'}")
    if agreement < 0.95 or not same:
        sys.exit("the demo's checks failed")


def main() -> None:
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "build/demo").resolve()
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    write_digits(root)
    print(f"Wrote {FIRST_BATCH} digits to {root.name}/digits and the rest to {root.name}/more")

    tusk(root, "init", "LAKE")
    tusk(root, "ingest", "LAKE", "digits/", "--name", "media.digits", "--label-from", "folder")
    tusk(root, "search", "LAKE", "media.digits", "--image", "digits/7/0007.png", "-k", "10")
    tusk(root, "sql", "LAKE",
         "select label, split, count(*) from media.digits_meta group by all order by all limit 6")
    tusk(root, "search", "LAKE", "media.digits", "--image", "digits/7/0007.png", "-k", "50", "--sql",
         "select m.label, count(*) from hits join media.digits_meta m using (content_id) group by all")
    tusk(root, "ingest", "LAKE", "more/", "--name", "media.digits", "--label-from", "folder")
    tusk(root, "log", "LAKE")
    tusk(root, "sql", "LAKE", "select count(*) from media.digits_meta")
    tusk(root, "sql", "LAKE", "--at", "1", "select count(*) from media.digits_meta")
    check_against_numpy(root)


if __name__ == "__main__":
    main()
