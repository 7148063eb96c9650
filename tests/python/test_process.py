# SPDX-License-Identifier: MIT
"""Goal: forks leave both sides working, a program that ends ends, Ctrl-C ends
a wait, the library loads whatever is preloaded, nothing crashes.
Method: forks with threads that wait and work, programs in processes of their
own with a time limit.
"""
import asyncio
import copy
import ctypes
import gc
import os
import pickle
import select
import signal
import subprocess
import sys
import textwrap
import threading
import time
import unittest

import girt
from support import Case, resident_kb


class Forks(Case):
    def test_both_sides_go_on(self):
        q = girt.Queue(100)
        m, cache = girt.Map(), girt.Cache()
        limiter = girt.KeyedLimiter(0, burst=5)
        ring, breaker = girt.Ring(list("abc")), girt.Breaker(calls_min=1)
        bulkhead = girt.Bulkhead(2)
        m["a"] = b"1"
        cache.set("a", 1)
        q.put_many(["x", "y", "z"])

        def work():
            self.assertEqual(q.get(timeout=5), "x")
            q.put("w")
            self.assertEqual(q.get_many(9), ["y", "z", "w"])
            self.assertEqual(m.increment("n"), 1)
            self.assertEqual(m["a"], b"1")
            self.assertEqual(cache.get("a"), 1)
            self.assertEqual(cache.load("b", lambda: 2), 2)
            self.assertEqual(sum(limiter.take_many(["k"] * 9)), 5)
            ring.add("d")
            self.assertEqual(len(ring.find_many(["k"])), 1)
            with breaker, bulkhead:
                pass
            breaker.force("open")
            threads = [threading.Thread(target=q.put, args=(i,))
                       for i in range(3)]
            for thread in threads:
                thread.start()
            self.assertEqual(sorted(q.get(timeout=5) for _ in range(3)),
                             [0, 1, 2])
            for thread in threads:
                thread.join()
        self.in_child(work)
        work()

    def test_with_threads_that_wait(self):
        q, full = girt.Queue(2), girt.Queue(1)
        full.put(0)
        metrics = girt.Metrics()
        bulkhead = girt.Bulkhead(1, 5, metrics=metrics, name="hold")
        cache = girt.Cache(metrics=metrics, name="pages")
        inside, go = threading.Event(), threading.Event()

        def load():
            inside.set()
            go.wait(20)
            return "parent's"

        def hold():
            with bulkhead:
                go.wait(20)
        waiters = [threading.Thread(target=target, daemon=True) for target in (
            q.get, lambda: full.put(1), lambda: cache.load("k", load), hold)]
        for waiter in waiters:
            waiter.start()
        inside.wait(20)
        while not (q._getters and full._putters and bulkhead.inside):
            time.sleep(0.001)

        def child():
            q.put("child's")
            self.assertEqual(q.get(timeout=5), "child's")
            self.assertEqual(full.get(timeout=5), 0)
            with self.assertRaises(girt.Empty):
                full.get_nowait()
            self.assertEqual(bulkhead.inside, 0)
            with bulkhead:
                pass
            self.assertIn('="hold"', metrics.text())
            # The parent's load is not waited for.
            self.assertEqual(cache.load("k", lambda: "child's", timeout=5),
                             "child's")
        self.in_child(child)
        q.put("parent's")
        self.assertEqual(full.get(timeout=5), 0)
        self.assertEqual(full.get(timeout=5), 1)
        go.set()
        for waiter in waiters:
            waiter.join(20)
            self.assertFalse(waiter.is_alive())
        self.assertEqual(cache.get("k"), "parent's")

    def test_under_load(self):
        q, m, ring = girt.Queue(50), girt.Map(), girt.Ring(list("abc"), points=8)
        cache, stop = girt.Cache(), threading.Event()

        def put():
            while not stop.is_set():
                try:
                    q.put_many(range(20), timeout=0.01)
                except girt.Full:
                    pass

        def take():
            while not stop.is_set():
                try:
                    q.get_many(10, timeout=0.01)
                except girt.Empty:
                    pass

        def change():
            while not stop.is_set():
                ring.add("d")
                m.increment("n")
                cache.load("k", lambda: 1)
                cache.delete("k")
                ring.remove("d")

        def child():
            q.get_many(50, timeout=5) if q.qsize() else None
            q.put_many(range(30), timeout=5) if q.qsize() < 20 else None
            while not q.empty():
                q.get(timeout=5)
            q.put(1)
            self.assertEqual(q.get(timeout=5), 1)
            m.increment("n")
            self.assertEqual(cache.load("z", lambda: 5, timeout=5), 5)
            ring.add("e")
            ring.find_many(["x"])

        def fork():
            try:
                for _ in range(8):
                    self.in_child(child)
            finally:
                stop.set()
        self.threads(put, take, change, fork)

    def test_the_descriptor_is_each_side_s_own(self):
        for fill in (0, 1):
            q = girt.Queue(5)
            poll = select.poll()
            poll.register(q.fileno(), select.POLLIN)
            if fill:
                q.put("before")

            def child():
                self.assertEqual(bool(poll.poll(0)), bool(fill))
                while not q.empty():
                    q.get()
                with self.assertRaises(girt.Empty):
                    q.get_nowait()
                self.assertEqual(poll.poll(0), [])
                q.put(1)
                self.assertTrue(poll.poll(1000))
                self.assertEqual(asyncio.run(q.aget(5)), 1)
            self.in_child(child)
            self.assertEqual(bool(poll.poll(0)), bool(fill))
            q.put("after")
            self.assertTrue(poll.poll(1000))

    def test_pools_of_multiprocessing(self):
        text = """
            import multiprocessing, girt
            ring = girt.Ring(list("abc"))
            limiter = girt.KeyedLimiter(0, burst=2)
            def work(i):
                return ring["k%d" % i], limiter.allow("k")
            if __name__ == "__main__":
                with multiprocessing.get_context("fork").Pool(2) as pool:
                    got = pool.map(work, range(20))
                assert [node for node, _ in got] == [
                    ring["k%d" % i] for i in range(20)], got
                print("same owners")
        """
        self.assertEqual(self.program(text), "same owners\n")


class Ends(Case):
    def test_a_program_ends_though_threads_wait(self):
        for daemon in (True, False):
            text = f"""
                import girt, threading
                q, full = girt.Queue(1), girt.Queue(1)
                full.put(1)
                def wait(call):
                    try:
                        call()
                    except girt.Closed as error:
                        print("closed")
                b = girt.Bulkhead(1, 1)
                b.enter()
                for call in (q.get, lambda: q.get_many(5),
                             lambda: full.put(2), b.enter):
                    threading.Thread(target=wait, args=(call,),
                                     daemon={daemon}).start()
                while len(q._getters) < 2 or not full._putters or not b.waiting:
                    pass
                print("end")
            """
            self.assertEqual(self.program(text),
                             "end\n" + "closed\n" * (0 if daemon else 4))

    def test_threads_go_on_after_the_main_one(self):
        text = """
            import girt, threading, time
            q = girt.Queue(1)
            def put():
                time.sleep(0.6)   # longer than a slice
                q.put("late")
                q.close()
            def take():
                for item in q:
                    print(item)
            threading.Thread(target=put).start()
            threading.Thread(target=take).start()
        """
        self.assertEqual(self.program(text), "late\n")

    def test_ctrl_c_ends_a_wait(self):
        text = """
            import girt, threading
            q, full = girt.Queue(1), girt.Queue(1)
            full.put(0)
            b = girt.Bulkhead(1, 1); b.enter()
            l = girt.Limiter(1, period=1000); l.allow()
            c = girt.Cache(); go = threading.Event()
            inside = threading.Event()
            threading.Thread(target=lambda: c.load("k", lambda: (
                inside.set(), go.wait())), daemon=True).start()
            inside.wait()
            for call in (q.get, lambda: q.get_many(3), lambda: full.put(1),
                         lambda: full.put_many([1]), b.enter, l.acquire,
                         lambda: c.load("k", int)):
                try:
                    print("ready", flush=True)
                    call()
                except KeyboardInterrupt:
                    print("interrupted", flush=True)
            assert not q._getters and not full._putters and not b.waiting
            go.set()
        """
        process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(text)],
            stdout=subprocess.PIPE, text=True)
        try:
            for _ in range(7):
                self.assertEqual(process.stdout.readline(), "ready\n")
                time.sleep(0.02)  # most likely it waits now; either is fine
                process.send_signal(signal.SIGINT)
                self.assertEqual(process.stdout.readline(), "interrupted\n")
            self.assertEqual(process.wait(20), 0)
        finally:
            process.kill()
            process.stdout.close()
            process.wait()

    def test_objects_that_outlive_their_module(self):
        text = """
            import girt, threading, sys
            keep = [girt.Queue(5), girt.Map(), girt.Cache(), girt.Ring(list("ab")),
                    girt.Limiter(1), girt.KeyedLimiter(1), girt.Breaker(),
                    girt.Bulkhead(1)]
            keep[0].put(keep)
            keep[7].enter()
            keep[1]["a"] = b"1"
            sys.keep = keep
            class Late:
                def __del__(self, q=keep[0]):
                    q.put_nowait(1)
            late = Late()
        """
        self.assertEqual(self.program(text), "")


class Finalizers(Case):
    def test_objects_are_usable_in_any_finalizer_of_their_cycle(self):
        # Created before and after their user: the collector goes by age.
        used = []

        class User:
            def __init__(self, first):
                self.things = first
                self.things += [girt.Queue(5), girt.Map(), girt.Cache(),
                                girt.KeyedLimiter(9), girt.Breaker(),
                                girt.Ring(["a"]), girt.Bulkhead(1)]
                self.me = self

            def __del__(self):
                for q in self.things[0], self.things[1]:
                    q.put(1)
                    q.close()
                _, _, m, cache, limiter, breaker, ring, bulkhead = self.things
                m["a"] = b"1"
                cache.set("a", 1)
                ring.add("b")
                with bulkhead, breaker:
                    used.append(limiter.allow("a"))
        for _ in range(30):
            User([girt.Queue(5)])
            gc.collect()
        self.assertEqual(used, [True] * 30)
        gc.collect()
        from girt import _support
        self.assertEqual(_support._dying, [])

    def test_no_copy_destroys_twice(self):
        things = (girt.Queue(5), girt.Map(), girt.Cache(), girt.Limiter(1),
                  girt.KeyedLimiter(9), girt.Breaker(), girt.Ring(["a"]),
                  girt.Bulkhead(1), girt.Metrics(), girt.Shared(4096),
                  girt.Metrics().counter("c"), girt.Breaker().enter())
        for thing in things:
            for way in (pickle.dumps, copy.deepcopy):
                with self.assertRaises((TypeError, ValueError), msg=thing):
                    way(thing)
        for thing in things[:9]:
            with self.assertRaises(TypeError):
                copy.copy(thing)
        twin = copy.copy(things[10])
        del things
        gc.collect()
        twin.add()
        self.assertEqual(twin.value, 1)

    def test_what_comes_back_lives(self):
        back = []

        class Back:
            def __init__(self):
                self.q = girt.Queue(5)
                self.me = self

            def __del__(self):
                back.append(self)
        Back()
        gc.collect()
        gc.collect()
        back[0].q.put(7)
        self.assertEqual(back[0].q.get(), 7)
        before = resident_kb()
        for _ in range(300):
            q = girt.Queue(1000)
            q.put(q)
            del q
            gc.collect(0)
        gc.collect()
        self.assertLess(resident_kb() - before, 3000)


class Loading(Case):
    def test_with_other_allocators(self):
        text = """
            import girt
            q = girt.Queue(10); q.put(1); print(q.get(), girt.Ring(list("a"))["x"])
        """
        found = 0
        for name in ("libjemalloc.so.2", "libtcmalloc.so.4",
                     "libmimalloc.so.2", None):
            if name is not None:
                try:
                    ctypes.CDLL(name)
                except OSError:
                    continue
            found += 1
            self.assertEqual(self.program(text, preload=name), "1 a\n", name)
        self.assertGreater(found, 0)

    def test_after_other_libraries(self):
        # Not the first to ask for thread-local room.
        self.assertEqual(self.program("""
            import ssl, sqlite3, decimal, json, ctypes, threading
            def load():
                import girt
                print(girt.Queue(3).maxsize)
            thread = threading.Thread(target=load)
            thread.start(); thread.join()
        """), "3\n")

    def test_a_library_that_is_not_there(self):
        environment = dict(os.environ, GIRT_LIBRARY="/nowhere/libgirt.so")
        done = subprocess.run([sys.executable, "-c", "import girt"],
                              capture_output=True, text=True, env=environment)
        self.assertIn("ImportError", done.stderr)
        self.assertIn("GIRT_LIBRARY", done.stderr)


if __name__ == "__main__":
    unittest.main()
