//! The workers table: one row per worker, with its state and its last answer.

use super::{Lab, text};
use crate::app::snapshot::{Role, Snapshot, WorkerState};
use leptos::prelude::*;
use std::rc::Rc;

/// What a row shows; rows are drawn again only when it changes.
#[derive(Clone, Debug, PartialEq)]
struct Row {
    state: WorkerState,
    answer: String,
    score: String,
    detail: String,
}

/// The table.
#[component]
pub fn Workers(lab: Lab) -> impl IntoView {
    let names = Memo::new(move |_| lab.snapshot.with(worker_names));
    view! {
        <section class="card" aria-label="Workers">
            <table>
                <thead>
                    <tr>
                        <th>"Worker"</th>
                        <th>"State"</th>
                        <th>"Last answer"</th>
                        <th>"Score"</th>
                        <th>"Break it"</th>
                    </tr>
                </thead>
                <tbody>
                    <For each=move || names.get() key=|name| name.clone() let:name>
                        <WorkerRow lab name />
                    </For>
                </tbody>
            </table>
        </section>
    }
}

#[component]
fn WorkerRow(lab: Lab, name: String) -> impl IntoView {
    let own = name.clone();
    let row = Memo::new(move |_| lab.snapshot.with(|snapshot| row(snapshot, &own)));
    let testid = format!("row-{name}");
    let is_down = move || row.with(|r| r.state == WorkerState::Down);
    let target = name.clone();
    let break_it = move |_| {
        let kind = if is_down() { "restart" } else { "crash" };
        // What is not allowed is said on the page.
        let _ = lab.attempt(|player| player.fault(&format!("{kind}:{target}")));
    };
    view! {
        <tr data-testid=testid data-state=text(move || row.with(|r| r.state.name().to_owned()))>
            <th scope="row">{name}</th>
            <td>
                <span class="mark" aria-hidden="true"></span>
                {text(move || row.with(|r| format!("{}{}", r.state.name().replace('-', " "), r.detail)))}
            </td>
            <td class="number">{text(move || row.with(|r| r.answer.clone()))}</td>
            <td class="number">{text(move || row.with(|r| r.score.clone()))}</td>
            <td>
                <button type="button" on:click=break_it>
                    {text(move || if is_down() { "Restart" } else { "Crash" }.to_owned())}
                </button>
            </td>
        </tr>
    }
}

fn worker_names(snapshot: &Rc<Snapshot>) -> Vec<String> {
    snapshot.nodes.iter().filter(|node| node.role == Role::Worker).map(|node| node.name.clone()).collect()
}

fn row(snapshot: &Rc<Snapshot>, name: &str) -> Row {
    let number =
        |value: Option<f64>, digits: usize| value.map_or_else(|| "—".to_owned(), |v| format!("{v:.digits$}"));
    let Some(node) = snapshot.nodes.iter().find(|node| node.name == name) else {
        return Row {
            state: WorkerState::Idle,
            answer: String::new(),
            score: String::new(),
            detail: String::new(),
        };
    };
    Row {
        state: node.state,
        answer: number(node.last_value, 2),
        score: number(node.score, 2),
        detail: node.remarks(),
    }
}
