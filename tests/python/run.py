#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Goal: one command runs the tests of the Python package, and says so when it
cannot.  Method: unittest over this folder; --library leaves out packaging and
documents, --objects also what depends on the interpreter little (bindings,
the ends of programs).

usage: run.py [--library | --objects] [TEST...]
with GIRT_LIBRARY and GIRT_SOURCE set
"""
import faulthandler
import os
import sys
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
#: What is run of a file that is not run whole.
LIBRARY = {"test_package": [], "test_documents": []}
OBJECTS = {**LIBRARY, "test_binding": [],
           "test_process": ["test_process.Forks", "test_process.Finalizers"]}


def main() -> int:
    sys.path.insert(0, str(HERE))
    os.environ.setdefault("GIRT_SOURCE", str(HERE.parent.parent))
    faulthandler.dump_traceback_later(100, exit=True)
    arguments = sys.argv[1:]
    parts = (OBJECTS if "--objects" in arguments else
             LIBRARY if "--library" in arguments else {})
    names = [name for name in arguments if not name.startswith("--")] or [
        name for path in sorted(HERE.glob("test_*.py"))
        for name in parts.get(path.stem, [path.stem])]
    suite = unittest.defaultTestLoader.loadTestsFromNames(names)
    result = unittest.TextTestRunner(verbosity=1, buffer=True).run(suite)
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
