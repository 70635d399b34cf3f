//! The header: name, system, theme, help.

use super::theme::Theme;
use super::{Lab, address, text};
use crate::app::session::Address;
use crate::lab::presets::{self, Preset};
use crate::lab::{SystemKind, systems};
use leptos::ev::{Event, MouseEvent, Targeted};
use leptos::prelude::*;
use web_sys::HtmlSelectElement;

/// The bar at the top.
#[component]
pub fn Header(lab: Lab, theme: Theme, help_open: RwSignal<bool>) -> impl IntoView {
    // Another scenario's page has a header of its own.
    let now = lab.snapshot.with_untracked(|snapshot| snapshot.system);
    let preset = lab.address().preset;
    let choose =
        move |event: Targeted<Event, HtmlSelectElement>| lab.go(&Address::of(&event.target().value()));
    view! {
        <header class="head">
            <h1 class="brand">
                <svg width="22" height="22" viewBox="0 0 22 22" aria-hidden="true">
                    <path class="brand-cell" d="M11 1.5 19.2 6.25v9.5L11 20.5 2.8 15.75v-9.5z" />
                    <circle class="fill-in-time" cx="11" cy="6.6" r="2.3" />
                    <path class="fill-lying" d="m14.9 10.2 2.5 2.5-2.5 2.5-2.5-2.5z" />
                    <path class="fill-late" d="M5.1 10.6h4v4h-4z" />
                </svg>
                <span>"Glasshive"</span>
            </h1>
            <nav class="systems" aria-label="System">{systems::all().map(|system| tab(lab, system, now)).collect_view()}</nav>
            <span class="push"></span>
            <select class="presets" data-testid="preset" aria-label="Scenario" on:change:target=choose>
                {systems::all().map(|system| presets_of(system, &preset)).collect_view()}
            </select>
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

/// A system is a link to its first scenario; where a plain click leads, no page is loaded.
fn tab(lab: Lab, system: SystemKind, now: SystemKind) -> impl IntoView {
    let SystemKind { title, over, .. } = system;
    let to = Address::of(system.name);
    let href = address::href(&to);
    let follow = move |event: MouseEvent| {
        let elsewhere = event.ctrl_key() || event.meta_key() || event.shift_key() || event.alt_key();
        if event.button() == 0 && !elsewhere {
            event.prevent_default();
            lab.go(&to);
        }
    };
    view! {
        <a
            href=href
            on:click=follow
            aria-current=(system == now).then_some("page")
            data-testid=format!("system-{}", system.name)
        >
            {title} <small>{over}</small>
        </a>
    }
}

fn presets_of(system: SystemKind, now: &str) -> impl IntoView + use<> {
    let SystemKind { title, over, .. } = system;
    let option = |preset: &'static Preset| {
        view! { <option value=preset.name title=preset.promise selected=preset.name == now>{preset.title}</option> }
    };
    let options: Vec<_> = presets::all().filter(|preset| preset.system == system).map(option).collect();
    view! { <optgroup label=format!("{title} {over}")>{options}</optgroup> }
}
