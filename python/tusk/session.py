"""What open tables keep in memory of their files, in the names of pylance."""

import collections.abc
import operator
import urllib.parse

from tusk import _tusk
from tusk._arrow import check_not_negative

# What a table keeps if nobody says otherwise: the defaults of the library.
METADATA_BYTES = 256 * 1024 * 1024
VALUE_BYTES = 64 * 1024 * 1024


class Session:
    """What several open tables keep of their files, together. A table keeps its own without one.

    Kept are open files with the metadata of their columns and pages, and stored values that takes
    have asked for more than once; what scans read is not. Tables of one session should be on one
    store and opened with the same `storage_options`: a file stays as the first has opened it.
    """

    def __init__(
        self,
        index_cache_size_bytes=None,
        metadata_cache_size_bytes=None,
        index_cache_backend=None,
        metadata_cache_backend=None,
        *,
        value_cache_size_bytes=None,
    ):
        """
        metadata_cache_size_bytes: the most that is kept of metadata, 256 MiB if not given; the file
            that was used last stays in any case.
        value_cache_size_bytes: the most that is kept of values; if not given 64 MiB, but no more
            than of metadata. 0 keeps none.
        index_cache_size_bytes: accepted: no index is read, so that none is kept.
        index_cache_backend, metadata_cache_backend: "moka://?capacity=BYTES", or {"kind": "moka",
            "options": {"capacity": "BYTES"}}, in place of the size.
        """
        _size("index_cache", index_cache_size_bytes, index_cache_backend)
        metadata = _size("metadata_cache", metadata_cache_size_bytes, metadata_cache_backend)
        if value_cache_size_bytes is None:
            values = VALUE_BYTES if metadata is None else min(VALUE_BYTES, metadata)
        else:
            values = _checked("value_cache_size_bytes", value_cache_size_bytes)
        self._session = _tusk.LanceSession(METADATA_BYTES if metadata is None else metadata, values)

    @classmethod
    def _of(cls, table):
        """The session of an open table."""
        session = cls.__new__(cls)
        session._session = _tusk.LanceSession.of(table)
        return session

    def __repr__(self):
        return f"<tusk.Session of {self.size_bytes()} bytes>"

    def size_bytes(self):
        """The bytes that are kept now."""
        return self._session.num_bytes

    def index_cache_size_bytes(self):
        """Those of indices: 0, for none is read."""
        return 0

    def is_same_as(self, other):
        """Whether both are one: what is kept by one is found in the other."""
        return self._session.is_same_as(other._session)


def to_session(session, metadata_cache_size_bytes=None):
    """The Session that a table is opened in; None for one of its own with the default sizes."""
    if session is not None:
        if not isinstance(session, Session):
            raise TypeError(f"session must be a Session, not {type(session).__name__}")
        return session
    if metadata_cache_size_bytes is None:
        return None
    return Session(metadata_cache_size_bytes=metadata_cache_size_bytes)


def _checked(name, size):
    size = operator.index(size)
    check_not_negative(name, size)
    return size


def _size(cache, size, backend):
    """The bytes that a cache may have, or None for the default."""
    if backend is None:
        return None if size is None else _checked(f"{cache}_size_bytes", size)
    if size is not None:
        raise ValueError(
            f"{cache}_size_bytes and {cache}_backend are mutually exclusive; set one or the other"
        )
    if isinstance(backend, str):
        parsed = urllib.parse.urlsplit(backend)
        kind, options = parsed.scheme, dict(urllib.parse.parse_qsl(parsed.query))
    elif isinstance(backend, collections.abc.Mapping):
        kind, options = backend.get("kind"), backend.get("options") or {}
    else:
        raise TypeError(f"{cache}_backend must be a text or a dict, not {type(backend).__name__}")
    if kind != "moka":
        raise ValueError(f"{cache}_backend: unknown kind of cache {kind!r}; there is 'moka'")
    unknown = options.keys() - {"capacity"}
    if unknown:
        raise ValueError(f"{cache}_backend: unknown option {sorted(unknown)[0]!r}")
    capacity = options.get("capacity")
    return None if capacity is None else _checked(f"{cache}_backend", int(capacity))


class TableSession:
    """The part of LanceDataset that keeps its versions in one session, and reads base paths as it
    was told to."""

    _session = None
    _base_store_params = None

    @property
    def _table(self):
        return self._opened

    @_table.setter
    def _table(self, table):
        if self._base_store_params:
            table = _tusk.with_base_stores(table, self._base_store_params)
        session = self._session
        self._opened = table if session is None else session._session.join(table)

    def session(self):
        """The Session of this table, which others can be opened in. Later versions of this object
        stay in it."""
        if self._session is None:
            self._session = Session._of(self._table)
        return self._session
