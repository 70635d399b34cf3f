//! Links: how long a message takes, and whether it arrives at all.

use super::hash::LookUp;
use super::node::NodeId;
use crate::kernel::{Ctx, Duration, Instant, Rng, Stream};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// How messages travel over a link in one direction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LinkModel {
    /// The least time that a message takes.
    pub latency: Duration,
    /// Added to it: uniform between zero and this.
    pub jitter: Duration,
    /// The probability that a message is lost, 0 … 1.
    pub loss: f64,
    /// The probability that a message arrives twice, 0 … 1.
    pub duplication: f64,
}

impl LinkModel {
    /// A link that loses and duplicates nothing.
    pub const fn new(latency: Duration, jitter: Duration) -> Self {
        LinkModel { latency, jitter, loss: 0.0, duplication: 0.0 }
    }

    pub(super) fn fate(&self, roll: &Roll) -> Fate {
        Fate {
            delay: self.latency + share(self.jitter, roll.jitter),
            lost: self.loss > 0.0 && roll.loss() < self.loss,
            duplicated: self.duplication > 0.0 && roll.duplication() < self.duplication,
        }
    }
}

/// [`Duration::scale`] for what is never negative: every message is delayed, and rounding by hand takes a third of the time.
fn share(span: Duration, part: f64) -> Duration {
    /// The greatest number below one half: with it, half a nanosecond is rounded up, and what is just below it is not.
    const HALF: f64 = 0.5 - f64::EPSILON / 4.0;
    Duration::from_nanos((span.as_nanos() as f64 * part + HALF) as u64)
}

/// What becomes of one message.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fate {
    /// How long it travels.
    pub delay: Duration,
    /// It never arrives.
    pub lost: bool,
    /// It arrives twice.
    pub duplicated: bool,
}

/// The random draws that decide one message's fate, each uniform in [0, 1). All but the first are made where they decide
/// anything, as they do on few links.
#[derive(Clone, Debug)]
pub struct Roll {
    pub(super) jitter: f64,
    /// Behind that draw.
    others: Rng,
}

impl Roll {
    const DRAWS: usize = 4;

    /// The next draws of a generator, for one message.
    pub fn new(rng: &mut Rng) -> Self {
        let roll = Roll::nth(rng.clone(), 0);
        pass(rng, Roll::DRAWS);
        roll
    }

    /// The draws behind those for so many other messages.
    pub fn nth(mut rng: Rng, others: usize) -> Self {
        pass(&mut rng, others * Roll::DRAWS);
        Roll { jitter: rng.unit(), others: rng }
    }

    pub(super) fn loss(&self) -> f64 {
        self.other(0)
    }

    pub(super) fn duplication(&self) -> f64 {
        self.other(1)
    }

    /// For the loss that a rule adds: independent of the link's own.
    pub(super) fn rule(&self) -> f64 {
        self.other(2)
    }

    fn other(&self, before: usize) -> f64 {
        let mut rng = self.others.clone();
        pass(&mut rng, before);
        rng.unit()
    }
}

/// Leaves so many draws out.
fn pass(rng: &mut Rng, draws: usize) {
    for _ in 0..draws {
        rng.next_u64();
    }
}

/// The link and the draws for all messages of one exchange: fixed when it opens. All but the first message's are made when
/// they are asked for: most exchanges are neither duplicated nor given up.
#[derive(Clone, Debug)]
pub struct Trip {
    model: LinkModel,
    /// Behind the draws for the first message.
    rng: Rng,
}

impl Trip {
    pub(super) fn model(&self) -> LinkModel {
        self.model
    }

    /// The first message's copy, if it is duplicated.
    pub fn copy(&self) -> Roll {
        self.roll(0)
    }

    /// The answer.
    pub fn response(&self) -> Roll {
        self.roll(1)
    }

    /// The news that the caller has given up.
    pub fn cancel(&self) -> Roll {
        self.roll(2)
    }

    fn roll(&self, place: usize) -> Roll {
        Roll::nth(self.rng.clone(), place)
    }
}

/// One direction between two nodes. One line of the cache: with many links each visit finds it cold.
#[repr(align(64))]
pub(super) struct Link {
    model: LinkModel,
    /// Made when the first exchange opens.
    stream: Option<Stream>,
    /// Exchanges opened so far; the index into the stream.
    exchanges: u64,
}

/// Nodes that nobody connected are next to each other: no delay, no loss.
impl Default for Link {
    fn default() -> Self {
        Link { model: LinkModel::new(Duration::ZERO, Duration::ZERO), stream: None, exchanges: 0 }
    }
}

/// Names one direction of a link, also before the two were connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkId(u32);

#[derive(Default)]
pub(super) struct Links {
    all: Vec<Link>,
    /// By direction. Only looked up, never iterated.
    by_ends: LookUp<(NodeId, NodeId), LinkId>,
}

impl Links {
    pub(super) fn connect(&mut self, a: NodeId, b: NodeId, model: LinkModel) {
        let LinkModel { loss, duplication, .. } = model;
        assert!([loss, duplication].iter().all(|p| (0.0..=1.0).contains(p)), "no probability");
        for (from, to) in [(a, b), (b, a)] {
            let id = self.id(from, to);
            self.all[id.0 as usize].model = model;
        }
    }

    pub(super) fn id(&mut self, from: NodeId, to: NodeId) -> LinkId {
        *self.by_ends.entry((from, to)).or_insert_with(|| {
            self.all.push(Link::default());
            LinkId(self.all.len() as u32 - 1)
        })
    }

    pub(super) fn model(&self, from: NodeId, to: NodeId) -> LinkModel {
        let link = self.by_ends.get(&(from, to)).map(|id| &self.all[id.0 as usize]);
        link.map_or_else(|| Link::default().model, |link| link.model)
    }

    pub(super) fn model_of(&self, id: LinkId) -> LinkModel {
        self.all[id.0 as usize].model
    }

    pub(super) fn get(&self, id: LinkId) -> Option<&Link> {
        self.all.get(id.0 as usize)
    }

    /// `name` says what a link from one node to the other is called.
    pub(super) fn trip(&mut self, ctx: &Ctx, id: LinkId, name: impl Fn() -> String) -> (Roll, Trip) {
        let link = &mut self.all[id.0 as usize];
        let stream = link.stream.get_or_insert_with(|| ctx.stream(&name(), "link"));
        let mut rng = stream.at(link.exchanges);
        link.exchanges += 1;
        (Roll::new(&mut rng), Trip { model: link.model, rng })
    }
}

/// What a message in flight carries, as far as a picture of it needs to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Payload {
    /// A question.
    Request,
    /// An answer with its HTTP status.
    Response(u16),
    /// A connection that was refused or reset.
    Refusal,
    /// The news that the caller has given up.
    Cancel,
    /// A message of a broker or a store, on a connection that stays open.
    Message,
    /// What keeps such a connection going: handshake, subscription, acknowledgement, ping, close.
    Control,
}

/// A message on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Flight {
    /// When it arrives, or would if it were not lost.
    pub arrives_at: Instant,
    /// When it left.
    pub sent_at: Instant,
    /// Who sent it.
    pub from: NodeId,
    /// Whom it is for.
    pub to: NodeId,
    /// The request that it belongs to; 0 for none.
    pub req: u64,
    /// What it carries.
    pub payload: Payload,
    /// It will not arrive.
    pub lost: bool,
}

/// The messages on their way, for snapshots. Nothing in a simulation looks at it.
#[derive(Default)]
pub(super) struct Flights {
    /// Those that were on their way at the last look, by arrival.
    seen: Vec<Flight>,
    /// Those that left since then: only they are put in order at the next look.
    fresh: BinaryHeap<Reverse<Flight>>,
}

impl Flights {
    pub(super) fn add(&mut self, now: Instant, flight: Flight) {
        debug_assert!(flight.sent_at == now && flight.arrives_at >= now, "it is on its way from now on");
        self.forget_arrived(now);
        self.fresh.push(Reverse(flight));
    }

    pub(super) fn current(&mut self, now: Instant) -> Vec<Flight> {
        self.forget_arrived(now);
        let mut current = Vec::with_capacity(self.seen.len() + self.fresh.len());
        for &flight in self.seen.iter().filter(|flight| flight.arrives_at > now) {
            while let Some(&Reverse(fresh)) = self.fresh.peek().filter(|fresh| fresh.0 < flight) {
                current.push(fresh);
                self.fresh.pop();
            }
            current.push(flight);
        }
        while let Some(Reverse(fresh)) = self.fresh.pop() {
            current.push(fresh);
        }
        self.seen.clone_from(&current);
        current
    }

    fn forget_arrived(&mut self, now: Instant) {
        while self.fresh.peek().is_some_and(|Reverse(flight)| flight.arrives_at <= now) {
            self.fresh.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::catch_unwind;

    #[test]
    fn a_share_is_rounded_as_scaling_rounds() {
        let mut rng = Rng::new(3);
        for span in [0, 1, 3, 20_000_000, u64::MAX >> 12, u64::MAX].map(Duration::from_nanos) {
            let parts = (0..5_000).map(|_| rng.unit());
            for part in parts.chain([0.0, 0.5, 0.5 / 3.0, 0.5 - f64::EPSILON / 4.0, 1.0 - f64::EPSILON / 2.0])
            {
                assert_eq!(share(span, part), span.scale(part), "{span} {part}");
            }
        }
    }

    #[test]
    fn a_link_takes_probabilities_only() {
        let takes = |loss, duplication| {
            let connect = || {
                let (latency, jitter) = (Duration::ZERO, Duration::ZERO);
                let model = LinkModel { latency, jitter, loss, duplication };
                Links::default().connect(NodeId(1), NodeId(2), model);
            };
            catch_unwind(connect).is_ok()
        };
        assert!(takes(0.0, 1.0) && takes(1.0, 0.0));
        assert!(![-0.1, 1.1, f64::NAN].into_iter().any(|p| takes(p, 0.0) || takes(0.0, p)));
    }

    #[test]
    #[cfg(debug_assertions)]
    #[should_panic(expected = "it is on its way from now on")]
    fn no_message_is_noted_late() {
        let [sent_at, arrives_at] = [1, 2].map(Instant::from_millis);
        let (from, to) = (NodeId(1), NodeId(2));
        let flight = Flight { arrives_at, sent_at, from, to, req: 0, payload: Payload::Message, lost: false };
        Flights::default().add(arrives_at, flight);
    }
}
