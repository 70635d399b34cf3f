//! Domain: what a configuration is, which one is valid, and what makes one version follow another. It knows neither
//! HTTP nor where versions are kept.

use crate::kernel::Instant;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::rc::Rc;

/// How often a worker may work, in times a second.
const RATE: std::ops::RangeInclusive<f64> = 0.1..=100.0;
const QUERY_CHARS_MAX: usize = 64;
const NOTE_CHARS_MAX: usize = 200;

/// What workers are told.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// How many times a second a worker answers its query: 0.1 – 100.
    pub rate: f64,
    /// What it answers, such as `BTC/USD`: 1 – 64 characters.
    pub query: String,
    /// What its author says of it: at most 200 characters.
    #[serde(default)]
    pub note: String,
    /// Whatever else its author put into it: kept, and handed on to who reads it.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// One version of the configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Version {
    /// Its number: 1, 2, 3, …
    pub number: u64,
    /// When its write began.
    pub written_at: Instant,
    /// What it says.
    pub settings: Rc<Settings>,
}

impl Version {
    /// The version that follows `newest`.
    pub fn after(newest: Option<&Version>, settings: Settings, now: Instant) -> Self {
        let number = newest.map_or(0, |version| version.number) + 1;
        Version { number, written_at: now, settings: Rc::new(settings) }
    }

    /// What tells this version from every other.
    pub fn etag(&self) -> String {
        format!("\"v{}\"", self.number)
    }
}

/// A field with a value that is not allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidField {
    /// Its name.
    pub field: &'static str,
    /// Field, value and what is allowed, in words.
    pub message: String,
}

impl Settings {
    /// Says which field is wrong, if any is.
    pub fn check(&self) -> Result<(), InvalidField> {
        let wrong = |field, message| Err(InvalidField { field, message });
        if !RATE.contains(&self.rate) {
            let (low, high) = (RATE.start(), RATE.end());
            return wrong(
                "rate",
                format!("rate is {}; it must lie between {low} and {high} a second", self.rate),
            );
        }
        let length = self.query.chars().count();
        if !(1..=QUERY_CHARS_MAX).contains(&length) {
            return wrong(
                "query",
                format!("query has {length} characters; it must have 1 to {QUERY_CHARS_MAX}"),
            );
        }
        let length = self.note.chars().count();
        if length > NOTE_CHARS_MAX {
            return wrong(
                "note",
                format!("note has {length} characters; it may have {NOTE_CHARS_MAX} at most"),
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(rate: f64, query: &str, note: &str) -> Settings {
        Settings { rate, query: query.to_owned(), note: note.to_owned(), ..Settings::default() }
    }

    #[test]
    fn settings_are_checked_at_both_ends_of_their_ranges() {
        let (long, note) = ("x".repeat(65), "x".repeat(201));
        for (wrong, field) in [
            (settings(0.099, "a", ""), "rate"),
            (settings(100.1, "a", ""), "rate"),
            (settings(f64::NAN, "a", ""), "rate"),
            (settings(1.0, "", ""), "query"),
            (settings(1.0, &long, ""), "query"),
            (settings(1.0, "a", &note), "note"),
        ] {
            assert_eq!(wrong.check().unwrap_err().field, field, "{wrong:?}");
        }
        for right in [settings(0.1, "a", ""), settings(100.0, &long[1..], &note[1..])] {
            assert_eq!(right.check(), Ok(()));
        }
    }

    #[test]
    fn versions_count_from_one_and_each_has_its_tag() {
        let first = Version::after(None, settings(1.0, "a", ""), Instant::ZERO);
        let second = Version::after(Some(&first), settings(1.0, "a", ""), Instant::ZERO);
        assert_eq!((first.number, second.number), (1, 2));
        assert_eq!((first.etag().as_str(), second.etag().as_str()), ("\"v1\"", "\"v2\""));
    }
}
