//! The page, in Leptos: it draws the player's snapshots and passes on what a person does.
//!
//! The run lives outside the reactive graph. Once per animation frame `frames.rs` lets the player play, and sets one
//! signal with one immutable snapshot; memos per panel take it from there.

mod app;
mod board;
mod board_painter;
mod break_bar;
mod caption;
mod dock;
mod frames;
mod header;
mod help;
mod keys;
mod lab;
mod menu;
mod metrics;
mod sentence;
mod spin;
mod theme;
mod timeline;
mod transport;
mod workers;

pub use lab::Lab;

use leptos::prelude::*;

use app::App;

/// What a person has chosen to look at; it is no part of the run.
#[derive(Clone, Copy)]
struct View {
    /// The worker that the break bar is about.
    selected: RwSignal<String>,
    /// The truth, or only what the coordinator sees.
    show_truth: RwSignal<bool>,
    /// Whether the help is open.
    help_open: RwSignal<bool>,
}

/// A text that follows what it reads. Every text and attribute of the page that changes is one of these, not a closure
/// of a type of its own, for each of which the whole machinery of drawing it would be compiled again.
fn text(read: impl Fn() -> String + Send + Sync + 'static) -> Signal<String> {
    Signal::derive(read)
}

/// Mounts the page on the body and gives it its automation surface.
pub fn mount() {
    let lab = Lab::open();
    crate::js_api::install(lab);
    frames::start(lab);
    mount_to_body(move || view! { <App lab /> });
}
