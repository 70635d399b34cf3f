//! Light or dark: the system's choice until a person makes one, which is kept.

use leptos::prelude::*;

const KEY: &str = "glasshive-theme";

/// A handle to the theme.
#[derive(Clone, Copy)]
pub struct Theme {
    dark: RwSignal<bool>,
}

impl Theme {
    /// The person's choice if there is one, else the system's.
    pub fn restore() -> Self {
        let kept = storage().and_then(|storage| storage.get_item(KEY).ok().flatten());
        let system = window().match_media("(prefers-color-scheme: dark)").ok().flatten();
        let system_is_dark = system.is_some_and(|query| query.matches());
        if let Some(kept) = &kept {
            apply(kept);
        }
        Theme { dark: RwSignal::new(kept.map_or(system_is_dark, |kept| kept == "dark")) }
    }

    /// The other one, from now on.
    pub fn toggle(self) {
        self.dark.update(|dark| *dark = !*dark);
        apply(self.name());
        if let Some(storage) = storage() {
            // A browser that keeps nothing still shows it.
            let _ = storage.set_item(KEY, self.name());
        }
    }

    /// `light` or `dark`.
    pub fn name(self) -> &'static str {
        if self.dark.get() { "dark" } else { "light" }
    }
}

fn apply(name: &str) {
    if let Some(root) = document().document_element() {
        // `data-theme` is a valid attribute name.
        let _ = root.set_attribute("data-theme", name);
    }
}

/// The browser's storage, where it allows one.
pub fn storage() -> Option<web_sys::Storage> {
    window().local_storage().ok().flatten()
}
