//! The timeline: where the run is, when work was wanted, when faults begin and end. Scrubbing replays. What a fault's chip is
//! pressed for, and the keys on it, are for the program that can change faults.

use super::panel::Panel;
use super::{Lab, View, click, keydown, text, transport, workbench};
use crate::app::plot::chips;
use crate::app::plot::geometry::sort_few;
use crate::app::session::Command;
use crate::app::snapshot::{Snapshot, begins};
use crate::lab::Run;
use crate::substrate::decimal::{fixed, plain};
use leptos::ev::{Event, Targeted};
use leptos::html::Div;
use leptos::prelude::*;
use std::fmt::Write;
use wasm_bindgen::JsCast;
use web_sys::{Element, EventTarget, HtmlInputElement};

/// The drawing is this wide in its own units, whatever its width on the page.
const UNITS: f64 = 1000.0;
/// A timeline narrower than that has no room for names.
const NAMED_FROM: f64 = 240.0;
/// On a narrower page a chip is too small for a finger: one button opens all of them.
const CHIPS_FROM: f64 = 700.0;

/// A fault on the timeline.
#[derive(Clone, Debug, PartialEq)]
struct Flag {
    /// Where, as a percentage of the width.
    left: f64,
    kind: &'static str,
    name: String,
    future: bool,
    by_hand: bool,
    /// Whether its fault is switched off.
    off: bool,
    /// Which fault's beginning or end it is, as in its ids.
    of: String,
    /// How far right of it its chip begins, and what is on it; one that stands for several says how many more.
    chip: Option<(f64, String)>,
    /// All that its chip stands for.
    all: String,
}

/// The timeline.
#[component]
pub fn Timeline(lab: Lab, view: View) -> impl IntoView {
    let axis = Memo::new(move |_| lab.glance.with(|s| s.axis_ms));
    let vtime = Memo::new(move |_| lab.glance.with(|s| s.vtime_ms));
    let begun = Memo::new(move |_| lab.glance.with(|s| s.begun));
    let ticks = Memo::new(move |before: Option<&String>| {
        begun.track();
        let axis = axis.get();
        let now = lab.read_run(|run| ticks(run, 0.0, axis, "49v5"));
        now.or_else(|| before.cloned()).unwrap_or_default()
    });
    let ticks = text(move || ticks.get());
    let left_at = Memo::new(move |_| lab.status.get().left_at_ms);
    let left_ticks = text(move || {
        let (from_ms, axis) = (left_at.get().unwrap_or_default(), axis.get());
        let of = |run: &Run| self::ticks(run, from_ms, axis, "56m-2 0h4v3.5h-4z");
        lab.read(|session| session.left_run().map(of)).unwrap_or_default()
    });
    let (line, width, is_phone) = (NodeRef::<Div>::new(), RwSignal::new(0.0), RwSignal::new(false));
    Effect::new(move |_| {
        if let Some(line) = line.get() {
            let measured = line.clone();
            let measure = move || {
                width.set(f64::from(measured.client_width()));
                is_phone.set(page_width() < CHIPS_FROM);
            };
            super::on_resize(&line, Box::new(measure));
        }
    });
    let flags = Memo::new(move |_| {
        let mut flags = lab.glance.with(|snapshot| flags(lab, snapshot, axis.get()));
        place_chips(&mut flags, width.get());
        flags
    });
    let share = text(move || fixed(share_of(vtime.get(), axis.get()) * UNITS, 2));
    let said = text(move || {
        lab.glance.with(|now| format!("{} seconds{}", fixed(now.vtime_ms / 1000.0, 1), lab.face().said(now)))
    });
    let seek = move |event: Targeted<Event, HtmlInputElement>| {
        lab.act(Command::Seek { at_ms: event.target().value_as_number() });
    };
    // On whichever chip; beside them, where they are too small for a finger, it is all of them.
    let act = move |at: Option<EventTarget>, key: String| {
        let chip = at.and_then(|at| at.dyn_into::<Element>().ok()?.closest(".chip:not(.more)").ok()?);
        let id = chip.and_then(|chip| chip.get_attribute("data-testid"));
        workbench::open(lab, view, Panel::Chip(id.unwrap_or_default(), key));
    };
    let key = move |event: leptos::ev::KeyboardEvent| {
        let key = if event.key() == " " { "Enter".to_owned() } else { event.key() };
        let is_act =
            matches!(key.as_str(), "Enter" | "Delete" | "Backspace" | "o" | "O" | "ArrowLeft" | "ArrowRight");
        if is_act && !(event.ctrl_key() || event.meta_key() || event.alt_key()) {
            event.prevent_default();
            event.stop_propagation();
            act(event.target(), key);
        }
    };
    view! {
        <div class="timeline" node_ref=line>
            <svg viewBox="0 0 1000 60" preserveAspectRatio="none" aria-hidden="true">
                <rect class="rail" x="0" y="36" width="1000" height="8" rx="4" />
                <rect class="played" x="0" y="36" width=share height="8" />
                <path class="ticks" d=ticks />
                <path class="ticks left" d=left_ticks />
            </svg>
            <ul
                class="flags"
                aria-label="Faults"
                on:click=click(move |event| act(event.target(), "Enter".to_owned()))
                on:keydown=keydown(key)
            >
                {move || {
                    let is_phone = is_phone.get();
                    flags.get().into_iter().map(|flag| view! { <FlagMark flag is_phone /> }).collect_view()
                }}
            </ul>
            <button
                type="button"
                class="flags-all"
                data-testid="flags-all"
                aria-label="All faults"
                on:click=click(move |_| act(None, "Enter".to_owned()))
            ></button>
            <input
                type="range"
                data-testid="scrub"
                aria-label="Virtual time"
                aria-valuetext=said
                min=text(move || plain(axis.get().0))
                max=text(move || plain(axis.get().1))
                step="10"
                prop:value=text(move || plain(vtime.get()))
                on:input:target=seek
            />
        </div>
        <span class="extent" aria-hidden="true">{text(move || transport::clock(axis.get().1).split('.').next().unwrap_or_default().to_owned())}</span>
    }
}

#[component]
fn FlagMark(flag: Flag, is_phone: bool) -> impl IntoView {
    let Flag { left, kind, name, future, by_hand, off, of, chip, all } = flag;
    let (class, offset, words) = match chip {
        Some((offset, words)) => {
            (if words.starts_with('+') { "chip more" } else { "chip" }, fixed(offset, 1) + "px", words)
        }
        // Another one's chip counts it.
        None => ("visually-hidden", String::new(), name.clone()),
    };
    let is_pressed = class != "visually-hidden" && !is_phone;
    view! {
        <li data-testid=format!("flag-{of}") data-kind=kind class:future=future class:own=by_hand class:off=off style:left=fixed(left, 3) + "%">
            <div
                class=class
                data-testid=format!("flag-edit-{of}")
                role=if is_pressed { "button" } else { "img" }
                tabindex=is_pressed.then_some("0")
                aria-label=if all.is_empty() { name } else { all.clone() }
                title=all
                style:left=offset
            >
                <span class="flag-mark"></span>
                {words}
            </div>
        </li>
    }
}

/// How wide the page is.
pub fn page_width() -> f64 {
    window().inner_width().ok().and_then(|width| width.as_f64()).unwrap_or_default()
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
        if chip.count > 1 {
            flag.all = format!("{on_it}: {}", flag.all);
        }
        flag.chip = Some((chip.left - at(flag), on_it));
    }
}

/// How far along an axis an instant is, 0 … 1; less for one before it.
fn share_of(ms: f64, (from, to): (f64, f64)) -> f64 {
    (ms - from) / (to - from)
}

/// A mark for each unit of work that was wanted from an instant on.
fn ticks(run: &Run, from_ms: f64, axis: (f64, f64), mark: &str) -> String {
    let mut path = String::new();
    // Those that would stand on one another are one.
    let mut last = None;
    for at in run.system().begun_at() {
        let share = share_of(at.as_millis_f64(), axis);
        if share < 0.0 || at.as_millis_f64() < from_ms {
            continue;
        }
        let x = (share * UNITS) as u32;
        if last.replace(x) != Some(x) {
            // Writing to a String cannot fail.
            let _ = write!(path, "M{x} {mark}");
        }
    }
    path
}

/// What its end brings.
fn ends(kind: &str) -> &'static str {
    match kind {
        "restart" => "",
        "crash" | "stop" => "restarts",
        "start" => "stops",
        "lie" => "honest",
        "slow" => "fast again",
        "cut" => "mended",
        "drop" => "no loss",
        _ => "no doubles",
    }
}

/// The flags of all faults: of those that hold or are to come, and then of those that are switched off.
fn flags(lab: Lab, snapshot: &Snapshot, axis: (f64, f64)) -> Vec<Flag> {
    let mut flags = Vec::new();
    let off = workbench::off_faults(lab, snapshot);
    for (n, fault) in snapshot.faults.iter().chain(&off).enumerate() {
        let off = n >= snapshot.faults.len();
        let mut add = |at: f64, kind: &'static str, what: &str, of: String| {
            if (axis.0..=axis.1).contains(&at) {
                flags.push(Flag {
                    left: share_of(at, axis) * 100.0,
                    kind,
                    name: format!("{} {what}", fault.target),
                    future: at > snapshot.vtime_ms,
                    by_hand: fault.by_hand,
                    off,
                    of,
                    chip: None,
                    all: String::new(),
                });
            }
        };
        add(fault.from_ms, fault.kind, if off { "off" } else { begins(fault.kind) }, n.to_string());
        if let Some(to) = fault.to_ms.filter(|_| !off) {
            add(to, "end", ends(fault.kind), format!("{n}-end"));
        }
    }
    sort_few(&mut flags, |flag| flag.left);
    flags
}
