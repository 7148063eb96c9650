#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""girt's Python package beside what people would otherwise use.

Contestants run in turn, repetition by repetition; shown are medians, and how
many times as long each rival takes as girt's best entry of the row.  Rivals
that are not installed are named and left out:

    pip install limits uhashring cachetools prometheus_client

usage: bench_python.py [--repetitions N] [--only WORD] [--json FILE]
with girt installed, or GIRT_LIBRARY and PYTHONPATH set.
"""
import argparse
import json
import multiprocessing
import os
import platform
import queue
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import girt

N = 1000
KEYS = [f"user:{7919 * i}" for i in range(N)]
MESSAGE = b"x" * 100
absent = []


def rival(name):
    """A module, or None."""
    try:
        return __import__(name, fromlist=["x"])
    except ImportError:
        absent.append(name.split(".")[0])
        return None


def timed(function):
    """ns of CPU time of each of the N things that a function does, in a run of
    some 10 ms: what other programs do meanwhile does not count."""
    start = time.thread_time_ns()
    function()
    rounds = max(1, int(1e7 / (time.thread_time_ns() - start + 1)))

    def run():
        start = time.thread_time_ns()
        for _ in range(rounds):
            function()
        return (time.thread_time_ns() - start) / (rounds * N)
    return run


# ---- one process ----

def queue_singles():
    def through(q):
        put, get = q.put, q.get

        def run():
            for _ in range(N // 50):
                for _ in range(50):
                    put(None)
                for _ in range(50):
                    get()
        return timed(run)
    yield "girt.Queue", through(girt.Queue(100))
    yield "queue.Queue", through(queue.Queue(100))
    yield "queue.SimpleQueue", through(queue.SimpleQueue())


def queue_batches():
    items = list(range(250))

    def girts():
        for _ in range(4):
            q.put_many(items)
            q.get_many(250)

    def loop(put, get):
        def run():
            for _ in range(4):
                for item in items:
                    put(item)
                [get() for _ in items]
        return timed(run)
    q = girt.Queue(1000)
    yield "girt.Queue put_many, get_many", timed(girts)
    simple, full = queue.SimpleQueue(), queue.Queue(1000)
    yield "queue.SimpleQueue", loop(simple.put, simple.get)
    yield "queue.Queue", loop(full.put, full.get)


def queue_two_threads():
    def through(make, put_all, get_all):
        def run():
            q = make()
            thread = threading.Thread(target=put_all, args=(q,))
            start = time.perf_counter_ns()
            thread.start()
            get_all(q)
            thread.join()
            return (time.perf_counter_ns() - start) / (20 * N)
        return run

    def put_batches(q):
        for _ in range(80):
            q.put_many(range(250))

    def get_batches(q):
        left = 20 * N
        while left:
            left -= len(q.get_many(250))

    def put_singles(q):
        for i in range(20 * N):
            q.put(i)

    def get_singles(q):
        for _ in range(20 * N):
            q.get()
    yield "girt.Queue, batches of 250", through(
        lambda: girt.Queue(1000), put_batches, get_batches)
    yield "girt.Queue", through(lambda: girt.Queue(1000), put_singles,
                                get_singles)
    yield "queue.Queue", through(lambda: queue.Queue(1000), put_singles,
                                 get_singles)
    yield "queue.SimpleQueue", through(queue.SimpleQueue, put_singles,
                                       get_singles)


def limiter():
    keyed = girt.KeyedLimiter(10, keys=10_000)
    yield "girt.KeyedLimiter.take_many(1000)", timed(
        lambda: keyed.take_many(KEYS))

    def each():
        for key in KEYS:
            keyed.allow(key)
    yield "girt.KeyedLimiter.allow", timed(each)
    limits = rival("limits")
    if limits is None:
        return
    rate = limits.parse("10/second")
    for name in ("FixedWindow", "MovingWindow"):
        strategy = getattr(limits.strategies, name + "RateLimiter")(
            limits.storage.MemoryStorage())

        def hits(strategy=strategy):
            for key in KEYS:
                strategy.hit(rate, key)
        yield f"limits, {name}", timed(hits)


def ring():
    for count in (10, 100):
        nodes = [f"node-{i}" for i in range(count)]
        native = girt.Ring(nodes)
        tag = f", {count} nodes"
        yield f"girt.Ring.find_many(1000){tag}", timed(
            lambda native=native: native.find_many(KEYS))

        def each(native=native):
            for key in KEYS:
                native[key]
        yield f"girt.Ring[]{tag}", timed(each)
        uhashring = rival("uhashring")
        if uhashring is not None:
            theirs = uhashring.HashRing(nodes=nodes)

            def nodes_of(theirs=theirs):
                for key in KEYS:
                    theirs.get_node(key)
            yield f"uhashring{tag}", timed(nodes_of)


def cache():
    ours = girt.Cache(max_bytes=1 << 20)
    for key in KEYS:
        ours.set(key, b"value")

    def get():
        for key in KEYS:
            ours.get(key)
    yield "girt.Cache.get", timed(get)
    cachetools = rival("cachetools")
    if cachetools is None:
        return
    theirs, lock = cachetools.LRUCache(2 * N), threading.Lock()
    for key in KEYS:
        theirs[key] = b"value"

    def get_locked():
        for key in KEYS:
            with lock:
                theirs.get(key)
    yield "cachetools.LRUCache, Lock", timed(get_locked)


def counters():
    counter = girt.Metrics().counter("hits")

    def add():
        for _ in range(N):
            counter.add()
    yield "girt.Counter.add", timed(add)
    client = rival("prometheus_client")
    if client is None:
        return
    theirs = client.Counter("hits", "", registry=client.CollectorRegistry())

    def inc():
        for _ in range(N):
            theirs.inc()
    yield "prometheus_client, Counter.inc", timed(inc)


# ---- several processes ----

COUNT_IN_CHILD = """
import sys, time
from prometheus_client import Counter
counter = Counter("hits", "")
pages = Counter("pages", "", ["path", "code"])
for i in range({series}):
    pages.labels(str(i), "200").inc()
for _ in range(1000):
    counter.inc()
start = time.perf_counter_ns()
for _ in range({count}):
    counter.inc()
print((time.perf_counter_ns() - start) / {count})
"""

SCRAPE = """
import time
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
took = []
for _ in range(5):
    start = time.perf_counter_ns()
    registry = CollectorRegistry()
    MultiProcessCollector(registry)
    generate_latest(registry)
    took.append(time.perf_counter_ns() - start)
print(sorted(took)[2])
"""


def four(start):
    """The mean of what four processes print, started at once."""
    processes = [start() for _ in range(4)]
    return sum(float(p.communicate()[0]) for p in processes) / 4


def counted_by_four(count=20_000):
    segment = girt.Shared(1 << 20)
    counter = girt.Metrics(shared=segment).counter("hits")
    answers = girt.Channel(8, 64)

    def ours():
        pids = []
        for _ in range(4):
            pid = os.fork()
            if pid == 0:
                add = counter.add
                start = time.perf_counter_ns()
                for _ in range(count):
                    add()
                answers.put((time.perf_counter_ns() - start) / count)
                os._exit(0)
            pids.append(pid)
        took = [answers.get() for _ in pids]
        for pid in pids:
            os.waitpid(pid, 0)
        return sum(took) / 4
    yield "girt.Counter.add, shared, 4 processes", ours
    if rival("prometheus_client") is None:
        return

    def theirs():
        with tempfile.TemporaryDirectory() as folder:
            environment = dict(os.environ, PROMETHEUS_MULTIPROC_DIR=folder)
            return four(lambda: subprocess.Popen(
                [sys.executable, "-c", COUNT_IN_CHILD.format(count=count, series=0)],
                stdout=subprocess.PIPE, text=True, env=environment))
    yield "prometheus_client, multiprocess mode", theirs


def scraped_of_four():
    """ns of a whole scrape, of 200 series that four processes have."""
    segment = girt.Shared(4 << 20)
    metrics = girt.Metrics(shared=segment)
    for i in range(200):
        metrics.counter("pages", "", {"path": str(i), "code": "200"}).add(4)

    def ours():
        start = time.perf_counter_ns()
        metrics.text()
        return time.perf_counter_ns() - start
    yield "girt.Metrics.text, shared", ours
    if rival("prometheus_client") is None:
        return
    folder = tempfile.mkdtemp()
    environment = dict(os.environ, PROMETHEUS_MULTIPROC_DIR=folder)
    four(lambda: subprocess.Popen(
        [sys.executable, "-c", COUNT_IN_CHILD.format(count=10, series=200)],
        stdout=subprocess.PIPE, text=True, env=environment))
    yield "prometheus_client, multiprocess mode", lambda: float(
        subprocess.run([sys.executable, "-c", SCRAPE], check=True,
                       capture_output=True, text=True,
                       env=environment).stdout)

def from_a_child(send, receive, count):
    """ns a message, from a forked child that sends to this process.  receive
    answers 0, or less by what it took more than it was told."""
    def run():
        process = multiprocessing.get_context("fork").Process(target=send)
        process.start()
        left = receive(1)  # it runs; what came with it counts as unpaid
        start = time.perf_counter_ns()
        receive(count - 1 + left)
        took = time.perf_counter_ns() - start
        process.join()
        return took / (count - 1 + left)
    return run


def channel(batch):
    count = 20_000 if batch == 1 else 64 * 1000
    context = multiprocessing.get_context("fork")
    ours = girt.Channel(4096, 128)
    many = [b"%0100d" % i for i in range(batch)]

    def send():
        if batch == 1:
            for _ in range(count):
                ours.send(MESSAGE)
        else:
            for _ in range(count // batch):
                ours.send_many(many)

    def receive(left):
        if batch == 1:
            for _ in range(left):
                ours.receive()
        else:
            while left > 0:
                left -= len(ours.receive_many(64 * 112))
            return left
        return 0
    yield f"girt.Channel, {batch} at a time", from_a_child(send, receive,
                                                           count)
    few = 10_000
    for name, make in (("Queue", context.Queue),
                       ("SimpleQueue", context.SimpleQueue)):
        theirs = make()

        def put(theirs=theirs):
            for _ in range(few):
                theirs.put(MESSAGE)

        def get(left, theirs=theirs):
            for _ in range(left):
                theirs.get()
            return 0
        yield f"multiprocessing.{name}", from_a_child(put, get, few)
        if batch == 1:
            continue

        def put_lists(theirs=theirs):
            theirs.put([MESSAGE])
            for _ in range(count // batch):
                theirs.put(many)

        def get_lists(left, theirs=theirs):
            while left > 0:
                left -= len(theirs.get())
            return left
        yield (f"multiprocessing.{name}, lists of {batch}",
               from_a_child(put_lists, get_lists, count + 1))


ROWS = {
    "queue, one object at a time": queue_singles,
    "queue, batches of 250": queue_batches,
    "queue, two threads": queue_two_threads,
    "channel between processes, single messages of 100 bytes":
        lambda: channel(1),
    "channel between processes, batches of 64 messages of 100 bytes":
        lambda: channel(64),
    "keyed limiter, a decision": limiter,
    "ring, a lookup": ring,
    "cache, a hit of 5 bytes": cache,
    "counter": counters,
    "counter across 4 processes": counted_by_four,
    "scrape of 200 series of 4 processes": scraped_of_four,
}


def measure(make, repetitions):
    """Medians of each contestant, run in turn."""
    contestants = list(make())
    for _, run in contestants:
        run()
    figures = {name: [] for name, _ in contestants}
    for _ in range(repetitions):
        for name, run in contestants:
            figures[name].append(run())
    return {name: statistics.median(took) for name, took in figures.items()}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--repetitions", type=int, default=9)
    parser.add_argument("--only", default="")
    parser.add_argument("--json")
    arguments = parser.parse_args()
    print(f"Python {platform.python_version()}, girt {girt.__version__}, "
          f"{os.cpu_count()} CPUs; medians of {arguments.repetitions}, "
          "ns each")
    results = {}
    for row, make in ROWS.items():
        if arguments.only not in row:
            continue
        results[row] = figures = measure(make, arguments.repetitions)
        print(f"\n{row}")
        base = None
        for name, ns in figures.items():
            if base is None or ("nodes" in name and "many" in name):
                base = ns
            print(f"  {name:46} {ns:10.1f} {ns / base:8.1f}x")
    for name in sorted(set(absent)):
        print(f"\nnot installed: {name}")
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump(results, file, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
