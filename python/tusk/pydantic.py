"""Schemas and rows of pydantic models (version 2), in the names of pylance.

Needs the package `pydantic`, which nothing else of tusk does.
"""

import abc
import datetime
import enum
import re
import types
import typing

import numpy as np
import pyarrow as pa
import pydantic
from pydantic_core import core_schema

__all__ = [
    "FixedSizeListMixin",
    "MultiVector",
    "Vector",
    "get_extras",
    "is_nullable",
    "pydantic_to_schema",
]

_SCALARS = {
    int: pa.int64(),
    float: pa.float64(),
    str: pa.utf8(),
    bool: pa.bool_(),
    bytes: pa.binary(),
    datetime.date: pa.date32(),
}


class FixedSizeListMixin(abc.ABC):
    """What annotations of vectors are; `Vector` and `MultiVector` make them."""

    @staticmethod
    @abc.abstractmethod
    def dim():
        raise NotImplementedError

    @staticmethod
    @abc.abstractmethod
    def value_arrow_type():
        raise NotImplementedError


def _vector_type(name, size, value_type, may_be_null, is_multi):
    """A subclass of list that a pydantic model can be annotated with."""
    one = core_schema.list_schema(
        core_schema.float_schema(), min_length=size, max_length=size, strict=False
    )
    checked = core_schema.list_schema(one) if is_multi else one

    def to_lists(value):
        return value.tolist() if isinstance(value, np.ndarray) else value

    class Annotation(list, FixedSizeListMixin):
        def __repr__(self):
            return f"{name}(dim={size})"

        @staticmethod
        def nullable():
            return may_be_null

        @staticmethod
        def dim():
            return size

        @staticmethod
        def value_arrow_type():
            return value_type

        @staticmethod
        def is_multi_vector():
            return is_multi

        @classmethod
        def __get_pydantic_core_schema__(cls, source, handler):
            lists = core_schema.no_info_before_validator_function(to_lists, checked)
            return core_schema.no_info_after_validator_function(cls, lists)

    Annotation.__name__ = Annotation.__qualname__ = name
    return Annotation


def Vector(dim, value_type=pa.float32(), nullable=True):
    """The annotation of a column of vectors of `dim` values (float32 unless said otherwise)."""
    return _vector_type("FixedSizeList", dim, value_type, nullable, False)


def MultiVector(dim, value_type=pa.float32(), nullable=True):
    """The annotation of a column whose values are lists of such vectors."""
    return _vector_type("MultiVector", dim, value_type, nullable, True)


def get_extras(field, key):
    """What `Field(json_schema_extra={key: ...})` says of a field; None if nothing."""
    extra = field.json_schema_extra
    return extra.get(key) if isinstance(extra, dict) else None


def _strip_none(annotation):
    """(The annotation without None, whether None was one of its choices)."""
    if typing.get_origin(annotation) not in (typing.Union, types.UnionType):
        return annotation, False
    choices = typing.get_args(annotation)
    others = [choice for choice in choices if choice is not type(None)]
    if len(others) == len(choices) or len(others) != 1:
        return annotation, len(others) != len(choices)
    return others[0], True


def is_nullable(field):
    """Whether a field of a model may be null: its annotation says Optional, or is a Vector that may
    be. A default value does not make it so.
    """
    annotation, may_be_null = _strip_none(field.annotation)
    if isinstance(annotation, type) and issubclass(annotation, FixedSizeListMixin):
        return may_be_null or annotation.nullable()
    return may_be_null


def _enum_type(annotation, field):
    kinds = {type(member.value) for member in annotation}
    if kinds == {str}:
        return pa.dictionary(pa.int32(), pa.utf8())
    return _type_of(kinds.pop(), field) if len(kinds) == 1 else pa.utf8()


def _class_type(annotation, field):
    if issubclass(annotation, pydantic.BaseModel):
        return pa.struct(_fields_of(annotation))
    if issubclass(annotation, FixedSizeListMixin):
        vector = pa.list_(annotation.value_arrow_type(), annotation.dim())
        return pa.list_(vector) if annotation.is_multi_vector() else vector
    if issubclass(annotation, enum.Enum):
        return _enum_type(annotation, field)
    if annotation is datetime.datetime:
        return pa.timestamp("us", tz=get_extras(field, "tz"))
    return _SCALARS.get(annotation)


def _type_of(annotation, field):
    annotation, _ = _strip_none(annotation)
    found = None
    if typing.get_origin(annotation) in (list, tuple) and typing.get_args(annotation):
        child, may_be_null = _strip_none(typing.get_args(annotation)[0])
        item = _type_of(child, field)
        found = pa.list_(pa.field("item", item, True) if may_be_null else item)
    elif isinstance(annotation, type) and typing.get_origin(annotation) is None:
        found = _class_type(annotation, field)
    if found is None:
        raise TypeError(
            f"no Arrow type for the annotation {annotation}: lists need the type of their items, as"
            " list[int]"
        )
    return found


def _fields_of(model):
    return [
        pa.field(name, _type_of(field.annotation, field), is_nullable(field))
        for name, field in model.model_fields.items()
    ]


def pydantic_to_schema(model):
    """The Arrow schema of a pydantic model: a column for each of its fields, in order.

    Models inside become structs, enums of texts dictionaries, `datetime` a timestamp in
    microseconds, whose zone is the "tz" of `Field(json_schema_extra=...)`. TypeError, naming the
    annotation, for what has no Arrow type.
    """
    return pa.schema(_fields_of(model))


def is_model(value):
    """Whether `value` is a class of models."""
    return isinstance(value, type) and issubclass(value, pydantic.BaseModel)


def to_rows(model_class, models):
    """The models as dicts. TypeError unless they are a list of `model_class` itself: a subclass may
    have more fields than the schema."""
    if not isinstance(models, list):
        raise TypeError(f"models are given as a list, not {type(models).__name__}")
    for number, model in enumerate(models):
        if type(model) is not model_class:
            raise TypeError(
                f"data[{number}] must be a {model_class.__name__} itself, not"
                f" {type(model).__name__}"
            )
    return [_without_enums(model.model_dump()) for model in models]


def _without_enums(value):
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, dict):
        return {key: _without_enums(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_enums(item) for item in value]
    return value


def to_table(models, schema=None):
    """A list of models of one class as a table."""
    model_class = type(models[0])
    rows = to_rows(model_class, models)
    return pa.Table.from_pylist(rows, schema=schema or pydantic_to_schema(model_class))


def write_models(model_class, data, uri, mode, options):
    """LanceDataset.from_pydantic_model."""
    from tusk.write import write_dataset

    if not is_model(model_class):
        raise TypeError(f"model_class must be a pydantic BaseModel class, not {model_class!r}")
    rows = to_rows(model_class, data)
    if not rows:
        raise ValueError("data must have a model at least")
    if uri is None:
        uri = re.sub(r"(?<!^)(?=[A-Z])", "_", model_class.__name__).lower()
    table = pa.Table.from_pylist(rows, schema=pydantic_to_schema(model_class))
    return write_dataset(table, uri, mode=mode, **options)
