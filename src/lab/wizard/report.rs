//! What the command line reports of the Math Wizard.

use super::WizardRun;
use crate::lab::check::Check;
use crate::lab::figures::Figures;
use crate::lab::system::Reported;
use serde_json::Value;

impl Reported for WizardRun {
    fn figures(&self) -> Figures {
        self.tally().figures(self.wizard.now())
    }

    fn open_entries(&self) -> Vec<Value> {
        self.folds.borrow().open_entries()
    }

    fn checks(&self) -> Vec<Check> {
        self.folds.borrow().checks.verdicts().checks()
    }
}
