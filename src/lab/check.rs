//! Invariants: what must hold in every run, whatever its faults, and whether it did.

use crate::kernel::Instant;
use serde::{Deserialize, Serialize};

/// One invariant and whether it held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// What must hold.
    pub name: String,
    /// Whether it did.
    pub ok: bool,
    /// What broke it first, and how; empty if nothing did.
    pub detail: String,
}

impl Check {
    /// An invariant that holds, or the first thing that broke it.
    pub fn new(name: &str, result: Result<(), String>) -> Self {
        Check { name: name.to_owned(), ok: result.is_ok(), detail: result.err().unwrap_or_default() }
    }
}

/// The first fact that broke an invariant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The invariant's place among those of its system.
    pub invariant: usize,
    /// The number of the fact's record.
    pub fact: u64,
    /// When.
    pub at: Instant,
    /// What was wrong, in words.
    pub detail: String,
}

/// Invariants that are judged as facts come in, each until it is first broken.
#[derive(Debug)]
pub struct Verdicts {
    names: &'static [&'static str],
    broken: Vec<Option<Violation>>,
    first: Option<usize>,
}

impl Verdicts {
    /// Nothing is broken yet.
    pub fn new(names: &'static [&'static str]) -> Self {
        Verdicts { names, broken: vec![None; names.len()], first: None }
    }

    /// Notes what broke an invariant, unless something did before; `result` is in words.
    pub fn judge(&mut self, invariant: usize, fact: u64, at: Instant, result: Result<(), String>) {
        if let (Err(detail), None) = (result, &self.broken[invariant]) {
            self.first = self.first.or(Some(invariant));
            self.broken[invariant] = Some(Violation { invariant, fact, at, detail });
        }
    }

    /// What was broken before anything else.
    pub fn first(&self) -> Option<&Violation> {
        self.broken.get(self.first?)?.as_ref()
    }

    /// All of them, in their order.
    pub fn checks(&self) -> Vec<Check> {
        let check = |(name, broken): (&&str, &Option<Violation>)| {
            let result = broken.as_ref().map_or(Ok(()), |broken| {
                Err(format!("{} (fact {} at {})", broken.detail, broken.fact, broken.at.since(Instant::ZERO)))
            });
            Check::new(name, result)
        };
        self.names.iter().zip(&self.broken).map(check).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_breach_of_each_invariant_is_kept() {
        let mut verdicts = Verdicts::new(&["a", "b"]);
        assert_eq!(verdicts.first(), None);
        verdicts.judge(1, 5, Instant::from_millis(1), Ok(()));
        verdicts.judge(1, 6, Instant::from_millis(2), Err("first".to_owned()));
        verdicts.judge(1, 7, Instant::from_millis(3), Err("second".to_owned()));
        verdicts.judge(0, 8, Instant::from_millis(4), Err("later".to_owned()));
        assert_eq!(verdicts.first().map(|violation| violation.fact), Some(6));
        let checks = verdicts.checks();
        assert!(checks.iter().all(|check| !check.ok));
        assert_eq!(checks[1].detail, "first (fact 6 at 2ms)");
    }
}
