//! Light or dark: the system's choice until a person makes one, which is kept.

use super::{AtEnd, keep};
use leptos::prelude::*;
use wasm_bindgen::prelude::*;

const KEY: &str = "glasshive-theme";
const ATTRIBUTE: &str = "data-theme";

/// A handle to the theme.
#[derive(Clone, Copy)]
pub struct Theme {
    /// What a person has chosen, if anything.
    chosen: RwSignal<Option<bool>>,
    /// Whether the system is dark.
    system: RwSignal<bool>,
}

impl Theme {
    /// The person's choice if there is one, else the system's, as long as there is none.
    pub fn restore() -> Self {
        // The page itself knows of a choice that was made on it, or by its address, since a browser may keep nothing.
        let kept = || storage().and_then(|storage| storage.get_item(KEY).ok().flatten());
        let chosen = chosen().or_else(kept);
        if let Some(chosen) = &chosen {
            apply(chosen);
        }
        let system = RwSignal::new(false);
        if let Some(query) = window().match_media("(prefers-color-scheme: dark)").ok().flatten() {
            follow(query, system);
        }
        Theme { chosen: RwSignal::new(chosen.map(|chosen| chosen == "dark")), system }
    }

    /// The other one, from now on.
    pub fn toggle(self) {
        let dark = untrack(|| !self.is_dark());
        self.chosen.set(Some(dark));
        apply(untrack(|| self.name()));
        if let Some(storage) = storage() {
            // A browser that keeps nothing still shows it.
            let _ = storage.set_item(KEY, self.name());
        }
    }

    /// `light` or `dark`.
    pub fn name(self) -> &'static str {
        if self.is_dark() { "dark" } else { "light" }
    }

    fn is_dark(self) -> bool {
        self.chosen.get().unwrap_or_else(|| self.system.get())
    }
}

/// Keeps what the system wants up to date.
fn follow(query: web_sys::MediaQueryList, dark: RwSignal<bool>) {
    dark.set(query.matches());
    let now = query.clone();
    let changed = Closure::<dyn FnMut()>::new(move || dark.set(now.matches()));
    let callback = changed.as_ref().unchecked_ref();
    // Refused by a browser that does not tell: then the theme is as it was when the page opened.
    let _ = query.add_event_listener_with_callback("change", callback);
    keep(AtEnd(move || {
        let callback = changed.as_ref().unchecked_ref();
        let _ = query.remove_event_listener_with_callback("change", callback);
    }));
}

/// What was chosen on this page, if anything.
pub fn chosen() -> Option<String> {
    document().document_element().and_then(|root| root.get_attribute(ATTRIBUTE))
}

fn apply(name: &str) {
    if let Some(root) = document().document_element() {
        // The name is valid.
        let _ = root.set_attribute(ATTRIBUTE, name);
    }
}

/// The browser's storage, where it allows one.
pub fn storage() -> Option<web_sys::Storage> {
    window().local_storage().ok().flatten()
}
