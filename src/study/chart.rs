//! A chart on the page: as wide as there is room, drawn anew when what it shows changes.

use crate::app::study::chart::Chart;
use leptos::html::Div;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::ResizeObserver;

/// A chart that fills its place.
#[component]
pub fn ChartView(chart: Signal<Chart>, height: f64) -> impl IntoView {
    drawn(move |width, height| chart.with(|chart| chart.svg(width, height)), height)
}

/// A picture that fills its place: SVG for a width and a height, drawn anew when what it reads changes.
pub fn drawn(picture: impl Fn(f64, f64) -> String + Send + Sync + 'static, height: f64) -> AnyView {
    let place: NodeRef<Div> = NodeRef::new();
    let width = RwSignal::new(0.0);
    Effect::new(move || {
        let Some(element) = place.get() else { return };
        let measured = element.clone();
        let measure = Closure::<dyn FnMut()>::new(move || {
            let now = f64::from(measured.client_width());
            if width.get_untracked() != now {
                width.set(now);
            }
        });
        if let Ok(observer) = ResizeObserver::new(measure.as_ref().unchecked_ref()) {
            observer.observe(&element);
            // Both live as long as the panel.
            let kept = StoredValue::new_local((observer, measure));
            on_cleanup(move || kept.with_value(|(observer, _)| observer.disconnect()));
        }
    });
    let svg = move || match width.get() {
        width if width > 0.0 => picture(width, height),
        _ => String::new(),
    };
    view! { <div class="study-canvas" node_ref=place inner_html=svg></div> }.into_any()
}
