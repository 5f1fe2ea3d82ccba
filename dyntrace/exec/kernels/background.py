"""The thread that compiles machine code while the program runs.

It starts with the first job and ends when none is left, so an idle program has no thread more. It
is not one of `threading`'s, so that the program does not see it. Invariants: a job's outcome is
delivered on that thread; after `fork` the jobs that wait are the child's too; the interpreter does
not exit while LLVM works. Read `exec.kernels.llvm` for what a job does.
"""

from __future__ import annotations

import _thread
import atexit
import os
from collections.abc import Callable
from typing import Any

from dyntrace import incidents

__all__ = ["pending", "resume", "submit", "wait_until_idle"]

Job = Callable[[], None]
MAX_WAIT = 5.0  # seconds that an exit waits for the job at work
MAX_YIELDS = 1000  # that a fork waits for the operating system to see that the thread has ended


class _Queue:
    """Jobs in order; `working` is held while one runs.

    running  whether there is a thread
    paused   whether a process is about to fork: no job is begun
    worker   the thread's number in the operating system
    """

    def __init__(self) -> None:
        self.jobs: list[Job] = []
        self.lock = _thread.allocate_lock()
        self.working = _thread.allocate_lock()
        self.running = self.paused = self.closed = False
        self.worker = 0

    def submit(self, job: Job) -> bool:
        """Have `job` run; False if the interpreter is about to exit."""
        if self.closed:
            return False
        self.jobs.append(job)
        self.resume()
        return True

    def resume(self) -> None:
        """Start a thread if there is none and jobs wait."""
        with self.lock:
            if self.running or self.paused or self.closed or not self.jobs:
                return
            self.running = True
        try:
            _thread.start_new_thread(self._work, ())
        except RuntimeError:  # no more threads: the jobs wait for the next call
            with self.lock:
                self.running = False

    def pause(self) -> None:
        """Wait for the job at work, and for the end of the thread. `resume` starts one again."""
        if _thread.get_native_id() == self.worker:  # a job forks: it runs on in the parent
            return
        with self.lock:
            self.paused = True
        while self.running:
            with self.working:
                pass
            os.sched_yield()
        for _ in range(MAX_YIELDS):
            if not os.path.exists(f"/proc/self/task/{self.worker}"):
                return
            os.sched_yield()

    def _next(self) -> Job | None:
        with self.lock:
            if self.jobs and not (self.closed or self.paused):
                return self.jobs.pop(0)
            self.running = False
            return None

    def _work(self) -> None:
        self.worker = _thread.get_native_id()
        try:
            while self._run_next():
                pass
        except BaseException:  # of the report of an error: the next submission starts a thread
            with self.lock:
                self.running = False
            raise

    def _run_next(self) -> bool:
        with self.working:
            job = self._next()
            if job is None:
                return False
            try:
                job()
            except Exception as error:
                incidents.note(error, "while compiling a loop", "CPython runs it", None)
            return True

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


def resume() -> None:
    """Go on with jobs that wait since a fork."""
    _queue.resume()


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
    # CPython warns of a fork beside other threads: the program has not started this one.
    _queue.pause()


def _after_fork_in_parent() -> None:
    _queue.paused = False  # a thread that begins here would be warned of: `resume` starts it


def _after_fork_in_child() -> None:
    global _queue
    waiting = _queue.jobs
    _queue = _Queue()
    _queue.jobs = waiting  # `resume` starts a thread


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
