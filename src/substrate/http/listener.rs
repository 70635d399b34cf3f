//! Addresses, ports, and the serving side.

use super::Http;
use super::exchange::Incoming;
use super::message::{Request, Response};
use crate::kernel::{Receiver, Sender, channel};
use crate::net::NodeId;
use std::collections::HashMap;
use std::future::Future;

/// How many requests wait to be accepted before further ones are refused: Linux's default `somaxconn`.
const ACCEPT_QUEUE_MAX: usize = 4096;

/// Which node has which address, and who listens there now. Only looked up, never iterated.
#[derive(Default)]
pub(super) struct Ports {
    nodes: HashMap<String, NodeId>,
    listening: HashMap<String, (u64, Sender<Incoming>)>,
    opened: u64,
}

impl Ports {
    pub(super) fn assign(&mut self, authority: &str, node: NodeId) {
        self.nodes.insert(authority.to_owned(), node);
    }

    pub(super) fn node_at(&self, authority: &str) -> Option<NodeId> {
        self.nodes.get(authority).copied()
    }

    /// The accept queue of whoever listens at an authority.
    pub(super) fn queue_at(&self, authority: &str) -> Option<Sender<Incoming>> {
        self.listening.get(authority).map(|(_, queue)| queue.clone())
    }
}

/// A port that accepts requests until it is dropped.
pub struct Listener {
    http: Http,
    authority: String,
    number: u64,
    queue: Receiver<Incoming>,
}

impl Listener {
    pub(super) fn open(http: Http, authority: &str) -> Self {
        let (sender, queue) = channel(http.net.ctx(), ACCEPT_QUEUE_MAX);
        let mut ports = http.ports.borrow_mut();
        ports.opened += 1;
        let number = ports.opened;
        ports.listening.insert(authority.to_owned(), (number, sender));
        drop(ports);
        Listener { http, authority: authority.to_owned(), number, queue }
    }

    /// Answers every request with a task of its own, for ever. A handler's task is dropped when its caller gives up.
    pub async fn serve<F, Fut>(self, handler: F)
    where
        F: Fn(Request) -> Fut,
        Fut: Future<Output = Response> + 'static,
    {
        self.serve_peers(move |request, _| handler(request)).await;
    }

    /// [`serve`](Self::serve) for a handler that wants to know who asks, as a server knows its peer's address.
    pub async fn serve_peers<F, Fut>(mut self, handler: F)
    where
        F: Fn(Request, NodeId) -> Fut,
        Fut: Future<Output = Response> + 'static,
    {
        let ctx = self.http.net.ctx().clone();
        while let Some(incoming) = self.queue.recv().await {
            let before = ctx.span();
            let Some((request, responder)) = incoming.begin() else {
                continue;
            };
            let connection = responder.connection();
            let answer = handler(request, connection.peer());
            let task = ctx.spawn(async move { responder.respond(answer.await) });
            connection.handled_by(task);
            // Busy with the request is the handler's task, not this one, in which a role may do other things as well.
            ctx.set_span(before);
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let mut ports = self.http.ports.borrow_mut();
        // Whoever listens there by now is left alone.
        if ports.listening.get(&self.authority).is_some_and(|&(number, _)| number == self.number) {
            ports.listening.remove(&self.authority);
        }
    }
}
