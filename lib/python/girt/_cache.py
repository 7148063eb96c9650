# SPDX-License-Identifier: MIT
"""Cache: girt_cache, with Python values."""

from __future__ import annotations

import asyncio
import ctypes
import functools
import inspect
import os
import pickle
import threading
from typing import (Any, Callable, NamedTuple, Optional, TypeVar, cast)

from . import _binding as c
from ._errors import (E_BUSY, E_IO, E_SYSTEM, E_TOO_LARGE, MISSING, OK,
                      TIMEOUT, Error, Timeout, fail)
from ._line import deadline_left, deadline_of
from ._support import (Handle, Key, ManualClock, NotCopied, Reporting, choice,
                       create, fill_clock, fill_name, fork_gate, key_bytes,
                       nanoseconds, survives_fork, whole)

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")

# The first byte of an entry says what follows.
_BYTES, _PICKLE = b"b", b"p"
_NOTHING: Any = object()

#: A wait for another's loader is cut into pieces, so that Ctrl-C ends it.
_SLICE_NS = 50_000_000


class LoadFailed(Error):
    """The loader that this call waited for, in another thread, failed."""


class Stats(NamedTuple):
    """What a cache has done, and what it holds."""

    hits: int
    misses: int
    stale_hits: int
    loads: int
    load_failures: int
    joined: int
    evictions: int
    expirations: int
    entries: int
    bytes: int


class _CacheHandle(Handle):
    __slots__ = ()
    destroy = staticmethod(c.call.cache_destroy)


class _Scratch(threading.local):
    """Where C writes for this thread; and the load that a loader works for."""

    def __init__(self) -> None:
        self.cached = c.Cached()
        self.at = ctypes.addressof(self.cached)
        self.load: Any = None


_scratch = _Scratch()


class Cache(NotCopied):
    """A cache bounded by bytes, whose entries expire, filled once however
    many ask.

    A key is bytes, or a str, which stands for its UTF-8.  Values are bytes,
    kept as they are, or anything that pickle can do: what comes out is a copy.

    >>> cache = Cache(max_bytes=1 << 20, ttl=60)
    >>> cache.set("answer", {"is": 42})
    >>> cache.get("answer")
    {'is': 42}
    >>> @cache.cached()
    ... def square(x):
    ...     print("computing")
    ...     return x * x
    >>> square(7), square(7)
    computing
    (49, 49)

    max_bytes counts keys, values and overhead together and is never exceeded.
    ``stale``: this long after its expiry a value is still given to all but the
    one who loads it anew.  ``missing_ttl``: how long load remembers that its
    loader raised KeyError.  policy: default, s3fifo, sieve, lru or tinylfu.

    Any threads may use it at once.  After a fork both sides have the entries,
    but the child starts empty if another thread was loading at that moment.
    """

    def __init__(self, max_bytes: int = 64 << 20, *,
                 ttl: Optional[float] = None, stale: float = 0.0,
                 missing_ttl: float = 0.0, max_entries: int = 0,
                 policy: str = "default", shards: int = 0,
                 clock: Optional[ManualClock] = None,
                 name: Optional[str] = None,
                 metrics: Optional[Reporting] = None) -> None:
        self._options = c.CacheOptions(
            bytes_max=whole(max_bytes, "max_bytes", 1),
            entries_max=whole(max_entries, "max_entries", 0),
            ttl_ns=_ttl(ttl), stale_ns=nanoseconds(stale, "stale"),
            missing_ttl_ns=nanoseconds(missing_ttl, "missing_ttl"),
            policy=choice(policy, c.CACHE_POLICIES, "policy"),
            shards=whole(shards, "shards", 0))
        self._keep = (fill_clock(self._options, clock),
                      fill_name(self._options, name, metrics))
        self._handle: Optional[int] = None
        self._loading = 0  # calls in C without the interpreter's lock
        self._lock = threading.Lock()
        self._tasks: dict[Any, asyncio.Task[Any]] = {}
        self._begin()
        survives_fork(self)

    def __repr__(self) -> str:
        return f"<girt.Cache of {len(self)}>"

    # ---- entries ----

    def get(self, key: Key, default: Any = None) -> Any:
        """The value of a key, or the default."""
        found = self._find(key_bytes(key))
        return default if found is _NOTHING else _decoded(found[0])

    def set(self, key: Key, value: Any, ttl: Optional[float] = None) -> None:
        """Stores a value; ttl None: as the cache's.

        ValueError when it is too large for the cache.
        """
        key = key_bytes(key)
        entry = _encoded(value)
        status = c.call.cache_put(self._handle, key, len(key), entry,
                                  len(entry), _ttl(ttl))
        if status != OK:
            fail(status, self._handle)

    def delete(self, key: Key) -> bool:
        """Removes a key; whether it was there."""
        key = key_bytes(key)
        status = c.call.cache_remove(self._handle, key, len(key))
        if status not in (OK, MISSING):
            fail(status, self._handle)
        return bool(status == OK)

    def load(self, key: Key, loader: Callable[[], T], *,
             ttl: Optional[float] = None,
             timeout: Optional[float] = None) -> T:
        """The value of a key; calls the loader when it is not there.

        Of all who ask at once exactly one runs its loader, the others wait
        for what it brings, up to ``timeout`` seconds (then Timeout).  What
        the loader raises is raised to the one who ran it, and LoadFailed from
        it to those who waited; a KeyError means that there is no such thing,
        and is raised to all.
        """
        key = key_bytes(key)
        found = self._find(key)
        if found is not _NOTHING and not found[1]:
            return cast(T, _decoded(found[0]))
        return cast(T, self._load(key, loader, _ttl(ttl), timeout))

    def cached(self, ttl: Optional[float] = None, *,
               key: Optional[Callable[..., Key]] = None,
               timeout: Optional[float] = None) -> Callable[[F], F]:
        """A decorator: keeps what a function answers, for plain functions and
        for coroutines; of several equal calls at once one runs it.

        The key is made of the function's name and arguments, by pickle; or
        ``key`` makes it of the arguments: for methods, say.  The decorated function has
        ``invalidate(*arguments)``.
        """
        life = _ttl(ttl)

        def decorate(function: F) -> F:
            name = f"{function.__module__}.{function.__qualname__}"

            def key_of(*arguments: Any, **named: Any) -> bytes:
                if key is not None:
                    return name.encode() + b"\0" + key_bytes(
                        key(*arguments, **named))
                # Each by itself: a pickle of several tells equal objects
                # from one object that is there twice.
                pieces = [f"{name}\0{len(arguments)}\0".encode()]
                pieces += [pickle.dumps(value, 5) for value in arguments]
                for word in sorted(named):
                    pieces += (pickle.dumps(word, 5),
                               pickle.dumps(named[word], 5))
                return b"".join(pieces)

            def now(*arguments: Any, **named: Any) -> Any:
                entry = key_of(*arguments, **named)
                found = self._find(entry)
                if found is not _NOTHING and not found[1]:
                    return _decoded(found[0])
                return self._load(entry, lambda: function(
                    *arguments, **named), life, timeout)

            async def later(*arguments: Any, **named: Any) -> Any:
                return await self.aload(
                    key_of(*arguments, **named),
                    lambda: function(*arguments, **named), ttl=ttl,
                    timeout=timeout)

            def invalidate(*arguments: Any, **named: Any) -> bool:
                return self.delete(key_of(*arguments, **named))

            wrapped: Any = functools.wraps(function)(
                later if inspect.iscoroutinefunction(function) else now)
            wrapped.invalidate = invalidate
            return cast(F, wrapped)
        return decorate

    async def aload(self, key: Key, loader: Callable[[], Any], *,
                    ttl: Optional[float] = None,
                    timeout: Optional[float] = None) -> Any:
        """As load, for a loader that answers an awaitable; one runs for all
        tasks of this event loop."""
        key = key_bytes(key)
        found = self._find(key)
        if found is not _NOTHING and not found[1]:
            return _decoded(found[0])
        loop = asyncio.get_running_loop()
        place = (loop, key)
        task = self._tasks.get(place)
        if task is not None and found is not _NOTHING:
            return _decoded(found[0])  # stale, and being loaded
        if task is None:
            task = loop.create_task(self._fetch(key, loader, ttl))
            self._tasks[place] = task
            task.add_done_callback(lambda _: self._tasks.pop(place, None))
        try:
            # A caller that is cancelled does not cancel the others.
            return _decoded(await asyncio.wait_for(
                asyncio.shield(task), timeout))
        except asyncio.TimeoutError:
            if task.done():
                raise
            raise Timeout("the loader takes too long") from None

    async def _fetch(self, key: bytes, loader: Callable[[], Any],
                     ttl: Optional[float]) -> bytes:
        entry = _encoded(await loader())
        status = c.call.cache_put(self._handle, key, len(key), entry,
                                  len(entry), _ttl(ttl))
        if status not in (OK, E_TOO_LARGE):
            fail(status, self._handle)
        return entry

    def clear(self) -> None:
        """Removes every entry."""
        c.call.cache_clear(self._handle)

    def __contains__(self, key: object) -> bool:
        if not isinstance(key, (bytes, str, bytearray, memoryview)):
            return False
        return self._find(key_bytes(key)) is not _NOTHING

    def __len__(self) -> int:
        return self.stats().entries

    def stats(self) -> Stats:
        """Counts since it was made, and what is inside now."""
        counts = c.CacheStats()
        c.call.cache_read_stats(self._handle, ctypes.addressof(counts))
        return Stats(*(getattr(counts, name) for name in Stats._fields))

    def set_jitter(self, fraction: float) -> None:
        """From now on entries live up to that part of their ttl less, by
        chance, so that not all expire at once."""
        status = c.call.cache_set_jitter(self._handle, fraction)
        if status != OK:
            fail(status, self._handle)

    def save(self, path: str) -> None:
        """Writes the entries to a file, which it replaces when all is
        written: a save that fails leaves it as it was."""
        path = os.fspath(path)
        beside = f"{path}.{os.getpid()}-{threading.get_ident()}"
        with open(beside, "xb") as file:
            try:
                with fork_gate:
                    status = c.wait.cache_save(self._handle, file.fileno())
                if status != OK:
                    fail(status, self._handle)
                os.replace(beside, path)
            except BaseException:
                os.unlink(beside)
                raise

    def restore(self, path: str) -> None:
        """Stores the entries of a file that save wrote, in any process.

        Entries may hold pickles: restore only files that you trust.
        Corrupt when the file is damaged.
        """
        with open(path, "rb") as file, fork_gate:
            status = c.wait.cache_restore(self._handle, file.fileno())
        if status != OK:
            fail(status, self._handle)

    def close(self) -> None:
        """Ends its use: every call raises Closed from now on."""
        self._handle = None

    # ---- within ----

    def _begin(self) -> None:
        self._handle = create(_CacheHandle, c.call.cache_create,
                              self._options, self._keep)

    def _find(self, key: bytes) -> Any:
        """The entry's bytes and whether it is stale; or _NOTHING."""
        scratch, handle = _scratch, self._handle
        status = c.call.cache_get(handle, key, len(key), scratch.at)
        if status:
            if status == MISSING:
                return _NOTHING
            fail(status, handle)
        return _copied(handle)

    def _load(self, key: bytes, loader: Callable[[], Any], ttl_ns: int,
              timeout: Optional[float]) -> Any:
        deadline = deadline_of(timeout)
        scratch = _scratch
        outer = scratch.load
        job = _Load(loader, ttl_ns)
        handle = self._handle
        with self._lock:
            self._loading += 1
        try:
            status = TIMEOUT
            while status == TIMEOUT:
                left = (_SLICE_NS if deadline is None else
                        min(_SLICE_NS, int(deadline_left(deadline) * 1e9)))
                scratch.load = job
                status = c.wait.cache_load(handle, key, len(key),
                                           _loader, None, left, scratch.at)
                if status == TIMEOUT and left == 0:
                    raise Timeout("the loader takes too long")
        finally:
            scratch.load = outer
            with self._lock:
                self._loading = max(0, self._loading - 1)
        if status == OK:
            return _decoded(_copied(handle)[0])
        if job.error is not None:
            raise job.error
        if status == MISSING:
            raise KeyError("the loader has no such key")
        if status == E_BUSY:
            raise RuntimeError("a loader asks for the key that it loads")
        if status in (E_IO, E_SYSTEM):
            raise LoadFailed("the loader failed in another thread")
        fail(status, self._handle)

    def _after_fork(self) -> None:
        """In a child: a load that another thread had under way never ends."""
        self._lock = threading.Lock()
        self._tasks = {}
        if self._loading:
            self._loading = 0
            if self._handle is not None:
                _abandoned.append(self._handle)
                # Its name is the abandoned one's, in metrics.
                self._options.metrics = None
                self._begin()


# Caches of a parent in which its threads were loading.
_abandoned: list[Optional[int]] = []


class _Load:
    """One call of Cache._load."""

    def __init__(self, loader: Callable[[], Any], ttl_ns: int) -> None:
        self.loader = loader
        self.ttl_ns = ttl_ns
        self.entry = b""
        self.error: Optional[BaseException] = None

    def run(self, loaded_at: int) -> int:
        """Fills in a girt_loaded; what the loader of girt_cache_load is to
        answer."""
        self.entry = _encoded(self.loader())
        loaded = c.Loaded.from_address(loaded_at)
        # The entry lives on here until C has copied it.
        self.hold = ctypes.c_char_p(self.entry)
        loaded.data = ctypes.cast(self.hold, ctypes.c_void_p).value
        loaded.size = len(self.entry)
        loaded.ttl_ns = self.ttl_ns
        return OK


@c.CACHE_LOADER  # type: ignore[misc]
def _loader(_: Any, __: int, ___: int, loaded: int) -> int:
    job: _Load = _scratch.load
    try:
        return job.run(loaded)
    except KeyError as error:
        job.error = error
        return MISSING
    except BaseException as error:
        job.error = error
        return E_IO
    finally:
        _scratch.load = job


def _copied(handle: Optional[int]) -> tuple[bytes, bool]:
    """What C answered for this thread, given back to it: the entry's bytes,
    and whether it is stale."""
    cached = _scratch.cached
    stale = cached.stale
    try:
        return ctypes.string_at(cached.data, cached.size), stale
    finally:
        c.call.cache_release(handle, _scratch.at)


def _ttl(seconds: Optional[float]) -> int:
    ttl_ns = nanoseconds(seconds, "ttl", 0)
    if seconds is not None and ttl_ns == 0:
        raise ValueError("a ttl is above 0, or None for the cache's own")
    return ttl_ns


def _encoded(value: Any) -> bytes:
    if type(value) is bytes:
        return _BYTES + value
    return _PICKLE + pickle.dumps(value, 5)


def _decoded(entry: bytes) -> Any:
    if entry[:1] == _BYTES:
        return entry[1:]
    return pickle.loads(memoryview(entry)[1:])
