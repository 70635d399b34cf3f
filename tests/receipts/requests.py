"""Receipts of the oracles' requests, from the trace alone."""

import strategies
from records import line

COURSE = (
    "request_intended",
    "request_opened",
    "request_aggregated",
    "request_failed",
    "request_backed_off",
    "request_retried",
    "report_published",
    "request_answered",
    "request_unanswered",
)


def ids(trace):
    return [record["req"] for record in trace.facts("request_intended")]


def receipt(trace, req):
    own = [record for record in trace.records if record["req"] == req and record["fact"] is not None]
    of_kind = lambda *kinds: [record for record in own if record["kind"] in kinds]
    intended = of_kind("request_intended")[0]
    retried = [record["n"] for record in of_kind("request_retried")]
    opened = last_attempt(of_kind("request_opened"), retried)
    words = of_kind("request_aggregated", "request_failed")
    ends = of_kind("request_answered", "request_unanswered")
    word = None
    if ends:
        numbers = {record["n"] for record in words}
        word = next((record for record in trace.chain(ends[-1]["n"]) if record["n"] in numbers), None)
    if word is None:
        last = opened[0]["n"] if opened else -1
        word = next((record for record in words if record["n"] > last), None)
    closing = word["fact"].get("closing") if word else None
    number = closing["handling"] if closing else opened[0]["n"] if opened else None
    truth = opened[0]["lab"]["truth"] if opened else None

    out = {"of": "request", "end": "pending", "numbers": {}, "sections": {}}
    out["sections"]["course"] = [line(record) for record in own if record["kind"] in COURSE]
    used, left_out = [], []
    if number is not None:
        handling = Handling(trace, own, number, word)
        if closing:
            sort_answers(trace, out, handling, closing, word, truth, used, left_out)
        for name in handling.unknown(opened[0], closing is not None):
            left_out.append(handling.absence(name, None))
    out["sections"]["used"], out["sections"]["left_out"] = used, left_out
    out["numbers"].update(asked=len(used) + len(left_out), used=len(used), left_out=len(left_out))
    out["numbers"]["asked_at_s"] = intended["t_ns"] / 1e9
    if truth is not None:
        out["numbers"]["truth"] = truth
    if ends:
        conclude(out, intended, ends[-1], truth)
    return out


def last_attempt(opened, retried):
    """The takings up of a request since its client sent it again last, as far as that was taken up."""
    for n in reversed(retried):
        later = [record for record in opened if record["n"] > n]
        if later:
            return later
    return opened


def conclude(out, intended, end, truth):
    out["numbers"]["latency_s"] = (end["t_ns"] - intended["t_ns"]) / 1e9
    if end["kind"] == "request_answered":
        result = end["fact"]["result"]
        value = result["final_value"]
        out["end"], out["raw"] = "answered", result
        out["numbers"].update(value=value, off=(value - truth) / truth)
    else:
        out["end"] = "unanswered"
        out["numbers"]["status"] = end["fact"]["failure"]["status"]


def sort_answers(trace, out, handling, closing, word, truth, used, left_out):
    strategy = trace.settings["strategy"]
    knobs = {key: trace.settings[key] for key in ("step", "trim", "noise")}
    places = [i for i, response in enumerate(closing["responses"]) if response.get("err") is None]
    values = [closing["responses"][i]["value"] for i in places]
    weights = [closing["weights"][i] for i in places]
    made = word["kind"] == "request_aggregated"
    result = strategies.ALL[strategy](values, weights, knobs) if made else None
    for i, place in enumerate(places):
        record = handling.taken[place]
        lie = any(r["kind"] == "task_done" and r["fact"]["lie"] for r in trace.chain(record["n"]))
        numbers = {"value": values[i], "off": (values[i] - truth) / truth, "weight": weights[i], "lie": float(lie)}
        if made and result[2][i] is not None:
            numbers["share"] = result[2][i]
        dropped = not made or i in result[3]
        key = strategies.DROPPED.get(strategy, "not_a_quote") if dropped else "used"
        (left_out if dropped else used).append(line(record, key, numbers, node=record["peer"]))
    used.sort(key=lambda line: line["numbers"]["value"])
    for place, response in enumerate(closing["responses"]):
        if response.get("err") is not None:
            record = handling.taken.get(place)
            left_out.append(handling.absence(response["worker_id"], record))
    if made:
        value, steps, _, _ = result
        assert abs(value - word["fact"]["value"]) <= 1e-9 * abs(value), (value, word)
        # What was used is what the aggregate names as its causes.
        assert sorted(handling.taken[place]["n"] for place in places) == sorted(word["causes"]), word
        list(steps.values())[-1]["result"] = value
        out["sections"]["arithmetic"] = [{"key": key, "numbers": numbers} for key, numbers in steps.items()]
        others = {name: of(values, weights, knobs) for name, of in strategies.ALL.items()}
        out["sections"]["others"] = [
            {"key": name, "numbers": {"value": other[0], "off": (other[0] - truth) / truth}}
            for name, other in others.items()
            if other is not None
        ]
        out["numbers"]["result"] = value


class Handling:
    """One taking up of a request."""

    def __init__(self, trace, own, number, word):
        self.trace, self.number = trace, number
        self.closed = word["n"] if word else float("inf")
        self.following = trace.following(number)
        taken = [r for r in own if r["kind"] == "answer_taken" and r["fact"]["handling"] == number]
        self.taken = {record["fact"]["place"]: record for record in taken}
        asked = trace.by_n[number]["fact"]["asked"]
        self.members = [m["id"] for m in asked["members"]] if isinstance(asked, dict) else []
        self.received = [r["node"] for r in own if r["kind"] == "task_received"]
        self.losses = [r["n"] for r in trace.facts("messages_lost")]
        self.has_broker = "transport" in trace.settings

    def unknown(self, opened, is_closed):
        """Those who were asked and of whom the coordinator has no entry."""
        asked = opened["fact"]["asked"]
        if isinstance(asked, dict):
            names = [member["id"] for member in asked["members"]]
        else:
            names = list(opened["lab"]["asked"])
            names += [node for node in dict.fromkeys(self.received) if node not in names]
        known = set(self.members) | {record["peer"] for record in self.taken.values()} if is_closed else set()
        return [name for name in names if name not in known]

    def absence(self, name, taken):
        """Why a worker is not among the answers used, and which records say so."""
        about = [r for r in self.following if name in (r["node"], r["peer"]) and r["kind"] != "request_abandoned"]
        before = [r for r in about if r["n"] < self.closed]
        later = [r for r in about if r["n"] > self.closed]
        numbers, more = {}, []
        key, record, fall = self.why_taken(name, taken) if taken else self.why(name, before, later)
        works = [r["value"] for r in before if r["kind"] == "task_started"]
        if works:
            numbers["work_s"] = works[-1] / 1e9
        came = [r for r in later if r["kind"] in ("result_dropped", "handler_cancelled")]
        if came and taken is None:
            more.append(came[0]["n"])
            numbers["came_s"] = came[0]["t_ns"] / 1e9
        if fall:
            more.append(fall["n"])
            numbers["down_since_s"] = fall["t_ns"] / 1e9
        return line(record, key, numbers, more, node=name)

    def why_taken(self, name, taken):
        """The coordinator has something of the worker, and it is no value."""
        kinds = {r["kind"] for r in self.trace.chain(taken["n"]) if r["n"] > self.number}
        for kind, key in (("connection_refused", "refused"), ("connection_reset", "reset")):
            if kind in kinds:
                return key, taken, self.trace.down_since(name, taken["n"])
        return ("failed" if "task_failed" in kinds else "bad_answer"), taken, None

    def why(self, name, before, later):
        """The coordinator has nothing of the worker: how far had the task and its answer come?"""
        state, record = "not_reached", self.trace.by_n[self.number]
        begun, started = None, False
        for event in before:
            own, kind = event["node"] == name, event["kind"]
            if own and kind in ("request_received", "task_received") and state != "answer_on_the_way":
                state, begun = "working", begun or event
            elif own and kind == "task_started":
                state, begun = ("working" if state != "answer_on_the_way" else state), event
                started = True
            elif own and kind in ("task_done", "task_failed"):
                state = "answer_on_the_way"
            elif state in ("not_reached", "lost"):
                state = "task_on_the_way"
            record = event
        if record["kind"] == "message_lost":
            lost = "answer_lost" if record["node"] == name else "task_lost"
        else:
            lost = {"connection_refused": "refused", "connection_reset": "reset"}.get(record["kind"])
        if state == "not_reached":
            return state, record, self.trace.down_since(name, self.closed)
        loss = next((n for n in self.losses if n > record["n"]), None)
        if loss and self.has_broker and state != "working" and not later:
            return "lost_with_broker", self.trace.by_n[loss], None
        if lost:
            return lost, record, None
        if state == "working":
            is_queued = self.trace.settings.get("concurrency", "off") != "off"
            state = "waiting" if is_queued and not started else state
            record = begun if begun["kind"] == "task_started" else record
            falls = [
                r
                for r in self.trace.records
                if record["n"] < r["n"] < self.closed
                and r["node"] == name
                and r["kind"] in ("node_crashed", "node_stopped")
            ]
            if falls:
                return "died", record, falls[0]
        return state, record, None
