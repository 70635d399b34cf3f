//! The page's address: it follows the scenario and the seed, and leads back to them.

use super::Lab;
use crate::app::session::Address;
use crate::lab::Invalid;
use leptos::ev::MouseEvent;
use leptos::prelude::*;
use wasm_bindgen::JsValue;

/// What the page's address says now.
pub fn read() -> Result<(Address, Vec<String>), Invalid> {
    Address::parse(&window().location().search().unwrap_or_default())
}

/// Says what is shown, or is about to be: another scenario is a step that Back takes back, another seed of it is not.
pub fn follow(address: &Address) {
    match read() {
        Ok((now, _)) if now == *address => {}
        Ok((now, _)) => note(address, now.preset != address.preset),
        Err(_) => note(address, false),
    }
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

fn note(address: &Address, push: bool) {
    let Ok(history) = window().history() else { return };
    let url = href(address);
    // Refused where a page has no address of its own, such as in a frame that was written by a script.
    let _ = if push {
        history.push_state_with_url(&JsValue::NULL, "", Some(&url))
    } else {
        history.replace_state_with_url(&JsValue::NULL, "", Some(&url))
    };
}

/// Follows Back and Forward.
pub fn listen(lab: Lab) {
    let handle = window_event_listener(leptos::ev::popstate, move |_| {
        // A link within the page, or an address that was typed wrong, leads nowhere.
        if let Some(to) = read().ok().map(|(to, _)| to).filter(|to| *to != lab.address()) {
            lab.go(&to);
        }
    });
    on_cleanup(move || handle.remove());
}
