"""Makes the seeds of the fuzzers of transactions: those of pylance, one of each operation.

    python tests/corpus/lance_table/make_transactions.py
"""

import pathlib
import tempfile

import lance
import pyarrow as pa

import tusk
from tusk import _tusk

_HERE = pathlib.Path(__file__).parent


def _data(first, count=10):
    return pa.table({"id": range(first, first + count), "s": [f"t{i}" for i in range(count)]})


def _change(path):
    """Every operation, each as a version of its own."""
    lance.write_dataset(_data(0), path, max_rows_per_file=5, enable_stable_row_ids=True)
    lance.write_dataset(_data(10), path, mode="append", transaction_properties={"who": "me"})
    table = lance.dataset(path)
    table.create_scalar_index("id", "BTREE")
    table.delete("id = 3 OR id = 17")
    table.update({"s": "'new'"}, where="id % 4 = 0")
    table.add_columns({"n": "id * 2"})
    table.merge_insert("id").when_matched_update_all().write_mode("rewrite_columns").execute(
        pa.table({"id": [5, 6], "n": [1, 2]})
    )
    table.merge_insert("id").when_matched_update_all().when_not_matched_insert_all().execute(
        pa.table({"id": [6, 77], "s": ["a", "b"], "n": [3, 4]})
    )
    table.alter_columns({"path": "n", "name": "m"})
    table.drop_columns(["s"])
    table.optimize.compact_files()
    table.update_config({"key": "value"})
    table.update_schema_metadata({"about": "numbers"})
    table.update_field_metadata({"id": {"unit": "m"}})
    table.add_bases([lance.DatasetBasePath("/elsewhere", name="more")])
    lance.dataset(path, version=2).restore()
    lance.write_dataset(_data(0), path, mode="overwrite")
    return table


def main():
    for name in ("transaction", "transaction_json"):
        (_HERE / name).mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/t"
        _change(path)
        clone = f"{folder}/clone"
        lance.dataset(path).shallow_clone(clone, 2)
        for place, versions in ((path, lance.dataset(path).version), (clone, None)):
            numbers = range(1, versions + 1) if versions else [2]
            for version in numbers:
                # pylance itself cannot read all of them.
                transaction = tusk.dataset(place, version).read_transaction(version)
                kind = type(transaction.operation).__name__
                (file,) = pathlib.Path(place, "_transactions").glob(f"*-{transaction.uuid}.txn")
                name = f"{version:02}_{kind.lower()}"
                (_HERE / "transaction" / name).write_bytes(file.read_bytes())
                text = _tusk.describe_lance_transaction(tusk.dataset(place, version)._table)
                (_HERE / "transaction_json" / name).write_text(text)


if __name__ == "__main__":
    main()
