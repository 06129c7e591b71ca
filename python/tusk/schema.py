"""Schemas as JSON, in the form that pylance gives and takes."""

import pyarrow as pa

from tusk.lance_schema import LanceSchema

__all__ = ["LanceSchema", "json_to_schema", "schema_to_json"]

_PLAIN = {
    str(kind): kind
    for kind in (
        pa.null(),
        pa.bool_(),
        *(pa.int8(), pa.uint8(), pa.int16(), pa.uint16()),
        *(pa.int32(), pa.uint32(), pa.int64(), pa.uint64()),
        *(pa.float16(), pa.float32(), pa.float64()),
        *(pa.string(), pa.large_string(), pa.binary(), pa.large_binary()),
    )
}
# Types with a unit and what else, behind colons.
_WITH_UNIT = {
    "date32": lambda unit: pa.date32(),
    "date64": lambda unit: pa.date64(),
    "time32": pa.time32,
    "time64": pa.time64,
    "timestamp": lambda unit, zone: pa.timestamp(unit, None if zone == "-" else zone),
    "duration": pa.duration,
    "decimal": lambda bits, precision, scale: (
        pa.decimal256(int(precision), int(scale))
        if bits == "256"
        else pa.decimal128(int(precision), int(scale))
    ),
}
_LISTS = {"list": pa.list_, "large_list": pa.large_list}


def schema_to_json(schema):
    """A pyarrow Schema as a dict of JSON. ValueError, naming the field, for a type without one."""
    contents = {"fields": [_field_to_json(field) for field in schema]}
    return _with_metadata(contents, schema.metadata)


def json_to_schema(schema_json):
    """The pyarrow Schema of such a dict. ValueError if it is none."""
    if not isinstance(schema_json, dict) or not isinstance(schema_json.get("fields"), list):
        raise ValueError("a schema in JSON has a list 'fields'")
    fields = [_field_from_json(field) for field in schema_json["fields"]]
    return pa.schema(fields, metadata=schema_json.get("metadata"))


def _with_metadata(contents, metadata):
    if metadata:
        contents["metadata"] = {key.decode(): value.decode() for key, value in metadata.items()}
    return contents


def _field_to_json(field):
    kind = field.type
    if isinstance(kind, pa.BaseExtensionType):
        kind = kind.storage_type
    contents = {
        "name": field.name,
        "type": _type_to_json(kind, field.name),
        "nullable": field.nullable,
    }
    return _with_metadata(contents, field.metadata)


def _type_to_json(kind, name):
    types = pa.types
    if str(kind) in _PLAIN:
        return {"type": str(kind)}
    if types.is_fixed_size_binary(kind):
        return {"type": "fixed_size_binary", "length": kind.byte_width}
    if types.is_fixed_size_list(kind):
        item = _field_to_json(kind.value_field)
        return {"type": "fixed_size_list", "fields": [item], "length": kind.list_size}
    if types.is_list(kind) or types.is_large_list(kind):
        outer = "list" if types.is_list(kind) else "large_list"
        return {"type": outer, "fields": [_field_to_json(kind.value_field)]}
    if types.is_struct(kind):
        return {"type": "struct", "fields": [_field_to_json(field) for field in kind]}
    text = _text_of(kind)
    if text is None:
        raise ValueError(f"field {name!r}: the type {kind} has no form in JSON")
    return {"type": text}


def _text_of(kind):
    """The name of a type whose parameters stand behind colons; None of another type."""
    types = pa.types
    if types.is_date32(kind):
        return "date32:day"
    if types.is_date64(kind):
        return "date64:ms"
    if types.is_time32(kind) or types.is_time64(kind):
        return f"time{kind.bit_width}:{kind.unit}"
    if types.is_timestamp(kind):
        return f"timestamp:{kind.unit}:{kind.tz or '-'}"
    if types.is_duration(kind):
        return f"duration:{kind.unit}"
    if types.is_decimal128(kind) or types.is_decimal256(kind):
        return f"decimal:{kind.bit_width}:{kind.precision}:{kind.scale}"
    if types.is_dictionary(kind) and str(kind.value_type) in _PLAIN:
        return f"dict:{kind.value_type}:{kind.index_type}:{str(kind.ordered).lower()}"
    return None


def _field_from_json(contents):
    for key in ("name", "type", "nullable"):
        if key not in contents:
            raise ValueError(f"a field of a schema in JSON has no {key!r}: {contents}")
    kind = _type_from_json(contents["type"])
    return pa.field(
        contents["name"], kind, contents["nullable"], metadata=contents.get("metadata")
    )


def _type_from_json(contents):
    text = contents.get("type") if isinstance(contents, dict) else None
    try:
        if text in _PLAIN:
            return _PLAIN[text]
        if text == "fixed_size_binary":
            return pa.binary(contents["length"])
        if text == "struct":
            return pa.struct([_field_from_json(field) for field in contents["fields"]])
        if text in _LISTS:
            return _LISTS[text](_field_from_json(contents["fields"][0]))
        if text == "fixed_size_list":
            return pa.list_(_field_from_json(contents["fields"][0]), contents["length"])
        kind, *parameters = text.split(":")
        if kind == "timestamp":  # a zone may be an offset
            parameters = [parameters[0], ":".join(parameters[1:])]
        if kind == "dict":
            value, index, ordered = parameters
            return pa.dictionary(_PLAIN[index], _PLAIN[value], ordered == "true")
        return _WITH_UNIT[kind](*parameters)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        raise ValueError(f"no type of a schema in JSON: {contents}") from None
