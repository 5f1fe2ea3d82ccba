"""The thread that compiles machine code while the program runs.

It starts with the first job and ends when none is left, so an idle program has no thread more. It
is not one of `threading`'s, so that the program does not see it. Invariants: a job's outcome is
delivered on that thread; after `fork` the child has no jobs; the interpreter does not exit while
LLVM works. Read `exec.kernels.llvm` for what a job does.
"""

from __future__ import annotations

import _thread
import atexit
import os
from collections import deque
from collections.abc import Callable
from typing import Any

from dyntrace import incidents

__all__ = ["pending", "submit", "wait_until_idle"]

Job = Callable[[], None]
MAX_WAIT = 5.0  # seconds that an exit waits for the job at work


class _Queue:
    """Jobs in order; `working` is held while one runs."""

    def __init__(self) -> None:
        self.jobs: deque[Job] = deque()
        self.lock = _thread.allocate_lock()
        self.working = _thread.allocate_lock()
        self.running = False
        self.closed = False

    def submit(self, job: Job) -> bool:
        """Have `job` run; False if the interpreter is about to exit."""
        with self.lock:
            if self.closed:
                return False
            self.jobs.append(job)
            if self.running:
                return True
            self.running = True
        try:
            _thread.start_new_thread(self._work, ())
        except RuntimeError:  # no more threads: the job waits for the next submission
            with self.lock:
                self.running = False
        return True

    def _next(self) -> Job | None:
        with self.lock:
            if self.jobs and not self.closed:
                return self.jobs.popleft()
            self.running = False
            return None

    def _work(self) -> None:
        while True:
            self.working.acquire()
            try:
                job = self._next()
                if job is None:
                    return
                job()
            except Exception as error:
                incidents.note(error, "while compiling a loop", "CPython runs it", None)
            finally:
                self.working.release()

    def close(self) -> None:
        """Take no more jobs, and wait for the one at work."""
        with self.lock:
            self.closed = True
            self.jobs.clear()
        if self.working.acquire(timeout=MAX_WAIT):
            self.working.release()


_queue = _Queue()


def submit(job: Job) -> bool:
    """Run `job` on the thread that compiles; False if that is not possible any more."""
    return _queue.submit(job)


def pending() -> bool:
    """Whether a job waits or runs."""
    return _queue.running


def wait_until_idle() -> None:
    """Return when no job waits or runs: for tests and reports."""
    while _queue.running:
        with _queue.working:
            pass
        _thread_yield()


def _thread_yield() -> None:
    os.sched_yield()


def _before_fork() -> None:
    _queue.working.acquire()


def _after_fork_in_parent() -> None:
    _queue.working.release()


def _after_fork_in_child() -> None:
    global _queue
    _queue = _Queue()


def _exit() -> None:
    _queue.close()


def _register(*hooks: Any) -> None:
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=_after_fork_in_parent,
        after_in_child=_after_fork_in_child,
    )
    atexit.register(_exit)


_register()
