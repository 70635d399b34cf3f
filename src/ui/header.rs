//! The header: name, system, scenario, theme, help.

use super::panel::Panel;
use super::theme::Theme;
use super::{Lab, View, address, click, fork, text, workbench};
use crate::app::session::Address;
use crate::lab::{SystemKind, presets, systems};
use leptos::ev::{Event, MouseEvent, Targeted};
use leptos::prelude::*;
use web_sys::HtmlSelectElement;

/// What is said of a scenario while the truth is hidden.
pub const HIDDEN: &str = "Scenario, name hidden";

/// The bar at the top.
#[component]
pub fn Header(lab: Lab, view: View, theme: Theme) -> impl IntoView {
    // Another scenario's page has a header of its own.
    let now = lab.snapshot.with_untracked(|snapshot| snapshot.system);
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
            <nav class="systems" aria-label="System">{systems::all().map(|system| tab(lab, view, system, now)).collect_view()}</nav>
            <span class="push"></span>
            <Scenario lab view system=now />
            <div class="modes" role="group" aria-label="Mode">{MODES.into_iter().map(mode).collect_view()}</div>
            <ModeChoice />
            <fork::UndoRedo lab />
            <button
                type="button"
                class="icon share-open"
                data-testid="share-open"
                aria-label="Share a link to this moment"
                title="A link to this moment"
                aria-haspopup="dialog"
                on:click=click(move |_| workbench::open(lab, view, Panel::Share))
            >
                <svg width="18" height="18" viewBox="0 0 18 18" aria-hidden="true">
                    <path class="icon-line" d="M5.5 7H4v8h10V7h-1.5M9 11V2.5M6 5.5l3-3 3 3" />
                </svg>
            </button>
            <button
                type="button"
                class="icon"
                data-testid="theme"
                aria-label=text(move || format!("Theme: {}", theme.name()))
                title="Light or dark"
                on:click=click(move |_| theme.toggle())
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
                on:click=click(move |_| workbench::open(lab, view, Panel::Help))
            >
                "?"
            </button>
        </header>
    }
}

/// What one can do with a scenario: watch one run, two, or many. The latter two are another program's.
const MODES: [(&str, &str); 3] = [("live", "Live"), ("twin", "Twin"), ("experiment", "Experiment")];

/// A mode's button; which one is pressed, `web/study.js` says from then on.
fn mode((mode, name): (&'static str, &'static str)) -> impl IntoView {
    let is_now = mode_now() == mode;
    view! {
        <button
            type="button"
            data-testid=format!("mode-{mode}")
            aria-pressed=is_now.to_string()
            on:click=click(move |_| super::host::tell(|host| host.study(mode)))
        >
            {name}
        </button>
    }
}

/// The same where there is no room for buttons.
#[component]
fn ModeChoice() -> impl IntoView {
    let choose = move |event: Targeted<Event, HtmlSelectElement>| {
        super::host::tell(|host| host.study(&event.target().value()));
    };
    view! {
        <select class="mode-choice" data-testid="mode" aria-label="Mode" prop:value=mode_now() on:change:target=choose>
            {MODES.map(|(mode, name)| view! { <option value=mode>{name}</option> }).into_iter().collect_view()}
        </select>
    }
}

fn mode_now() -> String {
    let root = document().document_element();
    root.and_then(|root| root.get_attribute("data-mode")).unwrap_or_else(|| "live".to_owned())
}

/// The button that names the scenario, and opens the gallery. The page's title follows it.
#[component]
fn Scenario(lab: Lab, view: View, system: SystemKind) -> impl IntoView {
    let preset = lab.address().preset;
    let index = presets::all().position(|other| other.name == preset);
    let name = text(move || {
        let known = index.filter(|_| lab.truth.get()).and_then(|index| presets::all().nth(index));
        known.map_or(HIDDEN, |preset| preset.title).to_owned()
    });
    Effect::new(move || document().set_title(&format!("{} - Glasshive", name.get())));
    let place = text(move || match index {
        Some(index) if lab.truth.get() => format!("{} of {}", index + 1, presets::all().count()),
        _ => String::new(),
    });
    view! {
        <button
            type="button"
            class="scenarios"
            data-testid="scenarios-open"
            aria-haspopup="dialog"
            aria-keyshortcuts="0"
            aria-expanded=text(move || view.desk.has_gallery().to_string())
            on:click=click(move |_| workbench::open(lab, view, Panel::Gallery(None)))
        >
            // Where there is no room for the systems' names beside it.
            <small class="of">{system.title} " " {system.over}</small>
            <span>{name}</span>
            <small>{place}</small>
            <svg width="12" height="12" viewBox="0 0 12 12" aria-hidden="true">
                <path class="icon-line" d="m2 4 4 4 4-4" />
            </svg>
        </button>
    }
}

/// A system is a link to its first scenario; a plain click shows all that it has.
fn tab(lab: Lab, view: View, system: SystemKind, now: SystemKind) -> impl IntoView {
    let SystemKind { title, over, .. } = system;
    let href = address::href(&Address::of(system.name));
    let show = move |event: MouseEvent| {
        if address::is_plain(&event) {
            event.prevent_default();
            workbench::open(lab, view, Panel::Gallery(Some(system.name.to_owned())));
        }
    };
    view! {
        <a
            href=href
            on:click=click(show)
            aria-current=(system == now).then_some("page")
            data-testid=format!("system-{}", system.name)
        >
            {title} <small>{over}</small>
        </a>
    }
}
