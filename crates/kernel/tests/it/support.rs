//! What the tests share: notes of what tasks did and when, and seeds that a failure names.

use glasshive_kernel::{Ctx, Duration, Instant, Kind, Sim, Sink};
use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;

pub const STEP: Kind = Kind::new("test_step");

/// What tasks note, each with the millisecond at which they do: `"10 a"`.
#[derive(Clone)]
pub struct Notes {
    ctx: Ctx,
    lines: Rc<RefCell<Vec<String>>>,
}

impl Notes {
    pub fn new(ctx: &Ctx) -> Self {
        Notes { ctx: ctx.clone(), lines: Rc::default() }
    }

    pub fn note(&self, text: impl std::fmt::Display) {
        self.lines.borrow_mut().push(format!("{} {text}", self.ctx.now().as_millis_f64()));
    }

    pub fn lines(&self) -> Vec<String> {
        self.lines.borrow().clone()
    }

    /// Notes `text` when it is dropped.
    pub fn on_drop(&self, text: &'static str) -> DropNote {
        self.on_drop_of(text)
    }

    pub fn on_drop_of(&self, what: impl std::fmt::Display) -> DropNote {
        DropNote(self.clone(), what.to_string())
    }
}

pub struct DropNote(Notes, String);

impl Drop for DropNote {
    fn drop(&mut self) {
        self.0.note(&self.1);
    }
}

pub fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

pub fn at(ms: u64) -> Instant {
    Instant::from_millis(ms)
}

/// Builds a simulation, plays it to its end, and returns what was noted.
pub fn play(build: impl FnOnce(&Ctx, Notes)) -> Vec<String> {
    let mut sim = Sim::new(1, Sink::None);
    let notes = Notes::new(&sim.ctx());
    build(&sim.ctx(), notes.clone());
    sim.run_until(at(3_600_000));
    notes.lines()
}

/// Says which seed it was if the test fails while it lives.
struct OnFailure(u64);

impl Drop for OnFailure {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("seed {}", self.0);
        }
    }
}

/// Calls `body` with every seed of `range`. A failure says which one it was.
pub fn for_seeds(range: Range<u64>, body: impl Fn(u64)) {
    for seed in range {
        let _on_failure = OnFailure(seed);
        body(seed);
    }
}
