//! "What if a trigger is lost?" and its like, as something that can be tried: how long the next version takes to come
//! everywhere.

use super::Now;
use super::observe::AGENT;
use crate::app::command::Command;
use crate::app::experiment::Experiment;
use crate::lab::{self, Run};

/// The question of whoever sees that changes are announced.
pub(super) const LOST: &str = "What if a trigger is lost?";
/// The question of whoever sees that they are polled.
pub(super) const TRIGGER: &str = "What would a trigger change?";
/// The question before anything has changed.
pub(super) const FIRST: &str = "What happens at the first change?";
/// The question while nobody announces changes.
pub(super) const NOW: &str = "How long does a change take now?";

/// Seconds of the scale beyond what nothing broken can take.
const ROOM: f64 = 1.25;

/// The experiment of a moment, if the caption asks for one.
pub(super) fn experiment(now: Now, question: &str) -> Option<Experiment> {
    let view = now.view;
    // Without further changes there is nothing to wait for.
    if view.put_period_ms <= 0.0 {
        return None;
    }
    let (act, acts) = match question {
        LOST => {
            let deaf = now.rows().iter().find(|node| node.role == AGENT && node.up)?;
            let fault = format!("cut:valkey~{}", deaf.name);
            (format!("{} is cut off from Valkey now. ", deaf.name), vec![Command::Fault { fault }])
        }
        TRIGGER => {
            let set = Command::Set { key: "trigger".to_owned(), value: "on".into() };
            ("The same run with changes announced. ".to_owned(), vec![set])
        }
        FIRST | NOW => (String::new(), Vec::new()),
        _ => return None,
    };
    let last = view.versions.iter().rev().find_map(|version| {
        let took = version.everywhere_ms? - version.acknowledged_ms?;
        (version.number > 1).then_some(took / 1000.0)
    });
    let next = view.newest + 1;
    Some(Experiment {
        question: question.to_owned(),
        detail: format!(
            "{act}How long will it take until every worker runs v{next}, from its acknowledgement on?"
        ),
        acts,
        results: (view.newest, 1),
        before: last,
        scale: (0.0, (view.bound_ms / 1000.0 * ROOM).max(last.unwrap_or_default()).ceil()),
        unit: " s",
        figure: "Every worker ran it after".to_owned(),
        noun: "version",
    })
}

/// How many seconds the versions took to come everywhere, when it is known of each.
pub(super) fn measure(run: &Run, experiment: &Experiment) -> Option<Vec<f64>> {
    let config = lab::config::of(run.system())?;
    let ledger = config.ledger();
    let (after, count) = experiment.results;
    let took = |number| Some(ledger.version(number)?.convergence_ms()? / 1000.0);
    (after + 1..=after + u64::from(count)).map(took).collect()
}
