"""Scans that give a number for each group of rows, as a Substrait plan asks for them."""

import pyarrow as pa
import pyarrow.compute as pc

from tusk._substrait import parse_aggregate
from tusk.errors import InvalidArgumentError, UnsupportedError
from tusk.scanner import LanceScanner

# Groups of batches that are put together once they have so many rows, or twice as many as there
# are groups: what waits in memory stays a small multiple of the result.
_MOST_WAITING = 1 << 16
# Rows that are grouped at once, as far as the bytes of a batch allow it.
_ROWS_AT_ONCE = 1 << 17
# How numbers of parts of a group become one of all of it.
_TOGETHER = {"count": "sum", "sum": "sum", "min": "min", "max": "max"}


class AggregateScanner(LanceScanner):
    """A planned scan whose rows are aggregated as they come. Its result is in memory."""

    def __init__(self, scanner, dataset, snapshot):
        super().__init__(scanner, dataset, snapshot)
        if scanner.limit is not None or scanner.offset:
            raise InvalidArgumentError(
                "a scan that aggregates has no limit and no offset: cut its result"
            )
        self._batch_rows = scanner.batch_rows  # of the result
        scanner.batch_rows = _ROWS_AT_ONCE
        plan = parse_aggregate(snapshot["substrait_aggregate"])
        # Numbers of fields are those of the table, whatever columns were asked for.
        schema = pa.schema(dataset._table.schema)
        self._groups = [_Column(schema, path) for path in plan.groups]
        self._measures = [_Measure(schema, measure) for measure in plan.measures]
        fields = [group.field for group in self._groups]
        fields += [measure.field for measure in self._measures]
        if not fields:
            raise InvalidArgumentError("the Substrait plan asks for no column")
        names = [*plan.names, *(field.name for field in fields[len(plan.names) :])]
        self._result = pa.schema([f.with_name(name) for f, name in zip(fields, names)])

    @property
    def projected_schema(self):
        return self._result

    def to_table(self):
        watch = self._watch()
        table = self._aggregate()
        if watch is not None:
            watch.end()
        return table

    def _read_all(self):
        return self._aggregate()

    def _open(self):
        return self._aggregate()

    def to_batches(self):
        return iter(self.to_table().to_batches(max_chunksize=self._batch_rows))

    def to_reader(self):
        return pa.RecordBatchReader.from_batches(self._result, self.to_batches())

    def count_rows(self):
        return self.to_table().num_rows

    def _to_frame(self, blob_mode, kwargs):
        return self.to_table().to_pandas(**kwargs)

    def _aggregate(self):
        parts = _Parts(len(self._groups), [m.partial for m in self._measures])
        columns = {group.numbers: group for group in self._groups}
        columns.update({m.column.numbers: m.column for m in self._measures if m.column is not None})
        self._options.columns = [column.path for column in columns.values()] or ["_rowoffset"]
        for batch in self._dataset._table.scan(self._options):
            batch = pa.record_batch(batch)
            found = dict(zip(columns, batch.columns))
            keys = [found[group.numbers] for group in self._groups]
            values = [measure.values(found, batch.num_rows) for measure in self._measures]
            parts.add(keys, values)
        return self._finish(parts.finish())

    def _finish(self, parts):
        """The result, of a table of the groups with the numbers of their measures."""
        if parts is None:
            columns = [pa.array([], field.type) for field in self._result]
            if not self._groups:
                columns = [m.of_nothing() for m in self._measures]
            return pa.table(columns, schema=self._result)
        columns = parts.columns[: len(self._groups)]
        rest = parts.columns[len(self._groups) :]
        for measure in self._measures:
            columns.append(measure.finish(rest[: len(measure.partial)]))
            rest = rest[len(measure.partial) :]
        columns = [c.cast(field.type) for c, field in zip(columns, self._result)]
        return pa.table(columns, schema=self._result)


class _Column:
    """A column of the rows, or a field inside of structs."""

    def __init__(self, schema, path):
        names = []
        fields = list(schema)
        for number in path:
            if number >= len(fields):
                where = f"column {'.'.join(names)}" if names else "a scan"
                raise InvalidArgumentError(
                    f"the Substrait plan asks for field {number} of {where}, "
                    f"which has {len(fields)}"
                )
            field = fields[number]
            names.append(field.name)
            fields = list(field.type) if pa.types.is_struct(field.type) else []
        self.numbers = path
        self.type = field.type
        self.text = ".".join(names)
        self.field = pa.field(self.text, self.type, len(path) > 1 or field.nullable)
        # As a path of a scan: names may have dots of their own.
        self.path = names[0] if len(names) == 1 else ".".join(f"`{name}`" for name in names)


class _Measure:
    """What is computed of each batch, and of all of them in the end."""

    def __init__(self, schema, measure):
        self._function = measure.function
        self.column = None if measure.path is None else _Column(schema, measure.path)
        self.partial = ["sum", "count"] if self._function == "avg" else [self._function]
        # Called as pylance calls it.
        text = "Int64(1)" if self.column is None else self.column.text
        is_count = self._function == "count"
        self.field = pa.field(f"{self._function}({text})", self._type(), nullable=not is_count)

    def _type(self):
        if self._function == "count":
            return pa.int64()
        kind = self.column.type
        if self._function in ("min", "max"):
            if pa.types.is_nested(kind):
                raise UnsupportedError(
                    f"the {self._function} of {self.column.text}, {kind}, is not supported yet"
                )
            return kind
        if self._function == "avg" and (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
            return pa.float64()
        if self._function == "sum":
            if pa.types.is_signed_integer(kind):
                return pa.int64()
            if pa.types.is_unsigned_integer(kind):
                return pa.uint64()
            if pa.types.is_floating(kind):
                return pa.float64()
            if pa.types.is_decimal128(kind):
                return pa.decimal128(min(38, kind.precision + 10), kind.scale)
            if pa.types.is_decimal(kind):
                raise UnsupportedError(
                    f"the sum of {self.column.text}, {kind}, is not supported yet"
                )
        if self._function == "avg" and pa.types.is_decimal(kind):
            raise UnsupportedError(f"the avg of {self.column.text}, {kind}, is not supported yet")
        raise InvalidArgumentError(f"there is no {self._function} of {self.column.text}, {kind}")

    def values(self, columns, num_rows):
        """What is aggregated of a batch of so many rows, with its columns by their numbers."""
        if self.column is None:
            return pa.repeat(pa.scalar(True), num_rows)
        values = columns[self.column.numbers]
        if self._function in ("sum", "avg"):
            return values.cast(self.field.type)
        return values

    def finish(self, numbers):
        """The column of the result, of the numbers that `partial` names."""
        if self._function == "avg":
            return pc.divide(numbers[0], numbers[1].cast(pa.float64()))
        return numbers[0]

    def of_nothing(self):
        """Of no rows: none for a count, else null."""
        return pa.array([0 if self._function == "count" else None], self.field.type)


class _Parts:
    """Numbers of groups, over the batches so far."""

    def __init__(self, num_keys, partials):
        self._keys = [f"k{i}" for i in range(num_keys)]
        # One column of values for each measure, of which several numbers may be needed.
        self._wanted = [(f"v{i}", name) for i, names in enumerate(partials) for name in names]
        self._together = [
            (f"{column}_{name}", _TOGETHER[name]) for column, name in self._wanted
        ]
        self._waiting = []
        self._num_waiting = 0
        self._num_groups = 0

    def add(self, keys, values):
        names = [*self._keys, *(f"v{i}" for i in range(len(values)))]
        part = self._group(pa.table([*keys, *values], names=names), self._wanted)
        self._waiting.append(part)
        self._num_waiting += part.num_rows
        if self._num_waiting > max(_MOST_WAITING, 2 * self._num_groups):
            self._join()

    def finish(self):
        """A table of keys and numbers; None of no batches."""
        if not self._waiting:
            return None
        return self._join()

    def _join(self):
        table = self._waiting[0]
        if len(self._waiting) > 1:
            table = self._group(pa.concat_tables(self._waiting), self._together)
            names = [*self._keys, *(f"{column}_{name}" for column, name in self._wanted)]
            table = table.rename_columns(names)
        self._waiting = [table]
        self._num_waiting = self._num_groups = table.num_rows
        return table

    def _group(self, table, wanted):
        if not wanted:
            return table.group_by(self._keys, use_threads=False).aggregate([])
        found = table.group_by(self._keys, use_threads=False).aggregate(wanted)
        return found.select([*self._keys, *(f"{column}_{name}" for column, name in wanted)])
