#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Goal: the dashboard and the alerts ask for series that there are, in queries
that Prometheus takes.

Method: every girt_ name in them is a row of an object's table in the sources;
the alerts go through promtool's check and its tests, and so do all queries of
the dashboard, as rules, with its variables replaced. Without promtool only the
names are held.

usage: observability.py SOURCE_DIR
"""
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

NAME = re.compile(r"\bgirt_[a-z0-9_]+")


def reported(source: Path) -> dict:
    """Kinds by name, from the tables of lib: {"girt_queue_depth", GIRT__SERIES_GAUGE"""
    row = re.compile(r'\{\s*"(girt_[a-z0-9_]+)",\s*GIRT__SERIES_(\w+)', re.S)
    found = {}
    for path in (source / "lib").rglob("*.[ch]"):
        found.update(row.findall(path.read_text()))
    return found


def unknown(text: str, known: dict) -> set:
    names = set(NAME.findall(text))
    histograms = {name for name, kind in known.items() if kind == "HISTOGRAM"}
    return {name for name in names - set(known)
            if re.sub(r"_(bucket|sum|count)$", "", name) not in histograms}


def expressions(dashboard: dict) -> list:
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"]


def as_rules(dashboard: dict) -> str:
    rules = []
    for i, (_, expression) in enumerate(expressions(dashboard)):
        for variable, value in (("$__rate_interval", "5m"), ("$job", ".*"),
                                ("$instance", ".*"), ("$name", ".*")):
            expression = expression.replace(variable, value)
        rules.append({"record": f"query:{i}", "expr": expression})
    # JSON is YAML.
    return json.dumps({"groups": [{"name": "dashboard", "rules": rules}]})


def run(*command) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def main() -> int:
    source = Path(sys.argv[1])
    place = source / "docs" / "observability"
    alerts = place / "alerts.yml"
    dashboard = json.loads((place / "dashboard.json").read_text())
    known = reported(source)
    failures = []
    if len(known) < 40:
        failures.append(f"only {len(known)} rows were found in lib")
    queries = list(expressions(dashboard))
    for title, expression in queries:
        for name in sorted(unknown(expression, known)):
            failures.append(f"{title}: no object reports {name}")
        if any(len(re.findall(re.escape(a), expression)) != len(re.findall(re.escape(b), expression))
               for a, b in ("()", "{}", "[]")):
            failures.append(f"{title}: brackets do not match in {expression}")
    for name in sorted(unknown(alerts.read_text(), known)):
        failures.append(f"alerts.yml: no object reports {name}")
    identities = [panel["id"] for panel in dashboard["panels"]]
    if len(set(identities)) != len(identities):
        failures.append("two panels have one id")

    promtool = shutil.which("promtool")
    if promtool is None:
        print("not checked by promtool, which is not installed")
    else:
        with tempfile.TemporaryDirectory() as directory:
            rules = Path(directory) / "dashboard.yml"
            rules.write_text(as_rules(dashboard))
            failures += filter(None, (
                run(promtool, "check", "rules", alerts),
                run(promtool, "check", "rules", rules),
                run(promtool, "test", "rules", place / "alerts_test.yml")))
    for failure in failures:
        print("FAILED:", failure)
    print(f"{len(known)} series, {len(queries)} queries, {len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
