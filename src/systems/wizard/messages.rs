//! The JSON that the Math Wizard's services exchange, and what is in the queue.

use crate::substrate::body::Message;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::borrow::Cow;
use std::rc::Rc;

/// `POST /task`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskRequest {
    /// The first number.
    pub a: f64,
    /// The second.
    pub b: f64,
}

/// 202 to `POST /task`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Accepted {
    /// Ask for it with this id.
    pub task_id: Rc<str>,
    /// `PENDING`
    pub status: Cow<'static, str>,
    /// The container that took it.
    pub initiated_by: Rc<str>,
}

/// `GET /tasks/<id>/status`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskStatus {
    /// The id asked for.
    pub task_id: Rc<str>,
    /// `PENDING`, `PROCESSING`, `COMPLETED` or `FAILED`.
    pub status: Cow<'static, str>,
    /// The container that took it.
    pub initiated_by: Rc<str>,
    /// The container that answers now.
    pub checked_by: Rc<str>,
    /// The container whose worker has done it, or has given it up.
    pub handled_by: Option<Rc<str>>,
    /// The sum.
    pub result: Option<Value>,
    /// Why there is none, once it has failed.
    pub error: Option<String>,
}

/// A job as it stands in the queue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Payload {
    /// Its id.
    pub task_id: Rc<str>,
    /// The first number.
    pub a: f64,
    /// The second.
    pub b: f64,
    /// The number of the submission that it came of, as traces across processes carry it.
    pub trace: u64,
}

impl Message for TaskRequest {
    fn is_exact(&self) -> bool {
        self.a.is_finite() && self.b.is_finite()
    }

    /// Two names, and two numbers of at most 24 characters.
    fn length_bound(&self) -> Option<usize> {
        Some(64)
    }
}

impl Message for Accepted {}

impl Message for TaskStatus {
    /// A result that is `null` reads as none.
    fn is_exact(&self) -> bool {
        self.result != Some(Value::Null)
    }
}

/// A number in JSON as a person writes it: 5, not 5.0.
pub fn number(x: f64) -> Value {
    let whole = x as i64;
    if whole as f64 == x && whole.unsigned_abs() < 1 << 53 { Value::from(whole) } else { Value::from(x) }
}
