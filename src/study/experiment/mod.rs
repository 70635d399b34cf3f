//! Experiment mode: a plan as a sentence, its runs in workers, and what came of them as a chart, a table and one answer.
//!
//! `sentence.rs` is what one asks, `play.rs` has it played, `outcome.rs` and `table.rs` show what came of it, `kept.rs` keeps it, and
//! hands it on as files; `delays.rs` takes measured times in.

mod delays;
mod kept;
mod outcome;
mod play;
mod sentence;
mod table;

use super::desk;
use crate::app::study::draft::{Described, Draft, read_plan};
use crate::app::study::played::Played;
use crate::lab::experiment::Plan;
use leptos::prelude::*;

/// What the panel holds.
#[derive(Clone, Copy)]
struct Panel {
    /// What is known of the scenario.
    said: StoredValue<Described>,
    /// What one is about to ask.
    draft: RwSignal<Draft>,
    /// What came of what was asked last.
    played: RwSignal<Option<Played>>,
    /// How far it is, while it is played.
    running: RwSignal<Option<play::Running>>,
    /// What is wrong with the question.
    wrong: RwSignal<String>,
    /// What the chart shows.
    metric: RwSignal<String>,
    /// The column that the table is sorted by, and whether the greatest comes first.
    sorted: RwSignal<Option<(String, bool)>>,
    /// What the browser keeps: number and name of each, the newest first.
    kept: RwSignal<Vec<(f64, String)>>,
}

/// What the panel begins with.
#[derive(Clone)]
pub enum Begin {
    /// The scenario that is on the page.
    Page,
    /// A plan.
    Plan(Box<Plan>),
    /// What came of one before.
    Played(Box<Played>),
    /// What cannot be read, and why.
    Wrong(String),
}

impl Begin {
    /// Reads the JSON of a plan, or of what came of one; without any it is the page's scenario.
    pub fn read(detail: &str) -> Self {
        if detail.is_empty() {
            return Begin::Page;
        }
        match Played::from_json(detail) {
            Some(played) => Begin::Played(Box::new(played)),
            None => read_plan(detail)
                .map_or_else(|wrong| Begin::Wrong(wrong.to_string()), |plan| Begin::Plan(Box::new(plan))),
        }
    }

    /// The query of the scenario that it is about, if that is not the page's.
    pub fn search(&self) -> Option<String> {
        match self {
            Begin::Plan(plan) => Some(format!("?preset={}", plan.base.preset)),
            Begin::Played(played) => Some(format!("?preset={}", played.plan.base.preset)),
            _ => None,
        }
    }
}

/// The panel, on a scenario that is known.
pub fn panel(said: Described, begin: Begin) -> AnyView {
    let (draft, played, wrong) = match begin {
        Begin::Page => (Draft::new(&said), None, String::new()),
        Begin::Plan(plan) => (Draft::of(&plan, &said), None, String::new()),
        Begin::Played(played) => (Draft::of(&played.plan, &said), Some(*played), String::new()),
        Begin::Wrong(wrong) => (Draft::new(&said), None, wrong),
    };
    let first = draft.goals.first().map(|goal| goal.metric.clone());
    let panel = Panel {
        said: StoredValue::new(said),
        draft: RwSignal::new(draft),
        played: RwSignal::new(played),
        running: RwSignal::new(None),
        wrong: RwSignal::new(wrong),
        metric: RwSignal::new(first.unwrap_or_default()),
        sorted: RwSignal::new(None),
        kept: RwSignal::new(Vec::new()),
    };
    kept::list(panel);
    on_cleanup(move || panel.call_off());
    delays::listen(panel);
    view! {
        <div class="study-experiment" data-testid="experiment" on:dragover=|event| event.prevent_default() on:drop=move |event| delays::dropped(panel, &event)>
            {sentence::sentence(panel)}
            <div class="study-columns">
                {outcome::outcome(panel)}
                <section class="study-card" aria-label="Points">
                    {play::progress(panel)}
                    {table::table(panel)}
                    {kept::results(panel)}
                </section>
            </div>
        </div>
    }
    .into_any()
}

impl Panel {
    /// Opens a run of a row on the board: what was set there, with the plan's first seed.
    fn open_live(self, row: usize) {
        self.played.with_untracked(|played| {
            let Some(command) = played.as_ref().and_then(|played| played.live(row)) else { return };
            desk::live(&command.to_string());
        });
    }
}
