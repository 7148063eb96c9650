# SPDX-License-Identifier: MIT
"""Goal: what Python believes of the C interface is what the C compiler says:
every exported function with its types, every struct with its layout, every
constant.
Method: girt.map and the preprocessed headers against the binding's table; a C
program that prints sizes, offsets and constants, built with the C compiler.
"""
import ctypes
import os
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

import girt
from girt import _binding, _errors

SOURCE = Path(os.environ["GIRT_SOURCE"])
COMPILER = os.environ.get("CC", "cc")
INCLUDE = SOURCE / "include"


def exported():
    text = (SOURCE / "lib/cmake/girt.map").read_text()
    text = re.sub(r"#.*", "", text).split("global:")[1].split("local:")[0]
    return set(re.findall(r"\bgirt_\w+", text))


def letter(declaration):
    """The binding's letter of a C type, as in 'const void *key'."""
    text = declaration.replace("const", " ").strip()
    if "(*" in text:  # a function
        return "P"
    if "char" in text and "*" in text:
        return "s"
    if "*" in text or "[" in text or re.match(
            r"girt_(map_update_fn|cache_loader)\b", text):
        return "P"
    word = text.split()[0]
    return {"void": "v", "_Bool": "b", "uint32_t": "I", "unsigned": "I",
            "int64_t": "q", "uint64_t": "Q", "size_t": "z", "double": "d",
            "int": "i", "girt_status": "i", "girt_rate": "R",
            "girt_outcome": "i", "girt_breaker_state": "i",
            "girt_metrics_format": "i", "girt_trace_format": "i",
            "girt_span_kind": "i"}[word]


def split(arguments):
    """Arguments at their commas, outside of parentheses."""
    found, depth = [""], 0
    for sign in arguments:
        depth += (sign == "(") - (sign == ")")
        if sign == "," and not depth:
            found.append("")
        else:
            found[-1] += sign
    return [] if arguments.strip() in ("", "void") else found


def declared():
    text = subprocess.run(
        [COMPILER, "-E", "-P", "-x", "c", "-I", INCLUDE,
         INCLUDE / "girt/girt.h"],
        check=True, capture_output=True, text=True).stdout
    mark = r'__attribute__\(\(visibility\("default"\)\)\)'
    signatures = {}
    for declaration in re.findall(mark + r"([^;{]*)[;{]", text):
        head, _, rest = declaration.replace("\n", " ").partition("(")
        if not rest:
            continue
        result, name = re.match(r"(.*?)(girt_\w+)\s*$", head).groups()
        arguments = split(rest.rsplit(")", 1)[0])
        signatures[name] = letter(result) + " " + "".join(
            letter(argument) for argument in arguments)
    return signatures


class Functions(unittest.TestCase):
    def test_every_export_is_bound(self):
        # But for what only calls inlined in C need.
        names = {name for name in exported()
                 if not re.search(r"_layout_\d+$|^girt_fast_", name)}
        self.assertEqual(names, set(_binding.SIGNATURES) | set(_binding.DATA))

    def test_types_are_those_of_the_headers(self):
        declarations = declared()
        for name, signature in _binding.SIGNATURES.items():
            with self.subTest(name):
                # Text that C reads is a C string, a buffer that it writes to
                # a pointer; to C both are a char *.
                self.assertIn(name, declarations)
                self.assertEqual(signature.replace("s", "P"),
                                 declarations[name].replace("s", "P"))

    def test_every_function_has_its_types(self):
        for functions in (_binding.call, _binding.wait):
            for name, signature in _binding.SIGNATURES.items():
                with self.subTest(name):
                    function = getattr(functions, name[len("girt_"):])
                    self.assertIsNotNone(function.argtypes)
                    self.assertEqual(len(function.argtypes),
                                     len(signature) - 2)
                    self.assertIs(function.restype,
                                  _binding._TYPES[signature[0]])


STRUCTS = {
    "girt_rate": _binding.Rate, "girt_clock": _binding.Clock,
    "girt_decision": _binding.Decision, "girt_keys": _binding.Keys,
    "girt_reservation": _binding.Reservation, "girt_permit": _binding.Permit,
    "girt_node": _binding.Node, "girt_cached": _binding.Cached,
    "girt_loaded": _binding.Loaded, "girt_cache_stats": _binding.CacheStats,
    "girt_queue_options": _binding.QueueOptions,
    "girt_map_options": _binding.MapOptions,
    "girt_limiter_options": _binding.LimiterOptions,
    "girt_keyed_limiter_options": _binding.KeyedLimiterOptions,
    "girt_breaker_options": _binding.BreakerOptions,
    "girt_bulkhead_options": _binding.BulkheadOptions,
    "girt_ring_options": _binding.RingOptions,
    "girt_cache_options": _binding.CacheOptions,
}

CONSTANTS = {
    "GIRT_FOREVER": _binding.FOREVER,
    "GIRT_KEYED_LIMITER_KEY_MAX": _binding.KEYED_LIMITER_KEY_MAX,
    "GIRT_RING_NAME_MAX": _binding.RING_NAME_MAX,
    "GIRT_BREAKER_PROBES_MAX": _binding.BREAKER_PROBES_MAX,
    "GIRT_BULKHEAD_MAX": _binding.BULKHEAD_MAX,
    "GIRT_TAKE_ALL_MAX": _binding.TAKE_ALL_MAX,
    "GIRT_RATE_LIMIT_MAX": _binding.RATE_LIMIT_MAX,
    "GIRT_RATE_BURST_MAX": _binding.RATE_BURST_MAX,
    "GIRT_METRICS_SERIES_MAX": _binding.METRICS_SERIES_MAX,
    "GIRT_HISTOGRAM_MAX": _binding.HISTOGRAM_MAX,
    **{f"GIRT_{word.upper()}_TEXT": number
       for number, word in enumerate(_binding.METRICS_FORMATS)},
    "GIRT_MAP_KEEP": _binding.MAP_KEEP, "GIRT_MAP_STORE": _binding.MAP_STORE,
    "GIRT_MAP_REMOVE": _binding.MAP_REMOVE,
    "GIRT_SUCCESS": _binding.SUCCESS, "GIRT_FAILURE": _binding.FAILURE,
    "GIRT_IGNORED": _binding.IGNORED,
    **{f"GIRT_{name}": getattr(_errors, name) for name in (
        "OK", "EMPTY", "FULL", "CLOSED", "TIMEOUT", "MISSING", "EXISTS",
        "LIMITED", "NEVER", "REJECTED", "E_INVALID", "E_NOMEM", "E_TOO_LARGE",
        "E_BUSY", "E_SYSTEM", "E_IO", "E_PROTOCOL", "E_CORRUPT")},
    **{f"GIRT_RING_{word.upper()}": number
       for number, word in enumerate(_binding.RING_KINDS)},
    **{f"GIRT_CACHE_{word.upper()}": number
       for number, word in enumerate(_binding.CACHE_POLICIES)},
    **{f"GIRT_BREAKER_{word.upper()}": number
       for number, word in enumerate(_binding.BREAKER_STATES)},
}


class Layouts(unittest.TestCase):
    def test_structs_and_constants(self):
        wanted, lines = [], []
        for name, struct in STRUCTS.items():
            wanted.append(f"{name} {ctypes.sizeof(struct)}")
            lines.append(f'printf("{name} %zu\\n", sizeof({name}));')
            for field, *_ in struct._fields_:
                offset = getattr(struct, field).offset
                size = getattr(struct, field).size
                wanted.append(f"{name}.{field} {offset} {size}")
                lines.append(
                    f'printf("{name}.{field} %zu %zu\\n", '
                    f'offsetof({name}, {field}), sizeof((({name} *)0)->{field}));')
        for name, value in CONSTANTS.items():
            wanted.append(f"{name} {value}")
            lines.append(f'printf("{name} %lld\\n", (long long){name});')
        program = ("#include <girt/girt.h>\n#include <stddef.h>\n"
                   "#include <stdio.h>\nint main(void)\n{\n"
                   + "\n".join(lines) + "\nreturn 0;\n}\n")
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "layout.c"
            path.write_text(program)
            subprocess.run([COMPILER, "-I", INCLUDE, path, "-o",
                            path.with_suffix("")], check=True)
            printed = subprocess.run([path.with_suffix("")], check=True,
                                     capture_output=True, text=True).stdout
        self.assertEqual(wanted, printed.splitlines())

    def test_every_struct_is_checked(self):
        structs = {thing for thing in vars(_binding).values()
                   if isinstance(thing, type)
                   and issubclass(thing, ctypes.Structure)
                   and thing is not ctypes.Structure}
        self.assertEqual(structs, set(STRUCTS.values()))

    def test_the_version_is_that_of_the_header(self):
        text = (INCLUDE / "girt/version.h").read_text()
        version = re.search(r'GIRT_VERSION  *"([^"]*)"', text).group(1)
        self.assertEqual(girt.__version__, version)
        self.assertEqual(_binding.call.version().decode(), version)
