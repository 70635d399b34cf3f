//! The gallery: a sheet with all shipped scenarios, system by system. The run stands still while it is open.
//!
//! Its inside is markup that is written anew whenever it is opened, with the listeners on the dialog around it: nothing in
//! it follows the run, and a view of its own for each part would weigh several times as much. The pictures come from
//! `web/thumbnails.svg`, which the boot module fetches then.

use super::runs;
use crate::app::PlayerState;
use crate::app::gallery::{extent, finds, promise, short};
use crate::app::saved::Saved;
use crate::app::session::{Address, Command};
use crate::lab::presets::{self, Preset};
use crate::lab::{SystemKind, systems};
use crate::ui::host::{self, Host};
use crate::ui::{Lab, View, address, keys};
use leptos::ev::{Event, KeyboardEvent, MouseEvent};
use leptos::html::Dialog;
use leptos::prelude::*;
use std::fmt::Write;
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{Element, HtmlDialogElement, HtmlElement, HtmlInputElement};

const SEARCH: &str = "[data-testid=gallery-search]";
const PRESSED: &str = "[data-system][aria-pressed=true]";
const NOTHING: &str = "Nothing by that word. Try crash, 429, jitter.";

/// The sheet, while it is open.
#[derive(Clone, Copy)]
struct Sheet {
    lab: Lab,
    view: View,
    dialog: NodeRef<Dialog>,
}

/// The name of the scenario that is open, for those who may know it.
fn current(lab: Lab) -> Option<&'static Preset> {
    presets::find(&lab.address().preset).filter(|_| lab.truth.get_untracked())
}

/// Opens the gallery at a system's first scenario, or at the one that is open; at the first of all where one may not know which
/// that is.
pub fn open(lab: Lab, view: View, system: Option<String>) {
    let current = || current(lab).or_else(|| presets::all().next()).map(|preset| preset.name.to_owned());
    view.desk.gallery.set(system.or_else(current));
}

/// The dialog. `view.desk` says whether it is open, and which card it begins with.
#[component]
pub fn Gallery(lab: Lab, view: View) -> impl IntoView {
    let sheet = Sheet { lab, view, dialog: NodeRef::new() };
    Effect::new(move || {
        if let (Some(dialog), Some(first)) = (sheet.dialog.get(), view.desk.gallery.get()) {
            sheet.open(&dialog, &first);
        }
    });
    Effect::new(move || {
        let Some(dialog) = sheet.dialog.get() else { return };
        // One for all of them: each `on:` is compiled for itself. The browser drops it with the dialog. A key that moves the
        // focus out of a field is heard while the field's change is told.
        let hear = Closure::<dyn Fn(Event)>::new(move |event: Event| sheet.hear(&event)).into_js_value();
        for name in ["click", "keydown", "input", "change", "close"] {
            // It takes any name.
            let _ = dialog.add_event_listener_with_callback(name, hear.unchecked_ref());
        }
    });
    view! { <dialog class="gallery" data-testid="gallery" aria-labelledby="gallery-title" node_ref=sheet.dialog></dialog> }
}

impl Sheet {
    /// Shows the sheet with the focus on a card.
    fn open(self, dialog: &HtmlDialogElement, first: &str) {
        self.hold();
        if self.lab.read(|session| session.status().state == PlayerState::Replaying) {
            self.lab.when_arrived(Box::new(move || self.hold()));
        }
        dialog.set_inner_html(&markup(self.lab, current(self.lab)));
        runs::fill(self.lab);
        host::tell(Host::thumbnails);
        // Refused only for one that is open already.
        let _ = dialog.show_modal();
        keys::focus(&format!("[data-testid=scenario-{first}]"));
    }

    fn hear(self, event: &Event) {
        match (event.type_().as_str(), event.dyn_ref(), event.dyn_ref()) {
            ("click", Some(click), _) => self.clicked(click),
            ("keydown", _, Some(key)) => self.key(key),
            ("input", ..) => self.filter(),
            ("change", ..) => self.changed(event),
            ("close", ..) => self.closed(),
            _ => {}
        }
    }

    /// Lets the run stand still as long as the sheet is open.
    fn hold(self) {
        // It may be gone by now.
        let is_open = self.view.desk.gallery.try_get_untracked().flatten().is_some();
        if is_open && self.lab.read(|session| session.status().state == PlayerState::Running) {
            self.view.desk.resumes.set(true);
            self.lab.act(Command::Pause);
        }
    }

    /// Goes back to the run as it was.
    fn closed(self) {
        if self.view.desk.gallery.try_get_untracked().flatten().is_some() {
            self.view.desk.gallery.set(None);
            if self.view.desk.resumes.get_untracked() {
                self.view.desk.resumes.set(false);
                self.lab.act(Command::Play);
            }
        }
    }

    /// Leaves the sheet for a scenario. Its first key is for the button that plays.
    fn choose(self, preset: &str) {
        self.leave();
        self.lab.go(&Address::of(preset));
    }

    /// A file was chosen.
    fn changed(self, event: &Event) {
        let field = event.target().and_then(|target| target.dyn_into::<HtmlInputElement>().ok());
        if let Some(field) = field.filter(|field| field.type_() == "file") {
            runs::file(&field, move |saved| self.open_own(&saved));
        }
    }

    /// Leaves the sheet for a run that was kept, where it was kept.
    fn open_own(self, saved: &Saved) {
        // It may be gone by now.
        if self.view.desk.gallery.try_get_untracked().flatten().is_some() {
            self.leave();
            // What is not allowed is said on the page.
            let _ = runs::open(self.lab, saved);
        }
    }

    /// Closes the sheet for good.
    fn leave(self) {
        self.view.desk.gallery.set(None);
        self.view.desk.resumes.set(false);
        self.close();
        keys::focus("[data-testid=play]");
    }

    fn close(self) {
        if let Some(dialog) = self.dialog.get_untracked() {
            dialog.close();
        }
    }

    fn clicked(self, event: &MouseEvent) {
        let Some(at) = event.target().and_then(|target| target.dyn_into::<Element>().ok()) else { return };
        if let Some(chip) = around(&at, "[data-system]") {
            for (chip, pressed) in [(self.find(PRESSED), "false"), (Some(chip), "true")] {
                // The name is valid.
                let _ = chip.map(|chip| chip.set_attribute("aria-pressed", pressed));
            }
            self.filter();
        } else if let Some(card) = around(&at, "[data-preset]") {
            if address::is_plain(event) {
                event.prevent_default();
                self.choose(&card.get_attribute("data-preset").unwrap_or_default());
            }
        } else if let Some(own) = around(&at, "[data-own]") {
            runs::pressed(self.lab, &own, move |saved| self.open_own(&saved));
        } else if let Some(way) = around(&at, "[data-way]") {
            if way.get_attribute("data-way").is_some_and(|way| way == "play") {
                self.view.desk.resumes.set(true);
            }
            self.close();
        } else if at.matches("dialog").unwrap_or(false) {
            // Beside the sheet.
            self.close();
        }
    }

    fn key(self, event: &KeyboardEvent) {
        let at = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        let typing = at.as_ref().is_some_and(|at| at.matches(SEARCH).unwrap_or(false));
        if !typing && at.as_ref().is_some_and(|at| at.matches("input").unwrap_or(false)) {
            return;
        }
        let key = event.key();
        let to = match key.as_str() {
            "/" if !typing && keys::are_on() && !event.ctrl_key() && !event.meta_key() => self.find(SEARCH),
            "Enter" | "ArrowDown" if typing => self.cards().next(),
            "ArrowUp" | "ArrowDown" | "ArrowLeft" | "ArrowRight" if !typing => {
                match at.and_then(|at| around(&at, "[data-preset]")) {
                    Some(card) if key == "ArrowUp" => self.beside(&card, &key).or_else(|| self.find(SEARCH)),
                    Some(card) => self.beside(&card, &key),
                    None => self.cards().next(),
                }
            }
            _ => return,
        };
        event.prevent_default();
        if let Some(to) = to {
            // What is shown takes the focus.
            let _ = to.focus();
        }
    }

    /// Shows the cards that are asked for, and says how many they are.
    fn filter(self) {
        let typed = self.find(SEARCH).and_then(|input| input.dyn_into::<HtmlInputElement>().ok());
        let typed = typed.map(|input| input.value()).unwrap_or_default();
        let chip = self.find(PRESSED);
        let system = chip.and_then(|chip| chip.get_attribute("data-system")).unwrap_or_default();
        let mut found = 0;
        for preset in presets::all() {
            let shows = finds(preset, &typed) && (system.is_empty() || preset.system.name == system);
            found += usize::from(shows);
            if let Some(card) = self.card(preset) {
                card.set_hidden(!shows);
            }
        }
        let all = presets::all().count();
        let count = if found == all { format!("{all} shipped") } else { format!("{found} of {all}") };
        for (selector, text) in
            [(".gallery-count", count.as_str()), (".gallery-none", if found == 0 { NOTHING } else { "" })]
        {
            if let Some(said) = self.find(selector) {
                said.set_text_content(Some(text));
            }
        }
    }

    /// The next card in a direction: the nearest of those that lie that way.
    fn beside(self, card: &HtmlElement, key: &str) -> Option<HtmlElement> {
        let from = card.get_bounding_client_rect();
        let distance = |card: &HtmlElement| {
            let to = card.get_bounding_client_rect();
            let (right, down) = (to.x() - from.x(), to.y() - from.y());
            let (along, across) = match key {
                "ArrowUp" => (-down, right.abs()),
                "ArrowDown" => (down, right.abs()),
                "ArrowLeft" => (-right, down.abs()),
                _ => (right, down.abs()),
            };
            // Up and down in its own column; in the next one to the card that is level with it.
            let lies_there = along > 1.0 && (across < 1.0 || !matches!(key, "ArrowUp" | "ArrowDown"));
            lies_there.then_some(along + 4.0 * across)
        };
        let cards = self.cards().filter_map(|card| Some((distance(&card)?, card)));
        cards.min_by(|(one, _), (other, _)| one.total_cmp(other)).map(|(_, card)| card)
    }

    /// The cards that are shown.
    fn cards(self) -> impl Iterator<Item = HtmlElement> {
        presets::all().filter_map(move |preset| self.card(preset)).filter(|card| !card.hidden())
    }

    fn card(self, preset: &Preset) -> Option<HtmlElement> {
        self.find(&format!("[data-preset={}]", preset.name))
    }

    fn find(self, selector: &str) -> Option<HtmlElement> {
        let found = self.dialog.get_untracked()?.query_selector(selector).ok()?;
        found?.dyn_into().ok()
    }
}

/// The nearest element around one that a selector finds.
fn around(at: &Element, selector: &str) -> Option<HtmlElement> {
    at.closest(selector).ok()??.dyn_into().ok()
}

// --- what is in it ------------------------------------------------------------------------------------------------

/// The whole sheet; `open` is the scenario that is marked.
fn markup(lab: Lab, open: Option<&Preset>) -> String {
    let (at, end) = lab.snapshot.with_untracked(|now| (now.vtime_ms / 1000.0, now.axis_ms.1 / 1000.0));
    let paused = format!("paused at {at:.1} s");
    let all = presets::all().count();
    let mut html = format!(
        r#"<div class="gallery-bar"><h2 id="gallery-title">Scenarios</h2>
<label class="gallery-find"><svg class="icon-line" width="16" height="16" viewBox="0 0 16 16" aria-hidden="true"><path d="M7 2a5 5 0 1 0 0 10A5 5 0 0 0 7 2M10.600 10.600 14 14"/></svg>
<input type="text" data-testid="gallery-search" aria-label="Find a scenario by a word" placeholder="crash, jitter, BRPOP, 429 …" autocomplete="off" spellcheck="false"><kbd aria-hidden="true">/</kbd></label>
<p><span class="gallery-count" role="status">{all} shipped</span><span class="gallery-about">. Each opens with its own time axis, speed and minutes to watch.</span></p>
<p class="gallery-keys"><kbd>↑</kbd> <kbd>↓</kbd> <kbd>←</kbd> <kbd>→</kbd> choose <kbd>Esc</kbd> back to the run, {paused}</p>
<button type="button" class="icon" data-way="back" data-testid="gallery-close" aria-label="Back to the run"><svg width="18" height="18" viewBox="0 0 18 18" aria-hidden="true"><path class="icon-line" d="m4 4 10 10M14 4 4 14"/></svg></button></div>
<div class="gallery-chips" role="group" aria-label="System">"#
    );
    let chip = |html: &mut String, system: &str, name: &str| {
        let pressed = system.is_empty();
        put(
            html,
            format_args!(
                r#"<button type="button" data-system="{system}" aria-pressed="{pressed}">{name}</button>"#
            ),
        );
    };
    chip(&mut html, "", "All");
    systems::all().for_each(|system| chip(&mut html, system.name, short(system)));
    html.push_str("</div>");
    html.push_str(&runs::markup());
    html.push_str(r#"<p class="gallery-none" role="status"></p><div class="gallery-columns">"#);
    for system in systems::all() {
        column(&mut html, system, open);
    }
    let title = open.map_or("The run", |open| open.title);
    put(
        &mut html,
        format_args!(
            r#"</div><div class="gallery-foot"><button type="button" class="play" data-way="play" aria-label="Play on"><svg width="18" height="18" viewBox="0 0 18 18" aria-hidden="true"><path fill="currentColor" d="M5 2.500 15 9 5 15.500z"/></svg></button>
<p><b>{title}</b><span>{paused} of {end} s</span></p><button type="button" class="small" data-way="back" data-testid="gallery-back">Back</button></div>"#
        ),
    );
    html
}

/// A system with its scenarios.
fn column(html: &mut String, system: SystemKind, open: Option<&Preset>) {
    let SystemKind { name, title, over, question, .. } = system;
    put(
        html,
        format_args!(
            r#"<section aria-labelledby="gallery-{name}"><h3 id="gallery-{name}">{title} <small>{over}</small></h3><p>{question}</p>"#
        ),
    );
    for preset in presets::all().filter(|preset| preset.system == system) {
        let Preset { name, title, .. } = preset;
        let (to, extent) = (address::href(&Address::of(name)), extent(preset));
        // What a browser would break has an element of its own, which it may not.
        let whole = |word: String| if word.contains([' ', '-']) { format!("<i>{word}</i>") } else { word };
        let promise = promise(preset).into_iter().map(whole).collect::<Vec<_>>().join(" ");
        let mark = if open.is_some_and(|open| open.name == *name) { r#" aria-current="true""# } else { "" };
        put(
            html,
            format_args!(
                r##"<a href="{to}" class="scenario" data-preset="{name}" data-testid="scenario-{name}"{mark}><svg width="88" height="58" viewBox="0 0 88 58" fill="none" aria-hidden="true"><use href="#thumb-{name}"/></svg><span><b>{title}</b> <span>{promise}</span> <small>{extent}</small></span></a>"##
            ),
        );
    }
    html.push_str("</section>");
}

fn put(html: &mut String, what: std::fmt::Arguments<'_>) {
    // Memory takes whatever is written.
    let _ = html.write_fmt(what);
}
