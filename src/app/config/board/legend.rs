//! The legend: how many are in which state, and the signs of the polls.

use super::scene::Scene;
use crate::app::canvas::{Dash, Font, Paint, Shape, Sheet, Text, lamp_shape, scale};
use crate::app::snapshot::Sign;

const STATES: [(Sign, &str); 4] =
    [(Sign::InTime, "current"), (Sign::Late, "behind"), (Sign::Failed, "failing"), (Sign::Down, "down")];
/// The sign of a 304 has no shape of its own: it is a tick.
const POLLS: [(Option<Shape>, &str); 4] = [
    (Some(Shape::InTime), "200"),
    (None, "304"),
    (Some(Shape::Failed), "no answer"),
    (Some(Shape::Hollow), "next poll"),
];

pub(super) fn draw(sheet: &mut Sheet, scene: &Scene) {
    let layout = &scene.layout;
    let strip = layout.when.or(layout.what).map_or(layout.width, |(x, _)| x - 10.0);
    let (x0, y, x1) = match layout.phone {
        true => (8.0, layout.bottom + 49.0, layout.width - 8.0),
        false => (layout.client.map_or(layout.gate.x, |rect| rect.x), layout.bottom + 24.0, strip),
    };
    let count = |state: Sign| scene.rows.iter().filter(|node| node.state.sign == state).count();
    let states = STATES
        .map(|(state, name)| (Some(lamp_shape(state)), format!("{} {name}", scale::count(count(state)))));
    let polls = POLLS.map(|(shape, name)| (shape, name.to_owned()));
    let mut entries: Vec<(Option<Shape>, String)> = states.into_iter().collect();
    if layout.when.is_some() {
        entries.extend(polls);
    }
    for (font, gap) in [(Font::Sans, 12.0), (Font::Condensed, 9.0), (Font::Condensed, 4.0)] {
        let width = |words: &str| 17.0 + scale::text_width(words, font, 12.0, 400) + gap;
        // Where there is not room for all, the states alone.
        for shown in [entries.as_slice(), &entries[..STATES.len()]] {
            let needed: f64 = shown.iter().map(|(_, words)| width(words)).sum();
            if x0 + needed - gap <= x1 {
                let mut x = x0;
                for (shape, words) in shown {
                    sign(sheet, *shape, x + 6.0, y);
                    sheet.text(Text::new(words.as_str(), x + 17.0, y + 0.5).font(font));
                    x += width(words);
                }
                return;
            }
        }
    }
}

fn sign(sheet: &mut Sheet, shape: Option<Shape>, x: f64, y: f64) {
    match shape {
        Some(Shape::Hollow) => sheet.glyph(Shape::Hollow, x, y, 4.0),
        Some(shape) => sheet.glyph(shape, x, y, 6.0),
        None => sheet.line([x, y - 6.0, x, y + 6.0], 2.0, Dash::Solid, Paint::Ink2),
    }
}
