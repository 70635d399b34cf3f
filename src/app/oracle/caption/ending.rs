//! What a run that has been watched to its end amounts to: what its lie did, or else how good its answers were.

use super::{Caption, other_strategy, seconds};
use crate::kernel::Instant;
use crate::lab::fault::FaultKind;
use crate::lab::oracle::RequestEntry;
use crate::lab::stats;
use crate::lab::{self, Run};
use crate::substrate::decimal::fixed;
use crate::systems::oracle::Params;

/// How many requests there were, and their mean errors: of the strategy that was chosen, and of the one that it is compared
/// with.
struct Errors {
    count: usize,
    own: f64,
    other: f64,
}

impl Errors {
    fn of<'a>(requests: impl Iterator<Item = &'a RequestEntry>, params: &Params) -> Option<Self> {
        let other = other_strategy(params.strategy.name());
        let errors = requests.filter_map(|request| request.analysis(params)).filter_map(|analysis| {
            let counter = analysis.counter_answers.get(other)? / analysis.truth - 1.0;
            Some((analysis.error.abs(), counter.abs()))
        });
        let (own, others): (Vec<f64>, Vec<f64>) = errors.unzip();
        Some(Errors { count: own.len(), own: stats::mean(&own)?, other: stats::mean(&others)? })
    }
}

/// The sentence at the end of a run.
pub(in crate::app::oracle) fn ending(run: &Run, truth: bool) -> Caption {
    let Some(oracle) = lab::oracle::of(run.system()) else {
        return Caption::default();
    };
    let (ledger, params, summary) = (oracle.ledger(), oracle.params(), oracle.tally().summary());
    let all = summary.answered + summary.unanswered;
    let answered = format!("{} of {all} requests were answered", summary.answered);
    let requests = || ledger.requests().iter();
    let strategy = params.strategy.name();
    let other = other_strategy(strategy);
    if !truth {
        let apart: Vec<f64> = requests().filter_map(spread).collect();
        let apart =
            stats::mean(&apart).map(|mean| format!("Their answers lay {} apart on average.", fixed(mean, 0)));
        return Caption::new(format!("{answered}."), apart.unwrap_or_default(), "");
    }
    let is_lie = |kind: FaultKind| kind == FaultKind::Lie;
    let mut lies = run.faults().filter(|fault| is_lie(fault.kind)).filter_map(|fault| fault.start);
    let since = |from: Instant| requests().filter(move |request| request.opened_at >= Some(from));
    let before = |from: Instant| requests().filter(move |request| request.opened_at < Some(from));
    let told = lies.next().and_then(|lie| {
        let (first, then) = (Errors::of(before(lie), params)?, Errors::of(since(lie), params)?);
        let who = if lies.next().is_none() { "One liar" } else { "The liars" };
        Some(Caption::new(
            format!(
                "{who} took the {strategy}’s error from {} % to {} %.",
                percent(first.own),
                percent(then.own)
            ),
            format!(
                "The {other}’s went from {} % to {} %. {} requests before the lie at {} s, {} after; {answered}.",
                percent(first.other),
                percent(then.other),
                first.count,
                seconds(lie.as_millis_f64()),
                then.count
            ),
            "",
        ))
    });
    told.unwrap_or_else(|| {
        let mut detail = Errors::of(requests(), params).map_or_else(String::new, |errors| {
            format!(
                "The {strategy} was off by {} % on average, a {other} by {} %.",
                percent(errors.own),
                percent(errors.other)
            )
        });
        for (count, what) in [
            (summary.tasks.lost, "tasks and answers were lost with the broker"),
            (summary.tasks.redelivered, "messages were delivered again"),
            (summary.limited, "requests got 429"),
        ] {
            if count > 0 {
                detail += &format!(" {count} {what}.");
            }
        }
        Caption::new(format!("{answered}."), detail, "")
    })
}

/// How far apart the answers of a request lie.
fn spread(request: &RequestEntry) -> Option<f64> {
    let values = || request.tasks.iter().filter_map(|task| task.value);
    Some(values().reduce(f64::max)? - values().reduce(f64::min)?)
}

/// A share as hundredths of a per cent, without a sign.
fn percent(share: f64) -> String {
    fixed(share * 100.0, 2)
}
