//! What happened, in order: typed records with causal parents, and a running hash over all of them.
//!
//! The hash is kept even when no record is: two runs with the same hash did the same things at the same instants.
//! It mixes fixed-width integers only, so it has the same value on every target; it is comparable within one version
//! of the program.

use crate::rng::hash_name;
use crate::time::Instant;
use std::collections::VecDeque;
use std::slice;

/// What a record is about. Two kinds of one name are the same kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    name: &'static str,
    code: u32,
}

impl Kind {
    /// The kind called `name`.
    pub const fn new(name: &'static str) -> Self {
        let code = hash_name(name);
        Kind { name, code: (code ^ (code >> 32)) as u32 }
    }

    /// Its name, as written to trace files.
    pub const fn name(self) -> &'static str {
        self.name
    }
}

/// One event.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Record {
    /// Its number: 1, 2, 3, …
    pub n: u64,
    /// When it happened.
    pub at: Instant,
    /// The scope where it happened, see [`Scope`](crate::Scope): a node, or 0 for none.
    pub node: u32,
    /// What happened.
    pub kind: Kind,
    /// What it belongs to, see [`Span::tag`](crate::Span::tag); 0 for nothing.
    pub tag: u64,
    /// The number of the record that caused it, or of the last that did if it has several causes; 0 for none.
    /// [`Trace::causes`] tells all.
    pub cause: u64,
    /// The other node concerned; 0 for none.
    pub peer: u32,
    /// A figure whose meaning the kind gives: nanoseconds, a count, the bits of a finite float.
    pub value: u64,
}

/// Which records are kept. The hash covers all of them in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sink {
    /// None.
    #[default]
    None,
    /// The last so many.
    Ring(usize),
    /// All.
    Full,
    /// All, and the notes about them: see [`Ctx::note`](crate::Ctx::note).
    Annotated,
}

/// The records of a run, its hash and its count.
///
/// ```
/// use glasshive_kernel::{Kind, Sim, Sink};
///
/// let sim = Sim::new(1, Sink::Ring(2));
/// for value in 1..=3 {
///     sim.ctx().record(Kind::new("event"), 0, value);
/// }
/// let trace = sim.trace();
/// assert_eq!(trace.count(), 3);
/// assert_eq!(trace.records().map(|record| record.value).collect::<Vec<_>>(), [2, 3]);
/// assert_eq!(trace.record(3).map(|record| record.cause), Some(2));
/// ```
#[derive(Debug, Default)]
pub struct Trace {
    sink: Sink,
    kept: VecDeque<Record>,
    /// All causes of each kept record that has several, by its number.
    joined: VecDeque<(u64, Box<[u64]>)>,
    /// What else is said of records, by their numbers.
    notes: Vec<(u64, Box<str>)>,
    count: u64,
    hash: u64,
}

impl Trace {
    /// An empty trace that keeps what `sink` says.
    pub fn new(sink: Sink) -> Self {
        Trace { sink, ..Trace::default() }
    }

    /// Adds an event; its `n` is set here and returned.
    pub fn push(&mut self, mut record: Record) -> u64 {
        let last = self.kept.back();
        debug_assert!(last.is_none_or(|last| last.at <= record.at), "records come in the order of time");
        self.count += 1;
        record.n = self.count;
        self.hash = mix(self.hash, &record);
        match self.sink {
            Sink::None | Sink::Ring(0) => {}
            Sink::Full | Sink::Annotated => self.kept.push_back(record),
            Sink::Ring(capacity) => {
                if self.kept.len() >= capacity {
                    self.drop_oldest();
                }
                self.kept.push_back(record);
            }
        }
        self.count
    }

    /// Adds an event with several causes, the last of which becomes its `cause`. The hash covers all of them.
    pub fn push_joined(&mut self, mut record: Record, causes: &[u64]) -> u64 {
        if let Some((&last, others)) = causes.split_last() {
            record.cause = last;
            for &cause in others {
                self.hash = (self.hash.rotate_left(23) ^ cause).wrapping_mul(0x9fb2_1c65_1e98_df25);
            }
        }
        let n = self.push(record);
        // Not when the sink keeps nothing.
        if causes.len() > 1 && self.kept.back().is_some_and(|kept| kept.n == n) {
            self.joined.push_back((n, causes.into()));
        }
        n
    }

    /// Whether notes are kept.
    pub fn takes_notes(&self) -> bool {
        self.sink == Sink::Annotated
    }

    /// Adds a note about record `n`, if notes are kept. They come in the order of their records. The hash does not cover them.
    pub fn note(&mut self, n: u64, text: String) {
        if self.takes_notes() {
            debug_assert!(
                self.notes.last().is_none_or(|&(last, _)| last < n),
                "notes come with their records"
            );
            self.notes.push((n, text.into()));
        }
    }

    /// The note about record `n`, if there is one.
    pub fn note_of(&self, n: u64) -> Option<&str> {
        let place = self.notes.binary_search_by_key(&n, |&(n, _)| n).ok()?;
        Some(&self.notes[place].1)
    }

    fn drop_oldest(&mut self) {
        let dropped = self.kept.pop_front().map_or(0, |record| record.n);
        if self.joined.front().is_some_and(|&(n, _)| n == dropped) {
            self.joined.pop_front();
        }
    }

    /// How many events there were, kept or not.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The hash over all events so far.
    pub fn hash(&self) -> u64 {
        // A last scatter, so that nearby states look different.
        let h = self.hash ^ (self.hash >> 32);
        h.wrapping_mul(0xd6e8_feb8_6659_fd93)
    }

    /// The record with number `n`, if it is kept.
    pub fn record(&self, n: u64) -> Option<&Record> {
        // Those kept are the last, without a gap.
        let first = self.kept.front()?.n;
        self.kept.get(usize::try_from(n.checked_sub(first)?).ok()?)
    }

    /// The numbers of the records that caused record `n`, the one in its `cause` last. Empty when it has none, or is
    /// not kept.
    pub fn causes(&self, n: u64) -> &[u64] {
        match self.joined.binary_search_by_key(&n, |&(n, _)| n) {
            Ok(place) => &self.joined[place].1,
            Err(_) => match self.record(n) {
                Some(record) if record.cause != 0 => slice::from_ref(&record.cause),
                _ => &[],
            },
        }
    }

    /// The records kept, oldest first.
    pub fn records(&self) -> impl DoubleEndedIterator<Item = &Record> + ExactSizeIterator {
        self.kept.iter()
    }
}

/// The products are independent of each other, so they overlap in the processor; the last multiplication makes the
/// result depend on the order of records. The record's own number is implied by its place.
fn mix(hash: u64, r: &Record) -> u64 {
    let place = u64::from(r.node) << 32 | u64::from(r.peer);
    let content = r.at.as_nanos().wrapping_mul(0x9e37_79b9_7f4a_7c15)
        ^ place.wrapping_mul(0xc2b2_ae3d_27d4_eb4f).rotate_left(17)
        ^ u64::from(r.kind.code).wrapping_mul(0x1656_67b1_9e37_79f9)
        ^ r.tag.wrapping_mul(0xff51_afd7_ed55_8ccd).rotate_left(29)
        ^ r.cause.wrapping_mul(0xc4ce_b9fe_1a85_ec53).rotate_left(41)
        ^ r.value.wrapping_mul(0x27d4_eb2f_1656_67c5);
    (hash.rotate_left(23) ^ content).wrapping_mul(0x8764_9b9d_a5b1_d5c7)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(value: u64) -> Record {
        Record {
            n: 0,
            at: Instant::from_millis(5),
            node: 1,
            kind: Kind::new("test"),
            tag: 2,
            cause: 3,
            peer: 4,
            value,
        }
    }

    fn hash_of(records: &[Record]) -> u64 {
        let mut trace = Trace::new(Sink::None);
        for &r in records {
            trace.push(r);
        }
        trace.hash()
    }

    #[test]
    fn the_hash_sees_every_field_and_the_order() {
        let base = record(1);
        let variants = [
            Record { at: Instant::from_millis(6), ..base },
            Record { node: 9, ..base },
            Record { kind: Kind::new("other"), ..base },
            Record { tag: 9, ..base },
            Record { cause: 9, ..base },
            Record { peer: 9, ..base },
            Record { value: 9, ..base },
        ];
        for v in variants {
            assert_ne!(hash_of(&[base]), hash_of(&[v]));
            assert_ne!(hash_of(&[base, v]), hash_of(&[v, base]));
        }
    }

    #[test]
    fn the_hash_sees_every_cause_and_their_order() {
        let hash = |causes: &[u64]| {
            let mut trace = Trace::new(Sink::None);
            trace.push_joined(record(1), causes);
            trace.hash()
        };
        let lists: [&[u64]; 7] = [&[], &[4], &[5], &[4, 5], &[5, 4], &[4, 4, 5], &[4, 5, 0]];
        for (i, a) in lists.iter().enumerate() {
            assert!(lists[i + 1..].iter().all(|b| hash(a) != hash(b)), "{a:?}");
        }
        assert_eq!(hash(&[]), hash_of(&[record(1)]), "without causes the record's own stays");
        assert_eq!(hash(&[3]), hash_of(&[record(1)]), "a single cause is a record's cause");
    }

    #[test]
    fn all_causes_of_a_record_are_kept_as_long_as_it_is() {
        let mut trace = Trace::new(Sink::Ring(3));
        for n in 1..=9_u64 {
            let causes: Vec<u64> = (1..n).collect();
            trace.push_joined(Record { cause: 0, ..record(n) }, if n % 2 == 0 { &causes } else { &[] });
            assert!(trace.joined.len() <= trace.kept.len());
            assert_eq!(trace.record(n).map(|r| r.cause), Some(if n % 2 == 0 { n - 1 } else { 0 }));
        }
        assert_eq!((trace.causes(8), trace.causes(6)), ([1, 2, 3, 4, 5, 6, 7].as_slice(), [].as_slice()));
        assert_eq!((trace.causes(7), trace.causes(99)), ([].as_slice(), [].as_slice()));
        assert_eq!((trace.record(6), trace.record(10)), (None, None));
        for sink in [Sink::None, Sink::Ring(0), Sink::Full] {
            let mut trace = Trace::new(sink);
            trace.push(record(1));
            trace.push_joined(record(2), &[1, 1]);
            let expected = if sink == Sink::Full { [1, 1].as_slice() } else { &[] };
            assert_eq!((trace.causes(2), trace.record(2).is_some()), (expected, sink == Sink::Full));
        }
        assert_eq!(Trace::new(Sink::None).causes(1), [0; 0]);
    }

    #[test]
    fn notes_are_kept_for_who_asked_and_change_no_hash() {
        let run = |sink, notes: bool| {
            let mut trace = Trace::new(sink);
            for value in 0..10 {
                let n = trace.push(record(value));
                if notes && value % 3 == 0 {
                    trace.note(n, format!("{value}"));
                }
            }
            (trace.hash(), [1, 2, 4, 10, 11].map(|n| trace.note_of(n).map(str::to_owned)))
        };
        let (hash, none) = run(Sink::Annotated, false);
        assert_eq!(none, [const { None }; 5]);
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(run(Sink::Annotated, true), (hash, [some("0"), None, some("3"), some("9"), None]));
        assert_eq!(run(Sink::Full, true), (hash, none));
    }

    #[test]
    fn the_sinks_keep_none_the_last_or_all_and_hash_the_same() {
        let run = |sink| {
            let mut trace = Trace::new(sink);
            for value in 0..10 {
                trace.push(record(value));
            }
            let kept: Vec<u64> = trace.records().map(|r| r.n).collect();
            (trace.hash(), trace.count(), kept)
        };
        let (hash, count, none) = run(Sink::None);
        assert_eq!((count, none.len()), (10, 0));
        assert_eq!(run(Sink::Ring(3)), (hash, 10, vec![8, 9, 10]));
        for sink in [Sink::Full, Sink::Annotated] {
            assert_eq!(run(sink), (hash, 10, (1..=10).collect()));
        }
    }

    #[test]
    #[cfg(debug_assertions)]
    #[should_panic(expected = "records come in the order of time")]
    fn no_record_is_earlier_than_the_last() {
        let mut trace = Trace::new(Sink::Full);
        trace.push(record(1));
        trace.push(Record { at: Instant::from_millis(4), ..record(2) });
    }

    #[test]
    #[cfg(debug_assertions)]
    #[should_panic(expected = "notes come with their records")]
    fn no_note_is_about_an_earlier_record_than_the_last() {
        let mut trace = Trace::new(Sink::Annotated);
        trace.note(2, String::new());
        trace.note(1, String::new());
    }
}
