//! The dock: the figures as charts, and the nodes as a table. On a low page it is a row of sparks that opens over the board;
//! the style sheet says where.

use super::metrics::Metrics;
use super::{Lab, table, text};
use leptos::prelude::*;

/// What the dock can show.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tab {
    Metrics,
    Table,
}

/// Each tab's test id, and the panel that it shows.
const TABS: [(Tab, &str, &str); 2] =
    [(Tab::Metrics, "tab-metrics", "panel-metrics"), (Tab::Table, "tab-workers", "panel-workers")];

/// The dock.
#[component]
pub fn Dock(lab: Lab, selected: RwSignal<String>, open: RwSignal<bool>) -> impl IntoView {
    let tab = RwSignal::new(Tab::Metrics);
    let metrics = Metrics::follow(lab, Signal::derive(move || (tab.get() == Tab::Metrics) ^ open.get()));
    let hidden = move |panel: Tab| Signal::derive(move || tab.get() != panel);
    let other = move |event: leptos::ev::KeyboardEvent| {
        if matches!(event.key().as_str(), "ArrowLeft" | "ArrowRight") {
            tab.update(|tab| *tab = if *tab == Tab::Metrics { Tab::Table } else { Tab::Metrics });
            super::keys::focus("[role=tab][aria-selected=true]");
        }
    };
    let table_name = format!("{} table", lab.face().words().rows);
    let tabs = TABS.map(|(which, testid, panel)| {
        let name = if which == Tab::Metrics { "Metrics".to_owned() } else { table_name.clone() };
        let is_selected = move || tab.get() == which;
        view! {
            <button
                type="button"
                role="tab"
                data-testid=testid
                aria-selected=text(move || is_selected().to_string())
                aria-controls=panel
                tabindex=text(move || if is_selected() { "0" } else { "-1" }.to_owned())
                on:click=move |_| tab.set(which)
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
                    on:click=move |_| open.update(|open| *open = !*open)
                >
                    {text(move || if open.get() { "Close" } else { "Open" }.to_owned())}
                    <kbd aria-hidden="true">"M"</kbd>
                </button>
            </div>
            <div class="dock-body">
                <div class="tabs" role="tablist" aria-label="Measurements" on:keydown=other>
                    {tabs.into_iter().collect_view()}
                    <span class="hint">"All charts share the timeline below. Shaded: faults."</span>
                </div>
                // Both panels are always there: the table is the board in words, also for scripts, while the charts are shown.
                <div class="panel" id="panel-metrics" role="tabpanel" aria-label="Metrics" hidden=hidden(Tab::Metrics)>
                    {metrics.charts()}
                </div>
                <div class="panel" id="panel-workers" role="tabpanel" aria-label=table_name hidden=hidden(Tab::Table)>
                    <table::Table lab selected />
                </div>
            </div>
        </section>
    }
}
