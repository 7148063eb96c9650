# SPDX-License-Identifier: MIT
"""Goal: Queue keeps queue.Queue's promises and its own: order, bounds, time
limits, close, batches, tasks; nothing is lost, doubled or kept alive.
Method: small cases by hand, random batches against a list, threads and tasks
that count, weak references.
"""
import asyncio
import gc
import queue
import random
import select
import sys
import threading
import time
import unittest
import weakref

import girt
from support import Case, resident_kb


class Thing:
    """Something that a weak reference can watch."""


class Alone(Case):
    def test_first_in_first_out(self):
        q = girt.Queue(3)
        for item in (1, None, "x"):
            q.put(item)
        self.assertTrue(q.full())
        self.assertEqual([q.get(), q.get(), q.get()], [1, None, "x"])
        self.assertTrue(q.empty())
        self.assertEqual((q.maxsize, q.qsize()), (3, 0))

    def test_full_and_empty_are_those_of_queue_too(self):
        q = girt.Queue(1)
        with self.assertRaises(queue.Empty):
            q.get_nowait()
        with self.assertRaises(girt.Empty):
            q.get(block=False)
        q.put_nowait(1)
        with self.assertRaises(queue.Full):
            q.put_nowait(2)
        self.assertEqual(q.qsize(), 1)

    def test_time_limits(self):
        q = girt.Queue(1)
        for what in (TimeoutError, girt.Timeout, queue.Empty):
            start = time.monotonic()
            with self.assertRaises(what):
                q.get(timeout=0.02)
            self.assertGreaterEqual(time.monotonic() - start, 0.02)
        with self.assertRaises(girt.Timeout):
            q.get_many(5, timeout=0.01)
        q.put(1)
        for what in (TimeoutError, girt.Timeout, queue.Full):
            with self.assertRaises(what):
                q.put(2, timeout=0.01)
        with self.assertRaises(girt.PutTimeout) as caught:
            q.put_many([2, 3], timeout=0)
        self.assertEqual(caught.exception.count, 0)
        self.assertEqual(q.get(timeout=float("inf")), 1)

    def test_bad_arguments(self):
        for size in (0, -1, 2 ** 32 + 1, 2 ** 70):
            with self.assertRaises(ValueError):
                girt.Queue(size)
        for size in ("1", 1.5, None):
            with self.assertRaises(TypeError):
                girt.Queue(size)
        q = girt.Queue(1)
        for timeout, error in ((-1, ValueError), (float("nan"), ValueError),
                               ("1", TypeError)):
            with self.assertRaises(error):
                q.get(timeout=timeout)
        q.put(1)
        for timeout, error in ((-1, ValueError), ("1", TypeError)):
            with self.assertRaises(error):
                q.put(2, timeout=timeout)
            with self.assertRaises(error):
                q.put_many([2], timeout=timeout)
        with self.assertRaises(ValueError):
            q.get_many(0)
        with self.assertRaises(TypeError):
            q.put_many(5)
        for band, error in ((1, ValueError), (-1, ValueError),
                            ("x", TypeError)):
            with self.assertRaises(error):
                q.put(1, band=band)
        self.assertEqual(q.get(), 1)
        self.assertEqual(q._store, {})

    def test_close(self):
        q = girt.Queue(3)
        q.put_many([1, 2])
        self.assertFalse(q.closed)
        q.close()
        q.close()
        self.assertTrue(q.closed)
        for call in (lambda: q.put(3), lambda: q.put_nowait(3),
                     lambda: q.put_many([3])):
            with self.assertRaises(girt.Closed):
                call()
        self.assertEqual(q.put_many([]), 0)
        self.assertEqual(list(q), [1, 2])
        for call in (q.get, q.get_nowait, lambda: q.get_many(2)):
            with self.assertRaises(girt.Closed):
                call()
        with girt.Queue(1) as q:
            pass
        self.assertTrue(q.closed)

    def test_batches_against_a_list(self):
        rng = random.Random(5)
        for size in (1, 2, 7, 100):
            q, twin, number = girt.Queue(size), [], 0
            for _ in range(400):
                count = rng.randint(1, 2 * size)
                what = rng.randrange(4)
                if what == 0:
                    items = list(range(number, number + count))
                    number += count
                    try:
                        went = q.put_many(items, block=False)
                        self.assertEqual(went, count)
                    except girt.Full as error:
                        went = error.count
                        self.assertEqual(len(twin) + went, size)
                    twin += items[:went]
                elif what == 1 and len(twin) < size:
                    q.put(number)
                    twin.append(number)
                    number += 1
                elif what == 2 and twin:
                    self.assertEqual(q.get(), twin.pop(0))
                elif what == 3 and twin:
                    got = q.get_many(count)
                    self.assertEqual(got, twin[:count])
                    del twin[:count]
                self.assertEqual(q.qsize(), len(twin))
            q.close()
            self.assertEqual(list(q), twin)
            self.assertEqual(q._store, {})

    def test_a_batch_larger_than_the_queue(self):
        q = girt.Queue(4)
        got = []

        def take():
            while len(got) < 1000:
                got.extend(q.get_many(3))
        self.threads(take, lambda: q.put_many(range(1000)))
        self.assertEqual(got, list(range(1000)))

    def test_a_huge_queue(self):
        q = girt.Queue(2 ** 20)
        q.put_many(range(5000))
        self.assertEqual(q.get_many(2 ** 63), list(range(5000)))
        with self.assertRaises(girt.Empty):
            q.get_many(2 ** 63, block=False)

    def test_lists_given_and_taken_are_the_callers(self):
        q = girt.Queue(10)
        items = [1, 2, 3]
        q.put_many(items)
        self.assertEqual(items, [1, 2, 3])
        items.append(4)
        got = q.get_many(10)
        got.append(5)
        self.assertEqual(got, [1, 2, 3, 5])
        q.put_many(iter("ab"))
        self.assertEqual(q.get_many(10), ["a", "b"])

    def test_bands(self):
        q = girt.Queue(10, bands=2)
        for i in range(4):
            q.put(f"low {i}", band=1)
        q.put("high", band=0)
        first = [q.get(), q.get()]
        self.assertIn("high", first)
        with self.assertRaises(ValueError):
            q.put(1, band=2)

    def test_drop_oldest(self):
        dropped = []
        q = girt.Queue(2, drop_oldest=True, on_drop=dropped.append)
        q.put_many([1, 2])
        q.put(3)
        q.put_many([4, 5])
        self.assertEqual(dropped, [1, 2, 3])
        self.assertEqual(q.get_many(9), [4, 5])
        self.assertEqual(q._store, {})
        q = girt.Queue(1, drop_oldest=True)
        q.put(1)
        q.put(2)
        self.assertEqual(q.get(), 2)


class Alive(Case):
    def test_objects_are_let_go(self):
        q = girt.Queue(10)
        things = [Thing() for _ in range(5)]
        watched = [weakref.ref(thing) for thing in things]
        q.put_many(things)
        q.put(things[0])
        del things
        self.assertEqual([ref() is None for ref in watched], [False] * 5)
        q.get_many(2)
        self.assertEqual([ref() is None for ref in watched],
                         [False, True, False, False, False])
        del q
        gc.collect()
        self.assertEqual([ref() is None for ref in watched], [True] * 5)

    def test_a_queue_that_holds_itself(self):
        q = girt.Queue(10)
        q.put(q)
        q.put_many([q, q])
        thing = Thing()
        watched = weakref.ref(thing)
        q.put(thing)
        del q, thing
        gc.collect()
        self.assertIsNone(watched())

    def test_references_are_counted_right(self):
        q, thing = girt.Queue(10), Thing()
        before = sys.getrefcount(thing)
        for _ in range(100):
            q.put(thing)
            q.get()
            q.put_many([thing] * 10)
            q.get_many(4)
            q.get_many(10)
            with self.assertRaises(girt.Full):
                q.put_many([thing] * 11, block=False)
            q.get_many(10)
        q.close()
        with self.assertRaises(girt.Closed):
            q.put(thing)
        self.assertEqual(sys.getrefcount(thing), before)

    def test_nothing_grows(self):
        def step():
            q = girt.Queue(50)
            q.put_many([Thing() for _ in range(20)])
            q.put(Thing())
            q.get_many(7)
            q.fileno()
        self.assert_no_growth(step)
        for _ in range(50):
            step()
        before = resident_kb()
        for _ in range(500):
            step()
        self.assertLess(resident_kb() - before, 2000)


class Threads(Case):
    def test_nothing_is_lost_or_doubled(self):
        q = girt.Queue(8)
        got = []

        def put(start):
            for i in range(0, 300, 3):
                q.put(start + i)
                q.put_many([start + i + 1, start + i + 2])

        def take():
            mine = []
            try:
                while True:
                    mine.append(q.get())
                    mine += q.get_many(3)
            except girt.Closed:
                got.append(mine)

        def produce():
            self.threads(lambda: put(0), lambda: put(1000),
                         lambda: put(2000))
            q.close()
        self.threads(produce, take, take, take)
        everything = sorted(item for mine in got for item in mine)
        self.assertEqual(everything, [s + i for s in (0, 1000, 2000)
                                      for i in range(300)])
        for mine in got:  # each producer's in order, seen by one consumer
            for start in (0, 1000, 2000):
                seen = [i for i in mine if start <= i < start + 1000]
                self.assertEqual(seen, sorted(seen))
        self.assertEqual(q._store, {})

    def test_close_wakes_who_waits(self):
        empty, full = girt.Queue(1), girt.Queue(1)
        full.put(1)
        started = threading.Barrier(5)

        def refuse(call):
            started.wait()
            with self.assertRaises(girt.Closed):
                call()

        def close():
            started.wait()
            empty.close()
            full.close()
        self.threads(lambda: refuse(empty.get),
                     lambda: refuse(lambda: empty.get_many(2)),
                     lambda: refuse(lambda: full.put(2)),
                     lambda: refuse(lambda: full.put_many([2, 3])), close)

    def test_a_part_of_a_batch_that_went_in(self):
        q = girt.Queue(3)
        with self.assertRaises(girt.PutTimeout) as caught:
            q.put_many(range(5), timeout=0.01)
        self.assertEqual(caught.exception.count, 3)
        self.assertEqual(q.get_many(9), [0, 1, 2])
        self.assertEqual(q._store, {})

    def test_hand_over(self):
        there, back = girt.Queue(1), girt.Queue(1)

        def echo():
            for item in there:
                back.put(item)

        def ask():
            for i in range(500):
                there.put(i)
                self.assertEqual(back.get(timeout=10), i)
            there.close()
        self.threads(echo, ask)


class Tasks(Case):
    def test_tasks_meet(self):
        async def main():
            q = girt.Queue(2)
            got = []

            async def take():
                async for item in q:
                    got.append(item)

            async def put(start):
                for i in range(50):
                    await q.aput(start + i)
            takers = [asyncio.create_task(take()) for _ in range(3)]
            await asyncio.gather(put(0), put(100))
            q.close()
            await asyncio.gather(*takers)
            self.assertEqual(sorted(got), [*range(50), *range(100, 150)])
        asyncio.run(main())

    def test_tasks_and_threads(self):
        there, back = girt.Queue(1), girt.Queue(1)

        async def main():
            for i in range(100):
                await there.aput(i)
                self.assertEqual(await back.aget(timeout=10), i)
            there.close()

        def echo():
            for item in there:
                back.put(item)
        self.threads(echo, lambda: asyncio.run(main()))

    def test_several_loops(self):
        q = girt.Queue(100)
        got = []

        async def take():
            async for item in q:
                got.append(item)

        def put():
            for i in range(200):
                q.put(i)
            q.close()
        self.threads(lambda: asyncio.run(take()), lambda: asyncio.run(take()),
                     put)
        self.assertEqual(sorted(got), list(range(200)))

    def test_time_limits_and_cancelling(self):
        async def main():
            q = girt.Queue(1)
            with self.assertRaises(girt.GetTimeout):
                await q.aget(timeout=0.01)
            q.put(1)
            with self.assertRaises(girt.PutTimeout):
                await q.aput(2, timeout=0.01)
            putter = asyncio.create_task(q.aput(2))
            await asyncio.sleep(0)
            putter.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await putter
            self.assertEqual(q.get(), 1)
            # A getter that is cancelled when its item comes passes it on.
            first = asyncio.create_task(q.aget())
            second = asyncio.create_task(q.aget())
            await asyncio.sleep(0)
            q.put(3)
            first.cancel()
            self.assertEqual(await asyncio.wait_for(second, 10), 3)
            with self.assertRaises(asyncio.CancelledError):
                await first
            self.assertEqual(q._store, {})
            self.assertEqual(len(q._putters), 0)
        asyncio.run(main())

    def test_the_descriptor(self):
        q = girt.Queue(2)
        poll = select.poll()
        poll.register(q.fileno(), select.POLLIN)
        self.assertEqual(q.fileno(), q.fileno())
        self.assertEqual(poll.poll(0), [])
        q.put(1)
        self.assertEqual(len(poll.poll(1000)), 1)
        q.get()
        with self.assertRaises(girt.Empty):
            q.get_nowait()
        self.assertEqual(poll.poll(0), [])
        q.close()
        self.assertEqual(len(poll.poll(1000)), 1)


if __name__ == "__main__":
    unittest.main()
