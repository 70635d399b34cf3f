//! What can be taken back: the two buttons of the header, the keys, and the bar that says that the past was changed.

use super::{Lab, click, host, workbench};
use crate::app::session::Command;
use crate::substrate::decimal::fixed;
use gloo_timers::callback::Timeout;
use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use wasm_bindgen::JsCast;

/// The bar leaves by itself when it has been read: eighteen words. The old run stays in grey.
const SAID_MS: u32 = 5400;

/// Undo and redo.
#[component]
pub fn UndoRedo(lab: Lab) -> impl IntoView {
    let (can_undo, can_redo) =
        (Memo::new(move |_| lab.status.get().can_undo), Memo::new(move |_| lab.status.get().can_redo));
    let button = move |testid: &'static str,
                       label: &'static str,
                       d: &'static str,
                       can: Memo<bool>,
                       command: Command| {
        view! {
            <button
                type="button"
                class="icon back"
                data-testid=testid
                aria-label=label
                title=label
                disabled=move || !can.get()
                on:click=click(move |_| lab.act(command.clone()))
            >
                <svg width="18" height="18" viewBox="0 0 18 18" aria-hidden="true">
                    <path class="icon-line" d=d />
                </svg>
            </button>
        }
        .into_any()
    };
    view! {
        {button("undo", "Undo, Ctrl Z", "M6.5 3.5 3 7l3.5 3.5M3.5 7H11a4 4 0 0 1 0 8H7", can_undo, Command::Undo)}
        {button("redo", "Redo, Ctrl Shift Z", "M11.5 3.5 15 7l-3.5 3.5M14.5 7H7a4 4 0 0 0 0 8h4", can_redo, Command::Redo)}
    }
}

/// Whether a key with Ctrl or Cmd was one of these; one that has nothing to take back does nothing.
pub fn key(lab: Lab, event: &KeyboardEvent) -> bool {
    let element = event.target().and_then(|target| target.dyn_into::<web_sys::Element>().ok());
    let types = |at: web_sys::Element| at.matches("input[type=text], textarea").unwrap_or(false);
    if event.alt_key() || element.is_some_and(types) {
        return false;
    }
    let status = lab.status.get_untracked();
    let (command, can) = match (event.key().to_ascii_lowercase().as_str(), event.shift_key()) {
        ("z", false) => (Command::Undo, status.can_undo),
        ("z", true) | ("y", false) => (Command::Redo, status.can_redo),
        _ => return false,
    };
    if can {
        lab.act(command);
    }
    true
}

/// Says what was changed of the past, and what one may do about it.
#[component]
pub fn Fork(lab: Lab) -> impl IntoView {
    let left_at = Memo::new(move |_| lab.status.get().left_at_ms);
    let is_said = RwSignal::new(false);
    let leaves = StoredValue::new_local(None::<Timeout>);
    Effect::new(move || {
        is_said.set(left_at.get().is_some());
        leaves.set_value(Some(Timeout::new(SAID_MS, move || is_said.set(false))));
    });
    let button = move |testid: &'static str, label: &'static str, act: Callback<()>| {
        view! {
            <button type="button" class="small" data-testid=testid on:click=click(move |_| act.run(()))>
                {label}
            </button>
        }
    };
    let bar = move || {
        let at_ms = left_at.get().filter(|_| is_said.get())?;
        let changed = format!("You changed the past at {} s: ", fixed(at_ms / 1000.0, 1));
        let what = workbench::changed(lab, at_ms);
        Some(view! {
            <div class="fork" data-testid="fork" role="status">
                <p><b>{changed}</b>{what}"The old run stays in grey."</p>
                {button("fork-undo", "Undo", Callback::new(move |()| lab.act(Command::Undo)))}
                {button("fork-twins", "Keep both as twins", Callback::new(move |()| host::tell(|host| host.study("twin"))))}
                {button("drop-old", "Drop the old run", Callback::new(move |()| lab.act(Command::DropOld)))}
                {button("fork-close", "Close", Callback::new(move |()| is_said.set(false)))}
            </div>
        })
    };
    view! { {bar} }
}
