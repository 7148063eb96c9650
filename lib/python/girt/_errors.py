# SPDX-License-Identifier: MIT
"""Exceptions, and what each status of the C library becomes."""

from __future__ import annotations

import ctypes
import os
import queue
from typing import NoReturn, Optional

OK = 0
EMPTY = 1
FULL = 2
CLOSED = 3
TIMEOUT = 4
MISSING = 5
EXISTS = 6
LIMITED = 7
NEVER = 8
REJECTED = 9
E_INVALID = -1
E_NOMEM = -2
E_TOO_LARGE = -3
E_BUSY = -4
E_SYSTEM = -5
E_IO = -6
E_PROTOCOL = -7
E_CORRUPT = -8


class Error(Exception):
    """The base of all that this package raises of its own."""

    #: Of a batch that was put in part: how many went in.
    count = 0


class Closed(Error):
    """The object is closed, or nobody is left who could end the wait."""


class Timeout(Error, TimeoutError):
    """The time limit passed."""


class Empty(Error, queue.Empty):
    """There is nothing to take; also a ``queue.Empty``."""


class Full(Error, queue.Full):
    """There is no room; also a ``queue.Full``."""


class GetTimeout(Timeout, Empty):
    """Nothing came in time: a ``Timeout`` and an ``Empty``."""


class PutTimeout(Timeout, Full):
    """No room came in time: a ``Timeout`` and a ``Full``."""


class Limited(Error):
    """Over the limit for now.

    ``retry_after`` is when the same call may pass, in seconds from now;
    ``math.inf`` when it never will.
    """

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after

    def __reduce__(self) -> tuple[type[Limited], tuple[str, float]]:
        return type(self), (str(self), self.retry_after)


class Rejected(Error):
    """Turned away by a breaker that is open or a bulkhead that is full."""


class Corrupt(Error):
    """The data fails its checks."""


def fail(status: int, handle: Optional[int] = 1) -> NoReturn:
    """Raise what a failing status means; a handle of None means closed."""
    if handle is None:
        raise Closed("it is closed")
    if status == E_NOMEM:
        raise MemoryError("girt: out of memory")
    if status == E_INVALID:
        raise ValueError("girt: an argument is outside its range")
    if status in (E_TOO_LARGE, NEVER):
        raise ValueError("girt: larger than the maximum")
    if status == E_SYSTEM:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    if status == CLOSED:
        raise Closed("it is closed")
    if status == TIMEOUT:
        raise Timeout("the time limit passed")
    if status == REJECTED:
        raise Rejected("turned away")
    if status == E_BUSY:
        raise Error("in use: another object has the name, or the object")
    if status == E_CORRUPT:
        raise Corrupt("girt: the data fails its checks")
    raise Error(f"girt: status {status}")
