//! What is kept of a run besides its hash. Nothing here changes what happens in it, but for the load.

use super::recorder::Recording;
use super::system::Entries;
use crate::kernel::Sink;

/// What a run keeps besides its hash.
#[derive(Clone)]
pub struct Options {
    /// Which records the trace keeps.
    pub sink: Sink,
    /// How many tasks the requests, jobs or versions that have ended may have in the ledger: a request weighs as many as
    /// workers were asked. 0 keeps what is open, and nothing else.
    pub keep: usize,
    /// Who gets each of them when it has ended.
    pub entries: Option<Entries>,
    /// Who records figures of its units of work.
    pub recording: Recording,
    /// How many of the newest facts are kept, for receipts.
    pub facts: usize,
    /// Whether messages in flight are listed, for pictures.
    pub observed: bool,
    /// Whether the client makes its load; without it only the console asks.
    pub client: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            sink: Sink::None,
            keep: usize::MAX,
            entries: None,
            recording: None,
            facts: 0,
            observed: false,
            client: true,
        }
    }
}
