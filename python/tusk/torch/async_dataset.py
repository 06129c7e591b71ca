"""A dataset that is read by a process of its own, which lives through all epochs."""

import contextlib
import queue

from tusk._optional import require

_data = require("torch.utils.data", "tusk.torch", "torch")

# How often a waiting process looks whether the other one is still there.
_LOOK_S = 0.2
_ITEM, _END, _ERROR = range(3)


def _serve(dataset_creator, results, stop):
    try:
        dataset = dataset_creator()
        while not stop.is_set():
            for item in dataset:
                if not _put(results, stop, (_ITEM, item)):
                    break
            _put(results, stop, (_END, None))
    except Exception as error:
        _put(results, stop, (_ERROR, f"{type(error).__name__}: {error}"))
    # What nobody will read must not keep this process from its end; an error will be read.
    if stop.is_set():
        results.cancel_join_thread()


def _put(results, stop, message):
    while not stop.is_set():
        with contextlib.suppress(queue.Full):
            results.put(message, timeout=_LOOK_S)
            return True
    return False


class AsyncDataset(_data.IterableDataset):
    """Iterates over a dataset that another process makes and reads, again and again.

    dataset_creator: a function, which can be pickled, that makes the dataset in that process. What
        it caches there stays for later epochs.
    queue_size: items that wait to be handed out; the process goes on with the next epoch.

    What is raised there is raised here as RuntimeError. `close` ends the process.
    """

    def __init__(self, dataset_creator, *, queue_size=4):
        self.dataset_creator = dataset_creator
        # Torch's, if the items are tensors, goes through shared memory.
        context = require("torch.multiprocessing", "tusk.torch", "torch").get_context()
        self.queue = context.Queue(maxsize=queue_size)
        self.shutdown = context.Event()
        self.worker = None
        self._context = context

    @property
    def started(self):
        return self.worker is not None

    def _start(self):
        if self.shutdown.is_set():
            raise ValueError("the dataset was closed")
        if self.worker is None:
            arguments = (self.dataset_creator, self.queue, self.shutdown)
            self.worker = self._context.Process(target=_serve, args=arguments, daemon=True)
            self.worker.start()

    def _next(self):
        while True:
            with contextlib.suppress(queue.Empty):
                return self.queue.get(timeout=_LOOK_S)
            if not self.worker.is_alive() and self.queue.empty():
                code = self.worker.exitcode
                raise RuntimeError(f"the reading process has ended: exit code {code}")

    def __iter__(self):
        self._start()
        while True:
            kind, item = self._next()
            if kind == _END:
                return
            if kind == _ERROR:
                raise RuntimeError(f"the reading process failed: {item}")
            yield item
            del item

    def close(self):
        """Ends the process."""
        self.shutdown.set()
        if self.worker is None:
            return
        # It may wait until its last items are taken, whose memory goes with it.
        while self.worker.is_alive():
            with contextlib.suppress(queue.Empty, OSError, EOFError):
                self.queue.get(timeout=_LOOK_S)
            self.worker.join(timeout=0)
        self.worker.join()
        self.queue.close()


@contextlib.contextmanager
def async_dataset(dataset_creator, *, queue_size=4):
    """An AsyncDataset that is closed at the end of the `with`."""
    made = AsyncDataset(dataset_creator, queue_size=queue_size)
    try:
        yield made
    finally:
        made.close()
