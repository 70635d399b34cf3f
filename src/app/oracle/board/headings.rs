//! What everything else stands on: the grounds of the strips, their headings, the selected row.

use super::scene::Scene;
use crate::app::canvas::{
    Layout, Paint, Sheet, Size, Strips, Text, View, headline, row_grounds, scale, strip_grounds,
};

/// What the switch between the strips takes of a heading's width.
const SWITCH: f64 = 132.0;
/// What the switch of the truth takes of the last strip's.
const TRUTH: f64 = 92.0;
/// And while it says that the truth is hidden.
const HIDDEN: f64 = 140.0;

pub(super) fn draw(sheet: &mut Sheet, scene: &Scene, layout: &Layout, view: &View) {
    let switch = if scene.has_truth { TRUTH } else { HIDDEN };
    strip_grounds(sheet, layout);
    if layout.size != Size::Bundles {
        row_grounds(sheet, layout, scene.selected, scene.hovered);
    }
    if view.strips == Strips::Three {
        headline(sheet, (18.0, layout.gate.right() - 6.0), 17.0, "Cluster now", &[]);
        if let Some((x0, x1)) = layout.when {
            let held = scene.racing().map(|racing| format!("held until {} is known", racing.short_id()));
            let tails = match &held {
                Some(held) => [held.as_str(), "held"],
                None => ["when each worker answered", "when each answered"],
            };
            match scene.request {
                Some(request) => headline(sheet, (x0, x1 + 6.0), 17.0, &request.short_id(), &tails),
                None => headline(sheet, (x0, x1 + 6.0), 17.0, "No request yet", &[]),
            }
        }
        if let Some((x0, x1)) = layout.what {
            let tail = compared(scene);
            let tails = [tail.as_str()];
            headline(
                sheet,
                (x0, x1 + 6.0 - switch),
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
    if layout.is_titled() {
        headline(sheet, (left, layout.label_x), y, heading, &[]);
    }
    // The strip's own name is on the switch, which is a control of the page and stands where the heading would.
    if let Some((x0, x1)) = layout.when.or(layout.what)
        && !layout.phone
    {
        let tail = match (layout.what, scene.request) {
            (Some(_), _) => compared(scene),
            (None, Some(request)) => request.short_id(),
            (None, None) => "No request yet".to_owned(),
        };
        let text = Text::new(tail, x0 + SWITCH, y).px(13.0).paint(Paint::Ink3);
        if text.bounds().right() <= x1 + 6.0 - switch {
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
