"""Fragments of Lance tables in the names of pylance."""

import pyarrow.dataset as pads

from tusk._arrow import _not_supported, check_rows
from tusk.transaction import fragments_of


class LanceFragment(pads.Fragment):
    """Rows of one version of a table that share their data files."""

    def __init__(self, dataset, fragment_id):
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

    def scanner(self, **kwargs):
        """Plans a read of the fragment. Parameters as in LanceDataset.scanner."""
        return self._dataset.scanner(fragments=[self], **kwargs)

    def to_table(self, columns=None, filter=None, **kwargs):
        return self.scanner(columns=columns, filter=filter, **kwargs).to_table()

    def to_batches(self, **kwargs):
        return self.scanner(**kwargs).to_batches()

    def to_pandas(self, columns=None, filter=None, **kwargs):
        return self.to_table(columns, filter, **kwargs).to_pandas()

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
            raise IndexError(f"{self!r} has {self._rows} rows, and so no row {outside}")
        return self._dataset.take([first + index for index in indices], columns)

    partition_expression = property(_not_supported("partition_expression"))
    physical_schema = property(_not_supported("physical_schema"))
    __setstate__ = _not_supported("__setstate__")
