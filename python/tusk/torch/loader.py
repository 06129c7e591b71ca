"""The batches of a tusk.Loader through the workers of a DataLoader."""

from tusk._optional import require
from tusk.torch.data import _to_tensor

torch = require("torch", "tusk.torch", "torch")

# What this module decides.
_OWN = ("batch_size", "shuffle", "sampler", "batch_sampler", "drop_last", "collate_fn")


class TorchLoader:
    """Batches of a tusk.Loader, in its order, read by worker processes.

    loader: says which rows come, and in which order; made with `Loader.from_torch` in a distributed
        training. Its `transform` runs in the workers.
    num_workers: processes that read; 0 reads with the loader's threads in this one. The
        batches, their order and the state are the same for every number.
    to_tensors: turns each batch, as the loader hands it out, into tensors, in the threads that
        read. If not given, record batches become dicts of tensors (or one, of a single column;
        tusk.torch.data) and what a transform made stays.
    options: of torch.utils.data.DataLoader: pin_memory, prefetch_factor, multiprocessing_context,
        persistent_workers, timeout, worker_init_fn.

    Each worker holds `prefetch_factor` batches and the loader's `read_ahead`.

    Iterating, `set_epoch`, `state_dict` and `load_state_dict` are the loader's: the state counts
    batches that this process was handed, whatever workers have read ahead.
    """

    def __init__(self, loader, num_workers=0, *, to_tensors=None, **options):
        for name in _OWN:
            if name in options:
                raise TypeError(f"{name} follows from the loader: it cannot be given")
        if to_tensors is None and loader.transform is None:
            to_tensors = _to_tensor
        self.loader = loader
        # Where the next iteration begins, for workers that live longer than one.
        self._begin = torch.zeros(2, dtype=torch.int64).share_memory_()
        self._to_tensors = to_tensors
        self._options = {**options, "batch_size": None, "num_workers": num_workers}
        self._batches = self._make_batches()

    def _make_batches(self):
        steps = _Steps(self.loader, self._begin, self._to_tensors)
        return torch.utils.data.DataLoader(steps, **self._options)

    def __repr__(self):
        return f"<tusk.torch.TorchLoader of {self.loader!r}>"

    def __len__(self):
        return len(self.loader)

    @property
    def epoch(self):
        return self.loader.epoch

    def set_epoch(self, epoch):
        """Goes to the beginning of an epoch."""
        self.loader.set_epoch(epoch)

    def state_dict(self):
        """As Loader.state_dict."""
        return self.loader.state_dict()

    def load_state_dict(self, state):
        """As Loader.load_state_dict."""
        self.loader.load_state_dict(state)
        # Workers that live on would read the version from before.
        self._batches = self._make_batches()

    def __iter__(self):
        self.loader.find_rows()
        self._begin[0] = self.loader.epoch
        self._begin[1] = self.loader.position
        yield from self.loader.follow(self._batches)


class _Steps(torch.utils.data.IterableDataset):
    """(position, batch) of one worker's share of the steps."""

    def __init__(self, loader, begin, to_tensors):
        super().__init__()
        self._loader = loader
        self._begin = begin
        self._to_tensors = to_tensors

    def __iter__(self):
        worker = torch.utils.data.get_worker_info()
        number, count = (0, 1) if worker is None else (worker.id, worker.num_workers)
        epoch, position = self._begin.tolist()
        yield from self._loader.read_steps(epoch, position, number, count, self._to_tensors)
