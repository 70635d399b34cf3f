//! The plain page: title, the request, the workers, the transport.

mod request;
mod transport;
mod workers;

use super::{Lab, caption, text};
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
            <caption::Caption lab />
            <workers::Workers lab />
        </main>
        <transport::Transport lab />
    }
}
