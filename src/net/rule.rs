//! Faults as rules: what a rule is about, and what it does to messages and to work.

use super::link::{Fate, Roll};
use super::node::NodeId;

/// Names a rule until it is lifted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RuleId(pub(super) u64);

/// What a rule is about.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Target {
    /// A node; for messages, every link of it.
    Node(NodeId),
    /// Both directions of a link.
    Both(NodeId, NodeId),
    /// One direction of a link.
    OneWay(NodeId, NodeId),
}

/// What a rule does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Effect {
    /// No message passes.
    Cut,
    /// Messages are lost with this probability, besides what the link loses.
    Drop(f64),
    /// Messages arrive twice with this probability.
    Duplicate(f64),
    /// Work on a node, or the delay of a link, is this many times as long.
    Slow(f64),
}

/// A fault that holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rule {
    /// What it is about.
    pub target: Target,
    /// What it does.
    pub effect: Effect,
}

impl Target {
    fn covers(self, from: NodeId, to: NodeId) -> bool {
        match self {
            Target::Node(node) => node == from || node == to,
            Target::Both(a, b) => (a, b) == (from, to) || (b, a) == (from, to),
            Target::OneWay(a, b) => (a, b) == (from, to),
        }
    }

    pub(super) fn first(self) -> NodeId {
        match self {
            Target::Node(a) | Target::Both(a, _) | Target::OneWay(a, _) => a,
        }
    }

    pub(super) fn second(self) -> u32 {
        match self {
            Target::Node(_) => 0,
            Target::Both(_, b) | Target::OneWay(_, b) => b.0,
        }
    }
}

impl Effect {
    /// The figure that the trace keeps of it.
    pub(super) fn bits(self) -> u64 {
        match self {
            Effect::Cut => 0,
            Effect::Drop(x) | Effect::Duplicate(x) | Effect::Slow(x) => x.to_bits(),
        }
    }
}

impl Rule {
    pub(super) fn cuts(&self, from: NodeId, to: NodeId) -> bool {
        self.effect == Effect::Cut && self.target.covers(from, to)
    }

    pub(super) fn slowdown(&self, node: NodeId) -> f64 {
        match (self.target, self.effect) {
            (Target::Node(slow), Effect::Slow(factor)) if slow == node => factor,
            _ => 1.0,
        }
    }

    /// Changes the fate of a message. A slow node is slow at its work; only a slow link delays messages.
    pub(super) fn apply(&self, from: NodeId, to: NodeId, roll: Roll, fate: &mut Fate) {
        if !self.target.covers(from, to) {
            return;
        }
        match self.effect {
            Effect::Cut => fate.lost = true,
            Effect::Drop(p) => fate.lost |= roll.rule < p,
            Effect::Duplicate(p) => fate.duplicated |= roll.duplication < p,
            Effect::Slow(factor) if !matches!(self.target, Target::Node(_)) => {
                fate.delay = fate.delay.scale(factor)
            }
            Effect::Slow(_) => {}
        }
    }
}
