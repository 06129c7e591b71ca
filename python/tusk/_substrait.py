"""Aggregates of serialized Substrait plans (https://substrait.io, proto/substrait/algebra.proto).

Only what a scan computes is taken; the rest of the language is refused by name.
"""

import dataclasses

from tusk.errors import InvalidArgumentError, UnsupportedError

FUNCTIONS = ("count", "sum", "min", "max", "avg")

_RELATIONS = {1: "read", 2: "filter", 3: "fetch", 5: "sort", 6: "join", 7: "project"}
_EXPRESSIONS = {1: "a literal", 3: "a scalar function", 5: "a window function", 6: "an if-then"}
_AGGREGATE = 4
_SELECTION = 2
_LITERAL = 1
_NULL = 29  # the kind of literal that has no value
_DISTINCT = 2


@dataclasses.dataclass(frozen=True)
class Measure:
    """One number over the rows of a group."""

    function: str  # of FUNCTIONS
    path: tuple | None  # of the column, by numbers of fields; None to count all rows


@dataclasses.dataclass(frozen=True)
class Aggregate:
    """What a plan asks for: a row for each group, its columns first."""

    groups: list  # paths of the columns to group by, as in Measure
    measures: list
    names: list  # of the columns of the result, as far as the plan has some


def parse_aggregate(plan):
    """The Aggregate of a plan whose root is one. InvalidArgumentError if it is none,
    UnsupportedError for what scans do not compute.
    """
    message = _Message(bytes(plan), "plan")
    functions = {}
    for declaration in message.messages(2, "extension"):
        for function in declaration.messages(3, "extension function"):
            functions[function.number(2)] = function.text(3).partition(":")[0]
    relations = message.messages(3, "relation")
    if not relations:
        raise InvalidArgumentError("the Substrait plan has no relations")
    relation, names = relations[0].message(1, "relation"), []
    root = relations[0].message(2, "root")
    if root is not None:
        relation, names = root.message(1, "relation"), root.texts(2)
    if relation is None or not relation.fields:
        raise InvalidArgumentError("the Substrait plan has no relation that asks for something")
    aggregate = relation.message(_AGGREGATE, "aggregate")
    if aggregate is None:
        kind = _RELATIONS.get(relation.fields[0][0], f"number {relation.fields[0][0]}")
        raise InvalidArgumentError(f"the Substrait plan is no aggregate, but a {kind} relation")
    measures = [_measure(each, functions) for each in aggregate.messages(4, "measure")]
    return Aggregate(_groups(aggregate), measures, names)


def _groups(aggregate):
    groupings = aggregate.messages(3, "grouping")
    if len(groupings) > 1:
        raise UnsupportedError("a Substrait aggregate with several grouping sets")
    shared = aggregate.messages(5, "grouping expression")
    groups = []
    for grouping in groupings:
        if not shared:
            groups += grouping.messages(1, "grouping expression")
        for number in grouping.numbers(2):
            if number >= len(shared):
                raise InvalidArgumentError(
                    f"the Substrait plan groups by expression {number} of {len(shared)}"
                )
            groups.append(shared[number])
    return [_path(group, "groups by") for group in groups]


def _measure(measure, functions):
    if measure.message(2, "filter") is not None:
        raise UnsupportedError("a Substrait measure with a filter: filter the scan")
    function = measure.message(1, "function")
    if function is None:
        raise InvalidArgumentError("the Substrait plan has a measure without a function")
    anchor = function.number(1)
    if anchor not in functions:
        raise InvalidArgumentError(f"the Substrait plan does not declare function {anchor}")
    name = functions[anchor]
    if name not in FUNCTIONS:
        known = ", ".join(FUNCTIONS)
        raise UnsupportedError(f"the Substrait aggregate {name!r}: scans compute {known}")
    if function.number(6) == _DISTINCT:
        raise UnsupportedError(f"the Substrait aggregate {name} of distinct values")
    if function.messages(3, "sort"):
        raise UnsupportedError(f"the Substrait aggregate {name} in an order")
    arguments = [each.message(3, "value") for each in function.messages(7, "argument")]
    arguments += function.messages(2, "argument")
    if None in arguments or len(arguments) > 1 or not arguments and name != "count":
        raise InvalidArgumentError(f"the Substrait aggregate {name} takes one value")
    if not arguments:
        return Measure(name, None)
    literal = arguments[0].message(_LITERAL, "literal")
    if name == "count" and literal is not None and not literal.has(_NULL):
        return Measure(name, None)
    return Measure(name, _path(arguments[0], f"asks for the {name} of"))


def _path(expression, what):
    """The numbers of the fields that lead to the column which an expression is."""
    selection = expression.message(_SELECTION, "field reference")
    if selection is None:
        number = expression.fields[0][0] if expression.fields else 0
        kind = _EXPRESSIONS.get(number, f"an expression of kind {number}")
        raise UnsupportedError(f"a Substrait aggregate that {what} {kind}: it takes columns")
    segment = selection.message(1, "direct reference")
    if segment is None or selection.has(3) or selection.has(5):
        raise UnsupportedError(f"a Substrait aggregate that {what} a reference to no column")
    path = []
    while segment is not None:
        field = segment.message(2, "struct field")
        if field is None:
            raise UnsupportedError(f"a Substrait aggregate that {what} items of lists or maps")
        path.append(field.number(1))
        segment = field.message(2, "child")
    return tuple(path)


class _Message:
    """The fields of a protobuf message, as they stand in its bytes."""

    def __init__(self, data, what):
        self._what = what
        self.fields = list(self._parse(data))

    def has(self, number):
        return any(field == number for field, _ in self.fields)

    def messages(self, number, what):
        return [_Message(value, what) for value in self._values(number, bytes)]

    def message(self, number, what):
        """The last one; None if there is none."""
        found = self.messages(number, what)
        return found[-1] if found else None

    def number(self, number):
        """The last one, or 0."""
        return (self._values(number, int) or [0])[-1]

    def numbers(self, number):
        """All of a repeated field, packed or not."""
        found = []
        for field, value in self.fields:
            if field != number:
                continue
            if isinstance(value, int):
                found.append(value)
                continue
            at = 0
            while at < len(value):
                one, at = self._varint(value, at)
                found.append(one)
        return found

    def texts(self, number):
        try:
            return [value.decode() for value in self._values(number, bytes)]
        except UnicodeDecodeError:
            raise self._damaged("a name is not UTF-8") from None

    def text(self, number):
        return (self.texts(number) or [""])[-1]

    def _values(self, number, kind):
        values = [value for field, value in self.fields if field == number]
        if not all(isinstance(value, kind) for value in values):
            raise self._damaged(f"field {number} is of another type")
        return values

    def _parse(self, data):
        at = 0
        while at < len(data):
            tag, at = self._varint(data, at)
            number, kind = tag >> 3, tag & 7
            if kind == 0:
                value, at = self._varint(data, at)
                yield number, value
                continue
            if kind == 2:
                length, at = self._varint(data, at)
            elif kind in (1, 5):
                length = 8 if kind == 1 else 4
            else:
                raise self._damaged(f"field {number} has wire type {kind}")
            if length > len(data) - at:
                raise self._damaged(f"field {number} ends behind the message")
            yield number, data[at : at + length]
            at += length

    def _varint(self, data, at):
        value = 0
        for shift in range(0, 70, 7):
            if at == len(data):
                break
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value, at
        raise self._damaged("a number does not end")

    def _damaged(self, why):
        return InvalidArgumentError(f"no Substrait plan: in a {self._what}, {why}")
