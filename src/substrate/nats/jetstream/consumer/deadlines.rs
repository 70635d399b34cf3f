//! When each message that is not acknowledged is delivered again. Most come in their order, and go from the beginning.

use crate::kernel::Instant;
use std::collections::VecDeque;

/// Instants and sequence numbers, the soonest first.
#[derive(Default)]
pub(super) struct Deadlines(VecDeque<(Instant, u64)>);

impl Deadlines {
    fn find(&self, deadline: (Instant, u64)) -> Result<usize, usize> {
        match self.0.back() {
            Some(&last) if last < deadline => Err(self.0.len()),
            _ => self.0.binary_search(&deadline),
        }
    }

    pub(super) fn insert(&mut self, at: Instant, seq: u64) {
        if let Err(place) = self.find((at, seq)) {
            self.0.insert(place, (at, seq));
        }
    }

    pub(super) fn remove(&mut self, at: Instant, seq: u64) {
        if let Ok(place) = self.find((at, seq)) {
            self.0.remove(place);
        }
    }

    /// The soonest.
    pub(super) fn first(&self) -> Option<Instant> {
        self.0.front().map(|&(at, _)| at)
    }

    /// Whose time has come.
    pub(super) fn due(&self, now: Instant) -> impl Iterator<Item = u64> {
        self.0.iter().take_while(move |&&(at, _)| at <= now).map(|&(_, seq)| seq)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Rng;
    use std::collections::BTreeSet;

    #[test]
    fn they_are_what_a_set_has() {
        let (mut deadlines, mut set, mut rng) = (Deadlines::default(), BTreeSet::new(), Rng::new(4));
        for seq in 0..3_000 {
            let at = Instant::from_millis(seq / 2 + rng.below(1 + seq % 3 * 20));
            deadlines.insert(at, seq);
            set.insert((at, seq));
            if let Some(&(at, seq)) = set.iter().nth(rng.below(12) as usize) {
                deadlines.remove(at, seq);
                set.remove(&(at, seq));
            }
            deadlines.remove(at, 9_999);
            let now = Instant::from_millis(seq / 2);
            let due = set.iter().take_while(|&&(at, _)| at <= now).map(|&(_, seq)| seq);
            assert!(deadlines.due(now).eq(due));
            assert_eq!((deadlines.len(), deadlines.first()), (set.len(), set.first().map(|&(at, _)| at)));
        }
    }
}
