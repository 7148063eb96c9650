# SPDX-License-Identifier: MIT
"""What the tests share: threads that report, processes, leaks."""
import gc
import os
import signal
import subprocess
import sys
import textwrap
import threading
import unittest


class Case(unittest.TestCase):
    """A test whose helpers' failures are its own."""

    def threads(self, *functions):
        """Runs functions at once; raises what any of them raised."""
        errors = []

        def guarded(function):
            try:
                function()
            except BaseException as error:
                errors.append(error)
        started = [threading.Thread(target=guarded, args=(function,),
                                    daemon=True) for function in functions]
        for thread in started:
            thread.start()
        for thread in started:
            thread.join(30)
            self.assertFalse(thread.is_alive(), "a thread hangs")
        if errors:
            raise errors[0]

    def program(self, text, *arguments, timeout=20, preload=None, status=0):
        """Runs a program in a process of its own; answers what it printed."""
        environment = dict(os.environ)
        if preload:
            environment["LD_PRELOAD"] = preload
        done = subprocess.run(
            [sys.executable, *arguments, "-c", textwrap.dedent(text)],
            capture_output=True, text=True, timeout=timeout, env=environment)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout

    def in_child(self, function):
        """Runs a function in a fork's child; fails if it does, or hangs."""
        import warnings
        with warnings.catch_warnings():
            # With threads about, which is what is tested.
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
        if pid == 0:
            status = 1
            try:
                signal.alarm(20)
                function()
                status = 0
            except BaseException:
                import traceback
                traceback.print_exc()
            finally:
                os._exit(status)
        _, status = os.waitpid(pid, 0)
        self.assertEqual(status, 0, "the child failed")

    def assert_no_growth(self, step, rounds=5):
        """No Python object is left behind by a step."""
        step()
        gc.collect()
        sizes = []
        for _ in range(rounds):
            step()
            gc.collect()
            sizes.append(len(gc.get_objects()))
        self.assertLessEqual(sizes[-1], sizes[0], sizes)


def resident_kb():
    """This process's memory; 0 under AddressSanitizer, which keeps what is
    freed."""
    if "asan" in os.environ.get("LD_PRELOAD", ""):
        return 0
    with open("/proc/self/status", encoding="ascii") as file:
        for line in file:
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
    return 0
