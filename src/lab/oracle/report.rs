//! What the command line reports of an oracle.

use super::OracleRun;
use super::entry::RequestReport;
use crate::lab::check::Check;
use crate::lab::figures::Figures;
use crate::lab::system::Reported;
use serde_json::Value;

impl Reported for OracleRun {
    fn figures(&self) -> Figures {
        self.tally().summary().figures()
    }

    fn open_entries(&self) -> Vec<Value> {
        let to_json =
            |entry| serde_json::to_value(RequestReport::of(entry, self.params())).unwrap_or_default();
        self.ledger().open().map(to_json).collect()
    }

    fn newest_text(&self) -> String {
        let ledger = self.ledger();
        let newest = ledger.newest_ended();
        newest.map_or_else(String::new, |entry| RequestReport::of(entry, self.params()).to_text())
    }

    fn checks(&self) -> Vec<Check> {
        self.folds.borrow().checker.0.checks()
    }
}
