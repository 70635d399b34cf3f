//! The page, in Leptos.

use leptos::prelude::*;

/// Mounts the page on the body.
pub fn mount() {
    mount_to_body(|| view! { <main><h1>"Glasshive"</h1></main> });
}
