//! The folds, fed with facts made by hand.

use super::folds::Folds;
use super::*;
use crate::kernel::Instant;
use crate::systems::facts::Told;
use serde_json::json;

/// Folds, who got which entries, and the number of the newest fact.
struct Lab {
    folds: Folds,
    entries: Rc<RefCell<Vec<Value>>>,
    n: u64,
}

fn id(name: &str) -> Rc<str> {
    name.into()
}

impl Lab {
    fn new(budget: usize) -> Self {
        let entries = Rc::new(RefCell::new(Vec::new()));
        let sink = Rc::clone(&entries);
        let listener = Rc::new(RefCell::new(move |entry| sink.borrow_mut().push(entry)));
        Lab {
            folds: Folds::new(&Options { keep: budget, entries: Some(listener), ..Options::default() }),
            entries,
            n: 0,
        }
    }

    fn tell(&mut self, ms: u64, req: u64, fact: Fact) {
        self.n += 1;
        self.folds.hear(&Told { n: self.n, at: Instant::from_millis(ms), node: 1, req, fact: &fact });
    }

    /// A job comes into the queue by `container`, for a submission.
    fn queue(&mut self, ms: u64, submission: u64, name: &str, container: u32) {
        self.tell(ms, submission, Fact::Created { id: id(name), container });
        self.tell(ms, submission, Fact::Queued { id: id(name) });
        self.tell(ms, submission, Fact::Acknowledged { id: id(name), waiting: 1 });
    }

    /// A user wants something, and a job comes into the queue for it; the user has the 202.
    fn submit(&mut self, ms: u64, submission: u64, name: &str) {
        self.tell(ms, submission, Fact::Intended);
        self.queue(ms, submission, name, 1);
        self.tell(ms, submission, Fact::Accepted { id: id(name) });
    }

    /// Worker 1 of a container takes a job.
    fn take(&mut self, ms: u64, name: &str, container: u32, listed: bool) {
        let line = u64::from(container);
        self.tell(ms, 0, Fact::LineOpened { line });
        self.tell(ms, 0, Fact::Taken { id: id(name), line, listed });
        self.tell(ms, 0, Fact::Claimed { id: id(name), container, worker: 1, line });
        self.tell(ms, 0, Fact::Started { id: id(name), container, worker: 1, attempt: 1, work_ns: 0 });
    }

    fn complete(&mut self, ms: u64, name: &str, container: u32) {
        self.tell(ms, 0, Fact::Completed { id: id(name), container: Some(container), attempt: 1 });
    }

    fn finish(&mut self, ms: u64, name: &str, container: u32) {
        self.complete(ms, name, container);
        self.tell(ms, 0, Fact::Released { id: id(name), container, worker: 1, failed: false });
    }

    fn die(&mut self, ms: u64, name: &str, container: u32, told_ns: Option<u64>) {
        let fact = Fact::Dropped { id: id(name), container, worker: 1, told_ns, with_container: true };
        self.tell(ms, 0, fact);
    }

    fn restart(&mut self, ms: u64, queue: &[&str], processing: &[&str]) {
        let ids = |names: &[&str]| names.iter().map(|name| id(name)).collect();
        self.tell(
            ms,
            0,
            Fact::StoreStarted { queue: ids(queue), processing: ids(processing), dead: Vec::new() },
        );
    }

    fn counts(&self) -> Counts {
        self.folds.tally.counts()
    }

    fn place(&self, name: &str) -> Option<Place> {
        self.folds.ledger.job(name).and_then(|job| job.place)
    }

    fn broken(&self) -> Vec<String> {
        let checks = self.folds.checks.verdicts().checks();
        checks
            .into_iter()
            .filter(|check| !check.ok)
            .map(|check| format!("{}: {}", check.name, check.detail))
            .collect()
    }

    /// The entries so far, one line for each.
    fn ended(&self) -> Vec<String> {
        let line = |entry: &Value| format!("{} {} {}", entry["submission"], entry["id"], entry["end"]);
        self.entries.borrow().iter().map(line).collect()
    }
}

#[test]
fn a_job_goes_its_way_and_is_reported_when_its_user_asks_no_more() {
    let mut lab = Lab::new(0);
    lab.submit(1_000, 1, "a");
    lab.take(3_000, "a", 2, false);
    lab.tell(3_500, 1, Fact::Checked { id: id("a"), container: 3 });
    lab.finish(5_000, "a", 2);
    assert_eq!((lab.ended(), lab.place("a")), (vec![], Some(Place::Done)));
    lab.tell(5_500, 1, Fact::Checked { id: id("a"), container: 1 });
    lab.tell(6_000, 1, Fact::Seen);
    assert_eq!(lab.place("a"), None, "it is forgotten");
    let entry = lab.entries.borrow()[0].clone();
    let expected = json!({
        "number": 1, "id": "a", "submission": 1, "end": "done", "place": "done", "cause": null,
        "initiated_by": "c-01", "checked_by": "c-01", "handled_by": "c-02",
        "outcome": "accepted", "status": 202, "intended_at_ms": 1000.0, "answered_at_ms": 1000.0,
        "seen_at_ms": 6000.0, "gave_up": false, "queued_at_ms": 1000.0, "acknowledged_at_ms": 1000.0,
        "taken_at_ms": 3000.0, "done_at_ms": 5000.0, "lost_at_ms": null,
        "completions": 1, "reaped": 0, "restored": 0,
        "claims": [{"worker": "c-02-worker-1", "from_ms": 3000.0, "until_ms": 5000.0, "end": "done"}],
    });
    assert_eq!(entry, expected);
    assert_eq!(lab.counts(), Counts { acknowledged: 1, done: 1, ..Counts::default() });
    let (tally, none) = (&lab.folds.tally, Deeds::default());
    assert_eq!((tally.wait_ms().max(), tally.job_ms().max()), (Some(2_000.0), Some(4_000.0)));
    assert_eq!(tally.deeds(0), Deeds { initiated: 1, checked: 1, ..none });
    assert_eq!(
        [tally.deeds(1), tally.deeds(2)],
        [Deeds { handled: 1, ..none }, Deeds { checked: 1, ..none }]
    );
    assert_eq!(tally.deeds(3), none);
    // It was inside from 1 s to 5 s.
    assert!((tally.mean_in_system(Instant::from_millis(8_000)) - 0.5).abs() < 1e-12);
    assert!((tally.throughput(Instant::from_millis(8_000)) - 0.125).abs() < 1e-12);
}

#[test]
fn a_second_job_of_a_submission_is_a_duplicate_however_many_came_between() {
    let mut lab = Lab::new(0);
    lab.tell(0, 1, Fact::Intended);
    lab.queue(0, 1, "first", 1);
    lab.take(0, "first", 1, false);
    lab.finish(1, "first", 1);
    for submission in 2..302 {
        let name = submission.to_string();
        lab.submit(10, submission, &name);
        lab.take(10, &name, 1, false);
        lab.finish(10, &name, 1);
        lab.tell(10, submission, Fact::Seen);
    }
    lab.queue(20, 1, "second", 2);
    assert_eq!(lab.counts().duplicates, 1);
    // The user has gone, but a third message of its is in an API process.
    lab.tell(30, 1, Fact::Arrived { container: 3 });
    lab.tell(40, 1, Fact::Refused { status: 0, queue_full: false });
    lab.take(50, "second", 1, false);
    lab.finish(60, "second", 1);
    lab.tell(200_000, 400, Fact::Intended);
    lab.queue(200_000, 1, "third", 3);
    lab.tell(200_000, 1, Fact::Gone { container: 3 });
    assert_eq!(lab.counts().duplicates, 2);
    lab.take(200_000, "third", 1, false);
    lab.finish(200_000, "third", 1);
    assert!(lab.folds.ledger.submission(1).is_none(), "nothing more can come of it");
    let ended = lab.ended();
    assert_eq!(
        ended[ended.len() - 3..],
        [r#"1 "first" "done""#, r#"1 "second" "done""#, r#"1 "third" "done""#]
    );
}

#[test]
fn only_what_is_open_takes_memory_but_for_the_budget() {
    let kept = |budget: usize| {
        let mut lab = Lab::new(budget);
        for n in 1..=2_000 {
            let (at, name) = (n * 1_000, n.to_string());
            if n % 4 == 0 {
                lab.tell(at, n, Fact::Intended);
                lab.tell(at, n, Fact::Refused { status: 503, queue_full: true });
                continue;
            }
            lab.submit(at, n, &name);
            lab.take(at, &name, 1, false);
            lab.finish(at, &name, 1);
            lab.tell(at, n, Fact::Seen);
        }
        assert_eq!((lab.counts().done, lab.counts().refused_busy), (1_500, 500));
        let ledger = &lab.folds.ledger;
        (ledger.jobs().count(), ledger.submissions().count())
    };
    // For a minute a submission may come to another job; an entry of those without any waits for that.
    assert_eq!(kept(0), (0, 61));
    // A job weighs two here. Its submission ends a minute after it.
    let (jobs, submissions) = kept(1_000);
    assert!((300..=500).contains(&jobs) && (300..=500).contains(&submissions), "{jobs} {submissions}");
    assert_eq!(kept(usize::MAX), (1_500, 2_000));
}

#[test]
fn what_came_to_no_job_has_an_entry_when_none_can_come_any_more() {
    let mut lab = Lab::new(0);
    lab.tell(0, 1, Fact::Intended);
    lab.tell(0, 1, Fact::Refused { status: 429, queue_full: false });
    lab.tell(0, 2, Fact::Intended);
    lab.tell(100, 2, Fact::Arrived { container: 1 });
    lab.tell(5_000, 2, Fact::Refused { status: 0, queue_full: false });
    lab.tell(61_000, 3, Fact::Intended);
    assert_eq!(lab.ended(), ["1 null \"refused\""]);
    assert_eq!(lab.entries.borrow()[0]["status"], 429);
    // The container takes up the other one now, and the store does not answer.
    lab.tell(90_000, 2, Fact::Created { id: id("a"), container: 1 });
    lab.tell(95_000, 2, Fact::Unsure { id: id("a"), under_way: true });
    lab.tell(95_000, 2, Fact::Gone { container: 1 });
    assert_eq!(lab.ended().len(), 1, "the job may still come to the store");
    lab.restart(99_000, &[], &[]);
    assert_eq!(lab.ended()[1..], ["2 \"a\" \"never_queued\""]);
    assert_eq!(lab.folds.open_entries().len(), 1);
    assert_eq!(lab.folds.open_entries()[0]["outcome"], Value::Null);
    assert_eq!((lab.counts().refused_rate, lab.counts().refused_other), (1, 1));
}

#[test]
fn a_job_that_nobody_has_any_more_is_lost_and_its_cause_is_told() {
    let mut lab = Lab::new(usize::MAX);
    for (submission, name) in ["hand", "way", "dead", "listed", "told", "forgotten"].into_iter().enumerate() {
        lab.submit(0, submission as u64 + 1, name);
    }
    let cause =
        |lab: &Lab, name: &str| lab.folds.ledger.job(name).and_then(|job| job.lost.map(|(_, cause)| cause));
    lab.take(10, "hand", 1, false);
    lab.die(20, "hand", 1, None);
    assert_eq!(cause(&lab, "hand"), Some(Loss::ContainerDied));
    lab.tell(30, 0, Fact::LineOpened { line: 7 });
    lab.tell(30, 0, Fact::Taken { id: id("way"), line: 7, listed: false });
    assert!(lab.folds.ledger.job("way").is_some_and(Job::is_on_the_way));
    lab.tell(40, 0, Fact::LineClosed { line: 7 });
    assert_eq!(cause(&lab, "way"), Some(Loss::OnTheWay));
    lab.tell(50, 0, Fact::Taken { id: id("dead"), line: 7, listed: false });
    assert_eq!(cause(&lab, "dead"), Some(Loss::DeadConnection));
    lab.take(60, "listed", 1, true);
    lab.die(70, "listed", 1, None);
    assert_eq!(
        (cause(&lab, "listed"), lab.place("listed")),
        (None, Some(Place::Processing)),
        "the reaper finds it"
    );
    lab.take(80, "told", 1, false);
    lab.die(90, "told", 1, Some(85_000_000));
    assert_eq!(
        (cause(&lab, "told"), lab.place("told")),
        (None, Some(Place::Processing)),
        "its word is on its way"
    );
    lab.complete(95, "told", 1);
    lab.restart(100, &[], &["listed"]);
    assert_eq!(cause(&lab, "forgotten"), Some(Loss::StoreForgot));
    assert_eq!([lab.place("told"), lab.place("listed")], [Some(Place::Done), Some(Place::Processing)]);
    assert_eq!((lab.counts().lost, lab.counts().done, lab.folds.tally.in_system()), (4, 1, 1));
    assert_eq!(Loss::ALL.map(|cause| lab.folds.tally.lost_by(cause)), [1, 0, 1, 1, 1]);
    assert_eq!(lab.broken(), [""; 0]);
}

#[test]
fn a_word_to_a_store_that_is_gone_is_no_word() {
    let mut lab = Lab::new(usize::MAX);
    lab.submit(0, 1, "a");
    lab.take(10, "a", 1, false);
    lab.restart(30, &[], &[]);
    assert_eq!(lab.place("a"), Some(Place::Processing), "its worker has it");
    lab.die(40, "a", 1, Some(20_000_000));
    assert_eq!(lab.place("a"), Some(Place::Lost));
}

#[test]
fn an_older_snapshot_brings_back_what_was_over_and_that_is_told() {
    let mut lab = Lab::new(0);
    for (submission, name) in [(1, "lost"), (2, "done")] {
        lab.submit(0, submission, name);
    }
    lab.tell(5, 0, Fact::StoreSaved);
    lab.take(10, "lost", 1, false);
    lab.die(20, "lost", 1, None);
    lab.tell(20, 1, Fact::GaveUp { polls: 10 });
    lab.take(30, "done", 2, false);
    lab.finish(40, "done", 2);
    lab.tell(50, 2, Fact::Seen);
    assert_eq!(lab.ended(), [""; 0], "the snapshot has both in the queue");
    lab.restart(60, &["lost", "done"], &[]);
    let counts = lab.counts();
    assert_eq!((counts.restored, counts.lost, counts.done, lab.folds.tally.in_system()), (2, 0, 0, 2));
    lab.take(70, "lost", 2, false);
    lab.finish(80, "lost", 2);
    lab.tell(90, 0, Fact::Taken { id: id("done"), line: 9, listed: false });
    let counts = lab.counts();
    assert_eq!((counts.done, counts.done_again, counts.lost), (1, 0, 1), "what was done is lost now");
    assert_eq!(Loss::ALL.map(|cause| lab.folds.tally.lost_by(cause)), [0, 0, 0, 1, 0]);
    assert_eq!(lab.broken(), [""; 0]);
    lab.tell(100, 0, Fact::StoreSaved);
    assert_eq!(lab.ended(), [r#"1 "lost" "done""#, r#"2 "done" "lost""#]);
    assert!(lab.entries.borrow().iter().all(|entry| entry["restored"] == 1));
}

#[test]
fn a_lost_job_that_comes_back_by_itself_breaks_an_invariant() {
    let comes: [&dyn Fn(&mut Lab); 3] =
        [&|lab| lab.complete(30, "a", 1), &|lab| lab.tell(30, 1, Fact::Queued { id: id("a") }), &|lab| {
            lab.tell(30, 1, Fact::Buried { id: id("a") })
        }];
    for (come, how) in comes.into_iter().zip(["done", "queued", "buried"]) {
        let mut lab = Lab::new(0);
        lab.submit(0, 1, "a");
        lab.take(10, "a", 1, false);
        lab.die(20, "a", 1, None);
        assert_eq!(lab.broken(), [""; 0]);
        come(&mut lab);
        let broken = format!(
            "a lost job never comes back: task a: it was {how} after it was lost (fact {} at 30ms)",
            lab.n
        );
        assert_eq!(lab.broken()[..1], [broken]);
        let first = lab.folds.checks.verdicts().first().map(|violation| violation.fact);
        assert_eq!(first, Some(lab.n));
    }
}

#[test]
fn the_other_invariants_can_be_broken_too() {
    let mut lab = Lab::new(0);
    lab.tell(0, 1, Fact::Intended);
    lab.tell(0, 1, Fact::Created { id: id("a"), container: 1 });
    lab.tell(1, 1, Fact::Acknowledged { id: id("a"), waiting: 1 });
    lab.submit(2, 2, "b");
    lab.tell(3, 2, Fact::Completed { id: id("b"), container: None, attempt: 1 });
    lab.submit(4, 3, "c");
    lab.tell(5, 3, Fact::Released { id: id("c"), container: 1, worker: 1, failed: false });
    let names: Vec<String> =
        lab.broken().into_iter().map(|text| text.split(':').next().unwrap_or_default().to_owned()).collect();
    assert_eq!(
        names,
        [
            "an acknowledged job is somewhere",
            "a done job has its result's time, and who did it",
            "a worker's times with jobs end after they begin"
        ]
    );
}

#[test]
fn a_result_that_is_said_twice_is_one() {
    let mut lab = Lab::new(usize::MAX);
    lab.submit(0, 1, "a");
    lab.take(10, "a", 1, true);
    lab.tell(5_000, 1, Fact::Returned { id: id("a") });
    lab.take(5_010, "a", 2, true);
    lab.complete(6_000, "a", 2);
    lab.finish(6_010, "a", 2);
    assert_eq!((lab.counts().done, lab.counts().done_again, lab.counts().reaped), (1, 0, 1));
    // The worker that was only slow is ready too.
    lab.finish(9_000, "a", 1);
    let job = lab.folds.ledger.job("a").unwrap();
    assert_eq!((job.completions, job.handled_by, job.reaped), (2, Some(1), 1));
    assert_eq!((lab.counts().done, lab.counts().done_again), (1, 1));
}

#[test]
fn a_failed_job_is_queued_again_and_in_the_end_dead_unless_a_slow_worker_does_it() {
    let mut lab = Lab::new(usize::MAX);
    lab.submit(0, 1, "a");
    lab.take(10, "a", 1, true);
    lab.tell(5_000, 1, Fact::Returned { id: id("a") });
    for (container, at) in [(2, 5_010), (3, 6_010)] {
        lab.take(at, "a", container, true);
        lab.tell(at + 500, 1, Fact::Failed { id: id("a"), container, worker: 1, attempt: 1 });
        let last = container == 3;
        let fact = if last { Fact::Buried { id: id("a") } } else { Fact::Queued { id: id("a") } };
        lab.tell(at + 600, 1, fact);
        lab.tell(at + 700, 1, Fact::Released { id: id("a"), container, worker: 1, failed: true });
    }
    let counts = lab.counts();
    assert_eq!((counts.failed, counts.dead, lab.folds.tally.in_system()), (2, 1, 0));
    assert_eq!(lab.folds.ledger.job("a").map(Job::copies), Some([0, 0, 1]));
    lab.finish(9_000, "a", 1);
    let counts = lab.counts();
    assert_eq!((counts.dead, counts.done, lab.place("a")), (0, 1, Some(Place::Done)));
    assert_eq!(lab.broken(), [""; 0]);
}
