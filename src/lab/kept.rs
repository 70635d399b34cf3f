//! Facts that a run keeps, for receipts and for trace files of a running page: the newest, as many as its options say.

use crate::kernel::Instant;
use crate::systems::facts::Told;
#[cfg(feature = "workbench")]
use crate::systems::facts::{self, Fact};
use serde_json::Value;
use std::collections::VecDeque;
use std::rc::Rc;

/// A fact that happened, with what its record says of it; see [`Told`].
#[derive(Clone, Debug)]
pub(super) struct Heard<F> {
    pub(super) n: u64,
    pub(super) at: Instant,
    pub(super) node: u32,
    pub(super) req: u64,
    pub(super) fact: F,
    /// What only the laboratory knew of it then.
    #[cfg_attr(not(feature = "workbench"), expect(dead_code, reason = "nobody asks for it"))]
    pub(super) aside: Option<Rc<Value>>,
}

/// The newest facts of a run, in the order in which they happened.
#[derive(Debug)]
pub(super) struct Kept<F> {
    most: usize,
    facts: VecDeque<Heard<F>>,
}

impl<F: Clone> Kept<F> {
    /// At most so many; 0 is none.
    pub(super) fn new(most: usize) -> Self {
        Kept { most, facts: VecDeque::new() }
    }

    /// Those that are kept, oldest first.
    pub(super) fn facts(&self) -> impl DoubleEndedIterator<Item = &Heard<F>> + Clone {
        self.facts.iter()
    }

    /// Whether any are.
    #[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
    pub(super) fn is_on(&self) -> bool {
        cfg!(feature = "workbench") && self.most > 0
    }

    /// A fact has happened, of which the laboratory knows more.
    #[cfg(feature = "workbench")]
    pub(super) fn hear(&mut self, told: &Told<'_, F>, aside: Option<Value>) {
        if self.most == 0 {
            return;
        }
        if self.facts.len() >= self.most {
            self.facts.pop_front();
        }
        let Told { n, at, node, req, fact } = *told;
        self.facts.push_back(Heard { n, at, node, req, fact: fact.clone(), aside: aside.map(Rc::new) });
    }

    /// A program in which nobody can ask for receipts does without what would keep facts for them.
    #[cfg(not(feature = "workbench"))]
    pub(super) fn hear(&mut self, _: &Told<'_, F>, _: Option<Value>) {
        debug_assert!(self.most == 0, "nobody asks for them");
    }
}

#[cfg(feature = "workbench")]
impl<F: Fact + Clone> Kept<F> {
    /// The fact of a record.
    pub(super) fn fact(&self, n: u64) -> Option<&Heard<F>> {
        let place = self.facts.binary_search_by_key(&n, |heard| heard.n).ok()?;
        self.facts.get(place)
    }

    /// The same as trace files have it: its own fields, and what only the laboratory knows of it.
    pub(super) fn spelled_out(&self, n: u64) -> Option<(Value, Value)> {
        let heard = self.fact(n)?;
        Some((facts::fields(&heard.fact), heard.aside.as_deref().cloned().unwrap_or_default()))
    }
}
