//! A question that can be tried: what would be done, and what is asked about it. Whoever asks guesses first, or not; then it is
//! done to the run, and the run says.

use super::command::Command;
use crate::lab::{Options, Run, Scenario};

/// Whoever waits longer for a comparison had better do without.
const INSTANTS_MAX: u32 = 200_000;

/// An experiment on the run that is shown.
#[derive(Clone, Debug, PartialEq)]
pub struct Experiment {
    /// The question.
    pub question: String,
    /// What would be done, and what is asked about it.
    pub detail: String,
    /// What would be done; nothing, where one only waits for what comes.
    pub acts: Vec<Command>,
    /// Over how many units of work it is asked, beginning after this one.
    pub results: (u64, u32),
    /// The same figure over the last ones.
    pub before: Option<f64>,
    /// From where to where one may guess.
    pub scale: (f64, f64),
    /// What the figure is counted in, with the space before it.
    pub unit: &'static str,
    /// What the figure is, for a sentence such as "The average was off by 3 %".
    pub figure: String,
    /// What the units of work are called, if there are several.
    pub noun: &'static str,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The figure of each unit of work.
    pub singles: Vec<f64>,
    /// The same without what was done, if that was played.
    pub without: Option<f64>,
}

impl Finding {
    /// The figure that was asked for.
    pub fn mean(&self) -> f64 {
        mean(&self.singles).unwrap_or_default()
    }
}

/// The mean of some figures.
pub fn mean(figures: &[f64]) -> Option<f64> {
    (!figures.is_empty()).then(|| figures.iter().sum::<f64>() / figures.len() as f64)
}

/// Plays a scenario as it was before anything was done, until a figure can be read off it.
pub fn without(scenario: &Scenario, measure: impl Fn(&Run) -> Option<Vec<f64>>) -> Option<f64> {
    let mut run = Run::new(scenario, Options::default()).ok()?;
    for _ in 0..INSTANTS_MAX / 64 {
        for _ in 0..64 {
            if !run.run_instant(run.horizon()) {
                return None;
            }
        }
        if let Some(figures) = measure(&run) {
            return mean(&figures);
        }
    }
    None
}
