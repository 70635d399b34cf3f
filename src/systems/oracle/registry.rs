//! Which workers the coordinator knows, and how far it trusts each.
//!
//! Whatever concerns one worker takes the same time however many there are: it is found by its id, and the silent ones by
//! a heap of signs of life. An item of the heap may be out of date; that is seen when its time has come.

#[cfg(test)]
mod tests;

use super::messages::WorkerInfo;
use crate::kernel::{Duration, Instant, fetch};
use crate::net::LookUp;
use crate::substrate::http::Url;
use serde::Serialize;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::rc::Rc;

/// Where workers take their tasks, behind their addresses.
const TASK: &str = "/task";
/// No place.
const NOWHERE: u32 = u32::MAX;
/// How much the newest distance weighs in the running mean of a worker's distances.
const DISTANCE_WEIGHT: f64 = 0.2;
/// The relative distance from the aggregate at which an answer counts half: the workers' own noise of ±5 %.
const DISTANCE_HALF: f64 = 0.05;

/// A worker's history, from which its reliability score follows.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct History {
    /// Answers in time.
    pub successes: u64,
    /// Errors, refused and broken connections.
    pub failures: u64,
    /// No answer within the timeout.
    pub timeouts: u64,
    /// Exponentially weighted mean of |value − aggregate| / |aggregate| over its answers.
    pub distance: f64,
}

impl History {
    /// The reliability score in 0 … 1: the share of answers in time, one success and one failure assumed before the
    /// first (Laplace's rule of succession), times a closeness that is 1 at the aggregate and ½ at a distance of 5 %.
    pub fn score(&self) -> f64 {
        let asked = self.successes + self.failures + self.timeouts;
        let in_time = (self.successes + 1) as f64 / (asked + 2) as f64;
        let d = self.distance / DISTANCE_HALF;
        in_time / (1.0 + d * d)
    }
}

/// What became of a task, as the registry counts it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Outcome {
    /// An answer in time, at this relative distance from the aggregate.
    Answered(f64),
    /// An error.
    Failed,
    /// Nothing in time.
    TimedOut,
}

/// A worker as one that is asked.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Member {
    /// Its id.
    pub id: Rc<str>,
    /// The node of that name; 0 for a name that is no node's.
    pub node: u32,
    /// Where its tasks go; `None` where none can.
    #[serde(skip)]
    pub tasks: Option<Url>,
    /// The number of its registration.
    #[serde(skip)]
    order: u32,
}

impl Member {
    /// A worker that has given no address yet, by the number of its registration.
    pub fn new(id: Rc<str>, node: u32, order: u32) -> Self {
        Member { id, node, tasks: None, order }
    }
}

/// A worker's id, and the number of its registration if that is known, by which it is found without a search.
#[derive(Clone, Debug)]
pub struct Known {
    /// Its id.
    pub id: Rc<str>,
    order: Option<u32>,
}

impl Known {
    /// Where it is among those that were asked, who are in the order of registration; `None` too when it has registered anew since.
    pub fn place_in(&self, members: &[Member]) -> Option<usize> {
        members.binary_search_by_key(&self.order?, |member| member.order).ok()
    }
}

impl From<&Member> for Known {
    fn from(member: &Member) -> Self {
        Known { id: Rc::clone(&member.id), order: Some(member.order) }
    }
}

impl From<Rc<str>> for Known {
    fn from(id: Rc<str>) -> Self {
        Known { id, order: None }
    }
}

/// One registered worker, as it is now.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// Who it is.
    pub member: &'a Member,
    /// What it gave as its address.
    pub endpoint: &'a Rc<str>,
    /// The last registration, heartbeat or answer.
    pub last_seen: Instant,
    /// Its history since it registered first; kept when it registers again.
    pub history: History,
}

/// A place in the order of registration: what a sign of life visits, which with thousands of workers is never in the cache.
/// The rest is in [`About`].
#[derive(Debug)]
struct Place {
    id: Rc<str>,
    last_seen: Instant,
    /// Ascends, and is never given again.
    order: u32,
    /// Its worker has gone, and the place is a gap.
    is_gap: bool,
}

/// What else is known of the worker in a place.
#[derive(Debug)]
struct About {
    member: Member,
    endpoint: Rc<str>,
    history: History,
}

/// The registered workers, in the order of registration.
#[derive(Debug, Default)]
pub struct Registry {
    places: Vec<Place>,
    /// One for each place.
    about: Vec<About>,
    /// Where each is in `places`; only looked up, never iterated.
    by_id: LookUp<Rc<str>, usize>,
    /// Who was deregistered and has not come back; only looked up.
    deregistered: LookUp<Rc<str>, usize>,
    /// The same by its node, for those that are named like one; of some it is out of date.
    by_node: Vec<u32>,
    /// A sign of life of each, not necessarily its last, by its order; also of some that are gone.
    signs: BinaryHeap<Reverse<(Instant, u32)>>,
    registrations: u32,
    /// All of them as they are asked, until somebody comes or goes.
    members: Option<Rc<[Member]>>,
}

impl Registry {
    /// Adds a worker, or renews one that is there, which keeps its place and its history. `node` is that of its name.
    pub fn register(&mut self, id: &Rc<str>, endpoint: &str, node: u32, now: Instant) -> Member {
        let known = self.by_id.get(id).copied();
        self.deregistered.remove(id);
        let place = known.unwrap_or_else(|| self.add(id, node, now));
        self.places[place].last_seen = now;
        let about = &mut self.about[place];
        if known.is_none() || *about.endpoint != *endpoint {
            about.endpoint = endpoint.into();
            about.member.tasks = tasks_at(endpoint);
            self.members = None;
        }
        about.member.clone()
    }

    /// Notes a sign of life, which came from `node`; false when the worker is unknown.
    pub fn seen(&mut self, id: &Rc<str>, node: u32, now: Instant) -> bool {
        let place = self.by_node.get(node as usize).map(|&place| place as usize);
        let is_it = |&place: &usize| {
            // Who names itself as it registered has the very same text.
            self.places.get(place).is_some_and(|place| !place.is_gap && Rc::ptr_eq(&place.id, id))
        };
        let place = place.filter(is_it).or_else(|| self.by_id.get(id).copied());
        self.seen_at(place, now)
    }

    /// Notes a sign of life that says who gave it; `None` when the worker is unknown.
    pub fn heard(&mut self, id: &str, now: Instant) -> Option<&Member> {
        let place = self.by_id.get(id).copied()?;
        self.places[place].last_seen = now;
        Some(&self.about[place].member)
    }

    /// The same of one that was asked.
    pub fn answered(&mut self, member: &Member, now: Instant) -> bool {
        let place = self.place(&member.id, Some(member.order));
        self.seen_at(place, now)
    }

    fn seen_at(&mut self, place: Option<usize>, now: Instant) -> bool {
        place.map(|place| self.places[place].last_seen = now).is_some()
    }

    /// Removes and returns a worker; `None` when it was unknown.
    pub fn deregister(&mut self, id: &str) -> Option<Member> {
        let member = self.by_id.get(id).copied().map(|place| self.remove(place));
        self.deregistered.extend(member.iter().map(|member| (Rc::clone(&member.id), 0)));
        self.close_gaps();
        member
    }

    /// Whether a worker was deregistered, and has not registered since.
    pub fn is_deregistered(&self, id: &str) -> bool {
        self.deregistered.contains_key(id)
    }

    /// Removes and returns the workers that gave no sign of life for longer than `limit`, in the order of registration.
    pub fn evict_stale(&mut self, now: Instant, limit: Duration) -> Vec<Member> {
        let mut stale = Vec::new();
        while let Some(&Reverse((_, order))) = self.signs.peek().filter(|sign| now.since(sign.0.0) > limit) {
            self.signs.pop();
            // One that is gone has no place any more.
            let Ok(place) = self.places.binary_search_by_key(&order, |place| place.order) else {
                continue;
            };
            let Place { last_seen, is_gap, .. } = self.places[place];
            if now.since(last_seen) <= limit {
                self.signs.push(Reverse((last_seen, order)));
            } else if !is_gap {
                stale.push(place);
            }
        }
        let evicted =
            BinaryHeap::from(stale).into_sorted_vec().into_iter().map(|place| self.remove(place)).collect();
        self.close_gaps();
        evicted
    }

    /// Adds an outcome to a worker's history.
    pub fn note(&mut self, worker: &Known, outcome: Outcome) {
        let Some(place) = self.place(&worker.id, worker.order) else {
            return;
        };
        let history = &mut self.about[place].history;
        match outcome {
            Outcome::Answered(distance) => {
                history.distance += match history.successes {
                    0 => distance,
                    _ => DISTANCE_WEIGHT * (distance - history.distance),
                };
                history.successes += 1;
            }
            Outcome::Failed => history.failures += 1,
            Outcome::TimedOut => history.timeouts += 1,
        }
    }

    /// A worker's reliability score; of one that is not registered, a newcomer's.
    pub fn score(&self, worker: &Known) -> f64 {
        let place = self.place(&worker.id, worker.order);
        let history = place.map(|place| self.about[place].history);
        history.unwrap_or_default().score()
    }

    /// The registered workers, in the order of registration.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        let places = self.places.iter().zip(&self.about).filter(|(place, _)| !place.is_gap);
        places.map(|(&Place { last_seen, .. }, About { member, endpoint, history })| Entry {
            member,
            endpoint,
            last_seen,
            history: *history,
        })
    }

    /// The same as they are asked. The list is made once for as long as nobody comes or goes.
    pub fn members(&mut self) -> Rc<[Member]> {
        if let Some(members) = &self.members {
            return Rc::clone(members);
        }
        let members: Rc<[Member]> = self.entries().map(|entry| entry.member.clone()).collect();
        self.members = Some(Rc::clone(&members));
        members
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// True when nobody is registered.
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// Has the processor fetch what an answer of this worker will touch: see [`Foresee`](crate::kernel::Foresee).
    pub fn foresee(&self, member: &Member) {
        self.places.get(member.order as usize).map(fetch);
    }

    /// Where a worker is. It may have registered anew since its number was taken.
    #[inline]
    fn place(&self, id: &str, order: Option<u32>) -> Option<usize> {
        let is_it = |&place: &usize| {
            self.places.get(place).is_some_and(|place| Some(place.order) == order && !place.is_gap)
        };
        // As long as no gap was closed, the number is the place.
        let place = order.map(|order| order as usize).filter(is_it);
        place.or_else(|| self.by_id.get(id).copied())
    }

    fn add(&mut self, id: &Rc<str>, node: u32, now: Instant) -> usize {
        let (place, order) = (self.places.len(), self.registrations);
        self.registrations += 1;
        self.signs.push(Reverse((now, order)));
        self.places.push(Place { id: Rc::clone(id), last_seen: now, order, is_gap: false });
        let member = Member::new(Rc::clone(id), node, order);
        self.about.push(About { member, endpoint: "".into(), history: History::default() });
        self.find_at(place);
        self.members = None;
        place
    }

    fn remove(&mut self, place: usize) -> Member {
        self.places[place].is_gap = true;
        let member = self.about[place].member.clone();
        self.by_id.remove(&member.id);
        self.members = None;
        member
    }

    /// From now on the worker in this place is found there.
    fn find_at(&mut self, place: usize) {
        let Member { id, node, .. } = &self.about[place].member;
        self.by_id.insert(Rc::clone(id), place);
        let node = *node as usize;
        if self.by_node.len() <= node {
            self.by_node.resize(node + 1, NOWHERE);
        }
        self.by_node[node] = place as u32;
    }

    /// Closes the gaps once they are more than half of all places: each removal pays for moving two.
    fn close_gaps(&mut self) {
        if 2 * self.by_id.len() < self.places.len() {
            let mut is_gap = self.places.iter().map(|place| place.is_gap);
            self.about.retain(|_| !is_gap.next().unwrap_or_default());
            self.places.retain(|place| !place.is_gap);
            (0..self.places.len()).for_each(|place| self.find_at(place));
        }
    }
}

/// Where a worker at this address takes its tasks.
fn tasks_at(endpoint: &str) -> Option<Url> {
    let url: Url = format!("{}/task", endpoint.trim_end_matches('/')).parse().ok()?;
    // A path that stands in the program is no further text in memory, for each worker another.
    Some(if url.path == TASK && url.query.is_empty() { Url::new(&url.authority, TASK) } else { url })
}

impl From<Entry<'_>> for WorkerInfo {
    fn from(entry: Entry<'_>) -> Self {
        let score = entry.history.score();
        WorkerInfo {
            id: entry.member.id.clone(),
            endpoint: entry.endpoint.clone(),
            last_seen: super::calendar::rfc3339(entry.last_seen),
            reliable: score >= 0.5,
            score,
        }
    }
}
