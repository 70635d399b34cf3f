//! The configuration system's face.

mod board;
mod caption;
mod charts;
pub mod observe;

use crate::app::face::Face;
use crate::app::outcomes::Figure;
use crate::app::sentence::{Part, Style, number};
use crate::app::snapshot::{NodeView, Role, Snapshot};

/// The configuration system's face.
pub static FACE: Face = Face {
    selected: "controller",
    has_liars: false,
    sentence: &SENTENCE,
    outcomes,
    columns: &["Reads", "Version", "Behind", "Next poll", "Failures"],
    cells,
    caption: caption::caption,
    picture: board::picture,
    natural_height: board::natural_height,
    observe: observe::observe,
    charts: || Box::new(charts::ConfigCharts::default()),
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

fn outcomes(snapshot: &Snapshot) -> Vec<Figure> {
    let view = snapshot.config.as_ref();
    let staleness = view.and_then(|view| view.staleness_ms);
    let seconds = |ms: f64| format!("{:.1}", ms / 1000.0);
    let converged = view.and_then(|view| {
        let known = view.versions.iter().rev();
        known
            .filter(|version| version.number > 1)
            .find_map(|v| Some((v.number, v.everywhere_ms? - v.acknowledged_ms?)))
    });
    let share = view.and_then(|view| view.share_not_modified);
    let peak = view.map(|view| match view.herd_peak_since_restart {
        Some(peak) => (peak, "peak load since restart"),
        None => (view.herd_peak, "controller's peak load"),
    });
    vec![
        Figure {
            key: "staleness",
            value: staleness.map_or_else(nothing, |s| seconds(s.p95)),
            aside: staleness.map_or_else(String::new, |s| format!(" s, max {}", seconds(s.max))),
            label: "p95 staleness".to_owned(),
            title: "From a version's acknowledgement until a worker runs it, or until now for one that does not",
        },
        Figure {
            key: "convergence",
            value: converged.map_or_else(nothing, |(_, ms)| seconds(ms)),
            aside: if converged.is_some() { " s".to_owned() } else { String::new() },
            label: converged
                .map_or_else(|| "until everywhere".to_owned(), |(n, _)| format!("until v{n} was everywhere")),
            title: "From the acknowledgement of the newest version that every worker has run, to the last worker",
        },
        Figure {
            key: "not-modified",
            value: share.map_or_else(nothing, |share| format!("{:.0}", share * 100.0)),
            aside: if share.is_some() { " %".to_owned() } else { String::new() },
            label: "of polls get 304".to_owned(),
            title: "Of the agents' polls that were answered with 200 or 304",
        },
        Figure {
            key: "peak",
            value: peak.map_or_else(nothing, |(peak, _)| peak.to_string()),
            aside: "/s".to_owned(),
            label: peak.map_or("", |(_, label)| label).to_owned(),
            title: "The most requests that arrived at the controller within any second",
        },
    ]
}

fn cells(snapshot: &Snapshot, node: &NodeView, index: usize) -> Vec<String> {
    let Some(holder) = snapshot.config.as_ref().and_then(|view| view.holders.get(index)) else {
        return vec![nothing(); 5];
    };
    let is_agent = node.role == Role::Agent;
    let own = |text: String| if is_agent { text } else { nothing() };
    let next = holder.next_poll_ms.map(|next| format!("in {:.1} s", (next - snapshot.vtime_ms) / 1000.0));
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
