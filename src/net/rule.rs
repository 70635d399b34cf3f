//! Faults as rules: what a rule is about, what it does to messages and to work, and which rules hold.
//!
//! A message asks only for the rules of its two nodes and of its direction, work only for those of its node: what it costs
//! does not grow with the faults elsewhere. Rules of one link work in the order in which they began; between a node's and a
//! link's no order shows, since only a link's change the delay.

use super::link::{Fate, Roll};
use super::node::NodeId;
use crate::kernel::SortedMap;

/// Names a rule until it is lifted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RuleId(u64);

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

/// The rules that hold.
#[derive(Default)]
pub(super) struct Rules {
    all: SortedMap<RuleId, Rule>,
    next: u64,
    /// A node twice.
    of_node: Index,
    /// By direction.
    of_link: Index,
}

/// One type for nodes and for links.
type Index = SortedMap<(NodeId, NodeId), Vec<(RuleId, Effect)>>;

impl Rules {
    pub(super) fn add(&mut self, rule: Rule) -> RuleId {
        let fits = match rule.effect {
            Effect::Cut => true,
            Effect::Drop(p) | Effect::Duplicate(p) => (0.0..=1.0).contains(&p),
            Effect::Slow(factor) => factor > 0.0 && factor.is_finite(),
        };
        assert!(fits, "no probability, or no factor");
        self.next += 1;
        let id = RuleId(self.next);
        self.all.insert(id, rule);
        let entry = (id, rule.effect);
        match rule.target {
            Target::Node(node) => self.of_node.entry((node, node)).or_default().push(entry),
            Target::OneWay(a, b) => self.of_link.entry((a, b)).or_default().push(entry),
            Target::Both(a, b) => {
                self.of_link.entry((a, b)).or_default().push(entry);
                if a != b {
                    self.of_link.entry((b, a)).or_default().push(entry);
                }
            }
        }
        id
    }

    /// The rule that is lifted; `None` when it is lifted already.
    pub(super) fn remove(&mut self, id: RuleId) -> Option<Rule> {
        let rule = self.all.remove(&id)?;
        match rule.target {
            Target::Node(node) => forget(&mut self.of_node, (node, node), id),
            Target::OneWay(a, b) => forget(&mut self.of_link, (a, b), id),
            Target::Both(a, b) => {
                forget(&mut self.of_link, (a, b), id);
                forget(&mut self.of_link, (b, a), id);
            }
        }
        Some(rule)
    }

    /// In the order in which they began.
    pub(super) fn all(&self) -> impl Iterator<Item = Rule> {
        self.all.values().copied()
    }

    #[inline]
    pub(super) fn cut(&self, from: NodeId, to: NodeId) -> bool {
        !self.all.is_empty() && self.cut_by_any(from, to)
    }

    #[inline(never)]
    fn cut_by_any(&self, from: NodeId, to: NodeId) -> bool {
        let cuts = |(_, effect): &(RuleId, Effect)| *effect == Effect::Cut;
        self.at(from).iter().any(cuts)
            || self.at(to).iter().any(cuts)
            || self.between(from, to).iter().any(cuts)
    }

    pub(super) fn slowdown(&self, node: NodeId) -> f64 {
        if self.all.is_empty() {
            return 1.0;
        }
        let factor = |(_, effect): &(RuleId, Effect)| match effect {
            Effect::Slow(factor) => *factor,
            _ => 1.0,
        };
        self.at(node).iter().map(factor).product()
    }

    /// Changes the fate of a message. A slow node is slow at its work; only a slow link delays messages.
    #[inline]
    pub(super) fn apply(&self, from: NodeId, to: NodeId, roll: &Roll, fate: &mut Fate) {
        if !self.all.is_empty() {
            self.apply_all(from, to, roll, fate);
        }
    }

    #[inline(never)]
    fn apply_all(&self, from: NodeId, to: NodeId, roll: &Roll, fate: &mut Fate) {
        for (_, effect) in self.at(from).iter().chain(self.at(to)).chain(self.between(from, to)) {
            match *effect {
                Effect::Cut => fate.lost = true,
                Effect::Drop(p) => fate.lost |= roll.rule() < p,
                Effect::Duplicate(p) => fate.duplicated |= roll.duplication() < p,
                Effect::Slow(_) => {}
            }
        }
        for (_, effect) in self.between(from, to) {
            if let Effect::Slow(factor) = *effect {
                fate.delay = fate.delay.scale(factor);
            }
        }
    }

    fn at(&self, node: NodeId) -> &[(RuleId, Effect)] {
        self.of_node.get(&(node, node)).map_or(&[], Vec::as_slice)
    }

    fn between(&self, from: NodeId, to: NodeId) -> &[(RuleId, Effect)] {
        self.of_link.get(&(from, to)).map_or(&[], Vec::as_slice)
    }
}

fn forget(index: &mut Index, key: (NodeId, NodeId), id: RuleId) {
    if let Some(rules) = index.get_mut(&key) {
        debug_assert!(!rules.is_empty(), "what has no rules is not in the index");
        rules.retain(|&(other, _)| other != id);
        if rules.is_empty() {
            index.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::{Duration, Rng};

    /// What a message meets when every rule is looked at, in the order in which they began.
    fn scanned(
        rules: &[(RuleId, Rule)],
        from: NodeId,
        to: NodeId,
        roll: &Roll,
        mut fate: Fate,
    ) -> (Fate, bool) {
        let mut cut = false;
        for (_, rule) in rules {
            let about = match rule.target {
                Target::Node(node) => node == from || node == to,
                Target::Both(a, b) => (a, b) == (from, to) || (b, a) == (from, to),
                Target::OneWay(a, b) => (a, b) == (from, to),
            };
            match rule.effect {
                _ if !about => {}
                Effect::Cut => (fate.lost, cut) = (true, true),
                Effect::Drop(p) => fate.lost |= roll.rule() < p,
                Effect::Duplicate(p) => fate.duplicated |= roll.duplication() < p,
                Effect::Slow(_) if matches!(rule.target, Target::Node(_)) => {}
                Effect::Slow(factor) => fate.delay = fate.delay.scale(factor),
            }
        }
        (fate, cut)
    }

    #[test]
    fn the_index_finds_what_a_scan_of_all_rules_finds() {
        let mut rng = Rng::new(7);
        let (mut rules, mut scan) = (Rules::default(), Vec::new());
        for _ in 0..4000 {
            let mut node = || NodeId(1 + rng.below(3) as u32);
            let (a, b) = (node(), node());
            let (target, strength) = (rng.below(3), rng.unit());
            let target = [Target::Node(a), Target::Both(a, b), Target::OneWay(a, b)][target as usize];
            let effects =
                [Effect::Cut, Effect::Drop(strength), Effect::Duplicate(strength), Effect::Slow(strength)];
            if scan.len() < 6 {
                let rule = Rule { target, effect: effects[rng.below(4) as usize] };
                scan.push((rules.add(rule), rule));
            } else {
                let (id, rule) = scan.remove(rng.below(6) as usize);
                assert_eq!((rules.remove(id), rules.remove(id)), (Some(rule), None));
            }
            assert!(rules.all().eq(scan.iter().map(|&(_, rule)| rule)));
            let (from, to) = (NodeId(1 + rng.below(3) as u32), NodeId(1 + rng.below(3) as u32));
            let roll = Roll::new(&mut rng);
            let plain = Fate { delay: Duration::from_nanos(1_000_003), lost: false, duplicated: false };
            let mut fate = plain;
            rules.apply(from, to, &roll, &mut fate);
            assert_eq!((fate, rules.cut(from, to)), scanned(&scan, from, to, &roll, plain), "{scan:?}");
            let slow = scan.iter().map(|(_, rule)| match *rule {
                Rule { target: Target::Node(node), effect: Effect::Slow(factor) } if node == from => factor,
                _ => 1.0,
            });
            assert_eq!(rules.slowdown(from), slow.product::<f64>());
        }
    }

    #[test]
    fn a_rule_takes_probabilities_and_factors_only() {
        let takes = |effect| {
            let rule = Rule { target: Target::Node(NodeId(1)), effect };
            std::panic::catch_unwind(|| Rules::default().add(rule)).is_ok()
        };
        assert!(
            [Effect::Cut, Effect::Drop(1.0), Effect::Duplicate(0.0), Effect::Slow(0.5)].map(takes)
                == [true; 4]
        );
        for p in [-0.1, 1.1, f64::NAN] {
            assert!(!takes(Effect::Drop(p)) && !takes(Effect::Duplicate(p)), "{p}");
        }
        for factor in [0.0, -1.0, f64::INFINITY, f64::NAN] {
            assert!(!takes(Effect::Slow(factor)), "{factor}");
        }
    }

    #[test]
    #[cfg(debug_assertions)]
    #[should_panic(expected = "what has no rules is not in the index")]
    fn the_index_has_no_empty_entry() {
        let key = (NodeId(1), NodeId(2));
        let mut index = Index::default();
        index.insert(key, Vec::new());
        forget(&mut index, key, RuleId(1));
    }
}
