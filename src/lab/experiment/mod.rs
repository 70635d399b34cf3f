//! Experiments: many runs of a plan, and what they amount to with intervals.
//!
//! To be read in this order: `plan.rs` says what is varied and how often it is played, `metric.rs` what is measured and asked of it.
//! `outcome.rs` plays one run of it; `recorder.rs`, beside this folder, is what listens to the run. `sweep.rs` decides which run is next and gathers what
//! came of each; `fold.rs` makes one point's figures of its runs, `interval.rs` says how sure they are. `sizing.rs` searches the
//! least point that meets all goals, `compare.rs` plays two scenarios in pairs of runs; `twin.rs` makes two of one that differ in one
//! thing, and `pair.rs` holds a run of each against the other in pairs of requests. `foresight/` plays one key's values ever more often,
//! and says what that amounts to. `threads.rs` plays on all cores. `rows.rs` writes files.
//!
//! Every point is played with the same seeds, and every random draw of a run has an address that does not depend on what
//! is varied: two points differ by nothing but what was set (common random numbers).

mod compare;
mod describe;
mod fold;
mod foresight;
mod interval;
mod metric;
mod outcome;
mod pair;
mod plan;
pub mod rows;
pub mod sizing;
mod sweep;
#[cfg(test)]
mod tests;
#[cfg(not(target_arch = "wasm32"))]
pub mod threads;
mod twin;

pub use compare::{Comparison, Difference};
pub use describe::{describe, faults, suggested};
pub use foresight::{Foresight, Prospect, Question, Range};
pub use interval::{Interval, Method};
pub use metric::{Goal, GoalText, Metric, UNANSWERED, Verdict};
pub use outcome::{Outcome, play};
pub use pair::{Better, Change, Pair, PairSoFar, PairedMetric, pair};
pub use plan::{Axis, Base, Checked, Plan, Seeds, Stop};
pub use sizing::{Answer, Asked, Sizing, Sought, Vary};
pub use sweep::{Next, Row, Sweep, Task, Work};
pub use twin::{ACTS, PRESET, Twin, fork, offers, twin, twins};
