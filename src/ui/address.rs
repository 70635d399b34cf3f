//! The page's address: it follows what is on the screen, and leads back to it.
//!
//! Another scenario is a step that Back takes back. All else is the same step: the run as it is changed, at once; the rest a
//! moment later, and where time stands still the moment, too.

use super::{Lab, PAGE, View, keep, theme, workbench};
use crate::app::PlayerState;
use crate::app::session::{Address, Session, opening_speed};
use crate::lab::Invalid;
use crate::substrate::decimal::plain;
use gloo_timers::callback::Interval;
use leptos::ev::MouseEvent;
use leptos::prelude::*;
use wasm_bindgen::JsValue;

/// How long it may take until the address says what is on the screen.
const EVERY_MS: u32 = 500;

/// What the page's address says now.
pub fn read() -> Result<(Address, Vec<String>), Invalid> {
    Address::parse(&window().location().search().unwrap_or_default())
}

/// Says which run is shown, or is about to be: another scenario is a step that Back takes back, another seed of it is not.
pub fn follow(lab: Lab, address: &Address) {
    match read() {
        Ok((now, _)) if now.of_run() == *address => {}
        Ok((now, _)) if now.preset != address.preset => note(&href(address), true),
        Ok((now, _)) => note(&href(&as_opened(of_page(lab, address), &now)), false),
        Err(_) => note(&href(&of_page(lab, address)), false),
    }
}

/// What a page was opened with, and nothing on it changes.
fn as_opened(mut address: Address, opened: &Address) -> Address {
    for key in ["embed", "controls", "ask", "call", "panel", "twin"] {
        if let Some(value) = opened.page(key) {
            address.say(key, value);
        }
    }
    address
}

/// The address of what is on the screen.
fn of_page(lab: Lab, run: &Address) -> Address {
    let mut address = run.clone();
    let Some((_, view)) = PAGE.get() else { return address };
    let status = lab.read(Session::status);
    if status.state == PlayerState::Paused {
        address = address.at(lab.read(|session| session.run().now()));
    }
    if status.speed != opening_speed(&address.preset) {
        address.say("speed", &plain(status.speed));
    }
    let View { selected, shows_when, .. } = view;
    if selected.with_untracked(|node| *node != lab.face().words().selected) {
        address.say("node", &selected.get_untracked());
    }
    if let Some(tab) = workbench::tab(view) {
        address.say("view", tab);
    }
    if !shows_when.get_untracked() {
        address.say("strip", "what");
    }
    address
}

/// The address that is handed on: of this moment, whoever looks at it.
pub fn to_hand_on(lab: Lab, truth: bool) -> Address {
    let at = lab.read(|session| session.run().now());
    of_page(lab, &lab.read(|session| session.address_as(truth))).at(at)
}

/// The address as a link, relative to the page.
pub fn href(address: &Address) -> String {
    format!("./{}", address.search())
}

/// The address as a link that can be handed on.
pub fn link(address: &Address) -> String {
    let location = window().location();
    let base = location.origin().unwrap_or_default() + &location.pathname().unwrap_or_default();
    base + &address.search()
}

/// A click that asks for nothing but what it is on: no other tab, no other window.
pub fn is_plain(event: &MouseEvent) -> bool {
    event.button() == 0 && !(event.ctrl_key() || event.meta_key() || event.shift_key() || event.alt_key())
}

fn note(url: &str, push: bool) {
    let Ok(history) = window().history() else { return };
    // Refused where a page has no address of its own, such as in a frame that was written by a script.
    let _ = if push {
        history.push_state_with_url(&JsValue::NULL, "", Some(url))
    } else {
        history.replace_state_with_url(&JsValue::NULL, "", Some(url))
    };
}

/// Follows Back and Forward, and what changes on the screen.
pub fn listen(lab: Lab, view: View) {
    let handle = window_event_listener(leptos::ev::popstate, move |_| {
        // A link within the page, or an address that was typed wrong, leads nowhere.
        if let Some(to) = read().ok().map(|(to, _)| to).filter(|to| to.of_run() != lab.address()) {
            lab.go(&to);
        }
    });
    on_cleanup(move || handle.remove());
    let now = move || {
        let opened = read().map_or_else(|_| Address::opening(), |(opened, _)| opened);
        let mut address = as_opened(of_page(lab, &lab.address()), &opened);
        if let Some(chosen) = theme::chosen() {
            address.say("theme", &chosen);
        }
        href(&address)
    };
    // What nobody knows stays where it was found, until there is something else to say.
    let found = read().ok().filter(|(_, unknown)| unknown.is_empty());
    let said = StoredValue::new(found.map_or_else(now, |(found, _)| href(&found)));
    keep(Interval::new(EVERY_MS, move || {
        // What a dialog stands over is as it was before; so is what a replay sets out from.
        let status = lab.read(Session::status);
        if view.desk.is_covered() || status.state == PlayerState::Replaying {
            return;
        }
        let now = now();
        if said.with_value(|said| *said != now) {
            note(&now, false);
            said.set_value(now);
        }
    }));
}
