//! What happened, as the laboratory sees it: which job was where, who had it in hand, and why it was lost. The roles write
//! into it and never read it; nothing in a simulation depends on it.
//!
//! Where a job is, the store decides: `tap.rs` tells the log of each command and each reply there. What leaves the
//! store for a worker is in a worker's hand from then on, although it may still be on its way.

mod job;

pub use job::{Claim, ClaimEnd, Job, Loss, Place, wait_of};

use crate::kernel::Instant;
use serde::Serialize;
use std::collections::{BTreeMap, VecDeque};

/// What became of a submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// No answer yet.
    Waiting,
    /// 202.
    Accepted,
    /// Another status; 0 is no answer at all.
    Refused(u16),
}

/// A user's wish to have something added.
#[derive(Clone, Debug, PartialEq)]
pub struct Submission {
    /// Counted from 1.
    pub number: u64,
    /// When the user wanted it.
    pub intended_at: Instant,
    /// When the user had an answer, or gave up waiting for one.
    pub answered_at: Option<Instant>,
    /// Which.
    pub outcome: Outcome,
    /// When a poll said that it is done or has failed.
    pub seen_at: Option<Instant>,
    /// The user gave up polling.
    pub gave_up: bool,
}

/// Counts over the whole run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Jobs acknowledged with 202.
    pub acknowledged: u64,
    /// Jobs with a result.
    pub done: u64,
    /// Results for jobs that had one already.
    pub done_again: u64,
    /// Jobs in the dead-letter queue.
    pub dead: u64,
    /// Jobs lost.
    pub lost: u64,
    /// Jobs of submissions that had one already.
    pub duplicates: u64,
    /// Jobs that a reaper put back.
    pub reaped: u64,
    /// Attempts that failed.
    pub failed: u64,
    /// Submissions refused because of a long queue: 503.
    pub refused_busy: u64,
    /// Submissions refused because of too many requests: 429.
    pub refused_rate: u64,
    /// Submissions that failed in any other way.
    pub refused_other: u64,
    /// Users that gave up polling.
    pub gave_up: u64,
}

/// The jobs and submissions of a run, at most so many of the newest, and counts over all of it.
#[derive(Debug)]
pub struct Log {
    keep: usize,
    jobs: VecDeque<Job>,
    by_id: BTreeMap<String, u64>,
    next_job: u64,
    submissions: VecDeque<Submission>,
    /// Counts over the whole run.
    pub counts: Counts,
    /// Jobs that wait, are in hand, and the integral of their number over time, in job nanoseconds.
    in_system: u64,
    changed_at: Instant,
    area: u128,
    /// The first thing that happened and may not.
    pub first_wrong: Option<String>,
}

impl Log {
    pub(super) fn new(keep: usize) -> Self {
        Log {
            keep,
            jobs: VecDeque::new(),
            by_id: BTreeMap::new(),
            next_job: 1,
            submissions: VecDeque::new(),
            counts: Counts::default(),
            in_system: 0,
            changed_at: Instant::ZERO,
            area: 0,
            first_wrong: None,
        }
    }

    /// The jobs kept, oldest first.
    pub fn jobs(&self) -> &VecDeque<Job> {
        &self.jobs
    }

    /// The submissions kept, oldest first.
    pub fn submissions(&self) -> &VecDeque<Submission> {
        &self.submissions
    }

    /// The job of an id, if it is kept.
    pub fn job(&self, id: &str) -> Option<&Job> {
        let first = self.jobs.front()?.number;
        self.jobs.get(self.by_id.get(id)?.checked_sub(first)? as usize)
    }

    /// How many jobs were in the system on average from virtual zero to `now`.
    pub fn mean_in_system(&self, now: Instant) -> f64 {
        let area = self.area + u128::from(self.in_system) * u128::from(now.since(self.changed_at).as_nanos());
        area as f64 / (now.since(Instant::ZERO).as_nanos() as f64).max(1.0)
    }

    fn job_mut(&mut self, id: &str) -> Option<&mut Job> {
        let first = self.jobs.front()?.number;
        self.jobs.get_mut(self.by_id.get(id)?.checked_sub(first)? as usize)
    }

    fn count_in_system(&mut self, now: Instant, delta: i64) {
        let span = now.since(self.changed_at).as_nanos();
        self.area += u128::from(self.in_system) * u128::from(span);
        self.in_system = self.in_system.saturating_add_signed(delta);
        self.changed_at = now;
    }

    // --- submissions --------------------------------------------------------------------------------------------

    pub(super) fn intended(&mut self, number: u64, now: Instant) {
        if self.submissions.len() >= self.keep {
            self.submissions.pop_front();
        }
        self.submissions.push_back(Submission {
            number,
            intended_at: now,
            answered_at: None,
            outcome: Outcome::Waiting,
            seen_at: None,
            gave_up: false,
        });
    }

    fn submission_mut(&mut self, number: u64) -> Option<&mut Submission> {
        let first = self.submissions.front()?.number;
        self.submissions.get_mut(number.checked_sub(first)? as usize)
    }

    /// A user has an answer; status 0 is none.
    pub(super) fn answered(&mut self, number: u64, status: u16, busy: bool, now: Instant) {
        match status {
            202 => {}
            503 if busy => self.counts.refused_busy += 1,
            429 => self.counts.refused_rate += 1,
            _ => self.counts.refused_other += 1,
        }
        if let Some(submission) = self.submission_mut(number) {
            submission.answered_at = Some(now);
            submission.outcome = if status == 202 { Outcome::Accepted } else { Outcome::Refused(status) };
        }
    }

    pub(super) fn seen(&mut self, number: u64, now: Instant) {
        if let Some(submission) = self.submission_mut(number) {
            submission.seen_at = Some(now);
        }
    }

    pub(super) fn gave_up(&mut self, number: u64) {
        self.counts.gave_up += 1;
        if let Some(submission) = self.submission_mut(number) {
            submission.gave_up = true;
        }
    }

    // --- jobs: what the roles tell ------------------------------------------------------------------------------

    /// An API process begins with a job.
    pub(super) fn created(&mut self, id: &str, submission: u64, container: u32) {
        while self.jobs.len() >= self.keep
            && self.jobs.front().is_some_and(|j| j.is_over() || j.place.is_none())
        {
            let old = self.jobs.pop_front();
            old.map(|job| self.by_id.remove(&job.id));
        }
        let number = self.next_job;
        self.next_job += 1;
        self.by_id.insert(id.to_owned(), number);
        self.jobs.push_back(Job {
            number,
            id: id.to_owned(),
            submission,
            initiated_by: container,
            queued_at: None,
            taken_at: None,
            acknowledged_at: None,
            place: None,
            claims: Vec::new(),
            done_at: None,
            handled_by: None,
            completions: 0,
            reaped: 0,
            lost: None,
            checked_by: None,
        });
    }

    /// Its 202 leaves.
    pub(super) fn acknowledged(&mut self, id: &str, now: Instant) {
        self.counts.acknowledged += 1;
        if let Some(job) = self.job_mut(id) {
            job.acknowledged_at = Some(now);
        }
    }

    pub(super) fn checked(&mut self, id: &str, container: u32) {
        if let Some(job) = self.job_mut(id) {
            job.checked_by = Some(container);
        }
    }

    /// A worker has it in hand.
    pub(super) fn claimed(&mut self, id: &str, container: u32, worker: u32, now: Instant) {
        let claim = Claim { container, worker, from: now, until: None, end: ClaimEnd::Open };
        if let Some(job) = self.job_mut(id) {
            job.claims.push(claim);
        }
    }

    /// A worker's time with it is over.
    pub(super) fn released(&mut self, id: &str, container: u32, worker: u32, end: ClaimEnd, now: Instant) {
        if end == ClaimEnd::Failed {
            self.counts.failed += 1;
        }
        let own = |c: &&mut Claim| (c.container, c.worker, c.until) == (container, worker, None);
        if let Some(claim) = self.job_mut(id).and_then(|job| job.claims.iter_mut().rev().find(own)) {
            (claim.until, claim.end) = (Some(now), end);
        }
    }

    /// Nobody has it any more. False when it was over already.
    pub(super) fn lose(&mut self, id: &str, cause: Loss, now: Instant) -> bool {
        let Some(job) = self.job_mut(id).filter(|job| job.place.is_some() && !job.is_over()) else {
            return false;
        };
        (job.place, job.lost) = (Some(Place::Lost), Some((now, cause)));
        self.counts.lost += 1;
        self.count_in_system(now, -1);
        true
    }

    // --- jobs: what the store's tap tells -----------------------------------------------------------------------

    pub(super) fn queued(&mut self, id: &str, now: Instant) {
        let Some(job) = self.job_mut(id) else { return };
        let (first, over) = (job.place.is_none(), job.is_over());
        if first {
            job.queued_at = Some(now);
        }
        if over {
            // A store that went back to an older state has it again; only a lost job may not come back.
            if job.place == Some(Place::Lost) {
                self.first_wrong.get_or_insert(format!("job {id} was queued after it was lost"));
            }
            return;
        }
        job.place = Some(Place::Queue);
        let submission = job.submission;
        if first {
            self.count_in_system(now, 1);
            let again = |j: &Job| j.submission == submission && j.id != id && j.place.is_some();
            self.counts.duplicates +=
                u64::from(submission > 0 && self.jobs.iter().rev().take(100).any(again));
        }
    }

    pub(super) fn reaped(&mut self, id: &str, now: Instant) {
        self.counts.reaped += 1;
        if let Some(job) = self.job_mut(id) {
            job.reaped += 1;
        }
        self.queued(id, now);
    }

    pub(super) fn taken(&mut self, id: &str, now: Instant) {
        let Some(job) = self.job_mut(id) else { return };
        job.taken_at.get_or_insert(now);
        if !job.is_over() {
            job.place = Some(Place::Processing);
        }
    }

    /// A result was written, by container number `by`.
    pub(super) fn done(&mut self, id: &str, by: Option<u32>, now: Instant) {
        let Some(job) = self.job_mut(id) else { return };
        job.completions += 1;
        if job.completions > 1 {
            self.counts.done_again += 1;
            return;
        }
        if job.place == Some(Place::Lost) {
            let what = format!("job {id} was done after it was lost");
            self.first_wrong.get_or_insert(what);
            return;
        }
        let was_dead = job.place == Some(Place::DeadLetter);
        (job.place, job.done_at, job.handled_by) = (Some(Place::Done), Some(now), by);
        self.counts.done += 1;
        if was_dead {
            // Others failed too often at what a slow worker had in hand all the time.
            self.counts.dead -= 1;
        } else {
            self.count_in_system(now, -1);
        }
    }

    /// Where a job is after the store has started again; `None` leaves it.
    pub(super) fn placed(&mut self, id: &str, place: Place) {
        if let Some(job) = self.job_mut(id) {
            job.place = Some(place);
        }
    }

    pub(super) fn buried(&mut self, id: &str, now: Instant) {
        let Some(job) = self.job_mut(id).filter(|job| !job.is_over()) else { return };
        job.place = Some(Place::DeadLetter);
        self.counts.dead += 1;
        self.count_in_system(now, -1);
    }
}
