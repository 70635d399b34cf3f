//! The page, in Leptos: it draws the session's snapshots and passes on what a person does, as commands.
//!
//! The session lives outside the reactive graph. Once per animation frame `frames.rs` lets it play, and one signal gets
//! one immutable snapshot; memos per panel take it from there. What is mounted on the body is one scenario's page: when
//! another one is opened it is taken away, and all that it listens to with it.

mod address;
mod app;
mod beside;
mod board;
mod board_controls;
mod break_bar;
mod caption;
mod dock;
mod fork;
mod frames;
mod header;
mod host;
mod keys;
mod lab;
mod metrics;
mod panel;
mod sentence;
mod spin;
mod theme;
mod timeline;
mod transport;
// What few people open; a program without it hands its run to the one that has it.
#[cfg_attr(not(feature = "workbench"), path = "elsewhere.rs")]
mod workbench;

pub use lab::Lab;
pub use workbench::{fetch, left};

use crate::app::session::Address;
use leptos::ev::{KeyboardEvent, MouseEvent};
use leptos::prelude::*;
use std::any::Any;
use std::cell::{Cell, RefCell};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::{Closure, wasm_bindgen};

use app::App;
use host::Host;

/// How the charts are to be read.
const CHARTS_HINT: &str = "All charts share the timeline below. Shaded: faults.";

thread_local! {
    /// What is mounted; it is unmounted when this is dropped.
    static MOUNTED: RefCell<Option<Box<dyn Any>>> = const { RefCell::new(None) };
    /// The session behind it, and what of it is looked at.
    static PAGE: Cell<Option<(Lab, View)>> = const { Cell::new(None) };
    /// The session that went to another program last.
    static LEFT: Cell<Option<Lab>> = const { Cell::new(None) };
}

/// What a person has chosen to look at; it is no part of the run.
#[derive(Clone, Copy)]
struct View {
    /// The node that the break bar is about.
    selected: RwSignal<String>,
    /// The panels that few people open.
    desk: workbench::Desk,
    /// Whether one is typing the time to go to.
    go_to: RwSignal<bool>,
    /// Whether the dock is open, on a page that is too low to show it always.
    dock_open: RwSignal<bool>,
    /// Where on the board the menu of the selected node is open.
    menu: RwSignal<Option<(f64, f64)>>,
    /// Which strip the board shows where there is room for one.
    shows_when: RwSignal<bool>,
}

impl View {
    /// What the page's address says of it, and otherwise what a page opens with.
    fn new(lab: Lab) -> Self {
        let address = address::read().map_or_else(|_| Address::opening(), |(address, _)| address);
        let node = address.page("node").filter(|node| lab.snapshot_now().node(node).is_some());
        let view = View {
            selected: RwSignal::new(node.unwrap_or(lab.face().words().selected).to_owned()),
            desk: workbench::Desk::new(address.page("view")),
            go_to: RwSignal::new(false),
            dock_open: RwSignal::new(false),
            menu: RwSignal::new(None),
            shows_when: RwSignal::new(address.page("strip") != Some("what")),
        };
        PAGE.set(Some((lab, view)));
        view
    }
}

/// A text that follows what it reads. Every text and attribute of the page that changes is one of these, not a closure
/// of a type of its own, for each of which the whole machinery of drawing it would be compiled again.
fn text(read: impl Fn() -> String + Send + Sync + 'static) -> Signal<String> {
    Signal::derive(read)
}

/// What a click does. Without a type of its own for each, elements that are alike are compiled once.
fn click(act: impl FnMut(MouseEvent) + 'static) -> Box<dyn FnMut(MouseEvent)> {
    Box::new(act)
}

/// What a key does, likewise.
fn keydown(act: impl FnMut(KeyboardEvent) + 'static) -> Box<dyn FnMut(KeyboardEvent)> {
    Box::new(act)
}

/// Keeps something until what is mounted is taken away, and drops it then.
fn keep<T: 'static>(value: T) {
    StoredValue::new_local(value);
}

/// Calls `act` whenever the box of an element has changed, and once at the beginning.
fn on_resize(element: &web_sys::Element, act: Box<dyn FnMut()>) {
    let act = Closure::wrap(act);
    if let Ok(observer) = web_sys::ResizeObserver::new(act.as_ref().unchecked_ref()) {
        observer.observe(element);
        keep((AtEnd(move || observer.disconnect()), act));
    }
}

/// Does something when what is mounted is taken away.
struct AtEnd<F: FnMut()>(F);

impl<F: FnMut()> Drop for AtEnd<F> {
    fn drop(&mut self) {
        self.0();
    }
}

/// Mounts the page on the body and gives it its automation surface. The boot module calls it, once.
#[wasm_bindgen]
pub fn mount(host: Host) {
    host::meet(host);
    start_page(Lab::open());
}

fn start_page(lab: Lab) {
    crate::js_api::install(lab);
    show(lab);
    frames::start(lab);
}

/// Takes the page away: another program takes its place. Should this one come back, it is with another session.
#[wasm_bindgen]
pub fn unmount() {
    MOUNTED.take();
    let page = PAGE.take();
    if let (Some((lab, _)), true) = (page, cfg!(feature = "workbench")) {
        lab.forget();
        LEFT.set(Some(lab));
    }
}

/// Says that another program could not take this one's place; the address is that of this one's run again.
fn stay_with(lab: Lab, cause: &str) {
    let problem = format!(
        "What you opened is in another program, which could not be loaded ({cause}). The run goes on without it."
    );
    lab.problem.set(Some(problem));
    address::follow(lab, &lab.address());
}

/// Whether there is a page.
fn is_mounted() -> bool {
    MOUNTED.with_borrow(Option::is_some)
}

fn show(lab: Lab) {
    let Some(body) = document().body() else { return };
    let owner = Owner::new();
    let handle = owner.with(|| mount_to(body.clone(), move || view! { <App lab /> }));
    if cfg!(feature = "workbench") {
        return MOUNTED.set(Some(Box::new((handle, owner))));
    }
    // This program ends with its page: what is in the page need not be taken apart, which takes a lot of code.
    handle.forget();
    let end = move || {
        owner.cleanup();
        body.set_text_content(None);
    };
    MOUNTED.set(Some(Box::new(AtEnd(end))));
}

/// Mounts the page of another scenario in the place of the one that is there; not at once, since it may be that one
/// which asks for it.
fn mount_again(lab: Lab) {
    queue_microtask(move || {
        if is_mounted() {
            let focused =
                document().active_element().and_then(|element| element.get_attribute("data-testid"));
            MOUNTED.take();
            lab.turn();
            show(lab);
            if let Some(testid) = focused {
                keys::focus(&format!("[data-testid={testid}]"));
            }
        }
    });
}
