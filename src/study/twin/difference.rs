//! What stands between the boards: the difference, how sure it is, and what may be done next.

use super::Panel;
use crate::app::study::lanes::interval_svg;
use crate::app::study::twin::Said;
use crate::lab::experiment::PairedMetric;
use crate::study::{desk, text};
use leptos::prelude::*;

/// As wide as the card allows.
const WIDTH: f64 = 196.0;

/// The card.
pub(super) fn card(panel: Panel) -> impl IntoView {
    let said = Memo::new(move |_| {
        let named = panel.twin.with(|twin| twin.as_ref().map(|twin| twin.said.clone()))?;
        let now = panel.now.get();
        panel.read(|pair, metric| metric.say(now, &pair.unit, &named))
    });
    let of = move |read: fn(&Said) -> &str| {
        text(move || said.with(|said| said.as_ref().map(read).unwrap_or_default().to_owned()))
    };
    let picture = move || {
        let now = panel.now.get();
        panel.read(|_, metric| interval_svg(metric, now, WIDTH)).unwrap_or_default()
    };
    let independent = text(move || {
        let depend = panel
            .pair
            .with(|pair| pair.as_ref().filter(|pair| !pair.independent).map(|pair| pair.unit.clone()));
        match depend {
            Some(unit) => format!(
                "One seed, whose {unit} depend on each other: the interval is too narrow. Other seeds say more."
            ),
            None => "One seed. Does it hold for others?".to_owned(),
        }
    });
    let has_plan =
        Memo::new(move |_| panel.twin.with(|twin| twin.as_ref().is_some_and(|twin| twin.plan.is_some())));
    let metrics = move || {
        panel.pair.with(|pair| {
            let metrics = pair.iter().flat_map(|pair| &pair.metrics);
            let option = |metric: &PairedMetric| view! { <option value=metric.name.clone()>{metric.title.clone()}</option> };
            metrics.map(option).collect_view()
        })
    };
    view! {
        <section class="twin-card" data-testid="twin-diff" aria-label="Difference">
            <h2>"Difference, A − B"</h2>
            <label class="twin-metric">
                <span class="visually-hidden">"Measured by"</span>
                <select data-testid="twin-metric" prop:value=text(move || { panel.pair.track(); panel.metric.get() }) on:change:target=move |event| panel.metric.set(event.target().value())>
                    {metrics}
                </select>
            </label>
            <Show when=move || panel.hides()>
                <button type="button" class="twin-primary" data-testid="twin-truth" on:click=move |_| {
                    if let Some(module) = panel.module.get_value() {
                        module.reveal();
                    }
                }>"Show the truth"</button>
            </Show>
            <div class="twin-said" class:twin-hidden=move || panel.hides()>
                <output data-testid="twin-figure">{of(|said| &said.figure)}</output>
                <p class="twin-words">{of(|said| &said.words)}</p>
                <div inner_html=picture></div>
                <p class="twin-where" data-testid="twin-interval">{of(|said| &said.interval)}</p>
                <p class="twin-verdict" data-testid="twin-verdict" data-verdict=of(|said| said.verdict)>{of(|said| said.judged)}</p>
            </div>
            <p class="twin-where">{independent}</p>
            <button
                type="button"
                class="twin-primary"
                data-testid="twin-seeds"
                disabled=move || !has_plan.get()
                title=text(move || if has_plan.get() { String::new() } else { "Its sides are two scenarios; a plan varies a setting".to_owned() })
                on:click=move |_| run_seeds(panel)
            >
                "Run 20 seeds"
            </button>
        </section>
    }
}

/// Opens the experiment that asks whether it holds for other seeds: as many units of work in each run as were pairs here.
fn run_seeds(panel: Panel) {
    let Some(mut plan) = panel.twin.with_untracked(|twin| twin.as_ref().and_then(|twin| twin.plan.clone()))
    else {
        return;
    };
    let pairs = panel.pair.with_untracked(|pair| {
        pair.iter().flat_map(|pair| &pair.metrics).map(|metric| metric.pairs.len()).max().unwrap_or(0)
    });
    plan["requests"] = pairs.max(1).into();
    plan["metrics"] = [panel.metric.get_untracked()].as_slice().into();
    desk::open("experiment", &plan.to_string());
}
