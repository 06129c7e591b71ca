"""Words of pylance's full text search, which tusk does not have yet."""

import enum


class DocumentGranularity(str, enum.Enum):
    """What counts as a document of an index: a row, or each element of its list."""

    ROW = "row"
    LIST_ELEMENT = "list_element"
