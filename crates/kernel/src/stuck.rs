//! An end for runs whose time stands still.
//!
//! Tasks that wake each other at once, or wait for no time in a loop, never let time move: the simulation would not
//! come back. A [`Watch`] counts polls. It costs one decrement for each; every so many polls it looks at the clock,
//! and an instant that has seen a good part of what is allowed is watched closely from there on, poll by poll, to tell
//! who is to blame.

use crate::sorted::SortedMap;
use crate::tasks::{Scope, Span};
use crate::time::Instant;
use std::cell::{Cell, OnceCell, RefCell};
use std::error::Error;
use std::fmt;
use std::panic::Location;

/// Polls between two looks at the clock: one in so many of those that an instant is allowed …
const SHARE: u64 = 32;
/// … and never more than this.
const PERIOD_MAX: u64 = 1024;
/// How many are named.
const NAMED: usize = 3;

/// Why a simulation stands still: one instant had more polls than [`limit_polls`](crate::Sim::limit_polls) allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stuck {
    /// The instant that does not end.
    pub at: Instant,
    /// How many polls it had.
    pub polls: u64,
    /// Who had most of them, the busiest first; at most three.
    pub busiest: Vec<Busy>,
}

/// Tasks that one line of code spawned in one scope. They count together, since an endless chain may consist of tasks
/// that are polled only once each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Busy {
    /// Their scope.
    pub scope: Scope,
    /// The line that spawned them.
    pub spawned_at: &'static Location<'static>,
    /// How many polls they had.
    pub polls: u64,
    /// What the last of them was busy with.
    pub span: Span,
}

impl fmt::Display for Stuck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.at.since(Instant::ZERO);
        write!(
            f,
            "virtual time stands still at {at}: {} polls in this instant, most of them of tasks",
            self.polls
        )?;
        for (i, Busy { scope, spawned_at, polls, .. }) in self.busiest.iter().enumerate() {
            let comma = if i == 0 { "" } else { "," };
            write!(f, "{comma} of scope {} spawned at {spawned_at} ({polls})", scope.0)?;
        }
        Ok(())
    }
}

impl Error for Stuck {}

/// Whom a poll is counted for.
#[derive(Clone, Copy)]
pub(crate) struct Polled {
    pub(crate) scope: Scope,
    pub(crate) spawned_at: &'static Location<'static>,
    pub(crate) span: Span,
}

/// Counts polls against a limit for each instant.
pub(crate) struct Watch {
    /// Polls until the next look.
    left: Cell<u32>,
    close: RefCell<Close>,
    stuck: OnceCell<Stuck>,
}

type Who = (u32, &'static Location<'static>);

struct Close {
    limit: u64,
    /// Polls between two looks: one when the instant is watched closely.
    step: u32,
    /// The instant of the last look.
    at: Instant,
    /// The polls since the first look in that instant.
    polls: u64,
    /// Those since it is watched closely, by scope and by the line that spawned the task.
    counts: SortedMap<Who, (u64, Span)>,
}

impl Default for Watch {
    fn default() -> Self {
        let close = Close {
            limit: u64::MAX,
            step: u32::MAX,
            at: Instant::ZERO,
            polls: 0,
            counts: SortedMap::default(),
        };
        Watch { left: Cell::new(close.step), close: RefCell::new(close), stuck: OnceCell::new() }
    }
}

impl Watch {
    /// From now on one instant may have `polls` polls; it may take a thirtieth part more until that is noticed.
    pub(crate) fn limit(&self, polls: u64) {
        let close = &mut *self.close.borrow_mut();
        close.limit = polls;
        close.step = close.stride();
        self.left.set(close.step);
    }

    pub(crate) fn stuck(&self) -> Option<&Stuck> {
        self.stuck.get()
    }

    /// Counts a poll; true when it is time to [`look`](Self::look).
    #[inline]
    pub(crate) fn is_due(&self) -> bool {
        let left = self.left.get() - 1;
        self.left.set(left);
        left == 0
    }

    /// Looks at the clock. False when time stands still, now or before: nothing may be polled any more.
    #[cold]
    pub(crate) fn look(&self, now: Instant, polled: Polled) -> bool {
        let goes_on = self.stuck.get().is_none() && self.close.borrow_mut().count(now, polled);
        if goes_on {
            self.left.set(self.close.borrow().step);
        } else {
            // So that whatever is polled next looks again, and is told the same.
            self.left.set(1);
            let _ = self.stuck.get_or_init(|| self.close.borrow().verdict());
        }
        goes_on
    }
}

impl Close {
    fn stride(&self) -> u32 {
        (self.limit / SHARE).clamp(1, PERIOD_MAX) as u32
    }

    /// Takes note of the polls since the last look; false when there were too many.
    fn count(&mut self, now: Instant, polled: Polled) -> bool {
        if now != self.at {
            *self = Close {
                limit: self.limit,
                step: self.stride(),
                at: now,
                polls: 0,
                counts: SortedMap::default(),
            };
            return true;
        }
        self.polls += u64::from(self.step);
        if self.polls >= self.limit / SHARE {
            self.step = 1;
            let (polls, span) = self.counts.entry((polled.scope.0, polled.spawned_at)).or_default();
            *polls += 1;
            *span = polled.span;
        }
        self.polls <= self.limit
    }

    fn verdict(&self) -> Stuck {
        let busy = |(&(scope, spawned_at), &(polls, span)): (&Who, &(u64, Span))| {
            let scope = Scope(scope);
            Busy { scope, spawned_at, polls, span }
        };
        let mut busiest: Vec<Busy> = Vec::with_capacity(NAMED + 1);
        for busy in self.counts.iter().map(busy) {
            // Of those with equally many polls the first in order comes first.
            let place = busiest.partition_point(|other| other.polls >= busy.polls);
            busiest.insert(place, busy);
            busiest.truncate(NAMED);
        }
        Stuck { at: self.at, polls: self.polls, busiest }
    }
}
