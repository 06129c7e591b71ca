"""The builder of merges, in the names and defaults of pylance 14.0.2."""

import datetime

from tusk import _tusk
from tusk._source import errors_of, to_stream
from tusk.bases import to_base_targets
from tusk.errors import InvalidArgumentError, RowChangeError, WriteRefusedError
from tusk.transaction import transaction_from_json

_COUNTS = ("num_inserted_rows", "num_updated_rows", "num_deleted_rows")
_WRITE_MODES = ("auto", "rewrite_rows", "rewrite_columns")


class MergeInsertBuilder:
    """Puts together what a merge of new rows into a table does; `execute` does it.

    Rows of the table (the target) and of the new data (the source) match if they are equal in all
    columns of the key. A key with a null in it matches none; floats match by their bits, so NaN
    matches NaN and 0.0 does not match -0.0. Of what is not asked for nothing is done: rows that
    match stay, rows that only the source has are not inserted, and rows that only the target has
    stay.
    """

    def __init__(self, dataset, on=None):
        self._dataset = dataset
        self._options = _tusk.LanceMergeInsertOptions()
        self._has_targets = False
        names = [] if on is None else [on] if isinstance(on, str) else list(on)
        self._options.on = _tusk.find_merge_key(dataset._table, names)

    def when_matched_update_all(self, condition=None):
        """Rows of the source take the places of those that they match.

        condition: SQL over columns of both, as "source.x" and "target.x"; where it is not true the
            row of the target stays.
        """
        self._options.when_matched = "update"
        self._options.update_condition = condition
        return self

    def when_matched_delete(self):
        """Rows of the target that match are deleted; the source needs no columns but the key's."""
        return self._when_matched("delete")

    def when_matched_fail(self):
        """Any match is an error."""
        return self._when_matched("fail")

    def when_not_matched_insert_all(self):
        """Rows that only the source has are inserted."""
        self._options.insert_not_matched = True
        return self

    def when_not_matched_by_source_delete(self, expr=None):
        """Rows that only the target has are deleted; with `expr`, SQL over its columns, those for
        which it is true.
        """
        if expr is not None:
            _tusk.filter_columns(expr, self._dataset.schema)
        self._options.delete_not_matched_by_source = True
        self._options.delete_condition = expr
        return self

    def conflict_retries(self, max_retries):
        """How often all is done again because another writer changed rows meanwhile: 10."""
        if max_retries < 0:
            raise OverflowError(f"conflict_retries must not be negative, got {max_retries}")
        self._options.max_retries = max_retries
        return self

    def retry_timeout(self, timeout):
        """After this timedelta nothing is tried again: 30 seconds."""
        if not isinstance(timeout, datetime.timedelta):
            raise TypeError(f"retry_timeout must be a timedelta, not {type(timeout).__name__}")
        self._options.retry_timeout = timeout
        return self

    def data_storage_version(self, version):
        """The data version of the new files, "2.1" or "2.2"; if not asked for, as the table is."""
        self._options.data_storage_version = version
        return self

    def use_index(self, use_index):
        """Accepted: keys are found by reading them, whether there is an index or not."""
        return self

    def write_mode(self, mode):
        """How rows that change are written.

        "auto" and "rewrite_rows" write them as whole rows, behind all others. "rewrite_columns"
        writes the columns that the data has, but for the key, of all rows of each fragment in which
        a row changes; rows stay where they are, and other columns are neither read nor written. It
        only updates, and the data must have some of the other columns, but not all: else it is a
        RowChangeError.
        """
        if mode not in _WRITE_MODES:
            raise ValueError(
                f"Invalid write_mode: {mode}. Expected one of 'auto', 'rewrite_rows', "
                "'rewrite_columns'"
            )
        self._options.rewrites_columns = mode == "rewrite_columns"
        return self

    def target_bases(self, bases):
        """New fragments go to these base paths of the table, by turns: named as in
        `write_dataset`. What changes fragments that are there lies at the table's root."""
        if not bases:
            raise WriteRefusedError("target_bases must name a base path; leave it out for none")
        return self._set_targets(bases, None)

    def target_all_bases(self, include_primary=True):
        """New fragments go to all base paths of the table by turns, and to its root if wanted."""
        return self._set_targets(None, bool(include_primary))

    def _set_targets(self, bases, all_bases):
        if self._has_targets:
            raise ValueError("target_bases and target_all_bases: only one of them, and once")
        self._has_targets = True
        params = self._dataset._base_store_params
        self._options.bases = to_base_targets(None, bases, all_bases, params)
        return self

    def mark_sstables_as_compacted(self, sstables):
        raise NotImplementedError(
            "mark_sstables_as_compacted: there is no MemWAL; a merge writes its rows to the table"
        )

    def execute(self, data_obj, *, schema=None):
        """Merges the data as one new version, to which the dataset moves.

        data_obj, schema: as in `write_dataset`. Columns go by name; those that the data does not
            have stay as they are in rows that are updated and are null in inserted ones.

        Gives {"num_inserted_rows", "num_updated_rows", "num_deleted_rows"}. The data may be larger
        than memory: then it is written to files of the table first, which are removed again.
        Updated rows stand behind all others afterwards, and inserted ones behind these.

        RowChangeError, an OSError and a ValueError, if the data or a condition does not fit the table,
        if several rows of the source match one that is to change, and for a match with
        `when_matched_fail`. After an error the table is as it was.
        """
        dataset = self._dataset
        dataset._table, counts = self._run(
            _tusk.merge_insert_lance, data_obj, schema, dataset._commit_lock
        )
        return counts

    def execute_uncommitted(self, data_obj, *, schema=None):
        """The same without the commit: writes the files and gives the Transaction that names them,
        for `LanceDataset.commit`, and the counts.
        """
        transaction, counts = self._run(_tusk.prepare_merge_insert_lance, data_obj, schema)
        return transaction_from_json(transaction), counts

    def explain_plan(self, schema=None, verbose=False):
        """What a merge of data with this schema (the dataset's if None) would read and write, step
        by step, the last one first. Reads and writes nothing.
        """
        dataset = self._dataset
        schema = dataset.schema if schema is None else schema
        try:
            return _tusk.explain_merge_insert_lance(dataset._table, schema, self._options)
        except InvalidArgumentError as error:
            raise RowChangeError(str(error)) from None

    def analyze_plan(self, data_obj, *, schema=None):
        """Does all of the merge but its commit, and tells what each step did: rows, files, requests
        and bytes. The files are removed again. Parameters as in `execute`.
        """
        stream, source = to_stream(data_obj, schema)
        storage_options = self._dataset._storage_options or {}
        try:
            with errors_of(source):
                return _tusk.analyze_merge_insert_lance(
                    stream, self._dataset._table.uri, self._options, storage_options
                )
        except InvalidArgumentError as error:
            raise RowChangeError(str(error)) from None

    def _run(self, merge, data, schema, *lock):
        stream, source = to_stream(data, schema)
        storage_options = self._dataset._storage_options or {}
        try:
            with errors_of(source):
                result, counts = merge(
                    stream, self._dataset._table.uri, self._options, storage_options, *lock
                )
        except InvalidArgumentError as error:
            raise RowChangeError(str(error)) from None
        return result, {name: counts[name] for name in _COUNTS}

    def _when_matched(self, action):
        self._options.when_matched = action
        self._options.update_condition = None
        return self
