//! The dock: the figures as charts, and beside them what few people open, each under a tab. On a low page it is a row of
//! sparks that opens over the board; the style sheet says where.

use super::metrics::Metrics;
use super::panel::{Panel, Tab};
use super::{Lab, View, click, keydown, keys, text, workbench};
use leptos::prelude::*;

/// The dock.
#[component]
pub fn Dock(lab: Lab, view: View) -> impl IntoView {
    let View { dock_open: open, desk, .. } = view;
    let metrics = Metrics::follow(lab, Signal::derive(move || desk.shows(Tab::Metrics) ^ open.get()));
    let choose = move |tab: Tab| {
        if !untrack(|| desk.shows(tab)) {
            workbench::open(lab, view, Panel::Tab(tab));
        }
    };
    let other = move |event: leptos::ev::KeyboardEvent| {
        let by = match event.key().as_str() {
            "ArrowLeft" => Tab::ALL.len() - 1,
            "ArrowRight" => 1,
            _ => return,
        };
        let now = untrack(|| Tab::ALL.iter().position(|&tab| desk.shows(tab))).unwrap_or(0);
        let tab = Tab::ALL[(now + by) % Tab::ALL.len()];
        choose(tab);
        keys::focus(&format!("[data-testid=tab-{}]", tab.key()));
    };
    let tabs = Tab::ALL.map(|tab| {
        let is_selected = move || desk.shows(tab);
        view! {
            <button
                type="button"
                role="tab"
                data-testid=format!("tab-{}", tab.key())
                aria-selected=text(move || is_selected().to_string())
                aria-controls=format!("panel-{}", tab.key())
                tabindex=text(move || if is_selected() { "0" } else { "-1" }.to_owned())
                on:click=click(move |_| choose(tab))
            >
                {tab.title(lab)}
                {workbench::beside_tab(lab, tab)}
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
                    <span class="hint">{text(move || desk.hint().to_owned())}</span>
                </div>
                <div class="panel" id="panel-metrics" role="tabpanel" aria-label="Metrics" hidden=Signal::derive(move || !desk.shows(Tab::Metrics))>
                    {metrics.charts(lab)}
                </div>
                {workbench::tabs(lab, view)}
            </div>
        </section>
    }
}
