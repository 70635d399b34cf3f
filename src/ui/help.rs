//! The help dialog: the keys, and the switch that turns them off.

use super::keys;
use leptos::html::Dialog;
use leptos::prelude::*;

const KEYS: [(&str, &str); 11] = [
    ("Space", "play or pause"),
    (". ,", "step one event on, or back"),
    (">", "go on to the next request"),
    ("[ ]", "slower, faster"),
    ("↑ ↓", "select a worker"),
    ("C S L", "crash or restart, slow, lie"),
    ("P D", "cut off, drop messages"),
    ("X", "show the truth, or what the coordinator sees"),
    ("G", "go to a time"),
    ("?", "this help"),
    ("Esc", "close"),
];

/// The dialog; it is modal only while a person has it open.
#[component]
pub fn Help(open: RwSignal<bool>) -> impl IntoView {
    let dialog = NodeRef::<Dialog>::new();
    let keys_on = RwSignal::new(keys::are_on());
    Effect::new(move || {
        if let (Some(dialog), true) = (dialog.get(), open.get()) {
            // Refused only for one that is open already.
            let _ = dialog.show_modal();
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
            <p>
                "Every worker gets every request. Its row reads from left to right: the messages on their way, when it answered, what it said. The thick line in the middle is the gate: answers that come later do not count."
            </p>
            <p>"Select a worker by its row and break it. What you see is a run of the real program on virtual time; nothing leaves this page."</p>
            <dl>
                {KEYS
                    .map(|(key, meaning)| {
                        view! {
                            <div>
                                <dt><kbd>{key}</kbd></dt>
                                <dd>{meaning}</dd>
                            </div>
                        }
                    })
                    .into_iter().collect_view()}
            </dl>
            <label>
                <input
                    type="checkbox"
                    prop:checked=move || keys_on.get()
                    on:change:target=move |event| {
                        keys_on.set(event.target().checked());
                        keys::switch(event.target().checked());
                    }
                />
                " Single keys act"
            </label>
            <button type="button" on:click=close>"Close"</button>
        </dialog>
    }
}
