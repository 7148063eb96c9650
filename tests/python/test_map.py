# SPDX-License-Identifier: MIT
"""Goal: Map is a mapping of bytes whose updates are atomic, and bad input
never gets past an exception.
Method: random operations against a dict, threads that add to one number,
updates that interfere with themselves, every wrong type.
"""
import gc
import random
import unittest

import girt
from support import Case, resident_kb


class Mapping(Case):
    def test_against_a_dict(self):
        rng = random.Random(7)
        m, twin = girt.Map(12), {}
        for _ in range(4000):
            key = b"k%d" % rng.randrange(60)
            value = bytes(rng.randrange(256) for _ in range(rng.randrange(13)))
            what = rng.randrange(8)
            if what < 2:
                m[key] = twin[key] = value
            elif what == 2:
                self.assertEqual(m.get(key), twin.get(key))
            elif what == 3:
                self.assertEqual(m.pop(key, 5), twin.pop(key, 5))
            elif what == 4:
                self.assertEqual(m.setdefault(key, value),
                                 twin.setdefault(key, value))
            elif what == 5 and key in twin:
                del m[key]
                del twin[key]
            elif what == 6:
                self.assertEqual(key in m, key in twin)
            else:
                got = m.update_key(key, lambda old: (
                    None if old is None else old[1:]))
                if key in twin:
                    twin[key] = twin[key][1:]
                self.assertEqual(got, twin.get(key))
            self.assertEqual(len(m), len(twin))
        self.assertEqual(m, twin)
        self.assertEqual(dict(m), twin)
        self.assertEqual(sorted(m), sorted(twin))
        self.assertEqual(sorted(m.items()), sorted(twin.items()))
        self.assertEqual(sorted(m.values()), sorted(twin.values()))
        m.clear()
        self.assertEqual(len(m), 0)

    def test_a_str_is_its_utf_8(self):
        m = girt.Map()
        m["schl\u00fcssel"] = b"1"
        self.assertEqual(m["schl\u00fcssel".encode()], b"1")
        self.assertEqual(m[bytearray("schl\u00fcssel".encode())], b"1")
        self.assertEqual(list(m), ["schl\u00fcssel".encode()])
        m[""] = b""
        self.assertEqual(m[b""], b"")
        m["a\0b"] = b"zero"
        self.assertNotIn("a", m)
        self.assertIn("a\0b", m)

    def test_update_as_a_dict_has_it(self):
        m = girt.Map()
        m.update({"a": b"1"}, b=b"2")
        m.update([("c", b"3")])
        self.assertEqual(dict(m), {b"a": b"1", b"b": b"2", b"c": b"3"})
        self.assertEqual(m.update("a", lambda old: old + b"!"), b"1!")
        self.assertIsNone(m.update("a", lambda old: None))
        self.assertNotIn("a", m)

    def test_many_entries(self):
        m = girt.Map(8)
        for i in range(20000):
            m[b"%d" % i] = b"%d" % (i % 1000)
        self.assertEqual(len(m), 20000)
        self.assertEqual(len(set(m)), 20000)
        self.assertGreater(m.nbytes, 20000 * 12)

    def test_bad_input(self):
        for size in (0, -1, 65533, 2 ** 70):
            with self.assertRaises(ValueError):
                girt.Map(size)
        with self.assertRaises(ValueError):
            girt.Map(expected=2 ** 50)
        for name, error in (("", ValueError), ("x" * 256, ValueError),
                            ("a\0", ValueError)):
            with self.assertRaises(error):
                girt.Map(name=name)
        m = girt.Map(4)
        for key in (None, 5, 1.5, ["a"], object()):
            for call in (lambda: m[key], lambda: m.get(key),
                         lambda: m.__setitem__(key, b""),
                         lambda: m.__delitem__(key), lambda: m.pop(key),
                         lambda: m.setdefault(key, b""),
                         lambda: m.increment(key),
                         lambda: m.update_key(key, lambda old: b"")):
                with self.assertRaises(TypeError):
                    call()
            self.assertNotIn(key, m)
        for value in (None, "x", 5, [1]):
            with self.assertRaises(TypeError):
                m["a"] = value
            with self.assertRaises(TypeError):
                m.setdefault("a", value)
        with self.assertRaises(ValueError):
            m["a"] = b"12345"
        with self.assertRaises(ValueError):
            m["a" * 65537] = b""
        with self.assertRaises(UnicodeEncodeError):
            m["\ud800"] = b""
        for call in (lambda: m["a"], lambda: m.pop("a"),
                     lambda: m.__delitem__("a")):
            with self.assertRaises(KeyError):
                call()
        self.assertEqual(len(m), 0)


class Updates(Case):
    def test_numbers(self):
        m = girt.Map()
        self.assertEqual(m.number("n"), 0)
        self.assertEqual(m.increment("n"), 1)
        self.assertEqual(m.increment("n", -5), -4)
        self.assertEqual(m.number("n"), -4)
        self.assertEqual(m.increment("n", 2 ** 63 - 1 + 4), 2 ** 63 - 1)
        with self.assertRaises(OverflowError):
            m.increment("n")
        self.assertEqual(m.number("n"), 2 ** 63 - 1)
        m["s"] = b"text"
        for call in (lambda: m.increment("s"), lambda: m.number("s")):
            with self.assertRaises(ValueError):
                call()
        with self.assertRaises(TypeError):
            m.increment("n", "1")

    def test_threads_add_up(self):
        m = girt.Map()

        def add():
            for _ in range(400):
                m.increment("n")
                m.update_key("s", lambda old: b"%d" % (int(old or 0) + 1))
        self.threads(add, add, add)
        self.assertEqual((m.number("n"), m["s"]), (1200, b"1200"))

    def test_a_function_that_uses_the_map(self):
        m, runs = girt.Map(), []

        def function(old):
            runs.append(old)
            if len(runs) < 3:
                m.increment("k")  # changes the key under us
            m["other"] = b"x"
            return b"done"
        self.assertEqual(m.update_key("k", function), b"done")
        self.assertEqual(len(runs), 3)
        self.assertEqual(m["k"], b"done")

    def test_a_function_that_raises(self):
        m = girt.Map()
        m["k"] = b"1"
        for error in (ZeroDivisionError, KeyboardInterrupt, KeyError):
            def function(old):
                raise error
            with self.assertRaises(error):
                m.update_key("k", function)
        with self.assertRaises(TypeError):
            m.update_key("k", lambda old: 5)
        with self.assertRaises(ValueError):
            m.update_key("k", lambda old: b"x" * 65)
        self.assertEqual(m["k"], b"1")

    def test_reading_while_others_change(self):
        m = girt.Map(8)
        for i in range(3000):
            m[b"%d" % i] = b"x"

        def change():
            for i in range(3000):
                m[b"%d" % i] = b"y"

        def read():
            for _ in range(5):
                self.assertEqual(len(set(m)), 3000)
        self.threads(change, read)


class Alive(Case):
    def test_closed(self):
        m = girt.Map()
        m["a"] = b"1"
        m.close()
        m.close()
        for call in (lambda: m["a"], lambda: m.get("a"),
                     lambda: m.__setitem__("a", b""), lambda: list(m),
                     lambda: m.pop("a", None), lambda: m.increment("a"),
                     lambda: m.setdefault("a"), m.items,
                     lambda: m.update_key("a", lambda old: b"")):
            with self.assertRaises(girt.Closed):
                call()
        self.assertEqual(len(m), 0)

    def test_maps_die_anywhere(self):
        # Collected in the midst of another map's walk, too.
        m = girt.Map(8)
        for i in range(3000):
            m[b"%d" % i] = b"x"
        thresholds = gc.get_threshold()
        gc.set_threshold(1)
        try:
            for _ in range(20):
                other = girt.Map(8)
                other["a"] = b"1"
                other.cycle = other
                del other
                self.assertEqual(len(list(m)), 3000)
                m.increment("n" * 3)
                del m["n" * 3]
        finally:
            gc.set_threshold(*thresholds)

    def test_nothing_grows(self):
        def step():
            m = girt.Map(16)
            for i in range(50):
                m[b"%d" % i] = b"x"
                m.increment(b"n%d" % i)
            list(m.items())
            m.clear()
        self.assert_no_growth(step)
        for _ in range(20):
            step()
        before = resident_kb()
        for _ in range(100):
            step()
        self.assertLess(resident_kb() - before, 2000)


if __name__ == "__main__":
    unittest.main()
