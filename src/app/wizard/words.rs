//! The Math Wizard's words: its sentence, its outcomes, the figures of its table, its help.

use super::Now;
use crate::app::face::Words;
use crate::app::outcomes::Figure;
use crate::app::sentence::{Number, Part, Style, number};
use crate::lab::wizard::Counts;

pub(super) static WORDS: Words = Words {
    selected: "c-01",
    sentence: &SENTENCE,
    rows: "Containers",
    columns: &["API", "Workers", "Jobs taken", "Jobs done"],
    board: "Board, one row for each container. The table of containers has the same rows in words.",
    help: "Each container has two halves: one takes jobs from users and puts them into the queue, the other takes them out and \
           does them. The queue stands in Valkey, between the halves. Bars tell who had which job in hand, and when; the \
           list who took, did and told of the newest.",
    truth: None,
    hidden: &[],
};

const SENTENCE: [Part; 14] = [
    Part::Number(Number {
        key: "containers",
        label: "Containers",
        style: Style::Count("container"),
        live: true,
    }),
    Part::Words(" with "),
    number("workers", "Worker processes in each", Style::Count("worker")),
    Part::Words(" each take jobs by "),
    Part::Choice { key: "mode", label: "How a worker takes a job" },
    Part::Words("; a job takes "),
    number("work", "How long a job takes, in milliseconds", Style::Time),
    Part::Words(". Load: "),
    Part::Choice { key: "load", label: "Who sends jobs, and when" },
    Part::Words(", "),
    number("users", "Users", Style::Count("user")),
    Part::Words("; limit "),
    number("queue-limit", "Jobs that may wait; 0 for any number", Style::Count("job")),
    Part::Words(" waiting (0: none)."),
];

pub(super) fn outcomes(now: Now) -> Vec<Figure> {
    let counts = now.view.counts;
    let none = || "—".to_owned();
    vec![
        Figure {
            key: "done",
            value: counts.done.to_string(),
            aside: format!(
                "/{}",
                now.view.containers.iter().map(|container| container.initiated).sum::<u64>()
            ),
            label: "jobs done of those queued".to_owned(),
            more: "",
            title: "Jobs with a result, of all that a container put into the queue",
        },
        Figure {
            key: "lost",
            value: counts.lost.to_string(),
            aside: String::new(),
            label: besides(&counts),
            more: "",
            title: "Jobs that nobody has any more; jobs turned away with 503 or 429, sent twice, put back by the reaper",
        },
        Figure {
            key: "p95",
            value: now.view.p95_ms.map_or_else(none, |ms| format!("{:.2}", ms / 1000.0)),
            aside: " s".to_owned(),
            label: "p95 job time".to_owned(),
            more: "",
            title: "95th percentile, from the push to the result, over the raw samples",
        },
    ]
}

/// "lost, 3 refused, 1 sent twice"
fn besides(counts: &Counts) -> String {
    let refused = counts.refused_busy + counts.refused_rate;
    let others = [(counts.duplicates, "sent twice"), (counts.reaped, "put back")];
    let others = others.iter().filter(|(count, _)| *count > 0);
    let others: String = others.map(|(count, what)| format!(", {count} {what}")).collect();
    format!("lost, {refused} refused{others}")
}

pub(super) fn cells(now: Now, index: usize) -> Vec<String> {
    let Some(container) = now.view.containers.get(index) else {
        return WORDS.columns.iter().map(|_| "—".to_owned()).collect();
    };
    let api = match (container.api_up, container.busy) {
        (false, _) => "down".to_owned(),
        (true, 0) => "free".to_owned(),
        (true, busy) => format!("{busy} in hand"),
    };
    let up = container.workers.iter().filter(|worker| worker.1).count();
    let busy = container.workers.iter().filter(|worker| worker.2).count();
    let workers = format!("{busy} of {up} busy");
    vec![api, workers, container.initiated.to_string(), container.handled.to_string()]
}
