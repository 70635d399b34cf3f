//! Things with numbers that count up, of which those in between may be gone: found without a search.

use std::collections::VecDeque;

/// By their numbers.
#[derive(Debug)]
pub(super) struct Numbered<T> {
    /// The number of the first slot.
    first: u64,
    /// The first and the last one hold something.
    slots: VecDeque<Option<Box<T>>>,
}

impl<T> Default for Numbered<T> {
    fn default() -> Self {
        Numbered { first: 0, slots: VecDeque::new() }
    }
}

impl<T> Numbered<T> {
    fn slot(&self, number: u64) -> Option<usize> {
        number.checked_sub(self.first).and_then(|slot| usize::try_from(slot).ok())
    }

    pub(super) fn get(&self, number: u64) -> Option<&T> {
        self.slots.get(self.slot(number)?)?.as_deref()
    }

    pub(super) fn get_mut(&mut self, number: u64) -> Option<&mut T> {
        let slot = self.slot(number)?;
        self.slots.get_mut(slot)?.as_deref_mut()
    }

    pub(super) fn insert(&mut self, number: u64, thing: T) {
        if self.slots.is_empty() {
            self.first = number;
        }
        while number < self.first {
            self.slots.push_front(None);
            self.first -= 1;
        }
        while self.first + (self.slots.len() as u64) <= number {
            self.slots.push_back(None);
        }
        self.slots[(number - self.first) as usize] = Some(Box::new(thing));
    }

    pub(super) fn remove(&mut self, number: u64) -> Option<T> {
        let slot = self.slot(number)?;
        let removed = self.slots.get_mut(slot)?.take();
        while matches!(self.slots.front(), Some(None)) {
            self.slots.pop_front();
            self.first += 1;
        }
        while matches!(self.slots.back(), Some(None)) {
            self.slots.pop_back();
        }
        removed.map(|thing| *thing)
    }

    /// In the order of their numbers.
    pub(super) fn values(&self) -> impl DoubleEndedIterator<Item = &T> + Clone {
        self.slots.iter().flatten().map(|thing| &**thing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn it_has_what_a_map_has() {
        let (mut numbered, mut map) = (Numbered::default(), BTreeMap::new());
        for step in 0..2000_u64 {
            // Numbers go up, a few come late; what goes is the first or anywhere.
            let number = 50 + step / 2 - step * 7 % 3 * 20;
            let first = map.keys().next().copied().unwrap_or(number);
            match step * 31 % 10 {
                0..5 => {
                    numbered.insert(number, step);
                    map.insert(number, step);
                }
                5 => assert_eq!(numbered.remove(number), map.remove(&number)),
                _ => assert_eq!(numbered.remove(first), map.remove(&first)),
            }
            assert!(numbered.values().eq(map.values()) && numbered.values().rev().eq(map.values().rev()));
            assert_eq!(numbered.get(number), map.get(&number));
            assert_eq!(numbered.get_mut(number), map.get_mut(&number));
        }
    }
}
