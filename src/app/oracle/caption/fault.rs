//! What is said of a fault that begins or ends.

use super::{Caption, FaultView, Now, broker, percent, seconds};
use crate::app::snapshot::Edge;
use crate::substrate::decimal::plain;

/// Its caption.
pub(super) fn of(edge: &Edge, now: Now) -> Caption {
    edge.tell(match (broker::of_fault(edge, now), edge.ends) {
        (Some(caption), _) => caption,
        (None, true) => of_end(edge.fault),
        (None, false) => of_begin(edge.fault),
    })
}

fn of_begin(fault: &FaultView) -> Caption {
    let FaultView { target, value, .. } = fault;
    let at = format!("at {} s", seconds(fault.from_ms));
    match fault.kind {
        "crash" if target == "coordinator" => Caption::new(
            format!("The coordinator crashed {at}."),
            "Its registry and its open requests are gone; clients are refused.".to_owned(),
            "Who notices that it is back?",
        ),
        "crash" if target == "client" => Caption::new(
            format!("The client crashed {at}."),
            "Nobody asks; the workers go on sending heartbeats.".to_owned(),
            "What does an idle system do?",
        ),
        "crash" | "stop" => Caption::new(
            format!("{target} crashed {at}."),
            "Calls to it are refused at once.".to_owned(),
            "Does the answer get worse without it?",
        ),
        "restart" => Caption::new(
            format!("{target} restarts {at}."),
            "Its memory is gone; it registers again before it is asked again.".to_owned(),
            "What did it forget?",
        ),
        "lie" => Caption::new(
            format!("{target} lies by {} from {} s on.", percent(*value), seconds(fault.from_ms)),
            "The coordinator cannot know.".to_owned(),
            "How far does one liar move it?",
        ),
        "slow" => Caption::new(
            format!("{target} is {} times as slow from {} s on.", plain(*value), seconds(fault.from_ms)),
            "Whatever takes it past the timeout is cancelled.".to_owned(),
            "Would a longer timeout help, or only cost time?",
        ),
        "cut" => Caption::new(
            format!("{target} is cut off {at}."),
            "Nothing passes, and nothing says so: the coordinator learns it by waiting.".to_owned(),
            "How does this differ from a crash?",
        ),
        "drop" | "dup" => Caption::new(
            format!("{target} {} messages {at}.", if fault.kind == "drop" { "loses" } else { "doubles" }),
            format!("Each with a probability of {}.", percent(*value).trim_start_matches('+')),
            "Which requests does it cost?",
        ),
        _ => Caption::new(format!("{target}: {} {at}.", fault.kind), String::new(), "What changes?"),
    }
}

fn of_end(fault: &FaultView) -> Caption {
    let target = &fault.target;
    let at = format!("at {} s", seconds(fault.to_ms.unwrap_or_default()));
    let (what, detail) = match fault.kind {
        "crash" | "stop" => ("is back", "Its memory is empty; it registers again."),
        "lie" => ("is honest again", "Nobody but the laboratory has noticed."),
        "slow" => ("is as fast as before", ""),
        "cut" => ("is connected again", ""),
        _ => ("is well again", ""),
    };
    Caption::new(format!("{target} {what} {at}."), detail.to_owned(), "What is left of it?")
}
