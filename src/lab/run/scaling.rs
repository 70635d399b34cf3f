//! Scaling: how many workers, containers or agents there are to be, said while they run.
//!
//! A scaling is a fault like any other (`scale:workers@20s=15`) as far as lists, ends, addresses and edits go. The nodes for the
//! greatest number are there from the start of a run and wait (`Settings::make_room`), so what was before it is the same with and
//! without. In a program that does not scale nothing of this is left.

#[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
mod here {
    use crate::kernel::Instant;
    use crate::lab::fault::{Fault, FaultKind, FaultTarget};
    use crate::lab::invalid::Invalid;
    use crate::lab::params::{Allowed, Setting};
    use crate::lab::run::Run;
    use crate::lab::scenario::{Action, Scenario};
    use crate::lab::system::System;
    use crate::net::NodeId;
    use serde_json::Value;

    /// What can be scaled where a system says nothing of it.
    const NOTHING: &str = "nothing: this system is not scaled while it runs";

    /// What a run knows of its instances' number.
    pub(in crate::lab::run) struct Scaling {
        /// As the settings say.
        said: u32,
        /// The scalings that hold, in the order in which they began: the last one counts.
        holding: Vec<usize>,
        /// What came of the last one that began or ended.
        count: Option<u32>,
    }

    /// The scalings among actions; to make room, it is enough to know how far they go.
    pub(in crate::lab::run) fn acted(actions: &[Action]) -> Vec<Fault> {
        let fault = |to| Fault {
            kind: FaultKind::Scale,
            target: FaultTarget::Node(String::new()),
            start: None,
            end: None,
            value: f64::from(to),
        };
        actions.iter().filter_map(Action::scales_to).map(fault).collect()
    }

    impl Scaling {
        pub(in crate::lab::run) fn new(system: &dyn System, said: &[Setting]) -> Self {
            let setting = said.iter().find(|setting| setting.key == system.scaled().0);
            let said = setting.and_then(|setting| setting.value.as_u64()).unwrap_or_default() as u32;
            Scaling { said, holding: Vec::new(), count: None }
        }
    }

    impl Run {
        /// The scenario with an act of the next millisecond, if that is a scaling for which this run has not the nodes.
        pub fn with_room(&self, act: &Action) -> Result<Option<Scenario>, Invalid> {
            let Some(to) = act.scales_to() else { return Ok(None) };
            let mut actions = self.actions_until_now();
            actions.push(act.clone());
            if self.room(&actions) == self.system.scaled().1.len() {
                return Ok(None);
            }
            self.check_count(f64::from(to))?;
            self.check_passing()?;
            Ok(Some(Scenario { actions, ..self.scenario.clone() }))
        }

        /// The scenario without what was done later than now, if its run has fewer nodes than this one: who acts in the past of a
        /// scaling acts in that run.
        pub fn without_room(&self) -> Option<Scenario> {
            let actions = self.actions_until_now();
            let is_less = self.room(&actions) != self.system.scaled().1.len();
            is_less.then(|| Scenario { actions, ..self.scenario.clone() })
        }

        fn actions_until_now(&self) -> Vec<Action> {
            let now = self.now();
            self.scenario.actions.iter().filter(|action| action.at() <= now).cloned().collect()
        }

        /// How many nodes a run of this scenario has with these actions in place of its own.
        fn room(&self, actions: &[Action]) -> usize {
            let acted = self.scenario.actions.iter().filter(|action| action.is_fault()).count();
            let planned = self.faults[..self.faults.len() - acted].iter().map(|running| &running.fault);
            let planned =
                planned.filter(|fault| fault.kind == FaultKind::Scale).map(|fault| fault.value as u32);
            let most = planned.chain(actions.iter().filter_map(Action::scales_to)).max();
            self.system.scaled().2.max(most.unwrap_or_default() as usize)
        }

        /// Refuses a scaling of what this system has none of, or to as many as it cannot have.
        pub(in crate::lab::run) fn check_scaling(&self, fault: &Fault) -> Result<Vec<NodeId>, Invalid> {
            let (key, nodes, _) = self.system.scaled();
            if fault.target != FaultTarget::Node(key.to_owned()) {
                let allowed = if key.is_empty() { NOTHING.to_owned() } else { format!("{key}, for scale") };
                return Err(Invalid::new("faults", &fault.target.to_string(), &allowed));
            }
            self.check_count(fault.value)?;
            if fault.value > nodes.len() as f64 {
                let allowed = format!("at most {}, for which this run has room", nodes.len());
                return Err(Invalid::new("scale", &fault.value.to_string(), &allowed));
            }
            Ok(Vec::new())
        }

        fn check_count(&self, count: f64) -> Result<(), Invalid> {
            let key = self.system.scaled().0;
            let Some(setting) = self.settings.iter().find(|setting| setting.key == key) else {
                return Err(Invalid::new("scale", &count.to_string(), NOTHING));
            };
            let allowed = setting.allowed;
            let is_allowed = match allowed {
                Allowed::Count(low, high) => (f64::from(low)..=f64::from(high)).contains(&count),
                _ => false,
            };
            let is_right = is_allowed && count.fract() == 0.0;
            is_right
                .then_some(())
                .ok_or_else(|| Invalid::new("scale", &count.to_string(), &allowed.describe()))
        }

        /// A scaling as an act says it.
        pub(in crate::lab::run) fn scaling_of(&self, at: Instant, to: u32) -> Fault {
            let target = FaultTarget::Node(self.system.scaled().0.to_owned());
            Fault { kind: FaultKind::Scale, target, start: Some(at), end: None, value: f64::from(to) }
        }

        pub(in crate::lab::run) fn begin_scaling(&mut self, index: usize) {
            self.scaling.holding.push(index);
            self.rescale();
        }

        pub(in crate::lab::run) fn end_scaling(&mut self, index: usize) {
            self.scaling.holding.retain(|&other| other != index);
            self.rescale();
        }

        /// Starts those that are to be there and that nothing keeps down, and asks the others to end.
        fn rescale(&mut self) {
            let last = self.scaling.holding.last().map(|&index| self.faults[index].fault.value as u32);
            let count = last.unwrap_or(self.scaling.said);
            self.scaling.count = Some(count);
            self.system.scale(count);
            let nodes = self.system.scaled().1;
            let (stay, leave) = nodes.split_at(nodes.len().min(count as usize));
            for &node in stay.iter().filter(|&&node| !self.is_kept_down(node)) {
                self.net.start_stopped(node);
            }
            for &node in leave.iter().filter(|&&node| self.net.is_up(node)) {
                self.net.stop(node);
            }
            self.say_how_many();
        }

        /// Whether the last that was done to a node keeps it down.
        fn is_kept_down(&self, node: NodeId) -> bool {
            let (now, start) = (self.now(), |fault: &Fault| fault.start.unwrap_or(Instant::ZERO));
            let done = self.faults.iter().filter(|running| {
                let is_about =
                    matches!(running.fault.kind, FaultKind::Crash | FaultKind::Stop | FaultKind::Restart);
                is_about && start(&running.fault) <= now && running.nodes.contains(&node)
            });
            let last = done.max_by_key(|running| start(&running.fault)).map(|running| &running.fault);
            last.is_some_and(|last| last.kind != FaultKind::Restart && last.end.is_none_or(|end| end > now))
        }

        /// A setting as it was before anybody scaled anything.
        pub(in crate::lab::run) fn at_first(&self, setting: &Setting) -> Value {
            let is_scaled = setting.key == self.system.scaled().0 && self.is_scaled();
            if is_scaled { self.scaling.said.into() } else { setting.value.clone() }
        }

        fn is_scaled(&self) -> bool {
            self.faults.iter().any(|running| running.fault.kind == FaultKind::Scale)
        }

        /// Whether a node is one of those that were scaled away: the end of a fault does not bring it back.
        pub(in crate::lab::run) fn is_scaled_away(&self, node: NodeId) -> bool {
            let nodes = self.system.scaled().1;
            let away = self.scaling.count.map_or(&[][..], |count| &nodes[nodes.len().min(count as usize)..]);
            away.contains(&node)
        }

        /// The setting says how many there are to be now, in a run in which that changes.
        pub(in crate::lab::run) fn say_how_many(&mut self) {
            if !self.is_scaled() {
                return;
            }
            let (key, count) = (self.system.scaled().0, self.scaling.count.unwrap_or(self.scaling.said));
            let mut settings = self.settings.to_vec();
            settings
                .iter_mut()
                .filter(|setting| setting.key == key)
                .for_each(|setting| setting.value = count.into());
            self.settings = settings.into();
        }
    }
}

#[cfg(not(any(not(target_arch = "wasm32"), feature = "workbench")))]
mod here {
    use crate::lab::fault::Fault;
    use crate::lab::invalid::Invalid;
    use crate::lab::params::Setting;
    use crate::lab::run::Run;
    use crate::lab::scenario::Action;
    use crate::net::NodeId;
    use serde_json::Value;

    pub(in crate::lab::run) fn acted(_: &[Action]) -> [Fault; 0] {
        []
    }

    /// Such a fault cannot be read here, and does not begin.
    impl Run {
        pub(in crate::lab::run) fn check_scaling(&self, _: &Fault) -> Result<Vec<NodeId>, Invalid> {
            Ok(Vec::new())
        }

        pub(in crate::lab::run) fn begin_scaling(&mut self, _: usize) {}

        pub(in crate::lab::run) fn end_scaling(&mut self, _: usize) {}

        pub(in crate::lab::run) fn is_scaled_away(&self, _: NodeId) -> bool {
            false
        }

        pub(in crate::lab::run) fn say_how_many(&mut self) {}

        pub(in crate::lab::run) fn at_first(&self, setting: &Setting) -> Value {
            setting.value.clone()
        }
    }
}

#[cfg(any(not(target_arch = "wasm32"), feature = "workbench"))]
pub(super) use here::Scaling;
pub(super) use here::acted;
