"""W3 of benches/README.md as one writes it with SimPy: requests to 100 cancellable workers under a limit. Prints JSON."""

import json
import time

import simpy

WORKERS = 100
LIMIT = 1500
MASK = 0xFFFFFFFF


class Lcg:
    """The generator that each worker draws from."""

    def __init__(self, number):
        self.state = (number + 1) * 2654435761 & MASK

    def draw(self):
        self.state = (self.state * 1664525 + 1013904223) & MASK
        return self.state >> 16


def worker(env, delay, value):
    """Sleeps, then answers; None is a failure."""
    try:
        yield env.timeout(delay)
    except simpy.Interrupt:
        return None
    return value


def coordinator(env, requests, totals):
    streams = [Lcg(number) for number in range(WORKERS)]
    for request in range(requests):
        base = 1000 + request % 500
        tasks, failing = [], set()
        for stream in streams:
            delay = 101 + 2 * (stream.draw() % 950)
            fails = stream.draw() % 10 == 0
            value = base * (950 + stream.draw() % 101)
            task = env.process(worker(env, delay, value))
            tasks.append(task)
            if fails:
                failing.add(task)
        limit = env.timeout(LIMIT)
        everybody = env.all_of(tasks)
        yield everybody | limit
        done = [task for task in tasks if not task.is_alive]
        for task in tasks:
            if task.is_alive:
                task.interrupt()
        answers = [task.value for task in done if task not in failing]
        totals["ok"] += len(answers)
        totals["failed"] += len(done) - len(answers)
        totals["late"] += len(tasks) - len(done)
        totals["means"] += sum(answers) // len(answers) if answers else 0


def run(requests):
    totals = dict(ok=0, failed=0, late=0, means=0)
    env = simpy.Environment()
    env.process(coordinator(env, requests, totals))
    env.run()
    whole = totals["means"] ^ (totals["ok"] << 40) ^ (totals["failed"] << 20) ^ totals["late"]
    return whole & ((1 << 52) - 1)


REQUESTS = 20_000
started = time.process_time()
checksum = run(REQUESTS)
seconds = time.process_time() - started
print(json.dumps({"ops": REQUESTS * WORKERS, "seconds": seconds, "checksum": str(checksum), "expected": "3794578883851360"}))
