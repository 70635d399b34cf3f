//! The share dialog: a link to the moment that is shown, in words what it holds, the same as an embed, and a picture of it.

mod picture;

use crate::app::session::{Address, opening_speed};
use crate::lab::presets;
use crate::ui::panel::Tab;
use crate::ui::{Lab, PAGE, View, address, click, text};
use leptos::html::{Dialog, Input};
use leptos::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};

/// A longer link is cut by some.
const LONG: usize = 2000;
/// What an embed may be as large as: name, width, height.
const SIZES: [(&str, &str, &str); 4] =
    [("360", "360", "420"), ("760", "760", "480"), ("1120", "1120", "640"), ("100", "100%", "480")];
/// Where whoever opens a link begins.
const STARTS: [(&str, &str); 3] = [("here", "paused here"), ("playing", "playing"), ("zero", "from 0 s")];

/// What is chosen in the dialog.
#[derive(Clone, Copy)]
struct Choice {
    truth: RwSignal<bool>,
    start: RwSignal<&'static str>,
    asks: RwSignal<bool>,
    size: RwSignal<&'static str>,
    said: RwSignal<&'static str>,
}

impl Choice {
    /// What the link leads to.
    fn address(self, lab: Lab) -> Address {
        let mut address = address::to_hand_on(lab, self.truth.get());
        match self.start.get() {
            "here" => {}
            "playing" => address.stands = false,
            _ => (address.at, address.stands) = (None, false),
        }
        if self.asks.get() {
            address.say("ask", "next");
        }
        // What stands in the console's editor, where that is what one looks at; nothing sends it by itself.
        if let Some((_, view)) = PAGE.get().filter(|(_, view)| untrack(|| view.desk.shows(Tab::Api))) {
            address.say("call", &view.desk.call.get_untracked());
        }
        address
    }

    /// The same within another page.
    fn embedded(self, lab: Lab) -> String {
        let mut address = self.address(lab);
        address.say("embed", "1");
        address.say("controls", "play,scrub,break");
        address::link(&address)
    }

    fn code(self, lab: Lab) -> String {
        let size = SIZES.iter().find(|size| size.0 == self.size.get()).unwrap_or(&SIZES[1]);
        let src = self.embedded(lab).replace('&', "&amp;");
        let (_, width, height) = size;
        format!(
            "<iframe src=\"{src}\" width=\"{width}\" height=\"{height}\" title=\"Glasshive\" loading=\"lazy\"></iframe>"
        )
    }
}

/// The dialog; opening it stops the run, which is what the link is of.
#[component]
pub fn Share(lab: Lab, view: View) -> impl IntoView {
    let open = view.desk.share;
    let dialog = NodeRef::<Dialog>::new();
    let choice = Choice {
        truth: RwSignal::new(true),
        start: RwSignal::new("here"),
        asks: RwSignal::new(false),
        size: RwSignal::new("760"),
        said: RwSignal::new(""),
    };
    Effect::new(move || {
        if let (Some(dialog), true) = (dialog.get(), open.get()) {
            choice.truth.set(lab.truth.get_untracked());
            choice.start.set("here");
            choice.said.set("");
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
        <dialog class="share" node_ref=dialog aria-labelledby="share-title" on:close=move |_| open.set(false)>
            <header>
                <h2 id="share-title">"Share this moment"</h2>
                <button type="button" class="icon" data-testid="share-close" aria-label="Close" on:click=click(close)>"×"</button>
            </header>
            // What is told of a moment is made while it is open.
            {move || open.get().then(|| inside(lab, choice))}
        </dialog>
    }
}

fn inside(lab: Lab, choice: Choice) -> AnyView {
    let field = NodeRef::<Input>::new();
    let link = Memo::new(move |_| address::link(&choice.address(lab)));
    let code = text(move || choice.code(lab));
    let copy_link = move |_| copy(link.get_untracked(), field, choice.said);
    let copy_code = move |_| copy(choice.code(lab), field, choice.said);
    let words = presets::find(&lab.address().preset).is_some_and(|_| lab.face().words().truth.is_some());
    view! {
        <div class="share-row">
            <input type="text" readonly node_ref=field data-testid="share-link" aria-label="Link" prop:value=move || link.get() />
            <button type="button" class="primary" data-testid="share-copy" on:click=click(copy_link)>"Copy link"</button>
        </div>
        <p role="status" class="share-said">{text(move || choice.said.get().to_owned())}</p>
        <ul data-testid="share-words">{move || holds(lab, choice).into_iter().map(|words| view! { <li>{words}</li> }).collect_view()}</ul>
        <p hidden=move || link.with(|link| link.len() <= LONG)>"Long link. Some chats cut it."</p>
        <h3>"Begin with a question"</h3>
        {one_of("Begin with a question", "share-ask", &[("off", "no"), ("on", "What happens next?")], Signal::derive(move || if choice.asks.get() { "on" } else { "off" }), Callback::new(move |to| choice.asks.set(to == "on")))}
        {words.then(|| view! {
            <h3>"Truth"</h3>
            {one_of("Truth", "share-truth", &[("shown", "shown"), ("hidden", "hidden")], Signal::derive(move || if choice.truth.get() { "shown" } else { "hidden" }), Callback::new(move |to| choice.truth.set(to == "shown")))}
        })}
        <h3>"Start"</h3>
        {one_of("Start", "share-start", &STARTS, choice.start.into(), Callback::new(move |to| choice.start.set(to)))}
        <h3>"Embed"</h3>
        <div class="sizes" role="group" aria-label="Size of the embed">
            {SIZES.map(|(name, width, height)| view! {
                <button
                    type="button"
                    data-testid=format!("embed-size-{name}")
                    aria-pressed=text(move || (choice.size.get() == name).to_string())
                    on:click=click(move |_| choice.size.set(name))
                >
                    {if name == "100" { "100 % wide".to_owned() } else { format!("{width} × {height}") }}
                </button>
            }).collect_view()}
        </div>
        <pre data-testid="embed-code" tabindex="0" aria-label="Embed code">{code}</pre>
        <div class="share-row">
            <button type="button" data-testid="embed-copy" on:click=click(copy_code)>"Copy embed code"</button>
            <a data-testid="embed-see" target="_blank" rel="noopener" href=text(move || choice.embedded(lab))>"See what they see"</a>
            <button
                type="button"
                class="push"
                data-testid="share-png"
                on:click=click(move |_| picture::save(lab, choice.truth.get_untracked(), &link.get_untracked()))
            >
                "Save PNG, 1520 × 960"
            </button>
        </div>
        <p class="mute">"An embed pauses off screen and never takes focus or the wheel."</p>
    }
    .into_any()
}

/// Buttons of which one is pressed.
fn one_of(
    label: &'static str,
    testid: &'static str,
    all: &'static [(&'static str, &'static str)],
    now: Signal<&'static str>,
    choose: Callback<&'static str>,
) -> AnyView {
    let button = |&(name, words): &(&'static str, &'static str)| {
        view! {
            <button
                type="button"
                data-value=name
                aria-pressed=text(move || (now.get() == name).to_string())
                on:click=click(move |_| choose.run(name))
            >
                {words}
            </button>
        }
    };
    view! {
        <div class="one-of" role="group" aria-label=label data-testid=testid>
            {all.iter().map(button).collect_view()}
        </div>
    }
    .into_any()
}

/// Copies a text; where the browser refuses, what can be copied by hand is selected.
fn copy(words: String, field: NodeRef<Input>, said: RwSignal<&'static str>) {
    let copied = window().navigator().clipboard().write_text(&words);
    spawn_local(async move {
        let is_copied = JsFuture::from(copied).await.is_ok();
        if let (false, Some(field)) = (is_copied, field.get_untracked()) {
            field.select();
        }
        said.set(if is_copied {
            "Copied."
        } else {
            "The browser refused. The link is selected: press Ctrl C."
        });
    });
}

/// What the link holds, and what it does not.
fn holds(lab: Lab, choice: Choice) -> Vec<String> {
    let address = choice.address(lab);
    let at = lab.snapshot.with_untracked(|now| now.vtime_ms / 1000.0);
    let opens = match choice.start.get() {
        "here" => format!("Opens paused at {at:.3} s"),
        "playing" => format!("Plays on from {at:.3} s"),
        _ => "Plays from 0 s".to_owned(),
    };
    let speed =
        address.page("speed").map_or_else(|| opening_speed(&address.preset).to_string(), str::to_owned);
    let mut words = vec![format!("{opens}, ×{speed}, seed {}: the same run to the message.", address.seed)];
    let mut changes: Vec<String> = address
        .set
        .iter()
        .map(|(key, value)| format!("{key} {}", value.as_str().unwrap_or_default()))
        .collect();
    if let Some(faults) = &address.faults {
        let own: Vec<String> = lab.read(|session| {
            let own = session.run().faults().enumerate().filter(|(i, _)| session.run().is_by_hand(*i));
            own.map(|(_, fault)| fault.to_string()).collect()
        });
        // None is added: one of the scenario's is gone.
        changes.extend(if own.is_empty() { vec![format!("faults {faults}")] } else { own });
    }
    changes.extend(address.off.as_ref().map(|off| format!("off {off}")));
    words.push(match changes.len() {
        0 if address.truth => "The scenario and nothing else. You changed nothing yet.".to_owned(),
        0 => "The scenario without its name.".to_owned(),
        1 => format!("Your change: {}.", changes[0]),
        count => format!("Your {count} changes: {}.", changes.join("; ")),
    });
    let calls = if lab.read(|session| session.has_calls()) { ", calls of the API" } else { "" };
    let secret = if address.truth { "" } else { ", what would give the truth away" };
    words.push(format!("Not in it: your theme{calls}{secret}. Nothing is uploaded: the link is the run."));
    words
}
