# SPDX-License-Identifier: MIT
"""Goal: what the guide and the examples show runs and prints what they say.
Method: every ```python block of docs/guide/python.md is a program, and a
```text block after it is its output; examples/python/NAME.py prints what
tests/python/expected/NAME.txt holds; every public name is in the guide, and
the docstrings' examples hold.
"""
import doctest
import importlib
import os
import pkgutil
import re
import subprocess
import sys
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import girt

SOURCE = Path(os.environ["GIRT_SOURCE"])
GUIDE = SOURCE / "docs/guide/python.md"
EXAMPLES = SOURCE / "examples/python"
EXPECTED = Path(__file__).resolve().parent / "expected"


def run(arguments, text=None):
    return subprocess.run([sys.executable, "-W", "error", *arguments],
                          input=text, capture_output=True, text=True,
                          timeout=30)


class Documents(unittest.TestCase):
    maxDiff = None

    def test_the_guide(self):
        text = GUIDE.read_text()
        fences = re.findall(r"^```(.*?)\n(.*?)^```\s*$", text, re.M | re.S)
        programs = [(block, after) for (kind, block), (next_kind, after) in zip(
            fences, [*fences[1:], ("", "")]) if kind == "python"
            and next_kind == "text"]
        count = sum(kind == "python" for kind, _ in fences)
        self.assertEqual(len(programs), count, "a block without its output")
        self.assertGreater(count, 8)
        with ThreadPoolExecutor(2) as pool:
            results = list(pool.map(lambda p: run(["-"], p[0]), programs))
        for (block, expected), done in zip(programs, results):
            with self.subTest(block.strip().splitlines()[2]):
                self.assertEqual(done.stdout + done.stderr, expected)

    def test_the_examples(self):
        examples = sorted(EXAMPLES.glob("*.py"))
        self.assertGreater(len(examples), 2)
        self.assertEqual([e.stem for e in examples],
                         sorted(e.stem for e in EXPECTED.glob("*.txt")))
        with ThreadPoolExecutor(2) as pool:
            results = list(pool.map(lambda e: run([str(e)]), examples))
        for example, done in zip(examples, results):
            with self.subTest(example.stem):
                expected = (EXPECTED / f"{example.stem}.txt").read_text()
                self.assertEqual(done.stdout + done.stderr, expected)

    def test_every_name_is_in_the_guide(self):
        text = GUIDE.read_text()
        missing = [name for name in girt.__all__
                   if name not in text and name not in (
                       # what others answer or raise
                       "__version__", "Decision", "Stats", "Permit", "Key",
                       "Counter", "Gauge", "Histogram", "Full", "GetTimeout",
                       "PutTimeout", "Corrupt")]
        self.assertEqual(missing, [])

    def test_the_examples_of_docstrings(self):
        tried = 0
        for module in pkgutil.iter_modules(girt.__path__):
            result = doctest.testmod(
                importlib.import_module(f"girt.{module.name}"))
            self.assertEqual(result.failed, 0, module.name)
            tried += result.attempted
        for thing in (girt.Queue, girt.Map, girt.Cache, girt.Limiter,
                      girt.KeyedLimiter, girt.Breaker, girt.Bulkhead,
                      girt.Ring, girt.Metrics, girt.ManualClock):
            finder = doctest.DocTestFinder(exclude_empty=True)
            for test in finder.find(thing, thing.__name__, module=False,
                                    globs=vars(girt)):
                result = doctest.DocTestRunner().run(test)
                self.assertEqual(result.failed, 0, thing)
                tried += result.attempted
        self.assertGreater(tried, 30)

    def test_everything_public_has_a_docstring(self):
        for name in girt.__all__:
            thing = getattr(girt, name)
            if isinstance(thing, str) or name == "Key":
                continue
            self.assertTrue(thing.__doc__, name)
            if not isinstance(thing, type):
                continue
            for attribute, value in vars(thing).items():
                if not attribute.startswith("_") and (
                        callable(value) or isinstance(value, property)):
                    self.assertTrue(value.__doc__, f"{name}.{attribute}")


if __name__ == "__main__":
    unittest.main()
