//! The transport: clock, play and pause, step, seek, speed.

use super::{Lab, text};
use crate::app::PlayerState;
use crate::kernel::Instant;
use leptos::ev::{Event, Targeted};
use leptos::prelude::*;
use web_sys::{HtmlInputElement, HtmlSelectElement};

/// The speeds on offer: virtual milliseconds per millisecond.
const SPEEDS: [f64; 9] = [0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 50.0, 100.0, 1000.0];

/// The bar.
#[component]
pub fn Transport(lab: Lab) -> impl IntoView {
    let vtime_ms = Memo::new(move |_| lab.snapshot.with(|snapshot| snapshot.vtime_ms));
    let horizon_ms = lab.snapshot.with_untracked(|snapshot| snapshot.horizon_ms);
    let running = move || lab.status.get().state == PlayerState::Running;
    let toggle = move |_| lab.act(|player| if running() { player.pause() } else { player.play() });
    let step = move |_| {
        lab.act(|player| player.step());
    };
    let seek = move |event: Targeted<Event, HtmlInputElement>| {
        if let Ok(ms) = event.target().value().parse::<f64>() {
            lab.jump(|player| player.seek(Instant::from_nanos((ms * 1e6) as u64)));
        }
    };
    let speed = move |event: Targeted<Event, HtmlSelectElement>| {
        if let Ok(speed) = event.target().value().parse::<f64>() {
            let _ = lab.attempt(|player| player.set_speed(speed));
        }
    };
    let seed = text(move || lab.snapshot.with(|snapshot| snapshot.settings.seed.to_string()));
    let pace = text(move || {
        let status = lab.status.get();
        match status.progress {
            Some(progress) => format!("Replaying {:.0} %", progress * 100.0),
            None if running() && status.reached < 0.9 * status.speed => {
                format!("×{} asked, ×{:.0} reached", status.speed, status.reached)
            }
            None => String::new(),
        }
    });
    view! {
        <footer class="transport">
            <button type="button" data-testid="play" aria-label=text(move || if running() { "Pause" } else { "Play" }.to_owned()) on:click=toggle>
                {text(move || if running() { "Pause" } else { "Play" }.to_owned())}
            </button>
            <button type="button" data-testid="step" on:click=step>"Step"</button>
            <output data-testid="clock">{text(move || clock(vtime_ms.get()))}</output>
            <input
                type="range"
                data-testid="scrub"
                aria-label="Virtual time"
                min="0"
                max=horizon_ms
                step="100"
                prop:value=text(move || vtime_ms.get().to_string())
                on:change:target=seek
            />
            <label>
                "Speed "
                <select data-testid="speed" on:change:target=speed>
                    {SPEEDS
                        .map(|s| view! { <option value=s selected=move || lab.status.get().speed == s>{format!("×{s}")}</option> })
                        .to_vec()}
                </select>
            </label>
            <span>"Seed " <output data-testid="seed">{seed}</output></span>
            <button type="button" data-testid="new-seed" on:click=move |_| lab.another_seed()>"Another seed"</button>
            <span class="quiet" data-testid="pace">{pace}</span>
            <span role="alert">{text(move || lab.problem.get().unwrap_or_default())}</span>
        </footer>
    }
}

/// `00:15.230`
fn clock(ms: f64) -> String {
    let whole = ms as u64;
    format!("{:02}:{:02}.{:03}", whole / 60_000, whole / 1000 % 60, whole % 1000)
}
