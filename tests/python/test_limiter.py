# SPDX-License-Identifier: MIT
"""Goal: limiters admit what their rate says and no more, from threads, tasks,
batches and decorators, and tell when to come back.
Method: a clock moved by hand, so that each answer is a number; a few real
waits of milliseconds.
"""
import asyncio
import math
import pickle
import time
import unittest

import girt
from support import Case


class OneLimit(Case):
    def make(self, *arguments, **options):
        self.clock = girt.ManualClock(100)
        return girt.Limiter(*arguments, clock=self.clock, **options)

    def test_the_rate(self):
        limiter = self.make(10, 1.0, 3)
        self.assertEqual((limiter.limit, limiter.period, limiter.burst),
                         (10, 1.0, 3))
        self.assertEqual([limiter.allow() for _ in range(4)],
                         [True, True, True, False])
        decision = limiter.take()
        self.assertFalse(decision)
        self.assertFalse(decision.allowed)
        self.assertEqual(decision.remaining, 0)
        self.assertAlmostEqual(decision.retry_after, 0.1)
        self.assertAlmostEqual(decision.reset_after, 0.3)
        self.clock.advance(0.1)
        decision = limiter.take()
        self.assertTrue(decision)
        self.assertEqual(decision.retry_after, 0.0)
        self.clock.advance(10)
        self.assertEqual(limiter.peek().remaining, 3)
        self.assertTrue(limiter.allow(3))
        self.assertFalse(limiter.allow(1))
        self.assertTrue(limiter.allow(0))
        self.assertEqual(limiter.take(4).retry_after, math.inf)
        self.assertEqual(girt.Limiter(5).burst, 5)

    def test_with_and_decorators(self):
        limiter = self.make(10, 1.0, 1)

        @limiter
        def work(x):
            """Doc."""
            return x

        @limiter
        async def later(x):
            return x
        self.assertEqual((work(1), work.__doc__), (1, "Doc."))
        for call in (lambda: work(1), limiter.__enter__,
                     lambda: asyncio.run(later(1))):
            with self.assertRaises(girt.Limited) as caught:
                call()
            self.assertAlmostEqual(caught.exception.retry_after, 0.1)
        error = pickle.loads(pickle.dumps(caught.exception))
        self.assertEqual(error.retry_after, caught.exception.retry_after)
        self.clock.advance(0.1)
        with limiter:
            pass
        self.clock.advance(0.1)
        self.assertEqual(asyncio.run(later(2)), 2)

    def test_waiting(self):
        limiter = girt.Limiter(200, burst=1)
        start = time.monotonic()
        for _ in range(4):
            limiter.acquire()
        self.assertGreaterEqual(time.monotonic() - start, 0.015)
        slow = girt.Limiter(1, period=1000)
        slow.acquire()
        with self.assertRaises(girt.Timeout):
            slow.acquire(timeout=0.0001)
        with self.assertRaises(girt.Limited):
            slow.acquire(2)

        async def main():
            start = time.monotonic()
            await asyncio.gather(*(limiter.wait() for _ in range(3)))
            self.assertGreaterEqual(time.monotonic() - start, 0.010)
            async with limiter:
                pass
            with self.assertRaises(TimeoutError):
                await slow.wait(timeout=0.0001)
        asyncio.run(main())

    def test_a_wait_that_is_cancelled_gives_back(self):
        limiter = girt.Limiter(1, period=1000, burst=1)

        async def main():
            await limiter.wait()
            waiter = asyncio.create_task(limiter.wait())
            await asyncio.sleep(0)
            before = limiter.take().reset_after
            waiter.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await waiter
            self.assertLess(limiter.take().reset_after, before - 900)
        asyncio.run(main())

    def test_a_manual_clock_ends_a_wait(self):
        limiter = self.make(1, 1.0, 1)
        limiter.acquire()

        def move():
            time.sleep(0.005)
            self.clock.advance(1)
        self.threads(limiter.acquire, move)

    def test_the_rate_can_change(self):
        limiter = self.make(1, 1.0, 5)
        limiter.allow(5)
        limiter.set_rate(100, 1.0, 2)
        self.assertEqual((limiter.limit, limiter.burst), (100, 2))
        self.clock.advance(0.01)
        self.assertEqual([limiter.allow(), limiter.allow()], [True, False])

    def test_several_at_once(self):
        clock = girt.ManualClock()
        user = girt.Limiter(1, burst=5, clock=clock)
        tenant = girt.Limiter(1, burst=8, clock=clock)
        self.assertTrue(girt.take_all([user, tenant], 5))
        refused = girt.take_all([user, tenant], 3)
        self.assertFalse(refused)
        self.assertEqual(refused.retry_after, 3.0)
        self.assertEqual(tenant.peek().remaining, 3)
        for limiters, error in (([user, 5], TypeError), ([], ValueError),
                                ([user, user], ValueError),
                                ([girt.Limiter(1) for _ in range(33)],
                                 ValueError)):
            with self.assertRaises(error):
                girt.take_all(limiters)

    def test_headers(self):
        limiter = self.make(100, 60.0, 2)
        self.assertEqual(limiter.headers(limiter.take(2)), {
            "RateLimit-Policy": '"default";q=100;w=60;girt-burst=2',
            "RateLimit": '"default";r=0;t=2'})
        self.assertEqual(limiter.headers(limiter.take())["Retry-After"], "1")
        self.assertNotIn("Retry-After", limiter.headers(limiter.take(9)))

    def test_threads_share_it(self):
        limiter, got = girt.Limiter(0, burst=1000), []

        def take():
            got.append(sum(limiter.allow() for _ in range(600)))
        self.threads(take, take, take)
        self.assertEqual(sum(got), 1000)
        lease = girt.Limiter(0, burst=100, lease=10)
        self.assertTrue(lease.allow())

    def test_bad_input(self):
        for arguments, error in (
                ((-1,), ValueError), (("1",), TypeError), ((1, 0), ValueError),
                ((1, -1), ValueError), ((1, float("nan")), ValueError),
                ((1, "x"), TypeError), ((1, 1, 0), ValueError),
                ((1, 1, 2 ** 60), ValueError), ((2 ** 63,), ValueError),
                ((2 ** 62, 1e-9), ValueError), ((1.5,), TypeError)):
            for kind in (girt.Limiter, girt.KeyedLimiter):
                with self.assertRaises(error, msg=arguments):
                    kind(*arguments)
        for options in ({"clock": 1}, {"lease": "x"}):
            with self.assertRaises(TypeError):
                girt.Limiter(1, **options)
        limiter = girt.Limiter(1)
        for tokens, error in ((-1, ValueError), (2 ** 64, ValueError),
                              ("1", TypeError), (None, TypeError),
                              (1.5, TypeError)):
            for call in (limiter.allow, limiter.take, limiter.peek,
                         limiter.acquire):
                with self.assertRaises(error):
                    call(tokens)
        self.assertTrue(limiter.allow())
        with self.assertRaises(ValueError):
            limiter.set_rate(1, 0)
        limiter.close()
        for call in (limiter.allow, limiter.take, limiter.peek,
                     limiter.acquire, lambda: limiter.set_rate(1),
                     lambda: girt.take_all([limiter])):
            with self.assertRaises(girt.Closed):
                call()


class AKey(Case):
    def make(self, *arguments, **options):
        self.clock = girt.ManualClock(100)
        return girt.KeyedLimiter(*arguments, clock=self.clock, **options)

    def test_each_key_has_its_own(self):
        limiter = self.make(10, 1.0, 2)
        self.assertEqual([limiter.allow(key) for key in "aabab"],
                         [True, True, True, False, True])
        self.assertAlmostEqual(limiter.take("a").retry_after, 0.1)
        self.clock.advance(0.1)
        self.assertTrue(limiter.take(b"a"))
        self.assertFalse(limiter.take(bytearray(b"a")))

    def test_many_at_once(self):
        limiter = self.make(10, 1.0, 2)
        self.assertEqual(list(limiter.take_many(["a", "b", "a", "a"])),
                         [1, 1, 1, 0])
        self.assertEqual(list(limiter.take_many([b"a", b"c"])), [0, 1])
        self.assertEqual(list(limiter.take_many(("b", b"c", "b"))), [1, 1, 0])
        self.assertEqual(list(limiter.take_many(iter(["d"] * 3))), [1, 1, 0])
        self.assertEqual(list(limiter.take_many([])), [])
        self.assertEqual(list(limiter.take_many([""])), [1])
        self.assertEqual(list(limiter.take_many(["", ""])), [1, 0])
        zeros = ["x\0y", "x", "y", "x\0y", "x\0y"]
        self.assertEqual(list(limiter.take_many(zeros)), [1, 1, 1, 1, 0])
        self.assertEqual(list(limiter.take_many([b"\0", b"\0\0", b"\0"])),
                         [1, 1, 1])
        self.assertEqual(list(limiter.take_many(
            [memoryview(b"m.n.")[::2], bytearray(b"mn")])), [1, 1])
        self.assertFalse(limiter.allow("mn"))
        self.assertEqual(list(limiter.take_many(["\u00e4", "e"])), [1, 1])
        self.assertFalse(limiter.allow("\u00e4".encode(), 2))
        self.assertEqual(list(limiter.retry_many(["new", "a"])),
                         [0, 100_000_000])
        self.assertEqual(list(limiter.retry_many(["new"], 3)), [2 ** 63 - 1])
        for keys, error in ((5, TypeError), ([5], TypeError),
                            (["a", None], TypeError), (b"ab", TypeError),
                            (["x" * 65537], ValueError),
                            (["x\0" + "x" * 65537, "y"], ValueError),
                            (["\ud800"], UnicodeEncodeError)):
            for call in (limiter.take_many, limiter.retry_many):
                with self.assertRaises(error):
                    call(keys)
        with self.assertRaises(ValueError):
            limiter.take_many(["a"], -1)
        many = ["k%d" % i for i in range(5000)]
        self.assertEqual(sum(limiter.take_many(many)), 5000)
        self.assertEqual(sum(limiter.take_many(many)), 5000)
        self.assertEqual(sum(limiter.take_many(many)), 0)

    def test_more_keys_than_room(self):
        strict = self.make(1, 1.0, 1, keys=3)
        self.assertEqual(sum(strict.take_many("abcd")), 3)
        self.assertGreater(strict.take("e").retry_after, 0)
        lenient = self.make(1, 1.0, 1, keys=3, admit_when_full=True)
        self.assertEqual(sum(lenient.take_many("abcdd")), 5)

    def test_with_and_decorators(self):
        limiter = self.make(10, 1.0, 1)

        @limiter.limited(lambda user, **_: user)
        def greet(user, loud=False):
            return user

        @limiter.limited("everybody")
        async def later():
            return 1
        self.assertEqual(greet("ann"), "ann")
        self.assertEqual(greet("bob", loud=True), "bob")
        with self.assertRaises(girt.Limited):
            greet("ann")
        self.assertEqual(asyncio.run(later()), 1)
        with self.assertRaises(girt.Limited):
            with limiter.limited("everybody"):
                self.fail("let in")
        with self.assertRaises(TypeError):
            with limiter.limited(lambda: "x"):
                pass

    def test_waiting(self):
        limiter = girt.KeyedLimiter(200, burst=1)
        start = time.monotonic()
        for _ in range(3):
            limiter.acquire("a")
        limiter.acquire("b")
        self.assertGreaterEqual(time.monotonic() - start, 0.010)
        slow = girt.KeyedLimiter(1, period=1000)
        slow.acquire("a")
        with self.assertRaises(girt.Timeout):
            slow.acquire("a", timeout=0.0001)
        with self.assertRaises(girt.Limited):
            slow.acquire("a", 2)

        async def main():
            for _ in range(2):
                await limiter.wait("c")
            async with limiter.limited("c"):
                pass
        asyncio.run(main())

    def test_bad_input(self):
        with self.assertRaises(ValueError):
            girt.KeyedLimiter(1, keys=0)
        with self.assertRaises(ValueError):
            girt.KeyedLimiter(1, keys=2 ** 60)
        limiter = girt.KeyedLimiter(1)
        for key in (None, 5, ["a"]):
            for call in (limiter.allow, limiter.take, limiter.acquire):
                with self.assertRaises(TypeError):
                    call(key)
        for tokens, error in ((-1, ValueError), ("1", TypeError)):
            with self.assertRaises(error):
                limiter.allow("a", tokens)
        with self.assertRaises(ValueError):
            limiter.allow("x" * 65537)
        limiter.close()
        for call in (lambda: limiter.allow("a"), lambda: limiter.take("a"),
                     lambda: limiter.take_many(["a"]),
                     lambda: limiter.take_many(["a\0b"])):
            with self.assertRaises(girt.Closed):
                call()

    def test_nothing_grows(self):
        def step():
            limiter = girt.KeyedLimiter(10, keys=100)
            limiter.take_many(["a\0", "b"])
            limiter.take_many([b"%d" % i for i in range(100)])
            limiter.take("x")
            girt.Limiter(5).take()
        self.assert_no_growth(step)


if __name__ == "__main__":
    unittest.main()
