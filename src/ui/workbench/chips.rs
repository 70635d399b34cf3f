//! The faults of the timeline as what they are written as: edited in place, moved, switched off, removed. Each is an act.
//!
//! A fault is known by its text, as in a list of faults; a chip by the fault's place among those that are shown.

use crate::app::PlayerState;
use crate::app::session::{Command, Session};
use crate::kernel::{Duration, Instant};
use crate::lab::Invalid;
use crate::lab::fault::Fault;
use crate::ui::timeline::page_width;
use crate::ui::{Lab, View, click, keydown, keys, text};
use leptos::ev::KeyboardEvent;
use leptos::html::Input;
use leptos::prelude::*;

/// What an arrow moves by.
const STEP: Duration = Duration::from_millis(100);
/// A narrower page has no room to edit one fault at its place: all of them are in a sheet.
const SHEET_BELOW: f64 = 700.0;

/// Which faults are being edited.
#[derive(Clone, PartialEq)]
pub enum Open {
    /// One, at its chip: its text, and the chip's id.
    One(String, String),
    /// All of them.
    All,
}

/// The faults that are shown, in the order of their chips, and whether each is off.
fn shown(session: &Session) -> Vec<(Fault, bool)> {
    let (run, truth) = (session.run(), session.showing().truth);
    let faults = run.faults().enumerate().filter(|(i, _)| truth || run.is_by_hand(*i));
    let off = run.off_faults().into_iter().filter(|_| truth).map(|fault| (fault, true));
    faults.map(|(_, fault)| (fault.clone(), false)).chain(off).collect()
}

/// Does what a key on a chip asks for.
pub fn act(lab: Lab, view: View, id: &str, key: &str) {
    let (of, is_end) = match id.strip_suffix("-end") {
        Some(of) => (of, true),
        None => (id, false),
    };
    let place = of.strip_prefix("flag-edit-").and_then(|n| n.parse::<usize>().ok());
    let faults = lab.read(shown);
    // While a replay is under way the chips are still where they were: a key that is held moves what it moved before.
    let replays = lab.read(|session| session.status().state == PlayerState::Replaying);
    let moved = view.desk.moved.get_value();
    let held = faults.iter().find(|(fault, _)| replays && fault.to_string() == moved);
    let found = held.or_else(|| faults.get(place?));
    let Some((fault, _)) = found.cloned() else {
        return view.desk.chips.set((key == "Enter").then_some(Open::All));
    };
    let text = fault.to_string();
    match key {
        "Enter" if page_width() < SHEET_BELOW => view.desk.chips.set(Some(Open::All)),
        "Enter" => view.desk.chips.set(Some(Open::One(text, id.to_owned()))),
        "ArrowLeft" | "ArrowRight" => {
            let to = shifted(fault, is_end, key == "ArrowRight").to_string();
            if change(lab, &text, Some(&to)).is_ok() {
                view.desk.moved.set_value(to.clone());
                focus_chip(lab, to, is_end);
            }
        }
        "o" | "O" => {
            lab.act(Command::Switch { fault: text.clone() });
            focus_chip(lab, text, false);
        }
        _ => {
            // What is wrong with it is said.
            let _ = change(lab, &text, None);
            keys::focus(".board");
        }
    }
}

fn change(lab: Lab, fault: &str, to: Option<&str>) -> Result<(), Invalid> {
    lab.send(Command::Edit { fault: fault.to_owned(), to: to.map(str::to_owned) }).map(drop)
}

/// A fault whose beginning, or end, is a step later or earlier.
fn shifted(fault: Fault, is_end: bool, later: bool) -> Fault {
    let shift = |at: Instant| if later { at + STEP } else { at - STEP };
    match is_end {
        true => Fault { end: fault.end.map(shift), ..fault },
        false => Fault { start: Some(shift(fault.start.unwrap_or(Instant::ZERO))), ..fault },
    }
}

/// Gives the focus to the chip of a fault, once the replay has arrived and the chips are where they belong.
fn focus_chip(lab: Lab, fault: String, is_end: bool) {
    lab.when_arrived(Box::new(move || {
        let place = lab.read(shown).iter().position(|(other, _)| other.to_string() == fault);
        let end = if is_end { "-end" } else { "" };
        request_animation_frame(move || {
            if let Some(n) = place {
                keys::focus(&format!("[data-testid=flag-edit-{n}{end}]"));
            }
        });
    }));
}

// --- the panel ------------------------------------------------------------------------------------------------------

/// The faults that are being edited: over the timeline, or as a sheet.
pub fn panel(lab: Lab, view: View) -> AnyView {
    let faults = Memo::new(move |_| {
        lab.snapshot.track();
        lab.truth.track();
        lab.read(shown)
    });
    (move || view.desk.chips.get().map(|open| sheet(lab, view, open, faults))).into_any()
}

fn sheet(lab: Lab, view: View, open: Open, faults: Memo<Vec<(Fault, bool)>>) -> AnyView {
    let close = move || leave(view);
    let escape = move |event: KeyboardEvent| {
        event.stop_propagation();
        if event.key() == "Escape" {
            close();
        }
    };
    let chip = if let Open::One(_, id) = &open { Some(id.clone()) } else { None };
    let is_one = chip.is_some();
    // Where the chip is, as a share of the page's width, once it is there.
    let x = RwSignal::new(0.0);
    Effect::new(move |_| {
        let chip = chip.clone();
        request_animation_frame(move || {
            let find = |id: String| document().query_selector(&format!("[data-testid={id}]")).ok().flatten();
            if let Some(chip) = chip.and_then(find) {
                x.set(chip.get_bounding_client_rect().x() / page_width() * 100.0);
            }
            keys::focus(if is_one { ".faults input" } else { "[data-testid=faults-close]" });
        });
    });
    let rows = move || {
        let of = |(n, (fault, off)): (usize, (Fault, bool))| match &open {
            Open::One(text, _) if *text != fault.to_string() => None,
            _ => Some(row(lab, view, n, &fault, off, is_one)),
        };
        faults.get().into_iter().enumerate().filter_map(of).collect_view()
    };
    view! {
        <section
            class="faults"
            class:one=is_one
            role="dialog"
            aria-label="Faults"
            data-testid="faults"
            style:left=text(move || format!("min({:.1}%, 100% - 436px)", x.get()))
            on:keydown=keydown(escape)
        >
            <header>
                <b>{if is_one { "Edit the fault" } else { "Faults" }}</b>
                <small>"such as crash:w-04@8s..20s or slow:w-02@5s=4"</small>
                <button type="button" class="icon" data-testid="faults-close" aria-label="Close" on:click=click(move |_| close())>"×"</button>
            </header>
            <ul>{rows}</ul>
            {move || faults.with(Vec::is_empty).then_some("No faults. Break a row, and it is here.")}
        </section>
    }
    .into_any()
}

fn leave(view: View) {
    if let Some(Open::One(_, id)) = view.desk.chips.get_untracked() {
        keys::focus(&format!("[data-testid={id}]"));
    }
    view.desk.chips.set(None);
}

fn row(lab: Lab, view: View, n: usize, fault: &Fault, off: bool, is_one: bool) -> AnyView {
    let (node, error) = (NodeRef::<Input>::new(), RwSignal::new(String::new()));
    let fault_text = StoredValue::new(fault.to_string());
    // Where one was edited, that is done then.
    let done = move |to: String| {
        if is_one {
            view.desk.chips.set(None);
            focus_chip(lab, to, false);
        }
    };
    let commit = move || {
        // A field that is taken away is left, too; then nothing of it is there any more.
        let Some(Some(input)) = node.try_get_untracked() else { return };
        let (now, typed) = (fault_text.get_value(), input.value());
        if typed == now {
            return;
        }
        match change(lab, &now, Some(&typed)) {
            // As it is written, which may differ from how it was typed.
            Ok(()) => done(typed.parse::<Fault>().map_or(typed, |fault| fault.to_string())),
            // It stays as it was typed, and what is wrong is said beside it.
            Err(invalid) => {
                lab.problem.set(None);
                error.set(invalid.to_string());
            }
        }
    };
    let key = move |event: KeyboardEvent| match event.key().as_str() {
        "Enter" => {
            event.prevent_default();
            let is_same = node.get_untracked().is_some_and(|input| input.value() == fault_text.get_value());
            if is_same && is_one { leave(view) } else { commit() }
        }
        // Called off: what was typed is not meant.
        "Escape" => {
            if let Some(input) = node.get_untracked() {
                input.set_value(&fault_text.get_value());
            }
        }
        _ => {}
    };
    let switch = move |_| {
        let fault = fault_text.get_value();
        lab.act(Command::Switch { fault: fault.clone() });
        done(fault);
    };
    let remove = move |_| {
        // One that has just gone is gone.
        let _ = change(lab, &fault_text.get_value(), None);
        if is_one {
            view.desk.chips.set(None);
            keys::focus(".board");
        }
    };
    let words = fault_text.get_value();
    view! {
        <li data-kind=fault.kind.name() class:off=off>
            <span class="flag-mark"></span>
            <input
                type="text"
                autocomplete="off"
                spellcheck="false"
                enterkeyhint="done"
                data-testid=format!("fault-{n}")
                aria-label=format!("Fault {}", n + 1)
                aria-invalid=text(move || (!error.with(String::is_empty)).to_string())
                prop:value=words.clone()
                node_ref=node
                on:keydown=keydown(key)
                on:change=move |_| commit()
            />
            <button type="button" class="small" data-testid=format!("flag-off-{n}") on:click=click(switch)>
                {if off { "On" } else { "Off" }}
            </button>
            <button type="button" class="small" data-testid=format!("flag-remove-{n}") aria-label=format!("Remove {words}") on:click=click(remove)>
                "Remove"
            </button>
            <p class="problem" role="alert">{text(move || error.get())}</p>
        </li>
    }
    .into_any()
}
