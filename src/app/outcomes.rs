//! The outcome numbers beside the sentence, as plain data.

/// One outcome.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// Its name in test ids, after `outcome-`.
    pub key: &'static str,
    /// The figure.
    pub value: String,
    /// What stands behind it in small: its interval, its unit, of how many it is, with
    /// the space before it.
    pub aside: String,
    /// What it is.
    pub label: String,
    /// More of that, where there is room.
    pub more: &'static str,
    /// How it is reckoned.
    pub title: &'static str,
}
