# SPDX-License-Identifier: MIT
"""Shows: keys spread over servers, a server that leaves, and a hot key.
Introduces: Ring, find_many, acquire."""
from collections import Counter

import girt

ring = girt.Ring(["db1", "db2", "db3", "db4"], seed=7)
keys = [f"user:{i}" for i in range(10_000)]
before = ring.find_many(keys)
share = Counter(before)
print("each has about a quarter:",
      all(2000 < share[node] < 3000 for node in ring))

ring.remove("db2")
after = ring.find_many(keys)
print("keys that moved but were not db2's:",
      sum(old != new and old != "db2" for old, new in zip(before, after)))
print("each went to its second choice:",
      all(new != "db2" for new in after))

hot = girt.Ring(["db1", "db2", "db3", "db4"], bound=1.25)
loans, load = [], Counter()
for _ in range(40):
    loan = hot.acquire("celebrity")
    load[loan.__enter__()] += 1
    loans.append(loan)
print("a hot key, most loads on one node:", max(load.values()))
for loan in loans:
    loan.__exit__(None, None, None)
