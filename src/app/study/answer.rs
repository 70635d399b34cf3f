//! What the rows of a sweep answer, in one sentence: the first point from which on the goals hold, or which one comes closest.

use super::draft::Described;
use super::played::{Found, Played};
use super::rows::{Row, along, place_of, shown};
use crate::lab::experiment::{Plan, Verdict};

/// What is said of a sweep.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// Whether some point meets, all miss, or that is open.
    pub verdict: Verdict,
    /// The point that it is about, among the rows.
    pub row: usize,
    /// The point itself, which stands out.
    pub what: String,
    /// What is said of it.
    pub rest: String,
    /// Up to which place along the axis goals hold from it on.
    pub until: usize,
}

/// What is known says; nothing while there are no rows, or no goals, or while a search goes on.
pub fn answer(said: &Described, played: &Played) -> Option<Answer> {
    if played.seeks {
        return None;
    }
    let sought = played.found.as_ref().and_then(|found| found_least(said, &played.plan, &played.rows, found));
    sought.or_else(|| of_rows(said, &played.plan, &played.rows))
}

/// What a search found, and how sure that is.
fn found_least(said: &Described, plan: &Plan, rows: &[Row], found: &Found) -> Option<Answer> {
    let [least, again, before] = found.rows(plan);
    let least = least?;
    let row = rows.iter().position(|row| row.point == least.point)?;
    let all = if plan.goals.len() == 1 { "the goal" } else { "all goals" };
    let mut rest = format!("is the least that meets {all}: {}.", figures(said, plan, &least));
    if let Some(until) = &found.until {
        rest += &format!(" Up to {} {} it holds.", plan.axes.first()?.key, shown(until));
    }
    if let Some(again) = again {
        rest += &format!(" On fresh seeds: {}.", figures(said, plan, &again));
    }
    if let Some(before) = before {
        rest += &format!(
            " The point before it, {}, {}: {}.",
            name(plan, &before),
            verb(&before),
            figures(said, plan, &before)
        );
    }
    Some(Answer { verdict: Verdict::Meets, row, what: name(plan, &least), rest, until: 0 })
}

/// What a point does that does not meet.
fn verb(row: &Row) -> &'static str {
    if row.verdict() == Some(Verdict::Undecided) { "is undecided" } else { "misses" }
}

fn of_rows(said: &Described, plan: &Plan, rows: &[Row]) -> Option<Answer> {
    if rows.is_empty() || plan.goals.is_empty() {
        return None;
    }
    let along = along(plan);
    let length = plan.axes.get(along).map_or(1, |axis| axis.values.len());
    // Line by line: the first place of the last stretch of places that all meet.
    let mut best: Option<(usize, usize, usize)> = None;
    let lines = points(plan) / length;
    for line in 0..lines {
        let on_line = |row: &usize| place_of(plan, along, rows[*row].point).0 == line;
        let places: Vec<usize> = (0..rows.len()).filter(on_line).collect();
        let meets = |row: &usize| rows[*row].verdict() == Some(Verdict::Meets);
        let Some(last) = places.iter().rposition(meets) else { continue };
        let first = places[..last].iter().rposition(|row| !meets(row)).map_or(0, |before| before + 1);
        if best.is_none_or(|(at, ..)| first < at) {
            best = Some((first, places[first], last));
        }
    }
    let all = if plan.goals.len() == 1 { "the goal" } else { "all goals" };
    let of = if rows.len() < points(plan) {
        format!(" Of the {} points played so far.", rows.len())
    } else {
        String::new()
    };
    let figures = |row: &Row| figures(said, plan, row);
    if let Some((first, row, until)) = best {
        let before = (0..row).rev().find(|other| {
            let (line, place) = place_of(plan, along, rows[*other].point);
            line == place_of(plan, along, rows[row].point).0 && place + 1 == first
        });
        let ends = if until + 1 == length { "on" } else { "to" };
        let to = plan
            .axes
            .get(along)
            .filter(|_| until + 1 < length)
            .map_or(String::new(), |axis| format!(" {}", shown(&axis.values[until])));
        let mut rest = if length == 1 {
            format!("meets {all}: {}.", figures(&rows[row]))
        } else {
            format!(
                "is the first point from which {ends}{to} {} met: {}.",
                if plan.goals.len() == 1 { "the goal is" } else { "all goals are" },
                figures(&rows[row])
            )
        };
        if let Some(before) = before {
            let verdict = verb(&rows[before]);
            rest += &format!(
                " The point before it, {}, {verdict}: {}.",
                name(plan, &rows[before]),
                figures(&rows[before])
            );
        }
        let what = name(plan, &rows[row]);
        return Some(Answer { verdict: Verdict::Meets, row, what, rest: rest + &of, until });
    }
    let open = rows.iter().filter(|row| row.verdict() == Some(Verdict::Undecided)).count();
    let row = (0..rows.len())
        .min_by(|a, b| excess(said, plan, &rows[*a]).total_cmp(&excess(said, plan, &rows[*b])))?;
    let (verdict, lead) = match open {
        0 => (Verdict::Misses, format!("No tested point meets {all}; closest is {}", name(plan, &rows[row]))),
        1 => (
            Verdict::Undecided,
            format!(
                "No point is sure to meet {all}, and 1 is undecided; closest is {}",
                name(plan, &rows[row])
            ),
        ),
        _ => (
            Verdict::Undecided,
            format!(
                "No point is sure to meet {all}, and {open} are undecided; closest is {}",
                name(plan, &rows[row])
            ),
        ),
    };
    Some(Answer { verdict, row, what: lead, rest: format!("with {}.{of}", figures(&rows[row])), until: 0 })
}

/// How many points a plan has.
pub fn points(plan: &Plan) -> usize {
    plan.axes.iter().map(|axis| axis.values.len()).product()
}

/// A point as one would call it: `61 workers, median`.
pub fn name(plan: &Plan, row: &Row) -> String {
    let part = |(axis, value): (&crate::lab::experiment::Axis, &serde_json::Value)| match value.as_str() {
        // A word says what it is.
        Some(word) if super::rows::quantity(value).is_none() => word.to_owned(),
        _ => format!("{} {}", axis.key, shown(value)),
    };
    let parts: Vec<String> = plan.axes.iter().zip(&row.values).map(part).collect();
    if parts.is_empty() { "the only point".to_owned() } else { parts.join(", ") }
}

/// What goals ask of, as it was measured: `mean error 0.94 % (0.92 to 0.96 %)`.
fn figures(said: &Described, plan: &Plan, row: &Row) -> String {
    let figure = |goal: &crate::lab::experiment::GoalText| {
        let title = said.metric(&goal.metric);
        match row.point(&goal.metric) {
            Some(point) => {
                format!(
                    "{} {} ({})",
                    title.title,
                    title.unit.show(point.value),
                    title.unit.show_interval(point.low, point.high)
                )
            }
            None => format!("{}: nothing was answered", title.title),
        }
    };
    plan.goals.iter().map(figure).collect::<Vec<_>>().join(", ")
}

/// By how much of its limit the goal that is missed most is missed.
fn excess(said: &Described, plan: &Plan, row: &Row) -> f64 {
    let of = |goal: &crate::lab::experiment::GoalText| {
        let unit = said.metric(&goal.metric).unit;
        let Some(point) = row.point(&goal.metric) else { return f64::INFINITY };
        let (limit, sign) = match (&goal.below, &goal.above) {
            (Some(limit), _) => (unit.read(limit), 1.0),
            (None, limit) => (limit.as_ref().and_then(|limit| unit.read(limit)), -1.0),
        };
        let limit = limit.unwrap_or(0.0);
        (point.value - limit) * sign / limit.abs().max(1e-9)
    };
    plan.goals.iter().map(of).fold(f64::NEG_INFINITY, f64::max)
}
