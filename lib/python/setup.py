# SPDX-License-Identifier: MIT
"""Builds the wheel of girt, with libgirt.so inside.

The library is the file that GIRT_LIBRARY names, or is built with cmake from
the sources that this folder stands in.  Then Concurrency Kit is linked into it
where its archive is there, so that the wheel needs nothing but libc.
GIRT_LIBRARY=system leaves it out: the package then finds the system's.
"""

import os
import shutil
import subprocess
from pathlib import Path

from setuptools import Distribution, setup
from setuptools.command.build_py import build_py

try:
    from setuptools.command.bdist_wheel import bdist_wheel
except ImportError:
    try:
        from wheel.bdist_wheel import bdist_wheel
    except ImportError:
        bdist_wheel = None

HERE = Path(__file__).resolve().parent
SOURCE = HERE.parent.parent


def archive_of_ck():
    """Where the compiler finds libck.a, or None."""
    compiler = os.environ.get("CC", "cc")
    done = subprocess.run([compiler, "-print-file-name=libck.a"],
                          capture_output=True, text=True)
    path = Path(done.stdout.strip())
    return path if done.returncode == 0 and path.is_absolute() else None


def build_library(folder):
    """Compiles libgirt.so there."""
    if not (SOURCE / "include" / "girt" / "girt.h").exists():
        raise SystemExit("girt's C sources are not here: set GIRT_LIBRARY to "
                         "the path of libgirt.so, or to 'system'")
    options = ["-DCMAKE_BUILD_TYPE=Release", "-DGIRT_TESTS=OFF",
               "-DGIRT_EXAMPLES=OFF", "-DGIRT_BENCHMARKS=OFF",
               "-DGIRT_INSTALL=OFF"]
    archive = archive_of_ck()
    if archive:
        options.append(f"-DCK_LIBRARY={archive}")
    subprocess.run(["cmake", "-S", str(SOURCE), "-B", str(folder), *options],
                   check=True)
    subprocess.run(["cmake", "--build", str(folder), "--target", "girt",
                    "--parallel", str(os.cpu_count() or 1)], check=True)
    return folder / "lib" / "libgirt.so"


class BuildWithLibrary(build_py):
    """build_py that carries the library along."""

    def run(self):
        super().run()
        named = os.environ.get("GIRT_LIBRARY", "")
        if named == "system":
            return
        library = Path(named) if named else build_library(
            SOURCE / "build" / "python")
        target = Path(self.build_lib) / "girt" / "libgirt.so"
        shutil.copyfile(library.resolve(), target)
        shutil.copymode(library.resolve(), target)


class HasLibrary(Distribution):
    """A distribution for this kind of machine."""

    def has_ext_modules(self):
        """Whether it is: unless the system's library is used."""
        return os.environ.get("GIRT_LIBRARY") != "system"


commands = {"build_py": BuildWithLibrary}
if bdist_wheel is not None:
    class Wheel(bdist_wheel):
        """A wheel for any Python 3, since nothing is compiled against one."""

        def get_tag(self):
            """Its tag."""
            return ("py3", "none", super().get_tag()[2])

    commands["bdist_wheel"] = Wheel

setup(distclass=HasLibrary, cmdclass=commands)
