"""Writes the seeds of the Iceberg fuzzers: small files of pyiceberg, Spark and tusk, and parts of them.

    make_seeds.py      into the folders beside this file

`avro_file/` has manifests and manifest lists as they were written; `manifest_records/` has the
records of the same files behind their schema, in the form of src/tusk/iceberg/manifest_records_fuzz.cc;
`metadata/` has table metadata. A seed is never changed once it is there: names and times in the
files differ from run to run.
"""

import io
import json
import pathlib
import struct
import tarfile
import tempfile

import fastavro
import pyarrow as pa
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.transforms import IdentityTransform

import tusk

HERE = pathlib.Path(__file__).parent

ROWS = pa.table(
    {
        "i": pa.array([1, None], pa.int32()),
        "l": pa.array([1, 2**40], pa.int64()),
        "m": pa.array(["1.50", None]).cast(pa.decimal128(9, 2)),
        "s": pa.array(["abcd", ""]),
        "b": pa.array([b"\xff\xff", None], pa.binary()),
        "d": pa.array([-1, 17000], pa.date32()),
        "t": pa.array([-1, 10**15], pa.timestamp("us")),
        "x": pa.array([1.5, float("nan")]),
        "yes": pa.array([True, None]),
    }
)
TERMS = [
    "i",
    "bucket[4](l)",
    "truncate[50](m)",
    "truncate[2](s)",
    "b",
    "year(d)",
    "month(t)",
    "day(t) as by_day",
    "hour(t) as by_hour",
    "x",
    "yes",
]
# Of Spark's tables: one of each kind of manifest and metadata.
SPARK = {
    "n/deletes": ("deletes", 3),
    "n/evolution": ("evolution", 2),
    "n/bucket_m": ("bucket", 1),
    "n/day_t": ("day", 1),
    "n/truncate_b": ("truncate", 1),
}


def tables_of_spark(scratch):
    with tarfile.open(HERE / "spark" / "tables.tar.gz") as tar:
        tar.extractall(scratch, filter="data")
    for folder, (name, most) in SPARK.items():
        metadata = sorted((scratch / folder / "metadata").iterdir(), key=lambda path: path.name)
        avro = [path for path in metadata if path.suffix == ".avro"]
        manifests = [path for path in avro if not path.name.startswith("snap-")][:most]
        lists = [path for path in avro if path.name.startswith("snap-")][-1:]
        documents = [path for path in metadata if path.name.endswith(".json")][-1:]
        yield f"spark_{name}", manifests + lists, documents


def table_of_pyiceberg(scratch):
    catalog = SqlCatalog("c", uri=f"sqlite:///{scratch}/c.db", warehouse=f"file://{scratch}")
    catalog.create_namespace("n")
    for version in ("1", "2"):
        table = catalog.create_table(
            f"n.v{version}", schema=ROWS.schema, properties={"format-version": version}
        )
        with table.update_spec() as update:
            update.add_field("s", IdentityTransform(), "s")
        table.append(ROWS)
        table.delete("l = 1")
        folder = scratch / "n" / f"v{version}" / "metadata"
        documents = sorted(folder.glob("*.json"))[-1:]
        # Names of lists begin with a letter behind those of hexadecimal digits.
        avro = sorted(folder.glob("*.avro"))
        yield f"pyiceberg_v{version}", [*avro[:2], avro[-1]], documents


def table_of_tusk(scratch):
    lake = tusk.init(scratch / "lake")
    table = lake.create_iceberg("n.t", ROWS.schema, partition_by=TERMS)
    lake.append(iceberg={"n.t": ROWS})
    with table.update() as change:
        change.add_column("more", pa.list_(pa.struct([("a", pa.uuid()), ("b", pa.binary(3))])))
    folder = scratch / "lake" / "tables"
    yield "tusk", sorted(folder.rglob("*.avro")), sorted(folder.rglob("*.json"))[-1:]


def reader_of(written):
    return fastavro.block_reader(io.BytesIO(written))


def schema_of(written):
    """The schema in the header, as short as it can be written; a reader ignores defaults and docs."""

    def without(node):
        if isinstance(node, list):
            return [without(part) for part in node]
        if not isinstance(node, dict):
            return node
        return {k: without(v) for k, v in node.items() if k not in ("doc", "default")}

    text = reader_of(written).metadata["avro.schema"]
    return json.dumps(without(json.loads(text)), separators=(",", ":")).encode()


def records_of(written):
    return b"".join(block.bytes_.getvalue() for block in reader_of(written))


def keep(folder, name, written):
    path = HERE / folder / name
    path.parent.mkdir(exist_ok=True)
    if not path.exists():
        path.write_bytes(written)


def main():
    scratch = pathlib.Path(tempfile.mkdtemp())
    sources = [*tables_of_spark(scratch), *table_of_pyiceberg(scratch), *table_of_tusk(scratch)]
    for name, files, documents in sources:
        for number, path in enumerate(files):
            written = path.read_bytes()
            keep("avro_file", f"{name}_{number}", written)
            schema = schema_of(written)
            keep(
                "manifest_records",
                f"{name}_{number}",
                struct.pack("<H", len(schema)) + schema + records_of(written),
            )
        for path in documents:
            text = json.dumps(json.loads(path.read_bytes()), separators=(",", ":"))
            keep("metadata", name, text.encode())
    for codec in ("null", "deflate"):
        keep("avro_file", f"foreign_{codec}", (HERE / f"foreign_manifest_{codec}.avro").read_bytes())


if __name__ == "__main__":
    main()
