//! What an experiment measures, and what is asked of it.
//!
//! A metric is `unanswered_share`; or a measure of the system's units of work with `_mean`, `_p95` (any percentile) or
//! `_over(LIMIT)`, the share of them that is greater; or any figure of a run's report by its path, such as `tasks.late`.

use super::interval::Interval;
use crate::kernel::Duration;
use crate::lab::invalid::Invalid;
use crate::lab::measure::{Measure, Of, Statistic, Unit};
use crate::lab::params::parse_real;
use crate::lab::system::Settings;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The share of the units of work that failed, or had not ended when the run did.
pub const UNANSWERED: &str = "unanswered_share";

/// What is measured at each point of a plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    /// Its name, as it was said.
    pub name: String,
    /// What of it is taken.
    pub of: Of,
}

impl Metric {
    /// Those that a row has if nothing says otherwise.
    pub fn usual(settings: &dyn Settings) -> Vec<Metric> {
        let mut all = vec![Metric { name: UNANSWERED.into(), of: Of::Unanswered }];
        for (place, measure) in settings.measures().iter().enumerate() {
            let statistics =
                [Statistic::Mean].into_iter().chain([50.0, 95.0, 99.0].map(Statistic::Percentile));
            all.extend(statistics.map(|statistic| {
                let suffix = match statistic {
                    Statistic::Percentile(p) => format!("p{p}"),
                    _ => "mean".to_owned(),
                };
                Metric { name: format!("{}_{suffix}", measure.key), of: Of::Measure(place, statistic) }
            }));
        }
        all
    }

    /// The metric of a name.
    pub fn parse(name: &str, settings: &dyn Settings) -> Result<Self, Invalid> {
        let of = if name == UNANSWERED {
            Some(Of::Unanswered)
        } else {
            Self::of_measure(name, settings.measures())?
        };
        let figure = || {
            let path: Vec<String> = name.split('.').map(str::to_owned).collect();
            let known = settings.figures().iter().any(|(key, _)| *key == path[0]);
            known.then_some(Of::Figure(path))
        };
        match of.or_else(figure) {
            Some(of) => Ok(Metric { name: name.to_owned(), of }),
            None => Err(Invalid::new("metric", name, &allowed(settings))),
        }
    }

    fn of_measure(name: &str, measures: &[Measure]) -> Result<Option<Of>, Invalid> {
        for (place, measure) in measures.iter().enumerate() {
            let Some(rest) = name.strip_prefix(measure.key).and_then(|rest| rest.strip_prefix('_')) else {
                continue;
            };
            let statistic = match rest.strip_prefix("over(").and_then(|rest| rest.strip_suffix(')')) {
                Some(limit) => Statistic::Over(quantity(name, measure.unit, limit)?),
                None if rest == "mean" => Statistic::Mean,
                None => {
                    let p = rest.strip_prefix('p').and_then(parse_real).filter(|p| *p > 0.0 && *p < 100.0);
                    let allowed =
                        format!("{0}_mean, {0}_p95 or another percentile, {0}_over(LIMIT)", measure.key);
                    Statistic::Percentile(p.ok_or_else(|| Invalid::new("metric", name, &allowed))?)
                }
            };
            return Ok(Some(Of::Measure(place, statistic)));
        }
        Ok(None)
    }

    /// What it is counted in; nothing for a figure of the report.
    pub(super) fn unit(&self, measures: &[Measure]) -> Option<Unit> {
        match &self.of {
            Of::Unanswered | Of::Measure(_, Statistic::Over(_)) => Some(Unit::Share),
            Of::Measure(place, _) => measures.get(*place).map(|measure| measure.unit),
            Of::Figure(_) => None,
        }
    }

    /// A value of it for a person.
    pub fn show(&self, measures: &[Measure], value: f64) -> String {
        match self.unit(measures) {
            Some(Unit::Share) => format!("{} %", digits(value * 100.0)),
            Some(Unit::Ms) => format!("{} ms", digits(value)),
            None => digits(value),
        }
    }
}

/// As many digits as tell two configurations apart.
fn digits(value: f64) -> String {
    let places = match value.abs() {
        x if x >= 100.0 => 0,
        x if x >= 10.0 => 1,
        x if x >= 1.0 => 2,
        _ => 3,
    };
    format!("{value:.places$}")
}

fn allowed(settings: &dyn Settings) -> String {
    let keys: Vec<&str> = settings.measures().iter().map(|measure| measure.key).collect();
    let figures: Vec<&str> = settings.figures().iter().map(|(key, _)| *key).collect();
    format!(
        "{UNANSWERED}; {} with _mean, _p50 to _p99.9 or _over(LIMIT); or a figure of the report: {}",
        keys.join(" or "),
        figures.join(", ")
    )
}

/// A limit in the unit of what it limits.
fn quantity(field: &str, unit: Unit, text: &str) -> Result<f64, Invalid> {
    match unit {
        Unit::Share => {
            parse_real(text).ok_or_else(|| Invalid::new(field, text, "a share such as 0.01 or 1%"))
        }
        Unit::Ms => {
            let span: Option<Duration> = text.parse().ok();
            let wrong = || Invalid::new(field, text, "a duration with its unit, such as 1.2s");
            span.map(Duration::as_millis_f64).ok_or_else(wrong)
        }
    }
}

/// What is asked of a metric, as a plan has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GoalText {
    /// Of what.
    pub metric: String,
    /// It has to be less.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub below: Option<Value>,
    /// It has to be more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub above: Option<Value>,
}

impl GoalText {
    /// Reads `error_mean<1%` or `throughput>5`.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let split =
            |sign| text.split_once(sign).map(|(metric, limit): (&str, &str)| (metric.trim(), limit.trim()));
        let limit = |limit: &str| Some(Value::from(limit));
        match (split('<'), split('>')) {
            (Some((metric, below)), None) => {
                Ok(GoalText { metric: metric.into(), below: limit(below), above: None })
            }
            (None, Some((metric, above))) => {
                Ok(GoalText { metric: metric.into(), below: None, above: limit(above) })
            }
            _ => Err(Invalid::new("goal", text, "METRIC<LIMIT or METRIC>LIMIT, such as error_mean<1%")),
        }
    }
}

/// A goal that was understood.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Goal {
    /// Which of the plan's metrics.
    pub metric: usize,
    /// The limit, in the metric's unit.
    pub limit: f64,
    /// Whether it is to stay below.
    pub below: bool,
}

impl Goal {
    /// Understands a goal, and adds its metric to those of the plan if it is not there.
    pub fn of(text: &GoalText, metrics: &mut Vec<Metric>, settings: &dyn Settings) -> Result<Self, Invalid> {
        let GoalText { metric, below, above } = text;
        let (limit, is_below) = match (below, above) {
            (Some(limit), None) => (limit, true),
            (None, Some(limit)) => (limit, false),
            _ => return Err(Invalid::new("goals", metric, "a metric with either below or above")),
        };
        let metric = Metric::parse(metric, settings)?;
        let limit_text = limit.as_str().map_or_else(|| limit.to_string(), str::to_owned);
        let limit = match metric.unit(settings.measures()) {
            Some(unit) => quantity(&metric.name, unit, &limit_text)?,
            None => {
                let span = || limit_text.parse::<Duration>().ok().map(Duration::as_millis_f64);
                let wrong = || {
                    Invalid::new(
                        &metric.name,
                        &limit_text,
                        "a number, or a duration, which counts in milliseconds",
                    )
                };
                parse_real(&limit_text).or_else(span).ok_or_else(wrong)?
            }
        };
        let place = metrics.iter().position(|known| known.of == metric.of).unwrap_or_else(|| {
            metrics.push(metric);
            metrics.len() - 1
        });
        Ok(Goal { metric: place, limit, below: is_below })
    }

    /// What the measured figure says of it. Where nothing was measured nothing was answered, which meets nothing.
    pub fn judge(&self, figure: Option<Interval>) -> Verdict {
        let Some(Interval { low, high, .. }) = figure else { return Verdict::Misses };
        let (near, far) = if self.below { (low, high) } else { (high, low) };
        let holds = |bound: f64| if self.below { bound < self.limit } else { bound > self.limit };
        match (near, far) {
            (_, Some(far)) if holds(far) => Verdict::Meets,
            (Some(near), _) if !holds(near) => Verdict::Misses,
            _ => Verdict::Undecided,
        }
    }
}

/// Whether a goal, or a point, holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The whole interval does.
    Meets,
    /// None of it does.
    Misses,
    /// Some of it does.
    Undecided,
}

impl Verdict {
    /// Its name in rows.
    pub const fn name(self) -> &'static str {
        match self {
            Verdict::Meets => "meets",
            Verdict::Misses => "misses",
            Verdict::Undecided => "undecided",
        }
    }

    /// The verdict of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Verdict::Meets, Verdict::Misses, Verdict::Undecided]
            .into_iter()
            .find(|verdict| verdict.name() == name)
    }

    /// What a point's figures say of all goals; nothing where none is asked.
    pub fn of(goals: &[Goal], figures: &[Option<Interval>]) -> Option<Self> {
        let each = goals.iter().map(|goal| goal.judge(figures.get(goal.metric).copied().flatten()));
        (!goals.is_empty()).then(|| Verdict::all(each))
    }

    /// Of all of several: a miss is a miss whatever else is open.
    pub fn all(verdicts: impl IntoIterator<Item = Verdict>) -> Self {
        let rank = |verdict: &Verdict| match verdict {
            Verdict::Meets => 0,
            Verdict::Undecided => 1,
            Verdict::Misses => 2,
        };
        verdicts.into_iter().max_by_key(rank).unwrap_or(Verdict::Meets)
    }
}
