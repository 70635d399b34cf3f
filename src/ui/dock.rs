//! The dock: the figures as charts, and the workers as a table.

use super::{Lab, metrics, text, workers};
use leptos::prelude::*;

/// What the dock can show.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tab {
    Metrics,
    Workers,
}

const TABS: [(Tab, &str, &str); 2] =
    [(Tab::Metrics, "Metrics", "tab-metrics"), (Tab::Workers, "Workers table", "tab-workers")];

/// The dock.
#[component]
pub fn Dock(lab: Lab, selected: RwSignal<String>) -> impl IntoView {
    let tab = RwSignal::new(Tab::Metrics);
    let other = move |event: leptos::ev::KeyboardEvent| {
        if matches!(event.key().as_str(), "ArrowLeft" | "ArrowRight") {
            tab.update(|tab| *tab = if *tab == Tab::Metrics { Tab::Workers } else { Tab::Metrics });
            super::keys::focus("[role=tab][aria-selected=true]");
        }
    };
    let tabs = TABS.map(|(which, name, testid)| {
        let is_selected = move || tab.get() == which;
        view! {
            <button
                type="button"
                role="tab"
                data-testid=testid
                aria-selected=text(move || is_selected().to_string())
                aria-controls="dock-panel"
                tabindex=text(move || if is_selected() { "0" } else { "-1" }.to_owned())
                on:click=move |_| tab.set(which)
            >
                {name}
            </button>
        }
    });
    view! {
        <section class="dock" id="dock" aria-label="Measurements" tabindex="-1">
            <div class="tabs" role="tablist" aria-label="Measurements" on:keydown=other>
                {tabs.into_iter().collect_view()}
                <span class="hint">"All charts share the timeline below. Shaded: faults."</span>
            </div>
            <div class="panel" id="dock-panel" role="tabpanel" aria-label=text(move || if tab.get() == Tab::Metrics { "Metrics" } else { "Workers table" }.to_owned())>
                {move || match tab.get() {
                    Tab::Metrics => view! { <metrics::Metrics lab /> }.into_any(),
                    Tab::Workers => view! { <workers::Workers lab selected /> }.into_any(),
                }}
            </div>
        </section>
    }
}
