//! The charts of the dock: they follow the run, and are drawn again four times a second at most.

use super::Lab;
use crate::app::PlayerState;
use crate::app::plot::{Chart, Charts, HEIGHT};
use leptos::html::Div;
use leptos::prelude::*;
use std::rc::Rc;
use web_sys::HtmlDivElement;

/// The least wall time between two drawings while time runs.
const REDRAW_MS: f64 = 250.0;
/// How wide a chart is taken to be until the page has been laid out.
const WIDTH: f64 = 254.0;

/// All charts of one moment.
type Drawn = RwSignal<Rc<[Chart]>, LocalStorage>;

/// What the charts are made of: the run's history, how wide they are, and when they were drawn last.
struct Drawing {
    charts: Box<dyn Charts>,
    width: f64,
    drawn_at: f64,
}

/// The charts.
#[component]
pub fn Metrics(lab: Lab, shown: Signal<bool>) -> impl IntoView {
    let mut first = Drawing { charts: lab.face().charts(), width: WIDTH, drawn_at: f64::NEG_INFINITY };
    let all: Drawn = RwSignal::new_local(first.draw(lab));
    let drawing = StoredValue::new_local(first);
    let container = NodeRef::<Div>::new();
    // What scrolls must be within reach of the keyboard.
    let scrolls = RwSignal::new(false);
    let draw = move || {
        drawing.update_value(|drawing| {
            drawing.measure(container);
            drawing.drawn_at = js_sys::Date::now();
            all.set(drawing.draw(lab));
            let wider = |div: HtmlDivElement| div.scroll_width() > div.client_width();
            scrolls.set(container.get_untracked().is_some_and(wider));
        });
    };
    Effect::new(move |_| {
        if !shown.get() {
            return;
        }
        lab.snapshot.track();
        // The session itself: its state is newer than the signal. What stands still is drawn as it is.
        let stands = lab.read(|session| session.status().state == PlayerState::Paused);
        // A clock that was set back draws at once, too.
        let since = drawing.with_value(|drawing| (js_sys::Date::now() - drawing.drawn_at).abs());
        if stands || since >= REDRAW_MS {
            draw();
        }
    });
    let resized = window_event_listener(leptos::ev::resize, move |_| draw());
    on_cleanup(move || resized.remove());
    view! {
    <div class="charts" node_ref=container role="group" aria-label="Charts" tabindex=move || scrolls.get().then_some("0")>{(0..all.with_untracked(|all| all.len())).map(|i| chart(all, i)).collect_view()}</div> }
}

impl Drawing {
    fn draw(&mut self, lab: Lab) -> Rc<[Chart]> {
        // While it is on its way elsewhere, the charts stay at the moment that is shown.
        let _ = lab.read_run(|run| self.charts.update(run));
        self.charts.draw(self.width).into()
    }

    /// All charts are equally wide.
    fn measure(&mut self, container: NodeRef<Div>) {
        let svg = container.get_untracked().and_then(|div| div.query_selector("svg").ok().flatten());
        if let Some(width) = svg.map(|svg| svg.client_width()).filter(|&width| width > 0) {
            self.width = width.into();
        }
    }
}

fn chart(all: Drawn, i: usize) -> impl IntoView {
    let (key, title) = all.with_untracked(|all| (all[i].key, all[i].title));
    view! {
        <figure class="chart" data-testid=format!("chart-{key}")>
            <figcaption>
                <b>{title}</b>
                <span>{move || all.with(|all| all[i].value_label.clone())}</span>
            </figcaption>
            <svg
                role="img"
                viewBox=move || all.with(|all| format!("0 0 {} {HEIGHT}", all[i].width))
                aria-label=move || all.with(|all| format!("{title}. {}", all[i].description))
                inner_html=move || all.with(|all| all[i].svg())
            />
        </figure>
    }
}
