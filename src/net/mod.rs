//! Nodes and the links between them: crash, restart, latency, loss, duplication, partition.
//!
//! A [`Net`] knows which nodes there are and whether they are up, and it decides the fate of every message
//! ([`Net::send`]). It carries no messages itself: the substrate above sends bytes with the delay that it is told.
//! A node is a scope of tasks; a crash drops them all, so timers die, connections break and memory is gone. What is
//! to survive lives outside, with whoever built the node.
//!
//! Faults live only here, as [`Rule`]s and node states: everything above sees delay, loss or a crash, never "a fault".

mod hash;
mod link;
mod node;
mod rule;

pub use hash::{LookUp, WordHasher};
pub use link::{Fate, Flight, LinkId, LinkModel, Payload, Roll, Trip};
pub use node::{NodeId, Shutdown};
pub use rule::{Effect, Rule, RuleId, Target};

use crate::kernel::{Ctx, Duration, Instant, Kind, Span, fetch};
use futures::future::LocalBoxFuture;
use link::{Flights, Links};
use node::Node;
use rule::Rules;
use std::cell::{Ref, RefCell};
use std::rc::Rc;

/// A node's role was started (again).
pub const NODE_STARTED: Kind = Kind::new("node_started");
/// A node crashed.
pub const NODE_CRASHED: Kind = Kind::new("node_crashed");
/// A node's role ended by itself: a graceful shutdown.
pub const NODE_STOPPED: Kind = Kind::new("node_stopped");
/// A message was lost on its way; the peer is the one that it was for.
pub const MESSAGE_LOST: Kind = Kind::new("message_lost");
/// A rule began to hold.
pub const FAULT_STARTED: Kind = Kind::new("fault_started");
/// A rule was lifted.
pub const FAULT_ENDED: Kind = Kind::new("fault_ended");

/// The network of one run. Cheap to clone.
#[derive(Clone)]
pub struct Net(Rc<Shared>);

/// Behind one pointer: each exchange under way has one.
struct Shared {
    ctx: Ctx,
    /// Messages on their way are listed.
    is_observed: bool,
    state: RefCell<State>,
}

struct State {
    nodes: Vec<Node>,
    /// Only looked up, never iterated.
    by_name: LookUp<Rc<str>, NodeId>,
    links: Links,
    rules: Rules,
    flights: Flights,
}

impl Net {
    /// A network without nodes. `observed` says whether messages in flight are listed for a snapshot.
    pub fn new(ctx: &Ctx, observed: bool) -> Self {
        let state = State {
            nodes: Vec::new(),
            by_name: LookUp::default(),
            links: Links::default(),
            rules: Rules::default(),
            flights: Flights::default(),
        };
        Net(Rc::new(Shared { ctx: ctx.clone(), is_observed: observed, state: RefCell::new(state) }))
    }

    /// The simulation that this network lives in.
    pub fn ctx(&self) -> &Ctx {
        &self.0.ctx
    }

    // --- nodes ------------------------------------------------------------------------------------------------

    /// Adds a node that is down and has no role yet.
    pub fn add_node(&self, name: &str) -> NodeId {
        let mut state = self.0.state.borrow_mut();
        let name: Rc<str> = name.into();
        state.nodes.push(Node::new(&name));
        let id = NodeId(state.nodes.len() as u32);
        state.by_name.insert(name, id);
        id
    }

    /// Says what a node runs. `role` is called at every start, with the signal that asks for a graceful end; when
    /// the future that it returns is ready, the node stops.
    pub fn set_role(&self, node: NodeId, role: impl Fn(Shutdown) -> LocalBoxFuture<'static, ()> + 'static) {
        self.node_mut(node, |n| n.role = Some(Rc::new(role)));
    }

    /// Forgets what every node runs. Roles hold the network and the network holds the roles: whoever set them ends
    /// the circle with this, or the network is never freed.
    pub fn forget_roles(&self) {
        let roles: Vec<_> = self.0.state.borrow_mut().nodes.iter_mut().map(|node| node.role.take()).collect();
        drop(roles);
    }

    /// Starts a node: one that runs is crashed first.
    pub fn start(&self, node: NodeId) {
        self.crash(node);
        debug_assert!(!self.is_up(node), "nothing that a crash drops starts its node");
        let shutdown = Shutdown::new(&self.0.ctx);
        let role = self.node_mut(node, |n| {
            n.up_since = Some(self.0.ctx.now());
            n.shutdown = Some(shutdown.clone());
            n.role.clone()
        });
        self.0.ctx.record_in(node.scope(), Span::default(), NODE_STARTED, 0, 0);
        if let Some(role) = role {
            let (net, running) = (self.clone(), role(shutdown));
            self.0.ctx.spawn_in(node.scope(), async move {
                running.await;
                let start_again = net.node(node).start_again;
                net.take_down(node, NODE_STOPPED);
                if start_again {
                    net.start(node);
                }
            });
        }
    }

    /// Crashes a node; one that is down stays down.
    pub fn crash(&self, node: NodeId) {
        if self.is_up(node) {
            self.take_down(node, NODE_CRASHED);
        }
    }

    /// Asks a node to end gracefully.
    pub fn stop(&self, node: NodeId) {
        let shutdown = self.node_mut(node, |n| {
            n.start_again = false;
            n.shutdown.clone()
        });
        debug_assert_eq!(shutdown.is_some(), self.is_up(node), "who runs can be asked to end");
        if let Some(shutdown) = shutdown {
            shutdown.signal();
        }
    }

    /// Starts a node that was asked to end: now, or when it has ended.
    pub fn start_stopped(&self, node: NodeId) {
        if self.is_up(node) {
            self.node_mut(node, |n| n.start_again = n.shutdown.as_ref().is_some_and(Shutdown::was_asked));
        } else {
            self.start(node);
        }
    }

    fn take_down(&self, node: NodeId, kind: Kind) {
        self.node_mut(node, |n| {
            n.up_since = None;
            n.down_since = self.0.ctx.now();
            n.shutdown = None;
            n.start_again = false;
        });
        self.0.ctx.record_in(node.scope(), Span::default(), kind, 0, 0);
        // The destructors of its tasks run now: connections notice that the node is gone.
        self.0.ctx.abort_scope(node.scope());
    }

    /// True while a node runs.
    pub fn is_up(&self, node: NodeId) -> bool {
        self.node(node).up_since.is_some()
    }

    /// Since when a node has been down; `None` while it runs.
    pub fn down_since(&self, node: NodeId) -> Option<Instant> {
        let node = self.node(node);
        node.up_since.is_none().then_some(node.down_since)
    }

    /// A node's name.
    pub fn name(&self, node: NodeId) -> Rc<str> {
        Rc::clone(&self.node(node).name)
    }

    /// The node called `name`.
    pub fn find(&self, name: &str) -> Option<NodeId> {
        self.0.state.borrow().by_name.get(name).copied()
    }

    /// All nodes, in the order in which they were added.
    pub fn nodes(&self) -> impl Iterator<Item = NodeId> + use<> {
        (1..=self.0.state.borrow().nodes.len() as u32).map(NodeId)
    }

    fn node(&self, id: NodeId) -> Ref<'_, Node> {
        Ref::map(self.0.state.borrow(), |state| &state.nodes[id.0 as usize - 1])
    }

    fn node_mut<R>(&self, id: NodeId, change: impl FnOnce(&mut Node) -> R) -> R {
        change(&mut self.0.state.borrow_mut().nodes[id.0 as usize - 1])
    }

    // --- links ------------------------------------------------------------------------------------------------

    /// Says how messages travel between two nodes, in both directions.
    pub fn connect(&self, a: NodeId, b: NodeId, model: LinkModel) {
        self.0.state.borrow_mut().links.connect(a, b, model);
    }

    /// The link from one node to another.
    pub fn link(&self, from: NodeId, to: NodeId) -> LinkId {
        self.0.state.borrow_mut().links.id(from, to)
    }

    /// Opens an exchange of messages between two nodes, over the link from the first to the second: all its random draws
    /// are fixed now, from the stream of this pair at this exchange, so nothing that happens later in the run can shift them.
    /// Those for the first message come beside it.
    pub fn trip(&self, link: LinkId, from: NodeId, to: NodeId) -> (Roll, Trip) {
        let mut state = self.0.state.borrow_mut();
        let State { links, nodes, .. } = &mut *state;
        let name = |id: NodeId| &nodes[id.0 as usize - 1].name;
        links.trip(&self.0.ctx, link, || format!("{}>{}", name(from), name(to)))
    }

    /// Fetches what an exchange over a link will touch: see [`Foresee`](crate::kernel::Foresee).
    pub fn foresee_trip(&self, link: LinkId) {
        if let Some(link) = self.0.state.borrow().links.get(link) {
            fetch(link);
        }
    }

    /// Fetches what a message that arrives at a node will touch.
    pub fn foresee_arrival(&self, node: NodeId) {
        fetch(&self.0.state.borrow().nodes[node.0 as usize - 1]);
    }

    /// Decides the fate of a message that leaves now, `roll` being the draws for it.
    pub fn send(&self, from: NodeId, to: NodeId, roll: Roll) -> Fate {
        let state = self.0.state.borrow();
        let mut fate = state.links.model(from, to).fate(&roll);
        state.rules.apply(from, to, &roll, &mut fate);
        fate
    }

    /// [`send`](Self::send) over a link that was looked up before.
    pub fn send_over(&self, link: LinkId, from: NodeId, to: NodeId, roll: Roll) -> Fate {
        let state = self.0.state.borrow();
        let mut fate = state.links.model_of(link).fate(&roll);
        state.rules.apply(from, to, &roll, &mut fate);
        fate
    }

    /// [`send`](Self::send) for a message of an exchange, whose link need not be looked up: both directions are alike.
    pub fn send_on(&self, trip: &Trip, from: NodeId, to: NodeId, roll: Roll) -> Fate {
        let mut fate = trip.model().fate(&roll);
        self.0.state.borrow().rules.apply(from, to, &roll, &mut fate);
        fate
    }

    /// True when messages from one node to the other cannot pass now.
    #[inline]
    pub fn is_cut(&self, from: NodeId, to: NodeId) -> bool {
        self.0.state.borrow().rules.cut(from, to)
    }

    /// Records the loss of a message.
    pub fn record_lost(&self, from: NodeId, to: NodeId, span: Span) {
        self.0.ctx.record_in(from.scope(), span, MESSAGE_LOST, to.0, 0);
    }

    /// Lists a message as being on its way from now on, if this network is observed: otherwise nobody asks what is.
    #[inline]
    pub fn observe(&self, flight: impl FnOnce(Instant) -> Flight) {
        if self.0.is_observed {
            self.list(flight(self.0.ctx.now()));
        }
    }

    #[inline(never)]
    fn list(&self, flight: Flight) {
        self.0.state.borrow_mut().flights.add(self.0.ctx.now(), flight);
    }

    /// The messages that are on their way now.
    pub fn in_flight(&self) -> Vec<Flight> {
        self.0.state.borrow_mut().flights.current(self.0.ctx.now())
    }

    // --- rules ------------------------------------------------------------------------------------------------

    /// Makes a rule hold from now on.
    pub fn add_rule(&self, rule: Rule) -> RuleId {
        self.record_rule(FAULT_STARTED, &rule);
        self.0.state.borrow_mut().rules.add(rule)
    }

    /// Lifts a rule; one that is lifted already stays so.
    pub fn remove_rule(&self, id: RuleId) {
        let lifted = self.0.state.borrow_mut().rules.remove(id);
        if let Some(rule) = lifted {
            self.record_rule(FAULT_ENDED, &rule);
        }
    }

    fn record_rule(&self, kind: Kind, rule: &Rule) {
        let Rule { target, effect } = rule;
        let scope = target.first().scope();
        self.0.ctx.record_in(scope, Span::default(), kind, target.second(), effect.bits());
    }

    /// The rules that hold, in the order in which they began.
    pub fn rules(&self) -> Vec<Rule> {
        self.0.state.borrow().rules.all().collect()
    }

    /// By how much work on `node` takes longer now: the product of its slow rules, 1 without any.
    pub fn slowdown(&self, node: NodeId) -> f64 {
        self.0.state.borrow().rules.slowdown(node)
    }

    /// How long `work` takes on `node` now.
    pub fn work(&self, node: NodeId, work: Duration) -> Duration {
        match self.slowdown(node) {
            1.0 => work,
            factor => work.scale(factor),
        }
    }
}

#[cfg(all(test, debug_assertions))]
mod tests {
    use crate::kernel::{Instant, Sim, Sink};
    use crate::net::Net;
    use std::cell::Cell;
    use std::rc::Rc;

    struct AtDrop<F: Fn()>(F);

    impl<F: Fn()> Drop for AtDrop<F> {
        fn drop(&mut self) {
            self.0();
        }
    }

    #[test]
    #[should_panic(expected = "nothing that a crash drops starts its node")]
    fn a_start_has_the_node_to_itself() {
        let mut sim = Sim::new(1, Sink::None);
        let net = Net::new(&sim.ctx(), false);
        let node = net.add_node("w-01");
        let (at_drop, crashed) = (net.clone(), Rc::new(Cell::new(false)));
        net.set_role(node, move |_| {
            let (net, crashed) = (at_drop.clone(), Rc::clone(&crashed));
            let guard = AtDrop(move || {
                if !crashed.replace(true) {
                    net.start(node);
                }
            });
            Box::pin(async move {
                let _guard = guard;
                std::future::pending().await
            })
        });
        net.start(node);
        sim.run_until(Instant::from_millis(1));
        net.start(node);
    }

    #[test]
    #[should_panic(expected = "who runs can be asked to end")]
    fn a_node_that_runs_has_its_signal() {
        let sim = Sim::new(1, Sink::None);
        let net = Net::new(&sim.ctx(), false);
        let node = net.add_node("w-01");
        net.start(node);
        net.node_mut(node, |n| n.shutdown = None);
        net.stop(node);
    }
}
