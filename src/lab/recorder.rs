//! What an experiment takes from a run: some figures of some of its units of work (requests, jobs, versions), each as it comes,
//! and how the units ended. Nothing in a run depends on whether anybody records.

use std::cell::RefCell;
use std::rc::Rc;

/// Which units of work count: those after the first `warmup`, and so many of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// How many at the beginning do not count.
    pub warmup: u64,
    /// How many count.
    pub requests: u64,
}

/// What a unit of work told, for those who hold two runs against each other unit by unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Heard {
    /// A figure: of which unit, by which measure.
    Sample(u64, usize, f64),
    /// An end: of which unit, and whether it ended well.
    End(u64, bool),
}

/// What was recorded of a run so far.
#[derive(Debug)]
pub struct Recorder {
    window: Window,
    /// By unit of work, the first that counts first: whether it has ended.
    ended: Vec<bool>,
    answered: u64,
    unanswered: u64,
    /// By measure.
    samples: Vec<Vec<f64>>,
    /// What was heard since somebody last asked, if anybody does.
    heard: Option<Vec<Heard>>,
}

/// Who records a run.
pub type Recording = Option<Rc<RefCell<Recorder>>>;

impl Recorder {
    /// One that has heard nothing yet, for a system with so many measures.
    pub fn new(window: Window, measures: usize) -> Self {
        Recorder {
            window,
            ended: vec![false; window.requests as usize],
            answered: 0,
            unanswered: 0,
            samples: vec![Vec::new(); measures],
            heard: None,
        }
    }

    /// One that says of each unit of work what it told.
    pub fn of_units(window: Window, measures: usize) -> Self {
        Recorder { heard: Some(Vec::new()), ..Recorder::new(window, measures) }
    }

    /// The place of a unit of work, counted from 1 over the run, among those that count.
    fn place(&self, unit: u64) -> Option<usize> {
        let place = unit.checked_sub(self.window.warmup + 1)?;
        (place < self.window.requests).then_some(place as usize)
    }

    /// A unit of work has this figure.
    pub fn sample(&mut self, unit: u64, measure: usize, value: f64) {
        if self.place(unit).is_none() {
            return;
        }
        match &mut self.heard {
            Some(heard) => heard.push(Heard::Sample(unit, measure, value)),
            None => self.samples[measure].push(value),
        }
    }

    /// A unit of work has ended; what becomes of it later does not count.
    pub fn end(&mut self, unit: u64, answered: bool) {
        let Some(place) = self.place(unit) else { return };
        if !std::mem::replace(&mut self.ended[place], true) {
            *if answered { &mut self.answered } else { &mut self.unanswered } += 1;
            self.heard.iter_mut().for_each(|heard| heard.push(Heard::End(unit, answered)));
        }
    }

    /// A unit of work came to nothing before it had a number, so those after it have the numbers that it would have pushed on:
    /// it takes the last place.
    pub fn lose(&mut self) {
        if let Some(last) = self.ended.iter().rposition(|ended| !ended) {
            self.ended[last] = true;
            self.unanswered += 1;
        }
    }

    /// Whether all that count have ended.
    pub fn is_full(&self) -> bool {
        self.answered + self.unanswered == self.window.requests
    }

    /// How many have ended well.
    pub fn answered(&self) -> u64 {
        self.answered
    }

    /// What units of work told since this was asked last: given away.
    pub fn take_heard(&mut self) -> Vec<Heard> {
        self.heard.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// The figures so far, by measure: given away.
    pub fn take_samples(&mut self) -> Vec<Vec<f64>> {
        std::mem::take(&mut self.samples)
    }
}

/// Lets whoever records a run hear of something.
#[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
pub(super) fn record(recording: &Recording, what: impl FnOnce(&mut Recorder)) {
    if let Some(recorder) = recording {
        what(&mut recorder.borrow_mut());
    }
}

/// Nobody records in the program that the page opens with.
#[cfg(not(any(not(target_arch = "wasm32"), feature = "workbench")))]
pub(super) fn record(_: &Recording, _: impl FnOnce(&mut Recorder)) {}
