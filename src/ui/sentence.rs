//! The sentence and the outcomes beside it: the page of the system says what is in them.

use super::spin::SpinButton;
use super::{Lab, keydown, text};
#[cfg(feature = "workbench")]
use crate::app::sentence::Rare;
use crate::app::sentence::{Part, choices};
use crate::app::session::Command;
use leptos::ev::{Event, Targeted};
use leptos::prelude::*;
use serde_json::Value;
use web_sys::HtmlSelectElement;

/// The section.
#[component]
pub fn Sentence(lab: Lab) -> impl IntoView {
    let words = lab.face().words();
    let is_secret = |part: &Part| matches!(part, Part::Number(number) if words.hidden.contains(&number.key));
    let secret_from = words.sentence.iter().position(is_secret).unwrap_or(words.sentence.len());
    let (open, secret) = words.sentence.split_at(secret_from);
    let said = move |parts: &'static [Part]| {
        let part = |&part: &Part| match part {
            Part::Words(words) => words.into_any(),
            Part::Number(number) => view! { <SpinButton lab number /> }.into_any(),
            Part::Choice { key, label } => choice(lab, key, label),
            #[cfg(feature = "workbench")]
            Part::Rare(all) => {
                let said = |rare: &'static Rare| text(move || lab.settings.with(|set| rare.said(set)));
                all.iter().map(said).collect_view().into_any()
            }
        };
        parts.iter().map(part).collect_view()
    };
    let rest = move || match lab.truth.get() {
        true => said(secret).into_any(),
        false if secret.is_empty() => ().into_any(),
        false => view! { <span class="mute">"Who fails and who lies is hidden."</span> }.into_any(),
    };
    view! {
        <section class="sentence" aria-label="Configuration">
            <p>{said(open)} {rest}{text(move || lab.glance.with(|now| lab.face().aside(now)))}</p>
            <Outcomes lab />
            <p class="problem" role="alert">{text(move || lab.problem.get().unwrap_or_default())}</p>
        </section>
    }
}

fn choice(lab: Lab, key: &'static str, label: &'static str) -> AnyView {
    let words = lab.settings.with_untracked(|set| choices(set, key));
    let chosen = text(move || {
        lab.settings.with(|set| {
            let now = set.iter().find(|setting| setting.key == key);
            now.and_then(|setting| setting.value.as_str()).unwrap_or_default().to_owned()
        })
    });
    let choose = move |event: Targeted<Event, HtmlSelectElement>| {
        let word = Value::from(event.target().value());
        lab.act(Command::Set { key: key.to_owned(), value: word });
    };
    view! {
        <select
            class="spin"
            data-testid=format!("sentence-{key}")
            aria-label=label
            prop:value=chosen
            on:change:target=choose
            on:keydown=keydown(move |event| {
                if matches!(event.key().as_str(), "Backspace" | "Delete") {
                    lab.give_back(key);
                }
            })
        >
            {words.iter().map(|&word| view! { <option value=word>{word}</option> }).collect_view()}
        </select>
    }
    .into_any()
}

#[component]
fn Outcomes(lab: Lab) -> impl IntoView {
    let figures = Memo::new(move |_| lab.glance.with(|snapshot| lab.face().outcomes(snapshot)));
    let figure = |(i, first): (usize, crate::app::outcomes::Figure)| {
        view! {
            <div data-testid=format!("outcome-{}", first.key) title=first.title>
                <dd>
                    {text(move || figures.with(|figures| figures[i].value.clone()))}
                    <i>{text(move || figures.with(|figures| figures[i].aside.clone()))}</i>
                </dd>
                <dt>
                    {text(move || figures.with(|figures| figures[i].label.clone()))}
                    <span class="more">{text(move || figures.with(|figures| figures[i].more.to_owned()))}</span>
                </dt>
            </div>
        }
    };
    view! {
        <dl class="outcomes" id="results" tabindex="-1">
            {figures.get_untracked().into_iter().enumerate().map(figure).collect_view()}
        </dl>
    }
}
