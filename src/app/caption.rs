//! A caption: what just happened, in one or two sentences, and the question that follows from it.
//!
//! Every figure in it is the snapshot's. Plain text with the part that matters most first, for the page to set in bold.

/// A caption.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Caption {
    /// What happened.
    pub headline: String,
    /// What it means.
    pub detail: String,
    /// What one would ask next.
    pub question: String,
}

impl Caption {
    /// A caption.
    pub fn new(headline: String, detail: String, question: &str) -> Self {
        Caption { headline, detail, question: question.to_owned() }
    }

    /// All of it as one text, for a live region.
    pub fn text(&self) -> String {
        [self.headline.as_str(), &self.detail, &self.question].join(" ").trim().to_owned()
    }
}
