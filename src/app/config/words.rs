//! The configuration system's words: its sentence, its outcomes, the figures of its table, its help.

use super::Now;
use super::observe::AGENT;
use crate::app::face::Words;
use crate::app::outcomes::Figure;
use crate::app::sentence::{Part, Style, number};
use crate::app::snapshot::NodeView;

pub(super) static WORDS: Words = Words {
    selected: "controller",
    sentence: &SENTENCE,
    rows: "Agents and workers",
    columns: &["Reads", "Version", "Behind", "Next poll", "Failures"],
    board: "Board, one row for each agent and each worker. The table of agents and workers has the same rows in words.",
    help: "Agents poll the controller for the newest version, and workers read it from their agent. A row reads from left to \
           right: the messages on their way, which version was in use when, and for how long its node has been behind. \
           Hatched is what ran while a newer version was there. The controller's store is as SQLite with a rollback journal: what \
           it has acknowledged survives every crash, and a write in whose middle it dies is rolled back.",
    truth: None,
    hidden: &[],
};

const SENTENCE: [Part; 10] = [
    number("workers", "Workers", Style::Count("worker")),
    Part::Words(" read "),
    number("agents", "Agents", Style::Count("agent")),
    Part::Words(", which poll every "),
    number("poll", "Poll interval in milliseconds", Style::Time),
    Part::Words("; back-off jitter "),
    Part::Choice { key: "backoff-jitter", label: "Back-off jitter" },
    Part::Words(", trigger "),
    Part::Choice { key: "trigger", label: "Trigger" },
    Part::Words("."),
];

pub(super) fn outcomes(now: Now) -> Vec<Figure> {
    let view = now.view;
    let staleness = view.staleness_ms;
    let seconds = |ms: f64| format!("{:.1}", ms / 1000.0);
    let mut known = view.versions.iter().rev().filter(|version| version.number > 1);
    let converged = known.find_map(|v| Some((v.number, v.everywhere_ms? - v.acknowledged_ms?)));
    let share = view.share_not_modified;
    let (peak, peak_label) = match view.herd_peak_since_restart {
        Some(peak) => (peak, "peak load since restart"),
        None => (view.herd_peak, "controller's peak load"),
    };
    vec![
        Figure {
            key: "staleness",
            value: staleness.map_or_else(nothing, |s| seconds(s.p95)),
            aside: staleness.map_or_else(String::new, |s| format!(" s, max {}", seconds(s.max))),
            label: "p95 staleness".to_owned(),
            more: "",
            title: "From a version's acknowledgement until a worker runs it, or until now for one that does not",
        },
        Figure {
            key: "convergence",
            value: converged.map_or_else(nothing, |(_, ms)| seconds(ms)),
            aside: if converged.is_some() { " s".to_owned() } else { String::new() },
            label: converged
                .map_or_else(|| "until everywhere".to_owned(), |(n, _)| format!("until v{n} was everywhere")),
            more: "",
            title: "From the acknowledgement of the newest version that every worker has run, to the last worker",
        },
        Figure {
            key: "not-modified",
            value: share.map_or_else(nothing, |share| format!("{:.0}", share * 100.0)),
            aside: if share.is_some() { " %".to_owned() } else { String::new() },
            label: "of polls get 304".to_owned(),
            more: "",
            title: "Of the agents' polls that were answered with 200 or 304",
        },
        Figure {
            key: "peak",
            value: peak.to_string(),
            aside: "/s".to_owned(),
            label: peak_label.to_owned(),
            more: "",
            title: "The most requests that arrived at the controller within any second",
        },
    ]
}

pub(super) fn cells(now: Now, node: &NodeView, index: usize) -> Vec<String> {
    let Some(holder) = now.view.holders.get(index) else {
        return vec![nothing(); 5];
    };
    let is_agent = node.role == AGENT;
    let own = |text: String| if is_agent { text } else { nothing() };
    let next = holder.next_poll_ms.map(|next| format!("in {:.1} s", (next - now.vtime_ms) / 1000.0));
    vec![
        if is_agent { "controller".to_owned() } else { format!("a-{:02}", holder.agent + 1) },
        if holder.version > 0 { format!("v{}", holder.version) } else { nothing() },
        holder.behind_ms.map_or_else(nothing, |ms| format!("{:.1} s", ms / 1000.0)),
        own(next.unwrap_or_else(nothing)),
        own(holder.failures.to_string()),
    ]
}

fn nothing() -> String {
    "—".to_owned()
}
