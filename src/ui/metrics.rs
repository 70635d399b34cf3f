//! The charts of the dock, and the sparks that stand for them on a low page: they follow the run, and are drawn again
//! four times a second at most.

use super::{Lab, workbench};
use crate::app::PlayerState;
use crate::app::plot::{Chart, Charts, HEIGHT};
use crate::substrate::decimal::plain;
use leptos::html::Div;
use leptos::prelude::*;
use std::rc::Rc;
use web_sys::HtmlDivElement;

/// The least wall time between two drawings while time runs.
const REDRAW_MS: f64 = 250.0;
/// How wide a chart is taken to be until the page has been laid out.
const WIDTH: f64 = 254.0;

/// All charts of one moment.
pub type Drawn = RwSignal<Rc<[Chart]>, LocalStorage>;

/// What the charts are made of: the run's history, how wide they are, and when they were drawn last.
struct Drawing {
    charts: Box<dyn Charts>,
    /// Those of the future that an act in the past has left.
    left: Option<Box<dyn Charts>>,
    width: f64,
    drawn_at: f64,
}

/// The charts as they are now, for those who show them.
#[derive(Clone, Copy)]
pub struct Metrics {
    all: Drawn,
    /// Where the charts stand as a whole.
    container: NodeRef<Div>,
    /// What scrolls must be within reach of the keyboard.
    scrolls: RwSignal<bool>,
}

impl Metrics {
    /// Charts that follow the run; when `seen` changes they may have another width.
    pub fn follow(lab: Lab, seen: Signal<bool>) -> Self {
        let mut first =
            Drawing { charts: lab.face().charts(), left: None, width: WIDTH, drawn_at: f64::NEG_INFINITY };
        let all: Drawn = RwSignal::new_local(first.draw(lab));
        let drawing = StoredValue::new_local(first);
        let metrics = Metrics { all, container: NodeRef::new(), scrolls: RwSignal::new(false) };
        let draw = move || {
            drawing.update_value(|drawing| {
                drawing.measure(metrics.container);
                drawing.drawn_at = js_sys::Date::now();
                all.set(drawing.draw(lab));
                let wider = |div: HtmlDivElement| div.scroll_width() > div.client_width();
                metrics.scrolls.set(metrics.container.get_untracked().is_some_and(wider));
            });
        };
        Effect::new(move |before: Option<bool>| {
            let seen = seen.get();
            lab.truth.track();
            lab.snapshot.track();
            // The session itself: its state is newer than the signal. What stands still is drawn as it is.
            let stands = lab.read(|session| session.status().state == PlayerState::Paused);
            // A clock that was set back draws at once, too.
            let since = drawing.with_value(|drawing| (js_sys::Date::now() - drawing.drawn_at).abs());
            if stands || before != Some(seen) || since >= REDRAW_MS {
                draw();
            }
            seen
        });
        // Also where another panel takes some of their room while the run stands still.
        Effect::new(move |_| {
            if let Some(container) = metrics.container.get() {
                super::on_resize(&container, Box::new(draw));
            }
        });
        metrics
    }

    /// The charts.
    pub fn charts(self, lab: Lab) -> impl IntoView {
        let Metrics { all, container, scrolls } = self;
        view! {
            <div class="charts" node_ref=container role="group" aria-label="Charts" tabindex=move || scrolls.get().then_some("0")>
                {(0..all.with_untracked(|all| all.len())).map(|i| chart(lab, all, i)).collect_view()}
            </div>
        }
    }

    /// The same as a row of small ones: the lines without axes, and the figures that count.
    pub fn sparks(self) -> impl IntoView {
        let all = self.all;
        (0..all.with_untracked(|all| all.len())).map(|i| spark(all, i)).collect_view()
    }
}

impl Drawing {
    fn draw(&mut self, lab: Lab) -> Rc<[Chart]> {
        // While it is on its way elsewhere, the charts stay at the moment that is shown.
        let _ = lab.read_run(|run| self.charts.update(run));
        let course = lab.read(|session| {
            let run = session.left_run()?;
            let left = self.left.get_or_insert_with(|| lab.face().charts());
            left.update(run);
            Some(left.course())
        });
        if course.is_none() {
            self.left = None;
        }
        self.charts.lay_beside(course.unwrap_or_default());
        self.charts.draw(self.width, lab.read(crate::app::Session::showing)).into()
    }

    /// All charts are equally wide.
    fn measure(&mut self, container: NodeRef<Div>) {
        let svg = container.get_untracked().and_then(|div| div.query_selector("svg").ok().flatten());
        if let Some(width) = svg.map(|svg| svg.client_width()).filter(|&width| width > 0) {
            self.width = width.into();
        }
    }
}

fn chart(lab: Lab, all: Drawn, i: usize) -> impl IntoView {
    let key = all.with_untracked(|all| all[i].key);
    view! {
        <figure class="chart" data-testid=format!("chart-{key}")>
            <figcaption title=move || all.with(|all| all[i].description.clone())>
                <b>{move || all.with(|all| all[i].title)}</b>
                <span>{move || all.with(|all| all[i].value_label.clone())}</span>
            </figcaption>
            <svg
                class="plot"
                role="img"
                viewBox=move || all.with(|all| format!("0 0 {} {}", plain(all[i].width), plain(HEIGHT)))
                aria-label=move || all.with(|all| format!("{}. {}", all[i].title, all[i].description))
                inner_html=move || all.with(|all| all[i].svg())
            />
            {workbench::beside_chart(lab, key, all, i)}
        </figure>
    }
}

fn spark(all: Drawn, i: usize) -> impl IntoView {
    let key = all.with_untracked(|all| all[i].key);
    view! {
        <div class="spark" data-testid=format!("spark-{key}")>
            <svg
                class="plot"
                aria-hidden="true"
                preserveAspectRatio="none"
                viewBox=move || all.with(|all| all[i].inside())
                inner_html=move || all.with(|all| all[i].svg())
            />
            <span>
                <small>{move || all.with(|all| all[i].title)}</small>
                <b>{move || all.with(|all| all[i].value_label.clone())}</b>
            </span>
        </div>
    }
}
