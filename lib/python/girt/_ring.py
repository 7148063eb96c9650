# SPDX-License-Identifier: MIT
"""Ring: girt_ring, which node owns this key."""

from __future__ import annotations

import contextlib
import ctypes
import operator
import struct
import threading
from array import array
from typing import (Any, Callable, Iterable, Iterator, Mapping, NoReturn,
                    Optional, Sequence, Union)

from . import _binding as c
from ._errors import E_INVALID, EXISTS, MISSING, OK, fail
from ._support import (Handle, Key, NotCopied, Reporting, choice, create,
                       fill_name, fork_gate, key_bytes, packed, sized, whole)

_NAMES_MAX = 1 << 26
_ZERO = array("i", [0])


class _Scratch(threading.local):
    """Where C writes for this thread."""

    def __init__(self) -> None:
        self.ids = array("i", [0])
        self.at = self.ids.buffer_info()[0]


_scratch = _Scratch()

class _RingHandle(Handle):
    __slots__ = ()
    # It waits for read sections: without the interpreter's lock.
    destroy = staticmethod(c.wait.ring_destroy)


Nodes = Union[Iterable[str], Mapping[str, int]]


class Ring(NotCopied):
    """Spreads keys over nodes that come and go.

    nodes are names, or names with weights.  Keys stay where they are when
    other nodes leave or join, but for those of the nodes themselves.

    >>> ring = Ring({"large": 2, "small": 1, "spare": 1})
    >>> ring["order 1"] in ring
    True
    >>> two = ring.find("order 1", 2)
    >>> ring.remove(two[0])
    >>> ring["order 1"] == two[1]
    True

    kind: native, ketama (libmemcached's, bit for bit), maglev (Envoy's),
    rendezvous or jump.  Programs that have to agree need the same kind, names,
    weights and seed; keep the seed secret where keys come from strangers.
    With ``bound``, 1.25 say, acquire passes over nodes that have more than
    that much of their share under way.

    Lookups may run in any threads while others change the ring.
    """

    def __init__(self, nodes: Nodes = (), *, kind: str = "native",
                 points: int = 0, maglev_size: int = 0, bound: float = 0.0,
                 seed: int = 0, name: Optional[str] = None,
                 metrics: Optional[Reporting] = None) -> None:
        options = c.RingOptions(
            kind=choice(kind, c.RING_KINDS, "kind"),
            points_per_weight=whole(points, "points", 0, 2 ** 32 - 1),
            maglev_size=whole(maglev_size, "maglev_size", 0, 2 ** 32 - 1),
            bound=bound, seed=whole(seed, "seed", 0))
        keep = fill_name(options, name, metrics)
        self._handle: Optional[int] = create(
            _RingHandle, c.call.ring_create, options, keep)
        # By id.  None while a change is under way: an id found then may be
        # one that the names do not know yet.
        self._names: Optional[list[str]] = []
        self._c_find = c.call.ring_find
        self.set(nodes)

    def __repr__(self) -> str:
        return f"<girt.Ring of {len(self)} nodes>"

    # ---- lookups ----

    def __getitem__(self, key: Key) -> str:
        """The node that owns a key; KeyError when there are no nodes."""
        if type(key) is not bytes:
            key = key_bytes(key)
        scratch = _scratch
        names = self._names
        status = self._c_find(self._handle, key, len(key), scratch.at)
        if status:
            self._fail(status)
        if names is not None and names is self._names:
            return names[scratch.ids[0]]
        return self._look(lambda: self._find_ids((key,)))[0]

    def find(self, key: Key, count: int = 1) -> list[str]:
        """The first ``count`` distinct nodes for a key, by preference: the
        owner, who takes over from it, and so on."""
        whole(count, "count", 0)
        return list(self._look(
            lambda: self._find_some(key_bytes(key), count)))

    def find_many(self, keys: Iterable[Key]) -> tuple[str, ...]:
        """The owners of many keys, in order: one call for all."""
        listed = keys if isinstance(keys, (list, tuple)) else list(keys)
        return self._look(lambda: self._find_ids(listed))

    @contextlib.contextmanager
    def acquire(self, key: Key) -> Iterator[str]:
        """``with ring.acquire(key) as node:`` counts a load on the node,
        the first by preference that its bound has room for."""
        key = key_bytes(key)
        while True:
            status = c.call.ring_acquire(self._handle, key, len(key),
                                         _scratch.at)
            if status:
                self._fail(status)
            node = _scratch.ids[0]
            handle = self._handle
            try:
                # No other node gets the id while the load is held.
                name = self._name(node)
                if name is not None:
                    yield name
                    return
            finally:
                c.call.ring_release(handle, node)

    # ---- members ----

    def set(self, nodes: Nodes) -> None:
        """Replaces the membership at once."""
        if isinstance(nodes, (str, bytes)):
            raise TypeError("nodes are several names")
        pairs = (list(nodes.items()) if isinstance(nodes, Mapping)
                 else [(name, 1) for name in nodes])
        members = (c.Node * len(pairs))(*[
            c.Node(_node_name(name), _weight(weight))
            for name, weight in pairs])
        self._change(c.wait.ring_set, ctypes.addressof(members), len(pairs))

    def add(self, node: str, weight: int = 1) -> None:
        """Adds a node, or changes the weight of one."""
        self._change(c.wait.ring_add, _node_name(node), _weight(weight))

    def remove(self, node: str) -> None:
        """Removes a node; KeyError when it is not there."""
        self._change(c.wait.ring_remove, _node_name(node))

    def share(self, node: str) -> float:
        """The part of all keys that a node owns; 0.0 when it is not there."""
        return float(c.call.ring_share(self._handle, _node_name(node)))

    def __len__(self) -> int:
        return int(c.call.ring_count(self._handle))

    def __iter__(self) -> Iterator[str]:
        """The names of the nodes."""
        return iter([name for name in self._members() if name])

    def __contains__(self, node: object) -> bool:
        return isinstance(node, str) and bool(node) and node in self._members()

    def close(self) -> None:
        """Ends its use: every call raises Closed from now on."""
        self._handle = None

    # ---- within ----

    def _change(self, change: Any, *arguments: Any) -> None:
        with fork_gate:
            self._names = None
            try:
                status = change(self._handle, *arguments)
            finally:
                self._names = self._read_names()
        if status not in (OK, EXISTS):
            if status == MISSING:
                raise KeyError(arguments[0].decode())
            self._fail(status)

    def _look(self, find: Callable[[], array[int]]) -> tuple[str, ...]:
        """The names of the ids that ``find`` answers."""
        while True:
            names = self._names
            ids = find()
            if names is not None and names is self._names:
                if len(ids) < 2:
                    return tuple([names[node] for node in ids])
                # A tuple of numbers, and one of names: no loop in Python.
                picked: tuple[str, ...] = operator.itemgetter(
                    *struct.unpack(f"{len(ids)}i", ids))(names)
                return picked
            # The ring is changing: the ids must mean the same before and
            # after their names were read.
            known = {node: self._name(node) for node in set(ids)}
            if None not in known.values() and find() == ids:
                return tuple([known[node] or "" for node in ids])

    def _find_ids(self, keys: Sequence[Key]) -> array[int]:
        batch = packed(keys)
        ids = _ZERO * len(keys)
        status = c.call.ring_find_keys(
            self._handle, ctypes.addressof(batch), ids.buffer_info()[0])
        if status == E_INVALID and self._handle is not None:
            batch = sized(keys)  # some key holds a zero byte
            status = c.call.ring_find_keys(
                self._handle, ctypes.addressof(batch), ids.buffer_info()[0])
        if status != OK and (status != MISSING or batch.count):
            self._fail(status)
        return ids

    def _find_some(self, key: bytes, count: int) -> array[int]:
        ids = _ZERO * min(count, len(self))
        found = ctypes.c_size_t(len(ids))
        status = c.call.ring_find_n(
            self._handle, key, len(key), ids.buffer_info()[0],
            ctypes.addressof(found))
        if status not in (OK, MISSING):
            self._fail(status)
        return ids[:found.value]

    def _name(self, node: int) -> Optional[str]:
        buffer = ctypes.create_string_buffer(c.RING_NAME_MAX + 1)
        status = c.call.ring_name(self._handle, node,
                                  ctypes.addressof(buffer), len(buffer))
        return buffer.value.decode() if status == OK else None

    def _members(self) -> list[str]:
        names = self._names
        return self._read_names() if names is None else names

    def _read_names(self) -> list[str]:
        """By id; "" where no member has the id."""
        left = len(self)
        names: list[str] = []
        while left and len(names) < _NAMES_MAX:
            name = self._name(len(names))
            names.append(name or "")
            left -= name is not None
        return names

    def _fail(self, status: int) -> NoReturn:
        if status == MISSING and self._handle is not None:
            raise KeyError("the ring has no nodes")
        fail(status, self._handle)


def _node_name(name: object) -> bytes:
    if not isinstance(name, str):
        raise TypeError(f"a node's name is a str, not {type(name).__name__}")
    encoded = name.encode()
    if not 1 <= len(encoded) <= c.RING_NAME_MAX or b"\0" in encoded:
        raise ValueError("a node's name has 1 to 255 bytes, none of them zero")
    return encoded


def _weight(weight: object) -> int:
    if not isinstance(weight, int):
        raise TypeError("a weight is an int")
    return whole(weight, "weight", 1, 2 ** 32 - 1)
