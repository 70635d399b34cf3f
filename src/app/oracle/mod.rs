//! The oracle's face, over HTTP and over NATS.

mod board;
mod caption;
mod charts;
mod observe;

use crate::app::canvas;
use crate::app::face::Face;
use crate::app::outcomes::Figure;
use crate::app::sentence::{Part, Style, number};
use crate::app::snapshot::{NodeView, Snapshot, TaskView};
use crate::lab::oracle::TaskEnd;

/// The oracle's face over HTTP.
pub static HTTP: Face = Face {
    selected: "w-08",
    has_liars: true,
    sentence: &SENTENCE,
    outcomes,
    columns: &["Took", "Said", "Last answer", "Score"],
    cells,
    caption: caption::caption,
    picture: board::race,
    natural_height: |snapshot, strips| canvas::natural_height(snapshot.rows().len(), strips),
    observe: observe::observe,
    charts: || Box::new(charts::History::default()),
};

/// The oracle's face over NATS.
pub static NATS: Face = Face { selected: "nats", sentence: &NATS_SENTENCE, outcomes: nats_outcomes, ..HTTP };

const NATS_SENTENCE: [Part; 12] = [
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
];

const SENTENCE: [Part; 10] = [
    number("workers", "Workers", Style::Count("worker")),
    Part::Words(" get every request. The coordinator waits "),
    number("timeout", "Timeout in milliseconds", Style::Time),
    Part::Words(" and takes the "),
    Part::Choice { key: "strategy", label: "Aggregation strategy" },
    Part::Words(". "),
    number("fail", "Tasks that fail, in per cent", Style::Percent),
    Part::Words(" fail, "),
    number("lie", "Workers that lie, in per cent", Style::Percent),
    Part::Words(" lie."),
];

fn outcomes(snapshot: &Snapshot) -> Vec<Figure> {
    let summary = &snapshot.summary;
    let none = || "—".to_owned();
    let error = summary.error_mean;
    let interval = error.filter(|e| e.n > 1).map(|e| format!(" ±{:.2}", e.half_width * 100.0));
    vec![
        Figure {
            key: "error",
            value: error.map_or_else(none, |e| format!("{:.2}", e.mean * 100.0)),
            aside: format!("{} %", interval.unwrap_or_default()),
            label: format!("mean error of {}", summary.answered),
            title: "Mean of |answer − truth| / truth, with its 95 % interval by Student's t",
        },
        Figure {
            key: "p99",
            value: summary.latency_ms.map_or_else(none, |l| format!("{:.3}", l.p99 / 1000.0)),
            aside: " s".to_owned(),
            label: "p99 request time".to_owned(),
            title: "99th percentile, from the intended send time, over the raw samples",
        },
        Figure {
            key: "answered",
            value: summary.answered.to_string(),
            aside: format!("/{}", summary.answered + summary.unanswered),
            label: "requests answered".to_owned(),
            title: "Of the requests that are no longer under way",
        },
    ]
}

/// The same, and what became of messages in the broker.
fn nats_outcomes(snapshot: &Snapshot) -> Vec<Figure> {
    let mut figures = outcomes(snapshot);
    let summary = &snapshot.summary;
    let keeps = snapshot.broker.as_ref().is_some_and(|broker| broker.transport == "jetstream");
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
        title,
    });
    figures
}

fn cells(snapshot: &Snapshot, node: &NodeView, index: usize) -> Vec<String> {
    // Workers register in their order, unless something went wrong: then the task is looked for.
    let task = snapshot.request.as_ref().and_then(|request| {
        let own = |task: &&TaskView| task.node == node.id;
        request.tasks.get(index).filter(own).or_else(|| request.tasks.iter().find(own))
    });
    let took = task.filter(|task| task.end != TaskEnd::Pending).and_then(|task| task.took_ms);
    vec![
        took.map_or_else(nothing, |ms| format!("{ms:.0} ms")),
        two_digits(task.and_then(|task| task.value)),
        two_digits(node.last_value),
        two_digits(node.score),
    ]
}

fn nothing() -> String {
    "—".to_owned()
}

fn two_digits(value: Option<f64>) -> String {
    value.map_or_else(nothing, |value| format!("{value:.2}"))
}
