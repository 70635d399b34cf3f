//! What the board is about to say, read off a snapshot once, and where it stands.

use crate::app::canvas::{Layout, Paint, Rect, Size, View, ground_of};
use crate::app::config::Now;
use crate::app::config::observe::{AGENT, BROKER, CONTROLLER, ConfigView, HolderView};
use crate::app::snapshot::{MessageView, NodeView, Role};

/// How high Valkey's box is, with the gap above it.
const BOX: f64 = 64.0;
const GAP: f64 = 18.0;

/// All that is shown.
pub(super) struct Scene<'a> {
    pub(super) now: Now<'a>,
    pub(super) config: &'a ConfigView,
    /// Agents and workers, as in the table.
    pub(super) rows: &'a [NodeView],
    pub(super) layout: Layout,
    pub(super) selected: Option<usize>,
    pub(super) hovered: Option<usize>,
    /// The name of whatever is selected.
    pub(super) chosen: &'a str,
    /// The middle of the agents' lamps; those of the workers are the layout's.
    pub(super) agent_x: f64,
    pub(super) controller: (Rect, &'a NodeView),
    pub(super) broker: Option<(Rect, &'a NodeView)>,
    pub(super) operator: Option<(Rect, &'a NodeView)>,
}

impl<'a> Scene<'a> {
    /// `None` without a controller.
    pub(super) fn new(now: Now<'a>, view: &View<'a>) -> Option<Self> {
        let (snapshot, config) = (now.snapshot, now.view);
        let rows = snapshot.rows();
        let find = |name: &str| rows.iter().position(|node| node.name == name);
        let (selected, hovered) = (find(view.selected), view.hovered.and_then(find));
        let mut layout = Layout::new(view, rows.len(), false, hovered.or(selected));
        // Each has a line here, however many there are.
        layout.grid = None;
        if layout.size == Size::Bundles {
            layout.size = Size::Lanes;
        }
        let node_of = |role| snapshot.nodes.iter().find(|node| node.role == role);
        let column = layout.gate;
        let broker =
            node_of(BROKER).map(|node| (Rect::new(column.x, column.bottom() - BOX, column.w, BOX), node));
        let high = if broker.is_some() { column.h - BOX - GAP } else { column.h };
        let controller = Rect::new(column.x, column.y, column.w, high);
        // The operator stands beside the controller's middle.
        let operator =
            layout.client.map(|rect| Rect { y: (controller.center().1 - rect.h / 2.0).round(), ..rect });
        Some(Scene {
            now,
            config,
            rows,
            layout,
            selected,
            hovered,
            chosen: view.selected,
            agent_x: (column.right() + (layout.lamp_x - column.right()) * 0.47).round(),
            controller: (controller, node_of(CONTROLLER)?),
            broker,
            operator: operator.zip(node_of(Role::CLIENT)),
        })
    }

    /// The rows with what their nodes have.
    pub(super) fn holders(&self) -> impl Iterator<Item = (usize, &'a NodeView, &'a HolderView)> {
        self.rows.iter().zip(&self.config.holders).enumerate().map(|(i, (node, holder))| (i, node, holder))
    }

    /// The nodes that have a box, each with its place.
    pub(super) fn boxes(&self) -> impl Iterator<Item = (Rect, &'a NodeView)> {
        [Some(self.controller), self.broker, self.operator].into_iter().flatten()
    }

    /// The middle of a row's lamp.
    pub(super) fn lamp_x(&self, row: usize) -> f64 {
        let step = if self.layout.rows.is_roomy(row) { 0.0 } else { self.layout.lamp_column(row) };
        match self.rows[row].role {
            AGENT => self.agent_x - step,
            _ => self.layout.lamp_x - step,
        }
    }

    /// What a row of a strip stands on.
    pub(super) fn ground(&self, row: usize) -> Option<Paint> {
        ground_of(row, self.selected, self.hovered)
    }

    /// The messages between two nodes, each with whether the first of them sent it.
    pub(super) fn messages(&self, a: u32, b: u32) -> impl Iterator<Item = (&'a MessageView, bool)> {
        let messages = self.now.snapshot.messages.iter();
        messages.filter_map(move |message| match (message.from, message.to) {
            ends if ends == (a, b) => Some((message, true)),
            ends if ends == (b, a) => Some((message, false)),
            _ => None,
        })
    }

    /// The times in which a node was down up to now, in milliseconds.
    pub(super) fn down_times(&self, node: &NodeView) -> Vec<(f64, f64)> {
        let now = self.now.vtime_ms;
        let crashes = self.now.faults.iter().filter(|fault| fault.target == node.name);
        let mut times: Vec<(f64, f64)> = crashes
            .filter(|fault| fault.kind == "crash" && fault.from_ms <= now)
            .filter_map(|fault| Some((fault.from_ms, fault.to_ms?.min(now))))
            .collect();
        times.extend(node.down_since_ms.map(|since| (since, now)));
        times
    }
}
