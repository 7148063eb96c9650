# SPDX-License-Identifier: MIT
"""Goal: series count what was counted, the text is what Prometheus reads, and
objects report themselves and outlive nothing that they need.
Method: threads that add, text taken apart, registries and objects collected in
every order.
"""
import gc
import itertools
import unittest

import girt
from support import Case


class Series(Case):
    def test_what_is_counted(self):
        metrics = girt.Metrics()
        hits = metrics.counter("hits", "All.", {"path": "/a", "m": 'x"\n\\'})
        again = metrics.counter("hits_total", "", {"m": 'x"\n\\', "path": "/a"})
        hits.add()
        again.inc(4)
        self.assertEqual((hits.value, again.value), (5, 5))
        gauge = metrics.gauge("heat")
        gauge.set(2.5)
        gauge.add(-1)
        self.assertEqual(gauge.value, 1.5)
        waits = metrics.histogram("wait_ns", labels={"q": "a"})
        for value in (1, 10, 100, 1000):
            waits.record(value)
        with waits.time():
            pass
        self.assertEqual(waits.count, 5)
        self.assertEqual(waits.quantile(0.4), 10)
        text = metrics.text()
        for line in ("# TYPE hits_total counter",
                     'hits_total{m="x\\"\\n\\\\",path="/a"} 5', "heat 1.5",
                     'wait_ns_count{q="a"} 5'):
            self.assertIn(line, text.splitlines())
        self.assertTrue(metrics.text("openmetrics").endswith("# EOF\n"))

    def test_threads_add_up(self):
        metrics = girt.Metrics()
        hits = metrics.counter("hits")

        def add():
            for _ in range(2000):
                hits.add(2)
                metrics.counter("labelled", "", {"a": "b"}).add()
        self.threads(add, add, add, lambda: [metrics.text()
                                             for _ in range(20)])
        self.assertEqual(hits.value, 12000)
        self.assertIn('labelled_total{a="b"} 6000', metrics.text())

    def test_a_bound_on_series(self):
        metrics = girt.Metrics(series_max=3)
        for i in range(10):
            metrics.counter("c", "", {"i": str(i)}).add()
        self.assertIn('c_total{overflow="true"} 7', metrics.text())

    def test_bad_input(self):
        metrics = girt.Metrics()
        metrics.counter("c")
        for call, error in (
                (lambda: metrics.counter("1c"), ValueError),
                (lambda: metrics.counter(""), ValueError),
                (lambda: metrics.counter("c\0"), ValueError),
                (lambda: metrics.counter(5), TypeError),
                (lambda: metrics.counter("c", 5), TypeError),
                (lambda: metrics.counter("d", "", {"le": "1"}), ValueError),
                (lambda: metrics.counter("d", "", {"a": 1}), TypeError),
                (lambda: metrics.counter("d", "", {"a": "x" * 5000}),
                 ValueError),
                (lambda: metrics.gauge("c_total"), ValueError),
                (lambda: metrics.text("json"), ValueError),
                (lambda: girt.Metrics(series_max=0), ValueError),
                (lambda: metrics.counter("c").add(-1), ValueError),
                (lambda: metrics.counter("c").add(1.5), TypeError),
                (lambda: metrics.gauge("g").set("1"), TypeError),
                (lambda: metrics.histogram("h").record(-1), ValueError),
                (lambda: girt.Queue(metrics=metrics), ValueError),
                (lambda: girt.Queue(metrics=5, name="q"), TypeError)):
            with self.assertRaises(error):
                call()
        counter = metrics.counter("c")
        metrics.close()
        for call in (metrics.text, lambda: metrics.counter("c"),
                     lambda: girt.Map(metrics=metrics, name="m")):
            with self.assertRaises(girt.Closed):
                call()
        counter.add()  # its registry is there as long as it is
        self.assertEqual(counter.value, 1)


def things(metrics):
    return (girt.Queue(5, metrics=metrics, name="q"),
            girt.Map(metrics=metrics, name="m"),
            girt.Cache(metrics=metrics, name="c"),
            girt.Limiter(5, metrics=metrics, name="l"),
            girt.KeyedLimiter(5, metrics=metrics, name="k"),
            girt.Breaker(metrics=metrics, name="b"),
            girt.Bulkhead(5, metrics=metrics, name="h"),
            girt.Ring(["a"], metrics=metrics, name="r"))


class Objects(Case):
    def test_objects_report_themselves(self):
        metrics = girt.Metrics()
        kept = things(metrics)
        kept[0].put(1)
        kept[3].allow()
        text = metrics.text()
        for name in "qmclkbhr":
            self.assertRegex(text, f'="{name}"')
        with self.assertRaises(girt.Error):
            girt.Queue(5, metrics=metrics, name="q")  # that name is taken
        del kept
        self.assertNotIn('="q"', metrics.text())

    def test_any_order_of_ends(self):
        for first in range(2):
            metrics = girt.Metrics()
            kept = things(metrics)
            counter = metrics.counter("c")
            if first:
                del metrics
                gc.collect()
                for thing in kept[:2]:
                    del thing
                counter.add()
                del kept
            else:
                del kept
                del metrics
            counter.add()

    def test_cycles(self):
        class Thing:
            pass
        for order in itertools.permutations(range(3)):
            holders = [Thing() for _ in range(3)]
            metrics = girt.Metrics()
            made = [metrics, metrics.counter("c"),
                    girt.Queue(5, metrics=metrics, name="q")]
            for i, place in enumerate(order):
                holders[i].thing = made[place]
                holders[i].all = holders
            del holders, metrics, made
            gc.collect()
        self.assert_no_growth(lambda: things(girt.Metrics()))


if __name__ == "__main__":
    unittest.main()
