"""A small thread pool for independent heavy operations that release the GIL (fft, sort, copies).

Invariant: a job runs with the context variables (such as NumPy's errstate) and the floating-point
environment of its submitter. A thread that waits for a job that no worker has begun runs it itself,
so a region never depends on a free worker. Workers start when first needed and do not survive a
fork. `exec.jobs.parallel` decides which nodes become jobs.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextvars import Context, copy_context
from typing import TYPE_CHECKING, Any

from dyntrace.exec import environment, machine_resources

if TYPE_CHECKING:
    from queue import SimpleQueue

__all__ = ["Job", "drain", "get_num_threads", "set_num_threads", "submit"]

LARGE = 256 * 1024  # bytes of the first array operand from which another thread pays


class Job:
    """One submitted call; `wait` returns its result or raises its exception."""

    __slots__ = (
        "arguments",
        "begun",
        "context",
        "done",
        "environment",
        "error",
        "function",
        "keywords",
        "result",
    )

    def __init__(
        self, function: Callable[..., Any], arguments: tuple[Any, ...], keywords: dict[str, Any]
    ) -> None:
        self.function = function
        self.keywords = keywords
        self.arguments = arguments
        self.context: Context = copy_context()
        self.environment = environment.save()
        self.begun = threading.Lock()
        self.done = threading.Lock()
        self.done.acquire()
        self.result: Any = None
        self.error: BaseException | None = None

    def run(self) -> None:
        """Run the job unless another thread has begun it."""
        if not self.begun.acquire(blocking=False):
            return
        try:
            environment.restore(self.environment)
            self.result = self.context.run(self.function, *self.arguments, **self.keywords)
        except BaseException as error:  # `wait` raises it
            self.error = error
        finally:
            self.arguments, self.keywords = (), {}
            self.done.release()

    def finish(self) -> None:
        """Return when the job is over."""
        self.run()
        with self.done:
            return

    def wait(self) -> Any:
        """Return the result or raise the exception; the job does not keep the exception."""
        self.finish()
        error, self.error = self.error, None
        try:
            if error is not None:
                raise error
            return self.result
        finally:
            del error


class _Pool:
    """Daemon threads that take jobs from one queue."""

    def __init__(self) -> None:
        self.size = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else _count()
        self.reset()

    def reset(self) -> None:
        """Forget all workers; a forked child has none."""
        self.lock = threading.Lock()
        self.queue: SimpleQueue[Job | None] | None = None
        self.workers = 0

    def put(self, job: Job) -> None:
        with self.lock:
            jobs = self._jobs()
            if self.workers < self.size - 1:
                self.workers += 1
                threading.Thread(target=self._work, name="dyntrace", daemon=True).start()
        jobs.put(job)

    def _jobs(self) -> SimpleQueue[Job | None]:
        """The queue; the first job creates it."""
        if self.queue is None:
            from queue import SimpleQueue

            self.queue = SimpleQueue()
        return self.queue

    def resize(self, size: int) -> None:
        with self.lock:
            surplus = max(0, self.workers - (size - 1))
            self.size = size
            self.workers -= surplus
        for _ in range(surplus):
            self._jobs().put(None)

    def _work(self) -> None:
        queue = self._jobs()
        while (job := queue.get()) is not None:
            job.run()
            del job


def _count() -> int:
    return os.cpu_count() or 1


_POOL = _Pool()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_POOL.reset)


def set_num_threads(n: int) -> None:
    """Let graphs use at most `n` threads, the caller's included; BLAS keeps its own setting.

    Raises TypeError if `n` is not an int, ValueError if it is below 1.
    """
    if type(n) is not int:
        raise TypeError(f"n must be an int, not {type(n).__name__}")
    if n < 1:
        raise ValueError(f"n must be at least 1, not {n}")
    _POOL.resize(n)
    machine_resources.set_threads(n)


def get_num_threads() -> int:
    """How many threads a graph may use; the default is the CPUs this process may run on."""
    return _POOL.size


def submit(
    jobs: list[Job], function: Callable[..., Any], /, *arguments: Any, **keywords: Any
) -> Any:
    """A Job for the call, appended to `jobs`; the call's result if there is no other thread."""
    if _POOL.size < 2 or not environment.is_available():
        return function(*arguments, **keywords)
    job = Job(function, arguments, keywords)
    jobs.append(job)
    _POOL.put(job)
    return job


def drain(jobs: list[Job]) -> None:
    """Cancel the jobs that no thread has begun, and wait for the others."""
    for job in jobs:
        if job.begun.acquire(blocking=False):
            job.arguments, job.keywords = (), {}
            continue
        with job.done:
            job.error = None  # its traceback would keep the job, and the arrays, in a cycle
