//! Chips over a line: each as near to its place as there is room, and one that says how many more there are where
//! there is none.

use crate::app::canvas::Font;
use crate::app::canvas::scale::text_width;

/// What stays free between two.
const GAP: f64 = 4.0;
/// So far beside its place a chip may begin before it goes to those that are only counted.
const ASIDE: f64 = 44.0;
/// The width of a chip that counts.
const COUNT: f64 = 34.0;
/// What a chip has besides its words: edges, a sign, and the gap to the words.
const FRAME: f64 = 24.0;

/// A chip, and which of the places it stands for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Chip {
    /// The first of them.
    pub from: usize,
    /// How many, one after the other.
    pub count: usize,
    /// Where it begins.
    pub left: f64,
    /// How wide it is.
    pub width: f64,
}

impl Chip {
    fn right(&self) -> f64 {
        self.left + self.width
    }
}

/// How wide a chip with those words is; without words it is its sign.
pub fn width(words: &str) -> f64 {
    let words = if words.is_empty() { 0.0 } else { 6.0 + text_width(words, Font::Condensed, 12.0, 400) };
    FRAME + words
}

/// Chips for places from left to right, each with the width that it wants, on a line that is so wide.
pub fn place(wanted: &[(f64, f64)], line: f64) -> Vec<Chip> {
    let mut chips: Vec<Chip> = Vec::new();
    for (i, &(at, width)) in wanted.iter().enumerate() {
        let free = chips.last().map_or(0.0, |chip| chip.right() + GAP);
        let left = (at - width / 2.0).min(line - width).max(free);
        if left + width <= line && left <= at + ASIDE {
            chips.push(Chip { from: i, count: 1, left, width });
        } else {
            count_in(&mut chips, i, at, line);
        }
    }
    chips
}

/// Counts a place with those before it, as many as must make room for that.
fn count_in(chips: &mut Vec<Chip>, i: usize, at: f64, line: f64) {
    let mut group = match chips.pop_if(|chip| chip.count > 1) {
        Some(group) => Chip { count: group.count + 1, ..group },
        None => Chip { from: i, count: 1, left: 0.0, width: COUNT },
    };
    loop {
        let free = chips.last().map_or(0.0, |chip| chip.right() + GAP);
        group.left = (at - COUNT / 2.0).min(line - COUNT).max(free);
        let fits = group.left + COUNT <= line && group.left <= at + ASIDE;
        match chips.pop_if(|_| !fits) {
            Some(before) => (group.from, group.count) = (before.from, group.count + before.count),
            None => break,
        }
    }
    chips.push(group);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(wanted: &[(f64, f64)], line: f64) -> Vec<(usize, usize)> {
        let chips = place(wanted, line);
        let mut end = 0.0;
        for chip in &chips {
            assert!(chip.left >= end && chip.right() <= line, "{chips:?}");
            end = chip.right() + GAP;
        }
        assert_eq!(chips.iter().map(|chip| chip.count).sum::<usize>(), wanted.len());
        chips.iter().map(|chip| (chip.from, chip.count)).collect()
    }

    #[test]
    fn chips_stand_over_their_places_or_beside_them() {
        assert_eq!(place(&[(100.0, 60.0), (300.0, 80.0)], 600.0)[1].left, 260.0);
        assert_eq!(shape(&[(100.0, 60.0), (120.0, 60.0)], 600.0), [(0, 1), (1, 1)]);
        assert_eq!(
            place(&[(0.0, 60.0), (600.0, 80.0)], 600.0),
            [
                Chip { from: 0, count: 1, left: 0.0, width: 60.0 },
                Chip { from: 1, count: 1, left: 520.0, width: 80.0 },
            ]
        );
    }

    #[test]
    fn what_has_no_room_is_counted() {
        let four = [(200.0, 70.0); 4];
        assert_eq!(shape(&four, 600.0), [(0, 1), (1, 3)]);
        assert_eq!(shape(&[(590.0, 70.0); 4], 600.0), [(0, 4)]);
        assert_eq!(shape(&[(5.0, 24.0), (8.0, 24.0), (9.0, 24.0), (60.0, 24.0)], 90.0).len(), 3);
        let many: Vec<(f64, f64)> = (0..100).map(|i| (f64::from(i) * 6.0, 80.0)).collect();
        assert!(shape(&many, 600.0).len() > 4);
        assert_eq!(place(&[], 600.0), []);
    }
}
