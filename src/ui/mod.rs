//! The page, in Leptos: it draws the player's snapshots and passes on what a person does.
//!
//! The run lives outside the reactive graph. Once per animation frame `frames.rs` lets the player play, and sets one
//! signal with one immutable snapshot; memos per panel take it from there.

mod app;
mod frames;
mod lab;
mod request;
mod transport;
mod workers;

pub use lab::Lab;

use leptos::prelude::*;

/// Mounts the page on the body and gives it its automation surface.
pub fn mount() {
    let lab = Lab::open();
    crate::js_api::install(lab);
    frames::start(lab);
    mount_to_body(move || view! { <app::App lab /> });
}
