#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Turns girt-bench's JSON lines into Markdown tables and plots.

usage: report.py RESULTS.json... > docs/benchmarks.md
       report.py --plot FOLDER RESULTS.json...     (SVG, by gnuplot)

A case is named "table: column"; a table has a row for each contestant and a
column for each case and number of threads. The first contestant is girt's; the
best of a column is bold.
"""
import argparse
import json
import subprocess
import sys
from pathlib import Path


def read(paths):
    """{(suite, table): {(column, threads, unit): {contestant: result}}}"""
    machines, tables = [], {}
    for path in paths:
        for number, line in enumerate(Path(path).read_text().splitlines(), 1):
            if not line.startswith("{"):
                continue
            try:
                result = json.loads(line)
            except ValueError as error:
                sys.exit(f"{path}:{number}: {error}")
            if "machine" in result:
                if result["machine"] not in machines:
                    machines.append(result["machine"])
                continue
            table, _, column = result["case"].partition(": ")
            columns = tables.setdefault((result["suite"], table), {})
            cell = columns.setdefault((column, result["threads"], result["unit"]), {})
            cell[result["contestant"]] = result
    return machines, tables


def order(columns):
    names = {}
    for cells in columns.values():
        for name, result in cells.items():
            names.setdefault(name, result["version"])
    return names


def head(column):
    name, threads, unit = column
    wide = "" if "P" in name and "C" in name else f", {threads} thr."
    return f"{name}{wide}" + ("" if unit == "ns" else f" ({unit})")


def write_table(title, columns, out):
    print(f"\n### {title}\n", file=out)
    print("| | " + " | ".join(head(c) for c in columns) + " |", file=out)
    print("|---|" + "---:|" * len(columns), file=out)
    best = {column: min(r["ns_per_op"] for r in cells.values())
            for column, cells in columns.items()}
    for name, version in order(columns).items():
        row = []
        for column, cells in columns.items():
            result = cells.get(name)
            if result is None:
                row.append("")
                continue
            text = f"{result['ns_per_op']:.3g}"
            row.append(f"**{text}**" if result["ns_per_op"] == best[column] else text)
        label = f"{name} {version}".strip()
        print(f"| {label} | " + " | ".join(row) + " |", file=out)


def write_report(machines, tables, out):
    print("# Benchmarks\n", file=out)
    print("Written by `benchmarks/report.py` from what `girt-bench --rivals` "
          "measured: contestants\ninterleaved in one run, the median of each, "
          "nanoseconds an operation where nothing else is said;\nless is better, "
          "the best of a column is bold. Read ratios, not digits.\n", file=out)
    for machine in machines:
        print(f"- {machine}", file=out)
    suite = None
    for (name, table), columns in tables.items():
        if name != suite:
            print(f"\n## {name}", file=out)
            suite = name
        write_table(table, columns, out)


def plot(folder, tables):
    """A cluster of bars for each column: how many times girt's time."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    for (suite, table), columns in tables.items():
        name = "".join(c if c.isalnum() else "_" for c in f"{suite}_{table}")
        names = list(order(columns))
        rows = []
        for column, cells in columns.items():
            ratios = [f"{cells[n]['ratio_to_girt']:.4g}" if n in cells else "NaN"
                      for n in names]
            rows.append(f'"{head(column)}" ' + " ".join(ratios))
        script = [
            "set terminal svg size 960,480 background 'white' font 'sans,12'",
            f"set output '{folder}/{name}.svg'", "set style data histograms",
            "set style fill solid 0.8", "set key outside right noenhanced",
            "set logscale y", "set grid y", "set ylabel 'time / time of girt'",
            f"set title '{suite}: {table}' noenhanced", "set xtics noenhanced",
            "$data << EOD", *rows, "EOD",
            "plot " + ", ".join(f"$data using {i + 2}:xtic(1) title '{n}'"
                                for i, n in enumerate(names))]
        subprocess.run(["gnuplot"], input="\n".join(script), text=True, check=True)


def main():
    parser = argparse.ArgumentParser(description="girt-bench's results as tables and plots")
    parser.add_argument("results", nargs="+")
    parser.add_argument("--plot", metavar="FOLDER")
    arguments = parser.parse_args()
    machines, tables = read(arguments.results)
    if not tables:
        sys.exit("report.py: no results")
    if arguments.plot:
        plot(arguments.plot, tables)
    else:
        write_report(machines, tables, sys.stdout)


if __name__ == "__main__":
    main()
