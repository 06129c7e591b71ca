"""Geometries in the layouts of geoarrow, as well-known bytes and texts, and calls about them."""

import struct

import pyarrow as pa


def _point_bytes(x, y):
    return struct.pack("<BIdd", 1, 1, x, y)


def geometry_table():
    """Four rows of geometries of every layout, of which the third is null."""
    position = pa.struct([pa.field(name, pa.float64(), nullable=False) for name in "xy"])

    def of(name, type, extension):
        return pa.field(name, type, metadata={"ARROW:extension:name": f"geoarrow.{extension}"})

    def many(name, type):
        return pa.list_(pa.field(name, type, nullable=False))

    ring = many("vertices", position)
    schema = pa.schema(
        [
            pa.field("order", pa.int64()),
            pa.field("x", pa.float64()),
            pa.field("y", pa.float64()),
            pa.field("txt", pa.string()),
            pa.field("b", pa.binary()),
            of("p", position, "point"),
            of("ls", ring, "linestring"),
            of("pg", many("rings", ring), "polygon"),
            of("mpt", many("points", position), "multipoint"),
            of("mls", many("linestrings", ring), "multilinestring"),
            of("mpg", many("polygons", many("rings", ring)), "multipolygon"),
            of("w", pa.binary(), "wkb"),
            of("t", pa.string(), "wkt"),
        ]
    )

    def at(*numbers):
        pairs = zip(numbers[::2], numbers[1::2], strict=True)
        return [{"x": float(x), "y": float(y)} for x, y in pairs]

    def square(low, high):
        return at(low, low, high, low, high, high, low, high, low, low)

    rows = [
        {"order": 1, "x": 1, "y": 2, "txt": "POINT(1 1)", "b": _point_bytes(1, 1), "p": at(1, 1)[0],
         "ls": at(0, 0, 3, 4), "pg": [square(0, 4)], "mpt": at(0, 0, 1, 1), "mls": [at(0, 0, 1, 0)],
         "mpg": [[square(0, 1)], [square(5, 6)]], "w": _point_bytes(1, 1), "t": "POINT(1 1)"},
        {"order": 2, "x": 3, "y": 3, "txt": "LINESTRING(0 0, 3 4)", "b": _point_bytes(5, 5),
         "p": at(5, 5)[0], "ls": at(0, 0, 0, 1, 1, 1), "pg": [square(0, 4), square(1, 2)],
         "mpt": at(9, 9), "mls": [at(0, 0, 5, 5), at(0, 5, 5, 0)], "mpg": [[square(0, 9)]],
         "w": _point_bytes(5, 5), "t": "LINESTRING(0 0, 3 4)"},
        {"order": 3},
        {"order": 4, "x": 0, "y": 0, "txt": "POLYGON((0 0, 4 0, 4 4, 0 4, 0 0))",
         "b": _point_bytes(0, 0), "p": at(0, 0)[0], "ls": at(0, 0, 9, 0), "pg": [square(2, 3)],
         "mpt": at(3, 3, 4, 4), "mls": [at(1, 1, 2, 2)], "mpg": [[square(0, 2), square(0.5, 1)]],
         "w": _point_bytes(0, 0), "t": "POLYGON((0 0, 4 0, 4 4, 0 4, 0 0))"},
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema)


SQUARE = "'POLYGON((0 0, 4 0, 4 4, 0 4, 0 0))'"
_RELATIONS = "intersects contains within covers coveredby disjoint touches overlaps equals".split()
_PAIRS = ["p, pg", "pg, p", "ls, pg", "pg, mpg", "mpt, pg", "mls, ls", "w, pg", "t, pg", "b, txt",
          f"p, {SQUARE}", f"{SQUARE}, mls", "pg, box2d(ls)", "p, 'POINT(1 1)'"]  # fmt: skip

GEOMETRIES = [
    *(f"st_{relation}({pair})" for relation in _RELATIONS for pair in _PAIRS),
    "st_crosses(ls, 'LINESTRING(0 4, 3 0)')",
    "st_crosses(mls, pg)",
    "st_intersects(p, 'POINT(x)')",
    *(f"st_distance({pair})" for pair in _PAIRS),
    "st_distance(p, st_point(0.0, 0.0))",
    *(f"st_{name}({column})" for name in ("area", "length", "length2d", "isvalid", "isempty",
      "npoints", "numpoints", "xmin", "ymin", "xmax", "ymax", "centroid", "astext", "asbinary")
      for column in ("p", "ls", "pg", "mpt", "mls", "mpg", "w", "t", "txt")),
    *(f"{name}({column})" for name in ("st_geometrytype", "geometrytype", "st_isclosed",
      "st_numinteriorrings", "st_numinteriorring", "box2d")
      for column in ("p", "ls", "pg", "mls", "w", "txt")),
    "st_isvalid('POLYGON((0 0, 1 1, 1 0, 0 1, 0 0))')",
    "st_isvalidreason(txt)",
    "st_startpoint(ls)",
    "st_endpoint(ls)",
    "st_ndims(txt)",
    "st_coorddim(st_pointz(1.0, 2.0, 3.0))",
    "st_ndims(st_pointzm(1.0, 2.0, 3.0, 4.0))",
    "st_x(st_point(1.0, 2.0))",
    "st_y(st_geomfromtext('POINT(1 2)'))",
    "st_z(st_pointz(1.0, 2.0, 3.0))",
    "st_m(st_pointm(1.0, 2.0, 3.0))",
    "st_zmin(st_pointz(1.0, 2.0, 3.0))",
    "st_zmax(st_pointz(1.0, 2.0, 3.0))",
    "st_x(pg)",
    "box3d(st_pointz(1.0, 2.0, 3.0))",
    "st_makebox2d(st_point(0.0, 0.0), p)",
    "st_3dmakebox(st_pointz(0.0, 0.0, 0.0), st_pointz(1.0, 2.0, 3.0))",
    "st_astext(st_makebox2d(st_point(0.0, 0.0), st_point(2.0, 3.0)))",
    "st_astext('POINT Z(1 2 3)')",
    "st_astext(st_pointm(1.0, 2.0, 3.0))",
    "st_astext('GEOMETRYCOLLECTION(POINT(1 2), LINESTRING(0 0, 1 1))')",
    "st_astext('MULTIPOLYGON(((0 0, 4 0, 4 4, 0 0)),((10 10, 11 10, 11 11, 10 10)))')",
    "st_astext('MULTILINESTRING((0 0, 4 0),(1 1, 2 2))')",
    "st_point(x, y)",
    "st_point(1, 2)",
    "st_point(x, y, 4326)",
    "st_pointz(x, y, x)",
    "st_pointm(x, y, x)",
    "st_pointzm(x, y, x, y)",
    "st_makepoint(x, y)",
    "st_makepoint(x, y, x)",
    "st_makepoint(x, y, x, y)",
    "st_makepointm(x, y, x)",
    "st_simplify(ls, 0.5)",
    "st_simplify(pg, 0.5)",
    "st_simplify(ls, x)",
    "st_geohash(p)",
    "st_geohash(ls)",
    "st_pointfromgeohash('9qqj7')",
    "st_box2dfromgeohash('9qqj7')",
    "st_pointfromgeohash('9qqj7nmxncgyy4d0dbxqz0')",
]  # fmt: skip
