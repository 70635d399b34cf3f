//! What happened: the caption under the board, and at the end of a run what it amounts to and where to go from there. The
//! live region says the same, at most once in five seconds.

use super::panel::Panel;
use super::{Lab, View, click, text, workbench};
use crate::app::caption::Caption as Story;
use crate::app::glossary;
use crate::app::session::{Address, Command};
use crate::lab::presets;
use crate::substrate::decimal::{fixed, plain};
use gloo_timers::callback::Interval;
use leptos::prelude::*;

/// How often those who hear the page are told.
const SAY_EVERY_MS: u32 = 5000;

/// The line.
#[component]
pub fn Caption(lab: Lab, view: View) -> impl IntoView {
    let asks = Memo::new(move |_| view.desk.asks());
    let ended = Memo::new(move |_| lab.status.get().ended && !asks.get());
    let story = Memo::new(move |_| {
        let ending = ended.get().then(|| lab.ending()).flatten();
        ending.unwrap_or_else(|| lab.caption.get())
    });
    // What was made anew with each frame could not be hovered or clicked.
    let headline = Memo::new(move |_| story.with(|story| story.headline.clone()));
    let detail = Memo::new(move |_| story.with(|story| story.detail.clone()));
    let question = Memo::new(move |_| story.with(|story| story.question.clone()));
    let is_tried = Memo::new(move |_| {
        lab.glance.with(|now| question.with(|question| lab.face().can_try(now, question)))
    });
    let said = RwSignal::new(String::new());
    let ticking = Interval::new(SAY_EVERY_MS, move || {
        let text = story.with_untracked(Story::text);
        if said.with_untracked(|said| *said != text) {
            said.set(text);
        }
    });
    super::keep(ticking);
    view! {
        <div class="caption" class:end=move || ended.get() class:asks=move || asks.get()>
            {move || workbench::in_place_of_caption(lab, view)}
            <p data-testid="caption" hidden=move || asks.get()>
                <b>{move || explained(&headline.get())}</b>
                " "
                <span>{move || explained(&detail.get())}</span>
                " "
                {why(lab, view)}
                {move || ask(lab, view, question.get(), is_tried.get())}
            </p>
            {move || ended.get().then(|| ways_on(lab))}
            <p class="visually-hidden" role="status" aria-live="polite">{text(move || said.get())}</p>
        </div>
    }
}

/// A text whose words that nobody need know tell what they mean, to the pointer and to the keys.
fn explained(text: &str) -> AnyView {
    let piece = |(words, meaning): (&str, Option<&'static str>)| match meaning {
        Some(meaning) => view! { <abbr tabindex="0" title=meaning>{words.to_owned()}</abbr> }.into_any(),
        None => words.to_owned().into_any(),
    };
    glossary::explain(text).into_iter().map(piece).collect_view().into_any()
}

/// The button that opens the receipt of what is told.
fn why(lab: Lab, view: View) -> AnyView {
    let has_receipt = Memo::new(move |_| {
        let of = |node: &String| lab.glance.with(|now| now.truth && lab.face().receipt(now, node).is_some());
        view.selected.with(of)
    });
    view! {
        <button
            type="button"
            class="why"
            data-testid="receipt-open"
            aria-keyshortcuts="Enter"
            hidden=move || !has_receipt.get()
            on:click=click(move |_| workbench::open(lab, view, Panel::Receipt))
        >
            "Why?"
        </button>
    }
    .into_any()
}

/// The question; a button, where it can be tried.
fn ask(lab: Lab, view: View, words: String, is_tried: bool) -> AnyView {
    if is_tried {
        view! {
            <button
                type="button"
                class="question"
                data-testid="predict"
                aria-keyshortcuts="Q"
                on:click=click(move |_| workbench::open(lab, view, Panel::Predict))
            >
                {words}
            </button>
        }
        .into_any()
    } else {
        view! { <span class="question">{words}</span> }.into_any()
    }
}

/// What one may do at the end of a run; nothing of it happens by itself.
fn ways_on(lab: Lab) -> AnyView {
    let (axis, over) = (lab.snapshot.with_untracked(|now| now.axis_ms), lab.status.get_untracked().over);
    let more = format!("{} more", span_text((axis.1 - axis.0) / 1000.0));
    let button = move |testid: &'static str, class: &'static str, label: AnyView, act: Callback<()>| {
        view! {
            <button type="button" class=class data-testid=testid on:click=click(move |_| act.run(()))>
                {label}
            </button>
        }
        .into_any()
    };
    let replay = view! { "Replay " <kbd aria-hidden="true">"Space"</kbd> }.into_any();
    let next = next_scenario(lab).map(|preset| {
        let label = view! {
            <small>"Next" <kbd aria-hidden="true">"N"</kbd></small>
            <b>{preset.title}</b>
            <span>{preset.promise}</span>
        };
        button("next-scenario", "next", label.into_any(), Callback::new(move |()| go_on(lab)))
    });
    view! {
        <div class="ways" data-testid="end">
            {button("replay", "primary", replay, Callback::new(move |()| lab.act(Command::Play)))}
            {(!over).then(|| button("extend", "", more.into_any(), Callback::new(move |()| lab.act(Command::Extend))))}
            {button("end-seed", "", "Another seed".into_any(), Callback::new(move |()| lab.play_another_seed()))}
        </div>
        {next}
    }
    .into_any()
}

/// `30 s`, `2 min`
fn span_text(s: f64) -> String {
    if s < 120.0 { fixed(s, 0) + " s" } else { plain((s / 6.0).round() / 10.0) + " min" }
}

/// The scenario after the one that is open; after the last, the first.
fn next_scenario(lab: Lab) -> Option<&'static presets::Preset> {
    let now = lab.address().preset;
    presets::all().chain(presets::all()).skip_while(|preset| preset.name != now).nth(1)
}

/// Opens the scenario after this one.
pub fn go_on(lab: Lab) {
    if let Some(preset) = next_scenario(lab) {
        lab.go(&Address::of(preset.name));
    }
}
