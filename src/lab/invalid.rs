//! What is wrong with something that a person said.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A value that is not allowed: which field, what it was, and what it may be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invalid {
    /// The field.
    pub field: String,
    /// Its value.
    pub value: String,
    /// What is allowed, in words.
    pub allowed: String,
}

impl Invalid {
    pub(in crate::lab) fn new(field: &str, value: &str, allowed: &str) -> Self {
        Invalid { field: field.to_owned(), value: value.to_owned(), allowed: allowed.to_owned() }
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = if self.value.is_empty() { "nothing" } else { &self.value };
        write!(f, "{}: {value} is not allowed; allowed: {}", self.field, self.allowed)
    }
}

impl std::error::Error for Invalid {}
