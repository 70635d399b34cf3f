"""Receipts of the configuration system's versions, and of what each node has of one, from the trace alone."""

from records import line

APPLIED = ("agent_applied", "worker_applied")
EXCHANGE = ("request_sent", "request_received", "response_sent", "response_received")


def nodes(trace, kind):
    letter, count = {"agents": ("a", "agents"), "workers": ("w", "workers")}[kind]
    return [f"{letter}-{i:02}" for i in range(1, trace.settings[count] + 1)]


def numbers_of(trace):
    return [r["fact"]["version"] for r in trace.facts("version_shipped", "version_servable")]


def ids(trace):
    versions = numbers_of(trace)
    places = nodes(trace, "agents") + nodes(trace, "workers")
    changes = [r["req"] for r in trace.facts("change_intended")]
    return [f"v{v}" for v in versions] + [f"{node}@v{v}" for v in versions for node in places] + changes


def receipt(trace, name):
    if name.startswith("req-"):
        return change(trace, name)
    node, _, version = name.rpartition("@")
    version = Version(trace, int(version.removeprefix("v")))
    return version.hold(node) if node else version.receipt()


def figures(record):
    kind, fact = record["kind"], record["fact"]
    if kind == "poll_ended":
        return {"status": fact["status"]}
    if kind == "agent_backed_off":
        return {"failures": fact["failures"], "pause_s": fact["pause_ns"] / 1e9}
    return {"version": fact["version"]} if kind in APPLIED else {}


def told(record):
    return line(record, numbers=figures(record))


def change(trace, name):
    """What was tried of a change, and what became of it."""
    own = [r for r in trace.facts("change_intended", "try_ended", "change_ended", "write_begun") if r["req"] == name]
    of = lambda kind: [r for r in own if r["kind"] == kind]
    numbers = {"tries": len(of("try_ended")), "intended_s": of("change_intended")[0]["t_ns"] / 1e9}
    ended = of("change_ended")
    if ended:
        numbers["ended_s"] = ended[0]["t_ns"] / 1e9
    versions = (Version(trace, v) for v in sorted(set(numbers_of(trace))))
    version = next((v for v in versions if v.change == name), None)
    became = []
    if version:
        numbers["version"] = version.number
        became = version.of("version_servable", "version_stored", "trigger_sent")
    return {
        "of": "change",
        "end": ended[0]["fact"]["end"] if ended else "pending",
        "numbers": numbers,
        "sections": {"tried": [line(r) for r in own], "became": [line(r) for r in became]},
    }


class Version:
    def __init__(self, trace, number):
        self.trace, self.number = trace, number
        of = lambda *kinds: [r for r in trace.facts(*kinds) if r["fact"]["version"] == number]
        self.servable = of("version_servable", "version_shipped")[0]
        begun = [r for r in of("write_begun") if r["n"] < self.servable["n"]]
        self.change = begun[-1]["req"] if begun and self.servable["kind"] == "version_servable" else None
        self.acknowledged = (of("version_stored", "version_shipped") or [None])[-1]
        self.of = of

    def made(self):
        change = [
            r
            for r in self.trace.facts("change_intended", "try_ended", "change_ended")
            if self.change is not None and r["req"] == self.change
        ]
        written = [r for r in self.of("write_begun") if r["req"] == self.change]
        others = self.of("version_shipped", "version_stored", "trigger_sent", "trigger_received")
        servable = [self.servable] if self.servable["kind"] == "version_servable" else []
        return [told(r) for r in sorted(change + written + others + servable, key=lambda r: r["n"])]

    def first_applied(self, node, at_least):
        applied = (r for r in self.trace.facts(*APPLIED) if r["node"] == node)
        return next((r for r in applied if r["fact"]["version"] >= at_least), None)

    def behind(self, t_ns):
        return max(0, t_ns - self.acknowledged["t_ns"]) / 1e9 if self.acknowledged else 0.0

    def firsts(self, names):
        lines = []
        for node in names:
            record = self.first_applied(node, self.number)
            if record is None:
                lines.append({"key": "missing", "n": None, "causes": [], "t_ns": None, "node": node, "numbers": {}})
                continue
            key = "applied" if record["fact"]["version"] == self.number else "skipped"
            lines.append(line(record, key, {**figures(record), "behind_s": self.behind(record["t_ns"])}))
        return lines

    def receipt(self):
        agents, workers = (self.firsts(nodes(self.trace, kind)) for kind in ("agents", "workers"))
        numbers = {
            "version": self.number,
            "stored_s": self.servable["t_ns"] / 1e9,
            "ticks_done": len(self.of("tick_done")),
            "ticks_failed": len(self.of("tick_failed")),
        }
        end = "not_acknowledged"
        if self.acknowledged:
            numbers["acknowledged_s"] = self.acknowledged["t_ns"] / 1e9
            end = "spreading"
        if all(line["n"] for line in workers):
            everywhere = max(line["t_ns"] for line in workers)
            numbers["everywhere_s"] = everywhere / 1e9
            end = "everywhere"
            if self.acknowledged:
                numbers["convergence_s"] = max(0, everywhere - self.acknowledged["t_ns"]) / 1e9
        sections = {"made": self.made(), "agents": agents, "workers": workers}
        raw = {"version": self.number, "settings": self.servable["fact"]["settings"]}
        return {"of": "version", "end": end, "numbers": numbers, "sections": sections, "raw": raw}

    def hold(self, node):
        trace, is_agent = self.trace, node.startswith("a-")
        applied, newer = self.first_applied(node, self.number), self.first_applied(node, self.number + 1)
        agent = node if is_agent else self.agent_of(node, applied)
        sections, numbers = {"made": self.made()}, {"version": self.number}
        if agent:
            until = self.first_applied(agent, self.number)
            sections["agent"] = [
                told(r)
                for r in trace.facts("poll_ended", "agent_backed_off", "agent_applied", "trigger_received")
                if r["node"] == agent
                and r["t_ns"] >= self.servable["t_ns"]
                and (until is None or r["n"] <= until["n"])
            ]
        if applied and not is_agent:
            exchange = []
            for record in list(trace.chain(applied["n"]))[1:5]:
                if record["kind"] not in EXCHANGE:
                    break
                exchange.insert(0, line(record))
            sections["worker"] = exchange + [told(applied)]
        end = "missing"
        if applied:
            numbers.update(applied_s=applied["t_ns"] / 1e9, behind_s=self.behind(applied["t_ns"]))
            own = applied["fact"]["version"] == self.number
            end = "skipped" if not own else "ran" if newer else "runs"
        sections["stale"] = []
        stored = (r for r in trace.facts("version_stored") if r["fact"]["version"] > self.number)
        following = next(stored, None)
        if following:
            until = newer["t_ns"] if newer else trace.horizon * 1e9
            numbers["stale_from_s"] = following["t_ns"] / 1e9
            numbers["stale_s"] = max(0, until - following["t_ns"]) / 1e9
            sections["stale"] = [told(following)] + ([told(newer)] if newer else [])
        return {"of": "hold", "end": end, "numbers": numbers, "sections": sections}

    def agent_of(self, worker, applied):
        for record in self.trace.chain(applied["n"]) if applied else ():
            if record["kind"] == "response_sent":
                return record["node"]
        asked = [r for r in self.trace.records if r["node"] == worker and r["kind"] == "request_sent"]
        return asked[-1]["peer"] if asked else None
