#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Goal: one command runs the tests of the Python package, and says so when it
cannot.  Method: unittest over this folder; --objects leaves out what does not
depend on the interpreter much (bindings, packaging, documents, program ends).

usage: run.py [--objects] [TEST...]    with GIRT_LIBRARY and GIRT_SOURCE set
"""
import faulthandler
import os
import sys
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
#: What --objects runs of a file that it does not run whole.
PARTS = {"test_binding": [], "test_package": [], "test_documents": [],
         "test_process": ["test_process.Forks", "test_process.Finalizers"]}


def main() -> int:
    sys.path.insert(0, str(HERE))
    os.environ.setdefault("GIRT_SOURCE", str(HERE.parent.parent))
    faulthandler.dump_traceback_later(100, exit=True)
    arguments = sys.argv[1:]
    fewer = "--objects" in arguments
    names = [name for name in arguments if not name.startswith("--")] or [
        name for path in sorted(HERE.glob("test_*.py"))
        for name in (PARTS.get(path.stem, [path.stem]) if fewer
                     else [path.stem])]
    suite = unittest.defaultTestLoader.loadTestsFromNames(names)
    result = unittest.TextTestRunner(verbosity=1, buffer=True).run(suite)
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
