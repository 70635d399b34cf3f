//! A run as canonical lines: one for each request, submission, job or version, with what happened to it and when.
//!
//! Only facts of the run stand here, no statistics, no hashes and no counts of events, so that a line means the same
//! however the logs keep it. This file is what has to follow when they change; the lines may not. Instants are
//! nanoseconds, floats their bits in hexadecimal, `-` is what never was.

use glasshive::kernel::{Instant, Sink};
use glasshive::lab::config::ConfigRun;
use glasshive::lab::config::counts::{Changes, Polls, Tries};
use glasshive::lab::config::ledger::{Second, VersionEntry};
use glasshive::lab::oracle::{RequestEntry, TaskEntry};
use glasshive::lab::wizard::{Claim, Job, Submission, WizardRun};
use glasshive::lab::{Options, Run};
use glasshive::systems::wizard::fact::JOB_DONE;
use std::collections::BTreeMap;
use std::fmt::Debug;

/// What a run must keep, so that its lines can be written.
pub fn options() -> Options {
    Options { sink: Sink::Full, ..Options::default() }
}

/// One unit of work.
pub struct Line {
    /// When somebody wanted it.
    pub at: Instant,
    pub text: String,
}

/// A run's outcome.
#[derive(Default)]
pub struct Outcome {
    /// Every unit, in the order of their numbers.
    pub lines: Vec<Line>,
    /// How many units ended how, and what is only counted.
    pub counts: BTreeMap<String, u64>,
}

impl Outcome {
    pub fn of(run: &Run) -> Self {
        let (system, mut outcome) = (run.system(), Outcome::default());
        if let Some(oracle) = glasshive::lab::oracle::of(system) {
            oracle.ledger().requests().iter().for_each(|entry| outcome.add_request(entry));
        } else if let Some(wizard) = glasshive::lab::wizard::of(system) {
            outcome.add_wizard(wizard, &sums(run));
        } else {
            outcome.add_config(system.of_type().expect("there is no further system"));
        }
        outcome
    }

    fn add(&mut self, at: Instant, end: &str, text: String) {
        self.count(end, 1);
        self.lines.push(Line { at, text });
    }

    fn count(&mut self, what: &str, count: u64) {
        *self.counts.entry(what.to_owned()).or_default() += count;
    }

    // --- the oracle -----------------------------------------------------------------------------------------------

    fn add_request(&mut self, entry: &RequestEntry) {
        let end = match (&entry.result, &entry.error) {
            (Some(_), _) => "answered".to_owned(),
            (None, Some(failure)) => format!("{} {}", failure.status, failure.code),
            (None, None) => "open".to_owned(),
        };
        // By name: the ledger's order is not a fact of the run. The order of the answer is.
        let mut tasks: Vec<&TaskEntry> = entry.tasks.iter().collect();
        tasks.sort_by_key(|task| (task.worker.len(), task.worker.clone()));
        let result = entry.result.as_ref().map(|result| {
            let given = result.worker_responses.iter().map(|response| {
                let value = response.err.as_deref().map_or_else(|| bits(response.value), str::to_owned);
                format!("{} {value} {}", response.worker_id, response.response_time.as_nanos())
            });
            format!("{} {} of {}", bits(result.final_value), result.reliability_note, list(given))
        });
        let text = format!(
            "request {} {} requested={} opened={} closed={} answered={} truth={} duplicated={} published={} \
             redelivered={} end={end} result={} tasks={}",
            entry.number,
            entry.query,
            at(Some(entry.requested_at)),
            at(entry.opened_at),
            at(entry.closed_at),
            at(entry.answered_at),
            bits(entry.truth),
            entry.duplicated,
            entry.published,
            entry.redelivered,
            result.unwrap_or_else(none),
            list(tasks.into_iter().map(task)),
        );
        self.add(entry.requested_at, &format!("request {end}"), text);
    }

    // --- the Math Wizard ------------------------------------------------------------------------------------------

    fn add_wizard(&mut self, wizard: &WizardRun, sums: &Sums) {
        let ledger = wizard.ledger();
        let mut posted = BTreeMap::new();
        for entry in ledger.submissions() {
            posted.insert(entry.number, entry.intended_at);
            self.add_submission(entry, sums.get(&entry.number));
        }
        for entry in ledger.jobs() {
            self.add_job(entry, posted.get(&entry.submission).copied().unwrap_or_default());
        }
    }

    fn add_submission(&mut self, entry: &Submission, sums: Option<&Vec<String>>) {
        let end = format!("{:?}", entry.outcome);
        let text = format!(
            "submission {} posted={} answered={} end={end} seen={} gave_up={} sums={}",
            entry.number,
            at(Some(entry.intended_at)),
            at(entry.answered_at),
            at(entry.seen_at),
            entry.gave_up,
            list(sums.into_iter().flatten().cloned()),
        );
        self.add(entry.intended_at, &format!("submission {end}"), text);
    }

    fn add_job(&mut self, entry: &Job, posted: Instant) {
        let place = entry.place.map_or_else(none, debug);
        let text = format!(
            "job {} {} of={} posted={} queued={} taken={} acknowledged={} done={} initiated_by={} handled_by={} \
             checked_by={} place={place} completions={} reaped={} lost={} claims={}",
            entry.number,
            entry.id,
            entry.submission,
            at(Some(posted)),
            at(entry.queued_at),
            at(entry.taken_at),
            at(entry.acknowledged_at),
            at(entry.done_at),
            entry.initiated_by,
            entry.handled_by.map_or_else(none, debug),
            entry.checked_by.map_or_else(none, debug),
            entry.completions,
            entry.reaped,
            entry.lost.map_or_else(none, |(when, why)| format!("{} {why:?}", when.as_nanos())),
            list(entry.claims.iter().map(claim)),
        );
        let why = entry.lost.map(|(_, why)| format!(" {why:?}")).unwrap_or_default();
        self.add(posted, &format!("job {place}{why}"), text);
    }

    // --- the configuration system ---------------------------------------------------------------------------------

    fn add_config(&mut self, system: &ConfigRun) {
        let (tally, ledger) = (system.tally(), system.ledger());
        ledger.versions().iter().for_each(|entry| self.add_version(entry));
        // Most of a herd's run is polls, which are too many for a line each.
        for (second, n) in ledger.load().iter().zip(0..) {
            let Second { requests, polls: Polls { modified, not_modified, failed }, herd, .. } = second;
            if (*requests, *herd, second.polls) == (0, 0, Polls::default()) {
                continue;
            }
            let text = format!(
                "second {n} requests={requests} herd={herd} modified={modified} not_modified={not_modified} failed={failed}"
            );
            self.add(Instant::from_millis(n * 1_000), "second", text);
        }
        let Changes { intended, made, refused, given_up } = tally.changes;
        self.count("change intended", intended);
        self.count("change made", made);
        self.count("change refused", refused);
        self.count("change given up", given_up);
        let Tries { answered, found, conflicts, refused, unanswered } = tally.tries;
        self.count("try answered", answered);
        self.count("try found done", found);
        self.count("try in conflict", conflicts);
        self.count("try refused", refused);
        self.count("try without an answer", unanswered);
    }

    fn add_version(&mut self, entry: &VersionEntry) {
        let had = |instants: &[Option<Instant>]| list(instants.iter().map(|&instant| at(instant)));
        let text = format!(
            "version {} rate={} query={} note={} stored={} acknowledged={} done={} failed={} agents={} workers={}",
            entry.number,
            bits(entry.settings.rate),
            entry.settings.query,
            entry.settings.note,
            at(Some(entry.stored_at)),
            at(entry.acknowledged_at),
            entry.ticks_done,
            entry.ticks_failed,
            had(&entry.agents),
            had(&entry.workers),
        );
        let everywhere = entry.workers.iter().all(Option::is_some);
        let end = if everywhere { "version everywhere" } else { "version not everywhere" };
        self.add(entry.stored_at, end, text);
    }
}

// --- their parts --------------------------------------------------------------------------------------------------

fn task(task: &TaskEntry) -> String {
    format!(
        "{} {:?} at={} late={} value={} err={} weight={} lying={} copies={} deliveries={}",
        task.worker,
        task.end,
        at(task.ended_at),
        at(task.late_at),
        task.value.map_or_else(none, bits),
        task.err.as_deref().map_or_else(none, str::to_owned),
        bits(task.weight),
        task.lying,
        task.copies,
        task.deliveries,
    )
}

/// The sums that workers had for each submission, and when.
type Sums = BTreeMap<u64, Vec<String>>;

fn sums(run: &Run) -> Sums {
    let mut sums = Sums::new();
    for record in run.trace().records().filter(|record| record.kind == JOB_DONE) {
        sums.entry(record.tag).or_default().push(format!("{} {:016x}", record.at.as_nanos(), record.value));
    }
    sums
}

fn claim(claim: &Claim) -> String {
    let Claim { container, worker, from, until, end, .. } = claim;
    format!("{container}.{worker} from={} until={} {end:?}", from.as_nanos(), at(*until))
}

// --- words --------------------------------------------------------------------------------------------------------

fn at(instant: Option<Instant>) -> String {
    instant.map_or_else(none, |instant| instant.as_nanos().to_string())
}

fn bits(x: f64) -> String {
    format!("{:016x}", x.to_bits())
}

fn debug(x: impl Debug) -> String {
    format!("{x:?}")
}

fn none() -> String {
    "-".to_owned()
}

fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(", "))
}
