"""Serialized Substrait plans of one aggregate, written by hand (proto/substrait/algebra.proto)."""

FUNCTIONS = ["count", "sum", "min", "max", "avg", "stddev"]


def varint(number):
    out = b""
    while number > 0x7F:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def message(*fields):
    """Of pairs of a number and a value: an int, or bytes or text of what is inside."""
    out = b""
    for number, value in fields:
        if isinstance(value, int):
            out += varint(number << 3) + varint(value)
        else:
            value = value.encode() if isinstance(value, str) else value
            out += varint(number << 3 | 2) + varint(len(value)) + value
    return out


def column(*path):
    """The expression that is a column, or a field inside of structs, by numbers."""
    segment = None
    for number in reversed(path):
        field = [(1, number)] if number else []
        field += [] if segment is None else [(2, segment)]
        segment = message((2, message(*field)))
    return message((2, message((1, segment), (4, b""))))


def literal(number):
    return message((1, message((7, number))))


def measure(function, argument=None, distinct=False, filter=None):
    """`argument`: an expression, or none to count all rows."""
    fields = [(1, FUNCTIONS.index(function) + 1), (4, 3), (6, 2 if distinct else 1)]
    fields.append((5, message((7, message((2, 2))))))
    if argument is not None:
        fields.append((7, message((3, argument))))
    fields = [(1, message(*fields))]
    return message(*fields, *([] if filter is None else [(2, filter)]))


def plan(groups, measures, names=(), *, shared_groups=False, has_root=True, suffix=""):
    """groups: expressions; measures: of `measure`; names: of the columns of the result.

    shared_groups: in the form of later versions, where groupings refer to a list of expressions.
    suffix: of the names of functions, which may say the types of their arguments.
    """
    extensions = [
        (2, message((3, message((1, 1), (2, number), (3, name + suffix)))))
        for number, name in enumerate(FUNCTIONS, start=1)
    ]
    if shared_groups:
        numbers = b"".join(varint(number) for number in range(len(groups)))
        parts = [(3, message((2, numbers))), *((5, group) for group in groups)]
    else:
        parts = [(3, message(*((1, group) for group in groups)))] if groups else []
    relation = message((4, message(*parts, *((4, each) for each in measures))))
    if has_root:
        relation = message((2, message((1, relation), *((2, name) for name in names))))
    else:
        relation = message((1, relation))
    return message((1, message((1, 1), (2, "/functions_aggregate.yaml"))), *extensions, (3, relation))
