//! A plan: a base scenario, what is varied, how often each point is played, and what is asked of it.

use super::fold::method;
use super::metric::{Goal, GoalText, Metric};
use crate::kernel::Duration;
use crate::lab::invalid::Invalid;
use crate::lab::measure::{Measure, Theory};
use crate::lab::params::parse_real;
use crate::lab::recorder::Window;
use crate::lab::scenario::{HORIZON_MAX, SEED_MAX, Scenario};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// The version of the format.
pub const VERSION: u32 = 1;
const POINTS_MAX: usize = 100_000;
pub(super) const REQUESTS_MAX: u64 = 1_000_000;
pub(super) const SEEDS_MAX: u64 = 100_000;
/// A search for the least needs as many fresh seeds again.
const BUDGET_MAX: u64 = 1_000_000_000;
pub(super) const FIRST_SEED_MAX: u64 = SEED_MAX - 2 * BUDGET_MAX;

/// A plan, as its file has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The format's version, 1.
    pub version: u32,
    /// What all points have in common.
    pub base: Base,
    /// What is varied: every value of each with every value of the others, the last one fastest.
    #[serde(default)]
    pub axes: Vec<Axis>,
    /// How many units of work count in each run: requests, jobs, versions.
    pub requests: u64,
    /// How many before them do not count.
    #[serde(default)]
    pub warmup: u64,
    /// Which seeds: the same at every point, so that points differ by nothing else.
    pub seeds: Seeds,
    /// What is asked of each point.
    #[serde(default)]
    pub goals: Vec<GoalText>,
    /// Metrics besides the usual ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub metrics: Vec<String>,
    /// When a point has been played often enough.
    #[serde(default)]
    pub stop: Stop,
}

/// The scenario that a plan varies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Base {
    /// The shipped scenario that it starts from.
    pub preset: String,
    /// Settings on top of the preset's.
    #[serde(default)]
    pub set: BTreeMap<String, Value>,
    /// Faults on schedule; without this field there are none, whatever the shipped scenario has.
    #[serde(default)]
    pub faults: String,
}

/// A parameter that is varied.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Axis {
    /// Its key.
    pub key: String,
    /// What it is set to.
    pub values: Vec<Value>,
}

impl Axis {
    /// Reads `workers=3..121`, `workers=3..121/2`, `timeout=0.9s..1.3s/0.1s`, `lie=0.5..0/0.05` or `strategy=average,median`. Quantities
    /// ascend, or descend.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        const ALLOWED: &str = "KEY=A..B, KEY=A..B/STEP or KEY=v1,v2,…, quantities one above or one below the other, such as workers=3..121 or lie=0.5..0/0.05";
        let wrong = || Invalid::new("vary", text, ALLOWED);
        let (key, values) = text.split_once('=').ok_or_else(wrong)?;
        let values = match values.split_once("..") {
            Some((low, rest)) => {
                let (high, step) = rest.split_once('/').unwrap_or((rest, "1"));
                range(low.trim(), high.trim(), step.trim()).ok_or_else(wrong)?
            }
            None => values.split(',').map(|value| read(value.trim())).collect(),
        };
        let quantities: Vec<f64> = values.iter().filter_map(quantity).collect();
        let all = |in_order: fn(&[f64]) -> bool| quantities.windows(2).all(in_order);
        let words = quantities.len() < values.len();
        if words || all(|pair| pair[0] < pair[1]) || all(|pair| pair[0] > pair[1]) {
            Ok(Axis { key: key.trim().to_owned(), values })
        } else {
            Err(wrong())
        }
    }
}

/// A value as a plan would have it: a number where it is one.
fn read(text: &str) -> Value {
    let number = serde_json::from_str(text).ok().filter(Value::is_number);
    number.unwrap_or_else(|| Value::from(text))
}

/// How much a value is, if it is a number or a duration.
pub(super) fn quantity(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| {
        let text = value.as_str()?;
        text.parse().ok().map(Duration::as_secs_f64).or_else(|| parse_real(text))
    })
}

/// From one number or duration to another, step by step. In billionths, so that no step is lost to rounding.
fn range(low: &str, high: &str, step: &str) -> Option<Vec<Value>> {
    const UNIT: f64 = 1e9;
    let span = |text: &str| text.parse().ok().map(Duration::as_nanos);
    let number =
        |text: &str| parse_real(text).filter(|x| x.abs() < 1e9).map(|x| libm::round(x * UNIT) as i64);
    let spans = span(low).zip(span(high)).zip(span(step));
    let (low, high, step) = match spans {
        Some(((low, high), step)) => (low as i64, high as i64, step as i64),
        None => (number(low)?, number(high)?, number(step)?),
    };
    let value = |at: i64| match (spans, at % UNIT as i64) {
        (Some(_), _) => Value::from(Duration::from_nanos(at as u64).to_string()),
        (None, 0) => Value::from(at / UNIT as i64),
        (None, _) => Value::from(at as f64 / UNIT),
    };
    let steps = (high - low).abs().checked_div(step).filter(|_| step > 0)?;
    let step = step * (high - low).signum();
    (steps < POINTS_MAX as i64).then(|| (0..=steps).map(|i| value(low + i * step)).collect())
}

/// Consecutive seeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seeds {
    /// The first of them.
    pub first: u64,
    /// How many runs of each point.
    pub count: u64,
}

/// When a point has been played often enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Stop {
    /// Whether a point with an open verdict is played twice as often, and again.
    pub adaptive: bool,
    /// Up to so many units of work at one point.
    pub budget_requests: u64,
}

impl Default for Stop {
    fn default() -> Self {
        Stop { adaptive: false, budget_requests: 1_000_000 }
    }
}

impl Plan {
    /// Reads a plan from JSON.
    pub fn from_json(text: &str) -> Result<Self, Invalid> {
        let value: Value = serde_json::from_str(text)
            .map_err(|error| Invalid::new("plan", &error.to_string(), "a plan of version 1 in JSON"))?;
        // With the value at hand the error names the field.
        serde_json::from_value(value)
            .map_err(|error| Invalid::new("plan", &error.to_string(), "the fields of a plan of version 1"))
    }

    /// Checks every field, and every point.
    pub fn check(self) -> Result<Checked, Invalid> {
        self.check_numbers()?;
        let mut points = 1usize;
        for (i, axis) in self.axes.iter().enumerate() {
            if axis.values.is_empty() {
                return Err(Invalid::new(&format!("axes[{i}].values"), "", "at least one value"));
            }
            if self.axes[..i].iter().any(|other| other.key == axis.key) {
                return Err(Invalid::new(&format!("axes[{i}].key"), &axis.key, "each key once"));
            }
            points = points.saturating_mul(axis.values.len());
        }
        if points > POINTS_MAX {
            return Err(Invalid::new("axes", &format!("{points} points"), &format!("at most {POINTS_MAX}")));
        }
        let mut checked = Checked {
            metrics: Vec::new(),
            goals: Vec::new(),
            measures: &[],
            independent: self.base.faults.is_empty(),
            points,
            has_theory: Vec::new(),
            plan: self,
        };
        for point in 0..points {
            let scenario = checked.scenario(point, checked.plan.seeds.first);
            if checked.plan.base.faults.is_empty() {
                drop(scenario.check()?);
            } else {
                scenario.validate()?;
            }
            let settings = scenario.settings()?;
            checked.independent &= settings.is_independent();
            if point == 0 {
                checked.measures = settings.measures();
                checked.metrics = Metric::usual(&*settings);
                for name in &checked.plan.metrics {
                    let metric = Metric::parse(name, &*settings)?;
                    if checked.metrics.iter().all(|known| known.of != metric.of) {
                        checked.metrics.push(metric);
                    }
                }
                for goal in &checked.plan.goals {
                    checked.goals.push(Goal::of(goal, &mut checked.metrics, &*settings)?);
                }
                checked.has_theory = vec![false; checked.metrics.len()];
            }
            if checked.plan.base.faults.is_empty() {
                for (metric, has) in
                    checked.metrics.iter().zip(&mut checked.has_theory).filter(|(_, has)| !**has)
                {
                    *has = settings.theory(&metric.of).is_some();
                }
            }
        }
        Ok(checked)
    }

    fn check_numbers(&self) -> Result<(), Invalid> {
        let Plan { version, requests, warmup, seeds, stop, .. } = self;
        for (field, value, (low, high)) in [
            ("version", u64::from(*version), (1, u64::from(VERSION))),
            ("requests", *requests, (1, REQUESTS_MAX)),
            ("warmup", *warmup, (0, REQUESTS_MAX)),
            ("seeds.first", seeds.first, (0, FIRST_SEED_MAX)),
            ("seeds.count", seeds.count, (1, SEEDS_MAX)),
            ("stop.budget_requests", stop.budget_requests, (1, BUDGET_MAX)),
        ] {
            check_range(field, value, low, high)?;
        }
        Ok(())
    }
}

/// A whole number has to be in its range.
pub(super) fn check_range(field: &str, value: u64, low: u64, high: u64) -> Result<(), Invalid> {
    let wrong = || Invalid::new(field, &value.to_string(), &format!("a whole number from {low} to {high}"));
    if (low..=high).contains(&value) { Ok(()) } else { Err(wrong()) }
}

/// A plan whose every point can be played.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The plan.
    pub plan: Plan,
    /// What is measured: the usual metrics, then those that the plan names, then those of goals.
    pub metrics: Vec<Metric>,
    /// What is asked.
    pub goals: Vec<Goal>,
    /// What the system's units of work have figures of.
    pub measures: &'static [Measure],
    /// Whether units of work are independent samples at every point.
    pub independent: bool,
    /// How many points there are.
    pub points: usize,
    /// By metric: whether theory has something to say of it at any point.
    pub has_theory: Vec<bool>,
}

impl Checked {
    /// What is set at a point, axis by axis.
    pub fn values(&self, point: usize) -> impl Iterator<Item = (&str, &Value)> {
        let mut below = self.points;
        self.plan.axes.iter().map(move |axis| {
            below /= axis.values.len();
            (axis.key.as_str(), &axis.values[point / below % axis.values.len()])
        })
    }

    /// The scenario of a run.
    pub fn scenario(&self, point: usize, seed: u64) -> Scenario {
        let Base { preset, set, faults } = &self.plan.base;
        let mut scenario = Scenario::preset(preset, seed);
        scenario.set = set.clone();
        scenario.set.extend(self.values(point).map(|(key, value)| (key.to_owned(), value.clone())));
        scenario.faults = Some(faults.clone());
        scenario.horizon = Some(HORIZON_MAX.to_string());
        scenario
    }

    /// What theory says of a metric at a point, while nothing goes wrong.
    pub fn theory(&self, point: usize, metric: usize) -> Option<Theory> {
        let has = self.has_theory.get(metric).is_some_and(|has| *has);
        let settings = has.then(|| self.scenario(point, self.plan.seeds.first).settings().ok()).flatten();
        settings?.theory(&self.metrics[metric].of)
    }

    /// Which units of work count in each run.
    pub fn window(&self) -> Window {
        Window { warmup: self.plan.warmup, requests: self.plan.requests }
    }

    /// How each metric's interval is found.
    pub fn methods(&self) -> impl Iterator<Item = (&Metric, super::interval::Method)> {
        self.metrics.iter().map(|metric| (metric, method(metric, self.independent)))
    }
}
