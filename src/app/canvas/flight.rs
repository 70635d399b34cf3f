//! Boxes of nodes, and messages on their way between them.

use super::{Fill, Paint, Rect, Shape, Sheet};
use crate::app::snapshot::{MessageKind, MessageView};

/// How far a message has come, 0 … 1: messages move evenly, or a picture would lie about latency. One that is lost
/// comes as far as the middle.
pub fn progress(message: &MessageView, vtime_ms: f64) -> f64 {
    let flight = message.arrives_ms - message.sent_ms;
    if flight <= 0.0 {
        return 1.0;
    }
    let part = ((vtime_ms - message.sent_ms) / flight).clamp(0.0, 1.0);
    if message.lost { part.min(0.5) } else { part }
}

/// A node's box; a broken outline if it is down.
pub fn node_box(sheet: &mut Sheet, rect: Rect, up: bool) {
    sheet.area(rect, 5.0, Fill::Solid, Paint::Raised);
    if up {
        sheet.area(rect, 5.0, Fill::Outline, Paint::Control);
    } else {
        sheet.area(rect, 5.0, Fill::DashedOutline, Paint::Down);
    }
}

/// The sign of a message of that kind; whether an answer lies or comes late, only the board of its system knows.
pub const fn message_shape(kind: MessageKind) -> Shape {
    match kind {
        MessageKind::Request => Shape::Dot,
        MessageKind::Answer => Shape::InTime,
        MessageKind::Error | MessageKind::Refusal => Shape::Failed,
        MessageKind::Cancel => Shape::Hollow,
    }
}
