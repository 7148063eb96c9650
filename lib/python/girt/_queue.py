# SPDX-License-Identifier: MIT
"""Queue: girt_queue with Python objects.

The C queue holds tickets, numbers that nobody uses twice; the objects stay in
a dict, where the garbage collector sees them.  put_many puts one list there
and as many equal tickets into the queue: whoever pops one takes the next
object of the list, and who pops all that are left takes the list itself, so a
batch costs some nanoseconds an object.
"""

from __future__ import annotations

import asyncio
import ctypes
import itertools
import os
import sys
import threading
import weakref
from array import array
from collections import deque
from typing import (Any, AsyncIterator, Callable, Generic, Iterable, Iterator,
                    Optional, TypeVar)

from . import _binding as c
from ._errors import (EMPTY, FULL, OK, Closed, Empty, Full, GetTimeout,
                      PutTimeout, fail)
from ._line import (Line, TaskWaiter, ThreadWaiter, deadline_left,
                    deadline_of)
from ._support import (Handle, NotCopied, Reporting, create, fill_name,
                       survives_fork, whole)

T = TypeVar("T")

_EFD_FLAGS = os.O_CLOEXEC | os.O_NONBLOCK
_NOTHING: Any = object()

# Of one object, and of a list; no number comes twice.
odd_ticket = itertools.count(1, 2).__next__
even_ticket = itertools.count(2, 2).__next__


class _Scratch(threading.local):
    """Where C writes for this thread."""

    def __init__(self) -> None:
        self.reserve(64)
        self.count = ctypes.c_size_t()
        self.count_at = ctypes.addressof(self.count)

    def reserve(self, size: int) -> None:
        """Room for so many tickets."""
        self.tickets = array("Q", bytes(8 * size))
        self.tickets_at = self.tickets.buffer_info()[0]


_scratch = _Scratch()


class Queue(NotCopied, Generic[T]):
    """A bounded first-in first-out queue of objects, for threads and tasks.

    It has ``queue.Queue``'s put, get, timeouts and exceptions, and it can be
    closed, iterated, awaited, watched by an event loop, and used in batches.

    >>> jobs = Queue(100)
    >>> jobs.put_many(["sweep", "mop"])
    2
    >>> jobs.close()
    >>> list(jobs)
    ['sweep', 'mop']

    maxsize is exact.  With ``drop_oldest`` a full queue makes room, and tells
    ``on_drop`` what it dropped.  ``bands`` are priorities, 0 the most urgent.

    Any number of threads and tasks may use it at once.  Objects left inside
    live as long as the queue does.  After a fork both sides have the objects
    that were inside.
    """

    def __init__(self, maxsize: int = 1024, *, bands: int = 1,
                 drop_oldest: bool = False,
                 on_drop: Optional[Callable[[T], object]] = None,
                 name: Optional[str] = None,
                 metrics: Optional[Reporting] = None) -> None:
        whole(maxsize, "maxsize", 1, 2 ** 32)
        whole(bands, "bands", 1, 8)
        self._maxsize = maxsize
        self._bands = bands
        self._on_drop = on_drop
        self._store: dict[int, Any] = {}
        self._getters = Line()
        self._putters = Line()
        self._closed = False
        self._fd = -1
        self._watches: weakref.WeakKeyDictionary[
            asyncio.AbstractEventLoop, deque[asyncio.Future[bool]]
        ] = weakref.WeakKeyDictionary()
        options = c.QueueOptions(capacity=maxsize, bands=bands,
                                 drop_oldest=bool(drop_oldest))
        keep = fill_name(options, name, metrics)
        if drop_oldest:
            options.dropped = _dropped
            options.context = number = even_ticket()
            _dropping[number] = self
        self._handle: int = create(_QueueHandle, c.call.queue_create, options,
                                   keep)
        self._c_push = c.call.queue_push
        self._c_pop = c.call.queue_pop
        survives_fork(self)

    def __repr__(self) -> str:
        state = "closed, " if self.closed else ""
        return f"<girt.Queue {state}{self.qsize()} of {self._maxsize}>"

    # ---- one object ----

    def put(self, item: T, block: bool = True,
            timeout: Optional[float] = None, *, band: int = 0) -> None:
        """Puts an object in, waiting for room.

        Raises Full (not block), PutTimeout or Closed.
        """
        if band:
            status = self._push(item, band)
        else:  # _push, without the call
            number = odd_ticket()
            self._store[number] = item
            status = self._c_push(self._handle, number, 0)
            if not status:
                if self._getters:
                    self._getters.wake()
                return
            del self._store[number]
        if status == OK:
            return
        if status != FULL:
            fail(status)
        if not block:
            raise Full("the queue is full")
        deadline = deadline_of(timeout)
        again = False
        while status == FULL:
            waiter = ThreadWaiter()
            self._putters.join(waiter, again)
            try:
                status = self._push(item, band)
                woken = status == FULL and waiter.wait(deadline)
            except BaseException:
                self._give_up(self._putters, waiter)
                raise
            if status != FULL:
                self._give_up(self._putters, waiter)
                break
            if not woken and self._putters.leave(waiter):
                raise PutTimeout("no room came in time")
            status = self._push(item, band)
            again = True
        if status != OK:
            fail(status)

    def put_nowait(self, item: T) -> None:
        """Puts an object in, or raises Full or Closed."""
        self.put(item, False)

    def get(self, block: bool = True, timeout: Optional[float] = None) -> T:
        """Takes the oldest object, waiting for one.

        Raises Empty (not block), GetTimeout, or Closed once the queue is
        closed and nothing is left.
        """
        item: T = self._pop()
        if item is _NOTHING:
            if not block:
                raise Empty("the queue is empty")
            item = self._await_item(deadline_of(timeout), self._pop)
        return item

    def get_nowait(self) -> T:
        """Takes the oldest object, or raises Empty or Closed."""
        return self.get(False)

    # ---- batches ----

    def put_many(self, items: Iterable[T], block: bool = True,
                 timeout: Optional[float] = None) -> int:
        """Puts objects in, in order, waiting for room; answers how many.

        Raises Full, PutTimeout or Closed when not all went in; its ``count``
        tells how many did.
        """
        chunk = list(items)
        count = len(chunk)
        if not count:
            return 0
        chunk.reverse()  # pop() then takes the first
        number = even_ticket()
        tickets = number.to_bytes(8, sys.byteorder) * count
        self._store[number] = chunk
        left = count
        deadline = _NOTHING
        try:
            while True:
                status, left = self._push_many(tickets, left)
                if status == OK:
                    return count
                if status != FULL:
                    fail(status)
                if not block:
                    raise Full("the queue is full")
                if deadline is _NOTHING:
                    deadline = deadline_of(timeout)
                waiter = ThreadWaiter()
                self._putters.join(waiter, left != count)
                try:
                    status, left = self._push_many(tickets, left)
                    woken = status == FULL and waiter.wait(deadline)
                except BaseException:
                    self._give_up(self._putters, waiter)
                    raise
                if status != FULL:
                    self._give_up(self._putters, waiter)
                elif not woken and self._putters.leave(waiter):
                    raise PutTimeout("no room came in time")
        except BaseException as error:
            del chunk[:left]  # what has no ticket is taken back
            if not chunk:
                self._store.pop(number, None)
            if isinstance(error, (Full, Closed)):
                error.count = count - left
            raise

    def get_many(self, count: int, block: bool = True,
                 timeout: Optional[float] = None) -> list[T]:
        """Takes up to ``count`` objects; waits for the first only.

        Raises Empty (not block), GetTimeout or Closed when there is none.
        """
        whole(count, "count", 1)
        items = self._pop_many(count)
        if items is _NOTHING:
            if not block:
                raise Empty("the queue is empty")
            items = self._await_item(deadline_of(timeout),
                                     lambda: self._pop_many(count))
        result: list[T] = items
        return result

    def __iter__(self) -> Iterator[T]:
        """Takes objects until the queue is closed and nothing is left."""
        while True:
            try:
                item = self.get()
            except Closed:
                return
            yield item

    # ---- asyncio ----

    async def aget(self, timeout: Optional[float] = None) -> T:
        """As get, in a coroutine; waits on the queue's eventfd."""
        deadline = deadline_of(timeout)
        while True:
            item: T = self._pop()
            if item is not _NOTHING:
                return item
            if not await self._readable(deadline):
                raise GetTimeout("nothing came in time")

    async def aput(self, item: T, timeout: Optional[float] = None, *,
                   band: int = 0) -> None:
        """As put, in a coroutine."""
        deadline = deadline_of(timeout)
        status = self._push(item, band)
        again = False
        while status == FULL:
            waiter = TaskWaiter()
            self._putters.join(waiter, again)
            try:
                status = self._push(item, band)
                woken = status == FULL and await waiter.wait(deadline)
            except BaseException:
                self._give_up(self._putters, waiter)
                raise
            if status != FULL:
                self._give_up(self._putters, waiter)
                break
            if not woken and self._putters.leave(waiter):
                raise PutTimeout("no room came in time")
            status = self._push(item, band)
            again = True
        if status != OK:
            fail(status)

    def __aiter__(self) -> AsyncIterator[T]:
        return self._each()

    async def _each(self) -> AsyncIterator[T]:
        while True:
            try:
                item = await self.aget()
            except Closed:
                return
            yield item

    def fileno(self) -> int:
        """An eventfd, readable while objects wait or the queue is closed.

        For select, poll and event loops: on readable, ``get_nowait`` until
        Empty.  It belongs to the queue: do not read, write or close it, and
        duplicate it for a loop that also awaits ``aget``.
        """
        if self._fd < 0:
            number = ctypes.c_int(-1)
            status = c.wait.queue_fd(self._handle, ctypes.addressof(number))
            if status != OK:
                fail(status)
            self._fd = number.value
        return self._fd

    async def _readable(self, deadline: Optional[float]) -> bool:
        loop = asyncio.get_running_loop()
        watch = self._watches.get(loop)
        if watch is None:
            watch = self._watches.setdefault(loop, deque())
        future: asyncio.Future[bool] = loop.create_future()
        if not watch:
            loop.add_reader(self.fileno(), _on_readable, loop, self._fd, watch)
        watch.append(future)
        timer = None
        if deadline is not None:
            left = deadline_left(deadline)
            timer = loop.call_later(left, _expire, future)
        try:
            return await future
        except BaseException:
            # What woke us may be news to the next one.
            if future.done() and not future.cancelled():
                _on_readable(loop, self._fd, watch)
            raise
        finally:
            if timer is not None:
                timer.cancel()
            if future in watch:
                watch.remove(future)
                if not watch:
                    loop.remove_reader(self._fd)

    # ---- state ----

    def close(self) -> None:
        """Ends the queue: put raises Closed from now on, get brings what is
        left and then raises Closed, iteration ends, waiters wake."""
        self._closed = True
        c.call.queue_close(self._handle)
        self._getters.wake_all()
        self._putters.wake_all()

    def __enter__(self) -> Queue[T]:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def closed(self) -> bool:
        """Whether close was called."""
        return self._closed

    @property
    def maxsize(self) -> int:
        """How many objects it holds."""
        return self._maxsize

    def qsize(self) -> int:
        """How many objects are inside."""
        return int(c.call.queue_count(self._handle))

    def empty(self) -> bool:
        """Whether nothing was inside at this moment."""
        return self.qsize() == 0

    def full(self) -> bool:
        """Whether there was no room at this moment."""
        return self.qsize() >= self._maxsize * self._bands

    # ---- within ----

    def _push(self, item: Any, band: int = 0) -> int:
        number = odd_ticket()
        self._store[number] = item
        status: int
        if band == 0:
            status = c.call.queue_push(self._handle, number, 0)
        else:
            try:
                whole(band, "band", 0, self._bands - 1)
                status = c.call.queue_push_band(self._handle, band, number, 0)
            except BaseException:
                del self._store[number]
                raise
        if status != OK:
            del self._store[number]
        elif self._getters:
            self._getters.wake()
        return status

    def _push_many(self, tickets: bytes, count: int) -> tuple[int, int]:
        scratch = _scratch
        scratch.count.value = 0
        status = c.call.queue_push_n(self._handle, tickets, count, 0,
                                     scratch.count_at)
        pushed = scratch.count.value
        if self._getters:
            self._getters.wake(pushed)
        return status, count - pushed

    def _pop(self) -> Any:
        scratch = _scratch
        status = self._c_pop(self._handle, scratch.tickets_at, 0)
        if status:
            if status == EMPTY:
                return _NOTHING
            fail(status)
        number = scratch.tickets[0]
        if self._putters:
            self._putters.wake()
        try:
            if number & 1:
                return self._store.pop(number)
            return self._redeem(number)
        except (KeyError, IndexError):  # its put was interrupted
            return self._pop()

    def _redeem(self, number: int) -> Any:
        if number & 1:
            return self._store.pop(number)
        chunk = self._store[number]
        item = chunk.pop()
        if not chunk:
            self._store.pop(number, None)
        return item

    def _pop_many(self, count: int) -> Any:
        scratch = _scratch
        if count > 1024:  # take no more room than there may be objects
            count = min(count, max(self.qsize(), 1024))
        if count > len(scratch.tickets):
            scratch.reserve(count)
        status = c.call.queue_pop_n(self._handle, scratch.tickets_at, count, 0,
                                    scratch.count_at)
        if status != OK:
            if status == EMPTY:
                return _NOTHING
            fail(status)
        count = scratch.count.value
        tickets = scratch.tickets[:count]
        if self._putters:
            self._putters.wake(count)
        return self._redeem_many(tickets, count) or self._pop_many(count)

    def _redeem_many(self, tickets: array[int], count: int) -> list[Any]:
        store = self._store
        items: list[Any] = []
        i = 0
        while i < count:
            number = tickets[i]
            if number & 1:
                try:
                    items.append(store.pop(number))
                except KeyError:  # its put was interrupted
                    pass
                i += 1
                continue
            chunk = store.get(number)
            if not chunk:  # likewise
                i += 1
                continue
            size = len(chunk)
            run = min(size, count - i)
            if tickets[i:i + run] != array("Q", (number,)) * run:
                run = 1
            if run == size:
                # All tickets that are left of it are ours, so nobody else
                # takes from it.
                del store[number]
                chunk.reverse()
                if run == count:
                    return list(chunk)
                items += chunk
            else:
                pop = chunk.pop
                items += [pop() for _ in range(run)]
                if not chunk:
                    store.pop(number, None)
            i += run
        return items

    def _await_item(self, deadline: Optional[float],
                    take: Callable[[], Any]) -> Any:
        """Waits until ``take`` brings something."""
        again = False
        while True:
            waiter = ThreadWaiter()
            self._getters.join(waiter, again)
            try:
                item = take()
                woken = item is _NOTHING and waiter.wait(deadline)
            except BaseException:
                self._give_up(self._getters, waiter)
                raise
            if item is not _NOTHING:
                self._give_up(self._getters, waiter)
                return item
            if not woken and self._getters.leave(waiter):
                raise GetTimeout("nothing came in time")
            item = take()
            if item is not _NOTHING:
                return item
            again = True

    @staticmethod
    def _give_up(line: Line, waiter: Any) -> None:
        """Leaves a line; if woken already, lets the next one look."""
        if not line.leave(waiter):
            line.wake()

    def _dropped(self, number: int) -> None:
        item = self._redeem(number)
        if self._on_drop is not None:
            self._on_drop(item)

    def _after_fork(self) -> None:
        """In a child: no other thread is there, and the eventfd is the
        parent's.  No thread was inside a C call, so the copy is whole."""
        self._getters.clear()
        self._putters.clear()
        self._watches = weakref.WeakKeyDictionary()
        if self._fd < 0:
            return
        ready = self.qsize() > 0 or self.closed
        own = ctypes.CDLL(None).eventfd(int(ready), _EFD_FLAGS)
        if own < 0:
            return
        os.dup2(own, self._fd, inheritable=False)
        os.close(own)
        if not ready:
            # Both sides now agree that it is not readable.
            c.call.queue_pop(self._handle, _scratch.tickets_at, 0)


def _expire(future: asyncio.Future[bool]) -> None:
    if not future.done():
        future.set_result(False)


def _on_readable(loop: asyncio.AbstractEventLoop, number: int,
                 watch: deque[asyncio.Future[bool]]) -> None:
    while watch:
        future = watch.popleft()
        if not future.done():
            future.set_result(True)
            break
    if not watch:
        loop.remove_reader(number)


# Queues that drop, by the context that C hands back.
_dropping: weakref.WeakValueDictionary[int, Queue[Any]] = (
    weakref.WeakValueDictionary())


@c.QUEUE_DROPPED  # type: ignore[misc]
def _dropped(context: int, number: int) -> None:
    there = _dropping.get(context)
    if there is not None:
        there._dropped(number)


class _QueueHandle(Handle):
    __slots__ = ()
    destroy = staticmethod(c.call.queue_destroy)
