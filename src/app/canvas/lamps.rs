//! Lamps: a sign for each state, and where it stands.

use super::{Layout, Shape};
use crate::app::snapshot::WorkerState;

/// The sign of a worker's lamp.
pub const fn lamp_shape(state: WorkerState) -> Shape {
    match state {
        WorkerState::Idle => Shape::Idle,
        WorkerState::Asked => Shape::Asked,
        WorkerState::Working => Shape::Working,
        WorkerState::InTime => Shape::InTime,
        WorkerState::Lying => Shape::Lying,
        WorkerState::Failed => Shape::Failed,
        WorkerState::Late => Shape::Late,
        WorkerState::Down => Shape::Down,
    }
}

/// All states of a lamp: what needs a judgement first, then what is still open.
pub const LAMPS: [WorkerState; 8] = [
    WorkerState::InTime,
    WorkerState::Late,
    WorkerState::Failed,
    WorkerState::Lying,
    WorkerState::Down,
    WorkerState::Working,
    WorkerState::Asked,
    WorkerState::Idle,
];

/// How far a lamp stands aside.
pub fn lamp_step(layout: &Layout, row: usize) -> f64 {
    if layout.rows.is_roomy(row) { 0.0 } else { layout.lamp_column(row) }
}
