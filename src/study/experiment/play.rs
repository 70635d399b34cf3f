//! Having a plan played: how far it is, how long it will take, and calling it off.

use super::{Panel, kept};
use crate::app::study::answer::points;
use crate::app::study::played::Played;
use crate::app::study::words::{thousands, time};
use crate::lab::experiment::Plan;
use crate::study::desk::{self, AbortController};
use crate::study::text;
use leptos::prelude::*;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen_futures::spawn_local;

/// A plan that is being played.
#[derive(Clone, Copy)]
pub struct Running {
    since_ms: f64,
    done: f64,
    total: f64,
    call_off: StoredValue<AbortController, LocalStorage>,
}

impl Panel {
    /// Plays what the sentence asks, if it can be read: all points, or those that are needed to find the least.
    pub fn play(self, seek: bool) {
        self.call_off();
        let plan = match self.draft.with_untracked(|draft| draft.plan()) {
            Ok(plan) => plan,
            Err(wrong) => return self.wrong.set(wrong.to_string()),
        };
        self.wrong.set(String::new());
        let asked = plan.goals.iter().map(|goal| goal.metric.clone()).next();
        let text = if seek { sought(&plan).to_string() } else { json!(plan).to_string() };
        let is_known =
            |metric: &String| self.said.with_value(|said| said.metrics.iter().any(|m| m.name == *metric));
        if !self
            .metric
            .with_untracked(|now| is_known(now) || plan.goals.iter().any(|goal| goal.metric == *now))
        {
            asked.into_iter().for_each(|metric| self.metric.set(metric));
        }
        let before = self.played.get_untracked();
        self.played.set(Some(if seek { Played::seeking(plan) } else { Played::new(plan) }));
        let call_off = StoredValue::new_local(AbortController::new());
        self.running.set(Some(Running { since_ms: now_ms(), done: 0.0, total: 0.0, call_off }));
        spawn_local(async move {
            let said = self.ask(seek, &text, call_off).await;
            // The panel may be closed, or another plan be asked for.
            let is_mine =
                self.running.try_with_untracked(|now| now.is_some_and(|now| now.call_off == call_off));
            if is_mine == Some(true) {
                self.end(said, seek, before);
            }
        });
    }

    /// How far what was asked last is.
    fn is_at(self, call_off: StoredValue<AbortController, LocalStorage>, done: f64, total: f64) {
        self.running.try_update(|running| {
            if let Some(running) = running.as_mut().filter(|running| running.call_off == call_off) {
                (running.done, running.total) = (done, total);
            }
        });
    }

    async fn ask(
        self,
        seek: bool,
        text: &str,
        call_off: StoredValue<AbortController, LocalStorage>,
    ) -> Result<String, String> {
        // Rows come one by one, and are shown with how far it is, which is told at a pace that can be seen.
        let fresh: Rc<RefCell<Vec<String>>> = Rc::default();
        let rows = fresh.clone();
        let on_row = Box::new(move |row| rows.borrow_mut().push(row));
        let on_progress = Box::new(move |done, total| {
            let fresh = fresh.take();
            self.is_at(call_off, done, total);
            if !fresh.is_empty() {
                self.played.try_update(|played| {
                    let Some(played) = played else { return };
                    fresh.iter().for_each(|row| played.take(row));
                });
            }
        });
        let Some(signal) = call_off.try_with_value(Clone::clone) else {
            return Err("the panel is closed".to_owned());
        };
        if seek {
            return desk::size(text, &signal, on_row, on_progress).await;
        }
        desk::sweep(text, &signal, on_row, on_progress).await
    }

    /// All rows are there, or as many as there were when it was called off.
    fn end(self, said: Result<String, String>, sought: bool, before: Option<Played>) {
        let took_ms = self.running.get_untracked().map_or(0.0, |running| now_ms() - running.since_ms);
        self.running.set(None);
        match said {
            Ok(said) => {
                self.played.update(|played| {
                    if let Some(played) = played {
                        played.conclude(&said, took_ms, sought);
                    }
                });
                kept::keep(self);
            }
            Err(wrong) => {
                self.wrong.set(wrong);
                self.played.update(|played| played.iter_mut().for_each(|played| played.seeks = false));
                // What was there is not lost to a question that cannot be asked.
                if self
                    .played
                    .with_untracked(|played| played.as_ref().is_some_and(|played| played.rows.is_empty()))
                {
                    self.played.set(before);
                }
            }
        }
    }

    /// Ends what is being played; what is finished is kept.
    pub fn call_off(self) {
        if let Some(Some(running)) = self.running.try_get_untracked() {
            running.call_off.try_with_value(AbortController::abort);
        }
    }
}

/// The question after the least point of a plan.
fn sought(plan: &Plan) -> Value {
    let Plan { base, axes, goals, requests, warmup, seeds, stop, .. } = plan;
    json!({
        "base": base, "vary": axes, "goals": goals, "requests": requests, "warmup": warmup,
        "seeds": seeds.count, "seed": seeds.first, "budget": stop.budget_requests,
    })
}

/// How far it is.
pub fn progress(panel: Panel) -> AnyView {
    let idle = move || panel.played.with(|played| if played.is_some() { 1.0 } else { 0.0 });
    let seeks = move || panel.played.with(|played| played.as_ref().is_some_and(|played| played.seeks));
    // Nobody knows how far a search has to go.
    let share = move || {
        let far = |now: Running| if now.total > 0.0 { now.done / now.total } else { 0.0 };
        (!seeks()).then(|| panel.running.get().map_or_else(idle, far).to_string())
    };
    let title = text(move || {
        panel.played.with(|played| match played {
            None => "No points yet".to_owned(),
            Some(played) => format!(
                "{} of {} points",
                thousands(played.rows.len() as u64),
                thousands(points(&played.plan) as u64)
            ),
        })
    });
    let said = text(move || match panel.running.get() {
        Some(Running { total: 0.0, .. }) => "Starting…".to_owned(),
        Some(Running { done, .. }) if seeks() => format!("{} runs so far", thousands(done as u64)),
        Some(Running { since_ms, done, total, .. }) => {
            let left = (now_ms() - since_ms) / done.max(1.0) * (total - done);
            let left = if done >= 4.0 { format!(", {} left", time(left)) } else { String::new() };
            format!("{} of {} runs{left}", thousands(done as u64), thousands(total as u64))
        }
        None => panel.played.with(|played| {
            let Some(played) = played else { return String::new() };
            let unit = panel.said.with_value(|said| said.unit.clone());
            let points = match &played.found {
                Some(_) => format!("{} points, ", thousands(played.rows.len() as u64)),
                None => String::new(),
            };
            let called_off = if played.complete { "" } else { "Called off: " };
            format!("{called_off}{points}{} {unit} · {}", thousands(played.requests()), time(played.took_ms))
        }),
    });
    let runs = move || panel.running.with(Option::is_some);
    let has_rows =
        move || panel.played.with(|played| played.as_ref().is_some_and(|played| !played.rows.is_empty()));
    view! {
        <div class="study-head">
            <h2 data-testid="experiment-points">{title}</h2>
            <Show when=move || has_rows() && !runs()>
                <button type="button" class="study-button" data-testid="experiment-csv" on:click=move |_| kept::save_csv(panel)>"CSV"</button>
                <button type="button" class="study-button" data-testid="experiment-json" on:click=move |_| kept::save_json(panel)>"JSON"</button>
                <button type="button" class="study-button" data-testid="experiment-png" on:click=move |_| kept::save_png(panel)>"PNG"</button>
            </Show>
            <Show when=runs>
                <button type="button" class="study-button" data-testid="experiment-cancel" on:click=move |_| panel.call_off()>"Cancel"</button>
            </Show>
        </div>
        <div class="study-progress">
            <progress aria-label="Runs" max="1" value=share></progress>
            <span data-testid="experiment-progress" role="status">{said}</span>
        </div>
    }
    .into_any()
}

/// A person's time, in milliseconds since the page was opened.
fn now_ms() -> f64 {
    window().performance().map_or(0.0, |clock| clock.now())
}
