"""Pieces of writes that other processes commit: new fragments, and fragments with other files.

A worker makes FragmentMetadata (which can be pickled, or sent as JSON) out of a table's uri and
version; who gathers these commits them with a LanceOperation: Append or Overwrite for new
fragments, Merge for columns that were added, Update for columns that were updated, Delete for rows.
"""

from tusk import _tusk
from tusk._arrow import serialize_filter
from tusk._source import errors_of, to_stream
from tusk.bases import to_base_targets
from tusk.blob import to_blob_options
from tusk.blob_descriptors import schema_to_library, to_library
from tusk.errors import (
    InvalidArgumentError,
    NotFoundError,
    RowChangeError,
    SchemaMismatchError,
    WriteRefusedError,
    WriteRefusedError,
)
from tusk.fragment_metadata import FragmentMetadata
from tusk.transaction import LanceOperation, transaction_from_json
from tusk.udf import Application, BatchUDF
from tusk.write import (
    MAX_BYTES_PER_FILE,
    checked_mode,
    checked_version,
    refuse_namespace,
    to_observer,
    to_uri,
    to_write_options,
)

# A fragment of LanceFragment.create ends with the data.
_NO_LIMIT = 2**62


def _fragment_mode(uri, mode, storage_options):
    """The mode in which fragments alone are written: a table need not be there, nor be new."""
    if mode == "create":
        return "overwrite"
    if mode == "overwrite":
        return mode
    try:
        _tusk.open_lance(uri, None, storage_options or {})
    except NotFoundError:
        return "overwrite"
    return mode


def _write(data, schema, uri, mode, options, storage_options, progress, targets=None):
    """The Transaction of a write, which is not committed."""
    stream, source = to_stream(to_library(data), schema_to_library(schema))
    with errors_of(source):
        try:
            text = _tusk.prepare_lance_write(
                stream,
                uri,
                mode,
                options,
                storage_options or {},
                to_observer(progress),
                to_base_targets() if targets is None else targets,
            )
        except InvalidArgumentError as error:
            if mode == "append":
                raise SchemaMismatchError(str(error)) from None
            raise WriteRefusedError(str(error)) from None
    return transaction_from_json(text)


def write_fragments(
    data,
    dataset_uri,
    schema=None,
    *,
    return_transaction=False,
    mode="append",
    max_rows_per_file=1024 * 1024,
    max_rows_per_group=1024,
    max_bytes_per_file=MAX_BYTES_PER_FILE,
    data_cache_bytes=None,
    max_page_bytes=None,
    progress=None,
    data_storage_version=None,
    use_legacy_format=None,
    storage_options=None,
    enable_stable_row_ids=False,
    target_bases=None,
    target_all_bases=None,
    initial_bases=None,
    base_store_params=None,
    external_blob_mode="reference",
    allow_external_blob_outside_bases=False,
    namespace_client=None,
    table_id=None,
    session=None,
):
    """Writes data to new files of a table, which no version has until they are committed.

    dataset_uri: a path, a URI or a LanceDataset. There need not be a table yet.
    mode: "append" checks the data against the schema of the table, if there is one, and takes the
        ids of its fields; "create" and "overwrite" give the ids 0, 1, ... in depth-first order, as
        LanceOperation.Overwrite does.

    Gives a list of FragmentMetadata, or with `return_transaction` the Transaction for
    LanceDataset.commit. The other parameters are as in `write_dataset`. A failure leaves no file.
    """
    refuse_namespace("write_fragments", dataset_uri, namespace_client, table_id)
    uri = to_uri(dataset_uri)
    if storage_options is None:
        storage_options = getattr(dataset_uri, "_storage_options", None)
    if base_store_params is None:
        base_store_params = getattr(dataset_uri, "_base_store_params", None)
    mode = checked_mode(mode)
    options = to_write_options(
        max_rows_per_file=max_rows_per_file,
        max_rows_per_group=1024 if max_rows_per_group is None else max_rows_per_group,
        max_bytes_per_file=max_bytes_per_file,
        data_cache_bytes=data_cache_bytes,
        max_page_bytes=max_page_bytes,
        data_storage_version=checked_version(data_storage_version, use_legacy_format),
    )
    options.enable_stable_row_ids = enable_stable_row_ids
    options.blobs = to_blob_options(external_blob_mode, allow_external_blob_outside_bases, None)
    targets = to_base_targets(initial_bases, target_bases, target_all_bases, base_store_params)
    if not return_transaction or mode == "append":
        mode = _fragment_mode(uri, mode, storage_options)
    transaction = _write(data, schema, uri, mode, options, storage_options, progress, targets)
    return transaction if return_transaction else transaction.operation.fragments


class FragmentChanges:
    """The part of LanceFragment that makes and changes fragments, for others to commit."""

    @staticmethod
    def create(
        dataset_uri,
        data,
        fragment_id=None,
        schema=None,
        max_rows_per_group=1024,
        progress=None,
        mode="append",
        *,
        data_storage_version=None,
        use_legacy_format=None,
        storage_options=None,
        namespace_client=None,
        table_id=None,
        session=None,
    ):
        """Writes data as one fragment, however much it is. Gives its FragmentMetadata.

        Parameters as in `write_fragments`. ValueError if the data has no rows.
        """
        refuse_namespace("LanceFragment.create", dataset_uri, namespace_client, table_id)
        uri = to_uri(dataset_uri)
        mode = _fragment_mode(uri, checked_mode(mode), storage_options)
        options = to_write_options(
            max_rows_per_file=_NO_LIMIT,
            max_bytes_per_file=_NO_LIMIT,
            data_storage_version=checked_version(data_storage_version, use_legacy_format),
        )
        written = _write(data, schema, uri, mode, options, storage_options, progress)
        if not written.operation.fragments:
            raise WriteRefusedError("a fragment cannot be made of data without rows")
        (fragment,) = written.operation.fragments
        fragment.id = fragment_id or 0
        return fragment

    @staticmethod
    def create_from_file(filename, dataset, fragment_id):
        """The FragmentMetadata of a data file that lies below data/ of a LanceDataset."""
        fragment = _describe_file(dataset, filename)
        fragment.id = fragment_id
        return fragment

    def merge_columns(self, value_func, columns=None, batch_size=None, reader_schema=None):
        """Writes new columns of this fragment. Gives (FragmentMetadata, LanceSchema), for a
        LanceOperation.Merge of all fragments of the version.

        value_func: what the `transforms` of LanceDataset.add_columns may be: a dict of SQL
            expressions, a function of batches of `columns`, or data with a row for each row here.
        """
        options = _tusk.LanceChangeColumnsOptions()
        if batch_size is not None:
            options.batch_rows = batch_size
        if isinstance(value_func, dict):
            return self._add(self.scanner(columns=value_func).to_reader(), None, options)
        if isinstance(value_func, BatchUDF) or callable(value_func):
            work = Application(self._dataset, value_func, columns, batch_size, [self])
            added = self._add(work.batches(), work.schema, options)
            work.finish()
            return added
        return self._add(value_func, reader_schema, options)

    def _add(self, data, schema, options):
        stream, source = to_stream(data, schema)
        with errors_of(source):
            text = _tusk.add_lance_fragment_columns(
                self._dataset._table, self.fragment_id, stream, options
            )
        return _merged(text)

    def merge(self, data_obj, left_on, right_on=None, schema=None):
        """Writes the columns of other data for the rows of this fragment, found by a key, as
        LanceDataset.merge does. Gives (FragmentMetadata, LanceSchema), as `merge_columns`.
        """
        return _merged(
            self._by_key(_tusk.join_lance_fragment_columns, data_obj, left_on, right_on, schema)
        )

    def update_columns(
        self, data_obj, left_on="_rowid", right_on=None, schema=None, *, with_offsets=False
    ):
        """Writes columns anew with the values that other data has for the rows of this fragment.

        A row whose `left_on` (a column, `_rowid` or `_rowaddr`) equals the `right_on` of a row of
        the data, of the last of several, gets the values of its other columns; all others stay.

        Gives (FragmentMetadata, ids of the fields), for a LanceOperation.Update with
        update_mode="rewrite_columns", and with `with_offsets` the offsets of the rows with a match
        as a Roaring bitmap, for its `updated_fragment_offsets`.
        """
        text = self._by_key(
            _tusk.update_lance_fragment_columns, data_obj, left_on, right_on, schema
        )
        update = transaction_from_json(text).operation
        (fragment,) = update.updated_fragments
        if not with_offsets:
            return fragment, update.fields_modified
        return fragment, update.fields_modified, update.updated_fragment_offsets[self.fragment_id]

    def _by_key(self, change, data, left_on, right_on, schema):
        stream, source = to_stream(data, schema)
        right_on = left_on if right_on is None else right_on
        try:
            with errors_of(source):
                return change(self._dataset._table, self.fragment_id, stream, left_on, right_on)
        except InvalidArgumentError as error:
            raise RowChangeError(str(error)) from None

    def delete(self, predicate):
        """Writes which rows are gone: those for which `predicate` (SQL text or a pyarrow
        expression) is true. Gives the FragmentMetadata for a LanceOperation.Delete, None if no row
        is left.
        """
        if predicate is None:
            raise TypeError("predicate must be SQL text or a pyarrow expression")
        return self._delete(serialize_filter(predicate), [])

    def delete_rows(self, offsets):
        """The same for rows by their offsets in the files, which count deleted rows too."""
        return self._delete(None, [int(offset) for offset in offsets])

    def _delete(self, filter, offsets):
        text = _tusk.delete_lance_fragment_rows(
            self._dataset._table, self.fragment_id, filter, offsets
        )
        updated = transaction_from_json(text).operation.updated_fragments
        return updated[0] if updated else None


def _merged(text):
    """The fragment and the schema of a merge of one fragment."""
    merge = transaction_from_json(text).operation
    assert isinstance(merge, LanceOperation.Merge)
    return merge.fragments[0], merge.schema


def _describe_file(dataset, path, base_id=None):
    text = _tusk.describe_lance_data_file(dataset._table, str(path), base_id)
    return FragmentMetadata.from_json(text)


def describe_file(dataset, path, base_id=None):
    """The DataFile of a file below data/ of a LanceDataset, or at a base path of it."""
    return _describe_file(dataset, path, base_id).files[0]
