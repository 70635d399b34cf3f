//! Two whole runs of one seed, held against each other unit of work by unit of work.
//!
//! [`Comparison`](super::Comparison) asks whether a difference holds for other seeds, and has one pair for each. Here one run of each
//! scenario is played, and each request, job or version is a pair: the same number on both sides is the same wish, with the same
//! draws. A pair is known once both sides have ended it; so what is known at an instant is what one sees who watches both.

use super::compare::{Difference, Paired};
use super::metric::Metric;
use super::{describe, outcome};
use crate::kernel::{Duration, Instant};
use crate::lab::axis::Axis;
use crate::lab::invalid::Invalid;
use crate::lab::measure::{self, Of, Statistic};
use crate::lab::options::Options;
use crate::lab::recorder::{Heard, Recorder, Window};
use crate::lab::run::Run;
use crate::lab::scenario::Scenario;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// So many units of work of a run are held against those of the other, the first ones.
const UNITS_MAX: u64 = 20_000;
/// With fewer pairs nothing is said.
const PAIRS_MIN: u64 = 8;

/// What two scenarios amount to side by side.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pair {
    /// What the units of work are called.
    pub unit: String,
    /// From where both are watched, in milliseconds.
    pub from_ms: f64,
    /// How far both were played, in milliseconds.
    pub to_ms: f64,
    /// Whether units of work know nothing of each other, on both sides. Where they do, an interval is narrower than it should be.
    pub independent: bool,
    /// All in which the scenarios differ. One difference makes a fair pair.
    pub changes: Vec<Change>,
    /// What went wrong with the runs themselves.
    pub faults: [Option<String>; 2],
    /// By metric, the usual ones first.
    pub metrics: Vec<PairedMetric>,
}

/// Something in which two scenarios differ.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// A parameter; or `system`, `seed`, `faults` or `actions`.
    pub key: String,
    /// What it is in the first.
    pub a: Value,
    /// What it is in the second.
    pub b: Value,
}

/// A metric on both sides.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PairedMetric {
    /// Its name, as in plans.
    pub name: String,
    /// What it is counted in; nothing for a figure of the report.
    pub unit: Option<measure::Unit>,
    /// In words.
    pub title: String,
    /// What it means.
    pub meaning: String,
    /// What each side had, in the order in which it was known there: unit of work, when in milliseconds, value.
    pub sides: [Vec<(u64, f64, f64)>; 2],
    /// The pairs, in the order in which they were known.
    pub pairs: Vec<PairSoFar>,
    /// A figure of both reports, which a run has once.
    pub figure: Option<[Option<f64>; 2]>,
}

/// A pair, and what all that were known by then amount to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PairSoFar {
    /// Which unit of work it is.
    pub n: u64,
    /// When both sides knew it, in milliseconds.
    pub at_ms: f64,
    /// What it was on both sides.
    pub values: [f64; 2],
    /// The means so far.
    pub means: [f64; 2],
    /// The mean of the first's less the second's, so far.
    pub difference: f64,
    /// Where that lies with 95 % confidence, by Student's t over the pairs; nothing for one pair.
    pub interval: Option<(f64, f64)>,
    /// How often the second had less so far.
    pub b_less: u64,
    /// What can be said.
    pub verdict: Better,
}

/// Which of two is better. Of all that units of work have, less is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Better {
    /// The whole interval is below zero.
    A,
    /// The whole interval is above zero.
    B,
    /// Zero is within it.
    Neither,
    /// There are fewer than eight pairs.
    TooFew,
}

impl Better {
    fn of(pairs: u64, interval: Option<(f64, f64)>) -> Self {
        match interval {
            _ if pairs < PAIRS_MIN => Better::TooFew,
            Some((low, _)) if low > 0.0 => Better::B,
            Some((_, high)) if high < 0.0 => Better::A,
            _ => Better::Neither,
        }
    }
}

/// What one side had of a unit of work.
#[derive(Clone, Debug, Default)]
struct Unit {
    /// By measure: the sum of its values, and how many there are.
    samples: Vec<(f64, u32)>,
    /// Whether it ended well.
    ended: Option<bool>,
    /// When it ended, or when the last value came after that.
    at: Instant,
}

impl Unit {
    /// What it has by a metric, once it has ended.
    fn value(&self, of: &Of) -> Option<f64> {
        let well = self.ended?;
        match of {
            Of::Unanswered => Some(if well { 0.0 } else { 1.0 }),
            Of::Measure(measure, _) => {
                let &(sum, n) = self.samples.get(*measure)?;
                (n > 0).then(|| sum / f64::from(n))
            }
            Of::Figure(_) => None,
        }
    }
}

/// One side, played to its end.
struct Side {
    units: BTreeMap<u64, Unit>,
    figures: Vec<Option<f64>>,
    fault: Option<String>,
}

/// Plays two scenarios to the end of the shorter axis, or to `until`, and holds them against each other by the usual metrics and
/// some others by name.
pub fn pair(sides: &[Scenario; 2], until: Option<Duration>, others: &[&str]) -> Result<Pair, Invalid> {
    let [one, other] = [sides[0].settings()?, sides[1].settings()?];
    let measures = one.measures();
    if measures != other.measures() {
        let allowed = format!("a scenario that is measured as {} is", sides[0].preset);
        return Err(Invalid::new("preset", &sides[1].preset, &allowed));
    }
    let mut metrics = vec![Metric::parse(super::UNANSWERED, &*one)?];
    for (place, measure) in measures.iter().enumerate() {
        let name = format!("{}_mean", measure.key);
        metrics.push(Metric { name, of: Of::Measure(place, Statistic::Mean) });
    }
    for name in others {
        let metric = Metric::parse(name, &*one)?;
        if metrics.iter().all(|known| known.of != metric.of) {
            metrics.push(metric);
        }
    }
    let start = |scenario: &Scenario| {
        let window = Window { warmup: 0, requests: UNITS_MAX };
        let recorder = Rc::new(RefCell::new(Recorder::of_units(window, measures.len())));
        let options = Options { keep: 0, recording: Some(Rc::clone(&recorder)), ..Options::default() };
        Ok::<_, Invalid>((Run::new(scenario, options)?, recorder))
    };
    let runs = [start(&sides[0])?, start(&sides[1])?];
    let axes = [Axis::opening(&runs[0].0), Axis::opening(&runs[1].0)];
    let to = until.map_or(axes[0].to.min(axes[1].to), |until| Instant::ZERO + until);
    let from = axes[0].from.min(axes[1].from).min(to);
    let changes = changes(sides, [&runs[0].0, &runs[1].0]);
    let unit = runs[0].0.system().kind().unit;
    let figures: Vec<Metric> =
        metrics.iter().filter(|metric| matches!(metric.of, Of::Figure(_))).cloned().collect();
    let [a, b] = runs.map(|(run, recorder)| play(run, &recorder, to, &figures));
    let played = [a?, b?];
    let mut reported = 0..figures.len();
    let of_metric = |metric: Metric| {
        let figure = match &metric.of {
            Of::Figure(_) => reported.next().map(|place| [0, 1].map(|side| played[side].figures[place])),
            _ => None,
        };
        let meaning = match &metric.of {
            Of::Unanswered => "the share that failed; what had not ended is not counted",
            Of::Measure(place, _) => measures[*place].meaning,
            Of::Figure(path) => {
                one.figures().iter().find(|(key, _)| *key == path[0]).map_or("", |(_, meaning)| *meaning)
            }
        };
        let title = match &metric.of {
            Of::Unanswered => format!("{unit} without an answer"),
            Of::Measure(place, _) => measures[*place].title.to_owned(),
            Of::Figure(path) => path.join(" ").replace('_', " "),
        };
        let pairs = pairs(&played, &metric.of);
        let sides = [0, 1].map(|side| values(&played[side], &metric.of));
        PairedMetric {
            unit: metric.unit(measures),
            name: metric.name,
            title,
            meaning: meaning.to_owned(),
            sides,
            pairs,
            figure,
        }
    };
    Ok(Pair {
        unit: unit.to_owned(),
        from_ms: ms(from),
        to_ms: ms(to),
        independent: one.is_independent() && other.is_independent(),
        changes,
        metrics: metrics.into_iter().map(of_metric).collect(),
        faults: played.map(|side| side.fault),
    })
}

/// Plays one side, and notes when each unit of work told what.
fn play(
    mut run: Run,
    recorder: &RefCell<Recorder>,
    to: Instant,
    figures: &[Metric],
) -> Result<Side, Invalid> {
    let mut units: BTreeMap<u64, Unit> = BTreeMap::new();
    loop {
        let goes_on = run.run_instant(to);
        for heard in recorder.borrow_mut().take_heard() {
            let (Heard::Sample(number, ..) | Heard::End(number, _)) = heard;
            let unit = units.entry(number).or_default();
            unit.at = run.now();
            match heard {
                Heard::Sample(_, measure, value) => {
                    let needed = unit.samples.len().max(measure + 1);
                    unit.samples.resize(needed, (0.0, 0));
                    let (sum, n) = &mut unit.samples[measure];
                    (*sum, *n) = (*sum + value, *n + 1);
                }
                Heard::End(_, well) => unit.ended = Some(well),
            }
        }
        if !goes_on {
            break;
        }
    }
    let figures = outcome::figures(&run, figures)?;
    Ok(Side { units, figures, fault: outcome::fault(&run) })
}

/// What one side had by a metric, in the order in which it was known.
fn values(side: &Side, of: &Of) -> Vec<(u64, f64, f64)> {
    let known = side.units.iter().filter_map(|(n, unit)| Some((unit.at, *n, unit.value(of)?)));
    let mut known: Vec<(Instant, u64, f64)> = known.collect();
    known.sort_by_key(|(at, n, _)| (*at, *n));
    known.into_iter().map(|(at, n, value)| (n, ms(at), value)).collect()
}

/// The pairs by a metric: what has a value on both sides, in the order in which the second of both was known.
fn pairs(sides: &[Side; 2], of: &Of) -> Vec<PairSoFar> {
    let both = sides[0].units.iter().filter_map(|(n, a)| {
        let b = sides[1].units.get(n)?;
        Some((a.at.max(b.at), *n, [a.value(of)?, b.value(of)?]))
    });
    let mut known: Vec<(Instant, u64, [f64; 2])> = both.collect();
    known.sort_by_key(|(at, n, _)| (*at, *n));
    let (mut paired, mut b_less) = (Paired::default(), 0);
    let so_far = |(at, n, values): (Instant, u64, [f64; 2])| {
        paired.add(Some(values[0]), Some(values[1]));
        b_less += u64::from(values[1] < values[0]);
        let Difference { a, b, difference, pairs } = paired.difference();
        // There it is the second's less the first's.
        let interval = difference.and_then(|d| Some((-d.high?, -d.low?)));
        PairSoFar {
            n,
            at_ms: ms(at),
            values,
            means: [a, b].map(|mean| mean.map_or(f64::NAN, |mean| mean.value)),
            difference: difference.map_or(f64::NAN, |d| -d.value),
            interval,
            b_less,
            verdict: Better::of(pairs, interval),
        }
    };
    known.into_iter().map(so_far).collect()
}

/// All in which two scenarios differ. Parameters that only one side's system has follow from the system.
fn changes(sides: &[Scenario; 2], runs: [&Run; 2]) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut note = |key: &str, a: Value, b: Value| {
        if a != b {
            changes.push(Change { key: key.to_owned(), a, b });
        }
    };
    let [one, other] = runs;
    note("system", one.system().kind().name.into(), other.system().kind().name.into());
    for setting in one.settings().iter() {
        if let Some(against) = other.settings().iter().find(|against| against.key == setting.key) {
            note(setting.key, setting.value.clone(), against.value.clone());
        }
    }
    note("seed", sides[0].seed.into(), sides[1].seed.into());
    // What strikes a node that only one side has follows from why the other has none.
    let faults = |scenario| describe::faults(scenario).unwrap_or_default();
    note("faults", faults(&sides[0]).into(), faults(&sides[1]).into());
    let actions = |scenario: &Scenario| serde_json::to_value(&scenario.actions).unwrap_or_default();
    note("actions", actions(&sides[0]), actions(&sides[1]));
    changes
}

fn ms(at: Instant) -> f64 {
    at.since(Instant::ZERO).as_millis_f64()
}

#[cfg(test)]
mod tests;
