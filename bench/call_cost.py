"""What Python adds to a call, beside what the call costs in the library, on a table of 100 rows.

    .venv/bin/python bench/call_cost.py

Microseconds, the best of some rounds. At most 15 are to be added.
"""

import tempfile
import timeit

import numpy as np
import pyarrow as pa

import tusk
from tusk import _tusk

ROUNDS = 9
CALLS_IN_A_ROUND = 200


def three_rows():
    options = _tusk.LanceScanOptions()
    options.limit = 3
    return options


# The call on a LanceDataset, and the one on its handle that does the work.
CALLS = {
    "count_rows()": (lambda t: t.count_rows(), lambda h: h.count_rows(None)),
    "take([5])": (lambda t: t.take([5]), lambda h: h.take([5], None, [])),
    "take([5], ['a'])": (lambda t: t.take([5], ["a"]), lambda h: h.take([5], ["a"], [])),
    "take(numpy)": (lambda t: t.take(np.array([5])), lambda h: h.take([5], None, [])),
    "head(3)": (lambda t: t.head(3), lambda h: h.to_table(three_rows())),
    "to_table(limit=3)": (lambda t: t.to_table(limit=3), lambda h: h.to_table(three_rows())),
    "version": (lambda t: t.version, lambda h: h.version),
    "latest_version": (lambda t: t.latest_version, lambda h: h.latest_version()),
    "get_fragments()": (lambda t: t.get_fragments(), lambda h: h.fragments()),
}


def cost(call):
    rounds = timeit.repeat(call, number=CALLS_IN_A_ROUND, repeat=ROUNDS)
    return min(rounds) / CALLS_IN_A_ROUND * 1e6


def main():
    with tempfile.TemporaryDirectory() as folder:
        data = pa.table({"a": range(100), "b": [str(i) for i in range(100)]})
        table = tusk.write_dataset(data, f"{folder}/t")
        print(f"{'call':20} {'us':>8} {'of which Python':>16}")
        for name, (in_python, in_library) in CALLS.items():
            whole = cost(lambda call=in_python: call(table))
            added = whole - cost(lambda call=in_library: call(table._table))
            print(f"{name:20} {whole:8.1f} {added:16.1f}")


if __name__ == "__main__":
    main()
