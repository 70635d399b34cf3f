//! The frame loop: one animation frame after the other, each with a time budget for the simulation.

use super::{Lab, is_mounted};
use crate::app::PlayerState;
use gloo_timers::callback::Timeout;
use leptos::prelude::{
    GetUntracked, Set, WithUntracked, document, on_cleanup, window_event_listener_untyped,
};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;

/// What simulating and drawing may take together of a frame's 16 ms, so that the page answers at once.
const FRAME_MS: f64 = 10.0;
/// The simulation gets what drawing leaves of it, within these bounds.
const BUDGET_MS: (f64, f64) = (1.0, 6.0);
/// Where drawing takes long, so much of as much, and no more than that.
const BESIDE_DRAWING: f64 = 0.3;
const BESIDE_DRAWING_MS_MAX: f64 = 12.0;
/// A replay is not drawn until it has arrived: it gets as much as a click can wait.
const REPLAY_MS: f64 = 30.0;
/// How much the newest frame weighs in what drawing is taken to need.
const NEWEST_WEIGHT: f64 = 0.2;

/// For how long it is said that the tab was hidden.
const HIDDEN_SAID_MS: u32 = 4000;

type Callback = Closure<dyn FnMut(f64)>;

/// Starts the loop. It runs until the page is taken away; a hidden tab gets no frames, and so stands still.
pub fn start(lab: Lab) {
    let callback: Rc<RefCell<Option<Callback>>> = Rc::default();
    let again = Rc::clone(&callback);
    // Time passes from the start on, also while the browser prepares the first frame.
    let mut last = wall_ms();
    // What came after the simulation in the last frames: the snapshot, the board, the browser's own part.
    let rest = Rc::new(Cell::new(0.0));
    *callback.borrow_mut() = Some(Closure::new(move |now: f64| {
        if !is_mounted() {
            return;
        }
        let elapsed = now - std::mem::replace(&mut last, now);
        let begun = wall_ms();
        let draws = lab.status.with_untracked(|status| status.progress.is_none());
        let budget = if draws { budget(rest.get()) } else { REPLAY_MS };
        let simulated = Cell::new(begun);
        lab.frame(elapsed, || {
            simulated.set(wall_ms());
            simulated.get() - begun < budget
        });
        let (drawn, simulated) = (Rc::clone(&rest), simulated.get());
        // Effects run after this callback, and before the next task.
        Timeout::new(0, move || {
            drawn.set(drawn.get() + NEWEST_WEIGHT * (wall_ms() - simulated - drawn.get()))
        })
        .forget();
        request(again.borrow().as_ref());
    }));
    request(callback.borrow().as_ref());
}

/// How long the simulation may take of a frame in whose rest the last ones took so long.
fn budget(rest: f64) -> f64 {
    let left = (FRAME_MS - rest).clamp(BUDGET_MS.0, BUDGET_MS.1);
    // Who waits for the drawing anyway is to see time pass.
    left.max((rest * BESIDE_DRAWING).min(BESIDE_DRAWING_MS_MAX))
}

/// A run that stood still while its tab was hidden says so when it is seen again.
pub fn note_hidden(lab: Lab) {
    let handle = window_event_listener_untyped("visibilitychange", move |_| {
        if document().hidden() {
            lab.was_hidden.set(lab.status.get_untracked().state == PlayerState::Running);
        } else {
            Timeout::new(HIDDEN_SAID_MS, move || lab.was_hidden.set(false)).forget();
        }
    });
    on_cleanup(move || handle.remove());
}

fn request(callback: Option<&Callback>) {
    if let (Some(window), Some(callback)) = (web_sys::window(), callback) {
        // Refused only by a window that is being closed.
        let _ = window.request_animation_frame(callback.as_ref().unchecked_ref());
    }
}

/// Wall time in milliseconds, since the page began.
pub fn wall_ms() -> f64 {
    web_sys::window().and_then(|window| window.performance()).map_or(0.0, |performance| performance.now())
}
