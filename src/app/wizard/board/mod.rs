//! The Math Wizard's board: client, gateway, one row for each container with its two halves, and the queue between the
//! halves of all. Beside it who had which job in hand when, and who took, did and told of the newest jobs.

mod strips;

#[cfg(test)]
mod tests;

use crate::app::canvas::{
    Align, Board, Dash, Fill, Font, Layout, Paint, Picture, Rect, Shape, Sheet, Strips, Text, View, headline,
    message_shape, node_box, progress, strip_grounds,
};
use crate::app::snapshot::{MessageView, NodeView, Role};
use crate::app::wizard::Now;
use crate::app::wizard::observe::{ContainerView, GATEWAY, STORE, WORKER, WizardView};
use crate::lab::wizard::ClaimEnd;

/// The height of a waiting job in the queue, and of the gap to the next.
const CELL: f64 = 7.0;
const CELL_GAP: f64 = 2.0;
/// Half the size of the least target for a pointer.
const TARGET: f64 = 12.0;

/// Where the parts stand that only this board has.
struct Stage<'a> {
    now: Now<'a>,
    wizard: &'a WizardView,
    layout: Layout,
    rows: &'a [NodeView],
    selected: Option<usize>,
    /// The row under the pointer, also by one of its processes.
    hovered: Option<usize>,
    /// The node under the pointer.
    pointed: Option<u32>,
    /// The middle of the API lamps.
    api_x: f64,
    /// The store's box.
    store: Rect,
    lamp_r: f64,
}

/// The board of a snapshot.
pub(super) fn picture(now: Now, view: &View) -> Picture {
    let rows = now.snapshot.rows();
    let selected = rows.iter().position(|row| row.name == view.selected);
    let pointed = view.hovered.and_then(|name| now.snapshot.node(name)).map(|node| node.id);
    let hovered = pointed.and_then(|id| row_of(now, id));
    let layout = Layout::new(view, rows.len(), false, hovered.or(selected));
    let (left, right) = (layout.gate.right(), layout.lamp_x);
    let room = right - left;
    let wide = (room * 0.34).clamp(22.0, 104.0);
    let middle = (left + room * 0.56).round();
    let mut sheet = Sheet::default();
    let stage = Stage {
        now,
        wizard: now.view,
        rows,
        selected,
        hovered,
        pointed,
        api_x: (left + room * 0.22).round(),
        store: Rect::new(middle - (wide / 2.0).round(), layout.top, wide.round(), layout.bottom - layout.top),
        lamp_r: (layout.rows.pitch * 0.32).clamp(2.5, 9.0),
        layout,
    };
    stage.draw(&mut sheet, view);
    let places = stage.places();
    Picture {
        marks: sheet.legible(layout.width, layout.height),
        width: layout.width,
        height: layout.height,
        rows: Some(Board { marks: Vec::new(), layout }),
        places,
    }
}

/// The row of a container, or of one of its processes.
fn row_of(now: Now, id: u32) -> Option<usize> {
    let own = now.rows().iter().position(|row| row.id == id);
    let has = |container: &ContainerView| {
        container.api == id || container.workers.iter().any(|&(worker, ..)| worker == id)
    };
    own.or_else(|| now.view.containers.iter().position(has))
}

impl Stage<'_> {
    fn draw(&self, sheet: &mut Sheet, view: &View) {
        self.grounds(sheet);
        self.titles(sheet, view);
        self.tracks(sheet);
        if !view.flow && !view.reduced_motion {
            self.messages(sheet);
        }
        self.boxes(sheet);
        self.queue(sheet);
        self.lamps(sheet);
        self.pointer(sheet);
        strips::when(self, sheet);
        strips::what(self, sheet);
    }

    fn node(&self, role: Role) -> Option<&NodeView> {
        self.now.nodes.iter().find(|node| node.role == role)
    }

    /// The container of a row; a row has one always.
    fn container(&self, row: usize) -> Option<&ContainerView> {
        self.wizard.containers.get(row)
    }

    /// The nodes that have a box.
    fn node_boxes(&self) -> impl Iterator<Item = (Rect, u32)> {
        let boxes = [
            (self.layout.client, Role::CLIENT),
            (Some(self.layout.gate), GATEWAY),
            (Some(self.store), STORE),
        ];
        boxes.into_iter().filter_map(|(rect, role)| rect.zip(self.node(role).map(|node| node.id)))
    }

    /// What can be pointed at besides the rows; lamps may lie over boxes.
    fn places(&self) -> Vec<(Rect, u32)> {
        let mut places: Vec<(Rect, u32)> = Vec::new();
        for (row, container) in self.wizard.containers.iter().enumerate() {
            let (y, half) = (self.layout.rows.center(row), (self.layout.rows.height(row) / 2.0).min(TARGET));
            let at = |x: f64, wide: f64| Rect::new(x - wide, y - half, 2.0 * wide, 2.0 * half);
            // A lamp that stands alone is as large a target as there may be.
            let wide = if container.workers.len() == 1 { TARGET } else { self.lamp_r + 1.0 };
            for (k, &(worker, ..)) in container.workers.iter().enumerate() {
                places.push((at(self.worker_x(container, k), wide), worker));
            }
            places.push((at(self.api_x, TARGET), container.api));
        }
        places.extend(self.node_boxes());
        places
    }

    /// The middle of a worker's lamp.
    fn worker_x(&self, container: &ContainerView, k: usize) -> f64 {
        self.layout.lamp_x - (container.workers.len() - 1 - k) as f64 * (2.0 * self.lamp_r + 2.0)
    }

    fn grounds(&self, sheet: &mut Sheet) {
        let layout = &self.layout;
        strip_grounds(sheet, layout);
        // The list of jobs is not in rows.
        let end = layout.when.map_or(layout.label_x + 44.0, |(_, x1)| x1 + 4.0);
        let x = layout.gate.right() + 5.0;
        let mut ground = |row: usize, alpha: f32| {
            let (y, h) = (layout.rows.start(row), layout.rows.height(row));
            sheet.solid(Rect::new(x, y + 1.0, end - x, (h - 2.0).max(1.0)), Paint::Sel.alpha(alpha));
        };
        if let Some(row) = self.hovered.filter(|row| self.selected != Some(*row)) {
            ground(row, 0.55);
        }
        if let Some(row) = self.selected {
            ground(row, 1.0);
        }
    }

    /// A frame around the box, or the lamp, that the pointer is at: what a click would choose.
    fn pointer(&self, sheet: &mut Sheet) {
        let Some(id) = self.pointed else { return };
        if let Some((rect, _)) = self.node_boxes().find(|(_, node)| *node == id) {
            sheet.area(rect, 5.0, Fill::Outline, Paint::Ink);
            return;
        }
        let Some(row) = self.hovered else { return };
        let Some(container) = self.container(row) else { return };
        let worker = container.workers.iter().position(|&(worker, ..)| worker == id);
        let x = match worker {
            Some(k) => self.worker_x(container, k),
            None if container.api == id => self.api_x,
            None => return,
        };
        let (y, r) = (self.layout.rows.center(row).round(), self.lamp_r + 2.5);
        sheet.area(Rect::new(x - r, y - r, 2.0 * r, 2.0 * r), r, Fill::Outline, Paint::Ink);
    }

    fn titles(&self, sheet: &mut Sheet, view: &View) {
        let layout = &self.layout;
        let three = view.strips == Strips::Three;
        let y = if layout.phone { 22.0 } else { 17.0 };
        if three && let (Some((a, b)), Some((c, d))) = (layout.when, layout.what) {
            headline(sheet, (a, b + 6.0), y, "Jobs in hand", &["who had which, and when", "who, when"]);
            headline(sheet, (c, d + 6.0), y, "Three identities", &["taken, done, told by", ""]);
        }
        let middle = |text: &str, x: f64| {
            Text::new(text, x, y).px(13.0).weight(600).align(Align::Center).paint(Paint::Ink)
        };
        if layout.phone {
            sheet.text(Text::new("Queue", 8.0, y).px(13.0).weight(600).paint(Paint::Ink));
            return;
        }
        let left = if three { 18.0 } else { 12.0 };
        if layout.is_titled() {
            sheet.text(Text { align: Align::Left, ..middle("Cluster now", left) });
        }
        let places = [self.api_x, self.store.center().0, layout.lamp_x];
        for names in [["API half", "Valkey", "Worker half"], ["API", "Valkey", "Workers"]] {
            let at = places.into_iter().zip(names);
            let feet: Vec<Text> = at
                .map(|(x, words)| {
                    Text { y: layout.bottom + 13.0, ..middle(words, x) }.weight(500).paint(Paint::Ink2)
                })
                .collect();
            if feet.windows(2).all(|two| two[0].bounds().right() + 6.0 <= two[1].bounds().x) {
                feet.into_iter().for_each(|foot| sheet.text(foot));
                return;
            }
        }
    }

    /// From the gateway to each API half, from there to the store, and on to the worker half.
    fn tracks(&self, sheet: &mut Sheet) {
        let layout = &self.layout;
        for row in 0..self.rows.len() {
            let y = layout.rows.center(row).round();
            let up = self.rows[row].up;
            let dash = if up { Dash::Solid } else { Dash::Short };
            let ends = [
                (layout.gate.right(), self.api_x),
                (self.api_x, self.store.x),
                (self.store.right(), layout.lamp_x),
            ];
            for (x0, x1) in ends {
                sheet.line(
                    [x0, y, x1, y],
                    if layout.rows.pitch > 12.0 { 2.0 } else { 1.0 },
                    dash,
                    Paint::Line,
                );
            }
        }
        if let Some(client) = layout.client {
            let (_, y) = client.center();
            sheet.level(y, client.right(), layout.gate.x, 2.0, Paint::Line);
        }
    }

    fn messages(&self, sheet: &mut Sheet) {
        for message in &self.now.messages {
            if let Some((x0, x1, y)) = self.way_of(message) {
                let x = x0 + (x1 - x0) * progress(message, self.now.vtime_ms);
                let r = (self.layout.rows.pitch * 0.2).clamp(2.5, 4.0);
                sheet.glyph(message_shape(message.kind), x, y, r);
            }
        }
    }

    /// From where to where a message goes. What a container tells the store about a job that its worker has in hand, or
    /// asks for when it has none, is the worker half's; the rest is the API half's.
    fn way_of(&self, message: &MessageView) -> Option<(f64, f64, f64)> {
        let role = |id: u32| self.now.nodes.iter().find(|node| node.id == id).map(|node| node.role);
        let row_of = |id: u32| self.rows.iter().position(|row| row.id == id);
        let gate = self.layout.gate;
        let (from, to) = (role(message.from)?, role(message.to)?);
        let back = |(a, b, y): (f64, f64, f64), turned: bool| if turned { (b, a, y) } else { (a, b, y) };
        match (from, to) {
            (Role::CLIENT, GATEWAY) | (GATEWAY, Role::CLIENT) => {
                let client = self.layout.client?;
                Some(back((client.right(), gate.x, client.center().1), from == GATEWAY))
            }
            (GATEWAY, WORKER) | (WORKER, GATEWAY) => {
                let row = row_of(if to == WORKER { message.to } else { message.from })?;
                let y = self.layout.rows.center(row).round();
                Some(back((gate.right(), self.api_x, y), from == WORKER))
            }
            (WORKER, STORE) | (STORE, WORKER) => {
                let row = row_of(if to == WORKER { message.to } else { message.from })?;
                let y = self.layout.rows.center(row).round();
                let container = self.container(row)?;
                let of_job = |end: ClaimEnd| {
                    self.wizard.bars.iter().any(|bar| {
                        (bar.container, bar.submission) == (row as u32, message.req)
                            && (bar.end == end || end == ClaimEnd::Done)
                    })
                };
                let worker = of_job(ClaimEnd::Open) && (container.busy == 0 || of_job(ClaimEnd::Done));
                if worker || container.busy == 0 {
                    Some(back((self.layout.lamp_x, self.store.right(), y), from == STORE))
                } else {
                    Some(back((self.api_x, self.store.x, y), from == STORE))
                }
            }
            _ => None,
        }
    }

    fn boxes(&self, sheet: &mut Sheet) {
        let up = |role: Role| self.node(role).is_none_or(|node| node.up);
        let gate = self.layout.gate;
        node_box(sheet, gate, up(GATEWAY));
        let (x, y) = gate.center();
        let name = if up(GATEWAY) { "Nginx" } else { "Nginx, down" };
        let name = Text::new(name, x, y).px(14.0).weight(600).align(Align::Center).paint(Paint::Ink);
        sheet.text(Text { upright: true, ..name.clone() });
        if let Some(rect) = self.layout.client {
            node_box(sheet, rect, up(Role::CLIENT));
            let (x, y) = rect.center();
            sheet.text(Text { text: "Users".to_owned(), x, y, ..name });
        }
        node_box(sheet, self.store, self.wizard.store_up);
    }

    /// The jobs that wait, stacked; the other lists as figures.
    fn queue(&self, sheet: &mut Sheet) {
        let Rect { x, y, w, h } = self.store;
        let [queue, processing, dead] = self.wizard.lists;
        let (center, phone) = (self.store.center().0, self.layout.phone);
        let figure = |text: String, y: f64, paint: Paint| {
            Text::new(text, center, y).align(Align::Center).font(Font::Condensed).paint(paint)
        };
        if !self.wizard.store_up {
            sheet.text(figure("down".to_owned(), y + 14.0, Paint::Failed));
            return;
        }
        let label = |name: &str, n: usize| if phone { n.to_string() } else { format!("{name} {n}") };
        sheet.text(figure(label("queue", queue), y + 14.0, Paint::Ink).weight(600));
        let mut foot = y + h - 12.0;
        let others = [
            ("dead", dead, Paint::Failed, dead > 0),
            ("in hand", processing, Paint::Ink2, self.wizard.mode == "lmove"),
        ];
        for (name, n, paint, _) in others.into_iter().filter(|other| other.3) {
            sheet.text(figure(label(name, n), foot, paint));
            foot -= 16.0;
        }
        let room = foot - (y + 28.0);
        let fits = ((room / (CELL + CELL_GAP)).max(0.0)) as usize;
        let inset = (w * 0.18).round();
        for i in 0..queue.min(fits) {
            let top = foot - (i + 1) as f64 * (CELL + CELL_GAP);
            sheet.area(Rect::new(x + inset, top, w - 2.0 * inset, CELL), 1.5, Fill::Solid, Paint::Task);
        }
    }

    fn lamps(&self, sheet: &mut Sheet) {
        let layout = &self.layout;
        let r = self.lamp_r;
        for (row, node) in self.rows.iter().enumerate() {
            let Some(container) = self.container(row) else { continue };
            let y = layout.rows.center(row).round();
            let lamp = |sheet: &mut Sheet, x: f64, r: f64, up: bool, busy: bool| {
                sheet.area(Rect::new(x - r, y - r, 2.0 * r, 2.0 * r), r, Fill::Solid, Paint::Surface);
                sheet.glyph(
                    if !up {
                        Shape::Down
                    } else if busy {
                        Shape::Asked
                    } else {
                        Shape::Idle
                    },
                    x,
                    y,
                    r,
                );
            };
            lamp(sheet, self.api_x, r, container.api_up, container.busy > 0);
            for (k, &(_, up, busy)) in container.workers.iter().enumerate() {
                lamp(sheet, self.worker_x(container, k), r, up, busy);
            }
            if layout.rows.is_roomy(row) || layout.rows.pitch >= 13.0 {
                let paint = if node.up { Paint::Ink } else { Paint::Ink3 };
                sheet.text(Text::new(node.name.clone(), layout.label_x, y).font(Font::Mono).paint(paint));
            }
        }
    }
}
