"""What functions of JSON, lists, patterns and times mean, as plain Python that DuckDB calls. They
are named as in tusk, with `plain_` before; `range_of` is range."""

import datetime
import functools
import json
import re

_EPOCH = datetime.datetime(1970, 1, 1)
_NUMBERS = "BIGINT[]"


def _child(document, key):
    """What a key, or the number of a value, leads to, as a list of none or one."""
    if isinstance(document, dict):
        return [document[key]] if key in document else []
    if isinstance(document, list) and key.isdigit() and int(key) < len(document):
        return [document[int(key)]]
    return []


def _select(document, path):
    """What a path of `.key`, `[number]`, `[last]`, `[*]` and `.*` behind `$` leads to."""
    found = [document]
    for step in re.findall(r"\?\([^)]*\)|\.\*|\.\w+|\[[^\]]*\]", path):
        if step.startswith("?"):
            found = [value for value in found if _passes(value, step)]
        elif step == ".*":
            found = [v for value in found if isinstance(value, dict) for v in value.values()]
        elif step == "[*]":
            found = [v for value in found for v in (value if isinstance(value, list) else [value])]
        elif step.startswith("["):
            # Unlike a star, a number finds nothing in what is no array.
            arrays = [value for value in found if isinstance(value, list)]
            number = -1 if step == "[last]" else int(step[1:-1])
            found = [array[number] for array in arrays if number < len(array) and array]
        else:
            found = [value[step[1:]] for value in found
                     if isinstance(value, dict) and step[1:] in value]  # fmt: skip
    return found


def _passes(value, condition):
    """Whether a pair of `?(@path symbol constant)` fits before one that is not compared."""
    steps, symbol, constant = re.match(r"\?\(@(\S*) (\S+) (.+)\)", condition).groups()
    constant = json.loads(constant)
    for whole in _select(value, steps):
        for one in whole if isinstance(whole, list) else [whole]:
            if isinstance(one, dict | list):
                return False
            is_same_kind = isinstance(one, bool) == isinstance(constant, bool) and (
                isinstance(one, int | float) == isinstance(constant, int | float)
            ) and isinstance(one, str) == isinstance(constant, str)
            if not is_same_kind:
                if symbol == "!=":
                    return True
                return False
            if {"==": one == constant, "!=": one != constant}.get(symbol):
                return True
            if symbol == ">" and one > constant:
                return True
    return False


def _text(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def json_extract(document, path):
    found = _select(json.loads(document), path)
    if not found:
        return None
    return _text(found[0] if len(found) == 1 else found)


def json_exists(document, path):
    return bool(_select(json.loads(document), path))


def json_get(document, key):
    found = _child(json.loads(document), key)
    return _text(found[0]) if found else None


def _scalar(document, key):
    found = _child(json.loads(document), key)
    return found[0] if found else None


def json_get_string(document, key):
    value = _scalar(document, key)
    return value if value is None or isinstance(value, str) else _text(value)


def json_get_int(document, key):
    value = _scalar(document, key)
    if value is None:
        return None
    number = float(value)
    return int(number) if number == int(number) else int(abs(number) + 0.5) * (1 if number > 0 else -1)


def json_get_float(document, key):
    value = _scalar(document, key)
    return None if value is None else float(value)


def json_get_bool(document, key):
    value = _scalar(document, key)
    return value.lower() in ("true", "yes") if isinstance(value, str) else value


def json_array_contains(document, path, wanted):
    arrays = [value for value in _select(json.loads(document), path) if isinstance(value, list)]
    return any(_text(value) in (wanted, f'"{wanted}"') for array in arrays for value in array)


def json_array_length(document, path):
    found = _select(json.loads(document), path)
    if not found:
        return None
    return len(found[0]) if isinstance(found[0], list) else 0


def array_element(values, index):
    place = index - 1 if index > 0 else index + len(values)
    return values[place] if index != 0 and 0 <= place < len(values) else None


def array_position(values, wanted):
    return values.index(wanted) + 1 if wanted in values else None


def array_has_any(values, wanted):
    return any(value in values for value in wanted)


def array_has_all(values, wanted):
    return all(value in values for value in wanted)


def array_min(values):
    return min((value for value in values if value is not None), default=None)


def array_max(values):
    return max((value for value in values if value is not None), default=None)


def array_sort(values):
    nulls = [value for value in values if value is None]
    return nulls + sorted(value for value in values if value is not None)


def array_reverse(values):
    return values[::-1]


def array_distinct(values):
    return list(dict.fromkeys(values))


def array_slice(values, first, last, step):
    def place(number):
        return number + len(values) + 1 if number < 0 else number

    begin, end = place(first), place(last)
    if step > 0:
        chosen = range(max(begin, 1), min(end, len(values)) + 1, step)
    elif begin > len(values):
        chosen = []
    else:
        chosen = range(begin, max(end, 1) - 1, step)
    return [values[number - 1] for number in chosen]


def array_remove(values, unwanted):
    place = values.index(unwanted) if unwanted in values else len(values)
    return values[:place] + values[place + 1 :]


def array_remove_all(values, unwanted):
    return [value for value in values if value != unwanted]


def array_union(one, other):
    return list(dict.fromkeys(one + other))


def array_intersect(one, other):
    return [value for value in dict.fromkeys(one) if value in other]


def array_except(one, other):
    return [value for value in dict.fromkeys(one) if value not in other]


def array_compact(values):
    return [value for value in values if value is not None]


def array_pop_back(values):
    return values[:-1]


def array_pop_front(values):
    return values[1:]


def array_positions(values, wanted):
    return [place + 1 for place, value in enumerate(values) if value == wanted]


def array_resize(values, size, fill):
    return (values + [fill] * size)[:size]


# A null is replaced, and replaces, as any other value.
def array_replace_n(values, old, new, most):
    if values is None:
        return None
    changed = list(values)
    for place, value in enumerate(values):
        if value == old and most > 0:
            changed[place] = new
            most -= 1
    return changed


def range_of(start, stop, step):
    return list(range(start, stop, step))


def substr_index(text, separator, count):
    parts = text.split(separator)
    chosen = parts[:count] if count > 0 else parts[count:]
    return separator.join(chosen) if count else ""


def find_in_set(text, set):
    parts = set.split(",")
    return parts.index(text) + 1 if text in parts else 0


def overlay(text, put, start, count):
    return text[: start - 1] + put + text[start - 1 + count :]


def to_char(moment, format):
    return moment.strftime(format)


def array_to_string(values, between, null):
    return between.join(null if value is None else str(value) for value in values)


# A null list is an empty one, unless both are null.
def array_concat(one, other):
    return None if one is None and other is None else (one or []) + (other or [])


def array_append(values, value):
    return (values or []) + [value]


def array_prepend(value, values):
    return [value] + (values or [])


def regexp_instr(text, pattern, start, occurrence):
    """Patterns of no empty matches. `^` is where the search starts."""
    matches = list(re.finditer(pattern, text[start - 1 :]))
    return matches[occurrence - 1].start() + start if occurrence <= len(matches) else 0


def date_bin(stride, moment, origin):
    """Bins of so many hours or, if the stride is negative, of so many months."""
    if stride > 0:
        length = datetime.timedelta(hours=stride)
        return origin + (moment - origin) // length * length
    months = -stride

    def begin(bins):
        number = origin.year * 12 + origin.month - 1 + bins * months
        return origin.replace(year=number // 12, month=number % 12 + 1)

    passed = (moment.year - origin.year) * 12 + moment.month - origin.month
    bins = passed // months
    return begin(bins) if begin(bins) <= moment else begin(bins - 1)


_LENIENT = (array_concat, array_append, array_prepend, array_replace_n)
_SIGNATURES = {
    json_extract: (["VARCHAR"] * 2, "VARCHAR"),
    json_exists: (["VARCHAR"] * 2, "BOOLEAN"),
    json_get: (["VARCHAR"] * 2, "VARCHAR"),
    json_get_string: (["VARCHAR"] * 2, "VARCHAR"),
    json_get_int: (["VARCHAR"] * 2, "BIGINT"),
    json_get_float: (["VARCHAR"] * 2, "DOUBLE"),
    json_get_bool: (["VARCHAR"] * 2, "BOOLEAN"),
    json_array_contains: (["VARCHAR"] * 3, "BOOLEAN"),
    json_array_length: (["VARCHAR"] * 2, "BIGINT"),
    array_element: ([_NUMBERS, "BIGINT"], "BIGINT"),
    array_position: ([_NUMBERS, "BIGINT"], "BIGINT"),
    array_has_any: ([_NUMBERS, _NUMBERS], "BOOLEAN"),
    array_has_all: ([_NUMBERS, _NUMBERS], "BOOLEAN"),
    array_min: ([_NUMBERS], "BIGINT"),
    array_max: ([_NUMBERS], "BIGINT"),
    array_sort: ([_NUMBERS], _NUMBERS),
    array_reverse: ([_NUMBERS], _NUMBERS),
    array_distinct: ([_NUMBERS], _NUMBERS),
    array_slice: ([_NUMBERS, "BIGINT", "BIGINT", "BIGINT"], _NUMBERS),
    array_remove: ([_NUMBERS, "BIGINT"], _NUMBERS),
    array_remove_all: ([_NUMBERS, "BIGINT"], _NUMBERS),
    array_union: ([_NUMBERS, _NUMBERS], _NUMBERS),
    array_intersect: ([_NUMBERS, _NUMBERS], _NUMBERS),
    array_except: ([_NUMBERS, _NUMBERS], _NUMBERS),
    array_compact: ([_NUMBERS], _NUMBERS),
    array_pop_back: ([_NUMBERS], _NUMBERS),
    array_pop_front: ([_NUMBERS], _NUMBERS),
    array_positions: ([_NUMBERS, "BIGINT"], _NUMBERS),
    array_resize: ([_NUMBERS, "BIGINT", "BIGINT"], _NUMBERS),
    array_replace_n: ([_NUMBERS, "BIGINT", "BIGINT", "BIGINT"], _NUMBERS),
    range_of: (["BIGINT"] * 3, _NUMBERS),
    substr_index: (["VARCHAR", "VARCHAR", "BIGINT"], "VARCHAR"),
    find_in_set: (["VARCHAR"] * 2, "BIGINT"),
    overlay: (["VARCHAR", "VARCHAR", "BIGINT", "BIGINT"], "VARCHAR"),
    to_char: (["TIMESTAMP", "VARCHAR"], "VARCHAR"),
    array_to_string: ([_NUMBERS, "VARCHAR", "VARCHAR"], "VARCHAR"),
    array_concat: ([_NUMBERS, _NUMBERS], _NUMBERS),
    array_append: ([_NUMBERS, "BIGINT"], _NUMBERS),
    array_prepend: (["BIGINT", _NUMBERS], _NUMBERS),
    regexp_instr: (["VARCHAR", "VARCHAR", "BIGINT", "BIGINT"], "BIGINT"),
    date_bin: (["BIGINT", "TIMESTAMP", "TIMESTAMP"], "TIMESTAMP"),
}


def _of_no_null(function):
    @functools.wraps(function)
    def of_values(*values):
        return None if any(value is None for value in values) else function(*values)

    return of_values


def add_to(connection):
    """Makes the functions known to DuckDB."""
    for function, (parameters, result) in _SIGNATURES.items():
        plain = function if function in _LENIENT else _of_no_null(function)
        connection.create_function(
            f"plain_{function.__name__}", plain, parameters, result, null_handling="special"
        )
