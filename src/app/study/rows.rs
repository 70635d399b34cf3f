//! The rows of a sweep as its panels read them: what was set, what was measured, and whether the goals hold.

use super::chart::{Chart, Goal, Line};
use super::draft::{Described, Title};
use super::svg::{Place, Point};
use crate::lab::experiment::{Axis, Plan, Verdict};
use serde_json::{Map, Value};

/// A row, as workers tell it: its cells by name.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Which of the plan's points it is.
    pub point: usize,
    /// What was set, axis by axis.
    pub values: Vec<Value>,
    /// All its cells.
    pub cells: Map<String, Value>,
}

impl Row {
    /// Reads a row of a plan.
    pub fn of(plan: &Plan, cells: Map<String, Value>) -> Self {
        let values: Vec<Value> =
            plan.axes.iter().map(|axis| cells.get(&axis.key).cloned().unwrap_or_default()).collect();
        let place =
            |(axis, value): (&Axis, &Value)| axis.values.iter().position(|other| other == value).unwrap_or(0);
        let places = plan.axes.iter().zip(&values).map(|both| (place(both), both.0.values.len()));
        let point = places.fold(0, |point, (place, of)| point * of + place);
        Row { point, values, cells }
    }

    /// A figure with its interval, and what theory says of it.
    pub fn point(&self, metric: &str) -> Option<Point> {
        let number = |suffix: &str| self.cells.get(&format!("{metric}{suffix}")).and_then(Value::as_f64);
        Some(Point {
            value: number("")?,
            low: number("_lo"),
            high: number("_hi"),
            theory: number("_theory").or_else(|| number("_bound")),
            verdict: self.verdict(),
        })
    }

    /// Whether the goals hold; nothing where there are none.
    pub fn verdict(&self) -> Option<Verdict> {
        self.cells.get("verdict").and_then(Value::as_str).and_then(Verdict::from_name)
    }

    /// A count.
    pub fn count(&self, key: &str) -> u64 {
        self.cells.get(key).and_then(Value::as_u64).unwrap_or(0)
    }
}

/// A value as a person would write it: `1.15s`, `median`, `0.2`.
pub fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// How much a value is, if it is a quantity: a number, or a duration in milliseconds.
pub fn quantity(value: &Value) -> Option<f64> {
    let span = || value.as_str()?.parse::<crate::kernel::Duration>().ok();
    value.as_f64().or_else(|| span().map(|span| span.as_millis_f64()))
}

/// The axis that lines go along: the first whose values are quantities; otherwise the first.
pub fn along(plan: &Plan) -> usize {
    let is_quantity =
        |values: &[Value]| values.len() > 1 && values.iter().all(|value| quantity(value).is_some());
    plan.axes.iter().position(|axis| is_quantity(&axis.values)).unwrap_or(0)
}

/// The number of the line that a row belongs to, and its place on it.
pub fn place_of(plan: &Plan, along: usize, point: usize) -> (usize, usize) {
    let mut below: usize = plan.axes.iter().map(|axis| axis.values.len()).product();
    let (mut line, mut place, mut rest) = (0, 0, point);
    for (i, axis) in plan.axes.iter().enumerate() {
        below /= axis.values.len().max(1);
        let at = rest / below.max(1);
        rest %= below.max(1);
        if i == along {
            place = at;
        } else {
            line = line * axis.values.len() + at;
        }
    }
    (line, place)
}

/// The picture of one metric over all rows that are known.
pub fn chart(said: &Described, plan: &Plan, rows: &[Row], metric: &str) -> Chart {
    let along = along(plan);
    let Title { title, unit } = said.metric(metric);
    let Some(axis) = plan.axes.get(along) else { return Chart::default() };
    let places: Vec<Place> =
        axis.values.iter().map(|value| Place { label: shown(value), quantity: quantity(value) }).collect();
    let mut lines: Vec<Line> = Vec::new();
    for row in rows {
        let (line, place) = place_of(plan, along, row.point);
        while lines.len() <= line {
            lines.push(Line { name: String::new(), points: vec![None; places.len()] });
        }
        lines[line].points[place] = row.point(metric);
        if lines[line].name.is_empty() {
            let others = row.values.iter().enumerate().filter(|(i, _)| *i != along);
            lines[line].name = others.map(|(_, value)| shown(value)).collect::<Vec<_>>().join(", ");
        }
    }
    let goal = plan.goals.iter().find(|goal| goal.metric == metric).and_then(|goal| {
        let (limit, below) = goal
            .below
            .as_ref()
            .map(|limit| (limit, true))
            .or(goal.above.as_ref().map(|limit| (limit, false)))?;
        let value = unit.read(limit)?;
        let sign = if below { "<" } else { ">" };
        Some(Goal { limit: value, below, label: format!("goal: {title} {sign} {}", unit.show_round(value)) })
    });
    Chart {
        across: axis.key.clone(),
        places,
        lines,
        goal,
        marked: None,
        marked_line: None,
        good: None,
        unit: Some(unit),
    }
}
