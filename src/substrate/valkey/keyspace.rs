//! The keys of all databases, and what handlers do to them.
//!
//! Handlers (`lists.rs`, `strings.rs`, `hashes.rs`, `keys.rs`) work on the selected database at one instant. They
//! leave two notes behind, which the server reads after each command: which keys changed (`touched`, for WATCH), and
//! which came into being (`created`, for blocked clients).

use super::command::Command;
use super::reply::{Answer, Bytes, ErrorText, WRONG_TYPE};
use super::value::{Hash, Value};
use crate::net::LookUp;
use crate::substrate::merge;
use std::collections::{BTreeSet, VecDeque};

/// How many databases there are; SELECT chooses one.
pub const DATABASES: usize = 16;

/// A key of one database.
pub type KeyRef = (usize, Bytes);

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) value: Value,
    /// When it expires, in milliseconds of Unix time. Changed by the keyspace only: the index must follow.
    expires: Option<u64>,
}

/// The keys of each database: looked up, counted and summed, and sorted where their order could be seen.
pub(super) type Databases = Vec<LookUp<Bytes, Entry>>;

/// All keys, with the clock that decides which of them have expired.
#[derive(Debug)]
pub(super) struct Keyspace {
    databases: Databases,
    /// Everything that expires, soonest first: exactly the keys that have an expiry.
    expiries: BTreeSet<(u64, usize, Bytes)>,
    /// The selected database.
    pub(super) db: usize,
    /// Milliseconds of Unix time; stands still during a command, a transaction and a script.
    pub(super) now: u64,
    pub(super) touched: Vec<KeyRef>,
    pub(super) created: Vec<KeyRef>,
    /// Of these, what was a stream and is gone.
    #[cfg(not(target_arch = "wasm32"))]
    pub(super) gone: Vec<KeyRef>,
    /// How many changes were made since the last snapshot.
    pub(super) changes: u64,
}

impl Keyspace {
    pub(super) fn new() -> Self {
        Keyspace::of(vec![LookUp::default(); DATABASES])
    }

    /// A keyspace with these keys.
    pub(super) fn of(databases: Databases) -> Self {
        let expiry = |(db, key, entry): (usize, &Bytes, &Entry)| Some((entry.expires?, db, key.clone()));
        let keys = databases.iter().enumerate();
        let keys = keys.flat_map(|(db, keys)| keys.iter().map(move |(key, entry)| (db, key, entry)));
        Keyspace {
            expiries: keys.filter_map(expiry).collect(),
            databases,
            db: 0,
            now: 0,
            touched: Vec::new(),
            created: Vec::new(),
            #[cfg(not(target_arch = "wasm32"))]
            gone: Vec::new(),
            changes: 0,
        }
    }

    /// The commands that look at nothing but keys.
    #[rustfmt::skip]
    pub(super) fn on_data(&mut self, command: &Command) -> Option<Answer> {
        use Command as C;
        Some(match command {
            C::Push { .. } | C::Pop { .. } | C::ListLen { .. } | C::ListRange { .. } | C::ListRemove { .. }
            | C::ListIndex { .. } | C::ListInsert { .. } | C::ListPosition { .. } | C::ListSet { .. }
            | C::ListTrim { .. } => self.on_list(command),
            C::Set { .. } | C::SetNew { .. } | C::SetFor { .. } | C::Get { .. } | C::GetSet { .. }
            | C::GetDelete { .. } | C::GetExpire { .. } | C::Add { .. } | C::Append { .. }
            | C::TextLen { .. } | C::GetRange { .. } | C::SetRange { .. } | C::GetMany { .. }
            | C::SetMany { .. } => self.on_string(command),
            C::HashSet { .. } | C::HashSetNew { .. } | C::HashGet { .. } | C::HashGetMany { .. }
            | C::HashAll { .. } | C::HashDelete { .. } | C::HashLen { .. } | C::HashExists { .. }
            | C::HashTextLen { .. } | C::HashAdd { .. } => self.on_hash(command),
            C::Delete { .. } | C::Exists { .. } | C::Type { .. } | C::Rename { .. } | C::Copy { .. }
            | C::MoveTo { .. } | C::Keys { .. } | C::RandomKey | C::Expire { .. } | C::Ttl { .. }
            | C::Persist { .. } | C::DbSize | C::Flush { .. } => self.on_key(command),
            _ => return None,
        })
    }

    // --- look-ups: a key that has expired is gone, and is removed by whoever looks ----------------------------

    pub(super) fn entry(&mut self, key: &Bytes) -> Option<&mut Entry> {
        self.drop_if_expired(self.db, key);
        self.databases[self.db].get_mut(key)
    }

    pub(super) fn value(&mut self, key: &Bytes) -> Option<&mut Value> {
        self.entry(key).map(|entry| &mut entry.value)
    }

    pub(super) fn exists(&mut self, key: &Bytes) -> bool {
        self.entry(key).is_some()
    }

    pub(super) fn text(&mut self, key: &Bytes) -> Result<Option<Bytes>, ErrorText> {
        match self.value(key) {
            None => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text.clone())),
            Some(_) => Err(WRONG_TYPE),
        }
    }

    pub(super) fn list(&mut self, key: &Bytes) -> Result<Option<&mut VecDeque<Bytes>>, ErrorText> {
        match self.value(key) {
            None => Ok(None),
            Some(Value::List(items)) => Ok(Some(items)),
            Some(_) => Err(WRONG_TYPE),
        }
    }

    pub(super) fn hash(&mut self, key: &Bytes) -> Result<Option<&mut Hash>, ErrorText> {
        match self.value(key) {
            None => Ok(None),
            Some(Value::Hash(hash)) => Ok(Some(hash)),
            Some(_) => Err(WRONG_TYPE),
        }
    }

    /// The hash of a key, which is created empty if there is none.
    pub(super) fn hash_or_new(&mut self, key: &Bytes) -> Result<&mut Hash, ErrorText> {
        self.drop_if_expired(self.db, key);
        let Keyspace { databases, created, db, .. } = self;
        let entry = databases[*db].entry(key.clone()).or_insert_with(|| {
            created.push((*db, key.clone()));
            Entry { value: Value::Hash(Hash::default()), expires: None }
        });
        match &mut entry.value {
            Value::Hash(hash) => Ok(hash),
            _ => Err(WRONG_TYPE),
        }
    }

    pub(super) fn expires(&mut self, key: &Bytes) -> Option<u64> {
        self.entry(key).and_then(|entry| entry.expires)
    }

    // --- changes ----------------------------------------------------------------------------------------------

    /// Puts an empty list or hash where nothing is. Whoever fills it touches it.
    pub(super) fn create(&mut self, key: &Bytes, value: Value) {
        self.created.push((self.db, key.clone()));
        let before = self.databases[self.db].insert(key.clone(), Entry { value, expires: None });
        debug_assert!(before.is_none(), "what was there keeps its place in the index");
    }

    /// Puts a value in place of whatever the key held, its expiry included. Counts as a change by itself.
    pub(super) fn insert(&mut self, key: Bytes, value: Value, expires: Option<u64>) {
        let db = self.db;
        let old = self.take(db, &key);
        if old.is_none() {
            self.created.push((db, key.clone()));
        }
        if let Some(at) = expires {
            self.expiries.insert((at, db, key.clone()));
        }
        self.databases[db].insert(key.clone(), Entry { value, expires });
        self.changed(db, key);
    }

    /// Notes that a key's value changed; a list or hash without elements is removed.
    pub(super) fn touch(&mut self, key: &Bytes) {
        if self.databases[self.db].get(key).is_some_and(|entry| entry.value.is_empty()) {
            self.take(self.db, key);
        }
        self.changed(self.db, key.clone());
    }

    /// Tells who waits for a key, and the next snapshot, of a change that no transaction is to hear of.
    #[cfg(not(target_arch = "wasm32"))]
    pub(super) fn signal(&mut self, key: &Bytes) {
        self.changes += 1;
        self.created.push((self.db, key.clone()));
    }

    pub(super) fn remove(&mut self, key: &Bytes) -> bool {
        self.drop_if_expired(self.db, key);
        let removed = self.take(self.db, key).is_some();
        if removed {
            self.changed(self.db, key.clone());
        }
        removed
    }

    pub(super) fn set_expires(&mut self, key: &Bytes, expires: Option<u64>) {
        let Some(entry) = self.databases[self.db].get_mut(key) else { return };
        if let Some(at) = std::mem::replace(&mut entry.expires, expires) {
            self.forget_expiry(at, self.db, key);
        }
        if let Some(at) = expires {
            self.expiries.insert((at, self.db, key.clone()));
        }
        self.changed(self.db, key.clone());
    }

    /// Removes all keys of the selected database, or of every one.
    pub(super) fn flush(&mut self, every: bool) {
        for db in if every { 0..DATABASES } else { self.db..self.db + 1 } {
            for key in self.keys_of(db) {
                self.take(db, &key);
                self.changed(db, key);
            }
        }
        // A flush is a change even when there was nothing.
        self.changes += 1;
    }

    fn changed(&mut self, db: usize, key: Bytes) {
        self.touched.push((db, key));
        self.changes += 1;
    }

    fn take(&mut self, db: usize, key: &Bytes) -> Option<Entry> {
        let entry = self.databases[db].remove(key)?;
        if let Some(at) = entry.expires {
            self.forget_expiry(at, db, key);
        }
        #[cfg(not(target_arch = "wasm32"))]
        if entry.value.type_name() == "stream" {
            // Groups that wait for it are told that it is gone.
            self.created.push((db, key.clone()));
            self.gone.push((db, key.clone()));
        }
        Some(entry)
    }

    fn forget_expiry(&mut self, at: u64, db: usize, key: &Bytes) {
        let was_there = self.expiries.remove(&(at, db, key.clone()));
        debug_assert!(was_there, "whatever has an expiry is in the index");
    }

    // --- expiry -----------------------------------------------------------------------------------------------

    /// True for a key that is still there although its time has passed.
    pub(super) fn is_expired(&self, db: usize, key: &Bytes) -> bool {
        self.databases[db].get(key).and_then(|entry| entry.expires).is_some_and(|at| self.now > at)
    }

    fn drop_if_expired(&mut self, db: usize, key: &Bytes) {
        let none_has = self.expiries.first().is_none_or(|&(at, ..)| self.now <= at);
        if !none_has && self.is_expired(db, key) {
            self.take(db, key);
            self.changed(db, key.clone());
        }
    }

    /// Removes everything whose time has passed: the server does so ten times a second.
    pub(super) fn drop_expired(&mut self) {
        while let Some((at, db, key)) = self.expiries.first().cloned()
            && self.now > at
        {
            let taken = self.take(db, &key);
            debug_assert!(taken.is_some(), "the index has no key that is gone, or this would never end");
            self.changed(db, key);
        }
    }

    /// When the next key expires, in milliseconds of Unix time.
    pub(super) fn next_expiry(&self) -> Option<u64> {
        self.expiries.first().map(|&(at, ..)| at)
    }

    // --- the whole --------------------------------------------------------------------------------------------

    /// The keys of a database in byte order, those that expired but were not noticed included.
    pub(super) fn keys_of(&self, db: usize) -> Vec<Bytes> {
        let mut keys: Vec<&Bytes> = self.databases[db].keys().collect();
        merge::sort(&mut keys, |a, b| a < b);
        keys.into_iter().cloned().collect()
    }

    /// How many keys a database holds, those that expired but were not noticed included.
    pub(super) fn len_of(&self, db: usize) -> usize {
        self.databases[db].len()
    }

    /// How many of them have an expiry.
    pub(super) fn expiring_in(&self, db: usize) -> usize {
        self.databases[db].values().filter(|entry| entry.expires.is_some()).count()
    }

    /// Everything, for a copy.
    pub(super) fn databases(&self) -> &Databases {
        &self.databases
    }

    pub(super) fn into_databases(self) -> Databases {
        self.databases
    }

    /// Makes these keys of `copy` what they are here.
    pub(super) fn copy_to(&self, copy: &mut Databases, keys: impl IntoIterator<Item = KeyRef>) {
        for (db, key) in keys {
            match self.databases[db].get(&key) {
                Some(entry) => drop(copy[db].insert(key, entry.clone())),
                None => drop(copy[db].remove(&key)),
            }
        }
    }

    /// How many keys there are.
    pub(super) fn len(&self) -> usize {
        self.databases.iter().map(LookUp::len).sum()
    }

    /// A value without looking at its expiry, as a server does that must not change anything by looking.
    pub(super) fn peek(&self, (db, key): &KeyRef) -> Option<&Value> {
        self.databases[*db].get(key).map(|entry| &entry.value)
    }

    /// Bytes of all keys and values. Walks over everything.
    pub(super) fn size(&self) -> u64 {
        let entries = self.databases.iter().flat_map(|database| database.iter());
        entries.map(|(key, entry)| key.len() as u64 + ENTRY_OVERHEAD + entry.value.size()).sum()
    }
}

/// What a key costs besides its name and value.
const ENTRY_OVERHEAD: u64 = 64;

#[cfg(all(test, debug_assertions))]
mod tests {
    use super::*;

    fn expiring() -> (Keyspace, Bytes) {
        let (mut keyspace, key) = (Keyspace::new(), Bytes::from(&b"task:1"[..]));
        keyspace.insert(key.clone(), Value::Hash(Hash::default()), Some(5));
        (keyspace, key)
    }

    #[test]
    #[should_panic(expected = "what was there keeps its place in the index")]
    fn a_key_that_expires_is_not_written_over() {
        let (mut keyspace, key) = expiring();
        keyspace.create(&key, Value::Hash(Hash::default()));
    }

    #[test]
    #[should_panic(expected = "whatever has an expiry is in the index")]
    fn the_index_has_every_key_that_expires() {
        let (mut keyspace, key) = expiring();
        keyspace.expiries.clear();
        keyspace.remove(&key);
    }

    #[test]
    #[should_panic(expected = "the index has no key that is gone")]
    fn the_index_has_no_other() {
        let (mut keyspace, key) = expiring();
        keyspace.databases[0].remove(&key);
        keyspace.now = 6;
        keyspace.drop_expired();
    }
}
