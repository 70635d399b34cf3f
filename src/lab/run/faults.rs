//! Faults of a run: which nodes each is about, and what happens when it begins and ends.

use super::{LIE, Op, Run, Running};
use crate::kernel::{Instant, Rng};
use crate::lab::fault::{Fault, FaultKind, FaultTarget, SCALES};
use crate::lab::invalid::Invalid;
use crate::net::{Effect, NodeId, Rule, Target};

impl Run {
    /// Finds a fault's nodes and puts its begin and end on the agenda.
    pub(super) fn plan_fault(&mut self, fault: Fault) -> Result<(), Invalid> {
        let nodes = match fault.kind {
            FaultKind::Scale if SCALES => self.check_scaling(&fault)?,
            _ => self.find_nodes(&fault)?,
        };
        let can_lie = |node| self.system.knob(LIE).is_some_and(|lie| lie.nodes().contains(node));
        if fault.kind == FaultKind::Lie && !nodes.iter().all(can_lie) {
            let allowed = "for lie a worker of an oracle";
            return Err(Invalid::new("faults", &fault.target.to_string(), allowed));
        }
        let index = self.faults.len();
        self.plan(fault.start.unwrap_or(Instant::ZERO), Op::Begin(index));
        let planned_end = fault.end.map(|end| self.plan(end, Op::End(index)));
        self.faults.push(Running { fault, nodes, rules: Vec::new(), planned_end });
        Ok(())
    }

    fn find_nodes(&self, fault: &Fault) -> Result<Vec<NodeId>, Invalid> {
        let find = |name: &str| {
            self.net.find(name).ok_or_else(|| Invalid::new("faults", name, &self.system.describe_nodes()))
        };
        match &fault.target {
            FaultTarget::Node(name) => Ok(vec![find(name)?]),
            FaultTarget::Both(a, b) | FaultTarget::OneWay(a, b) => Ok(vec![find(a)?, find(b)?]),
            FaultTarget::Some(count) => {
                let workers = self.system.instances();
                if *count as usize > workers.len() {
                    let allowed = format!("at most {} workers", workers.len());
                    return Err(Invalid::new("faults", &fault.target.to_string(), &allowed));
                }
                let chosen = self.targets(fault).sample(workers.len() as u64, u64::from(*count));
                Ok(chosen.into_iter().map(|i| workers[i as usize]).collect())
            }
        }
    }

    /// The draws that say which workers a fault is about: its own by what, how many and when, so that no other fault in the
    /// list changes them. Those that are alike in this take turns.
    fn targets(&self, fault: &Fault) -> Rng {
        let at = |fault: &Fault| fault.start.unwrap_or(Instant::ZERO);
        let alike = |other: &&Running| {
            let other = &other.fault;
            (other.kind, &other.target, at(other)) == (fault.kind, &fault.target, at(fault))
        };
        let turn = self.faults.iter().filter(alike).count();
        let purpose = format!("{} {} {}", fault.kind.name(), fault.target, at(fault).as_nanos());
        self.sim.ctx().stream("lab", &purpose).at(turn as u64)
    }

    pub(super) fn begin(&mut self, index: usize) {
        let Running { fault, nodes, rules, .. } = &mut self.faults[index];
        let effect = match fault.kind {
            FaultKind::Crash => return nodes.iter().for_each(|&node| self.net.crash(node)),
            FaultKind::Restart => return nodes.iter().for_each(|&node| self.net.start(node)),
            FaultKind::Stop => return nodes.iter().for_each(|&node| self.net.stop(node)),
            FaultKind::Start => return self.start_missing(index),
            FaultKind::Scale => return self.begin_scaling(index),
            FaultKind::Lie => {
                self.lies.push(index);
                if let Some(lie) = self.system.knob(LIE) {
                    nodes.iter().for_each(|&node| lie.set(node, Some(fault.value)));
                }
                return;
            }
            FaultKind::Slow => Effect::Slow(fault.value),
            FaultKind::Cut => Effect::Cut,
            FaultKind::Drop => Effect::Drop(fault.value),
            FaultKind::Duplicate => Effect::Duplicate(fault.value),
        };
        let targets: Vec<Target> = match fault.target {
            FaultTarget::Both(..) => vec![Target::Both(nodes[0], nodes[1])],
            FaultTarget::OneWay(..) => vec![Target::OneWay(nodes[0], nodes[1])],
            FaultTarget::Node(_) | FaultTarget::Some(_) => {
                nodes.iter().map(|&node| Target::Node(node)).collect()
            }
        };
        *rules = targets.into_iter().map(|target| self.net.add_rule(Rule { target, effect })).collect();
    }

    pub(super) fn end(&mut self, index: usize) {
        let Running { fault, nodes, rules, .. } = &mut self.faults[index];
        match fault.kind {
            FaultKind::Crash => self.start_missing(index),
            FaultKind::Start => nodes.iter().for_each(|&node| self.net.stop(node)),
            FaultKind::Stop => {
                let nodes = self.faults[index].nodes.iter().filter(|&&node| !self.is_scaled_away(node));
                nodes.for_each(|&node| self.net.start_stopped(node));
            }
            FaultKind::Scale => self.end_scaling(index),
            FaultKind::Restart => {}
            FaultKind::Lie => self.end_lie(index),
            FaultKind::Slow | FaultKind::Cut | FaultKind::Drop | FaultKind::Duplicate => {
                rules.drain(..).for_each(|rule| self.net.remove_rule(rule));
            }
        }
    }

    fn start_missing(&self, index: usize) {
        let nodes = self.faults[index].nodes.iter();
        let missing = nodes.filter(|&&node| !self.net.is_up(node) && !self.is_scaled_away(node));
        missing.for_each(|&node| self.net.start(node));
    }

    /// Who is started on schedule is not there before.
    pub(super) fn keep_out(&self) {
        for Running { fault, nodes, .. } in &self.faults {
            if fault.kind == FaultKind::Start {
                nodes.iter().for_each(|&node| self.net.crash(node));
            }
        }
    }

    /// Lies overlap: what still holds for a worker then is the last that began, or what it was born with.
    fn end_lie(&mut self, index: usize) {
        self.lies.retain(|&other| other != index);
        for node in &self.faults[index].nodes {
            let held =
                self.lies.iter().rev().map(|&i| &self.faults[i]).find(|other| other.nodes.contains(node));
            let born = || self.born_liars.iter().find(|(liar, _)| liar == node).map(|(_, bias)| *bias);
            let bias = held.map(|other| other.fault.value).or_else(born);
            if let Some(lie) = self.system.knob(LIE) {
                lie.set(*node, bias);
            }
        }
    }
}
