//! A board for any snapshot: the nodes that have no row as boxes, the others in rows with their states in words, dots for
//! the messages between them, and a legend by state. A system without a shape of its own takes it as it is.

use super::{
    Align, Board, Fill, Font, Layout, Mark, Paint, Picture, Rect, Shape, Sheet, Size, Text, View, headline,
    lamp_shape, lamp_step, message_shape, node_box, progress, row_grounds, scale,
};
use crate::app::snapshot::{NodeView, Role, Snapshot, State};
use crate::substrate::merge;

/// How far a message between two rows keeps from their lamps.
const ASIDE: f64 = 14.0;

/// The board of a snapshot.
pub fn picture(snapshot: &Snapshot, view: &View) -> Picture {
    let rows = snapshot.rows();
    let find = |name: &str| rows.iter().position(|node| node.name == name);
    let (selected, hovered) = (find(view.selected), view.hovered.and_then(find));
    let mut layout = Layout::new(view, rows.len(), false, hovered.or(selected));
    // Each has a row here, however many there are.
    layout.grid = None;
    if layout.size == Size::Bundles {
        layout.size = Size::Lanes;
    }
    let stage = Stage { snapshot, rows, boxes: boxes(snapshot, &layout), layout };
    let mut sheet = Sheet::default();
    let (left, y) = if layout.phone { (8.0, 22.0) } else { (18.0, 17.0) };
    if layout.is_titled() {
        headline(&mut sheet, (left, layout.label_x), y, "Cluster now", &[]);
    }
    row_grounds(&mut sheet, &layout, selected, hovered);
    stage.draw_boxes(&mut sheet, view);
    if !view.flow && !view.reduced_motion {
        stage.messages(&mut sheet);
    }
    stage.lamps(&mut sheet);
    stage.names(&mut sheet, selected);
    legend(&mut sheet, rows, &layout);
    Picture {
        marks: sheet.legible(layout.width, layout.height),
        width: layout.width,
        height: layout.height,
        places: stage.boxes.iter().map(|(rect, node)| (*rect, node.id)).collect(),
        rows: Some(Board { marks: Vec::new(), layout }),
    }
}

/// What is shown, and where it stands.
struct Stage<'a> {
    snapshot: &'a Snapshot,
    rows: &'a [NodeView],
    boxes: Vec<(Rect, &'a NodeView)>,
    layout: Layout,
}

/// The nodes without a row, one above the other where tracks begin; the console is not a part of what is shown.
fn boxes<'a>(snapshot: &'a Snapshot, layout: &Layout) -> Vec<(Rect, &'a NodeView)> {
    let others = &snapshot.nodes[..snapshot.rows_from.min(snapshot.nodes.len())];
    let shown: Vec<&NodeView> = others.iter().filter(|node| node.role != Role::CONSOLE).collect();
    let (column, gap) = (layout.gate, 6.0);
    let high = (column.h + gap) / shown.len().max(1) as f64;
    let rect = |place: usize| Rect::new(column.x, column.y + place as f64 * high, column.w, high - gap);
    shown.into_iter().enumerate().map(|(place, node)| (rect(place), node)).collect()
}

/// Where a node stands.
#[derive(Clone, Copy)]
enum Place {
    Row(usize),
    Box(Rect),
}

impl Stage<'_> {
    fn place_of(&self, id: u32) -> Option<Place> {
        let row = self.rows.iter().position(|node| node.id == id).map(Place::Row);
        row.or_else(|| self.boxes.iter().find(|(_, node)| node.id == id).map(|(rect, _)| Place::Box(*rect)))
    }

    fn lamp_of(&self, row: usize) -> (f64, f64) {
        (self.layout.lamp_x - lamp_step(&self.layout, row), self.layout.rows.center(row).round())
    }

    fn draw_boxes(&self, sheet: &mut Sheet, view: &View) {
        for (rect, node) in &self.boxes {
            node_box(sheet, *rect, node.up);
            if view.selected == node.name {
                let frame = Rect::new(rect.x - 3.0, rect.y - 3.0, rect.w + 6.0, rect.h + 6.0);
                sheet.area(frame, 7.0, Fill::Outline, Paint::Ink);
            }
            let (x, y) = rect.center();
            let name = Text::new(node.name.as_str(), x, y).px(13.0).weight(600).align(Align::Center);
            let name = Text { upright: true, ..name.paint(Paint::Ink) };
            if name.width() <= rect.h {
                sheet.text(name);
            }
        }
    }

    fn messages(&self, sheet: &mut Sheet) {
        for message in &self.snapshot.messages {
            let (Some(from), Some(to)) = (self.place_of(message.from), self.place_of(message.to)) else {
                continue;
            };
            let part = progress(message, self.snapshot.vtime_ms);
            let (x, y) = self.on_the_way(from, to, part);
            let shape = if message.lost && part >= 0.5 { Shape::Gap } else { message_shape(message.kind) };
            sheet.glyph(shape, x, y, (self.layout.rows.pitch * 0.2).clamp(1.5, 4.0));
        }
    }

    /// Level between a box and a row; in a bow to the left between two rows.
    fn on_the_way(&self, from: Place, to: Place, part: f64) -> (f64, f64) {
        let between = |a: f64, b: f64| a + (b - a) * part;
        match (from, to) {
            (Place::Box(rect), Place::Row(row)) => {
                let (x, y) = self.lamp_of(row);
                (between(rect.right(), x - ASIDE), y)
            }
            (Place::Row(row), Place::Box(rect)) => {
                let (x, y) = self.lamp_of(row);
                (between(x - ASIDE, rect.right()), y)
            }
            (Place::Row(a), Place::Row(b)) => {
                let ((x, y0), (_, y1)) = (self.lamp_of(a), self.lamp_of(b));
                let room = (x - ASIDE - self.layout.hub().right()).max(0.0);
                (x - ASIDE - room * 2.0 * part * (1.0 - part), between(y0, y1))
            }
            (Place::Box(a), Place::Box(b)) => (a.center().0, between(a.center().1, b.center().1)),
        }
    }

    fn lamps(&self, sheet: &mut Sheet) {
        for (row, node) in self.rows.iter().enumerate() {
            let (x, y) = self.lamp_of(row);
            let shape = lamp_shape(node.state.sign);
            let r = (self.layout.rows.height(row) * 0.34).clamp(1.6, 9.0);
            sheet.marks.push(Mark::Glyph { shape, x, y, r, part: 0.4, paint: shape.paint() });
        }
    }

    /// Names with states in words; of every second, third, … where rows are too low for words.
    fn names(&self, sheet: &mut Sheet, selected: Option<usize>) {
        let layout = &self.layout;
        let every = (13.0 / layout.rows.pitch).ceil().max(1.0) as usize;
        let lens = layout.rows.lens.map(|(row, _)| row);
        let right = layout.width - 12.0;
        for (row, node) in self.rows.iter().enumerate() {
            let y = layout.rows.center(row).round() + 0.5;
            let apart = lens.is_none_or(|lens| (layout.rows.center(lens) - y).abs() >= 16.0);
            if lens != Some(row) && (row % every != 0 || !apart) {
                continue;
            }
            let weight = if selected == Some(row) { 500 } else { 400 };
            let name = Text::new(node.name.as_str(), layout.label_x, y).font(Font::Mono).weight(weight);
            let after = name.bounds().right() + 12.0;
            sheet.text(name.paint(Paint::Ink));
            let full = format!("{}{}", node.state.words, node.remarks());
            for words in [full.as_str(), node.state.words] {
                let words = Text::new(words, after, y);
                if words.bounds().right() <= right {
                    sheet.text(words);
                    break;
                }
            }
        }
    }
}

/// How many rows are in which state, under the rows; without words where there is no room for them.
fn legend(sheet: &mut Sheet, rows: &[NodeView], layout: &Layout) {
    let mut states: Vec<State> = Vec::new();
    for node in rows {
        if !states.contains(&node.state) {
            states.push(node.state);
        }
    }
    merge::sort(&mut states, |a, b| a.sign < b.sign);
    let count = |state: &State| scale::count(rows.iter().filter(|node| node.state == *state).count());
    let (x0, x1) = if layout.phone { (8.0, layout.width - 8.0) } else { (18.0, layout.width - 18.0) };
    let y = layout.bottom + if layout.phone { 49.0 } else { 24.0 };
    for in_words in [true, false] {
        let words = |state: &State| match in_words {
            true => format!("{} {}", count(state), state.words),
            false => count(state),
        };
        let width = |words: &str| 18.0 + scale::text_width(words, Font::Sans, 12.0, 400) + 12.0;
        let needed: f64 = states.iter().map(|state| width(&words(state))).sum();
        if x0 + needed - 12.0 > x1 {
            continue;
        }
        let mut x = x0;
        for state in &states {
            let (words, shape) = (words(state), lamp_shape(state.sign));
            let paint = shape.paint();
            sheet.marks.push(Mark::Glyph { shape, x: x + 7.0, y, r: 6.5, part: 0.4, paint });
            x += width(&words);
            sheet.text(Text::new(words.as_str(), x - width(&words) + 18.0, y + 0.5));
        }
        return;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::canvas::{Strip, Strips};
    use crate::app::snapshot::{MessageKind, MessageView};
    use crate::app::{Player, PlayerState};
    use crate::kernel::Instant;
    use crate::lab::{Scenario, presets};

    fn view(width: f64, strips: Strips) -> View<'static> {
        View {
            width,
            height: 430.0,
            strips,
            selected: "client",
            hovered: None,
            flow: false,
            reduced_motion: false,
        }
    }

    /// The same moment with a message halfway from each node to the next, and from the last to the first.
    fn with_a_message_between_any_two(snapshot: &Snapshot) -> Snapshot {
        let ids: Vec<u32> = snapshot.nodes.iter().map(|node| node.id).collect();
        let (sent_ms, arrives_ms) = (snapshot.vtime_ms - 30.0, snapshot.vtime_ms + 30.0);
        let kind = MessageKind::Request;
        let message =
            |(from, to): (u32, u32)| MessageView { from, to, sent_ms, arrives_ms, kind, req: 1, lost: false };
        let next = ids.iter().skip(1).chain(&ids).copied();
        let messages = ids.iter().copied().zip(next).map(message);
        Snapshot { messages: snapshot.messages.iter().copied().chain(messages).collect(), ..snapshot.clone() }
    }

    /// Every node of every system is found where it is drawn, nothing leaves the canvas, and messages are there.
    #[test]
    fn it_shows_any_system() {
        let mut flying = 0;
        for preset in presets::all() {
            let mut player = Player::new(&Scenario::preset(preset.name, 31), 1.0).unwrap();
            for ms in [0, 2_240, 9_500] {
                player.seek(Instant::from_millis(ms)).unwrap();
                while player.state() == PlayerState::Replaying {
                    player.frame(16.0, || true);
                }
                let snapshot = with_a_message_between_any_two(&player.snapshot());
                for strips in [Strips::Three, Strips::Phone(Strip::When)] {
                    let view = view(if strips == Strips::Three { 1408.0 } else { 328.0 }, strips);
                    let board = picture(&snapshot, &view);
                    let rows = board.rows.as_ref().unwrap();
                    for (row, node) in snapshot.rows().iter().enumerate() {
                        let (x, y) = rows.lamp_of(row);
                        assert_eq!(
                            board.node_at(&snapshot, x, y),
                            Some(node.name.as_str()),
                            "{}",
                            preset.name
                        );
                    }
                    for (rect, id) in &board.places {
                        let (x, y) = rect.center();
                        let name = board.node_at(&snapshot, x, y).unwrap();
                        assert_eq!(snapshot.node(name).map(|node| node.id), Some(*id));
                    }
                    for mark in &board.marks {
                        if let Mark::Glyph { x, y, .. } = mark {
                            let inside = (0.0..=board.width).contains(x) && (0.0..=board.height).contains(y);
                            assert!(inside, "{mark:?} {}", preset.name);
                        }
                    }
                    let still = picture(&snapshot, &View { reduced_motion: true, ..view });
                    flying += board.marks.len() - still.marks.len();
                }
            }
        }
        assert!(flying > 50, "{flying} messages are seen on their way");
    }
}
