//! The transport: to the start, step back, play, step, next request; the clock, the timeline, the speed, the seed.

use super::{Lab, View, click, keydown, keys, text, timeline};
use crate::app::PlayerState;
use crate::app::plot::geometry::sort_few;
use crate::app::session::Command;
use crate::kernel::Duration;
use crate::lab::SEED_MAX;
use crate::substrate::decimal;
use crate::substrate::decimal::{fixed, plain};
use leptos::ev::{Event, KeyboardEvent, Targeted};
use leptos::html::Input;
use leptos::prelude::*;
use web_sys::HtmlInputElement;

/// A replay that takes no longer is over before that is read, in milliseconds.
const WORTH_SAYING_MS: f64 = 1500.0;
/// The speed slider is logarithmic: from 10⁻¹ to 10³ in hundredths of a decade.
const SPEED_MIN: f64 = -100.0;
const SPEED_MAX: f64 = 300.0;
/// What one press of an arrow is worth: less would be lost where a speed has two digits.
const SPEED_KEY_STEP: f64 = 5.0;
/// What one press of a speed key is worth: a third of a decade, about a factor of two.
const SPEED_STEP: f64 = 33.333;
/// What a phone offers instead of the slider, besides the speed that is set.
const SPEED_CHOICES: [f64; 9] = [0.1, 0.25, 0.5, 1.0, 2.0, 10.0, 50.0, 200.0, 1000.0];

/// One step slower or faster.
pub fn change_speed(lab: Lab, by: i32) {
    let now = lab.status.get_untracked().speed;
    set_speed(lab, libm::log10(now) * 100.0 + SPEED_STEP * f64::from(by));
}

/// Sets the speed to ten to the power of so many hundredths.
fn set_speed(lab: Lab, hundredths: f64) {
    let exact = libm::pow(10.0, hundredths.clamp(SPEED_MIN, SPEED_MAX) / 100.0);
    // Two digits are what is shown.
    let unit = libm::pow(10.0, libm::log10(exact).floor() - 1.0);
    let speed = (exact / unit).round() * unit;
    lab.act(Command::Speed { speed: speed.clamp(0.1, 1000.0) });
}

/// The bar at the foot of the page.
#[component]
pub fn Transport(lab: Lab, view: View) -> impl IntoView {
    let View { dock_open, go_to, .. } = view;
    view! {
        <footer class="transport" aria-label="Transport">
            <div class="buttons">
                <Button
                    label="Back to start"
                    testid="to-start"
                    icon="M4 3v12M15 3 7 9l8 6z"
                    act=Callback::new(move |()| lab.act(Command::Seek { at_ms: 0.0 }))
                />
                <Button label="Step back one event" testid="step-back" icon="M11 3 4 9l7 6zM14 4v10" act=Callback::new(move |()| lab.act(Command::StepBack)) />
                <button
                    type="button"
                    class="play"
                    data-testid="play"
                    aria-label=text(move || lab.play_label().to_owned())
                    on:click=click(move |_| lab.toggle_play())
                >
                    <svg width="18" height="18" viewBox="0 0 18 18" aria-hidden="true">
                        <path fill="currentColor" d=text(move || play_icon(lab.play_label()).to_owned()) />
                    </svg>
                </button>
                <Button label="Step one event" testid="step" icon="m7 3 7 6-7 6zM4 4v10" act=Callback::new(move |()| lab.act(Command::Step)) />
                <Button label="Next request" testid="next-request" icon="m2 4 6 5-6 5zM9 4l6 5-6 5z" act=Callback::new(move |()| lab.act(Command::NextRequest)) />
            </div>
            <Clock lab go_to />
            <timeline::Timeline lab view />
            <Speed lab />
            <SpeedChoice lab />
            // Where there is no room for even a row of the dock.
            <button
                type="button"
                class="metrics-open"
                data-testid="metrics-open"
                aria-expanded=text(move || dock_open.get().to_string())
                on:click=click(move |_| dock_open.update(|open| *open = !*open))
            >
                "Metrics"
            </button>
            <Seed lab />
        </footer>
    }
}

/// What a press of the button does, as a picture.
fn play_icon(label: &str) -> &'static str {
    match label {
        "Pause" => "M4.5 3h3v12h-3zM10.5 3h3v12h-3z",
        "Replay" => "M9 2.500V0L4.500 3.750 9 7.500V5a5 5 0 1 1-5 5H1.500A7.500 7.500 0 1 0 9 2.500z",
        _ => "M5 2.5 15 9 5 15.500z",
    }
}

#[component]
fn Button(label: &'static str, testid: &'static str, icon: &'static str, act: Callback<()>) -> impl IntoView {
    view! {
        <button type="button" class="icon" data-testid=testid aria-label=label title=label on:click=click(move |_| act.run(()))>
            <svg width="18" height="18" viewBox="0 0 18 18" aria-hidden="true">
                <path class="icon-path" d=icon />
            </svg>
        </button>
    }
}

#[component]
fn Clock(lab: Lab, go_to: RwSignal<bool>) -> impl IntoView {
    let vtime = text(move || lab.glance.with(|snapshot| clock(snapshot.vtime_ms)));
    let note = text(move || {
        let status = lab.status.get();
        match (status.progress, status.state) {
            (Some(progress), _) => match status.left_ms.filter(|&left| left >= WORTH_SAYING_MS) {
                Some(left) => {
                    format!("{} %, {} s to go", fixed(progress * 100.0, 0), fixed(left / 1000.0, 0))
                }
                None => format!("replaying {} %", fixed(progress * 100.0, 0)),
            },
            (None, PlayerState::Running) if lab.was_hidden.get() => "stood: tab hidden".to_owned(),
            // Where, to the second: the clock beside it has the rest.
            (None, PlayerState::Paused) if status.ended => {
                let at = lab.glance.with(|snapshot| clock(snapshot.vtime_ms));
                format!("ended at {}", at.split('.').next().unwrap_or_default())
            }
            (None, PlayerState::Paused) => "paused".to_owned(),
            _ => "virtual time".to_owned(),
        }
    });
    view! {
        <div class="clock" title="The run's own time. Click to go to another." on:click=click(move |_| go_to.set(true))>
            <output data-testid="clock" aria-live="off">{vtime}</output>
            <small>{note}</small>
            {move || go_to.get().then(|| view! { <GoTo lab go_to /> })}
        </div>
    }
}

/// The field for a time, over the clock while one types.
#[component]
fn GoTo(lab: Lab, go_to: RwSignal<bool>) -> impl IntoView {
    let node = NodeRef::<Input>::new();
    Effect::new(move || {
        if let Some(input) = node.get() {
            keys::focus_in_place(&input);
        }
    });
    let leave = move || {
        go_to.set(false);
        keys::focus(".board");
    };
    let key = move |event: KeyboardEvent| {
        event.stop_propagation();
        match event.key().as_str() {
            "Enter" => {
                let typed = node.get_untracked().map(|input| input.value()).unwrap_or_default();
                match read_time(&typed) {
                    Some(at_ms) => {
                        leave();
                        lab.act(Command::Seek { at_ms });
                    }
                    None => lab.problem.set(Some(format!(
                        "time: {typed:?} is not understood; allowed: a time such as 12.5, 800 ms or 1:30"
                    ))),
                }
            }
            "Escape" => leave(),
            _ => {}
        }
    };
    view! {
        <input
            type="text"
            class="go-to"
            data-testid="go-to"
            inputmode="decimal"
            autocomplete="off"
            placeholder="12.5 s"
            aria-label="Go to a time"
            node_ref=node
            on:click=click(|event| event.stop_propagation())
            on:keydown=keydown(key)
            on:blur=move |_| go_to.set(false)
        />
    }
}

/// A time as people write it, in milliseconds: `12.5`, `12.5 s`, `800 ms`, `1:30`. Without a unit it is in seconds.
fn read_time(text: &str) -> Option<f64> {
    let text: String = text.split_whitespace().collect();
    if let Some((minutes, seconds)) = text.split_once(':') {
        return Some((decimal::read(minutes)? * 60.0 + decimal::read(seconds)?) * 1000.0);
    }
    let span = text.parse::<Duration>().ok().map(Duration::as_millis_f64);
    span.or_else(|| decimal::read(&text).map(|seconds| seconds * 1000.0))
}

#[component]
fn Speed(lab: Lab) -> impl IntoView {
    let hundredths = text(move || plain((libm::log10(lab.status.get().speed) * 100.0).round()));
    let said = text(move || {
        let status = lab.status.get();
        let asked = speed_text(status.speed);
        if status.state != PlayerState::Running {
            asked
        } else if status.readable < 0.95 * status.speed {
            format!("{asked}, {} to read", speed_text(status.readable))
        } else if status.reached < 0.9 * status.speed {
            format!("{asked} asked, {} reached", speed_text(status.reached))
        } else {
            asked
        }
    });
    // Under the thumb; long words stay inside, since the share of their own width that they are moved by is the same.
    let share =
        move || (libm::log10(lab.status.get().speed) * 100.0 - SPEED_MIN) / (SPEED_MAX - SPEED_MIN) * 100.0;
    let place = text(move || fixed(share(), 1) + "%");
    let shift = text(move || format!("-{}%", fixed(share(), 1)));
    let change = move |event: Targeted<Event, HtmlInputElement>| {
        set_speed(lab, event.target().value_as_number());
    };
    view! {
        <div class="speed">
            <input
                type="range"
                data-testid="speed"
                aria-label="Speed"
                aria-valuetext=said
                min=plain(SPEED_MIN)
                max=plain(SPEED_MAX)
                step=plain(SPEED_KEY_STEP)
                prop:value=hundredths
                on:input:target=change
            />
            <output data-testid="speed-said" style:left=place style:translate=shift>{said}</output>
        </div>
    }
}

/// The speed where there is no room for a slider.
#[component]
fn SpeedChoice(lab: Lab) -> impl IntoView {
    let speed = Memo::new(move |_| lab.status.get().speed);
    let choose = move |event: Targeted<Event, web_sys::HtmlSelectElement>| {
        let hundredths = decimal::read(&event.target().value()).map(|speed| libm::log10(speed) * 100.0);
        set_speed(lab, hundredths.unwrap_or(0.0));
    };
    let choices = move || {
        let mut speeds = SPEED_CHOICES.to_vec();
        if !speeds.contains(&speed.get()) {
            speeds.push(speed.get());
            sort_few(&mut speeds, |&speed| speed);
        }
        let choice =
            |of: f64| view! { <option value=plain(of) selected=of == speed.get()>{speed_text(of)}</option> };
        speeds.into_iter().map(choice).collect_view()
    };
    view! {
        <select class="speed-choice" data-testid="speed-choice" aria-label="Speed" on:change:target=choose>
            {choices}
        </select>
    }
}

#[component]
fn Seed(lab: Lab) -> impl IntoView {
    let seed = move || lab.address().seed.to_string();
    let set = move |seed: u64| lab.act(Command::Seed { seed });
    let typed =
        move |event: Targeted<Event, HtmlInputElement>| match event.target().value().trim().parse::<u64>() {
            Ok(seed) => set(seed),
            Err(_) => {
                lab.problem.set(Some(format!("seed: allowed: a whole number from 0 to {SEED_MAX}")));
                event.target().set_value(&seed());
            }
        };
    view! {
        <div class="seed">
            <label title="The number that everything random in the run is drawn from: the same seed, the same run">
                "seed"
                <input
                    type="text"
                    inputmode="numeric"
                    autocomplete="off"
                    data-testid="seed"
                    prop:value=text(move || {
                        // A run with another seed has settings of its own.
                        lab.settings.track();
                        seed()
                    })
                    on:change:target=typed
                />
            </label>
            <button type="button" class="icon" data-testid="new-seed" aria-label="Another seed" title="Another seed" on:click=click(move |_| lab.another_seed())>
                <svg width="18" height="18" viewBox="0 0 18 18" aria-hidden="true">
                    <path class="icon-line" d="M14.500 7A6 6 0 1 0 15 10.500M15 3v4.200h-4.200" />
                </svg>
            </button>
        </div>
    }
}

/// `×0.5`, `×620`
fn speed_text(speed: f64) -> String {
    format!("×{}", if speed >= 10.0 { fixed(speed, 0) } else { plain((speed * 100.0).round() / 100.0) })
}

/// `00:15.230`
pub fn clock(ms: f64) -> String {
    let whole = ms as u64;
    format!("{:02}:{:02}.{:03}", whole / 60_000, whole / 1000 % 60, whole % 1000)
}
