//! The break bar: what can be done to the selected worker, by click and by key.

use super::{Lab, click, text};
use crate::app::session::Command;
use crate::app::snapshot::{NodeView, Snapshot};
use crate::lab::fault::FaultKind;
use leptos::prelude::*;
use std::rc::Rc;

/// A way of breaking a worker.
#[derive(Clone, Copy)]
pub struct Break {
    /// What it does.
    pub kind: FaultKind,
    /// Its name on the button, its name when it holds, and its key.
    texts: (&'static str, &'static str, &'static str),
    holds: fn(&NodeView) -> bool,
}

impl Break {
    /// Its key.
    pub const fn key(&self) -> &'static str {
        self.texts.2
    }

    /// What a click would do now, to the worker that is watched.
    pub fn label(&self, node: Memo<Option<NodeView>>) -> &'static str {
        if self.holds_of(node) { self.texts.1 } else { self.texts.0 }
    }

    fn holds_of(&self, node: Memo<Option<NodeView>>) -> bool {
        node.with(|node| node.as_ref().is_some_and(self.holds))
    }
}

/// The selected worker, as it is.
pub fn watch(lab: Lab, selected: RwSignal<String>) -> Memo<Option<NodeView>> {
    Memo::new(move |_| lab.glance.with(|snapshot| selected.with(|name| find(snapshot, name))))
}

/// All of them, in the order of the bar.
pub const BREAKS: [Break; 5] = [
    Break { kind: FaultKind::Crash, texts: ("Crash", "Restart", "C"), holds: |node| !node.up },
    Break { kind: FaultKind::Slow, texts: ("Slow", "Speed up", "S"), holds: |node| node.slow != 1.0 },
    Break { kind: FaultKind::Lie, texts: ("Lie", "Be honest", "L"), holds: |node| node.lie.is_some() },
    Break { kind: FaultKind::Cut, texts: ("Cut", "Mend", "P"), holds: |node| node.cut },
    Break { kind: FaultKind::Drop, texts: ("Drop", "Stop loss", "D"), holds: |node| node.drops },
];

/// Those that the page's system knows: where nobody can lie, the bar offers no lie.
pub fn offered(lab: Lab) -> impl Iterator<Item = Break> {
    let has_liars = lab.face().words().truth.is_some();
    BREAKS.into_iter().filter(move |way| has_liars || way.kind != FaultKind::Lie)
}

/// Whether a node can be broken in a way: only who says something can lie, and those have a row each.
pub fn applies(lab: Lab, way: Break, node: Option<&NodeView>) -> bool {
    let of_rows = |snapshot: &Rc<Snapshot>| snapshot.rows().first().map(|row| row.role);
    way.kind != FaultKind::Lie || node.map(|node| node.role) == lab.snapshot.with_untracked(of_rows)
}

/// Breaks a worker in a way, or mends it.
pub fn toggle(lab: Lab, kind: FaultKind, node: &str) {
    lab.act(Command::Toggle { fault: kind, node: node.to_owned() });
}

/// The bar.
#[component]
pub fn BreakBar(lab: Lab, selected: RwSignal<String>) -> impl IntoView {
    let node = watch(lab, selected);
    let buttons = offered(lab).map(|way| {
        let holds = move || way.holds_of(node);
        let testid = text(move || {
            // A worker that is down offers a restart in the place of a crash.
            let is_restart = way.kind == FaultKind::Crash && holds();
            format!("break-{}", if is_restart { "restart" } else { way.kind.name() })
        });
        view! {
            <button
                type="button"
                data-testid=testid
                hidden=move || node.with(|node| !applies(lab, way, node.as_ref()))
                data-holds=text(move || holds().to_string())
                aria-keyshortcuts=way.key()
                on:click=click(move |_| toggle(lab, way.kind, &selected.get_untracked()))
            >
                {text(move || way.label(node).to_owned())}
                <kbd aria-hidden="true">{way.key()}</kbd>
            </button>
        }
    });
    view! {
        <div class="break" role="group" aria-label="Break what is selected">
            <div>
                <span><i>"Break "</i><b data-testid="selected">{text(move || selected.get())}</b></span>
                {buttons.collect_view()}
            </div>
        </div>
    }
}

fn find(snapshot: &Rc<Snapshot>, name: &str) -> Option<NodeView> {
    snapshot.nodes.iter().find(|node| node.name == name).cloned()
}
