"""Random tables and random conditions about them, in our dialect and in DuckDB's."""

import dataclasses
import datetime
import decimal
import json
import random

import pyarrow as pa

_EPOCH = datetime.datetime(2000, 1, 1)
_ALPHABET = "abAB é%_\\"


def random_rows(generator, rows):
    """A table of every type that conditions are made about, a fifth of it null; `id` counts."""

    def column(make, type):
        values = [None if generator.random() < 0.2 else make() for _ in range(rows)]
        return pa.array(values, type)

    def integer(bits, signed):
        least = -(2 ** (bits - 1)) if signed else 0
        greatest = 2 ** (bits - 1) - 1 if signed else 2**bits - 1
        type = getattr(pa, f"{'int' if signed else 'uint'}{bits}")()

        def make():
            if generator.random() < 0.2:
                return generator.choice([least, greatest, 0])
            return generator.randint(max(least, -5), min(greatest, 5))

        return column(make, type)

    def real():
        return generator.choice([0.0, -0.0, 0.25, -1.5, 2.0, float("nan"), float("inf"), 1e10])

    def text():
        return "".join(generator.choices(_ALPHABET, k=generator.randrange(5)))

    def element():
        return None if generator.random() < 0.2 else generator.randint(0, 4)

    def document():
        """An object whose values have, by key, the types that the functions of JSON take."""
        whole = generator.randint(-3, 3)
        values = {
            "b": generator.choice([True, False, "Yes", "no", "TRUE"]),
            "c": [generator.choice([0, 1, "a", "1", None]) for _ in range(generator.randrange(4))],
            "f": generator.choice([0.5, -1.5, 2, "2.25", 1e3]),
            "i": generator.choice([whole, str(whole), 1.5, -2.5]),
            "o": {"a": whole, "c": [[1], {"a": 1}]},
            "s": generator.choice([text().replace("\\", ""), 1, True, 0.5]),
        }
        kept = [key for key in values if generator.random() < 0.8]
        values = {key: values[key] if generator.random() < 0.9 else None for key in kept}
        return json.dumps(values, separators=(",", ":"), ensure_ascii=False)

    small = lambda: generator.randint(-6, 6)  # noqa: E731
    return pa.table(
        {
            "id": pa.array(range(rows), pa.int64()),
            "n": column(small, pa.int64()),
            "k": column(small, pa.int64()),
            "i8": integer(8, True),
            "i32": integer(32, True),
            "i64": integer(64, True),
            "u8": integer(8, False),
            "u64": integer(64, False),
            "f32": column(real, pa.float32()),
            "f64": column(real, pa.float64()),
            "b": column(lambda: generator.random() < 0.5, pa.bool_()),
            "c": column(lambda: generator.random() < 0.5, pa.bool_()),
            "s": column(text, pa.string()),
            "r": column(text, pa.string()),
            "d": column(
                lambda: (_EPOCH + datetime.timedelta(days=generator.randint(-800, 800))).date(),
                pa.date32(),
            ),
            "t": column(
                lambda: _EPOCH + datetime.timedelta(hours=generator.randint(-20_000, 20_000)),
                pa.timestamp("us"),
            ),
            "m": column(lambda: decimal.Decimal(generator.randint(-500, 500)) / 100,
                        pa.decimal128(9, 2)),
            "st": column(
                lambda: {"a": element(), "b": None if generator.random() < 0.2 else text()},
                pa.struct([("a", pa.int64()), ("b", pa.string())]),
            ),
            "l": column(
                lambda: [element() for _ in range(generator.randrange(4))], pa.list_(pa.int64())
            ),
            "j": column(document, pa.json_()),
        }
    )  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Both:
    """One expression as tusk and as DuckDB write it."""

    tusk: str
    duck: str

    @classmethod
    def of(cls, template, *parts):
        """The same in both, where `{0}` stands for the first part."""
        parts = [cls(part, part) if isinstance(part, str) else part for part in parts]
        return cls(
            template.format(*(part.tusk for part in parts)),
            template.format(*(part.duck for part in parts)),
        )


def _quoted(text):
    return "'" + text.replace("'", "''") + "'"


class RandomFilters:
    """Conditions about `random_rows`, drawn from `generator`."""

    def __init__(self, generator):
        self._random = generator

    def _pick(self, *options):
        return self._random.choice(options)

    def condition(self, depth=4):
        if depth == 0 or self._random.random() < 0.15:
            return self._leaf()
        below = depth - 1
        kind = self._random.randrange(10)
        if kind < 3:
            parts = [self.condition(below) for _ in range(self._random.randint(2, 3))]
            word = self._pick(" AND ", " OR ")
            return Both.of("(" + word.join(f"{{{i}}}" for i in range(len(parts))) + ")", *parts)
        if kind == 3:
            return Both.of("NOT {0}", self.condition(below))
        if kind == 4:
            test = self._pick("IS TRUE", "IS NOT TRUE", "IS FALSE", "IS NOT FALSE", "IS NULL")
            return Both.of("({0} " + test + ")", self.condition(below))
        if kind == 5:
            return Both.of(
                "CASE WHEN {0} THEN {1} ELSE {2} END",
                *(self.condition(below) for _ in range(3)),
            )
        return self._comparison(below)

    def _leaf(self):
        return Both.of(self._pick("b", "c", "b", "true", "(n IS NOT NULL)", "(st IS NULL)"))

    def _comparison(self, depth):
        family = self._pick("whole", "whole", "column", "real", "text", "text", "time", "decimal",
                            "nested", "list", "json")  # fmt: skip
        return getattr(self, f"_compare_{family}")(depth)

    def _operator(self):
        return self._pick("=", "<>", "<", "<=", ">", ">=")

    def _compare(self, make, literal):
        """A comparison of values that `make` and `literal` give."""
        kind = self._random.randrange(8)
        no = self._pick("", "NOT ")
        if kind < 2:
            return Both.of("({0} " + self._operator() + " {1})", make(), make())
        if kind < 4:
            return Both.of("({0} " + self._operator() + " {1})", make(), literal())
        if kind == 4:
            return Both.of(f"({{0}} {no}BETWEEN {{1}} AND {{2}})", make(), literal(), literal())
        if kind == 5:
            items = [literal() for _ in range(self._random.randint(1, 4))]
            if self._random.random() < 0.2:
                items.append("NULL")
            places = ", ".join(f"{{{i + 1}}}" for i in range(len(items)))
            return Both.of(f"({{0}} {no}IN ({places}))", make(), *items)
        if kind == 6:
            return Both.of(f"({{0}} IS {no}NULL)", make())
        return Both.of(f"({{0}} IS {no}DISTINCT FROM {{1}})", make(), self._pick(make(), literal()))

    def _compare_whole(self, depth):
        literal = lambda: str(self._random.randint(-8, 8))  # noqa: E731
        return self._compare(lambda: self._whole(depth), literal)

    def _whole(self, depth):
        """A small whole number of 64 bits."""
        if depth <= 0 or self._random.random() < 0.4:
            return Both.of(self._pick("n", "k", "st.a", "n", "k"))
        below = depth - 1
        kind = self._random.randrange(9)
        one = self._whole(below)
        if kind < 3:
            return Both.of("({0} " + self._pick("+", "-") + " {1})", one, self._whole(below))
        if kind == 3:
            factor = str(self._random.randint(-3, 3))
            return Both.of("({0} * {1})", one, factor)
        if kind == 4:
            by = str(self._pick(2, 3, -4))
            return Both(f"({one.tusk} / {by})", f"({one.duck} // {by})")
        if kind == 5:
            return Both.of("({0} % {1})", one, str(self._pick(2, 3, -4)))
        if kind == 6:
            return Both.of("abs({0})", one)
        if kind == 7:
            function = self._pick("coalesce", "nullif", "greatest", "least")
            return Both.of(function + "({0}, {1})", one, self._pick(self._whole(below), "2"))
        return Both.of("CASE WHEN {0} THEN {1} ELSE {2} END", self.condition(below), one,
                       self._whole(below))  # fmt: skip

    def _compare_column(self, depth):
        """Columns of all widths with their borders, and with each other."""
        borders = {
            "i8": (-128, 127),
            "i32": (-(2**31), 2**31 - 1),
            "i64": (-(2**63) + 1, 2**63 - 1),
            "u8": (0, 255),
            "u64": (0, 2**64 - 1),
        }
        name = self._pick(*borders)
        least, greatest = borders[name]

        def literal():
            return str(self._pick(least, greatest, max(least, -3), 0, 4))

        if self._random.random() < 0.3:
            # In DuckDB a column of 64 bits next to one without sign needs the wider type.
            other = self._pick(*borders)
            operator = self._operator()
            return Both(
                f"({name} {operator} {other})",
                f"({name}::hugeint {operator} {other}::hugeint)",
            )
        if self._random.random() < 0.3:
            operator = self._pick("<", "<=", ">", ">=")
            fraction = self._pick("0.5", "2.0", "100.25" if least == 0 else "-1.5")
            return Both.of("({0} " + operator + " {1})", name, fraction)
        return self._compare(lambda: Both.of(name), literal)

    def _compare_real(self, depth):
        def literal():
            return self._pick("0", "0.25", "-1.5", "2", "10000000000")

        return self._compare(lambda: self._real(depth), literal)

    def _real(self, depth):
        if depth <= 0 or self._random.random() < 0.5:
            return Both.of(self._pick("f32", "f64"))
        kind = self._random.randrange(4)
        if kind == 0:
            return Both.of("CAST({0} AS double)", self._whole(depth - 1))
        if kind == 1:
            function = self._pick("floor", "ceil", "abs")
            return Both.of(function + "({0})", self._real(depth - 1))
        if kind == 2:
            return Both.of("coalesce({0}, {1})", "f64", "0.25")
        return Both.of("(f64 " + self._pick("+", "-", "*") + " {0})", self._real(depth - 1))

    def _compare_text(self, depth):
        kind = self._random.randrange(9)
        no = self._pick("", "NOT ")
        if kind < 2:
            pattern = "".join(self._random.choices("ab%%_é", k=self._random.randrange(5)))
            if self._random.random() < 0.3:
                pattern += self._pick("\\%", "\\_", "\\\\")
            like = self._pick("LIKE", "ILIKE")
            text = self._text(depth)
            return Both(
                f"({text.tusk} {no}{like} {_quoted(pattern)})",
                f"({text.duck} {no}{like} {_quoted(pattern)} ESCAPE '\\')",
            )
        if kind == 2:
            function = self._pick("starts_with", "ends_with", "contains")
            return Both.of(
                function + "({0}, {1})", self._text(depth), self._pick("r", "'a'", "'é'")
            )
        if kind == 3:
            pattern = self._pick("^a", "b$", "[ab]+", "a.b?", "(é|%)", "^$")
            text = self._text(depth)
            return Both(
                f"regexp_like({text.tusk}, '{pattern}')", f"regexp_matches({text.duck}, '{pattern}')"
            )
        if kind == 4:
            return Both.of(
                "({0} " + self._operator() + " {1})",
                self._pick(
                    Both.of(self._pick("length({0})", "strpos({0}, 'a')"), self._text(depth)),
                    self._plain("find_in_set", self._text(depth), "'a,b,,é'"),
                ),
                str(self._random.randint(0, 4)),
            )
        if kind == 5:
            pattern = self._pick("^a", "b$", "[ab]+", "a.b?", "(é|%)", "a|b", "(?i)A")
            place = self._plain(
                "regexp_instr", self._text(depth), _quoted(pattern), self._random.randint(1, 3),
                self._random.randint(1, 2),
            )  # fmt: skip
            return Both.of("({0} " + self._operator() + " {1})", place,
                           str(self._random.randint(0, 3)))  # fmt: skip
        return self._compare(
            lambda: self._text(depth),
            lambda: _quoted("".join(self._random.choices(_ALPHABET, k=self._random.randrange(4)))),
        )

    def _text(self, depth):
        if depth <= 0 or self._random.random() < 0.5:
            return Both.of(self._pick("s", "r", "st.b", "s"))
        below = depth - 1
        kind = self._random.randrange(11)
        one = self._text(below)
        if kind == 8:
            count = self._pick(-2, -1, 1, 2)
            return self._plain("substr_index", one, self._pick("'a'", "'b'", "' '"), count)
        if kind == 9:
            place = self._random.randint(1, 4)
            return self._plain("overlay", one, self._pick("'xy'", "r"), place, self._pick(0, 1, 3))
        if kind == 10:
            shown = self._pick("%Y-%m-%d", "%H:%M:%S", "%j %y %b %a", "%d.%m. %I %p", "%U %W %w")
            return self._plain("to_char", "t", _quoted(shown))
        if kind == 0:
            return Both.of(self._pick("lower({0})", "upper({0})", "trim({0})", "reverse({0})"), one)
        if kind == 1:
            return Both.of("({0} || {1})", one, self._text(below))
        if kind == 2:
            start = str(self._random.randint(1, 3))
            return Both.of("substring({0}, {1}, {2})", one, start, str(self._random.randint(0, 3)))
        if kind == 3:
            return Both.of("replace({0}, 'a', {1})", one, self._pick("'é'", "''", "r"))
        if kind == 4:
            return Both.of("coalesce({0}, {1})", one, self._pick("'x'", "r"))
        if kind == 5:
            return Both.of("CAST({0} AS varchar)", self._whole(below))
        if kind == 6:
            count = str(self._random.randint(0, 3))
            return Both.of(self._pick("left", "right") + "({0}, {1})", one, count)
        return Both.of("concat({0}, {1})", one, self._text(below))

    def _compare_time(self, depth):
        day = lambda: str((_EPOCH + datetime.timedelta(self._random.randint(-900, 900))).date())  # noqa: E731
        kind = self._random.randrange(6)
        if kind == 5:
            return self._compare(self._bin, lambda: f"timestamp '{day()} 00:00:00'")
        if kind == 0:
            part = self._pick("year", "month", "day", "dow", "doy", "quarter")
            return Both.of(
                f"(extract({part} FROM {{0}}) {self._operator()} {{1}})",
                self._pick("d", "t"),
                str(self._pick(1, 3, 2000, 180)),
            )
        if kind == 1:
            interval = self._pick("'1 month'", "'40 days'", "'3 hours'", "'-1 year'")
            return Both.of(f"(t + INTERVAL {interval} {self._operator()} {{0}})",
                           self._pick("t", "d", f"timestamp '{day()} 12:00:00'"))  # fmt: skip
        if kind == 2:
            return Both.of("(d " + self._operator() + " t)")
        if kind == 3:
            return self._compare(lambda: Both.of("d"), lambda: f"date '{day()}'")
        return self._compare(
            lambda: Both.of("t"),
            lambda: f"timestamp '{day()} {self._random.randrange(24):02}:00:00'",
        )

    def _compare_decimal(self, depth):
        return self._compare(
            lambda: Both.of(self._pick("m", "(m + 1)", "abs(m)", "(m - m)")),
            lambda: self._pick("1", "-0.25", "2.50", "0", "3.01"),
        )

    def _compare_nested(self, depth):
        kind = self._random.randrange(4)
        if kind == 0:
            return Both.of("list_contains(l, {0})", str(self._random.randint(0, 4)))
        if kind == 1:
            return self._length()
        if kind == 2:
            index = str(self._pick(1, 2, -1))
            return Both.of("(l[{0}] " + self._operator() + " {1})", index,
                           str(self._random.randint(0, 4)))  # fmt: skip
        return Both.of("({0} " + self._operator() + " {1})", self._pick("st['a']", "st.a"), "k")

    def _length(self):
        operator = self._operator()
        return Both(f"(array_length(l) {operator} 2)", f"(len(l) {operator} 2)")


    @staticmethod
    def _plain(function, *arguments):
        """A function, which in DuckDB is that of filter_oracles; its last arguments may be None."""
        given = [argument for argument in arguments if argument is not None]
        parts = [part if isinstance(part, Both) else Both.of(str(part)) for part in given]
        return Both(
            f"{function}({', '.join(part.tusk for part in parts)})",
            f"plain_{function}({', '.join(part.duck for part in parts)})",
        )

    def _bin(self):
        origin = self._pick("1970-01-01 00:00:00", "2000-02-15 05:00:00")
        kind = self._random.randrange(3)
        count = self._random.randint(1, 5)
        stride, number = [
            (f"{count} hours", count),
            (f"{count} days", count * 24),
            (f"{count} months", -count),
        ][kind]
        return Both(
            f"date_bin(INTERVAL '{stride}', t, timestamp '{origin}')",
            f"plain_date_bin({number}, t, timestamp '{origin}')",
        )

    def _list(self, depth):
        """A list of whole numbers."""
        if depth <= 0 or self._random.random() < 0.4:
            return Both.of("l")
        one = self._list(depth - 1)
        number = self._random.randint(0, 4)
        kind = self._random.randrange(12)
        if kind >= 8:
            return self._changed_list(one, number, depth)
        if kind == 0:
            return self._plain(self._pick("array_sort", "array_reverse", "array_distinct"), one)
        if kind == 1:
            return self._plain(self._pick("array_remove", "array_remove_all"), one, number)
        if kind == 2:
            return self._plain("array_append", one, self._pick(str(number), "n", "NULL"))
        if kind == 3:
            return self._plain("array_prepend", self._pick(str(number), "k"), one)
        if kind == 4:
            return self._plain("array_concat", one, self._list(depth - 1))
        if kind == 5:
            made = Both(f"make_array({number}, n)", f"[{number}, n]")
            return self._plain("array_concat", one, made)
        first, last = self._random.randint(-3, 3), self._random.randint(-3, 4)
        step = self._pick(None, 1, 2)
        sliced = self._plain("array_slice", one, first, last, step)
        if step is None:
            return Both(sliced.tusk, sliced.duck[:-1] + ", 1)")
        return sliced

    def _changed_list(self, one, number, depth):
        """The same by a function of sets, of places or of replacements."""
        kind = self._random.randrange(6)
        if kind == 0:
            function = self._pick("array_union", "array_intersect", "array_except")
            return self._plain(function, one, self._list(depth - 1))
        if kind == 1:
            function = self._pick("array_compact", "array_pop_back", "array_pop_front")
            return self._plain(function, one)
        if kind == 2:
            return self._plain("array_positions", one, number)
        if kind == 3:
            return self._plain("array_resize", one, self._random.randint(0, 5), number)
        if kind == 4:
            old, new = self._pick(str(number), "n", "NULL"), self._pick("7", "k", "NULL")
            return self._plain("array_replace_n", one, old, new, self._random.randint(0, 2))
        start, stop = self._pick("n", "1"), self._pick("k", "4")
        step = self._pick(1, 2, -1)
        return Both(f"range({start}, {stop}, {step})", f"plain_range_of({start}, {stop}, {step})")

    def _compare_list(self, depth):
        one = self._list(depth)
        kind = self._random.randrange(5)
        if kind == 0:
            numbers = ", ".join(str(self._random.randint(0, 4)) for _ in range(2))
            return self._plain(self._pick("array_has_any", "array_has_all"), one, f"[{numbers}]")
        if kind == 1:
            length = Both(f"cardinality({one.tusk})", f"len({one.duck})")
            return Both.of("({0} " + self._operator() + " {1})", length, "2")
        if kind == 2:
            null = self._pick("'N'", "''")
            text = self._plain("array_to_string", one, "','", null)
            return Both.of("({0} " + self._operator() + " {1})", text, "'2,N'")
        value = self._pick(
            lambda: self._plain(self._pick("array_min", "array_max"), one),
            lambda: self._plain("array_element", one, self._random.randint(-3, 3)),
            lambda: self._plain("array_position", one, self._random.randint(0, 4)),
        )
        return self._compare(value, lambda: str(self._random.randint(0, 4)))

    def _compare_json(self, depth):
        path = _quoted("$" + self._pick("", ".c", ".c[0]", ".c[last]", ".c[*]", ".o.a", ".o.c",
                                        ".o.c[1].a", ".*", ".i", ".s", ".c[5]",
                                        ".c[*]?(@ == 1)", '.c[*]?(@ != "a")', ".c[*]?(@ > 0)",
                                        ".o?(@.a > 0)", ".c?(@ == null)",
                                        '.o?(@.a != 1).a'))  # fmt: skip
        inner = self._pick(None, "'o'")
        document = Both.of("j") if inner is None else self._plain("json_get", "j", inner)
        kind = self._random.randrange(8)
        if kind == 0:
            return self._plain("json_exists", document, path)
        if kind == 1:
            wanted = self._pick("'a'", "'1'", "'null'", "'0'")
            return self._plain("json_array_contains", document, path, wanted)
        if kind == 2:
            return self._compare(lambda: self._plain("json_array_length", document, path),
                                 lambda: str(self._random.randint(0, 3)))  # fmt: skip
        if kind == 3:
            return self._compare(lambda: self._plain("json_extract", document, path),
                                 lambda: self._pick("'1'", "'\"a\"'", "'[]'"))  # fmt: skip
        if kind == 4:
            return self._compare(
                lambda: self._plain("json_get_int", *self._pick(("j", "'i'"), (document, "'a'"))),
                lambda: str(self._random.randint(-3, 3)),
            )
        if kind == 5:
            return self._compare(lambda: self._plain("json_get_float", "j", "'f'"),
                                 lambda: self._pick("0.5", "-1.5", "1000"))  # fmt: skip
        if kind == 6:
            return self._plain("json_get_bool", "j", "'b'")
        return self._compare(lambda: self._plain("json_get_string", "j", "'s'"),
                             lambda: self._pick("'a'", "'1'", "'true'"))  # fmt: skip


def random_filters(seed, count):
    """A table and conditions about it, the same for the same seed."""
    generator = random.Random(seed)
    table = random_rows(generator, generator.choice([1, 7, 64, 200]))
    filters = RandomFilters(generator)
    return table, [filters.condition() for _ in range(count)]
