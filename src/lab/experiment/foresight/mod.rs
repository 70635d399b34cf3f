//! Foresight: what each value of one key would give, told while it is being found out. A few values are played a few times first, so that there
//! soon is a shape; then the others; then all of them ever more often, so that what is not sure yet becomes surer.
//!
//! `prospect.rs` says where the goals hold, `label.rs` what each value is called, `told.rs` makes JSON of it all.
//!
//! A value's row is made anew each time that another few of its runs are folded, and never between. So every row that
//! was ever told is the same in whatever order runs came back.

mod label;
mod prospect;
mod told;

pub use prospect::{Prospect, Range};

use super::fold::Fold;
use super::outcome::Outcome;
use super::plan::{Checked, Plan, quantity};
use super::sweep::{Next, Row, Task, Work, note};
use crate::lab::invalid::Invalid;
use crate::lab::recorder::Window;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, VecDeque};

/// So many values are played first.
const FIRST_POINTS: usize = 5;
/// After so many runs of a value there is a row, and after as many again a better one.
const STAGE: u64 = 4;

/// A plan of one key, and what that is now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// One axis; each of its values is played as often as there are seeds.
    pub plan: Plan,
    /// What the key is now: it becomes one of the values.
    #[serde(default)]
    pub now: Option<Value>,
}

impl Question {
    /// Reads a question from JSON.
    pub fn from_json(text: &str) -> Result<Self, Invalid> {
        let value: Value = serde_json::from_str(text).map_err(|error| {
            Invalid::new("question", &error.to_string(), "a plan, and what its key is now")
        })?;
        serde_json::from_value(value).map_err(|error| {
            Invalid::new("question", &error.to_string(), "a plan of version 1, and what its key is now")
        })
    }

    /// Without the values that cannot be played as all else is set: three workers have no fourth that crashes.
    fn leave_out_what_cannot_be(&mut self) {
        let plan = self.plan.clone();
        let [axis] = self.plan.axes.as_mut_slice() else { return };
        let can_be = |value: &&Value| {
            let mut one = plan.clone();
            one.axes[0].values = vec![(*value).clone()];
            one.check().is_ok()
        };
        let possible: Vec<Value> = axis.values.iter().filter(can_be).cloned().collect();
        // Where none can be, it is said what is wrong with them.
        if !possible.is_empty() {
            axis.values = possible;
        }
    }

    /// The plan with what is now among its values, in its place if they ascend; and which of them it is.
    fn complete(self) -> Result<(Plan, usize), Invalid> {
        let Question { mut plan, now } = self;
        let keys = plan.axes.len();
        let [axis] = plan.axes.as_mut_slice() else {
            return Err(Invalid::new("axes", &format!("{keys} keys"), "one key"));
        };
        let Some(now) = now else { return Ok((plan, 0)) };
        let is_same =
            |value: &Value| *value == now || quantity(&now).is_some_and(|q| quantity(value) == Some(q));
        let place = axis.values.iter().position(is_same).unwrap_or_else(|| {
            let is_beyond =
                |value: &Value| quantity(value).zip(quantity(&now)).is_some_and(|(value, now)| value > now);
            let place = axis.values.iter().position(is_beyond).unwrap_or(axis.values.len());
            axis.values.insert(place, now.clone());
            place
        });
        Ok((plan, place))
    }
}

/// A question that is being answered.
#[derive(Debug)]
pub struct Foresight {
    plan: Checked,
    now: usize,
    /// What is still to be handed out: the point, and which of its runs.
    coming: VecDeque<(usize, u64)>,
    points: Vec<Point>,
    back: u64,
    faults: Vec<String>,
}

#[derive(Debug)]
struct Point {
    fold: Fold,
    folded: u64,
    waiting: BTreeMap<u64, Outcome>,
    row: Option<Row>,
}

impl Foresight {
    /// Checks a question, and plans its stages.
    pub fn new(mut question: Question) -> Result<Self, Invalid> {
        question.leave_out_what_cannot_be();
        let (plan, now) = question.complete()?;
        let plan = plan.check()?;
        let fold = || Fold::new(plan.measures.len(), plan.metrics.len(), plan.independent);
        let point = || Point { fold: fold(), folded: 0, waiting: BTreeMap::new(), row: None };
        let points: Vec<Point> = (0..plan.points).map(|_| point()).collect();
        let coming = stages(plan.points, now, plan.plan.seeds.count);
        Ok(Foresight { plan, now, coming, points, back: 0, faults: Vec::new() })
    }

    /// What is played.
    pub fn plan(&self) -> &Checked {
        &self.plan
    }

    /// Which of the values is the present one.
    pub fn now(&self) -> usize {
        self.now
    }

    /// What is known of each value.
    pub fn rows(&self) -> impl Iterator<Item = Option<&Row>> {
        self.points.iter().map(|point| point.row.as_ref())
    }

    /// All that is known so far, as JSON.
    pub fn told(&self) -> Value {
        let rows: Vec<Option<Row>> = self.points.iter().map(|point| point.row.clone()).collect();
        told::told(&self.plan, self.now, &rows)
    }

    /// What went wrong with runs themselves, the first few.
    pub fn faults(&self) -> &[String] {
        &self.faults
    }
}

/// All runs in the order in which they are played.
fn stages(points: usize, now: usize, seeds: u64) -> VecDeque<(usize, u64)> {
    let first = first_points(points, now);
    let others = (0..points).filter(|point| !first.contains(point));
    let mut coming = VecDeque::new();
    let mut from = 0;
    while from < seeds {
        let to = (from + STAGE).min(seeds);
        let order: Vec<usize> = if from == 0 {
            first.iter().copied().chain(others.clone()).collect()
        } else {
            (0..points).collect()
        };
        coming.extend(order.into_iter().flat_map(|point| (from..to).map(move |run| (point, run))));
        from = to;
    }
    coming
}

/// The first values that are played: the present one, both ends, and then time and again what is farthest from those.
fn first_points(points: usize, now: usize) -> Vec<usize> {
    let mut first = vec![now];
    let add = |first: &mut Vec<usize>, point| {
        if !first.contains(&point) {
            first.push(point);
        }
    };
    add(&mut first, 0);
    add(&mut first, points.saturating_sub(1));
    while first.len() < FIRST_POINTS.min(points) {
        let nearest = |point: &usize| first.iter().map(|other| point.abs_diff(*other)).min();
        // Of several the least.
        let Some(point) = (0..points).rev().max_by_key(nearest) else { break };
        add(&mut first, point);
    }
    first
}

impl Work for Foresight {
    fn next(&mut self) -> Next {
        let Some((point, run)) = self.coming.pop_front() else {
            let is_over = self.points.iter().all(|point| point.folded == self.plan.plan.seeds.count);
            return if is_over { Next::Done } else { Next::Wait };
        };
        let scenario = self.plan.scenario(point, self.plan.plan.seeds.first + run);
        let window: Window = self.plan.window();
        Next::Task(Box::new(Task { point, run, scenario, window }))
    }

    fn take(&mut self, task: &Task, outcome: Outcome) -> Result<(), Invalid> {
        self.back += 1;
        note(&mut self.faults, task, &outcome);
        let Foresight { plan, points, .. } = self;
        let Some(point) = points.get_mut(task.point) else { return Ok(()) };
        point.waiting.insert(task.run, outcome);
        let (requests, count) = (plan.plan.requests, plan.plan.seeds.count);
        while let Some(outcome) = point.waiting.remove(&point.folded) {
            point.fold.add(requests, &outcome, &plan.metrics);
            point.folded += 1;
            if point.folded % STAGE == 0 || point.folded == count {
                point.row = Some(Row::of(plan, task.point, &point.fold));
            }
        }
        Ok(())
    }

    fn progress(&self) -> (u64, u64) {
        (self.back, self.points.len() as u64 * self.plan.plan.seeds.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Rng;
    use crate::lab::experiment::play;
    use serde_json::json;

    fn question(values: Value, now: Value, seeds: u64) -> Question {
        let json = json!({
            "plan": {
                "version": 1, "base": {"preset": "oracle-http", "set": {"fail": 0.3, "timeout": "1.2s"}},
                "axes": [{"key": "workers", "values": values}],
                "goals": [{"metric": "error_mean", "below": "1%"}],
                "requests": 5, "seeds": {"first": 1, "count": seeds},
            },
            "now": now,
        });
        Question::from_json(&json.to_string()).unwrap()
    }

    /// Plays everything in an order that the seed decides, and keeps every row that was ever told, by point and requests.
    fn told(question: Question, seed: u64, at_once: usize) -> BTreeMap<(usize, u64), Row> {
        let mut foresight = Foresight::new(question).unwrap();
        let metrics = foresight.plan().metrics.clone();
        let (mut rng, mut away, mut told) = (Rng::new(seed), Vec::new(), BTreeMap::new());
        loop {
            while away.len() < at_once
                && let Next::Task(task) = foresight.next()
            {
                away.push(task);
            }
            if away.is_empty() {
                assert!(matches!(foresight.next(), Next::Done));
                assert_eq!(foresight.progress().0, foresight.progress().1);
                return told;
            }
            let task = away.swap_remove(rng.below(away.len() as u64) as usize);
            let outcome = play(&task.scenario, task.window, &metrics).unwrap();
            foresight.take(&task, outcome).unwrap();
            told.extend(foresight.rows().flatten().map(|row| ((row.point, row.requests), row.clone())));
        }
    }

    #[test]
    fn every_row_that_is_told_is_the_same_in_whatever_order_runs_come_back() {
        let asked = question(json!([1, 2, 3, 5, 8, 13]), json!(4), 10);
        let rows = told(asked.clone(), 1, 1);
        let stages: Vec<u64> =
            rows.keys().filter(|(point, _)| *point == 3).map(|(_, requests)| *requests).collect();
        assert_eq!(stages, [20, 40, 50]);
        assert_eq!(rows.len(), 7 * 3, "seven values with the present one, three stages each");
        for seed in 2..5 {
            let mut seen = told(asked.clone(), seed, 7);
            // What comes back late may complete two stages at once; the last one is always told.
            assert!(seen.iter().all(|(key, row)| rows.get(key) == Some(row)));
            seen.retain(|(_, requests), _| *requests == 50);
            assert_eq!(seen.len(), 7);
        }
    }

    #[test]
    fn a_finished_row_is_that_of_a_sweep_over_the_same_plan() {
        let asked = question(json!([2, 6]), json!(2), 6);
        let mut sweep = crate::lab::experiment::Sweep::new(asked.plan.clone().check().unwrap());
        sweep.add(0..2);
        let metrics = sweep.plan().metrics.clone();
        while let Next::Task(task) = sweep.next() {
            let outcome = play(&task.scenario, task.window, &metrics).unwrap();
            sweep.take(&task, outcome).unwrap();
        }
        let rows = told(asked, 1, 3);
        for row in std::iter::from_fn(|| sweep.pop()) {
            assert_eq!(rows.get(&(row.point, row.requests)), Some(&row));
        }
    }

    #[test]
    fn the_present_value_is_one_of_them_and_a_few_are_played_first() {
        let asked = |values: Value, now: Value| Foresight::new(question(values, now, 20)).unwrap();
        let mut foresight = asked(json!([3, 5, 7, 9, 15, 21, 31, 41, 51, 61, 71, 81, 101]), json!(12));
        assert_eq!((foresight.now(), foresight.plan().points, foresight.progress()), (4, 14, (0, 280)));
        let mut order = Vec::new();
        while let Next::Task(task) = foresight.next() {
            order.push((task.point, task.run));
        }
        let points = |part: &[(usize, u64)]| {
            let mut points: Vec<usize> = part.iter().map(|(point, _)| *point).collect();
            points.dedup();
            points
        };
        assert_eq!(points(&order[..20]), [4, 0, 13, 8, 2], "the present one, the ends, and two between");
        assert_eq!(points(&order[20..56]), [1, 3, 5, 6, 7, 9, 10, 11, 12]);
        assert!(order[..56].iter().all(|(_, run)| *run < 4) && order[56..].iter().all(|(_, run)| *run >= 4));
        assert_eq!(points(&order[56..112]), (0..14).collect::<Vec<_>>());
        assert!(matches!(foresight.next(), Next::Wait));
        // One that is there already is not there twice, however it is written.
        assert_eq!(asked(json!([3, 5]), json!(5)).plan().points, 2);
        let words = json!({
            "plan": {
                "version": 1, "base": {"preset": "oracle-http"}, "axes": [{"key": "timeout", "values": ["900ms", "1.2s"]}],
                "requests": 5, "seeds": {"first": 1, "count": 4},
            },
            "now": "1200ms",
        });
        let same = Foresight::new(Question::from_json(&words.to_string()).unwrap()).unwrap();
        assert_eq!((same.plan().points, same.now()), (2, 1));
    }

    #[test]
    fn what_is_wrong_with_a_question_is_named() {
        let mut two = question(json!([3]), json!(3), 4);
        two.plan.axes.push(two.plan.axes[0].clone());
        assert_eq!(Foresight::new(two).unwrap_err().field, "axes");
        let wrong = Foresight::new(question(json!([3]), json!(0), 4)).unwrap_err();
        assert_eq!((wrong.field.as_str(), wrong.value.as_str()), ("workers", "0"));
        assert_eq!(Question::from_json("{}").unwrap_err().field, "question");
        // Where a fault names somebody, values without him are left out.
        let mut faulty = question(json!([3, 5, 8]), json!(5), 4);
        faulty.plan.base.faults = "crash:w-04@8s".into();
        let faulty = Foresight::new(faulty).unwrap();
        assert_eq!((faulty.plan().points, faulty.now()), (2, 0));
    }
}
