#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Goal: the live page shows a running program's objects, with live values.

Method: a program with one of each object, its page in headless Chromium until
it has read the metrics a few times; the document that came of it is searched
for each object's values, and a picture of it is kept. Skipped (77) where there
is no Chromium.

usage: live_page.py SERVE_DEMO OUTPUT_DIR
"""
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from html.parser import HTMLParser
from pathlib import Path


class Page(HTMLParser):
    """objects: {"queue:jobs": {"state": .., "rows": {what: [value, points]}}}"""

    def __init__(self):
        super().__init__()
        self.objects, self.card, self.row, self.reads = {}, None, None, None
        self.turns = 0
        self.status = ""

    def handle_starttag(self, tag, attributes):
        a = dict(attributes)
        if tag == "body":
            self.turns = int(a.get("data-turns", 0))
        elif tag == "section":
            self.card = self.objects[a["data-object"]] = {"state": "", "rows": {}}
        elif "data-metric" in a:
            self.row = self.card["rows"][a["data-metric"]] = ["", ""]
        elif tag == "polyline":
            self.row[1] = a.get("points", "")
        kind = a.get("class", "").split()
        if tag == "span":
            self.reads = "value" if "value" in kind else "state" if "state" in kind \
                else "status" if a.get("id") == "status" else None
        elif tag != "polyline":
            self.reads = None

    def handle_endtag(self, tag):
        if tag == "span":
            self.reads = None

    def handle_data(self, data):
        if self.reads == "value":
            self.row[0] += data
        elif self.reads == "state":
            self.card["state"] += data
        elif self.reads == "status":
            self.status += data


# The page's seconds are short ones (virtual time): any one may have had none.
SOME = r"[0-9.]+( [kMG])? /s"
# What must be there: object, row, and what its value looks like.
ROWS = [
    ('queue:jobs "<b>&"', "depth", r"4[0-2]"),
    ('queue:jobs "<b>&"', "capacity", r"100"),
    ('queue:jobs "<b>&"', "pushes", SOME),
    ("cache:users", "hit ratio", r"7[0-9]\.[0-9] %"),
    ("cache:users", "entries", r"[1-9][0-9]*"),
    ("map:sessions", "entries", r"[1-9][0-9]*"),
    ("limiter:logins", "allowed", SOME),
    ("limiter:logins", "limited", SOME),
    ("breaker:bank", "rejected", SOME),
    ("bulkhead:uploads", "entered", SOME),
    ("workers:pool", "task p99", r"[0-9.]+ (µs|ms|s)"),
    (":this program", "request p99", r"[0-9.]+ (µs|ms)"),
]


def browse(browser, url, directory, *more):
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
               "--no-first-run", "--hide-scrollbars", "--window-size=1280,1100",
               f"--user-data-dir={directory}/profile", "--virtual-time-budget=12000", *more, url]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def failures_of(page):
    if page.turns < 5:
        yield f"only {page.turns} answers were shown: {page.status}"
    for name, what, pattern in ROWS:
        rows = page.objects.get(name, {"rows": {}})["rows"]
        if what not in rows:
            yield f"no {what} of {name}"
            continue
        value, points = rows[what]
        if not re.fullmatch(pattern, value):
            yield f"{what} of {name} is {value!r}, not {pattern}"
        heights = [float(point.split(",")[1]) for point in points.split()]
        if len(heights) < 4:
            yield f"{what} of {name} is not plotted: {points!r}"
        elif min(heights) >= 21:
            yield f"{what} of {name} was never above 0: {points!r}"
    for name, state in (("breaker:bank", "forced open"), ("breaker:mail", "closed")):
        shown = page.objects.get(name, {"state": "none"})["state"]
        if shown != state:
            yield f"{name} is shown as {shown!r}"
    if "samples" not in page.status:
        yield f"its status is {page.status!r}"


def main() -> int:
    demo, output = sys.argv[1], Path(sys.argv[2])
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        print("skipped: no Chromium")
        return 77
    output.mkdir(parents=True, exist_ok=True)
    with subprocess.Popen([demo], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program, \
            tempfile.TemporaryDirectory() as directory:
        url = f"http://127.0.0.1:{program.stdout.readline().strip()}/"
        with urllib.request.urlopen(url + "metrics") as answer:
            first = answer.read().decode()
        shown = browse(browser, url, directory, "--dump-dom")
        picture = output / "live.png"
        picture.unlink(missing_ok=True)
        browse(browser, url, directory, f"--screenshot={picture}")
        program.stdin.close()
        ended = program.wait(timeout=20)
    (output / "live.html").write_text(shown.stdout)
    page = Page()
    page.feed(shown.stdout)
    failures = list(failures_of(page))
    if ended != 0:
        failures.append(f"the program ended with {ended}")
    if "girt_queue_depth" not in first:
        failures.append("no queue among the metrics")
    if not picture.exists() or picture.stat().st_size < 20000:
        failures.append(f"no picture: {picture}")
    for failure in failures:
        print("FAILED:", failure)
    print(f"{len(page.objects)} objects, {page.turns} answers, {len(failures)} failures; {picture}")
    if failures:
        print(shown.stderr[-2000:])
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
