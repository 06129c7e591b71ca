"""Schemas of Lance tables with the ids of their fields, in the names of pylance."""

import json

import pyarrow as pa

from tusk import _tusk
from tusk.made import made


class LanceField:
    """A field of a table's schema, with its id."""

    def __init__(self, contents):
        self._contents = contents

    def name(self):
        return self._contents["name"]

    def id(self):
        return self._contents["id"]

    @property
    def metadata(self):
        return self._contents["metadata"]

    def children(self):
        return [LanceField(child) for child in self._contents["children"]]

    def is_unenforced_primary_key(self):
        return self._contents["unenforced_primary_key_position"] is not None

    def is_unenforced_clustering_key(self):
        return self._contents["unenforced_clustering_key_position"] is not None

    def __repr__(self):
        return f"<tusk.LanceField {self.name()!r} id {self.id()}>"


@made
class LanceSchema:
    """A schema with the ids of its fields."""

    def __init__(self, contents, arrow=None):
        self._contents = contents
        self._arrow = arrow

    @classmethod
    def from_pyarrow(cls, schema):
        """The fields get the ids 0, 1, ... in depth-first order."""
        return cls._of(json.loads(_tusk.describe_arrow_schema(schema)), schema)

    def to_pyarrow(self):
        if self._arrow is None:
            text = json.dumps(self._contents)
            self._arrow = pa.schema(_tusk.read_lance_schema(text))
        return self._arrow

    def fields(self):
        return [LanceField(field) for field in self._contents["fields"]]

    def field(self, name):
        """The field called so at the top level, or None."""
        return next((field for field in self.fields() if field.name() == name), None)

    def field_case_insensitive(self, name):
        """The field called so at the top level, its case apart if there is none with it; or None."""
        same = (field for field in self.fields() if field.name().lower() == name.lower())
        return self.field(name) or next(same, None)

    def unenforced_primary_key(self):
        """The fields of the key, in its order."""
        return self._key("unenforced_primary_key_position")

    def unenforced_clustering_key(self):
        """The fields of the key, in its order."""
        return self._key("unenforced_clustering_key_position")

    def _key(self, position):
        fields = []
        waiting = list(self.fields())
        while waiting:
            field = waiting.pop()
            waiting += field.children()
            if field._contents[position] is not None:
                fields.append(field)
        return sorted(fields, key=lambda field: field._contents[position])

    def __eq__(self, other):
        return isinstance(other, LanceSchema) and self._contents == other._contents

    def __repr__(self):
        return f"<tusk.LanceSchema {self.fields()}>"
