//! What the panels on many runs are made of, as plain data: what one asks (`draft.rs`), what came of it (`rows.rs`, `played.rs`,
//! `answer.rs`, `table.rs`), how it is said (`words.rs`), and the picture of it (`chart.rs`). `foresight.rs` has what one key's
//! values would give, `ribbon.rs` its picture; `twin.rs` two runs side by side, `lanes.rs` theirs; `svg.rs` what the pictures share. `study` draws them.

pub mod answer;
pub mod chart;
pub mod draft;
pub mod foresight;
pub mod lanes;
pub mod played;
pub mod ribbon;
pub mod rows;
mod svg;
pub mod table;
pub mod twin;
pub mod words;

#[cfg(test)]
mod tests;
