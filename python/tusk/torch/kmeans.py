"""k-means by PyTorch, on any of its devices (pylance's names)."""

import numpy as np
import pyarrow as pa

from tusk._optional import require
from tusk.torch import preferred_device
from tusk.torch.data import TensorDataset, _column_tensor
from tusk.torch.distance import dot_distance, l2_distance

torch = require("torch", "tusk.torch", "torch")

__all__ = ["KMeans"]

_METRICS = {"l2": "l2", "euclidean": "l2", "cosine": "cosine", "dot": "dot", "ip": "dot"}
_BATCH_ROWS = 10_240
# How far the two halves of a divided cluster are from where it was, as a share of each value.
_APART = 0.005


class KMeans:
    """Finds `k` centroids of vectors by Lloyd's algorithm.

    metric: "l2", "cosine" (all vectors are brought to length 1) or "dot".
    init: "random": the first centroids are vectors of the data, if no `centroids` [k, d] are given.
    max_iters: the most passes over the data.
    tolerance: passes end when the sum of distances changes by less than this share.
    seed: of random choices; from the system if None.
    device: of torch; the best one here if None.

    A centroid that no vector is nearest to becomes half of the cluster with the most. Vectors with
    NaN are left out. After `fit`, `centroids` [k, d] are on the device, `total_distance` is the sum
    of distances in the last pass.
    """

    def __init__(
        self,
        k,
        *,
        metric="l2",
        init="random",
        max_iters=50,
        tolerance=1e-4,
        centroids=None,
        seed=None,
        device=None,
    ):
        if str(metric).lower() not in _METRICS:
            raise ValueError(f"metric {metric!r} is none of l2, cosine, dot")
        if init != "random":
            raise ValueError(f"init {init!r} is not 'random'")
        self.k = k
        self.metric = _METRICS[str(metric).lower()]
        self.init = init
        self.max_iters = max_iters
        self.tolerance = tolerance
        self.centroids = centroids
        self.seed = seed
        self.device = preferred_device(device)
        self.total_distance = 0
        self.dist_func = dot_distance if self.metric == "dot" else l2_distance
        self.y2 = None
        self._random = torch.Generator(device="cpu")
        self._random.seed() if seed is None else self._random.manual_seed(seed)

    def __repr__(self):
        return f"<tusk.torch.KMeans of {self.k} centroids by {self.metric} on {self.device}>"

    def fit(self, data, column=None):
        """Finds the centroids.

        data: vectors [n, d] (tensor, numpy array, or a pyarrow array of lists of fixed size or of
            tensors), or an iterable that gives batches of them for each pass, from whose dicts
            `column` is taken; then the first `centroids` must have been given.
        """
        if isinstance(data, (pa.Array, pa.ChunkedArray, np.ndarray, torch.Tensor)):
            vectors = _to_matrix(data)
            if self.centroids is None:
                self.centroids = self._choose(vectors)
            data = TensorDataset(vectors, _BATCH_ROWS)
        if self.centroids is None:
            raise ValueError("batches are gone through in passes: give the first centroids")
        # A copy: those of the caller stay as they are.
        first = _floating(self.centroids.detach().clone())
        self.centroids = self._normalized(first.to(self.device))
        last = None
        with torch.no_grad():
            for _ in range(self.max_iters):
                self.total_distance = self._pass(data, column, last)
                if self._is_done(last):
                    break
                last = self.total_distance

    def _is_done(self, last):
        if self.total_distance == 0:
            return True
        change = float("inf") if last is None else abs(self.total_distance - last)
        return change < self.tolerance * abs(self.total_distance)

    def _choose(self, vectors):
        """k different rows, without NaN."""
        whole = torch.nonzero(vectors.isfinite().all(dim=1)).reshape(-1)
        if len(whole) < self.k:
            raise ValueError(f"there are {len(whole)} vectors for {self.k} centroids")
        return vectors[whole[torch.randperm(len(whole), generator=self._random)[: self.k]]]

    def _pass(self, data, column, last):
        """Moves the centroids to the means of what is nearest to each; gives the sum of distances.

        They stay if that sum tells that they have found their places.
        """
        self.rebuild_index()
        sums = torch.zeros_like(self.centroids, dtype=torch.float32)
        counts = torch.zeros(len(sums), dtype=torch.int64, device=self.device)
        total = torch.zeros((), dtype=torch.float64, device=self.device)
        for batch in data:
            vectors = batch if column is None else batch[column]
            vectors = self._normalized(_floating(vectors).to(self.device))
            ids, distances = self._assign(vectors)
            found = ids >= 0
            sums.index_add_(0, ids[found], vectors[found].float())
            counts += torch.bincount(ids[found], minlength=len(counts))
            total += distances[found].sum(dtype=torch.float64)
        if not counts.any():
            raise ValueError("there are no vectors without NaN to find centroids of")
        self.total_distance = total.item()
        if not self._is_done(last):
            self.centroids = self._means(sums, counts).to(self.centroids.dtype)
        return self.total_distance

    def _means(self, sums, counts):
        means = sums / counts.clamp(min=1)[:, None]
        for empty in torch.nonzero(counts == 0).reshape(-1).tolist():
            largest = counts.argmax().item()
            noise = torch.rand(means.shape[1], generator=self._random).to(means.device)
            apart = means[largest] * (noise - 0.5) * (2 * _APART)
            means[empty], means[largest] = means[largest] + apart, means[largest] - apart
            # So that the next empty one divides another, if that has more by now.
            counts[empty] = counts[largest] // 2
            counts[largest] -= counts[empty]
        return self._normalized(means)

    def _normalized(self, vectors):
        return torch.nn.functional.normalize(vectors) if self.metric == "cosine" else vectors

    def _assign(self, vectors):
        if self.metric == "dot":
            return dot_distance(vectors, self.centroids.to(vectors.dtype))
        return l2_distance(vectors, self.centroids.to(vectors.dtype), self.y2)

    def rebuild_index(self):
        """Computes anew what `transform` needs of `centroids`: after they were assigned."""
        # Of halves a sum of squares soon leaves their range.
        self.y2 = (self.centroids.float() ** 2).sum(dim=1)

    def transform(self, data):
        """Which centroid is the nearest one of each vector: int64 [n]; -1 of one with NaN."""
        if self.centroids is None:
            raise ValueError("there are no centroids yet: call fit")
        self.centroids = self.centroids.to(self.device)
        self.rebuild_index()
        with torch.no_grad():
            return self._assign(self._normalized(_to_matrix(data).to(self.device)))[0]


def _to_matrix(data):
    """Vectors as a tensor [n, d]; those that are null are NaN."""
    if isinstance(data, torch.Tensor):
        vectors = data
    elif isinstance(data, np.ndarray):
        vectors = torch.from_numpy(data)
    elif isinstance(data, (pa.Array, pa.ChunkedArray)):
        if isinstance(data, pa.ChunkedArray):
            data = data.combine_chunks()
        vectors = _column_tensor(data, uint64_as_int64=True)
        if vectors is not None and data.null_count and vectors.is_floating_point():
            vectors = vectors.clone()
            vectors[torch.from_numpy(data.is_null().to_numpy(zero_copy_only=False))] = float("nan")
    else:
        raise ValueError(f"vectors are a tensor, a numpy or a pyarrow array, not {type(data)}")
    if vectors is None or vectors.ndim != 2:
        kind = data.type if vectors is None else tuple(vectors.shape)
        raise ValueError(f"vectors are [n, d], which {kind} are not")
    return _floating(vectors)


def _floating(vectors):
    """Vectors of whole numbers have means that are none."""
    return vectors if vectors.is_floating_point() else vectors.float()
