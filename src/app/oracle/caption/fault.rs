//! What is said of a fault that begins or ends.

use super::{Caption, FaultView, Now, broker, percent, seconds};
use crate::app::caption::{About, Rank};

/// The beginning or the end of a fault.
pub(super) struct Edge<'a> {
    /// The fault's place among all.
    index: usize,
    pub(super) fault: &'a FaultView,
    pub(super) ends: bool,
    pub(super) at_ms: f64,
}

/// The newest until now.
pub(super) fn newest_edge<'a>(now: Now<'a>) -> Option<Edge<'a>> {
    let faults = now.snapshot.faults.iter().enumerate();
    let edges = faults.flat_map(|(index, fault)| {
        let begin = Edge { index, fault, ends: false, at_ms: fault.from_ms };
        // A restart has no end to be told.
        let end = fault.to_ms.filter(|_| fault.kind != "restart");
        let end = end.map(|at_ms| Edge { index, fault, ends: true, at_ms });
        [Some(begin), end].into_iter().flatten()
    });
    edges.filter(|edge| edge.at_ms <= now.vtime_ms).max_by(|a, b| a.at_ms.total_cmp(&b.at_ms))
}

/// Its caption.
pub(super) fn of(edge: &Edge, now: Now) -> Caption {
    let Edge { index, fault, ends, .. } = *edge;
    let caption = match (broker::of_fault(edge, now), ends) {
        (Some(caption), _) => caption,
        (None, true) => of_end(fault),
        (None, false) => of_begin(fault, now),
    };
    let about = if ends { About::End(index) } else { About::Begin(index) };
    caption.about(about, if fault.by_hand && !ends { Rank::Act } else { Rank::Fault })
}

fn of_begin(fault: &FaultView, now: Now) -> Caption {
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
            "Who asks it is refused at once, until it falls out of the registry.".to_owned(),
            "Does the answer get worse without it?",
        ),
        "restart" => Caption::new(
            format!("{target} restarts {at}."),
            "Its memory is gone; it registers again before it is asked again.".to_owned(),
            "What did it forget?",
        ),
        "lie" => Caption::new(
            format!("{target} lies by {} from {} s on.", percent(*value), seconds(fault.from_ms)),
            format!("The coordinator cannot know, and takes the {}.", now.view.settings.strategy),
            "How far does one liar move it?",
        ),
        "slow" => Caption::new(
            format!("{target} is {value} times as slow from {} s on.", seconds(fault.from_ms)),
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
        "crash" | "stop" => ("is back", "It starts with an empty memory and registers again."),
        "lie" => ("is honest again", "Nobody but the laboratory has noticed."),
        "slow" => ("is as fast as before", ""),
        "cut" => ("is connected again", ""),
        _ => ("is well again", ""),
    };
    Caption::new(format!("{target} {what} {at}."), detail.to_owned(), "What is left of it?")
}
