# SPDX-License-Identifier: MIT
"""Goal: messages pass between processes once, in order, in batches and one by
one, whatever becomes of a process; segments are found by name.
Method: forked and spawned children that echo and count, children that are
killed, sizes on both sides of every padding.
"""
import multiprocessing
import os
import pickle
import random
import signal
import threading
import time
import unittest
import uuid

import girt
from support import Case


def echo(there, back):
    """In a spawned process: sends all back, until nothing comes."""
    while True:
        items = there.get_many(timeout=20)
        back.put_many(items)
        if None in items:
            return


class Alone(Case):
    def test_bytes(self):
        channel = girt.Channel(64, 100)
        for size in (*range(20), 99, 100):
            channel.send(b"x" * size)
            self.assertEqual(channel.receive(), b"x" * size)
        channel.send(bytearray(b"a"))
        channel.send(memoryview(b"b"))
        self.assertEqual([channel.receive(), channel.receive()], [b"a", b"b"])
        with self.assertRaises(ValueError):
            channel.send(b"x" * 101)
        with self.assertRaises(ValueError):
            channel.send_many([b"x", b"x" * 101])
        for message in ("x", 5, None, [b"x"]):
            with self.assertRaises(TypeError):
                channel.send(message)
            with self.assertRaises(TypeError):
                channel.send_many([message])
        with self.assertRaises(girt.Empty):
            channel.receive(block=False)

    def test_objects(self):
        channel = girt.Channel(64, 500)
        things = [None, 5, "text", b"bytes", [1, {"a": (2.5,)}], girt.Limited]
        for thing in things:
            channel.put(thing)
            self.assertEqual(channel.get(), thing)
        self.assertEqual(channel.put_many(things), len(things))
        self.assertEqual(channel.get_many(), things)
        with self.assertRaises(Exception):
            channel.put(threading.Lock())

    def test_batches_against_a_list(self):
        rng = random.Random(3)
        channel, twin = girt.Channel(30, 40), []
        for _ in range(300):
            if rng.random() < 0.5:
                alike = rng.random() < 0.5
                size = rng.randrange(41)
                messages = [rng.randbytes(size if alike else rng.randrange(41))
                            for _ in range(rng.randrange(20))]
                try:
                    count = channel.send_many(messages, block=False)
                    self.assertEqual(count, len(messages))
                except girt.Full as error:
                    count = error.count
                twin += messages[:count]
            elif twin:
                got = (channel.receive_many(rng.choice((1, 100, 70000)))
                       if rng.random() < 0.7 else [channel.receive()])
                self.assertEqual(got, twin[:len(got)])
                del twin[:len(got)]
        while twin:
            self.assertEqual(channel.receive(block=False), twin.pop(0))

    def test_time_limits(self):
        channel = girt.Channel(2, 10)
        start = time.monotonic()
        for call in (channel.receive, channel.receive_many, channel.get):
            with self.assertRaises(girt.GetTimeout):
                call(timeout=0.01)
        self.assertGreaterEqual(time.monotonic() - start, 0.03)
        channel.send_many([b"1", b"2"])
        with self.assertRaises(girt.PutTimeout):
            channel.send(b"3", timeout=0.01)
        with self.assertRaises(girt.Full):
            channel.send(b"3", block=False)
        self.assertEqual(channel.receive(), b"1")
        with self.assertRaises(girt.PutTimeout) as caught:
            channel.send_many([b"3", b"4", b"5"], timeout=0.01)
        self.assertEqual(caught.exception.count, 1)
        self.assertEqual([channel.receive() for _ in "ab"], [b"2", b"3"])
        for timeout, error in ((-1, ValueError), ("x", TypeError)):
            with self.assertRaises(error):
                channel.receive(timeout=timeout)

    def test_close(self):
        channel = girt.Channel()
        started = threading.Event()

        def wait():
            started.set()
            with self.assertRaises(girt.Closed):
                channel.receive()

        def close():
            started.wait()
            channel.close()
        self.threads(wait, close)
        for call in (lambda: channel.send(b""), channel.receive,
                     lambda: channel.send_many([b"x"]),
                     channel.receive_many):
            with self.assertRaises(girt.Closed):
                call()
        segment = girt.Shared(1 << 16)
        segment.close()
        with self.assertRaises(girt.Closed):
            girt.Channel(shared=segment)

    def test_bad_input(self):
        for arguments, error in (((0,), ValueError), ((1, 0), ValueError),
                                 (("1",), TypeError), ((1, 2 ** 40),
                                                       (ValueError,
                                                        MemoryError))):
            with self.assertRaises(error):
                girt.Channel(*arguments)
        with self.assertRaises(TypeError):
            girt.Channel(shared=5)
        for size, error in ((0, ValueError), ("1", TypeError),
                            (2 ** 62, (ValueError, MemoryError))):
            with self.assertRaises(error):
                girt.Shared(size)
        for name in ("a/b", "", ".", "x" * 256, "a\0b"):
            with self.assertRaises(ValueError):
                girt.Shared(4096, name)
        with self.assertRaises(TypeError):
            girt.Shared(4096, 5)
        with self.assertRaises(MemoryError):
            girt.Channel(1000, 1000, shared=girt.Shared(4096))
        segment = girt.Shared(1 << 20)
        girt.Channel(10, 10, shared=segment)
        with self.assertRaises(ValueError):  # made with other numbers
            girt.Channel(10, 11, shared=segment)
        with self.assertRaises(TypeError):
            pickle.dumps(segment)

    def test_nothing_grows(self):
        def step():
            channel = girt.Channel(10, 10)
            channel.send_many([b"a", b"bb"])
            channel.receive_many()
        self.assert_no_growth(step)


class Processes(Case):
    def test_forked(self):
        there, back = girt.Channel(100, 200), girt.Channel(100, 200)

        def child():
            while True:
                message = there.receive(timeout=20)
                back.send(message[::-1])
                if not message:
                    return
        pid = os.fork()
        if pid == 0:
            try:
                child()
                os._exit(0)
            finally:
                os._exit(1)
        for i in range(300):
            there.send(b"%d" % i)
            self.assertEqual(back.receive(timeout=20), (b"%d" % i)[::-1])
        there.send(b"")
        self.assertEqual(back.receive(timeout=20), b"")
        self.assertEqual(os.waitpid(pid, 0)[1], 0)

    def test_several_senders(self):
        channel = girt.Channel(32, 64)
        pids = []
        for k in range(3):
            pid = os.fork()
            if pid == 0:
                try:
                    channel.send_many([b"%d %d" % (k, i) for i in range(200)],
                                      timeout=20)
                    os._exit(0)
                finally:
                    os._exit(1)
            pids.append(pid)
        got = []
        while len(got) < 600:
            got += channel.receive_many(timeout=20)
        for pid in pids:
            self.assertEqual(os.waitpid(pid, 0)[1], 0)
        for k in range(3):
            mine = [m for m in got if m.startswith(b"%d " % k)]
            self.assertEqual(mine, [b"%d %d" % (k, i) for i in range(200)])

    def test_a_killed_sender_blocks_nobody(self):
        channel = girt.Channel(16, 64)
        pid = os.fork()
        if pid == 0:
            while True:
                channel.send(b"x")
        channel.receive(timeout=20)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        while True:
            try:
                self.assertEqual(channel.receive(timeout=0.1), b"x")
            except girt.GetTimeout:
                break
        channel.send(b"y")
        self.assertEqual(channel.receive(timeout=5), b"y")

    def test_one_limit_for_all(self):
        segment = girt.Shared(1 << 20)
        limiter = girt.Limiter(0, burst=10, shared=segment, name="all")
        keyed = girt.KeyedLimiter(0, burst=10, keys=100, shared=segment,
                                  name="each")
        answers = girt.Channel(10, 100)
        for _ in range(2):
            pid = os.fork()
            if pid == 0:
                try:
                    answers.put((sum(limiter.allow() for _ in range(8)),
                                 sum(keyed.take_many(["k"] * 8))))
                    os._exit(0)
                finally:
                    os._exit(1)
            self.assertEqual(os.waitpid(pid, 0)[1], 0)
        self.assertEqual([answers.get(timeout=5) for _ in "ab"],
                         [(8, 8), (2, 2)])
        again = girt.Limiter(0, burst=10, shared=segment, name="all")
        self.assertFalse(again.allow())
        for call, error in (
                (lambda: girt.Limiter(1, shared=segment), ValueError),
                (lambda: girt.Limiter(1, shared=5, name="x"), TypeError),
                (lambda: girt.KeyedLimiter(0, burst=10, keys=100,
                                           shared=segment, name="all"),
                 ValueError)):
            with self.assertRaises(error):
                call()

    def test_metrics_of_workers(self):
        segment = girt.Shared(1 << 20)
        metrics = girt.Metrics(shared=segment)
        counter = metrics.counter("served", "", {"code": "200"})
        pids = []
        for k in range(3):
            pid = os.fork()
            if pid == 0:
                try:
                    for _ in range(100):
                        counter.add()
                    metrics.counter("mine", "", {"worker": str(k)}).add(k)
                    if k == 2:
                        os.kill(os.getpid(), signal.SIGKILL)
                    os._exit(0)
                finally:
                    os._exit(1)
            pids.append(pid)
        for pid in pids:
            os.waitpid(pid, 0)
        self.assertEqual(counter.value, 300)
        text = metrics.text()
        self.assertIn('served_total{code="200"} 300', text)
        self.assertIn('mine_total{worker="2"} 2', text)
        segment.close()
        counter.add()
        self.assertEqual(counter.value, 301)

    def test_spawned(self):
        name = f"girt-test-{uuid.uuid4().hex}"
        with girt.Shared(1 << 20, name) as segment:
            try:
                there = girt.Channel(64, 256, shared=segment, name="there")
                back = girt.Channel(64, 256, shared=segment, name="back")
                context = multiprocessing.get_context("spawn")
                process = context.Process(target=echo, args=(there, back))
                process.start()
                items = [*range(50), "text", None]
                there.put_many(items)
                got = []
                while None not in got:
                    got += back.get_many(timeout=20)
                self.assertEqual(got, items)
                process.join(20)
                self.assertEqual(process.exitcode, 0)
                with self.assertRaises(FileExistsError):
                    girt.Shared(4096, name)
                again = girt.Shared.open(name)
                self.assertEqual(again.name, name)
                self.assertEqual(pickle.loads(pickle.dumps(again)).name, name)
            finally:
                girt.Shared.unlink(name)
        for call in (girt.Shared.open, girt.Shared.unlink):
            with self.assertRaises(FileNotFoundError):
                call(name)


if __name__ == "__main__":
    unittest.main()
