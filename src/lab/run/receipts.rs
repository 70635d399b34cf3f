//! Receipts of a run as it stands.

use super::Run;
use crate::lab::invalid::Invalid;
use crate::lab::receipt::{Receipt, Seen};
use crate::lab::{message, systems};

impl Run {
    /// Why something is as it is: a request (`req-00007`), a job by its id, a version (`v7`), what a node has of it
    /// (`w-03@v7`), a message by the number of a record of it (`#508`). The run needs its facts for that, and its records, see [`Options`](crate::lab::Options). The error says what
    /// there is.
    pub fn receipt(&self, id: &str) -> Result<Receipt, Invalid> {
        let trace = self.trace();
        let seen = Seen::new(&trace, self.net(), self.system(), self.now());
        let none = || Err(Invalid::new("id", id, "nothing: this system has no receipts"));
        let of_system = || systems::explains().find_map(|explain| explain(&seen, id));
        message::explain(&seen, id).or_else(of_system).unwrap_or_else(none)
    }
}
