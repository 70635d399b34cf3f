//! Where everything stands: columns, boxes, strips.

use super::rows::{Grid, Rows, Size};
use super::{Rect, Strip, Strips, View};

/// The width of a board on a page of 1000 px: the style sheet moves the bar there, too.
const TITLED_FROM: f64 = 964.0;

/// The measures of one board.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Layout {
    /// Of the canvas.
    pub width: f64,
    /// Of the canvas.
    pub height: f64,
    /// Whether it is drawn as on a phone.
    pub phone: bool,
    /// How much one node gets.
    pub size: Size,
    /// Where the rows begin.
    pub top: f64,
    /// Where they end.
    pub bottom: f64,
    /// The client's box, where there is room for it.
    pub client: Option<Rect>,
    /// The tall box that stands beside the client: tracks begin there.
    pub gate: Rect,
    /// Another tall box between the gate and the tracks, where there is one: then tracks begin there.
    pub relay: Option<Rect>,
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
    /// The grid, from 400 nodes on.
    pub grid: Option<Grid>,
}

/// A board of all three strips that is narrower has no room for the client.
const NARROW: f64 = 1000.0;

/// Columns: the client's left edge, the gate's left edge and width, the relay's, lamps, names, strips.
struct Columns {
    client: Option<f64>,
    gate: (f64, f64),
    relay: Option<(f64, f64)>,
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
            Strips::Three if w < NARROW => Columns {
                client: None,
                gate: (10.0, 44.0),
                relay: None,
                lamp: (w * 0.25).round(),
                label: (w * 0.25).round() + 14.0,
                when: Some(((w * 0.33).round(), (w * 0.64).round())),
                what: Some(((w * 0.655).round(), w - 8.0)),
            },
            Strips::Three => Columns {
                client: Some(18.0),
                gate: (150.0, 62.0),
                relay: None,
                lamp: (w * 0.375).round(),
                label: (w * 0.375).round() + 18.0,
                when: Some(((w * 0.375).round() + 92.0, (w * 0.69).round())),
                what: Some(((w * 0.715).round(), w - 18.0)),
            },
            Strips::Two(strip) => {
                let lamp = (w * 0.43).round();
                let (when, what) = one(strip, (lamp + 84.0, w - 18.0));
                let client = Some(12.0);
                Columns { client, gate: (112.0, 48.0), relay: None, lamp, label: lamp + 16.0, when, what }
            }
            Strips::Phone(strip) => {
                let lamp = (w * 0.27).round();
                let (when, what) = one(strip, (lamp + 62.0, w - 14.0));
                Columns { client: None, gate: (8.0, 32.0), relay: None, lamp, label: lamp + 13.0, when, what }
            }
        }
    }
}

impl Columns {
    /// The same with a relay between the gate and the tracks; lamps and strips stay where they are.
    fn with_relay(self, strips: Strips) -> Self {
        let (client, gate, relay) = match strips {
            Strips::Three if self.client.is_none() => (None, (8.0, 26.0), (74.0, 34.0)),
            Strips::Three => (Some(14.0), (112.0, 50.0), (264.0, 52.0)),
            Strips::Two(_) => (None, (12.0, 44.0), (150.0, 42.0)),
            Strips::Phone(_) => (None, (4.0, 20.0), (36.0, 20.0)),
        };
        Columns { client, gate, relay: Some(relay), ..self }
    }
}

impl Layout {
    /// The measures for so many nodes, with a relay or without; `focus` is the row under the lens.
    pub fn new(view: &View, count: usize, has_relay: bool, focus: Option<usize>) -> Self {
        let phone = matches!(view.strips, Strips::Phone(_));
        let (head, foot) = margins(phone);
        let (width, height) = (view.width, view.height);
        let bottom = (height - foot).max(head + 20.0);
        let high = bottom - head;
        let columns = match (has_relay, Columns::new(view.strips, width)) {
            (true, columns) => columns.with_relay(view.strips),
            (false, columns) => columns,
        };
        let size = Size::of(count);
        let (x, w) = columns.gate;
        let strip = columns.when.or(columns.what).map_or(width, |(x, _)| x);
        let beside = |(x, w): (f64, f64)| Rect::new(x, head + 2.0, w, high - 4.0);
        let tracks_from = columns.relay.map_or(x + w, |(x, w)| x + w);
        let room = (tracks_from + 6.0, strip - if phone { 10.0 } else { 62.0 }, head + 4.0, high - 8.0);
        Layout {
            width,
            height,
            phone,
            size,
            top: head,
            bottom,
            client: columns.client.map(|x| {
                let w = if columns.gate.0 > 120.0 { 72.0 } else { 66.0 };
                Rect::new(x, (head + high / 2.0 - 34.0).round(), w, 68.0)
            }),
            gate: beside((x, w)),
            relay: columns.relay.map(beside),
            lamp_x: columns.lamp,
            label_x: columns.label,
            when: columns.when,
            what: columns.what,
            rows: Rows::new(head, high, count, focus),
            grid: (size == Size::Bundles).then(|| Grid::new(count, room, !phone)),
        }
    }

    /// Whether the tracks have a title: on narrow pages the page's bar stands in its place.
    pub fn is_titled(&self) -> bool {
        self.phone || self.width >= TITLED_FROM
    }

    /// Where the tracks begin: the relay's box, or the gate's.
    pub fn hub(&self) -> Rect {
        self.relay.unwrap_or(self.gate)
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

/// Where the figures under a strip stand.
pub fn figures_y(layout: &Layout) -> f64 {
    layout.bottom + if layout.phone { 27.0 } else { 30.0 }
}

/// What stands above the rows and below them.
const fn margins(phone: bool) -> (f64, f64) {
    if phone { (44.0, 60.0) } else { (34.0, 46.0) }
}

/// Where the first strip begins on a canvas of that width: the place of the switch between strips.
pub fn strip_left(width: f64, strips: Strips) -> f64 {
    let columns = Columns::new(strips, width);
    columns.when.or(columns.what).map_or(0.0, |(x, _)| x)
}
