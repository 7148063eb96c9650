# SPDX-License-Identifier: MIT
"""Shared and Channel: girt_shared and girt_channel, between the processes of
a host."""

from __future__ import annotations

import ctypes
import os
import pickle
import struct
import threading
import time
from array import array
from typing import Any, Callable, Iterable, Optional, Union

from . import _binding as c
from ._errors import (E_CORRUPT, EMPTY, EXISTS, FULL, MISSING, OK, TIMEOUT,
                      Closed, Empty, Full, GetTimeout, PutTimeout, fail)
from ._line import deadline_left, deadline_of
from ._support import Handle, whole

#: A wait is cut into pieces, so that Ctrl-C and close end it.
_SLICE_NS = 50_000_000
#: Pauses in seconds between tries before a wait, for a message and for room.
#: The other side is often at work, and a wait and its end cost both sides more
#: than some messages.  A sender that finds no room sleeps without a call to be
#: woken, so that receivers make more room than for the next batch.
_PAUSES = ((0.0,) * 20, (0.0,) * 5 + (0.0001,) * 20)
_HEAD = struct.Struct("=Q")
_ZEROS = bytes(8)
_PAGE = 4096

Message = Union[bytes, bytearray, memoryview]


class _SharedHandle(Handle):
    __slots__ = ()
    destroy = staticmethod(c.call.shared_close)


class _ChannelHandle(Handle):
    __slots__ = ()
    destroy = staticmethod(c.call.channel_close)


class Shared:
    """A piece of memory that several processes have, for channels, limiters
    and metrics.

    Without a name it is for this process and those that it forks.  With one,
    any process of the host opens it by ``Shared.open``, and it can be given to
    processes that multiprocessing spawns; it stays until ``Shared.unlink`` or
    the next boot.

    >>> segment = Shared(1 << 20)
    >>> jobs = Channel(100, 256, shared=segment, name="jobs")
    """

    def __init__(self, size: int, name: Optional[str] = None, *,
                 mode: int = 0o600) -> None:
        whole(size, "size", 1)
        whole(mode, "mode", 0, 0o777)
        out = ctypes.c_void_p()
        status = c.wait.shared_create(
            ctypes.addressof(out), _name(name), size, mode)
        if status == EXISTS:
            raise FileExistsError(f"there is a segment {name!r}: open it")
        self._begin(status, out, name)

    @classmethod
    def open(cls, name: str) -> Shared:
        """Opens a segment by its name; or raises FileNotFoundError."""
        self = cls.__new__(cls)
        out = ctypes.c_void_p()
        status = c.wait.shared_open(ctypes.addressof(out), _name(name))
        if status == MISSING:
            raise FileNotFoundError(f"there is no segment {name!r}")
        self._begin(status, out, name)
        return self

    @staticmethod
    def unlink(name: str) -> None:
        """Takes a name away; those who have the segment open keep it."""
        status = c.wait.shared_unlink(_name(name))
        if status == MISSING:
            raise FileNotFoundError(f"there is no segment {name!r}")
        if status != OK:
            fail(status)

    def _begin(self, status: int, out: ctypes.c_void_p, name: Optional[str]
               ) -> None:
        if status != OK or out.value is None:
            fail(status)
        self._name = name
        self._handle: Optional[int] = _SharedHandle(out.value)

    def __repr__(self) -> str:
        return f"<girt.Shared {self._name or 'without a name'}>"

    def __reduce__(self) -> tuple[Callable[[str], Shared], tuple[str]]:
        if self._name is None:
            raise TypeError("a segment without a name goes to forked "
                            "processes only: give it a name")
        return Shared.open, (self._name,)

    @property
    def name(self) -> Optional[str]:
        """Its name, or None."""
        return self._name

    def handle(self) -> int:
        """The C object, for what is made in it."""
        if self._handle is None:
            raise Closed("it is closed")
        return self._handle

    def close(self) -> None:
        """Gives it up in this process; what was made in it stays good."""
        self._handle = None

    def __enter__(self) -> Shared:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Scratch(threading.local):
    """Where C writes for this thread."""

    def __init__(self) -> None:
        self.count = ctypes.c_size_t()
        self.count_at = ctypes.addressof(self.count)
        self.sizes = array("Q", [0])
        self.size_at = self.sizes.buffer_info()[0]
        self.reserve(4096)

    def reserve(self, size: int) -> None:
        """Room for so many bytes."""
        self.room = size
        self.buffer = ctypes.create_string_buffer(size)
        self.at = ctypes.addressof(self.buffer)
        self.view = memoryview(self.buffer).cast("B")


_scratch = _Scratch()


class Channel:
    """Messages between the processes of a host; a killed one blocks nobody.

    ``send`` and ``receive`` carry bytes, ``put`` and ``get`` objects, by
    pickle: use one pair on a channel.  Each process that sends has room for
    ``capacity`` messages of up to ``message_max`` bytes.  A message is
    received once; those of one process come in order.

    Without ``shared`` it has a segment of its own, for ``senders`` processes
    that are forked.  In a segment with a name, any process opens it by the
    same arguments, and spawned ones can be given it.

    >>> channel = Channel()
    >>> channel.put({"job": 1})
    >>> channel.get()
    {'job': 1}
    """

    def __init__(self, capacity: int = 1024, message_max: int = 1024, *,
                 shared: Optional[Shared] = None, name: str = "channel",
                 senders: int = 8) -> None:
        whole(capacity, "capacity", 1)
        whole(message_max, "message_max", 1)
        whole(senders, "senders", 1, 64)
        if shared is None:
            shared = Shared(_room(capacity, message_max, senders))
        elif not isinstance(shared, Shared):
            raise TypeError("shared is a girt.Shared or None")
        out = ctypes.c_void_p()
        status = c.wait.channel_open(
            ctypes.addressof(out), shared.handle(), _name(name), capacity,
            message_max)
        if status != OK or out.value is None:
            fail(status)
        self._handle: Optional[int] = _ChannelHandle(out.value)
        self._arguments = (capacity, message_max, shared, name)
        self._message_max = message_max
        self._c_send = c.call.channel_send
        self._c_receive = c.call.channel_receive

    def __repr__(self) -> str:
        return f"<girt.Channel {self._arguments[3]}>"

    def __reduce__(self) -> Any:
        return _again, self._arguments

    # ---- bytes ----

    def send(self, message: Message, block: bool = True,
             timeout: Optional[float] = None) -> None:
        """Sends bytes, waiting for room.

        Raises Full (not block) or PutTimeout; ValueError for more than
        message_max.
        """
        if type(message) is not bytes:
            message = _bytes(message)
        size = len(message)
        status = self._c_send(self._handle, message, size, 0)
        if status:
            self._wait(status, block, timeout, c.wait.channel_send,
                       message, size)

    def receive(self, block: bool = True, timeout: Optional[float] = None
                ) -> bytes:
        """Receives bytes, waiting for a message.

        Raises Empty (not block), GetTimeout or Corrupt.
        """
        scratch = self._receive(block, timeout)
        # A slice of a char array is bytes.
        return scratch.buffer[:scratch.sizes[0]]  # type: ignore[return-value]

    def send_many(self, messages: Iterable[Message], block: bool = True,
                  timeout: Optional[float] = None) -> int:
        """Sends several, in order; answers how many.

        Raises Full or PutTimeout when not all were sent; its ``count`` tells
        how many were.
        """
        listed = [_bytes(message) for message in messages]
        ends: list[int] = []
        frames = _frames(listed)
        scratch = _scratch
        sent = 0

        def again(handle: Optional[int], ns: int, functions: Any = c.wait
                  ) -> int:
            nonlocal sent, frames
            scratch.count.value = 0
            status: int = functions.channel_send_n(
                handle, frames, len(frames), ns, scratch.count_at)
            if scratch.count.value and status:
                # The rest, from the first that is not sent.
                if not ends:
                    ends.extend(_ends(listed))
                done = ends[sent] if sent else 0
                sent += scratch.count.value
                frames = frames[ends[sent] - done:]
            elif not status:
                sent = len(listed)
            return status
        try:
            status = again(self._handle, 0, c.call)
            if status:
                self._wait(status, block, timeout, again)
        except (Full, Closed) as error:
            error.count = sent
            raise
        return sent

    def receive_many(self, room: int = 65536, block: bool = True,
                     timeout: Optional[float] = None) -> list[bytes]:
        """Receives as many messages as there are and fit into that many bytes
        with 8 to 15 for each; waits for the first only."""
        data, count = self._receive_n(room, block, timeout)
        return _messages(data, count)

    # ---- objects ----

    def put(self, item: Any, block: bool = True,
            timeout: Optional[float] = None) -> None:
        """Sends an object, by pickle."""
        self.send(pickle.dumps(item, 5), block, timeout)

    def get(self, block: bool = True, timeout: Optional[float] = None) -> Any:
        """Receives an object.  Only channels whose senders you trust: a
        pickle runs what it says."""
        scratch = self._receive(block, timeout)
        return pickle.loads(scratch.view[:scratch.sizes[0]])

    def put_many(self, items: Iterable[Any], block: bool = True,
                 timeout: Optional[float] = None) -> int:
        """Sends several objects, in order."""
        return self.send_many([pickle.dumps(item, 5) for item in items],
                              block, timeout)

    def get_many(self, room: int = 65536, block: bool = True,
                 timeout: Optional[float] = None) -> list[Any]:
        """Receives as many objects as there are and fit into that many bytes
        of pickles; waits for the first only."""
        return [pickle.loads(message)
                for message in self.receive_many(room, block, timeout)]

    def close(self) -> None:
        """Gives it up in this process: its calls raise Closed, also those
        that wait.  What was sent stays for receivers."""
        self._handle = None

    def __enter__(self) -> Channel:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ---- within ----

    def _receive(self, block: bool, timeout: Optional[float]) -> _Scratch:
        """Where the message is, until this thread's next one."""
        scratch = _scratch
        if scratch.room < self._message_max:
            scratch.reserve(self._message_max)
        status = self._c_receive(self._handle, scratch.at, scratch.room,
                                 scratch.size_at, 0)
        if status:
            self._wait(status, block, timeout, _receive_later, scratch.at,
                       scratch.room, scratch.size_at)
        return scratch

    def _receive_n(self, room: int, block: bool, timeout: Optional[float]
                   ) -> tuple[bytes, int]:
        scratch = _scratch
        room = max(whole(room, "room", 1), _frame(self._message_max))
        if scratch.room < room:
            scratch.reserve(room)
        status = c.call.channel_receive_n(self._handle, scratch.at, room, 0,
                                          scratch.size_at, scratch.count_at)
        if status:
            self._wait(status, block, timeout, _receive_n_later, scratch.at,
                       room, scratch.size_at, scratch.count_at)
        data: Any = scratch.buffer[:scratch.sizes[0]]
        return data, scratch.count.value

    def _wait(self, status: int, block: bool, timeout: Optional[float],
              again: Callable[..., int], *arguments: Any) -> None:
        """Calls again until it is done or the time is over."""
        if status not in (EMPTY, FULL):
            fail(status, self._handle)
        full = status == FULL
        if not block:
            raise (Full("no room in the channel") if full else
                   Empty("the channel is empty"))
        deadline = deadline_of(timeout)
        for pause in _PAUSES[full]:
            if pause:
                time.sleep(pause)
            else:
                os.sched_yield()
            status = again(self._handle, *arguments, 0)
            if status == OK:
                return
            if deadline is not None and not deadline_left(deadline):
                break
        while True:
            left = (_SLICE_NS if deadline is None else
                    min(_SLICE_NS, int(deadline_left(deadline) * 1e9)))
            status = again(self._handle, *arguments, left)
            if status == OK:
                return
            if status not in (TIMEOUT, EMPTY, FULL):
                fail(status, self._handle)
            if deadline is not None and not deadline_left(deadline):
                raise (PutTimeout("no room came in time") if full else
                       GetTimeout("no message came in time"))


def _receive_later(handle: Optional[int], at: int, room: int, size_at: int,
                   ns: int) -> int:
    status: int = c.wait.channel_receive(handle, at, room, size_at, ns)
    return status


def _receive_n_later(handle: Optional[int], at: int, room: int, size_at: int,
                     count_at: int, ns: int) -> int:
    status: int = c.wait.channel_receive_n(handle, at, room, ns, size_at,
                                           count_at)
    return status


def _again(capacity: int, message_max: int, shared: Shared, name: str
           ) -> Channel:
    return Channel(capacity, message_max, shared=shared, name=name)


def _name(name: Optional[str]) -> Optional[bytes]:
    if name is None:
        return None
    if not isinstance(name, str):
        raise TypeError(f"a name is a str, not {type(name).__name__}")
    encoded = name.encode()
    if b"\0" in encoded:
        raise ValueError("a name holds no zero byte")
    return encoded


def _bytes(message: object) -> bytes:
    if type(message) is bytes:
        return message
    if isinstance(message, (bytes, bytearray, memoryview)):
        return bytes(message)
    raise TypeError(f"a message is bytes, not {type(message).__name__}: put "
                    "sends objects")


def _frame(size: int) -> int:
    return 8 + (size + 7) // 8 * 8


def _room(capacity: int, message_max: int, senders: int) -> int:
    """Bytes of a segment for a channel of so many senders."""
    places = 1 << (capacity - 1).bit_length()
    lane = 384 + 8 * places + capacity * _frame(message_max)
    return senders * (-(-(lane + 1280) // _PAGE) * _PAGE)


def _frames(messages: list[bytes]) -> bytes:
    """Messages as girt_channel_send_n takes them."""
    if not messages:
        return b""
    size = len(messages[0])
    if all(len(message) == size for message in messages):
        head, pad = _HEAD.pack(size), _ZEROS[:-size % 8]
        return head + (pad + head).join(messages) + pad
    pieces: list[bytes] = []
    for message in messages:
        size = len(message)
        pieces += (_HEAD.pack(size), message, _ZEROS[:-size % 8])
    return b"".join(pieces)


def _ends(messages: list[bytes]) -> list[int]:
    """Where each frame begins in _frames, and where the last one ends."""
    ends = [0]
    for message in messages:
        ends.append(ends[-1] + _frame(len(message)))
    return ends


def _messages(data: bytes, count: int) -> list[bytes]:
    """Takes apart what girt_channel_receive_n filled."""
    size = _HEAD.unpack_from(data)[0]
    if len(data) == count * _frame(size):
        # All of one size, most likely.
        alike = [message for its, message in struct.iter_unpack(
            f"=Q{size}s{-size % 8}x", data) if its == size]
        if len(alike) == count:
            return alike
    messages = []
    at = 0
    while at < len(data):
        size = _HEAD.unpack_from(data, at)[0]
        if size > len(data) - at - 8:
            fail(E_CORRUPT)
        messages.append(data[at + 8:at + 8 + size])
        at += _frame(size)
    return messages
