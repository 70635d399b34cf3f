//! The log: the records that a run keeps, as lines that can be searched. It is made of the trace's ring and of the facts that
//! receipts are made of, and keeps nothing but the numbers of the records that a query leaves.
//!
//! In reading order: `query` (what is asked for), `line` (what a record says, as an event and as the line that the real program
//! would print), then here: what is left, followed as the run goes on.
//!
//! Who hides the truth sees what the system itself can know ([`AnyFace::knows`]); numbers of records, which would tell that
//! something else happened, are not shown then.

pub mod query;

use super::account::{self, Level, Printed};
use super::catalogue::face;
use super::face::AnyFace;
use crate::kernel::{Kind, Record};
use crate::lab::Run;
use crate::net::NodeId;
use crate::substrate;
use query::{Key, Known, Query};
use std::collections::VecDeque;
use std::rc::Rc;

/// What the log shows of a run.
#[derive(Default)]
pub struct Log {
    text: String,
    /// Whether the lines are those that the programs would print.
    prints: bool,
    truth: bool,
    query: Query,
    /// What is wrong with the query; then it leaves nothing.
    problem: Option<String>,
    /// The numbers of the records that are left, in order.
    left: VecDeque<u64>,
    /// The newest record that was looked at: in another past it is another one.
    seen: Option<Record>,
    /// The kinds there were so far, and whether the query leaves them.
    kinds: Vec<(&'static str, bool)>,
    /// Those that the query names by node.
    nodes: Vec<(u32, Rc<str>)>,
    faces: Option<&'static dyn AnyFace>,
}

/// A line as it is shown.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// When, in nanoseconds.
    pub t_ns: u64,
    /// The node where it happened; empty for the laboratory.
    pub node: Rc<str>,
    /// What happened, or how much it matters to the program that prints it.
    pub kind: &'static str,
    /// The request, job or change that it belongs to.
    pub req: Option<u64>,
    /// The rest: the other node and the fact's fields, or the line as the program prints it.
    pub text: String,
}

impl Log {
    /// Asks for something else.
    pub fn ask(&mut self, run: &Run, text: &str, prints: bool, truth: bool) {
        *self = Log { text: text.to_owned(), prints, truth, ..Log::default() };
        self.update(run);
    }

    /// What is wrong with the query.
    pub fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    /// How many lines are left.
    pub fn len(&self) -> usize {
        self.left.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.left.is_empty()
    }

    /// The records that are left.
    pub fn numbers(&self) -> impl Iterator<Item = u64> {
        self.left.iter().copied()
    }

    /// The place of a record's line.
    pub fn place_of(&self, n: u64) -> Option<usize> {
        self.left.binary_search(&n).ok()
    }

    /// The record of a line.
    pub fn number(&self, place: usize) -> Option<u64> {
        self.left.get(place).copied()
    }

    /// Takes in what has happened since it last looked; true if that is another past.
    pub fn update(&mut self, run: &Run) -> bool {
        let trace = run.trace();
        let is_same = |seen: &Record| {
            seen.n <= trace.count() && trace.record(seen.n).is_none_or(|record| record == seen)
        };
        let is_other = !self.seen.as_ref().is_some_and(is_same);
        if is_other {
            (self.left, self.seen, self.kinds) = (VecDeque::new(), None, Vec::new());
            self.faces = Some(face(run.system().kind()));
            self.nodes = run.net().nodes().map(|node| (node.0, run.net().name(node))).collect();
            self.problem = None;
            self.read_query(run);
        }
        let oldest = trace.records().next().map_or(1, |record| record.n);
        while self.left.front().is_some_and(|&n| n < oldest) {
            self.left.pop_front();
        }
        let from = self.seen.map_or(oldest, |seen| oldest.max(seen.n + 1));
        let mut new_kinds = false;
        for record in trace.records().skip((from - oldest) as usize) {
            if !self.is_seen(run, record) {
                continue;
            }
            new_kinds |= self.note_kind(record.kind);
            if self.problem.is_none() && self.leaves(run, record) {
                self.left.push_back(record.n);
            }
        }
        self.seen = trace.record(trace.count()).copied();
        drop(trace);
        // What had not happened yet has a name now.
        if new_kinds && self.problem.is_some() {
            self.read_query(run);
            if self.problem.is_none() {
                let (text, prints, truth) = (std::mem::take(&mut self.text), self.prints, self.truth);
                self.ask(run, &text, prints, truth);
                return true;
            }
        }
        is_other
    }

    fn read_query(&mut self, run: &Run) {
        let names: Vec<Rc<str>> = self.nodes.iter().map(|(_, name)| Rc::clone(name)).collect();
        let mut kinds: Vec<&str> = self.kinds.iter().map(|(kind, _)| *kind).collect();
        // Before anything was looked at, what there is has to be found.
        if kinds.is_empty() {
            for record in run.trace().records().filter(|record| self.is_seen(run, record)) {
                if !kinds.contains(&record.kind.name()) {
                    kinds.push(record.kind.name());
                }
            }
        }
        kinds.push("late");
        kinds.sort_unstable();
        let levels = Level::ALL.map(Level::name);
        let known = Known {
            nodes: &names,
            kinds: &kinds,
            units: run.system().begun(),
            levels: if self.prints { &levels } else { &[] },
        };
        match query::parse(&self.text, &known) {
            Ok(query) => (self.query, self.problem) = (query, None),
            Err(problem) => self.problem = Some(problem),
        }
    }

    /// Notes that there is such a kind; true if it is new.
    fn note_kind(&mut self, kind: Kind) -> bool {
        let is_known = self.kinds.iter().any(|(name, _)| *name == kind.name());
        if !is_known {
            let is_left = self.query.terms.iter().filter(|term| term.key == Key::Kind).all(|term| {
                let late =
                    substrate::LATE.contains(&kind) || self.faces.is_some_and(|face| face.is_late(kind));
                let is_meant = |value: &String| {
                    query::is_kind(kind.name(), value) || late && query::is_kind("late", value)
                };
                term.values.iter().any(is_meant) != term.not
            });
            self.kinds.push((kind.name(), is_left));
        }
        !is_known
    }

    fn is_seen(&self, run: &Run, record: &Record) -> bool {
        self.truth || self.faces.is_some_and(|face| face.knows(run, record))
    }

    // --- what a query leaves ------------------------------------------------------------------------------------------

    fn leaves(&self, run: &Run, record: &Record) -> bool {
        let kind = record.kind.name();
        if !self.kinds.iter().any(|&(name, is_left)| name == kind && is_left) {
            return false;
        }
        let level = if self.prints {
            match self.faces.and_then(|face| face.prints(run, record, None)) {
                Some(level) => Some(level),
                None => return false,
            }
        } else {
            None
        };
        let holds = |key: Key, value: &String| match key {
            Key::Node => {
                let is_it = |node: u32| self.nodes.iter().any(|(id, name)| *id == node && **name == **value);
                is_it(record.node) || is_it(substrate::peer_of(record))
            }
            Key::Req => record.tag != 0 && record.tag.to_string() == *value,
            Key::Level => level.is_some_and(|level| level.name() == value),
            Key::Kind => true,
        };
        let terms = self.query.terms.iter().filter(|term| term.key != Key::Kind);
        terms.clone().all(|term| term.values.iter().any(|value| holds(term.key, value)) != term.not)
            && (self.query.words.is_empty() || self.has_words(run, record))
    }

    fn has_words(&self, run: &Run, record: &Record) -> bool {
        let row = self.row_of(run, record);
        let line = format!("{} {} {}", row.node, row.kind, row.text).to_lowercase();
        self.query.words.iter().all(|word| line.contains(word))
    }

    // --- lines --------------------------------------------------------------------------------------------------------

    /// The line at a place.
    pub fn row(&self, run: &Run, place: usize) -> Option<Row> {
        let n = self.number(place)?;
        let record = *run.trace().record(n)?;
        Some(self.row_of(run, &record))
    }

    fn row_of(&self, run: &Run, record: &Record) -> Row {
        let mut text = String::new();
        let mut kind = record.kind.name();
        if self.prints {
            let mut line = Printed::new(&mut text);
            if let Some(level) = self.faces.and_then(|face| face.prints(run, record, Some(&mut line))) {
                kind = level.name();
            }
        } else {
            text = account::event(run, record);
        }
        let node = if record.node == 0 { "lab".into() } else { run.net().name(NodeId(record.node)) };
        let req = (record.tag != 0).then_some(record.tag);
        Row { t_ns: record.at.as_nanos(), node, kind, req, text }
    }
}

#[cfg(test)]
mod tests;
