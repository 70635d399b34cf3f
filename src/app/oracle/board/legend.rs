//! The legend: how many workers are in which state. Every sign on the board stands here with its name.

use super::scene::Scene;
use crate::app::canvas::{Font, Layout, Mark, Paint, Sheet, Size, Text, lamp_shape, scale};
use crate::app::snapshot::Sign;

/// What is counted together, under which sign and name.
const ENTRIES: [(&[Sign], &str); 7] = [
    (&[Sign::InTime], "in time"),
    (&[Sign::Late], "late"),
    (&[Sign::Failed], "failed"),
    (&[Sign::Lying], "lying"),
    (&[Sign::Down], "down"),
    (&[Sign::Working, Sign::Asked], "open"),
    (&[Sign::Idle], "idle"),
];
/// So many of them always have their places; the rest stands here when there is any.
const STEADY: usize = 6;

/// How entries may be set: face, with words, gap; the first that fits.
const FORMS: [(Font, bool, f64); 4] = [
    (Font::Sans, true, 12.0),
    (Font::Condensed, true, 9.0),
    (Font::Condensed, true, 4.0),
    (Font::Condensed, false, 9.0),
];

pub(super) fn draw(sheet: &mut Sheet, scene: &Scene, layout: &Layout) {
    let count = |states: &[Sign]| scene.rows.iter().filter(|row| states.contains(&row.kept)).count();
    let (x0, y, x1) = place(layout);
    let most = scale::count(scene.rows.len());
    let width = |name: &str, (font, in_words, gap): (Font, bool, f64)| {
        let words = if in_words { format!("{most} {name}") } else { most.clone() };
        18.0 + scale::text_width(&words, font, 12.0, 400) + gap
    };
    let fits = |form: &(Font, bool, f64)| {
        let needed: f64 = ENTRIES[..STEADY].iter().map(|(_, name)| width(name, *form)).sum();
        x0 + needed - form.2 <= x1
    };
    let Some(form) = FORMS.into_iter().find(fits) else {
        return;
    };
    let mut x = x0;
    let some_open = count(ENTRIES[STEADY - 1].0) > 0;
    for (i, (states, name)) in ENTRIES.iter().enumerate() {
        let count = count(states);
        // Who is idle takes the place of who is at work; and only the truth knows who lies.
        let no_place = i == STEADY - 1 && !some_open && scene.rows.iter().any(|row| row.kept == Sign::Idle);
        let is_secret =
            !scene.has_truth && (states[0] == Sign::Lying || states[0] == Sign::Down && count == 0);
        if no_place || is_secret {
            continue;
        }
        let figure = scale::count(count);
        let words = if form.1 { format!("{figure} {name}") } else { figure };
        let words = Text::new(words, x + 18.0, y + 0.5).font(form.0);
        if i >= STEADY && count == 0 || words.bounds().right() > x1 {
            continue;
        }
        let shape = lamp_shape(states[0]);
        sheet.marks.push(Mark::Glyph { shape, x: x + 7.0, y, r: 6.5, part: 0.4, paint: shape.paint() });
        sheet.text(if count == 0 { words.paint(Paint::Ink3) } else { words });
        x += width(name, form);
    }
}

/// From where to where, and at which height: under the tracks, on a phone under everything.
fn place(layout: &Layout) -> (f64, f64, f64) {
    if layout.phone {
        return (8.0, layout.bottom + 49.0, layout.width - 8.0);
    }
    let strip = layout.when.or(layout.what).map_or(layout.width, |(x, _)| x);
    // Figures of four digits need the room under the client, too.
    let left = match layout.client {
        Some(client) if layout.size == Size::Bundles || layout.when.is_none() || layout.what.is_none() => {
            client.x
        }
        _ => layout.gate.x,
    };
    (left, layout.bottom + if layout.size == Size::Rows { 24.0 } else { 27.0 }, strip - 10.0)
}
