//! The rows of a board, the grid that takes their place where there are many, and which of three sizes a board has.

use super::Rect;

/// Up to so many nodes each have a row with two rails and a label.
const ROWS_MAX: usize = 24;
/// From then on, and up to so many, each has a lane.
const LANES_MIN: usize = ROWS_MAX + 1;
const LANES_MAX: usize = 399;
/// Nodes of one bundle.
const BUNDLE: usize = 25;
/// The most bundles while the grid has the room for longer rows; above, each stands for more nodes.
const BUNDLES_MAX: usize = 40;
/// The grid's share of the room, with bundles beside it.
const BESIDE: f64 = 0.64;
/// How high the row under the lens is among narrow ones.
const LENS: f64 = 20.0;
/// No row is higher than that: few of them stand in the middle of their room.
const PITCH_MAX: f64 = 44.0;

/// How much one node gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// 1–24: a row with two rails.
    Rows,
    /// 25–399: a lane.
    Lanes,
    /// From 400 on: a place in a bundle and in a grid.
    Bundles,
}

impl Size {
    /// The size for so many nodes.
    pub fn of(count: usize) -> Self {
        match count {
            ..=ROWS_MAX => Size::Rows,
            LANES_MIN..=LANES_MAX => Size::Lanes,
            _ => Size::Bundles,
        }
    }
}

/// The rows: all of the same height, but for the one under the lens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rows {
    /// Where the first begins.
    pub top: f64,
    /// How many there are.
    pub count: usize,
    /// How high each is.
    pub pitch: f64,
    /// The one that is larger, and its height.
    pub lens: Option<(usize, f64)>,
}

impl Rows {
    pub(super) fn new(top: f64, height: f64, count: usize, lens: Option<usize>) -> Self {
        let rows = count.max(1) as f64;
        let lens = lens.filter(|_| height / rows < LENS && count > ROWS_MAX).map(|row| (row, LENS));
        let pitch = match lens {
            Some((_, high)) => (height - high) / (rows - 1.0),
            None => (height / rows).min(PITCH_MAX),
        };
        let taken = pitch * rows + lens.map_or(0.0, |(_, high)| high - pitch);
        Rows { top: top + (height - taken) / 2.0, count, pitch, lens }
    }

    /// Where a row begins.
    pub fn start(&self, row: usize) -> f64 {
        let more = match self.lens {
            Some((lens, high)) if row > lens => high - self.pitch,
            _ => 0.0,
        };
        self.top + row as f64 * self.pitch + more
    }

    /// How high a row is.
    pub fn height(&self, row: usize) -> f64 {
        match self.lens {
            Some((lens, high)) if lens == row => high,
            _ => self.pitch,
        }
    }

    /// The middle of a row.
    pub fn center(&self, row: usize) -> f64 {
        self.start(row) + self.height(row) / 2.0
    }

    /// Whether a row has room for words.
    pub fn is_roomy(&self, row: usize) -> bool {
        self.count <= ROWS_MAX || self.lens.is_some_and(|(lens, _)| lens == row)
    }

    /// The row at a height, the nearest one above the first and below the last.
    pub fn at(&self, y: f64) -> Option<usize> {
        let last = self.count.checked_sub(1)?;
        let below = match self.lens {
            Some((lens, high)) if y >= self.start(lens) => {
                if y < self.start(lens) + high {
                    return Some(lens);
                }
                y - (high - self.pitch)
            }
            _ => y,
        };
        Some((((below - self.top) / self.pitch).max(0.0) as usize).min(last))
    }
}

/// The grid of one mark per node, and the bundles beside it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Grid {
    /// Its upper left corner.
    pub origin: (f64, f64),
    /// A cell's width and height.
    pub cell: (f64, f64),
    /// Nodes in one row, which are those of one bundle.
    pub per_row: usize,
    /// How many rows there are.
    pub rows: usize,
    /// How many nodes there are.
    pub count: usize,
    /// From where to where the bundles go, if there is room for them.
    pub bundles: Option<(f64, f64)>,
}

impl Grid {
    /// Room: left edge, right edge, upper edge, height.
    pub(super) fn new(count: usize, (left, right, top, height): (f64, f64, f64, f64), beside: bool) -> Self {
        let bundles = beside && right - left >= 130.0;
        let per_row = if bundles {
            // As square as they come with whole bundles, and no more of those than there have to be.
            let square = (count as f64 * (right - left) * BESIDE / height).sqrt();
            let fewest = count.div_ceil(BUNDLE * BUNDLES_MAX);
            BUNDLE * fewest.min((square / BUNDLE as f64).ceil().max(1.0) as usize)
        } else {
            ((count as f64 * (right - left) / height).sqrt().round() as usize).max(5)
        };
        let rows = count.div_ceil(per_row).max(1);
        let share = if bundles { BESIDE } else { 1.0 };
        let w = ((right - left) * share / per_row as f64).min(12.0);
        // Whole pixels where there are some, so that all marks look the same.
        let w = if w >= 3.0 { w.floor() } else { w };
        let h = (height / rows as f64).min(w * 2.2);
        let h = if h >= 3.0 { h.floor() } else { h };
        let x = right - w * per_row as f64;
        let y = (top + (height - h * rows as f64) / 2.0).round();
        let bundles = bundles.then_some((left, x - 10.0));
        Grid { origin: (x, y), cell: (w, h), per_row, rows, count, bundles }
    }

    /// A node's cell.
    pub fn cell_of(&self, place: usize) -> Rect {
        let (column, row) = (place % self.per_row, place / self.per_row);
        let ((x, y), (w, h)) = (self.origin, self.cell);
        Rect::new(x + column as f64 * w, y + row as f64 * h, w, h)
    }

    /// The radius of a mark.
    pub fn radius(&self) -> f64 {
        self.cell.0.min(self.cell.1) * 0.36
    }

    /// The right edge.
    pub fn right(&self) -> f64 {
        self.origin.0 + self.cell.0 * self.per_row as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_change_at_25_and_at_400() {
        let sizes = [1, 24, 25, 399, 400, 1000, 10_000].map(Size::of);
        let (r, l, b) = (Size::Rows, Size::Lanes, Size::Bundles);
        assert_eq!(sizes, [r, r, l, l, b, b, b]);
    }

    #[test]
    fn the_lens_takes_from_all_and_moves_nobody_out() {
        for lens in [None, Some(0), Some(57), Some(99)] {
            let rows = Rows::new(34.0, 380.0, 100, lens);
            assert!((rows.start(99) + rows.height(99) - 414.0).abs() < 1e-9);
            for row in 0..100 {
                assert_eq!(rows.at(rows.center(row)), Some(row));
            }
        }
        assert_eq!(Rows::new(34.0, 380.0, 12, Some(3)).lens, None, "12 rows have room enough");
    }

    #[test]
    fn the_pointer_stays_in_the_row_that_it_magnifies() {
        let mut y = 34.0;
        let mut lens = None;
        while y < 414.0 {
            lens = Rows::new(34.0, 380.0, 100, lens).at(y);
            assert_eq!(Rows::new(34.0, 380.0, 100, lens).at(y), lens, "at {y}");
            y += 0.5;
        }
    }
}
