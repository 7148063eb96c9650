# SPDX-License-Identifier: MIT
"""Where libgirt.so is found, and that it is the one this package knows.

The library is opened twice over the same file: calls through ``quick`` keep
the interpreter's lock (they never wait, and giving the lock up would cost more
than they take); calls through ``patient`` release it.
"""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

from ._version import VERSION

__all__ = ["VERSION", "patient", "quick"]


def _candidates() -> list[str]:
    named = os.environ.get("GIRT_LIBRARY")
    if named:
        return [named]
    carried = Path(__file__).parent / "libgirt.so"
    system = f"libgirt.so.{VERSION.split('.', maxsplit=1)[0]}"
    return [str(carried), system] if carried.exists() else [system]


def _open() -> tuple[ctypes.PyDLL, ctypes.CDLL]:
    failures = []
    for path in _candidates():
        try:
            return ctypes.PyDLL(path), ctypes.CDLL(path, use_errno=True)
        except OSError as error:
            failures.append(str(error))
    raise ImportError(
        "libgirt is not found: install it, or set GIRT_LIBRARY to its path ("
        + "; ".join(failures) + ")")


def _check_version(library: ctypes.PyDLL) -> None:
    library.girt_version.restype = ctypes.c_char_p
    library.girt_version.argtypes = []
    found: str = library.girt_version().decode()
    # Before 1.0 a minor version may change the interface.
    if found.split(".")[:2] != VERSION.split(".")[:2]:
        raise ImportError(f"libgirt is {found}, this package is for {VERSION}")


quick, patient = _open()
_check_version(quick)
