//! The figures of a run: each system names its own, and says each once, for JSON and for a person.

use serde::Serialize;
use serde_json::{Map, Value};
use std::fmt::Write;

/// One figure, or a few that belong together.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// Its key in JSON.
    pub key: &'static str,
    /// Its value there.
    pub value: Value,
    /// The word before it in a report for a person.
    pub label: &'static str,
    /// What the report says; empty for one that is in JSON only.
    pub words: String,
}

/// A system's figures, in the order in which they are told.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures(Vec<Figure>);

impl Figures {
    /// Adds a figure of the report and of JSON.
    pub fn tell(&mut self, key: &'static str, value: impl Serialize, label: &'static str, words: String) {
        // Plain data cannot fail to be JSON.
        let value = serde_json::to_value(value).unwrap_or_default();
        self.0.push(Figure { key, value, label, words });
    }

    /// Adds a figure of JSON only.
    pub fn add(&mut self, key: &'static str, value: impl Serialize) {
        self.tell(key, value, "", String::new());
    }

    /// Their JSON: an object, by their keys.
    pub fn to_json(&self) -> Value {
        let members = self.0.iter().map(|figure| (figure.key.to_owned(), figure.value.clone()));
        Value::Object(members.collect::<Map<_, _>>())
    }

    /// A line for each that has words.
    pub fn to_text(&self) -> String {
        let told = || self.0.iter().filter(|figure| !figure.words.is_empty());
        let width = told().map(|figure| figure.label.len()).max().unwrap_or(0);
        let mut text = String::new();
        for Figure { label, words, .. } in told() {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{label:<width$} {words}");
        }
        text
    }
}
