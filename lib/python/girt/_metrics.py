# SPDX-License-Identifier: MIT
"""Metrics: girt_metrics, counters that no two CPUs fight over, and the text
that Prometheus reads."""

from __future__ import annotations

import contextlib
import ctypes
import threading
import time
from typing import Any, Callable, Iterator, Mapping, Optional, TypeVar

from . import _binding as c
from ._errors import OK, Closed, fail
from ._support import (Handle, NotCopied, Segment, bury, choice, part_maker,
                       sections, whole)

Labels = Optional[Mapping[str, str]]
S = TypeVar("S", bound="_Series")


class _MetricsHandle(Handle):
    __slots__ = ()
    destroy = staticmethod(c.call.metrics_destroy)


class _Scratch(threading.local):
    """What the text of this thread's write goes to."""

    def __init__(self) -> None:
        self.pieces: Any = None
        self.error: Optional[BaseException] = None


_scratch = _Scratch()


@c.METRICS_WRITE  # type: ignore[misc]
def _piece(_: Any, text: int, size: int) -> bool:
    try:
        _scratch.pieces.append(ctypes.string_at(text, size))
        return True
    except BaseException as error:
        _scratch.error = error
        return False


class Metrics(NotCopied):
    """A registry of counters, gauges and histograms.

    The same name and labels give the same series.  Queues, limiters and the
    others report themselves to it with ``metrics=`` and ``name=``.

    >>> metrics = Metrics()
    >>> requests = metrics.counter("requests", "Served.", {"method": "GET"})
    >>> requests.add()
    >>> requests.add(2)
    >>> print(metrics.text().splitlines()[-1])
    requests_total{method="GET"} 3

    With ``shared``, a girt.Shared, it is one registry for all processes that
    make it so: what any of them counts, dead ones included, is in the text of
    each.  Make it before the workers are forked.
    """

    def __init__(self, *, series_max: int = 1000,
                 shared: Optional[Segment] = None, name: str = "metrics"
                 ) -> None:
        whole(series_max, "series_max", 1, c.METRICS_SERIES_MAX)
        out = ctypes.c_void_p()
        if shared is None:
            status = c.call.metrics_create(ctypes.addressof(out), None)
        else:
            make = part_maker(c.wait.metrics_shared, shared, name, False)
            status = make(ctypes.addressof(out), None)
        if status != OK or out.value is None:
            fail(status)
        self._handle: Optional[int] = _MetricsHandle(out.value)
        c.call.metrics_set_series_max(self._handle, series_max)

    def counter(self, name: str, help: str = "", labels: Labels = None
                ) -> Counter:
        """A series that only grows; ``_total`` is added to its name."""
        return self._series(Counter, c.call.counter_create, name, help, labels)

    def gauge(self, name: str, help: str = "", labels: Labels = None) -> Gauge:
        """A series that is set."""
        return self._series(Gauge, c.call.gauge_create, name, help, labels)

    def histogram(self, name: str, help: str = "", labels: Labels = None
                  ) -> Histogram:
        """A series of how often which values came, whole numbers in the unit
        that its name says: wait_ns, size_bytes."""
        return self._series(Histogram, c.call.histogram_create, name, help,
                            labels)

    def text(self, format: str = "prometheus") -> str:
        """All series, as Prometheus text or, with "openmetrics", as that."""
        number = choice(format, c.METRICS_FORMATS, "format")
        scratch = _scratch
        outer, scratch.pieces = scratch.pieces, []
        # Objects are destroyed when the text is done: they would wait for
        # the registry.
        sections.depth += 1
        try:
            status = c.call.metrics_write(self._handle, number, _piece, None)
            pieces = scratch.pieces
        finally:
            sections.depth -= 1
            scratch.pieces = outer
            bury()
        if scratch.error is not None:
            error, scratch.error = scratch.error, None
            raise error
        if status != OK:
            fail(status, self._handle)
        return b"".join(pieces).decode()

    def handle(self) -> int:
        """The C object, for what reports to it."""
        if self._handle is None:
            raise Closed("it is closed")
        return self._handle

    def close(self) -> None:
        """Ends its use: every call raises Closed from now on.  Series and
        objects that have it go on."""
        self._handle = None

    def _series(self, kind: Callable[[int, int], S], maker: Any, name: str,
                help: str, labels: Labels) -> S:
        handle = self.handle()
        texts: list[bytes] = [_text(name, "a name"), _text(help, "a help")]
        for label, value in (labels or {}).items():
            texts += [_text(label, "a label"), _text(value, "a label's value")]
        flat = (ctypes.c_char_p * (len(texts) - 1))(*texts[2:], None)
        out = ctypes.c_void_p()
        status = maker(ctypes.addressof(out), handle, texts[0], texts[1],
                       ctypes.addressof(flat))
        if status != OK or out.value is None:
            fail(status)
        return kind(out.value, handle)


def _text(text: object, what: str) -> bytes:
    if not isinstance(text, str):
        raise TypeError(f"{what} is a str, not {type(text).__name__}")
    encoded = text.encode()
    if b"\0" in encoded:
        raise ValueError(f"{what} holds no zero byte")
    return encoded


class _Series:
    """One series; it lives as long as its registry."""

    __slots__ = ("_handle", "_metrics")

    def __init__(self, handle: int, metrics: int) -> None:
        self._handle = handle
        self._metrics = metrics  # keeps it


class Counter(_Series):
    """A series that only grows."""

    __slots__ = ()

    def add(self, amount: int = 1) -> None:
        """Adds to it."""
        if not isinstance(amount, int) or not 0 <= amount < 2 ** 64:
            whole(amount, "amount", 0)
        _counter_add(self._handle, amount)

    inc = add

    @property
    def value(self) -> int:
        """What it has come to, modulo 2**64."""
        return int(c.call.counter_value(self._handle))


class Gauge(_Series):
    """A series that is set."""

    __slots__ = ()

    def set(self, value: float) -> None:
        """Sets it."""
        c.call.gauge_set(self._handle, _float(value))

    def add(self, amount: float = 1.0) -> None:
        """Adds to it."""
        c.call.gauge_add(self._handle, _float(amount))

    @property
    def value(self) -> float:
        """What it was set to, with what was added since."""
        return float(c.call.gauge_value(self._handle))


class Histogram(_Series):
    """A series of how often which values came."""

    __slots__ = ()

    def record(self, value: int) -> None:
        """Counts a value."""
        if not isinstance(value, int) or not 0 <= value < 2 ** 64:
            whole(value, "value", 0)
        _histogram_record(self._handle, value)

    @contextlib.contextmanager
    def time(self) -> Iterator[None]:
        """``with histogram.time():`` records how many nanoseconds it took."""
        start = time.perf_counter_ns()
        try:
            yield
        finally:
            self.record(time.perf_counter_ns() - start)

    def quantile(self, share: float) -> int:
        """The value that this share of all values does not exceed, within
        1/64 of it."""
        return int(c.call.histogram_quantile(self._handle, _float(share)))

    @property
    def count(self) -> int:
        """How many values it has."""
        return int(c.call.histogram_count(self._handle))


_counter_add = c.call.counter_add
_histogram_record = c.call.histogram_record


def _float(value: object) -> float:
    if not isinstance(value, (int, float)):
        raise TypeError(f"a number, not {type(value).__name__}")
    return float(value)
