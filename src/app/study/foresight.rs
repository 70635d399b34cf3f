//! What each value of one key would give, held against goals: where they hold, why, and the picture of it. Workers tell the rows; goals may
//! change without another run.

use super::draft::Described;
use super::ribbon::{Panel, Ribbon};
use super::rows::{Row as Cells, quantity};
use super::svg::{Place, Point};
use super::words::Unit;
use crate::lab::experiment::{Axis, Goal, GoalText, Interval, Plan, Prospect, Row, Seeds, Stop, Verdict};
use serde::Deserialize;
use serde_json::{Map, Value};

/// How many units of work each run has: enough for a percentile's bound after the first few seeds, and few enough that a hundred
/// workers take no longer than one looks.
pub const REQUESTS: u64 = 100;
/// How often each value is played.
pub const SEEDS: u64 = 20;

/// All that is known of a question so far, as `lab::experiment::Foresight` tells it.
#[derive(Clone, Debug, Deserialize)]
pub struct Told {
    /// What is played.
    pub plan: Plan,
    /// By value, what it is called.
    pub labels: Vec<String>,
    /// Whether values are words, which have no order.
    pub words: bool,
    /// Which of the values is the present one.
    pub now: usize,
    /// By value, its row as a sweep has it.
    pub rows: Vec<Option<Map<String, Value>>>,
}

/// A goal, as it is written, and the unit of its metric.
type Limited<'a> = (Goal, &'a GoalText, Unit);

/// What it amounts to.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// Where the goals hold.
    pub prospect: Prospect,
    /// The answer, its headline first.
    pub sentences: Vec<String>,
    /// What the answer rests on.
    pub notes: Vec<String>,
    /// The picture of it.
    pub ribbon: Ribbon,
}

/// The plan of a key's values.
pub fn plan(said: &Described, key: &str, goals: Vec<GoalText>, with_faults: bool) -> Option<Plan> {
    let axis = said.key(key).filter(|axis| !axis.suggested.is_empty())?;
    let mut base = said.base.clone();
    base.set.remove(key);
    if with_faults {
        base.faults.clone_from(&said.faults);
    }
    let axes = vec![Axis { key: key.to_owned(), values: axis.suggested.clone() }];
    let seeds = Seeds { first: 1, count: SEEDS };
    let (requests, warmup, metrics) = (REQUESTS, 0, Vec::new());
    Some(Plan { version: 1, base, axes, requests, warmup, seeds, goals, metrics, stop: Stop::default() })
}

impl Told {
    /// A plan of which so much is known: the name and the row of some values.
    pub fn of(
        plan: &Plan,
        now: &Value,
        known: impl Fn(&Value) -> Option<(String, Map<String, Value>)>,
    ) -> Self {
        let values = plan.axes.first().map_or(&[] as &[Value], |axis| &axis.values);
        let (labels, rows) = values
            .iter()
            .map(|value| match known(value) {
                Some((label, row)) => (label, Some(row)),
                None => (super::rows::shown(value), None),
            })
            .unzip();
        Told {
            labels,
            rows,
            words: values.iter().any(|value| quantity(value).is_none()),
            now: values.iter().position(|value| value == now).unwrap_or_default(),
            plan: plan.clone(),
        }
    }

    /// The values that were not played as often as the plan says.
    pub fn missing(&self) -> Vec<Value> {
        let values = self.plan.axes.iter().flat_map(|axis| &axis.values).zip(&self.rows);
        let is_missing =
            |row: &Option<Map<String, Value>>| row.as_ref().is_none_or(|row| !self.is_whole(row));
        values.filter(|(_, row)| is_missing(row)).map(|(value, _)| value.clone()).collect()
    }

    /// Whether a row has as many runs as the plan says.
    pub fn is_whole(&self, row: &Map<String, Value>) -> bool {
        let requests = row.get("requests").and_then(Value::as_u64).unwrap_or_default();
        requests >= self.plan.requests * self.plan.seeds.count
    }

    /// How many runs its rows have, and how many they are to have.
    pub fn runs(&self) -> (u64, u64) {
        let of_row =
            |row: &Map<String, Value>| row.get("requests").and_then(Value::as_u64).unwrap_or_default();
        let requests: u64 = self.rows.iter().flatten().map(of_row).sum();
        (requests / self.plan.requests.max(1), self.rows.len() as u64 * self.plan.seeds.count)
    }

    /// Takes what is known of values that were asked. One that cannot be played, the workers have left out.
    pub fn take(&mut self, other: &Told, asked: &[Value]) {
        for value in other.left_out(asked) {
            self.leave_out(value);
        }
        let Some(axis) = self.plan.axes.first() else { return };
        for ((value, label), row) in
            other.plan.axes.iter().flat_map(|axis| &axis.values).zip(&other.labels).zip(&other.rows)
        {
            if let Some(place) = axis.values.iter().position(|own| own == value) {
                self.labels[place].clone_from(label);
                if row.is_some() {
                    self.rows[place].clone_from(row);
                }
            }
        }
    }

    /// Of the values that were asked, those that it does not have.
    pub fn left_out<'a>(&'a self, asked: &'a [Value]) -> impl Iterator<Item = &'a Value> {
        asked.iter().filter(|value| self.plan.axes.iter().all(|axis| !axis.values.contains(value)))
    }

    fn leave_out(&mut self, value: &Value) {
        let Some(axis) = self.plan.axes.first_mut() else { return };
        let Some(place) = axis.values.iter().position(|own| own == value) else { return };
        axis.values.remove(place);
        self.labels.remove(place);
        self.rows.remove(place);
        if self.now > place {
            self.now -= 1;
        }
    }

    /// What it amounts to with these goals.
    pub fn judged(&self, said: &Described, goals: &[GoalText]) -> Judged {
        let limits: Vec<Limited> = goals
            .iter()
            .enumerate()
            .filter_map(|(place, text)| {
                Some((limit(said, place, text)?, text, said.metric(&text.metric).unit))
            })
            .collect();
        let judged: Vec<Goal> = limits.iter().map(|(goal, ..)| *goal).collect();
        let rows: Vec<Option<Row>> = self
            .rows
            .iter()
            .enumerate()
            .map(|(point, row)| row.as_ref().map(|row| self.row(point, row, goals, &judged)))
            .collect();
        let prospect = Prospect::of(&rows, &judged, self.now, self.words);
        let sentences = prospect.sentences(&|point| self.labels[point].clone());
        let notes = self.notes(said, &rows, &limits, &prospect);
        let ribbon = self.ribbon(said, &rows, &prospect, &limits);
        Judged { prospect, sentences, notes, ribbon }
    }

    /// A row whose figures are those that goals ask of, in their order.
    fn row(&self, point: usize, cells: &Map<String, Value>, goals: &[GoalText], judged: &[Goal]) -> Row {
        let cells = Cells::of(&self.plan, cells.clone());
        let figure = |goal: &GoalText| {
            cells.point(&goal.metric).map(|point| Interval {
                value: point.value,
                low: point.low,
                high: point.high,
            })
        };
        let figures: Vec<Option<Interval>> = goals.iter().map(figure).collect();
        let verdict = Verdict::of(judged, &figures);
        Row { point, requests: cells.count("requests"), answered: cells.count("answered"), figures, verdict }
    }

    /// The figures of the value to go to, what keeps another one open, and what does not change at all.
    fn notes(
        &self,
        said: &Described,
        rows: &[Option<Row>],
        limits: &[Limited],
        prospect: &Prospect,
    ) -> Vec<String> {
        let figure = |goal: &Goal, point: usize| rows.get(point)?.as_ref()?.figures[goal.metric];
        let mut notes = Vec::new();
        let flat: Vec<bool> = limits.iter().map(|(goal, ..)| self.is_flat(rows, goal)).collect();
        let at = prospect.best.or(prospect.is_met.then_some(self.now)).or(prospect.closest);
        if let Some(point) = at {
            let says = |(goal, text, unit): &Limited| {
                let figure = figure(goal, point)?;
                let interval = unit.show_interval(figure.low, figure.high);
                Some(format!("{} {} ({interval})", said.metric(&text.metric).title, unit.show(figure.value)))
            };
            let changing = limits.iter().zip(&flat).filter(|(_, flat)| !**flat);
            let all: Vec<String> = changing.filter_map(|(limit, _)| says(limit)).collect();
            if !all.is_empty() {
                notes.push(format!("{}: {}.", capital(&self.labels[point]), all.join(", ")));
            }
        }
        if let Some(point) = prospect.open {
            let why = |(goal, text, unit): &Limited| {
                let figure =
                    figure(goal, point).filter(|figure| goal.judge(Some(*figure)) == Verdict::Undecided)?;
                let interval = unit.show_interval(figure.low, figure.high);
                let title = said.metric(&text.metric).title;
                Some(format!("{title} {interval}, on both sides of {}", unit.show_round(goal.limit)))
            };
            if let Some(why) = limits.iter().find_map(why) {
                notes.push(format!("Undecided at {}: {why}.", self.labels[point]));
            }
        }
        for ((goal, text, unit), _) in limits.iter().zip(&flat).filter(|(_, flat)| **flat) {
            let Some(figure) = figure(goal, self.now) else { continue };
            let title = capital(&said.metric(&text.metric).title);
            notes.push(format!("{title}: {} whatever the value.", unit.show(figure.value)));
        }
        notes
    }

    /// Whether a figure is the same for all values, as far as one can see.
    fn is_flat(&self, rows: &[Option<Row>], goal: &Goal) -> bool {
        let values: Vec<f64> = rows
            .iter()
            .flatten()
            .filter_map(|row| row.figures[goal.metric])
            .map(|figure| figure.value)
            .collect();
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        // Over a few values nothing can be said of all.
        values.len() >= 4 && most - least <= 0.01 * most.abs()
    }

    fn ribbon(
        &self,
        said: &Described,
        rows: &[Option<Row>],
        prospect: &Prospect,
        limits: &[Limited],
    ) -> Ribbon {
        let values = self.plan.axes.first().map_or(&[] as &[Value], |axis| &axis.values);
        let key = self.plan.axes.first().map(|axis| axis.key.clone()).unwrap_or_default();
        // The numbers without their unit, which stands beside them.
        let bare = |label: &String| match label.split_once(' ') {
            Some((number, unit)) if !self.words && unit == key => number.to_owned(),
            _ => label.clone(),
        };
        let place = |(value, label)| Place {
            label: bare(label),
            quantity: if self.words { None } else { quantity(value) },
        };
        let panel = |(goal, text, unit): &Limited| {
            let dot = |row: &Option<Row>| {
                let figure = row.as_ref()?.figures[goal.metric]?;
                Some(Point {
                    value: figure.value,
                    low: figure.low,
                    high: figure.high,
                    theory: None,
                    verdict: Some(goal.judge(Some(figure))),
                })
            };
            Panel {
                metric: text.metric.clone(),
                title: said.metric(&text.metric).title,
                unit: *unit,
                limit: goal.limit,
                below: goal.below,
                dots: rows.iter().map(dot).collect(),
            }
        };
        let runs = rows.iter().flatten().map(|row| row.requests / self.plan.requests.max(1));
        Ribbon {
            across: key.clone(),
            places: values.iter().zip(&self.labels).map(place).collect(),
            now: self.now,
            good: prospect.ranges.iter().map(|range| (range.from, range.to)).collect(),
            best: prospect.best,
            seeds: (runs.clone().min().unwrap_or_default(), runs.max().unwrap_or_default()),
            panels: limits.iter().map(panel).collect(),
        }
    }
}

/// A goal of a row that has one figure for each goal.
fn limit(said: &Described, place: usize, text: &GoalText) -> Option<Goal> {
    let (limit, below) = match (&text.below, &text.above) {
        (Some(limit), _) => (limit, true),
        (None, limit) => (limit.as_ref()?, false),
    };
    let limit = said.metric(&text.metric).unit.read(limit)?;
    Some(Goal { metric: place, limit, below })
}

/// A goal's parts: what it is of, its sign, and its limit as it is written.
pub fn parts(said: &Described, goal: &GoalText) -> (String, char, String) {
    let (limit, sign) = match (&goal.below, &goal.above) {
        (Some(limit), _) => (super::rows::shown(limit), '<'),
        (None, limit) => (limit.as_ref().map(super::rows::shown).unwrap_or_default(), '>'),
    };
    (said.metric(&goal.metric).title, sign, limit)
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::Scenario;
    use crate::lab::experiment::{Foresight, Next, Question, Work, describe, play};
    use serde_json::json;

    fn goals(limit: &str) -> Vec<GoalText> {
        let below = |metric: &str, limit: &str| GoalText {
            metric: metric.into(),
            below: Some(limit.into()),
            above: None,
        };
        vec![below("unanswered_share", limit), below("latency_p99", "9s")]
    }

    /// A few workers who often fail, played to the end; with what the panel knows of the scenario.
    fn told() -> (Described, Told) {
        let mut base = Scenario::preset("oracle-http", 1);
        base.set = [
            ("fail".to_owned(), json!(0.5)),
            ("timeout".to_owned(), json!("3s")),
            ("workers".to_owned(), json!(2)),
        ]
        .into();
        let said: Described = serde_json::from_value(describe(&base).unwrap()).unwrap();
        let mut plan = plan(&said, "workers", goals("10%"), false).unwrap();
        assert!(plan.base.faults.is_empty() && !plan.base.set.contains_key("workers"));
        plan.axes[0].values = (1..=6).map(Value::from).collect();
        let question = Question { plan, now: Some(json!(2)) };
        let mut foresight = Foresight::new(question).unwrap();
        let metrics = foresight.plan().metrics.clone();
        while let Next::Task(task) = foresight.next() {
            let outcome = play(&task.scenario, task.window, &metrics).unwrap();
            foresight.take(&task, outcome).unwrap();
        }
        let mut told = foresight.told();
        (told["done"], told["total"]) = (json!(120), json!(120));
        (said, serde_json::from_value(told).unwrap())
    }

    #[test]
    fn the_answer_is_the_one_that_theory_has_and_another_goal_takes_no_runs() {
        // All of w workers fail with probability 0.5^w: below 10 % from four on, by 6.25 %; three have 12.5 %.
        let (said, told) = told();
        let judged = |limit: &str| told.judged(&said, &goals(limit));
        let ten = judged("10%");
        assert_eq!(ten.sentences, ["From 4 workers on, both goals hold."]);
        assert_eq!((ten.prospect.best, ten.prospect.is_met), (Some(3), false));
        assert!(ten.notes[0].starts_with("4 workers: requests without an answer 6."), "{:?}", ten.notes);
        assert_eq!(judged("20%").sentences, ["From 3 workers on, both goals hold."]);
        assert_eq!(judged("30%").sentences, ["Already met.", "From 2 workers on, both goals hold."]);
        assert_eq!(judged("0.001%").sentences, ["No value meets both; closest is 6 workers."]);
        let open = judged("12.5%");
        assert_eq!(open.prospect.open, Some(2));
        assert!(
            open.notes
                .iter()
                .any(|note| note.starts_with("Undecided at 3 workers: requests without an answer ")),
            "{:?}",
            open.notes
        );
        assert_eq!(told.judged(&said, &goals("20%")[..1]).sentences, ["From 3 workers on, the goal holds."]);
    }

    #[test]
    fn the_picture_shades_what_meets_and_marks_what_is_open_and_what_is_now() {
        let (said, mut told) = told();
        let svg = |told: &Told, limit: &str| told.judged(&said, &goals(limit)).ribbon.svg(900.0, 300.0);
        let ten = svg(&told, "10%");
        assert_eq!(ten.matches("study-good\"").count(), 1);
        assert!(ten.contains("meets both") && ten.contains("now 2: ") && ten.contains("20 seeds"), "{ten}");
        assert!(
            ten.contains("data-testid=\"foresight-unanswered\"")
                && ten.contains("data-testid=\"foresight-p99\"")
        );
        assert_eq!(svg(&told, "0.001%").matches("study-good\"").count(), 0, "nothing meets");
        assert!(svg(&told, "12.5%").contains(">?</text>"));
        // Words are dots without a line.
        told.words = true;
        let words = svg(&told, "10%");
        assert!(!words.contains("study-line") && words.matches("study-point").count() == 12, "{words}");
        told.rows.iter_mut().for_each(|row| *row = None);
        assert!(svg(&told, "10%").contains("Nothing is measured yet."));
    }

    #[test]
    fn what_cannot_be_played_is_left_out_and_what_is_known_is_asked_no_more() {
        let (said, told) = told();
        let mut plan = told.plan.clone();
        plan.axes[0].values.insert(0, json!(0));
        let known = |value: &Value| {
            let place = told.plan.axes[0].values.iter().position(|own| own == value)?;
            Some((told.labels[place].clone(), told.rows[place].clone().filter(|_| place > 1)?))
        };
        let mut shown = Told::of(&plan, &json!(2), known);
        assert_eq!(
            (shown.missing(), shown.now, shown.runs()),
            (vec![json!(0), json!(1), json!(2)], 2, (80, 140))
        );
        shown.take(&told, &shown.missing());
        assert_eq!((shown.missing(), shown.now, shown.runs()), (Vec::new(), 1, (120, 120)));
        assert_eq!(shown.judged(&said, &goals("10%")).ribbon, told.judged(&said, &goals("10%")).ribbon);
    }

    #[test]
    fn every_number_and_word_of_every_system_can_be_asked() {
        for preset in ["oracle-http", "oracle-nats", "math-wizard", "config"] {
            let said: Described =
                serde_json::from_value(describe(&Scenario::preset(preset, 1)).unwrap()).unwrap();
            for key in said.axes.iter().filter(|axis| !axis.suggested.is_empty()) {
                let plan = plan(&said, &key.key, said.goals.clone(), true).unwrap();
                Foresight::new(Question { plan, now: Some(key.value.clone()) })
                    .unwrap_or_else(|wrong| panic!("{preset}: {}: {wrong}", key.key));
            }
        }
    }
}
