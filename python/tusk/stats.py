"""What a version of a table takes on the disk, in the names of pylance; and whether it is whole."""

import collections
import dataclasses
from typing import TypedDict

from tusk.errors import CorruptError
from tusk.file import LanceFileReader
from tusk.fragment_metadata import fragments_of


@dataclasses.dataclass
class FieldStatistics:
    """`bytes_on_disk`: of the pages of the field with this id and of those below it."""

    id: int
    bytes_on_disk: int


@dataclasses.dataclass
class DataStatistics:
    fields: list


class DatasetStats(TypedDict):
    num_deleted_rows: int
    num_fragments: int
    num_small_files: int


class LanceStats:
    """Statistics of a LanceDataset."""

    def __init__(self, dataset):
        self._dataset = dataset

    def dataset_stats(self, max_rows_per_group=1024):
        """Small files are fragments of fewer rows, deleted ones included, than
        `max_rows_per_group`.
        """
        fragments = self._dataset._table.fragments()
        return DatasetStats(
            num_deleted_rows=sum(deleted for _, _, deleted in fragments),
            num_fragments=len(fragments),
            num_small_files=sum(
                rows + deleted < max_rows_per_group for _, rows, deleted in fragments
            ),
        )

    def data_stats(self):
        """The bytes of each field. Reads the metadata of every data file."""
        sizes = collections.Counter()
        for fragment in fragments_of(self._dataset._table):
            for file in fragment.files:
                columns = _open(self._dataset, file).file_statistics().columns
                for field, column in zip(file.fields, file.column_indices, strict=True):
                    if 0 <= column < len(columns):
                        sizes[field] += columns[column].size_bytes
        return DataStatistics(
            [FieldStatistics(number, sizes[number]) for number in _ids(self._dataset)]
        )

    def index_stats(self, index_name):
        return self._dataset._statistics_of(index_name)


def _ids(dataset):
    """The ids of all fields, depth first."""
    waiting = list(reversed(dataset.lance_schema.fields()))
    while waiting:
        field = waiting.pop()
        yield field.id()
        waiting += reversed(field.children())


def path_of(dataset, file):
    """Where a DataFile of the dataset lies."""
    if file.base_id is None:
        return f"{dataset._table.uri}/data/{file.path}"
    base = dataset.base_paths()[file.base_id]
    return f"{base.path}/data/{file.path}" if base.is_dataset_root else f"{base.path}/{file.path}"


def _open(dataset, file):
    return LanceFileReader(path_of(dataset, file), storage_options=dataset._storage_options)


def validate(dataset, metadata):
    """CorruptError, an OSError, unless the files of a fragment are there and have its rows."""
    seen = set()
    for file in metadata.files:
        rows = _open(dataset, file).num_rows()
        if rows != metadata.physical_rows:
            raise CorruptError(
                f"fragment {metadata.id} of {dataset.uri} has {metadata.physical_rows} rows, but"
                f" its file {file.path} has {rows}"
            )
        twice = seen.intersection(number for number in file.fields if number >= 0)
        if twice:
            raise CorruptError(
                f"fragment {metadata.id} of {dataset.uri} has field {min(twice)} in two files"
            )
        seen.update(file.fields)
    scanner = dataset.scanner(columns=[], with_row_id=True, fragments=[metadata.id])
    found = scanner.to_table()
    if found.num_rows != metadata.num_rows:
        raise CorruptError(
            f"fragment {metadata.id} of {dataset.uri} claims {metadata.num_deletions} deleted"
            f" rows, but {metadata.physical_rows - found.num_rows} are"
        )
