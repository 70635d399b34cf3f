//! A job, a submission, and what becomes of them.

use crate::kernel::{Duration, Instant};
use serde::Serialize;
use std::rc::Rc;

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

impl Place {
    /// True where nothing will become of a job any more, unless the store goes back to an older state.
    pub fn is_over(self) -> bool {
        matches!(self, Place::Done | Place::DeadLetter | Place::Lost)
    }
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
    /// All of them.
    pub const ALL: [Loss; 5] =
        [Loss::ContainerDied, Loss::WorkerDied, Loss::OnTheWay, Loss::DeadConnection, Loss::StoreForgot];

    /// Its key in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Loss::ContainerDied => "container_died",
            Loss::WorkerDied => "worker_died",
            Loss::OnTheWay => "on_the_way",
            Loss::DeadConnection => "dead_connection",
            Loss::StoreForgot => "store_forgot",
        }
    }

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
    /// Which attempt the store says it is; 0 before the work begins.
    pub(super) attempt: u64,
    /// The worker has failed.
    pub(super) failed: bool,
    /// The store has heard what became of it.
    pub(super) heard: bool,
    /// The worker died, and its word about it is on its way to the store.
    pub(super) word: bool,
}

/// A job.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// Counted from 1 over the run, in the order in which API processes began with them.
    pub number: u64,
    /// Its id.
    pub id: Rc<str>,
    /// The submission that it came of; another job of the same one is a duplicate.
    pub submission: u64,
    /// The container that took it, counted from 0.
    pub initiated_by: u32,
    /// When it was first in the queue; `None` while it is on the way to the store, or when it never arrived.
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
    /// How often it was done.
    pub completions: u32,
    /// How often a reaper put it back.
    pub reaped: u32,
    /// How often it was over, and the store started again with an older snapshot in which it was not.
    pub restored: u32,
    /// When and why it was lost, if it is.
    pub lost: Option<(Instant, Loss)>,
    /// The container that answered the newest poll, counted from 0.
    pub checked_by: Option<u32>,
    /// What only its course needs, see `course.rs`.
    pub(super) state: State,
}

/// What else there is to know about a job whose course goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct State {
    /// How often it stands in the queue, in the processing list, among the dead letters.
    pub(super) copies: [u32; 3],
    /// On so many lines it is on its way to a worker.
    pub(super) carried: u32,
    /// The newest snapshot has it where it is not over.
    pub(super) saved: bool,
    /// Its API process waits for the store.
    pub(super) pushing: bool,
    /// Its API process will not hear that it was pushed; it may still be on its way to the store.
    pub(super) unsure: bool,
    /// It never reached the store, and will not.
    pub(super) unsent: bool,
    /// Nothing can become of it any more.
    pub(super) ended: bool,
}

impl Job {
    pub(super) fn new(number: u64, id: Rc<str>, submission: u64, initiated_by: u32) -> Self {
        Job {
            number,
            id,
            submission,
            initiated_by,
            queued_at: None,
            taken_at: None,
            acknowledged_at: None,
            place: None,
            claims: Vec::new(),
            done_at: None,
            handled_by: None,
            completions: 0,
            reaped: 0,
            restored: 0,
            lost: None,
            checked_by: None,
            state: State { pushing: true, ..State::default() },
        }
    }

    /// True when nothing will become of it any more, unless the store goes back to an older state.
    pub fn is_over(&self) -> bool {
        self.place.is_some_and(Place::is_over)
    }

    /// True while it has left the queue and has not reached the worker, which lives.
    pub fn is_on_the_way(&self) -> bool {
        self.state.carried > 0
    }

    /// How often it stands in the queue, in the processing list, among the dead letters.
    pub fn copies(&self) -> [u32; 3] {
        self.state.copies
    }

    /// True while a worker has it, or it is on its way to one, or the last word of one that died is on its way.
    pub fn is_held(&self) -> bool {
        self.may_be_done() || self.claims.iter().any(|claim| claim.word)
    }

    /// True while a worker has it, or it is on its way to one, or a result of it is on its way.
    pub(super) fn may_be_done(&self) -> bool {
        let may = |claim: &Claim| claim.end == ClaimEnd::Open || claim.word && !claim.failed;
        self.is_on_the_way() || self.claims.iter().any(may)
    }
}

/// From the push to the first time that it was taken.
pub fn wait_of(job: &Job) -> Option<Duration> {
    Some(job.taken_at?.since(job.queued_at?))
}

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
    /// How many jobs API processes made of it.
    pub jobs: u32,
    /// How many of them the store got.
    pub(super) placed: u32,
    /// Those whose course goes on.
    pub(super) open: Vec<u64>,
    /// In or in front of so many API processes it is.
    pub(super) inside: u32,
    /// The user asks no more.
    pub(super) settled: bool,
    /// And nothing of it can be on its way to an API process.
    pub(super) quiet: bool,
    /// Nothing changes it any more.
    pub(super) ended: bool,
}

impl Submission {
    pub(super) fn new(number: u64, intended_at: Instant) -> Self {
        Submission {
            number,
            intended_at,
            answered_at: None,
            outcome: Outcome::Waiting,
            seen_at: None,
            gave_up: false,
            jobs: 0,
            placed: 0,
            open: Vec::new(),
            inside: 0,
            settled: false,
            quiet: false,
            ended: false,
        }
    }
}
