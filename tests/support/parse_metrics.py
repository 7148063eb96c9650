#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Reads metrics with prometheus_client's parsers and prints every sample.

usage: parse_metrics.py prometheus|openmetrics < TEXT

A line a sample: kind, name, labels sorted as name=hex of the value, and the
value; and of each metric "help", its name and the hex of its text. Exits with
77 where prometheus_client is not there, 1 where the text is refused.
"""
import sys

try:
    from prometheus_client.openmetrics import parser as openmetrics
    from prometheus_client import parser as prometheus
except ImportError:
    sys.exit(77)


def main() -> int:
    text = sys.stdin.buffer.read().decode("utf-8")
    parser = openmetrics if sys.argv[1] == "openmetrics" else prometheus
    for family in parser.text_string_to_metric_families(text):
        print("help", family.name, family.documentation.encode().hex() or "-")
        for sample in family.samples:
            labels = [f"{name}={value.encode().hex()}"
                      for name, value in sorted(sample.labels.items())]
            print(family.type, sample.name, ",".join(labels) or "-",
                  repr(float(sample.value)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
