"""What the numbers of a run depend on: the machine, its state and the versions."""

import datetime
import os
import pathlib
import platform
import re
import subprocess
import threading
import time

import numpy as np


def _memcpy_rate(pairs):
    """Bytes copied per second, one thread for each pair of arrays, best of 5."""
    best = float("inf")
    for _ in range(5):
        workers = [threading.Thread(target=np.copyto, args=pair) for pair in pairs]
        begin = time.perf_counter()
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        best = min(best, time.perf_counter() - begin)
    return sum(target.nbytes for target, _ in pairs) / best


def _revision():
    """The commit of the sources, with + if they were changed since."""
    here = pathlib.Path(__file__).parent
    command = ["git", "-C", str(here), "describe", "--always", "--dirty=+", "--exclude=*"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    return answer.stdout.strip() if answer.returncode == 0 else "unknown"


def describe(copy_bytes):
    """The machine now; its memory's speed by copies of `copy_bytes`, which no cache should hold."""
    cpu = re.search(r"model name\s*:\s*(.*)", pathlib.Path("/proc/cpuinfo").read_text())
    memory = re.search(r"MemTotal:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text())
    cores = len(os.sched_getaffinity(0))
    load = os.getloadavg()[0]
    pairs = [(np.ones(copy_bytes, np.uint8), np.ones(copy_bytes, np.uint8)) for _ in range(cores)]
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "load": load,
        "cpu": cpu.group(1) if cpu else platform.machine(),
        "cores": cores,
        "memory": int(memory.group(1)) << 10,
        "kernel": platform.release(),
        "python": platform.python_version(),
        "revision": _revision(),
        "copy_bytes": copy_bytes,
        "memcpy": _memcpy_rate(pairs[:1]),
        "memcpy_all_cores": _memcpy_rate(pairs),
    }
