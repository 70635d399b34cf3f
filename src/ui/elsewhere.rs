//! Stands in the place of `workbench.rs` in a program without it: whoever opens a panel gets a larger program, which has
//! all of them, with the run as it is.
//!
//! The boot module asks for what is to be handed over until the other program has come to this moment, and changes them in
//! one go; meanwhile this one goes on. If the other one cannot be had, this one stays.

use super::host::{self, Host};
use super::metrics::Drawn;
use super::panel::{Asked, Kept, Panel, Tab};
use super::{Lab, PAGE, View};
use crate::app::session::Command;
use crate::app::snapshot::{FaultView, begins};
use crate::app::{PlayerState, Session, Snapshot};
use leptos::prelude::*;
use std::cell::RefCell;
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

thread_local! {
    /// What was asked for last.
    static ASKED: RefCell<Option<Asked>> = const { RefCell::new(None) };
}

/// What is open: nothing, here.
#[derive(Clone, Copy)]
pub struct Desk;

impl Desk {
    /// As there is no panel, there is nothing to know of one.
    pub fn new(_: Option<&str>) -> Self {
        Desk
    }

    /// No dialog is open.
    pub fn is_covered(self) -> bool {
        false
    }

    /// The gallery neither.
    pub fn has_gallery(self) -> bool {
        false
    }

    /// No question is being tried.
    pub fn asks(self) -> bool {
        false
    }

    /// The dock shows the charts.
    pub fn shows(self, tab: Tab) -> bool {
        tab == Tab::Metrics
    }

    /// How they are to be read.
    pub fn hint(self) -> &'static str {
        super::CHARTS_HINT
    }

    /// Calls off what was asked for.
    pub fn leave(self) -> bool {
        go_on().is_some()
    }
}

/// Asks for the program that has the panel.
pub fn open(lab: Lab, _: View, panel: Panel) {
    // At the moment at which it was asked for.
    let holds_run = matches!(panel, Panel::Gallery(_) | Panel::Predict);
    ASKED.with_borrow_mut(|asked| {
        let resumes = asked.as_ref().is_some_and(|asked| asked.resumes);
        *asked = Some(Asked { panel, resumes });
    });
    if holds_run {
        hold(lab);
        if lab.read(|session| session.status().state == PlayerState::Replaying) {
            lab.when_arrived(Box::new(move || hold(lab)));
        }
    }
    host::tell(Host::hand_over);
}

/// Asks for the program that has the scenario which a command leads to, by way of the one that has this run's panels and can
/// send it on; false if it is here.
pub fn leave(lab: Lab, command: &Command, then: &[Command], problem: Option<&str>) -> bool {
    let leads_away = lab.read(|session| session.leads_away(command).is_some());
    if let (true, Some((_, view))) = (leads_away, PAGE.get()) {
        open(lab, view, Panel::Scenario(command.clone(), then.to_vec(), problem.is_some()));
    }
    leads_away
}

/// Lets a run that plays stand still.
fn hold(lab: Lab) {
    ASKED.with_borrow_mut(|asked| {
        let plays = lab.read(|session| session.status().state == PlayerState::Running);
        if let (Some(asked), true) = (asked, plays) {
            asked.resumes = true;
            lab.act(Command::Pause);
        }
    });
}

/// A script calls the API: the other program does, once it has the run.
pub fn fetch(lab: Lab, path: &str, init: &JsValue) -> JsValue {
    take_over(lab);
    host::fetch(path, init)
}

/// Which run an act in the past has left, the other program says, once it has this one.
pub fn left(lab: Lab) -> Option<String> {
    take_over(lab);
    None
}

fn take_over(lab: Lab) {
    if let Some((_, view)) = PAGE.get() {
        open(lab, view, Panel::Script);
    }
}

/// What is handed over, as JSON: nothing while a replay is under way, and empty when nobody wants it any more.
#[wasm_bindgen]
pub fn handed() -> Option<String> {
    let Some(asked) = ASKED.with_borrow(Clone::clone) else { return Some(String::new()) };
    let (lab, view) = PAGE.get()?;
    let kept = Kept {
        session: lab.read(Session::hand_over)?,
        asked,
        problem: lab.problem.get_untracked(),
        selected: view.selected.get_untracked(),
        dock_open: view.dock_open.get_untracked(),
        shows_when: view.shows_when.get_untracked(),
    };
    serde_json::to_string(&kept).ok()
}

/// The other program cannot be had: says so, and goes on.
#[wasm_bindgen]
pub fn stay(cause: &str) {
    let Some(lab) = go_on().or(PAGE.get().map(|(lab, _)| lab)) else { return };
    super::stay_with(lab, cause);
}

/// Forgets what was asked for, if there is something, and lets the run go on that stood still for it.
fn go_on() -> Option<Lab> {
    let (asked, (lab, _)) = (ASKED.take()?, PAGE.get()?);
    if asked.resumes {
        lab.act(Command::Play);
    }
    Some(lab)
}

/// Nothing to listen to.
pub fn listen(_: Lab, _: View) {}

/// Nothing takes the caption's place.
pub fn in_place_of_caption(_: Lab, _: View) -> AnyView {
    ().into_any()
}

/// The dock shows the charts.
pub fn tab(_: View) -> Option<&'static str> {
    None
}

/// Whoever has switched a fault off is in the program that can.
pub fn off_faults(_: Lab, _: &Snapshot) -> Vec<FaultView> {
    Vec::new()
}

/// What was changed of the past: here only a new fault changes it.
pub fn changed(lab: Lab, at_ms: f64) -> Option<String> {
    lab.snapshot.with_untracked(|now| {
        let fault = now.faults.iter().rev().find(|fault| fault.by_hand && fault.from_ms == at_ms)?;
        Some(format!("{} {}. ", fault.target, begins(fault.kind)))
    })
}

/// No menu.
pub fn menu(_: Lab, _: View) -> AnyView {
    ().into_any()
}

/// Nothing to press beside a chart.
pub fn beside_chart(_: Lab, _: &'static str, _: Drawn, _: usize) {}

/// Nothing beside a tab's name.
pub fn beside_tab(_: Lab, _: Tab) {}

/// No other tabs than that of the charts.
pub fn tabs(_: Lab, _: View) -> AnyView {
    ().into_any()
}

/// No dialogs.
pub fn dialogs(_: Lab, _: View) -> AnyView {
    ().into_any()
}
