//! The Math Wizard's face.

mod board;
mod caption;
mod charts;
pub mod observe;

use crate::app::canvas::{self, Strips};
use crate::app::face::Face;
use crate::app::outcomes::Figure;
use crate::app::sentence::{Part, Style, number};
use crate::app::snapshot::{NodeView, Snapshot};

/// The Math Wizard's face.
pub static FACE: Face = Face {
    selected: "c-01",
    has_liars: false,
    sentence: &SENTENCE,
    outcomes,
    columns: &["API", "Workers", "Jobs taken", "Jobs done"],
    cells,
    caption: caption::caption,
    picture: board::picture,
    natural_height,
    observe: observe::observe,
    charts: || Box::new(charts::WizardCharts::default()),
};

const SENTENCE: [Part; 14] = [
    number("containers", "Containers", Style::Count("container")),
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

fn natural_height(snapshot: &Snapshot, strips: Strips) -> f64 {
    // The list of jobs and the queue want room even where there are few containers.
    canvas::natural_height(snapshot.rows().len(), strips)
}

fn outcomes(snapshot: &Snapshot) -> Vec<Figure> {
    let counts = snapshot.wizard.as_ref().map(|wizard| wizard.counts).unwrap_or_default();
    let none = || "—".to_owned();
    vec![
        Figure {
            key: "done",
            value: counts.done.to_string(),
            aside: format!("/{}", counts.acknowledged),
            label: "jobs done of those accepted".to_owned(),
            title: "Jobs with a result, of all that were answered with 202",
        },
        Figure {
            key: "lost",
            value: counts.lost.to_string(),
            aside: String::new(),
            label: format!("lost, {} refused", counts.refused_busy + counts.refused_rate),
            title: "Jobs that nobody has any more; and jobs turned away with 503 or 429",
        },
        Figure {
            key: "p95",
            value: snapshot.summary.latency_ms.map_or_else(none, |l| format!("{:.2}", l.p95 / 1000.0)),
            aside: " s".to_owned(),
            label: "p95 job time".to_owned(),
            title: "95th percentile, from the push to the result, over the raw samples",
        },
    ]
}

fn cells(snapshot: &Snapshot, _: &NodeView, index: usize) -> Vec<String> {
    let Some(container) = snapshot.wizard.as_ref().and_then(|wizard| wizard.containers.get(index)) else {
        return FACE.columns.iter().map(|_| "—".to_owned()).collect();
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
