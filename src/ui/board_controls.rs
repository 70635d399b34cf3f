//! The controls that stand on the board: the switch of the truth, and the way out of a state that does not end by itself.

use super::{Lab, click, text};
use crate::app::face::Remedy;
use crate::app::session::Command;
use leptos::prelude::*;

/// The room that the menu takes, for keeping it inside the board.
const MENU: (f64, f64) = (216.0, 300.0);

/// Where in a board of this size a menu that was asked for at a point is put.
pub fn menu_place((x, y): (f64, f64), (width, height): (f64, f64)) -> (f64, f64) {
    (x.min(width - MENU.0).max(0.0), y.min(height - MENU.1).max(0.0))
}

/// The switch between what the laboratory knows and what the system itself can see.
#[component]
pub fn Truth(lab: Lab, title: &'static str) -> impl IntoView {
    view! {
        <button
            type="button"
            class="truth"
            data-testid="truth"
            aria-pressed=text(move || lab.truth.get().to_string())
            aria-keyshortcuts="X"
            title=title
            on:click=click(move |_| lab.show_truth(!lab.truth.get_untracked()))
        >
            "Truth" <i>{text(move || if lab.truth.get() { "" } else { "hidden" }.to_owned())}</i> <kbd aria-hidden="true">"X"</kbd>
        </button>
    }
}

/// The way out of a state that the system does not leave by itself, which the board itself says.
#[component]
pub fn WayOut(lab: Lab) -> impl IntoView {
    let remedy = Memo::new(move |_| lab.glance.with(|snapshot| lab.face().remedy(snapshot)));
    let of = move |read: fn(&Remedy) -> &'static str| {
        text(move || remedy.with(|remedy| remedy.as_ref().map_or("", read).to_owned()))
    };
    let take = move |_| {
        if let Some(Remedy { fault, .. }) = remedy.get_untracked() {
            lab.act(Command::Fault { fault });
        }
    };
    view! {
        <button
            type="button"
            class="nobody"
            data-testid="restart-all"
            title=of(|remedy| remedy.title)
            hidden=move || remedy.with(Option::is_none)
            on:click=click(take)
        >
            {of(|remedy| remedy.label)}
        </button>
    }
}
