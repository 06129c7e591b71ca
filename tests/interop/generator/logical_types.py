"""The logical types of Lance files by name, each with an Arrow type that is stored as it."""

import pyarrow as pa
from lance.arrow import BFloat16Type
from lance.blob import BlobType

PRIMITIVE = {
    "null": pa.null(),
    "bool": pa.bool_(),
    **{f"int{bits}": getattr(pa, f"int{bits}")() for bits in (8, 16, 32, 64)},
    **{f"uint{bits}": getattr(pa, f"uint{bits}")() for bits in (8, 16, 32, 64)},
    "halffloat": pa.float16(),
    "float": pa.float32(),
    "double": pa.float64(),
    "bfloat16": BFloat16Type(),
    "string": pa.string(),
    "large_string": pa.large_string(),
    "binary": pa.binary(),
    "large_binary": pa.large_binary(),
    "string_view": pa.string_view(),
    "binary_view": pa.binary_view(),
    "fixed_size_binary:3": pa.binary(3),
    "fixed_size_binary:16": pa.binary(16),
    "fixed_size_binary:300": pa.binary(300),
    "decimal:128:30:2": pa.decimal128(30, 2),
    "decimal:256:60:5": pa.decimal256(60, 5),
    "date32:day": pa.date32(),
    "date64:ms": pa.date64(),
    "time32:s": pa.time32("s"),
    "time32:ms": pa.time32("ms"),
    "time64:us": pa.time64("us"),
    "time64:ns": pa.time64("ns"),
    "timestamp:s:-": pa.timestamp("s"),
    "timestamp:ms:-": pa.timestamp("ms"),
    "timestamp:us:UTC": pa.timestamp("us", "UTC"),
    "timestamp:ns:+08:00": pa.timestamp("ns", "+08:00"),
    "timestamp:ms:Europe/Berlin": pa.timestamp("ms", "Europe/Berlin"),
    **{f"duration:{unit}": pa.duration(unit) for unit in ("s", "ms", "us", "ns")},
    "json": pa.json_(),
}

DICTIONARY = {
    **{
        f"dict:string:{index}:false": pa.dictionary(getattr(pa, index)(), pa.string())
        for index in ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
    },
    "dict:large_string:int32:false": pa.dictionary(pa.int32(), pa.large_string()),
    "dict:binary:int16:false": pa.dictionary(pa.int16(), pa.binary()),
    "dict:int64:int32:false": pa.dictionary(pa.int32(), pa.int64()),
    "dict:double:uint8:false": pa.dictionary(pa.uint8(), pa.float64()),
    "dict:decimal:128:30:2:int16:false": pa.dictionary(pa.int16(), pa.decimal128(30, 2)),
}

FIXED_SIZE_LIST = {
    "fixed_size_list:float:4": pa.list_(pa.float32(), 4),
    "fixed_size_list:float:128": pa.list_(pa.float32(), 128),
    "fixed_size_list:double:1": pa.list_(pa.float64(), 1),
    "fixed_size_list:uint8:5": pa.list_(pa.uint8(), 5),
    "fixed_size_list:int64:40": pa.list_(pa.int64(), 40),
    "fixed_size_list:halffloat:96": pa.list_(pa.float16(), 96),
    "fixed_size_list:bool:3": pa.list_(pa.bool_(), 3),
    "fixed_size_list:bool:8": pa.list_(pa.bool_(), 8),
    "fixed_size_list:bool:3000": pa.list_(pa.bool_(), 3000),
    "fixed_size_list:lance.bfloat16:4": pa.list_(BFloat16Type(), 4),
    "fixed_size_list:fixed_size_binary:3:4": pa.list_(pa.binary(3), 4),
    "fixed_size_list:fixed_size_list:float:2:3": pa.list_(pa.list_(pa.float32(), 2), 3),
    "fixed_size_list:fixed_size_list:int16:9:21": pa.list_(pa.list_(pa.int16(), 9), 21),
    "fixed_size_list:fixed_size_list:bool:3:2": pa.list_(pa.list_(pa.bool_(), 3), 2),
    "fixed_size_list:string:2": pa.list_(pa.string(), 2),
    "fixed_size_list:struct:2": pa.list_(pa.struct({"a": pa.int32(), "b": pa.string()}), 2),
}

_POINT = pa.struct({"x": pa.int32(), "y": pa.float64()})

NESTED = {
    "list<int32>": pa.list_(pa.int32()),
    "list<bool>": pa.list_(pa.bool_()),
    "list<string>": pa.list_(pa.string()),
    "list<null>": pa.list_(pa.null()),
    "list<fixed_size_binary:300>": pa.list_(pa.binary(300)),
    "list<fixed_size_list:float:4>": pa.list_(pa.list_(pa.float32(), 4)),
    "list<fixed_size_list:float:128>": pa.list_(pa.list_(pa.float32(), 128)),
    "list<fixed_size_list:struct:2>": pa.list_(pa.list_(_POINT, 2)),
    "list<dict:string:int32>": pa.list_(DICTIONARY["dict:string:int32:false"]),
    "list<bfloat16>": pa.list_(BFloat16Type()),
    "list<json>": pa.list_(pa.json_()),
    "large_list<int64>": pa.large_list(pa.int64()),
    "large_list<large_string>": pa.large_list(pa.large_string()),
    "large_list<large_binary>": pa.large_list(pa.large_binary()),
    "list<list<int16>>": pa.list_(pa.list_(pa.int16())),
    "list<large_list<list<uint8>>>": pa.list_(pa.large_list(pa.list_(pa.uint8()))),
    "list.struct": pa.list_(_POINT),
    "large_list.struct": pa.large_list(pa.struct({"name": pa.string(), "at": _POINT})),
    "struct": pa.struct({"a": pa.int64(), "b": pa.string(), "c": pa.bool_()}),
    "struct<>": pa.struct([]),
    "struct<null>": pa.struct({"n": pa.null(), "a": pa.int8()}),
    "struct<struct>": pa.struct(
        {"in": pa.struct({"in": _POINT, "s": pa.string()}), "v": pa.int8()}
    ),
    "struct<list>": pa.struct({"l": pa.list_(pa.int32()), "s": pa.list_(pa.string())}),
    "struct<list.struct>": pa.struct({"l": pa.list_(pa.struct({"l": pa.list_(pa.int8())}))}),
    "struct<fixed_size_list>": pa.struct({"v": pa.list_(pa.float32(), 4), "w": pa.int8()}),
    "struct<dict>": pa.struct({"d": DICTIONARY["dict:string:int8:false"], "i": pa.int8()}),
    "map<string,int32>": pa.map_(pa.string(), pa.int32()),
    "map<int32,list<string>>": pa.map_(pa.int32(), pa.list_(pa.string())),
    "map<string,map>": pa.map_(pa.string(), pa.map_(pa.int16(), pa.bool_())),
    "list<map>": pa.list_(pa.map_(pa.string(), pa.float32())),
    "struct<map>": pa.struct({"m": pa.map_(pa.string(), _POINT), "i": pa.int8()}),
}

PACKED = {
    "packed<fixed>": pa.struct({"a": pa.int32(), "b": pa.float64(), "c": pa.uint8()}),
    "packed<fixed_size_list>": pa.struct({"a": pa.list_(pa.float32(), 4), "b": pa.int16()}),
    "packed<variable>": pa.struct({"a": pa.int32(), "s": pa.string(), "b": pa.binary()}),
}

BLOB = {"blob": pa.large_binary(), "blob.v2": BlobType()}

FIELD_METADATA = {
    **dict.fromkeys(PACKED, {"lance-encoding:packed": "true"}),
    "blob": {"lance-encoding:blob": "true"},
}

ALL = {**PRIMITIVE, **DICTIONARY, **FIXED_SIZE_LIST, **NESTED, **PACKED, **BLOB}


def field(type_name, name="c", hints=None):
    """The nullable field of the logical type `type_name`, with the `lance-encoding:*` hints."""
    metadata = dict(FIELD_METADATA.get(type_name, {}))
    metadata |= {f"lance-encoding:{key}": value for key, value in (hints or {}).items()}
    return pa.field(name, ALL[type_name], metadata=metadata or None)


def with_leaf_metadata(type_, metadata):
    """`type_` with the metadata on every leaf, where pylance looks for hints in nested columns."""
    if isinstance(type_, pa.BaseExtensionType) or not pa.types.is_nested(type_):
        return type_

    def below(field):
        if pa.types.is_nested(field.type):
            return field.with_type(with_leaf_metadata(field.type, metadata))
        return field.with_metadata(metadata)

    if pa.types.is_struct(type_):
        return pa.struct([below(field) for field in type_])
    if pa.types.is_map(type_):
        return pa.map_(below(type_.key_field), below(type_.item_field))
    if pa.types.is_fixed_size_list(type_):
        return pa.list_(below(type_.value_field), type_.list_size)
    kind = pa.list_ if pa.types.is_list(type_) else pa.large_list
    return kind(below(type_.value_field))
