//! Paints the signs: one path for all neighbours of one kind, then what is within them.

use super::Painter;
use crate::app::canvas::{Dash, Mark, Paint, Shape, Tint};
use std::f64::consts::{FRAC_PI_2, TAU};
use web_sys::CanvasRenderingContext2d;

/// Above this radius, a glyph has its inner sign.
const INNER_ABOVE: f64 = 6.0;

/// Below this radius nobody can tell a disc or a ring from a square, which costs a fraction.
const TELL_APART: f64 = 1.3;

/// A path of thousands costs half as much again as paths of so many, which lie on few lines of the picture each.
const PATH_MAX: usize = 16;

/// The cosine and sine of each tenth of a turn.
const TENTHS: [(f64, f64); 10] = [
    (1.0, 0.0),
    (C36, S36),
    (C72, S72),
    (-C72, S72),
    (-C36, S36),
    (-1.0, 0.0),
    (-C36, -S36),
    (-C72, -S72),
    (C72, -S72),
    (C36, -S36),
];
const C36: f64 = 0.809_016_994_374_947_5;
const S36: f64 = 0.587_785_252_292_473_1;
const C72: f64 = 0.309_016_994_374_947_4;
const S72: f64 = 0.951_056_516_295_153_5;

impl Painter {
    pub(super) fn glyphs(&mut self, marks: &[Mark], shape: Shape, r: f64, paint: Paint) {
        let tint = Tint::from(paint);
        let thin = (r * 0.2).max(1.4);
        match shape {
            // A ring so small is a dot.
            Shape::Asked | Shape::Working if r < TELL_APART => self.filled(marks, shape, r, tint),
            Shape::Down if r < TELL_APART => {
                self.stroke_with(tint, 1.0, Dash::Solid);
                self.outlines(marks, shape);
                self.context.stroke();
            }
            Shape::InTime | Shape::Lying | Shape::Late | Shape::Dot | Shape::Beyond | Shape::Before => {
                self.filled(marks, shape, r, tint);
                if r > INNER_ABOVE && matches!(shape, Shape::InTime | Shape::Lying | Shape::Late) {
                    self.stroke_with(Paint::OnState.into(), (r * 0.2).max(1.3), Dash::Solid);
                    self.context.begin_path();
                    at(marks, |x, y, r, _| self.inner(shape, x, y, r));
                    self.context.stroke();
                }
            }
            Shape::Failed => {
                self.stroke_with(tint, (r * 0.4).max(if r < 2.0 { 1.0 } else { 1.6 }), Dash::Solid);
                self.paths(marks, shape, CanvasRenderingContext2d::stroke);
            }
            Shape::Down => self.dashed_rings(marks, r, tint),
            Shape::Idle | Shape::Hollow => {
                self.stroke_with(tint, thin.min(1.6), Dash::Solid);
                self.paths(marks, shape, CanvasRenderingContext2d::stroke);
            }
            Shape::Asked | Shape::Working => self.rings(marks, shape, r, tint),
            Shape::Gap => {
                self.stroke_with(tint, 1.8, Dash::Solid);
                self.outlines(marks, shape);
                self.context.stroke();
            }
        }
    }

    /// All of them, filled; a square needs no path.
    fn filled(&mut self, marks: &[Mark], shape: Shape, r: f64, tint: Tint) {
        self.fill_with(tint);
        let half = match shape {
            Shape::Late => Some(r * 0.9),
            Shape::Lying | Shape::Beyond | Shape::Before => None,
            _ => Some(r).filter(|&r| r < TELL_APART),
        };
        if let Some(half) = half {
            return at(marks, |x, y, _, _| {
                self.context.fill_rect(x - half, y - half, 2.0 * half, 2.0 * half)
            });
        }
        self.paths(marks, shape, CanvasRenderingContext2d::fill);
    }

    /// Paths of some outlines each, drawn by `pen`.
    fn paths(&self, marks: &[Mark], shape: Shape, pen: fn(&CanvasRenderingContext2d)) {
        for part in marks.chunks(PATH_MAX) {
            self.outlines(part, shape);
            pen(&self.context);
        }
    }

    /// One path of all outlines.
    fn outlines(&self, marks: &[Mark], shape: Shape) {
        let context = &self.context;
        context.begin_path();
        at(marks, |x, y, r, _| match shape {
            Shape::Lying => {
                let k = r * 1.18;
                context.move_to(x, y - k);
                context.line_to(x + k, y);
                context.line_to(x, y + k);
                context.line_to(x - k, y);
                context.close_path();
            }
            Shape::Failed => {
                let k = r * 0.8;
                self.segment(x - k, y - k, x + k, y + k);
                self.segment(x + k, y - k, x - k, y + k);
            }
            Shape::Gap => {
                let k = r * 0.8;
                self.segment(x - k * 0.5 - 2.5, y + k, x + k * 0.5 - 2.5, y - k);
                self.segment(x - k * 0.5 + 2.5, y + k, x + k * 0.5 + 2.5, y - k);
            }
            Shape::Beyond | Shape::Before => {
                let k = if shape == Shape::Beyond { r } else { -r };
                context.move_to(x - k * 0.6, y - r);
                context.line_to(x + k * 0.8, y);
                context.line_to(x - k * 0.6, y + r);
                context.close_path();
            }
            _ if r < TELL_APART => context.rect(x - r, y - r, 2.0 * r, 2.0 * r),
            Shape::Idle => self.circle(x, y, r * 0.8, TAU),
            _ => self.circle(x, y, r, TAU),
        });
    }

    /// An arc from the top.
    fn circle(&self, x: f64, y: f64, r: f64, angle: f64) {
        self.context.move_to(x, y - r);
        // Radii are never negative.
        let _ = self.context.arc(x, y, r, -FRAC_PI_2, angle - FRAC_PI_2);
    }

    /// The sign within a shape.
    fn inner(&self, shape: Shape, x: f64, y: f64, r: f64) {
        let context = &self.context;
        match shape {
            Shape::InTime => {
                context.move_to(x - r * 0.42, y + r * 0.02);
                context.line_to(x - r * 0.08, y + r * 0.36);
                context.line_to(x + r * 0.46, y - r * 0.34);
            }
            Shape::Lying => {
                self.segment(x - r * 0.42, y - r * 0.17, x + r * 0.42, y - r * 0.17);
                self.segment(x - r * 0.42, y + r * 0.2, x + r * 0.42, y + r * 0.2);
                self.segment(x + r * 0.28, y - r * 0.5, x - r * 0.28, y + r * 0.52);
            }
            _ => {
                context.move_to(x, y - r * 0.5);
                context.line_to(x, y + r * 0.06);
                context.line_to(x + r * 0.4, y + r * 0.3);
            }
        }
    }

    /// Ten strokes around, or five on a small ring: arcs, since a dash pattern would close unevenly.
    fn dashed_rings(&mut self, marks: &[Mark], r: f64, tint: Tint) {
        self.stroke_with(tint, (r * 0.2).clamp(1.0, 2.0), Dash::Solid);
        self.context.begin_path();
        let skip = if r >= 4.0 { 1 } else { 2 };
        at(marks, |x, y, r, _| {
            let r = r * 0.92;
            for (i, (cos, sin)) in TENTHS.iter().enumerate().step_by(skip) {
                let from = i as f64 * TAU / 10.0;
                self.context.move_to(x + r * cos, y + r * sin);
                let _ = self.context.arc(x, y, r, from, from + TAU / 10.0 * skip as f64 * 0.56);
            }
        });
        self.context.stroke();
    }

    /// A pale ring with a dot in it, or with as much of it in colour as the time that is used up.
    fn rings(&mut self, marks: &[Mark], shape: Shape, r: f64, tint: Tint) {
        let width = (r * 0.3).clamp(1.0, 3.0);
        self.stroke_with(Paint::Line.into(), width, Dash::Solid);
        self.context.begin_path();
        at(marks, |x, y, r, _| self.circle(x, y, r - width / 2.0, TAU));
        self.context.stroke();
        self.context.begin_path();
        if shape == Shape::Working {
            self.stroke_with(tint, width, Dash::Solid);
            at(marks, |x, y, r, part| self.circle(x, y, r - width / 2.0, TAU * part.clamp(0.06, 1.0)));
            self.context.stroke();
        } else {
            self.fill_with(tint);
            at(marks, |x, y, r, _| self.circle(x, y, (r * 0.34).max(0.8), TAU));
            self.context.fill();
        }
    }
}

/// Calls `each` with a glyph's place, radius and filled part.
fn at(marks: &[Mark], mut each: impl FnMut(f64, f64, f64, f64)) {
    for mark in marks {
        if let Mark::Glyph { x, y, r, part, .. } = *mark {
            each(x, y, r, part);
        }
    }
}
