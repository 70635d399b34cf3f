//! Times that a person has measured, as the delays of an experiment: from a file, dropped on the panel, or pasted into it.

use super::Panel;
use crate::study::desk;
use leptos::ev::{Event, Targeted};
use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::spawn_local;
use web_sys::{ClipboardEvent, DragEvent, Element, File, HtmlInputElement};

/// The button, where the system has such a law.
pub fn file(panel: Panel) -> AnyView {
    if panel.said.with_value(|said| said.key("delays").is_none()) {
        return ().into_any();
    }
    let open = move |event: Targeted<Event, HtmlInputElement>| {
        let input = event.target();
        if let Some(file) = input.files().and_then(|files| files.get(0)) {
            take(panel, file.into());
        }
        input.set_value("");
    };
    view! {
        <label class="study-button" title="One time to a line, or quantiles; CSV, at most 16 MiB. It can be dropped here and pasted, too">
            "Measured times…"
            <input type="file" class="visually-hidden" accept=".csv,.txt,text/csv,text/plain" data-testid="experiment-delays" on:change:target=open />
        </label>
    }
    .into_any()
}

/// What is pasted, and not into a field.
pub fn listen(panel: Panel) {
    let handle = window_event_listener(leptos::ev::paste, move |event| {
        let event: &ClipboardEvent = event.unchecked_ref();
        let field = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        if field
            .is_some_and(|field| field.closest("input, select, dialog").is_ok_and(|found| found.is_some()))
        {
            return;
        }
        let Some(data) = event.clipboard_data() else { return };
        if let Some(file) = data.files().and_then(|files| files.get(0)) {
            take(panel, file.into());
        } else if let Ok(text) = data.get_data("text/plain") {
            take(panel, JsValue::from_str(&text));
        }
    });
    on_cleanup(move || handle.remove());
}

/// A file that was dropped: a plan by its name, or times.
pub fn dropped(panel: Panel, event: &DragEvent) {
    event.prevent_default();
    let file: Option<File> =
        event.data_transfer().and_then(|data| data.files()).and_then(|files| files.get(0));
    match file {
        Some(file) if file.name().ends_with(".json") => super::kept::open_plan(panel, file),
        Some(file) => take(panel, file.into()),
        None => {}
    }
}

fn take(panel: Panel, times: JsValue) {
    if panel.said.with_value(|said| said.key("delays").is_none()) {
        return;
    }
    spawn_local(async move {
        match desk::delays(&times).await {
            Ok(quantiles) => {
                panel.draft.try_update(|draft| {
                    draft.put("delay-law", "empirical".to_owned());
                    draft.put("delays", quantiles);
                });
                panel.wrong.try_set(String::new());
            }
            Err(wrong) => drop(panel.wrong.try_set(wrong)),
        }
    });
}
