//! The keyboard: one key per act, unless a person has switched that off or is typing.

use super::panel::Panel;
use super::{Lab, View, break_bar, caption, fork, theme, transport, workbench};
use crate::app::session::Command;
use crate::app::snapshot::{NodeView, Role};
use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::Element;

/// What the browser keeps of it.
pub const OFF_KEY: &str = "glasshive-keys-off";
const OFF_ATTRIBUTE: &str = "data-keys-off";

/// Whether single keys act. The page itself knows, since a browser may keep nothing.
pub fn are_on() -> bool {
    document().document_element().is_none_or(|root| !root.has_attribute(OFF_ATTRIBUTE))
}

/// Notes on the page whether they do.
pub fn mark(on: bool) {
    if let Some(root) = document().document_element() {
        // The name is valid.
        let _ = if on { root.remove_attribute(OFF_ATTRIBUTE) } else { root.set_attribute(OFF_ATTRIBUTE, "") };
    }
}

/// Listens as long as the page is mounted.
pub fn listen(lab: Lab, view: View) {
    if theme::storage().is_some_and(|storage| storage.get_item(OFF_KEY).ok().flatten().is_some()) {
        mark(false);
    }
    let handle = window_event_listener(leptos::ev::keydown, move |event| {
        if event.ctrl_key() || event.meta_key() {
            if !view.desk.is_covered() && (fork::key(lab, &event) || saves(lab, view, &event)) {
                event.prevent_default();
            }
            return;
        }
        if event.alt_key() || view.desk.is_covered() || !are_on() {
            return;
        }
        let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        if act(lab, view, &event, target.as_ref()) {
            event.prevent_default();
        }
    });
    // A pointer that has pressed a button leaves the keys to the board: Space plays and pauses.
    let clicked = window_event_listener(leptos::ev::click, move |event| {
        let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        // Pressed in a page that has given way to this one: it goes on to listeners that were not there yet.
        let target = target.filter(|at| at.is_connected());
        let closest = |selector: &str| target.as_ref().and_then(|at| at.closest(selector).ok().flatten());
        let is_plain = closest("main button, footer button, [data-testid=theme], canvas").is_some()
            && closest("dialog, .menu, [role=menu]").is_none();
        // A key that presses a button counts as no click of a pointer.
        if event.detail() > 0 && is_plain {
            focus(".board");
        }
    });
    on_cleanup(move || {
        handle.remove();
        clicked.remove();
    });
}

/// Whether a key with Ctrl or Cmd keeps the run.
fn saves(lab: Lab, view: View, event: &KeyboardEvent) -> bool {
    let is_it = event.key() == "s";
    if is_it {
        workbench::open(lab, view, Panel::Save);
    }
    is_it
}

/// True if the key meant something.
fn act(lab: Lab, view: View, event: &KeyboardEvent, at: Option<&Element>) -> bool {
    let View { selected, dock_open, .. } = view;
    let open = |panel: Panel| workbench::open(lab, view, panel);
    let is = |selector: &str| at.is_some_and(|element| element.matches(selector).unwrap_or(false));
    if is("input[type=text], textarea, select") {
        return false;
    }
    // Keys that a focused control has a use of its own for.
    let key = event.key();
    match key.as_str() {
        " " if is("button, a, summary, input, [role=button]") => return false,
        " " => lab.toggle_play(),
        "." => lab.act(Command::Step),
        "," => lab.act(Command::StepBack),
        ">" => lab.act(Command::NextRequest),
        "[" => transport::change_speed(lab, -1),
        "]" => transport::change_speed(lab, 1),
        "ArrowUp" | "ArrowDown" if is("input, [role=spinbutton], [role=tab]") => return false,
        "ArrowUp" | "ArrowDown" if at.is_some_and(scrolls) => return false,
        // Past the last row, as past the first, the key scrolls the page.
        "ArrowUp" => return select_next(lab, selected, -1),
        "ArrowDown" => return select_next(lab, selected, 1),
        "x" | "X" if has_liars(lab) => lab.show_truth(!lab.truth.get_untracked()),
        "n" | "N" if lab.status.get_untracked().ended => caption::go_on(lab),
        "q" | "Q" => open(Panel::Predict),
        "g" | "G" => view.go_to.set(true),
        "m" | "M" => dock_open.update(|open| *open = !*open),
        "Escape" if view.desk.leave() => {}
        "Escape" if dock_open.get_untracked() => dock_open.set(false),
        "Enter"
            if is(
                "button, a, summary, input, select, [role=tab], [role=button], [role=spinbutton], abbr",
            ) =>
        {
            return false;
        }
        "Enter" => open(Panel::Receipt),
        "0" => open(Panel::Gallery(None)),
        "?" => open(Panel::Help),
        _ => {
            let name = selected.get_untracked();
            let node = lab.snapshot.with_untracked(|snapshot| snapshot.node(&name).cloned());
            let mut ways = break_bar::offered(lab).filter(|way| break_bar::applies(lab, *way, node.as_ref()));
            let Some(way) = ways.find(|way| way.key().eq_ignore_ascii_case(&key)) else { return false };
            break_bar::toggle(lab, way.kind, &name);
        }
    }
    true
}

/// Only where someone can lie there is a truth to hide.
fn has_liars(lab: Lab) -> bool {
    lab.face().words().truth.is_some()
}

/// Whether an element, or one around it, has more to show than fits into it: then the arrows are its own. The page as a
/// whole is scrolled by other keys, too.
fn scrolls(element: &Element) -> bool {
    let mut around = Some(element.clone());
    while let Some(element) = around.filter(|element| !element.matches("html, body").unwrap_or(true)) {
        let style = window().get_computed_style(&element).ok().flatten();
        let overflow = style.and_then(|style| style.get_property_value("overflow-y").ok());
        if element.scroll_height() > element.client_height()
            && overflow.is_some_and(|overflow| overflow == "auto" || overflow == "scroll")
        {
            return true;
        }
        around = element.parent_element();
    }
    false
}

/// Selects the next row, or the one before; false if there is none.
fn select_next(lab: Lab, selected: RwSignal<String>, by: isize) -> bool {
    let next = lab.snapshot.with_untracked(|snapshot| {
        // Those without a row stand above the first.
        let nodes: Vec<&NodeView> = snapshot.nodes.iter().filter(|node| node.role != Role::CONSOLE).collect();
        let now =
            selected.with_untracked(|name| nodes.iter().position(|node| node.name == *name)).unwrap_or(0);
        let next = now.saturating_add_signed(by).min(nodes.len().saturating_sub(1));
        nodes.get(next).map(|node| node.name.clone())
    });
    let Some(next) = next.filter(|next| selected.with_untracked(|now| now != next)) else { return false };
    selected.set(next);
    true
}

/// Gives the focus to the first element that a selector finds, once the page is drawn.
pub fn focus(selector: &str) {
    let found = document().query_selector(selector).ok().flatten();
    if let Some(element) = found.and_then(|element| element.dyn_into::<web_sys::HtmlElement>().ok()) {
        focus_in_place(&element);
    }
}

/// Gives the focus to an element, and leaves the page where it is.
pub fn focus_in_place(element: &web_sys::HtmlElement) {
    let options = web_sys::FocusOptions::new();
    options.set_prevent_scroll(true);
    // One that is gone takes no focus.
    let _ = element.focus_with_options(&options);
}
