"""Receipts of the Math Wizard's jobs and submissions, from the trace alone.

Each job is followed through the facts about it: in which of the store's lists it stands, on which line it is on its way to
a worker, who has it in hand, whose last word about it is under way. One that nobody has any more and that is not over is lost.
"""

from records import line

USER = ("job_intended", "job_accepted", "job_refused", "job_seen", "user_gave_up", "user_left")
NOT_COURSE = ("job_accepted", "job_checked")


class Job:
    def __init__(self, record):
        self.id, self.req, self.created = record["fact"]["id"], record["req"], record
        self.queue = self.processing = self.dead = self.carried = 0
        self.claims, self.place, self.loss = [], None, None
        self.queued = self.taken = self.done = None
        self.completions = self.reaped = self.restored = self.polls = 0
        self.unsure = self.unsent = False
        self.course, self.completed = [], []

    def over(self):
        return self.place in ("done", "dead", "lost")

    def move(self, place):
        if self.place != place:
            self.place = place
            if place != "lost":
                self.loss = None

    def held(self):
        return self.carried > 0 or any(c["end"] is None or c["word"] for c in self.claims)

    def lose_if_gone(self, record):
        listed = self.queue + self.processing + self.dead
        if self.place in ("queue", "processing") and not listed and not self.held():
            self.lose(record)

    def lose(self, record):
        if self.place != "lost":
            self.place, self.loss = "lost", record

    def claim_of(self, fact):
        who = (fact["container"], fact["worker"])
        return next((c for c in reversed(self.claims) if c["who"] == who and c["end"] is None), None)

    def hear_of_failure(self):
        claim = next((c for c in self.claims if c["failed"] and not c["heard"]), None)
        if claim:
            claim["heard"], claim["word"] = True, False


class Jobs:
    def __init__(self, trace):
        self.trace, self.jobs, self.lines, self.store_started = trace, {}, {}, 0
        for record in trace.records:
            if record["fact"] is not None:
                self.follow(record)

    def follow(self, record):
        kind, fact = record["kind"], record["fact"]
        if kind == "job_created":
            self.jobs[fact["id"]] = Job(record)
        elif kind == "line_opened":
            self.lines[fact["line"]] = None
        elif kind == "line_closed":
            job = self.lines.pop(fact["line"], None)
            if job:
                job.carried -= 1
                job.lose_if_gone(record)
        elif kind == "store_started":
            self.restart(record)
        job = self.jobs.get(fact.get("id")) if isinstance(fact.get("id"), str) else None
        if job is None:
            return
        if kind == "job_checked":
            job.polls += 1
        if kind not in NOT_COURSE:
            job.course.append(record)
        act = getattr(self, "on_" + kind, None)
        if act:
            act(job, record, fact)

    # --- the store's lists

    def on_queue_pushed(self, job, record, _fact):
        job.processing = max(0, job.processing - 1)
        job.queue += 1
        job.hear_of_failure()
        job.queued = job.queued or record
        job.move("queue")

    def on_queue_returned(self, job, record, _fact):
        job.reaped += 1
        job.processing = max(0, job.processing - 1)
        job.queue += 1
        job.queued = job.queued or record
        job.move("queue")

    def on_queue_popped(self, job, record, fact):
        job.queue = max(0, job.queue - 1)
        job.processing += fact["listed"]
        job.taken = job.taken or record
        if fact["line"] in self.lines:
            self.lines[fact["line"]] = job
            job.carried += 1
        job.move("processing")
        job.lose_if_gone(record)

    def on_letter_buried(self, job, _record, _fact):
        job.processing = max(0, job.processing - 1)
        job.dead += 1
        job.hear_of_failure()
        if job.place != "done":
            job.move("dead")

    def on_result_stored(self, job, record, fact):
        job.queue = job.processing = job.dead = 0
        own = [c for c in job.claims if c["who"][0] == fact["container"] and c["attempt"] == fact["attempt"]]
        said_before = any(c["heard"] for c in own)
        claim = next((c for c in own if not c["heard"]), None)
        if claim:
            claim["heard"], claim["word"] = True, False
        if claim or not said_before:
            job.completions += 1
            job.done = job.done or record
        job.completed.append(record)
        job.move("done")

    # --- the workers

    def on_job_claimed(self, job, _record, fact):
        if self.lines.get(fact["line"]):
            self.lines[fact["line"]] = None
            job.carried -= 1
        who = (fact["container"], fact["worker"])
        job.claims.append(dict(who=who, end=None, attempt=0, failed=False, heard=False, word=False))

    def on_job_started(self, job, _record, fact):
        claim = job.claim_of(fact)
        if claim:
            claim["attempt"] = fact["attempt"]

    def on_job_failed(self, job, _record, fact):
        claim = job.claim_of(fact)
        if claim:
            claim["failed"] = True

    def on_job_released(self, job, record, fact):
        claim = job.claim_of(fact)
        if claim:
            claim["end"] = "failed" if fact["failed"] else "done"
        job.lose_if_gone(record)

    def on_job_dropped(self, job, record, fact):
        claim = job.claim_of(fact)
        if claim:
            said = fact["told_ns"] is not None and fact["told_ns"] >= self.store_started
            claim["word"] = said and not claim["heard"]
            claim["end"] = "died"
        job.lose_if_gone(record)

    def on_job_unsure(self, job, _record, fact):
        job.unsure, job.unsent = fact["under_way"], not fact["under_way"]

    # --- the store's disk

    def restart(self, record):
        self.store_started = record["t_ns"]
        fact = record["fact"]
        for job in self.jobs.values():
            was_over = job.over()
            job.queue, job.processing, job.dead = (
                fact[name].count(job.id) for name in ("queue", "processing", "dead")
            )
            job.unsent |= job.unsure
            for claim in job.claims:
                claim["word"] = False
            before = job.loss
            if not job.queue and not job.processing and (was_over or job.place is None):
                pass
            elif job.queue:
                job.move("queue")
            elif job.processing:
                job.move("processing")
            elif job.dead:
                job.move("dead")
            elif job.held():
                job.move("processing")
            else:
                job.lose(record)
            job.restored += was_over and not job.over()
            listed = job.queue or job.processing or job.dead
            if listed or (job.loss is record and before is None):
                job.course.append(record)


def following(trace):
    if not hasattr(trace, "jobs"):
        trace.jobs = Jobs(trace).jobs
    return trace.jobs


def ids(trace):
    jobs = following(trace)
    return list(jobs) + [record["req"] for record in trace.facts("job_intended")]


def receipt(trace, name):
    job = following(trace).get(name)
    return of_job(trace, job) if job else of_submission(trace, name)


def figures(record):
    fact = record["fact"]
    names = {
        "job_queued": {"waiting": "waiting"},
        "job_failed": {"attempt": "attempt"},
        "result_stored": {"attempt": "attempt"},
        "job_done": {"sum": "sum"},
        "job_refused": {"status": "status"},
        "user_gave_up": {"polls": "polls"},
        "job_started": {"attempt": "attempt"},
    }
    numbers = {name: fact[field] for name, field in names.get(record["kind"], {}).items()}
    if record["kind"] == "job_started":
        numbers["work_s"] = fact["work_ns"] / 1e9
    return numbers


def told(trace, record, key=None):
    more = []
    if record["kind"] == "job_dropped":
        down = trace.down_since(record["node"], record["n"])
        more = [down["n"]] if down else []
    return line(record, key, figures(record), more)


def user(trace, req):
    return [told(trace, r) for r in trace.records if r["req"] == req and r["kind"] in USER]


def end_of(job):
    if job.place is None:
        return "never_queued" if job.unsent else "open"
    return job.place if job.over() else "open"


def of_job(trace, job):
    numbers = {
        "submission": int(job.req.removeprefix("req-")),
        "claims": len(job.claims),
        "completions": job.completions,
        "reaped": job.reaped,
        "restored": job.restored,
        "polls": job.polls,
    }
    if job.taken and job.queued:
        numbers["wait_s"] = (job.taken["t_ns"] - job.queued["t_ns"]) / 1e9
    if job.done and job.queued:
        numbers["job_s"] = (job.done["t_ns"] - job.queued["t_ns"]) / 1e9
    ends, known = [], []
    course = sorted(job.course + ([job.loss] if job.loss and job.loss not in job.course else []), key=lambda r: r["n"])
    for record in course:
        if record["kind"] == "result_stored":
            said = (record["fact"]["container"], record["fact"]["attempt"])
            key = "done" if not known else "done_repeated" if said in known else "done_again"
            known.append(said)
            ends.append(told(trace, record, key))
        elif record["kind"] == "letter_buried":
            ends.append(told(trace, record, "dead"))
        elif record is job.loss:
            ends.append(told(trace, record, "lost"))
        elif record["kind"] == "job_unsure" and job.place is None:
            ends.append(told(trace, record, "unsure"))
    sections = {"user": user(trace, job.req), "course": [told(trace, r) for r in course], "ends": ends}
    return {"of": "job", "end": end_of(job), "numbers": numbers, "sections": sections}


def of_submission(trace, req):
    jobs = [job for job in following(trace).values() if job.req == req]
    answers = [r for r in trace.facts("job_accepted", "job_refused") if r["req"] == req]
    end, numbers, refusal = "waiting", {"jobs": len(jobs)}, []
    if answers:
        status = 202 if answers[0]["kind"] == "job_accepted" else answers[0]["fact"]["status"]
        end = "accepted" if status == 202 else "refused" if status else "unanswered"
        if status:
            numbers["status"] = status
        if status != 202:
            chain = list(trace.chain(answers[0]["n"]))
            said = [r for r in chain if r["kind"] == "response_sent" and r["value"] == status]
            refusal = [line(said[-1], "refused_by")] if said else [line(chain[1], "unanswered")] if chain[1:] else []
    lines = [line(job.created, end_of(job)) for job in jobs]
    sections = {"user": user(trace, req), "refusal": refusal, "jobs": lines}
    return {"of": "submission", "end": end, "numbers": numbers, "sections": sections}
