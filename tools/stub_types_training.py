"""The types of what trains (tools/make_stubs.py); keys begin with the name of the module.

A parameter that is not here is looked up by its name alone in tools/stub_types.py.
"""

_TORCH = ["import torch", "import torch.utils.data"]
_PAIR = "tuple[torch.Tensor, torch.Tensor]"
_VECTORS = "torch.Tensor | np.ndarray | pa.Array | pa.ChunkedArray"

# Module -> (its public names, further imports).
MODULES = {
    "loader": (
        ["Loader", "to_numpy"],
        [
            "import numpy as np",
            "import numpy.typing as npt",
            "",
            "from tusk.lance import LanceDataset",
        ],
    ),
    "sampler": (
        [
            "FragmentSampler",
            "FullScanSampler",
            "Sampler",
            "ShardedBatchSampler",
            "ShardedFixedBatchSampler",
            "ShardedFragmentSampler",
            "maybe_sample",
            "reservoir_sampling",
        ],
        [
            "import abc",
            "from typing import TypeVar",
            "",
            "from tusk.fragment import LanceFragment",
            "from tusk.lance import LanceDataset",
            "",
            'T = TypeVar("T")',
        ],
    ),
    "torch": (["preferred_device"], _TORCH),
    "torch.async_dataset": (["AsyncDataset", "async_dataset"], _TORCH),
    "torch.bench_utils": (
        ["ground_truth", "infer_vector_column", "recall", "sort_tensors"],
        ["import numpy as np", *_TORCH, "", "from tusk.lance import LanceDataset"],
    ),
    "torch.data": (
        ["LanceDataset", "SafeLanceDataset", "TensorDataset", "get_safe_loader"],
        [
            "import numpy as np",
            *_TORCH,
            "",
            "import tusk",
            "from tusk.sampler import Sampler",
        ],
    ),
    "torch.dist": (
        [
            "get_dist_rank",
            "get_dist_world_size",
            "get_global_rank",
            "get_global_world_size",
            "get_mp_rank",
            "get_mp_world_size",
        ],
        [],
    ),
    "torch.distance": (
        [
            "argmin_l2",
            "cosine_distance",
            "dot_distance",
            "l2_distance",
            "pairwise_cosine",
            "pairwise_l2",
        ],
        _TORCH,
    ),
    "torch.kmeans": (["KMeans"], ["import numpy as np", *_TORCH]),
    "torch.loader": (["TorchLoader"], [*_TORCH, "", "from tusk.loader import Loader"]),
    "vector": (
        [
            "compute_partitions",
            "compute_pq_codes",
            "find_duplicate_pairs",
            "find_duplicate_pairs_in_partition",
            "get_ivf_partition_info",
            "hamming_clustering_for_ivf_partition",
            "hamming_clustering_for_range",
            "hamming_clustering_for_sample",
            "one_pass_assign_ivf_pq_on_accelerator",
            "one_pass_train_ivf_pq_on_accelerator",
            "train_ivf_centroids_on_accelerator",
            "train_pq_codebook_on_accelerator",
            "vec_to_table",
        ],
        ["import numpy as np", "", "from tusk.lance import LanceDataset"],
    ),
}

BASES = {
    "sampler.Sampler": ["abc.ABC"],
    "sampler.FragmentSampler": ["Sampler"],
    "sampler.FullScanSampler": ["FragmentSampler"],
    "sampler.ShardedBatchSampler": ["Sampler"],
    "sampler.ShardedFixedBatchSampler": ["ShardedBatchSampler"],
    "sampler.ShardedFragmentSampler": ["FragmentSampler"],
    "torch.async_dataset.AsyncDataset": ["torch.utils.data.IterableDataset[Any]"],
    "torch.data.LanceDataset": ["torch.utils.data.IterableDataset[Any]"],
    "torch.data.SafeLanceDataset": ["torch.utils.data.Dataset[dict[str, Any]]"],
    "torch.data.TensorDataset": ["torch.utils.data.Dataset[torch.Tensor]"],
}

_SAMPLER_CALLS = [
    f"sampler.{name}.__call__"
    for name in "FragmentSampler FullScanSampler Sampler ShardedBatchSampler"
    " ShardedFixedBatchSampler ShardedFragmentSampler".split()
]


def _all(kind, names):
    return dict.fromkeys(names.split(), kind)


PARAMETERS = {
    **_all("bool", "auto_detect_rank allow_cuda_tf32 check_ndim persistent randomize shuffle"),
    **_all(
        "int",
        """block_rows epoch hamming_threshold idx max_concurrency max_iters max_takes memory_limit ndim
        num_workers partition_id position queue_size rank read_ahead sample_rate sample_size samples
        seed start_row threads total_num_rows worker world_size""",
    ),
    **_all("float", "distance_threshold tolerance"),
    **_all("str", "init remainder segment_id shard_granularity metric_type"),
    **_all("torch.Tensor", "centroids source vectors x y y2"),
    "torch.bench_utils.sort_tensors.other": "torch.Tensor",
    **_all("str | torch.device", "accelerator device"),
    **_all("Any", "ivf_kmeans kmeans kmeans_list pq_kmeans_list loader_options"),
    "cache": "bool | str | Path",
    "dataset_creator": "Callable[[], Iterable[Any]]",
    "dataset_options": "dict[str, Any]",
    "dst_dataset_uri": "str | Path",
    "dtype": "Any",
    "filt": "str | pc.Expression",
    "state": "dict[str, Any]",
    "to_tensor_fn": "Callable[..., Any]",
    "then": "Callable[[Any], Any]",
    "transform": "Callable[[pa.RecordBatch], Any]",
    "loader.Loader.columns": "list[str] | dict[str, str]",
    "loader.Loader.dataset": "str | Path | LanceDataset",
    "loader.Loader.from_torch.dataset": "str | Path | LanceDataset",
    "loader.Loader.follow.steps": "Iterable[tuple[int, Any]]",
    "loader.Loader.rows": "npt.ArrayLike",
    "loader.Loader.weights": "str | npt.ArrayLike | pa.Array | pa.ChunkedArray",
    "loader.to_numpy.batch": "pa.RecordBatch",
    "sampler.reservoir_sampling.stream": "Iterable[T]",
    "sampler.maybe_sample.dataset": "LanceDataset | str | Path",
    "torch.bench_utils.ground_truth.query": "torch.Tensor | np.ndarray",
    "torch.bench_utils.recall.actual": "np.ndarray",
    "torch.bench_utils.recall.expected": "np.ndarray",
    "torch.data.LanceDataset.dataset": "tusk.LanceDataset | str | Path",
    "torch.data.LanceDataset.sampler": "Sampler | Callable[..., Iterator[pa.RecordBatch]]",
    "torch.data.TensorDataset.data": "torch.Tensor | np.ndarray",
    "torch.data.get_safe_loader.dataset": "torch.utils.data.Dataset[Any]",
    "torch.kmeans.KMeans.fit.data": f"{_VECTORS} | Iterable[Any]",
    "torch.kmeans.KMeans.transform.data": _VECTORS,
    "torch.loader.TorchLoader.loader": "Loader",
    "torch.loader.TorchLoader.to_tensors": "Callable[[Any], Any]",
    "vector.vec_to_table.data": "dict[Any, Any] | list[Any] | np.ndarray",
    "vector.vec_to_table.names": "str | list[str]",
}

RESULTS = {
    "loader.Loader.__iter__": "Iterator[Any]",
    "loader.Loader.__len__": "int",
    "loader.Loader.dataset": "LanceDataset",
    "loader.Loader.epoch": "int",
    "loader.Loader.find_rows": "None",
    "loader.Loader.follow": "Iterator[Any]",
    "loader.Loader.from_torch": "Loader",
    "loader.Loader.load_state_dict": "None",
    "loader.Loader.num_rows": "int",
    "loader.Loader.position": "int",
    "loader.Loader.read_steps": "Iterator[tuple[int, Any]]",
    "loader.Loader.set_epoch": "None",
    "loader.Loader.state_dict": "dict[str, Any]",
    "loader.Loader.version": "int",
    "loader.to_numpy": "dict[str, np.ndarray]",
    **dict.fromkeys(_SAMPLER_CALLS, "Iterator[pa.RecordBatch]"),
    "sampler.FragmentSampler.iter_fragments": "Iterator[LanceFragment]",
    "sampler.FullScanSampler.iter_fragments": "Iterator[LanceFragment]",
    "sampler.ShardedBatchSampler.__len__": "int",
    "sampler.ShardedBatchSampler.from_torch": "ShardedBatchSampler",
    "sampler.ShardedBatchSampler.set_epoch": "None",
    "sampler.ShardedFixedBatchSampler.__iter__": "Iterator[Any]",
    "sampler.ShardedFixedBatchSampler.__len__": "int",
    "sampler.ShardedFixedBatchSampler.from_torch": "ShardedFixedBatchSampler",
    "sampler.ShardedFixedBatchSampler.set_epoch": "None",
    "sampler.ShardedFragmentSampler.from_torch": "ShardedFragmentSampler",
    "sampler.ShardedFragmentSampler.iter_fragments": "Iterator[LanceFragment]",
    "sampler.ShardedFragmentSampler.set_epoch": "None",
    "sampler.maybe_sample": "Iterator[pa.RecordBatch]",
    "sampler.reservoir_sampling": "list[T]",
    "torch.preferred_device": "torch.device",
    "torch.async_dataset.AsyncDataset.__iter__": "Iterator[Any]",
    "torch.async_dataset.AsyncDataset.close": "None",
    "torch.async_dataset.AsyncDataset.started": "bool",
    "torch.async_dataset.async_dataset": "AbstractContextManager[AsyncDataset]",
    "torch.bench_utils.ground_truth": "torch.Tensor",
    "torch.bench_utils.infer_vector_column": "str | None",
    "torch.bench_utils.recall": "np.ndarray",
    "torch.bench_utils.sort_tensors": _PAIR,
    "torch.data.LanceDataset.__iter__": "Iterator[Any]",
    "torch.data.LanceDataset.schema": "pa.Schema",
    "torch.data.SafeLanceDataset.__getitem__": "dict[str, Any]",
    "torch.data.SafeLanceDataset.__len__": "int",
    "torch.data.TensorDataset.__getitem__": "torch.Tensor",
    "torch.data.TensorDataset.__len__": "int",
    "torch.data.get_safe_loader": "torch.utils.data.DataLoader[Any]",
    **{
        f"torch.dist.{name}": "int"
        for name in "get_dist_rank get_dist_world_size get_global_rank get_global_world_size"
        " get_mp_rank get_mp_world_size".split()
    },
    "torch.distance.argmin_l2": _PAIR,
    "torch.distance.cosine_distance": _PAIR,
    "torch.distance.dot_distance": _PAIR,
    "torch.distance.l2_distance": _PAIR,
    "torch.distance.pairwise_cosine": "torch.Tensor",
    "torch.distance.pairwise_l2": "torch.Tensor",
    "torch.kmeans.KMeans.fit": "None",
    "torch.kmeans.KMeans.rebuild_index": "None",
    "torch.kmeans.KMeans.transform": "torch.Tensor",
    "torch.loader.TorchLoader.__iter__": "Iterator[Any]",
    "torch.loader.TorchLoader.__len__": "int",
    "torch.loader.TorchLoader.epoch": "int",
    "torch.loader.TorchLoader.load_state_dict": "None",
    "torch.loader.TorchLoader.set_epoch": "None",
    "torch.loader.TorchLoader.state_dict": "dict[str, Any]",
    "vector.vec_to_table": "pa.Table",
}
