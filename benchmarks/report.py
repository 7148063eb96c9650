#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Turns girt-bench's JSON lines into Markdown tables and plots.

usage: report.py RESULTS.json... > TABLES.md
       report.py --into docs/benchmarks.md RESULTS.json...   (between the marks)
       report.py --plot docs/benchmarks RESULTS.json...      (SVG, by gnuplot)

A case is named "table: column"; a table has a row for each contestant and a
column for each case and number of threads. The first contestant is girt's; the
best of a column is bold. A case measured in several runs counts with the median
of their medians.
"""
import argparse
import io
import json
import re
import statistics
import subprocess
import sys
from pathlib import Path

BEGIN, END = "<!-- results -->\n", "<!-- end of results -->\n"

# boost::concurrent_flat_map is not in Debian 12. Where it did not run: millions of
# operations a second once measured side by side on such a machine (1e6 keys, 2
# threads); its rows are those ratios applied to what the other two reached here.
STAND_IN = "boost::concurrent_flat_map"
STAND_IN_TABLE = ("map", "map64, 1000000 keys")
STAND_IN_BY = {"libcuckoo": "libcuckoo", "64 mutexes, open addressing": "khash, 64 mutexes"}
STAND_IN_RATES = {
    STAND_IN: {"read": 32.3, "read zipf": 47.8, "miss": 133, "95/5": 29.8,
               "50/50": 24.2, "churn": 20.6},
    "libcuckoo": {"read": 19.5, "read zipf": 26.1, "miss": 18, "95/5": 17.5,
                  "50/50": 15.3, "churn": 3.9},
    "khash, 64 mutexes": {"read": 18.7, "read zipf": 28.0, "miss": 30, "95/5": 20.0,
                          "50/50": 16.8, "churn": 15.0},
}


def read(paths):
    """The machines, and {(suite, table): {(column, threads, unit): cells}}."""
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
                machines.append(result)
                continue
            table, _, column = result["case"].partition(": ")
            columns = tables.setdefault((result["suite"], table), {})
            cell = columns.setdefault((column, result["threads"], result["unit"]), {})
            cell.setdefault(result["contestant"], []).append(result)
    for columns in tables.values():
        for column, cells in columns.items():
            columns[column] = settle(cells)
    return machines, tables


def settle(cells):
    """One result a contestant: the median of its runs; None: it stood still."""
    settled, base = {}, None
    for name, results in cells.items():
        medians = [r["ns_per_op"] for r in results]
        if None in medians:
            settled[name] = {"version": results[0]["version"], "ns_per_op": None,
                             "ratio": None}
            continue
        median = statistics.median(medians)
        base = base or median or None
        settled[name] = {"version": results[0]["version"], "ns_per_op": median,
                         "ratio": median / base if base else None}
    return settled


def order(columns):
    names = {}
    for cells in columns.values():
        for name, result in cells.items():
            names.setdefault(name, result["version"])
    return names


def head(column):
    name, threads, unit = column
    wide = "" if re.fullmatch(r"\d+P\d+C", name) else f", {threads} thr."
    return f"{name}{wide}" + ("" if unit == "ns" else f" ({unit})")


def number(value):
    if value >= 1e6:
        return f"{value / 1e6:.3g} million"
    if value >= 1000:
        return f"{value:.0f}"
    return f"{value:.3g}" if value >= 0.1 else f"{value:.2g}"


def stand_ins(columns):
    """Rows for boost, by its ratio to rivals of this run."""
    for rival, measured_as in STAND_IN_BY.items():
        row = []
        for (column, threads, _), cells in columns.items():
            theirs = STAND_IN_RATES[measured_as].get(column)
            result = cells.get(rival)
            if (threads != 2 or theirs is None or result is None
                    or result["ns_per_op"] is None):
                row.append("")
            else:
                row.append(f"*{number(result['ns_per_op'] * theirs / STAND_IN_RATES[STAND_IN][column])}*")
        yield f"*{STAND_IN}, not run: by its ratio to {rival}*", row


def write_table(key, columns, out):
    print(f"\n### {key[1]}\n", file=out)
    print("| | " + " | ".join(head(c) for c in columns) + " |", file=out)
    print("|---|" + "---:|" * len(columns), file=out)
    best = {column: min((r["ns_per_op"] for r in cells.values()
                         if r["ns_per_op"] is not None), default=None)
            for column, cells in columns.items()}
    for name in order(columns):
        row = []
        for column, cells in columns.items():
            result = cells.get(name)
            if result is None:
                row.append("")
            elif result["ns_per_op"] is None:
                row.append("stood still")
            else:
                text = number(result["ns_per_op"])
                row.append(f"**{text}**" if result["ns_per_op"] == best[column] else text)
        print(f"| {name} | " + " | ".join(row) + " |", file=out)
    if key == STAND_IN_TABLE and STAND_IN not in order(columns):
        for name, row in stand_ins(columns):
            print(f"| {name} | " + " | ".join(row) + " |", file=out)


def distinct(values):
    return list(dict.fromkeys(values))


def write_report(machines, tables, out):
    print("Contestants interleaved in one run, each run in a process of its own; the "
          "median,\nnanoseconds an operation where nothing else is said; less is "
          "better, the best of a\ncolumn is bold. Read ratios, not digits.\n", file=out)
    loads = [float(m) for r in machines for m in re.findall(r"load ([0-9.]+)", r["machine"])]
    for machine in distinct(re.sub(r" load [0-9.]+,", "", r["machine"]) for r in machines):
        print(f"- Machine: {machine}", file=out)
    if loads:
        print(f"- Load average when the runs began: {min(loads)} to {max(loads)}", file=out)
    for title, key in (("Rivals", "rivals"), ("Not found", "missing")):
        for text in distinct(r[key] for r in machines if r.get(key)):
            print(f"- {title}: {text}", file=out)
    suite = None
    for key, columns in tables.items():
        if key[0] != suite:
            print(f"\n## {key[0]}", file=out)
            suite = key[0]
        write_table(key, columns, out)


def write_into(path, machines, tables):
    page = Path(path)
    before, mark, rest = page.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not mark or not end:
        sys.exit(f"report.py: {path} has no {BEGIN.strip()} and {END.strip()}")
    out = io.StringIO()
    write_report(machines, tables, out)
    page.write_text(before + BEGIN + out.getvalue() + END + after)


def plot(folder, tables):
    """A cluster of bars for each column: how many times girt's time."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    for (suite, table), columns in tables.items():
        name = re.sub(r"_+", "_", re.sub(r"[^a-z0-9]", "_", f"{suite} {table}".lower()))
        names = [n for n in order(columns)
                 if any(cells.get(n, {}).get("ratio") for cells in columns.values())]
        if len(names) < 2:
            continue
        rows = []
        for column, cells in columns.items():
            ratios = [cells.get(n, {}).get("ratio") for n in names]
            rows.append(f'"{head(column)}" ' + " ".join(
                "NaN" if r is None else f"{r:.4g}" for r in ratios))
        script = [
            "set terminal svg size 960,480 background 'white' font 'sans,12'",
            f"set output '{folder}/{name}.svg'", "set style data histograms",
            "set style fill solid 0.8", "set key outside right noenhanced",
            "set logscale y", "set grid y", "set ylabel \"time / time of girt\"",
            f"set title '{suite}: {table}' noenhanced", "set xtics noenhanced",
            "$data << EOD", *rows, "EOD",
            "plot " + ", ".join(f"$data using {i + 2}:xtic(1) title '{n}'"
                                for i, n in enumerate(names))]
        subprocess.run(["gnuplot"], input="\n".join(script), text=True, check=True)


def main():
    parser = argparse.ArgumentParser(description="girt-bench's results as tables and plots")
    parser.add_argument("results", nargs="+")
    parser.add_argument("--into", metavar="PAGE")
    parser.add_argument("--plot", metavar="FOLDER")
    arguments = parser.parse_args()
    machines, tables = read(arguments.results)
    if not tables:
        sys.exit("report.py: no results")
    if arguments.plot:
        plot(arguments.plot, tables)
    if arguments.into:
        write_into(arguments.into, machines, tables)
    if not arguments.plot and not arguments.into:
        write_report(machines, tables, sys.stdout)


if __name__ == "__main__":
    main()
