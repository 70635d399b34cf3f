//! The oracle's words: its sentence, its outcomes, the figures of its table, its help.

use super::Now;
use super::view::TaskView;
use crate::app::canvas::scale;
use crate::app::face::Words;
use crate::app::outcomes::Figure;
#[cfg(feature = "workbench")]
use crate::app::sentence::Rare;
use crate::app::sentence::{Part, Style, number};
use crate::app::snapshot::{FaultView, NodeView};
use crate::lab::oracle::TaskEnd;
use crate::substrate::decimal::fixed;

/// Over HTTP.
pub(super) static HTTP: Words = Words {
    selected: "w-08",
    sentence: SENTENCE,
    rows: "Workers",
    columns: &["Took", "Said", "Last answer", "Score"],
    board: "Race board, one row for each node. The table of workers has the same rows in words.",
    help: "Every worker gets every request. Its row reads from left to right: the messages on their way, when it \
           answered, what it said. The thick line in the middle is the gate: answers that come later do not count.",
    truth: Some("The truth, which only the laboratory knows, or only what the coordinator sees"),
    hidden: &["fail", "lie", "lie-bias", "lie-mode", "noise", "drift", "truth"],
};

/// Over NATS.
pub(super) static NATS: Words = Words {
    selected: "nats",
    sentence: NATS_SENTENCE,
    help: "The coordinator publishes each request, and the broker in the middle delivers it to the workers. A row reads \
           from left to right: the messages on their way, when the worker answered, what it said. The thick line in the \
           middle is the gate: answers that come later do not count, though they come.",
    ..HTTP
};

const NATS_SENTENCE: &[Part] = &[
    number("workers", "Workers", Style::Count("worker")),
    Part::Words(" hear requests by "),
    Part::Choice { key: "transport", label: "Core NATS or JetStream" },
    Part::Words(" "),
    Part::Choice { key: "delivery", label: "Fan-out or queue group" },
    Part::Words(". The coordinator waits "),
    number("timeout", "Timeout in milliseconds", Style::Time),
    Part::Words(" for "),
    number("quorum", "Answers that are enough; 0 waits for any", Style::CountOrAny("answer")),
    Part::Words(" and takes the "),
    Part::Choice { key: "strategy", label: "Aggregation strategy" },
    Part::Words("."),
    #[cfg(feature = "workbench")]
    Part::Rare(MODEL),
];

/// What is said of the model where it is not as it comes.
#[cfg(feature = "workbench")]
const MODEL: &[Rare] = &[
    unless("delay-law", "uniform", " Delays are #."),
    unless("slow-share", "0.0", " A share of # of the workers is slow."),
    unless("concurrency", "off", " A worker does # at once."),
    unless("retries", "0", " Clients ask again, up to # times."),
];

#[cfg(feature = "workbench")]
const fn unless(key: &'static str, usual: &'static str, otherwise: &'static str) -> Rare {
    Rare { key, usual, words: "", otherwise }
}

const SENTENCE: &[Part] = &[
    number("workers", "Workers", Style::Count("worker")),
    #[cfg(not(feature = "workbench"))]
    Part::Words(" get every request. The coordinator waits "),
    #[cfg(feature = "workbench")]
    Part::Rare(&[Rare {
        key: "ask",
        usual: "all",
        words: " get every request. The coordinator waits ",
        otherwise: ": each request asks # of them, drawn anew. The coordinator waits ",
    }]),
    number("timeout", "Timeout in milliseconds", Style::Time),
    Part::Words(" and takes the "),
    Part::Choice { key: "strategy", label: "Aggregation strategy" },
    Part::Words("."),
    #[cfg(feature = "workbench")]
    Part::Rare(MODEL),
    Part::Words(" "),
    number("fail", "Tasks that fail, in per cent", Style::Percent),
    Part::Words(" fail, "),
    number("lie", "Workers that lie, in per cent", Style::Percent),
    // Who lies besides, and the full stop, follow from the moment.
    Part::Words(" lie"),
];

pub(super) fn outcomes(now: Now) -> Vec<Figure> {
    let summary = &now.view.summary;
    let none = || "—".to_owned();
    let first = if now.view.truth { error(now) } else { spread(now) };
    vec![
        first,
        Figure {
            key: "p99",
            value: summary.latency_ms.map_or_else(none, |l| fixed(l.p99 / 1000.0, 3)),
            aside: " s".to_owned(),
            label: "p99".to_owned(),
            more: " request time",
            title: "99 of 100 requests took no longer (99th percentile), from the moment the client wanted them",
        },
        Figure {
            key: "answered",
            value: summary.answered.to_string(),
            aside: format!("/{}", summary.answered + summary.unanswered),
            label: "answered".to_owned(),
            more: "",
            title: "Of the requests that are no longer under way",
        },
    ]
}

/// How far apart the answers of a request lie: what one can know without the truth.
fn spread(now: Now) -> Figure {
    let request = now.view.request.as_deref();
    let values = || request.into_iter().flat_map(|request| &request.tasks).filter_map(|task| task.value);
    let (low, high) = (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max));
    Figure {
        key: "error",
        value: if low <= high { scale::count((high - low) as usize) } else { "—".to_owned() },
        aside: String::new(),
        label: request
            .map_or_else(|| "spread".to_owned(), |request| format!("spread of {}", request.short_id())),
        more: "",
        title: "From the lowest answer to the highest",
    }
}

fn error(now: Now) -> Figure {
    let summary = &now.view.summary;
    let error = summary.error_mean;
    let interval = error.filter(|e| e.n > 1).map(|e| format!(" ±{}", fixed(e.half_width * 100.0, 2)));
    Figure {
        key: "error",
        value: error.map_or_else(|| "—".to_owned(), |e| fixed(e.mean * 100.0, 2)),
        aside: format!("{} %", interval.unwrap_or_default()),
        label: format!("mean error of {}", summary.answered),
        more: "",
        title: "Mean of |answer − truth| / truth, with its 95 % interval by Student's t",
    }
}

/// The same, and what became of messages in the broker.
pub(super) fn nats_outcomes(now: Now) -> Vec<Figure> {
    let mut figures = outcomes(now);
    let summary = &now.view.summary;
    let keeps = now.view.broker.as_ref().is_some_and(|broker| broker.transport == "jetstream");
    let (count, label, title) = match keeps {
        true => {
            (summary.tasks.redelivered, "delivered again", "Messages that JetStream delivered more than once")
        }
        false => (
            summary.tasks.lost,
            "lost with the broker",
            "Tasks and answers that were in the broker when it went down",
        ),
    };
    figures.push(Figure {
        key: "broker",
        value: count.to_string(),
        aside: if summary.limited > 0 { format!(", {} × 429", summary.limited) } else { String::new() },
        label: label.to_owned(),
        more: "",
        title,
    });
    figures
}

/// Who lies besides the share that the sentence names: those with a fault.
pub(super) fn aside(now: Now) -> String {
    if now.view.broker.is_some() || !now.view.truth {
        return String::new();
    }
    let lies = |fault: &&FaultView| fault.kind == "lie" && fault.holds_at(now.vtime_ms);
    let liars: Vec<&str> = now.faults.iter().filter(lies).map(|fault| fault.target.as_str()).collect();
    match liars.as_slice() {
        [] => ".".to_owned(),
        [one] => format!(", and {one}."),
        more => format!(", and {} more.", more.len()),
    }
}

pub(super) fn cells(now: Now, node: &NodeView, index: usize) -> Vec<String> {
    // Workers register in their order, unless something went wrong: then the task is looked for.
    let task = now.view.request.as_ref().and_then(|request| {
        let own = |task: &&TaskView| task.node == node.id;
        request.tasks.get(index).filter(own).or_else(|| request.tasks.iter().find(own))
    });
    let known = now.known(index);
    let took = task.filter(|task| task.end != TaskEnd::Pending).and_then(|task| task.took_ms);
    vec![
        took.map_or_else(nothing, |ms| fixed(ms, 0) + " ms"),
        two_digits(task.and_then(|task| task.value)),
        two_digits(known.last_value),
        two_digits(known.score),
    ]
}

fn nothing() -> String {
    "—".to_owned()
}

fn two_digits(value: Option<f64>) -> String {
    value.map_or_else(nothing, |value| fixed(value, 2))
}
