//! The help dialog: the keys, and the switch that turns them off.

use crate::ui::{Lab, click, keys, theme};
use leptos::html::Dialog;
use leptos::prelude::*;

/// The keys and what they do: those of a system whose nodes can lie, and of any.
fn keys_of(lab: Lab) -> Vec<(&'static str, String)> {
    let (unit, truth) = (lab.snapshot.with_untracked(|now| now.system.unit), lab.face().words().truth);
    let mut keys = vec![
        ("Space", "play or pause".to_owned()),
        (". ,", "step one event on, or back".to_owned()),
        (">", format!("go on to the next of the {unit}")),
        ("[ ]", "slower, faster".to_owned()),
        ("↑ ↓", "select a row".to_owned()),
        ("C S P D", "crash or restart, slow, cut off, drop messages".to_owned()),
    ];
    if let Some(truth) = truth {
        keys.extend([("L", "lie".to_owned()), ("X", truth.to_owned())]);
    }
    let others = [
        ("Ctrl Z", "take back what you did; with Shift, do it again"),
        ("F T", "on a word of the sentence: what other values would give, and two of them side by side"),
        ("Backspace", "on a number of the sentence: the scenario's"),
        ("Enter", "why: the receipt of what is told; on a fault, edit it"),
        ("Del O ← →", "on a fault: remove it, off or on, 0.1 s earlier or later"),
        ("Q", "guess, and try the question"),
        ("G", "go to a time"),
        ("M", "the charts, on a low page"),
        ("0", "the scenarios"),
        ("?", "this help"),
        ("Esc", "close"),
    ];
    keys.extend(others.map(|(key, meaning)| (key, meaning.to_owned())));
    keys
}

/// The dialog; it is modal only while a person has it open.
#[component]
pub fn Help(lab: Lab, open: RwSignal<bool>) -> impl IntoView {
    let dialog = NodeRef::<Dialog>::new();
    let keys_on = RwSignal::new(keys::are_on());
    let slows = RwSignal::new(lab.read(crate::app::Session::slows));
    Effect::new(move || {
        if let (Some(dialog), true) = (dialog.get(), open.get()) {
            // Refused only for one that is open already.
            let _ = dialog.show_modal();
            // What has the focus is at its foot.
            dialog.set_scroll_top(0);
        }
    });
    let close = move |_| {
        if let Some(dialog) = dialog.get_untracked() {
            dialog.close();
        }
    };
    view! {
        <dialog class="help" node_ref=dialog aria-labelledby="help-title" on:close=move |_| open.set(false)>
            <h2 id="help-title">"Watch it, break it, measure it"</h2>
            <p>{lab.face().words().help}</p>
            <p>"Select a node and break it. What you see is a run of the real program on virtual time; nothing leaves this page."</p>
            <dl>
                {keys_of(lab)
                    .into_iter()
                    .map(|(key, meaning)| {
                        view! {
                            <div>
                                <dt><kbd>{key}</kbd></dt>
                                <dd>{meaning}</dd>
                            </div>
                        }
                    })
                    .collect_view()}
            </dl>
            <label>
                <input
                    type="checkbox"
                    prop:checked=move || keys_on.get()
                    on:change:target=move |event| {
                        keys_on.set(event.target().checked());
                        switch(event.target().checked());
                    }
                />
                " Single keys act"
            </label>
            <label>
                <input
                    type="checkbox"
                    data-testid="slows"
                    prop:checked=move || slows.get()
                    on:change:target=move |event| {
                        slows.set(event.target().checked());
                        lab.set_slows(event.target().checked());
                    }
                />
                " Slow down where there is too little time to read"
            </label>
            <button type="button" on:click=click(close)>"Close"</button>
        </dialog>
    }
}

/// Switches single keys on or off, for good.
fn switch(on: bool) {
    keys::mark(on);
    if let Some(storage) = theme::storage() {
        // A browser that keeps nothing forgets it with the page.
        let _ = if on { storage.remove_item(keys::OFF_KEY) } else { storage.set_item(keys::OFF_KEY, "1") };
    }
}
