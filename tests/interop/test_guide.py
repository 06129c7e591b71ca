"""What the guide of Lance shows (writing, changing, reading a table) does the same with
`import tusk as lance`: each program runs with both packages, in a process of its own.

A program gets a folder of its own as its working directory and leaves what it found in `found`.
"""

import json
import os
import subprocess
import sys

import pytest

PEOPLE = """
people = pa.Table.from_pylist([{"name": "Ada", "age": 20}, {"name": "Ben", "age": 30}])
lance.write_dataset(people, "./people.lance")
"""

ROWS = """
found = lance.dataset("./people.lance").to_table().sort_by("name").to_pylist()
"""

PROGRAMS = {
    "a table is written": PEOPLE + ROWS,
    "batches are written as they are made": """
def batches():
    yield pa.RecordBatch.from_pylist([{"name": "Ada", "age": 20}])
    yield pa.RecordBatch.from_pylist([{"name": "Ben", "age": 30}])

schema = pa.schema([pa.field("name", pa.string()), pa.field("age", pa.int64())])
reader = pa.RecordBatchReader.from_batches(schema, batches())
lance.write_dataset(reader, "./people.lance", schema)
"""
    + ROWS,
    "a column is joined": """
import numpy as np

vectors = pa.table({
    "id": pa.array([1, 2, 3]),
    "embedding": pa.array([np.array([1, 2, 3]), np.array([4, 5, 6]), np.array([7, 8, 9])]),
})
table = lance.write_dataset(vectors, "vectors")
table.merge(pa.table({"id": pa.array([1, 2, 3]), "label": ["horse", "rabbit", "cat"]}), "id")
found = table.to_table().to_pandas().to_dict("list")
found["embedding"] = [vector.tolist() for vector in found["embedding"]]
""",
    "rows are deleted": PEOPLE + "lance.dataset('people.lance').delete(\"name = 'Ben'\")" + ROWS,
    "a text is mended": PEOPLE
    + """
table = lance.dataset("./people.lance")
table.update({"name": "'Bea'"}, where="name = 'Ben'")
"""
    + ROWS,
    "numbers are computed": PEOPLE
    + "lance.dataset('people.lance').update({'age': 'age + 2'})"
    + ROWS,
    "rows are updated in bulk": PEOPLE
    + """
newer = pa.Table.from_pylist([{"name": "Ada", "age": 30}, {"name": "Ben", "age": 20}])
table = lance.dataset("./people.lance")
table.merge_insert("name").when_matched_update_all().execute(newer)
"""
    + ROWS,
    "only what is missing is inserted": PEOPLE
    + """
more = pa.Table.from_pylist([{"name": "Ben", "age": 99}, {"name": "Cleo", "age": 37}])
table = lance.dataset("./people.lance")
table.merge_insert("name").when_not_matched_insert_all().execute(more)
"""
    + ROWS,
    "rows are updated or inserted": PEOPLE
    + """
more = pa.Table.from_pylist([{"name": "Ben", "age": 27}, {"name": "Dora", "age": 42}])
(lance.dataset("./people.lance").merge_insert("name")
    .when_matched_update_all()
    .when_not_matched_insert_all()
    .execute(more))
"""
    + ROWS,
    "a part of the rows is replaced": PEOPLE
    + """
more = pa.Table.from_pylist([{"name": "Eve", "age": 46}, {"name": "Finn", "age": 44}])
(lance.dataset("./people.lance").merge_insert("name")
    .when_not_matched_insert_all()
    .when_not_matched_by_source_delete("age >= 30")
    .execute(more))
"""
    + ROWS,
    "columns and rows are chosen": """
import datetime
import decimal

table = lance.write_dataset(pa.table({
    "label": pa.array([2, 2, 10, 20]),
    "text": ["a", None, "c", "d"],
    "note": [{"email": "x", "created": True}, {"email": None, "created": False}] * 2,
    "two words": [1, 2, 3, 4],
    "day": [datetime.date(2021, 1, d) for d in (1, 2, 3, 4)],
    "price": pa.array([decimal.Decimal("1.000")] * 3 + [None], pa.decimal128(8, 3)),
}), "things")
found = [
    table.to_table(columns=["label"], filter=text)["label"].to_pylist()
    for text in (
        "label = 2 AND text IS NOT NULL",
        "((label IN (10, 20)) AND (note.email IS NOT NULL)) OR NOT note.created",
        "`two words` = 3 AND label IS NOT NULL",
        "day = date '2021-01-02'",
        "price = decimal(8,3) '1.000'",
        "regexp_match(text, '^[cd]$')",
        "CAST(label AS double) < 5",
    )
]
""",
    "rows come in batches": """
table = lance.write_dataset(pa.table({"image": [b"x"] * 10, "label": [1, 2] * 5}), "things")
found = sum(b.num_rows for b in table.to_batches(columns=["image"], filter="label = 2"))
""",
    "rows are taken by number": """
table = lance.write_dataset(pa.table({"image": range(600), "label": range(600)}), "things")
found = table.take([1, 100, 500], columns=["image", "label"]).to_pylist()
""",
    "small files become large ones": PEOPLE
    + """
table = lance.write_dataset(people, "./people.lance", mode="append")
metrics = table.optimize.compact_files(target_rows_per_fragment=1024 * 1024)
found = [metrics.fragments_removed, metrics.fragments_added, table.count_rows()]
""",
    "a commit holds a lock": """
from contextlib import contextmanager

held = []

@contextmanager
def lock(version):
    held.append(version)
    try:
        yield
    finally:
        held.append("free")

lance.write_dataset(pa.table({"a": [1]}), "things", commit_lock=lock)
found = held
""",
    "versions stay": PEOPLE
    + """
table = lance.write_dataset(people, "./people.lance", mode="append")
lance.write_dataset(people.slice(0, 1), "./people.lance", mode="overwrite")
found = [len(table.versions())]
found += [lance.dataset("./people.lance", version=v).count_rows() for v in (1, 2, 3)]
table.tags.create("first", 1)
found.append(lance.dataset("./people.lance", version="first").count_rows())
""",
    "pandas go in and out": """
import pandas as pd

frame = pd.DataFrame({"a": [5]})
table = lance.write_dataset(frame, "things")
found = table.to_table().to_pandas().equals(frame)
""",
    "DuckDB asks": """
import duckdb

table = lance.write_dataset(pa.table({"a": range(10), "b": range(10)}), "things")
connection = duckdb.connect()
connection.register("things", table)
found = connection.execute("SELECT CAST(sum(b) AS BIGINT) FROM things WHERE a > 7").fetchall()
""",
    "nearest vectors are found": """
import numpy as np

vectors = np.random.default_rng(1).random((500, 8), dtype=np.float32)
table = lance.write_dataset(
    pa.table({"id": range(500), "vector": pa.FixedSizeListArray.from_arrays(vectors.ravel(), 8)}),
    "vectors",
)
hits = table.to_table(columns=["id"], nearest={"column": "vector", "k": 5, "q": vectors[7]})
found = hits["id"].to_pylist()
""",
    "a training set of pictures, vectors and labels in one table": """
import datetime

rows = 20
schema = pa.schema([
    ("image_bytes", pa.binary()),
    ("embedding", pa.list_(pa.float32(), 1536)),
    ("label", pa.string()),
    ("source_id", pa.string()),
    ("created_at", pa.timestamp("us")),
])
table = lance.write_dataset([
    {
        "image_bytes": bytes([i]) * 1000,
        "embedding": [float(i)] * 1536,
        "label": "even" if i % 2 == 0 else "odd",
        "source_id": f"s{i}",
        "created_at": datetime.datetime(2026, 1, 1 + i),
    }
    for i in range(rows)
], "training", schema=schema)
hits = table.to_table(
    columns=["source_id", "image_bytes"],
    nearest={"column": "embedding", "q": [3.1] * 1536, "k": 3},
    filter="label = 'odd'",
    prefilter=True,
)
found = [[hit["source_id"], len(hit["image_bytes"])] for hit in hits.to_pylist()]
""",
}


def run(package, program, folder):
    text = f"import {package} as lance\nimport pyarrow as pa\n{program}\n"
    text += "import json\njson.dump(found, open('found.json', 'w'), default=str)\n"
    folder.mkdir()
    subprocess.run([sys.executable, "-c", text], cwd=folder, check=True, env=dict(os.environ))
    return json.loads((folder / "found.json").read_text())


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_program_of_the_guide(program, tmp_path):
    theirs = run("lance", program, tmp_path / "theirs")
    assert theirs not in (None, [])
    assert run("tusk", program, tmp_path / "ours") == theirs
