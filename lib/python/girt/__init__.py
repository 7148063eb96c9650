# SPDX-License-Identifier: MIT
"""girt: queues, maps, caches, limiters, guards and rings that many threads,
tasks and processes can share, over the C library libgirt.

>>> import girt
>>> clients = girt.KeyedLimiter(5, burst=2)
>>> clients.allow("ann")
True
"""

from ._cache import Cache, LoadFailed, Stats
from ._errors import (Closed, Corrupt, Empty, Error, Full, GetTimeout,
                      Limited, PutTimeout, Rejected, Timeout)
from ._guard import Breaker, Bulkhead, Permit
from ._library import VERSION as __version__
from ._limiter import Decision, KeyedLimiter, Limiter, take_all
from ._map import Map
from ._metrics import Counter, Gauge, Histogram, Metrics
from ._queue import Queue
from ._ring import Ring
from ._shared import Channel, Shared
from ._support import Key, ManualClock

__all__ = [
    "Breaker", "Bulkhead", "Cache", "Channel", "Closed", "Corrupt", "Counter",
    "Decision", "Empty", "Error", "Full", "Gauge", "GetTimeout", "Histogram",
    "Key", "KeyedLimiter", "Limited", "Limiter", "LoadFailed", "ManualClock",
    "Map", "Metrics", "Permit", "PutTimeout", "Queue", "Rejected", "Ring",
    "Shared", "Stats", "Timeout", "__version__", "take_all",
]

# Names in tracebacks and pickles are those that users import.
for _name in __all__:
    _thing = globals()[_name]
    if isinstance(_thing, type):
        _thing.__module__ = __name__
del _name, _thing
