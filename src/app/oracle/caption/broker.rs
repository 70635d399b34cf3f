//! What is said of a broker: of its faults, of what was lost in it, and of what it delivered again.

use super::{Caption, compare, percent, seconds};
use crate::app::caption::{About, Rank};
use crate::app::oracle::Now;
use crate::app::oracle::view::{BrokerView, RequestView};
use crate::app::snapshot::Edge;
use crate::substrate::decimal::plain;

fn is_jetstream(broker: &BrokerView) -> bool {
    broker.transport == "jetstream"
}

/// A fault of the broker that begins or ends; `None` for one of another node.
pub(super) fn of_fault(edge: &Edge, now: Now) -> Option<Caption> {
    let fault = edge.fault;
    let broker = now.view.broker.as_ref()?;
    let name = &now.nodes.iter().find(|node| node.id == broker.node)?.name;
    if fault.target != *name {
        return None;
    }
    let at = format!("at {} s", seconds(edge.at_ms));
    if edge.ends {
        return Some(Caption::new(
            format!("The broker is back {at}."),
            match is_jetstream(broker) {
                true => "JetStream delivers again what nobody had acknowledged.".to_owned(),
                false => "Its clients connect again by themselves; what was lost stays lost.".to_owned(),
            },
            "How long until all is as before?",
        ));
    }
    let (kept, question) = match is_jetstream(broker) {
        true => ("JetStream has on disk what was not acknowledged.", "When does it come back to it?"),
        false => ("Core NATS keeps nothing: what was in it is lost.", "What happens to messages in flight?"),
    };
    Some(match fault.kind {
        "crash" | "stop" => Caption::new(format!("The broker went down {at}."), kept.to_owned(), question),
        "restart" => Caption::new(format!("The broker restarts {at}."), kept.to_owned(), question),
        "cut" => Caption::new(
            format!("The broker is cut off {at}."),
            "Connections stay open and say nothing: bytes wait until the link is back.".to_owned(),
            "Who notices first?",
        ),
        "drop" => Caption::new(
            format!(
                "The broker's links lose {} of all segments {at}.",
                percent(fault.value).trim_start_matches('+')
            ),
            "TCP sends them again: nothing is lost, everything is late.".to_owned(),
            "How much loss can the timeout take?",
        ),
        "slow" => Caption::new(
            format!("The broker is {} times as slow {at}.", plain(fault.value)),
            String::new(),
            "Whose answers are late now?",
        ),
        _ => return None,
    })
}

/// What only a broker does to a request; `None` for one that went as over HTTP.
pub(super) fn of_request(request: &RequestView, now: Now) -> Option<Caption> {
    let broker = now.view.broker.as_ref()?;
    let workers = now.view.settings.workers;
    let summary = &now.view.summary;
    let lost = request.lost;
    if lost > 0 {
        let headline = match &request.error {
            Some(_) => {
                format!("{} failed: {lost} tasks or answers were lost with the broker.", request.short_id())
            }
            None => format!("{lost} tasks or answers were lost with the broker."),
        };
        let detail = "Core NATS delivers at most once, and nobody sends them again.".to_owned();
        return Some(Caption::new(headline, detail, "What would JetStream have done?"));
    }
    if request.redelivered > 0 {
        let caption = Caption::new(
            match request.redelivered {
                1 => "JetStream delivered a message again.".to_owned(),
                many => format!("JetStream delivered {many} messages again."),
            },
            format!(
                "{} of {workers} answered in time after all, and none counts twice.",
                request.counts.answered()
            ),
            "What does at-least-once cost?",
        );
        return Some(caption.about(About::Result(request.number), Rank::Effect));
    }
    // Until all of a burst are through, there is no telling how many.
    if summary.limited > 0 && summary.pending == 0 {
        let caption = Caption::new(
            format!("{} of {} requests got 429: too many at once.", summary.limited, summary.requests),
            "The bucket was empty; Retry-After says when it has a token again.".to_owned(),
            "What if they came one by one?",
        );
        return Some(caption.about(About::Other(1_000_000 + summary.limited as u64), Rank::Exception));
    }
    if broker.delivery == "queue" && workers > 1 {
        return Some(Caption::new(
            format!("The queue group sent the task to one of {workers} workers."),
            match (&request.error, compare(request, now)) {
                (None, Some(compared)) => format!("One answer is nothing to aggregate. {compared}"),
                _ => "That one failed or was late, and there is no other answer.".to_owned(),
            },
            "What if every worker got it, by fan-out?",
        ));
    }
    None
}
