//! The page, in Leptos: it draws the player's snapshots and passes on what a person does.
//!
//! The run lives outside the reactive graph. Once per animation frame `frames.rs` lets the player play, and sets one
//! signal with one immutable snapshot; memos per panel take it from there.
//!
//! There are two pages. The one that ships is `plain/`. The one that will take its place, with the race board, is built
//! with the feature `board` (`trunk serve board.html`): the other modules here.

mod caption;
mod frames;
mod lab;
#[cfg(not(feature = "board"))]
mod plain;

#[cfg(feature = "board")]
mod app;
#[cfg(feature = "board")]
mod board;
#[cfg(feature = "board")]
mod board_painter;
#[cfg(feature = "board")]
mod break_bar;
#[cfg(feature = "board")]
mod dock;
#[cfg(feature = "board")]
mod header;
#[cfg(feature = "board")]
mod help;
#[cfg(feature = "board")]
mod keys;
#[cfg(feature = "board")]
mod metrics;
#[cfg(feature = "board")]
mod sentence;
#[cfg(feature = "board")]
mod spin;
#[cfg(feature = "board")]
mod theme;
#[cfg(feature = "board")]
mod timeline;
#[cfg(feature = "board")]
mod transport;
#[cfg(feature = "board")]
mod workers;

pub use lab::Lab;

use leptos::prelude::*;

#[cfg(feature = "board")]
use app::App;
#[cfg(not(feature = "board"))]
use plain::App;

/// The worker that is selected when the page opens: one click breaks it.
#[cfg(feature = "board")]
const OPENING_SELECTION: &str = "w-08";

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
