"""Tables of vectors (pylance's names)."""

import numpy as np
import pyarrow as pa

from tusk.later import later

_ASSIGN = "`tusk.torch.kmeans.KMeans` finds centroids and assigns vectors to them, on any device"
_PAIRS = "`nearest=` of a scanner finds the nearest rows of one vector"


def vec_to_table(data, names=None, ndim=None, check_ndim=True):
    """A pyarrow table of vectors of float32: lists of fixed size.

    data: a dict of vectors by id, or a list or numpy array of vectors.
    names: of its columns, ["id", "vector"] of a dict, else "vector".
    ndim: the length of the vectors; that of the first one if None.

    ValueError for vectors of other lengths (with check_ndim=False only if all values together
    are no multiple of it) and for another number of names.
    """
    if isinstance(data, dict):
        ids, vectors, default = [pa.array(list(data))], list(data.values()), ["id", "vector"]
    elif isinstance(data, (list, np.ndarray)):
        ids, vectors, default = [], data, ["vector"]
    else:
        raise NotImplementedError(f"data is a dict, a list or a numpy array, not {type(data)}")
    names = [names] if isinstance(names, str) else default if names is None else list(names)
    if len(names) != len(default):
        raise ValueError(f"names {names} are not {len(default)}, as are the columns")
    if ndim is None:
        if not len(vectors):
            raise ValueError("there are no vectors to tell how long they are: give ndim")
        ndim = len(vectors[0])
    if check_ndim:
        for place, vector in enumerate(vectors):
            if len(vector) != ndim:
                raise ValueError(f"vector {place} has {len(vector)} dimensions, not {ndim}")
    parts = [np.asarray(vector, np.float32).ravel() for vector in vectors]
    values = np.concatenate(parts) if parts else np.zeros(0, np.float32)
    if ndim < 1 or len(values) % ndim:
        raise ValueError(f"{len(values)} values are no vectors of {ndim} dimensions")
    return pa.table([*ids, pa.FixedSizeListArray.from_arrays(pa.array(values), ndim)], names)


@later(_ASSIGN)
def train_pq_codebook_on_accelerator(
    dataset, metric_type, accelerator, num_sub_vectors, batch_size=40960, dtype=np.float32
):
    """Trains the codebook of a product quantizer on a GPU."""


@later(_ASSIGN)
def train_ivf_centroids_on_accelerator(
    dataset, column, k, metric_type, accelerator, batch_size=40960, *, sample_rate=256,
    max_iters=50, filter_nan=True,
):  # fmt: skip
    """Trains the partitions of an index on a GPU."""


@later(_ASSIGN)
def compute_pq_codes(
    dataset, kmeans_list, batch_size=40960, dst_dataset_uri=None, allow_cuda_tf32=True
):
    """Writes the codes of a product quantizer."""


@later(_ASSIGN)
def compute_partitions(
    dataset, column, kmeans, batch_size=40960, dst_dataset_uri=None, allow_cuda_tf32=True,
    num_sub_vectors=None, filter_nan=True, sample_size=None,
):  # fmt: skip
    """Writes the partition of each row."""


@later(_ASSIGN)
def one_pass_train_ivf_pq_on_accelerator(
    dataset, column, k, metric_type, accelerator, num_sub_vectors, batch_size=40960, *,
    sample_rate=256, max_iters=50, filter_nan=True,
):  # fmt: skip
    """Trains partitions and codebook in one pass."""


@later(_ASSIGN)
def one_pass_assign_ivf_pq_on_accelerator(
    dataset, column, metric_type, accelerator, ivf_kmeans, pq_kmeans_list, dst_dataset_uri=None,
    batch_size=40960, *, filter_nan=True, allow_cuda_tf32=True,
):  # fmt: skip
    """Writes partition and codes of each row in one pass."""


@later(_PAIRS)
def find_duplicate_pairs(
    dataset, column, distance_threshold, *, memory_limit=None, max_concurrency=None
):
    """Pairs of rows whose vectors are nearly the same."""


@later(_PAIRS)
def find_duplicate_pairs_in_partition(
    dataset, column, segment_id, partition_id, distance_threshold, *, memory_limit=None,
    max_concurrency=None,
):  # fmt: skip
    """The pairs of one partition of an index."""


@later(_PAIRS)
def get_ivf_partition_info(dataset, index_name, *, index_segments=None):
    """What the partitions of an index hold."""


@later(_PAIRS)
def hamming_clustering_for_ivf_partition(
    dataset, index_name, partition_id, hamming_threshold, *, index_segments=None
):
    """Clusters of the hashes of one partition of an index."""


@later(_PAIRS)
def hamming_clustering_for_sample(dataset, column, sample_size=None, hamming_threshold=10):
    """Clusters of hashes of random rows."""


@later(_PAIRS)
def hamming_clustering_for_range(
    dataset, column, fragment_id, start_row, num_rows, hamming_threshold=10
):
    """Clusters of hashes of some rows of a fragment."""
