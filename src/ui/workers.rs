//! The workers table: what the board shows, as a grid that can be read, heard and walked through.

use super::{Lab, break_bar, text};
use crate::app::snapshot::{Snapshot, TaskView, WorkerState};
use crate::lab::fault::FaultKind;
use crate::systems::oracle::log::TaskEnd;
use leptos::prelude::*;
use std::rc::Rc;

/// What a row shows; rows are drawn again only when it changes.
#[derive(Clone, Debug, PartialEq)]
struct Row {
    name: String,
    state: WorkerState,
    detail: String,
    took: String,
    value: String,
    last: String,
    score: String,
}

/// The table. Only the rows that fit are there: one can scroll through ten thousand.
#[component]
pub fn Workers(lab: Lab, selected: RwSignal<String>) -> impl IntoView {
    let scrolled = RwSignal::new(0_usize);
    let count = Memo::new(move |_| lab.snapshot.with(|snapshot| snapshot.settings.workers as usize));
    let first = move || scrolled.get().min(count.get().saturating_sub(ROWS_SHOWN));
    let shown = Memo::new(move |_| (first()..count.get().min(first() + ROWS_SHOWN)).collect::<Vec<usize>>());
    let scroll = move |event: leptos::ev::Event| {
        let top = event_target::<web_sys::Element>(&event).scroll_top();
        scrolled.set((top.max(0) as usize / row_height()).saturating_sub(ROWS_SHOWN / 4));
    };
    view! {
        <div class="table" tabindex="0" aria-label="Workers, scrollable" on:scroll=scroll>
            <table aria-rowcount=text(move || (count.get() + 1).to_string())>
                <thead>
                    <tr>
                        <th>"Worker"</th>
                        <th>"State"</th>
                        <th class="number">"Took"</th>
                        <th class="number">"Said"</th>
                        <th class="number">"Last answer"</th>
                        <th class="number">"Score"</th>
                        <th>"Break"</th>
                    </tr>
                </thead>
                <tbody>
                    <tr class="spacer" aria-hidden="true">
                        <td colspan="7" style:height=text(move || format!("{}px", first() * row_height()))></td>
                    </tr>
                    <For each=move || shown.get() key=|&i| i let:i>
                        <WorkerRow lab selected index=i />
                    </For>
                    <tr class="spacer" aria-hidden="true">
                        <td
                            colspan="7"
                            style:height=text(move || format!("{}px", count.get().saturating_sub(first() + ROWS_SHOWN) * row_height()))
                        ></td>
                    </tr>
                </tbody>
            </table>
        </div>
    }
}

/// More than fit into any dock, so that scrolling shows no gap.
const ROWS_SHOWN: usize = 48;

/// The height that the style sheet gives a row, in pixels: on a phone, a finger's.
fn row_height() -> usize {
    let is_phone =
        window().inner_width().is_ok_and(|width| width.as_f64().is_some_and(|width| width < 700.0));
    if is_phone { 44 } else { 28 }
}

#[component]
fn WorkerRow(lab: Lab, selected: RwSignal<String>, index: usize) -> impl IntoView {
    let row = Memo::new(move |_| lab.snapshot.with(|snapshot| row(snapshot, index)));
    let name = row.with_untracked(|row| row.name.clone());
    let is_selected = {
        let name = name.clone();
        move || selected.with(|selected| *selected == name)
    };
    let chosen = name.clone();
    let broken = name.clone();
    let (row_id, button_id) = (format!("row-{name}"), format!("select-{name}"));
    let is_down = move || row.with(|row| row.state == WorkerState::Down);
    view! {
        <tr
            data-testid=row_id
            data-state=text(move || row.with(|row| row.state.name().to_owned()))
            aria-rowindex=index + 2
            aria-selected=text(move || is_selected().to_string())
        >
            <th scope="row">
                <button
                    type="button"
                    class="plain"
                    data-testid=button_id
                    on:click=move |_| selected.set(chosen.clone())
                >
                    {name}
                </button>
            </th>
            <td>
                <span class="mark" aria-hidden="true"></span>
                {text(move || row.with(|row| format!("{}{}", row.state.name().replace('-', " "), row.detail)))}
            </td>
            <td class="number">{text(move || row.with(|row| row.took.clone()))}</td>
            <td class="number">{text(move || row.with(|row| row.value.clone()))}</td>
            <td class="number">{text(move || row.with(|row| row.last.clone()))}</td>
            <td class="number">{text(move || row.with(|row| row.score.clone()))}</td>
            <td>
                <button type="button" class="small" on:click=move |_| break_bar::toggle(lab, FaultKind::Crash, &broken)>
                    {text(move || if is_down() { "Restart" } else { "Crash" }.to_owned())}
                </button>
            </td>
        </tr>
    }
}

fn row(snapshot: &Rc<Snapshot>, index: usize) -> Row {
    let Some(node) = snapshot.workers().get(index) else {
        let none = String::new;
        return Row {
            name: none(),
            state: WorkerState::Idle,
            detail: none(),
            took: none(),
            value: none(),
            last: none(),
            score: none(),
        };
    };
    // Workers register in their order, unless something went wrong: then the task is looked for.
    let task = snapshot.request.as_ref().and_then(|request| {
        let own = |task: &&TaskView| task.node == node.id;
        request.tasks.get(index).filter(own).or_else(|| request.tasks.iter().find(own))
    });
    let number =
        |value: Option<f64>, digits: usize| value.map_or_else(|| "—".to_owned(), |v| format!("{v:.digits$}"));
    let took = task.filter(|task| task.end != TaskEnd::Pending).and_then(|task| task.took_ms);
    Row {
        name: node.name.clone(),
        state: node.state,
        detail: node.remarks(),
        took: took.map_or_else(|| "—".to_owned(), |ms| format!("{ms:.0} ms")),
        value: number(task.and_then(|task| task.value), 2),
        last: number(node.last_value, 2),
        score: number(node.score, 2),
    }
}
