//! One direction of a connection: what is on its way, and the task that carries it.
//!
//! Messages leave at once and travel side by side. The carrier waits for the first of them to arrive, hands it over, and
//! goes on to the next; one that was lost is sent again by the carrier, together with all that were lost behind it.

use super::{
    Closed, Ident, Over, PENDING_MAX, SEGMENT_RECEIVED, SEGMENT_SENT, SOCKET_BUFFER, STREAM_CLOSED, Segment,
    observe,
};
use crate::kernel::{Duration, Instant, Receiver, Scope, Sender, Span, Stream, channel};
use crate::net::{LinkId, Net, NodeId, Payload, Roll};
use std::cell::{Cell, OnceCell, RefCell};
use std::collections::VecDeque;
use std::rc::{Rc, Weak};

/// The least retransmission time-out, and the greatest: Linux's.
const RTO_MIN: Duration = Duration::from_millis(200);
const RTO_MAX: Duration = Duration::from_secs(120);
/// Room for the messages of one connection in one direction; the index of a draw is made of both.
const MESSAGES_BITS: u32 = 32;
/// How often a close is sent again before the dead end's kernel forgets it (`tcp_orphan_retries`).
const CLOSE_RETRIES: u32 = 8;

/// A message that has arrived; without one, the close.
pub(super) struct Arrival<T> {
    message: Option<T>,
    size: usize,
    span: Span,
}

/// A message on its way.
struct Underway<T> {
    /// `None` is the close.
    message: Option<T>,
    size: usize,
    span: Span,
    index: u64,
    attempts: u32,
    /// When it arrives; or, if it was lost, when it is sent again.
    at: Instant,
    lost: bool,
}

/// The direction in which an end reads, as far as the one in which it writes is concerned.
trait Reading {
    /// The end is told that the connection is over; what arrives from now on is lost.
    fn reset(&self);
}

pub(super) struct Pipe<T> {
    net: Net,
    from: NodeId,
    pub(super) to: NodeId,
    link: LinkId,
    draws: Stream,
    pub(super) ident: Ident,
    /// The sender, and the receiver, know that the connection is over.
    near: Over,
    far: Over,
    /// The receiver has dropped its end.
    abandoned: Cell<bool>,
    finished: Cell<bool>,
    /// The receiver has read the close.
    ended: Cell<bool>,
    /// The other direction.
    other: OnceCell<Weak<dyn Reading>>,
    /// In the order of sending; nothing is behind the close.
    queue: RefCell<VecDeque<Underway<T>>>,
    /// Bytes on their way, and bytes arrived and not read.
    queued: Cell<usize>,
    unread: Cell<usize>,
    sent: Cell<u64>,
    wake: Sender<()>,
    inbox: Sender<Arrival<T>>,
}

impl<T: Segment> Pipe<T> {
    pub(super) fn open(
        net: &Net,
        from: NodeId,
        to: NodeId,
        draws: Stream,
        ident: Ident,
        near: &Over,
        far: &Over,
    ) -> (Rc<Self>, Receiver<Arrival<T>>) {
        let ctx = net.ctx();
        let (wake, woken) = channel(ctx, usize::MAX);
        let (inbox, receiver) = channel(ctx, usize::MAX);
        let pipe = Rc::new(Pipe {
            net: net.clone(),
            from,
            to,
            link: net.link(from, to),
            draws,
            ident,
            near: Rc::clone(near),
            far: Rc::clone(far),
            abandoned: Cell::default(),
            finished: Cell::default(),
            ended: Cell::default(),
            other: OnceCell::new(),
            queue: RefCell::default(),
            queued: Cell::default(),
            unread: Cell::default(),
            sent: Cell::default(),
            wake,
            inbox,
        });
        // A carrier is no node's: neither end's crash calls back what has left.
        ctx.spawn_in(Scope::default(), Rc::clone(&pipe).carry(woken));
        (pipe, receiver)
    }

    /// Says which pipe is the other direction of the same connection.
    pub(super) fn pair_with<R: Segment>(&self, other: &Rc<Pipe<R>>) {
        let other: Weak<Pipe<R>> = Rc::downgrade(other);
        let paired = self.other.set(other);
        debug_assert!(paired.is_ok(), "a connection has two directions");
    }

    // --- the sender's side ------------------------------------------------------------------------------------

    pub(super) fn send(&self, message: T) -> Result<(), Closed> {
        if self.finished.get() || self.near.get() {
            return Err(Closed);
        }
        let size = message.size();
        if self.pending_bytes() + size > PENDING_MAX {
            self.give_up();
            return Err(Closed);
        }
        let ctx = self.net.ctx();
        let n = ctx.record_in(self.from.scope(), ctx.span(), SEGMENT_SENT, self.to.0, size as u64);
        self.put(Some(message), size, Span { cause: n, ..ctx.span() });
        Ok(())
    }

    /// Too much waits already: the end closes, and its reader learns it.
    fn give_up(&self) {
        self.finish();
        if let Some(other) = self.other.get().and_then(Weak::upgrade) {
            other.reset();
        }
    }

    /// Closes it: behind what the sockets hold, while what waits at the sender is lost with it.
    pub(super) fn finish(&self) {
        if self.finished.replace(true) {
            return;
        }
        let mut room = SOCKET_BUFFER.saturating_sub(self.unread.get());
        self.queue.borrow_mut().retain(|underway| {
            let held = underway.size <= room;
            room = if held { room - underway.size } else { 0 };
            held
        });
        self.queued.set(self.queue.borrow().iter().map(|underway| underway.size).sum());
        if self.near.get() {
            // The other end went first: it needs no news.
            self.queue.borrow_mut().clear();
            self.queued.set(0);
            self.rouse();
        } else {
            self.put(None, 0, self.net.ctx().span());
        }
    }

    pub(super) fn pending_bytes(&self) -> usize {
        (self.queued.get() + self.unread.get()).saturating_sub(SOCKET_BUFFER)
    }

    fn put(&self, message: Option<T>, size: usize, span: Span) {
        debug_assert_eq!(message.is_none(), self.finished.get(), "the close, and nothing else, comes last");
        debug_assert!(self.sent.get() >> MESSAGES_BITS == 0, "the next connection's draws begin there");
        let index = self.ident.call << MESSAGES_BITS | self.sent.get();
        self.sent.set(self.sent.get() + 1);
        self.queued.set(self.queued.get() + size);
        let mut underway =
            Underway { message, size, span, index, attempts: 0, at: Instant::ZERO, lost: false };
        self.transmit(&mut underway);
        let at = underway.at;
        let first = {
            let mut queue = self.queue.borrow_mut();
            queue.push_back(underway);
            queue.len() == 1
        };
        if first {
            // The carrier has nothing to do before.
            let _ = self.wake.send_at(at, ());
        }
    }

    /// Sends it now, for the first time or again.
    fn transmit(&self, underway: &mut Underway<T>) {
        let roll = Roll::nth(self.draws.at(underway.index), underway.attempts as usize);
        let fate = self.net.send_over(self.link, self.from, self.to, roll);
        let payload = || underway.message.as_ref().map_or(Payload::Control, Segment::payload);
        observe(&self.net, self.from, self.to, payload, underway.span, fate);
        underway.attempts += 1;
        underway.lost = fate.lost;
        underway.at = self.net.ctx().now() + fate.delay;
        if fate.lost {
            self.lose(underway, fate.delay);
        }
    }

    /// It is lost: sent again one round trip and the time-out after it was sent.
    fn lose(&self, underway: &mut Underway<T>, delay: Duration) {
        self.net.record_lost(self.from, self.to, underway.span);
        let doublings = underway.attempts.saturating_sub(1).min(20);
        let rto = (RTO_MIN + delay + delay).scale(f64::from(1_u32 << doublings)).min(RTO_MAX);
        underway.lost = true;
        underway.at = self.net.ctx().now() + rto;
    }

    /// Something has changed for the carrier; one that is roused in vain goes on waiting.
    fn rouse(&self) {
        // Gone means that it has nothing left to carry.
        let _ = self.wake.send(());
    }

    // --- the receiver's side ----------------------------------------------------------------------------------

    /// True when the receiver has seen the close.
    pub(super) fn ended(&self) -> bool {
        self.ended.get()
    }

    /// What the receiver makes of an arrival.
    pub(super) fn take(&self, arrival: Option<Arrival<T>>) -> Option<T> {
        let arrival = arrival?;
        debug_assert!(!self.ended.get(), "nothing is read behind the close");
        let ctx = self.net.ctx();
        let unread = self.unread.get();
        self.unread.set(unread - arrival.size);
        if unread >= SOCKET_BUFFER {
            self.rouse();
        }
        ctx.set_span(arrival.span);
        if arrival.message.is_none() {
            self.ended.set(true);
            ctx.record(STREAM_CLOSED, self.from.0, 0);
        }
        arrival.message
    }

    /// The receiver has dropped its end: what arrives from now on is lost.
    pub(super) fn abandon(&self) {
        self.abandoned.set(true);
        self.rouse();
    }

    // --- the carrier ------------------------------------------------------------------------------------------

    async fn carry(self: Rc<Self>, mut woken: Receiver<()>) {
        let ctx = self.net.ctx().clone();
        loop {
            let head = self.queue.borrow().front().map(|head| (head.at, head.lost));
            let Some((at, lost)) = head else {
                if self.finished.get() || self.abandoned.get() && self.near.get() {
                    return;
                }
                woken.recv().await;
                continue;
            };
            ctx.sleep_until(at).await;
            if self.queue.borrow().front().map(|head| (head.at, head.lost)) != Some((at, lost)) {
                // The sender has closed meanwhile, and dropped what it held.
                continue;
            }
            if lost {
                if self.is_forgotten() {
                    return;
                }
                self.retransmit();
            } else if self.net.is_cut(self.from, self.to) {
                // Sent before the cut, and caught by it on the way.
                if let Some(head) = self.queue.borrow_mut().front_mut() {
                    self.lose(head, Duration::ZERO);
                }
            } else if self.unread.get() >= SOCKET_BUFFER && !self.abandoned.get() {
                woken.recv().await;
            } else {
                self.hand_over();
            }
        }
    }

    /// Nobody at either end waits for what is left: the last tries of a kernel whose process is gone.
    fn is_forgotten(&self) -> bool {
        let queue = self.queue.borrow();
        self.finished.get() && queue.front().is_some_and(|head| head.attempts > CLOSE_RETRIES)
    }

    /// Sends the first message again, and those lost behind it.
    fn retransmit(&self) {
        let mut queue = self.queue.borrow_mut();
        for underway in queue.iter_mut().filter(|underway| underway.lost) {
            self.transmit(underway);
        }
    }

    fn hand_over(&self) {
        let Some(head) = self.queue.borrow_mut().pop_front() else {
            return;
        };
        let Underway { message, size, mut span, .. } = head;
        self.queued.set(self.queued.get() - size);
        let queue = self.queue.borrow();
        debug_assert!(message.is_some() || queue.is_empty(), "nothing is sent behind the close");
        debug_assert!(self.queued.get() == 0 || !queue.is_empty(), "what counts as queued is there");
        drop(queue);
        if self.abandoned.get() {
            return;
        }
        self.unread.set(self.unread.get() + size);
        if message.is_some() {
            let ctx = self.net.ctx();
            span.cause = ctx.record_in(self.to.scope(), span, SEGMENT_RECEIVED, self.from.0, size as u64);
        } else {
            self.far.set(true);
        }
        // The receiver is there: it has not abandoned its end.
        let _ = self.inbox.send(Arrival { message, size, span });
    }
}

impl<T: Segment> Reading for Pipe<T> {
    fn reset(&self) {
        self.abandon();
        let span = self.net.ctx().span();
        // Who reads no more needs no news.
        let _ = self.inbox.send(Arrival { message: None, size: 0, span });
    }
}

#[cfg(all(test, debug_assertions))]
mod tests {
    use super::*;
    use crate::kernel::{Sim, Sink};

    impl Segment for u8 {
        fn size(&self) -> usize {
            1
        }

        fn payload(&self) -> Payload {
            Payload::Message
        }
    }

    fn pipe() -> Rc<Pipe<u8>> {
        let ctx = Sim::new(1, Sink::None).ctx();
        let net = Net::new(&ctx, false);
        let [from, to] = ["w-01", "nats"].map(|name| net.add_node(name));
        let ident = Ident { number: 1, call: 1 };
        Pipe::open(&net, from, to, ctx.stream("w-01", "up"), ident, &Rc::default(), &Rc::default()).0
    }

    fn arrived(pipe: &Pipe<u8>) -> Option<u8> {
        pipe.take(Some(Arrival { message: None, size: 0, span: Span::default() }))
    }

    #[test]
    #[should_panic(expected = "a connection has two directions")]
    fn a_direction_has_one_other() {
        let pipe = pipe();
        pipe.pair_with(&pipe);
        pipe.pair_with(&pipe);
    }

    #[test]
    #[should_panic(expected = "the close, and nothing else, comes last")]
    fn nothing_is_put_behind_the_close() {
        let pipe = pipe();
        pipe.finish();
        pipe.put(Some(1), 1, Span::default());
    }

    #[test]
    #[should_panic(expected = "the next connection's draws begin there")]
    fn no_message_takes_the_draws_of_another_connection() {
        let pipe = pipe();
        pipe.sent.set(1 << MESSAGES_BITS);
        let _ = pipe.send(1);
    }

    #[test]
    #[should_panic(expected = "nothing is read behind the close")]
    fn the_close_is_read_once() {
        let pipe = pipe();
        arrived(&pipe);
        arrived(&pipe);
    }

    #[test]
    #[should_panic(expected = "nothing is sent behind the close")]
    fn nothing_waits_behind_the_close() {
        let pipe = pipe();
        pipe.finish();
        pipe.finished.set(false);
        let _ = pipe.send(1);
        pipe.hand_over();
    }

    #[test]
    #[should_panic(expected = "what counts as queued is there")]
    fn no_byte_counts_as_queued_that_is_gone() {
        let pipe = pipe();
        let _ = pipe.send(1);
        pipe.queued.set(2);
        pipe.hand_over();
    }
}
