"""Rows as aligned text for people, or as one JSON object per line for programs."""

import datetime
import decimal
import itertools
import json
import uuid

# Rows that decide how wide the columns are; later ones stream with the same widths.
_MEASURED_ROWS = 1000
_LONGEST_LIST = 60


def printable(text):
    """The text with what would break a line or steer a terminal as escapes."""
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text
    )


def cell(value):
    """A value as text."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, (bytes, bytearray)):
        return f"<{len(value)} bytes>"
    if isinstance(value, datetime.datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, (list, tuple)):
        text = "[" + ", ".join(map(cell, value)) + "]"
        return text if len(text) <= _LONGEST_LIST else text[: _LONGEST_LIST - 1] + "…"
    return printable(str(value))


def write_text(columns, rows, write):
    """Writes a header and the rows, line by line, numbers to the right."""
    rows = iter(rows)
    first = list(itertools.islice(rows, _MEASURED_ROWS))
    numeric = [
        all(isinstance(row[i], (int, float, decimal.Decimal, type(None))) for row in first)
        for i in range(len(columns))
    ]
    widths = [
        max([len(name), *(len(cell(row[i])) for row in first)]) for i, name in enumerate(columns)
    ]

    def line(cells):
        aligned = (
            text.rjust(width) if right else text.ljust(width)
            for text, width, right in zip(cells, widths, numeric)
        )
        return "  ".join(aligned).rstrip()

    write(line(columns))
    write(line(["-" * width for width in widths]))
    for row in itertools.chain(first, rows):
        write(line(map(cell, row)))


def _as_json(value):
    if isinstance(value, (bytes, bytearray)):
        return value.hex()
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, (decimal.Decimal, uuid.UUID)):
        return str(value)
    raise TypeError(f"no JSON for a {type(value).__name__}")


def write_json(columns, rows, write):
    """Writes one JSON object per row; binary as hexadecimal, times in ISO 8601."""
    for row in rows:
        write(json.dumps(dict(zip(columns, row)), default=_as_json))
