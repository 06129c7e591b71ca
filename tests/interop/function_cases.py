"""Every scalar function that the wheel of pylance 14.0.2 knows, and calls of them. The names were
found by `tools/pylance_functions.py`, which asks the wheel about each word of its sources."""

import json

import pyarrow as pa
from filter_cases import filtered_table

NAMES = """
_cast_list_f16 abs acos acosh array_any_value array_append array_cat array_compact array_concat
array_contains array_dims array_distance array_distinct array_element array_empty array_except
array_extract array_has array_has_all array_has_any array_indexof array_intersect array_join
array_length array_max array_min array_ndims array_normalize array_pop_back array_pop_front
array_position array_positions array_prepend array_push_back array_push_front array_remove
array_remove_all array_remove_n array_repeat array_replace array_replace_all array_replace_n
array_resize array_reverse array_slice array_sort array_to_string array_union arrays_overlap
arrays_zip arrow_cast arrow_field arrow_metadata arrow_try_cast arrow_typeof ascii asin asinh atan
atan2 atanh bit_length box2d box3d btrim cardinality cast_to_type cbrt ceil char_length
character_length chr coalesce concat concat_ws contains contains_tokens cos cosh cosine_distance cot
current_date current_time current_timestamp date_bin date_format date_part date_trunc datepart
datetrunc decode degrees digest dot_product element_at empty encode ends_with exp factorial
find_in_set flatten floor from_unixtime gcd generate_series geometrytype get_field greatest ifnull
initcap inner_product instr is_valid isnan iszero json_array_contains json_array_length json_exists
json_extract json_extract_with_type json_get json_get_bool json_get_float json_get_int
json_get_string lcm least left length levenshtein list_any_value list_append list_cat list_compact
list_concat list_contains list_dims list_distance list_distinct list_element list_empty list_except
list_extract list_has list_has_all list_has_any list_indexof list_intersect list_join list_length
list_max list_ndims list_normalize list_pop_back list_pop_front list_position list_positions
list_prepend list_push_back list_push_front list_remove list_remove_all list_remove_n list_repeat
list_replace list_replace_all list_replace_n list_resize list_reverse list_slice list_sort
list_to_string list_union list_zip ln log log10 log2 lower lpad ltrim make_array make_date make_list
make_map make_time map map_entries map_extract map_keys map_values md5 named_struct nanvl now nullif
nvl nvl2 octet_length overlay pi position pow power radians rand random range regexp_count
regexp_instr regexp_like regexp_match regexp_replace repeat replace reverse right round row rpad
rtrim sha224 sha256 sha384 sha512 signum sin sinh split_part sqrt st_3dmakebox st_area st_asbinary
st_astext st_box2dfromgeohash st_centroid st_contains st_convexhull st_coorddim st_coveredby
st_covers st_crosses st_disjoint st_distance st_dump st_endpoint st_equals st_geohash
st_geometryfromtext st_geometrytype st_geomfromtext st_geomfromwkb st_intersects st_isclosed
st_isempty st_isvalid st_isvalidreason st_length st_length2d st_m st_makebox2d st_makepoint
st_makepointm st_ndims st_npoints st_numinteriorring st_numinteriorrings st_numpoints
st_orientedenvelope st_overlaps st_point st_pointfromgeohash st_pointm st_pointonsurface st_pointz
st_pointzm st_simplify st_simplifypreservetopology st_simplifyvw st_startpoint st_touches st_within
st_wkbtosql st_wkttosql st_x st_xmax st_xmin st_y st_ymax st_ymin st_z st_zmax st_zmin starts_with
string_to_array string_to_list strpos struct substr substr_index substring substring_index tan tanh
to_char to_date to_hex to_local_time to_time to_timestamp to_timestamp_micros to_timestamp_millis
to_timestamp_nanos to_timestamp_seconds to_unixtime today translate trunc try_cast_to_type
union_extract union_tag upper uuid version with_metadata
""".split()

# What pylance knows and tusk does not.
LEFT_OUT = {
    "_cast_list_f16": "its own, for its vector indices",
}


def function_table():
    """The columns of `filtered_table` and, in five rows, lists, maps, texts and JSON."""
    lists = {
        "l2": pa.array([[1, 3, 2, 2], [2], None, [None, 3], [5, 5, None]], pa.list_(pa.int64())),
        "ll": pa.array(
            [[[1], [2, 3]], [], None, [None, [4, None]], [[]]], pa.list_(pa.list_(pa.int64()))
        ),
        "lf": pa.array([[1.5, 2.0], [], None, [3.0, None], [0.5, 0.0]], pa.list_(pa.float64())),
        "fsd": pa.array([[1.5, 2], [3, 4], None, [3, -1], [0.5, 0]], pa.list_(pa.float32(), 2)),
        "mp": pa.array(
            [[("a", 1), ("b", 2)], [], None, [("c", None)], [("a", 5)]],
            pa.map_(pa.string(), pa.int64()),
        ),
        "mi": pa.array(
            [[(1, "x")], [(2, "y"), (3, None)], None, [], [(1, "z")]],
            pa.map_(pa.int64(), pa.string()),
        ),
        "csv": pa.array(["a,b,c", "b", None, "", "x,,y"]),
        "dstr": pa.array(
            [
                "2021-01-02",
                "2020-02-29T01:02:03.5Z",
                None,
                "1969-12-31 23:59:59",
                "2022-05-05 01:00:00+01:00",
            ]
        ),
        "tstr": pa.array(["01:02:03", "23:59:59.5", None, "00:00", "12:30:15.123456789"]),
        "j": pa.array(
            [
                '{"a":1,"b":"x","c":[1,2,"z",null,2.5,[7]],"d":{"e":{"f":true}},"n":null,'
                '"o":[{"p":1,"q":"ab"},{"p":2,"q":"cd"},{"q":3},5]}',
                '[1,{"a":5},[3],1.5]',
                None,
                '{"a":"12","b":false,"o":{"p":2},"c":3}',
                '"str"',
            ],
            pa.json_(),
        ),
    }
    table = filtered_table()
    for name, values in lists.items():
        table = table.append_column(name, values)
    return table


LISTS = """
array_any_value(l)
array_any_value(ll)
list_any_value(lstr)
array_cat(l, l2)
array_concat(l, l2, l)
array_concat(l)
array_concat(l, lf)
array_concat(ll, ll)
array_append(ll, [1])
array_append(NULL, 1)
array_append(l, 1.5)
array_push_back(l, 1)
array_push_front(1, l)
array_compact(l)
array_compact(lstr)
array_compact(ll)
array_compact(fsl)
array_dims(l)
array_dims(ll)
array_dims(lst)
array_dims(fsl)
array_dims(make_array(l, l2))
array_ndims(l)
array_ndims(ll)
array_ndims(NULL)
array_distance(lf, lf)
array_distance([1,2], [3,4])
list_distance(fsl, fsd)
cosine_distance(fsl, fsd)
cosine_distance(lf, lf)
inner_product(fsl, fsd)
dot_product(lf, lf)
array_normalize(fsl)
array_normalize(lf)
array_normalize([3,4])
array_except(l, l2)
array_except(l2, l)
array_except(l, NULL)
array_except(l2, [2])
array_except([], l)
array_except(lf, l)
array_except(l, [1.0])
array_intersect(l, l2)
array_intersect(l2, l)
array_intersect(l2, NULL)
array_intersect(l2, [2, NULL])
array_intersect(lf, l)
array_union(l, l2)
array_union(l2, l)
array_union(l, NULL)
array_union([], l)
array_union(ll, ll)
array_union(lstr, lstr)
array_union(l, lf)
array_union(l, [1.5])
array_distinct(ll)
array_distinct(l2)
array_has_any(l2, l)
array_has_all(l2, l)
array_has_any(l2, [NULL])
array_has_all(l2, [NULL])
array_has_any(l2, [2, NULL])
array_has_any(l2, NULL)
arrays_overlap(lstr, lstr)
array_length(ll, 1)
array_length(l2, 2)
array_length(l2, NULL)
array_pop_back(l)
array_pop_front(l)
array_pop_back(fsl)
array_pop_front(ll)
array_position(l2, 2)
array_position(l2, NULL)
array_position(l2, 2, 1)
array_position([1,2,3], 2, 3)
array_position([1,2,3], 2, 5)
array_position(l2, 2, 99)
array_positions(l2, 2)
array_positions(l2, NULL)
array_positions(l, i)
array_positions(lstr, 'a')
array_positions(l2, 2.0)
array_remove(l2, NULL)
array_remove(l2, 2.0)
array_remove_n(l2, 2, 1)
array_remove_n(l2, 5, 2)
array_remove_n(l2, 2, i)
array_remove_n(l2, NULL, 1)
array_remove_n(l2, 2, NULL)
array_remove_n(l2, 2, -1)
array_repeat(i, 2)
array_repeat(l, 2)
array_repeat('x', 3)
array_repeat(NULL, 2)
array_repeat(i, NULL)
array_repeat(i, -1)
array_repeat(i, i)
array_repeat(st, 2)
array_replace(l2, 2, 9)
array_replace(l2, i, 7)
array_replace(l2, 2, NULL)
array_replace(l2, NULL, 4)
array_replace(l2, 2, i8)
array_replace(l2, 2, 1.5)
array_replace(l2, 2.5, 1)
array_replace(lstr, 'a', s)
array_replace(ll, [1], [9])
array_replace_n(l2, 5, 9, 2)
array_replace_n(l2, 2, 9, i)
array_replace_n(l2, 2, 9, NULL)
array_replace_all(l2, 2, 9)
array_replace_all(l2, NULL, 9)
array_resize(l, 3)
array_resize(l, 3, 7)
array_resize(l, 0)
array_resize(l, NULL)
array_resize(l, i, 0)
array_resize(l, l[1], i)
array_resize(fsl, 3, 1.5)
array_resize(lstr, 2, 'q')
array_resize(ll, 2)
arrays_zip(l, l2)
arrays_zip(l)
arrays_zip(l, l2, lstr)
arrays_zip(l, NULL)
arrays_zip(fsl, l)
list_zip(l, lstr)
array_sort(l2, 'DESC')
array_sort(l2, 'DESC', 'NULLS LAST')
array_sort(l2, 'ASC', 'NULLS LAST')
array_sort(l2, 'asc', 'nulls first')
array_sort(lf, 'DESC')
flatten(ll)
flatten(l)
flatten(fsl)
flatten(make_array(ll, ll))
range(3)
range(i)
range(5, 1)
range(5, 1, -2)
range(1, 2, 0)
range(NULL)
range(1, NULL)
range(i, i32)
range(-3)
generate_series(3)
generate_series(1, i)
generate_series(1, 5, 2)
generate_series(9223372036854775806, 9223372036854775807)
range(d, date '2020-03-03', INTERVAL '1 month')
generate_series(d, date '2021-04-03', INTERVAL '1 month')
range(date '2020-01-05', date '2020-01-03', INTERVAL '-1 day')
range(ts, timestamp '2021-01-03', INTERVAL '100 days')
range(timestamp '2020-01-01', timestamp '2020-01-02', INTERVAL '6 hours')
generate_series(date '2020-01-01', date '2020-01-03', INTERVAL '0 day')
range('2020-01-01', '2020-01-03', INTERVAL '1 day')
string_to_array(csv, ',')
string_to_array(csv, ',', 'b')
string_to_array(csv, ',', '')
string_to_array(csv, NULL)
string_to_array('', ',')
string_to_list(csv, '')
string_to_array(csv, ',', csv)
array_to_string(ll, ',')
array_to_string(ll, ',', 'N')
array_to_string(make_array(ll, ll), '-')
cardinality(ll)
cardinality(NULL)
"""

MAPS = """
element_at(mp, 'a')
element_at(mp, s)
element_at(mp, NULL)
map_extract(mi, 1)
map_extract(mi, i)
map_keys(mp)
map_values(mp)
map_entries(mp)
map_entries(mi)
cardinality(mp)
map('a', 1)
map(['a','b'], [1, NULL])
map(['a','a'], [1,2])
map(l, l)
map(fsl, fsl)
make_map('a', 1, 'b', 2)
mi[1]
mp = mp
"""

TYPES = """
arrow_typeof(i)
arrow_typeof(u8)
arrow_typeof(f16)
arrow_typeof(l)
arrow_typeof(ll)
arrow_typeof(lst)
arrow_typeof(st)
arrow_typeof(ts)
arrow_typeof(tss)
arrow_typeof(tsb)
arrow_typeof(d)
arrow_typeof(d64)
arrow_typeof(t32)
arrow_typeof(t64)
arrow_typeof(dur)
arrow_typeof(mp)
arrow_typeof(mi)
arrow_typeof(dc)
arrow_typeof(dict)
arrow_typeof(fsl)
arrow_typeof(fsb)
arrow_typeof(nul)
arrow_typeof(NULL)
arrow_typeof(1)
arrow_typeof(1.5)
arrow_typeof('x')
arrow_typeof(X'01')
arrow_typeof(['a'])
arrow_typeof(i > 1)
arrow_typeof(st.a)
arrow_typeof(make_array(l))
arrow_typeof(named_struct('a b', i))
arrow_typeof(interval '1 day')
arrow_typeof(timestamp(0) '2020-01-01')
arrow_typeof(decimal(8,3) '1.5')
arrow_typeof(arrow_cast(dc, 'Decimal256(40, 2)'))
arrow_try_cast(s, 'Int32')
arrow_try_cast(f, 'Int32')
arrow_try_cast(dstr, 'Date32')
arrow_cast(i, 'Decimal128(10, 2)')
arrow_cast(i, 'Decimal256(40, 2)')
arrow_cast(l, 'List(Int32)')
arrow_cast(l, 'LargeList(Int32)')
arrow_cast(fsl, 'List(Float64)')
arrow_cast(ts, 'Timestamp(ns)')
arrow_cast(ts, 'Timestamp(ms, "Europe/Berlin")')
arrow_cast(ts, 'Timestamp(Nanosecond, Some("+01:00"))')
arrow_cast(i, 'Duration(s)')
arrow_cast(i, 'Duration(Second)')
arrow_cast(fsb, 'Binary')
arrow_cast(st, 'Struct("a": Int32)')
arrow_cast(i, 'Foo')
arrow_cast(i, s)
arrow_field(i)
arrow_field(l)
arrow_field(st.a)
arrow_field(dict)
arrow_metadata(i)
arrow_metadata(i, 'x')
arrow_metadata(with_metadata(i, 'a', 'b'))
arrow_metadata(with_metadata(i, 'a', 'b'), 'a')
with_metadata(i, 'a', 'b')
cast_to_type(i, 1.5)
cast_to_type(i, f)
cast_to_type(i, s)
cast_to_type(NULL, i)
cast_to_type(dstr, d)
try_cast_to_type(s, 1)
try_cast_to_type(dstr, ts)
is_valid(i)
is_valid(l)
is_valid(NULL)
row(i, s)
struct(i, st)
get_field(st, 'in', 'z')
union_tag(i)
union_extract(i, 'a')
greatest(i, f)
nvl2(i, s, 'x')
"""

TEXTS = """
find_in_set(s, csv)
find_in_set('b', csv)
find_in_set('', csv)
find_in_set(NULL, csv)
overlay(s, 'x', 2)
overlay(s, 'XYZ', 2)
overlay(s, 'X', 2, 0)
overlay(s, 'X', 99)
overlay(s, 'X', 0)
overlay(s, 'X', 1, -1)
overlay(s, 'é', 5, 1)
overlay(s, NULL, 2)
overlay(s, 'x', 1, i)
overlay(csv, 'ab', 2, 99)
position(s, 'b')
position(s, 'é')
substr_index(csv, ',', 1)
substr_index(csv, ',', -1)
substr_index(csv, ',', -2)
substr_index(csv, ',', 0)
substr_index(csv, ',', 9)
substr_index(csv, '', 1)
substr_index(csv, ',', i)
substr_index(s, 'é', 1)
substring_index(csv, ',', 2)
encode(s, 'base64')
encode(bin, 'base64')
encode(bin, 'base64pad')
encode(fsb, 'hex')
encode(ls, 'base64')
decode('YWJj', 'base64')
decode('YWI=', 'base64')
decode(encode(s, 'base64pad'), 'base64pad')
decode(encode(s, 'base64'), 'base64')
decode(bin, 'hex')
digest(s, 'blake2b')
digest(s, 'blake2s')
digest(s, 'sha512')
digest(bin, 'sha256')
digest(s, 'blake3')
digest(NULL, 'blake3')
digest(s, 'crc')
sha256(bin)
"""

TIMES = """
to_char(ts, '%Y-%m-%d %H:%M:%S')
to_char(ts, '%S %f %.f %.3f %.6f %.9f %3f %6f %9f')
to_char(tsn, '%.f|%f')
to_char(d, '%H:%M')
to_char(d, '%d-%m-%Y')
to_char(d, '%a %A %b %B %h %e %j %u %w %U %W %V %G %g %C %y %D %x %F %v')
to_char(ts, '%k %l %I %p %P %R %T %X %r %c %s %t %n %%')
to_char(ts, '%-d %_d %0e %-m %-H %-I %-j %-y %-S')
to_char(tsb, '%Z %z %:z %+ %c %H')
to_char(tsz, '%Z %z %:z %+ %H')
to_char(ts, '%Z')
to_char(ts, '%Q')
to_char(ts, '%E')
to_char(t64, '%H:%M:%S%.f')
to_char(t32, '%H')
to_char(d64, '%Y')
to_char(ts, NULL)
to_char(i, '%Y')
to_char('2020-01-01', '%Y')
date_format(d, '%j')
to_date(dstr)
to_date('2020-01-01T10:00:00')
to_date('01/02/2020', '%d/%m/%Y')
to_date('01/02/2020', '%Y', '%d/%m/%Y')
to_date('20200102', '%Y%m%d')
to_date('Jan 5, 2020', '%b %d, %Y')
to_date('x')
to_date(i)
to_date(ts)
to_date(tsb)
to_timestamp('01/02/2020 10:20', '%d/%m/%Y %H:%M')
to_timestamp('01/02/2020 10:20:30.5 +0100', '%d/%m/%Y %H:%M:%S%.f %z')
to_timestamp('01/02/2020', '%d/%m/%Y')
to_timestamp('2020-01-01T10:00:00.123456789')
to_timestamp('2020-01-01T10:00:00+02:00')
to_timestamp(dc)
to_timestamp(ts)
to_timestamp(NULL)
to_timestamp_seconds('2020-01-01T10:00:00.5')
to_timestamp_millis('01/02/2020 10:20', '%d/%m/%Y %H:%M')
to_timestamp_micros(ts)
to_timestamp_nanos('x')
to_unixtime('2020-01-01')
to_unixtime('01/02/2020 10:20', '%d/%m/%Y %H:%M')
to_unixtime(d)
to_unixtime(ts)
to_unixtime(tsb)
to_unixtime(i)
from_unixtime(i, 'Europe/Berlin')
make_date('2020', '1', '2')
make_date(2020, 13, 1)
make_time(1, 2, 3)
make_time(25, 2, 3)
make_time(1, 2, NULL)
make_time('1', '2', '3')
to_time(tstr)
to_time('12:30')
to_time('1:2:3')
to_time('x')
to_time(ts)
to_time(tsb)
to_time('12-30', '%H-%M')
to_time(tstr, '%H:%M', '%H:%M:%S%.f')
to_time('01:02:03 PM', '%I:%M:%S %p')
to_local_time(ts)
to_local_time(tsb)
to_local_time(tsz)
to_local_time(NULL)
to_local_time(d)
date_part('epoch', t64)
date_part('hour', t64)
date_part('nanosecond', ts)
date_part('isoyear', d)
date_part('minute', tsb)
date_part('decade', ts)
date_trunc('week', ts)
date_trunc('quarter', tsb)
date_trunc('decade', ts)
date_bin('1 day', ts)
"""

OTHERS = """
regexp_like(s, csv)
regexp_match(s, csv)
regexp_match(s, 'b(c)')
regexp_count(csv, s)
regexp_count(s, 'b', 2)
regexp_count(s, 'B', 1, 'i')
regexp_replace(s, csv, 'X')
regexp_replace(s, 'b', csv)
regexp_replace(s, 'B', 'X', 'i')
regexp_like(s, 'A', 'i')
regexp_instr(s, csv)
round(f, i)
round(i, 1)
round(dc, 1)
round(dc)
round(dc, -1)
round(f32, 1)
trunc(f)
trunc(f, 1)
trunc(i)
trunc(dc)
trunc(dc, 1)
abs(dc)
abs(f16)
abs(u8)
signum(i)
signum(dc)
sqrt(dc)
log(i)
log(dc)
log(2, 8)
log(i, 2)
power(i, i8)
power(dc, 2)
power(2, 0.5)
exp(dc)
gcd(i, i8)
lcm(i, 0)
factorial(5)
cbrt(i)
cot(f)
isnan(dc)
iszero(i)
iszero(dc)
nanvl(f32, 1.0)
atan2(f, f32)
greatest(s, ls)
greatest(d, ts)
greatest(i)
least(f, NULL)
coalesce(d, ts)
nullif(s, 'abc')
nullif(i, i8)
ifnull(s, 'x')
concat(s, ls)
concat(s, NULL, i)
concat(l, l2)
concat_ws(',', s, NULL, i)
concat_ws(NULL, s, s)
concat_ws(s, 'a', 'b')
lpad(s, 5)
lpad(s, 2, 'xy')
lpad(s, 7, 'é1')
lpad(s, i)
rpad(s, 7, '')
left(s, -1)
right(s, -2)
repeat(s, i)
replace(s, '', 'x')
reverse(s)
split_part(csv, ',', -1)
split_part(csv, '', 1)
split_part(csv, ',', i)
translate(s, 'abc', 'x')
translate(s, 'é', 'e')
initcap('hello wORLD-foo_bar é')
ascii('é')
chr(233)
to_hex(u8)
to_hex(i32)
to_hex(-1)
levenshtein(s, csv)
strpos(s, '')
contains(s, csv)
starts_with(s, NULL)
btrim(s, 'ac')
ltrim(s, 'a')
rtrim(s, 'c')
upper('straße')
lower('ÀÉ')
upper('ŉ ǰ ΐ և ẖ ﬀ ﬃ ᾀ ᾳ ᾼ ß')
upper(concat(s, 'ß', csv))
lower('İSTANBUL ΑΣ ΑΣΑ Σ ΑΣ. ΑΣ1 1Σ ΑΣ-Α ΆΣ́ ΣΑΣ')
lower(concat('ΑΣ ', s, ' ΑΣ'))
initcap('straße ß ǆ éa')
bit_length(ls)
char_length(ls)
array_element(l, NULL)
array_slice(l2, 2, NULL)
array_min(lstr)
array_max(lf)
array_has(lstr, s)
array_has(ll, [1])
array_to_string(l, '-', NULL)
empty(ll)
make_array()
make_array(i, f)
make_array(l, l2)
make_array(NULL, 1)
named_struct('a', l, 'b', st)
date_part('epoch', d)
date_part('second', t32)
date_part('millisecond', t64)
date_part('month', interval '3 months')
date_part('day', dur)
date_trunc('hour', t64)
date_trunc('day', d)
date_bin(interval '15 minutes', t64)
date_bin(interval '1 day', tsb)
date_bin(interval '1 hour', tss)
to_timestamp(f)
to_timestamp_seconds(i8)
to_timestamp(i32)
to_date(dc)
to_hex(u64)
json_get(j, 'a')
json_get_int(j, 'a')
json_array_length(j, '$.c')
json_array_contains(j, '$.c', 'z')
contains_tokens(csv, 'b')
md5(bin)
sha224(ls)
decode('616263', 'hex')
arrow_cast(f, 'Utf8')
i / i8
f % 2
i || s
d - d
ts - ts
dur + dur
-f
s LIKE csv
cast(tsb as string)
cast(tsz as string)
concat(tsb, 'x')
concat_ws('-', tsb, d)
array_to_string(make_array(tsb, tsb), ',')
cast(arrow_cast(ts, 'Timestamp(ms, "+05:30")') as string)
cast(arrow_cast(ts, 'Timestamp(ns, "America/New_York")') as string)
cast(arrow_cast(ts, 'Timestamp(s, "+00:00")') as string)
d + i
d - i8
i + d
d64 + u8
cast(dc / 3 as string)
cast(dc / i8 as string)
cast(i / dc as string)
cast(dc / dc as string)
cast(dc / 7 as string)
greatest(b, false)
least(b, i > 0, NULL)
greatest(tsb, tsb)
least(tsz, NULL)
greatest(bin, X'62')
least(fsb, fsb)
greatest(f, 2.0)
least(f16, f16)
cast(nullif(i8, 300) as bigint)
nullif(f, 1.5)
"""

# The constant NULL in the place of a list, a map or a struct.
NOTHING = """
array_has(NULL, 1)
array_append(NULL, 1)
array_prepend(1, NULL)
array_sort(NULL)
array_distinct(NULL)
array_reverse(NULL)
array_max(NULL)
array_position(NULL, 1)
array_remove(NULL, 1)
array_remove_all(NULL, 1)
array_replace(NULL, 1, 2)
array_slice(NULL, 1, 2)
array_to_string(NULL, ',')
array_element(NULL, 1)
array_has_any(NULL, l)
array_pop_back(NULL)
array_compact(NULL)
array_except(NULL, l)
array_intersect(NULL, l)
arrays_zip(NULL, l)
flatten(NULL)
cosine_distance(NULL, lf)
inner_product(lf, NULL)
array_normalize(NULL)
map_keys(NULL)
map_extract(NULL, 'a')
element_at(NULL, 'a')
get_field(NULL, 'a')
greatest(NULL, NULL)
NULL IN (1)
NULL IN (NULL)
"""

# The order of values with parts, of which `l2` and `ll` have nulls.
ORDERS = """
l < l2
l <= l2
l > l2
l >= l2
l = l2
l < fsl
fsl > [1, 2]
l2 BETWEEN [2] AND [3]
ll < ll
ll >= make_array(l)
l < [NULL]
l > make_array()
lstr < ['a', 'b']
lst[1] < named_struct('q', 2)
st < named_struct('a', 2, 'B', 'x', 'in', named_struct('z', 1.0))
st >= named_struct('B', 'b', 'in', named_struct('z', 1.0), 'a', 1)
st < named_struct('a', 2)
st < l
l < mp
mp < mp
mp <= map(['a'], [1])
greatest(l, l2)
least(l, l2)
least(l2, l, [2])
greatest(fsl, fsd)
greatest(l, NULL)
least(l, [1.5])
greatest(st, named_struct('a', 2, 'B', 'x', 'in', named_struct('z', 1.0)))
least(st, NULL)
greatest(mp, map(['a'], [2]))
array_sort(ll)
array_sort(ll, 'DESC')
array_sort(ll, 'ASC', 'NULLS LAST')
array_sort(ll, 'DESC', 'NULLS LAST')
array_sort(make_array(l, l2), 'DESC')
array_sort(lst)
array_sort(lst, 'DESC', 'NULLS LAST')
array_min(ll)
array_max(ll)
array_min(make_array(l, l2))
array_max(make_array(l2, l))
array_max(lst)
greatest(interval '1 month', interval '40 days')
array_min([interval '1 month', interval '40 days'])
nullif(l, l2)
l IS DISTINCT FROM l2
l IN ([1, 2], [3])
"""

DURATIONS = """
date_part('year', interval '15 months')
date_part('month', interval '15 months 40 days')
date_part('day', interval '15 months 40 days 50 hours')
date_part('week', interval '-20 days')
date_part('hour', interval '40 days 50 hours')
date_part('minute', interval '50 hours 70 minutes')
date_part('second', interval '-90.5 seconds')
date_part('milliseconds', interval '50 hours 5 ms')
date_part('us', interval '5 us')
date_part('nanosecond', interval '5 nanoseconds')
date_part('epoch', interval '1 year 1 day 0.5 seconds')
date_part('epoch', interval '1.5 months')
date_part('epoch', interval '-1.3 weeks')
date_part('day', interval '1 mon 2 d')
date_part('hour', interval '1h 30mins')
date_part('hour', interval '1 hour -5 minutes')
date_part('minute', interval '1.5 hr')
date_part('year', interval '1 century 2 decs')
date_part('second', interval '61')
date_part('second', interval 61)
date_part('day', interval '3' day)
date_part('minute', interval '5 mi')
date_part('dow', interval '5 days')
date_part('quarter', interval '5 months')
date_part('week', arrow_cast(i * 1000000, 'Duration(s)'))
date_part('day', arrow_cast(i * 100000, 'Duration(s)'))
date_part('hour', arrow_cast(i * 100000, 'Duration(s)'))
date_part('minute', arrow_cast(i * 100000, 'Duration(s)'))
date_part('second', arrow_cast(i * 100000, 'Duration(ms)'))
date_part('millisecond', arrow_cast(i * 100000, 'Duration(s)'))
date_part('microsecond', dur)
date_part('epoch', arrow_cast(i, 'Duration(ns)'))
date_part('month', dur)
date_part('doy', dur)
date_part('y', d)
date_part('mons', ts)
date_part('MINUTES', ts)
date_part('h', tsb)
date_part('m', ts)
date_part('w', d)
date_part('usec', ts)
date_part('century', ts)
date_part('year', '2020-01-05')
date_part('month', dstr)
date_trunc('month', '2020-01-05 10:20:30')
date_bin(interval '15 minutes', t32)
date_bin(interval '7 seconds', t64)
date_bin(interval '-7 seconds', t64)
date_bin('15min', t64)
date_bin(interval '15 minutes', t64, arrow_cast('00:05:00', 'Time64(Microsecond)'))
date_bin(interval '15 minutes', t64, arrow_cast('23:58:00', 'Time64(Microsecond)'))
date_bin(interval '7 hours', t32, arrow_cast('05:00:00', 'Time32(Second)'))
date_bin(interval '1 day', t64)
date_bin(interval '1 month', t64)
date_bin(interval '0 hours', t64)
date_bin(NULL, t64)
to_char(dur, '%H')
to_char(dur, 'pretty')
to_char(dur, 'iso8601')
to_char(dur, NULL)
to_char(arrow_cast(i * 100000, 'Duration(s)'), 'pretty')
to_char(arrow_cast(-i * 86399, 'Duration(ms)'), 'iso8601')
to_char(arrow_cast(i * 123456789, 'Duration(ns)'), 'iso8601')
cast(dur as string)
arrow_cast(arrow_cast(i * 100000, 'Duration(s)'), 'Utf8')
"""

PATHS = [
    "$.c[*]?(@ > 1)", '$.c[*]?(@ == "z")', "$.c[*]?(@ != 1)", '$.c[*]?(@ <> "z")',
    "$.c[*]?(@ == null)", "$.c[*] ? ( @ >= 2 )", "$.c?(@ == 2)", "$.o[*]?(@.p == 2)",
    "$.o[*]?(@.p == 2).q", '$.o[*]?(@.p > 0 && @.q == "cd")', "$.o[*]?(@.p == 1 || @.q == 3)",
    "$.o[*]?(exists(@.p))", "$.o[*]?(exists(@.p?(@ > 1)))", '$.o[*]?(@.q starts with "a")',
    "$.o[*]?((@.p == 1))", "$.o?(@.p == 2)", "$?(@.a == 1)", "$?(@.a == 1).b", "$?($.a == 1)",
    "?(@.a == 1)", "$.c[*]?(1 < @)", "$.c[*]?(@ == $.a)", "$.c[*]?(@ > -1)",
    "$.c[*]?(@ == true)", "$.a > 0", "$.a == 1", '$.a == 1 && $.b == "x"', "exists($.a)",
    "$.c[*]?(!(@ == 1))", "$.c[*]?(@)", "$.c[*]?()", "$.c[*]?(@ = 1)", "$.**{1}", "$.**{1 to 2}",
    "$.**{2 to last}", "$.**{0}", "$.d.**{1}.f", "$.d == 1", "$.c[*]?(@ == @)",
    "$.o[*]?(@.p == 1).**", "$.a?(@ == 1)", "$.zz?(@ == 1)", "$.a ?(@ == 1) ?(@ == 2)", "1 == 1",
    '$.o[*]?(@.p == 2 || (@.q == "ab" && @.p == 1))', '$.o[*]?(@.p==2&&@.q=="cd"||@.p==1)',
    "@.a == 1", "$.a?(@ == 1",
]  # fmt: skip


def json_calls():
    return [
        f"{function}(j, '{path}')" for path in PATHS for function in ("json_extract", "json_exists")
    ]


def lines_of(text):
    return text.strip().splitlines()


SHARED = [
    *(
        line
        for text in (LISTS, MAPS, TYPES, TEXTS, TIMES, OTHERS, ORDERS, DURATIONS, NOTHING)
        for line in lines_of(text)
    ),
    *json_calls(),
]


def shown(column):
    """A column as text, since NaN is unequal to itself; views are the plain types."""
    type = str(column.type).replace("string_view", "string")
    return f"{type} {json.dumps(column.to_pylist(), default=repr)}"
