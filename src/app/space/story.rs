//! The messages and the work of a stretch of time, read off the trace.

use crate::app::account::Work;
use crate::app::catalogue::face;
use crate::app::face::AnyFace;
use crate::app::snapshot::Sign;
use crate::kernel::{Instant, Kind, Record, Trace};
use crate::lab::Run;
use crate::net::{MESSAGE_LOST, NODE_CRASHED, NODE_STOPPED, NodeId};
use crate::substrate::{http, stream};

/// Of what is on its way at the end of a stretch, arrivals are looked for so long after it, in nanoseconds; and before its
/// beginning work that is still under way.
const AROUND_NS: u64 = 10_000_000_000;
/// So many messages are drawn at most.
const MOST: usize = 6_000;
/// How many steps before a message one looks for the work that it tells of.
const STEPS: usize = 5;

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// It arrived.
    Arrived,
    /// It was lost on the way.
    Lost,
    /// Nobody listened there, and the sender got to know.
    Refused,
    /// It is still on its way.
    Travels,
    /// Only one end of it is known.
    OneEnd,
}

/// A message.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Message {
    /// The record of its arrival, or whatever is known of it; 0 while it travels.
    pub n: u64,
    /// The record of its sending, if that is kept.
    pub cause: u64,
    /// From which node.
    pub from: u32,
    /// To which.
    pub to: u32,
    /// When it left.
    pub sent: Instant,
    /// When it arrived, or will.
    pub arrived: Instant,
    /// What it tells of.
    pub sign: Sign,
    /// What became of it.
    pub way: Way,
}

/// Work at a node.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bar {
    /// The record of its end, or of its beginning while it goes on.
    pub n: u64,
    /// Where.
    pub node: u32,
    /// From when.
    pub from: Instant,
    /// Until when, or until now.
    pub to: Instant,
    /// How it ended.
    pub sign: Sign,
}

/// What happened in a stretch of time.
#[derive(Debug, Default)]
pub struct Story {
    /// The messages, by their arrival.
    pub messages: Vec<Message>,
    /// The work.
    pub bars: Vec<Bar>,
    /// There were more messages than can be drawn.
    pub is_cut: bool,
}

impl Story {
    /// What happened between two instants.
    pub fn of(run: &Run, from: Instant, to: Instant, truth: bool) -> Self {
        let reader = Reader { run, face: face(run.system().kind()), truth };
        let mut story = Story::default();
        reader.read(from, to, &mut story);
        story
    }
}

/// Whether a record is the end of a message.
pub fn is_message(trace: &Trace, record: &Record) -> bool {
    let is_far = |cause: &Record| cause.node != record.node && cause.node != 0 && record.node != 0;
    matches!(record.kind, MESSAGE_LOST | http::REFUSED) || trace.record(record.cause).is_some_and(is_far)
}

/// The next message that a person may know of, or the one before; from nowhere, the newest.
pub fn next_message(run: &Run, from: Option<u64>, forward: bool, truth: bool) -> Option<u64> {
    let (trace, face) = (run.trace(), face(run.system().kind()));
    let is_it = |record: &&Record| {
        let is_known = truth || face.knows(run, record);
        is_known && (is_message(&trace, record) || !truth && is_one_end(record.kind))
    };
    let oldest = trace.records().next()?.n;
    match from.filter(|&n| trace.record(n).is_some()) {
        Some(n) if forward => trace.records().skip((n + 1 - oldest) as usize).find(is_it),
        Some(n) => trace.records().take((n - oldest) as usize).rev().find(is_it),
        None => trace.records().rev().find(is_it),
    }
    .map(|record| record.n)
}

/// Sending or receiving, as one of the two knows it.
fn is_one_end(kind: Kind) -> bool {
    let ends = [
        http::REQUEST_SENT,
        http::REQUEST_RECEIVED,
        http::RESPONSE_SENT,
        http::RESPONSE_RECEIVED,
        http::RESET,
        http::ABANDONED,
        stream::SEGMENT_SENT,
        stream::SEGMENT_RECEIVED,
    ];
    ends.contains(&kind)
}

struct Reader<'a> {
    run: &'a Run,
    face: &'static dyn AnyFace,
    truth: bool,
}

impl Reader<'_> {
    fn read(&self, from: Instant, to: Instant, story: &mut Story) {
        let trace = self.run.trace();
        let Some(oldest) = trace.records().next().map(|record| record.n) else { return };
        let first = first_from(&trace, from.as_nanos().saturating_sub(AROUND_NS));
        let until = Instant::from_nanos(to.as_nanos().saturating_add(AROUND_NS));
        let mut open: Vec<Vec<(Record, Work)>> = Vec::new();
        for record in trace.records().skip((first - oldest) as usize) {
            if record.at > until {
                break;
            }
            if !(self.truth || self.face.knows(self.run, record)) {
                continue;
            }
            self.follow_work(record, &mut open, from, story);
            if let Some(message) = self.message(&trace, record)
                && message.arrived >= from
                && message.sent <= to
            {
                if story.messages.len() < MOST {
                    story.messages.push(message);
                } else {
                    story.is_cut = true;
                }
            }
        }
        let now = self.run.now();
        for (begun, _) in open.into_iter().flatten() {
            story.bars.push(Bar {
                n: begun.n,
                node: begun.node,
                from: begun.at,
                to: now,
                sign: Sign::Working,
            });
        }
        if self.truth {
            self.add_travelling(from, to, story);
        }
    }

    /// Work begins or ends. What is open is kept by its node: each of thousands may have its own.
    fn follow_work(
        &self,
        record: &Record,
        open: &mut Vec<Vec<(Record, Work)>>,
        from: Instant,
        story: &mut Story,
    ) {
        let node = record.node as usize;
        open.resize_with(open.len().max(node + 1), Vec::new);
        let open = &mut open[node];
        let falls = matches!(record.kind, NODE_CRASHED | NODE_STOPPED);
        let mut i = 0;
        while i < open.len() {
            let (begun, work) = open[i];
            let is_its = begun.tag == record.tag;
            let end =
                work.ends.iter().find(|(kind, _)| is_its && *kind == record.kind).map(|(_, sign)| *sign);
            let end = end.or(falls.then_some(Sign::Down));
            let Some(sign) = end else {
                i += 1;
                continue;
            };
            open.swap_remove(i);
            if record.at >= from {
                let sign = self.face.sign(self.run, record).unwrap_or(sign);
                story.bars.push(Bar { n: record.n, node: record.node, from: begun.at, to: record.at, sign });
            }
        }
        if let Some(work) = self.face.works().iter().find(|work| work.begins == record.kind) {
            open.push((*record, *work));
        }
    }

    fn message(&self, trace: &Trace, record: &Record) -> Option<Message> {
        let cause = trace.record(record.cause);
        let to_peer = |way, sent: Instant| Message {
            n: record.n,
            cause: record.cause,
            from: record.node,
            to: record.peer,
            sent,
            arrived: record.at,
            sign: Sign::Failed,
            way,
        };
        let sent = cause.map_or(record.at, |cause| cause.at);
        match record.kind {
            MESSAGE_LOST => return Some(to_peer(Way::Lost, sent)),
            http::REFUSED => return Some(to_peer(Way::Refused, sent)),
            _ => {}
        }
        let known = |cause: &&Record| self.truth || self.face.knows(self.run, cause);
        let is_far = |cause: &&Record| cause.node != record.node && cause.node != 0 && record.node != 0;
        if let Some(cause) = cause.filter(known).filter(is_far) {
            let sign = self.sign(trace, cause, record);
            return Some(Message {
                n: record.n,
                cause: cause.n,
                from: cause.node,
                to: record.node,
                sent: cause.at,
                arrived: record.at,
                sign,
                way: Way::Arrived,
            });
        }
        // Of the other end nothing is known.
        let is_far = || !self.face.knows(self.run, &Record { node: record.peer, ..*record });
        let is_end = !self.truth && record.peer != 0 && is_one_end(record.kind) && is_far();
        is_end.then(|| Message {
            sign: plain_sign(record),
            way: Way::OneEnd,
            ..to_peer(Way::OneEnd, record.at)
        })
    }

    /// What a message tells of: the work that ended just before it, or its status.
    fn sign(&self, trace: &Trace, cause: &Record, record: &Record) -> Sign {
        let here = |record: &&Record| record.node == cause.node;
        let before = std::iter::successors(Some(cause), |record| trace.record(record.cause).filter(here));
        let ends = |record: &Record| {
            let of_work = self.face.works().iter().flat_map(|work| work.ends);
            let end = of_work.filter(|(kind, _)| *kind == record.kind).map(|(_, sign)| *sign).next();
            end.map(|end| self.face.sign(self.run, record).unwrap_or(end))
        };
        let told = before.take(STEPS).find_map(ends);
        told.filter(|_| plain_sign(record) != Sign::Failed).unwrap_or_else(|| plain_sign(record))
    }

    /// What is on its way now.
    fn add_travelling(&self, from: Instant, to: Instant, story: &mut Story) {
        for flight in self.run.net().in_flight() {
            if flight.arrives_at >= from && flight.sent_at <= to && !flight.lost {
                story.messages.push(Message {
                    n: 0,
                    cause: 0,
                    from: flight.from.0,
                    to: flight.to.0,
                    sent: flight.sent_at,
                    arrived: flight.arrives_at,
                    sign: Sign::Asked,
                    way: Way::Travels,
                });
            }
        }
    }
}

/// What a record says by itself.
fn plain_sign(record: &Record) -> Sign {
    match record.kind {
        http::RESPONSE_SENT | http::RESPONSE_RECEIVED if record.value >= 400 => Sign::Failed,
        http::RESPONSE_SENT | http::RESPONSE_RECEIVED => Sign::InTime,
        http::RESET => Sign::Failed,
        http::CANCELLED | http::ABANDONED => Sign::Idle,
        _ => Sign::Asked,
    }
}

/// The number of the first record that is kept from an instant on.
fn first_from(trace: &Trace, ns: u64) -> u64 {
    let oldest = trace.records().next().map_or(1, |record| record.n);
    let (mut low, mut high) = (oldest, trace.count() + 1);
    while low < high {
        let middle = low + (high - low) / 2;
        if trace.record(middle).is_some_and(|record| record.at.as_nanos() < ns) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

// --- words ----------------------------------------------------------------------------------------------------------

/// A record in words: what came from whom to whom, and when.
pub fn words(run: &Run, n: u64, truth: bool) -> Option<String> {
    let (trace, face) = (run.trace(), face(run.system().kind()));
    let is_known = |record: &&Record| truth || face.knows(run, record);
    let record = trace.record(n).filter(is_known)?;
    let name = |node: u32| match node {
        0 => "the laboratory".into(),
        node => run.net().name(NodeId(node)),
    };
    let seconds = |at: Instant| format!("{:.3} s", at.as_nanos() as f64 / 1e9);
    let of = if record.tag == 0 { String::new() } else { format!(", req-{:05}", record.tag) };
    let cause = trace.record(record.cause).filter(is_known);
    let what = match record.kind {
        http::REQUEST_RECEIVED => "A request".to_owned(),
        http::RESPONSE_RECEIVED => format!("An answer, {}", record.value),
        http::RESET => "The news that a connection broke".to_owned(),
        http::CANCELLED => "The news that nobody waits any more".to_owned(),
        stream::SEGMENT_RECEIVED => format!("A message of {} bytes", record.value),
        MESSAGE_LOST => {
            let (from, to) = (name(record.node), name(record.peer));
            return Some(format!("A message from {from} to {to} is lost at {}{of}.", seconds(record.at)));
        }
        http::REFUSED => {
            let (from, to) = (name(record.node), name(record.peer));
            return Some(format!("{to} refuses a connection from {from} at {}{of}.", seconds(record.at)));
        }
        kind => kind.name().replace('_', " "),
    };
    Some(match cause.filter(|cause| cause.node != record.node && cause.node != 0 && record.node != 0) {
        Some(cause) => {
            let took = record.at.since(cause.at).as_nanos() as f64 / 1e6;
            format!(
                "{what} from {} to {}, sent at {}, there at {} after {took:.0} ms{of}.",
                name(cause.node),
                name(record.node),
                seconds(cause.at),
                seconds(record.at),
            )
        }
        None => {
            let peer = if record.peer == 0 { String::new() } else { format!(", {}", name(record.peer)) };
            format!("{what} at {}{peer}, {}{of}.", name(record.node), seconds(record.at))
        }
    })
}
