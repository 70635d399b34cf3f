//! The page's panels on many runs, in Leptos: a program of its own, without any system. `web/study.js` opens them over the page and
//! gives them a desk (`desk.rs`): there they ask for runs, which workers play, and hear of what came of them. Each panel has a
//! folder; what they draw with is `chart.rs`, what they consist of as plain data `app::study`.

mod chart;
mod desk;
mod experiment;
mod foresight;
mod twin;

use crate::app::study::draft::Described;
use desk::Desk;
use gloo_timers::callback::Timeout;
use js_sys::Promise;
use leptos::ev::{Event, Targeted};
use leptos::prelude::*;
use std::any::Any;
use std::cell::RefCell;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{HtmlElement, HtmlInputElement, HtmlSelectElement};

thread_local! {
    /// The panel that is open; it goes away when this is dropped.
    static OPEN: RefCell<Option<Box<dyn Any>>> = const { RefCell::new(None) };
}

/// Opens a panel in the place of the one that is open: `experiment`, `twin` or `foresight`. What it begins with is JSON, or nothing.
#[wasm_bindgen]
pub fn study_open(desk: Desk, mode: &str, detail: String) {
    console_error_panic_hook::set_once();
    study_close();
    let Some(place) = place(mode) else { return };
    desk::meet(desk);
    let mode = mode.to_owned();
    let view = move || {
        let detail = detail.clone();
        match mode.as_str() {
            "experiment" => {
                let begin = experiment::Begin::read(&detail);
                described(begin.search(), move |said| experiment::panel(said, begin.clone()))
            }
            "twin" => described(None, move |said| twin::panel(said, &detail)),
            "foresight" => described(None, move |said| foresight::panel(said, &detail)),
            _ => ().into_any(),
        }
    };
    let handle = mount_to(place.clone(), view);
    OPEN.set(Some(Box::new((handle, Gone(place)))));
}

/// Closes the panel that is open.
#[wasm_bindgen]
pub fn study_close() {
    OPEN.take();
}

/// Where a panel is put: at the end of the page. One that leaves the board where it is lies over it.
fn place(mode: &str) -> Option<HtmlElement> {
    let place: HtmlElement = document().create_element("section").ok()?.dyn_into().ok()?;
    place.set_id(if mode == "foresight" { "ribbon" } else { "study" });
    document().body()?.append_child(&place).ok()?;
    Some(place)
}

/// A place on the page that goes away with what is in it.
struct Gone(HtmlElement);

impl Drop for Gone {
    fn drop(&mut self) {
        self.0.remove();
    }
}

/// What is shown once workers have described a scenario by its query; without one that of the page.
fn described(search: Option<String>, show: impl Fn(Described) -> AnyView + Send + Sync + 'static) -> AnyView {
    let said = RwSignal::new(None::<Result<Described, String>>);
    spawn_local(async move {
        let told = desk::describe(search).await;
        frame().await;
        // The panel may be closed by then.
        said.try_set(Some(told));
    });
    let shown = move || match said.get() {
        None => view! { <p class="study-wait" role="status">"Asking what can be varied…"</p> }.into_any(),
        Some(Ok(said)) => show(said),
        Some(Err(wrong)) => view! { <p class="study-wrong" role="alert">{wrong}</p> }.into_any(),
    };
    shown.into_any()
}

/// Waits until the next frame is drawn. What is built in parts, one after each frame, takes none from the board beside it.
async fn frame() {
    let next = Promise::new(&mut |resolve, _| {
        // Not in the frame itself, and so in what is left until the next one.
        request_animation_frame(move || {
            Timeout::new(0, move || drop(resolve.call0(&JsValue::UNDEFINED))).forget();
        });
    });
    drop(JsFuture::from(next).await);
}

/// A text that follows what it reads. One type for all of them: the machinery of drawing it is compiled once.
fn text(read: impl Fn() -> String + Send + Sync + 'static) -> Signal<String> {
    Signal::derive(read)
}

/// What typing into a field does.
fn typed(act: impl Fn(String) + 'static) -> impl FnMut(Targeted<Event, HtmlInputElement>) {
    move |event| act(event.target().value())
}

/// What choosing a word does.
fn chosen(act: impl Fn(String) + 'static) -> impl FnMut(Targeted<Event, HtmlSelectElement>) {
    move |event| act(event.target().value())
}
