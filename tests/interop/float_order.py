"""What pyarrow needs to keep the rows that our filters keep: NaN is above all numbers."""

import math

import pyarrow as pa
import pyarrow.compute as pc


def keep_rows(table, expression):
    """`table.filter(expression)`, where NaN counts as infinity; no value may be that."""
    ordered = table
    for number, field in enumerate(table.schema):
        if pa.types.is_floating(field.type) and field.type != pa.float16():
            column = table[number]
            is_nan = pc.fill_null(pc.is_nan(column), False)
            infinite = pc.if_else(is_nan, pa.scalar(math.inf, field.type), column)
            ordered = ordered.set_column(number, field, infinite)
    mark = "the number of the row"
    numbered = ordered.append_column(mark, pa.array(range(table.num_rows), pa.int64()))
    return table.take(numbered.filter(expression)[mark])
