"""What a search for the nearest rows is asked for, in the names of pylance."""

import pyarrow as pa

from tusk._arrow import refuse

# The search here is exact, so that what tunes an index changes nothing.
_INDEX_TUNING = {
    "nprobes",
    "minimum_nprobes",
    "maximum_nprobes",
    "refine_factor",
    "use_index",
    "ef",
    "query_parallelism",
    "approx_mode",
    "search_effort",
}
_METRICS = {"l2": "l2", "euclidean": "l2", "cosine": "cosine", "dot": "dot"}


def query_vector(query):
    """The floats of a query vector given as a list, an array, a numpy array or a scalar."""
    if isinstance(query, pa.Scalar):
        query = query.as_py()
    elif isinstance(query, (pa.Array, pa.ChunkedArray)):
        query = query.to_pylist()
    elif hasattr(query, "tolist"):
        query = query.tolist()
    query = list(query)
    if query and not all(isinstance(value, (int, float)) for value in query):
        raise NotImplementedError("several query vectors at once are not supported yet: pass one")
    return query


def nearest_arguments(column, q, k=None, metric=None, distance_range=None, **tuning):
    """The arguments of the library's search, of the dict that a scanner is given."""
    unknown = tuning.keys() - _INDEX_TUNING
    if unknown:
        raise TypeError(f"nearest has no key {sorted(unknown)[0]!r}")
    refuse("nearest", {"distance_range": distance_range})
    metric = "l2" if metric is None else metric.lower()
    if metric == "hamming":
        raise NotImplementedError(
            "nearest: there is no metric 'hamming' yet: the metrics are l2, cosine and dot"
        )
    if metric not in _METRICS:
        raise ValueError(f"nearest: metric {metric!r} is not one of l2, cosine, dot")
    return {
        "column": column,
        "query": query_vector(q),
        "k": 10 if k is None else k,
        "metric": _METRICS[metric],
    }


def check_vector_column(schema, name):
    """TypeError if the column is there and holds no vectors."""
    kind = schema.field(name).type if name in schema.names else None
    if kind is None or pa.types.is_fixed_size_list(kind) or isinstance(kind, pa.ExtensionType):
        return  # the search says what else is wrong
    raise TypeError(f"nearest: the column {name!r} holds no vectors, but {kind}")
