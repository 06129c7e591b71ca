"""Why names of tusk differ from those of pylance: a pattern of paths -> the reason.

The first pattern that fits a path counts. tools/pylance_api.py tells patterns without a use.
"""

_TEXT = "full text search comes later; filters with `contains`, `like` and `regexp_like` find rows"
_INDEX = "no index is built or read yet; `nearest` and filters give the same rows without one"
_WAL = "rows are appended with `write_dataset`, `merge_insert` or an ingestion of the lake"

REASONS = {
    # Whole parts that come later.
    r"lance\.(CompactedSsTable|ExecutionPlan|Lsm\w+|Shard\w+|evaluate_sharding_spec)": _WAL,
    r"lance\.mem_wal(\..*)?": _WAL,
    r"lance\.indices(\..*)?": _INDEX,
    r"lance\.dataset\.VectorIndexReader": _INDEX,
    r"lance\.dataset\.VectorSearchQuery": "`nearest=` of a scanner is the search",
    r"lance\.util\.(HNSW|KMeans|validate_vector_index)": _INDEX,
    r"lance\.(query\..*|FtsToken|tokenize)": _TEXT,
    r"lance\.namespace": "`tusk.connect` opens a lake, whose catalog names tables",
    r"lance\.FFILanceTableProvider": (
        "a table for DataFusion, through its Rust interface; DuckDB and Polars scan a LanceDataset "
        "as it is, and DataFusion its `to_reader()`"
    ),
    r"lance\.(tracing|otel)": (
        "`analyze_plan`, `scan_stats_callback` and `io_stats_snapshot` tell what a call "
        "did"
    ),
    r"lance\._datagen": "data for pylance's own benchmarks",
    r"lance\._arrow\.bf16": "private; `tusk.arrow` has its names",
    r"lance\.(dependencies|download)": "pylance's own machinery",
    r"lance\.torch\.data\.(ToTensorFn|concat_batches)": "the inside of `LanceDataset`",
    r"lance\.udf\.(BatchUDFCheckpoint|normalize_transform)": "the inside of `add_columns`",
    r"lance\.lance\..*": "a name of pylance's extension module that none of its Python modules has",
    # Members.
    r"lance\.dataset\.LanceOperation\.DataOverlay\w*": (
        "overlays are written by no stable version of the format"
    ),
    r"lance\.fragment\.RowDatasetVersionMeta\.from_dict": "both kinds of metadata share a class",
    # More than pylance has.
    r"lance\.torch\.async_dataset\.AsyncDataset\.started": "an attribute of the object there",
    r"lance\.commit\.CommitConflictError\.code": "every error of tusk says its code",
    r"lance\.dataset\.Branches\.delete": "removes also what an interrupted call left",
    r"lance\.dataset\.DatasetOptimizer\.cleanup_frag_reuse_index": (
        "a function of Lance's Rust library that pylance does not have"
    ),
    r"lance\.dataset\.LanceDataset\.reorder_columns": "columns can be put into another order",
    r"lance\.dataset\.LanceOperation\.(\w+\.)?type": (
        "the name that the format has for the operation"
    ),
    r"lance\.dataset\.LanceOperation\.(ReserveFragments|UpdateBases)": (
        "operations that pylance makes only by itself"
    ),
    r"lance\.file\.LanceFileReader\.(read_all|read_range|take_rows)": (
        "batches have a limit in bytes too"
    ),
    r"lance\.file\.LanceFileReader\.io_stats_\w+": "files tell what was read, as tables do",
    r"lance\.file\.ReaderResults\.reader": "what `to_batches` reads from",
}

BEHAVIOUR = [
    "Search (`nearest`) is exact: `nprobes`, `ef`, `refine_factor` and the like change nothing.",
    "Hints about speed and memory (`batch_readahead`, `fragment_readahead`, `io_buffer_size`, "
    "`block_size`, `index_cache_size_bytes`, ...) are accepted and change nothing. `metadata_cache_size_bytes` and `session` bound what a table keeps of its files; "
    "`Session(value_cache_size_bytes=0)` keeps no values.",
    "`max_rows_per_group` and `io_buffer_size` of `compact_files` change nothing: files have no "
    "groups of rows, and what is read ahead is bounded by `batch_size`. `num_threads` bounds the "
    "threads of the whole compaction, in pylance the tasks that are done at the same time.",
    "Two base paths of one name or path are refused, a relative one is made absolute, and a "
    "fragment at a base that is not registered is not committed "
    "(docs/decisions/065-base-paths-and-sessions.md).",
    "`has_index`, `list_indices`, `describe_indices` and `index_statistics` answer for tables without "
    "indices, and raise NotImplementedError for others.",
    "`delete`, `update` and `merge_insert` change the newest version, whatever version the object has "
    "open, as a statement of SQL does: rows that others added meanwhile are judged, too. pylance finds "
    "the rows in the object's version, so that it leaves these, and inserts keys that they have a "
    "second time.",
    "`tracked_files` tells the files of blobs too.",
    "`namespace_client`, `table_id` and `full_text_query` raise NotImplementedError when they are "
    "given.",
    "Errors are classes of `tusk.errors`, each also the built-in class that pylance raises for the "
    "same mistake (docs/decisions/061-python-face.md).",
    "`dataset(asof=...)` finds the version of exactly that time too; pylance the one before.",
    "`LanceDataset.sql` runs in DuckDB, and needs it.",
    "`substrait_aggregate` computes count, sum, min, max and avg of columns and of fields inside of "
    "structs, and raises NotImplementedError for all else. `min` and `max` do not look at NaN, with "
    "groups and without; pylance's `max` without groups is NaN.",
    "`get_fragment`, `scanner(fragments=...)` take ids as well as fragments.",
    "Columns that are computed by expressions may be null, whatever they are computed from; pylance "
    "tells of some that they are not.",
    "A name in `late_materialization` that no column has is a ValueError, in pylance a RuntimeError.",
    "`_take_rows` refuses every address that no fragment has; pylance leaves out some, by their order.",
    "A take of an unknown column raises; pylance ends the thread.",
    "The text of `__repr__`, `explain_plan`, `analyze_plan` and `lance.debug` is for people and is "
    "another one.",
    "`lance.torch.kmeans.KMeans` minds its `seed`, begins with rows that differ and have no NaN, "
    "brings vectors to length 1 for `cosine` and divides one cluster for each empty one. Distances "
    "of float16 and bfloat16 to the nearest centroid are float32. No function of `lance.torch` "
    "compiles anything or shows a bar of progress.",
]
