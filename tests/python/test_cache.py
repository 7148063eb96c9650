# SPDX-License-Identifier: MIT
"""Goal: Cache answers what was stored until it expires or leaves, loads once
however many ask, and hands exceptions to those whom they concern.
Method: a clock moved by hand, loaders that meet at barriers, files that are
damaged on purpose.
"""
import asyncio
import os
import tempfile
import threading
import unittest

import girt
from support import Case, resident_kb


class Entries(Case):
    def test_values_come_back(self):
        cache = girt.Cache(1 << 20)
        for value in (b"bytes", b"", "text", 5, None, [1, {"a": (2.5, b"x")}],
                      b"x" * 10000):
            cache.set("k", value)
            self.assertEqual(cache.get("k"), value)
            self.assertIs(type(cache.get("k")), type(value))
        value = [1]
        cache.set("list", value)
        value.append(2)
        cache.get("list").append(3)
        self.assertEqual(cache.get("list"), [1])
        self.assertEqual(len(cache), 2)
        self.assertIn("list", cache)
        self.assertNotIn("none", cache)
        self.assertNotIn(5, cache)
        self.assertEqual(cache.get("none", 7), 7)
        self.assertTrue(cache.delete("list"))
        self.assertFalse(cache.delete("list"))
        cache.clear()
        self.assertEqual(len(cache), 0)

    def test_the_bound_holds(self):
        for policy in ("default", "s3fifo", "sieve", "lru", "tinylfu"):
            cache = girt.Cache(1 << 18, policy=policy)
            for i in range(2000):
                cache.set(b"%d" % i, b"x" * 1000)
                self.assertLessEqual(cache.stats().bytes, 1 << 18)
            self.assertGreater(cache.stats().evictions, 1000)
            self.assertLess(len(cache), 260)
        cache = girt.Cache(max_entries=10, policy="lru")
        for i in range(100):
            cache.set(b"%d" % i, i)
        self.assertEqual(len(cache), 10)
        self.assertEqual(cache.get("99"), 99)

    def test_time(self):
        clock = girt.ManualClock()
        cache = girt.Cache(ttl=10, stale=5, clock=clock)
        cache.set("a", 1)
        cache.set("b", 2, ttl=20)
        clock.advance(9.5)
        self.assertEqual((cache.get("a"), cache.get("b")), (1, 2))
        clock.advance(1)
        self.assertEqual(cache.get("a"), 1)  # stale
        self.assertEqual(cache.load("a", lambda: "new"), "new")
        clock.advance(16)
        self.assertIsNone(cache.get("a"))
        self.assertIsNone(girt.Cache(clock=clock).set_jitter(0.5))

    def test_bad_input(self):
        for options, error in (
                ({"max_bytes": 0}, ValueError), ({"max_bytes": "1"}, TypeError),
                ({"ttl": -1}, ValueError), ({"ttl": 0}, ValueError),
                ({"ttl": "x"}, TypeError), ({"policy": "fifo"}, ValueError),
                ({"shards": 65537}, ValueError), ({"name": ""}, ValueError),
                ({"clock": 5}, TypeError), ({"max_entries": -1}, ValueError)):
            with self.assertRaises(error):
                girt.Cache(**options)
        cache = girt.Cache(1 << 16)
        for key in (None, 5, ["a"]):
            for call in (lambda: cache.get(key), lambda: cache.set(key, 1),
                         lambda: cache.delete(key),
                         lambda: cache.load(key, lambda: 1)):
                with self.assertRaises(TypeError):
                    call()
        with self.assertRaises(ValueError):
            cache.set("k", b"x" * (1 << 16))
        with self.assertRaises(Exception):
            cache.set("k", lambda: 1)  # no pickle
        for fraction in (-0.1, 1.5):
            with self.assertRaises(ValueError):
                cache.set_jitter(fraction)
        self.assertEqual(len(cache), 0)

    def test_files(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "cache")
            cache = girt.Cache()
            cache.set("a", [1, 2])
            cache.set("b", b"x")
            cache.save(path)
            other = girt.Cache()
            other.restore(path)
            self.assertEqual((other.get("a"), other.get("b")), ([1, 2], b"x"))
            cache.close()
            with self.assertRaises(girt.Closed):
                cache.save(path)  # and the file is still what it was
            girt.Cache().restore(path)
            with self.assertRaises(FileNotFoundError):
                other.save(os.path.join(folder, "no", "cache"))
            self.assertEqual(os.listdir(folder), ["cache"])
            with open(path, "r+b") as file:
                file.seek(30)
                file.write(b"damage")
            with self.assertRaises(girt.Corrupt):
                girt.Cache().restore(path)
            with self.assertRaises(FileNotFoundError):
                girt.Cache().restore(path + ".not")

    def test_closed(self):
        cache = girt.Cache()
        cache.set("a", 1)
        cache.close()
        for call in (lambda: cache.get("a"), lambda: cache.set("a", 1),
                     lambda: cache.delete("a"),
                     lambda: cache.load("a", lambda: 1)):
            with self.assertRaises(girt.Closed):
                call()


class Loads(Case):
    def test_one_loads(self):
        cache, runs = girt.Cache(), []
        inside = threading.Event()

        def loader():
            runs.append(1)
            inside.set()
            while cache.stats().joined < 3:  # all wait for us
                threading.Event().wait(0.001)
            return "value"

        def ask():
            self.assertEqual(cache.load("k", loader), "value")
        self.threads(ask, ask, ask, ask)
        self.assertEqual(len(runs), 1)
        self.assertEqual(cache.get("k"), "value")

    def test_what_a_loader_raises(self):
        cache = girt.Cache(missing_ttl=60)
        for error in (OSError("gone"), KeyboardInterrupt(), SystemExit(3)):
            def loader():
                raise error
            with self.assertRaises(type(error)) as caught:
                cache.load("k", loader)
            self.assertIs(caught.exception, error)
            self.assertEqual(cache.load("k", lambda: 1), 1)
            cache.delete("k")

        def missing():
            raise KeyError("nothing there")
        with self.assertRaisesRegex(KeyError, "nothing there"):
            cache.load("m", missing)
        with self.assertRaises(KeyError):  # remembered: no loader runs
            cache.load("m", lambda: self.fail("loaded"))
        with self.assertRaises(TypeError):
            cache.load("k", lambda x: 1)
        with self.assertRaises(Exception):
            cache.load("k", lambda: threading.Lock())  # no pickle

    def test_who_waits_for_a_loader_that_fails(self):
        cache, seen = girt.Cache(), []

        def loader():
            while cache.stats().joined < 1:
                threading.Event().wait(0.001)
            raise OSError("gone")

        def ask():
            try:
                cache.load("k", loader)
            except (OSError, girt.LoadFailed) as error:
                seen.append(type(error))
        self.threads(ask, ask)
        self.assertEqual(set(seen), {OSError, girt.LoadFailed})

    def test_time_limits(self):
        cache = girt.Cache()
        inside, done = threading.Event(), threading.Event()

        def loader():
            inside.set()
            done.wait(20)
            return 1

        def ask():
            inside.wait(20)
            with self.assertRaises(girt.Timeout):
                cache.load("k", loader, timeout=0.02)
            done.set()
        self.threads(lambda: cache.load("k", loader), ask)
        self.assertEqual(cache.get("k"), 1)

    def test_loads_within_loads(self):
        cache = girt.Cache()
        self.assertEqual(cache.load("a", lambda: cache.load(
            "b", lambda: 2) + 1), 3)
        with self.assertRaises(RuntimeError):
            cache.load("c", lambda: cache.load("c", lambda: 1))

    def test_the_decorator(self):
        clock, runs = girt.ManualClock(), []
        cache = girt.Cache(clock=clock)

        @cache.cached(ttl=10)
        def join(a, b=2, *rest, **named):
            """Doc."""
            runs.append(a)
            return [a, b, rest, named]
        self.assertEqual(join(1), [1, 2, (), {}])
        self.assertEqual(join(1), [1, 2, (), {}])
        self.assertEqual(join(1, c=3), [1, 2, (), {"c": 3}])
        self.assertEqual(len(runs), 2)
        self.assertEqual(join.__doc__, "Doc.")
        clock.advance(11)
        join(1)
        self.assertEqual(len(runs), 3)
        self.assertTrue(join.invalidate(1))
        join(1)
        self.assertEqual(len(runs), 4)

        pair = "".join(["a", "b"])
        join(pair, pair)
        join(pair, "".join(["a", "b"]))  # equal, and another object
        join("ab", "ab")
        self.assertEqual(len(runs), 5)
        join(("c", 1))
        join(1, c=1)  # not the same call
        self.assertEqual(len(runs), 7)
        del runs[:3]

        @cache.cached(key=lambda user: user["id"])
        def by_id(user):
            runs.append(user)
            return user["id"]
        by_id({"id": "5", "x": 1})
        by_id({"id": "5", "x": 2})
        self.assertEqual(len(runs), 5)

        @cache.cached()
        def none():
            runs.append(0)
        self.assertIsNone(none())
        self.assertIsNone(none())
        self.assertEqual(len(runs), 6)

    def test_the_decorator_of_coroutines(self):
        cache, runs = girt.Cache(), []

        @cache.cached()
        async def slow(x):
            runs.append(x)
            await asyncio.sleep(0.01)
            if x < 0:
                raise ValueError(x)
            return x * 2

        async def main():
            self.assertEqual(await asyncio.gather(*(slow(2) for _ in "abc")),
                             [4, 4, 4])
            self.assertEqual(await slow(2), 4)
            self.assertEqual(len(runs), 1)
            results = await asyncio.gather(slow(-1), slow(-1),
                                           return_exceptions=True)
            self.assertEqual([type(r) for r in results], [ValueError] * 2)
            # Who gives up does not take it from the others.
            first = asyncio.create_task(slow(5))
            second = asyncio.create_task(slow(5))
            await asyncio.sleep(0)
            first.cancel()
            self.assertEqual(await second, 10)
            with self.assertRaises(girt.Timeout):
                await cache.aload("t", lambda: asyncio.sleep(1),
                                  timeout=0.005)
        asyncio.run(main())
        self.assertEqual(cache._tasks, {})

    def test_nothing_grows(self):
        def step():
            cache = girt.Cache(1 << 16)

            @cache.cached()
            def double(x):
                return [x, x]
            for i in range(100):
                double(i)
                cache.get(b"%d" % i)
        self.assert_no_growth(step)
        for _ in range(30):
            step()
        before = resident_kb()
        for _ in range(100):
            step()
        self.assertLess(resident_kb() - before, 2000)


if __name__ == "__main__":
    unittest.main()
