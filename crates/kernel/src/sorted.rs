//! A map in order of its keys, for few entries or for keys that mostly ascend: one vector.
//!
//! It finds as fast as a tree does; putting in and taking out moves what lies behind. Each type of a tree's keys and values has
//! all of the tree's code compiled anew, twenty times as much as this: it counts where a program has to be small.

use std::borrow::Borrow;
use std::ops::Index;

/// A map in order of its keys.
///
/// ```
/// let mut map = glasshive_kernel::SortedMap::default();
/// *map.entry("b").or_default() += 2;
/// map.insert("a", 1);
/// assert_eq!(map.get(&"b"), Some(&2));
/// assert_eq!(map.remove(&"c"), None);
/// assert!(map.iter().eq([(&"a", &1), (&"b", &2)]));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SortedMap<K, V>(Vec<(K, V)>);

/// The place of a key in a map, which may be empty.
#[derive(Debug)]
pub struct Entry<'a, K, V> {
    map: &'a mut Vec<(K, V)>,
    key: K,
    place: Result<usize, usize>,
}

impl<K, V> Default for SortedMap<K, V> {
    fn default() -> Self {
        SortedMap(Vec::new())
    }
}

impl<K: Ord, V> SortedMap<K, V> {
    /// Where a key is, or would be.
    fn find<Q: Ord + ?Sized>(&self, key: &Q) -> Result<usize, usize>
    where
        K: Borrow<Q>,
    {
        // Keys that ascend come last.
        match self.0.last() {
            Some((last, _)) if last.borrow() < key => Err(self.0.len()),
            _ => self.0.binary_search_by(|(other, _)| other.borrow().cmp(key)),
        }
    }

    /// The value of a key.
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.find(key).ok().map(|place| &self.0[place].1)
    }

    /// The value of a key, to be changed.
    pub fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        self.find(key).ok().map(|place| &mut self.0[place].1)
    }

    /// The place of a key in their order, until another one is put in or taken out.
    pub fn place<Q: Ord + ?Sized>(&self, key: &Q) -> Option<usize>
    where
        K: Borrow<Q>,
    {
        self.find(key).ok()
    }

    /// Whether there is such a key.
    pub fn contains_key<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.find(key).is_ok()
    }

    /// Gives a key a value, and hands over the one before.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        match self.find(&key) {
            Ok(place) => Some(std::mem::replace(&mut self.0[place].1, value)),
            Err(place) => {
                self.0.insert(place, (key, value));
                None
            }
        }
    }

    /// Takes a key out.
    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.find(key).ok().map(|place| self.0.remove(place).1)
    }

    /// Keys and values, in order, from a key on.
    pub fn from<Q: Ord + ?Sized>(
        &self,
        key: &Q,
    ) -> impl ExactSizeIterator<Item = (&K, &V)> + DoubleEndedIterator
    where
        K: Borrow<Q>,
    {
        let (Ok(place) | Err(place)) = self.find(key);
        self.0[place..].iter().map(|(key, value)| (key, value))
    }

    /// The place of a key, to be filled if it is empty.
    pub fn entry(&mut self, key: K) -> Entry<'_, K, V> {
        let place = self.find(&key);
        Entry { map: &mut self.0, key, place }
    }
}

impl<Q: Ord + ?Sized, K: Ord + Borrow<Q>, V> Index<&Q> for SortedMap<K, V> {
    type Output = V;

    fn index(&self, key: &Q) -> &V {
        match self.get(key) {
            Some(value) => value,
            None => panic!("there is no such key"),
        }
    }
}

impl<K, V> IntoIterator for SortedMap<K, V> {
    type Item = (K, V);
    type IntoIter = std::vec::IntoIter<(K, V)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<K, V> SortedMap<K, V> {
    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Keys and values, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&K, &V)> + DoubleEndedIterator + Clone {
        self.0.iter().map(|(key, value)| (key, value))
    }

    /// The keys, in order.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &K> + DoubleEndedIterator {
        self.0.iter().map(|(key, _)| key)
    }

    /// The values, in order of their keys, to be changed.
    pub fn values_mut(&mut self) -> impl ExactSizeIterator<Item = &mut V> + DoubleEndedIterator {
        self.0.iter_mut().map(|(_, value)| value)
    }

    /// The value of the key in this place, to be changed.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub fn at_mut(&mut self, place: usize) -> &mut V {
        &mut self.0[place].1
    }

    /// Leaves out what is not to be kept.
    pub fn retain(&mut self, mut keep: impl FnMut(&K, &mut V) -> bool) {
        self.0.retain_mut(|(key, value)| keep(key, value));
    }

    /// Leaves out everything.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// The values, in order of their keys.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &V> + DoubleEndedIterator + Clone {
        self.0.iter().map(|(_, value)| value)
    }
}

impl<'a, K, V> Entry<'a, K, V> {
    /// The value, which is made if there is none.
    pub fn or_insert_with(self, make: impl FnOnce() -> V) -> &'a mut V {
        let place = match self.place {
            Ok(place) => place,
            Err(place) => {
                self.map.insert(place, (self.key, make()));
                place
            }
        };
        &mut self.map[place].1
    }

    /// The value, which is the default if there is none.
    pub fn or_default(self) -> &'a mut V
    where
        V: Default,
    {
        self.or_insert_with(V::default)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;
    use std::collections::BTreeMap;

    #[test]
    fn it_does_what_a_tree_does() {
        let mut rng = Rng::new(5);
        let (mut map, mut tree) = (SortedMap::default(), BTreeMap::new());
        for value in 0..5000 {
            let key = rng.below(40);
            match rng.below(4) {
                0 => assert_eq!(map.insert(key, value), tree.insert(key, value)),
                1 => {
                    let both = (map.entry(key).or_default(), tree.entry(key).or_default());
                    assert_eq!(both.0, both.1);
                    (*both.0, *both.1) = (value, value);
                }
                2 => assert_eq!(map.remove(&key), tree.remove(&key)),
                _ => {
                    let both = (map.get_mut(&key), tree.get_mut(&key));
                    assert_eq!(both.0, both.1);
                    both.0.into_iter().chain(both.1).for_each(|x| *x += 1);
                }
            }
            assert_eq!((map.get(&key), map.contains_key(&key)), (tree.get(&key), tree.contains_key(&key)));
            let place = map.place(&key);
            assert_eq!(place, tree.keys().position(|other| *other == key));
            assert_eq!(place.map(|place| *map.at_mut(place)), tree.get(&key).copied());
            assert!(map.iter().eq(tree.iter()) && map.values().eq(tree.values()));
            assert!(map.from(&key).eq(tree.range(key..)) && map.clone().into_iter().eq(tree.clone()));
            assert!(map.keys().eq(tree.keys()) && map.values_mut().eq(tree.values_mut()));
            assert_eq!((map.len(), map.is_empty()), (tree.len(), tree.is_empty()));
            if value % 100 == 99 {
                map.retain(|key, value| key % 3 == 0 && *value > 7);
                tree.retain(|key, value| key % 3 == 0 && *value > 7);
            }
        }
    }
}
