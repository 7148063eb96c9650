# SPDX-License-Identifier: MIT
"""Shows: what stands between a service's clients and a slow backend, in
asyncio.  Introduces: KeyedLimiter, Breaker, Bulkhead and Cache together."""
import asyncio

import girt

clients = girt.KeyedLimiter(10, burst=3)
backend = girt.Bulkhead(2, waiting=50)
breaker = girt.Breaker(calls_min=5, open_for=60)
cache = girt.Cache(max_bytes=1 << 20, ttl=60)
asked = 0


@cache.cached()
@breaker
@backend
async def fetch(path):
    global asked
    asked += 1
    await asyncio.sleep(0.001)
    if path.startswith("/broken"):
        raise ConnectionError(path)
    return f"page {path}"


async def handle(client, path):
    decision = clients.take(client)
    if not decision:
        return 429
    try:
        await fetch(path)
        return 200
    except girt.Rejected:
        return 503
    except ConnectionError:
        return 502


async def main():
    same = await asyncio.gather(*(handle(f"c{i}", "/a") for i in range(20)))
    print("20 clients, one page:", set(same), "asked the backend", asked, "time")
    greedy = await asyncio.gather(*(handle("greedy", "/a") for _ in range(5)))
    print("one client, 5 times:", greedy)
    broken = [await handle(f"d{i}", f"/broken/{i}") for i in range(8)]
    print("a broken backend:", broken, breaker.state)
    print("what is cached still works:", await handle("e", "/a"))

asyncio.run(main())
