"""Who wants to hear how far a write has come, in the names of pylance."""

import abc
import dataclasses
import json
import os

from pyarrow import fs


class FragmentWriteProgress(abc.ABC):
    """Is told of each fragment of a write, on the thread that writes.

    What a method raises ends the write.
    """

    @abc.abstractmethod
    def begin(self, fragment, **kwargs):
        """A fragment, a FragmentMetadata whose rows are not known yet, is about to be written."""

    @abc.abstractmethod
    def complete(self, fragment, **kwargs):
        """The fragment is written; no version has it yet."""


class NoopFragmentWriteProgress(FragmentWriteProgress):
    """Does nothing."""

    def begin(self, fragment, **kargs):
        pass

    def complete(self, fragment, **kwargs):
        pass


class FileSystemFragmentWriteProgress(FragmentWriteProgress):
    """Keeps files in the folder `base_uri`: fragment_<id>.json with what is written, and beside it
    fragment_<id>.in_progress, a JSON object with `metadata`, until that is complete.
    """

    PROGRESS_EXT = ".in_progress"

    def __init__(self, base_uri, metadata=None):
        self._store, self._folder = fs.FileSystem.from_uri(str(base_uri))
        self._metadata = metadata or {}

    def _path(self, fragment, ending):
        return os.path.join(self._folder, f"fragment_{fragment.id}{ending}")

    def _write(self, path, contents):
        with self._store.open_output_stream(path) as out:
            out.write(json.dumps(contents).encode())

    def begin(self, fragment, **kwargs):
        self._store.create_dir(self._folder, recursive=True)
        self._write(
            self._path(fragment, self.PROGRESS_EXT),
            {"fragment_id": fragment.id, "metadata": self._metadata},
        )
        self._write(self._path(fragment, ".json"), fragment.to_json())

    def complete(self, fragment, **kwargs):
        self._write(self._path(fragment, ".json"), fragment.to_json())
        self._store.delete_file(self._path(fragment, self.PROGRESS_EXT))


@dataclasses.dataclass(frozen=True)
class IndexProgress:
    """How far the building of an index has come."""

    event: str
    stage: str
    completed: int | None = None
    total: int | None = None
    unit: str = ""

    @property
    def fraction(self):
        """From 0 to 1; None if it is not known."""
        if self.completed is None or not self.total:
            return None
        return min(self.completed / self.total, 1.0)
