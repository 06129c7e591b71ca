"""What a scan of a Lance table shall read, told piece by piece, in the names of pylance."""

import pyarrow.compute as pc

from tusk._arrow import check_rows
from tusk._nearest import nearest_arguments
from tusk._scan import to_columns, to_orderings
from tusk.later import later
from tusk.scanner import (
    NO_TEXT_SEARCH,
    check_blob_handling,
    check_readahead,
    make_scanner,
)


class ScannerBuilder:
    """What a scan shall read, told piece by piece; each method gives the builder back.

    The pieces mean what the parameters of LanceDataset.scanner mean.
    """

    def __init__(self, ds):
        self.ds = ds
        self._given = {}

    def _set(self, name, value):
        self._given[name] = value
        return self

    def apply_defaults(self, default_opts):
        """Calls the method of each key with its value; a dict gives the method's arguments."""
        for name, value in default_opts.items():
            method = getattr(self, name, None)
            if method is None:
                raise ValueError(f"Unknown option {name}")
            method(**value) if isinstance(value, dict) else method(value)
        return self

    def batch_size(self, batch_size):
        return self._set("batch_size", batch_size)

    def batch_size_bytes(self, batch_size_bytes):
        return self._set("batch_size_bytes", batch_size_bytes)

    def io_buffer_size(self, io_buffer_size):
        return self._set("io_buffer_size", io_buffer_size)

    def batch_readahead(self, nbatches=None):
        check_readahead("batch_readahead", nbatches, 1)
        return self._set("batch_readahead", nbatches)

    def fragment_readahead(self, nfragments=None):
        check_readahead("fragment_readahead", nfragments, 0)
        return self._set("fragment_readahead", nfragments)

    def scan_in_order(self, scan_in_order=True):
        return self._set("scan_in_order", scan_in_order)

    def limit(self, n=None):
        check_rows("limit", n)
        return self._set("limit", n)

    def offset(self, n=None):
        check_rows("offset", n)
        return self._set("offset", n)

    def columns(self, cols=None):
        to_columns(cols, list)
        return self._set("columns", cols)

    def filter(self, filter):
        """SQL text, a pyarrow expression, or a dict with one of these as "expr_filter"."""
        if isinstance(filter, dict):
            if filter.get("search_filter") is not None:
                raise NotImplementedError(
                    f"a search as a filter is not supported yet: {NO_TEXT_SEARCH}"
                )
            filter = filter.get("expr_filter")
        elif not isinstance(filter, (str, pc.Expression)):
            raise NotImplementedError(f"{type(filter).__name__} as a filter: {NO_TEXT_SEARCH}")
        return self if filter is None else self._set("filter", filter)

    def prefilter(self, prefilter):
        return self._set("prefilter", prefilter)

    def with_row_id(self, with_row_id=True):
        return self._set("with_row_id", with_row_id)

    def with_row_address(self, with_row_address=True):
        return self._set("with_row_address", with_row_address)

    def late_materialization(self, late_materialization):
        return self._set("late_materialization", late_materialization)

    def blob_handling(self, blob_handling):
        check_blob_handling(blob_handling)
        return self._set("blob_handling", blob_handling)

    def use_stats(self, use_stats=True):
        return self._set("use_stats", use_stats)

    def use_scalar_index(self, use_scalar_index=True):
        return self._set("use_scalar_index", use_scalar_index)

    def with_fragments(self, fragments):
        return self._set("fragments", None if fragments is None else list(fragments))

    def nearest(
        self,
        column,
        q,
        k=None,
        metric=None,
        nprobes=None,
        minimum_nprobes=None,
        maximum_nprobes=None,
        refine_factor=None,
        use_index=True,
        ef=None,
        query_parallelism=None,
        approx_mode="normal",
        distance_range=None,
        search_effort=None,
    ):
        """The k rows nearest to `q`. The search is exact: what tunes an index changes nothing."""
        search = {"column": column, "q": q, "k": k, "metric": metric}
        if distance_range is not None:
            search["distance_range"] = distance_range
        nearest_arguments(**search)
        return self._set("nearest", search)

    def fast_search(self, flag):
        return self._set("fast_search", flag)

    def include_deleted_rows(self, flag):
        return self._set("include_deleted_rows", flag)

    def scan_stats_callback(self, callback):
        return self._set("scan_stats_callback", callback)

    def strict_batch_size(self, strict_batch_size=False):
        return self._set("strict_batch_size", strict_batch_size)

    def order_by(self, orderings):
        to_orderings(orderings)
        return self._set("order_by", orderings)

    def disable_scoring_autoprojection(self, disable=True):
        return self._set("disable_scoring_autoprojection", disable)

    @later("there are no indices; with_fragments reads a part of the table")
    def with_index_segments(self, index_segments):
        pass

    def row_addr_prefilter(self, allowlist=None, blocklist=None):
        """Only rows whose `_rowid` is in one set and not in the other, before any search; None is
        no limit. `serialize_row_addrs` makes the bytes of a set.
        """
        self._set("row_addr_allowlist", allowlist)
        return self._set("row_addr_blocklist", blocklist)

    @later(NO_TEXT_SEARCH)
    def full_text_search(self, query, columns=None):
        pass

    @later("there is no MinHash index; a filter finds texts that are equal")
    def minhash_search(self, query):
        pass

    def substrait_aggregate(self, aggregate):
        """Gives numbers over groups of rows in place of rows: `aggregate` are the bytes of a
        Substrait plan whose root is one. Columns, and fields inside of structs, may be grouped by
        and be counted, summed up, averaged (`avg`), or asked for their `min` and `max`; all else
        raises NotImplementedError when the scanner is made.
        """
        return self._set("substrait_aggregate", aggregate)

    def to_scanner(self):
        return make_scanner(self.ds, **self._given)
