//! A caption: what just happened, in one or two sentences, and the question that follows from it.
//!
//! Every figure in it is the snapshot's. Plain text with the part that matters most first, for the page to set in bold.
//! Which caption is shown for how long is the session's business (`session/teller.rs`); a caption says what it is about and
//! how much that matters.

use serde::{Deserialize, Serialize};

/// A caption.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Caption {
    /// What happened.
    pub headline: String,
    /// What it means.
    pub detail: String,
    /// What one would ask next.
    pub question: String,
    /// What it is about: two captions about the same are one, at two moments.
    pub about: About,
    /// How much that matters.
    pub rank: Rank,
}

/// How much a story matters, what matters most first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Rank {
    /// What the person at the page has done.
    Act,
    /// A fault begins or ends.
    Fault,
    /// What a fault did first.
    Effect,
    /// What is not as it should be.
    Exception,
    /// What comes of every unit of work.
    #[default]
    Result,
}

/// What a story is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum About {
    /// Nothing that can be named.
    #[default]
    Nothing,
    /// The beginning of a fault, by its place among all of the run.
    Begin(usize),
    /// Its end.
    End(usize),
    /// A unit of work that has ended, by its number.
    Result(u64),
    /// Something else, which the system tells apart by a number.
    Other(u64),
}

/// What one reads in a second of wall time.
const MS_PER_WORD: f64 = 300.0;
/// No caption is read faster.
const READING_MS_MIN: f64 = 2500.0;

impl Caption {
    /// A caption.
    pub fn new(headline: String, detail: String, question: &str) -> Self {
        Caption { headline, detail, question: question.to_owned(), ..Caption::default() }
    }

    /// The same about something, of some importance.
    pub fn about(self, about: About, rank: Rank) -> Self {
        Caption { about, rank, ..self }
    }

    /// All of it as one text, for a live region.
    pub fn text(&self) -> String {
        [self.headline.as_str(), &self.detail, &self.question].join(" ").trim().to_owned()
    }

    /// How long it takes to read what has happened, in milliseconds of wall time. The question is for whoever has stopped.
    pub fn reading_ms(&self) -> f64 {
        let words = self.headline.split_whitespace().chain(self.detail.split_whitespace());
        // A sign or a number with its unit is read with its neighbour.
        let words = words.filter(|word| word.contains(|c: char| c.is_ascii_alphanumeric())).count();
        (words as f64 * MS_PER_WORD).max(READING_MS_MIN)
    }
}
