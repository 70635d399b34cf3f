//! What an act in the past has changed, in words: the faults of the run that is played beside those of the one that was left.

use super::Session;
use crate::app::snapshot::begins;
use crate::kernel::Instant;
use crate::lab::Run;
use crate::lab::fault::Fault;

impl Session {
    /// What was changed of the past; nothing if no other future is kept, or no fault differs. Without the truth only of the
    /// faults that a person has brought.
    pub fn changed(&self) -> Option<String> {
        let (run, left) = (self.run(), self.left_run()?);
        let (mut new, mut old) = (self.told(run), self.told(left));
        new.retain(|fault| match old.iter().position(|other| other == fault) {
            Some(place) => {
                old.remove(place);
                false
            }
            None => true,
        });
        match (old.first(), new.first()) {
            (Some(old), Some(new)) if (old.kind, &old.target) == (new.kind, &new.target) => {
                Some(difference(old, new))
            }
            (Some(old), Some(new)) => Some(format!("{}, in place of {}", words(new), words(old))),
            (None, Some(new)) => Some(words(new)),
            (Some(old), None) if run.off_faults().contains(old) => Some(format!("{}: off", words(old))),
            (Some(old), None) => Some(format!("{}: removed", words(old))),
            (None, None) => None,
        }
    }

    fn told(&self, run: &Run) -> Vec<Fault> {
        let is_told = |i: &usize| self.truth || run.is_by_hand(*i);
        run.faults().enumerate().filter(|(i, _)| is_told(i)).map(|(_, fault)| fault.clone()).collect()
    }
}

fn words(fault: &Fault) -> String {
    format!("{} {}", fault.target, begins(fault.kind.name()))
}

/// How two faults of the same kind at the same nodes differ.
fn difference(old: &Fault, new: &Fault) -> String {
    let (seconds, of) = (|at: Instant| format!("{:.1} s", at.as_millis_f64() / 1000.0), words(new));
    let start = |fault: &Fault| seconds(fault.start.unwrap_or(Instant::ZERO));
    let end = |fault: &Fault| fault.end.map_or_else(|| "the end".to_owned(), seconds);
    if new.start != old.start {
        format!("{of} from {}, not {}", start(new), start(old))
    } else if new.end != old.end {
        format!("{of} until {}, not {}", end(new), end(old))
    } else {
        format!("{of} by {}, not {}", new.value, old.value)
    }
}
