"""What measures searches: the true neighbours, the share that was found (pylance's names)."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tusk._optional import require
from tusk.torch import preferred_device
from tusk.torch.data import LanceDataset
from tusk.torch.distance import pairwise_cosine, pairwise_l2

torch = require("torch", "tusk.torch", "torch")

__all__ = ["ground_truth"]

_PAIRWISE = {"l2": pairwise_l2, "cosine": pairwise_cosine}


def sort_tensors(source, other, k):
    """The `k` least of each row of `source` [m, n], ascending, and what stands there in `other`."""
    least, places = torch.sort(source, dim=1)
    return least[:, :k], torch.gather(other, 1, places[:, :k])


def ground_truth(ds, column, query, metric_type="L2", k=100, batch_size=10240, device=None):
    """The row ids of the `k` nearest vectors of a table for each query, the nearest first: [n, k].

    Reads the whole column, in batches of so many rows. query: [n, d], a tensor or a numpy array.
    metric_type: "L2" or "cosine". Fewer than k columns, if the table has fewer vectors.
    """
    pairwise = _PAIRWISE.get(metric_type.lower())
    if pairwise is None:
        raise ValueError(f"metric_type {metric_type!r} is neither 'L2' nor 'cosine'")
    device = preferred_device(device)
    query = torch.from_numpy(query) if isinstance(query, np.ndarray) else query
    query = query.to(device)
    ids = torch.empty((len(query), 0), dtype=torch.int64, device=device)
    distances = torch.empty((len(query), 0), dtype=query.dtype, device=device)
    # A null has no distance to anything.
    batches = LanceDataset(
        ds, batch_size, columns=[column], filter=pc.field(column).is_valid(), with_row_id=True
    )
    for batch in batches:
        vectors = batch[column].to(device, query.dtype)
        rows = batch["_rowid"].to(device).expand(len(query), -1)
        distances = torch.cat([distances, pairwise(query, vectors)], dim=1)
        distances, ids = sort_tensors(distances, torch.cat([ids, rows], dim=1), k)
    return ids


def recall(expected, actual):
    """The share of each row of `expected` [n, k] that is in that row of `actual` [n, k]: [n]."""
    if expected.shape != actual.shape:
        raise ValueError(f"expected {expected.shape} and actual {actual.shape} differ in shape")
    found = [np.isin(*rows).mean() if rows[0].size else 1.0 for rows in zip(expected, actual)]
    return np.array(found)


def infer_vector_column(ds):
    """The name of the first column of vectors; None if there is none."""
    for field in ds.schema:
        type_ = field.type
        is_tensor = isinstance(type_, pa.FixedShapeTensorType) and len(type_.shape) == 1
        if pa.types.is_fixed_size_list(type_) or is_tensor:
            return field.name
    return None
