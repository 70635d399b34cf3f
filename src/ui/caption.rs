//! The caption under the board, and the live region that says it, at most once in five seconds.

use super::{Lab, text};
use gloo_timers::callback::Interval;
use leptos::prelude::*;

/// How often those who hear the page are told.
const SAY_EVERY_MS: u32 = 5000;

/// The line.
#[component]
pub fn Caption(lab: Lab) -> impl IntoView {
    let now = Memo::new(move |_| lab.snapshot.with(|snapshot| lab.face().caption(snapshot)));
    let said = RwSignal::new(String::new());
    let ticking = Interval::new(SAY_EVERY_MS, move || {
        let text = now.with_untracked(|caption| caption.text());
        if said.with_untracked(|said| *said != text) {
            said.set(text);
        }
    });
    super::keep(ticking);
    view! {
        <div class="caption">
            <p data-testid="caption">
                <b>{text(move || now.with(|c| c.headline.clone()))}</b>
                " "
                {text(move || now.with(|c| c.detail.clone()))}
                " "
                <span class="question">{text(move || now.with(|c| c.question.clone()))}</span>
            </p>
            <p class="visually-hidden" role="status" aria-live="polite">{text(move || said.get())}</p>
        </div>
    }
}
