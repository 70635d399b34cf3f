"""Receipts of messages, by the number of a record that sent one or ended its way, from the trace alone."""

from records import line

SENT = ("request_sent", "response_sent", "segment_sent")
ENDS = ("message_lost", "connection_refused")
BEFORE, AFTER = 12, 40


def sender(trace, record):
    """The record that sent what this one ends; nothing if it is no end."""
    cause = trace.by_n.get(record["causes"][-1]) if record["causes"] else None
    if cause is None:
        return None
    far = record["node"] != cause["node"] and "lab" not in (record["node"], cause["node"])
    return cause if far or record["kind"] in ENDS else None


def ids(trace):
    known = [r for r in trace.records if r["kind"] in SENT or r["kind"] in ENDS or sender(trace, r)]
    return [f"#{r['n']}" for r in known]


def receipt(trace, name):
    record = trace.by_n[int(name[1:])]
    sent, end = sender(trace, record), record
    if sent is None and record["kind"] not in ENDS:
        sent = record
        later = (r for r in trace.records if r["n"] > sent["n"] and sender(trace, r) is sent)
        end = next(later, None)
    before = []
    for step in list(trace.chain(sent["n"]))[1:] if sent else ():
        if step["req"] != sent["req"] or len(before) == BEFORE:
            break
        before.insert(0, step)
    after = trace.following(end["n"]) if end else []
    numbers = {"after": len(after)}
    if sent:
        numbers["sent_s"] = sent["t_ns"] / 1e9
    if end:
        numbers["ended_s"] = end["t_ns"] / 1e9
    if sent and end:
        numbers["took_s"] = (end["t_ns"] - sent["t_ns"]) / 1e9
    words = {"message_lost": "lost", "connection_refused": "refused"}
    way = [r for r in (sent, end) if r]
    sections = {"way": way, "before": before, "after": after[:AFTER]}
    return {
        "of": "message",
        "end": words.get(end["kind"], "arrived") if end else "on_the_way",
        "numbers": numbers,
        "sections": {key: [line(r) for r in records] for key, records in sections.items()},
    }
