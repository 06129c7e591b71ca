"""What a version says of the fragments of a Lance table, in the names of pylance."""

import dataclasses
import json as json_module
import warnings
from typing import Optional

from tusk import _tusk
from tusk.made import made


@made
class RowIdMeta:
    """The row ids of a fragment, serialized; opaque."""

    def __init__(self, contents):
        self._contents = contents

    def asdict(self):
        return self._contents

    def json(self):
        return json_module.dumps(self._contents)

    @classmethod
    def from_dict(cls, dict):
        return cls._of(dict)

    @classmethod
    def from_json(cls, json):
        return cls._of(json_module.loads(json))

    def __eq__(self, other):
        return type(self) is type(other) and self._contents == other._contents

    __hash__ = None

    def __reduce__(self):
        return type(self).from_dict, (self._contents,)

    def __repr__(self):
        return f"{type(self).__name__}({self.json()})"


class RowDatasetVersionMeta(RowIdMeta):
    """The versions in which the rows of a fragment were made or changed, serialized; opaque."""


class _Path(str):
    """A text that gives itself when it is called: `path` of a DataFile was a method once."""

    def __call__(self):
        warnings.warn("DataFile.path is a property", DeprecationWarning, stacklevel=2)
        return str(self)

    def __reduce__(self):
        return str, (str(self),)


@dataclasses.dataclass(init=False, repr=False)
class DataFile:
    """A file of a fragment: where it is below data/, and the ids of the fields in its columns.

    An id below 0 is that of a column without a field of the table.
    """

    _path: str
    fields: list
    column_indices: list = dataclasses.field(default_factory=list)
    file_major_version: int = 0
    file_minor_version: int = 0
    file_size_bytes: Optional[int] = None
    base_id: Optional[int] = None

    def __init__(
        self,
        path,
        fields,
        column_indices=None,
        file_major_version=0,
        file_minor_version=0,
        file_size_bytes=None,
        base_id=None,
    ):
        self._path = path
        self.fields = fields
        self.column_indices = column_indices or []
        self.file_major_version = file_major_version
        self.file_minor_version = file_minor_version
        self.file_size_bytes = file_size_bytes
        self.base_id = base_id

    def __repr__(self):
        parts = ", ".join(f"{name}={value!r}" for name, value in file_to_json(self).items())
        return f"DataFile({parts})"

    @property
    def path(self):
        return _Path(self._path)

    def field_ids(self):
        warnings.warn("field_ids is deprecated: use fields", DeprecationWarning, stacklevel=2)
        return self.fields

    @classmethod
    def create(cls, dataset, path, *, base_id=None):
        """Of a file that lies below data/ of a LanceDataset: its columns are found by their names.

        ValueError if a column of the file is none of the table.
        """
        from tusk.fragment_changes import describe_file

        return describe_file(dataset, path, base_id)


@dataclasses.dataclass
class DeletionFile:
    """Which rows of a fragment are gone; `file_type` is "array" or "bitmap"."""

    read_version: int
    id: int
    file_type: str
    num_deleted_rows: int
    base_id: Optional[int] = None

    def asdict(self):
        return dataclasses.asdict(self)

    def json(self):
        return json_module.dumps(self.asdict())

    @classmethod
    def from_json(cls, json):
        return cls(**json_module.loads(json))

    def path(self, fragment_id, base_uri=None):
        """Where it is: below `base_uri`, or relative to the table."""
        ending = "arrow" if self.file_type == "array" else "bin"
        path = f"_deletions/{fragment_id}-{self.read_version}-{self.id}.{ending}"
        return path if base_uri is None else f"{base_uri}/{path}"


@dataclasses.dataclass
class FragmentMetadata:
    """What a version says of one of its fragments.

    `overlays` are files that lie over some values of others; tusk has none and refuses them.
    """

    id: int
    files: list
    physical_rows: int
    deletion_file: Optional[DeletionFile] = None
    row_id_meta: Optional[RowIdMeta] = None
    created_at_version_meta: Optional[RowDatasetVersionMeta] = None
    last_updated_at_version_meta: Optional[RowDatasetVersionMeta] = None
    overlays: list = dataclasses.field(default_factory=list)

    @property
    def num_deletions(self):
        return 0 if self.deletion_file is None else self.deletion_file.num_deleted_rows

    @property
    def num_rows(self):
        return self.physical_rows - self.num_deletions

    def data_files(self):
        warnings.warn("data_files is deprecated: use files", DeprecationWarning, stacklevel=2)
        return self.files

    def to_json(self):
        """A dict that JSON can hold, as pylance's."""

        def of(value):
            return None if value is None else value.asdict()

        if self.overlays:
            raise NotImplementedError(f"fragment {self.id} has overlays, which are not supported")
        return {
            "id": self.id,
            "files": [file_to_json(file) for file in self.files],
            "overlays": [],
            "physical_rows": self.physical_rows,
            "deletion_file": of(self.deletion_file),
            "row_id_meta": of(self.row_id_meta),
            "created_at_version_meta": of(self.created_at_version_meta),
            "last_updated_at_version_meta": of(self.last_updated_at_version_meta),
        }

    @staticmethod
    def from_json(json_data):
        return fragment_from_json(json_module.loads(json_data))


_FILE_PARTS = (
    "path",
    "fields",
    "column_indices",
    "file_major_version",
    "file_minor_version",
    "file_size_bytes",
    "base_id",
)


def file_to_json(file):
    """Of a DataFile, which may be one of pylance's."""
    parts = {name: getattr(file, name) for name in _FILE_PARTS}
    parts["path"] = str(parts["path"])
    return parts


def fragment_from_json(contents):
    def of(cls, key):
        return None if contents.get(key) is None else cls.from_dict(contents[key])

    if contents.get("overlays"):
        raise NotImplementedError(
            f"fragment {contents['id']} has overlays, which are not supported"
        )
    deletion = contents.get("deletion_file")
    return FragmentMetadata(
        id=contents["id"],
        files=[DataFile(**file) for file in contents["files"]],
        physical_rows=contents["physical_rows"],
        deletion_file=None if deletion is None else DeletionFile(**deletion),
        row_id_meta=of(RowIdMeta, "row_id_meta"),
        created_at_version_meta=of(RowDatasetVersionMeta, "created_at_version_meta"),
        last_updated_at_version_meta=of(RowDatasetVersionMeta, "last_updated_at_version_meta"),
    )


def fragments_of(table):
    """The fragments of an open table as FragmentMetadata."""
    return [
        fragment_from_json(one) for one in json_module.loads(_tusk.describe_lance_fragments(table))
    ]
