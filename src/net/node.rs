//! A node: a name, a role that it runs while it is up, and the signal for a graceful end.

use crate::kernel::{Ctx, Instant, Receiver, Scope, Sender, channel};
use futures::future::LocalBoxFuture;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::Poll;

/// Names a node of a network. Its number is also its tasks' scope and its number in the trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u32);

impl NodeId {
    /// The scope of the node's tasks.
    pub fn scope(self) -> Scope {
        Scope(self.0)
    }
}

pub(super) type Role = Rc<dyn Fn(Shutdown) -> LocalBoxFuture<'static, ()>>;

pub(super) struct Node {
    pub(super) name: Rc<str>,
    pub(super) role: Option<Role>,
    /// `None` while the node is down.
    pub(super) up_since: Option<Instant>,
    pub(super) down_since: Instant,
    pub(super) shutdown: Option<Shutdown>,
    /// It was asked to end, and is to start again when it has.
    pub(super) start_again: bool,
}

impl Node {
    pub(super) fn new(name: &Rc<str>) -> Self {
        Node {
            name: Rc::clone(name),
            role: None,
            up_since: None,
            down_since: Instant::ZERO,
            shutdown: None,
            start_again: false,
        }
    }
}

/// Asks a role to end gracefully, as SIGTERM does.
#[derive(Clone)]
pub struct Shutdown {
    asked: Rc<Cell<bool>>,
    sender: Sender<()>,
    receiver: Rc<RefCell<Receiver<()>>>,
}

impl Shutdown {
    pub(super) fn new(ctx: &Ctx) -> Self {
        let (sender, receiver) = channel(ctx, 1);
        Shutdown { asked: Rc::default(), sender, receiver: Rc::new(RefCell::new(receiver)) }
    }

    /// Ready when the node was asked to end. At most one task waits for it.
    pub async fn requested(&self) {
        let mut waits = false;
        let requested = std::future::poll_fn(|cx| {
            // Nearly every poll of a role is about something else.
            if waits && !self.asked.get() {
                return Poll::Pending;
            }
            waits = true;
            self.receiver.borrow_mut().poll_recv(cx).map(drop)
        });
        requested.await;
    }

    pub(super) fn was_asked(&self) -> bool {
        self.asked.get()
    }

    pub(super) fn signal(&self) {
        self.asked.set(true);
        // Full means that it was asked before; once is enough.
        let _ = self.sender.send(());
    }
}
