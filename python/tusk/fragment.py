"""Fragments of Lance tables in the names of pylance."""

import pyarrow.dataset as pads

from tusk._arrow import _not_supported, check_rows
from tusk.errors import RowOutOfRangeError
from tusk.fragment_changes import FragmentChanges, write_fragments
from tusk.fragment_metadata import (
    DataFile,
    DeletionFile,
    FragmentMetadata,
    RowDatasetVersionMeta,
    RowIdMeta,
    fragments_of,
)
from tusk.row_id_sequence import RowIdSequence
from tusk.scanner import check_blob_mode, stated
from tusk.stats import validate

__all__ = [
    "DataFile",
    "DeletionFile",
    "FragmentMetadata",
    "FragmentSession",
    "LanceFragment",
    "RowDatasetVersionMeta",
    "RowIdMeta",
    "RowIdSequence",
    "write_fragments",
]


class LanceFragment(FragmentChanges, pads.Fragment):
    """Rows of one version of a table that share their data files.

    What changes a fragment (merge_columns, update_columns, delete, ...) writes files and gives
    metadata for a commit: the table has it only when a LanceOperation with it is committed.
    """

    def __init__(self, dataset, fragment_id, *, fragment=None):
        """`fragment` is another LanceFragment, whose id is taken."""
        if fragment is not None:
            fragment_id = fragment.fragment_id
        elif fragment_id is None:
            raise ValueError("a fragment is named by its id or by another fragment")
        self._dataset = dataset
        self._fragment_id = fragment_id
        self._rows = self._deleted = None
        for number, rows, deleted in dataset._table.fragments():
            if number == fragment_id:
                self._rows, self._deleted = rows, deleted
        if self._rows is None:
            raise ValueError(
                f"{dataset.uri}: version {dataset.version} has no fragment {fragment_id}"
            )

    def __repr__(self):
        return f"<tusk.LanceFragment {self._fragment_id} of {self._dataset.uri!r}>"

    def __reduce__(self):
        return LanceFragment, (self._dataset, self._fragment_id)

    @property
    def fragment_id(self):
        return self._fragment_id

    @property
    def metadata(self):
        """What the version says of the fragment, as FragmentMetadata."""
        for metadata in fragments_of(self._dataset._table):
            if metadata.id == self._fragment_id:
                return metadata

    def data_files(self):
        return self.metadata.files

    def deletion_file(self):
        """The path of its deletion file, relative to the table; None if no row is deleted."""
        deletion = self.metadata.deletion_file
        return None if deletion is None else deletion.path(self._fragment_id)

    @property
    def schema(self):
        return self._dataset.schema

    @property
    def physical_rows(self):
        """Rows in its files, deleted ones included."""
        return self._rows + self._deleted

    @property
    def num_deletions(self):
        return self._deleted

    def count_rows(self, filter=None):
        """Counts the rows, or those for which `filter` is true."""
        return self._rows if filter is None else self.scanner(columns=[], filter=filter).count_rows()

    def validate(self):
        """Looks at its files. OSError if one is missing or does not fit the fragment."""
        validate(self._dataset, self.metadata)

    def scanner(
        self,
        *,
        columns=None,
        batch_size=None,
        filter=None,
        limit=None,
        offset=None,
        with_row_id=False,
        with_row_address=False,
        batch_readahead=16,
        blob_handling=None,
        order_by=None,
        use_scalar_index=None,
        io_buffer_size=None,
        late_materialization=None,
        include_deleted_rows=None,
        batch_size_bytes=None,
        strict_batch_size=None,
    ):
        """Plans a read of the fragment. Parameters as in LanceDataset.scanner."""
        given = stated(locals())
        return self._dataset.scanner(fragments=[self], **given)

    def to_table(
        self,
        columns=None,
        filter=None,
        limit=None,
        offset=None,
        with_row_id=False,
        with_row_address=False,
        blob_handling=None,
        order_by=None,
        use_scalar_index=None,
        io_buffer_size=None,
        late_materialization=None,
        include_deleted_rows=None,
        batch_size_bytes=None,
        strict_batch_size=None,
    ):
        """Reads into a pyarrow Table. Parameters as in `scanner`."""
        given = stated(locals())
        return self.scanner(**given).to_table()

    def to_batches(
        self,
        *,
        columns=None,
        batch_size=None,
        filter=None,
        limit=None,
        offset=None,
        with_row_id=False,
        with_row_address=False,
        batch_readahead=16,
        blob_handling=None,
        order_by=None,
        use_scalar_index=None,
        io_buffer_size=None,
        late_materialization=None,
        include_deleted_rows=None,
        batch_size_bytes=None,
        strict_batch_size=None,
    ):
        """An iterator of record batches, read as it goes. Parameters as in `scanner`."""
        given = stated(locals())
        return self.scanner(**given).to_batches()

    def to_pandas(
        self,
        columns=None,
        filter=None,
        limit=None,
        offset=None,
        batch_size=None,
        with_row_id=False,
        with_row_address=False,
        blob_mode="lazy",
        order_by=None,
        **kwargs,
    ):
        """Reads into a pandas DataFrame. Parameters as in `scanner`, `kwargs` too."""
        check_blob_mode(blob_mode)
        scanner = self.scanner(
            columns=columns,
            filter=filter,
            limit=limit,
            offset=offset,
            batch_size=batch_size,
            with_row_id=with_row_id,
            with_row_address=with_row_address,
            order_by=order_by,
            **kwargs,
        )
        return scanner.to_pandas(blob_mode=blob_mode)

    def head(self, num_rows):
        check_rows("num_rows", num_rows)
        return self.scanner(limit=num_rows).to_table()

    def take(self, indices, columns=None):
        """Rows by position in the fragment, deleted ones left out, in the order asked."""
        first = 0
        for number, rows, _ in self._dataset._table.fragments():
            if number == self._fragment_id:
                break
            first += rows
        indices = [int(index) for index in indices]
        outside = next((i for i in indices if not 0 <= i < self._rows), None)
        if outside is not None:
            raise RowOutOfRangeError(f"{self!r} has {self._rows} rows, and so no row {outside}")
        return self._dataset.take([first + index for index in indices], columns)

    def open_session(self, columns=None, with_row_address=None):
        """A FragmentSession, which takes rows of these columns again and again."""
        return FragmentSession((self, columns, bool(with_row_address)))

    partition_expression = property(_not_supported("partition_expression"))
    physical_schema = property(_not_supported("physical_schema"))
    __setstate__ = _not_supported("__setstate__")


class FragmentSession:
    """Takes of one fragment with the same columns."""

    def __init__(self, session):
        self._fragment, columns, with_row_address = session
        if with_row_address:
            columns = list(self._fragment.schema.names if columns is None else columns)
            columns.append("_rowaddr")
        self._columns = columns

    def take(self, indices):
        """Rows by position in the fragment, in the order asked."""
        return self._fragment.take(indices, self._columns)
