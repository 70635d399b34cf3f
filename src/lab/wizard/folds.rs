//! Who hears of a run's facts: the courses of its jobs and submissions (`course.rs`), and with them the tally, the checks,
//! the ledger, and whoever gets each unit of work when it has ended.

use super::checks::Checks;
use super::entry::Entry;
use super::ledger::Ledger;
use super::tally::Tally;
use crate::kernel::{Duration, Instant};
use crate::lab::Options;
use crate::lab::kept::Kept;
use crate::lab::recorder::Recording;
use crate::lab::system::{Entries, give};
use crate::systems::facts::{Hear, Told};
use crate::systems::wizard::fact::Fact;
use std::collections::{BTreeMap, VecDeque};

/// A message of a user that has settled may be on its way to an API process for so long.
const LINGER: Duration = Duration::from_secs(60);

/// What a run's facts amount to.
pub(super) struct Folds {
    pub(super) ledger: Ledger,
    pub(super) tally: Tally,
    pub(super) checks: Checks,
    pub(super) kept: Kept<Fact>,
    entries: Option<Entries>,
    pub(super) recording: Recording,
    /// The lines of living workers, each with the number of the job that is on its way.
    pub(super) lines: BTreeMap<u64, Option<u64>>,
    /// When the store last started.
    pub(super) store_started: Instant,
    /// Submissions that have settled, and when, oldest first.
    settled: VecDeque<(Instant, u64)>,
}

impl Folds {
    /// Nothing has happened yet.
    pub(super) fn new(options: &Options) -> Self {
        Folds {
            ledger: Ledger::new(options.keep),
            tally: Tally::default(),
            checks: Checks::new(),
            kept: Kept::new(options.facts),
            entries: options.entries.clone(),
            recording: options.recording.clone(),
            lines: BTreeMap::new(),
            store_started: Instant::ZERO,
            settled: VecDeque::new(),
        }
    }

    // --- ends -------------------------------------------------------------------------------------------------------

    /// A submission's user asks no more.
    pub(super) fn settle(&mut self, number: u64, now: Instant) {
        let Some(submission) = self.ledger.submission_mut(number).filter(|other| !other.settled) else {
            return;
        };
        submission.settled = true;
        let open = submission.open.clone();
        self.settled.push_back((now, number));
        open.into_iter().for_each(|job| self.end_job_if_over(job));
    }

    fn quieten(&mut self, now: Instant) {
        while let Some(&(at, number)) = self.settled.front()
            && now.since(at) > LINGER
        {
            self.settled.pop_front();
            if let Some(submission) = self.ledger.submission_mut(number) {
                submission.quiet = true;
                self.end_submission_if_over(number);
            }
        }
    }

    /// A job has ended when nothing can become of it any more and its user asks no more: it is over, or never reached the
    /// store; nobody has it; and no snapshot would bring it back.
    pub(super) fn end_job_if_over(&mut self, number: u64) {
        let Some(job) = self.ledger.job_at(number).filter(|job| !job.state.ended) else { return };
        let submission = self.ledger.submission(job.submission);
        let asks = submission.is_some_and(|submission| !submission.settled);
        let over = job.is_over() || job.place.is_none() && job.state.unsent;
        if !over || asks || job.state.pushing || job.may_be_done() || job.state.saved {
            return;
        }
        let number_of_submission = job.submission;
        give(&self.entries, || Entry::of_job(job, submission).to_json());
        self.ledger.end_job(number);
        if let Some(submission) = self.ledger.submission_mut(number_of_submission) {
            submission.open.retain(|&other| other != number);
            self.end_submission_if_over(number_of_submission);
        }
    }

    /// A submission has ended when its jobs have and there cannot come any more.
    pub(super) fn end_submission_if_over(&mut self, number: u64) {
        let Some(submission) = self.ledger.submission_mut(number) else { return };
        if !submission.quiet || submission.inside > 0 || !submission.open.is_empty() {
            return;
        }
        if submission.jobs == 0 {
            give(&self.entries, || Entry::of_submission(submission).to_json());
        }
        self.ledger.end_submission(number);
    }

    /// What has not ended: the jobs, and the submissions without one.
    #[cfg_attr(
        all(target_arch = "wasm32", not(feature = "lab"), not(test)),
        expect(dead_code, reason = "the page reports nothing")
    )]
    pub(super) fn open_entries(&self) -> Vec<serde_json::Value> {
        let jobs = self.ledger.open_jobs();
        let jobs = jobs.map(|job| Entry::of_job(job, self.ledger.submission(job.submission)));
        let others = self.ledger.open_submissions().filter(|submission| submission.jobs == 0);
        jobs.chain(others.map(Entry::of_submission)).map(|entry| entry.to_json()).collect()
    }
}

impl Hear<Fact> for Folds {
    fn hear(&mut self, told: &Told<'_, Fact>) {
        self.kept.hear(told, None);
        self.quieten(told.at);
        self.follow(told);
    }
}
