# SPDX-License-Identifier: MIT
"""Goal: a ring names the owner of every key, one by one and in batches, while
nodes come and go in other threads.
Method: batches against single lookups on every kind; threads that change the
ring while others look; libmemcached's table where it is there.
"""
import os
import threading
import unittest
from pathlib import Path

import girt
from support import Case

KINDS = ("native", "ketama", "maglev", "rendezvous", "jump")


class Lookups(Case):
    def test_batches_are_lookups(self):
        keys = ["key %d" % i for i in range(500)]
        for kind in KINDS:
            ring = girt.Ring({"a": 1, "b": 2, "c": 3}, kind=kind)
            single = tuple([ring[key] for key in keys])
            self.assertEqual(ring.find_many(keys), single)
            self.assertEqual(ring.find_many([k.encode() for k in keys]),
                             single)
            self.assertEqual(ring.find_many(tuple(keys[:7])), single[:7])
            self.assertEqual(ring.find_many(iter(keys[:1])), single[:1])
            self.assertEqual(ring.find_many([]), ())
            self.assertEqual(tuple([ring.find(key)[0] for key in keys[:50]]),
                             single[:50])
            self.assertEqual(set(single), {"a", "b", "c"})
            zeros = ["a\0b", "", b"\0", "a"]
            self.assertEqual(list(ring.find_many(zeros)),
                             [ring[k] for k in zeros])

    def test_preference(self):
        ring = girt.Ring(list("abcde"))
        for i in range(50):
            nodes = ring.find("k%d" % i, 5)
            self.assertEqual(sorted(nodes), list("abcde"))
            self.assertEqual(ring.find("k%d" % i, 2), nodes[:2])
            self.assertEqual(len(ring.find("k%d" % i, 99)), 5)
            self.assertEqual(ring.find("k%d" % i, 0), [])
        nodes = ring.find("k", 2)
        ring.remove(nodes[0])
        self.assertEqual(ring["k"], nodes[1])

    def test_members(self):
        ring = girt.Ring(["a", "b"])
        self.assertEqual((len(ring), sorted(ring)), (2, ["a", "b"]))
        self.assertIn("a", ring)
        self.assertNotIn("c", ring)
        self.assertNotIn("", ring)
        self.assertNotIn(5, ring)
        ring.add("c", 2)
        self.assertAlmostEqual(ring.share("c"), 0.5, 1)
        ring.add("c", 1)  # another weight
        self.assertAlmostEqual(ring.share("c"), 1 / 3, 1)
        ring.remove("a")
        self.assertEqual(sorted(ring), ["b", "c"])
        ring.set({"x": 1})
        self.assertEqual(list(ring), ["x"])
        self.assertEqual(ring["anything"], "x")
        ring.set([])
        self.assertEqual(len(ring), 0)
        self.assertEqual(ring.find("k"), [])
        self.assertEqual(ring.find_many([]), ())
        for call in (lambda: ring["k"], lambda: ring.find_many(["k"]),
                     lambda: ring.remove("x"),
                     lambda: ring.acquire("k").__enter__()):
            with self.assertRaises(KeyError):
                call()
        ring.add("\u00e9t\u00e9")
        self.assertEqual(ring["k"], "\u00e9t\u00e9")

    def test_bounded_load(self):
        ring = girt.Ring(list("abcd"), bound=1.25)
        held, load = [], dict.fromkeys("abcd", 0)
        for _ in range(40):
            loan = ring.acquire("celebrity")
            load[loan.__enter__()] += 1
            held.append(loan)
        self.assertLessEqual(max(load.values()), 13)
        ring.remove("a")  # with loads on it
        for loan in held:
            loan.__exit__(None, None, None)
        with ring.acquire("celebrity") as node:
            self.assertEqual(node, ring["celebrity"])

    def test_the_field_s_ketama(self):
        table = (Path(os.environ["GIRT_SOURCE"]).parent
                 / "shared/vectors/ketama_weighted_8w.tsv")
        if not table.exists():
            self.skipTest("no table of libmemcached's answers")
        nodes, keys, owners = {}, [], []
        for line in table.read_text().splitlines():
            fields = line.split("\t")
            if fields[0] == "# server":
                _, _, host, port, weight = fields
                nodes[f"{host}:{port}"] = int(weight)
            elif not line.startswith("#"):
                keys.append(fields[0])
                owners.append(list(nodes)[int(fields[-1])])
        ring = girt.Ring(nodes, kind="ketama")
        self.assertGreater(len(keys), 900)
        self.assertEqual(list(ring.find_many(keys)), owners)

    def test_bad_input(self):
        for nodes, error in ((5, TypeError), ("ab", TypeError), ([5], TypeError),
                             (["a", "a"], ValueError), ([""], ValueError),
                             (["x" * 256], ValueError), (["a\0"], ValueError),
                             ({"a": 0}, ValueError), ({"a": "1"}, TypeError),
                             ({"a": 2 ** 32}, ValueError), (b"ab", TypeError),
                             ({"a": 2 ** 31}, ValueError)):
            with self.assertRaises(error, msg=nodes):
                girt.Ring(nodes)
        for options, error in (
                ({"kind": "round"}, ValueError), ({"bound": 0.5}, ValueError),
                ({"bound": "x"}, TypeError), ({"maglev_size": 4, "kind":
                                               "maglev"}, ValueError),
                ({"points": -1}, ValueError), ({"seed": 2 ** 64}, ValueError),
                ({"name": ""}, ValueError)):
            with self.assertRaises(error, msg=options):
                girt.Ring(list("ab"), **options)
        ring = girt.Ring(list("ab"))
        for key in (None, 5, ["a"]):
            for call in (lambda: ring[key], lambda: ring.find(key),
                         lambda: ring.find_many([key]),
                         lambda: ring.acquire(key).__enter__()):
                with self.assertRaises(TypeError):
                    call()
        self.assertEqual(sorted(ring), ["a", "b"])
        with self.assertRaises(ValueError):
            girt.Ring(list("abc"), kind="jump").remove("a")  # not the last
        ring.close()
        for call in (lambda: ring["k"], lambda: ring.find("k", 2),
                     lambda: ring.find_many(["k"]), lambda: ring.add("c"),
                     lambda: ring.find_many(["k\0"]),
                     lambda: ring.acquire("k").__enter__()):
            with self.assertRaises(girt.Closed):
                call()

    def test_a_change_that_fails_changes_nothing(self):
        ring = girt.Ring({"a": 1, "b": 1})
        with self.assertRaises(ValueError):
            ring.set(["c", "d", "c"])
        self.assertEqual(sorted(ring), ["a", "b"])
        self.assertIn(ring["k"], "ab")


class Changes(Case):
    def test_lookups_while_nodes_come_and_go(self):
        # Ids are given again, so a name taken from another moment shows.
        ring = girt.Ring(["stay %d" % i for i in range(3)], points=16)
        owners = {}
        for key in ("k%d" % i for i in range(20)):
            owners[key] = ring.find(key, 3)
        done = threading.Event()

        def change():
            try:
                for i in range(150):
                    ring.add("come %d" % i)
                    ring.remove("come %d" % i)
            finally:
                done.set()

        def look():
            while not done.is_set():
                for key, nodes in owners.items():
                    for node in (ring[key], *ring.find_many([key, key])):
                        if not node.startswith("come "):
                            self.assertEqual(node, nodes[0])
        self.threads(change, look, look)
        self.assertEqual(len(ring), 3)

    def test_nothing_grows(self):
        def step():
            ring = girt.Ring(list("abc"), points=8)
            ring.add("d")
            ring.find_many(["a", "b\0"])
            with ring.acquire("k"):
                pass
            ring.remove("a")
        self.assert_no_growth(step)


if __name__ == "__main__":
    unittest.main()
