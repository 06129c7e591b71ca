"""Distances between the rows of tensors, and the nearest of a few rows (pylance's names).

All sums are in float32 or wider. Rows are taken in parts, so that the nearest of `m` centroids need
64 MiB beside their results, however many vectors there are.
"""

from tusk._optional import require

torch = require("torch", "tusk.torch", "torch")

__all__ = ["cosine_distance", "dot_distance", "l2_distance", "pairwise_cosine", "pairwise_l2"]

# Products that are held at once.
_PART = 16 << 20


def _check(first, second):
    if first.ndim != 2 or second.ndim != 2:
        raise ValueError(
            "distances are between the rows of two matrices, not of shapes "
            f"{tuple(first.shape)} and {tuple(second.shape)}"
        )
    if first.shape[1] != second.shape[1]:
        raise ValueError(f"rows of {first.shape[1]} and of {second.shape[1]} values")


def _wide(tensor):
    """At least float32, in which halves can be summed, on processors too."""
    is_half = tensor.dtype in (torch.float16, torch.bfloat16)
    return tensor.float() if is_half or not tensor.is_floating_point() else tensor


def pairwise_cosine(x, y, *, y2=None):
    """1 - cosine of the angle between each row of `x` [m, d] and each of `y` [n, d]: [m, n].

    y2: the lengths of `y`, if they are known.
    """
    _check(x, y)
    x, y = _wide(x), _wide(y)
    lengths = torch.linalg.norm(y, dim=1) if y2 is None else y2.reshape(-1)
    return 1 - (x @ y.T) / torch.linalg.norm(x, dim=1, keepdim=True) / lengths


def pairwise_l2(x, y, y2=None):
    """The squared distance between each row of `x` [m, d] and each of `y` [n, d]: [m, n].

    By |x|^2 + |y|^2 - 2xy: of rows that are nearly the same it has few right digits. In the type of
    the rows, which must be one. y2: the sums of squares of `y`, if they are known.
    """
    _check(x, y)
    if x.dtype != y.dtype or (y2 is not None and y2.dtype != x.dtype):
        raise ValueError(f"x is of {x.dtype}, y of {y.dtype}: they must be of one type")
    rows, others = _wide(x), _wide(y)
    squares = (others * others).sum(dim=1) if y2 is None else y2.to(others.dtype)
    return ((rows * rows).sum(dim=1, keepdim=True) + squares - 2 * (rows @ others.T)).to(x.dtype)


def _nearest(vectors, centroids, score, distance):
    """(index of the centroid with the least score, -1 without a distance; the distance to it)."""
    _check(vectors, centroids)
    vectors, centroids = _wide(vectors), _wide(centroids)
    indices, distances = [], []
    for rows in vectors.split(max(_PART // max(centroids.shape[0], 1), 1)):
        found = score(rows, centroids).argmin(dim=1)
        distances.append(distance(rows, centroids[found]))
        indices.append(torch.where(distances[-1].isnan(), -1, found))
    return torch.cat(indices), torch.cat(distances)


def l2_distance(vectors, centroids, y2=None):
    """The nearest centroid [m, d] of each vector [n, d], and the squared distance to it: two [n].

    The centroid of a vector with NaN is -1. y2: the sums of squares of the centroids, if known.
    """
    wide = _wide(centroids)
    squares = (wide * wide).sum(dim=1) if y2 is None else y2.to(wide.dtype)

    def score(rows, others):
        return squares - 2 * (rows @ others.T)

    # Of the one nearest, and so without the lost digits of pairwise_l2.
    return _nearest(vectors, centroids, score, lambda a, b: ((a - b) ** 2).sum(dim=1))


def argmin_l2(x, y):
    """The squared distance to the nearest row of `y` of each row of `x`, and which: two [n, 1]."""
    indices, distances = l2_distance(x, y)
    return distances[:, None], indices[:, None]


def cosine_distance(vectors, centroids):
    """As l2_distance, by 1 - cosine."""
    lengths = torch.linalg.norm(_wide(centroids), dim=1)

    def score(rows, others):
        return -(rows @ others.T) / lengths

    return _nearest(
        vectors, centroids, score, lambda a, b: 1 - torch.cosine_similarity(a, b, dim=1, eps=0)
    )


def dot_distance(x, y):
    """As l2_distance, by 1 - the dot product."""
    return _nearest(x, y, lambda a, b: -(a @ b.T), lambda a, b: 1 - (a * b).sum(dim=1))
