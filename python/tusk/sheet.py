"""Search hits as a contact sheet: one HTML file with pictures, labels and distances."""

import base64
import html
import struct
import zlib

from tusk import _tusk
from tusk.errors import InvalidArgumentError, TuskError

# What browsers show; other pictures are decoded and become PNG.
_SHOWN_AS_THEY_ARE = {"image/png", "image/jpeg", "image/webp", "image/gif", "image/bmp"}

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<style>
body {{ font: 14px/1.4 system-ui, sans-serif; margin: 1.5em; background: #fafafa; color: #222 }}
h1 {{ font-size: 1.2em }}
ol {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(160px, 1fr)); gap: 12px;
      list-style: none; padding: 0 }}
li {{ background: #fff; border: 1px solid #ddd; border-radius: 6px; padding: 8px }}
img {{ width: 100%; height: 140px; object-fit: contain; image-rendering: {rendering} }}
.none {{ height: 140px; display: grid; place-items: center; color: #888 }}
.label {{ font-weight: 600 }} .id {{ color: #888; font-size: 11px; overflow-wrap: anywhere }}
</style></head><body><h1>{title}</h1><ol>
{items}
</ol></body></html>
"""


def write_sheet(path, lake, name, query, k=10, *, metric="l2", filter=None, encoder=None, title=None):
    """Searches as Lake.search does and writes the hits to `path` as one HTML file, which needs nothing
    else. Files that are no pictures show their media type. Gives the hits (content_id, _distance)."""
    schema = lake.table(name).schema
    column = next((c for c in ("image", "image_uri", "media", "media_uri") if c in schema.names), None)
    if column is None or "content_id" not in schema.names:
        raise InvalidArgumentError(f"{name} has no pictures: it was not made by an ingestion")
    hits = lake.search(
        name, query, k, columns=["content_id", column], metric=metric, filter=filter, encoder=encoder
    )
    labels = labels_of(lake, name, hits["content_id"].to_pylist()) or [None] * hits.num_rows
    items = []
    smallest = None
    for rank, (row, label) in enumerate(zip(hits.to_pylist(), labels), 1):
        picture, size = _picture(row[column])
        smallest = size if smallest is None else min(smallest, size or smallest)
        items.append(_item(rank, row, label, picture))
    text = _PAGE.format(
        title=html.escape(title or f"{name}: {hits.num_rows} nearest by {metric}"),
        # Small pictures stay sharp when they are enlarged.
        rendering="pixelated" if smallest and smallest < 64 else "auto",
        items="\n".join(items),
    )
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return hits.select(["content_id", "_distance"])


def labels_of(lake, table, content_ids):
    """The label of each content id by the table's metadata; None if there are none."""
    import pyarrow.compute as pc

    name = f"{table}_meta"
    if not any(e.name == name and e.kind == "iceberg" for e in lake.tables()):
        return None
    meta = lake.table(name)
    if not {"content_id", "label"} <= set(meta.schema.names):
        return None
    found = meta.to_table(
        ["content_id", "label"], filter=pc.field("content_id").isin(content_ids)
    ).to_pydict()
    label_of = dict(zip(found["content_id"], found["label"]))
    return [label_of.get(content_id) for content_id in content_ids]


def _item(rank, row, label, picture):
    name = "" if label is None else html.escape(label)
    return (
        f'<li>{picture}<div class="label">{rank}. {name}</div>'
        f'<div>{row["_distance"]:.6g}</div><div class="id">{html.escape(row["content_id"])}</div></li>'
    )


def _picture(media):
    """An image element and the shorter side of the picture, or what stands for a file that is none."""
    try:
        if isinstance(media, str):
            with open(media, "rb") as file:
                media = file.read()
        decoded = _tusk.decode_image(media)
    except (OSError, TuskError) as error:
        return f'<div class="none" title="{html.escape(str(error))}">no picture</div>', None
    media_type = decoded.media_type
    if media_type not in _SHOWN_AS_THEY_ARE:
        media_type, media = "image/png", _png(decoded)
    data = base64.b64encode(media).decode("ascii")
    source = f"data:{media_type};base64,{data}"
    return f'<img alt="" src="{source}">', min(decoded.width, decoded.height)


def _png(image):
    """The pixels of a decoded picture as a PNG file."""
    stride = image.width * 3
    rgb = image.rgb
    rows = b"".join(b"\0" + rgb[y * stride : (y + 1) * stride] for y in range(image.height))

    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", image.width, image.height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )

