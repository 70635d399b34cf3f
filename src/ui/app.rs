//! The page's frame: title, the request, the workers, the transport.

use super::{Lab, request, transport, workers};
use leptos::prelude::*;

/// The whole page.
#[component]
pub fn App(lab: Lab) -> impl IntoView {
    view! {
        <header class="head">
            <h1>"Glasshive"</h1>
            <p>"Oracle over HTTP: a coordinator asks every worker and makes one answer of theirs."</p>
        </header>
        <main>
            <request::Request lab />
            <workers::Workers lab />
        </main>
        <transport::Transport lab />
    }
}
