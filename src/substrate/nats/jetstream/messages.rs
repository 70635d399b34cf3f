//! The messages that a stream holds, by their numbers, and what they take.

use super::config::Storage;
use crate::kernel::Instant;
use crate::substrate::body::Body;
use crate::substrate::nats::Headers;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

/// A message in a stream.
pub(super) struct Stored {
    pub(super) subject: Rc<str>,
    pub(super) headers: Option<Headers>,
    pub(super) payload: Body,
    pub(super) at: Instant,
    /// All consumers before this one are done with it, among so many that were ever set up.
    pub(super) needed_by: RefCell<(u64, Option<Rc<str>>)>,
}

impl Stored {
    /// What it takes in its store: a record on disk has more about it than an entry in memory.
    fn size(&self, storage: Storage) -> u64 {
        let headers = self.headers.as_ref().map_or(0, Headers::size);
        let around = match storage {
            Storage::Memory => 16,
            Storage::File => 30 + if headers > 0 { 4 } else { 0 },
        };
        (self.subject.len() + self.payload.len() + headers + around) as u64
    }
}

/// The messages of a stream by sequence number.
#[derive(Default)]
pub(super) struct Messages {
    /// In the order of their numbers: they come at the end, and mostly go from the beginning.
    by_seq: VecDeque<(u64, Stored)>,
    last: u64,
    bytes: u64,
    storage: Storage,
    /// It was purged: there is a first number even if nothing was ever stored.
    pub(super) purged: bool,
}

impl Messages {
    pub(super) fn of(storage: Storage) -> Self {
        Messages { storage, ..Messages::default() }
    }

    /// The first number as the server tells it: none of a stream that never held anything.
    pub(super) fn first_told(&self) -> u64 {
        if self.last == 0 && !self.purged { 0 } else { self.first() }
    }

    /// The next number is at least this one.
    #[cfg(not(target_arch = "wasm32"))]
    pub(super) fn skip_to(&mut self, seq: u64) {
        self.last = self.last.max(seq - 1);
    }

    /// How many messages between the first and the last are gone.
    pub(super) fn deleted(&self) -> u64 {
        (self.last + 1).saturating_sub(self.first()) - self.len()
    }

    /// The last message of each subject that matches, in their order.
    pub(super) fn last_of_each(&self, wanted: impl Fn(&str) -> bool) -> Vec<u64> {
        let mut last: BTreeMap<&str, u64> = BTreeMap::new();
        for (seq, stored) in self.from(0).filter(|(_, stored)| wanted(&stored.subject)) {
            last.insert(&stored.subject, seq);
        }
        last.into_values().collect::<BTreeSet<u64>>().into_iter().collect()
    }

    pub(super) fn get(&self, seq: u64) -> Option<&Stored> {
        self.place(seq).ok().map(|place| &self.by_seq[place].1)
    }

    pub(super) fn from(&self, seq: u64) -> impl Iterator<Item = (u64, &Stored)> {
        let place = self.place(seq).unwrap_or_else(|next| next);
        self.by_seq.range(place..).map(|(seq, stored)| (*seq, stored))
    }

    /// Where a message is; or, if it is not there, the next one.
    fn place(&self, seq: u64) -> Result<usize, usize> {
        // Where it is as long as none behind the first is missing.
        let place = seq.saturating_sub(self.first()) as usize;
        match self.by_seq.get(place) {
            Some(&(at, _)) if at == seq => Ok(place),
            _ if seq > self.last => Err(self.by_seq.len()),
            _ => self.by_seq.binary_search_by_key(&seq, |&(seq, _)| seq),
        }
    }

    /// The sequence number of the first message; of the next one, if there is none.
    pub(super) fn first(&self) -> u64 {
        self.by_seq.front().map_or(self.last + 1, |&(seq, _)| seq)
    }

    pub(super) fn last(&self) -> u64 {
        self.last
    }

    pub(super) fn len(&self) -> u64 {
        self.by_seq.len() as u64
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn push(&mut self, stored: Stored) {
        self.last += 1;
        self.bytes += stored.size(self.storage);
        debug_assert!(self.by_seq.back().is_none_or(|&(seq, _)| seq < self.last), "a number is given once");
        self.by_seq.push_back((self.last, stored));
    }

    pub(super) fn remove(&mut self, seq: u64) -> Option<Stored> {
        let (_, stored) = self.by_seq.remove(self.place(seq).ok()?)?;
        self.bytes -= stored.size(self.storage);
        debug_assert!(self.bytes == 0 || !self.by_seq.is_empty(), "what is counted is held");
        Some(stored)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Rng;

    #[test]
    fn they_are_found_by_their_numbers_whichever_are_gone() {
        let (mut messages, mut map, mut rng) = (Messages::default(), BTreeMap::new(), Rng::new(6));
        for seq in 1..=2_000_u64 {
            let subject: Rc<str> = seq.to_string().into();
            let (payload, needed_by) = (Body::from(&b"1"[..]), RefCell::default());
            map.insert(seq, Rc::clone(&subject));
            messages.push(Stored { subject, headers: None, payload, at: Instant::ZERO, needed_by });
            let (first, any) = (messages.first(), 1 + rng.below(seq));
            for gone in [first, any].into_iter().take(rng.below(3) as usize) {
                assert_eq!(messages.remove(gone).map(|stored| stored.subject), map.remove(&gone));
            }
            assert_eq!(messages.get(any).map(|stored| &stored.subject), map.get(&any));
            let behind = messages.from(any).map(|(seq, stored)| (seq, &stored.subject));
            assert!(behind.eq(map.range(any..).map(|(&seq, subject)| (seq, subject))));
            assert_eq!(messages.first(), map.keys().next().copied().unwrap_or(seq + 1));
        }
    }
}

#[cfg(all(test, debug_assertions))]
mod asserted {
    use super::*;

    fn stored() -> Stored {
        let (subject, payload) = ("tasks.1".into(), Body::from(&b"1"[..]));
        Stored { subject, headers: None, payload, at: Instant::ZERO, needed_by: RefCell::default() }
    }

    #[test]
    #[should_panic(expected = "a number is given once")]
    fn no_message_takes_the_place_of_another() {
        let mut messages = Messages::default();
        messages.push(stored());
        messages.last = 0;
        messages.push(stored());
    }

    #[test]
    #[should_panic(expected = "what is counted is held")]
    fn no_byte_is_counted_that_is_gone() {
        let mut messages = Messages::default();
        messages.push(stored());
        messages.bytes += 1;
        messages.remove(1);
    }
}
