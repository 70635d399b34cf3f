//! The strip *what*: for how long each has been behind the newest version acknowledged, against what that may take
//! while nothing is broken.

use super::scene::Scene;
use crate::app::canvas::scale::{self, Scale};
use crate::app::canvas::{Align, Dash, Font, Paint, Sheet, Text, figures_y, lamp_shape};
use crate::app::config::observe::AGENT;
use crate::app::snapshot::Sign;

/// The axis reaches this far beyond the bound, and twice, four times, … as far when someone is older.
const BEYOND: f64 = 1.5;

pub(super) fn draw(sheet: &mut Sheet, scene: &Scene) {
    let Some((x0, x1)) = scene.layout.what else {
        return;
    };
    // The zero is not at the very edge, where half of its marks would be cut off.
    let inset = if scene.layout.phone { 8.0 } else { 14.0 };
    let axis = Scale { values: (0.0, extent(scene)), pixels: (x0 + inset, x1) };
    zero(sheet, scene, &axis);
    for state in [Sign::InTime, Sign::Failed, Sign::Late] {
        for (i, _, _) in scene.holders().filter(|(_, node, _)| node.state.sign == state) {
            age(sheet, scene, &axis, i);
        }
    }
    bound(sheet, scene, &axis);
    ticks(sheet, scene, &axis);
}

fn extent(scene: &Scene) -> f64 {
    let oldest = scene.config.holders.iter().filter_map(|holder| holder.behind_ms).fold(0.0, f64::max);
    let mut extent = scene.config.bound_ms.max(1.0) * BEYOND;
    while extent < oldest * 1.12 {
        extent *= 2.0;
    }
    extent
}

fn zero(sheet: &mut Sheet, scene: &Scene, axis: &Scale) {
    let (layout, x) = (&scene.layout, axis.at(0.0).round());
    sheet.line([x, layout.top, x, layout.bottom], 1.0, Dash::Solid, Paint::Control);
}

/// Its age as a line from zero, with its sign at the end.
fn age(sheet: &mut Sheet, scene: &Scene, axis: &Scale, i: usize) {
    let (rows, node) = (&scene.layout.rows, &scene.rows[i]);
    let Some(ms) = scene.config.holders.get(i).map(|holder| holder.behind_ms.unwrap_or(0.0)) else { return };
    let (height, roomy) = (rows.height(i), rows.is_roomy(i));
    let y = if roomy { rows.center(i).round() } else { rows.center(i) };
    let shape = lamp_shape(node.state.sign);
    let (x0, x) = (axis.at(0.0), axis.at(ms));
    // An agent's mark is smaller than those of its workers, which are what counts.
    let share = if node.role == AGENT { 0.16 } else { 0.24 };
    let r = if roomy { (height * share).clamp(2.5, 7.0) } else { (height * 0.6).clamp(1.2, 4.0) };
    if x > x0 {
        let thick = if roomy { 2.0 } else { (height * 0.5).clamp(0.5, 1.5) };
        sheet.level(y, x0, x, thick, shape.paint().alpha(0.55));
    }
    sheet.glyph(shape, x, y, r);
    if roomy && ms > 0.0 {
        let words = format!("{:.1} s", ms / 1000.0);
        let words = Text::new(words, x + r + 6.0, y + 0.5).font(Font::Mono).weight(500).paint(Paint::Ink);
        let words = match words.bounds().right() <= axis.pixels.1 + 4.0 {
            true => words,
            false => Text { x: x - r - 6.0, ..words }.align(Align::Right),
        };
        sheet.text_on(words, scene.ground(i));
    }
}

fn bound(sheet: &mut Sheet, scene: &Scene, axis: &Scale) {
    let layout = &scene.layout;
    let x = axis.at(scene.config.bound_ms).round();
    sheet.line([x, layout.top - 2.0, x, layout.bottom + 2.0], 2.5, Dash::Solid, Paint::Ink);
    let y = layout.bottom + if layout.phone { 11.0 } else { 13.0 };
    let most = scale::duration((scene.config.bound_ms / 100.0).round() * 100.0);
    let forms = [format!("at most {most} while all is well"), format!("bound {most}"), most];
    for words in forms {
        let words = Text::new(words, x + 5.0, y).weight(500).paint(Paint::Ink);
        if words.bounds().right() <= axis.pixels.1 + 6.0 {
            sheet.text(words);
            return;
        }
        let before = Text { x: x + 2.0, ..words }.align(Align::Right);
        if before.bounds().x >= axis.pixels.0 {
            sheet.text(before);
            return;
        }
    }
}

fn ticks(sheet: &mut Sheet, scene: &Scene, axis: &Scale) {
    let layout = &scene.layout;
    let last = axis.values.1;
    let step = scale::nice_step(last, if layout.phone { 3.0 } else { 4.5 });
    let mut tick = 0.0;
    while tick <= last * 1.0001 {
        let x = axis.at(tick).round() + 0.5;
        sheet.line([x, layout.bottom, x, layout.bottom + 4.0], 1.0, Dash::Solid, Paint::Control);
        let words = scale::short(tick / 1000.0) + if tick == 0.0 { " s" } else { "" };
        let figure = Text::new(words, x - 0.5, figures_y(layout)).font(Font::Condensed).align(Align::Center);
        if figure.bounds().right() <= axis.pixels.1 + 6.0 {
            sheet.text(figure.paint(Paint::Ink3));
        }
        tick += step;
    }
}
