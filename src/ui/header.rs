//! The header: name, system, theme, help.

use super::text;
use super::theme::Theme;
use leptos::prelude::*;

/// The bar at the top.
#[component]
pub fn Header(theme: Theme, help_open: RwSignal<bool>) -> impl IntoView {
    view! {
        <header class="head">
            <h1 class="brand">
                <svg width="22" height="22" viewBox="0 0 22 22" aria-hidden="true">
                    <path class="brand-cell" d="M11 1.5 19.2 6.25v9.5L11 20.5 2.8 15.75v-9.5z" />
                    <circle class="fill-in-time" cx="11" cy="6.6" r="2.3" />
                    <path class="fill-lying" d="m14.9 10.2 2.5 2.5-2.5 2.5-2.5-2.5z" />
                    <path class="fill-late" d="M5.1 10.6h4v4h-4z" />
                </svg>
                "Glasshive"
            </h1>
            <nav class="systems" aria-label="System">
                <a href="#" aria-current="page" data-testid="system-oracle-http">"Oracle" <small>"HTTP"</small></a>
            </nav>
            <span class="push"></span>
            <button
                type="button"
                class="icon"
                data-testid="theme"
                aria-label=text(move || format!("Theme: {}", theme.name()))
                title="Light or dark"
                on:click=move |_| theme.toggle()
            >
                <svg width="18" height="18" viewBox="0 0 18 18" aria-hidden="true">
                    <circle cx="9" cy="9" r="6.5" fill="none" stroke="currentColor" stroke-width="1.6" />
                    <path d="M9 2.5a6.5 6.5 0 0 1 0 13z" fill="currentColor" />
                </svg>
            </button>
            <button
                type="button"
                class="icon"
                data-testid="help"
                aria-label="Help, keyboard shortcuts"
                on:click=move |_| help_open.set(true)
            >
                "?"
            </button>
        </header>
    }
}
