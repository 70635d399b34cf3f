//! The menu of a worker: what the break bar offers, where the pointer is. A right click or a long press opens it.

use crate::app::session::Command;
use crate::ui::break_bar::{self, Break, offered};
use crate::ui::{Lab, View, click, keydown, keys, text};
use leptos::ev::KeyboardEvent;
use leptos::html::Div;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

/// How many workers "at random" are.
const SOME: usize = 3;

/// The menu, where it is open.
#[component]
pub fn Menu(lab: Lab, view: View) -> impl IntoView {
    move || view.menu.get().map(|at_point| view! { <Open lab view at_point /> })
}

#[component]
fn Open(lab: Lab, view: View, at_point: (f64, f64)) -> impl IntoView {
    let View { selected, menu: at, .. } = view;
    let menu = NodeRef::<Div>::new();
    let close = move || at.set(None);
    Effect::new(move || {
        if menu.get().is_some() {
            keys::focus("[role=menuitem]");
        }
    });
    let key = move |event: KeyboardEvent| {
        match event.key().as_str() {
            "Escape" | "Tab" => close(),
            "ArrowDown" => step_focus(true),
            "ArrowUp" => step_focus(false),
            _ => return,
        }
        event.prevent_default();
        event.stop_propagation();
    };
    let left = move |event: leptos::ev::FocusEvent| {
        // A menu that is being taken away loses the focus, too; then nothing of it is there any more.
        let Some(menu) = menu.try_get_untracked() else { return };
        let to = event.related_target().and_then(|target| target.dyn_into::<web_sys::Node>().ok());
        let stays = menu.is_some_and(|menu| menu.contains(to.as_ref()));
        if !stays {
            close();
        }
    };
    let node = break_bar::watch(lab, selected);
    let applies = move |way: &Break| node.with_untracked(|node| break_bar::applies(lab, *way, node.as_ref()));
    let items = offered(lab).filter(applies).map(|way| {
        view! {
            <button
                type="button"
                role="menuitem"
                tabindex="-1"
                data-testid=format!("menu-{}", way.kind.name())
                on:click=click(move |_| {
                    break_bar::toggle(lab, way.kind, &selected.get_untracked());
                    close();
                })
            >
                {text(move || way.label(node).to_owned())}
                <kbd aria-hidden="true">{way.key()}</kbd>
            </button>
        }
    });
    let crash_some = move |_| {
        // Fewer workers than that are said on the page.
        lab.act(Command::Fault { fault: format!("crash:{SOME}?") });
        close();
    };
    let (x, y) = at_point;
    view! {
        <div
            class="menu"
            node_ref=menu
            style:left=format!("{x}px")
            style:top=format!("{y}px")
            on:keydown=keydown(key)
            on:focusout=left
        >
            <p>{text(move || selected.get())}</p>
            <div role="menu" aria-label=text(move || format!("Break {}", selected.get()))>
                {items.collect_view()}
                <button type="button" role="menuitem" tabindex="-1" data-testid="menu-crash-some" on:click=click(crash_some)>
                    {format!("Crash {SOME} at random")}
                </button>
            </div>
        </div>
    }
}

/// Gives the focus to the next item, or the one before, around the end.
fn step_focus(forward: bool) {
    let Some(now) = document().active_element() else { return };
    let next = if forward { now.next_element_sibling() } else { now.previous_element_sibling() };
    let around = || {
        let items = now.parent_element()?;
        if forward { items.first_element_child() } else { items.last_element_child() }
    };
    if let Some(item) = next.or_else(around).and_then(|item| item.dyn_into::<HtmlElement>().ok()) {
        // One that is gone takes no focus.
        let _ = item.focus();
    }
}
