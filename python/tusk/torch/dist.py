"""Which of how many processes this one is: of torch.distributed, and of a DataLoader's workers."""

from tusk._optional import require

dist = require("torch.distributed", "tusk.torch", "torch")
_data = require("torch.utils.data", "tusk.torch", "torch")


def _is_distributed():
    return dist.is_available() and dist.is_initialized()


def get_dist_world_size():
    """Processes of the training; 1 if it is not distributed."""
    return dist.get_world_size() if _is_distributed() else 1


def get_dist_rank():
    """The number of this process of the training; 0 if it is not distributed."""
    return dist.get_rank() if _is_distributed() else 0


def get_mp_world_size():
    """Workers of the DataLoader in one of which this runs; 1 outside."""
    worker = _data.get_worker_info()
    return 1 if worker is None else worker.num_workers


def get_mp_rank():
    """The number of the worker in which this runs; 0 outside."""
    worker = _data.get_worker_info()
    return 0 if worker is None else worker.id


def get_global_world_size():
    """Workers of all processes of the training together."""
    return get_dist_world_size() * get_mp_world_size()


def get_global_rank():
    """The number of this worker among all."""
    return get_dist_rank() * get_mp_world_size() + get_mp_rank()
