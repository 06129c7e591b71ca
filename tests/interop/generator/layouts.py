"""The layout and the codecs of a page, in few words, from the text shown of its encoding."""

import dataclasses
import re

_TOKEN = re.compile(r'b?"(?:[^"\\]|\\.)*"|[A-Za-z_][\w]*|-?\d+|[{}()\[\],:]')


def parse(text):
    """The dumped message as (name, {field: value}) pairs, lists, and words."""
    tokens = _TOKEN.findall(text)
    value, at = _value(tokens, 0)
    if at != len(tokens):
        raise ValueError(f"{len(tokens) - at} words follow the encoding in {text[:60]!r}")
    return value


def _value(tokens, at):
    if tokens[at] == "[":
        return _sequence(tokens, at + 1, "]")
    word = tokens[at]
    after = tokens[at + 1] if at + 1 < len(tokens) else ""
    if after == "{":
        fields, at = {}, at + 2
        while tokens[at] != "}":
            name = tokens[at]
            fields[name], at = _value(tokens, at + 2)
            at += tokens[at] == ","
        return (word, fields), at + 1
    if after == "(":
        items, at = _sequence(tokens, at + 2, ")")
        return (items[0] if word == "Some" else (word, items[0])), at
    return (None if word == "None" else word), at + 1


def _sequence(tokens, at, end):
    items = []
    while tokens[at] != end:
        item, at = _value(tokens, at)
        items.append(item)
        at += tokens[at] == ","
    return items, at + 1


@dataclasses.dataclass(frozen=True)
class Page:
    """`layout` is a word per page layout ("arrays" at version 2.0); `codecs` are of its values and
    dictionary items; `levels` those of its repetition and definition levels."""

    layout: str
    codecs: frozenset
    levels: frozenset = frozenset()


def describe(page):
    """The Page that a reader shows as `page.encoding`."""
    kind, body = parse(page.encoding)
    if kind == "ArrayEncoding":
        return Page("arrays", frozenset(_arrays(body)))
    return _page(body["layout"], len(page.buffers))


def describe_file(metadata):
    """The Pages of a file, each once."""
    return {describe(page) for column in metadata.columns for page in column.pages}


def _page(layout, buffers):
    name, (_, fields) = layout
    if name == "BlobLayout":
        inner = _page(fields["inner_layout"][1]["layout"], buffers)
        return dataclasses.replace(inner, layout="blob")
    levels = {_level_codec(fields.get(f"{kind}_compression")) for kind in ("rep", "def")}
    levels = frozenset(levels - {None})
    if name == "ConstantLayout":
        # Without an inline value, an odd number of buffers begins with the value.
        codec = "value in a buffer" if buffers % 2 else "no value"
        codec = "inline value" if fields["inline_value"] else codec
        return Page("constant", frozenset([codec]), levels)
    if name == "FullZipLayout":
        return Page("full-zip", frozenset(_codecs(fields["value_compression"])), levels)
    codecs = set(_codecs(fields["value_compression"]))
    if fields["dictionary"] is None:
        return Page("mini-block", frozenset(codecs), levels)
    codecs = {f"{codec} indices" for codec in codecs} | set(_codecs(fields["dictionary"]))
    return Page("dictionary", frozenset(codecs), levels)


_WORDS = {
    "Flat": "flat",
    "Variable": "variable",
    "Constant": "constant",
    "OutOfLineBitpacking": "out-of-line bitpacking",
    "InlineBitpacking": "inline bitpacking",
    "Fsst": "fsst",
    "Rle": "rle",
    "ByteStreamSplit": "byte stream split",
    "FixedSizeList": "fixed-size list",
    "PackedStruct": "packed struct",
    "VariablePackedStruct": "variable packed struct",
}


def _level_codec(message):
    return next(_codecs(message)) if message is not None else None


def _codecs(message):
    """The names of a codec and of those inside; flat and variable only where they stand alone."""
    name, (_, fields) = message[1]["compression"]
    if name == "General":
        yield fields["compression"][1]["scheme"].removeprefix("CompressionAlgorithm").lower()
    elif name == "FixedSizeList" and fields["has_validity"] == "true":
        yield "fixed-size list with nulls"
    else:
        yield _WORDS[name]
    if name in ("General", "FixedSizeList", "Fsst", "ByteStreamSplit"):
        for inner in _codecs(fields["values"]):
            if inner not in ("flat", "variable"):
                yield inner


def _arrays(body):
    """The encodings of a page of version 2.0; flat only where it stands alone."""
    name, content = body["array_encoding"]
    fields = content[1] if isinstance(content, tuple) else {}
    if name == "Nullable":
        kind, inner = fields["nullability"]
        if kind == "AllNulls":
            yield "all null"
        else:
            yield from _arrays(inner[1]["values"][1])
        return
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()
    if name == "Flat" and fields["compression"] is not None:
        words = f"flat {fields['compression'][1]['scheme'].strip(chr(34))}"
    yield words
    for part in ("items", "binary", "inner", "bytes"):
        inner = fields.get(part)
        for message in inner if isinstance(inner, list) else [inner]:
            if isinstance(message, tuple):
                yield from (codec for codec in _arrays(message[1]) if codec != "flat")
