//! What a key can hold.

#[cfg(not(target_arch = "wasm32"))]
use super::more::More;
use super::reply::Bytes;
use std::collections::VecDeque;

/// The value of a key.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A byte string, or a number in text.
    Text(Bytes),
    /// A list; never empty while a key holds it.
    List(VecDeque<Bytes>),
    /// A hash; never empty while a key holds it.
    Hash(Hash),
    /// A set, a sorted set, a stream.
    #[cfg(not(target_arch = "wasm32"))]
    More(More),
}

impl Value {
    /// The name that TYPE answers.
    pub fn type_name(&self) -> &'static str {
        match self {
            Value::Text(_) => "string",
            Value::List(_) => "list",
            Value::Hash(_) => "hash",
            #[cfg(not(target_arch = "wasm32"))]
            Value::More(more) => more.type_name(),
        }
    }

    /// True for a list or hash that lost its last element: its key must go.
    pub fn is_empty(&self) -> bool {
        match self {
            Value::Text(_) => false,
            Value::List(items) => items.is_empty(),
            Value::Hash(hash) => hash.len() == 0,
            #[cfg(not(target_arch = "wasm32"))]
            Value::More(more) => more.is_empty(),
        }
    }

    /// Bytes of content, with a fixed charge for each element; a measure for `maxmemory`, not an allocator's figure.
    pub fn size(&self) -> u64 {
        let charge = |bytes: &Bytes| bytes.len() as u64 + ELEMENT_OVERHEAD;
        match self {
            Value::Text(text) => charge(text),
            Value::List(items) => items.iter().map(charge).sum(),
            Value::Hash(hash) => hash.fields.iter().map(|(name, value)| charge(name) + charge(value)).sum(),
            #[cfg(not(target_arch = "wasm32"))]
            Value::More(more) => more.size(),
        }
    }
}

const ELEMENT_OVERHEAD: u64 = 16;

/// Fields in the order in which they were first set, as small hashes of the server keep them. They are few: whoever asks for
/// one looks through them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Hash {
    fields: Vec<(Bytes, Bytes)>,
}

impl Hash {
    /// How many fields there are.
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Whether the server keeps it as a table: it has too many fields, or one that is too long.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn is_hashed(&self) -> bool {
        let is_long = |bytes: &Bytes| bytes.len() > 64;
        self.len() > 512 || self.fields.iter().any(|(name, value)| is_long(name) || is_long(value))
    }

    fn place(&self, field: &[u8]) -> Option<usize> {
        self.fields.iter().position(|(name, _)| **name == *field)
    }

    /// The value of a field.
    pub fn get(&self, field: &[u8]) -> Option<&Bytes> {
        self.place(field).map(|place| &self.fields[place].1)
    }

    /// Sets a field; true when it is new. One that is there keeps its place.
    pub fn set(&mut self, field: Bytes, value: Bytes) -> bool {
        if let Some(place) = self.place(&field) {
            self.fields[place].1 = value;
            return false;
        }
        self.fields.push((field, value));
        true
    }

    /// Removes a field; true when it was there.
    pub fn remove(&mut self, field: &[u8]) -> bool {
        self.place(field).map(|place| self.fields.remove(place)).is_some()
    }

    /// Names and values in order.
    pub fn iter(&self) -> impl Iterator<Item = (Bytes, Bytes)> {
        self.fields.iter().cloned()
    }
}
