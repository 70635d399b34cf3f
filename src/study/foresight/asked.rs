//! Having the values played that are not known yet. What was played once is kept for as long as the page lives, by all that it depends on.

use super::Panel;
use crate::app::study::draft::Described;
use crate::app::study::foresight::{Told, plan};
use crate::lab::experiment::{GoalText, Plan, Question};
use crate::study::desk::{self, AbortController};
use gloo_timers::callback::Interval;
use leptos::prelude::*;
use serde_json::{Map, Value};
use std::cell::RefCell;
use std::collections::BTreeMap;
use wasm_bindgen_futures::spawn_local;

/// So often one looks whether the sentence says something else, in milliseconds.
const LOOK_MS: u32 = 250;

/// Runs under way.
#[derive(Clone, Copy)]
pub struct Running {
    pub(super) done: u64,
    pub(super) total: u64,
    /// Which they are of all that were begun.
    turn: u64,
}

/// What is kept of a value: its name, and its row; nothing of one that cannot be played.
type Kept = Option<(String, Map<String, Value>)>;

thread_local! {
    /// By plan without its values, and value.
    static ROWS: RefCell<BTreeMap<String, BTreeMap<String, Kept>>> = const { RefCell::new(BTreeMap::new()) };
    /// The goals that were asked last, by the scenario's own.
    static GOALS: RefCell<Option<(Vec<GoalText>, Vec<GoalText>)>> = const { RefCell::new(None) };
}

/// The goals to begin with: those that were asked last of such a scenario, or else the usual ones.
pub(super) fn goals_of(said: &Described) -> Vec<GoalText> {
    let last = GOALS.with_borrow(Clone::clone);
    last.filter(|(usual, _)| *usual == said.goals).map_or_else(|| said.goals.clone(), |(_, goals)| goals)
}

/// What the rows of a plan depend on.
fn depends_on(plan: &Plan) -> String {
    let mut plan = plan.clone();
    plan.axes.iter_mut().for_each(|axis| axis.values.clear());
    plan.goals.clear();
    plan.seeds.count = 0;
    serde_json::to_string(&plan).unwrap_or_default()
}

impl Panel {
    /// What is asked, as a plan.
    pub(super) fn plan(self) -> Option<Plan> {
        let (goals, faults) = (self.goals.get_untracked(), self.with_faults.get_untracked());
        self.said.with_untracked(|said| self.key.with_value(|key| plan(said, key, goals, faults)))
    }

    /// Shows what is known, and has the rest played.
    pub(super) fn ask(self) {
        self.call_off();
        self.wrong.set(String::new());
        let Some(mut plan) = self.plan() else {
            return self.wrong.set("This has no values that could be compared.".to_owned());
        };
        let now = self.said.with_untracked(|said| {
            self.key.with_value(|key| said.key(key).map(|key| key.value.clone())).unwrap_or_default()
        });
        let known = ROWS.with_borrow(|rows| rows.get(&depends_on(&plan)).cloned()).unwrap_or_default();
        let can_be = |value: &Value| *value == now || known.get(&value.to_string()) != Some(&None);
        plan.axes.iter_mut().for_each(|axis| axis.values.retain(can_be));
        let told = Told::of(&plan, &now, |value| known.get(&value.to_string()).cloned().flatten());
        let missing: Vec<Value> = told.missing();
        self.told.set(Some(told));
        self.took.set(None);
        self.stopped.set(false);
        if !missing.is_empty() {
            let seeds = plan.seeds.count;
            self.play(plan, missing, now, seeds);
        }
    }

    /// Plays a value twice as often as it was.
    pub(super) fn sharpen(self, point: usize) {
        let Some(mut plan) = self.plan() else { return };
        let of_point = |told: &Told| {
            let played = told.rows.get(point)?.as_ref()?.get("requests")?.as_u64()?;
            Some((told.plan.axes.first()?.values.get(point)?.clone(), played / plan.requests.max(1)))
        };
        let Some((value, seeds)) = self.told.with_untracked(|told| told.as_ref().and_then(of_point)) else {
            return;
        };
        self.call_off();
        plan.seeds.count = 2 * seeds;
        self.play(plan, vec![value.clone()], value, 2 * seeds);
    }

    fn play(self, mut plan: Plan, values: Vec<Value>, now: Value, seeds: u64) {
        let kept_as = depends_on(&plan);
        plan.axes.iter_mut().for_each(|axis| axis.values.clone_from(&values));
        plan.metrics = plan.goals.drain(..).map(|goal| goal.metric).collect();
        plan.seeds.count = seeds;
        let total = values.len() as u64 * seeds;
        let now = values.contains(&now).then_some(now);
        let question = serde_json::to_string(&Question { plan, now }).unwrap_or_default();
        let call_off = AbortController::new();
        // Kept by the panel: what begins them may be a button that goes away with it.
        self.call_off.set_value(Some(call_off.clone()));
        let turn = self.begun.get_value() + 1;
        self.begun.set_value(turn);
        let since_ms = now_ms();
        self.took.set(None);
        self.stopped.set(false);
        self.running.set(Some(Running { done: 0, total, turn }));
        let hear = Box::new(move |told: Option<String>, done: f64, total: f64| {
            self.running.try_update(|running| {
                if let Some(running) = running.as_mut().filter(|running| running.turn == turn) {
                    (running.done, running.total) = (done as u64, total as u64);
                }
            });
            let Some(Ok(told)) = told.map(|told| serde_json::from_str::<Told>(&told)) else { return };
            keep(&kept_as, &told, &values);
            self.told.try_update(|shown| {
                if let Some(shown) = shown {
                    shown.take(&told, &values);
                }
            });
        });
        spawn_local(async move {
            let said = desk::foresight(&question, &call_off, hear).await;
            // The panel may be closed, or ask something else by now.
            let is_mine = self.running.try_with_untracked(|now| now.is_some_and(|now| now.turn == turn));
            if is_mine != Some(true) {
                return;
            }
            self.running.set(None);
            match said {
                Ok(()) => self.took.set(Some(now_ms() - since_ms)),
                Err(wrong) => self.wrong.set(wrong),
            }
        });
    }

    /// Ends what is under way; what is known stays.
    pub(super) fn call_off(self) {
        if let Some(call_off) = self.call_off.try_update_value(Option::take).flatten() {
            self.running.try_set(None);
            call_off.abort();
        }
    }

    /// Ends it because one has seen enough.
    pub(super) fn stop(self) {
        self.call_off();
        self.stopped.set(true);
    }

    /// Takes another limit for a goal.
    pub(super) fn limit(self, place: usize, limit: &str) {
        self.goals.update(|goals| {
            if let Some(goal) = goals.get_mut(place) {
                let limit = Some(Value::from(limit.trim()));
                match goal.below {
                    Some(_) => goal.below = limit,
                    None => goal.above = limit,
                }
            }
        });
        let usual = self.said.with_untracked(|said| said.goals.clone());
        GOALS.set(Some((usual, self.goals.get_untracked())));
    }

    /// Asks anew when the sentence says something else.
    pub(super) fn follow(self) {
        let seen = StoredValue::new(desk::scenario());
        let look = move || {
            let now = desk::scenario();
            if !desk::truth() {
                return super::close();
            }
            if seen.with_value(|seen| *seen == now) {
                return;
            }
            seen.set_value(now);
            spawn_local(async move {
                let Ok(said) = desk::describe(None).await else { return };
                if self.said.try_set(said).is_none() {
                    self.ask();
                }
            });
        };
        // It lives as long as the ribbon.
        StoredValue::new_local(Interval::new(LOOK_MS, look));
    }
}

/// Keeps the rows that were played to their end, and which of the values that were asked cannot be played.
fn keep(depends_on: &str, told: &Told, asked: &[Value]) {
    let Some(axis) = told.plan.axes.first() else { return };
    ROWS.with_borrow_mut(|rows| {
        let known = rows.entry(depends_on.to_owned()).or_default();
        for ((value, label), row) in axis.values.iter().zip(&told.labels).zip(&told.rows) {
            if let Some(row) = row.as_ref().filter(|row| told.is_whole(row)) {
                known.insert(value.to_string(), Some((label.clone(), row.clone())));
            }
        }
        known.extend(told.left_out(asked).map(|value| (value.to_string(), None)));
    });
}

fn now_ms() -> f64 {
    window().performance().map_or(0.0, |clock| clock.now())
}
