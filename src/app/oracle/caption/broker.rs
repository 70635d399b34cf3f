//! What is said of a broker: of its faults, of what was lost in it, and of what it delivered again.

use super::{Caption, compare, percent, seconds};
use crate::app::oracle::Now;
use crate::app::oracle::view::{BrokerView, RequestView};
use crate::app::snapshot::FaultView;
use crate::lab::oracle::TaskEnd;

fn is_jetstream(broker: &BrokerView) -> bool {
    broker.transport == "jetstream"
}

/// A fault of the broker; `None` for one of another node.
pub(super) fn of_fault(fault: &FaultView, now: Now) -> Option<Caption> {
    let broker = now.view.broker.as_ref()?;
    let name = &now.nodes.iter().find(|node| node.id == broker.node)?.name;
    if fault.target != *name {
        return None;
    }
    let at = format!("at {} s", seconds(fault.from_ms));
    let (kept, question) = match is_jetstream(broker) {
        true => ("JetStream has on disk what was not acknowledged.", "When does it come back to it?"),
        false => ("Core NATS keeps nothing: what was in it is lost.", "What happens to messages in flight?"),
    };
    Some(match fault.kind {
        "crash" | "stop" => Caption::new(
            format!("The broker went down {at}."),
            format!("{kept} New requests get \u{201c}nats: no servers available for connection\u{201d}."),
            question,
        ),
        "restart" => Caption::new(
            format!("The broker restarts {at}."),
            format!("{kept} Its clients connect again after some 2 s, by themselves."),
            question,
        ),
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
            format!("The broker is {} times as slow {at}.", fault.value),
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
    if broker.lost > 0 {
        let headline = match &request.error {
            Some(_) => {
                format!("{} failed: {} tasks or answers were lost with the broker.", request.id, broker.lost)
            }
            None => format!("{} tasks or answers were lost with the broker.", broker.lost),
        };
        let detail = "Core NATS delivers at most once, and nobody sends them again.".to_owned();
        return Some(Caption::new(headline, detail, "What would JetStream have done?"));
    }
    if broker.redelivered > 0 {
        let in_time = request.tasks.iter().filter(|task| task.end == TaskEnd::InTime).count();
        return Some(Caption::new(
            format!("JetStream delivered {} messages again.", broker.redelivered),
            format!("{in_time} of {workers} answers were in time after all, and none counts twice."),
            "What does at-least-once cost?",
        ));
    }
    if summary.limited > 0 {
        return Some(Caption::new(
            format!("{} of {} requests got 429.", summary.limited, summary.requests),
            "The bucket was empty; Retry-After says when it has a token again.".to_owned(),
            "What if they came one by one?",
        ));
    }
    if broker.delivery == "queue" && workers > 1 {
        return Some(Caption::new(
            format!("The queue group sent the task to one of {workers} workers."),
            match (&request.error, compare(request, now.view.settings.strategy)) {
                (None, Some(compared)) => format!("One answer is nothing to aggregate. {compared}"),
                _ => "That one failed or was late, and there is no other answer.".to_owned(),
            },
            "What if every worker got it, by fan-out?",
        ));
    }
    None
}
