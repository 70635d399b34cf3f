//! What is reported of a job, or of a submission that came to none: an entry of `jobs` in a run's JSON.

use super::job::{Claim, ClaimEnd, Job, Outcome, Place, Submission};
use crate::kernel::Instant;
use crate::systems::wizard::{container_name, worker_name};
use serde::Serialize;
use serde_json::Value;

/// A job and what it came of. A submission that came to no job, because it was refused or its answer never came, has an
/// entry of its own without number and id. One of which the run knew no more when its job ended has no outcome.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entry<'a> {
    /// The job's number.
    pub number: Option<u64>,
    /// Its id.
    pub id: Option<&'a str>,
    /// The number of the submission that it came of; 0 for none.
    pub submission: u64,
    /// How it ended; null while it has not.
    pub end: Option<End>,
    /// Where it is; null before it was pushed.
    pub place: Option<Place>,
    /// Why it was lost.
    pub cause: Option<&'static str>,
    /// The container that took it.
    pub initiated_by: Option<String>,
    /// The container that answered the newest poll.
    pub checked_by: Option<String>,
    /// The container whose worker did it first.
    pub handled_by: Option<String>,
    /// What the user got: `accepted`, `refused`, `unanswered`; null while it waits.
    pub outcome: Option<&'static str>,
    /// The status of that answer.
    pub status: Option<u16>,
    /// When the user wanted it.
    pub intended_at_ms: Option<f64>,
    /// When the user had an answer, or gave up waiting for one.
    pub answered_at_ms: Option<f64>,
    /// When a poll said that it is done or has failed.
    pub seen_at_ms: Option<f64>,
    /// Whether the user gave up polling.
    pub gave_up: bool,
    /// When it was first in the queue.
    pub queued_at_ms: Option<f64>,
    /// When its 202 left.
    pub acknowledged_at_ms: Option<f64>,
    /// When it was first taken from the queue.
    pub taken_at_ms: Option<f64>,
    /// When it was first done.
    pub done_at_ms: Option<f64>,
    /// When it was lost.
    pub lost_at_ms: Option<f64>,
    /// How often it was done.
    pub completions: u32,
    /// How often a reaper put it back.
    pub reaped: u32,
    /// How often it came back with an older snapshot of the store after it was over.
    pub restored: u32,
    /// Who had it in hand, oldest first.
    pub claims: Vec<ClaimEntry>,
}

/// How a unit of work ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// The store has its result.
    Done,
    /// It failed too often.
    Dead,
    /// Nobody has it any more.
    Lost,
    /// A container began with it, and it never reached the store.
    NeverQueued,
    /// No container began with it.
    Refused,
}

/// A worker's time with a job.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClaimEntry {
    /// The worker process.
    pub worker: String,
    /// Since when.
    pub from_ms: f64,
    /// Until when.
    pub until_ms: Option<f64>,
    /// How it ended.
    pub end: ClaimEnd,
}

impl<'a> Entry<'a> {
    /// Of a job, and of the submission that it came of as far as that is known.
    pub(super) fn of_job(job: &'a Job, submission: Option<&Submission>) -> Self {
        let ms = |at: Option<Instant>| at.map(Instant::as_millis_f64);
        let name = |container: Option<u32>| container.map(|i| container_name(i + 1));
        Entry {
            number: Some(job.number),
            id: Some(&job.id),
            end: match job.place {
                Some(Place::Done) => Some(End::Done),
                Some(Place::DeadLetter) => Some(End::Dead),
                Some(Place::Lost) => Some(End::Lost),
                None if job.state.unsent => Some(End::NeverQueued),
                Some(Place::Queue | Place::Processing) | None => None,
            },
            place: job.place,
            cause: job.lost.map(|(_, cause)| cause.words()),
            initiated_by: name(Some(job.initiated_by)),
            checked_by: name(job.checked_by),
            handled_by: name(job.handled_by),
            queued_at_ms: ms(job.queued_at),
            acknowledged_at_ms: ms(job.acknowledged_at),
            taken_at_ms: ms(job.taken_at),
            done_at_ms: ms(job.done_at),
            lost_at_ms: ms(job.lost.map(|(at, _)| at)),
            completions: job.completions,
            reaped: job.reaped,
            restored: job.restored,
            claims: job.claims.iter().map(ClaimEntry::of).collect(),
            ..Entry::of(job.submission, submission)
        }
    }

    /// Of a submission that came to no job.
    pub(super) fn of_submission(submission: &Submission) -> Self {
        let refused = matches!(submission.outcome, Outcome::Refused(_)) || submission.settled;
        Entry { end: refused.then_some(End::Refused), ..Entry::of(submission.number, Some(submission)) }
    }

    fn of(number: u64, submission: Option<&Submission>) -> Self {
        let ms = |at: Option<Instant>| at.map(Instant::as_millis_f64);
        let (outcome, status) = match submission.map(|submission| submission.outcome) {
            None | Some(Outcome::Waiting) => (None, None),
            Some(Outcome::Accepted) => (Some("accepted"), Some(202)),
            Some(Outcome::Refused(0)) => (Some("unanswered"), None),
            Some(Outcome::Refused(status)) => (Some("refused"), Some(status)),
        };
        Entry {
            number: None,
            id: None,
            submission: number,
            end: None,
            place: None,
            cause: None,
            initiated_by: None,
            checked_by: None,
            handled_by: None,
            outcome,
            status,
            intended_at_ms: ms(submission.map(|submission| submission.intended_at)),
            answered_at_ms: ms(submission.and_then(|submission| submission.answered_at)),
            seen_at_ms: ms(submission.and_then(|submission| submission.seen_at)),
            gave_up: submission.is_some_and(|submission| submission.gave_up),
            queued_at_ms: None,
            acknowledged_at_ms: None,
            taken_at_ms: None,
            done_at_ms: None,
            lost_at_ms: None,
            completions: 0,
            reaped: 0,
            restored: 0,
            claims: Vec::new(),
        }
    }

    /// Its JSON.
    pub(super) fn to_json(&self) -> Value {
        // Plain data cannot fail to be JSON.
        serde_json::to_value(self).unwrap_or_default()
    }
}

impl ClaimEntry {
    fn of(claim: &Claim) -> Self {
        ClaimEntry {
            worker: worker_name(claim.container + 1, claim.worker + 1),
            from_ms: claim.from.as_millis_f64(),
            until_ms: claim.until.map(Instant::as_millis_f64),
            end: claim.end,
        }
    }
}
