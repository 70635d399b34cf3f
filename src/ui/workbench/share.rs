//! The share dialog: a link to the moment that is shown, and in words what it holds.

use crate::ui::{Lab, View, text};
use leptos::html::{Dialog, Input};
use leptos::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};

/// The dialog; opening it stops the run, which is what the link is of.
#[component]
pub fn Share(lab: Lab, view: View) -> impl IntoView {
    let open = view.desk.share;
    let (dialog, field) = (NodeRef::<Dialog>::new(), NodeRef::<Input>::new());
    let said = RwSignal::new(String::new());
    let link = Memo::new(move |_| if open.get() { lab.link() } else { String::new() });
    Effect::new(move || {
        if let (Some(dialog), true) = (dialog.get(), open.get()) {
            said.set(String::new());
            // Refused only for one that is open already.
            let _ = dialog.show_modal();
        }
    });
    let close = move |_| {
        if let Some(dialog) = dialog.get_untracked() {
            dialog.close();
        }
    };
    let copy = move |_| {
        let copied = window().navigator().clipboard().write_text(&link.get_untracked());
        spawn_local(async move {
            let is_copied = JsFuture::from(copied).await.is_ok();
            if let (false, Some(field)) = (is_copied, field.get_untracked()) {
                field.select();
            }
            said.set(if is_copied { "Copied." } else { "The link is selected: press Ctrl C." }.to_owned());
        });
    };
    view! {
        <dialog class="help share" node_ref=dialog aria-labelledby="share-title" on:close=move |_| open.set(false)>
            <h2 id="share-title">"A link to this moment"</h2>
            <p data-testid="share-words">{text(move || if open.get() { words(lab) } else { String::new() })}</p>
            <input type="text" readonly node_ref=field data-testid="share-link" aria-label="Link" prop:value=move || link.get() />
            <p role="status">{text(move || said.get())}</p>
            <button type="button" data-testid="share-copy" on:click=copy>"Copy the link"</button>
            <button type="button" on:click=close>"Close"</button>
        </dialog>
    }
}

/// What the link holds.
fn words(lab: Lab) -> String {
    let address = lab.address();
    let at = lab.snapshot.with_untracked(|now| now.vtime_ms / 1000.0);
    let mut words = format!("Whoever opens it stands at {at:.1} s of this run, seed {}.", address.seed);
    if !address.truth {
        return words + " The truth is hidden there, too; what you changed is not in it.";
    }
    let mut changes: Vec<String> = address
        .set
        .iter()
        .map(|(key, value)| format!("{key} {}", value.as_str().unwrap_or_default()))
        .collect();
    changes.extend(address.faults.map(|faults| format!("faults {faults}")));
    if !changes.is_empty() {
        words += &format!(" Changed: {}.", changes.join("; "));
    }
    if lab.read(|session| session.has_calls()) {
        words += " Calls of the API are not in it.";
    }
    words
}
