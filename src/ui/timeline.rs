//! The timeline: where the run is, when work was wanted, when faults begin and end. Scrubbing replays.

use super::{Lab, text, transport};
use crate::app::plot::chips;
use crate::app::plot::geometry::sort_few;
use crate::app::session::Command;
use crate::app::snapshot::{FaultView, Snapshot};
use crate::lab::Run;
use leptos::ev::{Event, Targeted};
use leptos::html::Div;
use leptos::prelude::*;
use std::fmt::Write;
use std::rc::Rc;
use web_sys::HtmlInputElement;

/// The drawing is this wide in its own units, whatever its width on the page.
const UNITS: f64 = 1000.0;
/// A timeline narrower than that has no room for names.
const NAMED_FROM: f64 = 240.0;

/// A fault on the timeline.
#[derive(Clone, Debug, PartialEq)]
struct Flag {
    /// Where, as a percentage of the width.
    left: f64,
    kind: &'static str,
    name: String,
    future: bool,
    by_hand: bool,
    /// How far right of it its chip begins, and what is on it; one that stands for several says how many more.
    chip: Option<(f64, String)>,
    /// All that its chip stands for.
    all: String,
}

/// The timeline.
#[component]
pub fn Timeline(lab: Lab) -> impl IntoView {
    let axis = Memo::new(move |_| lab.snapshot.with(|s| s.axis_ms));
    let vtime = Memo::new(move |_| lab.snapshot.with(|s| s.vtime_ms));
    let begun = Memo::new(move |_| lab.snapshot.with(|s| s.begun));
    let ticks = Memo::new(move |before: Option<&String>| {
        begun.track();
        let axis = axis.get();
        let now = lab.read_run(|run| ticks(run, axis));
        now.or_else(|| before.cloned()).unwrap_or_default()
    });
    let ticks = text(move || ticks.get());
    let (line, width) = (NodeRef::<Div>::new(), RwSignal::new(0.0));
    let measure = move || width.set(line.get().map_or(0.0, |line| f64::from(line.client_width())));
    Effect::new(move |_| measure());
    let resized = window_event_listener(leptos::ev::resize, move |_| untrack(measure));
    on_cleanup(move || resized.remove());
    let flags = Memo::new(move |_| {
        let mut flags = lab.snapshot.with(|snapshot| flags(snapshot, axis.get()));
        place_chips(&mut flags, width.get());
        flags
    });
    let share = text(move || format!("{:.2}", share_of(vtime.get(), axis.get()) * UNITS));
    let said = text(move || {
        lab.snapshot.with(|now| format!("{:.1} seconds{}", now.vtime_ms / 1000.0, lab.face().said(now)))
    });
    let seek = move |event: Targeted<Event, HtmlInputElement>| {
        lab.act(Command::Seek { at_ms: event.target().value_as_number() });
    };
    view! {
        <div class="timeline" node_ref=line>
            <svg viewBox="0 0 1000 60" preserveAspectRatio="none" aria-hidden="true">
                <rect class="rail" x="0" y="36" width="1000" height="8" rx="4" />
                <rect class="played" x="0" y="36" width=share height="8" />
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
                min=text(move || axis.get().0.to_string())
                max=text(move || axis.get().1.to_string())
                step="10"
                prop:value=text(move || vtime.get().to_string())
                on:input:target=seek
            />
        </div>
        <span class="extent" aria-hidden="true">{text(move || transport::clock(axis.get().1).split('.').next().unwrap_or_default().to_owned())}</span>
    }
}

#[component]
fn FlagMark(n: usize, flag: Flag) -> impl IntoView {
    let Flag { left, kind, name, future, by_hand, chip, all } = flag;
    let chip = chip.map(|(offset, words)| {
        let is_one = !words.starts_with('+');
        view! {
            <span class="chip" aria-hidden="true" title=all style:left=format!("{offset:.1}px")>
                {is_one.then(|| view! { <span class="flag-mark"></span> })}
                {words}
            </span>
        }
    });
    view! {
        <li data-testid=format!("flag-{n}") data-kind=kind class:future=future class:own=by_hand style:left=format!("{left:.3}%")>
            {chip}
            <span class="visually-hidden">{name}</span>
        </li>
    }
}

/// Gives the flags their chips, each as near to its place as its neighbours let it.
fn place_chips(flags: &mut [Flag], width: f64) {
    let at = |flag: &Flag| flag.left / 100.0 * width;
    let words = |flag: &Flag| if width < NAMED_FROM { String::new() } else { flag.name.clone() };
    let wanted: Vec<(f64, f64)> = flags.iter().map(|flag| (at(flag), chips::width(&words(flag)))).collect();
    for chip in chips::place(&wanted, width) {
        let all: Vec<String> =
            flags[chip.from..chip.from + chip.count].iter().map(|flag| flag.name.clone()).collect();
        let flag = &mut flags[chip.from];
        let on_it = if chip.count > 1 { format!("+{}", chip.count) } else { words(flag) };
        flag.all = all.join(", ");
        flag.chip = Some((chip.left - at(flag), on_it));
    }
}

/// How far along an axis an instant is, 0 … 1; less for one before it.
fn share_of(ms: f64, (from, to): (f64, f64)) -> f64 {
    (ms - from) / (to - from)
}

fn ticks(run: &Run, axis: (f64, f64)) -> String {
    let mut path = String::new();
    // Those that would stand on one another are one.
    let mut last = None;
    for at in run.system().begun_at() {
        let share = share_of(at.as_millis_f64(), axis);
        if share < 0.0 {
            continue;
        }
        let x = (share * UNITS) as u32;
        if last.replace(x) != Some(x) {
            // Writing to a String cannot fail.
            let _ = write!(path, "M{x} 49v5");
        }
    }
    path
}

/// What begins with a fault of a kind.
pub(super) fn begins(kind: &str) -> &'static str {
    match kind {
        "crash" => "down",
        "restart" => "restarts",
        "stop" => "stops",
        "lie" => "lies",
        "slow" => "slow",
        "cut" => "cut off",
        "drop" => "loses",
        _ => "doubles",
    }
}

/// What its end brings.
fn ends(kind: &str) -> &'static str {
    match kind {
        "restart" => "",
        "crash" | "stop" => "restarts",
        "lie" => "honest",
        "slow" => "fast again",
        "cut" => "mended",
        "drop" => "no loss",
        _ => "no doubles",
    }
}

fn flags(snapshot: &Rc<Snapshot>, axis: (f64, f64)) -> Vec<Flag> {
    let mut flags = Vec::new();
    let mut add = |fault: &FaultView, at: Option<f64>, kind: &'static str, what: &str| {
        if let Some(at) = at.filter(|at| (axis.0..=axis.1).contains(at)) {
            let name = format!("{} {what}", fault.target);
            flags.push(Flag {
                left: share_of(at, axis) * 100.0,
                kind,
                name,
                future: at > snapshot.vtime_ms,
                by_hand: fault.by_hand,
                chip: None,
                all: String::new(),
            });
        }
    };
    for fault in &snapshot.faults {
        add(fault, Some(fault.from_ms), fault.kind, begins(fault.kind));
        add(fault, fault.to_ms, "end", ends(fault.kind));
    }
    sort_few(&mut flags, |flag| flag.left);
    flags
}
