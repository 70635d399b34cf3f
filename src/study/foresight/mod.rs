//! Foresight: under a number or a word of the sentence, what its other values would give. It opens by itself while one looks at the number,
//! takes no focus, and the run goes on; workers play.
//!
//! `asked.rs` has the runs played and keeps their rows for as long as the page lives, `view.rs` shows them.

mod asked;
mod view;

use super::{desk, frame};
use crate::app::study::draft::Described;
use crate::app::study::foresight::{Judged, Told};
use crate::lab::experiment::GoalText;
use leptos::prelude::*;
use serde_json::Value;
use wasm_bindgen_futures::spawn_local;

/// What the panel holds.
#[derive(Clone, Copy)]
struct Panel {
    /// The key that it is about.
    key: StoredValue<String>,
    /// What is known of the scenario as it is set now.
    said: RwSignal<Described>,
    /// What is asked.
    goals: RwSignal<Vec<GoalText>>,
    /// Whether the scenario's faults strike.
    with_faults: RwSignal<bool>,
    /// The rows so far.
    told: RwSignal<Option<Told>>,
    /// What they amount to.
    judged: Memo<Option<Judged>>,
    /// The runs under way.
    running: RwSignal<Option<asked::Running>>,
    /// What calls them off.
    call_off: StoredValue<Option<desk::AbortController>, LocalStorage>,
    /// How many were begun.
    begun: StoredValue<u64>,
    /// How long the last of them took, in milliseconds; nothing where they were called off, or had been played before.
    took: RwSignal<Option<f64>>,
    /// Whether they were called off.
    stopped: RwSignal<bool>,
    /// What went wrong.
    wrong: RwSignal<String>,
    /// How many of its parts are there.
    parts: RwSignal<usize>,
}

/// In so many parts it is built; with this one it asks.
const PARTS: usize = 4;
const ASKING: usize = 3;

/// The panel for a key, whose name comes as JSON.
pub fn panel(said: Described, detail: &str) -> AnyView {
    if !desk::truth() {
        return view::needs_the_truth();
    }
    let key: String = serde_json::from_str(detail).unwrap_or_default();
    let goals = RwSignal::new(asked::goals_of(&said));
    let told = RwSignal::new(None::<Told>);
    let said = RwSignal::new(said);
    let judged = Memo::new(move |_| {
        told.with(|told| {
            told.as_ref().map(|told| said.with(|said| goals.with(|goals| told.judged(said, goals))))
        })
    });
    let panel = Panel {
        key: StoredValue::new(key),
        said,
        goals,
        with_faults: RwSignal::new(false),
        told,
        judged,
        running: RwSignal::new(None),
        call_off: StoredValue::new_local(None),
        begun: StoredValue::new(0),
        took: RwSignal::new(None),
        stopped: RwSignal::new(false),
        wrong: RwSignal::new(String::new()),
        parts: RwSignal::new(0),
    };
    panel.build();
    panel.follow();
    on_cleanup(move || panel.call_off());
    view::view(panel)
}

impl Panel {
    /// Builds one part after the other, and asks.
    fn build(self) {
        spawn_local(async move {
            for part in 1..=PARTS {
                frame().await;
                // The panel may be closed by then.
                if self.parts.is_disposed() {
                    return;
                }
                if part == ASKING {
                    self.ask();
                }
                self.parts.set(part);
            }
        });
    }

    /// A part, in its turn.
    fn part(self, nth: usize, view: impl Fn() -> AnyView + Send + 'static) -> impl IntoView {
        let is_there = Memo::new(move |_| self.parts.get() >= nth);
        move || is_there.get().then(&view)
    }

    /// Sets the key in the run that is on the page.
    fn set(self, point: usize) {
        let value: Option<Value> = self.told.with_untracked(|told| {
            told.as_ref().and_then(|told| told.plan.axes.first()?.values.get(point).cloned())
        });
        if let Some(value) = value {
            desk::set(&self.key.get_value(), &value.to_string());
        }
    }

    /// Opens the panel of experiments with what is asked here.
    fn experiment(self) {
        if let Some(plan) = self.plan() {
            desk::open("experiment", &serde_json::to_string(&plan).unwrap_or_default());
        }
    }
}

/// Closes it.
fn close() {
    desk::open("live", "");
}
