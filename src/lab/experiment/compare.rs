//! Two scenarios in pairs: the same seeds, and the difference of each figure with its interval.

use super::fold::values_with_percentiles;
use super::interval::{self, Interval};
use super::metric::Metric;
use super::outcome::Outcome;
use super::plan::{FIRST_SEED_MAX, REQUESTS_MAX, SEEDS_MAX, check_range};
use super::sweep::{Next, Task, Work};
use crate::lab::invalid::Invalid;
use crate::lab::measure::Measure;
use crate::lab::moments::Moments;
use crate::lab::recorder::Window;
use crate::lab::scenario::Scenario;
use std::collections::BTreeMap;

/// So many runs are handed out beyond the first that has not come back.
const AHEAD_MAX: u64 = 64;

/// Two scenarios that are played in pairs.
#[derive(Debug)]
pub struct Comparison {
    sides: [Scenario; 2],
    window: Window,
    first_seed: u64,
    pairs: u64,
    metrics: Vec<Metric>,
    measures: &'static [Measure],
    /// How many runs were handed out: two for each pair.
    handed: u64,
    folded: u64,
    waiting: BTreeMap<u64, Outcome>,
    figures: Vec<Paired>,
}

/// A metric on both sides.
#[derive(Clone, Debug, Default)]
pub(super) struct Paired {
    sides: [Moments; 2],
    /// The second's less the first's.
    difference: Moments,
}

impl Paired {
    /// What was measured once on both sides; what only one side has is no pair.
    pub(super) fn add(&mut self, a: Option<f64>, b: Option<f64>) {
        for (side, value) in self.sides.iter_mut().zip([a, b]) {
            value.into_iter().for_each(|value| side.add(value));
        }
        if let (Some(a), Some(b)) = (a, b) {
            self.difference.add(b - a);
        }
    }

    /// What it amounts to so far.
    pub(super) fn difference(&self) -> Difference {
        Difference {
            a: interval::mean(&self.sides[0]),
            b: interval::mean(&self.sides[1]),
            difference: interval::mean(&self.difference),
            pairs: self.difference.count(),
        }
    }
}

/// A figure of two scenarios.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Of the first.
    pub a: Option<Interval>,
    /// Of the second.
    pub b: Option<Interval>,
    /// The second's less the first's, by Student's t over the pairs.
    pub difference: Option<Interval>,
    /// How many pairs had the figure on both sides.
    pub pairs: u64,
}

impl Comparison {
    /// So many pairs of runs. Both have to be of one system.
    pub fn new(sides: [Scenario; 2], window: Window, first_seed: u64, pairs: u64) -> Result<Self, Invalid> {
        check_range("requests", window.requests, 1, REQUESTS_MAX)?;
        check_range("warmup", window.warmup, 0, REQUESTS_MAX)?;
        check_range("seeds", pairs, 1, SEEDS_MAX)?;
        check_range("seed", first_seed, 0, FIRST_SEED_MAX)?;
        let [a, b] = &sides;
        for side in &sides {
            side.validate()?;
        }
        let (one, other) = (a.settings()?, b.settings()?);
        if one.measures() != other.measures() {
            let allowed = format!("a scenario that is measured as {} is", a.preset);
            return Err(Invalid::new("preset", &b.preset, &allowed));
        }
        let metrics = Metric::usual(&*one);
        let figures = vec![Paired::default(); metrics.len()];
        let measures = one.measures();
        let waiting = BTreeMap::new();
        Ok(Comparison {
            sides,
            window,
            first_seed,
            pairs,
            metrics,
            measures,
            handed: 0,
            folded: 0,
            waiting,
            figures,
        })
    }

    /// Measures something besides.
    pub fn add(&mut self, name: &str) -> Result<(), Invalid> {
        let metric = Metric::parse(name, &*self.sides[0].settings()?)?;
        if self.metrics.iter().all(|known| known.of != metric.of) {
            self.metrics.push(metric);
            self.figures.push(Paired::default());
        }
        Ok(())
    }

    /// What is measured.
    pub fn metrics(&self) -> &[Metric] {
        &self.metrics
    }

    /// What the units of work have figures of.
    pub fn measures(&self) -> &'static [Measure] {
        self.measures
    }

    /// Each metric, in their order.
    pub fn differences(&self) -> Vec<Difference> {
        self.figures.iter().map(Paired::difference).collect()
    }

    fn fold(&mut self, pair: &[Outcome; 2]) {
        let requests = self.window.requests;
        let [a, b] =
            [&pair[0], &pair[1]].map(|outcome| values_with_percentiles(requests, outcome, &self.metrics));
        for (figure, (a, b)) in self.figures.iter_mut().zip(a.into_iter().zip(b)) {
            figure.add(a, b);
        }
    }
}

impl Work for Comparison {
    fn next(&mut self) -> Next {
        if self.handed == 2 * self.pairs {
            return if self.folded == self.handed { Next::Done } else { Next::Wait };
        }
        if self.handed > self.folded + AHEAD_MAX {
            return Next::Wait;
        }
        let (run, side) = (self.handed, self.handed % 2);
        self.handed += 1;
        let mut scenario = self.sides[side as usize].clone();
        scenario.seed = self.first_seed + run / 2;
        Next::Task(Box::new(Task { point: side as usize, run, scenario, window: self.window }))
    }

    fn take(&mut self, task: &Task, outcome: Outcome) -> Result<(), Invalid> {
        self.waiting.insert(task.run, outcome);
        while self.waiting.contains_key(&self.folded) && self.waiting.contains_key(&(self.folded + 1)) {
            let pair = [0, 1].map(|side| self.waiting.remove(&(self.folded + side)).unwrap_or_default());
            self.fold(&pair);
            self.folded += 2;
        }
        Ok(())
    }

    fn progress(&self) -> (u64, u64) {
        (self.folded + self.waiting.len() as u64, 2 * self.pairs)
    }
}
