//! What a person makes of faults that are there: another one, none, one that is switched off.
//!
//! All of it is another scenario, and the instant from which its run is another one. A fault that is changed is a person's own
//! from then on; one that becomes again what the shipped scenario has is the scenario's.

use super::{Run, Running};
use crate::kernel::Instant;
use crate::lab::fault::{Fault, format_list, parse_list};
use crate::lab::invalid::Invalid;
use crate::lab::presets;
use crate::lab::scenario::{Action, Scenario};

/// A scenario's faults, list by list, while they are being changed.
struct Lists {
    shipped: Vec<Fault>,
    scheduled: Vec<Fault>,
    own: Vec<Fault>,
    off: Vec<Fault>,
    actions: Vec<Action>,
}

impl Run {
    /// The scenario with one of its faults replaced, or removed; both as in a list of faults. A new one without a start keeps
    /// the old one's.
    pub fn edited(&self, fault: &str, to: Option<&str>) -> Result<(Scenario, Instant), Invalid> {
        let mut lists = Lists::of(self);
        let (old, is_off) = lists.take(self, fault)?;
        let new = to.map(|text| self.read_edit(text, &old)).transpose()?;
        if is_off {
            lists.off.extend(new);
            return Ok((lists.scenario(self), self.horizon));
        }
        let from = new.as_ref().map_or(begin(&old), |new| differ_from(&old, new));
        if let Some(new) = new {
            lists.put(new);
        }
        Ok((lists.scenario(self), from))
    }

    /// The scenario with one of its faults switched off; or on, if it is off.
    pub fn switched(&self, fault: &str) -> Result<(Scenario, Instant), Invalid> {
        let mut lists = Lists::of(self);
        let (fault, was_off) = lists.take(self, fault)?;
        let from = begin(&fault);
        if was_off {
            lists.put(fault);
        } else {
            lists.off.push(fault);
        }
        Ok((lists.scenario(self), from))
    }

    /// The faults that a person has switched off.
    pub fn off_faults(&self) -> Vec<Fault> {
        // What runs has been read before.
        parse_list(self.scenario.off.as_deref().unwrap_or_default()).unwrap_or_default()
    }

    fn read_edit(&self, text: &str, old: &Fault) -> Result<Fault, Invalid> {
        let mut new: Fault = text.trim().parse()?;
        new.start = new.start.or(old.start);
        let begin = begin(&new);
        if begin >= self.horizon {
            let horizon = self.horizon.since(Instant::ZERO);
            let allowed = format!("a start before the horizon of {horizon}");
            return Err(Invalid::new("faults", &begin.since(Instant::ZERO).to_string(), &allowed));
        }
        if new.end.is_some_and(|end| end <= begin) {
            return Err(Invalid::new("faults", &new.to_string(), "an end after the start"));
        }
        Ok(new)
    }
}

impl Lists {
    fn of(run: &Run) -> Self {
        let scenario = &run.scenario;
        let by_hand = scenario.actions.iter().filter(|action| action.is_fault()).count();
        let mut scheduled: Vec<Fault> =
            run.faults[..run.faults.len() - by_hand].iter().map(Running::planned).collect();
        let own = scheduled.split_off(run.scheduled);
        let shipped = presets::find(&scenario.preset).map_or("", |preset| preset.faults);
        let mut shipped = parse_list(shipped).unwrap_or_default();
        shipped.retain(|fault| run.left_out.iter().all(|(other, _)| other != fault));
        Lists { shipped, scheduled, own, off: run.off_faults(), actions: scenario.actions.clone() }
    }

    /// Takes a fault out, and says whether it was off. Who had ended it had ended what is no more.
    fn take(&mut self, run: &Run, text: &str) -> Result<(Fault, bool), Invalid> {
        let Some(index) = run.faults().position(|fault| fault.to_string() == text) else {
            let off = self.off.iter().position(|fault| fault.to_string() == text);
            let fault = off.map(|index| self.off.remove(index));
            return fault
                .map(|fault| (fault, true))
                .ok_or_else(|| Invalid::new("fault", text, "one of the run's faults, as it is written"));
        };
        let (scheduled, own) = (self.scheduled.len(), self.own.len());
        if index < scheduled {
            self.scheduled.remove(index);
        } else if index < scheduled + own {
            self.own.remove(index - scheduled);
        } else {
            let mut before = index - scheduled - own;
            self.actions.retain(|action| {
                let is_fault = action.is_fault();
                let is_it = is_fault && before == 0;
                before = before.wrapping_sub(usize::from(is_fault));
                !is_it
            });
        }
        self.actions.retain(|action| !matches!(action, Action::Lift { fault, .. } if *fault == index));
        self.renumber(|fault| if fault > index { fault - 1 } else { fault });
        Ok((run.faults[index].fault.clone(), false))
    }

    /// Puts a fault on schedule.
    fn put(&mut self, fault: Fault) {
        let place = |fault: &Fault| self.shipped.iter().position(|shipped| shipped == fault);
        let index = match place(&fault) {
            Some(at) if !self.scheduled.contains(&fault) => {
                let later = |other: &Fault| place(other).is_none_or(|place| place > at);
                let index = self.scheduled.iter().position(later).unwrap_or(self.scheduled.len());
                self.scheduled.insert(index, fault);
                index
            }
            _ => {
                self.own.push(fault);
                self.scheduled.len() + self.own.len() - 1
            }
        };
        self.renumber(|fault| if fault >= index { fault + 1 } else { fault });
    }

    /// Ends are said of faults by their places.
    fn renumber(&mut self, to: impl Fn(usize) -> usize) {
        for action in &mut self.actions {
            if let Action::Lift { fault, .. } = action {
                *fault = to(*fault);
            }
        }
    }

    fn scenario(self, run: &Run) -> Scenario {
        let text = |faults: &[Fault]| (!faults.is_empty()).then(|| format_list(faults));
        let is_shipped = self.scheduled == self.shipped;
        Scenario {
            faults: (!is_shipped).then(|| format_list(&self.scheduled)),
            own: text(&self.own),
            off: text(&self.off),
            actions: self.actions,
            ..run.scenario.clone()
        }
    }
}

impl Running {
    /// The fault with the end that was planned for it, though a person may have ended it before.
    fn planned(&self) -> Fault {
        Fault { end: self.planned_end.map(|(at, _)| at), ..self.fault.clone() }
    }
}

fn begin(fault: &Fault) -> Instant {
    fault.start.unwrap_or(Instant::ZERO)
}

/// From when on a run with one fault differs from one with the other.
fn differ_from(one: &Fault, other: &Fault) -> Instant {
    let end = |fault: &Fault| fault.end.unwrap_or(Instant::MAX);
    if (Fault { end: other.end, ..one.clone() }) == *other {
        end(one).min(end(other))
    } else {
        begin(one).min(begin(other))
    }
}
