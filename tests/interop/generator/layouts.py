"""The layout and the codecs of a page, in few words, from the text that readers show of its encoding."""

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


def describe(text):
    """(layout, codec) of a page, such as ("mini-block", "general(rle)")."""
    kind, body = parse(text)
    if kind == "ArrayEncoding":
        return "arrays", _array(body)
    return _page(body["layout"])


def _page(layout):
    name, (_, fields) = layout
    if name == "MiniBlockLayout":
        codec = _codec(fields["value_compression"])
        if fields["dictionary"] is not None:
            return "dictionary", f"{codec} of {_codec(fields['dictionary'])}"
        return "mini-block", codec
    if name == "FullZipLayout":
        return "full-zip", _codec(fields["value_compression"])
    if name == "ConstantLayout":
        return "constant", "inline value" if fields["inline_value"] else "all null or in a buffer"
    if name == "BlobLayout":
        return "blob", " ".join(_page(fields["inner_layout"]["layout"] if isinstance(
            fields["inner_layout"], dict) else fields["inner_layout"][1]["layout"]))
    raise ValueError(f"unknown page layout {name}")


_WORDS = {
    "Flat": "flat",
    "Variable": "variable",
    "Constant": "constant",
    "OutOfLineBitpacking": "out-of-line bitpacking",
    "InlineBitpacking": "inline bitpacking",
    "Fsst": "fsst",
    "Dictionary": "dictionary",
    "Rle": "rle",
    "ByteStreamSplit": "byte stream split",
    "General": "general",
    "FixedSizeList": "fixed-size list",
    "PackedStruct": "packed struct",
    "VariablePackedStruct": "variable packed struct",
}


def _codec(message):
    name, body = message[1]["compression"]
    fields = body[1]
    word = _WORDS[name]
    if name == "General":
        scheme = fields["compression"][1]["scheme"]
        word = scheme.removeprefix("CompressionAlgorithm").lower()
        return f"{word}({_codec(fields['values'])})"
    if name in ("FixedSizeList", "Fsst", "ByteStreamSplit"):
        if name == "FixedSizeList" and fields["has_validity"] == "true":
            word = "fixed-size list with nulls"
        inner = _codec(fields["values"])
        return word if inner in ("flat", "variable") else f"{word}({inner})"
    return word


_ARRAY_WORDS = {"Binary": "binary", "Struct": "struct", "List": "list"}


def _array(body):
    """The codec of a page of version 2.0: its encodings from the outside in, but for nullability."""
    name, content = body["array_encoding"]
    fields = content[1] if isinstance(content, tuple) else {}
    if name == "Nullable":
        kind, inner = fields["nullability"]
        if kind == "AllNulls":
            return "all null"
        return _array(inner[1]["values"][1])
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()
    if name == "Flat" and fields["compression"] is not None:
        return f"flat {fields['compression'][1]['scheme']}"
    for part in ("items", "binary"):
        if isinstance(fields.get(part), tuple) and name != "List":
            inner = _array(fields[part][1])
            return words if inner == "flat" else f"{words}({inner})"
    return words
