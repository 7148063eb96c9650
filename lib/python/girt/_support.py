# SPDX-License-Identifier: MIT
"""What the classes share: handles, keys, times, clocks, forks."""

from __future__ import annotations

import atexit
import ctypes
import gc
import math
import os
import sys
import threading
import weakref
from typing import (Any, Callable, Iterable, NoReturn, Optional, Protocol,
                    SupportsIndex, TypeVar, Union)

from . import _binding as c
from ._errors import OK, fail

#: What keys may be; a str stands for its UTF-8 bytes.
Key = Union[bytes, str, bytearray, memoryview]

#: Serializes C calls that hold a lock with the interpreter's lock released,
#: so that no fork can fall between: os.fork waits for them.
fork_gate = threading.RLock()


def key_bytes(key: Key) -> bytes:
    """The bytes of a key; TypeError for what is no key."""
    if type(key) is bytes:
        return key
    if isinstance(key, str):
        return key.encode()
    if isinstance(key, (bytes, bytearray, memoryview)):
        return bytes(key)
    raise TypeError(f"a key is bytes or str, not {type(key).__name__}")


def nanoseconds(seconds: Optional[float], what: str, none: int = c.FOREVER
                ) -> int:
    """Seconds as the library's time; None is ``none``."""
    if seconds is None:
        return none
    if not isinstance(seconds, (int, float)):
        raise TypeError(f"{what} is a number of seconds, not "
                        f"{type(seconds).__name__}")
    if math.isnan(seconds) or seconds < 0:
        raise ValueError(f"{what} must not be negative")
    if seconds >= c.FOREVER / 1e9:
        return c.FOREVER
    return round(seconds * 1e9)


def seconds_of(ns: int) -> float:
    """The library's time as seconds; its forever is infinite."""
    return math.inf if ns == c.FOREVER else ns / 1e9


def whole(number: int, what: str, least: int, most: int = 2 ** 64 - 1) -> int:
    """An integer within bounds, or ValueError, or TypeError."""
    if not isinstance(number, int):
        raise TypeError(f"{what} is an int, not {type(number).__name__}")
    if not least <= number <= most:
        raise ValueError(f"{what} must be {least} .. {most}")
    return number


def choice(word: str, words: tuple[str, ...], what: str) -> int:
    """The number of a word."""
    if word not in words:
        raise ValueError(f"{what} is one of {', '.join(words)}")
    return words.index(word)


def part_maker(maker: Any, shared: Optional[Segment], name: Optional[str],
               has_options: bool = True
               ) -> Callable[[int, Optional[int]], int]:
    """Of a C function that finds a part of a segment or makes it, one that
    looks like those that create."""
    if not hasattr(shared, "handle") or shared is None:
        raise TypeError("shared is a girt.Shared or None")
    if name is None:
        raise ValueError("what is shared needs a name")
    encoded = name.encode()
    if b"\0" in encoded:
        raise ValueError("a name holds no zero byte")
    handle = shared.handle()

    def make(out: int, options: Optional[int]) -> int:
        status: int = (maker(out, handle, encoded, options) if has_options
                       else maker(out, handle, encoded))
        return status
    return make


def fill_name(options: Any, name: Optional[str],
              metrics: Optional[Reporting]) -> Any:
    """Sets an options struct's name, and where the object reports to; answers
    what is to be kept."""
    if name is not None:
        encoded = name.encode()
        if b"\0" in encoded:
            raise ValueError("a name holds no zero byte")
        options.name = encoded
    if metrics is None:
        return None
    if name is None:
        raise ValueError("an object that reports to metrics needs a name")
    if not hasattr(metrics, "handle"):
        raise TypeError("metrics is a girt.Metrics or None")
    handle = metrics.handle()
    options.metrics = handle
    return handle


class Reporting(Protocol):
    """A girt.Metrics."""

    def handle(self) -> int:
        """Its C object; Closed when it is closed."""


class Segment(Protocol):
    """A girt.Shared."""

    def handle(self) -> int:
        """Its C object; Closed when it is closed."""


class ManualClock:
    """A clock that stands still until it is moved, for tests.

    >>> clock = ManualClock()
    >>> clock.advance(1.5)
    >>> clock.now
    1.5
    """

    def __init__(self, now: float = 0.0) -> None:
        self._now_ns = ctypes.c_int64(nanoseconds(now, "now"))
        self._lock = threading.Lock()

    @property
    def now(self) -> float:
        """What it shows, in seconds."""
        return self._now_ns.value / 1e9

    def advance(self, seconds: float) -> None:
        """Moves it forward."""
        step = nanoseconds(seconds, "seconds")
        with self._lock:
            now = self._now_ns.value + step
            if now > c.FOREVER:
                raise ValueError("the clock would pass its end")
            self._now_ns.value = now

    def now_ns(self) -> int:
        """What it shows, in nanoseconds."""
        return self._now_ns.value

    def fill(self, clock: c.Clock) -> Any:
        """Makes a C clock of it; answers what that points to."""
        c.call.clock_manual(ctypes.addressof(clock),
                            ctypes.addressof(self._now_ns))
        return self._now_ns


def fill_clock(options: Any, clock: Optional[ManualClock]) -> Any:
    """Sets the clock of an options struct; answers what is to be kept."""
    if clock is None:
        return None
    if not isinstance(clock, ManualClock):
        raise TypeError("clock is a girt.ManualClock or None")
    return clock.fill(options.clock)


# ---- handles ----

class _Sections(threading.local):
    """Whether this thread is inside a read section of the library."""
    depth = 0


sections = _Sections()
class NotCopied:
    """The base of what can be neither copied nor pickled."""

    __slots__ = ()

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError(f"a girt.{type(self).__name__} cannot be copied or "
                        "pickled")


class Handle(int):
    """A C object: its address, destroyed when nobody can use it any more.

    A call holds a reference to the handle that it was made with, so none is
    destroyed under it.  In a cycle that the garbage collector finds,
    finalizers run in any order, and those of others may still use the object:
    it is then destroyed when the collector has done.  Nothing is destroyed
    once the interpreter exits, when modules fall apart in any order.
    """

    __slots__ = ()
    #: The C function.
    destroy: Callable[[int], None]

    def end(self, keep: tuple[Any, ...]) -> None:
        """Destroys it; what it points to is still there."""
        self.destroy(int(self))

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        # A copy would destroy it a second time.
        raise TypeError("an object of girt cannot be pickled or copied deeply")

    def __del__(self) -> None:
        # Destroying waits for read sections: never from inside one, where
        # the collector may have found us.
        if sections.depth or sys.getrefcount(self) > _alone:
            _dying.append(self)
        elif not _exiting:
            self.end(_kept.pop(int(self), ()))


# What C objects point to, by their addresses.
_kept: dict[int, tuple[Any, ...]] = {}
# Those that something still referred to when they were finalized.
_dying: list[Handle] = []
_exiting = False


def bury(phase: str = "stop", _: Any = None) -> None:
    """Destroys those that nothing refers to any more."""
    if phase != "stop" or not _dying or sections.depth or _exiting:
        return
    alive = []
    try:
        while True:
            handle = _dying.pop()
            if sys.getrefcount(handle) > 2:  # here, and as an argument
                alive.append(handle)
            else:
                handle.end(_kept.pop(int(handle), ()))
    except IndexError:  # all were looked at, by us or by another thread
        _dying.extend(alive)


def _at_exit() -> None:
    global _exiting
    _exiting = True


class _Probe:
    """Counts the references to an object that dies while it is finalized."""

    seen = 0

    def __del__(self) -> None:
        _Probe.seen = sys.getrefcount(self)


_Probe()
_alone = _Probe.seen
gc.callbacks.append(bury)
atexit.register(_at_exit)

H = TypeVar("H", bound=Handle)


def create(kind: type[H], maker: Callable[[int, Optional[int]], int],
           options: Any, *keep: Any) -> H:
    """Makes a C object of its options struct; ``keep`` outlives it."""
    bury()
    out = ctypes.c_void_p()
    status = maker(ctypes.addressof(out), ctypes.addressof(options))
    if status != OK or out.value is None:
        fail(status)
    _kept[out.value] = keep
    return kind(out.value)


# ---- keys for batches ----

def packed(keys: Iterable[Key]) -> c.Keys:
    """Keys as the library's batches take them, joined by zero bytes."""
    listed = keys if isinstance(keys, (list, tuple)) else list(keys)
    try:
        joined = "\0".join(listed).encode()
    except TypeError:
        try:
            joined = b"\0".join(listed)
        except (TypeError, BufferError):
            return sized(listed)
    return c.Keys(joined, len(joined), None, len(listed))


def sized(keys: Iterable[Key]) -> c.Keys:
    """The same for keys that may hold zero bytes."""
    pieces = list(map(key_bytes, keys))
    sizes = (ctypes.c_uint32 * len(pieces))(*map(len, pieces))
    joined = b"".join(pieces)
    packed = c.Keys(joined, len(joined), ctypes.addressof(sizes), len(pieces))
    packed.keep = sizes  # the struct has its address only
    return packed


# ---- forks ----

_survivors: weakref.WeakSet[Any] = weakref.WeakSet()


def survives_fork(thing: Any) -> None:
    """Has ``thing._after_fork()`` called in the child of each fork."""
    _survivors.add(thing)


def _in_child() -> None:
    fork_gate.release()
    for thing in list(_survivors):
        thing._after_fork()


os.register_at_fork(before=fork_gate.acquire,
                    after_in_parent=fork_gate.release,
                    after_in_child=_in_child)
