"""Results that are computed before they are asked for."""

import collections
import concurrent.futures
import itertools


def read_ahead(function, tasks, threads, ahead):
    """What `function` gives for each of the `tasks`, in their order.

    threads: how many of ours compute; started at the first result, ended with the last one, or when
        the generator is closed or collected.
    ahead: how many results beyond the one handed out are there or being computed. If 0, the
        calling thread computes.

    What a function raises comes when its result is due, and ends the generator.
    """
    if ahead == 0:
        yield from map(function, tasks)
        return
    tasks = iter(tasks)
    # Ends of the program wait for these threads, and so for what each is computing.
    pool = concurrent.futures.ThreadPoolExecutor(threads, thread_name_prefix="tusk-read-ahead")
    due = collections.deque()
    try:
        for task in itertools.islice(tasks, ahead):
            due.append(pool.submit(function, task))
        while due:
            # Reaches the caller alone: whoever drops it frees it.
            result = due.popleft().result()
            for task in itertools.islice(tasks, 1):
                due.append(pool.submit(function, task))
            yield result
            del result
    finally:
        pool.shutdown(cancel_futures=True)
