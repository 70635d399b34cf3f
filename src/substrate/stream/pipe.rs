//! One direction of a connection: what is on its way, and the task that carries it.
//!
//! Messages leave at once and travel side by side. The carrier waits for the first of them to arrive, hands it over, and
//! goes on to the next; one that was lost is sent again by the carrier, together with all that were lost behind it.
//!
//! Nearly always somebody reads already when a message leaves, and nothing else is on its way. Then no carrier is woken: the
//! message knocks where the reader waits, who does what the carrier would do at that instant.

use super::{
    Closed, Ident, Over, PENDING_MAX, SEGMENT_RECEIVED, SEGMENT_SENT, SOCKET_BUFFER, STREAM_CLOSED, Segment,
    observe,
};
use crate::kernel::{Duration, Instant, Receiver, Scope, Sender, Span, Stream, channel};
use crate::net::{LinkId, Net, NodeId, Payload, Roll};
use std::cell::{Cell, OnceCell, RefCell};
use std::collections::VecDeque;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll};

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

/// What comes to a reader.
pub(super) enum Come<T> {
    Arrival(Arrival<T>),
    /// The first of what is on its way is due; out of date once the carrier is in charge again.
    Knock,
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
    /// Whoever reads has waited since nothing was on its way, and is in charge instead of the carrier.
    reader_waits: Cell<bool>,
    wake: Sender<()>,
    inbox: Sender<Come<T>>,
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
    ) -> (Rc<Self>, Receiver<Come<T>>) {
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
            reader_waits: Cell::default(),
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
        // The end of a connection is the carrier's.
        self.stop_waiting();
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
            if at <= self.net.ctx().now() {
                // It takes no time: all that happens at this instant has its order, in which the carrier is.
                self.reader_waits.set(false);
            }
            self.expect(at);
        }
    }

    /// Whoever is in charge has something to do at that instant, and nothing before.
    fn expect(&self, at: Instant) {
        if self.reader_waits.get() {
            let _ = self.inbox.send_at(at, Come::Knock);
        } else {
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

    /// The next message; `None` when the other end has closed or died.
    pub(super) fn poll_next(&self, inbox: &mut Receiver<Come<T>>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        loop {
            let arrival = match inbox.poll_recv(cx) {
                Poll::Ready(Some(Come::Arrival(arrival))) => arrival,
                Poll::Ready(Some(Come::Knock)) if !self.reader_waits.get() => continue,
                Poll::Ready(Some(Come::Knock)) => match self.answer_knock() {
                    Some(arrival) => arrival,
                    None => continue,
                },
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => {
                    let is_idle = !self.finished.get() && self.queue.borrow().is_empty();
                    self.reader_waits.set(self.reader_waits.get() || is_idle);
                    return Poll::Pending;
                }
            };
            self.stop_waiting();
            return Poll::Ready(self.take(arrival));
        }
    }

    /// The reader does what the carrier would do now, and has the first of what has arrived in its hands.
    fn answer_knock(&self) -> Option<Arrival<T>> {
        let mut first = None;
        while let Some((at, lost)) = self.head() {
            if at > self.net.ctx().now() || self.is_full() {
                if first.is_none() {
                    self.expect(at);
                }
                break;
            }
            match self.meet(lost) {
                arrival if first.is_none() => first = arrival,
                Some(arrival) => self.put_down(arrival),
                None => {}
            }
        }
        first
    }

    /// The reader does not wait any more: what is still on its way is the carrier's.
    pub(super) fn stop_waiting(&self) {
        if self.reader_waits.replace(false)
            && let Some((at, _)) = self.head()
        {
            self.expect(at);
        }
    }

    /// What the receiver makes of an arrival.
    fn take(&self, arrival: Arrival<T>) -> Option<T> {
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
        self.reader_waits.set(false);
        self.rouse();
    }

    // --- the carrier ------------------------------------------------------------------------------------------

    async fn carry(self: Rc<Self>, mut woken: Receiver<()>) {
        let ctx = self.net.ctx().clone();
        loop {
            let Some((at, lost)) = self.head().filter(|_| !self.reader_waits.get()) else {
                if self.finished.get() || self.abandoned.get() && self.near.get() {
                    return;
                }
                woken.recv().await;
                continue;
            };
            ctx.sleep_until(at).await;
            if self.head() != Some((at, lost)) {
                // The sender has closed meanwhile, and dropped what it held.
                continue;
            }
            if lost && self.is_forgotten() {
                return;
            }
            if !lost && self.is_full() && !self.net.is_cut(self.from, self.to) {
                woken.recv().await;
            } else if let Some(arrival) = self.meet(lost) {
                self.put_down(arrival);
            }
        }
    }

    /// When something is to be done with the first message, and whether it is lost and sent again then.
    fn head(&self) -> Option<(Instant, bool)> {
        self.queue.borrow().front().map(|head| (head.at, head.lost))
    }

    /// What becomes of the first message now that its time has come.
    fn meet(&self, lost: bool) -> Option<Arrival<T>> {
        if lost {
            self.retransmit();
        } else if !self.net.is_cut(self.from, self.to) {
            return self.arrive();
        } else if let Some(head) = self.queue.borrow_mut().front_mut() {
            // Sent before the cut, and caught by it on the way.
            self.lose(head, Duration::ZERO);
        }
        None
    }

    /// The receiver's socket has no room.
    fn is_full(&self) -> bool {
        self.unread.get() >= SOCKET_BUFFER && !self.abandoned.get()
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

    /// The first message is there; `None` if its receiver is not.
    fn arrive(&self) -> Option<Arrival<T>> {
        let head = self.queue.borrow_mut().pop_front()?;
        let Underway { message, size, mut span, .. } = head;
        self.queued.set(self.queued.get() - size);
        let queue = self.queue.borrow();
        debug_assert!(message.is_some() || queue.is_empty(), "nothing is sent behind the close");
        debug_assert!(self.queued.get() == 0 || !queue.is_empty(), "what counts as queued is there");
        drop(queue);
        if self.abandoned.get() {
            return None;
        }
        self.unread.set(self.unread.get() + size);
        if message.is_some() {
            let ctx = self.net.ctx();
            span.cause = ctx.record_in(self.to.scope(), span, SEGMENT_RECEIVED, self.from.0, size as u64);
        } else {
            self.far.set(true);
        }
        Some(Arrival { message, size, span })
    }

    /// Leaves it where the receiver finds it.
    fn put_down(&self, arrival: Arrival<T>) {
        // The receiver is there: it has not abandoned its end.
        let _ = self.inbox.send(Come::Arrival(arrival));
    }
}

impl<T: Segment> Reading for Pipe<T> {
    fn reset(&self) {
        self.abandon();
        let span = self.net.ctx().span();
        self.put_down(Arrival { message: None, size: 0, span });
    }
}

#[cfg(all(test, debug_assertions))]
mod tests;
