"""What tables are made of, as text for people, in the names of pylance."""

import json

from tusk import _tusk
from tusk.transaction import transaction_to_json

__all__ = ["format_fragment", "format_manifest", "format_schema", "list_transactions"]


def _pretty(contents):
    return json.dumps(contents, indent=4)


def format_schema(dataset):
    """The schema with the ids of its fields."""
    return _pretty(json.loads(_tusk.describe_lance_schema(dataset._table)))


def format_fragment(fragment, dataset):
    """A FragmentMetadata of the dataset."""
    return _pretty(fragment.to_json())


def format_manifest(dataset):
    """What the version of the dataset says."""
    table = dataset._table
    return _pretty(
        {
            "version": table.version,
            "data_storage_version": table.data_storage_version,
            "stable_row_ids": table.has_stable_row_ids,
            "config": table.config,
            **json.loads(_tusk.describe_lance_table(table)),
            "schema": json.loads(_tusk.describe_lance_schema(table)),
            "fragments": json.loads(_tusk.describe_lance_fragments(table)),
        }
    )


def list_transactions(dataset, /, max_transactions=10):
    """The newest transactions as text, newest first; None for one that is not known any more."""
    found = dataset.get_transactions(max_transactions)
    return [
        None if one is None else _pretty(json.loads(transaction_to_json(one)[0])) for one in found
    ]
