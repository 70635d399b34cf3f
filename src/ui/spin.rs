//! A number inside a sentence that can be dragged, stepped with the arrow keys, or typed.

use super::{Lab, keydown, text};
use crate::app::sentence::Number;
use crate::app::session::Command;
use crate::substrate::decimal::{plain, within};
use leptos::ev::{FocusEvent, KeyboardEvent, PointerEvent};
use leptos::html::{Input, Span};
use leptos::prelude::*;
use wasm_bindgen::JsCast;

/// How far the pointer moves per step.
const PIXELS_PER_STEP: i32 = 9;

/// The spinbutton of a parameter.
#[component]
pub fn SpinButton(lab: Lab, number: Number) -> impl IntoView {
    let editing = RwSignal::new(false);
    let value = Memo::new(move |_| lab.settings.with(|set| number.value(set)));
    let (low, high) = lab.settings.with_untracked(|set| number.range(set));
    let change = Callback::new(move |new: f64| {
        let new = within(new, low, high);
        if new.is_nan() {
            lab.give_back(number.key);
        } else if new != value.get_untracked() {
            let has_begun = || lab.snapshot.with_untracked(|now| now.vtime_ms > 0.0);
            lab.act(match cfg!(feature = "workbench") && number.live && has_begun() {
                true => Command::Scale { to: new as u32 },
                false => Command::Set { key: number.key.to_owned(), value: number.style.write(new) },
            });
        }
    });
    view! {
        {move || {
            if editing.get() {
                view! { <Editor lab number initial=value.get_untracked() change editing /> }.into_any()
            } else {
                view! { <Dragger number range=(low, high) value change editing /> }.into_any()
            }
        }}
    }
}

#[component]
fn Dragger(
    number: Number,
    range: (f64, f64),
    value: Memo<f64>,
    change: Callback<f64>,
    editing: RwSignal<bool>,
) -> impl IntoView {
    let (low, high) = range;
    let node = NodeRef::<Span>::new();
    // Where the pointer was at the last step, and whether it has moved since it went down.
    let drag = StoredValue::new(None::<(i32, bool)>);
    let down = move |event: PointerEvent| {
        // The other buttons have other uses.
        if event.button() != 0 {
            return;
        }
        drag.set_value(Some((event.client_x(), false)));
        if let Some(span) = node.get_untracked() {
            // Refused for a pointer that is gone; then there is no drag.
            let _ = span.set_pointer_capture(event.pointer_id());
        }
    };
    let moved = move |event: PointerEvent| {
        let Some((from, _)) = drag.get_value() else {
            return;
        };
        let steps = (event.client_x() - from) / PIXELS_PER_STEP;
        if steps != 0 {
            drag.set_value(Some((from + steps * PIXELS_PER_STEP, true)));
            change.run(number.style.step(value.get_untracked(), f64::from(steps)));
        }
    };
    let up = move |_: PointerEvent| {
        let was_a_click = drag.get_value().is_some_and(|(_, moved)| !moved);
        drag.set_value(None);
        if was_a_click {
            editing.set(true);
        }
    };
    let key = move |event: KeyboardEvent| {
        let now = value.get_untracked();
        let name = event.key();
        match name.as_str() {
            "ArrowUp" | "ArrowRight" => change.run(number.style.step(now, 1.0)),
            "ArrowDown" | "ArrowLeft" => change.run(number.style.step(now, -1.0)),
            "PageUp" => change.run(number.style.step(now, 10.0)),
            "PageDown" => change.run(number.style.step(now, -10.0)),
            "Home" => change.run(low),
            "End" => change.run(high),
            "Enter" => editing.set(true),
            // No number: the scenario's.
            "Backspace" | "Delete" => change.run(f64::NAN),
            digit if digit.len() == 1 && digit.as_bytes()[0].is_ascii_digit() => {
                editing.set(true);
                return;
            }
            _ => return,
        }
        event.prevent_default();
        event.stop_propagation();
    };
    let shown = text(move || number.style.text(value.get()));
    view! {
        <span
            class="spin"
            role="spinbutton"
            tabindex="0"
            node_ref=node
            data-testid=format!("sentence-{}", number.key)
            aria-label=number.label
            aria-valuemin=plain(low)
            aria-valuemax=plain(high)
            aria-valuenow=text(move || plain(value.get()))
            aria-valuetext=shown
            title="Drag, use the arrow keys, or type; Backspace gives back the scenario's"
            on:pointerdown=down
            on:pointermove=moved
            on:pointerup=up
            on:pointercancel=move |_| drag.set_value(None)
            on:keydown=keydown(key)
        >
            {shown}
            <svg width="8" height="12" viewBox="0 0 8 12" aria-hidden="true">
                <path d="M1 4.5 4 1l3 3.5M1 7.5 4 11l3-3.5" fill="none" stroke="currentColor" stroke-width="1.4" />
            </svg>
        </span>
    }
}

/// The text field that a spinbutton becomes while one types.
#[component]
fn Editor(
    lab: Lab,
    number: Number,
    initial: f64,
    change: Callback<f64>,
    editing: RwSignal<bool>,
) -> impl IntoView {
    let node = NodeRef::<Input>::new();
    Effect::new(move || {
        if let Some(input) = node.get() {
            // All of it is selected, so that typing replaces it.
            input.set_value(&number.style.text(initial));
            // A field that is gone takes no focus.
            let _ = input.focus();
            input.select();
        }
    });
    let commit = move || {
        let typed = node.get_untracked().map(|input| input.value()).unwrap_or_default();
        // What was not touched is no number to be read.
        if typed == number.style.text(initial) {
            return;
        }
        match lab.settings.with_untracked(|set| number.read(&typed, initial, set)) {
            Ok(new) => change.run(new),
            Err(invalid) => lab.problem.set(Some(invalid.to_string())),
        }
    };
    let key = move |event: KeyboardEvent| {
        event.stop_propagation();
        match event.key().as_str() {
            "Enter" => {
                commit();
                close(editing, number.key);
            }
            "Escape" => close(editing, number.key),
            _ => {}
        }
    };
    let blur = move |_: FocusEvent| {
        if editing.get_untracked() {
            commit();
            editing.set(false);
        }
    };
    view! {
        <input
            class="spin"
            type="text"
            inputmode="decimal"
            autocomplete="off"
            node_ref=node
            aria-label=number.label
            on:keydown=keydown(key)
            on:blur=blur
        />
    }
}

/// Ends typing and gives the focus back to the spinbutton that appears in its place.
fn close(editing: RwSignal<bool>, key: &'static str) {
    editing.set(false);
    request_animation_frame(move || {
        let found = document().query_selector(&format!("[data-testid=sentence-{key}]"));
        if let Some(element) = found.ok().flatten().and_then(|e| e.dyn_into::<web_sys::HtmlElement>().ok()) {
            // One that is gone takes no focus.
            let _ = element.focus();
        }
    });
}
