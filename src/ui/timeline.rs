//! The timeline: where the run is, when work was wanted, when faults begin and end. Scrubbing replays.

use super::{Lab, text, transport};
use crate::app::plot::timeline_extent_ms;
use crate::app::session::Command;
use crate::app::snapshot::{FaultView, Snapshot};
use crate::lab::Run;
use leptos::ev::{Event, Targeted};
use leptos::prelude::*;
use std::fmt::Write;
use std::rc::Rc;
use web_sys::HtmlInputElement;

/// The drawing is this wide in its own units, whatever its width on the page.
const UNITS: f64 = 1000.0;
/// Flags nearer to each other than this share of the width show no name.
const FLAG_GAP: f64 = 0.085;

/// A fault on the timeline.
#[derive(Clone, Debug, PartialEq)]
struct Flag {
    /// Where, as a percentage of the width.
    left: f64,
    kind: &'static str,
    name: String,
    /// Whether there is room for the name.
    named: bool,
    future: bool,
}

/// The timeline.
#[component]
pub fn Timeline(lab: Lab) -> impl IntoView {
    let extent = Memo::new(move |_| lab.snapshot.with(|s| timeline_extent_ms(s.vtime_ms, s.horizon_ms)));
    let vtime = Memo::new(move |_| lab.snapshot.with(|s| s.vtime_ms));
    let begun = Memo::new(move |_| lab.snapshot.with(|s| s.begun));
    let ticks = Memo::new(move |before: Option<&String>| {
        begun.track();
        let extent = extent.get();
        let now = lab.read_run(|run| ticks(run, extent));
        now.or_else(|| before.cloned()).unwrap_or_default()
    });
    let ticks = text(move || ticks.get());
    let flags = Memo::new(move |_| lab.snapshot.with(|snapshot| flags(snapshot, extent.get())));
    let share = text(move || format!("{:.2}", vtime.get() / extent.get() * UNITS));
    let said = text(move || {
        lab.snapshot.with(|now| format!("{:.1} seconds{}", now.vtime_ms / 1000.0, lab.face().said(now)))
    });
    let seek = move |event: Targeted<Event, HtmlInputElement>| {
        lab.act(Command::Seek { at_ms: event.target().value_as_number() });
    };
    view! {
        <div class="timeline">
            <svg viewBox="0 0 1000 48" preserveAspectRatio="none" aria-hidden="true">
                <rect class="rail" x="0" y="21" width="1000" height="8" rx="4" />
                <rect class="played" x="0" y="21" width=share height="8" />
                <path class="ticks" d=ticks />
            </svg>
            <ul class="flags" aria-label="Faults">
                {move || flags.get().into_iter().enumerate().map(|(n, flag)| view! { <FlagMark n flag /> }).collect_view()}
            </ul>
            <input
                type="range"
                data-testid="scrub"
                aria-label="Virtual time"
                aria-valuetext=said
                min="0"
                max=text(move || extent.get().to_string())
                step="10"
                prop:value=text(move || vtime.get().to_string())
                on:input:target=seek
            />
            <span class="extent" aria-hidden="true">{text(move || transport::clock(extent.get()).split('.').next().unwrap_or_default().to_owned())}</span>
        </div>
    }
}

#[component]
fn FlagMark(n: usize, flag: Flag) -> impl IntoView {
    let Flag { left, kind, name, named, future } = flag;
    view! {
        <li data-testid=format!("flag-{n}") data-kind=kind class:future=future style:left=format!("{left:.3}%")>
            <span class="flag-mark" aria-hidden="true"></span>
            <span class=if named { "flag-name" } else { "visually-hidden" }>{name}</span>
        </li>
    }
}

fn ticks(run: &Run, extent: f64) -> String {
    let mut path = String::new();
    // Those that would stand on one another are one.
    let mut last = None;
    for at in run.system().begun_at() {
        let x = (at.as_millis_f64() / extent * UNITS) as u32;
        if last.replace(x) != Some(x) {
            // Writing to a String cannot fail.
            let _ = write!(path, "M{x} 33v5");
        }
    }
    path
}

fn flags(snapshot: &Rc<Snapshot>, extent: f64) -> Vec<Flag> {
    let mut flags = Vec::new();
    let mut add = |fault: &FaultView, at: Option<f64>, kind: &'static str, what: &str| {
        if let Some(at) = at.filter(|&at| at <= extent) {
            let name = format!("{} {what}", fault.target);
            flags.push(Flag {
                left: at / extent * 100.0,
                kind,
                name,
                named: true,
                future: at > snapshot.vtime_ms,
            });
        }
    };
    for fault in &snapshot.faults {
        let (begins, ends) = match fault.kind {
            "crash" => ("down", "restarts"),
            "restart" => ("restarts", ""),
            "stop" => ("stops", "restarts"),
            "lie" => ("lies", "honest"),
            "slow" => ("slow", "fast again"),
            "cut" => ("cut off", "mended"),
            "drop" => ("loses", "no loss"),
            _ => ("doubles", "no doubles"),
        };
        add(fault, Some(fault.from_ms), fault.kind, begins);
        add(fault, fault.to_ms, "end", ends);
    }
    flags.sort_unstable_by(|a, b| a.left.total_cmp(&b.left));
    for i in 1..flags.len() {
        flags[i].named = flags[i].left - flags[i - 1].left > FLAG_GAP * 100.0 || !flags[i - 1].named;
    }
    flags
}
