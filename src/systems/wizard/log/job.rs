//! A job, who had it in hand, and what became of it.

use crate::kernel::{Duration, Instant};
use serde::Serialize;

/// Where a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// It waits.
    Queue,
    /// A worker has it, or it is on the way to one; with LMOVE, it stands in the processing list.
    Processing,
    /// It failed too often.
    DeadLetter,
    /// Its result is in the store.
    Done,
    /// Nobody has it any more.
    Lost,
}

/// Why nobody has a job any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Loss {
    /// Its container died with it in hand.
    ContainerDied,
    /// The worker process died with it in hand.
    WorkerDied,
    /// The queue gave it to a worker that died before it came.
    OnTheWay,
    /// The queue gave it to a worker that had died already.
    DeadConnection,
    /// The store started again without it.
    StoreForgot,
}

impl Loss {
    /// In words, after "it was lost: ".
    pub const fn words(self) -> &'static str {
        match self {
            Loss::ContainerDied => "its container died with it in hand",
            Loss::WorkerDied => "its worker process died with it in hand",
            Loss::OnTheWay => "its worker died while it was on the way",
            Loss::DeadConnection => "the queue gave it to a worker that was dead already",
            Loss::StoreForgot => "the store started again without it",
        }
    }
}

/// How a worker's time with a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ClaimEnd {
    /// Not yet.
    Open,
    /// With a result.
    Done,
    /// With a failure.
    Failed,
    /// The worker died.
    Died,
}

/// A worker's time with a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Which container, counted from 0.
    pub container: u32,
    /// Which of its worker processes, counted from 0.
    pub worker: u32,
    /// Since when.
    pub from: Instant,
    /// Until when.
    pub until: Option<Instant>,
    /// How it ended.
    pub end: ClaimEnd,
}

/// A job.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// Counted from 1 over the run, in the order in which API processes began with them.
    pub number: u64,
    /// Its id.
    pub id: String,
    /// The submission that it came of; another job of the same one is a duplicate.
    pub submission: u64,
    /// The container that took it, counted from 0.
    pub initiated_by: u32,
    /// When it was pushed; `None` while it is on the way to the store, or when it never arrived.
    pub queued_at: Option<Instant>,
    /// When it was taken from the queue for the first time.
    pub taken_at: Option<Instant>,
    /// When its 202 left.
    pub acknowledged_at: Option<Instant>,
    /// Where it is; `None` before it was pushed.
    pub place: Option<Place>,
    /// Who had it in hand, oldest first.
    pub claims: Vec<Claim>,
    /// When it was first done.
    pub done_at: Option<Instant>,
    /// The container whose worker did it first, counted from 0.
    pub handled_by: Option<u32>,
    /// How often a result was written.
    pub completions: u32,
    /// How often a reaper put it back.
    pub reaped: u32,
    /// When and why it was lost.
    pub lost: Option<(Instant, Loss)>,
    /// The container that answered the newest poll, counted from 0.
    pub checked_by: Option<u32>,
}

impl Job {
    /// True when nothing will become of it any more.
    pub fn is_over(&self) -> bool {
        matches!(self.place, Some(Place::Done | Place::DeadLetter | Place::Lost))
    }
}

/// From the push to the first time that it was taken.
pub fn wait_of(job: &Job) -> Option<Duration> {
    Some(job.taken_at?.since(job.queued_at?))
}
