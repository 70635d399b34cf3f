//! Facts that a run keeps, for receipts: the newest, as many as its options say.

use crate::kernel::Instant;
use crate::systems::facts::Told;
use std::collections::VecDeque;

/// A fact that happened, with what its record says of it; see [`Told`].
#[derive(Clone, Debug)]
pub(super) struct Heard<F> {
    pub(super) n: u64,
    pub(super) at: Instant,
    pub(super) node: u32,
    pub(super) req: u64,
    pub(super) fact: F,
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

    /// A fact has happened.
    #[cfg(feature = "workbench")]
    pub(super) fn hear(&mut self, told: &Told<'_, F>) {
        if self.most == 0 {
            return;
        }
        if self.facts.len() >= self.most {
            self.facts.pop_front();
        }
        let Told { n, at, node, req, fact } = *told;
        self.facts.push_back(Heard { n, at, node, req, fact: fact.clone() });
    }

    /// A program in which nobody can ask for receipts does without what would keep facts for them.
    #[cfg(not(feature = "workbench"))]
    pub(super) fn hear(&mut self, _: &Told<'_, F>) {
        debug_assert!(self.most == 0, "nobody asks for them");
    }
}
