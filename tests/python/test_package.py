# SPDX-License-Identifier: MIT
"""Goal: pip makes a wheel that carries the library and works where it is
installed, offline; types hold under mypy --strict, also in a user's program.
Method: pip wheel and pip install below a temporary folder with the library of
this build; mypy where it is installed.
"""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
import zipfile
from pathlib import Path

SOURCE = Path(os.environ["GIRT_SOURCE"])
PACKAGE = SOURCE / "lib/python"

USER = """
import girt

queue: girt.Queue[int] = girt.Queue(5)
queue.put(1)
number: int = queue.get()
numbers: list[int] = queue.get_many(5)


@girt.Breaker()
def half(x: int) -> float:
    return x / 2


value: float = half(5)
allowed: bool = girt.KeyedLimiter(5).allow("ann")
node: str = girt.Ring(["a"])["key"]
mapping: girt.Map = girt.Map()
"""


def run(arguments, **options):
    return subprocess.run(arguments, capture_output=True, text=True,
                          timeout=90, **options)


class Package(unittest.TestCase):
    def test_the_wheel(self):
        python = "/usr/bin/python3"  # the one with Debian's setuptools
        if run([python, "-c", "import setuptools, pip, wheel"]).returncode:
            python = sys.executable
            if run([python, "-c", "import setuptools, pip"]).returncode:
                self.skipTest("no setuptools")
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "python"
            shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns(
                "build", "*.egg-info", "__pycache__"))
            done = run([python, "-m", "pip", "wheel", "--no-index",
                        "--no-build-isolation", "--no-deps", "-q",
                        "-w", folder, str(copy)])
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            wheel, = Path(folder).glob("*.whl")
            self.assertRegex(wheel.name, r"^girt-0\.\d+\.\d+-py3-none-linux_")
            target = Path(folder) / "installed"
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(target)
            for name in ("libgirt.so", "py.typed", "__init__.py"):
                self.assertTrue((target / "girt" / name).exists(), name)
            environment = dict(os.environ, PYTHONPATH=str(target))
            del environment["GIRT_LIBRARY"]
            done = run([sys.executable, "-c",
                        "import girt; q = girt.Queue(1); q.put(girt.__file__);"
                        "print(q.get())"], cwd=folder, env=environment)
            self.assertEqual(done.stderr, "")
            self.assertTrue(done.stdout.startswith(str(target)), done.stdout)

    def test_types(self):
        mypy = shutil.which("mypy")
        if mypy is None:
            self.skipTest("no mypy")
        with tempfile.TemporaryDirectory() as folder:
            user = Path(folder) / "user.py"
            user.write_text(USER)
            environment = dict(os.environ, MYPYPATH=str(PACKAGE))
            cache = os.environ.get("GIRT_TEST_CACHE", f"{folder}/cache")
            # What is imported from MYPYPATH is checked as strictly.
            done = run([mypy, "--strict", "--cache-dir", cache,
                        str(user)], cwd=folder, env=environment)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
