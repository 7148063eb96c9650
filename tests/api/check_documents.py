#!/usr/bin/env python3
"""Goal: what README.md and docs/ show compiles, runs and prints what they say.

Method: every ```c or ```cpp block with a main is a program: compiled with
warnings as errors, run, and its stdout compared with a ```text block that
follows it. A block without main must compile inside a function. ```c fragment
blocks are prose. Links to files of the project must lead somewhere.
"""
import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

FENCE = re.compile(r"^```(.*?)\n(.*?)^```\s*$", re.M | re.S)
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
SETTINGS = ["-D_GNU_SOURCE", "-Wall", "-Wextra", "-Wpedantic", "-Wno-unused",
            "-Werror", "-O1"]


def compile_program(arguments, language, text, directory):
    source, program = directory / f"block.{language}", directory / "block"
    source.write_text(text)
    compiler = {"c": [arguments.compiler, "-std=c11"],
                "cpp": [arguments.cxx_compiler, "-std=c++17"]}[language]
    done = subprocess.run(
        [*compiler, *SETTINGS, "-I", arguments.source / "include", source,
         "-o", program, arguments.library, "-lck", "-lpthread", "-lm"],
        capture_output=True, text=True)
    return program, done


def as_program(language, text):
    includes = "\n".join(re.findall(r"^#include.*$", text, re.M))
    body = re.sub(r"^#include.*$", "", text, flags=re.M)
    if language == "cpp":
        return (f"#include <girt/girt.hpp>\n#include <iostream>\n{includes}\n"
                f"using namespace std::chrono_literals;\n"
                f"int main()\n{{\n{body}\n}}\n")
    return (f"#include <girt/girt.h>\n#include <stdio.h>\n{includes}\n"
            f"int main(void)\n{{\n{body}\n}}\n")


def check_block(arguments, place, language, text, expected, directory):
    runs = re.search(r"\bmain\s*\(", text) is not None
    program, done = compile_program(arguments, language,
                                    text if runs else as_program(language, text),
                                    directory)
    if done.returncode != 0:
        return f"{place} does not compile:\n{done.stderr}"
    if not runs:
        return None
    done = subprocess.run([program], capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        return f"{place} exits with {done.returncode}:\n{done.stdout}{done.stderr}"
    if expected is not None and done.stdout != expected:
        return f"{place} prints\n{done.stdout}instead of\n{expected}"
    return None


def check_document(arguments, path, directory):
    text = path.read_text()
    name = path.relative_to(arguments.source)
    count, failures = 0, []
    blocks = [(found.group(1).strip(), found.group(2), found)
              for found in FENCE.finditer(text)]
    for index, (language, block, found) in enumerate(blocks):
        if language not in ("c", "cpp"):
            continue
        follows = blocks[index + 1] if index + 1 < len(blocks) else None
        expected = None
        if follows is not None and follows[0] == "text":
            expected = follows[1]
        place = f"{name}:{text.count(chr(10), 0, found.start()) + 1}"
        failure = check_block(arguments, place, language, block, expected,
                              directory)
        count += 1
        if failure:
            failures.append(failure)
    for link in LINK.findall(FENCE.sub("", text)):
        if "://" not in link and not link.startswith("mailto:"):
            if not (path.parent / link).exists():
                failures.append(f"{name}: no such file: {link}")
    return count, failures


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--source", type=Path, required=True)
    parser.add_argument("--library", required=True)
    parser.add_argument("--compiler", required=True)
    parser.add_argument("--cxx-compiler", required=True)
    arguments = parser.parse_args()

    documents = sorted((arguments.source / "docs").rglob("*.md"))
    documents += sorted((arguments.source / "examples").rglob("*.md"))
    if (arguments.source / "README.md").exists():
        documents.insert(0, arguments.source / "README.md")
    total, failures = 0, []
    with tempfile.TemporaryDirectory() as directory:
        for path in documents:
            count, found = check_document(arguments, path, Path(directory))
            total += count
            failures += found
    for failure in failures:
        print("FAILED:", failure)
    print(f"{len(documents)} documents, {total} blocks, {len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
