//! Receipts: why something is as it is, line by line, each line with the place in the trace that it follows from.
//!
//! Here is what all receipts share; each system's room writes its own (`oracle/receipt.rs`, `wizard/receipt.rs`,
//! `config/receipt.rs`). A receipt is made of the facts that a run keeps (`kept.rs`), of the trace's records with their
//! causes, and of the ledger. Where the trace does not go back that far, a line has no record.

use super::kept::Heard;
use super::system::System;
use crate::kernel::{Instant, Kind, Record, Trace};
use crate::net::{NODE_CRASHED, NODE_STARTED, NODE_STOPPED, Net, NodeId};
use crate::substrate::merge;
use serde::{Serialize, Serializer};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Debug, Formatter, Write};
use std::rc::Rc;
use std::slice;

/// The figures of a line, by their names.
pub type Numbers = BTreeMap<&'static str, f64>;

/// Why something is as it is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Receipt {
    /// What was asked about: `req-00007`, a job's id, `v7`, `w-03@v7`.
    pub id: String,
    /// What that is: `request`, `job`, `submission`, `version`, `hold`.
    pub of: &'static str,
    /// How it ended, in a word for programs.
    pub end: &'static str,
    /// The same in a sentence.
    pub title: String,
    /// What it amounts to, in figures.
    pub numbers: Numbers,
    /// Its parts.
    pub sections: Vec<Section>,
    /// What was answered, verbatim; null without an answer.
    pub raw: Option<Verbatim>,
}

/// What was answered, verbatim. It becomes JSON when somebody reads it: of ten thousand workers that takes longer than all
/// the rest of a receipt.
#[derive(Clone)]
pub struct Verbatim(Rc<dyn Fn() -> Value>);

impl Verbatim {
    pub(super) fn of(answer: impl Serialize + 'static) -> Self {
        // Plain data cannot fail to be JSON.
        Verbatim(Rc::new(move || serde_json::to_value(&answer).unwrap_or_default()))
    }

    /// As JSON.
    pub fn to_json(&self) -> Value {
        (self.0)()
    }
}

impl PartialEq for Verbatim {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0) || self.to_json() == other.to_json()
    }
}

impl Debug for Verbatim {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.to_json().fmt(f)
    }
}

impl Serialize for Verbatim {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_json().serialize(serializer)
    }
}

/// Lines that belong together.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Section {
    /// Its name for programs.
    pub key: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// Its lines.
    pub lines: Vec<Line>,
}

/// One thing that contributed, or that did not, and why.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Line {
    /// What it is, in a word for programs: a fact's kind, or why something was left out.
    pub key: &'static str,
    /// The number of the record in the trace that says so; null where none does, or where it is not kept any more.
    pub n: Option<u64>,
    /// The records that caused it, and others that explain it.
    pub causes: Vec<u64>,
    /// When, in nanoseconds since virtual zero.
    pub t_ns: Option<u64>,
    /// Whom it is about, by name.
    pub node: Option<Rc<str>>,
    /// In words.
    pub text: String,
    /// In figures.
    pub numbers: Numbers,
}

impl Line {
    /// A line of words and figures that is no single event.
    pub(super) fn of(key: &'static str, text: String, numbers: impl Into<Numbers>) -> Self {
        Line { key, text, numbers: numbers.into(), ..Line::default() }
    }
}

impl Section {
    pub(super) fn new(key: &'static str, title: &'static str, lines: Vec<Line>) -> Self {
        Section { key, title, lines }
    }
}

impl Receipt {
    /// For a person.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = self.write_text(&mut text);
        text
    }

    fn write_text(&self, f: &mut String) -> fmt::Result {
        writeln!(f, "{}: {}", self.id, self.title)?;
        for Section { title, lines, .. } in self.sections.iter().filter(|section| !section.lines.is_empty()) {
            writeln!(f, "\n{title}")?;
            let width = lines.iter().filter_map(|line| line.node.as_ref()).map(|node| node.len()).max();
            for line in lines {
                f.push(' ');
                if let Some(t_ns) = line.t_ns {
                    write!(f, " {:>9.3} s", t_ns as f64 / 1e9)?;
                }
                if let Some(width) = width {
                    write!(f, "  {:<width$}", line.node.as_deref().unwrap_or_default())?;
                }
                write!(f, "  {}", line.text)?;
                match line.n {
                    Some(n) => writeln!(f, "  #{n}")?,
                    None => writeln!(f)?,
                }
            }
        }
        match &self.raw {
            Some(raw) => writeln!(f, "\nVerbatim\n  {}", raw.to_json()),
            None => Ok(()),
        }
    }
}

// --- what receipts are made of ------------------------------------------------------------------------------------

/// What can be seen of a run besides the facts that it keeps.
pub(super) struct Seen<'a> {
    pub(super) trace: &'a Trace,
    pub(super) net: &'a Net,
    pub(super) system: &'a dyn System,
    pub(super) now: Instant,
    /// Whenever a node went up or down, node by node: a request of ten thousand asks for each of them.
    turns: Vec<Record>,
}

impl<'a> Seen<'a> {
    pub(super) fn new(trace: &'a Trace, net: &'a Net, system: &'a dyn System, now: Instant) -> Self {
        let kinds = [NODE_STARTED, NODE_CRASHED, NODE_STOPPED];
        let mut turns: Vec<Record> =
            trace.records().filter(|record| kinds.contains(&record.kind)).copied().collect();
        merge::sort(&mut turns, |a, b| (a.node, a.n) < (b.node, b.n));
        Seen { trace, net, system, now, turns }
    }

    /// A node's name; `None` for no node.
    pub(super) fn name(&self, node: u32) -> Option<Rc<str>> {
        (node != 0).then(|| self.net.name(NodeId(node)))
    }

    /// A line of something that happened at a node.
    pub(super) fn line(&self, key: &'static str, n: u64, node: u32, text: String) -> Line {
        let record = self.trace.record(n);
        Line {
            key,
            n: record.map(|record| record.n),
            causes: self.trace.causes(n).to_vec(),
            t_ns: record.map(|record| record.at.as_nanos()),
            node: self.name(node),
            text,
            numbers: Numbers::new(),
        }
    }

    /// A line of a fact, at the instant and the node where it was told.
    pub(super) fn fact<F>(&self, heard: &Heard<F>, kind: Kind, text: String) -> Line {
        let line = self.line(kind.name(), heard.n, heard.node, text);
        Line { t_ns: Some(heard.at.as_nanos()), ..line }
    }

    /// A record with what caused it, with what caused that, and so on: of several causes the last.
    pub(super) fn chain(&self, n: u64) -> impl Iterator<Item = &Record> {
        let cause = |record: &&Record| self.trace.record(record.cause);
        std::iter::successors(self.trace.record(n), cause)
    }

    /// Whatever follows from a record within what that belongs to, in order.
    pub(super) fn following(&self, n: u64) -> Vec<&Record> {
        let Some(first) = self.trace.record(n) else { return Vec::new() };
        let oldest = self.trace.records().next().map_or(n, |record| record.n);
        let mut reached = BTreeSet::from([n]);
        let later = self.trace.records().skip((n + 1 - oldest) as usize);
        let follows = later.filter(|record| {
            let follows = record.tag == first.tag
                && self.trace.causes(record.n).iter().any(|cause| reached.contains(cause));
            follows && reached.insert(record.n)
        });
        follows.collect()
    }

    /// The record by which a node went down, if it was down when record `n` was made.
    pub(super) fn down_since(&self, node: u32, n: u64) -> Option<&Record> {
        let last = self.turns_until(node, n).next_back();
        last.filter(|record| record.kind != NODE_STARTED)
    }

    /// The first record between two by which a node went down.
    pub(super) fn fall(&self, node: u32, after: u64, before: u64) -> Option<&Record> {
        let mut until = self.turns_until(node, before.saturating_sub(1));
        until.find(|record| record.n > after && record.kind != NODE_STARTED)
    }

    /// Whenever a node went up or down, until record `n`.
    fn turns_until(&self, node: u32, n: u64) -> slice::Iter<'_, Record> {
        let from = self.turns.partition_point(|record| record.node < node);
        let until = self.turns.partition_point(|record| (record.node, record.n) <= (node, n));
        self.turns[from..until].iter()
    }
}

// --- words --------------------------------------------------------------------------------------------------------

/// An amount with thousands set apart: `42,135.50`, and four decimals below a thousand.
pub(super) fn amount(value: f64) -> String {
    let text = if value.abs() < 1000.0 { format!("{value:.4}") } else { format!("{value:.2}") };
    let (sign, digits) = text.strip_prefix('-').map_or(("", &*text), |digits| ("−", digits));
    let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
    let mut set_apart = String::new();
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i).is_multiple_of(3) {
            set_apart.push(',');
        }
        set_apart.push(digit);
    }
    format!("{sign}{set_apart}.{decimals}")
}

/// A share with its sign, in percent.
pub(super) fn percent(share: f64) -> String {
    let sign = if share < 0.0 { '−' } else { '+' };
    format!("{sign}{:.2} %", (share * 100.0).abs())
}

/// Seconds, to the millisecond.
pub(super) fn seconds(nanos: u64) -> String {
    format!("{:.3} s", nanos as f64 / 1e9)
}

/// `1 worker`, `2 workers`.
pub(super) fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::{amount, percent};

    #[test]
    fn amounts_are_set_apart_in_thousands() {
        let all = [0.0, 1.0925, 999.5, 1000.0, 42_135.5, -1_234_567.891].map(amount);
        assert_eq!(all, ["0.0000", "1.0925", "999.5000", "1,000.00", "42,135.50", "−1,234,567.89"]);
        assert_eq!([0.0558, -0.002].map(percent), ["+5.58 %", "−0.20 %"]);
    }
}
