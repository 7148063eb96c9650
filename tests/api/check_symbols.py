#!/usr/bin/env python3
"""Goal: headers, version script and library export exactly the same names.

Method: names declared with default visibility in the preprocessed headers,
names in the version script, and what nm sees in the shared library, compared
as sets; the soname is the major version.
"""
import argparse
import re
import subprocess
import sys
from pathlib import Path


# Libraries beside libgirt, by their one header.
BESIDE = {"serve"}


def declared(source: Path, compiler: str, part: str) -> set:
    headers = sorted((source / "include" / "girt").glob("*.h"))
    girt = names_in(source, compiler, [h for h in headers if h.stem not in BESIDE])
    if part == "girt":
        return girt
    return names_in(source, compiler, [h for h in headers if h.stem == part]) - girt


def names_in(source: Path, compiler: str, headers: list) -> set:
    names = set()
    for header in headers:
        text = subprocess.run(
            [compiler, "-E", "-P", "-x", "c", "-I", source / "include", header],
            check=True, capture_output=True, text=True).stdout
        mark = r'__attribute__\(\(visibility\("default"\)\)\)'
        for declaration in re.findall(mark + r"([^;{]*)[;{]", text):
            head = declaration.split("(")[0] if "(" in declaration else declaration
            names.add(re.findall(r"[A-Za-z_][A-Za-z0-9_]*", head)[-1])
    return names


def scripted(source: Path, part: str) -> set:
    script = "girt.map" if part == "girt" else f"girt-{part}.map"
    text = (source / "lib" / "cmake" / script).read_text()
    text = re.sub(r"#.*", "", text)
    text = text.split("global:")[1].split("local:")[0]
    return set(re.findall(r"\bgirt_[a-z0-9_]+", text))


def exported(library: str) -> set:
    out = subprocess.run(["nm", "-D", "--defined-only", library], check=True,
                         capture_output=True, text=True).stdout
    names = {line.split()[-1].split("@")[0] for line in out.splitlines()}
    return {name for name in names if not name.startswith("GIRT_")}


def soname(library: str) -> str:
    out = subprocess.run(["readelf", "-d", library], check=True,
                         capture_output=True, text=True).stdout
    found = re.search(r"SONAME.*\[(.*)\]", out)
    return found.group(1) if found else ""


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--source", type=Path, required=True)
    parser.add_argument("--library", required=True)
    parser.add_argument("--compiler", required=True)
    parser.add_argument("--part", default="girt")
    arguments = parser.parse_args()

    headers = declared(arguments.source, arguments.compiler, arguments.part)
    script = scripted(arguments.source, arguments.part)
    library = exported(arguments.library)
    # Layout guards, and what inlined calls go on with, are exported, but declared by the
    # fast headers only.
    guards = {name for name in script
              if re.fullmatch(r"girt_\w+_layout_\d+|girt_fast_\w+", name)}

    failures = 0
    for what, names in (
            ("declared in a header, but not in girt.map", headers - script),
            ("in girt.map, but declared in no header", script - headers - guards),
            ("in girt.map, but not exported", script - library),
            ("exported, but not in girt.map", library - script)):
        for name in sorted(names):
            print(f"FAILED: {name} is {what}")
            failures += 1
    version = (arguments.source / "include" / "girt" / "version.h").read_text()
    major = re.search(r"GIRT_VERSION_MAJOR (\d+)", version).group(1)
    name = "girt" if arguments.part == "girt" else f"girt-{arguments.part}"
    if soname(arguments.library) != f"lib{name}.so.{major}":
        print(f"FAILED: soname {soname(arguments.library)!r}, expected lib{name}.so.{major}")
        failures += 1
    print(f"{len(library)} exported names, {failures} failures")
    return 1 if failures or not library else 0


if __name__ == "__main__":
    sys.exit(main())
