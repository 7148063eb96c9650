# SPDX-License-Identifier: MIT
"""Map: girt_map, bytes to bytes."""

from __future__ import annotations

import ctypes
import struct
import threading
from collections.abc import MutableMapping
from typing import Any, Callable, Iterator, Optional, TypeVar, Union

from . import _binding as c
from ._errors import EXISTS, MISSING, OK, fail
from ._support import (Handle, Key, NotCopied, Reporting, bury, create,
                       fill_name, key_bytes, sections, whole)

D = TypeVar("D")

_MAX = 65536
_PREFIX = struct.Struct("<I")
_NUMBER = struct.Struct("<q")


class _Scratch(threading.local):
    """Where C writes for this thread; and what a callback works for."""

    def __init__(self) -> None:
        self.value = bytearray(_PREFIX.size + _MAX)
        self.hold = (ctypes.c_char * len(self.value)).from_buffer(self.value)
        self.at = ctypes.addressof(self.hold)
        self.view = memoryview(self.value)
        self.swap: Any = None
        self.each: Any = None
        self.error: Optional[BaseException] = None


_scratch = _Scratch()


class _MapHandle(Handle):
    __slots__ = ()
    # It waits for read sections: without the interpreter's lock.
    destroy = staticmethod(c.wait.map_destroy)


def _value_at(address: int) -> bytes:
    size = ctypes.c_uint32.from_address(address).value
    return ctypes.string_at(address + _PREFIX.size, size)


class Map(NotCopied, MutableMapping):  # type: ignore[type-arg]
    """A hash map of bytes to bytes, for any threads, with atomic updates.

    A key is bytes, or a str, which stands for its UTF-8; keys are answered as
    bytes.  A value has up to ``value_max`` bytes, and each entry takes that
    much room.

    >>> ages = Map()
    >>> ages["ann"] = b"41"
    >>> ages.update_key("ann", lambda old: b"%d" % (int(old or b"0") + 1))
    b'42'
    >>> ages.increment("visits")
    1
    >>> sorted(ages)
    [b'ann', b'visits']
    """

    def __init__(self, value_max: int = 64, *, expected: int = 0,
                 shards: int = 0, name: Optional[str] = None,
                 metrics: Optional[Reporting] = None) -> None:
        self._value_max = whole(value_max, "value_max", 1,
                                _MAX - _PREFIX.size)
        options = c.MapOptions(
            value_size=value_max + _PREFIX.size,
            expected=whole(expected, "expected", 0),
            shards=whole(shards, "shards", 0))
        keep = fill_name(options, name, metrics)
        self._handle: Optional[int] = create(
            _MapHandle, c.call.map_create, options, keep)
        self._c_get = c.call.map_get

    def __repr__(self) -> str:
        return f"<girt.Map of {len(self)}>"

    @property
    def value_max(self) -> int:
        """The most bytes of a value."""
        return self._value_max

    @property
    def nbytes(self) -> int:
        """The memory that the map holds."""
        return int(c.call.map_bytes(self._handle))

    # ---- a mapping ----

    def __getitem__(self, key: Key) -> bytes:
        found: Optional[bytes] = self.get(key)
        if found is None:
            raise KeyError(key)
        return found

    def get(self, key: Key, default: Any = None) -> Any:
        """The value of a key, or the default."""
        if type(key) is not bytes:
            key = key_bytes(key)
        scratch = _scratch
        status = self._c_get(self._handle, key, len(key), scratch.at)
        if status:
            if status == MISSING:
                return default
            fail(status, self._handle)
        size = _PREFIX.unpack_from(scratch.value)[0]
        return bytes(scratch.view[4:4 + size])

    def __setitem__(self, key: Key, value: bytes) -> None:
        key = key_bytes(key)
        status = c.call.map_put(self._handle, key, len(key),
                                self._stored(value))
        if status != OK:
            fail(status, self._handle)

    def __delitem__(self, key: Key) -> None:
        encoded = key_bytes(key)
        status = c.call.map_remove(self._handle, encoded, len(encoded), None)
        if status == MISSING:
            raise KeyError(key)
        if status != OK:
            fail(status, self._handle)

    def pop(self, key: Key, *default: Any) -> Any:
        """Removes a key and answers its value, in one atomic step."""
        if len(default) > 1:
            raise TypeError("pop takes one default")
        encoded = key_bytes(key)
        status = c.call.map_remove(self._handle, encoded, len(encoded),
                                   _scratch.at)
        if status == MISSING:
            if default:
                return default[0]
            raise KeyError(key)
        if status != OK:
            fail(status, self._handle)
        return _value_at(_scratch.at)

    def setdefault(self, key: Key, default: Any = b"") -> bytes:
        """The value of a key; stores the default where there is none, in one
        atomic step."""
        encoded = key_bytes(key)
        stored = self._stored(default)
        while True:
            status = c.call.map_add(self._handle, encoded, len(encoded),
                                    stored)
            if status == OK:
                return bytes(default)
            if status != EXISTS:
                fail(status, self._handle)
            found: Optional[bytes] = self.get(encoded)
            if found is not None:
                return found

    def __contains__(self, key: object) -> bool:
        if not isinstance(key, (bytes, str, bytearray, memoryview)):
            return False
        return self.get(key) is not None

    def __len__(self) -> int:
        return int(c.call.map_count(self._handle))

    def __iter__(self) -> Iterator[bytes]:
        """The keys, as they were when iteration began."""
        return iter([key for key, _ in self._entries()])

    def items(self) -> Any:
        """Keys and values, as they were when it was called."""
        return self._entries()

    def values(self) -> Any:
        """The values, as they were when it was called."""
        return [value for _, value in self._entries()]

    def clear(self) -> None:
        """Removes every key that is there now."""
        for key in self:
            self.pop(key, None)

    # ---- atomic updates ----

    def update_key(self, key: Key,
                   function: Callable[[Optional[bytes]], Optional[bytes]]
                   ) -> Optional[bytes]:
        """Replaces a value by what a function makes of it, in one atomic step.

        The function gets the value, or None; what it answers is stored, and
        None removes the key.  It may run again when another thread changes the
        key meanwhile: only its last run counts.  Answers what is stored now.
        An exception in it leaves the key alone.
        """
        encoded = key_bytes(key)
        while True:
            old: Optional[bytes] = self.get(encoded)
            new = function(old)
            stored = None if new is None else self._stored(new)
            if self._replace(encoded, old, stored):
                return None if new is None else bytes(new)

    def update(self, *others: Any, **named: Any) -> Any:
        """``update(key, function)`` is update_key; anything else stores the
        entries of a mapping, as dict.update does."""
        if len(others) == 2 and callable(others[1]) and not named:
            return self.update_key(others[0], others[1])
        return super().update(*others, **named)

    def increment(self, key: Key, by: int = 1) -> int:
        """Adds to a key's number, in one atomic step, and answers the sum.

        A key that is not there counts as 0.  Its value is the number in 8
        bytes, little-endian and signed: ``number`` reads it.
        """
        if not isinstance(by, int):
            raise TypeError("by is an int")

        def add(old: Optional[bytes]) -> bytes:
            try:
                return _NUMBER.pack(_number(old) + by)
            except struct.error:
                raise OverflowError("the sum takes more than 64 bits"
                                    ) from None
        stored = self.update_key(key, add)
        return _number(stored)

    def number(self, key: Key) -> int:
        """The number that increment keeps; 0 for a key that is not there."""
        return _number(self.get(key))

    def close(self) -> None:
        """Ends its use: every call raises Closed from now on."""
        self._handle = None

    # ---- within ----

    def _stored(self, value: Union[bytes, bytearray, memoryview]) -> bytes:
        if not isinstance(value, (bytes, bytearray, memoryview)):
            raise TypeError(f"a value is bytes, not {type(value).__name__}")
        value = bytes(value)
        room = self._value_max - len(value)
        if room < 0:
            raise ValueError(f"a value has {self._value_max} bytes at most: "
                             "see value_max")
        return _PREFIX.pack(len(value)) + value + bytes(room)

    def _replace(self, key: bytes, old: Optional[bytes],
                 stored: Optional[bytes]) -> bool:
        """Whether the value was still the old one, and was replaced."""
        scratch = _scratch
        outer = scratch.swap
        swap = scratch.swap = _Swap(old, stored)
        sections.depth += 1
        try:
            status = c.call.map_update(self._handle, key, len(key), _update,
                                       None)
        finally:
            sections.depth -= 1
            scratch.swap = outer
            if not sections.depth:
                bury()
        if swap.error is not None:
            raise swap.error
        if status not in (OK, MISSING):
            fail(status, self._handle)
        return swap.done

    def _entries(self) -> list[tuple[bytes, bytes]]:
        entries: list[tuple[bytes, bytes]] = []
        scratch = _scratch
        outer, scratch.each = scratch.each, entries
        sections.depth += 1
        try:
            status = c.call.map_each(self._handle, _each, None)
        finally:
            sections.depth -= 1
            scratch.each = outer
            if not sections.depth:
                bury()
        if scratch.error is not None:
            error, scratch.error = scratch.error, None
            raise error
        if status != OK:
            fail(status, self._handle)
        return entries


def _number(value: Optional[bytes]) -> int:
    if value is None:
        return 0
    if len(value) != _NUMBER.size:
        raise ValueError("the key's value is no number of increment's")
    return int(_NUMBER.unpack(value)[0])


class _Swap:
    """One call of Map._replace."""

    __slots__ = ("old", "stored", "done", "error")

    def __init__(self, old: Optional[bytes], stored: Optional[bytes]) -> None:
        self.old = old
        self.stored = stored
        self.done = False
        self.error: Optional[BaseException] = None


@c.MAP_UPDATE  # type: ignore[misc]
def _update(_: Any, value: int, present: bool) -> int:
    swap: _Swap = _scratch.swap
    try:
        swap.done = swap.old == (_value_at(value) if present else None)
        if not swap.done:
            return c.MAP_KEEP
        if swap.stored is None:
            return c.MAP_REMOVE
        ctypes.memmove(value, swap.stored, len(swap.stored))
        return c.MAP_STORE
    except BaseException as error:  # Ctrl-C
        swap.error = error
        return c.MAP_KEEP


@c.MAP_SEE  # type: ignore[misc]
def _each(_: Any, key: int, size: int, value: int) -> bool:
    try:
        _scratch.each.append((ctypes.string_at(key, size), _value_at(value)))
        return True
    except BaseException as error:
        _scratch.error = error
        return False
