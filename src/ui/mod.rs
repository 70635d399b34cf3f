//! The page, in Leptos: it draws the player's snapshots and passes on what a person does.
//!
//! The run lives outside the reactive graph. Once per animation frame `frames.rs` lets the player play, and sets one
//! signal with one immutable snapshot; memos per panel take it from there.

mod caption;
mod frames;
mod lab;
mod plain;

pub use lab::Lab;

use leptos::prelude::*;
use plain::App;

/// A text that follows what it reads. Every text and attribute of the page that changes is one of these, not a closure
/// of a type of its own: the page's program is a third smaller for it.
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
