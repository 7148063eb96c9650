# SPDX-License-Identifier: MIT
"""Goal: breakers open, probe and close as calls go, bulkheads keep their
bound and their line, whatever ends a call or a wait.
Method: a clock moved by hand, threads and tasks that count who is inside,
exceptions of every kind.
"""
import asyncio
import gc
import sys
import threading
import time
import unittest

import girt
from support import Case


class Breakers(Case):
    def make(self, **options):
        self.clock = girt.ManualClock(100)
        self.changes = []
        options = {"calls_min": 2, "clock": self.clock,
                   "on_change": lambda *change: self.changes.append(change),
                   **options}
        return girt.Breaker(**options)

    def fail_once(self, breaker, error=OSError):
        with self.assertRaises(error):
            with breaker:
                raise error()

    def test_its_states(self):
        breaker = self.make(open_for=5)
        self.assertEqual(breaker.state, "closed")
        self.fail_once(breaker)
        self.fail_once(breaker)
        self.assertEqual(breaker.state, "open")
        with self.assertRaises(girt.Rejected):
            with breaker:
                self.fail("let in")
        self.clock.advance(5)
        self.assertEqual(breaker.state, "half_open")
        with breaker:
            with self.assertRaises(girt.Rejected):
                breaker.enter()  # one probe only
        self.assertEqual(breaker.state, "closed")
        self.assertEqual(self.changes, [
            ("closed", "open"), ("open", "half_open"),
            ("half_open", "closed")])

    def test_what_counts_as_failure(self):
        breaker = self.make(ignored=(KeyError,))
        for error in (KeyError, KeyboardInterrupt, SystemExit,
                      asyncio.CancelledError, GeneratorExit):
            for _ in range(3):
                self.fail_once(breaker, error)
        self.assertEqual(breaker.state, "closed")
        self.fail_once(breaker)
        self.fail_once(breaker, ValueError)
        self.assertEqual(breaker.state, "open")

    def test_slow_calls(self):
        breaker = self.make(slow=1.0, slow_ratio=0.5)
        for _ in range(2):
            with breaker:
                self.clock.advance(1)
        self.assertEqual(breaker.state, "open")

    def test_permits(self):
        breaker = self.make()
        permit = breaker.enter()
        permit.leave(False)
        permit.leave(False)  # only the first counts
        self.assertEqual(breaker.state, "closed")
        breaker.enter().leave(False)
        self.assertEqual(breaker.state, "open")
        permit = self.make().enter()
        gc.collect()
        permit.leave(True)  # its breaker is gone

    def test_nested_and_interleaved(self):
        one, two = self.make(calls_min=3), self.make(calls_min=3)
        with one:
            with two:
                with one:
                    pass
            self.fail_once(two)
        entered = two.__enter__()
        one.__enter__()
        entered.__exit__(OSError, None, None)
        one.__exit__(None, None, None)
        one.__exit__(None, None, None)  # nothing is held any more
        self.assertEqual((one.state, two.state), ("closed", "open"))

    def test_tasks_do_not_mix(self):
        breaker = self.make(calls_min=3, failure_ratio=0.6)

        async def call(error):
            try:
                async with breaker:
                    await asyncio.sleep(0)
                    if error:
                        raise OSError
            except OSError:
                pass

        async def main():
            await asyncio.gather(*(call(i % 2 == 0) for i in range(3)))
        asyncio.run(main())
        self.assertEqual(breaker.state, "open")  # 2 of 3

    def test_decorators(self):
        breaker = self.make()

        @breaker
        def work(x):
            """Doc."""
            if x < 0:
                raise ValueError(x)
            return x

        @breaker
        async def later(x):
            return work(x)
        self.assertEqual((work(1), work.__doc__), (1, "Doc."))
        self.assertEqual(asyncio.run(later(2)), 2)
        for _ in range(3):  # of 6
            with self.assertRaises(ValueError):
                work(-1)
        with self.assertRaises(girt.Rejected):
            work(1)
        with self.assertRaises(girt.Rejected):
            asyncio.run(later(1))

    def test_force(self):
        breaker = self.make()
        breaker.force("forced_open")
        with self.assertRaises(girt.Rejected):
            breaker.enter()
        breaker.force("closed")
        breaker.enter().leave(None)
        for state in ("shut", 1, None):
            with self.assertRaises(ValueError):
                breaker.force(state)

    def test_a_callback_that_raises(self):
        caught = []
        hook, sys.unraisablehook = sys.unraisablehook, caught.append
        try:
            breaker = self.make(on_change=lambda *_: 1 / 0)
            self.fail_once(breaker)
            self.fail_once(breaker)
            self.assertEqual(breaker.state, "open")
            breaker = self.make(on_change=lambda: None)
            breaker.force("open")
        finally:
            sys.unraisablehook = hook
        self.assertEqual([thing.exc_type for thing in caught],
                         [ZeroDivisionError, TypeError])

    def test_a_callback_that_uses_the_breaker(self):
        states = []
        breaker = self.make(on_change=lambda *_: states.append(breaker.state))
        breaker.force("open")
        self.assertEqual(states, ["open"])

    def test_bad_input(self):
        for options, error in (
                ({"failure_ratio": 0}, ValueError),
                ({"failure_ratio": 1.1}, ValueError),
                ({"slow_ratio": float("nan")}, ValueError),
                ({"failure_ratio": "x"}, TypeError),
                ({"calls_min": 0}, ValueError), ({"probes": 1025}, ValueError),
                ({"window": 0}, ValueError), ({"open_for": -1}, ValueError),
                ({"open_for": 9, "open_max": 1}, ValueError),
                ({"window": 1e-9}, ValueError), ({"clock": 1}, TypeError),
                ({"name": "x" * 256}, ValueError)):
            with self.assertRaises(error, msg=options):
                girt.Breaker(**options)
        breaker = girt.Breaker()
        breaker.close()
        for call in (breaker.enter, lambda: breaker.force("open"),
                     breaker.__enter__):
            with self.assertRaises(girt.Closed):
                call()

    def test_nothing_grows(self):
        def step():
            breaker = girt.Breaker(calls_min=1, on_change=lambda *_: None)
            for _ in range(5):
                with breaker:
                    pass
            breaker.force("open")
        self.assert_no_growth(step)


class Bulkheads(Case):
    def test_the_bound(self):
        bulkhead = girt.Bulkhead(2)
        with bulkhead, bulkhead:
            self.assertEqual(bulkhead.inside, 2)
            with self.assertRaises(girt.Rejected):
                bulkhead.enter()
        self.assertEqual(bulkhead.inside, 0)
        bulkhead.enter(0)
        bulkhead.leave()
        with self.assertRaises(RuntimeError):
            bulkhead.leave()

    def test_time_limits(self):
        bulkhead = girt.Bulkhead(1, 1, timeout=0.01)
        with bulkhead:
            start = time.monotonic()
            with self.assertRaises(girt.Timeout):
                bulkhead.enter(0.02)
            self.assertGreaterEqual(time.monotonic() - start, 0.02)
            with self.assertRaises(girt.Timeout):
                with bulkhead:
                    self.fail("let in")
            with self.assertRaises(girt.Timeout):
                bulkhead.enter(0)
            for timeout, error in ((-1, ValueError), ("1", TypeError)):
                with self.assertRaises(error):
                    bulkhead.enter(timeout)
        self.assertEqual((bulkhead.inside, bulkhead.waiting), (0, 0))

    def test_first_come_first_served(self):
        bulkhead, order = girt.Bulkhead(1, 3), []
        bulkhead.enter()

        def come(i):
            with bulkhead:
                order.append(i)
        threads = []
        for i in range(3):
            thread = threading.Thread(target=come, args=(i,), daemon=True)
            thread.start()
            threads.append(thread)
            while bulkhead.waiting < i + 1:
                time.sleep(0.0005)
        with self.assertRaises(girt.Rejected):
            bulkhead.enter()
        bulkhead.leave()
        for thread in threads:
            thread.join(20)
        self.assertEqual(order, [0, 1, 2])
        self.assertEqual((bulkhead.inside, bulkhead.waiting), (0, 0))

    def test_many_threads(self):
        bulkhead = girt.Bulkhead(3, 100)
        inside, most, lock = [0], [0], threading.Lock()

        def work():
            for _ in range(100):
                with bulkhead:
                    with lock:
                        inside[0] += 1
                        most[0] = max(most[0], inside[0])
                    with lock:
                        inside[0] -= 1
        self.threads(*[work] * 6)
        self.assertLessEqual(most[0], 3)
        self.assertEqual((bulkhead.inside, bulkhead.waiting), (0, 0))
        for _ in range(3):
            bulkhead.enter(0)

    def test_tasks(self):
        bulkhead = girt.Bulkhead(2, 10)

        @bulkhead
        async def work(i):
            self.assertLessEqual(bulkhead.inside, 2)
            await asyncio.sleep(0)
            return i

        async def main():
            self.assertEqual(await asyncio.gather(*(work(i)
                                                    for i in range(10))),
                             list(range(10)))
            async with bulkhead, bulkhead:
                with self.assertRaises(girt.Timeout):
                    await bulkhead.aenter(0.005)
                waiter = asyncio.create_task(bulkhead.aenter())
                second = asyncio.create_task(bulkhead.aenter())
                await asyncio.sleep(0)
                bulkhead.leave()  # handed to the waiter, who is cancelled
                waiter.cancel()
                with self.assertRaises(asyncio.CancelledError):
                    await waiter
                await asyncio.wait_for(second, 10)
            self.assertEqual((bulkhead.inside, bulkhead.waiting), (0, 0))
        asyncio.run(main())

    def test_exceptions_leave(self):
        bulkhead = girt.Bulkhead(1)

        @bulkhead
        def work():
            raise OSError
        for _ in range(3):
            with self.assertRaises(OSError):
                work()
        self.assertEqual(bulkhead.inside, 0)

    def test_left_by_nobody(self):
        bulkhead = girt.Bulkhead(2)
        bulkhead.enter()
        del bulkhead  # with a caller inside
        gc.collect()

    def test_bad_input(self):
        for arguments, error in (((0,), ValueError), (("1",), TypeError),
                                 ((1, -1), ValueError), ((2 ** 31,), ValueError),
                                 ((1, 2 ** 31), ValueError)):
            with self.assertRaises(error):
                girt.Bulkhead(*arguments)
        with self.assertRaises(ValueError):
            girt.Bulkhead(1, timeout=-1)
        with self.assertRaises(ValueError):
            girt.Bulkhead(1, name="")


if __name__ == "__main__":
    unittest.main()
