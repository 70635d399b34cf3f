//! What everything else stands on: the grounds of the strips, and of the rows that are chosen.

use super::{Layout, Paint, Rect, Sheet};

/// The grounds of the strips that are shown.
pub fn strip_grounds(sheet: &mut Sheet, layout: &Layout) {
    for (x0, x1) in layout.when.into_iter().chain(layout.what) {
        let margin = if layout.phone { 4.0 } else { 6.0 };
        let high = layout.bottom - layout.top;
        sheet.solid(Rect::new(x0 - margin, layout.top, x1 - x0 + 2.0 * margin, high), Paint::Strip);
    }
}

/// The ground of the selected row, and a paler one under the pointer.
pub fn row_grounds(sheet: &mut Sheet, layout: &Layout, selected: Option<usize>, hovered: Option<usize>) {
    let mut ground = |row: usize, alpha: f32| {
        let x = layout.hub().right() + 5.0;
        let margin = if layout.phone { 4.0 } else { 10.0 };
        let (y, h) = (layout.rows.start(row), layout.rows.height(row));
        let (y, h) = if h > 12.0 { (y.round() + 1.0, h.round() - 2.0) } else { (y, h) };
        sheet.solid(Rect::new(x, y, layout.width - margin - x, h), Paint::Sel.alpha(alpha));
    };
    if let Some(row) = hovered.filter(|row| selected != Some(*row)) {
        ground(row, 0.55);
    }
    if let Some(row) = selected {
        ground(row, 1.0);
    }
}

/// What a row of a strip stands on; under the pointer that is no single colour.
pub fn ground_of(row: usize, selected: Option<usize>, hovered: Option<usize>) -> Option<Paint> {
    match row {
        _ if selected == Some(row) => Some(Paint::Sel),
        _ if hovered == Some(row) => None,
        _ => Some(Paint::Strip),
    }
}
