"""Checks the ShiViz log and the Perfetto JSON of a run against its NDJSON trace, and against what their readers ask for.

    formats.py NDJSON SHIVIZ PERFETTO
"""

import json
import re
import sys
from collections import Counter

from records import Trace

# The expression with which ShiViz's documentation has logs read by default.
SHIVIZ = re.compile(r"(?P<host>\S*) (?P<clock>{.*})\n(?P<event>.*)")


def check_shiviz(trace, path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    events = list(SHIVIZ.finditer(text))
    assert SHIVIZ.sub("", text).strip("\n") == "", "nothing of the log is left over"
    assert len(events) == len(trace.records), (len(events), len(trace.records))
    newest, past = {}, {}
    for event, record in zip(events, trace.records):
        host, clock = event["host"], json.loads(event["clock"])
        assert host == record["node"] and record["kind"] in event["event"], (event[0], record)
        # What happened before: here, and with the causes. As sets, which need no clocks.
        before = set(past.get(newest.get(host), ()))
        for cause in record["causes"]:
            before |= past[cause]
        past[record["n"]] = before | {record["n"]}
        newest[host] = record["n"]
        expected = Counter(trace.by_n[n]["node"] for n in past[record["n"]])
        assert clock == dict(expected), (event[0], expected)
    return len(events)


def check_perfetto(trace, path):
    with open(path, encoding="utf-8") as file:
        whole = json.load(file)
    assert whole["displayTimeUnit"] in ("ms", "ns")
    events = whole["traceEvents"]
    by_phase = {}
    for event in events:
        assert isinstance(event["name"], str) and isinstance(event["pid"], int) and isinstance(event["tid"], int), event
        assert event["ph"] == "M" or isinstance(event["ts"], (int, float)) and isinstance(event["cat"], str), event
        by_phase.setdefault(event["ph"], []).append(event)
    assert set(by_phase) == set("MXsfbe"), set(by_phase)
    tracks = {e["tid"]: e["args"]["name"] for e in by_phase["M"] if e["name"] == "thread_name"}
    slices = by_phase["X"]
    assert len(slices) == len(trace.records)
    for event, record in zip(slices, trace.records):
        assert event["dur"] > 0 and round(event["ts"] * 1000) == record["t_ns"], event
        assert event["args"]["n"] == record["n"] and event["name"] == record["kind"], event
        assert tracks[event["tid"]] == record["node"], event
    # Each arrow from a cause at another node; both its ends are at a slice.
    places = {(e["tid"], e["ts"]) for e in slices}
    arrows = [(c, r) for r in trace.records for c in r["causes"] if trace.by_n[c]["node"] != r["node"]]
    assert len(arrows) == len(by_phase["s"]) == len(by_phase["f"])
    for start, end, (cause, record) in zip(by_phase["s"], by_phase["f"], arrows):
        assert start["id"] == end["id"] and end["bp"] == "e", (start, end)
        assert (start["cat"], start["name"]) == (end["cat"], end["name"]) and start["ts"] <= end["ts"]
        assert round(start["ts"] * 1000) == trace.by_n[cause]["t_ns"], (start, cause)
        assert {(start["tid"], start["ts"]), (end["tid"], end["ts"])} <= places
    assert len({start["id"] for start in by_phase["s"]}) == len(arrows), "no two arrows are one"
    spans = Counter((e["pid"], e["cat"], e["id"], e["name"]) for e in by_phase["b"])
    assert spans == Counter((e["pid"], e["cat"], e["id"], e["name"]) for e in by_phase["e"])
    units = {e["name"]: e["ts"] for e in by_phase["b"] if e["cat"] == "unit"}
    assert set(units) == {r["req"] for r in trace.records if r["req"]}, units
    return len(events)


def main():
    trace = Trace(sys.argv[1])
    print(json.dumps({"shiviz": check_shiviz(trace, sys.argv[2]), "perfetto": check_perfetto(trace, sys.argv[3])}))


if __name__ == "__main__":
    main()
