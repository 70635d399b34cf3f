//! What everything else stands on: the grounds of the strips, their headings, the selected row.

use super::scene::Scene;
use crate::app::canvas::{Layout, Paint, Rect, Sheet, Size, Strips, Text, View, headline, scale};

/// What the switch between the strips takes of a heading's width.
const SWITCH: f64 = 132.0;
/// What the switch of the truth takes of the last strip's.
const TRUTH: f64 = 80.0;

pub(super) fn draw(sheet: &mut Sheet, scene: &Scene, layout: &Layout, view: &View) {
    for (x0, x1) in layout.when.into_iter().chain(layout.what) {
        let margin = if layout.phone { 4.0 } else { 6.0 };
        let high = layout.bottom - layout.top;
        sheet.solid(Rect::new(x0 - margin, layout.top, x1 - x0 + 2.0 * margin, high), Paint::Strip);
    }
    selection(sheet, scene, layout);
    if view.strips == Strips::Three {
        headline(sheet, (18.0, layout.coordinator.right() - 6.0), 17.0, "Cluster now", &[]);
        if let Some((x0, x1)) = layout.when {
            let tails = ["when each worker answered", "when each answered"];
            match scene.request {
                Some(request) => {
                    headline(sheet, (x0, x1 + 6.0), 17.0, &format!("Request {}", request.id), &tails)
                }
                None => headline(sheet, (x0, x1 + 6.0), 17.0, "No request yet", &[]),
            }
        }
        if let Some((x0, x1)) = layout.what {
            let tail = compared(scene);
            let tails = [tail.as_str()];
            headline(
                sheet,
                (x0, x1 + 6.0 - TRUTH),
                17.0,
                "What they said",
                if tail.is_empty() { &[] } else { &tails },
            );
        }
        return;
    }
    let (left, heading, y) = match layout.phone {
        true => (8.0, "Cluster", 22.0),
        false => (12.0, "Cluster now", 17.0),
    };
    headline(sheet, (left, layout.label_x), y, heading, &[]);
    // The strip's own name is on the switch, which is a control of the page and stands where the heading would.
    if let Some((x0, x1)) = layout.when.or(layout.what)
        && !layout.phone
    {
        let tail = match (layout.what, scene.request) {
            (Some(_), _) => compared(scene),
            (None, Some(request)) => format!("Request {}", request.id),
            (None, None) => "No request yet".to_owned(),
        };
        let text = Text::new(tail, x0 + SWITCH, y).px(13.0).paint(Paint::Ink3);
        if text.bounds().right() <= x1 + 6.0 - TRUTH {
            sheet.text(text);
        }
    }
}

/// `% from the true 42,135.50`
fn compared(scene: &Scene) -> String {
    match (scene.reference, scene.has_truth, &scene.aggregate) {
        (Some(truth), true, _) => format!("% from the true {}", scale::value(truth)),
        (Some(_), false, Some(aggregate)) => format!("% from the {}", aggregate.name),
        _ => String::new(),
    }
}

/// The ground of the selected row, and a paler one under the pointer.
fn selection(sheet: &mut Sheet, scene: &Scene, layout: &Layout) {
    if layout.size == Size::Bundles {
        return;
    }
    let mut ground = |row: usize, alpha: f32| {
        let x = layout.hub().right() + 5.0;
        let margin = if layout.phone { 4.0 } else { 10.0 };
        let (y, h) = (layout.rows.start(row), layout.rows.height(row));
        let (y, h) = if h > 12.0 { (y.round() + 1.0, h.round() - 2.0) } else { (y, h) };
        sheet.solid(Rect::new(x, y, layout.width - margin - x, h), Paint::Sel.alpha(alpha));
    };
    if let Some(row) = scene.hovered.filter(|row| scene.selected != Some(*row)) {
        ground(row, 0.55);
    }
    if let Some(row) = scene.selected {
        ground(row, 1.0);
    }
}
