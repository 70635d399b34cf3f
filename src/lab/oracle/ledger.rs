//! The requests that are open, and the newest of the others, as many as a budget of tasks allows.
//!
//! A request *settles* some time after its end, when its stragglers are in (`request.rs` says when). Until then it is kept
//! whatever the budget; from then on nothing about it changes, and nothing of it is counted. Requests settle in the order
//! of their numbers, so one that waits for its end holds up those behind it, for as long as its client waits at most.

use super::request::RequestEntry;
use crate::kernel::Instant;
use std::collections::VecDeque;

/// Requests in the order of their numbers, without a gap.
#[derive(Debug)]
pub struct Ledger {
    /// How many tasks those that have settled may have.
    budget: usize,
    requests: VecDeque<RequestEntry>,
    /// How many of the first have settled.
    settled: usize,
    /// How many tasks they have.
    weight: usize,
    /// The newest with an end of those that were dropped.
    newest_dropped: Option<RequestEntry>,
}

impl Ledger {
    pub(super) fn new(budget: usize) -> Self {
        Ledger { budget, requests: VecDeque::new(), settled: 0, weight: 0, newest_dropped: None }
    }

    /// The requests kept, oldest first.
    pub fn requests(&self) -> &VecDeque<RequestEntry> {
        &self.requests
    }

    /// The request of that number, if it is kept.
    pub fn request(&self, number: u64) -> Option<&RequestEntry> {
        self.requests.get(self.place_of(number)?)
    }

    /// Those that have not settled.
    pub fn open(&self) -> impl Iterator<Item = &RequestEntry> {
        self.requests.range(self.settled..)
    }

    /// The newest that has come to its end, kept or not.
    pub fn newest_ended(&self) -> Option<&RequestEntry> {
        let kept = self.requests.iter().rev().find(|request| request.answered_at.is_some());
        kept.or(self.newest_dropped.as_ref())
    }

    pub(super) fn add(&mut self, request: RequestEntry) {
        self.requests.push_back(request);
    }

    /// The request of that number, unless it has settled.
    pub(super) fn open_mut(&mut self, number: u64) -> Option<&mut RequestEntry> {
        let place = self.place_of(number).filter(|&place| place >= self.settled)?;
        self.requests.get_mut(place)
    }

    /// Those that have not settled.
    pub(super) fn all_open_mut(&mut self) -> impl Iterator<Item = &mut RequestEntry> {
        self.requests.range_mut(self.settled..)
    }

    /// Settles what is due, hands each over, and drops what the budget does not allow.
    pub(super) fn settle(&mut self, now: Instant, mut settled: impl FnMut(&RequestEntry)) {
        while let Some(request) = self.requests.get_mut(self.settled) {
            if request.settles_at() > now {
                break;
            }
            request.settle();
            settled(request);
            self.settled += 1;
            self.weight += weight(request);
        }
        while self.weight > self.budget && self.settled > 0 {
            let Some(request) = self.requests.pop_front() else {
                break;
            };
            self.settled -= 1;
            self.weight -= weight(&request);
            if request.answered_at.is_some() {
                self.newest_dropped = Some(request);
            }
        }
    }

    fn place_of(&self, number: u64) -> Option<usize> {
        usize::try_from(number.checked_sub(self.requests.front()?.number)?).ok()
    }
}

/// How many tasks a request counts for: also one that nobody took up takes room.
fn weight(request: &RequestEntry) -> usize {
    request.tasks.len().max(1)
}
