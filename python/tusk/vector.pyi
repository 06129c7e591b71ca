"""Made by tools/make_stubs.py; do not edit."""

import datetime
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NoReturn

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as pads

import numpy as np

from tusk.lance import LanceDataset

def compute_partitions(
    dataset: LanceDataset,
    column: str,
    kmeans: Any,
    batch_size: int = 40960,
    dst_dataset_uri: str | Path | None = None,
    allow_cuda_tf32: bool = True,
    num_sub_vectors: int | None = None,
    filter_nan: bool = True,
    sample_size: int | None = None,
) -> NoReturn: ...

def compute_pq_codes(
    dataset: LanceDataset,
    kmeans_list: Any,
    batch_size: int = 40960,
    dst_dataset_uri: str | Path | None = None,
    allow_cuda_tf32: bool = True,
) -> NoReturn: ...

def find_duplicate_pairs(
    dataset: LanceDataset,
    column: str,
    distance_threshold: float,
    *,
    memory_limit: int | None = None,
    max_concurrency: int | None = None,
) -> NoReturn: ...

def find_duplicate_pairs_in_partition(
    dataset: LanceDataset,
    column: str,
    segment_id: str,
    partition_id: int,
    distance_threshold: float,
    *,
    memory_limit: int | None = None,
    max_concurrency: int | None = None,
) -> NoReturn: ...

def get_ivf_partition_info(
    dataset: LanceDataset,
    index_name: str,
    *,
    index_segments: Any = None,
) -> NoReturn: ...

def hamming_clustering_for_ivf_partition(
    dataset: LanceDataset,
    index_name: str,
    partition_id: int,
    hamming_threshold: int,
    *,
    index_segments: Any = None,
) -> NoReturn: ...

def hamming_clustering_for_range(
    dataset: LanceDataset,
    column: str,
    fragment_id: int,
    start_row: int,
    num_rows: int,
    hamming_threshold: int = 10,
) -> NoReturn: ...

def hamming_clustering_for_sample(
    dataset: LanceDataset,
    column: str,
    sample_size: int | None = None,
    hamming_threshold: int = 10,
) -> NoReturn: ...

def one_pass_assign_ivf_pq_on_accelerator(
    dataset: LanceDataset,
    column: str,
    metric_type: str,
    accelerator: Any,
    ivf_kmeans: Any,
    pq_kmeans_list: Any,
    dst_dataset_uri: str | Path | None = None,
    batch_size: int = 40960,
    *,
    filter_nan: bool = True,
    allow_cuda_tf32: bool = True,
) -> NoReturn: ...

def one_pass_train_ivf_pq_on_accelerator(
    dataset: LanceDataset,
    column: str,
    k: int,
    metric_type: str,
    accelerator: Any,
    num_sub_vectors: int,
    batch_size: int = 40960,
    *,
    sample_rate: int = 256,
    max_iters: int = 50,
    filter_nan: bool = True,
) -> NoReturn: ...

def train_ivf_centroids_on_accelerator(
    dataset: LanceDataset,
    column: str,
    k: int,
    metric_type: str,
    accelerator: Any,
    batch_size: int = 40960,
    *,
    sample_rate: int = 256,
    max_iters: int = 50,
    filter_nan: bool = True,
) -> NoReturn: ...

def train_pq_codebook_on_accelerator(
    dataset: LanceDataset,
    metric_type: str,
    accelerator: Any,
    num_sub_vectors: int,
    batch_size: int = 40960,
    dtype: Any = ...,
) -> NoReturn: ...

def vec_to_table(
    data: dict[Any, Any] | list[Any] | np.ndarray,
    names: str | list[str] | None = None,
    ndim: int | None = None,
    check_ndim: bool = True,
) -> pa.Table: ...
