//! What one is about to ask: a plan as it stands in the sentence, in texts that may be wrong, until it is read as a plan.

use super::rows::shown;
use super::words::Unit;
use crate::lab::Invalid;
use crate::lab::experiment::{Axis, Base, GoalText, Plan, Seeds, Stop};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// Reads a plan of the version that this program knows.
pub fn read_plan(text: &str) -> Result<Plan, Invalid> {
    let plan = Plan::from_json(text)?;
    if plan.version == VERSION { Ok(plan) } else { Err(invalid("version", &plan.version.to_string(), "1")) }
}

/// The version of plans.
const VERSION: u32 = 1;

/// What is known of the scenario that is varied, as `lab::experiment::describe` tells it.
#[derive(Clone, Debug, Deserialize)]
pub struct Described {
    /// What a plan of it starts from, without faults.
    pub base: Base,
    /// The faults that strike in it.
    pub faults: String,
    /// Its name for a person.
    pub title: String,
    /// Its seed.
    pub seed: u64,
    /// What its units of work are called.
    pub unit: String,
    /// What can be set in it.
    pub axes: Vec<Key>,
    /// What is measured.
    pub metrics: Vec<Measured>,
    /// What is usually asked.
    pub goals: Vec<GoalText>,
}

/// What can be set.
#[derive(Clone, Debug, Deserialize)]
pub struct Key {
    /// Its key.
    pub key: String,
    /// What it means.
    pub meaning: String,
    /// What it may be, in words.
    pub allowed: String,
    /// `number`, `duration`, `choice` or `text`.
    pub kind: String,
    /// The words of a choice.
    pub choices: Vec<String>,
    /// What it is now.
    pub value: Value,
    /// Values worth trying.
    pub suggested: Vec<Value>,
}

/// What is measured.
#[derive(Clone, Debug, Deserialize)]
pub struct Measured {
    /// Its name in plans and rows.
    pub name: String,
    /// In words.
    pub title: String,
    /// What it is counted in.
    pub unit: Unit,
}

/// How a metric is said.
#[derive(Clone, Debug, PartialEq)]
pub struct Title {
    /// In words.
    pub title: String,
    /// Its unit.
    pub unit: Unit,
}

impl Described {
    /// How a metric is said; one that only a plan names is said as it is.
    pub fn metric(&self, name: &str) -> Title {
        let known = self.metrics.iter().find(|metric| metric.name == name);
        if let Some(Measured { title, unit, .. }) = known {
            return Title { title: title.clone(), unit: *unit };
        }
        // Another percentile, or a share over a limit, is of a measure that is known.
        let of = |metric: &&Measured| {
            name.split_once('_').is_some_and(|(key, _)| metric.name.starts_with(&format!("{key}_")))
        };
        let unit = match self.metrics.iter().find(of) {
            Some(_) if name.contains("_over(") => Unit::Share,
            Some(metric) => metric.unit,
            None => Unit::Plain,
        };
        Title { title: name.to_owned(), unit }
    }

    /// What can be set by a key.
    pub fn key(&self, key: &str) -> Option<&Key> {
        self.axes.iter().find(|axis| axis.key == key)
    }
}

/// A key, and its values as they are written.
#[derive(Clone, Debug, PartialEq)]
pub struct Given {
    /// The key.
    pub key: String,
    /// A range, a list, or one value.
    pub text: String,
}

/// A goal as it is written.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// The metric.
    pub metric: String,
    /// Whether it has to be less.
    pub below: bool,
    /// Than what.
    pub limit: String,
}

/// A plan that is being written.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// The shipped scenario.
    pub preset: String,
    /// What is varied.
    pub vary: Vec<Given>,
    /// What is set, and is the same everywhere.
    pub hold: Vec<Given>,
    /// The faults, and whether they strike.
    pub faults: String,
    /// Whether they do.
    pub with_faults: bool,
    /// How many units of work count in each run.
    pub requests: String,
    /// How many before them do not.
    pub warmup: String,
    /// The first seed.
    pub first: String,
    /// How many seeds.
    pub seeds: String,
    /// What is asked.
    pub goals: Vec<Asked>,
    /// Metrics besides the usual ones.
    pub metrics: Vec<String>,
    /// Whether an open point is played on.
    pub adaptive: bool,
    /// Up to so many units of work at a point.
    pub budget: u64,
}

impl Draft {
    /// What the panel opens with: the first number of the scenario over its range, and the usual goals.
    pub fn new(said: &Described) -> Self {
        let first = said.axes.iter().find(|axis| axis.kind == "number" && axis.suggested.len() > 3);
        let vary = first.map(|axis| Given { key: axis.key.clone(), text: list(&axis.suggested) });
        let vary: Vec<Given> = vary.into_iter().collect();
        let is_free = |key: &str| vary.iter().all(|given| given.key != key);
        let held = said.base.set.iter().filter(|(key, _)| is_free(key));
        Draft {
            preset: said.base.preset.clone(),
            hold: held.map(|(key, value)| Given { key: key.clone(), text: shown(value) }).collect(),
            vary,
            faults: said.faults.clone(),
            with_faults: false,
            requests: "100".to_owned(),
            warmup: "0".to_owned(),
            first: "1".to_owned(),
            seeds: "20".to_owned(),
            goals: said.goals.iter().filter_map(asked).collect(),
            metrics: Vec::new(),
            adaptive: false,
            budget: Stop::default().budget_requests,
        }
    }

    /// A plan, to be changed. Faults that it has none of may still be switched on.
    pub fn of(plan: &Plan, said: &Described) -> Self {
        let Plan { base, axes, requests, warmup, seeds, goals, metrics, stop, .. } = plan;
        Draft {
            preset: base.preset.clone(),
            vary: axes.iter().map(|axis| Given { key: axis.key.clone(), text: list(&axis.values) }).collect(),
            hold: base
                .set
                .iter()
                .map(|(key, value)| Given { key: key.clone(), text: shown(value) })
                .collect(),
            faults: if base.faults.is_empty() { said.faults.clone() } else { base.faults.clone() },
            with_faults: !base.faults.is_empty(),
            requests: requests.to_string(),
            warmup: warmup.to_string(),
            first: seeds.first.to_string(),
            seeds: seeds.count.to_string(),
            goals: goals.iter().filter_map(asked).collect(),
            metrics: metrics.clone(),
            adaptive: stop.adaptive,
            budget: stop.budget_requests,
        }
    }

    /// Sets something that is the same everywhere, in place of what it was.
    pub fn put(&mut self, key: &str, text: String) {
        self.vary.retain(|given| given.key != key);
        self.hold.retain(|given| given.key != key);
        self.hold.push(Given { key: key.to_owned(), text });
    }

    /// The plan, if all of it can be read. Whether each point can be played, the workers say.
    pub fn plan(&self) -> Result<Plan, Invalid> {
        let count = |field: &str, text: &str| {
            let wrong = || invalid(field, text, "a whole number");
            text.trim().replace(',', "").parse::<u64>().map_err(|_| wrong())
        };
        let axis = |given: &Given| Axis::parse(&format!("{}={}", given.key, given.text));
        let mut set = BTreeMap::new();
        for given in &self.hold {
            // A list is one value where it is held: quantiles are one.
            if given.text.contains(',') {
                set.insert(given.key.clone(), Value::from(given.text.trim()));
                continue;
            }
            let Axis { values, .. } = axis(given)?;
            let [value] = values.as_slice() else {
                return Err(invalid(&given.key, &given.text, "one value; several are varied"));
            };
            set.insert(given.key.clone(), value.clone());
        }
        let goal = |asked: &Asked| {
            let limit = Some(Value::from(asked.limit.trim()));
            let (below, above) = if asked.below { (limit, None) } else { (None, limit) };
            GoalText { metric: asked.metric.clone(), below, above }
        };
        Ok(Plan {
            version: VERSION,
            base: Base {
                preset: self.preset.clone(),
                set,
                faults: if self.with_faults { self.faults.clone() } else { String::new() },
            },
            axes: self.vary.iter().map(axis).collect::<Result<_, _>>()?,
            requests: count("requests", &self.requests)?,
            warmup: count("warmup", &self.warmup)?,
            seeds: Seeds { first: count("seeds.first", &self.first)?, count: count("seeds", &self.seeds)? },
            goals: self.goals.iter().map(goal).collect(),
            metrics: self.metrics.clone(),
            stop: Stop { adaptive: self.adaptive, budget_requests: self.budget },
        })
    }
}

fn asked(goal: &GoalText) -> Option<Asked> {
    let (limit, below) = match (&goal.below, &goal.above) {
        (Some(limit), _) => (limit, true),
        (None, limit) => (limit.as_ref()?, false),
    };
    Some(Asked { metric: goal.metric.clone(), below, limit: shown(limit) })
}

/// Values as one writes them.
fn list(values: &[Value]) -> String {
    values.iter().map(shown).collect::<Vec<_>>().join(", ")
}

fn invalid(field: &str, value: &str, allowed: &str) -> Invalid {
    Invalid { field: field.to_owned(), value: value.to_owned(), allowed: allowed.to_owned() }
}
