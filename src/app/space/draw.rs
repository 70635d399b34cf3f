//! Space–time as marks: what the painter paints, and what a pointer or a key finds.

use super::axis::FOLDED;
use super::story::{Bar, Message, Story, Way};
use super::{Activity, Axis};
use crate::app::canvas::scale::{nice_step, short};
use crate::app::canvas::{Align, Dash, Fill, Font, Paint, Picture, Rect, Shape, Sheet, Text, Tint};
use crate::app::catalogue::face;
use crate::app::plot::Time;
use crate::app::snapshot::{Role, Sign, Snapshot};
use crate::kernel::Instant;
use crate::lab::Run;
use crate::lab::fault::FaultKind;

/// Room for the names of the rows.
pub const NAMES: f64 = 116.0;
/// Room for the figures of the axis.
const FIGURES: f64 = 20.0;
/// How high a row is, at least and at most.
const ROW: (f64, f64) = (13.0, 26.0);
/// So far apart timeouts are drawn, each with its name.
const TIMEOUT: f64 = 60.0;
/// A mark is meant by a pointer that is so near.
const NEAR: f64 = 7.0;
/// How long a lost message is drawn that left nothing but its loss, in milliseconds.
const LOST_MS: f64 = 30.0;

/// How it is looked at.
pub struct Asked<'a> {
    /// The canvas, in pixels.
    pub width: f64,
    /// The canvas, in pixels.
    pub height: f64,
    /// Pixels to a millisecond.
    pub scale: f64,
    /// The instant at the right edge, in milliseconds; `None` follows the run.
    pub right_ms: Option<f64>,
    /// How far the rows are scrolled, in pixels.
    pub scrolled: f64,
    /// The node that is selected.
    pub selected: &'a str,
    /// The record that is marked.
    pub marked: Option<u64>,
    /// The records of the chain that is lit, in order.
    pub chain: &'a [u64],
}

/// What is drawn, and where what is.
pub struct Scene {
    /// The marks.
    pub picture: Picture,
    /// Records by the lines that stand for them.
    pub hits: Vec<(u64, [f64; 4])>,
    /// How high all rows are together, with the axis.
    pub content: f64,
    /// The instants at the edges, in milliseconds.
    pub shown_ms: (f64, f64),
}

impl Scene {
    /// The record that is meant by a place.
    pub fn at(&self, x: f64, y: f64) -> Option<u64> {
        let near = self.hits.iter().map(|(n, ends)| (*n, distance(*ends, x, y)));
        near.filter(|(_, off)| *off <= NEAR).min_by(|a, b| a.1.total_cmp(&b.1)).map(|(n, _)| n)
    }
}

/// How far a point is from a line.
fn distance([x0, y0, x1, y1]: [f64; 4], x: f64, y: f64) -> f64 {
    let (dx, dy) = (x1 - x0, y1 - y0);
    let length = dx * dx + dy * dy;
    let part = if length == 0.0 { 0.0 } else { (((x - x0) * dx + (y - y0) * dy) / length).clamp(0.0, 1.0) };
    let (off_x, off_y) = (x0 + part * dx - x, y0 + part * dy - y);
    (off_x * off_x + off_y * off_y).sqrt()
}

/// Where things stand.
struct Place<'a> {
    asked: &'a Asked<'a>,
    axis: Axis,
    /// The axis' place at the left edge.
    left: f64,
    snapshot: &'a Snapshot,
    /// The nodes, from top to bottom, by their places in the snapshot.
    rows: Vec<usize>,
    /// The rows by the nodes' ids, as there are thousands of both messages and rows.
    row_of: Vec<Option<usize>>,
    /// How many of them stay where they are.
    pinned: usize,
    pitch: f64,
}

impl Place<'_> {
    fn x(&self, ms: f64) -> f64 {
        NAMES + self.axis.x(ms) - self.left
    }

    fn at(&self, instant: Instant) -> f64 {
        self.x(instant.as_millis_f64())
    }

    /// The middle of a row.
    fn y(&self, row: usize) -> f64 {
        let scrolled = if row < self.pinned { 0.0 } else { self.asked.scrolled };
        FIGURES + (row as f64 + 0.5) * self.pitch - scrolled
    }

    /// The middle of a node's row; one that is scrolled out of sight ends at the edge.
    fn of_node(&self, node: u32) -> Option<f64> {
        let row = (*self.row_of.get(node as usize)?)?;
        Some(self.y(row).clamp(self.top(row), self.asked.height + self.pitch))
    }

    /// What is above that is covered by the rows that stay.
    fn top(&self, row: usize) -> f64 {
        if row < self.pinned { 0.0 } else { FIGURES + self.pinned as f64 * self.pitch - self.pitch / 2.0 }
    }

    /// The rows in sight that are not pinned, and those that are.
    fn in_sight(&self) -> impl Iterator<Item = usize> {
        let (first, last) = (FIGURES + self.pinned as f64 * self.pitch, self.asked.height + self.pitch / 2.0);
        (0..self.rows.len())
            .filter(move |&row| row < self.pinned || self.y(row) > first && self.y(row) < last)
    }
}

/// Draws a run's space–time.
pub fn draw(run: &Run, snapshot: &Snapshot, activity: &Activity, asked: &Asked) -> Scene {
    let now_ms = run.now().as_millis_f64();
    let axis = Axis::new(&activity.busy, now_ms, asked.scale);
    let width = (asked.width - NAMES).max(1.0);
    let right_ms = asked.right_ms.unwrap_or_else(|| axis.at(axis.x(now_ms) + width * 0.06));
    let right = axis.x(right_ms);
    let left = right - width;
    let shown_ms = (axis.at(left).max(0.0), right_ms);
    let (rows, pinned) = rows(snapshot);
    let pitch = ((asked.height - FIGURES) / rows.len().max(1) as f64).clamp(ROW.0, ROW.1);
    let content = FIGURES + pitch * rows.len() as f64;
    let mut row_of = Vec::new();
    for (row, &i) in rows.iter().enumerate() {
        let node = snapshot.nodes[i].id as usize;
        row_of.resize(row_of.len().max(node + 1), None);
        row_of[node] = Some(row);
    }
    let place = Place { asked, axis, left, snapshot, rows, row_of, pinned, pitch };
    let instant = |ms: f64| Instant::from_nanos((ms.max(0.0) * 1e6) as u64);
    let story = Story::of(run, instant(shown_ms.0), instant(shown_ms.1), snapshot.truth);
    let mut sheet = Sheet::default();
    let mut hits = Vec::new();
    place.ground(&mut sheet);
    if snapshot.truth {
        place.faults(run, &mut sheet);
    }
    place.folds_and_figures(&mut sheet);
    for bar in &story.bars {
        place.bar(bar, &mut sheet, &mut hits);
    }
    // Those of the chain lie over the others.
    let is_lit = |message: &Message| {
        let has = |n: u64| asked.chain.binary_search(&n).is_ok();
        message.n != 0
            && has(message.n)
            && (message.way == Way::OneEnd || message.cause == 0 || has(message.cause))
    };
    let (lit, others): (Vec<&Message>, Vec<&Message>) =
        story.messages.iter().partition(|&message| is_lit(message));
    others.iter().for_each(|message| place.message(message, false, &mut sheet, &mut hits));
    lit.iter().for_each(|message| place.message(message, true, &mut sheet, &mut hits));
    let timeouts = face(run.system().kind()).timeouts(run, [instant(shown_ms.0), instant(shown_ms.1)]);
    place.timeouts(&timeouts, &mut sheet);
    place.now(now_ms, &mut sheet);
    place.names(&mut sheet);
    if story.is_cut {
        let words = Text::new("Too much for one picture: zoom in", asked.width - 8.0, asked.height - 10.0);
        sheet.text_on(words.align(Align::Right), Some(Paint::Surface));
    }
    let picture = Picture {
        marks: sheet.legible(asked.width, asked.height),
        width: asked.width,
        height: asked.height,
        rows: None,
        places: Vec::new(),
    };
    Scene { picture, hits, content, shown_ms }
}

/// The nodes from top to bottom, as on the board from left to right and then down, and how many of them stand above its rows.
/// What is a part of a row's node, by its name, stands under it.
fn rows(snapshot: &Snapshot) -> (Vec<usize>, usize) {
    let nodes = &snapshot.nodes;
    let is_part = |part: usize, whole: usize| {
        let rest = nodes[part].name.strip_prefix(&nodes[whole].name);
        rest.is_some_and(|rest| rest.starts_with('-'))
    };
    let (below, heads) = (snapshot.rows_from..nodes.len(), 0..snapshot.rows_from);
    let stands_above =
        |&head: &usize| nodes[head].role != Role::CONSOLE && !below.clone().any(|whole| is_part(head, whole));
    let mut rows: Vec<usize> = heads.clone().filter(stands_above).collect();
    let pinned = rows.len();
    for whole in below.clone() {
        rows.push(whole);
        rows.extend(heads.clone().filter(|&part| is_part(part, whole)));
    }
    (rows, pinned)
}

impl Place<'_> {
    // --- the ground ---------------------------------------------------------------------------------------------------

    fn ground(&self, sheet: &mut Sheet) {
        let (width, pitch) = (self.asked.width, self.pitch);
        for row in self.in_sight() {
            let (y, node) = (self.y(row), &self.snapshot.nodes[self.rows[row]]);
            if node.name == self.asked.selected {
                sheet.solid(Rect::new(0.0, y - pitch / 2.0, width, pitch), Paint::Sel);
            }
            let (thick, paint) = if row < self.pinned { (2.0, Paint::Ink3) } else { (1.0, Paint::Line) };
            sheet.level(y, NAMES, width, thick, paint);
        }
    }

    fn names(&self, sheet: &mut Sheet) {
        // What lies under the names is not read with them.
        sheet.solid(Rect::new(0.0, FIGURES, NAMES - 4.0, self.asked.height), Paint::Surface);
        for row in self.in_sight() {
            let (y, node) = (self.y(row), &self.snapshot.nodes[self.rows[row]]);
            if node.name == self.asked.selected {
                sheet.solid(Rect::new(0.0, y - self.pitch / 2.0, NAMES - 4.0, self.pitch), Paint::Sel);
            }
            let weight = if row < self.pinned { 500 } else { 400 };
            let name = Text::new(node.name.clone(), 8.0, y).font(Font::Mono).weight(weight).paint(Paint::Ink);
            sheet.text(name);
        }
    }

    /// What was broken, and when: on the rows that it was about.
    fn faults(&self, run: &Run, sheet: &mut Sheet) {
        let faults = run.faults().enumerate().filter(|(_, fault)| !fault.kind.is_start());
        for ((i, fault), band) in faults.zip(&Time::of(run).bands) {
            let x0 = self.x(band.from_ms).max(NAMES);
            let x1 = self.x(band.to_ms.unwrap_or(f64::MAX / 1e9)).min(self.asked.width);
            if x1 <= x0 {
                continue;
            }
            let tint: Tint = match fault.kind {
                FaultKind::Lie => Paint::Lying.alpha(0.16),
                FaultKind::Crash | FaultKind::Stop => Paint::Down.alpha(0.24),
                _ => Paint::Ink3.alpha(0.14),
            };
            for node in run.fault_nodes(i) {
                let row = self.in_sight().find(|&row| self.snapshot.nodes[self.rows[row]].id == node.0);
                if let Some(row) = row {
                    let rect = Rect::new(x0, self.y(row) - self.pitch / 2.0, x1 - x0, self.pitch);
                    sheet.solid(rect, tint);
                }
            }
        }
    }

    /// The axis: how long it was quiet where time is folded, and a figure now and then.
    fn folds_and_figures(&self, sheet: &mut Sheet) {
        let (width, height) = (self.asked.width, self.asked.height);
        let step = nice_step(90.0 / self.asked.scale, 1.0);
        let seen = self.axis.pieces.iter().map(|piece| (piece, self.x(piece.from), self.x(piece.to)));
        let seen: Vec<_> = seen.filter(|&(_, x0, x1)| x1 >= NAMES && x0 <= width).collect();
        let folded = || seen.iter().filter(|(piece, ..)| piece.folded);
        for &(_, x0, x1) in folded() {
            // With an edge between two of them.
            let (x0, x1) = (x0.max(NAMES), x1.min(width) - 1.0);
            sheet.solid(Rect::new(x0, 0.0, x1 - x0, height), Paint::Strip);
        }
        for &(piece, x0, x1) in folded().filter(|(_, x0, _)| *x0 >= NAMES) {
            let words = format!("{} s quiet", short((piece.to - piece.from) / 1000.0));
            let words = Text::new(words, (x0 + x1) / 2.0, FIGURES / 2.0).font(Font::Condensed);
            sheet.text(words.align(Align::Center).paint(Paint::Ink3));
        }
        for &(_, x0, x1) in seen.iter().filter(|(piece, ..)| !piece.folded) {
            self.figures(x0, x1, step, sheet);
        }
        let end = self.axis.pieces.last().map_or(NAMES, |last| self.x(last.to));
        self.figures(end, width, step, sheet);
    }

    fn figures(&self, x0: f64, x1: f64, step: f64, sheet: &mut Sheet) {
        let (from, to) = (x0.max(NAMES), x1.min(self.asked.width));
        let at = |x: f64| self.axis.at(x - NAMES + self.left);
        let mut tick = (at(from) / step).ceil() * step;
        let digits = if step < 10.0 {
            3
        } else if step < 100.0 {
            2
        } else {
            1
        };
        while tick <= at(to) {
            let x = self.x(tick);
            sheet.line([x, FIGURES, x, self.asked.height], 1.0, Dash::Solid, Paint::Line);
            let figure = Text::new(format!("{:.digits$} s", tick / 1000.0), x, FIGURES / 2.0);
            if x > NAMES + 16.0 {
                sheet.text(figure.align(Align::Center).font(Font::Condensed).paint(Paint::Ink3));
            }
            tick += step;
        }
    }

    /// The gates that answers race to: where they stand too close, not all of them.
    fn timeouts(&self, timeouts: &[Instant], sheet: &mut Sheet) {
        let under = FIGURES + self.pinned as f64 * self.pitch;
        let mut last = f64::NEG_INFINITY;
        for x in timeouts.iter().map(|&at| self.at(at)) {
            if x - last < TIMEOUT || !(NAMES..self.asked.width).contains(&x) {
                continue;
            }
            last = x;
            sheet.line([x, FIGURES, x, self.asked.height], 2.0, Dash::Solid, Paint::Ink);
            let word = Text::new("timeout", x + 5.0, under).weight(500).paint(Paint::Ink);
            sheet.text_on(word, Some(Paint::Surface));
        }
    }

    fn now(&self, now_ms: f64, sheet: &mut Sheet) {
        let x = self.x(now_ms);
        if (NAMES..self.asked.width).contains(&x) {
            sheet.line([x, FIGURES, x, self.asked.height], 2.0, Dash::Solid, Paint::Task);
            let word = Text::new("now", x + 5.0, self.asked.height - 8.0).weight(500);
            sheet.text(word.paint(Paint::Ink));
        }
    }

    // --- what happened ------------------------------------------------------------------------------------------------

    fn bar(&self, bar: &Bar, sheet: &mut Sheet, hits: &mut Vec<(u64, [f64; 4])>) {
        let Some(y) = self.of_node(bar.node) else { return };
        let (x0, x1) = (self.at(bar.from).max(NAMES), self.at(bar.to).min(self.asked.width));
        if x1 < x0 {
            return;
        }
        let high = (self.pitch * 0.4).min(8.0);
        let rect = Rect::new(x0, y - high / 2.0, (x1 - x0).max(1.5), high);
        let paint = paint_of(bar.sign);
        match bar.sign {
            Sign::Late | Sign::Working => sheet.area(rect, 0.0, Fill::Hatch, paint),
            Sign::Failed | Sign::Down => sheet.area(rect, 1.5, Fill::Solid, paint.alpha(0.4)),
            _ => sheet.area(rect, 1.5, Fill::Solid, paint.alpha(0.85)),
        }
        match bar.sign {
            Sign::Failed => sheet.sign(Shape::Failed, (rect.right(), y), 3.5, paint),
            Sign::Lying => sheet.sign(Shape::Lying, (rect.right(), y), 5.0, paint),
            _ => {}
        }
        self.mark_if(bar.n, (rect.right(), y), sheet);
        hits.push((bar.n, [x0, y, rect.right(), y]));
    }

    fn message(&self, message: &Message, is_lit: bool, sheet: &mut Sheet, hits: &mut Vec<(u64, [f64; 4])>) {
        let (Some(y0), Some(y1)) = (self.of_node(message.from), self.of_node(message.to)) else { return };
        let (mut x0, mut x1) = (self.at(message.sent), self.at(message.arrived));
        let lights = !self.asked.chain.is_empty();
        let alpha = if is_lit {
            1.0
        } else if lights {
            0.32
        } else {
            0.6
        };
        let width = if is_lit { 2.4 } else { 1.0 };
        let tint = paint_of(message.sign).alpha(alpha);
        let mut cross = None;
        let mut lines = Vec::new();
        match message.way {
            Way::Refused => {
                // There and back.
                let (x, y) = ((x0 + x1) / 2.0, y0 + (y1 - y0) * 0.94);
                lines.extend([[x0, y0, x, y], [x, y, x1, y0]]);
                cross = Some((x, y));
            }
            Way::Lost => {
                if x1 - x0 < 2.0 {
                    x1 = x0 + LOST_MS * self.asked.scale;
                }
                let (x, y) = ((x0 + x1) / 2.0, (y0 + y1) / 2.0);
                lines.push([x0, y0, x, y]);
                cross = Some((x, y));
            }
            Way::Travels => {
                let now = self.x(self.snapshot.vtime_ms);
                let part = if x1 > x0 { ((now - x0) / (x1 - x0)).clamp(0.0, 1.0) } else { 1.0 };
                lines.push([x0, y0, x0 + part * (x1 - x0), y0 + part * (y1 - y0)]);
            }
            Way::OneEnd => {
                (x0, x1) = (x1, x1);
                lines.push([x0, y0, x1, y1]);
            }
            Way::Arrived => lines.push([x0, y0, x1, y1]),
        }
        for ends in lines.into_iter().filter_map(|ends| clipped(ends, NAMES, self.asked.width)) {
            let dash = if message.sign == Sign::Idle { Dash::Short } else { Dash::Solid };
            sheet.line(ends, width, dash, tint);
            if message.n != 0 {
                hits.push((message.n, ends));
            }
        }
        if let Some(at) = cross.filter(|(x, _)| (NAMES..self.asked.width).contains(x)) {
            let shape = if message.way == Way::Lost { Shape::Failed } else { Shape::Down };
            sheet.sign(shape, at, if is_lit { 5.0 } else { 3.5 }, paint_of(Sign::Failed));
        }
        self.mark_if(message.n, (x1, if message.way == Way::Refused { y0 } else { y1 }), sheet);
    }

    /// A ring around the end of what is marked.
    fn mark_if(&self, n: u64, (x, y): (f64, f64), sheet: &mut Sheet) {
        if n != 0 && self.asked.marked == Some(n) && (NAMES..=self.asked.width).contains(&x) {
            sheet.area(Rect::new(x - 6.0, y - 6.0, 12.0, 12.0), 6.0, Fill::Outline, Paint::Ink);
        }
    }
}

fn paint_of(sign: Sign) -> Paint {
    match sign {
        Sign::InTime => Paint::InTime,
        Sign::Late => Paint::Late,
        Sign::Failed => Paint::Failed,
        Sign::Lying => Paint::Lying,
        Sign::Down => Paint::Down,
        Sign::Working | Sign::Asked => Paint::Task,
        Sign::Idle => Paint::Control,
    }
}

/// The part of a line between two uprights.
fn clipped([x0, y0, x1, y1]: [f64; 4], left: f64, right: f64) -> Option<[f64; 4]> {
    if x0.max(x1) < left || x0.min(x1) > right {
        return None;
    }
    let y_at = |x: f64| if x1 == x0 { y0 } else { y0 + (y1 - y0) * (x - x0) / (x1 - x0) };
    let end = |x: f64, y: f64| {
        let inside = x.clamp(left, right);
        if inside == x { (x, y) } else { (inside, y_at(inside)) }
    };
    let ((x0, y0), (x1, y1)) = (end(x0, y0), end(x1, y1));
    Some([x0, y0, x1, y1])
}

/// A folded strip has room for what it says.
const _: () = assert!(FOLDED > 60.0);
