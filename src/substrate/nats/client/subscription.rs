//! Subscriptions and the messages that they hand over.

use super::super::protocol::{Headers, Op, Published};
use super::{Inner, NatsError, Status};
use crate::kernel::{Receiver, Sender, Span, channel};
use crate::substrate::body::Body;
use std::cell::Cell;
use std::rc::Rc;

/// A message that was received.
#[derive(Clone)]
pub struct Message {
    /// The subject that it was published to.
    pub subject: Rc<str>,
    /// Where an answer goes.
    pub reply: Option<Rc<str>>,
    /// Its header block.
    pub headers: Option<Headers>,
    /// Its content.
    pub payload: Body,
    /// The request that it belongs to, and what caused it.
    pub span: Span,
}

impl Message {
    /// The status in its headers, as the server sets it.
    pub fn status(&self) -> Option<u16> {
        self.headers.as_ref().and_then(Headers::status)
    }
}

/// What the client knows of a subscription.
pub(super) struct SubState {
    subject: Rc<str>,
    queue: Option<Rc<str>>,
    /// It ends after so many messages; what was received of them.
    max: Option<u64>,
    received: u64,
    /// Takes messages, each with its bytes.
    sender: Sender<(Message, usize)>,
    /// Bytes that are not read.
    pending: Rc<Cell<usize>>,
    dropped: Rc<Cell<u64>>,
}

impl SubState {
    pub(super) fn op(&self, sid: u64) -> Op {
        Op::Sub { subject: Rc::clone(&self.subject), queue: self.queue.clone(), sid }
    }

    /// What tells a new connection how many messages are left; `None` if there is no limit.
    pub(super) fn rest(&self, sid: u64) -> Option<Op> {
        self.max.map(|max| Op::Unsub { sid, max: Some(max.saturating_sub(self.received).max(1)) })
    }
}

/// A subscription. Dropping it ends it.
pub struct Subscription {
    client: Rc<Inner>,
    sid: u64,
    receiver: Receiver<(Message, usize)>,
    pending: Rc<Cell<usize>>,
    dropped: Rc<Cell<u64>>,
}

pub(super) fn open(
    client: &Rc<Inner>,
    sid: u64,
    subject: Rc<str>,
    queue: Option<&str>,
) -> (SubState, Subscription) {
    let (sender, receiver) = channel(&client.ctx, client.options.pending_messages);
    let (pending, dropped) = (Rc::default(), Rc::default());
    let state = SubState {
        subject,
        queue: queue.map(Rc::from),
        max: None,
        received: 0,
        sender,
        pending: Rc::clone(&pending),
        dropped: Rc::clone(&dropped),
    };
    (state, Subscription { client: Rc::clone(client), sid, receiver, pending, dropped })
}

impl Subscription {
    /// The next message; `None` when the subscription or the client has ended. The current task is then busy with
    /// the request that the message belongs to.
    pub async fn next(&mut self) -> Option<Message> {
        let (message, bytes) = self.receiver.recv().await?;
        self.pending.set(self.pending.get() - bytes);
        self.client.ctx.set_span(message.span);
        Some(message)
    }

    /// Ends the subscription after `max` messages in all, counted from its start.
    pub fn unsubscribe_after(&self, max: u64) -> Result<(), NatsError> {
        let ended = {
            let mut subs = self.client.subs.borrow_mut();
            let Some(state) = subs.get_mut(&self.sid) else {
                return Ok(());
            };
            state.max = Some(max);
            state.received >= max
        };
        if ended {
            self.client.subs.borrow_mut().remove(&self.sid);
        }
        self.client.send(Op::Unsub { sid: self.sid, max: Some(max) })
    }

    /// How many messages were dropped because they were not read.
    pub fn dropped(&self) -> u64 {
        self.dropped.get()
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let known = self.client.subs.borrow_mut().remove(&self.sid);
        if known.is_some() && self.client.status.get() == Status::Connected {
            // Closed meanwhile: the server has forgotten it.
            let _ = self.client.send(Op::Unsub { sid: self.sid, max: None });
        }
    }
}

impl Inner {
    /// Hands a message to the subscription that it is for.
    pub(super) fn hand_over(&self, sid: u64, message: Published) {
        let (span, bytes) = (self.ctx.span(), message.size());
        let Published { subject, reply, headers, payload } = message;
        let message = Message { subject, reply, headers, payload, span };
        let mut ended = None;
        let mut subs = self.subs.borrow_mut();
        let Some(state) = subs.get_mut(&sid) else {
            return;
        };
        state.received += 1;
        let is_full = state.pending.get() + bytes > self.options.pending_bytes;
        if is_full || state.sender.send((message, bytes)).is_err() {
            state.dropped.set(state.dropped.get() + 1);
            *self.last_error.borrow_mut() = Some(NatsError::SlowConsumer);
        } else {
            state.pending.set(state.pending.get() + bytes);
        }
        if state.max.is_some_and(|max| state.received >= max) {
            ended = subs.remove(&sid);
        }
        drop(subs);
        drop(ended);
    }
}
