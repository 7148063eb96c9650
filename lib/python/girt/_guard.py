# SPDX-License-Identifier: MIT
"""Breaker and Bulkhead: girt_breaker and girt_bulkhead."""

from __future__ import annotations

import contextvars
import ctypes
import functools
import inspect
import itertools
import threading
import weakref
from typing import Any, Callable, Optional, TypeVar, cast

from . import _binding as c
from ._errors import (OK, REJECTED, TIMEOUT, Closed, Rejected, Timeout, fail)
from ._line import Line, TaskWaiter, ThreadWaiter, deadline_of
from ._support import (Handle, ManualClock, NotCopied, Reporting, create,
                       fill_clock, fill_name, nanoseconds, survives_fork,
                       whole)

F = TypeVar("F", bound=Callable[..., Any])

# The permits that this task, or thread, holds: (breaker, permit, those below).
_held: contextvars.ContextVar[Any] = contextvars.ContextVar(
    "girt_permits", default=None)


def _guarded(function: F, guard: Callable[[], Any]) -> F:
    if inspect.iscoroutinefunction(function):
        @functools.wraps(function)
        async def later(*arguments: Any, **named: Any) -> Any:
            async with guard():
                return await function(*arguments, **named)
        return cast(F, later)

    @functools.wraps(function)
    def now(*arguments: Any, **named: Any) -> Any:
        with guard():
            return function(*arguments, **named)
    return cast(F, now)


class Breaker(NotCopied):
    """Stops calling what keeps failing.

    ``with breaker:`` and ``@breaker`` let a call through or raise Rejected.
    A call that raises an Exception has failed, unless it is one of
    ``ignored``; one that is interrupted or cancelled says nothing.

    >>> breaker = Breaker(calls_min=2)
    >>> for _ in range(2):
    ...     try:
    ...         with breaker:
    ...             raise OSError("nobody there")
    ...     except OSError:
    ...         pass
    >>> breaker.state
    'open'

    It opens when, of the ``calls_min`` or more calls of the last ``window``
    seconds, ``failure_ratio`` failed or ``slow_ratio`` took ``slow`` seconds;
    for ``open_for`` seconds, longer each time in a row, up to ``open_max``.
    Then ``probes`` calls must succeed to close it.
    """

    def __init__(self, *, failure_ratio: float = 0.5, slow_ratio: float = 1.0,
                 slow: Optional[float] = None, calls_min: int = 100,
                 window: float = 10.0, open_for: float = 5.0,
                 open_max: Optional[float] = None, probes: int = 1,
                 permit_timeout: float = 60.0,
                 ignored: tuple[type[BaseException], ...] = (),
                 on_change: Optional[Callable[[str, str], object]] = None,
                 clock: Optional[ManualClock] = None,
                 name: Optional[str] = None,
                 metrics: Optional[Reporting] = None) -> None:
        for ratio, what in ((failure_ratio, "failure_ratio"),
                            (slow_ratio, "slow_ratio")):
            if not 0 < ratio <= 1:
                raise ValueError(f"{what} must be above 0 and up to 1")
        options = c.BreakerOptions(
            failure_ratio=failure_ratio, slow_ratio=slow_ratio,
            slow_ns=nanoseconds(slow, "slow", 0),
            calls_min=whole(calls_min, "calls_min", 1),
            window_ns=_some(window, "window"),
            open_ns=_some(open_for, "open_for"),
            open_max_ns=nanoseconds(open_max, "open_max", 0),
            probes=whole(probes, "probes", 1, c.BREAKER_PROBES_MAX),
            permit_timeout_ns=_some(permit_timeout, "permit_timeout"))
        keep = (fill_clock(options, clock), fill_name(options, name, metrics))
        self._on_change = on_change
        if on_change is not None:
            options.on_change = _changed
            options.context = number = _number()
            _told[number] = self
        self._ignored = ignored
        self._handle: Optional[int] = create(
            _BreakerHandle, c.call.breaker_create, options, keep)

    def __repr__(self) -> str:
        return f"<girt.Breaker {self.state}>"

    @property
    def state(self) -> str:
        """closed, open, half_open, forced_open or forced_closed."""
        return c.BREAKER_STATES[c.call.breaker_state_now(self._handle)]

    def force(self, state: str) -> None:
        """Sets the state, for operators and tests; closed forgets all that
        was counted."""
        if state not in c.BREAKER_STATES:
            raise ValueError("a state is one of "
                             + ", ".join(c.BREAKER_STATES))
        if self._handle is None:
            raise Closed("it is closed")
        c.call.breaker_force(self._handle, c.BREAKER_STATES.index(state))

    def enter(self) -> Permit:
        """Asks to call: a permit whose ``leave`` tells how it went.

        Raises Rejected.  For calls that ``with`` does not fit.
        """
        permit = c.Permit()
        handle = self._handle
        status = c.call.breaker_enter(handle, ctypes.addressof(permit))
        if status == REJECTED:
            raise Rejected("the breaker is open")
        if status != OK:
            fail(status, handle)
        return Permit(handle, permit)

    def __enter__(self) -> Breaker:
        _held.set((self, self.enter(), _held.get()))
        return self

    def __exit__(self, kind: Optional[type[BaseException]],
                 *_: object) -> None:
        permit = self._forget()
        if permit is None:
            return
        if kind is None:
            permit.leave(True)
        elif issubclass(kind, self._ignored or ()) or not issubclass(
                kind, Exception):
            permit.leave(None)
        else:
            permit.leave(False)

    async def __aenter__(self) -> Breaker:
        return self.__enter__()

    async def __aexit__(self, kind: Optional[type[BaseException]],
                        *rest: object) -> None:
        self.__exit__(kind, *rest)

    def __call__(self, function: F) -> F:
        """A decorator, of plain functions and of coroutines."""
        return _guarded(function, lambda: self)

    def close(self) -> None:
        """Ends its use: every call raises Closed from now on."""
        self._handle = None

    def _forget(self) -> Optional[Permit]:
        """Takes the last permit of this breaker from those held here."""
        above = []
        held = _held.get()
        while held is not None and held[0] is not self:
            above.append(held)
            held = held[2]
        if held is None:
            return None
        rest = held[2]
        for entry in reversed(above):
            rest = (entry[0], entry[1], rest)
        _held.set(rest)
        return cast(Permit, held[1])


class Permit:
    """One call that a breaker let through."""

    __slots__ = ("_handle", "_permit")

    def __init__(self, handle: Optional[int], permit: c.Permit) -> None:
        self._handle = handle
        self._permit = permit

    def leave(self, success: Optional[bool]) -> None:
        """Tells how it went; None says nothing.  Only the first time
        counts."""
        outcome = (c.IGNORED if success is None
                   else c.SUCCESS if success else c.FAILURE)
        c.call.breaker_leave(self._handle,
                             ctypes.addressof(self._permit), outcome)


def _some(seconds: float, what: str) -> int:
    ns = nanoseconds(seconds, what)
    if ns == 0:
        raise ValueError(f"{what} must be above 0")
    return ns


# Breakers that tell of changes, by the context that C hands back.
_told: weakref.WeakValueDictionary[int, Breaker] = (
    weakref.WeakValueDictionary())
_number = itertools.count(1).__next__


@c.BREAKER_CHANGE  # type: ignore[misc]
def _changed(number: int, before: int, after: int) -> None:
    # What this raises goes to sys.unraisablehook: there is nobody to raise it
    # to but the thread that happened to change the state.
    breaker = _told.get(number)
    if breaker is not None and breaker._on_change is not None:
        breaker._on_change(c.BREAKER_STATES[before], c.BREAKER_STATES[after])


class _BreakerHandle(Handle):
    __slots__ = ()
    destroy = staticmethod(c.call.breaker_destroy)


class _BulkheadHandle(Handle):
    __slots__ = ()
    destroy = staticmethod(c.call.bulkhead_destroy)

    def end(self, keep: tuple[Any, ...]) -> None:
        for _ in keep[0]:  # those who never left
            c.call.bulkhead_leave(int(self))
        super().end(keep)


class Bulkhead(NotCopied):
    """At most ``inside`` callers at once; up to ``waiting`` more in line.

    ``with bulkhead:`` and ``@bulkhead`` wait up to ``timeout`` seconds for a
    place, first come, first served.  Who finds the line full gets Rejected,
    who waits in vain Timeout.

    >>> service = Bulkhead(1)
    >>> with service:
    ...     with service:
    ...         pass
    Traceback (most recent call last):
    girt.Rejected: no place, and the line is full
    """

    def __init__(self, inside: int, waiting: int = 0, *,
                 timeout: Optional[float] = None,
                 name: Optional[str] = None,
                 metrics: Optional[Reporting] = None) -> None:
        self._inside_max = whole(inside, "inside", 1, c.BULKHEAD_MAX)
        self._waiting_max = whole(waiting, "waiting", 0, c.BULKHEAD_MAX)
        deadline_of(timeout)  # checks it
        self._timeout = timeout
        options = c.BulkheadOptions(inside_max=self._inside_max)
        keep = fill_name(options, name, metrics)
        self._line = Line()
        self._lock = threading.Lock()
        # Who is inside, by thread: a fork's child keeps its own thread's.
        self._places: list[int] = []
        self._handle: int = create(
            _BulkheadHandle, c.call.bulkhead_create, options, self._places,
            keep)
        survives_fork(self)

    def __repr__(self) -> str:
        return (f"<girt.Bulkhead {self.inside} of {self._inside_max}, "
                f"{self.waiting} waiting>")

    @property
    def inside(self) -> int:
        """How many are inside."""
        return len(self._places)

    @property
    def waiting(self) -> int:
        """How many are in line."""
        return len(self._line)

    def enter(self, timeout: Optional[float] = None) -> None:
        """Goes inside, or waits in line; owes a leave.

        Raises Rejected or Timeout.
        """
        if self._enter_at_once():
            return
        deadline = deadline_of(timeout)
        waiter = self._join(ThreadWaiter)
        if waiter is None:
            return
        try:
            woken = waiter.wait(deadline)
        except BaseException:
            self._give_up(waiter)
            raise
        self._arrive(waiter, woken)

    async def aenter(self, timeout: Optional[float] = None) -> None:
        """As enter, in a coroutine."""
        if self._enter_at_once():
            return
        deadline = deadline_of(timeout)
        waiter = self._join(TaskWaiter)
        if waiter is None:
            return
        try:
            woken = await waiter.wait(deadline)
        except BaseException:
            self._give_up(waiter)
            raise
        self._arrive(waiter, woken)

    def leave(self) -> None:
        """Leaves: the place goes to the first in line.  RuntimeError when
        nobody is inside."""
        try:
            self._places.remove(threading.get_ident())
        except ValueError:
            try:
                self._places.pop()  # entered by another thread
            except IndexError:
                raise RuntimeError("leave without enter") from None
        with self._lock:
            while self._line:
                if self._line.popleft().wake():
                    return  # the place is handed over, never free
            c.call.bulkhead_leave(self._handle)

    def __enter__(self) -> Bulkhead:
        self.enter(self._timeout)
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()

    async def __aenter__(self) -> Bulkhead:
        await self.aenter(self._timeout)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.leave()

    def __call__(self, function: F) -> F:
        """A decorator, of plain functions and of coroutines."""
        return _guarded(function, lambda: self)

    def _enter_at_once(self) -> bool:
        # Nobody passes by a line.
        if self._line:
            return False
        status = c.call.bulkhead_enter(self._handle, 0)
        if status == OK:
            self._places.append(threading.get_ident())
            return True
        if status not in (REJECTED, TIMEOUT):
            fail(status)
        return False

    def _join(self, kind: Callable[[], Any]) -> Any:
        """A place in line; None: one inside came free."""
        with self._lock:
            if self._enter_at_once():
                return None
            if len(self._line) >= self._waiting_max:
                raise Rejected("no place, and the line is full")
            waiter = kind()
            self._line.append(waiter)
            return waiter

    def _arrive(self, waiter: Any, woken: bool) -> None:
        if not woken:
            with self._lock:
                if self._line.leave(waiter):
                    raise Timeout("no place came free in time")
        # Woken, perhaps at the last moment: a place was handed to us.
        self._places.append(threading.get_ident())

    def _give_up(self, waiter: Any) -> None:
        """A wait that was interrupted: a place that came is passed on."""
        with self._lock:
            if self._line.leave(waiter):
                return
        self._places.append(threading.get_ident())
        self.leave()

    def _after_fork(self) -> None:
        """In a child: only this thread is there, with the places it had."""
        mine = threading.get_ident()
        self._line.clear()
        self._lock = threading.Lock()
        for thread in list(self._places):
            if thread != mine:
                self._places.remove(thread)
                c.call.bulkhead_leave(self._handle)
