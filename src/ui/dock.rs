//! The dock: the figures as charts, and the nodes as a table. On a low page it is a row of sparks that opens over the board;
//! the style sheet says where.

use super::metrics::Metrics;
use super::panel::Panel;
use super::{Lab, View, click, keydown, keys, text, workbench};
use leptos::prelude::*;

/// Each tab: whether it is the table's, its test id, and the panel that it shows.
const TABS: [(bool, &str, &str); 2] =
    [(false, "tab-metrics", "panel-metrics"), (true, "tab-workers", "panel-workers")];

/// The dock.
#[component]
pub fn Dock(lab: Lab, view: View) -> impl IntoView {
    let View { dock_open: open, shows_table, .. } = view;
    let metrics = Metrics::follow(lab, Signal::derive(move || !shows_table.get() ^ open.get()));
    let hidden = move |panel: bool| Signal::derive(move || shows_table.get() != panel);
    let choose = move |table: bool| match table {
        true => workbench::open(lab, view, Panel::Table),
        false => shows_table.set(false),
    };
    let other = move |event: leptos::ev::KeyboardEvent| {
        if matches!(event.key().as_str(), "ArrowLeft" | "ArrowRight") {
            let to_table = !shows_table.get_untracked();
            choose(to_table);
            keys::focus(if to_table { "[data-testid=tab-workers]" } else { "[data-testid=tab-metrics]" });
        }
    };
    let table_name = format!("{} table", lab.face().words().rows);
    let tabs = TABS.map(|(is_table, testid, panel)| {
        let name = if is_table { table_name.clone() } else { "Metrics".to_owned() };
        let is_selected = move || shows_table.get() == is_table;
        view! {
            <button
                type="button"
                role="tab"
                data-testid=testid
                aria-selected=text(move || is_selected().to_string())
                aria-controls=panel
                tabindex=text(move || if is_selected() { "0" } else { "-1" }.to_owned())
                on:click=click(move |_| choose(is_table))
            >
                {name}
            </button>
        }
    });
    view! {
        <section class="dock" id="dock" aria-label="Measurements" tabindex="-1" data-open=text(move || open.get().to_string())>
            <div class="sparks">
                {metrics.sparks()}
                <button
                    type="button"
                    data-testid="dock-open"
                    aria-expanded=text(move || open.get().to_string())
                    aria-keyshortcuts="M"
                    on:click=click(move |_| open.update(|open| *open = !*open))
                >
                    {text(move || if open.get() { "Close" } else { "Open" }.to_owned())}
                    <kbd aria-hidden="true">"M"</kbd>
                </button>
            </div>
            <div class="dock-body">
                <div class="tabs" role="tablist" aria-label="Measurements" on:keydown=keydown(other)>
                    {tabs.into_iter().collect_view()}
                    <span class="hint">"All charts share the timeline below. Shaded: faults."</span>
                </div>
                <div class="panel" id="panel-metrics" role="tabpanel" aria-label="Metrics" hidden=hidden(false)>
                    {metrics.charts()}
                </div>
                <div class="panel" id="panel-workers" role="tabpanel" aria-label=table_name hidden=hidden(true)>
                    {workbench::table(lab, view)}
                </div>
            </div>
        </section>
    }
}
