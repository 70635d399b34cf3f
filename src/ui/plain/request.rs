//! The newest request: its result, its note, and what the laboratory makes of it.

use super::{Lab, text};
use crate::app::snapshot::RequestView;
use leptos::prelude::*;

/// The panel.
#[component]
pub fn Request(lab: Lab) -> impl IntoView {
    let request = Memo::new(move |_| lab.snapshot.with(|snapshot| snapshot.request.clone()));
    let summary = Memo::new(move |_| lab.snapshot.with(|snapshot| snapshot.summary.clone()));
    let headline =
        text(move || request.with(|r| r.as_ref().map_or_else(|| "No request yet".to_owned(), headline)));
    let note = text(move || request.with(|r| r.as_ref().map_or_else(String::new, note)));
    let truth = text(move || request.with(|r| r.as_ref().map_or_else(String::new, truth)));
    let figures = move || {
        summary.with(|s| {
            let error = s.error_mean.map_or_else(String::new, |e| {
                format!(" · mean error {:.2} ±{:.2} %", e.mean * 100.0, e.half_width * 100.0)
            });
            let p99 = s.latency_ms.map_or_else(String::new, |l| format!(" · p99 {:.3} s", l.p99 / 1000.0));
            format!("{} of {} requests answered{error}{p99}", s.answered, s.answered + s.unanswered)
        })
    };
    view! {
        <section class="card" aria-label="Newest request">
            <h2 data-testid="result">{headline}</h2>
            <p data-testid="note">{note}</p>
            <p class="quiet">{truth}</p>
            <p class="quiet" data-testid="summary">{figures}</p>
        </section>
    }
}

fn headline(request: &RequestView) -> String {
    let RequestView { id, query, final_value, error, .. } = request;
    match (final_value, error) {
        (Some(value), _) => format!("{id}: {query} is {value:.2}"),
        (None, Some(error)) => format!("{id}: {query} failed, {}", error.code),
        (None, None) => format!("{id}: {query}, waiting for answers"),
    }
}

fn note(request: &RequestView) -> String {
    let failure = request.error.as_ref().map(|error| error.message.clone());
    request.note.clone().or(failure).unwrap_or_else(|| "The coordinator waits for its workers.".to_owned())
}

fn truth(request: &RequestView) -> String {
    request.analysis.as_ref().map_or_else(String::new, |analysis| {
        let counters = analysis.counter_answers.iter().map(|(name, value)| {
            format!("{name} {:+.2} %", (value - analysis.truth) / analysis.truth * 100.0)
        });
        let counters: Vec<String> = counters.collect();
        format!("Off the true {:.2}: {}", analysis.truth, counters.join(", "))
    })
}
