//! Messages on their way.

use crate::net::{Flight, Payload};
use serde::Serialize;

/// What a message in flight looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageKind {
    /// A question.
    Request,
    /// An answer with a status below 400.
    Answer,
    /// An answer with a status from 400 on.
    Error,
    /// A connection that was refused or reset.
    Refusal,
    /// The news that the caller has given up.
    Cancel,
}

/// A message on its way.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MessageView {
    /// The sender's number.
    pub from: u32,
    /// The receiver's number.
    pub to: u32,
    /// When it left.
    pub sent_ms: f64,
    /// When it arrives, or would.
    pub arrives_ms: f64,
    /// What it is.
    pub kind: MessageKind,
    /// The request's number; 0 for none.
    pub req: u64,
    /// It will not arrive.
    pub lost: bool,
}

impl MessageView {
    /// A message of a run.
    pub fn of(flight: &Flight) -> Self {
        MessageView {
            from: flight.from.0,
            to: flight.to.0,
            sent_ms: flight.sent_at.as_millis_f64(),
            arrives_ms: flight.arrives_at.as_millis_f64(),
            kind: match flight.payload {
                Payload::Request | Payload::Message => MessageKind::Request,
                Payload::Response(status) if status < 400 => MessageKind::Answer,
                Payload::Response(_) => MessageKind::Error,
                Payload::Refusal => MessageKind::Refusal,
                Payload::Cancel | Payload::Control => MessageKind::Cancel,
            },
            req: flight.req,
            lost: flight.lost,
        }
    }
}
