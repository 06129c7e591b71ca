"""The history of Lance tables in the names of pylance: commits, tags, branches, clones, metadata."""

import datetime
import json
import operator
import os
import warnings

from tusk import _tusk
from tusk._arrow import check_not_negative, refuse
from tusk.bases import checked_store_params
from tusk.errors import (
    AlreadyExistsError,
    CorruptError,
    NotFoundError,
    RefExistsError,
    RefNameError,
    WriteRefusedError,
    invalid_as,
)
from tusk.lance_schema import LanceSchema
from tusk.transaction import (
    DatasetBasePath,
    LanceOperation,
    Transaction,
    transaction_from_json,
    transaction_to_json,
)

_COMMIT_MESSAGE = "__lance_commit_message"
_NEEDS_NO_READ_VERSION = ("Overwrite", "Restore")


def _time(text, tag):
    """The time that the file of a tag has."""
    try:
        return datetime.datetime.fromisoformat(text) if text else None
    except ValueError:
        raise CorruptError(f"tag '{tag}': its file has {text!r} where a time belongs") from None


def checked_lock(lock):
    """The commit lock, if it can be one."""
    if lock is not None and not callable(lock):
        raise TypeError(f"commit_lock must be a function, got {type(lock)}")
    return lock


def resolve(uri, reference):
    """What a reference names: (uri of its branch, version, tag or branch by which it was found).

    reference: a version number, a tag, or (branch, version), of which either may be None: the main
        line, the latest version.
    """
    uri = os.fspath(uri)
    if reference is None:
        return uri, None, None
    if hasattr(reference, "__index__"):  # of numpy, too
        reference = operator.index(reference)
        check_not_negative("version", reference)
        return uri, reference, None
    if isinstance(reference, str):
        tag = _tusk.get_lance_tag(uri, reference)
        return _tusk.lance_branch_uri(uri, tag.branch), tag.version, reference
    if not isinstance(reference, (tuple, list)):
        raise TypeError(
            "a version is a number, a tag or (branch, version), not "
            f"{type(reference).__name__}"
        )
    branch, version = reference
    branch = None if branch == "main" else branch
    return _tusk.lance_branch_uri(uri, branch), version, branch


class Tags:
    """Names for versions of a table."""

    def __init__(self, dataset):
        self._dataset = dataset

    @property
    def _root(self):
        return _tusk.lance_root(self._dataset._table)

    def _reference(self, reference):
        """(branch, version) that a reference names, seen from the dataset."""
        if reference is None:
            return self._dataset._branch, self._dataset.version
        if isinstance(reference, int):
            return self._dataset._branch, reference
        if isinstance(reference, str):
            tag = _tusk.get_lance_tag(self._root, reference)
            return tag.branch, tag.version
        branch, version = reference
        return (None if branch == "main" else branch), version

    @staticmethod
    def _to_dict(name, tag):
        return {
            "branch": tag.branch,
            "version": tag.version,
            "created_at": _time(tag.created_at, name),
            "updated_at": _time(tag.updated_at, name),
            "manifest_size": tag.manifest_size,
            "metadata": tag.metadata,
        }

    def list(self):
        return {
            name: self._to_dict(name, tag)
            for name, tag in _tusk.list_lance_tags(self._root).items()
        }

    def list_ordered(self, order=None):
        """(name, tag) pairs by version: descending, or with order="asc" ascending."""
        return _ordered(self.list(), "version", order)

    def get_version(self, tag):
        return _tusk.get_lance_tag(self._root, tag).version

    def create(self, tag, reference=None):
        """Names the version that `reference` (a number, a tag, or (branch, version)) gives; without
        one, the version of the dataset."""
        try:
            with invalid_as(RefNameError):
                _tusk.create_lance_tag(self._root, tag, *self._reference(reference))
        except AlreadyExistsError as error:
            raise RefExistsError(str(error)) from None

    def update(self, tag, reference=None):
        _tusk.update_lance_tag(self._root, tag, *self._reference(reference))

    def replace_metadata(self, tag, metadata):
        _tusk.replace_lance_tag_metadata(self._root, tag, metadata)

    def delete(self, tag):
        _tusk.delete_lance_tag(self._root, tag)


class Branches:
    """Lines of versions of a table that begin at one of its versions."""

    def __init__(self, dataset):
        self._dataset = dataset

    @property
    def _root(self):
        return _tusk.lance_root(self._dataset._table)

    def list(self):
        return {
            name: {
                "parent_branch": branch.parent_branch,
                "branch_identifier": branch.identifier,
                "parent_version": branch.parent_version,
                "create_at": branch.created_at,
                "manifest_size": branch.manifest_size,
                "metadata": branch.metadata,
            }
            for name, branch in _tusk.list_lance_branches(self._root).items()
        }

    def list_ordered(self, order=None):
        """(name, branch) pairs by the version at which they begin, descending unless "asc"."""
        return _ordered(self.list(), "parent_version", order)

    def replace_metadata(self, branch, metadata):
        _tusk.replace_lance_branch_metadata(self._root, branch, metadata)

    def delete(self, branch, *, force=False):
        """Removes a branch with its files; with `force` also what an interrupted call left of it."""
        _tusk.delete_lance_branch(self._root, branch, force)


def _ordered(entries, key, order):
    if order not in (None, "asc", "desc"):
        raise ValueError(f"order must be asc or desc, not {order!r}")
    sign = 1 if order == "asc" else -1
    return sorted(entries.items(), key=lambda entry: (sign * entry[1][key], entry[0]))


def commit(
    base_uri,
    operation,
    read_version=None,
    commit_lock=None,
    storage_options=None,
    enable_v2_manifest_paths=None,
    detached=False,
    max_retries=20,
    *,
    commit_message=None,
    enable_stable_row_ids=None,
    namespace_client=None,
    table_id=None,
    base_store_params=None,
    commit_timeout=datetime.timedelta(minutes=30),
):
    """The table as LanceDataset.commit makes it. Parameters as there."""
    refuse(
        "commit",
        {
            "namespace_client": namespace_client,
            "table_id": table_id,
        },
    )
    checked_lock(commit_lock)
    if type(operation).__name__ == "Transaction":
        if commit_message is not None:
            raise ValueError("the message of a Transaction is one of its properties")
        transaction = operation
    else:
        if read_version is None and type(operation).__name__ not in _NEEDS_NO_READ_VERSION:
            raise ValueError(
                "read_version is required for all operations except Overwrite and Restore"
            )
        transaction = Transaction(read_version or 0, operation)
        if commit_message is not None:
            transaction.transaction_properties = {_COMMIT_MESSAGE: commit_message}
    text, schema = transaction_to_json(transaction)
    how = _tusk.LanceTransactionOptions()
    how.max_retries = max_retries
    how.detached = bool(detached)
    if commit_timeout is not None:
        how.timeout_ms = round(commit_timeout.total_seconds() * 1000)
    if enable_v2_manifest_paths is not None:
        how.enable_v2_manifest_paths = enable_v2_manifest_paths
    how.enable_stable_row_ids = bool(enable_stable_row_ids)
    uri = base_uri._table.uri if hasattr(base_uri, "_table") else os.fspath(base_uri)
    return _tusk.commit_lance(uri, text, schema, how, commit_lock, storage_options or {})


class TableHistory:
    """The part of LanceDataset that tells and changes its versions."""

    @classmethod
    def commit(
        cls,
        base_uri,
        operation,
        read_version=None,
        commit_lock=None,
        storage_options=None,
        enable_v2_manifest_paths=None,
        detached=False,
        max_retries=20,
        *,
        commit_message=None,
        enable_stable_row_ids=None,
        namespace_client=None,
        table_id=None,
        namespace_client_managed_versioning=False,
        base_store_params=None,
        commit_timeout=datetime.timedelta(minutes=30),
    ):
        """Commits an operation or a Transaction, whose files are written; opens what it makes.

        base_uri: a path, a URI or a LanceDataset, which stays at its version.
        read_version: the version that the operation was made for; of an Overwrite or a Restore it
            may be missing.
        commit_lock: called with the number of each version that is tried; gives a context manager
            in which the version is published. It may raise CommitConflictError if another writer
            has that version: the next one is tried. What else it raises ends the commit.

        Raises CommitConflictError, which names the other transaction, if one that was committed
        since `read_version` does not go with this one.
        """
        given = locals()
        del given["cls"], given["namespace_client_managed_versioning"]
        params = checked_store_params(base_store_params)
        made = cls._of(commit(**given), None, params)
        made._given_uri = getattr(base_uri, "uri", None) or os.fspath(base_uri)
        made._storage_options = storage_options
        return made

    def _apply(self, operation):
        """Commits an operation for the latest version and moves this object to the new one."""
        self._table = commit(
            self._table.uri,
            Transaction(read_version=0, operation=operation),
            commit_lock=self._commit_lock,
            storage_options=self._storage_options,
        )

    @property
    def _about(self):
        return json.loads(_tusk.describe_lance_table(self._table))

    @property
    def _branch(self):
        return self._about["branch"]

    def read_transaction(self, version):
        """The Transaction that made a version, or None if it does not say."""
        try:
            table = self._table
            if version != self.version:
                table = _tusk.open_lance(self._table.uri, version, self._storage_options or {})
                # The version must be there; what it says of its transaction need not.
            return transaction_from_json(_tusk.describe_lance_transaction(table))
        except NotFoundError:
            if version == self.version or self._has(version):
                return None
            raise

    def _has(self, version):
        return any(entry["version"] == version for entry in self.versions())

    def get_transactions(self, recent_transactions=10):
        """The transactions of this version and the ones before, newest first."""
        versions = [e["version"] for e in self.versions() if e["version"] <= self.version]
        return [self.read_transaction(v) for v in reversed(versions[-recent_transactions:])]

    @property
    def tags(self):
        return Tags(self)

    @property
    def branches(self):
        return Branches(self)

    def checkout_version(self, version):
        """Another version of the same table, as a dataset of its own.

        version: a number on this branch, a tag, or (branch, version), of which either may be None:
            the main line, the latest version.
        """
        uri = self._table.uri if hasattr(version, "__index__") else _tusk.lance_root(self._table)
        uri, number, _ = resolve(uri, version)
        return self._at(_tusk.open_lance(uri, number, self._storage_options or {}))

    def restore(self):
        """Makes a new version with the content of this one, and moves this object to it."""
        self._apply(LanceOperation.Restore(self.version))

    def create_branch(self, branch, reference=None, storage_options=None):
        """Makes a branch that begins as this version, or as `reference` (see checkout_version), and
        opens it. No data is copied."""
        source = self if reference is None else self.checkout_version(reference)
        return self._at(_tusk.create_lance_branch(source._table, branch))

    def shallow_clone(self, target_path, reference, storage_options=None, **kwargs):
        """Makes a table at `target_path` that begins as `reference` (see checkout_version) and
        reads its files where they are: it needs this table as long as it lives. `kwargs` are those
        of LanceDataset, to open it."""
        return self._clone(target_path, reference, True, storage_options, kwargs)

    def deep_clone(self, target_path, reference, storage_options=None, **kwargs):
        """The same with files of its own."""
        return self._clone(target_path, reference, False, storage_options, kwargs)

    def _clone(self, target_path, reference, shallow, storage_options, options):
        source = self.checkout_version(reference)
        name = reference if isinstance(reference, str) else None
        if isinstance(reference, tuple):
            name = reference[0]
        target = os.fspath(target_path)
        made = _tusk.clone_lance(source._table, target, shallow, name)
        if storage_options is None and not options:
            return self._of(made)
        return type(self)(target, made.version, storage_options=storage_options, **options)

    @property
    def lance_schema(self):
        return LanceSchema._of(json.loads(_tusk.describe_lance_schema(self._table)), self.schema)

    @property
    def metadata(self):
        """Metadata of the table, which is not that of its schema."""
        return self._about["table_metadata"]

    @property
    def schema_metadata(self):
        return json.loads(_tusk.describe_lance_schema(self._table))["metadata"]

    def base_paths(self):
        return {base["id"]: DatasetBasePath(**base) for base in self._about["base_paths"]}

    def add_bases(self, new_bases, transaction_properties=None):
        self._apply(LanceOperation.UpdateBases(new_bases))
        return self

    def update_config(self, values, *, replace=False):
        """Sets keys of the config; None removes one. Gives the config."""
        self._apply(
            LanceOperation.UpdateConfig(config_updates=LanceOperation.UpdateMap(values, replace))
        )
        return self.config()

    def delete_config_keys(self, keys):
        self.update_config(dict.fromkeys(keys))

    def update_metadata(self, values, *, replace=False):
        """Sets keys of the table's metadata; None removes one. Gives the metadata."""
        self._apply(
            LanceOperation.UpdateConfig(
                table_metadata_updates=LanceOperation.UpdateMap(values, replace)
            )
        )
        return self.metadata

    def update_schema_metadata(self, values, *, replace=False):
        """Sets keys of the schema's metadata; None removes one. Gives the metadata."""
        self._apply(
            LanceOperation.UpdateConfig(
                schema_metadata_updates=LanceOperation.UpdateMap(values, replace)
            )
        )
        return self.schema_metadata

    def replace_schema_metadata(self, new_metadata):
        """update_schema_metadata with replace=True."""
        warnings.warn(
            "replace_schema_metadata is deprecated, use update_schema_metadata with replace=True",
            DeprecationWarning,
            stacklevel=2,
        )
        self.update_schema_metadata(new_metadata, replace=True)

    def update_field_metadata(self, field_updates, *, replace=False):
        """Sets keys of the metadata of fields, which are named by their paths ("s.a")."""
        self._apply(
            LanceOperation.UpdateConfig(
                field_metadata_updates={
                    self._field_id(path): LanceOperation.UpdateMap(updates, replace)
                    for path, updates in field_updates.items()
                }
            )
        )

    def replace_field_metadata(self, field_name, new_metadata):
        """update_field_metadata with replace=True, of one field."""
        warnings.warn(
            "replace_field_metadata is deprecated, use update_field_metadata with replace=True",
            DeprecationWarning,
            stacklevel=2,
        )
        self.update_field_metadata({field_name: new_metadata}, replace=True)

    def _field_id(self, path):
        fields = self.lance_schema.fields()
        found = None
        for name in path.split("."):
            found = next((field for field in fields if field.name() == name), None)
            if found is None:
                raise ValueError(f"{self.uri} has no field {path!r}")
            fields = found.children()
        return found.id()

    def migrate_manifest_paths_v2(self):
        """Renames the manifests of a table of the old scheme, so that the latest sorts first."""
        _tusk.migrate_lance_manifests(self._table.uri)
        self.checkout_latest()

    def version_refs(self):
        """All versions of this branch, ascending, as {"version": number}. Reads no manifest."""
        return [{"version": number} for number in _tusk.list_lance_versions(self._table)]

    @classmethod
    def commit_batch(
        cls,
        dest,
        transactions,
        commit_lock=None,
        storage_options=None,
        enable_v2_manifest_paths=None,
        detached=False,
        max_retries=20,
        base_store_params=None,
        commit_timeout=datetime.timedelta(minutes=30),
    ):
        """Commits Transactions that append, whose files are written, together as one version.

        Gives {"dataset": the table at that version, "merged": the Transaction that made it}. The
        parameters are those of `commit`. ValueError without a transaction, NotImplementedError for
        one that does not append.
        """
        transactions = list(transactions)
        if not transactions:
            raise WriteRefusedError("No transactions to commit")
        for transaction in transactions:
            kind = type(transaction.operation).__name__
            if kind != "Append":
                raise NotImplementedError(f"commit_batch commits appends together, not a {kind}")
        fragments = [one for each in transactions for one in each.operation.fragments]
        together = Transaction(
            min(transaction.read_version for transaction in transactions),
            LanceOperation.Append(fragments),
        )
        dataset = cls.commit(
            dest,
            together,
            commit_lock=commit_lock,
            storage_options=storage_options,
            enable_v2_manifest_paths=enable_v2_manifest_paths,
            detached=detached,
            max_retries=max_retries,
            base_store_params=base_store_params,
            commit_timeout=commit_timeout,
        )
        return {"dataset": dataset, "merged": dataset.read_transaction(dataset.version)}
