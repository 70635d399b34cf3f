//! What JetStream sends, and what it may know of the broker while it does.

use crate::kernel::{Ctx, Instant, Kind};
use crate::net::NodeId;
use crate::substrate::body::Body;
use crate::substrate::nats::router::Router;
use crate::substrate::nats::{Headers, Published};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::rc::Rc;

/// Messages to be delivered when JetStream has done its work.
pub(in crate::substrate::nats) struct Outbox<'a> {
    ctx: &'a Ctx,
    node: NodeId,
    router: &'a Router,
    queue: &'a mut VecDeque<Outgoing>,
}

/// A message for the subject `to`, which shows itself as one of `message.subject`.
pub(in crate::substrate::nats) struct Outgoing {
    pub(in crate::substrate::nats) to: Rc<str>,
    pub(in crate::substrate::nats) message: Published,
}

impl<'a> Outbox<'a> {
    pub(in crate::substrate::nats) fn new(
        ctx: &'a Ctx,
        node: NodeId,
        router: &'a Router,
        queue: &'a mut VecDeque<Outgoing>,
    ) -> Self {
        Outbox { ctx, node, router, queue }
    }

    pub(super) fn now(&self) -> Instant {
        self.ctx.now()
    }

    pub(super) fn has_interest(&self, subject: &str) -> bool {
        self.router.has_interest(subject)
    }

    /// True if somebody has subscribed to just that.
    pub(super) fn has_subscriber(&self, subject: &str) -> bool {
        self.router.has_subscriber(subject)
    }

    pub(super) fn record(&self, kind: Kind, value: u64) {
        self.ctx.record_in(self.node.scope(), self.ctx.span(), kind, 0, value);
    }

    pub(super) fn send(
        &mut self,
        to: &Rc<str>,
        subject: &Rc<str>,
        reply: Option<Rc<str>>,
        headers: Option<Headers>,
        payload: Body,
    ) {
        let message = Published { subject: Rc::clone(subject), reply, headers, payload };
        self.queue.push_back(Outgoing { to: Rc::clone(to), message });
    }

    pub(super) fn json(&mut self, to: &Rc<str>, value: &Value) {
        self.send(to, to, None, None, value.to_string().into());
    }

    /// A status without content.
    pub(super) fn status(&mut self, to: &Rc<str>, status: &str) {
        let text = ["NATS/1.0 ", status].concat();
        self.send(to, to, None, Some(Headers(text.as_str().into())), Body::default());
    }

    /// A sign of life for who waits: what was delivered last, by the consumer's number and the stream's.
    pub(super) fn idle_heartbeat(&mut self, to: &Rc<str>, [consumer, stream]: [u64; 2]) {
        let [consumer, stream] = [consumer, stream].map(|n| n.to_string());
        let lines =
            ["100 Idle Heartbeat\r\nNats-Last-Consumer: ", &consumer, "\r\nNats-Last-Stream: ", &stream];
        self.status(to, &lines.concat());
    }

    /// The news that a message was delivered as often as it may.
    pub(super) fn max_deliver_advisory(&mut self, stream: &str, consumer: &str, seq: u64, deliveries: u64) {
        let subject = format!("$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.{stream}.{consumer}");
        let advisory = json!({
            "type": "io.nats.jetstream.advisory.v1.max_deliver",
            "stream": stream,
            "consumer": consumer,
            "stream_seq": seq,
            "deliveries": deliveries,
        });
        self.json(&subject.as_str().into(), &advisory);
    }
}
