//! Sizing: the first value of what is varied that meets all goals, and from which on all later ones do. Values that ascend give the
//! least, such as the fewest workers; values that descend the greatest, such as the most liars.
//!
//! One goes from the last value of the first key backwards, as long as some choice of the other keys meets, and first tries the
//! choice that met before; so few points are played. At the first value that meets, the choices are gone through in their order, and the first
//! that meets is the answer, once fresh seeds have said so too. Where the last values do not meet and some before them do, as with a timeout that
//! may be too long as well, those are the answer, and where they end is said.

use super::metric::{GoalText, Verdict};
use super::outcome::Outcome;
use super::plan::{Axis, Base, Checked, Plan, Seeds, Stop, VERSION};
use super::rows;
use super::sweep::{Next, Row, Sweep, Task, Work};
use crate::lab::invalid::Invalid;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// What is sought: the same on the command line and in the page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sought {
    /// What all points have in common.
    pub base: Base,
    /// What is varied, the first key's first value being sought before the next one's.
    pub vary: Vec<Vary>,
    /// What is asked.
    pub goals: Vec<Asked>,
    /// Units of work in each run.
    #[serde(default = "requests")]
    pub requests: u64,
    /// So many before them do not count.
    #[serde(default)]
    pub warmup: u64,
    /// Runs of each point to begin with.
    #[serde(default = "seeds")]
    pub seeds: u64,
    /// The first seed.
    #[serde(default = "seed")]
    pub seed: u64,
    /// Up to so many units of work at one point.
    #[serde(default = "budget")]
    pub budget: u64,
}

/// A key and its values, as a plan has them or as the command line does: `workers=3..121`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Vary {
    /// As text.
    Text(String),
    /// As a plan has it.
    Axis(Axis),
}

/// A goal, as a plan has it or as the command line does: `error_mean<1%`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Asked {
    /// As text.
    Text(String),
    /// As a plan has it.
    Goal(GoalText),
}

/// Units of work in each run, unless something else is said.
pub const fn requests() -> u64 {
    200
}

/// Runs of each point to begin with, unless something else is said.
pub const fn seeds() -> u64 {
    10
}

const fn seed() -> u64 {
    1
}

/// Units of work at one point, unless something else is said.
pub const fn budget() -> u64 {
    100_000
}

impl Sought {
    /// Reads it from JSON.
    pub fn from_json(text: &str) -> Result<Self, Invalid> {
        const ALLOWED: &str = "base, vary and goals, and if need be requests, warmup, seeds, seed and budget";
        let wrong = |error: serde_json::Error| Invalid::new("size", &error.to_string(), ALLOWED);
        serde_json::from_str::<Value>(text).and_then(serde_json::from_value).map_err(wrong)
    }

    /// The plan that has its points.
    pub fn plan(self) -> Result<Plan, Invalid> {
        let axis = |vary| match vary {
            Vary::Text(text) => Axis::parse(&text),
            Vary::Axis(axis) => Ok(axis),
        };
        let goal = |asked| match asked {
            Asked::Text(text) => GoalText::parse(&text),
            Asked::Goal(goal) => Ok(goal),
        };
        Ok(Plan {
            version: VERSION,
            base: self.base,
            axes: self.vary.into_iter().map(axis).collect::<Result<_, _>>()?,
            requests: self.requests,
            warmup: self.warmup,
            seeds: Seeds { first: self.seed, count: self.seeds },
            goals: self.goals.into_iter().map(goal).collect::<Result<_, _>>()?,
            metrics: Vec::new(),
            stop: Stop { adaptive: true, budget_requests: self.budget },
        })
    }
}

/// A search for the least point.
#[derive(Debug)]
pub struct Sizing {
    sweep: Sweep,
    /// How many choices of the other keys there are at each value of the first.
    choices: usize,
    rows: BTreeMap<usize, Row>,
    fresh: BTreeMap<usize, Row>,
    asked: Option<(usize, bool)>,
    step: Step,
    /// The last value that meets.
    top: Option<usize>,
    answer: Option<Answer>,
}

/// Where a search is.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// Does some choice meet at this value of the first key? Such a choice met at the value behind it.
    Down(usize, usize),
    /// Which is the first choice that meets at this value, and on fresh seeds?
    Choose(usize),
    /// What does the choice give at the value before? Only to be shown.
    Below(usize),
    /// It is over.
    Over,
}

/// What a search found.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The first point that meets, and from which on the first key may have any value; none where nothing does.
    pub least: Option<Row>,
    /// The same on fresh seeds.
    pub again: Option<Row>,
    /// The point before it, which is not decided to meet; without an answer the last of all.
    pub before: Option<Row>,
    /// The last value of the first key that meets, if that is not the last of all.
    pub until: Option<Value>,
}

impl Sizing {
    /// A search among a plan's points.
    pub fn new(plan: Checked) -> Result<Self, Invalid> {
        let first =
            plan.plan.axes.first().ok_or_else(|| Invalid::new("vary", "", "at least one key to vary"))?;
        if plan.goals.is_empty() {
            return Err(Invalid::new("goal", "", "at least one goal"));
        }
        let values = first.values.len();
        let choices = plan.points / values;
        let step = Step::Down(values - 1, 0);
        let (rows, fresh) = (BTreeMap::new(), BTreeMap::new());
        let mut sizing = Sizing {
            sweep: Sweep::new(plan),
            choices,
            rows,
            fresh,
            asked: None,
            step,
            top: None,
            answer: None,
        };
        sizing.go_on();
        Ok(sizing)
    }

    /// What is searched.
    pub fn plan(&self) -> &Checked {
        self.sweep.plan()
    }

    /// What was found, once it was.
    pub fn answer(&self) -> Option<&Answer> {
        self.answer.as_ref()
    }

    /// What was found, and every point that was played, as one line of JSON.
    pub fn to_json(&self) -> String {
        let plan = self.plan();
        let header = rows::header(plan);
        let object = |row: &Row| {
            let cells = rows::cells(plan, row);
            Value::Object(header.iter().cloned().zip(cells).collect())
        };
        let row = |row: &Option<Row>| row.as_ref().map(object);
        let answer = self.answer();
        let methods: Map<String, Value> =
            plan.methods().map(|(metric, method)| (metric.name.clone(), json!(method.name()))).collect();
        let json = json!({
            "version": 1,
            "plan": plan.plan,
            "methods": methods,
            "answer": answer.and_then(|answer| row(&answer.least)),
            "again": answer.and_then(|answer| row(&answer.again)),
            "before": answer.and_then(|answer| row(&answer.before)),
            "until": answer.and_then(|answer| answer.until.clone()),
            "rows": self.rows().map(object).collect::<Vec<_>>(),
        });
        format!("{json}\n")
    }

    /// What went wrong with runs themselves.
    pub fn faults(&self) -> &[String] {
        self.sweep.faults()
    }

    /// Every point that was played, in the plan's order.
    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.values()
    }

    /// The row of a point; where there is none yet it is asked for.
    fn row(&mut self, point: usize) -> Option<&Row> {
        if !self.rows.contains_key(&point) {
            self.asked = Some((point, false));
            self.sweep.add([point]);
        }
        self.rows.get(&point)
    }

    /// The same on seeds that nobody has used.
    fn again(&mut self, point: usize) -> Option<&Row> {
        if !self.fresh.contains_key(&point) {
            let plan = &self.sweep.plan().plan;
            let used = (plan.stop.budget_requests / plan.requests).max(plan.seeds.count);
            self.asked = Some((point, true));
            self.sweep.add_with_seeds(point, plan.seeds.first + used);
        }
        self.fresh.get(&point)
    }

    fn go_on(&mut self) {
        while self.asked.is_none() {
            match self.step {
                Step::Down(value, choice) => self.go_down(value, choice),
                Step::Choose(value) => self.choose(value),
                Step::Below(point) => {
                    let before = point.checked_sub(self.choices);
                    let Some(before) = before else { return self.end(Some(point), None) };
                    if self.row(before).is_some() {
                        self.end(Some(point), Some(before));
                    }
                }
                Step::Over => return,
            }
        }
    }

    fn go_down(&mut self, value: usize, hint: usize) {
        for i in 0..self.choices {
            // The hint first, then the others in their order.
            let choice = match i {
                0 => hint,
                i if i <= hint => i - 1,
                i => i,
            };
            let Some(row) = self.row(value * self.choices + choice) else { return };
            if row.verdict == Some(Verdict::Meets) {
                self.top.get_or_insert(value);
                self.step = if value == 0 { Step::Choose(0) } else { Step::Down(value - 1, choice) };
                return;
            }
        }
        // None meets here: the answer is behind, if there is one; if nothing has met yet, it may be before.
        self.step = match self.top {
            None if value > 0 => Step::Down(value - 1, hint),
            _ => Step::Choose(value + 1),
        };
    }

    fn choose(&mut self, value: usize) {
        if self.top.is_none_or(|top| value > top) {
            return self.end(None, self.rows.keys().next_back().copied());
        }
        for choice in 0..self.choices {
            let point = value * self.choices + choice;
            let Some(row) = self.row(point) else { return };
            if row.verdict == Some(Verdict::Meets) {
                let Some(again) = self.again(point) else { return };
                if again.verdict == Some(Verdict::Meets) {
                    self.step = Step::Below(point);
                    return;
                }
            }
        }
        // What met by luck meets no more: the next value is to do.
        self.step = Step::Choose(value + 1);
    }

    fn end(&mut self, least: Option<usize>, before: Option<usize>) {
        let row = |point: Option<usize>| point.and_then(|point| self.rows.get(&point)).cloned();
        let again = least.and_then(|point| self.fresh.get(&point)).cloned();
        // What met by luck, and on fresh seeds no more, shows itself as it was then.
        let before = before.and_then(|point| self.fresh.get(&point)).cloned().or_else(|| row(before));
        let values = &self.sweep.plan().plan.axes[0].values;
        let top = self.top.filter(|top| least.is_some() && top + 1 < values.len());
        let until = top.and_then(|top| values.get(top)).cloned();
        self.answer = Some(Answer { least: row(least), again, before, until });
        self.step = Step::Over;
    }
}

impl Work for Sizing {
    fn next(&mut self) -> Next {
        self.sweep.next()
    }

    fn take(&mut self, task: &Task, outcome: Outcome) -> Result<(), Invalid> {
        self.sweep.take(task, outcome)?;
        while let Some(row) = self.sweep.pop() {
            if let Some((point, fresh)) = self.asked.take() {
                let rows = if fresh { &mut self.fresh } else { &mut self.rows };
                rows.insert(point, row);
            }
            self.go_on();
        }
        Ok(())
    }

    fn progress(&self) -> (u64, u64) {
        self.sweep.progress()
    }
}
