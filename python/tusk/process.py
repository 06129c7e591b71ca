"""What this process has read and what its processor can, in the names of pylance."""

import platform

from tusk import _tusk

# Instructions that make up a tier, best first.
_TIERS = {"avx512": "avx512f", "avx2": "avx2", "sse4.2": "sse4.2", "sse2": "sse2", "neon": "neon"}


def bytes_read_counter():
    """The bytes that all tables and files of this process have read so far."""
    return _tusk.process_reads()[0]


def iops_counter():
    """The requests in which they were read."""
    return _tusk.process_reads()[1]


def simd_info():
    """The vector instructions of the processor: {"tier", "target_arch", "host_features"}."""
    features = _tusk.vector_instructions()
    tier = next((name for name, least in _TIERS.items() if least in features), "none")
    return {"tier": tier, "target_arch": platform.machine(), "host_features": features}
