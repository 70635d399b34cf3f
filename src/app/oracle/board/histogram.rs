//! From 400 workers on: the strips as stacked histograms, on the same axes as the bars and dots of fewer workers.

use super::scene::{Answer, Scene};
use super::when::late_sign;
use crate::app::canvas::scale::{self, Scale};
use crate::app::canvas::{Dash, Fill, Font, Layout, Paint, Rect, Sheet, Text};

/// Bars of a strip at most.
const BINS: usize = 56;
/// How much of a strip's height the tallest bar takes.
const TALLEST: f64 = 0.86;

/// Counts per bar and answer, over a stretch of an axis that is divided evenly.
struct Bins {
    counts: [[u32; Answer::STACKED.len()]; BINS],
    used: usize,
    values: (f64, f64),
    pixels: (f64, f64),
}

impl Bins {
    /// One bar per some 8 pixels.
    fn new(axis: &Scale, values: (f64, f64)) -> Self {
        let pixels = (axis.at(values.0), axis.at(values.1));
        let used = (((pixels.1 - pixels.0) / 8.0) as usize).clamp(1, BINS);
        Bins { counts: [[0; Answer::STACKED.len()]; BINS], used, values, pixels }
    }

    /// Counts an answer; a value beyond the stretch goes to the bar at its edge.
    fn add(&mut self, value: f64, answer: Answer) {
        let (first, last) = self.values;
        let part = (value - first) / (last - first) * self.used as f64;
        let bin = (part.max(0.0) as usize).min(self.used - 1);
        if let Some(kind) = Answer::STACKED.iter().position(|kind| *kind == answer) {
            self.counts[bin][kind] += 1;
        }
    }

    fn tallest(&self) -> u32 {
        self.counts.iter().map(|bin| bin.iter().sum()).max().unwrap_or(0)
    }

    /// Paints the bars, answer by answer, each on top of those below it, and with its sign where there is room.
    fn draw(&self, sheet: &mut Sheet, layout: &Layout) {
        let unit = (layout.bottom - layout.top) * TALLEST / f64::from(self.tallest().max(1));
        let (x0, x1) = self.pixels;
        let width = (x1 - x0) / self.used as f64;
        for (kind, answer) in Answer::STACKED.iter().enumerate() {
            let bar = |i: usize, bin: &[u32; Answer::STACKED.len()]| {
                let below: u32 = bin[..kind].iter().sum();
                let left = (x0 + width * i as f64).round();
                let right = (x0 + width * (i + 1) as f64).round() - 1.0;
                let bottom = layout.bottom - unit * f64::from(below);
                let height = unit * f64::from(bin[kind]);
                Rect::new(left, bottom - height, (right - left).max(1.0), height)
            };
            let bins = || self.counts.iter().enumerate().filter(|(_, bin)| bin[kind] > 0);
            for (i, bin) in bins() {
                sheet.solid(bar(i, bin), answer.shape().paint());
            }
            for (i, bin) in bins().filter(|_| *answer != Answer::InTime) {
                let rect = bar(i, bin);
                if rect.h >= 7.0 && rect.w >= 5.0 {
                    sheet.sign(answer.shape(), rect.center(), 2.2, Paint::OnState);
                }
            }
        }
    }
}

/// What the tallest bar stands for.
fn height_name(sheet: &mut Sheet, layout: &Layout, x: f64, tallest: u32) {
    let words = if tallest == 1 { " worker" } else { " workers" };
    let y = layout.bottom - (layout.bottom - layout.top) * TALLEST;
    let x = x.round();
    let words = scale::count(tallest as usize) + words;
    let words = Text::new(words, x + 4.0, y - 9.0).font(Font::Condensed).paint(Paint::Ink3);
    sheet.line([x, y - 0.5, x + 8.0 + words.width(), y - 0.5], 1.0, Dash::Solid, Paint::Line);
    sheet.text(words);
}

/// Answer times; all late workers, whom the coordinator has given up at one instant, stand at the gate.
pub(super) fn when(sheet: &mut Sheet, scene: &Scene, layout: &Layout, axis: &Scale) {
    let mut bins = Bins::new(axis, (0.0, scene.timeout_ms));
    let mut late = 0;
    for row in &scene.rows {
        match row.answer {
            Answer::Late => late += 1,
            answer => bins.add(row.ms, answer),
        }
    }
    let tallest = bins.tallest();
    if tallest > 0 {
        height_name(sheet, layout, axis.pixels.0, tallest);
        bins.draw(sheet, layout);
    }
    if late > 0 {
        late_column(sheet, scene, layout, axis, late, tallest);
    }
}

/// As tall as it is on the others' scale, or cut short if it would be taller than all of them.
fn late_column(sheet: &mut Sheet, scene: &Scene, layout: &Layout, axis: &Scale, late: u32, tallest: u32) {
    let x = axis.at(scene.timeout_ms).round() + 2.0;
    let width = (axis.pixels.1 + 6.0 - x).min(14.0);
    let high = (layout.bottom - layout.top) * TALLEST;
    let cut = late > tallest;
    let height = if cut { high } else { high * f64::from(late) / f64::from(tallest) };
    let rect = Rect::new(x, layout.bottom - height, width, height);
    sheet.area(rect, 0.0, Fill::Hatch, Paint::Late);
    if cut {
        // A break in the column says that it is taller than drawn.
        let y = rect.y + 22.0;
        for y in [y, y + 5.0] {
            sheet.line([x - 1.0, y + 3.0, x + width + 1.0, y - 3.0], 2.0, Dash::Solid, Paint::Strip);
        }
    }
    let words = scale::count(late as usize) + " late";
    let words = Text::new(words, x + width + 6.0, rect.y + 8.0).font(Font::Condensed);
    if words.bounds().right() <= axis.pixels.1 + 6.0 {
        sheet.text(words);
    } else {
        late_sign(sheet, x + width / 2.0, rect.y - 9.0);
    }
}

/// Values.
pub(super) fn what(sheet: &mut Sheet, scene: &Scene, layout: &Layout, axis: &Scale) {
    let mut bins = Bins::new(axis, axis.values);
    for row in &scene.rows {
        if let Some(off) = row.off {
            bins.add(off, row.answer);
        }
    }
    let tallest = bins.tallest();
    if tallest > 0 {
        height_name(sheet, layout, axis.pixels.0, tallest);
        bins.draw(sheet, layout);
    }
}
