"""Batches that are read once and kept on a local disk."""

import os
import pathlib
import tempfile

import pyarrow as pa


class CachedDataset:
    """Record batches of a stream, which is read by the first iteration and never again.

    stream: gives record batches of one schema.
    cache: a folder below which a temporary one holds them; None or True for the system's.

    The folder goes with `close`, at the end of a `with`, or with the object.
    """

    def __init__(self, stream, cache=None):
        if cache is not None and cache is not True and not isinstance(cache, (str, os.PathLike)):
            raise ValueError(f"cache must be a folder, True or None, got {type(cache)}")
        folder = cache if isinstance(cache, (str, os.PathLike)) else None
        self.stream = stream
        self.cache_dir = tempfile.TemporaryDirectory(prefix="tusk-batches-", dir=folder)
        self.cache_file = None
        self.finished_origin_stream = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Removes what is on the disk."""
        if self.cache_dir is not None:
            self.cache_dir.cleanup()
            self.cache_dir = None

    def __iter__(self):
        if self.cache_dir is None:
            raise ValueError("the cached batches were closed")
        if self.cache_file is None:
            return self._read_and_keep()
        if not self.finished_origin_stream:
            raise RuntimeError(
                "the first iteration has not come to its end, so that not all batches are kept"
            )
        return self._read_again()

    def _read_and_keep(self):
        file = self.cache_file = pathlib.Path(self.cache_dir.name) / "batches.arrow"
        writer = None
        try:
            for batch in self.stream:
                if writer is None:
                    writer = pa.ipc.new_stream(str(file), batch.schema)
                writer.write_batch(batch)
                yield batch
                del batch
        finally:
            if writer is not None:
                writer.close()
        self.finished_origin_stream = True

    def _read_again(self):
        if not self.cache_file.exists():
            return
        with pa.OSFile(str(self.cache_file)) as file, pa.ipc.open_stream(file) as batches:
            yield from batches
