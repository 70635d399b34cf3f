//! "What if three more lie?", as something that can be tried.

use super::Now;
use crate::app::command::Command;
use crate::app::experiment::{Experiment, mean};
use crate::app::snapshot::NodeView;
use crate::lab::oracle::RequestEntry;
use crate::lab::{self, Run};
use crate::substrate::decimal::{plain, signed};
use crate::systems::oracle::Params;
use serde_json::Value;

/// Over so many requests it is asked.
const RESULTS: u32 = 5;
/// By how much those lie who are asked to, if nobody does yet.
const BIAS: f64 = 0.18;
/// Nobody guesses finer, and the axis grows by this.
const STEP: f64 = 10.0;

fn is_liar(node: &&NodeView) -> bool {
    node.lie.is_some_and(|bias| bias != 0.0)
}

fn honest(now: Now<'_>) -> impl Iterator<Item = &NodeView> {
    now.snapshot.rows().iter().filter(|node| node.lie.is_none() && node.up)
}

/// What can be asked at a moment, and how many more would lie then.
fn asked(now: Now) -> Option<(&'static str, usize)> {
    now.view.finished.as_ref().filter(|_| now.view.truth)?;
    let asked = match now.rows().iter().filter(is_liar).count() {
        0 => ("What if one of them lies?", 1),
        1 => ("What if three more lie?", 3),
        _ => return None,
    };
    (honest(now).count() >= asked.1).then_some(asked)
}

/// Whether a question can be tried.
pub(super) fn can_try(now: Now, question: &str) -> bool {
    asked(now).is_some_and(|(asked, _)| asked == question)
}

/// The experiment of a moment.
pub(super) fn experiment(now: Now, question: &str) -> Option<Experiment> {
    let (_, more) = asked(now).filter(|(asked, _)| *asked == question)?;
    let request = now.view.finished.as_ref()?;
    let honest: Vec<&NodeView> = honest(now).collect();
    // Not neighbours, so that they are seen apart.
    let apart = (honest.len() / more).max(1);
    let chosen: Vec<&str> = honest.iter().step_by(apart).take(more).map(|node| node.name.as_str()).collect();
    let set = now.setting("lie-bias").and_then(Value::as_f64).filter(|bias| *bias != 0.0);
    let bias = now.rows().iter().find(is_liar).and_then(|node| node.lie).or(set).unwrap_or(BIAS);
    let strategy = now.view.settings.strategy;
    let before = mean(&now.view.errors);
    let names = match chosen.as_slice() {
        [one] => (*one).to_owned(),
        [many @ .., last] => format!("{} and {last}", many.join(", ")),
        [] => String::new(),
    };
    let lies = if more == 1 { "lies" } else { "lie" };
    let reach = STEP * ((bias.abs() * 100.0).max(before.unwrap_or_default()) / STEP).ceil().max(1.0);
    Some(Experiment {
        question: question.to_owned(),
        detail: format!(
            "From now on {names} {lies} by {} %. How far off will the {strategy} be, over the next {RESULTS} requests?",
            signed(bias * 100.0, 0)
        ),
        acts: chosen
            .iter()
            .map(|name| Command::Fault { fault: format!("lie:{name}={}", plain(bias)) })
            .collect(),
        results: (now.view.newest.as_ref().map_or(request.number, |newest| newest.number), RESULTS),
        before,
        scale: (0.0, reach),
        unit: " %",
        figure: format!("The {strategy} was off by"),
        noun: "requests",
    })
}

/// By how many per cent the answers were off, when the last of them is known.
pub(super) fn measure(run: &Run, experiment: &Experiment) -> Option<Vec<f64>> {
    let oracle = lab::oracle::of(run.system())?;
    let (ledger, params) = (oracle.ledger(), oracle.params());
    let (after, count) = experiment.results;
    let asked = (1..=u64::from(count)).map(|n| ledger.request(after + n));
    let is_over = |entry: &&RequestEntry| entry.closed_at.is_some() || entry.error.is_some();
    let entries: Vec<&RequestEntry> = asked.map(|entry| entry.filter(is_over)).collect::<Option<_>>()?;
    let errors: Vec<f64> = entries
        .iter()
        .filter_map(|entry| entry.analysis(params))
        .map(|analysis| analysis.error.abs() * 100.0)
        .collect();
    // Requests without an answer have no error; there must be some that have.
    (!errors.is_empty()).then_some(errors)
}

/// The errors of the last requests, in per cent.
pub(super) fn last_errors<'a>(
    newest_first: impl Iterator<Item = &'a RequestEntry>,
    params: &Params,
) -> Vec<f64> {
    let errors = newest_first.filter_map(|entry| entry.analysis(params));
    errors.map(|analysis| analysis.error.abs() * 100.0).take(RESULTS as usize).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::session::Session;
    use crate::app::{PlayerState, experiment as app};
    use crate::lab::Scenario;

    fn at(ms: f64) -> Session {
        let mut session = Session::open(Scenario::preset("oracle-http", 31), 10.0).unwrap();
        session.apply(Command::Pause).unwrap();
        session.apply(Command::Seek { at_ms: ms }).unwrap();
        while session.status().state == PlayerState::Replaying {
            session.frame(16.0, || true);
        }
        session
    }

    #[test]
    fn three_more_liars_are_tried_and_held_against_the_run_without_them() {
        let mut session = at(16_000.0);
        let asked = experiment(Now::of(session.snapshot()).unwrap(), &session.caption().question).unwrap();
        assert_eq!(asked.question, "What if three more lie?");
        assert_eq!(asked.results, (8, 5));
        assert_eq!(measure(session.run(), &asked), None, "it has not been tried");
        let before = session.run().scenario().clone();
        for act in &asked.acts {
            session.apply(act.clone()).unwrap();
        }
        session.apply(Command::Play).unwrap();
        let singles = loop {
            session.frame(16.0, || true);
            if let Some(singles) = measure(session.run(), &asked) {
                break singles;
            }
        };
        let without = app::without(&before, |run| measure(run, &asked)).unwrap();
        assert_eq!(singles.len(), 5);
        assert!(mean(&singles).unwrap() > without + 1.0, "{singles:?}, {without} without");
    }

    #[test]
    fn without_the_truth_there_is_nothing_to_guess() {
        let mut session = at(16_000.0);
        session.show_truth(false);
        let now = Now::of(session.snapshot()).unwrap();
        assert_eq!(asked(now), None);
        assert_eq!(experiment(now, "What if three more lie?"), None);
    }
}
