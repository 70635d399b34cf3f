//! The table of a sweep's points: its columns, its cells, and its order.

use super::draft::{Described, Title};
use super::played::Played;
use super::rows::{Row, quantity, shown};
use crate::lab::experiment::Verdict;
use std::cmp::Ordering;

/// A column.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// The cell of a row that it shows, by its name.
    pub key: String,
    /// What stands above it.
    pub title: String,
}

/// What is varied, what the goals ask of, what was not answered, and the verdict.
pub fn columns(said: &Described, played: &Played) -> Vec<Column> {
    let column = |key: &str, title: &str| Column { key: key.to_owned(), title: title.to_owned() };
    let mut all: Vec<Column> = played.plan.axes.iter().map(|axis| column(&axis.key, &axis.key)).collect();
    for goal in &played.plan.goals {
        if all.iter().all(|column| column.key != goal.metric) {
            let Title { title, unit } = said.metric(&goal.metric);
            all.push(column(&goal.metric, &format!("{title}{}", unit.head())));
        }
    }
    all.push(column("unanswered", "unanswered"));
    if !played.plan.goals.is_empty() {
        all.push(column("verdict", "goals"));
    }
    all
}

impl Column {
    /// What stands in it.
    pub fn cell(&self, said: &Described, played: &Played, row: usize) -> String {
        let Some(row) = played.rows.get(row) else { return String::new() };
        match self.key.as_str() {
            "unanswered" => row.count("unanswered").to_string(),
            "verdict" => match row.verdict() {
                Some(Verdict::Meets) => "✓ meets",
                Some(Verdict::Misses) => "✕ misses",
                Some(Verdict::Undecided) => "? undecided",
                None => "",
            }
            .to_owned(),
            key => match row.point(key).filter(|_| played.plan.axes.iter().all(|axis| axis.key != key)) {
                Some(point) => said.metric(key).unit.show_bare(point.value, point.low, point.high),
                None => row.cells.get(key).filter(|cell| !cell.is_null()).map(shown).unwrap_or_default(),
            },
        }
    }
}

/// The rows' numbers in the order of a column, the greatest first or last; in the plan's order without one.
pub fn sorted(played: &Played, by: Option<&(String, bool)>) -> Vec<usize> {
    let mut order: Vec<usize> = (0..played.rows.len()).collect();
    let Some((key, down)) = by else { return order };
    let cell = |row: &Row| row.cells.get(key).cloned().unwrap_or_default();
    order.sort_by(|a, b| {
        let (a, b) = (cell(&played.rows[*a]), cell(&played.rows[*b]));
        let order = match (quantity(&a), quantity(&b)) {
            (Some(a), Some(b)) => a.total_cmp(&b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => shown(&a).cmp(&shown(&b)),
        };
        if *down { order.reverse() } else { order }
    });
    order
}
