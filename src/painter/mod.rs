//! Paints a board's marks on a canvas, and decides nothing.
//!
//! Calls into the browser are what costs: neighbouring marks of one kind share a path, and a pen is set only when it
//! changes. The page paints by itself what is no crowd; where there are thousands of signs, a worker of its own does, which has
//! nothing but this (`painter_program.rs`), and stamps them (`stamps.rs`).

mod glyphs;
mod ink;
mod stamps;

pub use ink::Ink;
pub use stamps::Crowd;

use crate::app::canvas::{Align, Dash, Fill, Font, Mark, Paint, Picture, Rect, Text, Tint};
use crate::substrate::decimal::plain;
use js_sys::{Array, Object, Reflect};
use std::f64::consts::FRAC_PI_2;
use std::fmt::Write;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{CanvasPattern, CanvasRenderingContext2d, OffscreenCanvas};

/// The distance of the lines in a hatched area.
const HATCH: f64 = 5.0;
/// A tile of it: at most scales some whole number of pixels.
const HATCH_TILE: f64 = 4.0 * HATCH;

/// A canvas's pen, and the colours and faces of the theme.
pub struct Painter {
    context: CanvasRenderingContext2d,
    ink: Ink,
    dashes: [JsValue; 4],
    /// What the canvas is set to now.
    pen: Pen,
    /// Room to write a font in.
    font: String,
    /// Device pixels to a pixel of the board.
    scale: f64,
    /// The lines of hatched areas, in a colour at a scale.
    hatching: Option<(Paint, f64, CanvasPattern)>,
}

#[derive(Clone, Copy, PartialEq)]
struct Pen {
    fill: Option<Paint>,
    stroke: Option<Paint>,
    alpha: f32,
    width: f64,
    dash: Dash,
    font: Option<(Font, u16, f64)>,
    align: Option<Align>,
}

const NEW_PEN: Pen =
    Pen { fill: None, stroke: None, alpha: 1.0, width: 1.0, dash: Dash::Solid, font: None, align: None };

impl Painter {
    /// A painter on a canvas: one of the page, or one that is not to be seen, whose pen is the same.
    pub fn new(context: CanvasRenderingContext2d, ink: Ink) -> Self {
        let dash =
            |dash: Dash| dash.pattern().iter().map(|px| JsValue::from_f64(*px)).collect::<Array>().into();
        Painter {
            context,
            ink,
            dashes: [Dash::Solid, Dash::Dotted, Dash::Short, Dash::Long].map(dash),
            pen: NEW_PEN,
            font: String::new(),
            scale: 1.0,
            hatching: None,
        }
    }

    /// What it paints with.
    pub fn ink(&self) -> &Ink {
        &self.ink
    }

    /// A painter with the same colours and faces on another canvas.
    fn on(&self, context: CanvasRenderingContext2d) -> Self {
        Painter::new(context, self.ink.clone())
    }

    /// Paints a board, `scale` device pixels to a CSS pixel.
    pub fn paint(&mut self, board: &Picture, scale: f64) {
        self.begin(board.width, board.height, scale);
        self.marks(&board.marks);
    }

    /// An empty sheet, in CSS pixels.
    fn begin(&mut self, width: f64, height: f64, scale: f64) {
        // A canvas that was resized forgets its pen. These calls fail on detached or zero-sized canvases only, and
        // then there is nothing to see.
        (self.pen, self.scale) = (NEW_PEN, scale);
        let _ = self.context.set_transform(scale, 0.0, 0.0, scale, 0.0, 0.0);
        self.context.clear_rect(0.0, 0.0, width, height);
        self.context.set_global_alpha(1.0);
        self.context.set_line_width(1.0);
        self.context.set_text_baseline("middle");
        let _ = self.context.set_line_dash(&self.dashes[0]);
    }

    fn marks(&mut self, mut rest: &[Mark]) {
        while let Some(first) = rest.first() {
            let run = rest.iter().take_while(|mark| same_pen(first, mark)).count();
            let (marks, others) = rest.split_at(run);
            rest = others;
            match *first {
                Mark::Line { width, dash, tint, .. } => self.lines(marks, width, dash, tint),
                Mark::Area { radius, fill, tint, .. } => self.areas(marks, radius, fill, tint),
                Mark::Glyph { shape, r, paint, .. } => self.glyphs(marks, shape, r, paint),
                Mark::Text(_) => marks.iter().for_each(|mark| self.text(mark)),
            }
        }
    }

    // --- the pen ------------------------------------------------------------------------------------------------

    fn alpha(&mut self, alpha: f32) {
        if self.pen.alpha != alpha {
            self.pen.alpha = alpha;
            self.context.set_global_alpha(f64::from(alpha));
        }
    }

    fn fill_with(&mut self, tint: Tint) {
        self.alpha(tint.alpha);
        if self.pen.fill != Some(tint.paint) {
            self.pen.fill = Some(tint.paint);
            self.context.set_fill_style_str(self.ink.colour(tint.paint));
        }
    }

    fn stroke_with(&mut self, tint: Tint, width: f64, dash: Dash) {
        self.alpha(tint.alpha);
        if self.pen.stroke != Some(tint.paint) {
            self.pen.stroke = Some(tint.paint);
            self.context.set_stroke_style_str(self.ink.colour(tint.paint));
        }
        if self.pen.width != width {
            self.pen.width = width;
            self.context.set_line_width(width);
        }
        if self.pen.dash != dash {
            self.pen.dash = dash;
            let _ = self.context.set_line_dash(&self.dashes[dash as usize]);
        }
    }

    // --- lines and areas ----------------------------------------------------------------------------------------

    fn segment(&self, x0: f64, y0: f64, x1: f64, y1: f64) {
        self.context.move_to(x0, y0);
        self.context.line_to(x1, y1);
    }

    fn lines(&mut self, marks: &[Mark], width: f64, dash: Dash, tint: Tint) {
        let ends = marks.iter().filter_map(|mark| match *mark {
            Mark::Line { ends, .. } => Some(ends),
            Mark::Area { .. } | Mark::Glyph { .. } | Mark::Text(_) => None,
        });
        // A line that is level or upright is a rectangle: many of them as one path take twenty times as long to be rasterised.
        let is_rect = |&[x0, y0, x1, y1]: &[f64; 4]| dash == Dash::Solid && (x0 == x1 || y0 == y1);
        let mut rest = ends.clone().filter(|ends| !is_rect(ends)).peekable();
        if rest.peek().is_some() {
            self.stroke_with(tint, width, dash);
            self.context.begin_path();
            rest.for_each(|[x0, y0, x1, y1]| self.segment(x0, y0, x1, y1));
            self.context.stroke();
        }
        for [x0, y0, x1, y1] in ends.filter(is_rect) {
            self.fill_with(tint);
            if y0 == y1 {
                self.context.fill_rect(x0, y0 - width / 2.0, x1 - x0, width);
            } else {
                self.context.fill_rect(x0 - width / 2.0, y0, width, y1 - y0);
            }
        }
    }

    fn areas(&mut self, marks: &[Mark], radius: f64, fill: Fill, tint: Tint) {
        let rects = marks.iter().filter_map(|mark| match mark {
            Mark::Area { rect, .. } => Some(*rect),
            Mark::Line { .. } | Mark::Glyph { .. } | Mark::Text(_) => None,
        });
        match fill {
            Fill::Solid if radius == 0.0 => {
                self.fill_with(tint);
                rects.for_each(|r| self.context.fill_rect(r.x, r.y, r.w, r.h));
            }
            Fill::Solid => {
                self.fill_with(tint);
                self.context.begin_path();
                rects.for_each(|r| self.rounded(r, radius));
                self.context.fill();
            }
            Fill::Outline | Fill::DashedOutline => {
                let dash = if fill == Fill::Outline { Dash::Solid } else { Dash::Short };
                self.stroke_with(tint, 1.5, dash);
                self.context.begin_path();
                rects.for_each(|r| self.rounded(r, radius));
                self.context.stroke();
            }
            Fill::Hatch => self.hatched(rects, tint),
        }
    }

    fn rounded(&self, r: Rect, radius: f64) {
        let _ = self.context.round_rect_with_f64(r.x, r.y, r.w, r.h, radius);
    }

    /// The hatching runs on from one area to the next. Lines that areas cut out would all be rasterised as long as they are,
    /// so it is a pattern.
    fn hatched(&mut self, rects: impl Iterator<Item = Rect> + Clone, tint: Tint) {
        self.fill_with(tint.paint.alpha(0.3));
        rects.clone().for_each(|r| self.context.fill_rect(r.x, r.y, r.w, r.h));
        self.stroke_with(tint, 1.2, Dash::Solid);
        rects.clone().for_each(|r| self.context.stroke_rect(r.x, r.y, r.w, r.h));
        let Some(pattern) = self.hatching(tint.paint) else {
            return;
        };
        let lowest = rects.clone().fold(0.0, |lowest: f64, r| lowest.max(r.bottom()));
        // Pixel upon pixel, or its lines would be blurred.
        let unit = HATCH_TILE / pixels_of(self.scale);
        let y = (lowest * self.scale).round() / self.scale;
        self.context.save();
        self.context.set_global_alpha(f64::from(tint.alpha));
        self.context.set_fill_style_canvas_pattern(&pattern);
        let moved = self.context.translate(0.0, y).and_then(|()| self.context.scale(unit, unit));
        if moved.is_ok() {
            rects.for_each(|r| self.context.fill_rect(r.x / unit, (r.y - y) / unit, r.w / unit, r.h / unit));
        }
        self.context.restore();
    }

    /// Rising lines, as a tile that fits its neighbours.
    fn hatching(&mut self, paint: Paint) -> Option<CanvasPattern> {
        if let Some((of, scale, pattern)) = &self.hatching
            && (*of, *scale) == (paint, self.scale)
        {
            return Some(pattern.clone());
        }
        let mut tile = self.on(canvas()?);
        let side = pixels_of(self.scale);
        resize(&tile.context, side as usize, side as usize)?;
        tile.context.scale(side / HATCH_TILE, side / HATCH_TILE).ok()?;
        tile.stroke_with(paint.into(), 1.6, Dash::Solid);
        tile.context.begin_path();
        for line in -1..=(2.0 * HATCH_TILE / HATCH) as i32 + 1 {
            let x = f64::from(line) * HATCH;
            tile.segment(x - HATCH_TILE - HATCH, HATCH_TILE + HATCH, x + HATCH, -HATCH);
        }
        tile.context.stroke();
        let canvas = tile.context.canvas()?;
        let pattern = self.context.create_pattern_with_html_canvas_element(&canvas, "repeat").ok()??;
        self.hatching = Some((paint, self.scale, pattern.clone()));
        Some(pattern)
    }

    // --- text ---------------------------------------------------------------------------------------------------

    fn text(&mut self, mark: &Mark) {
        let Mark::Text(text) = mark else {
            return;
        };
        self.fill_with(text.paint.into());
        self.set_type(text);
        if text.upright {
            self.context.save();
            let _ = self.context.translate(text.x, text.y);
            let _ = self.context.rotate(-FRAC_PI_2);
            let _ = self.context.fill_text(&text.text, 0.0, 0.0);
            self.context.restore();
        } else {
            let _ = self.context.fill_text(&text.text, text.x, text.y);
        }
    }

    fn set_type(&mut self, text: &Text) {
        let font = Some((text.font, text.weight, text.px));
        if self.pen.font != font {
            self.pen.font = font;
            self.font.clear();
            // Writing to a string cannot fail.
            let _ = write!(self.font, "{} {}px {}", text.weight, plain(text.px), self.ink.face(text.font));
            self.context.set_font(&self.font);
        }
        if self.pen.align != Some(text.align) {
            self.pen.align = Some(text.align);
            self.context.set_text_align(match text.align {
                Align::Left => "left",
                Align::Center => "center",
                Align::Right => "right",
            });
        }
    }
}

/// How many pixels of the device a tile of hatching has in a row.
fn pixels_of(scale: f64) -> f64 {
    (HATCH_TILE * scale).round().max(1.0)
}

/// Whether both can be painted with one stroke of the pen.
fn same_pen(a: &Mark, b: &Mark) -> bool {
    match (a, b) {
        (
            Mark::Line { width, dash, tint, .. },
            Mark::Line { width: other_width, dash: other_dash, tint: other, .. },
        ) => (width, dash, tint) == (other_width, other_dash, other),
        (
            Mark::Area { radius, fill, tint, .. },
            Mark::Area { radius: other_radius, fill: other_fill, tint: other, .. },
        ) => (radius, fill, tint) == (other_radius, other_fill, other),
        (
            Mark::Glyph { shape, r, paint, .. },
            Mark::Glyph { shape: other, r: other_r, paint: other_paint, .. },
        ) => (shape, r, paint) == (other, other_r, other_paint),
        (Mark::Text(_), Mark::Text(_)) => true,
        _ => false,
    }
}

/// A canvas that is read, not looked at; in a worker as well.
fn canvas() -> Option<CanvasRenderingContext2d> {
    let options = Object::new();
    Reflect::set(&options, &"willReadFrequently".into(), &JsValue::TRUE).ok()?;
    let canvas = OffscreenCanvas::new(1, 1).ok()?;
    let context = canvas.get_context_with_context_options("2d", &options).ok()??;
    // Its pen is called otherwise, and has all that is used of the other.
    Some(context.unchecked_into())
}

/// Gives a canvas another size, and takes its pens back.
fn resize(context: &CanvasRenderingContext2d, width: usize, height: usize) -> Option<()> {
    let canvas = context.canvas()?;
    canvas.set_width(width as u32);
    canvas.set_height(height as u32);
    Some(())
}
