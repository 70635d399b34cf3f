//! Headings, and words in the middle of a strip.

use super::scale;
use super::{Align, Font, Paint, Sheet, Text};

/// A heading, and the first of its tails that there is room for.
pub fn headline(sheet: &mut Sheet, (x, right): (f64, f64), y: f64, head: &str, tails: &[&str]) {
    let head = Text::new(head, x, y).px(13.0).weight(600).paint(Paint::Ink);
    let end = head.bounds().right();
    if end > right {
        return;
    }
    sheet.text(head);
    for tail in tails {
        let tail = Text::new(*tail, end + 8.0, y).px(13.0).paint(Paint::Ink3);
        if tail.bounds().right() <= right {
            sheet.text(tail);
            return;
        }
    }
}

/// Words in the middle of a strip that has nothing else to show; on two lines if they do not fit on one.
pub fn notice(sheet: &mut Sheet, (x0, x1): (f64, f64), y: f64, words: &str) {
    let line = |words: &str, y: f64| {
        Text::new(words, ((x0 + x1) / 2.0).round(), y).px(13.0).align(Align::Center).paint(Paint::Ink2)
    };
    let one = line(words, y);
    if one.width() <= x1 - x0 {
        sheet.text_on(one, Some(Paint::Strip));
        return;
    }
    let mut lines: Vec<String> = vec![String::new()];
    for word in words.split(' ') {
        let Some(last) = lines.last_mut() else {
            return;
        };
        let longer = if last.is_empty() { word.to_owned() } else { format!("{last} {word}") };
        if scale::text_width(&longer, Font::Sans, 13.0, 400) <= x1 - x0 || last.is_empty() {
            *last = longer;
        } else {
            lines.push(word.to_owned());
        }
    }
    let first = y - (lines.len() - 1) as f64 * 9.0;
    for (i, words) in lines.iter().enumerate() {
        sheet.text_on(line(words, first + i as f64 * 18.0), Some(Paint::Strip));
    }
}
