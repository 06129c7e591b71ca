"""Lance tables in PyTorch: datasets by pylance's names (`data`), a resumable loader (`loader`).

PyTorch is imported by what needs it, not by `import tusk.torch`.
"""

from tusk._optional import require


def preferred_device(device=None):
    """The torch.device of that name, or the best one here: CUDA, Apple's, or the processor."""
    torch = require("torch", "tusk.torch", "torch")
    if device is not None:
        return torch.device(device)
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_built() and torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")
