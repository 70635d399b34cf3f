//! What the command line reports of the configuration system.

use super::{ConfigRun, figures};
use crate::lab::check::Check;
use crate::lab::figures::Figures;
use crate::lab::system::Reported;
use serde_json::Value;

impl Reported for ConfigRun {
    fn figures(&self) -> Figures {
        figures::figures(&self.tally(), self.config.now())
    }

    fn open_entries(&self) -> Vec<Value> {
        self.ledger().open_entries()
    }

    fn checks(&self) -> Vec<Check> {
        self.folds.borrow().checker.checks(|number| self.config.stored(number))
    }
}
