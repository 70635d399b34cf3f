//! The keyboard: one key per act, unless a person has switched that off or is typing.

use super::break_bar;
use super::{Lab, View, theme, transport};
use crate::app::catalogue::face;
use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::Element;

const OFF_KEY: &str = "glasshive-keys-off";

/// Whether single keys act.
pub fn are_on() -> bool {
    theme::storage().and_then(|storage| storage.get_item(OFF_KEY).ok().flatten()).is_none()
}

/// Switches single keys on or off, for good.
pub fn switch(on: bool) {
    if let Some(storage) = theme::storage() {
        // A browser that keeps nothing forgets it with the page.
        let _ = if on { storage.remove_item(OFF_KEY) } else { storage.set_item(OFF_KEY, "1") };
    }
}

/// Listens as long as the page lives.
pub fn listen(lab: Lab, view: View) {
    let handle = window_event_listener(leptos::ev::keydown, move |event| {
        if event.ctrl_key()
            || event.meta_key()
            || event.alt_key()
            || view.help_open.get_untracked()
            || !are_on()
        {
            return;
        }
        let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        if act(lab, view, &event, target.as_ref()) {
            event.prevent_default();
        }
    });
    // Never removed: there is one page.
    std::mem::forget(handle);
}

/// True if the key meant something.
fn act(lab: Lab, view: View, event: &KeyboardEvent, at: Option<&Element>) -> bool {
    let View { selected, help_open, show_truth } = view;
    let is = |selector: &str| at.is_some_and(|element| element.matches(selector).unwrap_or(false));
    if is("input[type=text], textarea, select") {
        return false;
    }
    // Keys that a focused control has a use of its own for.
    let key = event.key();
    match key.as_str() {
        " " if is("button, a, summary, input") => return false,
        " " => lab.toggle_play(),
        "." => lab.step(),
        "," => lab.jump(|player| player.step_back()),
        ">" => lab.jump(|player| player.next_request()),
        "[" => transport::change_speed(lab, -1),
        "]" => transport::change_speed(lab, 1),
        "ArrowUp" | "ArrowDown" if is("input, [role=spinbutton], [role=tab]") => return false,
        "ArrowUp" => select_next(lab, selected, -1),
        "ArrowDown" => select_next(lab, selected, 1),
        "x" | "X" if has_liars(lab) => show_truth.update(|show| *show = !*show),
        "g" | "G" => focus("[data-testid=scrub]"),
        "?" => help_open.set(true),
        _ => {
            let found = break_bar::offered(lab).find(|way| way.key().eq_ignore_ascii_case(&key));
            let Some(way) = found else { return false };
            break_bar::toggle(lab, way.kind, &selected.get_untracked());
        }
    }
    true
}

/// Only where someone can lie there is a truth to hide.
fn has_liars(lab: Lab) -> bool {
    face(lab.snapshot.with_untracked(|snapshot| snapshot.system)).has_liars
}

fn select_next(lab: Lab, selected: RwSignal<String>, by: isize) {
    let next = lab.snapshot.with_untracked(|snapshot| {
        let workers = snapshot.rows();
        let now =
            selected.with_untracked(|name| workers.iter().position(|node| node.name == *name)).unwrap_or(0);
        let next = now.saturating_add_signed(by).min(workers.len().saturating_sub(1));
        workers.get(next).map(|node| node.name.clone())
    });
    if let Some(next) = next {
        selected.set(next);
    }
}

/// Gives the focus to the first element that a selector finds, once the page is drawn.
pub fn focus(selector: &str) {
    let found = document().query_selector(selector).ok().flatten();
    if let Some(element) = found.and_then(|element| element.dyn_into::<web_sys::HtmlElement>().ok()) {
        // One that is gone takes no focus.
        let _ = element.focus();
    }
}
