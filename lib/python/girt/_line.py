# SPDX-License-Identifier: MIT
"""Lines of threads and coroutines that wait for their turn.

Nothing waits inside the C library: who cannot go on gets in line here, looks
once more (so that no wake-up falls between), and sleeps on a lock or a future.
So a wait ends at Ctrl-C, a fork meets no thread inside a C call, and the
interpreter's exit can tell that nobody is left who would wake anybody.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from typing import Optional, Protocol

from ._errors import Closed

#: Seconds between two looks for the interpreter's exit.
_SLICE = 0.25

#: Threads that wait without limit, and that nobody has woken yet.
_blocked: set[int] = set()


def forget_threads() -> None:
    """In a fork's child: the threads that waited are not there."""
    _blocked.clear()


def _nobody_left() -> bool:
    """The main thread has ended, and all that keep the process wait here."""
    if threading.main_thread().is_alive():
        return False
    return all(thread.daemon or thread.ident in _blocked
               for thread in threading.enumerate()
               if thread is not threading.main_thread())


def deadline_left(deadline: float) -> float:
    """Seconds until a deadline, at least 0."""
    return max(0.0, deadline - time.monotonic())


class Waiter(Protocol):
    """One place in a line."""

    def wake(self) -> bool:
        """Ends the wait, once; False: there is nobody to wake."""


class ThreadWaiter:
    """A thread in line."""

    __slots__ = ("_lock", "_thread")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lock.acquire()
        self._thread = threading.get_ident()

    def wake(self) -> bool:
        """Ends the wait."""
        _blocked.discard(self._thread)
        self._lock.release()
        return True

    def wait(self, deadline: Optional[float]) -> bool:
        """True: woken; False: the deadline has passed."""
        if deadline is not None:
            left = deadline_left(deadline)
            while left > threading.TIMEOUT_MAX:
                if self._lock.acquire(timeout=threading.TIMEOUT_MAX):
                    return True
                left = deadline - time.monotonic()
            return self._lock.acquire(timeout=left)
        current = threading.current_thread()
        if current is threading.main_thread() or current.daemon:
            return self._lock.acquire()
        _blocked.add(self._thread)
        try:
            while not self._lock.acquire(timeout=_SLICE):
                if _nobody_left():
                    raise Closed("the program ends, and nobody is left who "
                                 "could end this wait")
            return True
        finally:
            _blocked.discard(self._thread)


def _resolve(future: asyncio.Future[bool], value: bool) -> None:
    if not future.done():
        future.set_result(value)


class TaskWaiter:
    """A coroutine in line."""

    __slots__ = ("_loop", "_future")

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._future: asyncio.Future[bool] = self._loop.create_future()

    def wake(self) -> bool:
        """Ends the wait, from any thread."""
        try:
            self._loop.call_soon_threadsafe(_resolve, self._future, True)
        except RuntimeError:  # its loop is closed
            return False
        return True

    async def wait(self, deadline: Optional[float]) -> bool:
        """True: woken; False: the deadline has passed."""
        if deadline is None:
            return await self._future
        timer = self._loop.call_later(deadline_left(deadline), _resolve,
                                      self._future, False)
        try:
            return await self._future
        finally:
            timer.cancel()


class Line(deque):  # type: ignore[type-arg]
    """First come, first woken.  True while somebody waits."""

    __slots__ = ()

    def join(self, waiter: Waiter, first: bool) -> None:
        """Takes a place at the end, or at the head."""
        if first:
            self.appendleft(waiter)
        else:
            self.append(waiter)

    def leave(self, waiter: Waiter) -> bool:
        """Gives a place up; False: it has been woken already."""
        try:
            self.remove(waiter)
        except ValueError:
            return False
        return True

    def wake(self, count: int = 1) -> None:
        """Wakes the first ones."""
        while count > 0:
            try:
                waiter = self.popleft()
            except IndexError:
                return
            if waiter.wake():
                count -= 1

    def wake_all(self) -> None:
        """Wakes everybody."""
        self.wake(len(self))


def deadline_of(timeout: Optional[float]) -> Optional[float]:
    """The instant when a wait of so many seconds ends; None: never."""
    if timeout is None:
        return None
    if not isinstance(timeout, (int, float)):
        raise TypeError("a timeout is a number of seconds or None")
    if not timeout >= 0:
        raise ValueError("a timeout must not be negative")
    deadline = time.monotonic() + timeout
    return None if deadline == float("inf") else deadline
