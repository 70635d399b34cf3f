//! What a person does to a run: faults by hand, their ends, calls of the simulated API.
//!
//! Each act takes effect at the next whole millisecond, and is the last in the log of actions then: one in the past of
//! what was done before begins another future, and what was done later goes off the agenda.

use super::{Op, Planned, Run};
use crate::kernel::Instant;
use crate::lab::fault::{Fault, FaultKind};
use crate::lab::invalid::Invalid;
use crate::lab::scenario::{ACTIONS_MAX, Action};
use crate::substrate::decimal::plain;
use crate::substrate::http::{HttpError, Method, Request, Response, Url};

/// When an act takes effect, and its place in the action log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActedAt {
    /// The next whole millisecond.
    pub at: Instant,
    /// Its index in the scenario's log of actions.
    pub index: usize,
}

impl Run {
    /// A fault from the next whole millisecond on. The run is played to that instant.
    pub fn inject(&mut self, spec: &str) -> Result<ActedAt, Invalid> {
        let at_ms = self.next_ms();
        self.act(Action::Fault { at_ms, fault: spec.to_owned() })
    }

    /// Ends a fault that holds, by its place in [`faults`](Self::faults), at the next whole millisecond.
    pub fn lift(&mut self, fault: usize) -> Result<ActedAt, Invalid> {
        let at_ms = self.next_ms();
        self.act(Action::Lift { at_ms, fault })
    }

    /// Calls the simulated API at the next whole millisecond. The run is played to that instant.
    pub fn call(&mut self, request: &Request) -> Result<ActedAt, Invalid> {
        let url = &request.url;
        let query = if url.query.is_empty() { String::new() } else { format!("?{}", url.query) };
        self.act(Action::Call {
            at_ms: self.next_ms(),
            method: request.method.as_str().to_owned(),
            url: format!("http://{}{}{query}", url.authority, url.path),
            headers: request
                .headers
                .iter()
                .map(|(name, value)| (name.to_string(), value.to_string()))
                .collect(),
            body: String::from_utf8_lossy(request.body.bytes()).into_owned(),
        })
    }

    /// The answer to a call, once there is one, and when it came.
    pub fn answer(&self, index: usize) -> Option<(Instant, Result<Response, HttpError>)> {
        self.answers.borrow().get(&index).cloned()
    }

    /// Whether a call is answered.
    pub fn is_answered(&self, index: usize) -> bool {
        self.answers.borrow().contains_key(&index)
    }

    /// An act at a later millisecond; the run is played to that instant.
    pub fn act(&mut self, action: Action) -> Result<ActedAt, Invalid> {
        let (at, now) = (action.at(), self.now());
        self.check_passing()?;
        if at > self.horizon {
            let allowed = format!("an instant before the horizon of {}", self.horizon.since(Instant::ZERO));
            return Err(Invalid::new("at_ms", &plain(at.as_millis_f64()), &allowed));
        }
        let index = self.scenario.actions.partition_point(|other| other.at() <= now);
        if index >= ACTIONS_MAX {
            let allowed = format!("at most {ACTIONS_MAX} of them");
            return Err(Invalid::new("actions", &(index + 1).to_string(), &allowed));
        }
        // What was done later in this run's old future is not part of the one that begins here; but an act that is
        // not allowed changes nothing.
        let old = self.cut(index);
        if let Err(invalid) = self.extend(&[action]) {
            self.extend(&old)?;
            return Err(invalid);
        }
        self.run_until(at);
        Ok(ActedAt { at, index })
    }

    /// Takes over what was done in another run of the same scenario, which is further on. False when that was done, or left
    /// undone, before this run's present, which it is then of no use to.
    pub fn adopt(&mut self, actions: &[Action]) -> bool {
        let own = &self.scenario.actions;
        let same = own.iter().zip(actions).take_while(|(own, other)| own == other).count();
        let differ = own[same..].iter().chain(&actions[same..]);
        if differ.map(Action::at).any(|at| at <= self.now()) {
            return false;
        }
        self.cut(same);
        // They were allowed there, so they are here.
        self.extend(&actions[same..]).is_ok()
    }

    /// Plans actions, which come after all that the log has.
    fn extend(&mut self, actions: &[Action]) -> Result<(), Invalid> {
        for action in actions {
            self.plan_action(self.scenario.actions.len(), action)?;
            self.scenario.actions.push(action.clone());
        }
        Ok(())
    }

    /// Takes the actions from `index` on out of the log and hands them over. None of them has happened yet, so this
    /// cuts the agenda only.
    fn cut(&mut self, index: usize) -> Vec<Action> {
        let cut = self.scenario.actions.split_off(index);
        let faults = cut.iter().filter(|action| action.is_fault()).count();
        let mut lifted = Vec::new();
        for action in &cut {
            if let Action::Lift { fault, .. } = action {
                lifted.push(*fault);
            }
        }
        self.faults.truncate(self.faults.len() - faults);
        let faults = self.faults.len();
        self.agenda.retain(|planned| match &planned.op {
            Op::Begin(fault) => *fault < faults,
            Op::End(fault) => *fault < faults && !lifted.contains(fault),
            Op::Call(action, _) => *action < index,
        });
        // What a person was going to end ends as it was planned before.
        for fault in lifted.into_iter().filter(|&fault| fault < faults) {
            let running = &mut self.faults[fault];
            running.fault.end = running.planned_end.map(|(at, _)| at);
            if let Some(place) = running.planned_end {
                self.agenda.push(Planned { place, op: Op::End(fault) });
            }
        }
        cut
    }

    /// Strictly after now: the events of this instant may have happened.
    pub fn next_ms(&self) -> u64 {
        self.now().as_nanos() / 1_000_000 + 1
    }

    pub(super) fn plan_action(&mut self, index: usize, action: &Action) -> Result<(), Invalid> {
        match action {
            Action::Fault { fault, .. } => {
                let mut fault: Fault = fault.parse()?;
                if fault.kind == FaultKind::Start {
                    // It says that the node is not there before, and that has been.
                    let allowed = "restart; start is for faults on schedule";
                    return Err(Invalid::new("faults", &fault.to_string(), allowed));
                }
                fault.start = Some(action.at());
                if fault.end.is_some_and(|end| end <= action.at()) {
                    return Err(Invalid::new("faults", &fault.to_string(), "an end after the start"));
                }
                self.plan_fault(fault)
            }
            #[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
            Action::Scale { to, .. } => self.plan_fault(self.scaling_of(action.at(), *to)),
            Action::Lift { fault, .. } => {
                let (at, faults) = (action.at(), self.faults.len());
                // Told by the instants alone: in a replay nothing has begun or ended yet.
                let holds = |fault: &Fault| {
                    fault.start.unwrap_or(Instant::ZERO) <= at && fault.end.is_none_or(|end| end > at)
                };
                let running = self.faults.get_mut(*fault).filter(|running| holds(&running.fault));
                let running = running.ok_or_else(|| {
                    let allowed = format!("the number of one of the run's {faults} faults, one that holds");
                    Invalid::new("fault", &fault.to_string(), &allowed)
                })?;
                running.fault.end = Some(at);
                self.agenda.retain(|planned| !matches!(&planned.op, Op::End(index) if index == fault));
                self.plan(action.at(), Op::End(*fault));
                Ok(())
            }
            Action::Call { method, url, headers, body, .. } => {
                let url: Url = url.parse().map_err(|_| {
                    Invalid::new("url", url, "an http URL such as http://localhost:8080/request")
                })?;
                let request = Request {
                    method: Method::from(method.as_str()),
                    url,
                    headers: headers.iter().map(|(name, value)| (name.into(), value.into())).collect(),
                    body: body.clone().into(),
                };
                self.plan(action.at(), Op::Call(index, request));
                Ok(())
            }
        }
    }
}
