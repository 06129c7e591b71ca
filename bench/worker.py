"""A process that holds one implementation and does workloads when asked.

Worker is the end that asks; `_serve` runs in the process.
"""

import dataclasses
import gc
import importlib
import multiprocessing
import os
import re
import shutil
import signal
import statistics
import time


# A call that takes longer hangs.
_TIMEOUT_S = 600


class WorkerError(Exception):
    """A workload failed, or its process died."""


def _read_result(result):
    """Rows of a table, or of the batches that an iterator gives: these are dropped as they come.

    None of a write, which gives nothing.
    """
    if result is None:
        return 0
    if hasattr(result, "num_rows"):
        return result.num_rows
    return sum(batch.num_rows for batch in result)


def _memory():
    """Resident bytes of this process: now, and the most since the last reset."""
    with open("/proc/self/status") as status:
        found = dict(re.findall(r"(VmRSS|VmHWM):\s+(\d+) kB", status.read()))
    return int(found["VmRSS"]) << 10, int(found["VmHWM"]) << 10


def forget(path):
    """Lets the page cache forget a file, or all files of a folder."""
    files = [os.path.join(folder, name) for folder, _, names in os.walk(path) for name in names]
    for file in files or [path]:
        descriptor = os.open(file, os.O_RDONLY)
        try:
            # Only what the disk has can be forgotten.
            os.fdatasync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)


class _Server:
    def __init__(self, implementation, files):
        # Not at the top of the file: the asking process stays small.
        from implementations import IMPLEMENTATIONS

        self._name = implementation
        self._make = IMPLEMENTATIONS[implementation]
        self._files = files
        self._readers = {}
        self._writer = None
        self._input = None
        self._input_key = None

    def _operation(self, workload):
        if workload.operation == "write":
            self._writer = self._writer or self._make()
            return self._writer.write
        if workload.table not in self._readers:
            self._readers[workload.table] = self._make(self._files[workload.table])
        return getattr(self._readers[workload.table], workload.operation)

    def _opened_anew(self, workload):
        """The take of a reader that knows the pages of its file, but has no values in memory."""
        self._readers.pop(workload.table, None)
        operation = self._operation(workload)
        files = self._files[workload.table]
        rows = workload.table_rows(files)
        columns, _ = workload.arguments(files, 0)
        operation(columns, list(range(0, rows, max(1, rows // 64))))
        return operation

    def _arguments(self, workload, call):
        if workload.operation == "write":
            return self._table_to_write(workload), self._fresh_place(workload, call)
        return workload.arguments(self._files[workload.table], call)

    def _table_to_write(self, workload):
        """The workload's table in memory; the one before is dropped."""
        key = (workload.table, workload.columns)
        if self._input_key != key:
            import pyarrow as pa
            import pyarrow.feather

            self._input = None
            self._input = pyarrow.feather.read_table(
                self._files[workload.table].path("feather"),
                columns=None if workload.columns is None else list(workload.columns),
                memory_map=False,
            )
            self._input_key = key
            # What the reading has left would hide what the writing takes.
            pa.default_memory_pool().release_unused()
        return self._input

    def _written(self, workload, call):
        """What call number `call` writes: another folder each time, beside the table's files."""
        files = self._files[workload.table]
        folder = f"{files.folder}/written-{self._name}/{call}"
        return dataclasses.replace(files, folder=folder, first_data_file=None)

    def _fresh_place(self, workload, call):
        self.remove_written(workload)
        written = self._written(workload, call)
        os.makedirs(written.folder)
        return written.path(self._make.format)

    def remove_written(self, workload):
        """Removes what this implementation wrote of the workload's table, in earlier runs too."""
        folder = f"{self._files[workload.table].folder}/written-{self._name}"
        shutil.rmtree(folder, ignore_errors=True)

    def write(self, workload):
        """Does call 0 and leaves what it wrote: the Files, and the bytes of the data files."""
        self._operation(workload)(*self._arguments(workload, 0))
        written = self._written(workload, 0)
        return written, written.data_size(self._make.format)

    def read_back(self, reader, written):
        """Digest of what stands in the Files `written`, by the reader of that name."""
        from answers import digest
        from implementations import IMPLEMENTATIONS

        return digest(IMPLEMENTATIONS[reader](written).scan(None))

    def check(self, workload, is_reference):
        """Digest and Arrow bytes of the answer to call 0."""
        import pyarrow as pa
        from answers import digest

        result = self._operation(workload)(*self._arguments(workload, 0))
        if not isinstance(result, pa.Table):
            result = pa.Table.from_batches(list(result))
        if is_reference and workload.rows is None:
            result = result.slice(0, workload.table_rows(self._files[workload.table]))
        return digest(result), result.nbytes

    def measure(self, workload, first_call, seconds):
        """One round: calls until `seconds` are over, at least one."""
        operation = self._operation(workload)
        walls, cpus = [], []
        gc.collect()
        gc.disable()
        end = time.perf_counter() + seconds
        while not walls or time.perf_counter() < end:
            arguments = self._arguments(workload, first_call + len(walls))
            if workload.is_cold:
                operation = self._opened_anew(workload)
                forget(self._files[workload.table].path(self._make.format))
            cpu = time.process_time()
            wall = time.perf_counter()
            result = operation(*arguments)
            _read_result(result)
            walls.append(time.perf_counter() - wall)
            cpus.append(time.process_time() - cpu)
            del result
            if workload.operation == "write":
                self.remove_written(workload)
        gc.enable()
        return {
            "calls": len(walls),
            "median": statistics.median(walls),
            "best": min(walls),
            "worst": max(walls),
            "cpu": statistics.mean(cpus),
        }

    def measure_memory(self, workload):
        """What one call adds to the resident memory of a process that has opened its reader.

        For a write: that holds the table it writes.
        """
        operation = self._operation(workload)
        arguments = self._arguments(workload, 0)
        reader = self._readers.get(workload.table)
        requests = getattr(reader, "io", lambda: None)
        requests()
        with open("/proc/self/clear_refs", "w") as reset:
            reset.write("5")
        before, _ = _memory()
        result = operation(*arguments)
        _read_result(result)
        _, peak = _memory()
        if workload.operation == "write":
            self.remove_written(workload)
        return {"before": before, "peak": peak, "added": peak - before, "requests": requests()}

    def versions(self):
        found = {}
        for name in self._make.modules:
            found[name] = importlib.import_module(name).__version__
        return found


def _serve(connection, implementation, files):
    server = _Server(implementation, files)
    while True:
        try:
            command, *arguments = connection.recv()
        except EOFError:
            return
        try:
            connection.send((True, getattr(server, command)(*arguments)))
        except Exception as error:
            connection.send((False, f"{type(error).__name__}: {error}"))


class Worker:
    """The process of one implementation, started when first asked and again after it died."""

    _context = multiprocessing.get_context("spawn")

    def __init__(self, implementation, files):
        self.implementation = implementation
        self._files = files
        self._process = None
        self._connection = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _start(self):
        self._connection, other_end = self._context.Pipe()
        self._process = self._context.Process(
            target=_serve, args=(other_end, self.implementation, self._files), daemon=True
        )
        self._process.start()
        other_end.close()

    def ask(self, command, *arguments):
        """What the method `command` of _Server gives."""
        if self._process is None:
            self._start()
        try:
            self._connection.send((command, *arguments))
            if not self._connection.poll(_TIMEOUT_S):
                self._process.kill()
                self.close()
                raise WorkerError(f"no answer within {_TIMEOUT_S} s")
            done, answer = self._connection.recv()
        except (EOFError, ConnectionError):
            code = self.close()
            why = signal.Signals(-code).name if code < 0 else f"exit code {code}"
            raise WorkerError(f"the process died ({why})") from None
        if not done:
            raise WorkerError(answer)
        return answer

    def close(self):
        """Ends the process, if there is one; gives its exit code."""
        if self._process is None:
            return None
        self._connection.close()
        self._process.join()
        code = self._process.exitcode
        self._process = None
        return code
