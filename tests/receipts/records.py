"""A trace file, read by its own rules: records by number, their causes, and what follows from them."""

import json
import re

UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


def seconds(text):
    """A duration in Go's notation."""
    return sum(float(number) * UNITS[unit] for number, unit in re.findall(r"([0-9.]+)(ns|us|µs|ms|s|m|h)", text))


class Trace:
    def __init__(self, path):
        with open(path, encoding="utf-8") as lines:
            self.scenario = json.loads(next(lines))
            self.records = [json.loads(line) for line in lines]
        self.by_n = {record["n"]: record for record in self.records}
        self.horizon = seconds(self.scenario["horizon"])
        self.settings = self.scenario["set"]

    def facts(self, *kinds):
        return (record for record in self.records if record["kind"] in kinds and record["fact"] is not None)

    def chain(self, n):
        """A record with what caused it, with what caused that, and so on: of several causes the last."""
        record = self.by_n.get(n)
        while record is not None:
            yield record
            record = self.by_n.get(record["causes"][-1]) if record["causes"] else None

    def following(self, n):
        """Whatever follows from a record within the same request, in order."""
        reached, req, follows = {n}, self.by_n[n]["req"], []
        for record in self.records:
            if record["n"] > n and record["req"] == req and not reached.isdisjoint(record["causes"]):
                reached.add(record["n"])
                follows.append(record)
        return follows

    def down_since(self, node, n):
        """The record by which a node went down, if it was down when record `n` was made."""
        turns = ("node_started", "node_crashed", "node_stopped")
        before = [r for r in self.records if r["n"] <= n and r["node"] == node and r["kind"] in turns]
        return before[-1] if before and before[-1]["kind"] != "node_started" else None


def line(record, key=None, numbers=None, more_causes=(), node=None):
    """What a receipt's line must say of a record."""
    return {
        "key": key or record["kind"],
        "n": record["n"],
        "causes": record["causes"] + list(more_causes),
        "t_ns": record["t_ns"],
        "node": node or record["node"],
        "numbers": numbers or {},
    }
