//! What the runs of one point amount to, folded one after another in memory that does not grow with them.

use super::interval::{self, Interval, Method};
use super::metric::Metric;
use super::outcome::Outcome;
use crate::lab::measure::{Of, Statistic};
use crate::lab::moments::Moments;
use crate::lab::quantiles::{EXACT_MAX, Quantiles};
use crate::lab::stats;

/// Runs are gathered in so many sections at most: what the bootstrap draws among.
const SECTIONS_MAX: u64 = 32;

/// The runs of a point so far.
#[derive(Clone, Debug)]
pub struct Fold {
    independent: bool,
    runs: u64,
    requests: u64,
    answered: u64,
    /// By measure and section. Where units are independent, one section has them all.
    samples: Vec<Vec<Quantiles>>,
    /// By metric: its values in each run.
    values: Vec<Moments>,
    /// By metric: how often, and of how many. For proportions only.
    counts: Vec<(u64, u64)>,
}

impl Fold {
    /// No runs yet, for so many measures and metrics.
    pub fn new(measures: usize, metrics: usize, independent: bool) -> Self {
        Fold {
            independent,
            runs: 0,
            requests: 0,
            answered: 0,
            samples: vec![Vec::new(); measures],
            values: vec![Moments::default(); metrics],
            counts: vec![(0, 0); metrics],
        }
    }

    /// How many units of work counted.
    pub fn requests(&self) -> u64 {
        self.requests
    }

    /// How many of them ended well.
    pub fn answered(&self) -> u64 {
        self.answered
    }

    /// Adds the next run, of which so many units count.
    pub fn add(&mut self, requests: u64, outcome: &Outcome, metrics: &[Metric]) {
        let section = if self.independent { 0 } else { (self.runs % SECTIONS_MAX) as usize };
        for (sections, samples) in self.samples.iter_mut().zip(&outcome.samples) {
            let few = if self.independent { EXACT_MAX } else { EXACT_MAX / SECTIONS_MAX as usize };
            sections.resize_with(sections.len().max(section + 1), || Quantiles::with_exact_max(few));
            samples.iter().for_each(|&x| sections[section].add(x));
        }
        let values = values(requests, outcome, metrics);
        for (place, value) in values.into_iter().enumerate() {
            let (of, (hits, all)) = (&mut self.values[place], &mut self.counts[place]);
            match value {
                InRun::Nothing => {}
                InRun::Value(value) => of.add(value),
                InRun::Share(part, whole) => {
                    (*hits, *all) = (*hits + part, *all + whole);
                    if whole > 0 {
                        of.add(part as f64 / whole as f64);
                    }
                }
            }
        }
        self.runs += 1;
        self.requests += requests;
        self.answered += outcome.answered;
    }

    /// A metric over all runs, with its interval.
    pub fn figure(&self, metrics: &[Metric], place: usize) -> Option<Interval> {
        let method = method(&metrics[place], self.independent);
        match (&metrics[place].of, method) {
            (Of::Measure(measure, Statistic::Percentile(p)), Method::Order) => {
                interval::order(self.samples[*measure].first()?, *p)
            }
            (Of::Measure(measure, Statistic::Percentile(p)), _) => {
                interval::bootstrap(&self.samples[*measure], *p, place as u64)
            }
            (_, Method::Wilson) => {
                let (hits, all) = self.counts[place];
                interval::wilson(hits, all)
            }
            _ => interval::mean(&self.values[place]),
        }
    }
}

/// How a metric's interval is found.
pub fn method(metric: &Metric, independent: bool) -> Method {
    match (&metric.of, independent) {
        (Of::Unanswered | Of::Measure(_, Statistic::Over(_)), true) => Method::Wilson,
        (Of::Measure(_, Statistic::Percentile(_)), true) => Method::Order,
        (Of::Measure(_, Statistic::Percentile(_)), false) => Method::Bootstrap,
        _ => Method::T,
    }
}

/// A metric in one run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum InRun {
    /// Nothing to measure.
    Nothing,
    /// A value.
    Value(f64),
    /// So many of so many.
    Share(u64, u64),
}

impl InRun {
    /// As a number.
    pub fn value(self) -> Option<f64> {
        match self {
            InRun::Value(value) => Some(value),
            InRun::Share(part, whole) if whole > 0 => Some(part as f64 / whole as f64),
            InRun::Nothing | InRun::Share(..) => None,
        }
    }
}

/// Each metric in one run. Percentiles are left out, since they are taken over all runs.
fn values(requests: u64, outcome: &Outcome, metrics: &[Metric]) -> Vec<InRun> {
    let mut figures = outcome.figures.iter();
    let mut of = |metric: &Metric| match &metric.of {
        Of::Unanswered => InRun::Share(requests - outcome.answered, requests),
        Of::Figure(_) => figures.next().copied().flatten().map_or(InRun::Nothing, InRun::Value),
        Of::Measure(measure, statistic) => {
            let samples = &outcome.samples[*measure];
            match *statistic {
                Statistic::Mean => stats::mean(samples).map_or(InRun::Nothing, InRun::Value),
                Statistic::Over(limit) => {
                    let over = samples.iter().filter(|x| **x > limit).count();
                    InRun::Share(over as u64, samples.len() as u64)
                }
                Statistic::Percentile(_) => InRun::Nothing,
            }
        }
    };
    metrics.iter().map(&mut of).collect()
}

/// Each metric in one run, percentiles among them.
pub fn values_with_percentiles(requests: u64, outcome: &Outcome, metrics: &[Metric]) -> Vec<Option<f64>> {
    let percentile = |metric: &Metric| match metric.of {
        Of::Measure(measure, Statistic::Percentile(p)) => stats::percentile(&outcome.samples[measure], p),
        _ => None,
    };
    let values = values(requests, outcome, metrics).into_iter().zip(metrics);
    values.map(|(value, metric)| value.value().or_else(|| percentile(metric))).collect()
}
