# SPDX-License-Identifier: MIT
"""Limiter and KeyedLimiter: girt_limiter and girt_keyed_limiter."""

from __future__ import annotations

import asyncio
import ctypes
import functools
import inspect
import threading
import time
from array import array
from typing import (Any, Callable, Iterable, NamedTuple, NoReturn, Optional,
                    Sequence, TypeVar, Union, cast)

from . import _binding as c
from ._errors import (E_INVALID, LIMITED, NEVER, OK, Closed, Limited, Timeout,
                      fail)
from ._support import (Handle, Key, ManualClock, NotCopied, Reporting, Segment,
                       create, fill_clock, fill_name, key_bytes, nanoseconds,
                       packed, part_maker, seconds_of, sized, whole)

F = TypeVar("F", bound=Callable[..., Any])

#: A manual clock is read again this often by who waits for it.
_LOOK_S = 0.001
_WORD_MAX = 2 ** 64 - 1


class Decision(NamedTuple):
    """What a limiter answers; true when the tokens were taken."""

    #: Whether the tokens were taken.
    allowed: bool
    #: Tokens that could be taken right now.
    remaining: int
    #: 0.0 when allowed; else when the same call will pass, in seconds from
    #: now, if nobody else takes; infinite: never.
    retry_after: float
    #: When the burst is whole again, in seconds from now.
    reset_after: float

    def __bool__(self) -> bool:
        return self.allowed


def _rate(limit: int, period: float, burst: Optional[int]) -> c.Rate:
    whole(limit, "limit", 0, c.RATE_LIMIT_MAX)
    if burst is None:
        burst = max(limit, 1)
    whole(burst, "burst", 1, c.RATE_BURST_MAX)
    period_ns = nanoseconds(period, "period")
    if period_ns < 1:
        raise ValueError("period must be at least a nanosecond")
    return c.Rate(limit, period_ns, burst)


class _Scratch(threading.local):
    """Where C writes for this thread."""

    def __init__(self) -> None:
        self.decision = c.Decision()
        self.at = ctypes.addressof(self.decision)

    def read(self) -> Decision:
        """What was written."""
        decision = self.decision
        return Decision(decision.status == OK, decision.remaining,
                        seconds_of(decision.retry_after_ns),
                        seconds_of(decision.reset_after_ns))


_scratch = _Scratch()


def _refuse(decision: Decision) -> NoReturn:
    if decision.retry_after == float("inf"):
        raise Limited("more than the limiter ever gives",
                      decision.retry_after)
    raise Limited(f"over the limit, retry after {decision.retry_after:.3f} s",
                  decision.retry_after)


def _answered(status: int, handle: Optional[int]) -> Decision:
    if status not in (OK, LIMITED, NEVER):
        fail(status, handle)
    return _scratch.read()


class _LimiterHandle(Handle):
    __slots__ = ()
    destroy = staticmethod(c.call.limiter_destroy)


class _KeyedLimiterHandle(Handle):
    __slots__ = ()
    destroy = staticmethod(c.call.keyed_limiter_destroy)


class _Rated(NotCopied):
    """What both limiters are made with, and closed by."""

    def __init__(self, limit: int, period: float, burst: Optional[int],
                 clock: Optional[ManualClock]) -> None:
        self._rate = _rate(limit, period, burst)
        self._clock = clock
        self._handle: Optional[int] = None

    @property
    def limit(self) -> int:
        """Tokens a period."""
        return int(self._rate.limit)

    @property
    def period(self) -> float:
        """Its seconds."""
        return float(self._rate.period_ns / 1e9)

    @property
    def burst(self) -> int:
        """Tokens that can be taken at once after a rest."""
        return int(self._rate.burst)

    def close(self) -> None:
        """Ends its use: every call raises Closed from now on."""
        self._handle = None

    def headers(self, decision: Decision) -> dict[str, str]:
        """HTTP headers that tell a client of a decision: RateLimit-Policy,
        RateLimit and, in refusals, Retry-After."""
        raw = c.Decision(
            OK if decision.allowed else LIMITED, decision.remaining,
            nanoseconds(decision.retry_after, "retry_after"),
            nanoseconds(decision.reset_after, "reset_after"))
        buffer = ctypes.create_string_buffer(512)
        c.call.decision_headers(
            ctypes.addressof(raw), ctypes.addressof(self._rate),
            ctypes.addressof(buffer), len(buffer))
        lines = buffer.value.decode().split("\r\n")
        return {word: rest for word, _, rest in
                (line.partition(": ") for line in lines if line)}

    def _sleep(self, seconds: float) -> float:
        """How long to sleep at once for that long a wait by the clock."""
        return seconds if self._clock is None else min(seconds, _LOOK_S)


class Limiter(_Rated):
    """At most ``limit`` a ``period`` of seconds, after a ``burst`` at once.

    In any window of w seconds at most burst + w * limit / period tokens are
    given, to any number of threads and tasks.  burst None: as limit.

    >>> limiter = Limiter(100, period=60, burst=2)
    >>> [limiter.allow() for _ in range(3)]
    [True, True, False]
    >>> round(limiter.take().retry_after, 1)
    0.6

    ``with limiter:`` and ``@limiter`` take a token or raise Limited.
    With ``shared``, a girt.Shared, and a name it is one limit for all
    processes that make it so.
    """

    def __init__(self, limit: int, period: float = 1.0,
                 burst: Optional[int] = None, *, lease: int = 0,
                 clock: Optional[ManualClock] = None,
                 name: Optional[str] = None,
                 metrics: Optional[Reporting] = None,
                 shared: Optional[Segment] = None) -> None:
        super().__init__(limit, period, burst, clock)
        whole(lease, "lease", 0, self.burst)
        options = c.LimiterOptions(rate=self._rate, lease=lease)
        keep = (fill_clock(options, clock), fill_name(options, name, metrics))
        maker = c.call.limiter_create
        if shared is not None:
            maker = part_maker(c.wait.limiter_shared, shared, name)
        self._handle = create(_LimiterHandle, maker, options, keep)
        self._c_take = c.call.limiter_take

    def __repr__(self) -> str:
        return f"<girt.Limiter {self.limit} in {self.period:g} s>"

    def allow(self, tokens: int = 1) -> bool:
        """Takes tokens, all or none; whether it did.  The fastest form."""
        if not isinstance(tokens, int) or not 0 <= tokens <= _WORD_MAX:
            whole(tokens, "tokens", 0)
        status = self._c_take(self._handle, tokens, None)
        if status < 0:
            fail(status, self._handle)
        return not status

    def take(self, tokens: int = 1) -> Decision:
        """Takes tokens, all or none, and tells what is left."""
        whole(tokens, "tokens", 0)
        return _answered(
            self._c_take(self._handle, tokens, _scratch.at), self._handle)

    def peek(self, tokens: int = 1) -> Decision:
        """What take would answer; takes nothing."""
        whole(tokens, "tokens", 0)
        return _answered(
            c.call.limiter_peek(self._handle, tokens, _scratch.at),
            self._handle)

    def acquire(self, tokens: int = 1, timeout: Optional[float] = None
                ) -> None:
        """Takes tokens, sleeping until its turn; first come, first served.

        Raises Timeout at once, taking nothing, when the turn would come too
        late; Limited for more than the burst.
        """
        reservation = self._reserve(tokens, timeout)
        try:
            while (left := self._left(reservation)) > 0:
                time.sleep(self._sleep(left))
        except BaseException:
            self._cancel(reservation)
            raise

    async def wait(self, tokens: int = 1, timeout: Optional[float] = None
                   ) -> None:
        """As acquire, in a coroutine; cancelling gives the tokens back."""
        reservation = self._reserve(tokens, timeout)
        try:
            while (left := self._left(reservation)) > 0:
                await asyncio.sleep(self._sleep(left))
        except BaseException:
            self._cancel(reservation)
            raise

    def set_rate(self, limit: int, period: float = 1.0,
                 burst: Optional[int] = None) -> None:
        """Changes the rate while in use; the tokens that are there stay."""
        rate = _rate(limit, period, burst)
        status = c.call.limiter_set_rate(self._handle, rate)
        if status != OK:
            fail(status, self._handle)
        self._rate = rate

    def __enter__(self) -> Limiter:
        decision = self.take()
        if not decision:
            _refuse(decision)
        return self

    def __exit__(self, *_: object) -> None:
        return None

    async def __aenter__(self) -> Limiter:
        await self.wait()
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    def __call__(self, function: F) -> F:
        """A decorator: each call takes a token or raises Limited."""
        return _limited(function, lambda *_, **__: self.__enter__())

    def _reserve(self, tokens: int, timeout: Optional[float]) -> c.Reservation:
        whole(tokens, "tokens", 0)
        reservation = c.Reservation()
        status = c.call.limiter_reserve(
            self._handle, tokens, nanoseconds(timeout, "timeout"),
            ctypes.addressof(reservation))
        if status == LIMITED:
            raise Timeout("its turn would come too late")
        if status == NEVER:
            raise Limited("more than the burst", float("inf"))
        if status != OK:
            fail(status, self._handle)
        return reservation

    def _left(self, reservation: c.Reservation) -> float:
        now = (time.clock_gettime_ns(time.CLOCK_MONOTONIC)
               if self._clock is None else self._clock.now_ns())
        return float(reservation.act_at_ns - now) / 1e9

    def _cancel(self, reservation: c.Reservation) -> None:
        c.call.limiter_cancel(self._handle, ctypes.addressof(reservation))


class KeyedLimiter(_Rated):
    """A limit for each key, of up to ``keys`` that are not at rest.

    A key is bytes, or a str, which stands for its UTF-8.  What is over
    ``keys`` is refused, or passes uncounted with ``admit_when_full``.
    ``shared`` as for Limiter.

    >>> clients = KeyedLimiter(5, burst=2)
    >>> [clients.allow(name) for name in ("ann", "bob", "ann", "ann")]
    [True, True, True, False]
    >>> clients.take_many(["bob", "bob", "carla"])
    array('b', [1, 0, 1])
    """

    def __init__(self, limit: int, period: float = 1.0,
                 burst: Optional[int] = None, *, keys: int = 100_000,
                 admit_when_full: bool = False,
                 clock: Optional[ManualClock] = None,
                 name: Optional[str] = None,
                 metrics: Optional[Reporting] = None,
                 shared: Optional[Segment] = None) -> None:
        super().__init__(limit, period, burst, clock)
        whole(keys, "keys", 1)
        options = c.KeyedLimiterOptions(
            rate=self._rate, keys=keys, admit_when_full=bool(admit_when_full))
        keep = (fill_clock(options, clock), fill_name(options, name, metrics))
        maker = c.call.keyed_limiter_create
        if shared is not None:
            maker = part_maker(c.wait.keyed_limiter_shared, shared, name)
        self._handle = create(_KeyedLimiterHandle, maker, options, keep)
        self._c_take = c.call.keyed_limiter_take

    def __repr__(self) -> str:
        return f"<girt.KeyedLimiter {self.limit} in {self.period:g} s a key>"

    def allow(self, key: Key, tokens: int = 1) -> bool:
        """Takes tokens of a key, all or none; whether it did."""
        if type(key) is not bytes:
            key = key_bytes(key)
        if not isinstance(tokens, int) or not 0 <= tokens <= _WORD_MAX:
            whole(tokens, "tokens", 0)
        status = self._c_take(self._handle, key, len(key), tokens, None)
        if status < 0:
            fail(status, self._handle)
        return not status

    def take(self, key: Key, tokens: int = 1) -> Decision:
        """Takes tokens of a key, all or none, and tells what is left."""
        key = key_bytes(key)
        whole(tokens, "tokens", 0)
        return _answered(self._c_take(self._handle, key, len(key), tokens,
                                      _scratch.at), self._handle)

    def take_many(self, keys: Iterable[Key], tokens: int = 1) -> array[int]:
        """Takes tokens of each key: 1 where it did, 0 where it did not.

        One call for all, so a decision costs some tens of nanoseconds.
        ``itertools.compress(keys, limiter.take_many(keys))`` are those that
        may go on.
        """
        taken, _ = self._take_n(keys, tokens, False)
        return taken

    def retry_many(self, keys: Iterable[Key], tokens: int = 1) -> array[int]:
        """Takes tokens of each key: 0 where it did, else the nanoseconds
        after which the key may try again (2**63 - 1: never)."""
        _, retry = self._take_n(keys, tokens, True)
        return retry

    def acquire(self, key: Key, tokens: int = 1,
                timeout: Optional[float] = None) -> None:
        """Takes tokens of a key, sleeping and trying until it gets them.

        Raises Timeout, without sleeping longer, when they would come too
        late; Limited for more than the burst.
        """
        deadline = self._deadline(timeout)
        while (left := self._try(key, tokens, deadline)) > 0:
            time.sleep(left)

    async def wait(self, key: Key, tokens: int = 1,
                   timeout: Optional[float] = None) -> None:
        """As acquire, in a coroutine."""
        deadline = self._deadline(timeout)
        while (left := self._try(key, tokens, deadline)) > 0:
            await asyncio.sleep(left)

    def limited(self, key: Union[Key, Callable[..., Key]],
                tokens: int = 1) -> _KeyLimit:
        """A context manager and a decorator: takes tokens or raises Limited.

        ``key`` may be a function, for decorators: it gets the arguments of the
        call and answers the key.

        >>> clients = KeyedLimiter(5, burst=1)
        >>> @clients.limited(lambda client: client)
        ... def greet(client):
        ...     return "hello " + client
        >>> greet("ann")
        'hello ann'
        """
        return _KeyLimit(self, key, tokens)

    def _take_n(self, keys: Iterable[Key], tokens: int, retry: bool
                ) -> tuple[array[int], array[int]]:
        whole(tokens, "tokens", 0)
        if not isinstance(keys, (list, tuple)):
            keys = list(keys)
        batch = packed(keys)
        taken = array("b", bytes(0 if retry else batch.count))
        waits = array("q", bytes(8 * batch.count if retry else 0))
        out = ((None, waits.buffer_info()[0]) if retry else
               (taken.buffer_info()[0], None))
        status = c.call.keyed_limiter_take_keys(
            self._handle, ctypes.addressof(batch), tokens, *out)
        if status == E_INVALID and self._handle is not None:
            batch = sized(keys)  # some key holds a zero byte
            status = c.call.keyed_limiter_take_keys(
                self._handle, ctypes.addressof(batch), tokens, *out)
        if status != OK:
            fail(status, self._handle)
        return taken, waits

    def _deadline(self, timeout: Optional[float]) -> float:
        return self._now() + nanoseconds(timeout, "timeout") / 1e9

    def _now(self) -> float:
        return time.monotonic() if self._clock is None else self._clock.now

    def _try(self, key: Key, tokens: int, deadline: float) -> float:
        """0: taken; else how long to sleep before the next try."""
        decision = self.take(key, tokens)
        if decision:
            return 0.0
        if decision.retry_after == float("inf"):
            _refuse(decision)
        if self._now() + decision.retry_after > deadline:
            raise Timeout("tokens would come too late")
        return self._sleep(decision.retry_after)


class _KeyLimit:
    """KeyedLimiter.limited: ``with`` it, or decorate with it."""

    def __init__(self, limiter: KeyedLimiter,
                 key: Union[Key, Callable[..., Key]], tokens: int) -> None:
        self._limiter = limiter
        self._key = key
        self._tokens = tokens

    def _take(self, *arguments: Any, **named: Any) -> None:
        key = (self._key(*arguments, **named) if callable(self._key)
               else self._key)
        decision = self._limiter.take(key, self._tokens)
        if not decision:
            _refuse(decision)

    def __enter__(self) -> None:
        if callable(self._key):
            raise TypeError("a with statement has no arguments for the key: "
                            "give the key itself")
        self._take()

    def __exit__(self, *_: object) -> None:
        return None

    async def __aenter__(self) -> None:
        if callable(self._key):
            raise TypeError("a with statement has no arguments for the key: "
                            "give the key itself")
        await self._limiter.wait(self._key, self._tokens)

    async def __aexit__(self, *_: object) -> None:
        return None

    def __call__(self, function: F) -> F:
        return _limited(function, self._take)


def _limited(function: F, take: Callable[..., object]) -> F:
    if inspect.iscoroutinefunction(function):
        @functools.wraps(function)
        async def later(*arguments: Any, **named: Any) -> Any:
            take(*arguments, **named)
            return await function(*arguments, **named)
        return cast(F, later)

    @functools.wraps(function)
    def now(*arguments: Any, **named: Any) -> Any:
        take(*arguments, **named)
        return function(*arguments, **named)
    return cast(F, now)


def take_all(limiters: Sequence[Limiter], tokens: int = 1) -> Decision:
    """Takes tokens from each of several limiters, or from none: user and
    tenant and everybody.

    Answers the decision of the limiter with the longest wait or, when all
    gave, of that with the fewest tokens left.
    """
    whole(tokens, "tokens", 0)
    if not all(isinstance(limiter, Limiter) for limiter in limiters):
        raise TypeError("take_all takes girt.Limiters")
    if any(limiter._handle is None for limiter in limiters):
        raise Closed("a limiter is closed")
    handles = (ctypes.c_void_p * len(limiters))(
        *(limiter._handle for limiter in limiters))
    return _answered(c.call.limiter_take_all(
        ctypes.addressof(handles), len(limiters), tokens, None, _scratch.at),
        1)
