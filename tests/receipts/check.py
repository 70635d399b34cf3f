"""Recomputes receipts from exported traces alone, and compares them with what `glasshive explain` says.

    check.py GLASSHIVE COUNT [SEED]

COUNT requests, jobs, versions and changes are chosen at random over the four systems, and beside every fourth a message. Each line of a receipt has to name the same
record and the same causes, and each figure has to agree to 1e-9. This shares no code with the program.
"""

import json
import random
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import jobs
import messages
import requests
import versions
from records import Trace

TOLERANCE = 1e-9
STRATEGIES = [
    "average",
    "median",
    "majority",
    "upper-median",
    "weighted-median",
    "trimmed-mean",
    "mad",
    "hodges-lehmann",
    "pyth",
]


def scenarios(rng):
    """Each system in calm and in trouble, at random seeds."""
    flaky = ["lie=0.2", "fail=0.2"]
    http = [
        (["oracle-http"], [], None),
        (["oracle-http"], ["drift=0.001", "quorum=5", *flaky], None),
        (["oracle-http"], flaky, "drop:coordinator~w-01@0s=0.5,dup:client~coordinator@0s=0.5,crash:coordinator@9s..12s"),
        (["oracle-http"], ["ask=3", "fail=0.6", "retries=2", "retry-pause=300ms", "drift=0.001"], "crash:coordinator@9s..12s,dup:client~coordinator@14s=0.5"),
        (["oracle-http"], ["concurrency=1", "period=700ms", "slow-share=0.3", "delay-law=lognormal"], "crash:w-04@13s..19s"),
        (["oracle-http"], ["workers=4", "fail=0.9"], "slow:w-02@1s=9,cut:coordinator~w-03@3s..19s"),
        (["oracle-http"], ["workers=9"], "crash:3?@5250ms..9s,crash:w-04@13s..13500ms,stop:w-05@17s,slow:coordinator~w-06@2s=15"),
        (["colluding-third", "rate-limit-burst", "stale-report", "heartbeat-trap"], [], None),
    ]
    nats = [
        (["oracle-nats", "oracle-jetstream", "queue-group-trap", "broker-restart"], [], None),
        (["oracle-nats"], ["quorum=6", *flaky], "crash:w-02@5s..14s,restart:nats@7200ms,crash:coordinator@20s..23s"),
        (["oracle-nats", "oracle-jetstream"], ["delay-min=900ms"], "crash:4?@5500ms..11s,restart:w-03@15700ms"),
        (["oracle-nats", "oracle-jetstream"], ["fail=0.9", "workers=3", "retries=3", "concurrency=2"], "crash:coordinator@9s..12s"),
        (["oracle-jetstream"], flaky, "crash:nats@6s..9s,drop:nats~w-03@2s=0.3"),
    ]
    wizard = [
        (["math-wizard", "lost-job", "lmove-cure", "duplicate-by-retry", "backpressure-staircase"], [], None),
        (["math-wizard"], ["fail=0.4"], "crash:c-01@6s..9s,restart:valkey@14s,crash:c-02-worker-1@18s..19s"),
        (["lmove-cure"], ["fail=0.4"], "crash:valkey@7s..8s,crash:c-01@9s..11s,cut:c-02~valkey@12s..22s"),
        (["math-wizard"], ["users=30"], "stop:gateway@19s..21s,crash:c-03-api@9s..14s"),
        (["lmove-cure"], [], "slow:c-01-worker-1@2s=30,drop:valkey~c-02@1s=0.1"),
    ]
    config = [
        (["config", "controller-outage", "lost-trigger", "poll-vs-push", "bad-rollout"], [], None),
        (["config"], [], "crash:controller@8017ms..12s,crash:w-02@9s..15s,crash:a-03@20s,drop:controller~a-01@3s=0.4"),
    ]
    strategy = lambda: "strategy=" + rng.choice(STRATEGIES)
    for module, system in ((requests, http), (requests, nats), (jobs, wizard), (versions, config)):
        made = []
        for presets, settings, faults in system:
            more = [strategy(), *settings] if module is requests else settings
            args = ["--preset", rng.choice(presets), "--seed", str(rng.randrange(2**53)), "--for", "40s"]
            args += [part for setting in more for part in ("--set", setting)]
            made.append(args + (["--faults", faults] if faults is not None else []))
        yield module, made


def run(glasshive, *args):
    done = subprocess.run([glasshive, *args], capture_output=True, text=True, check=False)
    # A check of the run's own may fail under faults; bad input may not.
    assert done.returncode in (0, 1), (args, done.stderr)
    return done.stdout


def close(a, b):
    return a == b or abs(a - b) <= TOLERANCE * max(abs(a), abs(b), 1.0)


def differences(own, theirs, where):
    """How a receipt of the program differs from our own."""
    if isinstance(own, dict) and isinstance(theirs, dict):
        missing = [f"{where}.{key}: only one has it" for key in own.keys() ^ theirs.keys()]
        return missing + [d for key in own.keys() & theirs.keys() for d in differences(own[key], theirs[key], f"{where}.{key}")]
    if isinstance(own, list) and isinstance(theirs, list):
        if len(own) != len(theirs):
            return [f"{where}: {len(own)} here, {len(theirs)} there"]
        return [d for i, pair in enumerate(zip(own, theirs)) for d in differences(*pair, f"{where}[{i}]")]
    if isinstance(own, (int, float)) and isinstance(theirs, (int, float)):
        return [] if close(own, theirs) else [f"{where}: {own} here, {theirs} there"]
    return [] if own == theirs else [f"{where}: {own} here, {theirs} there"]


def compare(own, theirs):
    found = differences({key: own[key] for key in ("of", "end", "numbers")}, {k: theirs[k] for k in ("of", "end", "numbers")}, "")
    sections = {section["key"]: section["lines"] for section in theirs["sections"]}
    sections = {key: lines for key, lines in sections.items() if lines or key in own["sections"]}
    lines = lambda of: sorted(of, key=lambda line: (line.get("n") or 0, line["key"], line.get("node") or ""))
    for key in own["sections"].keys() | sections.keys():
        mine, other = own["sections"].get(key, []), sections.get(key, [])
        wanted = set(mine[0]) if mine else set()
        other = [{name: line[name] for name in wanted} if wanted else line for line in other]
        found += differences(lines(mine), lines(other) if wanted else other, key)
    if "raw" in own or theirs["raw"] is not None:
        found += differences(own.get("raw"), theirs["raw"], "raw")
    return found


def main():
    glasshive, count = sys.argv[1], int(sys.argv[2])
    rng = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    kinds, wrong, total, short = Counter(), [], 0, 0
    with tempfile.TemporaryDirectory() as folder:
        for module, system in scenarios(rng):
            share = max(1, count // 4)
            for i, args in enumerate(system):
                path = Path(folder) / "trace.ndjson"
                run(glasshive, "run", *args, "--trace", str(path))
                trace = Trace(path)
                known = module.ids(trace)
                # Where there are not so many, others make up for it.
                wanted = short + (share * (i + 1)) // len(system) - (share * i) // len(system)
                chosen = rng.sample(known, min(wanted, len(known)))
                short = wanted - len(chosen)
                if not chosen:
                    continue
                sent = messages.ids(trace)
                beside = rng.sample(sent, min((len(chosen) + 3) // 4, len(sent)))
                said = run(glasshive, "explain", *chosen, *beside, *args, "--json").splitlines()
                assert len(said) == len(chosen) + len(beside), (args, chosen)
                for name, text in zip(chosen + beside, said):
                    theirs = json.loads(text)
                    own = (messages if name in beside else module).receipt(trace, name)
                    found = compare(own, theirs)
                    total += name not in beside
                    kinds[f"{own['of']} {own['end']}"] += 1
                    keys = ("left_out", "ends", "refusal")
                    kinds.update(f"{line['key']}" for key in keys for line in own["sections"].get(key, []))
                    if found:
                        wrong.append((args, name, found))
    for args, name, found in wrong[:10]:
        print(f"{name} of {' '.join(args)}:", *found[:8], sep="\n  ")
    print(json.dumps({"receipts": total, "wrong": len(wrong), "kinds": dict(sorted(kinds.items()))}))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
