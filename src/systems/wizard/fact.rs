//! The facts of a Math Wizard: what happens in it that anybody outside may want to know. A role says each once, where it
//! happens; of the store the tap does (`tap.rs`).
//!
//! A record's request is the number of the submission that it is about. Containers, worker processes and attempts are
//! counted from 1, as in their names. A line is the number of a worker's connection for taking jobs.

use crate::kernel::Kind;
use crate::systems::facts;
use serde::Serialize;
use std::rc::Rc;

/// A user wants something added.
pub const JOB_INTENDED: Kind = Kind::new("job_intended");
/// A user has a 202.
pub const JOB_ACCEPTED: Kind = Kind::new("job_accepted");
/// A user did not get a 202; the value is the status, 0 for no answer.
pub const JOB_REFUSED: Kind = Kind::new("job_refused");
/// A poll has said that a job is done or has failed.
pub const JOB_SEEN: Kind = Kind::new("job_seen");
/// A user gives up polling; the value is how many polls there were.
pub const USER_GAVE_UP: Kind = Kind::new("user_gave_up");
/// A user will ask no more, for another reason.
pub const USER_LEFT: Kind = Kind::new("user_left");
/// A wish has come to an API process; the value is the container.
pub const WISH_ARRIVED: Kind = Kind::new("wish_arrived");
/// An API process has no more to do with a wish; the value is the container.
pub const WISH_GONE: Kind = Kind::new("wish_gone");
/// An API process begins with a job; the value is the container.
pub const JOB_CREATED: Kind = Kind::new("job_created");
/// An API process has pushed a job; the value is how many wait, with it.
pub const JOB_QUEUED: Kind = Kind::new("job_queued");
/// An API process does not know whether it has pushed a job.
pub const JOB_UNSURE: Kind = Kind::new("job_unsure");
/// An API process has told what it knows of a job; the value is the container.
pub const JOB_CHECKED: Kind = Kind::new("job_checked");
/// A worker has a line to the store; the value is its number.
pub const LINE_OPENED: Kind = Kind::new("line_opened");
/// A worker's line is gone; the value is its number.
pub const LINE_CLOSED: Kind = Kind::new("line_closed");
/// A worker has a job in hand; the value is the line on which it came.
pub const JOB_CLAIMED: Kind = Kind::new("job_claimed");
/// A worker begins with a job; the value is the nanoseconds that it will take.
pub const JOB_STARTED: Kind = Kind::new("job_started");
/// A worker has the sum, as the bits of a float.
pub const JOB_DONE: Kind = Kind::new("job_done");
/// A worker has failed; the value is which attempt it was.
pub const JOB_FAILED: Kind = Kind::new("job_failed");
/// A worker gives a job up that has failed too often.
pub const JOB_BURIED: Kind = Kind::new("job_buried");
/// A worker has told the store what became of a job, and turns to others.
pub const JOB_RELEASED: Kind = Kind::new("job_released");
/// A worker has died with a job in hand.
pub const JOB_DROPPED: Kind = Kind::new("job_dropped");
/// A reaper has put a job back.
pub const JOB_REAPED: Kind = Kind::new("job_reaped");
/// The store has started; the value is how many jobs its lists have.
pub const STORE_STARTED: Kind = Kind::new("store_started");
/// The store has made a snapshot.
pub const STORE_SAVED: Kind = Kind::new("store_saved");
/// The store has a job at the back of the queue.
pub const QUEUE_PUSHED: Kind = Kind::new("queue_pushed");
/// The store has a job at the front of the queue again.
pub const QUEUE_RETURNED: Kind = Kind::new("queue_returned");
/// The store has given a job away; the value is the line.
pub const QUEUE_POPPED: Kind = Kind::new("queue_popped");
/// The store has a job among the dead letters.
pub const LETTER_BURIED: Kind = Kind::new("letter_buried");
/// The store has a result, and the job in no list; the value is the attempt.
pub const RESULT_STORED: Kind = Kind::new("result_stored");
/// Somebody wants a dead letter put back; the value is the container that was asked.
pub const LETTER_RETRIED: Kind = Kind::new("letter_retried");
/// Containers are asked to end; the value is how many stay.
pub const CONTAINERS_REMOVED: Kind = Kind::new("containers_removed");
/// Further containers start; the value is how many there are now.
pub const CONTAINERS_ADDED: Kind = Kind::new("containers_added");
/// The gateway has read its configuration again.
pub const GATEWAY_RELOADED: Kind = Kind::new("gateway_reloaded");

/// What happens in a Math Wizard.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
pub enum Fact {
    // --- users
    /// A user, or a person at the console, wants something added.
    Intended,
    /// The user has a 202.
    Accepted {
        /// The job's id.
        id: Rc<str>,
    },
    /// The user did not get a 202.
    Refused {
        /// The status; 0 for no answer.
        status: u16,
        /// A container said that the queue is too long.
        queue_full: bool,
    },
    /// A poll has said that the user's job is done or has failed.
    Seen,
    /// The user gives up polling.
    GaveUp {
        /// So many polls there were.
        polls: u32,
    },
    /// The user will ask no more, for another reason: it never polls, it has died, or it is a person at the console.
    Left,

    // --- API processes
    /// A wish has come to an API process: it is in its hand, or waits in front of it.
    Arrived {
        /// The container.
        container: u32,
    },
    /// The process has no more to do with the wish: it was handled, turned away, or lost with the process.
    Gone {
        /// The container.
        container: u32,
    },
    /// A process begins with a job: it is about to send it to the store.
    Created {
        /// The job's id.
        id: Rc<str>,
        /// The container.
        container: u32,
    },
    /// The process has heard that the job is in the queue; the 202 leaves.
    Acknowledged {
        /// The job's id.
        id: Rc<str>,
        /// How many wait, with it.
        waiting: u64,
    },
    /// The process has not heard that the job is in the queue, and will not.
    Unsure {
        /// The job's id.
        id: Rc<str>,
        /// The job may still be on its way to the store.
        under_way: bool,
    },
    /// A process has told what it knows of a job.
    Checked {
        /// The job's id.
        id: Rc<str>,
        /// The container.
        container: u32,
    },

    // --- worker processes
    /// A worker has a line to the store.
    LineOpened {
        /// Its number.
        line: u64,
    },
    /// The line is gone, from either end.
    LineClosed {
        /// Its number.
        line: u64,
    },
    /// A worker has a job in hand.
    Claimed {
        /// The job's id.
        id: Rc<str>,
        /// The container.
        container: u32,
        /// Which of its processes.
        worker: u32,
        /// The line on which it came.
        line: u64,
    },
    /// The store knows that the worker has it, and the work begins.
    Started {
        /// The job's id.
        id: Rc<str>,
        /// The container.
        container: u32,
        /// Which of its processes.
        worker: u32,
        /// Which attempt the store says it is.
        attempt: u64,
        /// How many nanoseconds it will take.
        work_ns: u64,
    },
    /// The worker has the sum.
    Computed {
        /// The job's id.
        id: Rc<str>,
        /// It.
        sum: f64,
    },
    /// The worker has failed.
    Failed {
        /// The job's id.
        id: Rc<str>,
        /// The container.
        container: u32,
        /// Which of its processes.
        worker: u32,
        /// Which attempt it was.
        attempt: u64,
    },
    /// The worker gives the job up: it has failed too often.
    Condemned {
        /// The job's id.
        id: Rc<str>,
    },
    /// The store has heard of the worker what became of the job.
    Released {
        /// The job's id.
        id: Rc<str>,
        /// The container.
        container: u32,
        /// Which of its processes.
        worker: u32,
        /// Whether it has failed; otherwise it has the result.
        failed: bool,
    },
    /// The worker has died with the job in hand.
    Dropped {
        /// The job's id.
        id: Rc<str>,
        /// The container.
        container: u32,
        /// Which of its processes.
        worker: u32,
        /// When it last told the store what became of the job, in nanoseconds; null if it has not. That word may still be
        /// on its way.
        told_ns: Option<u64>,
        /// Whether its container has died, too.
        with_container: bool,
    },

    // --- the reaper
    /// A reaper has heard that a job is in the queue again.
    Reaped {
        /// The job's id.
        id: Rc<str>,
    },

    // --- the store
    /// The store has started.
    StoreStarted {
        /// The jobs in the queue, by their ids.
        queue: Vec<Rc<str>>,
        /// Those in the processing list.
        processing: Vec<Rc<str>>,
        /// Those among the dead letters.
        dead: Vec<Rc<str>>,
    },
    /// The store has made a snapshot.
    StoreSaved,
    /// A job is at the back of the queue, and no longer in the processing list.
    Queued {
        /// The job's id.
        id: Rc<str>,
    },
    /// A reaper's word: the job is at the front of the queue, and no longer in the processing list.
    Returned {
        /// The job's id.
        id: Rc<str>,
    },
    /// A job has left the queue for a worker.
    Taken {
        /// The job's id.
        id: Rc<str>,
        /// The line on which it leaves.
        line: u64,
        /// Whether the processing list has it now.
        listed: bool,
    },
    /// A job is among the dead letters, and no longer in the processing list.
    Buried {
        /// The job's id.
        id: Rc<str>,
    },
    /// The store has a job's result, and the job in no list.
    Completed {
        /// The job's id.
        id: Rc<str>,
        /// The container whose worker has done it; null if it is none's name.
        container: Option<u32>,
        /// Which attempt the worker says it was.
        attempt: u64,
    },

    // --- what is around them
    /// Further containers start.
    ContainersAdded {
        /// How many there are now.
        containers: u32,
    },
    /// Containers are asked to end.
    ContainersRemoved {
        /// How many stay.
        containers: u32,
    },
    /// Somebody wants a dead letter put back.
    Retried {
        /// The job's id.
        id: Rc<str>,
        /// The container that was asked.
        container: u32,
    },
    /// The gateway has read its configuration again.
    GatewayReloaded,
}

impl facts::Fact for Fact {
    fn kind(&self) -> Kind {
        match self {
            Fact::Intended => JOB_INTENDED,
            Fact::Accepted { .. } => JOB_ACCEPTED,
            Fact::Refused { .. } => JOB_REFUSED,
            Fact::Seen => JOB_SEEN,
            Fact::GaveUp { .. } => USER_GAVE_UP,
            Fact::Left => USER_LEFT,
            Fact::Arrived { .. } => WISH_ARRIVED,
            Fact::Gone { .. } => WISH_GONE,
            Fact::Created { .. } => JOB_CREATED,
            Fact::Acknowledged { .. } => JOB_QUEUED,
            Fact::Unsure { .. } => JOB_UNSURE,
            Fact::Checked { .. } => JOB_CHECKED,
            Fact::LineOpened { .. } => LINE_OPENED,
            Fact::LineClosed { .. } => LINE_CLOSED,
            Fact::Claimed { .. } => JOB_CLAIMED,
            Fact::Started { .. } => JOB_STARTED,
            Fact::Computed { .. } => JOB_DONE,
            Fact::Failed { .. } => JOB_FAILED,
            Fact::Condemned { .. } => JOB_BURIED,
            Fact::Released { .. } => JOB_RELEASED,
            Fact::Dropped { .. } => JOB_DROPPED,
            Fact::Reaped { .. } => JOB_REAPED,
            Fact::StoreStarted { .. } => STORE_STARTED,
            Fact::StoreSaved => STORE_SAVED,
            Fact::Queued { .. } => QUEUE_PUSHED,
            Fact::Returned { .. } => QUEUE_RETURNED,
            Fact::Taken { .. } => QUEUE_POPPED,
            Fact::Buried { .. } => LETTER_BURIED,
            Fact::Completed { .. } => RESULT_STORED,
            Fact::ContainersAdded { .. } => CONTAINERS_ADDED,
            Fact::ContainersRemoved { .. } => CONTAINERS_REMOVED,
            Fact::Retried { .. } => LETTER_RETRIED,
            Fact::GatewayReloaded => GATEWAY_RELOADED,
        }
    }

    fn value(&self) -> u64 {
        match self {
            Fact::Refused { status, .. } => u64::from(*status),
            Fact::GaveUp { polls } => u64::from(*polls),
            Fact::Arrived { container }
            | Fact::Gone { container }
            | Fact::Created { container, .. }
            | Fact::Checked { container, .. } => u64::from(*container),
            Fact::Acknowledged { waiting, .. } => *waiting,
            Fact::LineOpened { line }
            | Fact::LineClosed { line }
            | Fact::Claimed { line, .. }
            | Fact::Taken { line, .. } => *line,
            Fact::Started { work_ns, .. } => *work_ns,
            Fact::Computed { sum, .. } => sum.to_bits(),
            Fact::Failed { attempt, .. } | Fact::Completed { attempt, .. } => *attempt,
            Fact::StoreStarted { queue, processing, dead } => {
                (queue.len() + processing.len() + dead.len()) as u64
            }
            Fact::ContainersAdded { containers } | Fact::ContainersRemoved { containers } => {
                u64::from(*containers)
            }
            Fact::Retried { container, .. } => u64::from(*container),
            _ => 0,
        }
    }
}
