"""More programs as users of Lance write them: the quick start, distributed writes, the evolution of
columns, tags and branches, bases. Each runs with both packages, in a process of its own.
"""

import pytest
from test_guide import run

PROGRAMS = {
    "the quick start": """
import pandas as pd
import pyarrow.parquet
import pyarrow.dataset as pads

frame = pd.DataFrame({"a": [5]})
table = pa.Table.from_pandas(frame)
pa.parquet.write_table(table, "test.parquet")
parquet = pads.dataset("test.parquet", format="parquet")
lance.write_dataset(parquet, "test.lance")
dataset = lance.dataset("test.lance")
found = [dataset.to_table().to_pandas().to_dict("list")]
frame = pd.DataFrame({"a": [10]})
dataset = lance.write_dataset(pa.Table.from_pandas(frame), "test.lance", mode="append")
found.append(dataset.to_table().to_pandas().to_dict("list"))
frame = pd.DataFrame({"a": [50, 100]})
dataset = lance.write_dataset(pa.Table.from_pandas(frame), "test.lance", mode="overwrite")
found.append([version["version"] for version in dataset.versions()])
found += [
    lance.dataset("test.lance", version=v).to_table().to_pandas().to_dict("list") for v in (1, 2)
]
dataset.tags.create("stable", 2)
dataset.tags.create("nightly", 3)
found.append({name: tag["version"] for name, tag in dataset.tags.list().items()})
found.append(lance.dataset("test.lance", version="stable").to_table().to_pandas().to_dict("list"))
""",
    "workers write and one process commits": """
import json
from lance_module.fragment import LanceFragment, write_fragments
from lance_module import LanceOperation, FragmentMetadata

schema = pa.schema([("a", pa.int64()), ("b", pa.string())])
data = [pa.table({"a": [i, i + 1], "b": [str(i), None]}, schema=schema) for i in range(0, 6, 2)]
pieces = []
for worker in data:
    fragments = write_fragments(worker, "./people", schema=schema)
    pieces.append([json.dumps(fragment.to_json()) for fragment in fragments])
fragments = [FragmentMetadata.from_json(text) for piece in pieces for text in piece]
operation = LanceOperation.Overwrite(schema, fragments)
dataset = lance.LanceDataset.commit("./people", operation)
more = [LanceFragment.create("./people", data[0]), LanceFragment.create("./people", data[1])]
append = LanceOperation.Append(more)
dataset = lance.LanceDataset.commit("./people", append, read_version=dataset.version)
found = [dataset.to_table().to_pylist(), dataset.version, [f.fragment_id for f in
         dataset.get_fragments()]]

# A column is added by fragment.
def half(batch):
    return pa.record_batch([pa.array([value / 2 for value in batch["a"].to_pylist()])], ["half"])

merged = [f.merge_columns(half, ["a"]) for f in dataset.get_fragments()]
operation = LanceOperation.Merge([fragment for fragment, _ in merged], merged[-1][1])
dataset = lance.LanceDataset.commit("./people", operation, read_version=dataset.version)
found.append(dataset.to_table().to_pylist())
# Values are updated by fragment.
new = pa.table({"a": [0, 3], "b": ["zero", "three"]})
updated, fields = dataset.get_fragments()[0].update_columns(new, left_on="a", right_on="a")
operation = LanceOperation.Update(updated_fragments=[updated], fields_modified=fields)
dataset = lance.LanceDataset.commit("./people", operation, read_version=dataset.version)
found.append(dataset.to_table().to_pylist())
# Rows are deleted by fragment.
gone = dataset.get_fragments()[1].delete("a = 2")
operation = LanceOperation.Delete([gone], [], "a = 2")
dataset = lance.LanceDataset.commit("./people", operation, read_version=dataset.version)
found.append(dataset.to_table().to_pylist())
""",
    "columns change": """
import numpy as np

table = pa.table({"id": pa.array([1, 2, 3])})
dataset = lance.write_dataset(table, "names")
dataset.add_columns([pa.field("age", pa.int64()), pa.field("city", pa.string())])
found = [str(dataset.schema), dataset.to_table().to_pylist()]
dataset.drop_columns(["age", "city"])
dataset.add_columns({"double": "id * 2", "text": "cast(id as string)"})
found.append(dataset.to_table().to_pylist())

@lance.batch_udf(checkpoint_file="embedding.sqlite")
def embed(batch):
    values = np.repeat(batch["id"].to_numpy().astype(np.float32), 4)
    vectors = pa.FixedSizeListArray.from_arrays(values, 4)
    return pa.RecordBatch.from_arrays([vectors], names=["embedding"])

dataset.add_columns(embed, read_columns=["id"])
found.append(dataset.to_table().to_pylist())

@lance.batch_udf()
def frame(batch):
    import pandas as pd
    return pd.DataFrame({"plus": [value + 1 for value in batch["id"].to_pylist()]})

dataset.add_columns(frame)
late = pa.table({"late": pa.array([7, 8, 9], pa.int32())})
dataset.add_columns(late.to_reader())
found.append(dataset.to_table(columns=["plus", "late"]).to_pylist())
dataset.merge(pa.table({"id": [1, 3], "label": ["horse", "cat"]}), "id")
found.append(dataset.to_table(columns=["id", "label"]).to_pylist())
wider = {"path": "late", "data_type": pa.int64()}
dataset.alter_columns({"path": "label", "name": "animal"}, wider)
dataset.alter_columns({"path": "embedding", "data_type": pa.list_(pa.float16(), 4)})
found.append(str(dataset.schema.field("embedding").type))
dataset.drop_columns(["double", "plus"])
found.append(dataset.schema.names)
nested = lance.write_dataset(pa.table({"meta": [{"id": 1, "name": "Ada"}]}), "nested")
nested.alter_columns({"path": "meta.id", "name": "new_id"})
nested.drop_columns(["meta.name"])
found.append(nested.to_table().to_pylist())
""",
    "tags and branches": """
import datetime

dataset = lance.write_dataset(pa.table({"a": range(4)}), "table")
dataset.tags.create("v1", 1)
dataset.delete("a = 0")
dataset.tags.create("latest", 2)
found = [sorted((name, tag["version"]) for name, tag in dataset.tags.list().items())]
dataset.tags.update("v1", 2)
dataset.tags.delete("latest")
found.append([dataset.tags.get_version("v1"), [name for name, _ in dataset.tags.list_ordered()]])
branch = dataset.create_branch("experiment", 1)
found.append([branch.count_rows(), branch.version])
lance.write_dataset(pa.table({"a": [10]}), branch, mode="append")
other = branch.create_branch("more", ("experiment", 1))
found.append([other.count_rows(), sorted(dataset.branches.list())])
found.append(dataset.checkout_version(("experiment", None)).to_table().to_pydict())
dataset.tags.create("on-branch", ("experiment", 2))
found.append(lance.dataset("table", version="on-branch").count_rows())
found.append(dataset.checkout_version(("experiment", 1)).count_rows())
found.append(dataset.branches.list()["experiment"]["parent_version"])
dataset.tags.delete("on-branch")
dataset.branches.delete("more")
dataset.restore()
found.append([dataset.version, dataset.latest_version, dataset.count_rows()])
clone = dataset.shallow_clone("clone", 1)
found.append([clone.count_rows(), clone.version])
old = datetime.timedelta(0)
found.append(dataset.cleanup_old_versions(old, error_if_tagged_old_versions=False).old_versions)
""",
    "data lies at several bases": """
dataset = lance.write_dataset(
    pa.table({"a": range(10)}),
    "primary",
    initial_bases=[
        lance.DatasetBasePath("fast", name="hot"),
        lance.DatasetBasePath("slow", name="cold"),
    ],
    target_bases=["hot", "cold"],
    max_rows_per_file=4,
)
dataset = lance.write_dataset(pa.table({"a": [10]}), dataset, mode="append", target_bases=["cold"])
dataset.insert(pa.table({"a": [11]}), target_all_bases=False)
dataset.add_bases([lance.DatasetBasePath("archive", name="old")])
merge = dataset.merge_insert("a").when_not_matched_insert_all().target_bases(["old"])
merge.execute(pa.table({"a": [12]}))
import os
found = [
    sorted((base.id, base.name, base.is_dataset_root) for base in dataset.base_paths().values()),
    [[file.base_id for file in f.data_files()] for f in dataset.get_fragments()],
    {name: len(os.listdir(name)) for name in ("fast", "slow", "archive")},
    dataset.to_table()["a"].to_pylist(),
]
""",
    "changes are followed": """
dataset = lance.write_dataset(pa.table({"id": [1, 2], "val": ["a", "b"]}), "t",
                              enable_stable_row_ids=True)
dataset = lance.write_dataset(pa.table({"id": [3], "val": ["c"]}), "t", mode="append")
inserted = dataset.delta(compared_against=1).get_inserted_rows().read_all()
dataset.update({"val": "'z'"}, where="id = 1")
updated = dataset.delta(begin_version=2, end_version=3).get_updated_rows().read_all()
dataset.delete("id = 2")
deleted = dataset.delta(3).get_deleted_row_ids().read_all()
created = dataset.to_table(columns=["id", "_row_created_at_version"])
late = dataset.to_table(filter="_row_last_updated_at_version > 1").to_pylist()
found = [t.to_pylist() for t in (inserted, updated, deleted, created)] + [late]
""",
    "a training loop samples rows": """
import numpy as np

rows = pa.table({"id": range(1000), "image": [bytes([i % 256]) * 50 for i in range(1000)]})
dataset = lance.write_dataset(rows, "t", max_rows_per_file=300)
sample = dataset.sample(64, columns=["id"])
found = [sample.num_rows, len(set(sample["id"].to_pylist()))]
order = np.random.default_rng(0).permutation(1000)
seen = []
for begin in range(0, 1000, 256):
    batch = dataset.take(order[begin : begin + 256], columns=["id", "image"])
    seen += batch["id"].to_pylist()
found += [seen == order.tolist(), dataset.slice(10, 13)["id"].to_pylist()]
found.append(dataset.to_table(filter="id IN (3, 999, 5000)", columns=["id"])["id"].to_pylist())
ids = tuple(range(0, 200, 2))
found.append(dataset.count_rows(f"id IN {ids}"))
""",
    "a table is looked after": """
import datetime

dataset = lance.write_dataset(pa.table({"a": [0]}), "t", auto_cleanup_options={
    "interval": 2, "older_than_seconds": 0})
for number in range(1, 6):
    dataset = lance.write_dataset(pa.table({"a": [number]}), "t", mode="append")
found = [len(dataset.versions()) < 6, len(dataset.get_fragments())]
metrics = dataset.optimize.compact_files(target_rows_per_fragment=1024)
found += [metrics.fragments_removed, metrics.fragments_added, dataset.count_rows()]
stats = dataset.stats.dataset_stats()
found += [stats["num_fragments"], stats["num_deleted_rows"]]
dataset.optimize.disable_auto_cleanup()
found.append(sorted(dataset.config()))
dataset.update_config({"owner": "me"})
dataset.update_metadata({"about": "numbers"})
dataset.update_schema_metadata({"unit": "m"})
found += [dataset.config().get("owner"), dataset.metadata, dataset.schema_metadata]
transaction = dataset.read_transaction(dataset.version)
found.append(type(transaction.operation).__name__)
dataset.validate()
""",
}


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_program_gives_the_same_with_both_packages(program, tmp_path):
    theirs = run("lance", program.replace("lance_module", "lance"), tmp_path / "theirs")
    assert theirs not in (None, [])
    assert run("tusk", program.replace("lance_module", "tusk"), tmp_path / "ours") == theirs
