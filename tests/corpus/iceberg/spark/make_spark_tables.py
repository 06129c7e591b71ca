"""Makes the Iceberg tables of Spark that tests/interop/test_iceberg_spark.py reads.

    make_spark_tables.py JAR OUTPUT

Runs with pyspark 4.0 and Iceberg's runtime for it (JAR: iceberg-spark-runtime-4.0_2.13 1.11.0).
Writes OUTPUT/tables.tar.gz, the tables as they lie below WAREHOUSE, and OUTPUT/expected.json, what
Spark itself reads: for every table its rows, by the names that the test asks for. Iceberg keeps
absolute paths, so the test unpacks the tables where they were made.
"""

import json
import pathlib
import shutil
import sys
import tarfile

from pyspark.sql import SparkSession

WAREHOUSE = pathlib.Path("/tmp/tusk-tables-of-spark")

TRANSFORMS = {
    "identity": "s",
    "bucket_i": "bucket(4, i)",
    "bucket_l": "bucket(4, l)",
    "bucket_m": "bucket(4, m)",
    "bucket_s": "bucket(4, s)",
    "bucket_b": "bucket(4, b)",
    "bucket_d": "bucket(4, d)",
    "bucket_t": "bucket(4, t)",
    "bucket_z": "bucket(4, z)",
    "truncate_i": "truncate(10, i)",
    "truncate_l": "truncate(10, l)",
    "truncate_m": "truncate(50, m)",
    "truncate_s": "truncate(2, s)",
    "truncate_b": "truncate(2, b)",
    "year_d": "years(d)",
    "month_d": "months(d)",
    "day_d": "days(d)",
    "year_t": "years(t)",
    "month_t": "months(t)",
    "day_t": "days(t)",
    "hour_t": "hours(t)",
    "year_z": "years(z)",
    "hour_z": "hours(z)",
}
COLUMNS = (
    "id bigint, i int, l bigint, m decimal(9,2), s string, b binary, d date, t timestamp_ntz, "
    "z timestamp"
)
VALUES = """
(1, 34, 34, 14.20, 'iceberg', X'00010203', DATE'2017-11-16', TIMESTAMP_NTZ'2017-11-16 22:31:08',
 TIMESTAMP'2017-11-16 14:31:08-08:00'),
(2, -1, -1, -0.05, 'üa', X'FFFF', DATE'1969-12-31', TIMESTAMP_NTZ'1969-12-31 23:59:59.999999',
 TIMESTAMP'1969-12-31 23:59:59.999999Z'),
(3, 0, 0, 0.00, '', X'', DATE'1970-01-01', TIMESTAMP_NTZ'1970-01-01 00:00:00',
 TIMESTAMP'1970-01-01 00:00:00Z'),
(4, -35, 10000000000, 99.99, '😀😀x', X'61', DATE'1899-03-01', TIMESTAMP_NTZ'1899-03-01 01:00:00',
 TIMESTAMP'1899-03-01 01:00:00Z'),
(5, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)
"""


def plain(value):
    """A value as JSON holds it."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).hex()
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return [[plain(key), plain(item)] for key, item in sorted(value.items())]
    if hasattr(value, "asDict"):
        return {key: plain(item) for key, item in value.asDict().items()}
    return str(value)


class Maker:
    def __init__(self, jar):
        self.spark = (
            SparkSession.builder.master("local[1]")
            .config("spark.jars", jar)
            .config("spark.driver.memory", "1g")
            .config("spark.ui.enabled", "false")
            .config("spark.sql.session.timeZone", "UTC")
            .config("spark.sql.shuffle.partitions", "1")
            .config(
                "spark.sql.extensions",
                "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
            )
            .config("spark.sql.catalog.c", "org.apache.iceberg.spark.SparkCatalog")
            .config("spark.sql.catalog.c.type", "hadoop")
            .config("spark.sql.catalog.c.warehouse", str(WAREHOUSE))
            .getOrCreate()
        )
        self.expected = {}

    def run(self, *statements):
        for statement in statements:
            self.spark.sql(statement)

    def rows(self, query):
        return [plain(row) for row in self.spark.sql(query).collect()]

    def keep(self, name, query, **more):
        """What Spark reads of a table goes into expected.json."""
        self.expected.setdefault(name, {}).update(rows=self.rows(query), **more)

    def partitioned(self):
        for name, transform in TRANSFORMS.items():
            table = f"c.n.{name}"
            self.run(
                f"CREATE TABLE {table} ({COLUMNS}) USING iceberg PARTITIONED BY ({transform}) "
                "TBLPROPERTIES ('write.distribution-mode'='hash')",
                f"INSERT INTO {table} VALUES {VALUES}",
            )
            self.keep(
                name,
                f"SELECT * FROM {table} ORDER BY id",
                partitions=self.rows(f"SELECT _partition, id FROM {table} ORDER BY id"),
            )

    def types(self):
        self.run(
            "CREATE TABLE c.n.types (id bigint, yes boolean, f float, x double, m decimal(38,10), "
            "l array<struct<a: int, b: string>>, k map<string, array<int>>, "
            "p struct<q: struct<r: date>, s: binary>) USING iceberg",
            "INSERT INTO c.n.types VALUES (1, true, float('nan'), -0.0, 1234567890.0123456789, "
            "array(named_struct('a', 1, 'b', 'x'), NULL), map('a', array(1, NULL)), "
            "named_struct('q', named_struct('r', DATE'2020-02-29'), 's', X'FF')), "
            "(2, NULL, NULL, NULL, NULL, NULL, NULL, NULL)",
        )
        self.keep("types", "SELECT * FROM c.n.types ORDER BY id")

    def deletes(self):
        """Position deletes in a partitioned table, merge on read."""
        self.run(
            "CREATE TABLE c.n.deletes (id bigint, p int) USING iceberg PARTITIONED BY (p) "
            "TBLPROPERTIES ('format-version'='2', 'write.delete.mode'='merge-on-read', "
            "'write.update.mode'='merge-on-read', 'write.merge.mode'='merge-on-read')",
            "INSERT INTO c.n.deletes SELECT id, CAST(id % 3 AS int) FROM range(300)",
            "DELETE FROM c.n.deletes WHERE id % 7 = 0",
            "UPDATE c.n.deletes SET id = id + 1000 WHERE id = 8",
            "INSERT INTO c.n.deletes VALUES (7, 1)",
            "DELETE FROM c.n.deletes WHERE p = 2",
        )
        self.keep("deletes", "SELECT * FROM c.n.deletes ORDER BY id, p", history=[
            self.rows(f"SELECT * FROM c.n.deletes VERSION AS OF {row.snapshot_id} ORDER BY id, p")
            for row in self.spark.sql(
                "SELECT snapshot_id FROM c.n.deletes.snapshots ORDER BY committed_at").collect()
        ])  # fmt: skip

    def evolution(self):
        self.run(
            "CREATE TABLE c.n.evolution (id int, name string, f float, m decimal(5,2), "
            "p struct<a: int, b: int>) USING iceberg",
            "INSERT INTO c.n.evolution VALUES (1, 'a', 1.5, 2.25, named_struct('a', 1, 'b', 2))",
            "ALTER TABLE c.n.evolution ALTER COLUMN id TYPE bigint",
            "ALTER TABLE c.n.evolution ALTER COLUMN f TYPE double",
            "ALTER TABLE c.n.evolution ALTER COLUMN m TYPE decimal(12,2)",
            "ALTER TABLE c.n.evolution RENAME COLUMN name TO label",
            "ALTER TABLE c.n.evolution ADD COLUMN added timestamp AFTER id",
            "ALTER TABLE c.n.evolution ADD COLUMN p.c string FIRST",
            "ALTER TABLE c.n.evolution DROP COLUMN p.a",
            "ALTER TABLE c.n.evolution ALTER COLUMN label FIRST",
            "ALTER TABLE c.n.evolution ADD PARTITION FIELD bucket(2, id)",
            "INSERT INTO c.n.evolution VALUES ('b', 10000000000, TIMESTAMP'2020-01-01 00:00:00Z', "
            "0.1, 1234567890.12, named_struct('c', 'x', 'b', 3))",
            "ALTER TABLE c.n.evolution REPLACE PARTITION FIELD bucket(2, id) WITH label",
            "INSERT INTO c.n.evolution VALUES ('c', 3, NULL, NULL, NULL, NULL)",
        )
        self.keep("evolution", "SELECT * FROM c.n.evolution ORDER BY label",
                  columns=self.spark.table("c.n.evolution").columns)  # fmt: skip

    def refs(self):
        self.run(
            "CREATE TABLE c.n.refs (id bigint) USING iceberg",
            "INSERT INTO c.n.refs VALUES (1)",
            "ALTER TABLE c.n.refs CREATE TAG v1",
            "INSERT INTO c.n.refs VALUES (2)",
            "ALTER TABLE c.n.refs CREATE BRANCH audit",
            "INSERT INTO c.n.refs.branch_audit VALUES (3)",
            "INSERT INTO c.n.refs VALUES (4)",
        )
        first = self.spark.sql(
            "SELECT snapshot_id FROM c.n.refs.history ORDER BY made_current_at").first()[0]
        self.run(f"CALL c.system.rollback_to_snapshot('n.refs', {first})",
                 "INSERT INTO c.n.refs VALUES (5)")  # fmt: skip
        self.keep(
            "refs",
            "SELECT * FROM c.n.refs ORDER BY id",
            refs={
                ref: self.rows(f"SELECT * FROM c.n.refs VERSION AS OF '{ref}' ORDER BY id")
                for ref in ("v1", "audit", "main")
            },
            history=self.rows(
                "SELECT snapshot_id, parent_id, is_current_ancestor FROM c.n.refs.history "
                "ORDER BY made_current_at"
            ),
        )


def main(jar, output):
    shutil.rmtree(WAREHOUSE, ignore_errors=True)
    maker = Maker(jar)
    maker.partitioned()
    maker.types()
    maker.deletes()
    maker.evolution()
    maker.refs()
    output = pathlib.Path(output)
    (output / "expected.json").write_text(json.dumps(maker.expected, indent=1, sort_keys=True))
    with tarfile.open(output / "tables.tar.gz", "w:gz") as tar:
        for path in sorted(WAREHOUSE.rglob("*")):
            if path.is_file() and not path.name.endswith(".crc"):
                tar.add(path, path.relative_to(WAREHOUSE))


if __name__ == "__main__":
    main(*sys.argv[1:])
