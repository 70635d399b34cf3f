//! How nodes are read off a run: what the network and the laboratory know of each, whatever its system.

use super::{NodeView, Role, State};
use crate::kernel::{Instant, SortedMap};
use crate::lab::{Knob, Run};
use crate::net::{Effect, Net, NodeId, Target};

/// The knob by which nodes lie, in a system whose nodes can.
const LIE: &str = "lie";

/// Looks at the nodes of a run at a moment.
pub struct Watch<'a> {
    net: &'a Net,
    /// Those that a rule cuts off, and those of which a rule loses messages.
    cut: SortedMap<NodeId, ()>,
    drops: SortedMap<NodeId, ()>,
    lie: Option<&'a dyn Knob>,
}

impl<'a> Watch<'a> {
    /// Of this moment of a run.
    pub fn of(run: &'a Run) -> Self {
        let (mut cut, mut drops) = (SortedMap::default(), SortedMap::default());
        for rule in run.net().rules() {
            let touched = match rule.effect {
                Effect::Cut => &mut cut,
                Effect::Drop(_) => &mut drops,
                Effect::Duplicate(_) | Effect::Slow(_) => continue,
            };
            let (a, b) = match rule.target {
                Target::Node(node) => (node, node),
                Target::Both(a, b) | Target::OneWay(a, b) => (a, b),
            };
            touched.insert(a, ());
            touched.insert(b, ());
        }
        Watch { net: run.net(), cut, drops, lie: run.system().knob(LIE) }
    }

    /// A node in its state; whatever that is, one that does not run is down.
    pub fn node(&self, id: NodeId, role: Role, state: State) -> NodeView {
        // The console is no process, and so has nothing to be down.
        let down_since = self.net.down_since(id).filter(|_| role != Role::CONSOLE);
        NodeView {
            id: id.0,
            name: self.net.name(id).to_string(),
            role,
            up: down_since.is_none(),
            down_since_ms: down_since.map(Instant::as_millis_f64),
            state: if down_since.is_some() { State::DOWN } else { state },
            lie: self.lie.and_then(|lie| lie.get(id)),
            slow: self.net.slowdown(id),
            cut: self.cut.contains_key(&id),
            drops: self.drops.contains_key(&id),
        }
    }
}
