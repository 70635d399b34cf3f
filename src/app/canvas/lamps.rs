//! Lamps: a shape for each sign, and where it stands.

use super::{Layout, Shape};
use crate::app::snapshot::Sign;

/// The shape of a sign.
pub const fn lamp_shape(sign: Sign) -> Shape {
    match sign {
        Sign::Idle => Shape::Idle,
        Sign::Asked => Shape::Asked,
        Sign::Working => Shape::Working,
        Sign::InTime => Shape::InTime,
        Sign::Lying => Shape::Lying,
        Sign::Failed => Shape::Failed,
        Sign::Late => Shape::Late,
        Sign::Down => Shape::Down,
    }
}

/// How far a lamp stands aside.
pub fn lamp_step(layout: &Layout, row: usize) -> f64 {
    if layout.rows.is_roomy(row) { 0.0 } else { layout.lamp_column(row) }
}
