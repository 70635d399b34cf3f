//! Where everything stands: columns, rows, the grid; and which of three sizes a board has.

use super::mark::Rect;
use super::{Strip, Strips, View};

/// Up to so many workers each have a row with two rails and a label.
const ROWS_MAX: usize = 24;
/// From then on, and up to so many, each has a lane.
const LANES_MIN: usize = ROWS_MAX + 1;
const LANES_MAX: usize = 399;
/// Workers of one flow bundle.
const BUNDLE: usize = 25;
/// The most bundles; above, each stands for more workers.
const BUNDLES_MAX: usize = 40;
/// How high the row under the lens is among narrow ones.
const LENS: f64 = 20.0;

/// How much one worker gets.
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
    /// The size for so many workers.
    pub fn of(workers: usize) -> Self {
        match workers {
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
    fn new(top: f64, height: f64, count: usize, lens: Option<usize>) -> Self {
        let rows = count.max(1) as f64;
        let lens = lens.filter(|_| height / rows < LENS && count > ROWS_MAX).map(|row| (row, LENS));
        let pitch = match lens {
            Some((_, high)) => (height - high) / (rows - 1.0),
            None => height / rows,
        };
        Rows { top, count, pitch, lens }
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

/// The grid of one mark per worker, and the bundles beside it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Grid {
    /// Its upper left corner.
    pub origin: (f64, f64),
    /// A cell's width and height.
    pub cell: (f64, f64),
    /// Workers in one row, which are those of one bundle.
    pub per_row: usize,
    /// How many rows there are.
    pub rows: usize,
    /// How many workers there are.
    pub count: usize,
    /// From where to where the bundles go, if there is room for them.
    pub bundles: Option<(f64, f64)>,
}

impl Grid {
    /// Room: left edge, right edge, upper edge, height.
    fn new(count: usize, (left, right, top, height): (f64, f64, f64, f64), beside: bool) -> Self {
        let bundles = beside && right - left >= 130.0;
        let per_row = if bundles {
            BUNDLE * count.div_ceil(BUNDLE * BUNDLES_MAX)
        } else {
            ((count as f64 * (right - left) / height).sqrt().round() as usize).max(5)
        };
        let rows = count.div_ceil(per_row).max(1);
        let share = if bundles { 0.64 } else { 1.0 };
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

    /// A worker's cell.
    pub fn cell_of(&self, worker: usize) -> Rect {
        let (column, row) = (worker % self.per_row, worker / self.per_row);
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

/// The measures of one board.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Layout {
    /// Of the canvas.
    pub width: f64,
    /// Of the canvas.
    pub height: f64,
    /// Whether it is drawn as on a phone.
    pub phone: bool,
    /// How much one worker gets.
    pub size: Size,
    /// Where the rows begin.
    pub top: f64,
    /// Where they end.
    pub bottom: f64,
    /// The client's box, where there is room for it.
    pub client: Option<Rect>,
    /// The coordinator's box.
    pub coordinator: Rect,
    /// The broker's box, in a system that has one.
    pub broker: Option<Rect>,
    /// The middle of the lamps.
    pub lamp_x: f64,
    /// Where names begin.
    pub label_x: f64,
    /// From where to where the strip *when* goes, if it is shown.
    pub when: Option<(f64, f64)>,
    /// From where to where the strip *what* goes, if it is shown.
    pub what: Option<(f64, f64)>,
    /// The rows.
    pub rows: Rows,
    /// The grid, from 400 workers on.
    pub grid: Option<Grid>,
}

/// Columns: the client's left edge, the coordinator's left edge and width, the broker's, lamps, names, strips.
struct Columns {
    client: Option<f64>,
    coordinator: (f64, f64),
    broker: Option<(f64, f64)>,
    lamp: f64,
    label: f64,
    when: Option<(f64, f64)>,
    what: Option<(f64, f64)>,
}

impl Columns {
    fn new(strips: Strips, w: f64) -> Self {
        let one = |strip: Strip, ends| match strip {
            Strip::When => (Some(ends), None),
            Strip::What => (None, Some(ends)),
        };
        match strips {
            Strips::Three => Columns {
                client: Some(18.0),
                coordinator: (150.0, 62.0),
                broker: None,
                lamp: (w * 0.375).round(),
                label: (w * 0.375).round() + 18.0,
                when: Some(((w * 0.375).round() + 92.0, (w * 0.69).round())),
                what: Some(((w * 0.715).round(), w - 18.0)),
            },
            Strips::Two(strip) => {
                let lamp = (w * 0.43).round();
                let (when, what) = one(strip, (lamp + 84.0, w - 18.0));
                let client = Some(12.0);
                Columns {
                    client,
                    coordinator: (112.0, 48.0),
                    broker: None,
                    lamp,
                    label: lamp + 16.0,
                    when,
                    what,
                }
            }
            Strips::Phone(strip) => {
                let lamp = (w * 0.27).round();
                let (when, what) = one(strip, (lamp + 62.0, w - 14.0));
                Columns {
                    client: None,
                    coordinator: (8.0, 32.0),
                    broker: None,
                    lamp,
                    label: lamp + 13.0,
                    when,
                    what,
                }
            }
        }
    }
}

impl Columns {
    /// The same with a broker between the coordinator and the tracks; lamps and strips stay where they are.
    fn with_broker(self, strips: Strips) -> Self {
        let (client, coordinator, broker) = match strips {
            Strips::Three => (Some(14.0), (112.0, 50.0), (264.0, 52.0)),
            Strips::Two(_) => (None, (12.0, 44.0), (150.0, 42.0)),
            Strips::Phone(_) => (None, (4.0, 20.0), (36.0, 20.0)),
        };
        Columns { client, coordinator, broker: Some(broker), ..self }
    }
}

impl Layout {
    /// The measures for so many workers, with a broker or without; `focus` is the row under the lens.
    pub fn new(view: &View, workers: usize, has_broker: bool, focus: Option<usize>) -> Self {
        let phone = matches!(view.strips, Strips::Phone(_));
        let (head, foot) = margins(phone);
        let (width, height) = (view.width, view.height);
        let bottom = (height - foot).max(head + 20.0);
        let high = bottom - head;
        let columns = match (has_broker, Columns::new(view.strips, width)) {
            (true, columns) => columns.with_broker(view.strips),
            (false, columns) => columns,
        };
        let size = Size::of(workers);
        let (x, w) = columns.coordinator;
        let strip = columns.when.or(columns.what).map_or(width, |(x, _)| x);
        let beside = |(x, w): (f64, f64)| Rect::new(x, head + 2.0, w, high - 4.0);
        let tracks_from = columns.broker.map_or(x + w, |(x, w)| x + w);
        let room = (tracks_from + 6.0, strip - if phone { 10.0 } else { 62.0 }, head + 4.0, high - 8.0);
        Layout {
            width,
            height,
            phone,
            size,
            top: head,
            bottom,
            client: columns.client.map(|x| {
                let w = if columns.coordinator.0 > 120.0 { 72.0 } else { 66.0 };
                Rect::new(x, (head + high / 2.0 - 34.0).round(), w, 68.0)
            }),
            coordinator: beside((x, w)),
            broker: columns.broker.map(beside),
            lamp_x: columns.lamp,
            label_x: columns.label,
            when: columns.when,
            what: columns.what,
            rows: Rows::new(head, high, workers, focus),
            grid: (size == Size::Bundles).then(|| Grid::new(workers, room, !phone)),
        }
    }

    /// Where the tracks begin: the broker's box, or the coordinator's.
    pub fn hub(&self) -> Rect {
        self.broker.unwrap_or(self.coordinator)
    }

    /// Where the rails begin and end: the same for all, so that a message's speed tells its latency.
    pub fn rails(&self) -> (f64, f64) {
        let end = match self.size {
            Size::Rows => self.lamp_x - 11.0,
            // The lamp under the lens is larger than its neighbours.
            Size::Lanes | Size::Bundles => self.lamp_x - (3.0 + self.lamp_column(0)).max(8.0),
        };
        (self.hub().right() + 3.0, end)
    }

    /// How far left of the last lamp a narrow row's lamp stands: neighbours step aside, so that they stay apart.
    pub fn lamp_column(&self, row: usize) -> f64 {
        let columns = (3.2 / self.rows.pitch).ceil().clamp(1.0, 4.0) as usize;
        (columns - 1 - row % columns) as f64 * 4.5
    }
}

/// What stands above the rows and below them.
const fn margins(phone: bool) -> (f64, f64) {
    if phone { (44.0, 60.0) } else { (34.0, 46.0) }
}

/// The least height at which a board of so many workers is legible.
pub fn natural_height(workers: usize, strips: Strips) -> f64 {
    let (head, foot) = margins(matches!(strips, Strips::Phone(_)));
    let row = if matches!(strips, Strips::Phone(_)) { 20.0 } else { 15.0 };
    head + (workers.min(ROWS_MAX) as f64 * row).max(240.0) + foot
}

/// Where the first strip begins on a canvas of that width: the place of the switch between strips.
pub fn strip_left(width: f64, strips: Strips) -> f64 {
    let columns = Columns::new(strips, width);
    columns.when.or(columns.what).map_or(0.0, |(x, _)| x)
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
