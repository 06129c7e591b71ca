"""Writing of Lance tables, in the names of pylance."""

import os
import warnings

from tusk import _tusk
from tusk._arrow import TableDataset, check_not_negative
from tusk._source import errors_of, to_stream
from tusk.bases import checked_store_params, to_base_targets
from tusk.blob import to_blob_options
from tusk.blob_descriptors import schema_to_library, to_library
from tusk.errors import (
    InvalidArgumentError,
    SchemaMismatchError,
    UnsupportedError,
    UnsupportedTypeError,
    WriteRefusedError,
)
from tusk.fragment_metadata import FragmentMetadata
from tusk.history import checked_lock
from tusk.optimize import to_cleanup_config
from tusk.session import to_session

# The key by which pylance keeps the message of a commit among its transaction's properties.
COMMIT_MESSAGE = "__lance_commit_message"
# The most bytes of a file, as pylance has it.
MAX_BYTES_PER_FILE = 90 * 1024 * 1024 * 1024


def write_dataset(
    data_obj,
    uri=None,
    schema=None,
    mode="create",
    *,
    max_rows_per_file=1024 * 1024,
    max_rows_per_group=1024,
    max_bytes_per_file=MAX_BYTES_PER_FILE,
    data_cache_bytes=None,
    max_page_bytes=None,
    commit_lock=None,
    progress=None,
    storage_options=None,
    data_storage_version=None,
    use_legacy_format=None,
    enable_v2_manifest_paths=True,
    enable_stable_row_ids=False,
    auto_cleanup_options=None,
    commit_message=None,
    transaction_properties=None,
    initial_bases=None,
    target_bases=None,
    target_all_bases=None,
    base_store_params=None,
    external_blob_mode="reference",
    allow_external_blob_outside_bases=False,
    blob_pack_file_size_threshold=None,
    namespace_client=None,
    table_id=None,
    session=None,
):
    """Writes data as one new version of a Lance table and opens it.

    data_obj: anything that gives Arrow batches: a table, batch, reader, dataset or scanner of
        pyarrow or of tusk, a DataFrame of pandas or polars, an object with `__arrow_c_stream__` or
        `__arrow_c_array__`, a dict of columns, a list of dicts, a numpy array of vectors [n, dim],
        which becomes the column "vector", a list of pydantic models (see tusk.pydantic), or an
        iterable of record batches (then with `schema`). A numpy array [n, dim] among the columns of
        a dict becomes fixed-size lists of dim values.
        Readers, datasets and iterables are written as they come, however long they are, in memory
        bounded by a few pages per column beside what the source itself reads ahead.
    uri: a path, or a LanceDataset, which then moves to the new version.
    schema: of the columns to write; data with the same column names is cast to it.
    mode: "create" (OSError if there is a table), "append" (OSError if the schemas differ; makes the
        table if there is none) or "overwrite"; in any case.
    max_rows_per_file: a file ends with the row that reaches it.
    max_bytes_per_file: a file ends with the batch after which it has as many bytes or more.
    data_cache_bytes, max_page_bytes: Arrow bytes gathered over all columns (8 MiB for each column
        if not given) and in a page (32 MiB).
    storage_options: {"durable": "false"} writes local files without waiting for the disk: faster,
        but a loss of power may take what was written last, or leave it damaged. What pylance does.
    data_storage_version: "2.1", "2.2" or "stable" (2.2) for the new files. If not given, as the
        table is, or 2.2.
    progress: a FragmentWriteProgress, which is told of each fragment on this thread.
    initial_bases: DatasetBasePaths to register in the table that is made: places beside its root
        where data files may lie, told apart by distinct names and paths. OSError if it is there.
    target_bases: names or paths of base paths, or the table's own path, to which the data files go
        by turns; all else of the table lies at its root. OSError for one that is not registered.
    target_all_bases: True takes turns with the table's root and all base paths, False with these
        alone. Not with `target_bases`.
    base_store_params: storage_options of base paths, by their paths.
    session: the Session in which the table is opened.
    external_blob_mode: "reference" stores the URIs of external blobs, relative to a base path of
        the table; "ingest" stores their bytes as those of others.
    allow_external_blob_outside_bases: stores URIs that lie below no base path as they are.
    blob_pack_file_size_threshold: a file that several blobs share ends before it would have more
        bytes; if not given, as the field says (see `blob_field`).
    auto_cleanup_options: {"interval": versions, "older_than_seconds": seconds} has old versions
        cleaned up after every so many commits; where a table is made or overwritten.

    Text and list views are stored as text and lists. A type that cannot be stored raises
    NotImplementedError, naming the column, before anything is written. What the source raises, and
    KeyboardInterrupt, come through as they are; after any error there is no new version and no file
    of it.

    The other parameters are pylance's; those that are not covered raise NotImplementedError when
    they are given. `max_rows_per_group` has no meaning in this data format.
    """
    refuse_namespace("write_dataset", uri, namespace_client, table_id)
    mode = checked_mode(mode)
    data_storage_version = checked_version(data_storage_version, use_legacy_format)
    from tusk.lance import LanceDataset  # which imports this module

    given = uri if isinstance(uri, LanceDataset) else None
    if given is not None and commit_lock is None:
        commit_lock = given._commit_lock
    if given is not None and storage_options is None:
        storage_options = given._storage_options
    if given is not None and base_store_params is None:
        base_store_params = given._base_store_params
    target = to_uri(uri)
    options = to_write_options(
        max_rows_per_file=max_rows_per_file,
        max_rows_per_group=max_rows_per_group,
        max_bytes_per_file=max_bytes_per_file,
        data_cache_bytes=data_cache_bytes,
        max_page_bytes=max_page_bytes,
        data_storage_version=data_storage_version,
    )
    options.enable_stable_row_ids = enable_stable_row_ids
    options.enable_v2_manifest_paths = enable_v2_manifest_paths
    options.transaction_properties = with_message(transaction_properties, commit_message)
    targets = to_base_targets(initial_bases, target_bases, target_all_bases, base_store_params)
    if auto_cleanup_options is not None and mode != "append":
        options.config = to_cleanup_config(auto_cleanup_options)

    options.blobs = to_blob_options(
        external_blob_mode, allow_external_blob_outside_bases, blob_pack_file_size_threshold
    )
    stream, batches = to_stream(to_library(data_obj), schema_to_library(schema))
    with errors_of(batches):
        try:
            table = _tusk.write_lance(
                stream,
                target,
                mode,
                options,
                storage_options=storage_options or {},
                commit_lock=checked_lock(commit_lock),
                observer=to_observer(progress),
                targets=targets,
            )
        except InvalidArgumentError as error:
            if mode == "append":
                raise SchemaMismatchError(str(error)) from None
            raise WriteRefusedError(str(error)) from None
        except UnsupportedError as error:
            raise UnsupportedTypeError(str(error)) from None
    if given is not None:
        given._table = table
        return given
    params = checked_store_params(base_store_params)
    made = LanceDataset._of(table, to_session(session), params)
    made._given_uri = target
    made._storage_options = storage_options
    made._commit_lock = commit_lock
    return made


def to_write_options(
    *,
    max_rows_per_file,
    max_bytes_per_file,
    max_rows_per_group=1024,
    data_cache_bytes=None,
    max_page_bytes=None,
    data_storage_version=None,
):
    """The options of new files as the library takes them. OverflowError for a negative number."""
    for name, size in (
        ("max_rows_per_file", max_rows_per_file),
        ("max_rows_per_group", max_rows_per_group),
        ("max_bytes_per_file", max_bytes_per_file),
        ("data_cache_bytes", data_cache_bytes or 0),
        ("max_page_bytes", max_page_bytes or 0),
    ):
        check_not_negative(name, size)
    options = _tusk.LanceWriteOptions()
    options.max_rows_per_file = max_rows_per_file
    options.max_bytes_per_file = max_bytes_per_file
    options.pages.data_cache_bytes = data_cache_bytes
    options.pages.max_page_bytes = max_page_bytes
    options.data_storage_version = data_storage_version
    return options


def to_observer(progress):
    """Tells a FragmentWriteProgress what the library tells of fragments; None of None."""
    if progress is None:
        return None

    def tell(fragment, is_complete):
        hook = progress.complete if is_complete else progress.begin
        hook(FragmentMetadata.from_json(fragment))

    return tell


def to_uri(uri):
    """The place that a path, a URI or a LanceDataset names. TypeError for what is none of these."""
    if isinstance(uri, (str, os.PathLike)):
        return os.fspath(uri)
    if isinstance(uri, TableDataset):
        return uri._table.uri
    raise TypeError(f"a table is named by a path, a URI or a LanceDataset, not {type(uri)}")


def to_absolute(uri):
    """The same place, whatever the current folder will be."""
    return uri if "://" in uri or os.path.isabs(uri) else os.path.join(os.getcwd(), uri)


def refuse_namespace(operation, uri, namespace_client, table_id):
    """Raises unless a table is given by its `uri` alone: namespaces are not supported yet."""
    if namespace_client is not None or table_id is not None:
        raise NotImplementedError(
            f"{operation}: namespaces are not supported yet: give the table's uri, or open a lake"
            " (tusk.connect) and ask it for the table by name"
        )
    if uri is None:
        raise ValueError(f"{operation}: a uri must be given")


def checked_mode(mode):
    mode = "create" if mode is None else mode.lower()
    if mode not in ("create", "append", "overwrite"):
        raise ValueError(f"Invalid mode {mode}: it must be create, append or overwrite")
    return mode


def checked_version(data_storage_version, use_legacy_format):
    """The data version of new files, with pylance's older parameter for it looked at."""
    if use_legacy_format is None:
        return data_storage_version
    warnings.warn(
        "use_legacy_format is deprecated, use data_storage_version instead",
        DeprecationWarning,
        stacklevel=3,
    )
    return "legacy" if use_legacy_format else "stable"


def with_message(properties, message):
    """The properties of a transaction, with the message of its commit among them."""
    properties = dict(properties or {})
    if message is not None:
        properties[COMMIT_MESSAGE] = message
    return properties
