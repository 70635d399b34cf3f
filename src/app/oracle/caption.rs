//! The oracle's captions: what just happened to the requests, and what one would ask next.
//!
//! Captions name the shares of requests in which something holds: one draw proves nothing. Without the truth they say
//! what the coordinator can know.

mod broker;
mod ending;
mod fault;

#[cfg(test)]
mod tests;

use crate::app::canvas::scale;
use crate::app::caption::{About, Caption, Rank};
use crate::app::oracle::view::{ReportView, RequestView, TaskView};
use crate::app::oracle::{Now, other_strategy};
use crate::app::snapshot::FaultView;
use crate::lab::params::Setting;
use crate::substrate::decimal::{fixed, plain};

pub(super) use ending::ending;

/// A fault, and its end, are news for so long.
const NEWS_MS: f64 = 2500.0;
/// Counter-answers that differ by less than this say nothing.
const TELLING_DIFFERENCE: f64 = 0.002;
/// Of fewer requests nothing is said about chance.
const JUDGED_FROM: u32 = 3;

/// The caption of a moment.
pub(super) fn caption(now: Now) -> Caption {
    let news = now.snapshot.newest_edge().filter(|edge| now.vtime_ms - edge.at_ms < NEWS_MS);
    let finished = now.view.finished.as_deref();
    // One of many that come too often is not told before all of them are through.
    let finished = finished.filter(|request| {
        let is_limited = request.error.as_ref().is_some_and(|error| error.code == "rate_limited");
        !is_limited || now.view.summary.pending == 0
    });
    match (news, finished) {
        // Until a request that was asked after the fault is through, or one that the fault has met, the fault is the news.
        (Some(edge), Some(request)) if has_met(request, edge.at_ms) => of_request(request, now),
        (Some(edge), _) => fault::of(&edge, now),
        (None, Some(request)) => of_request(request, now),
        (None, None) => of_waiting(now),
    }
}

fn has_met(request: &RequestView, fault_ms: f64) -> bool {
    let after = |ms: Option<f64>| ms.is_some_and(|ms| ms >= fault_ms);
    let over = after(request.closed_ms) || after(request.answered_ms);
    after(request.opened_ms) || over && (request.first != Default::default() || request.lost > 0)
}

/// By how much it means to lie, if that is the same for every request; else how far off it is this time.
fn of_liar(liar: &TaskView, request: &RequestView, now: Now) -> String {
    let node = now.nodes.iter().find(|node| node.id == liar.node);
    let is_constant = |setting: &Setting| setting.key == "lie-mode" && setting.value == "constant";
    match (node.and_then(|node| node.lie), liar.value, request.truth) {
        (Some(bias), ..) if now.set.iter().any(is_constant) => {
            format!("{} lies by {}.", liar.worker, percent(bias))
        }
        (_, Some(value), Some(truth)) if truth != 0.0 => {
            format!("{} lies: it is off by {}.", liar.worker, percent(value / truth - 1.0))
        }
        _ => format!("{} lies.", liar.worker),
    }
}

fn of_request(request: &RequestView, now: Now) -> Caption {
    let caption = told(request, now);
    let rank = match request {
        // There the reports are the story.
        _ if now.view.report.is_some() => caption.rank,
        _ if caption.rank != Rank::Result => caption.rank,
        RequestView { first, lost, .. } if first.lie || first.refusal || first.error || *lost > 0 => {
            Rank::Effect
        }
        RequestView { error: Some(_), .. } => Rank::Exception,
        _ => Rank::Result,
    };
    let about = if caption.about == About::Nothing { About::Result(request.number) } else { caption.about };
    caption.about(about, rank)
}

fn told(request: &RequestView, now: Now) -> Caption {
    if let Some(caption) = broker::of_request(request, now) {
        return caption;
    }
    if let Some(caption) = now.view.report.as_ref().and_then(|report| of_report(report, request, now)) {
        return caption;
    }
    let heartbeats_off = |setting: &Setting| setting.key == "heartbeat" && setting.value == "0s";
    let none_registered = request.error.as_ref().is_some_and(|error| error.code == "no_workers");
    if none_registered && now.set.iter().any(heartbeats_off) {
        return Caption::new(
            format!("{} failed: all workers were dropped from the registry.", request.short_id()),
            "They are healthy and idle, but heartbeats are off, and silence counts as death.".to_owned(),
            "What if they sent heartbeats?",
        );
    }
    if let Some(error) = &request.error {
        return Caption::new(
            format!("{} failed: {}.", request.short_id(), error.code.replace('_', " ")),
            format!("{}.", error.message.trim_end_matches('.')),
            "What would have saved it?",
        );
    }
    let liars: Vec<&TaskView> =
        request.tasks.iter().filter(|task| task.lied && task.value.is_some()).collect();
    let Some(compared) = compare(request, now) else {
        return Caption::new(
            in_time(request),
            "There is nothing to aggregate.".to_owned(),
            "What would have saved the request?",
        );
    };
    match liars.as_slice() {
        [liar] => Caption::new(of_liar(liar, request, now), compared, question(request, now)),
        [] => Caption::new(in_time(request), compared, question(request, now)),
        many => Caption::new(
            format!("{} of {} answers are lies.", many.len(), request.counts.answered()),
            compared,
            question(request, now),
        ),
    }
}

/// What to ask depends on what is so already.
fn question(request: &RequestView, now: Now) -> &'static str {
    let counts = &request.counts;
    let liars = now.rows().iter().filter(|node| node.lie.is_some()).count();
    match liars {
        _ if !now.view.truth => "Whom would you not trust?",
        0 if 2 * counts.late > counts.all() => "What does a longer timeout buy?",
        0 => "What if one of them lies?",
        1 => "What if three more lie?",
        _ => "When does the median give in?",
    }
}

/// "8 of 12 answered in time: 2 late, 1 failed, 1 down."
fn in_time(request: &RequestView) -> String {
    let counts = &request.counts;
    let others =
        [(counts.late, "late"), (counts.failed, "failed"), (counts.down, "down"), (counts.idle, "not asked")];
    let said = |count: u32| scale::count(count as usize);
    let others: Vec<String> = others
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{} {what}", said(*count)))
        .collect();
    let all = format!("{} of {} answered in time", said(counts.answered()), said(counts.all()));
    if others.is_empty() { format!("{all}.") } else { format!("{all}: {}.", others.join(", ")) }
}

/// "The average is off by +4.52 %; a median would be off by −0.93 %."
fn compare(request: &RequestView, now: Now) -> Option<String> {
    let strategy = now.view.settings.strategy;
    let other = other_strategy(strategy);
    let counter = *request.counter_answers.get(other)?;
    let article = if other == "average" { "an" } else { "a" };
    let Some(analysis) = &request.analysis else {
        let own = request.final_value?;
        let apart = percent(counter / own - 1.0);
        return Some(format!(
            "The {strategy} is {}; {article} {other} would be {}, {apart}.",
            scale::value(own),
            scale::value(counter)
        ));
    };
    let counter = counter / analysis.truth - 1.0;
    let own = format!("The {strategy} is off by {}", percent(analysis.error));
    let (closer, all) = request.closer;
    let is_worse = counter.abs() > analysis.error.abs();
    Some(if (counter - analysis.error).abs() < TELLING_DIFFERENCE {
        format!("{own}; {article} {other} would be, too.")
    } else if is_worse && request.counts.lying > 0 && all >= JUDGED_FROM && 2 * closer > all {
        format!(
            "{own}; that {article} {other} would be worse, {}, is chance: it was closer in {closer} of {all} requests with a lie.",
            percent(counter)
        )
    } else {
        format!("{own}; {article} {other} would be off by {}.", percent(counter))
    })
}

/// A report that consumers read lags behind what the coordinator knows, or is too old to be used.
fn of_report(report: &ReportView, request: &RequestView, now: Now) -> Option<Caption> {
    let asked = if now.view.truth { "How far may a report lag?" } else { "Would you still use it?" };
    let said = scale::value(report.value);
    if report.stale {
        let headline = format!("The report is {} s old, and stale.", seconds(report.age_ms));
        let detail = match (report.off, now.view.truth) {
            (Some(off), true) => {
                format!("It says {said}, {} from the truth by now.", percent(off))
            }
            _ => format!("It says {said}; nobody may use it any more."),
        };
        return Some(
            Caption::new(headline, detail, asked)
                .about(About::Other(2_000_000 + report.round), Rank::Exception),
        );
    }
    let own = request.final_value?;
    let lag = report.value / own - 1.0;
    (report.round > 1 && report.request == request.number).then(|| {
        let caption = Caption::new(
            format!("Report {} is published: {said}.", report.round),
            match (report.before, now.view.truth, request.truth) {
                (Some(before), true, Some(truth)) if truth != 0.0 => {
                    format!("The one before lagged behind the truth by {}.", percent(before / truth - 1.0))
                }
                _ => format!("The value has moved by {} since the one before.", percent(lag)),
            },
            asked,
        );
        caption.about(About::Nothing, if report.round == 2 { Rank::Effect } else { Rank::Result })
    })
}

fn of_waiting(now: Now) -> Caption {
    let workers = now.view.settings.workers;
    let timeout = seconds(now.view.settings.timeout_ms);
    Caption::new(
        format!("{workers} workers race to the gate at {timeout} s."),
        String::new(),
        "How many will be in time?",
    )
    .about(About::Other(1), Rank::Result)
}

fn seconds(ms: f64) -> String {
    plain(libm::round(ms / 100.0) / 10.0)
}

/// `+4.52 %`, `−0.93 %`, with the minus sign that has a plus sign's width.
fn percent(share: f64) -> String {
    let hundredths = libm::round(share * 1e4) / 100.0;
    let sign = if hundredths < 0.0 { '−' } else { '+' };
    let magnitude = hundredths.abs();
    let places = if magnitude == libm::trunc(magnitude) { 0 } else { 2 };
    format!("{sign}{} %", fixed(magnitude, places))
}
