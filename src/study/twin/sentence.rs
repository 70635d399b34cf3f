//! The word that differs: `A average or B median`, in the place of that word of the page's sentence. All other words are the page's own,
//! and what is changed there is changed on both boards.

use super::Panel;
use crate::app::study::twin::Twin;
use crate::lab::experiment::{ACTS, PRESET};
use crate::study::text;
use leptos::html::{Div, Span};
use leptos::prelude::*;
use serde_json::Value;
use wasm_bindgen_futures::spawn_local;
use web_sys::Element;

/// The word, and what may differ in its place.
pub(super) fn word(panel: Panel) -> impl IntoView {
    let (node, top) = (NodeRef::<Span>::new(), NodeRef::<Div>::new());
    // Into the sentence, and out of it with the panel.
    Effect::new(move || {
        let key = panel.twin.with(|twin| twin.as_ref().map(|twin| twin.key.clone()));
        if let (Some(word), Some(top), Some(module), Some(key)) =
            (node.get(), top.get(), panel.module.get_value(), key)
        {
            module.place(&key, &word);
            module.beside(&top);
        }
    });
    on_cleanup(move || {
        let Some(module) = panel.module.try_get_value().flatten() else { return };
        let word = node.try_get_untracked().flatten().map(Element::from);
        let top = top.try_get_untracked().flatten().map(Element::from);
        word.iter().chain(top.iter()).for_each(|element| module.displace(element));
    });
    let chosen =
        text(move || panel.twin.with(|twin| twin.as_ref().map(|twin| twin.key.clone()).unwrap_or_default()));
    let keys = move || {
        let offers =
            panel.twin.with(|twin| twin.as_ref().map(|twin| twin.offers.clone()).unwrap_or_default());
        let others: Vec<String> = panel.said.with_value(|said| {
            said.axes.iter().filter(|axis| axis.kind != "text").map(|axis| axis.key.clone()).collect()
        });
        let rest = others.into_iter().filter(|key| !offers.contains(key)).collect::<Vec<_>>();
        let option = |key: String| {
            let name = match key.as_str() {
                PRESET => "system".to_owned(),
                ACTS => "what I did".to_owned(),
                _ => key.replace('-', " "),
            };
            view! { <option value=key>{name}</option> }
        };
        view! {
            <optgroup label="Most telling">{offers.into_iter().map(option).collect_view()}</optgroup>
            <optgroup label="Any setting">{rest.into_iter().map(option).collect_view()}</optgroup>
        }
    };
    let equal = text(move || {
        let seed = panel.twin.with(|twin| twin.as_ref().map(|twin| twin.seed));
        seed.map(|seed| format!("All else equal: seed {seed}")).unwrap_or_default()
    });
    view! {
        <div class="twin-top" node_ref=top>
            <label>
                "What differs "
                <select
                    data-testid="twin-key"
                    prop:value=chosen
                    on:change:target=move |event| {
                        let key = event.target().value();
                        spawn_local(async move { panel.choose(&key).await });
                    }
                >
                    {keys}
                </select>
            </label>
            <span class="twin-equal"><b aria-hidden="true">"="</b> {equal}</span>
            <p class="twin-notice" role="status" data-testid="twin-notice">{text(move || panel.notice.get())}</p>
            <span class="twin-word" node_ref=node data-testid="twin-word">{value(panel, 0)} <i>" or "</i> {value(panel, 1)} " "</span>
        </div>
    }
}

/// One of both values: a choice where there are words, else a text.
fn value(panel: Panel, side: usize) -> impl IntoView {
    let shown = Memo::new(move |_| {
        panel.twin.with(|twin| {
            let twin = twin.as_ref()?;
            let value = &twin.values[side];
            let is_setting = twin.key != PRESET && twin.key != ACTS;
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            Some((twin.key.clone(), if is_setting { text } else { twin.said[side].clone() }))
        })
    });
    let label = format!("Value of {}", ["A", "B"][side]);
    let testid = format!("twin-value-{}", ["a", "b"][side]);
    let control = move || {
        let (label, testid) = (label.clone(), testid.clone());
        let Some((key, said)) = shown.get() else { return ().into_any() };
        let words =
            panel.said.with_value(|known| known.key(&key).map(|key| key.choices.clone()).unwrap_or_default());
        if key == PRESET || key == ACTS {
            return view! { <b data-testid=testid>{said}</b> }.into_any();
        }
        if words.is_empty() {
            let width = (said.chars().count() + 2).max(4);
            return view! {
                <input class="spin" type="text" autocomplete="off" size=width.to_string() data-testid=testid aria-label=label prop:value=said on:change:target=move |event| set(panel, side, event.target().value()) />
            }
            .into_any();
        }
        let options = words
            .into_iter()
            .map(|word| view! { <option value=word.clone() selected=word == said>{word.clone()}</option> })
            .collect_view();
        view! {
            <select class="spin" data-testid=testid aria-label=label on:change:target=move |event| set(panel, side, event.target().value())>{options}</select>
        }
        .into_any()
    };
    view! { <span class="twin-value"><b class=format!("twin-mark side-{side}")>{["A", "B"][side]}</b>{control}</span> }
}

/// Another value on one side.
fn set(panel: Panel, side: usize, value: String) {
    let Some(Twin { key, mut values, .. }) = panel.twin.get_untracked() else { return };
    values[side] = Value::from(value.trim());
    spawn_local(async move { panel.show(None, Some((key, values)), None).await });
}
