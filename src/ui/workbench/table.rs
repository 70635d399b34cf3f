//! The table: what the board shows, as a grid that can be read, heard and walked through.

use crate::app::face::Row;
use crate::app::snapshot::Sign;
use crate::lab::fault::FaultKind;
use crate::ui::{Lab, break_bar, click, text};
use leptos::prelude::*;

/// The table. Only the rows that fit are there: one can scroll through ten thousand.
#[component]
pub fn Table(lab: Lab, selected: RwSignal<String>) -> impl IntoView {
    let words = lab.face().words();
    let columns = words.columns;
    let scrolled = RwSignal::new(0_usize);
    let count = Memo::new(move |_| lab.snapshot.with(|snapshot| snapshot.rows().len()));
    let first = move || scrolled.get().min(count.get().saturating_sub(ROWS_SHOWN));
    let shown = Memo::new(move |_| (first()..count.get().min(first() + ROWS_SHOWN)).collect::<Vec<usize>>());
    let scroll = move |event: leptos::ev::Event| {
        let top = event_target::<web_sys::Element>(&event).scroll_top();
        scrolled.set((top.max(0) as usize / row_height()).saturating_sub(ROWS_SHOWN / 4));
    };
    view! {
        <div class="table" tabindex="0" aria-label=format!("{}, scrollable", words.rows) on:scroll=scroll>
            <table aria-rowcount=text(move || (count.get() + 1).to_string())>
                <thead>
                    <tr>
                        <th>"Node"</th>
                        <th>"State"</th>
                        {columns.iter().map(|&name| view! { <th class="number">{name}</th> }).collect_view()}
                        <th>"Break"</th>
                    </tr>
                </thead>
                <tbody>
                    <tr class="spacer" aria-hidden="true">
                        <td colspan=columns.len() + 3 style:height=text(move || format!("{}px", first() * row_height()))></td>
                    </tr>
                    <For each=move || shown.get() key=|&i| i let:i>
                        <NodeRow lab selected index=i />
                    </For>
                    <tr class="spacer" aria-hidden="true">
                        <td
                            colspan=columns.len() + 3
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
fn NodeRow(lab: Lab, selected: RwSignal<String>, index: usize) -> impl IntoView {
    let row = Memo::new(move |_| lab.snapshot.with(|snapshot| lab.face().row(snapshot, index)));
    // Rows come and go with their nodes, a moment later.
    let of = move |read: &dyn Fn(&Row) -> String| row.with(|row| row.as_ref().map_or_else(String::new, read));
    let name = row.with_untracked(|row| row.as_ref().map_or_else(String::new, |row| row.name.clone()));
    let is_selected = {
        let name = name.clone();
        move || selected.with(|selected| *selected == name)
    };
    let chosen = name.clone();
    let broken = name.clone();
    let (row_id, button_id) = (format!("row-{name}"), format!("select-{name}"));
    let is_down = move || row.with(|row| row.as_ref().is_some_and(|row| row.sign == Sign::Down));
    let columns = lab.face().words().columns.len();
    let cells = (0..columns).map(|column| {
        view! { <td class="number">{text(move || of(&|row| row.cells.get(column).cloned().unwrap_or_default()))}</td> }
    });
    view! {
        <tr
            data-testid=row_id
            data-state=text(move || of(&|row| row.sign.name().to_owned()))
            aria-rowindex=index + 2
            aria-selected=text(move || is_selected().to_string())
        >
            <th scope="row">
                <button
                    type="button"
                    class="plain"
                    data-testid=button_id
                    on:click=click(move |_| selected.set(chosen.clone()))
                >
                    {name}
                </button>
            </th>
            <td>
                <span class="mark" aria-hidden="true"></span>
                {text(move || of(&|row| row.words.clone()))}
            </td>
            {cells.collect_view()}
            <td>
                <button type="button" class="small" on:click=click(move |_| break_bar::toggle(lab, FaultKind::Crash, &broken))>
                    {text(move || if is_down() { "Restart" } else { "Crash" }.to_owned())}
                </button>
            </td>
        </tr>
    }
}
