//! One worker's part in a request.

use crate::kernel::Instant;
use serde::{Deserialize, Serialize};
use std::rc::Rc;

/// How many tasks have ended in which way, by [`TaskEnd`].
pub(super) type Ends = [u32; 5];

/// One worker's part in a request.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskEntry {
    /// The worker's id in the registry.
    pub worker: Rc<str>,
    /// The node of that name; 0 for a name that is no node's.
    pub node: u32,
    /// When it was asked: over NATS perhaps later than others.
    pub asked_at: Instant,
    /// What became of it.
    pub end: TaskEnd,
    /// When the coordinator had the answer, or gave up.
    pub ended_at: Option<Instant>,
    /// When its answer came although the coordinator had given up: over NATS nobody is cancelled.
    pub late_at: Option<Instant>,
    /// How often it got the task from a broker.
    pub copies: u32,
    /// The highest count of deliveries that JetStream put on one of them.
    pub deliveries: u32,
    /// Its answer is on its way through a broker.
    pub sent: bool,
    /// The value, for an answer in time.
    pub value: Option<f64>,
    /// Why there is none, for one that failed.
    pub err: Option<Rc<str>>,
    /// The worker's reliability score when the answers were aggregated: its weight. 0 until then.
    pub weight: f64,
    /// The worker sent a lie, whether it came in time or not.
    pub lying: bool,
}

/// What became of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskEnd {
    /// Not known yet.
    Pending,
    /// A value in time.
    InTime,
    /// An error, a refused or a broken connection.
    Failed,
    /// Nothing within the timeout; over HTTP the task was cancelled.
    Late,
    /// The task or its answer was in the broker when that went down.
    Lost,
}

impl TaskEntry {
    pub(super) fn new(worker: Rc<str>, node: u32, asked_at: Instant, end: TaskEnd) -> Self {
        TaskEntry {
            worker,
            node,
            asked_at,
            end,
            ended_at: None,
            late_at: None,
            copies: 0,
            deliveries: 0,
            sent: false,
            value: None,
            err: None,
            weight: 0.0,
            lying: false,
        }
    }

    /// What had become of it when its request was over; nothing if it was asked later.
    pub fn end_at(&self, over: Instant) -> Option<TaskEnd> {
        let was_late = matches!(self.end, TaskEnd::Late | TaskEnd::Lost);
        (self.asked_at <= over).then_some(match self.ended_at {
            Some(at) if at > over => TaskEnd::Pending,
            // Lost, or come, since then.
            Some(at) if was_late => {
                if at < over {
                    TaskEnd::Lost
                } else {
                    TaskEnd::Late
                }
            }
            _ => self.end,
        })
    }

    pub(super) fn set_end(&mut self, end: TaskEnd, ends: &mut Ends) {
        ends[self.end as usize] -= 1;
        ends[end as usize] += 1;
        self.end = end;
    }
}
