"""Transactions of Lance tables in the names of pylance: what a commit changes, made by hand."""

import dataclasses
import datetime
import json as json_module
import uuid
import warnings
from typing import Any, Optional

import pyarrow as pa

from tusk.fragment_metadata import DataFile, file_to_json, fragment_from_json
from tusk.lance_schema import LanceSchema
from tusk.made import made


@dataclasses.dataclass
class DatasetBasePath:
    """A place besides its root where files of a table lie.

    is_dataset_root: whether it is the root of a table, with data/ below it, or a folder of data
        files. id: what files name it by; with None or 0 the table takes the lowest that is free.
    """

    path: str
    name: Optional[str] = None
    is_dataset_root: bool = False
    id: Optional[int] = None

    def __post_init__(self):
        self.id = self.id or 0


@dataclasses.dataclass
class IndexFile:
    path: str
    size_bytes: int


@dataclasses.dataclass
class Index:
    """What a version says of a segment of an index. `fragment_ids`: None if it does not say."""

    uuid: str
    name: str
    fields: list
    dataset_version: int
    fragment_ids: Any
    index_version: Optional[int] = None
    created_at: Optional[datetime.datetime] = None
    base_id: Optional[int] = None
    files: Optional[list] = None
    index_details: Optional[tuple] = None
    covering_fields: list = dataclasses.field(default_factory=list)


def _runs(numbers):
    """Ascending numbers as [begin, end) pairs."""
    runs = []
    for number in sorted(set(numbers)):
        if runs and runs[-1][1] == number:
            runs[-1][1] += 1
        else:
            runs.append([number, number + 1])
    return runs


def _index_to_json(index):
    details = index.index_details or (None, b"")
    created = index.created_at
    return {
        "uuid": str(index.uuid),
        "name": index.name,
        "fields": list(index.fields),
        "dataset_version": index.dataset_version,
        "fragment_ranges": None if index.fragment_ids is None else _runs(index.fragment_ids),
        "index_version": index.index_version,
        "created_at_ms": None if created is None else round(created.timestamp() * 1000),
        "base_id": index.base_id,
        "files": [{"path": f.path, "size_bytes": f.size_bytes} for f in index.files or []],
        "details_type": details[0],
        "details": list(details[1]),
        "covering_fields": list(index.covering_fields),
    }


def _index_from_json(contents):
    runs = contents["fragment_ranges"]
    created = contents["created_at_ms"]
    type_url = contents["details_type"]
    return Index(
        uuid=contents["uuid"],
        name=contents["name"],
        fields=contents["fields"],
        dataset_version=contents["dataset_version"],
        fragment_ids=None if runs is None else {n for begin, end in runs for n in range(begin, end)},
        index_version=contents["index_version"],
        created_at=None
        if created is None
        else datetime.datetime.fromtimestamp(created / 1000, datetime.timezone.utc),
        base_id=contents["base_id"],
        files=[IndexFile(**file) for file in contents["files"]] or None,
        index_details=None if type_url is None else (type_url, bytes(contents["details"])),
        covering_fields=contents["covering_fields"],
    )


class LanceOperation:
    """The kinds of changes that a transaction can make. `type` is the format's name of each."""

    class BaseOperation:
        type = "unknown"

    @dataclasses.dataclass
    class Append(BaseOperation):
        """Adds fragments."""

        type = "append"
        fragments: list

    @dataclasses.dataclass
    class Delete(BaseOperation):
        """Gives fragments new deletion files and removes those without a row left."""

        type = "delete"
        updated_fragments: list
        deleted_fragment_ids: list
        predicate: str

    @dataclasses.dataclass
    class Overwrite(BaseOperation):
        """Makes a table, or replaces its rows and its schema."""

        type = "overwrite"
        new_schema: Any
        fragments: list
        initial_bases: Optional[list] = None

    @dataclasses.dataclass
    class Update(BaseOperation):
        """Moves rows to new fragments ("rewrite_rows") or gives fragments new files for columns
        ("rewrite_columns")."""

        type = "update"
        removed_fragment_ids: list = dataclasses.field(default_factory=list)
        updated_fragments: list = dataclasses.field(default_factory=list)
        new_fragments: list = dataclasses.field(default_factory=list)
        fields_modified: list = dataclasses.field(default_factory=list)
        fields_for_preserving_frag_bitmap: list = dataclasses.field(default_factory=list)
        update_mode: str = ""
        updated_fragment_offsets: Optional[dict] = None

    @dataclasses.dataclass
    class Merge(BaseOperation):
        """All fragments with columns added, dropped or rewritten."""

        type = "merge"
        fragments: list
        schema: Any
        preserves_nullability: bool = False

        def __post_init__(self):
            if isinstance(self.schema, pa.Schema):
                warnings.warn(
                    "a pyarrow.Schema of a Merge is deprecated, give a LanceSchema",
                    DeprecationWarning,
                    stacklevel=3,
                )

    @dataclasses.dataclass
    class Project(BaseOperation):
        """Drops, renames or reorders fields."""

        type = "project"
        schema: Any
        preserves_nullability: bool = False

    @dataclasses.dataclass
    class RewriteGroup:
        old_fragments: list
        new_fragments: list

    @dataclasses.dataclass
    class RewrittenIndex:
        old_id: str
        new_id: str
        new_details_type_url: str
        new_details_value: bytes
        new_index_version: int

    @dataclasses.dataclass
    class Rewrite(BaseOperation):
        """The same rows in other fragments."""

        type = "rewrite"
        groups: list
        rewritten_indices: list

    @dataclasses.dataclass
    class ReserveFragments(BaseOperation):
        """Keeps fragment ids for a later commit."""

        type = "reserve_fragments"
        num_fragments: int

    @dataclasses.dataclass
    class Restore(BaseOperation):
        """Brings the content of an earlier version back."""

        type = "restore"
        version: int

    @dataclasses.dataclass
    class CreateIndex(BaseOperation):
        """Adds and removes segments of indices."""

        type = "create_index"
        new_indices: list
        removed_indices: list

    @dataclasses.dataclass
    class DataReplacementGroup:
        fragment_id: int
        new_file: DataFile

    @dataclasses.dataclass
    class DataReplacement(BaseOperation):
        """Gives fragments another file for some columns."""

        type = "data_replacement"
        replacements: list

    @dataclasses.dataclass
    class UpdateMap:
        """Sets keys of a map; those whose value is None go, and with `replace` all others."""

        updates: dict
        replace: bool = False

    @dataclasses.dataclass
    class UpdateConfig(BaseOperation):
        """Changes the config and the metadata of a table, its schema and its fields."""

        type = "update_config"
        config_updates: Optional[Any] = None
        table_metadata_updates: Optional[Any] = None
        schema_metadata_updates: Optional[Any] = None
        field_metadata_updates: Optional[dict] = None

    @dataclasses.dataclass
    class UpdateBases(BaseOperation):
        """Adds places where files of the table lie."""

        type = "update_bases"
        new_bases: list

    @dataclasses.dataclass
    class Clone(BaseOperation):
        """The first version of a table that began as a version of another one."""

        type = "clone"
        is_shallow: bool
        ref_name: Optional[str]
        ref_version: int
        ref_path: str
        branch_name: Optional[str]


@dataclasses.dataclass
class Transaction:
    """An operation on a table, and the version that it was made for."""

    read_version: int
    operation: LanceOperation.BaseOperation
    uuid: str = dataclasses.field(default_factory=lambda: str(uuid.uuid4()))
    transaction_properties: Optional[dict] = dataclasses.field(default_factory=dict)


# Fields that hold a list of fragments, and those that are named otherwise in JSON.
_FRAGMENT_LISTS = {
    "fragments",
    "updated_fragments",
    "new_fragments",
    "old_fragments",
}


def _value_to_json(name, value):
    if name in _FRAGMENT_LISTS:
        for fragment in value:
            if not hasattr(fragment, "to_json"):
                raise TypeError(f"{name} must be FragmentMetadata, not {type(fragment).__name__}")
        return [fragment.to_json() for fragment in value]
    if name in ("new_indices", "removed_indices"):
        return [_index_to_json(index) for index in value]
    if name == "new_file":
        return file_to_json(value)
    if name in ("initial_bases", "new_bases"):
        return [dataclasses.asdict(base) for base in value or []]
    if name == "new_details_value":
        return list(value)
    if name == "updated_fragment_offsets":
        return {str(key): list(bitmap) for key, bitmap in (value or {}).items()}
    if name == "field_metadata_updates":
        return {str(key): _parts_to_json(update) for key, update in (value or {}).items()}
    if name in ("groups", "rewritten_indices", "replacements"):
        return [_parts_to_json(part) for part in value]
    if name.endswith("_updates"):
        return None if value is None else _parts_to_json(value)
    if name in ("schema", "new_schema"):
        return value._contents if isinstance(value, LanceSchema) else None
    return list(value) if isinstance(value, (list, tuple, set, range)) else value


def _parts_to_json(parts):
    return {
        "schema" if field.name == "new_schema" else field.name: _value_to_json(
            field.name, getattr(parts, field.name)
        )
        for field in dataclasses.fields(parts)
        if hasattr(parts, field.name)
    }


def operation_to_json(operation):
    """The operation, which may be one of pylance's, as JSON for the library; and its Arrow schema,
    if it has one without ids."""
    own = getattr(LanceOperation, type(operation).__name__, None)
    if own is None or not hasattr(own, "type"):
        raise TypeError(f"a LanceOperation is needed, not {type(operation).__name__}")
    schema = getattr(operation, "new_schema", getattr(operation, "schema", None))
    contents = _parts_to_json(operation)
    contents["type"] = own.type
    return contents, schema if isinstance(schema, pa.Schema) else None


def transaction_to_json(transaction):
    """A Transaction, which may be one of pylance's, as text for the library, and its Arrow schema."""
    operation, schema = operation_to_json(transaction.operation)
    contents = {
        "read_version": transaction.read_version or 0,
        "uuid": transaction.uuid,
        "properties": dict(transaction.transaction_properties or {}),
        "operation": operation,
    }
    return json_module.dumps(contents), schema


_BY_TYPE = {
    operation.type: operation
    for operation in vars(LanceOperation).values()
    if isinstance(operation, type) and hasattr(operation, "type")
}


def _value_from_json(name, value):
    if value is None:
        return None
    if name in _FRAGMENT_LISTS:
        return [fragment_from_json(fragment) for fragment in value]
    if name in ("new_indices", "removed_indices"):
        return [_index_from_json(index) for index in value]
    if name == "new_file":
        return DataFile(**value)
    if name in ("initial_bases", "new_bases"):
        return [DatasetBasePath(**base) for base in value] or None
    if name == "new_details_value":
        return bytes(value)
    if name == "updated_fragment_offsets":
        return {int(key): bytes(bitmap) for key, bitmap in value.items()} or None
    if name == "field_metadata_updates":
        return {int(key): LanceOperation.UpdateMap(**update) for key, update in value.items()}
    if name.endswith("_updates"):
        return LanceOperation.UpdateMap(**value)
    if name == "groups":
        return [_parts_from_json(LanceOperation.RewriteGroup, part) for part in value]
    if name == "rewritten_indices":
        return [_parts_from_json(LanceOperation.RewrittenIndex, part) for part in value]
    if name == "replacements":
        return [_parts_from_json(LanceOperation.DataReplacementGroup, part) for part in value]
    if name == "schema":
        return LanceSchema._of(value)
    return value


def _parts_from_json(cls, contents):
    values = {}
    for field in dataclasses.fields(cls):
        name = "schema" if field.name == "new_schema" else field.name
        values[field.name] = _value_from_json(name, contents.get(name))
    return cls(**values)


def transaction_from_json(text):
    """The Transaction in a JSON text of the library."""
    contents = json_module.loads(text)
    operation = contents["operation"]
    cls = _BY_TYPE.get(operation["type"], LanceOperation.BaseOperation)
    return Transaction(
        read_version=contents["read_version"],
        operation=_parts_from_json(cls, operation) if dataclasses.is_dataclass(cls) else cls(),
        uuid=contents["uuid"],
        transaction_properties=contents["properties"],
    )
